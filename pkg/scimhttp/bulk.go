package scimhttp

import (
	"context"
	"math"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/serverless-scim/serverless-scim/pkg/directory"
	"github.com/serverless-scim/serverless-scim/pkg/directory/bulk"
	"github.com/serverless-scim/serverless-scim/pkg/scim"
	"github.com/serverless-scim/serverless-scim/pkg/scim/schema"
)

// maxOperations is the number of operations that a bulk request may have, as ServiceProviderConfig says (RFC 7644,
// section 3.7.4). The size of its body is limited as that of any other.
const maxOperations = 1000

// bulk answers POST /Bulk (RFC 7644, section 3.7).
func (h *handler) bulk(ctx context.Context, rq *request) (answer, error) {
	text, err := h.text(rq)
	if err != nil {
		return answer{}, err
	}
	msg, err := scim.ParseEnvelope(text, "data")
	if err != nil {
		return answer{}, err
	}
	list, o, err := bulkMessage(msg)
	if err != nil {
		return answer{}, err
	}
	ops := make([]bulk.Operation, len(list))
	seen := map[string]bool{}
	for i, e := range list {
		ops[i] = h.bulkOperation(ctx, rq, e, seen)
	}
	o.Request = scim.AppendJSON(nil, msg) // without the data, which stands in the operations
	entries, as := h.beginBulk(rq, ops)
	o.As = as
	results, err := bulk.Run(ctx, h.Directory, rq.tenant, ops, o)
	if err != nil {
		return answer{}, err
	}
	h.endBulk(ctx, rq, entries, results)
	done := make([]any, 0, len(results))
	for i, r := range results {
		// With failOnErrors operations after the last accepted error have no result.
		if r.Status != 0 || r.Err != nil {
			done = append(done, h.bulkResult(ctx, rq, ops[i], r))
		}
	}
	return newAnswer(http.StatusOK, scim.AppendJSON(nil, scim.Object{
		"schemas": []any{scim.BulkResponseURN}, "Operations": done,
	})), nil
}

// bulkMessage reads a BulkRequest down to its operations.
func bulkMessage(msg scim.Object) (operations []any, o bulk.Options, err error) {
	if err := checkMessage(msg, scim.BulkRequestURN); err != nil {
		return nil, o, err
	}
	operations, ok := member(msg, "Operations").([]any)
	switch {
	case !ok || len(operations) == 0:
		return nil, o, scim.BadRequest(scim.InvalidSyntax,
			"Operations is missing: a bulk request lists its operations there.")
	case len(operations) > maxOperations:
		return nil, o, scim.Errorf(http.StatusRequestEntityTooLarge, scim.NoType,
			"The request has %d operations, which exceeds maxOperations (%d). Spread them over several requests.",
			len(operations), maxOperations)
	}
	switch n := member(msg, "failOnErrors").(type) {
	case nil:
		return operations, o, nil
	case int64:
		if n >= 0 {
			o.FailOnErrors = int(min(n, math.MaxInt32))
			return operations, o, nil
		}
	}
	return nil, o, scim.BadRequest(scim.InvalidValue,
		"failOnErrors must be a whole number: the number of errors after which to stop.")
}

// checkMessage refuses a message whose schemas hold none of the URNs. The first URN is the right one.
func checkMessage(msg scim.Object, urns ...string) error {
	list, _ := member(msg, "schemas").([]any)
	for _, e := range list {
		s, ok := e.(string)
		if ok && slices.ContainsFunc(urns, func(urn string) bool { return strings.EqualFold(s, urn) }) {
			return nil
		}
	}
	return scim.BadRequest(scim.InvalidSyntax, "schemas must contain %q.", urns[0])
}

// member is scim.Field without its second result.
func member(o scim.Object, name string) any {
	v, _ := scim.Field(o, name)
	return v
}

