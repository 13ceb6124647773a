package schema

import (
	"slices"
	"strings"

	"github.com/serverless-scim/serverless-scim/pkg/scim"
)

// MaxProjectionNames is how many names the parameters attributes and excludedAttributes may hold together.
const MaxProjectionNames = 500

// Projection is the selection of attributes by the parameters attributes and excludedAttributes (RFC 7644, section
// 3.9). A nil *Projection selects the attributes that are returned by default. It is immutable and safe for
// concurrent use.
type Projection struct {
	// only is true if the parameter attributes was given: the named attributes are shown. Else they are left out.
	only bool
	// core is true if the core schema's own URN was named.
	core bool
	// extensions holds the extensions that were named as a whole.
	extensions map[*Schema]bool
	// attributes holds the attributes that were named, with the sub-attributes that were; nil for the whole attribute.
	attributes map[*Attribute][]*Attribute
	// sent holds the attributes with `returned: request` that are shown because the client has sent them; empty
	// with only.
	sent map[*Attribute]bool
}

// Projection resolves the names in the two parameters; nil stands for the defaults. Each string holds one name or
// several with commas between. Names are written as for Lookup, and a name without URN may also be one of an
// extension. A value filter after a name is ignored, and so is a name that stands for nothing. If both parameters
// name something, attributes wins. The error, for too many names, is an *scim.Error 400 invalidValue.
func (t *ResourceType) Projection(attributes, excludedAttributes []string) (*Projection, error) {
	only := true
	names := splitNames(attributes)
	if len(names) == 0 {
		only, names = false, splitNames(excludedAttributes)
	}
	if len(names) == 0 {
		return nil, nil
	}
	if len(names) > MaxProjectionNames {
		return nil, scim.BadRequest(scim.InvalidValue,
			"\"attributes\" and \"excludedAttributes\" may name at most %d attributes, not %d.",
			MaxProjectionNames, len(names))
	}
	p := &Projection{only: only, extensions: map[*Schema]bool{}, attributes: map[*Attribute][]*Attribute{}}
	for _, name := range names {
		p.name(t, name)
	}
	return p, nil
}

// name takes in one name.
func (p *Projection) name(t *ResourceType, name string) {
	if strings.EqualFold(name, t.Core.ID) {
		p.core = true
		return
	}
	r, ok := t.Lookup(name, true)
	switch {
	case !ok:
	case r.Attr == nil:
		p.extensions[r.Extension] = true
	case r.Sub == nil:
		p.attributes[r.Attr] = nil
	default:
		if subs, named := p.attributes[r.Attr]; (!named || subs != nil) && !slices.Contains(subs, r.Sub) {
			p.attributes[r.Attr] = append(subs, r.Sub)
		}
	}
}

// splitNames splits at commas outside brackets and removes the brackets with their content.
func splitNames(params []string) []string {
	var names []string
	for _, p := range params {
		for p != "" {
			var name string
			name, p = cutName(p)
			if name = strings.TrimSpace(name); name != "" {
				names = append(names, name)
			}
		}
	}
	return names
}

// cutName cuts the first name off a list: `emails[type eq "a,b"].value,title` gives emails.value.
func cutName(list string) (name, rest string) {
	var b strings.Builder
	depth, quoted := 0, false
	for i := 0; i < len(list); i++ {
		switch c := list[i]; {
		case quoted && c == '\\':
			i++
		case depth > 0 && c == '"':
			quoted = !quoted
		case quoted:
		case c == '[':
			depth++
		case c == ']' && depth > 0:
			depth--
		case depth > 0:
		case c == ',':
			return b.String(), list[i+1:]
		default:
			b.WriteByte(c)
		}
	}
	return b.String(), ""
}

// Wants reports whether the answer shows the top-level core attribute of that name, or a part of it. It lets a
// caller leave out the work of finding the value of "members" or "groups".
func (p *Projection) Wants(t *ResourceType, attr string) bool {
	a := t.Core.Attribute(attr)
	if a == nil {
		return strings.EqualFold(attr, schemasAttribute.Name)
	}
	keep, _ := p.selects(nil, a)
	return keep
}

// WantsPart reports whether the answer shows the sub-attribute of that name, if its top-level core attribute has
// it.
func (p *Projection) WantsPart(t *ResourceType, attr, sub string) bool {
	a := t.Core.Attribute(attr)
	if a == nil || a.Sub(sub) == nil {
		return false
	}
	keep, subs := p.selects(nil, a)
	return keep && a.Sub(sub).shown(subs)
}

// selects reports whether attribute a of an extension, or of the core schema if ext is nil, is shown, and which of
// its sub-attributes: nil for all that are returned by default.
func (p *Projection) selects(ext *Schema, a *Attribute) (keep bool, subs []*Attribute) {
	switch {
	case a.Returned == Never:
		return false, nil
	case a.Returned == Always:
		return true, nil
	case p == nil:
		return a.Returned == Default, nil
	}
	whole := p.core && ext == nil || p.extensions[ext]
	subs, named := p.attributes[a]
	switch {
	case p.only && whole && a.Returned == Default:
		return true, nil
	case p.only:
		return named, subs
	case whole, a.Returned == Request && !p.sent[a], named && subs == nil:
		return false, nil
	case named || p.sends(a):
		return true, p.without(a, subs)
	}
	return true, nil
}

// without lists the sub-attributes of a that stay when some are excluded: those that are always returned stay in any
// case.
func (p *Projection) without(a *Attribute, excluded []*Attribute) []*Attribute {
	stay := make([]*Attribute, 0, len(a.SubAttributes))
	for _, s := range a.SubAttributes {
		out := s.Returned == Request && !p.sent[s] || slices.Contains(excluded, s)
		if !out || s.Returned == Always {
			stay = append(stay, s)
		}
	}
	return stay
}
