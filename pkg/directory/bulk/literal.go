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

// field returns the value of an object's member whose name is written in any case.
func field(o scim.Object, name string) any {
	if v, ok := o[name]; ok {
		return v
	}
	for k, v := range o {
		if strings.EqualFold(k, name) {
			return v
		}
	}
	return nil
}
