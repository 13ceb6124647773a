package schema

import (
	"maps"

	"github.com/serverless-scim/serverless-scim/pkg/scim"
)

// Keep completes next, which is to take the place of the canonical document old (RFC 7644, section 3.5.1), by what a client does not
// say there: an immutable attribute that has a value, and one that is never returned, so that the client can't know it. An
// immutable attribute, or sub-attribute of a single value, that has another value in next is an *scim.Error 400 mutability.
//
// next is changed, but what lies below its first level is not. The types of RFC 7643 have nothing to keep: password is never stored,
// and members are not part of a document.
func (t *ResourceType) Keep(old, next scim.Object) error {
	if !t.custom {
		return nil
	}
	if err := keep(t.Core.Attributes, old, next); err != nil {
		return err
	}
	for _, e := range t.Extensions {
		was, _ := old[e.Schema.ID].(scim.Object)
		if len(was) == 0 {
			continue
		}
		given, _ := next[e.Schema.ID].(scim.Object)
		is := make(scim.Object, len(given)+1)
		maps.Copy(is, given)
		if err := keep(e.Schema.Attributes, was, is); err != nil {
			return err
		}
		if len(is) > 0 {
			next[e.Schema.ID] = is
		}
	}
	t.SetSchemas(next)
	return nil
}

func keep(attributes []*Attribute, old, next scim.Object) error {
	for _, a := range attributes {
		was, is := old[a.Name], next[a.Name]
		switch {
		case was == nil || a.Mutability == ReadOnly:
			continue
		case is == nil && (a.Mutability == Immutable || a.Returned == Never || a.Mutability == WriteOnly):
			next[a.Name] = was
			continue
		case a.Mutability == Immutable && !scim.Equal(was, is):
			return scim.BadRequest(scim.Mutability, "%s can't be changed once it has a value.", a.fullName())
		}
		before, ok := was.(scim.Object)
		after, both := is.(scim.Object)
		if !ok || is != nil && !both {
			continue
		}
		sub := maps.Clone(after)
		if sub == nil {
			sub = scim.Object{}
		}
		if err := keep(a.SubAttributes, before, sub); err != nil {
			return err
		}
		if len(sub) > 0 {
			next[a.Name] = sub
		}
	}
	return nil
}
