package filter_test

import (
	"testing"

	"github.com/serverless-scim/serverless-scim/pkg/scim"
	"github.com/serverless-scim/serverless-scim/pkg/scim/filter"
	"github.com/serverless-scim/serverless-scim/pkg/scim/schema"
)

// barbara is a user as the server answers it.
func barbara() scim.Object {
	return scim.Object{
		"schemas":    []any{scim.UserURN, scim.EnterpriseUserURN},
		"id":         "2819c223-7f76-453a-919d-413861904646",
		"externalId": "bJensen-1",
		"userName":   "BJensen@Example.com",
		"name":       scim.Object{"familyName": "O'Malley", "givenName": "Barbara"},
		"title":      "Tour Guide",
		"userType":   "Employee",
		"active":     true,
		"emails": []any{
			scim.Object{"value": "bjensen@example.com", "type": "work", "primary": true},
			scim.Object{"value": "babs@jensen.org", "type": "home"},
		},
		"ims":              []any{scim.Object{"value": "babs@foo.com", "type": "xmpp"}},
		"phoneNumbers":     []any{},
		"addresses":        []any{scim.Object{"type": "work", "locality": "Hollywood"}},
		"nickName":         "Großmütterchen Σ",
		"x509Certificates": []any{scim.Object{"value": "MIIDQzCC"}},
		"groups": []any{scim.Object{
			"value": "e9e30dba", "$ref": "https://example.com/scim/v2/acme/Groups/e9e30dba",
			"display": "Tour Guides",
		}},
		"meta": scim.Object{
			"resourceType": "User", "created": "2010-01-23T04:56:22.000Z", "lastModified": "2011-05-13T04:42:34.000Z",
			"version": `W/"7"`, "location": "https://example.com/scim/v2/acme/Users/2819c223",
		},
		"password": "t1meMa$heen",
		scim.EnterpriseUserURN: scim.Object{
			"employeeNumber": "701984", "department": "Tour Operations",
			"manager": scim.Object{"value": "26118915", "displayName": "John Smith"},
		},
	}
}

func match(t *testing.T, s string, rt *schema.ResourceType, d scim.Dialect, doc scim.Object) bool {
	t.Helper()
	e, err := filter.Parse(s, d)
	if err != nil {
		t.Fatalf("%s: %v", s, err)
	}
	m, err := filter.Bind(e, rt, d)
	if err != nil {
		t.Fatalf("%s: %v", s, err)
	}
	return m.Match(doc)
}

func TestMatchRFCExamples(t *testing.T) {
	want := []bool{
		false,                    // userName is BJensen@Example.com
		true, false, false, true, // name, sw "J" twice, title pr
		false, true, false, true, // lastModified is that instant
		true, true, true, true, false, true, true, true,
	}
	for i, s := range rfcExamples {
		if got := match(t, s, schema.UserType(), scim.Dialect{}, barbara()); got != want[i] {
			t.Errorf("%s: got %v", s, got)
		}
	}
}

