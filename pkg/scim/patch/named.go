package patch

import (
	"iter"

	"github.com/serverless-scim/serverless-scim/pkg/scim"
)

// Named lists the names of attributes, as written, and the values that operations say something about. A name in the
// filter of a path is none of them.
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
