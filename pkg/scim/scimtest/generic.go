package scimtest

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

const (
	userURN       = "urn:ietf:params:scim:schemas:core:2.0:User"
	groupURN      = "urn:ietf:params:scim:schemas:core:2.0:Group"
	enterpriseURN = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"
	messagePrefix = "urn:ietf:params:scim:api:messages:"
	listURN       = messagePrefix + "2.0:ListResponse"
	patchURN      = messagePrefix + "2.0:PatchOp"
	errorURN      = messagePrefix + "2.0:Error"
	searchURN     = messagePrefix + "2.0:SearchRequest"
	mediaType     = "application/scim+json"

	bulkRequestURN  = messagePrefix + "2.0:BulkRequest"
	bulkResponseURN = messagePrefix + "2.0:BulkResponse"
)

// checkAnswer checks the rules for every answer to any request: media type, error shape, list shape, headers of a
// single resource, no null, no password, no key that is no attribute name, and no 5xx but one that asks the client
// to retry. It returns the faults.
func checkAnswer(idp string, r request, a response) []string {
	var problems []string
	add := func(format string, args ...any) { problems = append(problems, fmt.Sprintf(format, args...)) }
	notOffered := a.Status == http.StatusNotImplemented && strings.HasPrefix(r.Path, "/Me")
	if a.Status >= 500 && !notOffered && !putOff(a) {
		add("status %d: a client can't cause a server error", a.Status)
	}
	if len(bytes.TrimSpace(a.Body)) == 0 {
		if a.Status >= 400 && r.Method != http.MethodHead {
			add("an error without a body")
		}
		return problems
	}
	if a.Status == http.StatusNoContent || a.Status == http.StatusNotModified {
		add("status %d with a body", a.Status)
	}
	want := mediaType
	if idp == "onelogin" || onlyJSON(r.Header) {
		want = "application/json"
	}
	if got := a.Header.Values("Content-Type"); len(got) != 1 || got[0] != want {
		add("Content-Type %q, want %q", got, want)
	}
	var body any
	if err := json.Unmarshal(a.Body, &body); err != nil {
		add("the answer is not JSON: %v", err)
		return problems
	}
	object, ok := body.(map[string]any)
	if !ok {
		add("the answer is no JSON object")
		return problems
	}
	problems = append(problems, checkKeys("", object)...)
	if a.Status >= 400 {
		return append(problems, checkError(a, object)...)
	}
	switch {
	case hasSchema(object, listURN):
		return append(problems, checkList(object, byCursor(r))...)
	case hasSchema(object, bulkResponseURN):
		return append(problems, checkBulk(object)...)
	}
	return append(problems, checkResource(idp, r, a, object)...)
}

// onlyJSON reports whether the request takes application/json and not application/scim+json.
func onlyJSON(h http.Header) bool {
	json := false
	for _, value := range h.Values("Accept") {
		for part := range strings.SplitSeq(value, ",") {
			name, _, _ := strings.Cut(part, ";")
			switch strings.ToLower(strings.TrimSpace(name)) {
			case "application/json":
				json = true
			default:
				return false
			}
		}
	}
	return json
}