func TestMatch(t *testing.T) {
	bare := scim.Dialect{BareExtensionNames: true, UnquotedFilterValues: true}
	for _, tc := range []struct {
		in   string
		want bool
	}{
		// Case of names, operators and values.
		{`USERNAME EQ "bjensen@EXAMPLE.com"`, true},
		{`Name.FAMILYNAME eq "o'malley"`, true},
		{`externalId eq "bJensen-1"`, true},
		{`externalId eq "BJENSEN-1"`, false},
		{`externalId ne "BJENSEN-1"`, true},
		{`id eq "2819C223-7F76-453A-919D-413861904646"`, false},
		{`id eq "2819c223-7f76-453a-919d-413861904646"`, true},
		{`nickName eq "GROßMÜTTERCHEN ς"`, true},
		{`nickName co "ßmütterCHEN"`, true},
		{`nickName ew "σ"`, true},
		// Strings.
		{`title co "ur gu"`, true},
		{`title sw "tour"`, true},
		{`title ew "GUIDE"`, true},
		{`title ew "tour"`, false},
		{`title gt "Tour"`, true},
		{`title ge "tour guide"`, true},
		{`title lt "tour guide"`, false},
		{`title le "TOUR GUIDE"`, true},
		{`title co ""`, true},
		{`title eq ""`, false},
		// Missing attributes, null and pr.
		{`locale eq "en"`, false},
		{`locale ne "en"`, true},
		{`locale co ""`, false},
		{`locale le "z"`, false},
		{`locale pr`, false},
		{`not (locale pr)`, true},
		{`locale eq null`, true},
		{`locale ne null`, false},
		{`title eq NULL`, false},
		{`title ne null`, true},
		{`name pr`, true},
		{`emails pr`, true},
		{`phoneNumbers pr`, false},
		{`phoneNumbers eq null`, true},
		{`phoneNumbers.value ne "1"`, true},
		{`emails.display pr`, false},
		{`emails.primary pr`, true},
		{`emails eq null`, false},
		{`addresses pr`, true},
		// Multi-valued attributes: any value compares.
		{`emails eq "babs@jensen.org"`, true},
		{`emails.value ew ".ORG"`, true},
		{`emails.type eq "home"`, true},
		{`emails.type ne "work"`, true},
		{`emails.type ne "work" and emails.type ne "home"`, true},
		{`not (emails.type eq "work")`, false},
		{`ims.type ne "xmpp"`, false},
		{`emails.type eq "work" and emails.value sw "babs"`, true},
		{`emails.primary ne true`, true},
		{`emails.primary eq false`, true},
		{`emails[type eq "home" and primary eq false]`, true},
		{`emails[type eq "home"].primary eq false`, true},
		{`emails[type eq "work" and primary eq false]`, false},
		{`phoneNumbers.primary eq false`, false},
		{`schemas eq "` + scim.EnterpriseUserURN + `"`, true},
		{`schemas eq "` + scim.GroupURN + `"`, false},
		{`schemas[value eq "` + scim.UserURN + `"]`, true},
		{`groups eq "e9e30dba"`, true},
		{`groups.$ref ew "/Groups/e9e30dba"`, true},
		// Value paths.
		{`emails[type eq "work" and value sw "babs"]`, false},
		{`emails[type eq "HOME" and value sw "babs"]`, true},
		{`emails[type ne "work"]`, true},
		{`emails[not (type eq "work") and (value co "@" or primary pr)]`, true},
		{`emails[display pr]`, false},
		{`emails[display eq null]`, true},
		{`phoneNumbers[display eq null]`, false},
		{`phoneNumbers[type ne "work"]`, false},
		{`not (phoneNumbers[value pr])`, true},
		{`emails[type eq "work"].value eq "bjensen@example.com"`, true},
		{`emails[type eq "home"].value eq "bjensen@example.com"`, false},
		{`emails[type eq "home"].primary pr`, false},
		{`emails[type eq "work"].PRIMARY pr`, true},
		{`emails[type eq "other"].value ne "x"`, true},
		{`emails[type eq "other"].value eq null`, true},
		{`emails[type eq "work"].value ne null`, true},
		{`name[givenName eq "barbara"]`, true},
		{`name[givenName eq "barbara"].familyName sw "o"`, true},
		{`emails[primary eq "True"].value co "example"`, true},
		// Booleans.
		{`active eq true`, true},
		{`active eq "True"`, true},
		{`active eq "FALSE"`, false},
		{`active ne false`, true},
		{`emails.primary eq True`, true},
		// Instants.
		{`meta.lastModified eq "2011-05-13T06:42:34+02:00"`, true},
		{`meta.lastModified eq "2011-05-13T04:42:34.0000000Z"`, true},
		{`meta.lastModified eq "2011-05-13T04:42:34"`, true},
		{`meta.lastModified lt "2011-05-13T04:42:34.0000001Z"`, true},
		{`meta.lastModified gt "2011-05-13T04:42:33.9999999Z"`, true},
		{`meta.lastModified ge "2011-05-13T00:00:00-05:00"`, false},
		{`meta.created sw "2010-01"`, true},
		{`meta.created ne "2011-05-13T04:42:34Z"`, true},
		{`meta.resourceType eq "user"`, false},
		{`meta.resourceType eq "User"`, true},
		// Binary values are exact.
		{`x509Certificates.value eq "MIIDQzCC"`, true},
		{`x509Certificates eq "miidqzcc"`, false},
		// URNs and extensions.
		{scim.UserURN + `:userName sw "bj"`, true},
		{scim.UserURN + `:name.givenName eq "barbara"`, true},
		{`URN:IETF:PARAMS:SCIM:SCHEMAS:CORE:2.0:USER:emails[type eq "work"].value pr`, true},
		{scim.EnterpriseUserURN + `:employeeNumber eq "701984"`, true},
		{scim.EnterpriseUserURN + `:manager.value eq "26118915"`, true},
		{scim.EnterpriseUserURN + `:manager eq "26118915"`, true},
		{scim.EnterpriseUserURN + `:manager[value eq "1"]`, false},
		{scim.EnterpriseUserURN + `:costCenter pr`, false},
		{scim.EnterpriseUserURN + ` pr`, true},
		{scim.EnterpriseUserURN + ` eq null`, false},
		{`id eq "2819c223-7f76-453a-919d-413861904646" and manager eq "26118915"`, true},
		{`id eq "2819c223-7f76-453a-919d-413861904646" and manager eq "1"`, false},
		{`department eq "tour operations"`, true},
		// Bare words.
		{`externalId eq bJensen-1`, true},
		{`employeeNumber eq 701984`, true},
		{`title eq true`, false},
		// Precedence.
		{`title pr or locale pr and locale pr`, true},
		{`(title pr or locale pr) and locale pr`, false},
		{`not (title pr) or title pr`, true},
		{`not (title pr or locale pr)`, false},
	} {
		if got := match(t, tc.in, schema.UserType(), bare, barbara()); got != tc.want {
			t.Errorf("%s: got %v", tc.in, got)
		}
	}
}

