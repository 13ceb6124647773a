package scimtest

import (
	"net/http"
	"reflect"
	"slices"
	"strings"
)

// declared is an attribute as /Schemas shows it.
type declared map[string]any

func (d declared) subAttributes() []declared {
	list, _ := d["subAttributes"].([]any)
	out := make([]declared, 0, len(list))
	for _, element := range list {
		if object, ok := element.(map[string]any); ok {
			out = append(out, object)
		}
	}
	return out
}

func (d declared) name() string { return text(d["name"]) }

// schemas reads /Schemas. It returns the attributes by schema URN and name; sub-attributes are named "name.sub".
func (c *client) schemas() (*answer, map[string]map[string]declared) {
	c.t.Helper()
	a := c.get("/Schemas").want(http.StatusOK)
	all := map[string]map[string]declared{}
	for _, resource := range a.list("Resources") {
		object, _ := resource.(map[string]any)
		attributes := map[string]declared{}
		list, _ := object["attributes"].([]any)
		for _, element := range list {
			d, _ := element.(map[string]any)
			attributes[declared(d).name()] = d
			for _, sub := range declared(d).subAttributes() {
				attributes[declared(d).name()+"."+sub.name()] = sub
				for _, inner := range sub.subAttributes() {
					attributes[declared(d).name()+"."+sub.name()+"."+inner.name()] = inner
				}
			}
		}
		all[text(object["id"])] = attributes
	}
	return a, all
}

// hasDeclared checks characteristics of an attribute; nil says that it has none of that name.
func (a *answer) hasDeclared(schema map[string]declared, name string, want map[string]any) {
	a.t.Helper()
	d, ok := schema[name]
	if !ok {
		a.fail("attribute %s is not declared", name)
		return
	}
	for key, value := range want {
		got, found := d[key]
		if value == nil && found || value != nil && !reflect.DeepEqual(got, value) {
			a.fail("%s of %s is %s, want %v", key, name, text(got), value)
		}
	}
}