var attributeName = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9_-]*$`)

// checkKeys walks a document: no null, no password, every key an attribute name (RFC 7643, section 2.1) or a schema
// URN.
func checkKeys(at string, v any) []string {
	var problems []string
	switch v := v.(type) {
	case nil:
		problems = append(problems, at+" is null")
	case []any:
		for i, element := range v {
			problems = append(problems, checkKeys(fmt.Sprintf("%s[%d]", at, i), element)...)
		}
	case map[string]any:
		for key, element := range v {
			if strings.EqualFold(key, "password") {
				problems = append(problems, at+" holds a password")
			}
			if !attributeName.MatchString(key) && key != "$ref" && !strings.HasPrefix(strings.ToLower(key), "urn:") {
				problems = append(problems, fmt.Sprintf("%s: %q is no attribute name", at, key))
			}
			problems = append(problems, checkKeys(at+"."+key, element)...)
		}
	}
	return problems
}

// checkError checks the error message of RFC 7644, section 3.12.
func checkError(a response, body map[string]any) []string {
	var problems []string
	if !slices.Equal(schemasOf(body), []string{errorURN}) {
		problems = append(problems, fmt.Sprintf("schemas of an error are %v", body["schemas"]))
	}
	if body["status"] != strconv.Itoa(a.Status) {
		problems = append(problems, fmt.Sprintf("status in the body is %s, want the string %q", text(body["status"]),
			strconv.Itoa(a.Status)))
	}
	if detail, _ := body["detail"].(string); strings.TrimSpace(detail) == "" {
		problems = append(problems, "an error without detail")
	}
	if scimType, ok := body["scimType"]; ok {
		if s, _ := scimType.(string); s == "" {
			problems = append(problems, "scimType is empty")
		}
	}
	if a.Status == http.StatusUnauthorized && !strings.HasPrefix(a.Header.Get("WWW-Authenticate"), "Bearer") {
		problems = append(problems, fmt.Sprintf("WWW-Authenticate %q, want Bearer", a.Header.Get("WWW-Authenticate")))
	}
	return problems
}

// byCursor reports whether a request asks for cursor-based paging (RFC 9865).
func byCursor(r request) bool {
	if query, err := url.ParseQuery(r.Query); err == nil && query.Has("cursor") {
		return true
	}
	var body struct {
		Cursor *string `json:"cursor"`
	}
	return json.Unmarshal(r.Body, &body) == nil && body.Cursor != nil
}

// checkBulk checks the message of RFC 7644, section 3.7.3.
func checkBulk(body map[string]any) []string {
	var problems []string
	operations, ok := body["Operations"].([]any)
	if !ok {
		problems = append(problems, fmt.Sprintf("Operations is %s, want an array", text(body["Operations"])))
	}
	for i, element := range operations {
		o, _ := element.(map[string]any)
		status, _ := o["status"].(string)
		if code, err := strconv.Atoi(status); err != nil || code < 200 || code > 599 {
			problems = append(problems, fmt.Sprintf("Operations[%d].status is %s", i, text(o["status"])))
		}
		if method, _ := o["method"].(string); method == "" && status < "400" {
			problems = append(problems, fmt.Sprintf("Operations[%d] has no method", i))
		}
		if _, ok := o["location"]; !ok && (status < "400" || status == "412") {
			problems = append(problems, fmt.Sprintf("Operations[%d] has no location", i))
		}
		if failure, ok := o["response"].(map[string]any); status >= "400" && (!ok || !hasSchema(failure, errorURN)) {
			shown := text(o["response"])
			problems = append(problems, fmt.Sprintf("Operations[%d] failed, its response is %s", i, shown))
		}
	}
	return problems
}

// checkList checks the list message of RFC 7644, section 3.4.2, or, with cursor, of RFC 9865, section 2.
func checkList(body map[string]any, cursor bool) []string {
	var problems []string
	resources, ok := body["Resources"].([]any)
	if !ok {
		problems = append(problems, fmt.Sprintf("Resources is %s, want an array", text(body["Resources"])))
	}
	for _, key := range []string{"totalResults", "startIndex", "itemsPerPage"} {
		if _, ok := body[key]; !ok && cursor && key == "startIndex" {
			continue
		}
		if !isType(body[key], "int") {
			problems = append(problems, fmt.Sprintf("%s is %s, want an integer", key, text(body[key])))
		}
	}
	if n, _ := body["itemsPerPage"].(float64); int(n) != len(resources) {
		problems = append(problems, fmt.Sprintf("itemsPerPage is %v with %d resources", n, len(resources)))
	}
	if n, _ := body["totalResults"].(float64); int(n) < len(resources) {
		problems = append(problems, fmt.Sprintf("totalResults is %v with %d resources", n, len(resources)))
	}
	for key := range body {
		switch key {
		case "schemas", "totalResults", "startIndex", "itemsPerPage", "Resources":
		case "nextCursor", "previousCursor":
			if value, _ := body[key].(string); !cursor || !unreserved.MatchString(value) {
				problems = append(problems, fmt.Sprintf("%s in a list: %s", key, text(body[key])))
			}
		default:
			problems = append(problems, fmt.Sprintf("key %q in a list", key))
		}
	}
	for i, resource := range resources {
		object, _ := resource.(map[string]any)
		if _, ok := object["schemas"]; !ok {
			problems = append(problems, fmt.Sprintf("Resources[%d] has no schemas", i))
		}
	}
	return problems
}

// unreserved are the characters of a cursor (RFC 9865, section 2; RFC 3986, section 2.3).
var unreserved = regexp.MustCompile(`^[A-Za-z0-9._~-]+$`)

var singleResource = regexp.MustCompile(`^/(Users|Groups)(/[^/]+)?$`)

// checkResource checks a single user or group: schemas, id, location headers and ETag.
func checkResource(idp string, r request, a response, body map[string]any) []string {
	var problems []string
	if len(schemasOf(body)) == 0 {
		problems = append(problems, "a resource without schemas")
	}
	for _, urn := range schemasOf(body) {
		if strings.HasPrefix(urn, messagePrefix) {
			problems = append(problems, "a resource with message schema "+urn)
		}
	}
	part := singleResource.FindStringSubmatch(r.Path)
	if part == nil {
		return problems
	}
	id, _ := body["id"].(string)
	if id == "" {
		return append(problems, "a resource without id")
	}
	location := a.Header.Get("Location")
	u, err := url.Parse(location)
	if err != nil || !u.IsAbs() || u.Host == "" || !strings.HasSuffix(u.Path, "/"+part[1]+"/"+id) || u.RawQuery != "" {
		problems = append(problems, fmt.Sprintf("Location %q, want the absolute URL of %s/%s", location, part[1], id))
	}
	if got := a.Header.Get("Content-Location"); got != location {
		problems = append(problems, fmt.Sprintf("Content-Location %q, want %q", got, location))
	}
	etag := a.Header.Get("ETag")
	meta, _ := body["meta"].(map[string]any)
	if etag == "" && meta["version"] == nil && r.Method == http.MethodGet && idp != "rfc" {
		return problems // a part of a resource has no version
	}
	if !strings.HasPrefix(etag, `W/"`) || !strings.HasSuffix(etag, `"`) || len(etag) < 5 {
		problems = append(problems, fmt.Sprintf("ETag %q, want a weak one", etag))
	}
	if got, ok := meta["location"]; ok && got != location {
		problems = append(problems, fmt.Sprintf("meta.location %s, Location %q", text(got), location))
	}
	if got, ok := meta["version"]; ok && got != etag {
		problems = append(problems, fmt.Sprintf("meta.version %s, ETag %q", text(got), etag))
	}
	return problems
}

func schemasOf(body map[string]any) []string {
	list, _ := body["schemas"].([]any)
	var urns []string
	for _, element := range list {
		if urn, ok := element.(string); ok {
			urns = append(urns, urn)
		}
	}
	return urns
}

func hasSchema(body map[string]any, urn string) bool {
	return slices.Contains(schemasOf(body), urn)
}

// putOff reports whether a server under load asks the client to retry: the only 5xx that is no fault. A test that
// does not allow this expects another status anyway.
func putOff(a response) bool {
	_, err := strconv.Atoi(a.Header.Get("Retry-After"))
	return a.Status == http.StatusServiceUnavailable && err == nil
}