func TestMatchGroup(t *testing.T) {
	doc := scim.Object{"id": "g", "displayName": "Tour Guides", "members": []any{
		scim.Object{"value": "26118915", "$ref": "https://example.com/scim/v2/acme/Users/26118915", "type": "User"},
	}}
	for in, want := range map[string]bool{
		`displayName eq "tour guides"`:      true,
		`members.value eq "26118915"`:       true,
		`members eq "26118915"`:             true,
		`members[value eq "26118915"]`:      true,
		`members[value eq "1"]`:             false,
		`members.$ref co "/Users/26118915"`: true,
		`members pr`:                        true,
	} {
		if got := match(t, in, schema.GroupType(), scim.Dialect{}, doc); got != want {
			t.Errorf("%s: got %v", in, got)
		}
	}
}

// things is a resource type with the data types that User and Group lack.
var things = &schema.ResourceType{ID: "Thing", Name: "Thing", Core: &schema.Schema{
	ID: "urn:example:2.0:Thing",
	Attributes: []*schema.Attribute{
		{Name: "text", Type: schema.String},
		{Name: "exact", Type: schema.String, CaseExact: true},
		{Name: "flag", Type: schema.Boolean},
		{Name: "count", Type: schema.Integer},
		{Name: "ratio", Type: schema.Decimal},
		{Name: "when", Type: schema.DateTime},
		{Name: "blob", Type: schema.Binary},
		{Name: "words", Type: schema.String, MultiValued: true},
		{Name: "one", Type: schema.Complex, SubAttributes: thingSubs},
		{Name: "many", Type: schema.Complex, MultiValued: true, SubAttributes: thingSubs},
		{Name: "secret", Type: schema.String, Returned: schema.Never},
		{Name: "vault", Type: schema.Complex, SubAttributes: []*schema.Attribute{
			{Name: "open", Type: schema.String},
			{Name: "pin", Type: schema.String, Returned: schema.Never},
			{Name: "value", Type: schema.String, Returned: schema.Never},
		}},
	},
}}

// attribute is an attribute of User.
func attribute(t *testing.T, name string) *schema.Attribute {
	t.Helper()
	ref, ok := schema.UserType().Lookup(name, true)
	if !ok {
		t.Fatalf("User has no attribute %q", name)
	}
	return ref.Attr
}

var thingSubs = []*schema.Attribute{
	{Name: "value", Type: schema.String},
	{Name: "flag", Type: schema.Boolean},
	{Name: "count", Type: schema.Integer},
	{Name: "words", Type: schema.String, MultiValued: true},
}

func TestMatchNumbers(t *testing.T) {
	doc := scim.Object{"count": int64(9007199254740993), "ratio": 0.5}
	for in, want := range map[string]bool{
		`count eq 9007199254740993`:     true,
		`count eq 9007199254740992`:     false,
		`count gt 9007199254740992.0`:   true,
		`count eq 9007199254740992.0`:   false,
		`count lt 1e400`:                true,
		`count gt -1e400`:               true,
		`count lt 9223372036854775808`:  true,
		`count gt -9223372036854775809`: true,
		`ratio eq 0.50`:                 true,
		`ratio eq 5e-1`:                 true,
		`ratio lt 1`:                    true,
		`ratio ge 0`:                    true,
		`ratio gt -0`:                   true,
		`ratio ne 1`:                    true,
		`one.count ne 1`:                true,
		`one.count eq 1`:                false,
	} {
		if got := match(t, in, things, scim.Dialect{}, doc); got != want {
			t.Errorf("%s: got %v", in, got)
		}
	}
	if !match(t, `count eq 1.0 and ratio eq 2`, things, scim.Dialect{},
		scim.Object{"count": int64(1), "ratio": int64(2)}) {
		t.Error("1 and 1.0, and 2 and 2, are not equal")
	}
}

