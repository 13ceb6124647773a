package schema

import "github.com/serverless-scim/serverless-scim/pkg/scim"

// Prune returns the part of a stored document that the type knows: definitions may have changed since it was
// written. Attributes that no schema knows any more, and values that no longer have their attribute's type, are
// left out; "schemas" is made new. For an unchanged type of RFC 7643 the result is doc itself. doc is not changed;
// the result may share values with it.
func (t *ResourceType) Prune(doc scim.Object) scim.Object {
	if !t.custom {
		return doc
	}
	out := make(scim.Object, len(doc)+1)
	pruneInto(out, doc, t.Core.Attributes)
	for _, e := range t.Extensions {
		if o, ok := doc[e.Schema.ID].(scim.Object); ok {
			part := make(scim.Object, len(o))
			if pruneInto(part, o, e.Schema.Attributes); len(part) > 0 {
				out[e.Schema.ID] = part
			}
		}
	}
	t.SetSchemas(out)
	return out
}

func pruneInto(out, o scim.Object, attributes []*Attribute) {
	for _, a := range attributes {
		if v := a.prune(o[a.Name]); v != nil {
			out[a.Name] = v
		}
	}
}

// prune is the part of a whole value that fits the attribute's shape; nil if nothing does.
func (a *Attribute) prune(v any) any {
	list, ok := v.([]any)
	if ok != a.MultiValued || v == nil {
		return nil
	}
	if !ok {
		return a.pruneElement(v)
	}
	fit := make([]any, 0, len(list))
	for _, e := range list {
		if e = a.pruneElement(e); e != nil {
			fit = append(fit, e)
		}
	}
	if len(fit) == 0 {
		return nil
	}
	return fit
}

func (a *Attribute) pruneElement(v any) any {
	o, ok := v.(scim.Object)
	if a.Type != Complex {
		if c := a.scalar(v); c == nil || !sameType(c, v) {
			return nil
		}
		return v
	}
	if !ok {
		return nil
	}
	out := make(scim.Object, len(o))
	if pruneInto(out, o, a.SubAttributes); len(out) == 0 {
		return nil
	}
	return out
}
