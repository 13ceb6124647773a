package define

import (
	"cmp"
	"slices"
	"strings"

	"github.com/serverless-scim/serverless-scim/pkg/scim"
	"github.com/serverless-scim/serverless-scim/pkg/scim/schema"
)

// Limits of an operator's definitions for one tenant.
const (
	// maxAttributes bounds the attributes of a schema, maxSubAttributes those of a complex attribute.
	maxAttributes    = 100
	maxSubAttributes = 30
	// maxCanonicalValues bounds the allowed values of an attribute.
	maxCanonicalValues = 200
	// maxUniqueBytes bounds the length of a value that has to be unique.
	maxUniqueBytes = 400

	maxNameLength  = 64
	maxURNLength   = 160
	maxDescription = 1000
)

// ParseSchema reads a schema that an operator defines, in the representation of RFC 7643, section 7: id, name,
// description and attributes. A characteristic that is left out has the default of section 2.2. The common
// attributes id, externalId and meta must not be listed. The further keys of a representation (schemas, meta) are
// ignored, all others refused. With the URN of the enterprise extension the attributes are added to those of RFC
// 7643, section 4.3.
//
// The canonicalValues of such an attribute are its allowed values. The error is an *scim.Error 400 invalidValue
// that names the fault.
func ParseSchema(o scim.Object) (*schema.Schema, error) {
	p := fieldsOf(o, "", "schemas", "meta", "id", "name", "description", "attributes")
	s := &schema.Schema{
		ID: p.text("id", maxURNLength), Name: p.text("name", maxDescription),
		Description: p.text("description", maxDescription),
	}
	list := p.list("attributes")
	if p.err != nil {
		return nil, p.err
	}
	if err := checkURN(s.ID); err != nil {
		return nil, err
	}
	if len(list) == 0 || len(list) > maxAttributes {
		return nil, invalidDefinition("attributes must list 1 to %d attributes, not %d", maxAttributes, len(list))
	}
	for i, v := range list {
		a, err := parseAttribute(v, "", i)
		if err != nil {
			return nil, err
		}
		s.Attributes = append(s.Attributes, a)
	}
	var standard []*schema.Attribute
	if s.ID == scim.EnterpriseUserURN {
		s.Name, s.Description = schema.EnterpriseUser().Name, schema.EnterpriseUser().Description
		standard = schema.EnterpriseUser().Attributes
	}
	if err := checkNames(s.Attributes, standard, ""); err != nil {
		return nil, err
	}
	if s.Name == "" {
		s.Name = s.ID
	}
	return schema.Define(s), nil
}

func invalidDefinition(format string, args ...any) error {
	return scim.BadRequest(scim.InvalidValue, format+".", args...)
}

// checkURN reports whether an operator may use a schema URN.
func checkURN(urn string) error {
	folded := scim.Fold(urn)
	switch {
	case urn == scim.EnterpriseUserURN:
		return nil
	case !strings.HasPrefix(folded, "urn:") || strings.Count(urn, ":") < 2 || strings.Contains(urn, "::") ||
		!isURNEnd(urn[len(urn)-1]):
		return invalidDefinition("id must be a URN such as urn:example:scim:schemas:2.0:Badge")
	case strings.ContainsFunc(urn, func(r rune) bool { return !isNameRune(r) && r != ':' && r != '.' }):
		return invalidDefinition("id must consist of letters, digits, colons, dots, hyphens and underscores")
	}
	reserved := []string{
		"urn:ietf:params:scim:schemas:core:", "urn:ietf:params:scim:api:",
		scim.Fold(scim.EnterpriseUserURN),
	}
	for _, prefix := range reserved {
		if strings.HasPrefix(folded, prefix) {
			return invalidDefinition("id must not begin with %s, which is reserved", prefix)
		}
	}
	return nil
}

func isURNEnd(c byte) bool { return c != ':' && c != '.' }

func isNameRune(r rune) bool {
	return 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' || '0' <= r && r <= '9' || r == '-' || r == '_'
}

// isName reports whether s is an attribute name (RFC 7643, section 2.1); of "$" only "$ref" has any.
func isName(s string) bool {
	if s == "$ref" {
		return true
	}
	letter := s != "" && ('a' <= s[0] && s[0] <= 'z' || 'A' <= s[0] && s[0] <= 'Z')
	return letter && len(s) <= maxNameLength && !strings.ContainsFunc(s, func(r rune) bool { return !isNameRune(r) })
}

// reservedNames are attributes that every resource has, and one that this server never keeps. A profile may hide meta
// and password.
var reservedNames = []string{"schemas", "meta", "password"}

// checkNames looks for names, in any case, that are there twice on one level, or are those of attributes of RFC 7643.
func checkNames(attributes, standard []*schema.Attribute, prefix string) error {
	taken := map[string]bool{}
	for _, a := range standard {
		taken[scim.Fold(a.Name)] = true
	}
	seen := map[string]bool{}
	for _, a := range attributes {
		folded := scim.Fold(a.Name)
		switch {
		case taken[folded]:
			return invalidDefinition("%s%s has the name of an attribute of RFC 7643; give it another", prefix, a.Name)
		case seen[folded]:
			return invalidDefinition("%s%s is defined twice; upper and lower case make no difference", prefix, a.Name)
		}
		seen[folded] = true
	}
	return nil
}