func TestBindRefuses(t *testing.T) {
	for _, tc := range []struct {
		rt   *schema.ResourceType
		in   string
		want []string
	}{
		{schema.UserType(), `email Co "x"`, []string{`"email"`, "not an attribute of User"}},
		{schema.UserType(), `userName eq "x" or shoeSize eq 9`, []string{`"shoeSize"`}},
		{schema.UserType(), `name.shoeSize eq 9`, []string{`"name.shoeSize"`}},
		{schema.UserType(), `urn:example:x:userName eq "x"`, []string{`"urn:example:x:userName"`}},
		{
			schema.UserType(), `manager eq "x"`,
			[]string{`"manager"`, "Write it with the URN", scim.EnterpriseUserURN + ":manager"},
		},
		{schema.UserType(), `emails[shoeSize eq 9]`, []string{`"shoeSize"`, "not a sub-attribute", `"emails"`}},
		{schema.UserType(), `emails[type eq "work"].shoeSize eq 9`, []string{`"shoeSize"`, `"emails"`}},
		{schema.UserType(), `password eq "t1meMa$heen"`, []string{`"password"`, "never returned"}},
		{schema.UserType(), `password pr`, []string{`"password"`, "never returned"}},
		{schema.UserType(), `PASSWORD sw "t"`, []string{`"PASSWORD"`, "never returned"}},
		{schema.UserType(), scim.UserURN + `:password eq null`, []string{"password", "never returned"}},
		{schema.UserType(), `password[value eq "x"]`, []string{`"password"`, "never returned"}},
		{schema.UserType(), `active gt true`, []string{"gt", `"active"`, "boolean"}},
		{schema.UserType(), `active le "true"`, []string{"le", `"active"`}},
		{schema.UserType(), `active co "t"`, []string{"co", `"active"`}},
		{schema.UserType(), `active eq "yes"`, []string{`"active"`, "true or false"}},
		{schema.UserType(), `active eq 1`, []string{`"active"`, "true or false"}},
		{schema.UserType(), `emails.primary ge true`, []string{"ge", "emails.primary"}},
		{schema.UserType(), `emails[primary lt true]`, []string{"lt", "emails.primary"}},
		{schema.UserType(), `x509Certificates.value gt "x"`, []string{"gt", "binary"}},
		{schema.UserType(), `x509Certificates lt "x"`, []string{"lt", "binary"}},
		{schema.UserType(), `name eq "x"`, []string{`"name"`, "complex", "name."}},
		{schema.UserType(), `addresses co "x"`, []string{`"addresses"`, "complex", "addresses."}},
		{schema.UserType(), `meta eq "x"`, []string{`"meta"`, "complex"}},
		{schema.UserType(), `userName eq 5`, []string{`"userName"`, "double quotes", `"5"`}},
		{schema.UserType(), `userName eq true`, []string{`"userName"`, "double quotes", `"true"`}},
		{schema.UserType(), `userName gt null`, []string{`"userName"`, "null", "eq and ne"}},
		{schema.UserType(), `meta.created gt "yesterday"`, []string{`"meta.created"`, "dateTime"}},
		{schema.UserType(), `meta.created gt "2011-05-13T04:42:34 02:00"`, []string{"dateTime", "%2B"}},
		{schema.UserType(), `meta.created gt 2011`, []string{"dateTime"}},
		{schema.UserType(), `userName[value eq "x"]`, []string{`"userName"`, "brackets"}},
		{schema.UserType(), `name.givenName[value eq "x"]`, []string{`"name.givenName"`, "brackets"}},
		{schema.UserType(), scim.EnterpriseUserURN + `[manager pr]`, []string{scim.EnterpriseUserURN, "brackets"}},
		{schema.UserType(), scim.EnterpriseUserURN + ` eq "x"`, []string{scim.EnterpriseUserURN, "whole extension"}},
		{schema.GroupType(), `userName eq "x"`, []string{`"userName"`, "not an attribute of Group"}},
		{things, `count eq "1"`, []string{`"count"`, "number"}},
		{things, `count eq true`, []string{`"count"`, "number"}},
		{things, `ratio sw 1`, []string{"sw", `"ratio"`, "decimal"}},
		{things, `secret pr`, []string{`"secret"`}},
		{things, `vault.pin pr`, []string{`"vault.pin"`}},
		{things, `vault[pin pr]`, []string{`"vault.pin"`, "never returned"}},
		{things, `vault[open pr].pin pr`, []string{`"vault.pin"`, "never returned"}},
		{things, `vault eq "x"`, []string{"vault.open"}},
		{things, `words[text eq "x"]`, []string{`"text"`, `"words"`}},
	} {
		t.Run(tc.in, func(t *testing.T) {
			e, err := filter.Parse(tc.in, scim.Dialect{})
			if err != nil {
				t.Fatal(err)
			}
			_, err = filter.Bind(e, tc.rt, scim.Dialect{})
			fails(t, err, scim.InvalidFilter, tc.want...)
		})
	}
}