var rfc7643Schema = []behaviour{
	{"types are the known ones, and nothing complex is inside a complex attribute", func(tenant func(string) *client) {
		a, all := tenant("rfc").schemas()
		types := []string{"string", "boolean", "decimal", "integer", "dateTime", "reference", "binary", "complex"}
		for urn, schema := range all {
			for name, d := range schema {
				if !slices.Contains(types, text(d["type"])) {
					a.fail("%s: %s is of type %s", urn, name, text(d["type"]))
				}
				if urn != schemaURN && strings.Contains(name, ".") && d["type"] == "complex" {
					a.fail("%s: %s is complex", urn, name)
				}
				if got := len(d.subAttributes()) > 0; got != (d["type"] == "complex") {
					a.fail("%s: %s of type %s has sub-attributes: %v", urn, name, text(d["type"]), got)
				}
			}
		}
	}},
	{"every schema and attribute says what it is", func(tenant func(string) *client) {
		a, all := tenant("rfc").schemas()
		for i := range a.list("Resources") {
			object, _ := a.list("Resources")[i].(map[string]any)
			for _, key := range []string{"id", "name", "description"} {
				if s, _ := object[key].(string); s == "" {
					a.fail("schema %s has no %s", text(object["id"]), key)
				}
			}
		}
		for urn, schema := range all {
			for name, d := range schema {
				for _, key := range []string{
					"name", "type", "multiValued", "description", "required", "mutability", "returned",
				} {
					if v, ok := d[key]; !ok || v == "" {
						a.fail("%s: %s has no %s", urn, name, key)
					}
				}
			}
		}
	}},
	{"multi-valued attributes have the default sub-attributes", func(tenant func(string) *client) {
		a, all := tenant("rfc").schemas()
		user := all[userURN]
		for _, name := range []string{
			"emails", "phoneNumbers", "ims", "photos", "entitlements", "roles",
			"x509Certificates",
		} {
			a.hasDeclared(user, name, map[string]any{"type": "complex", "multiValued": true})
			for _, sub := range []string{"value", "display", "type"} {
				a.hasDeclared(user, name+"."+sub, map[string]any{"multiValued": false})
			}
			a.hasDeclared(user, name+".primary", map[string]any{"type": "boolean"})
		}
		for name, value := range map[string]string{
			"emails": "work", "phoneNumbers": "mobile", "ims": "xmpp",
			"photos": "thumbnail",
		} {
			if list, _ := user[name+".type"]["canonicalValues"].([]any); !slices.Contains(list, any(value)) {
				a.fail("canonicalValues of %s.type lack %s", name, value)
			}
		}
	}},
	{"common attributes have their characteristics, wherever they are declared", func(tenant func(string) *client) {
		for _, idp := range []string{"generic", "rfc"} {
			a, all := tenant(idp).schemas()
			for _, urn := range []string{userURN, groupURN} {
				for name, want := range map[string]map[string]any{
					"id":                {"caseExact": true, "mutability": "readOnly", "returned": "always"},
					"externalId":        {"caseExact": true, "mutability": "readWrite", "required": false},
					"meta":              {"type": "complex", "mutability": "readOnly"},
					"meta.resourceType": {"caseExact": true, "mutability": "readOnly", "returned": "default"},
					"meta.created":      {"type": "dateTime", "mutability": "readOnly", "returned": "default"},
					"meta.lastModified": {"type": "dateTime", "mutability": "readOnly", "returned": "default"},
					"meta.location":     {"type": "reference", "mutability": "readOnly", "returned": "default"},
					"meta.version":      {"caseExact": true, "mutability": "readOnly", "returned": "default"},
				} {
					if _, ok := all[urn][name]; ok {
						a.hasDeclared(all[urn], name, want)
					}
				}
			}
		}
	}},
	{"the verified errata are followed", func(tenant func(string) *client) {
		a, all := tenant("rfc").schemas()
		a.hasDeclared(all[groupURN], "displayName", map[string]any{"required": true})
		a.hasDeclared(all[userURN], "groups.$ref", map[string]any{"referenceTypes": []any{"Group"}})
		a.hasDeclared(all[enterpriseURN], "manager.value", map[string]any{"caseExact": true})
		a.hasDeclared(all[resourceTypeURN], "name", map[string]any{"uniqueness": "server"})
		a.hasDeclared(all[resourceTypeURN], "endpoint", map[string]any{"uniqueness": "server"})
		a.hasDeclared(all[resourceTypeURN], "schemaExtensions", map[string]any{"multiValued": true})
		a.hasDeclared(all[schemaURN], "attributes.referenceTypes", map[string]any{"multiValued": true})
		for name, complex := range map[string]bool{"attributes.type": true, "attributes.subAttributes.type": false} {
			list, _ := all[schemaURN][name]["canonicalValues"].([]any)
			if !slices.Contains(list, any("binary")) || slices.Contains(list, any("complex")) != complex {
				a.fail("canonicalValues of %s are %v", name, list)
			}
		}
		for urn, schema := range all {
			for name, d := range schema {
				if d["type"] == "complex" {
					a.hasDeclared(map[string]declared{name: d}, name, map[string]any{
						"uniqueness": nil, "caseExact": nil,
					})
				}
			}
			for i, id := range a.column("id") {
				if id == urn {
					object, _ := a.list("Resources")[i].(map[string]any)
					if !slices.Equal(schemasOf(object), []string{schemaURN}) || object["meta"] == nil {
						a.fail("%s: schemas %v, meta %v", urn, object["schemas"], object["meta"])
					}
				}
			}
		}
	}},
	{"endpoints of resource types are one each", func(tenant func(string) *client) {
		a := tenant("rfc").get("/ResourceTypes").want(http.StatusOK)
		for _, key := range []string{"name", "endpoint"} {
			values := a.column(key)
			if slices.Sort(values); len(slices.Compact(slices.Clone(values))) != len(values) || len(values) == 0 {
				a.fail("%s repeats: %q", key, values)
			}
		}
	}},
	{"numbers of the configuration are whole", func(tenant func(string) *client) {
		a := tenant("rfc").get("/ServiceProviderConfig").want(http.StatusOK)
		for _, path := range []string{"bulk.maxOperations", "bulk.maxPayloadSize", "filter.maxResults"} {
			a.has(path, map[string]any{"$type": "int"})
		}
	}},
}
