// Package lists has the shared parts of the answers with lists: their JSON, the search by name, and their size.
package lists

import (
	"net/http"
	"slices"
	"strings"

	"github.com/serverless-scim/serverless-scim/pkg/scim"
)

// Answer is the body of the answer with a list. next is the cursor of the next page; "" if there is none.
func Answer(name string, all []any, next string) scim.Object {
	o := scim.Object{name: all}
	if next != "" {
		o["nextCursor"] = next
	}
	return o
}

// Objects is a list as JSON.
func Objects[T any](list []T, object func(T) scim.Object) []any {
	all := make([]any, len(list))
	for i, v := range list {
		all[i] = object(v)
	}
	return all
}

// Only keeps the elements of a list that pass a test. It changes the list.
func Only[T any](list []T, test func(T) bool) []T {
	return slices.DeleteFunc(list, func(v T) bool { return !test(v) })
}

// Named is the search of a request for a list that is read whole: Begins with its query parameter name.
func Named(r *http.Request) func(texts ...string) bool { return Begins(r.URL.Query().Get("name")) }

// Begins returns the test whether any of some texts begins with a prefix, in any case of letters. All texts begin with
// the empty prefix.
func Begins(prefix string) func(texts ...string) bool {
	prefix = scim.Fold(prefix)
	return func(texts ...string) bool {
		return slices.ContainsFunc(texts, func(text string) bool { return strings.HasPrefix(scim.Fold(text), prefix) })
	}
}
