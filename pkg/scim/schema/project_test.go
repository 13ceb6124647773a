package schema_test

import (
	"strings"
	"testing"

	"github.com/serverless-scim/serverless-scim/pkg/scim"
	"github.com/serverless-scim/serverless-scim/pkg/scim/schema"
)

const stored = `{"schemas":[` + core + `,` + enterprise +
	`],"id":"1","externalId":"e","userName":"u","title":"t","password":"secret",
	"name":{"givenName":"g","familyName":"f"},
	"emails":[{"value":"a@x","type":"work","primary":true},{"value":"b@x"}],"groups":[],
	"meta":{"resourceType":"User","version":"W/\"1\""},
	` + enterprise + `:{"department":"d","manager":{"value":"m","$ref":"r","displayName":"n"}},"leftOver":1,"urn:gone":{"x":1}}`

func TestProject(t *testing.T) {
	const schemas = `"schemas":[` + core + `,` + enterprise + `]`
	whole := object(t, stored)
	for _, k := range []string{"password", "leftOver", "urn:gone"} {
		delete(whole, k)
	}
	without := func(keys ...string) string {
		o := scim.Clone(whole).(scim.Object)
		for _, k := range keys {
			delete(o, k)
		}
		return text(o)
	}
	for _, c := range []struct{ name, attributes, excluded, want string }{
		{"nothing asked for", "", "", text(whole)},
		{"names of nothing", " , ,", ",", text(whole)},
		{"only id and schemas", "id", "", `{` + schemas + `,"id":"1"}`},
		{"one attribute", "userName", "", `{` + schemas + `,"id":"1","userName":"u"}`},
		{"any case", "USERNAME,Name.GivenName", "", `{` + schemas + `,"id":"1","userName":"u","name":{"givenName":"g"}}`},
		{"spaces", " userName , title ", "", `{` + schemas + `,"id":"1","userName":"u","title":"t"}`},
		{
			"URN names", scim.UserURN + ":userName," + scim.EnterpriseUserURN + ":department", "",
			`{` + schemas + `,"id":"1","userName":"u",` + enterprise + `:{"department":"d"}}`,
		},
		{
			"a sub-attribute of an extension", scim.EnterpriseUserURN + ":manager.value", "",
			`{` + schemas + `,"id":"1",` + enterprise + `:{"manager":{"value":"m"}}}`,
		},
		{"a whole extension", scim.EnterpriseUserURN, "", `{` + schemas + `,"id":"1",` + enterprise +
			`:{"department":"d","manager":{"value":"m","$ref":"r","displayName":"n"}}}`},
		{
			"a whole extension and a part of it",
			scim.EnterpriseUserURN + ":manager.value," + scim.EnterpriseUserURN, "",
			`{` + schemas + `,"id":"1",` + enterprise +
				`:{"department":"d","manager":{"value":"m","$ref":"r","displayName":"n"}}}`,
		},
		{"an extension name without URN", "manager.value", "", `{` + schemas + `,"id":"1",` + enterprise +
			`:{"manager":{"value":"m"}}}`},
		{"the core schema", scim.UserURN, "", without(scim.EnterpriseUserURN)},
		{"sub-attributes of several values", "emails.type", "", `{` + schemas + `,"id":"1","emails":[{"type":"work"}]}`},
		{"a sub-attribute that no value has", "emails.display", "", `{` + schemas + `,"id":"1"}`},
		{
			"an attribute and a part of it", "name.givenName,name", "",
			`{` + schemas + `,"id":"1","name":{"givenName":"g","familyName":"f"}}`,
		},
		{
			"a part of an attribute and it", "name,name.givenName", "",
			`{` + schemas + `,"id":"1","name":{"givenName":"g","familyName":"f"}}`,
		},
		{
			"two parts", "name.givenName,name.familyName,name.givenName", "",
			`{` + schemas + `,"id":"1","name":{"givenName":"g","familyName":"f"}}`,
		},
		{
			"a value filter", `emails[type eq "work"]`, "",
			`{` + schemas + `,"id":"1","emails":[{"value":"a@x","type":"work","primary":true},{"value":"b@x"}]}`,
		},
		{
			"a value filter with commas and a sub-attribute", `emails[type eq "a,]\",b" and value pr].type,title`, "",
			`{` + schemas + `,"id":"1","title":"t","emails":[{"type":"work"}]}`,
		},
		{"unknown names", "nope,name.nope,urn:x:y", "", `{` + schemas + `,"id":"1"}`},
		{"never returned", "password,userName", "", `{` + schemas + `,"id":"1","userName":"u"}`},
		{"an empty list survives", "groups", "", `{` + schemas + `,"id":"1","groups":[]}`},
		{"an empty list survives a sub-attribute", "groups.value", "", `{` + schemas + `,"id":"1","groups":[]}`},
		{"attributes wins", "userName", "userName", `{` + schemas + `,"id":"1","userName":"u"}`},
		{"exclude", "", "emails,TITLE,meta", without("emails", "title", "meta")},
		{"exclude what is always there", "", "id,schemas,userName", without("userName")},
		{"exclude an extension", "", scim.EnterpriseUserURN, without(scim.EnterpriseUserURN)},
		{"exclude the core schema", "", scim.UserURN, `{` + schemas + `,"id":"1",` + enterprise +
			`:{"department":"d","manager":{"value":"m","$ref":"r","displayName":"n"}}}`},
		{"exclude all of an extension", "", "department,manager", without(scim.EnterpriseUserURN)},
		{
			"exclude sub-attributes", "", "emails.value,name.givenName,name.familyName",
			strings.Replace(without("name"), `"emails":[{"primary":true,"type":"work","value":"a@x"},{"value":"b@x"}]`,
				`"emails":[{"primary":true,"type":"work"}]`, 1),
		},
		{"exclude unknown names", "", "nope,name.nope", text(whole)},
	} {
		t.Run(c.name, func(t *testing.T) {
			doc := object(t, stored)
			p, err := schema.UserType().Projection([]string{c.attributes}, []string{c.excluded})
			if err != nil {
				t.Fatal(err)
			}
			if got := schema.UserType().Project(doc, p); !scim.Equal(got, object(t, c.want)) {
				t.Errorf("got  %s\nwant %s", text(got), c.want)
			}
			if !scim.Equal(doc, object(t, stored)) {
				t.Errorf("the document became %s", text(doc))
			}
		})
	}
}

