package bulk

import (
	"strings"

	"github.com/serverless-scim/serverless-scim/pkg/scim"
)

// literals lists the values in a document by which it may refer to a resource that exists: whatever stands under `value`, `manager` or
// $ref. Most are no references; those that match nothing are of no consequence.
func literals(v any, key string) []string {
	switch v := v.(type) {
	case scim.Object:
		var all []string
		for k, e := range v {
			all = append(all, literals(e, k)...)
		}
		return all
	case []any:
		var all []string
		for _, e := range v {
			all = append(all, literals(e, key)...)
		}
		return all
	case string:
		switch strings.ToLower(key) {
		case "value", "manager":
			return []string{v}
		case "$ref":
			return []string{v[strings.LastIndex(v, "/")+1:]}
		}
	}
	return nil
}

// field is scim.Field, but for whether there is one.
func field(o scim.Object, name string) any {
	v, _ := scim.Field(o, name)
	return v
}