// bulkOperation reads one operation. A fault is the error of this operation only; the others are carried out all
// the same. seen holds the bulkIds of the operations before.
func (h *handler) bulkOperation(
	ctx context.Context, rq *request, v any, seen map[string]bool,
) (op bulk.Operation) {
	o, ok := v.(scim.Object)
	if !ok {
		op.Invalid = scim.BadRequest(scim.InvalidSyntax, "An operation must be an object with method, path and data.")
		return op
	}
	method, _ := member(o, "method").(string)
	op.Method = strings.ToUpper(method)
	op.BulkID, _ = member(o, "bulkId").(string)
	path, _ := member(o, "path").(string)
	op.Type, op.ID = rq.bulkPath(path)
	if version, _ := member(o, "version").(string); version != "" && op.Method != http.MethodPost {
		op.IfMatch = entityTags([]string{version})
	}
	var err error
	switch op.Method {
	case http.MethodPost:
		err = bulkPost(op, path, seen)
	case http.MethodPut, http.MethodPatch, http.MethodDelete:
		if op.Type == nil || op.ID == "" {
			err = scim.BadRequest(scim.InvalidValue,
				"The path of a %s must name a resource, such as /Users/ and its id, not %s.",
				op.Method, scim.Quote(path))
		}
	default:
		err = scim.BadRequest(scim.InvalidValue, "The method must be POST, PUT, PATCH or DELETE, not %s.",
			scim.Quote(method))
	}
	if err == nil && op.Method != http.MethodDelete {
		op.Data, err = bulkData(op.Method, member(o, "data"))
	}
	if action, known := actions[op.Method]; known && op.Type != nil {
		if refused := h.Directory.Permit(ctx, rq.tenant, op.Type, action); refused != nil {
			err = refused
		}
	}
	op.Invalid = err
	return op
}

// bulkPost checks the fields that only a POST has.
func bulkPost(op bulk.Operation, path string, seen map[string]bool) error {
	switch {
	case op.Type == nil || op.ID != "":
		return scim.BadRequest(scim.InvalidValue,
			"The path of a POST must be the endpoint of a resource type, such as /Users, not %s.", scim.Quote(path))
	case op.BulkID == "":
		return scim.BadRequest(scim.InvalidSyntax,
			"A POST in a bulk request needs a bulkId, a name of your choice that identifies its result.")
	case seen[op.BulkID]:
		return scim.BadRequest(scim.InvalidValue, "The bulkId %s was used before in this request.",
			scim.Quote(op.BulkID))
	}
	seen[op.BulkID] = true
	return nil
}

// bulkPath takes apart the path of an operation: relative to the tenant's base URL, or with it.
func (rq *request) bulkPath(path string) (rt *schema.ResourceType, id string) {
	path = strings.TrimPrefix(path, rq.base)
	path = strings.Trim(path, "/")
	endpoint, id, single := strings.Cut(path, "/")
	rt = rq.endpoint(endpoint)
	if rt == nil || single && id == "" || strings.ContainsAny(id, "/?#") {
		return nil, ""
	}
	return rt, id
}

// bulkData is the text of the body of an operation, an object. Some clients send it as a string of JSON, and a PATCH
// as the list of its operations, as an example in RFC 7644 section 3.7.3 does.
func bulkData(method string, v any) (scim.Raw, error) {
	raw, _ := v.(scim.Raw)
	switch {
	case strings.HasPrefix(string(raw), "{"):
		return raw, nil
	case strings.HasPrefix(string(raw), `"`):
		inner, err := scim.ParseObject(`{"data":` + raw + `}`)
		if err != nil {
			return "", err
		}
		// Whether it is an object shows when it is decoded.
		text, _ := inner["data"].(string)
		if text == "" {
			_, err = scim.ParseObject(text)
		}
		return scim.Raw(text), err
	case strings.HasPrefix(string(raw), "[") && method == http.MethodPatch:
		return `{"schemas":["` + scim.PatchOpURN + `"],"Operations":` + raw + `}`, nil
	}
	return "", scim.BadRequest(scim.InvalidSyntax,
		"The data of a %s must be an object: the body as it would be without bulk.", method)
}

// bulkResult is the result of an operation as the answer shows it (RFC 7644, section 3.7.3).
func (h *handler) bulkResult(ctx context.Context, rq *request, op bulk.Operation, r bulk.Result) scim.Object {
	out := scim.Object{"status": strconv.Itoa(r.Status)}
	if op.Method != "" {
		out["method"] = op.Method
	}
	if op.BulkID != "" {
		out["bulkId"] = op.BulkID
	}
	if op.Type != nil && r.ID != "" && (op.Method != http.MethodPost || r.Err == nil) {
		out["location"] = rq.base + op.Type.Endpoint + "/" + r.ID
	}
	if r.Version > 0 && r.Err == nil {
		out["version"] = directory.Resource{Version: r.Version}.ETag()
	}
	if r.Err != nil {
		e := h.scimError(ctx, rq, r.Err)
		out["status"], out["response"] = strconv.Itoa(e.Status), e.Object()
	}
	return out
}