func TestProjectReturned(t *testing.T) {
	const doc = `{"schemas":["urn:example:2.0:Base"],"name":"n","urn:example:2.0:Ext":{"secret":"s","count":1,` +
		`"pair":{"key":"k","val":"v","note":"o"}}}`
	for _, c := range []struct{ attributes, excluded, want string }{
		{"", "", `{"count":1,"pair":{"key":"k","note":"o"}}`},
		{"secret", "", `{"secret":"s"}`},
		{"pair", "", `{"pair":{"key":"k","note":"o"}}`},
		{"pair.val", "", `{"pair":{"key":"k","val":"v"}}`},
		{"urn:example:2.0:Ext", "", `{"count":1,"pair":{"key":"k","note":"o"}}`},
		{"urn:example:2.0:Ext,secret", "", `{"count":1,"secret":"s","pair":{"key":"k","note":"o"}}`},
		{"", "pair.key,count", `{"pair":{"key":"k","note":"o"}}`},
		{"", "name", `{"count":1,"pair":{"key":"k","note":"o"}}`},
	} {
		rt := custom()
		p, err := rt.Projection([]string{c.attributes}, []string{c.excluded})
		if err != nil {
			t.Fatal(err)
		}
		got := text(rt.Project(object(t, doc), p)["urn:example:2.0:Ext"])
		if !scim.Equal(value(t, got), value(t, c.want)) {
			t.Errorf("attributes=%s, excludedAttributes=%s: got %s, want %s", c.attributes, c.excluded, got, c.want)
		}
	}
}

func TestWants(t *testing.T) {
	for _, c := range []struct {
		attributes, excluded string
		want                 bool
	}{
		{"", "", true},
		{"", "members", false},
		{"", "MEMBERS", false},
		{"", "members.display", true},
		{"displayName", "", false},
		{"members", "", true},
		{"members.value", "", true},
		{scim.GroupURN + ":members", "", true},
		{scim.GroupURN, "", true},
		{"", scim.GroupURN, false},
		{"nope", "", false},
		{`members[value eq "1"]`, "", true},
		{"", "nope", true},
	} {
		p, err := schema.GroupType().Projection([]string{c.attributes}, []string{c.excluded})
		if err != nil {
			t.Fatal(err)
		}
		if p.Wants(schema.GroupType(), "members") != c.want {
			t.Errorf("attributes=%s, excludedAttributes=%s: Wants is not %t", c.attributes, c.excluded, c.want)
		}
	}
	var p *schema.Projection
	if p.Wants(schema.UserType(), "password") || p.Wants(schema.UserType(), "nope") ||
		!p.Wants(schema.UserType(), "schemas") || !p.Wants(schema.UserType(), "id") {
		t.Error("the defaults want what is never returned, or not what always is")
	}
}

func TestProjectionLimit(t *testing.T) {
	p, err := schema.UserType().Projection([]string{strings.Repeat("emails.value,", schema.MaxProjectionNames)}, nil)
	if err != nil || p == nil {
		t.Errorf("%d names: %v", schema.MaxProjectionNames, err)
	}
	_, err = schema.UserType().Projection(nil, []string{
		strings.Repeat("emails.value,", schema.MaxProjectionNames),
		"title",
	})
	refused(t, "one name too many", err, scim.InvalidValue, "500", "501")
}
