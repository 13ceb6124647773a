package schema

import (
	"iter"
	"slices"
	"strings"

	"github.com/serverless-scim/serverless-scim/pkg/scim"
)

// Sent is p for the answer to a POST, PUT or PATCH: it also selects the attributes and sub-attributes with `returned:
// request` that the client has sent (RFC 7643, section 7). sent are the names and values in the body, the names as for
// Lookup. What p leaves out stays out, and if p selects by `attributes`, it stays as it is. p is not changed.
func (t *ResourceType) Sent(p *Projection, sent iter.Seq2[string, any]) *Projection {
	if p != nil && p.only {
		return p
	}
	s := sentNames{t: t}
	for name, v := range sent {
		s.name(name, v)
	}
	if s.found == nil {
		return p
	}
	with := Projection{}
	if p != nil {
		with = *p
	}
	with.sent = s.found
	return &with
}

// sentNames collects the attributes with `returned: request` that a body names.
type sentNames struct {
	t     *ResourceType
	found map[*Attribute]bool
}

// name takes in a name and its value.
func (s *sentNames) name(name string, v any) {
	if strings.EqualFold(name, s.t.Core.ID) {
		inner, _ := v.(scim.Object)
		for name, v := range inner {
			s.name(name, v)
		}
		return
	}
	r, ok := s.t.Lookup(name, true)
	switch {
	case !ok:
	case r.Attr == nil:
		inner, _ := v.(scim.Object)
		for name, v := range inner {
			if r, ok := (Ref{}).resolve(r.Extension, name); ok {
				s.attribute(r, v)
			}
		}
	default:
		s.attribute(r, v)
	}
}

func (s *sentNames) attribute(r Ref, v any) {
	s.take(r.Attr)
	if r.Sub != nil {
		s.take(r.Sub)
		return
	}
	elements, isList := v.([]any)
	if !isList {
		elements = []any{v}
	}
	for _, e := range elements {
		o, _ := e.(scim.Object)
		for name := range o {
			if sub := r.Attr.Sub(name); sub != nil {
				s.take(sub)
			}
		}
	}
}

// take notes an attribute, unless a client can't set it.
func (s *sentNames) take(a *Attribute) {
	if a.Returned != Request || a.Mutability == ReadOnly {
		return
	}
	if s.found == nil {
		s.found = map[*Attribute]bool{}
	}
	s.found[a] = true
}

// sends reports whether a sub-attribute of a is among what the client has sent.
func (p *Projection) sends(a *Attribute) bool {
	return len(p.sent) > 0 && slices.ContainsFunc(a.SubAttributes, func(s *Attribute) bool { return p.sent[s] })
}
