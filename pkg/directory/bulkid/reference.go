package bulkid

import (
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/serverless-scim/serverless-scim/pkg/scim"
)

// Prefix begins a value that stands for the id of a resource that the same request creates (RFC 7644, section 3.7.2).
const Prefix = "bulkId:"

// Rewrite returns a JSON value in which every reference by bulkId, wherever it stands, is replaced by the result
// of id:
//
//   - a string that is "bulkId:x";
//   - a $ref whose last segment is "bulkId:x";
//   - a quoted "bulkId:x" in a path: members[value eq "bulkId:x"];
//   - any of these in a string that holds a JSON object or array.
//
// key is the name under which the value stands. v is not changed; the result shares its parts without references.
func Rewrite(v any, key string, id func(bulkID string) string) any {
	v, _ = rewrite(v, key, id)
	return v
}

// rewrite is Rewrite, and says whether the result is another value.
func rewrite(v any, key string, id func(bulkID string) string) (any, bool) {
	switch v := v.(type) {
	case scim.Object:
		var c scim.Object
		for k, e := range v {
			if e, changed := rewrite(e, k, id); changed {
				if c == nil {
					c = maps.Clone(v)
				}
				c[k] = e
			}
		}
		if c != nil {
			return c, true
		}
	case []any:
		var c []any
		for i, e := range v {
			if e, changed := rewrite(e, key, id); changed {
				if c == nil {
					c = slices.Clone(v)
				}
				c[i] = e
			}
		}
		if c != nil {
			return c, true
		}
	case string:
		if s := rewriteString(v, key, id); s != v {
			return s, true
		}
	}
	return v, false
}

func rewriteString(s, key string, id func(string) string) string {
	if bulkID, ok := strings.CutPrefix(s, Prefix); ok {
		return id(bulkID)
	}
	switch {
	case strings.EqualFold(key, "$ref"):
		if i := strings.LastIndex(s, "/"+Prefix); i >= 0 {
			return s[:i+1] + id(s[i+1+len(Prefix):])
		}
	case strings.EqualFold(key, "path"):
		return rewritePath(s, id)
	case strings.Contains(s, Prefix):
		return rewriteJSON(s, key, id)
	}
	return s
}

// rewriteJSON replaces the references in a string that holds a JSON object or array.
func rewriteJSON(s, key string, id func(string) string) string {
	text := strings.TrimLeft(s, "\ufeff \t\r\n")
	if text == "" || text[0] != '{' && text[0] != '[' {
		return s
	}
	o, err := scim.ParseObject(`{"value":` + text + `}`)
	if err != nil || len(o) != 1 {
		return s
	}
	v, changed := rewrite(o["value"], key, id)
	if !changed {
		return s
	}
	return string(scim.AppendJSON(nil, v))
}

// rewritePath replaces the references in the filters of a path.
func rewritePath(s string, id func(string) string) string {
	var b strings.Builder
	for {
		start := strings.Index(s, `"`+Prefix)
		if start < 0 {
			break
		}
		quoted, err := strconv.QuotedPrefix(s[start:])
		if err != nil {
			break
		}
		// A string quoted as JSON may not be one in Go; then it is no bulkId that any sane client makes.
		value, err := strconv.Unquote(quoted)
		if err != nil {
			break
		}
		b.WriteString(s[:start])
		b.WriteByte('"')
		b.WriteString(id(strings.TrimPrefix(value, Prefix)))
		b.WriteByte('"')
		s = s[start+len(quoted):]
	}
	b.WriteString(s)
	return b.String()
}

// find calls found with the bulkId of each reference in a value.
func find(v any, key string, found func(bulkID string)) {
	switch v := v.(type) {
	case scim.Object:
		for k, e := range v {
			find(e, k, found)
		}
	case []any:
		for _, e := range v {
			find(e, key, found)
		}
	case string:
		if strings.Contains(v, Prefix) {
			rewriteString(v, key, func(bulkID string) string { found(bulkID); return "" })
		}
	}
}

// List lists the bulkIds that a value refers to, each once.
func List(v any) []string {
	var all []string
	seen := map[string]bool{}
	find(v, "", func(bulkID string) {
		if !seen[bulkID] {
			seen[bulkID] = true
			all = append(all, bulkID)
		}
	})
	return all
}

// Split splits a document into the part that can be created before the resources of a circle are there, and the
// rest, in the form of the value of an `add` without a path: of a multi-valued attribute the values, of an
// extension the attributes, else the whole attribute.
func Split(data scim.Object, inCircle func(bulkID string) bool) (first, later scim.Object) {
	refers := func(v any) bool {
		for _, bulkID := range List(v) {
			if inCircle(bulkID) {
				return true
			}
		}
		return false
	}
	first, later = scim.Object{}, scim.Object{}
	for key, v := range data {
		if !refers(v) {
			first[key] = v
			continue
		}
		switch v := v.(type) {
		case []any:
			var keep, rest []any
			for _, e := range v {
				if refers(e) {
					rest = append(rest, e)
				} else {
					keep = append(keep, e)
				}
			}
			if later[key] = rest; len(keep) > 0 {
				first[key] = keep
			}
		case scim.Object:
			if !strings.HasPrefix(strings.ToLower(key), "urn:") {
				later[key] = v
				continue
			}
			if first[key], later[key] = Split(v, inCircle); len(first[key].(scim.Object)) == 0 {
				delete(first, key)
			}
		default:
			later[key] = v
		}
	}
	return first, later
}
