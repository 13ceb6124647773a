package schema_test

import (
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/serverless-scim/serverless-scim/pkg/scim"
	"github.com/serverless-scim/serverless-scim/pkg/scim/schema"
)

func all() []*schema.Schema {
	return []*schema.Schema{
		schema.User(), schema.Group(), schema.EnterpriseUser(), schema.ServiceProviderConfig(),
		schema.ResourceTypeSchema(),
		schema.SchemaSchema(),
	}
}

// Every attribute of RFC 7643 section 8.7 is there, in its order, with its characteristics. "*" is multi-valued,
// "!" required, "=" case-exact, "r" read-only, "i" immutable, "w" write-only and never returned, "a" always
// returned, "u" unique in the service provider; a type stands after a colon if it is not string.
func TestDefinitions(t *testing.T) {
	plural := "(value display type primary:boolean)"
	meta := "meta r:complex(resourceType =r created r:dateTime lastModified r:dateTime " +
		"location =r:reference version =r)"
	common := "id =rau externalId = " + meta + " "
	supported := "(supported !r:boolean)"
	characteristics := "name !=r type !r multiValued !r:boolean description r required r:boolean canonicalValues *=r " +
		"caseExact r:boolean " +
		"mutability =r returned =r uniqueness =r referenceTypes *=r"
	for s, want := range map[*schema.Schema]string{
		schema.User(): common + "userName !u name:complex(formatted familyName givenName middleName honorificPrefix " +
			"honorificSuffix) " +
			"displayName nickName profileUrl =:reference title userType preferredLanguage locale timezone " +
			"active:boolean password w " +
			"emails *:complex" + plural + " phoneNumbers *:complex" + plural + " ims *:complex" + plural +
			" photos *:complex(value =:reference display type primary:boolean) " +
			"addresses *:complex(formatted streetAddress locality region postalCode country type primary:boolean) " +
			"groups *r:complex(value =r $ref =r:reference display r type r) " +
			"entitlements *:complex" + plural + " roles *:complex" + plural +
			" x509Certificates *:complex(value =:binary display type primary:boolean)",
		schema.EnterpriseUser(): "employeeNumber costCenter organization division department " +
			"manager:complex(value = $ref =r:reference displayName r)",
		schema.Group(): common + "displayName ! members *:complex(value !=i $ref =i:reference type i display i)",
		schema.ServiceProviderConfig(): "documentationUri =r:reference patch !r:complex" + supported +
			" bulk !r:complex(supported !r:boolean maxOperations !r:integer maxPayloadSize !r:integer) " +
			"filter !r:complex(supported !r:boolean maxResults !r:integer) " +
			"changePassword !r:complex" + supported + " sort !r:complex" + supported + " etag !r:complex" + supported +
			" authenticationSchemes *!r:complex(type !r name !r description !r specUri =r:reference documentationUri " +
			"=r:reference primary r:boolean)" +
			" pagination r:complex(cursor !r:boolean index !r:boolean defaultPaginationMethod r defaultPageSize " +
			"r:integer maxPageSize r:integer cursorTimeout r:integer)" +
			" interopProfileConformant r:boolean",
		schema.ResourceTypeSchema(): "id =r name !=ru description r endpoint !=ru:reference schema !=r:reference " +
			"schemaExtensions *r:complex(schema !=r:reference required !r:boolean)",
		schema.SchemaSchema(): "id !=r name r description r attributes *!r:complex(" + characteristics +
			" subAttributes *r:complex(" + characteristics + "))",
	} {
		if got := describe(s.Attributes); got != want {
			t.Errorf("%s:\ngot  %s\nwant %s", s.ID, got, want)
		}
	}
	if schema.User().Description != "User Account" || schema.User().Name != "User" || schema.Group().Name != "Group" {
		t.Error("name or description of a core schema is not that of RFC 7643")
	}
}

func describe(attributes []*schema.Attribute) string {
	words := make([]string, len(attributes))
	for i, a := range attributes {
		var marks strings.Builder
		for _, m := range []struct {
			mark string
			set  bool
		}{
			{"*", a.MultiValued},
			{"!", a.Required},
			{"=", a.CaseExact},
			{"r", a.Mutability == schema.ReadOnly},
			{"i", a.Mutability == schema.Immutable},
			{"w", a.Mutability == schema.WriteOnly && a.Returned == schema.Never},
			{"a", a.Returned == schema.Always},
			{"u", a.Uniqueness == schema.Server},
		} {
			if m.set {
				marks.WriteString(m.mark)
			}
		}
		words[i] = a.Name
		if marks.Len() > 0 {
			words[i] += " " + marks.String()
		}
		if a.Type != schema.String {
			words[i] += ":" + string(a.Type)
		}
		if len(a.SubAttributes) > 0 {
			words[i] += "(" + describe(a.SubAttributes) + ")"
		}
	}
	return strings.Join(words, " ")
}