// A document made in code may hold typed slices, and one of another origin empty values.
func TestMatchOtherShapes(t *testing.T) {
	doc := scim.Object{
		"schemas":      []string{scim.UserURN},
		"emails":       []scim.Object{{"value": ""}, {"value": "a@example.com", "type": "work"}},
		"phoneNumbers": []any{nil, scim.Object{"value": nil}, scim.Object{"value": []any{"", nil}}},
		"name":         scim.Object{"givenName": "", "familyName": nil},
		"active":       "true",
		"title":        5.0,
		"meta":         scim.Object{"created": "soon"},
		"locale":       []any{},
		scim.EnterpriseUserURN: scim.Object{
			"department": []string{}, "manager": scim.Object{"value": []any{}},
		},
	}
	for in, want := range map[string]bool{
		`schemas eq "` + scim.UserURN + `"`:           true,
		`emails[type eq "work"].value sw "a@"`:        true,
		`emails.type ne "work"`:                       true,
		`phoneNumbers pr`:                             false,
		`name pr`:                                     false,
		`active eq true`:                              false,
		`active ne true`:                              true,
		`title eq "5"`:                                false,
		`title ne "5"`:                                true,
		`meta.created lt "2026-01-01T00:00:00Z"`:      false,
		`meta.created ne "2026-01-01T00:00:00Z"`:      true,
		`locale ne "en"`:                              true,
		scim.EnterpriseUserURN + ` pr`:                false,
		scim.EnterpriseUserURN + `:manager pr`:        false,
		scim.EnterpriseUserURN + `:department pr`:     false,
		scim.EnterpriseUserURN + `:department ne "x"`: true,
	} {
		if got := match(t, in, schema.UserType(), scim.Dialect{}, doc); got != want {
			t.Errorf("%s: got %v", in, got)
		}
	}
}

func TestBindElement(t *testing.T) {
	emails, manager := attribute(t, "emails"), attribute(t, "manager")
	words := things.Core.Attributes[7]
	work := scim.Object{"value": "a@example.com", "type": "work", "primary": true}
	for _, tc := range []struct {
		a       *schema.Attribute
		in      string
		element any
		want    bool
	}{
		{emails, `x[type eq "WORK"]`, work, true},
		{emails, `x[type eq "home" or not (value co "example")]`, work, false},
		{emails, `x[primary eq "True" and VALUE ew "com"]`, work, true},
		{emails, `x[display eq null and type ne null]`, work, true},
		{emails, `x[type eq "work"]`, scim.Object{}, false},
		{emails, `x[type ne "work"]`, scim.Object{}, true},
		{emails, `x[type eq "work"]`, "work", false},
		{emails, `x[type eq "work"]`, nil, false},
		{manager, `x[value eq "26118915"]`, scim.Object{"value": "26118915"}, true},
		{manager, `x[value eq "1"]`, scim.Object{"value": "26118915"}, false},
		{words, `x[value eq "A"]`, "a", true},
		{words, `x[value eq "b"]`, "a", false},
		{words, `x[value pr]`, "a", true},
	} {
		p, err := filter.ParsePath(tc.in, scim.Dialect{})
		if err != nil {
			t.Fatal(err)
		}
		m, err := filter.BindElement(p.Filter, tc.a, scim.Dialect{})
		if err != nil {
			t.Errorf("%s: %v", tc.in, err)
			continue
		}
		if got := m.Match(tc.element); got != tc.want {
			t.Errorf("%s on %v: got %v", tc.in, tc.element, got)
		}
	}
}

