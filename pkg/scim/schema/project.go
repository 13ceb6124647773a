package schema

import (
	"slices"

	"github.com/serverless-scim/serverless-scim/pkg/scim"
)

// Project returns the part of doc that an answer shows: the attributes that p selects, "schemas" and every
// attribute that is always returned, and no attribute that is never returned (RFC 7644, section 3.9). Attributes
// that no schema knows are left out. The result is a new object that shares whole values with doc; doc is not
// changed. A selected empty array stays.
func (t *ResourceType) Project(doc scim.Object, p *Projection) scim.Object {
	out := make(scim.Object, len(doc))
	for k, v := range doc {
		if k == schemasAttribute.Name {
			out[k] = v
			continue
		}
		if a := t.Core.Attribute(k); a != nil {
			p.project(out, nil, a, v)
			continue
		}
		s := t.Extension(k)
		o, ok := v.(scim.Object)
		if s == nil || !ok {
			continue
		}
		part := make(scim.Object, len(o))
		for k, v := range o {
			if a := s.Attribute(k); a != nil {
				p.project(part, s, a, v)
			}
		}
		if len(part) > 0 {
			out[k] = part
		}
	}
	return out
}

// project puts into out the shown part of the value v of attribute a.
func (p *Projection) project(out scim.Object, ext *Schema, a *Attribute, v any) {
	keep, subs := p.selects(ext, a)
	if !keep {
		return
	}
	if subs == nil && a.shownWhole() {
		out[a.Name] = v
		return
	}
	switch v := v.(type) {
	case []any:
		list := make([]any, 0, len(v))
		for _, e := range v {
			if e = a.pick(e, subs); e != nil {
				list = append(list, e)
			}
		}
		if len(list) > 0 || len(v) == 0 {
			out[a.Name] = list
		}
	default:
		if v = a.pick(v, subs); v != nil {
			out[a.Name] = v
		}
	}
}

// shownWhole reports whether every sub-attribute is returned by default.
func (a *Attribute) shownWhole() bool {
	for _, s := range a.SubAttributes {
		if s.Returned == Never || s.Returned == Request {
			return false
		}
	}
	return true
}

// pick makes the part of one complex value that is shown: the sub-attributes subs, or the default ones if subs is
// nil, and those that are always returned. The result is nil if no part is shown.
func (a *Attribute) pick(v any, subs []*Attribute) any {
	o, ok := v.(scim.Object)
	if !ok {
		return v
	}
	out := make(scim.Object, len(subs)+1)
	for _, s := range a.SubAttributes {
		if v, ok := o[s.Name]; ok && s.shown(subs) {
			out[s.Name] = v
		}
	}
	if len(out) == 0 {
		return nil
	}
	return out
}

// shown reports whether a sub-attribute is among subs, or returned in any case.
func (a *Attribute) shown(subs []*Attribute) bool {
	switch a.Returned {
	case Never:
		return false
	case Always:
		return true
	}
	if subs == nil {
		return a.Returned == Default
	}
	return slices.Contains(subs, a)
}
