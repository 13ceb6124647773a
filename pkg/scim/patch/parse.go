package patch

import (
	"strings"

	"github.com/serverless-scim/serverless-scim/pkg/scim"
	"github.com/serverless-scim/serverless-scim/pkg/scim/filter"
)

// Parse reads a PatchOp message (RFC 7644, section 3.5.2), whose keys may be in any case, into its operations. Paths
// are parsed but not resolved. Every error is a *scim.Error of status 400: invalidSyntax for a broken message, noTarget
// for a remove without a path, invalidPath or invalidFilter for a broken path, invalidValue for a value that is missing
// or cannot be.
func Parse(msg scim.Object, d scim.Dialect) ([]Operation, error) {
	if err := checkURN(msg); err != nil {
		return nil, err
	}
	raw, ok := scim.Field(msg, "Operations")
	list, isList := raw.([]any)
	switch {
	case !ok || raw == nil:
		return nil, scim.BadRequest(scim.InvalidSyntax, "Operations is missing: a PATCH lists its operations there.")
	case !isList:
		return nil, scim.BadRequest(scim.InvalidSyntax, "Operations must be an array of operations.")
	case len(list) == 0 && !d.EmptyOperations:
		return nil, scim.BadRequest(scim.InvalidSyntax, "Operations is empty: a PATCH has at least one operation.")
	case len(list) > MaxOperations:
		return nil, scim.BadRequest(scim.InvalidSyntax,
			"The request has %d operations; the limit is %d. Send the rest in further requests.",
			len(list), MaxOperations)
	}
	ops := make([]Operation, 0, len(list))
	for i, e := range list {
		obj, ok := e.(scim.Object)
		if !ok {
			return nil, scim.BadRequest(scim.InvalidSyntax,
				"Operation %d must be an object with op, path and value.", i+1)
		}
		op, err := parseOperation(obj, d)
		if err != nil {
			return nil, located(err, i+1, op.Kind, "")
		}
		ops = append(ops, op)
	}
	return ops, nil
}

func checkURN(msg scim.Object) error {
	raw, _ := scim.Field(msg, "schemas")
	list, _ := raw.([]any)
	for _, urn := range list {
		if urn == scim.PatchOpURN {
			return nil
		}
	}
	return scim.BadRequest(scim.InvalidSyntax, "schemas must contain %q.", scim.PatchOpURN)
}

func parseOperation(obj scim.Object, d scim.Dialect) (Operation, error) {
	var op Operation
	var err error
	if op.Kind, err = parseKind(obj); err != nil {
		return op, err
	}
	if op.Path, err = parsePath(obj, d); err != nil {
		return op, err
	}
	op.Value, op.HasValue = scim.Field(obj, "value")
	switch {
	case op.Path == nil && op.Kind == Remove:
		return op, errNoPath()
	case op.Path == nil && d.RequirePatchPath:
		return op, scim.BadRequest(scim.InvalidSyntax, "A path is required.")
	case op.Kind != Remove && !op.HasValue:
		return op, errNoValue(op.Kind)
	case op.Path == nil:
		op.Value, err = parseAttributes(op.Value)
	}
	return op, err
}

func parseKind(obj scim.Object) (Kind, error) {
	raw, ok := scim.Field(obj, "op")
	if !ok || raw == nil {
		return "", scim.BadRequest(scim.InvalidSyntax, "op is missing: it is add, remove or replace.")
	}
	s, ok := raw.(string)
	if !ok {
		return "", scim.BadRequest(scim.InvalidSyntax, "op must be a string: add, remove or replace.")
	}
	for _, k := range [...]Kind{Add, Remove, Replace} {
		if strings.EqualFold(s, string(k)) {
			return k, nil
		}
	}
	return "", scim.BadRequest(scim.InvalidSyntax, "op %q is unknown: it is add, remove or replace.", shortened(s))
}

// parsePath reads the path; absent, null and "" all mean that there is no path.
func parsePath(obj scim.Object, d scim.Dialect) (*filter.Path, error) {
	raw, _ := scim.Field(obj, "path")
	if raw == nil || raw == "" {
		return nil, nil
	}
	s, ok := raw.(string)
	if !ok {
		return nil, scim.BadRequest(scim.InvalidPath, "path must be a string.")
	}
	if d.SlashPaths {
		s = fromPointer(s)
	}
	p, err := filter.ParsePath(s, d)
	if err != nil {
		return nil, err
	}
	return &p, nil
}

// fromPointer is the path that a JSON pointer (RFC 6901) stands for: "/name/givenName" is "name.givenName",
// "/emails/-" is "emails". Any other path stays as it is, and so does text in brackets.
func fromPointer(s string) string {
	s, ok := strings.CutPrefix(s, "/")
	if !ok {
		return s
	}
	s = strings.TrimSuffix(s, "/-")
	head, tail := s, ""
	if open, end := strings.IndexByte(s, '['), strings.LastIndexByte(s, ']'); 0 <= open && open < end {
		head, tail = s[:open], s[open:end+1]+strings.ReplaceAll(s[end+1:], "/", ".")
	}
	return strings.ReplaceAll(head, "/", ".") + tail
}

// parseAttributes reads the value of an operation without a path: an object of attributes, which some clients wrap in
// an array of one or send as a string of JSON.
func parseAttributes(v any) (scim.Object, error) {
	if list, ok := v.([]any); ok && len(list) == 1 {
		v = list[0]
	}
	switch v := v.(type) {
	case scim.Object:
		return v, nil
	case string:
		if obj, err := scim.ParseObject(v); err == nil {
			return obj, nil
		}
	}
	return nil, errNoObject()
}