// parseAttribute reads one attribute, the i-th of its list; parent is the name of the attribute that it is part of, or
// "".
func parseAttribute(v any, parent string, i int) (*schema.Attribute, error) {
	o, ok := v.(scim.Object)
	name, _ := scim.Field(o, "name")
	a := &schema.Attribute{}
	a.Name, _ = name.(string)
	where := a.Name
	if parent != "" {
		where = parent + "." + where
	}
	switch {
	case !ok:
		return nil, invalidDefinition("attribute %d of %s must be an object", i+1, cmp.Or(parent, "the schema"))
	case !isName(a.Name) || parent == "" && a.Name == "$ref":
		return nil, invalidDefinition("attribute %d of %s needs a name: a letter, then letters, digits, hyphens and "+
			"underscores, at most %d",
			i+1, cmp.Or(parent, "the schema"), maxNameLength)
	case parent == "" && slices.Contains(reservedNames, scim.Fold(a.Name)):
		return nil, invalidDefinition("the attribute name %s is reserved", a.Name)
	}
	p := fieldsOf(o, where+".", "name", "type", "multiValued", "description", "required",
		"canonicalValues", "caseExact", "mutability", "returned", "uniqueness", "referenceTypes", "subAttributes")
	a.Type = schema.Type(p.word("type", "string", "boolean", "decimal", "integer", "dateTime", "reference", "binary",
		"complex"))
	a.MultiValued, a.Required = p.flag("multiValued", false), p.flag("required", false)
	a.CaseExact = p.flag("caseExact", a.Type == schema.Reference || a.Type == schema.Binary)
	a.Description = p.text("description", maxDescription)
	a.Mutability = schema.Mutability(p.word("mutability", "readWrite", "readOnly", "immutable", "writeOnly"))
	a.Uniqueness = schema.Uniqueness(p.word("uniqueness", "none", "server", "global"))
	returned := []string{"default", "always", "never", "request"}
	if a.Mutability == schema.WriteOnly {
		returned = []string{"never"} // RFC 7643, section 7: its values are not returned
	}
	a.Returned = schema.Returned(p.word("returned", returned...))
	a.CanonicalValues, a.ReferenceTypes = p.texts("canonicalValues", maxCanonicalValues),
		p.texts("referenceTypes", maxCanonicalValues)
	a.Closed = len(a.CanonicalValues) > 0
	subs := p.list("subAttributes")
	if p.err != nil {
		return nil, p.err
	}
	if err := parseSubs(a, subs, parent); err != nil {
		return nil, err
	}
	return a, checkCharacteristics(a, where)
}

func parseSubs(a *schema.Attribute, list []any, parent string) error {
	if len(list) > maxSubAttributes {
		return invalidDefinition("%s has %d sub-attributes; at most %d are allowed",
			a.Name, len(list), maxSubAttributes)
	}
	if len(list) > 0 && parent != "" {
		return invalidDefinition("%s.%s must not have sub-attributes: they go one level deep", parent, a.Name)
	}
	for i, v := range list {
		sub, err := parseAttribute(v, a.Name, i)
		if err != nil {
			return err
		}
		a.SubAttributes = append(a.SubAttributes, sub)
	}
	return checkNames(a.SubAttributes, nil, a.Name+".")
}

// checkCharacteristics looks for characteristics that do not go together (RFC 7643, section 7), and sets the limits of
// unique values.
func checkCharacteristics(a *schema.Attribute, where string) error {
	text := a.Type == schema.String || a.Type == schema.Reference
	switch {
	case a.Type == schema.Complex && len(a.SubAttributes) == 0:
		return invalidDefinition("%s is complex and needs subAttributes", where)
	case a.Type != schema.Complex && len(a.SubAttributes) > 0:
		return invalidDefinition("%s has subAttributes, which only an attribute of type complex has", where)
	case a.Closed && !text:
		return invalidDefinition("%s has canonicalValues, which only an attribute of type string or reference has",
			where)
	case len(a.ReferenceTypes) > 0 && a.Type != schema.Reference:
		return invalidDefinition("%s has referenceTypes, which only an attribute of type reference has", where)
	case a.Uniqueness != schema.None && (a.Type == schema.Complex || a.Type == schema.Boolean):
		return invalidDefinition("%s can't be unique: it is %s", where, a.Type)
	case a.Returned == schema.Never && a.Required && a.MultiValued:
		return invalidDefinition("%s is never returned and must not be required and multi-valued: "+
			"a refused removal would reveal its values", where)
	case a.Returned == schema.Never && hasUnique(a):
		return invalidDefinition("%s is never returned and must not be unique, nor have a sub-attribute that is: "+
			"a refused value would reveal that another resource has it", where)
	case slices.Contains(a.CanonicalValues, ""):
		return invalidDefinition("%s has an empty canonical value", where)
	}
	if a.Uniqueness != schema.None {
		a.MaxBytes = maxUniqueBytes
	}
	return nil
}

// hasUnique reports whether an attribute or one of its sub-attributes is unique.
func hasUnique(a *schema.Attribute) bool {
	return a.Uniqueness != schema.None || slices.ContainsFunc(a.SubAttributes, hasUnique)
}
