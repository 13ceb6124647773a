package statements_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/serverless-scim/serverless-scim/pkg/app/local"
	"github.com/serverless-scim/serverless-scim/pkg/event/schemas"
)

type object = map[string]any

const (
	userURN       = "urn:ietf:params:scim:schemas:core:2.0:User"
	groupURN      = "urn:ietf:params:scim:schemas:core:2.0:Group"
	enterpriseURN = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"
	patchURN      = "urn:ietf:params:scim:api:messages:2.0:PatchOp"
)

// adminKey opens the admin API.
const adminKey = "key-of-the-operator"

// world is a server with one tenant, seen from both sides: by the identity provider and by the operator.
type world struct {
	t          *testing.T
	url, token string
}

// newWorld creates a tenant of an identity provider. policy is the name of a preset or a policy; "": none.
func newWorld(t *testing.T, idp, policy string) *world {
	t.Helper()
	return newWorldOf(t, local.Options{}, idp, policy)
}

// newWorldOf is newWorld with options of the server.
func newWorldOf(t *testing.T, o local.Options, idp, policy string) *world {
	t.Helper()
	o.Data, o.Engine, o.AdminKey, o.Log, o.Out = ":memory:", "bolt", adminKey, io.Discard, io.Discard
	s, err := local.Open(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(s.Handler())
	t.Cleanup(func() {
		server.Close()
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	w := &world{t: t, url: server.URL}
	made := w.send(201, "POST", "/admin/v1/tenants", `{"id": "acme", "name": "Acme", "idp": "`+idp+`"}`)
	w.token = made["token"].(object)["value"].(string)
	switch {
	case strings.HasPrefix(policy, "{"):
		w.policy(policy)
	case policy != "":
		preset, err := json.Marshal(w.send(200, "GET", "/admin/v1/policy-presets/"+policy, ""))
		if err != nil {
			t.Fatal(err)
		}
		w.policy(string(preset))
	}
	return w
}

// do sends a request with the token of the tenant, or with the operator's key to the admin API.
func (w *world) do(method, path, body string) (status int, answer object) {
	w.t.Helper()
	key := adminKey
	if strings.HasPrefix(path, "/scim/") {
		key = w.token
	}
	return w.as(key, method, path, body)
}

// as sends a request with a token or key.
func (w *world) as(key, method, path, body string) (status int, answer object) {
	w.t.Helper()
	r, err := http.NewRequestWithContext(w.t.Context(), method, w.url+path, strings.NewReader(body))
	if err != nil {
		w.t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+key)
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		w.t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		w.t.Fatal(err)
	}
	if len(text) > 0 {
		if err := json.Unmarshal(text, &answer); err != nil {
			w.t.Fatalf("%s %s: %d, no JSON: %s", method, path, resp.StatusCode, text)
		}
	}
	return resp.StatusCode, answer
}

// send sends a request, and checks the status of the answer; 2 stands for all 2xx.
func (w *world) send(want int, method, path, body string) object {
	w.t.Helper()
	status, answer := w.do(method, path, body)
	if status != want && (want != 2 || status/100 != 2) {
		w.t.Fatalf("%s %s %s: status %d, want %d: %v", method, path, body, status, want, answer)
	}
	return answer
}

// scim sends a request of the identity provider.
func (w *world) scim(want int, method, path, body string) object {
	w.t.Helper()
	return w.send(want, method, "/scim/v2/acme"+path, body)
}

// admin sends a request of the operator or the application about the tenant.
func (w *world) admin(want int, method, path, body string) object {
	w.t.Helper()
	out := w.send(want, method, "/admin/v1/tenants/acme"+path, body)
	if err := schemas.CheckAll(out); err != nil {
		w.t.Errorf("%s %s: %v", method, path, err)
	}
	return out
}

func (w *world) policy(document string) object {
	w.t.Helper()
	return w.admin(200, "PUT", "/policy", document)
}

// set changes settings of the tenant.
func (w *world) set(settings string) {
	w.t.Helper()
	w.admin(200, "PATCH", "", `{"settings": `+settings+`}`)
}

// user creates a user. more are further attributes, such as `"title": "Boss"`.
func (w *world) user(name string, more ...string) string {
	w.t.Helper()
	return w.scim(201, "POST", "/Users", userBody(name, more...))["id"].(string)
}

func userBody(name string, more ...string) string {
	return fmt.Sprintf(`{"schemas": [%q, %q], "userName": %q, %s}`, userURN, enterpriseURN, name,
		strings.Join(append(more, `"active": true`), ", "))
}

// enterprise is the enterprise extension as an attribute of userBody.
func enterprise(attributes string) string { return fmt.Sprintf("%q: {%s}", enterpriseURN, attributes) }

// group creates a group.
func (w *world) group(name string, members ...string) string {
	w.t.Helper()
	// Two groups of a test must not be created in one millisecond: their names would then decide the order.
	for now := time.Now().UnixMilli(); now == time.Now().UnixMilli(); {
		runtime.Gosched()
	}
	return w.scim(201, "POST", "/Groups", groupBody(name, members...))["id"].(string)
}

func groupBody(name string, members ...string) string {
	return fmt.Sprintf(`{"schemas": [%q], "displayName": %q, "members": %s}`, groupURN, name, values(members))
}

func values(ids []string) string {
	all := make([]string, len(ids))
	for i, id := range ids {
		all[i] = fmt.Sprintf(`{"value": %q}`, id)
	}
	return "[" + strings.Join(all, ", ") + "]"
}

// patch sends operations in the form of `{"op": "add", ...}`.
func (w *world) patch(path string, operations ...string) {
	w.t.Helper()
	w.scim(2, "PATCH", path, patchBody(operations...))
}

func patchBody(operations ...string) string {
	return fmt.Sprintf(`{"schemas": [%q], "Operations": [%s]}`, patchURN, strings.Join(operations, ", "))
}

// replace sets one attribute; value is JSON.
func (w *world) replace(path, attribute, value string) {
	w.t.Helper()
	w.patch(path, fmt.Sprintf(`{"op": "Replace", "path": %q, "value": %s}`, attribute, value))
}

func (w *world) join(group string, members ...string) {
	w.t.Helper()
	w.patch("/Groups/"+group, `{"op": "Add", "path": "members", "value": `+values(members)+`}`)
}

func (w *world) leave(group, member string) {
	w.t.Helper()
	w.patch("/Groups/"+group, fmt.Sprintf(`{"op": "Remove", "path": "members[value eq \"%s\"]"}`, member))
}

func (w *world) member(id string) object {
	w.t.Helper()
	return w.admin(200, "GET", "/members/"+id, "")
}

// has describes a member in short: "active: team Red, function AZ1NC9/Maschinist".
func (w *world) has(id string) string {
	w.t.Helper()
	m := w.member(id)
	return fmt.Sprint(m["status"], ": ", strings.Join(assignments(m, ""), ", "))
}

// assignments lists those of one origin; "": of all.
func assignments(m object, origin string) []string {
	var all []string
	list, _ := m["assignments"].([]any)
	for _, v := range list {
		a := v.(object)
		if origin != "" && a["origin"] != origin {
			continue
		}
		name := fmt.Sprint(a["target"])
		if org, inside := a["organisation"]; inside {
			name = fmt.Sprint(org, "/", name)
		}
		all = append(all, fmt.Sprint(a["kind"], " ", name))
	}
	return all
}

// wants checks a member against has.
func (w *world) wants(id, want string) {
	w.t.Helper()
	if got := w.has(id); got != want {
		w.t.Errorf("the member is %q, want %q", got, want)
	}
}

// why finds a target that a member does not get, and returns the reason and its explanation.
func (w *world) why(id, kind, target string) (reason, detail string) {
	w.t.Helper()
	missing := w.admin(200, "GET", "/members/"+id+"/why", "")["missing"].([]any)
	for _, v := range missing {
		if m := v.(object); m["kind"] == kind && m["target"] == target {
			return m["reason"].(string), m["detail"].(string)
		}
	}
	w.t.Errorf("nothing is said of %s %s: %v", kind, target, missing)
	return "", ""
}

// found lists the ids of the members that a filter finds.
func (w *world) found(filter string) []string {
	w.t.Helper()
	var ids []string
	for _, v := range w.admin(200, "GET", "/members?filter="+url.QueryEscape(filter), "")["members"].([]any) {
		ids = append(ids, v.(object)["id"].(string))
	}
	slices.Sort(ids)
	return ids
}

// clientCredentials gets an access token for an OAuth client (RFC 6749, section 4.4).
func (w *world) clientCredentials(id, secret string) string {
	w.t.Helper()
	resp, err := http.PostForm(w.url+"/oauth2/acme/token", url.Values{
		"grant_type": {"client_credentials"}, "client_id": {id}, "client_secret": {secret},
	})
	if err != nil {
		w.t.Fatal(err)
	}
	defer resp.Body.Close()
	var answer struct {
		Token string `json:"access_token"`
	}
	if err := json.NewDecoder(resp.Body).Decode(&answer); err != nil || resp.StatusCode != 200 {
		w.t.Fatalf("no access token: %d, error %v", resp.StatusCode, err)
	}
	return answer.Token
}

// events publishes waiting members, and returns the events after a sequence number. It checks that their numbers have
// no gap.
func (w *world) events(after int) []object {
	w.t.Helper()
	w.admin(200, "GET", "/members?count=1", "")
	var all []object
	for {
		page := w.admin(200, "GET", fmt.Sprintf("/events?count=1000&after=%d", after), "")["events"].([]any)
		if len(page) == 0 {
			return all
		}
		for _, v := range page {
			e := v.(object)
			if after++; e["sequence"] != float64(after) {
				w.t.Fatalf("event %d has the number %v", after, e["sequence"])
			}
			all = append(all, e)
		}
	}
}

// last is the number of the last event.
func (w *world) last() int {
	w.t.Helper()
	return len(w.events(0))
}

// told lists the types of a member's events after a sequence number.
func (w *world) told(after int, id string) []string {
	w.t.Helper()
	types := []string{}
	for _, e := range w.events(after) {
		if e["subject"] == "members/"+id {
			types = append(types, e["type"].(string))
		}
	}
	return types
}

// tells checks the types of a member's events after a sequence number.
func (w *world) tells(after int, id string, want ...string) {
	w.t.Helper()
	if got := w.told(after, id); !slices.Equal(got, want) {
		w.t.Errorf("events %v, want %v", got, want)
	}
}