// Rules for every definition (RFC 7643, sections 2.1 and 7).
func TestCharacteristics(t *testing.T) {
	name := regexp.MustCompile(`^(\$ref|[A-Za-z][-_0-9A-Za-z]*)$`)
	mutability := []schema.Mutability{schema.ReadOnly, schema.ReadWrite, schema.Immutable, schema.WriteOnly}
	returned := []schema.Returned{schema.Always, schema.Never, schema.Default, schema.Request}
	uniqueness := []schema.Uniqueness{schema.None, schema.Server, schema.Global}
	var check func(path string, list []*schema.Attribute, depth int)
	check = func(path string, list []*schema.Attribute, depth int) {
		seen := map[string]bool{}
		for _, a := range list {
			at := path + a.Name
			if !name.MatchString(a.Name) || seen[scim.Fold(a.Name)] || a.Description == "" {
				t.Errorf("%s: a bad name, a name given twice or no description", at)
			}
			seen[scim.Fold(a.Name)] = true
			if !slices.Contains(mutability, a.Mutability) || !slices.Contains(returned, a.Returned) ||
				!slices.Contains(uniqueness, a.Uniqueness) {
				t.Errorf("%s: mutability %q, returned %q, uniqueness %q", at, a.Mutability, a.Returned, a.Uniqueness)
			}
			if (a.Type == schema.Complex) != (len(a.SubAttributes) > 0) ||
				(a.Type == schema.Reference) != (len(a.ReferenceTypes) > 0) {
				t.Errorf("%s: sub-attributes or reference types don't go with the type %s", at, a.Type)
			}
			if (a.Type == schema.Reference || a.Type == schema.Binary) && !a.CaseExact {
				t.Errorf("%s: a %s is case-exact", at, a.Type)
			}
			if depth < 2 {
				check(at+".", a.SubAttributes, depth+1)
			}
		}
	}
	for _, s := range all() {
		check(s.ID+":", s.Attributes, 0)
	}
}

func TestLimits(t *testing.T) {
	for a, want := range map[*schema.Attribute]int{
		schema.User().Attribute("userName"): 512, schema.User().Attribute("externalId"): 512,
		schema.User().Attribute("displayName"): 512, schema.User().Attribute("emails").Sub("value"): 512,
		schema.Group().Attribute("displayName"): 512, schema.Group().Attribute("externalId"): 512,
		schema.User().Attribute("phoneNumbers").Sub("value"): 0,
	} {
		if a.MaxBytes != want {
			t.Errorf("%s: MaxBytes is %d", a.Name, a.MaxBytes)
		}
	}
	if n := schema.User().Attribute("emails").MaxValues; n != 40 {
		t.Errorf("emails: MaxValues is %d", n)
	}
}

// A schema's representation is itself a resource of the schema of schemas.
func TestSchemaObject(t *testing.T) {
	for _, s := range all() {
		o := s.Object()
		again, err := scim.ParseObject(scim.AppendJSON(nil, o))
		if err != nil || !scim.Equal(o, again) {
			t.Fatalf("%s does not round-trip: %v", s.ID, err)
		}
		if o["id"] != s.ID || text(o["schemas"]) != `["`+scim.SchemaURN+`"]` {
			t.Errorf("%s: id %v, schemas %v", s.ID, o["id"], o["schemas"])
		}
		keysDeclared(t, s.ID, o, schema.SchemaSchema().Attributes)
	}
	for _, rt := range []*schema.ResourceType{schema.UserType(), schema.GroupType()} {
		keysDeclared(t, rt.ID, rt.Object(), schema.ResourceTypeSchema().Attributes)
	}
	hidden := schema.User().Object("PASSWORD", "nothing")
	if n := len(hidden["attributes"].([]any)); n != len(schema.User().Attributes)-1 ||
		strings.Contains(text(hidden), `"name":"password"`) {
		t.Errorf("password is not hidden: %d attributes", n)
	}
}

// keysDeclared checks that o has only attributes that the list declares, of their types, and all required ones.
func keysDeclared(t *testing.T, at string, o scim.Object, list []*schema.Attribute) {
	t.Helper()
	for k := range o {
		// The schema of schemas describes itself, and has one level more than it can describe (RFC 7643, section
		// 8.7.2).
		if k == "subAttributes" && strings.HasSuffix(at, ".subAttributes") {
			continue
		}
		if k != "schemas" && !slices.ContainsFunc(list, func(a *schema.Attribute) bool { return a.Name == k }) {
			t.Errorf("%s: %s is not declared", at, k)
		}
	}
	for _, a := range list {
		v, ok := o[a.Name]
		if !ok {
			if a.Required {
				t.Errorf("%s: %s is missing", at, a.Name)
			}
			continue
		}
		values := []any{v}
		if a.MultiValued {
			values = v.([]any)
		}
		for _, v := range values {
			switch a.Type {
			case schema.Complex:
				keysDeclared(t, at+"."+a.Name, v.(scim.Object), a.SubAttributes)
			case schema.Boolean:
				_ = v.(bool)
			default:
				if v.(string) == "" {
					t.Errorf("%s: %s is empty", at, a.Name)
				}
			}
		}
	}
}

