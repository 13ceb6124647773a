package schema

import (
	"iter"
	"slices"
	"strings"

	"github.com/serverless-scim/serverless-scim/pkg/scim"
)

// Sent returns p for the answer to a POST, PUT or PATCH: it also selects the attributes and sub-attributes with
// `returned: request` that the client has sent (RFC 7643, section 7). sent are the names and values in the body,
// the names as for Lookup. Attributes that p excludes stay excluded, and if p selects by `attributes`, it stays as
// it is. p is not changed.
func (t *ResourceType) Sent(p *Projection, sent iter.Seq2[string, any]) *Projection {
	if p != nil && p.only {
		return p
	}
	var found map[*Attribute]bool
	names := sentNames{t: t, take: func(a *Attribute, _ bool) {
		if a.Returned != Request || a.Mutability == ReadOnly {
			return
		}
		if found == nil {
			found = map[*Attribute]bool{}
		}
		found[a] = true
	}}
	if names.all(sent); found == nil {
		return p
	}
	with := Projection{}
	if p != nil {
		with = *p
	}
	with.sent = found
	return &with
}

// Hides reports whether these names and values of a request, as in Sent, set an attribute that is never returned.
// The answer to such a write must not reveal whether it has changed anything: a client could find the value by
// trying. The password of users does not count: it is not stored.
func (t *ResourceType) Hides(sent iter.Seq2[string, any]) bool {
	if !t.custom {
		return false
	}
	hides := false
	names := sentNames{t: t, take: func(a *Attribute, top bool) {
		hides = hides || a.hidden() && !(top && a.Name == "password")
	}}
	names.all(sent)
	return hides
}

// sentNames finds the attributes that a body names.
type sentNames struct {
	t *ResourceType
	// take is called with each attribute and sub-attribute; top says that it is an attribute.
	take func(a *Attribute, top bool)
}

func (s *sentNames) all(sent iter.Seq2[string, any]) {
	for name, v := range sent {
		s.name(name, v)
	}
}

// name takes in a name and its value.
func (s *sentNames) name(name string, v any) {
	if strings.EqualFold(name, s.t.Core.ID) {
		for name, v := range sentObject(v) {
			s.name(name, v)
		}
		return
	}
	if open, end := strings.IndexByte(name, '['), strings.LastIndexByte(name, ']'); 0 <= open && open < end {
		name = name[:open] + name[end+1:] // a value path as the key of a PATCH without a path
	}
	r, ok := s.t.Lookup(name, true)
	switch {
	case !ok:
	case r.Attr == nil:
		for name, v := range sentObject(v) {
			if inner, ok := (Ref{}).resolve(r.Extension, name); ok {
				s.attribute(inner, v)
			}
		}
	default:
		s.attribute(r, v)
	}
}

func (s *sentNames) attribute(r Ref, v any) {
	s.take(r.Attr, true)
	if r.Sub != nil {
		s.take(r.Sub, false)
		return
	}
	elements, err := r.Attr.Elements(v)
	if err != nil {
		return
	}
	for _, e := range elements {
		for name := range sentObject(e) {
			if sub := r.Attr.Sub(name); sub != nil {
				s.take(sub, false)
			}
		}
	}
}

// sentObject is an object as clients write it: alone, in an array of one, or as JSON in a string. It is nil for other
// values.
func sentObject(v any) scim.Object {
	if text, ok := v.(string); ok && strings.Contains(text, "{") { // nearly no text is an object
		v, _ = parseText(text)
	}
	if list, ok := v.([]any); ok && len(list) == 1 {
		v = list[0]
	}
	o, _ := v.(scim.Object)
	return o
}

// sends reports whether the client has sent a sub-attribute of a.
func (p *Projection) sends(a *Attribute) bool {
	return len(p.sent) > 0 && slices.ContainsFunc(a.SubAttributes, func(s *Attribute) bool { return p.sent[s] })
}
