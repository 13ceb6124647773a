package patch

import (
	"iter"

	"github.com/serverless-scim/serverless-scim/pkg/scim"
)

// Named lists the attributes that operations change: their names, as written, and values. Names in the filter of a
// path are not listed.
func Named(ops []Operation) iter.Seq2[string, any] {
	return func(yield func(string, any) bool) {
		for _, op := range ops {
			if op.Path == nil {
				o, _ := op.Value.(scim.Object)
				for name, v := range o {
					if !yield(name, v) {
						return
					}
				}
				continue
			}
			name := op.Path.Name
			if op.Path.Sub != "" {
				name += "." + op.Path.Sub
			}
			if !yield(name, op.Value) {
				return
			}
		}
	}
}