func TestResourceTypeObject(t *testing.T) {
	if got := text(schema.UserType().
		Object()); got != `{"schemas":["urn:ietf:params:scim:schemas:core:2.0:ResourceType"],"id":"User",`+
		`"description":"User Account","endpoint":"/Users","name":"User",`+
		`"schema":"urn:ietf:params:scim:schemas:core:2.0:User",`+
		`"schemaExtensions":[{"required":false,"schema":"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"}]}` {
		t.Errorf("User is %s", got)
	}
	o := schema.GroupType().Object()
	if o["id"] != "Group" || o["endpoint"] != "/Groups" || o["schemaExtensions"] != nil {
		t.Errorf("Group is %s", text(o))
	}
}

func TestLookup(t *testing.T) {
	const ext, coreURN = scim.EnterpriseUserURN, scim.UserURN
	user := map[string]string{
		"userName": "userName", "USERNAME": "userName", "name.givenName": "name.givenName",
		"NAME.GIVENNAME": "name.givenName",
		"id":             "id", "externalID": "externalId", "meta.lastmodified": "meta.lastModified",
		"schemas": "schemas", "SCHEMAS": "schemas",
		"groups.$ref": "groups.$ref", "emails.type": "emails.type", "addresses.primary": "addresses.primary",
		coreURN + ":userName": "userName", coreURN + ":name.givenName": "name.givenName",
		strings.ToUpper(coreURN) + ":emails": "emails",
		coreURN + ":meta.created":            "meta.created", coreURN + ".userName": "userName",
		ext: "+", strings.ToLower(ext): "+", ext + ":manager": "+manager", ext + ":manager.value": "+manager.value",
		ext + ".manager": "+manager", ext + ".Manager.Value": "+manager.value", ext + ":DEPARTMENT": "+department",
		"": "", "nope": "", "name.nope": "", "name.givenName.x": "", "userName.value": "", "department": "",
		"manager.value": "",
		coreURN:         "", coreURN + ":": "", coreURN + ":nope": "", coreURN + "x:userName": "", ext + ":": "",
		ext + ":nope": "", ext + ":userName": "",
		"urn:ietf:params:scim:schemas:extension:enterprise:2.0User:department": "", "urn:x:userName": "", ".": "",
		"name.": "", ".name": "",
		scim.GroupURN + ":displayName": "",
	}
	for name, want := range user {
		if got := lookup(schema.UserType(), name, false); got != want {
			t.Errorf("Lookup(%q) = %q, want %q", name, got, want)
		}
	}
	maps.DeleteFunc(user, func(name, _ string) bool { return name == "department" || name == "manager.value" })
	user["department"], user["MANAGER.value"], user["manager"], user["displayName"] = "+department", "+manager.value",
		"+manager", "displayName"
	for name, want := range user {
		if got := lookup(schema.UserType(), name, true); got != want {
			t.Errorf("Lookup(%q) with bare extension names = %q, want %q", name, got, want)
		}
	}
	for name, want := range map[string]string{
		"members.value": "members.value", "displayName": "displayName", scim.GroupURN + ":members": "members",
		"department": "", ext: "",
	} {
		if got := lookup(schema.GroupType(), name, true); got != want {
			t.Errorf("group: Lookup(%q) = %q, want %q", name, got, want)
		}
	}
}

// The longest URN wins, and undefined schemas work like defined ones.
func TestLookupLongestURN(t *testing.T) {
	attr := []*schema.Attribute{{Name: "Color", Type: schema.String}}
	rt := &schema.ResourceType{
		Core: &schema.Schema{ID: "urn:x:a", Attributes: []*schema.Attribute{{Name: "b"}}},
		Extensions: []schema.Extension{
			{Schema: &schema.Schema{ID: "urn:x:a:b", Attributes: attr}},
			{Schema: &schema.Schema{ID: "urn:x:a:b.c", Attributes: attr}},
		},
	}
	for name, want := range map[string]string{
		"urn:x:a:b": "urn:x:a:b", "urn:x:a:b:color": "urn:x:a:b Color", "urn:x:a:b.c": "urn:x:a:b.c",
		"urn:x:a:b.c:COLOR": "urn:x:a:b.c Color",
		"urn:x:a:b.color":   "urn:x:a:b Color", "urn:x:a:bb": "",
	} {
		got := ""
		if r, ok := rt.Lookup(name, false); ok {
			got = r.Extension.ID
			if r.Attr != nil {
				got += " " + r.Attr.Name
			}
		}
		if got != want {
			t.Errorf("Lookup(%q) = %q, want %q", name, got, want)
		}
	}
}

func lookup(rt *schema.ResourceType, name string, bare bool) string {
	r, ok := rt.Lookup(name, bare)
	if !ok {
		return ""
	}
	s := ""
	if r.Extension != nil {
		s = "+"
	}
	if r.Attr != nil {
		s += r.Attr.Name
	}
	if r.Sub != nil {
		s += "." + r.Sub.Name
	}
	return s
}
