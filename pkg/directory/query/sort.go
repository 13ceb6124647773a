package query

import (
	"strings"

	"github.com/serverless-scim/serverless-scim/pkg/directory/query/lookup"
	"github.com/serverless-scim/serverless-scim/pkg/directory/query/plan"
	"github.com/serverless-scim/serverless-scim/pkg/directory/row"
	"github.com/serverless-scim/serverless-scim/pkg/scim"
	"github.com/serverless-scim/serverless-scim/pkg/scim/schema"
)

// order is the order that a query asks for (RFC 7644, section 3.4.2.3). Descending is ascending, read from the other
// end.
type order struct {
	by       string // the attribute, for the explanation; "" is the order of ids
	named    bool   // the items that make names unique are in this order
	attached bool   // the sort value is one of groups or members
}

// byID reports whether results are in order of id.
func (o order) byID() bool { return o.by == "" }

// orderBy resolves a sortBy. A name that no type of the query knows, or that is never returned, is a *scim.Error
// 400 invalidPath in every dialect: a client must not take an unsorted list for a sorted one.
func (l *lister) orderBy(path string) (order, error) {
	path = strings.TrimSpace(path)
	if path == "" {
		return order{}, nil
	}
	found, hidden := false, false
	refs := make([]schema.Ref, len(l.types))
	for i, rt := range l.types {
		ref, ok := rt.Lookup(path, l.t.Dialect.BareExtensionNames)
		if !ok || !plan.Shown(ref) {
			hidden = hidden || ok
			continue
		}
		if ref.Attr == nil {
			return order{},
				scim.BadRequest(scim.InvalidPath,
					"sortBy names the whole extension %q: sort by one of its attributes.", row.Short(path))
		}
		if ref.Attr.Type == schema.Complex && ref.Sub == nil {
			if ref.Sub = ref.Attr.Sub("value"); ref.Sub == nil || !plan.Shown(ref) {
				return order{},
					scim.BadRequest(scim.InvalidPath,
						"sortBy names the complex attribute %q: sort by one of its sub-attributes, such as %s.%s.",
						row.Short(path), row.Short(path), ref.Attr.SubAttributes[0].Name)
			}
		}
		refs[i], found = ref, true
	}
	if !found {
		return order{}, noOrder(path, hidden, l.types)
	}
	o := order{by: strings.ToLower(path)}
	for _, k := range l.kinds {
		k.sort = refs[k.index]
		o.attached = o.attached || k.sort.Attr != nil && k.sort.Extension == nil &&
			k.sort.Attr.Name == lookup.Attached(k.rt)
	}
	if len(l.types) > 1 {
		return o, nil
	}
	switch ref := refs[0]; {
	case ref.Extension != nil:
	case ref.Attr.Name == "id":
		return order{}, nil
	case ref.Attr.Name == "userName" && row.IsUser(l.types[0]), ref.Attr.Name == "displayName" &&
		row.IsGroup(l.types[0]):
		o.named = true
	}
	return o, nil
}

// noOrder says why nothing can be sorted by path; hidden is that it names an attribute.
func noOrder(path string, hidden bool, types []*schema.ResourceType) error {
	whose := "any resource type"
	if len(types) == 1 {
		whose = types[0].Name
	}
	if hidden {
		return scim.BadRequest(scim.InvalidPath, "sortBy names %q, which can't be used to sort: it is never returned.",
			row.Short(path))
	}
	return scim.BadRequest(scim.InvalidPath, "sortBy names %q, which is not an attribute of %s.",
		row.Short(path), whose)
}
