package schema

import "strings"

// Lookup finds out what an attribute name stands for, in any case (RFC 7644, section 3.10). The name may be
//
//	userName, name.givenName                            of the core schema or common, "schemas" included
//	urn:...:core:2.0:User:name.givenName                the same with the core schema's URN in front
//	urn:...:enterprise:2.0:User:manager.value           of an extension; a dot in place of the last colon is taken too
//	urn:...:enterprise:2.0:User                         a whole extension: Ref.Attr is nil
//
// Known URNs are matched as a whole, the longest first, because they hold dots and colons themselves. With
// bareExtensions a name without URN that the core schema lacks is looked for in the extensions. False says that the
// name stands for nothing.
func (t *ResourceType) Lookup(name string, bareExtensions bool) (Ref, bool) {
	if schema, rest, ok := t.cutURN(name); ok {
		var ref Ref
		if schema != t.Core {
			ref.Extension = schema
			if rest == "" {
				return ref, true
			}
		}
		return ref.resolve(schema, rest)
	}
	if ref, ok := (Ref{}).resolve(t.Core, name); ok {
		return ref, true
	}
	if strings.EqualFold(name, schemasAttribute.Name) {
		return Ref{Attr: schemasAttribute}, true
	}
	if bareExtensions {
		for _, e := range t.Extensions {
			if ref, ok := (Ref{Extension: e.Schema}).resolve(e.Schema, name); ok {
				return ref, true
			}
		}
	}
	return Ref{}, false
}

// resolve completes r by an attribute of s and its sub-attribute, if the name has a dot.
func (r Ref) resolve(s *Schema, name string) (Ref, bool) {
	name, sub, dotted := strings.Cut(name, ".")
	if r.Attr = s.Attribute(name); r.Attr == nil {
		return Ref{}, false
	}
	if dotted {
		if r.Sub = r.Attr.Sub(sub); r.Sub == nil {
			return Ref{}, false
		}
	}
	return r, true
}

// cutURN splits a name behind the longest known schema URN that it starts with. The rest is empty where the name is the
// URN.
func (t *ResourceType) cutURN(name string) (s *Schema, rest string, ok bool) {
	if strings.IndexByte(name, ':') < 0 {
		return nil, "", false
	}
	longest := -1
	try := func(c *Schema) {
		n := len(c.ID)
		if n <= longest || len(name) < n || !strings.EqualFold(name[:n], c.ID) {
			return
		}
		if len(name) == n {
			s, rest, longest = c, "", n
		} else if (name[n] == ':' || name[n] == '.') && n+1 < len(name) {
			s, rest, longest = c, name[n+1:], n
		}
	}
	try(t.Core)
	for _, e := range t.Extensions {
		try(e.Schema)
	}
	return s, rest, s != nil
}

// Extension is the extension schema of that URN, in any case; nil if the resource type has none of that name.
func (t *ResourceType) Extension(urn string) *Schema {
	for _, e := range t.Extensions {
		if strings.EqualFold(e.Schema.ID, urn) {
			return e.Schema
		}
	}
	return nil
}