func TestBindElementRefuses(t *testing.T) {
	for in, a := range map[string]*schema.Attribute{
		`shoeSize pr`:     attribute(t, "emails"),
		`primary gt true`: attribute(t, "emails"),
		`value pr`:        attribute(t, "userName"),
		`value eq "x"`:    attribute(t, "password"),
	} {
		e, err := filter.Parse(in, scim.Dialect{})
		if err != nil {
			t.Fatal(err)
		}
		_, err = filter.BindElement(e, a, scim.Dialect{})
		fails(t, err, scim.InvalidFilter)
	}
	inner := filter.Path{Name: "a", Filter: cmp("b", filter.Pr, filter.Value{})}
	for _, e := range []filter.Expr{filter.Match{Path: inner}, filter.Compare{Path: inner, Op: filter.Pr}, nil} {
		_, err := filter.BindElement(e, attribute(t, "emails"), scim.Dialect{})
		fails(t, err, scim.InvalidFilter)
	}
}

func TestMatchAllocates(t *testing.T) {
	doc := barbara()
	for _, s := range []string{
		`userName eq "bjensen@example.com"`,
		`externalId eq "bJensen-1" and active eq true`,
		`emails[type eq "work" and value co "@EXAMPLE.com"].value pr`,
		`meta.lastModified gt "2011-05-13T04:42:34Z" or title sw "tour"`,
		scim.EnterpriseUserURN + `:manager eq "26118915"`,
	} {
		e, err := filter.Parse(s, scim.Dialect{})
		if err != nil {
			t.Fatal(err)
		}
		m, err := filter.Bind(e, schema.UserType(), scim.Dialect{})
		if err != nil {
			t.Fatal(err)
		}
		if n := testing.AllocsPerRun(100, func() { m.Match(doc) }); n != 0 {
			t.Errorf("%s: %v allocations for a document", s, n)
		}
	}
}

// An attribute that is never returned can't be used with pr either.
func TestHiddenPresence(t *testing.T) {
	rt := &schema.ResourceType{
		Core: things.Core,
		Extensions: []schema.Extension{{Schema: &schema.Schema{
			ID:         "urn:example:2.0:Ext",
			Attributes: things.Core.Attributes,
		}}},
	}
	for doc, want := range map[string]bool{
		`{"pin":"1"}`: false, `{"pin":"1","value":"x"}`: false, `{"pin":"1","open":"x"}`: true, `{"open":"x"}`: true,
		`{}`: false,
	} {
		vault, err := scim.ParseObject([]byte(doc))
		if err != nil {
			t.Fatal(err)
		}
		for in, doc := range map[string]scim.Object{
			`vault pr`:                          {"vault": vault},
			`vault ne null`:                     {"vault": vault},
			`urn:example:2.0:Ext pr`:            {"urn:example:2.0:Ext": scim.Object{"vault": vault, "secret": "x"}},
			`urn:example:2.0:Ext:vault ne null`: {"urn:example:2.0:Ext": scim.Object{"vault": vault}},
			`not (vault eq null)`:               {"vault": vault},
		} {
			if got := match(t, in, rt, scim.Dialect{}, doc); got != want {
				t.Errorf("%s on %v: got %v", in, doc, got)
			}
		}
	}
}

// TestSure: the comparisons of one attribute decide alone if the others can't change the result.
func TestSure(t *testing.T) {
	title := func(r schema.Ref) bool { return r.Attr != nil && r.Attr.Name == "title" }
	for expr, want := range map[string]bool{
		`title eq "boss"`:                                       true,
		`title eq "none"`:                                       true,
		`userName pr`:                                           false,
		`title eq "boss" and userName pr`:                       false,
		`title eq "none" and userName pr`:                       true,
		`title eq "boss" or userName pr`:                        true,
		`title eq "none" or userName pr`:                        false,
		`not (title eq "boss" or userName pr)`:                  true,
		`not (title eq "boss") or not (userName pr)`:            false,
		`emails[type eq "work"] and not (title eq "boss")`:      true,
		`(userName pr or title pr) and (emails pr or title pr)`: true,
	} {
		e, err := filter.Parse(expr, scim.Dialect{})
		if err != nil {
			t.Fatal(err)
		}
		m, err := filter.Bind(e, schema.UserType(), scim.Dialect{})
		if err != nil {
			t.Fatal(err)
		}
		if got := m.Sure(scim.Object{"title": "boss"}, title); got != want {
			t.Errorf("%s: sure %v, want %v", expr, got, want)
		}
	}
}
