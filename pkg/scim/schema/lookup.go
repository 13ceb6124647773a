package schema

import (
	"strings"

	"github.com/serverless-scim/serverless-scim/pkg/scim"
)

// Lookup finds the attribute with a name, in any case (RFC 7644, section 3.10). The name may be
//
//	userName, name.givenName                            of the core schema or common, "schemas" included
//	urn:...:core:2.0:User:name.givenName                the same with the core schema's URN in front
//	urn:...:enterprise:2.0:User:manager.value           of an extension; a dot in place of the last colon is taken too
//	urn:...:enterprise:2.0:User                         a whole extension: Ref.Attr is nil
//
// Known URNs are matched as a whole, the longest first, because they hold dots and colons themselves; those of SCIM
// 1.1 stand for the same schemas. With bareExtensions a name without URN that the core schema lacks is looked for
// in the extensions. The result is false if there is no such attribute or extension.
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

// cutURN splits a name after the longest known schema URN that it starts with. The rest is empty if the name is the
// URN.
func (t *ResourceType) cutURN(name string) (s *Schema, rest string, ok bool) {
	if strings.IndexByte(name, ':') < 0 {
		return nil, "", false
	}
	longest := -1
	try := func(c *Schema, id string) {
		n := len(id)
		if n <= longest || len(name) < n || !strings.EqualFold(name[:n], id) {
			return
		}
		if len(name) == n {
			s, rest, longest = c, "", n
		} else if (name[n] == ':' || name[n] == '.') && n+1 < len(name) {
			s, rest, longest = c, name[n+1:], n
		}
	}
	try(t.Core, t.Core.ID)
	for _, e := range t.Extensions {
		try(e.Schema, e.Schema.ID)
	}
	if s != nil {
		return s, rest, true
	}
	for _, former := range formerURNs[t.Core.ID] {
		try(t.Core, former)
	}
	for _, e := range t.Extensions {
		for _, former := range formerURNs[e.Schema.ID] {
			try(e.Schema, former)
		}
	}
	return s, rest, s != nil
}

// formerURNs are the names of the schemas in SCIM 1.1 and in the drafts of RFC 7643, and clients' variants of them.
// Clients that began with these still write them.
var formerURNs = map[string][]string{
	scim.UserURN: {
		"urn:scim:schemas:core:1.0", "urn:scim:schemas:core:1.0:User", "urn:scim:schemas:core:2.0:User",
	},
	scim.GroupURN: {
		"urn:scim:schemas:core:1.0", "urn:scim:schemas:core:1.0:Group", "urn:scim:schemas:core:2.0:Group",
	},
	scim.EnterpriseUserURN: {
		"urn:scim:schemas:extension:enterprise:1.0",
		"urn:scim:schemas:extension:enterprise:1.0:User",
		"urn:scim:schemas:extension:enterprise:2.0:User",
	},
}

// formerNames are, by the full name of an attribute, the name that SCIM 1.1 has for its value.
var formerNames = map[string]string{scim.EnterpriseUserURN + ":manager": "managerId"}

// Extension is the extension schema of that URN, in any case; nil if the resource type has none of that name.
func (t *ResourceType) Extension(urn string) *Schema {
	for _, e := range t.Extensions {
		if strings.EqualFold(e.Schema.ID, urn) {
			return e.Schema
		}
	}
	return nil
}
