package define

import (
	"slices"
	"strings"

	"github.com/serverless-scim/serverless-scim/pkg/scim"
	"github.com/serverless-scim/serverless-scim/pkg/scim/schema"
)

// Types joins the definitions to those of RFC 7643. The error is an *scim.Error 400 invalidValue: a URN that nothing
// defines, an endpoint that two types have, too much of something.
func (d Definitions) Types() (*schema.Types, error) {
	switch {
	case d.IsEmpty():
		return schema.DefaultTypes(), nil
	case len(d.Schemas) > maxSchemas:
		return nil, invalidDefinition("a tenant can have at most %d custom schemas", maxSchemas)
	case len(d.ResourceTypes) > maxResourceTypes+2:
		return nil, invalidDefinition("a tenant can have at most %d custom resource types", maxResourceTypes)
	case len(scim.AppendJSON(nil, d.Object())) > MaxDefinitionBytes:
		return nil, invalidDefinition("the definitions of a tenant can take at most %d KiB together",
			MaxDefinitionBytes>>10)
	}
	c := composer{
		d: d, enterprise: schema.EnterpriseUser(), extensions: map[string]*schema.Schema{},
		cores: map[string]*schema.Schema{},
	}
	return c.types()
}

// composer creates the types of a tenant. It changes only copies.
type composer struct {
	d                 Definitions
	enterprise        *schema.Schema
	extensions, cores map[string]*schema.Schema // by folded URN
}

func (c *composer) types() (*schema.Types, error) {
	if more := c.d.Schema(scim.EnterpriseUserURN); more != nil {
		s := schema.EnterpriseUser().Clone()
		s.Attributes = append(s.Attributes, more.Clone().Attributes...)
		c.enterprise = schema.Define(s)
	}
	all := make([]*schema.ResourceType, 0, 2+len(c.d.ResourceTypes))
	for _, b := range []*schema.ResourceType{schema.UserType(), schema.GroupType()} {
		rt := *b
		rt.Extensions = slices.Clone(b.Extensions)
		if b == schema.UserType() {
			rt.Extensions[0].Schema = c.enterprise
		}
		definition, _ := c.d.ResourceType(b.ID)
		if err := c.extend(&rt, definition); err != nil {
			return nil, err
		}
		all = append(all, &rt)
	}
	for _, definition := range c.d.ResourceTypes {
		if builtin(definition.ID) != nil {
			continue
		}
		rt, err := c.resourceType(definition)
		if err != nil {
			return nil, err
		}
		for _, other := range all {
			if strings.EqualFold(other.Endpoint, rt.Endpoint) {
				return nil, invalidDefinition("the endpoint %s is that of resource type %s", rt.Endpoint, other.ID)
			}
		}
		all = append(all, rt)
	}
	return schema.NewTypes(all, c.schemas()), nil
}

// schemas lists all schemas as discovery shows them: those of RFC 7643, then those of the tenant, also if no type
// uses them yet.
func (c *composer) schemas() []*schema.Schema {
	list := []*schema.Schema{schema.User(), schema.Group(), c.enterprise}
	for _, s := range c.d.Schemas {
		key := scim.Fold(s.ID)
		switch {
		case s.ID == scim.EnterpriseUserURN:
		case c.cores[key] != nil:
			list = append(list, c.cores[key])
		case c.extensions[key] != nil:
			list = append(list, c.extensions[key])
		default:
			list = append(list, s)
		}
	}
	return list
}

func (c *composer) resourceType(d TypeDefinition) (*schema.ResourceType, error) {
	defined := c.d.Schema(d.Schema)
	if defined == nil || defined.ID == scim.EnterpriseUserURN {
		return nil, invalidDefinition("the core schema %s of resource type %s is not defined; define it first",
			d.Schema, d.ID)
	}
	key := scim.Fold(d.Schema)
	if c.cores[key] == nil {
		core := defined.Clone()
		if err := checkNames(core.Attributes, schema.Common(), ""); err != nil {
			return nil, err
		}
		c.cores[key] = schema.DefineCore(core)
	}
	rt := &schema.ResourceType{
		ID: d.ID, Name: d.Name, Endpoint: d.Endpoint, Description: d.Description,
		Core: c.cores[key],
	}
	return rt, c.extend(rt, d)
}

// extend adds the extensions of a definition to a type and completes it.
func (c *composer) extend(rt *schema.ResourceType, d TypeDefinition) error {
	for _, e := range d.Extensions {
		s, err := c.extension(e.Schema, rt)
		if err != nil {
			return err
		}
		same := func(x schema.Extension) bool { return x.Schema == s }
		if i := slices.IndexFunc(rt.Extensions, same); i >= 0 && s == c.enterprise {
			rt.Extensions[i].Required = rt.Extensions[i].Required || e.Required
			continue
		} else if i >= 0 {
			return invalidDefinition("resource type %s lists the extension %s twice", rt.ID, e.Schema)
		}
		rt.Extensions = append(rt.Extensions, schema.Extension{Schema: s, Required: e.Required})
	}
	if err := checkURNs(rt); err != nil {
		return err
	}
	rt.SetCustom()
	if n := len(rt.UniqueAttributes()); n > schema.MaxUniqueValues {
		return invalidDefinition("resource type %s has %d unique attributes; at most %d are allowed", rt.ID, n,
			schema.MaxUniqueValues)
	}
	return nil
}

func (c *composer) extension(urn string, rt *schema.ResourceType) (*schema.Schema, error) {
	key := scim.Fold(urn)
	if key == scim.Fold(scim.EnterpriseUserURN) {
		if builtin(rt.ID) != schema.UserType() {
			return nil, invalidDefinition("%s extends users only", scim.EnterpriseUserURN)
		}
		return c.enterprise, nil
	}
	defined := c.d.Schema(urn)
	if defined == nil {
		return nil, invalidDefinition("the extension %s of resource type %s is not defined; define it first",
			urn, rt.ID)
	}
	if c.extensions[key] == nil {
		c.extensions[key] = schema.Define(defined.Clone())
	}
	return c.extensions[key], nil
}

// checkURNs refuses a type that has a schema twice, or a schema whose URN can also be read as the name of an
// attribute of another schema.
func checkURNs(t *schema.ResourceType) error {
	urns := []*schema.Schema{t.Core}
	for _, e := range t.Extensions {
		urns = append(urns, e.Schema)
	}
	for i, a := range urns {
		for j, b := range urns {
			if i == j {
				continue
			}
			if strings.EqualFold(a.ID, b.ID) {
				return invalidDefinition("resource type %s has the schema %s twice", t.ID, a.ID)
			}
			if len(b.ID) <= len(a.ID) || !strings.EqualFold(b.ID[:len(a.ID)], a.ID) {
				continue
			}
			first, _, _ := strings.Cut(b.ID[len(a.ID)+1:], ".")
			if sep := b.ID[len(a.ID)]; (sep == ':' || sep == '.') && a.Attribute(first) != nil {
				return invalidDefinition("the schema URN %s is also the full name of the attribute %s of %s",
					b.ID, first, a.ID)
			}
		}
	}
	return nil
}
