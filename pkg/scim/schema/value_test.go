package schema_test

import (
	"strings"
	"testing"

	"github.com/serverless-scim/serverless-scim/pkg/scim"
	"github.com/serverless-scim/serverless-scim/pkg/scim/schema"
)

// One attribute's value, as a PATCH brings it.
func TestAttributeNormalize(t *testing.T) {
	user, ext := schema.User().Attribute, schema.EnterpriseUser().Attribute
	for _, c := range []struct {
		a           *schema.Attribute
		value, want string
	}{
		{user("active"), `"False"`, `false`},
		{user("active"), `""`, `null`},
		{user("active"), `null`, `null`},
		{user("title"), `""`, `null`},
		{user("title"), `[]`, `null`},
		{user("title"), `[""]`, `null`},
		{user("title"), `[null]`, `null`},
		{user("name"), `{}`, `null`},
		{user("name"), `""`, `null`},
		{user("name"), `{"givenName":""}`, `null`},
		{user("name").Sub("givenName"), `["B"]`, `"B"`},
		{user("emails"), `""`, `null`},
		{user("emails"), `[]`, `null`},
		{user("emails"), `[{}]`, `null`},
		{user("emails"), `"a@x"`, `[{"value":"a@x"}]`},
		{user("emails").Sub("primary"), `"True"`, `true`},
		{ext("manager"), `"m"`, `{"value":"m"}`},
		{ext("manager"), `""`, `null`},
		{ext("manager"), `{"value":""}`, `null`},
		{ext("manager"), `[{"$ref":"r","value":"m"}]`, `{"value":"m"}`},
		{ext("manager"), `{"displayName":"M"}`, `null`},
		{schema.Group().Attribute("members"), `["1",{"value":"2","$ref":null}]`, `[{"value":"1"},{"value":"2"}]`},
	} {
		got, err := c.a.Normalize(value(t, c.value), scim.Dialect{})
		if err != nil || !scim.Equal(got, value(t, c.want)) {
			t.Errorf("%s: Normalize(%s) = %s, %v, want %s", c.a.Name, c.value, text(got), err, c.want)
		}
	}
	for _, c := range []struct {
		a           *schema.Attribute
		value, word string
	}{
		{user("name"), `[{},{}]`, "name takes one value, not 2"},
		{user("name").Sub("givenName"), `5`, "name.givenName must be a string"},
		{user("title"), `[{"display":"x"}]`, "title must be a string, not an object"},
		{user("title"), `[["x"]]`, "title must be a string, not an array"},
		{ext("manager"), `[["m"]]`, "manager must be an object"},
		{ext("manager"), `true`, "manager must be an object"},
	} {
		_, err := c.a.Normalize(value(t, c.value), scim.Dialect{})
		refused(t, c.a.Name+" "+c.value, err, scim.InvalidValue, c.word)
	}
	got, err := user("emails").NormalizeElement(scim.Object{"VALUE": "a@x", "type": nil}, scim.Dialect{})
	if err != nil || text(got) != `{"value":"a@x"}` {
		t.Errorf("NormalizeElement: %s, %v", text(got), err)
	}
	if got, err := user("emails").NormalizeElement("", scim.Dialect{}); got != nil || err != nil {
		t.Errorf("NormalizeElement of nothing: %v, %v", got, err)
	}
}

func TestBase64(t *testing.T) {
	cert := schema.User().Attribute("x509Certificates").Sub("value")
	for s, want := range map[string]bool{
		"TWFu": true, "TWE=": true, "TQ==": true, "TWE": true, "TQ": true, "_-8": true, "TW\r\nFu": true,
		"TWFu\n": true, "T": false, "TQ=": false, "TQ===": false, "TWFu=": false, "====": false, "=": false,
		"TQ==TQ==": false, "TW Fu": false, "TWFü": false,
	} {
		if _, err := cert.Normalize(s, scim.Dialect{}); (err == nil) != want {
			t.Errorf("%q: %v", s, err)
		}
	}
}

// Check refuses documents that Normalize never returns, but that a PATCH may have made of its result.
func TestCheck(t *testing.T) {
	const head = `{"schemas":[` + core + `],"userName":"a"`
	for _, body := range []string{
		``, `,"active":true`, `,"name":{"givenName":"B"}`,
		`,"emails":[{"value":"a","primary":true},{"value":"b","primary":false}]`,
		`,"id":"1","meta":{"version":"x"},"groups":[]`, `,` + enterprise + `:{"manager":{"value":"m","displayName":"M"}}`,
	} {
		if err := schema.UserType().Check(object(t, head+body+"}")); err != nil {
			t.Errorf("%s: %v", body, err)
		}
	}
	for body, word := range map[string]string{
		`,"active":"true"`: "active", `,"active":null`: "active", `,"title":""`: "title", `,"title":["x"]`: "title",
		`,"TITLE":"x"`: "TITLE", `,"colour":"x"`: "colour",
		`,"name":{}`: "name", `,"name":"x"`: "name", `,"name":{"nick":"x"}`: "name.nick",
		`,"name":{"GivenName":"x"}`: "name.GivenName", `,"name":{"givenName":5}`: "name.givenName",
		`,"emails":[]`: "emails", `,"emails":{}`: "emails", `,"emails":[{}]`: "emails", `,"emails":[null]`: "emails",
		`,"emails":["a"]`: "emails",
		`,"emails":[{"primary":true},{"primary":true,"value":"a"}]`: "primary", `,"emails":[{"value":"` + strings.Repeat(
			"x", 513) + `"}]`: "emails.value",
		`,` + enterprise + `:{}`: "enterprise", `,` + enterprise + `:"x"`: "enterprise",
		`,` + enterprise + `:{"x":1}`:         `enterprise:2.0:User:x`,
		`,` + enterprise + `:{"manager":"m"}`: "manager", `,"URN:ietf:params:scim:schemas:core:2.0:User":{}`: "URN:ietf",
	} {
		refused(t, body, schema.UserType().Check(object(t, head+body+"}")), scim.InvalidValue, word)
	}
	refused(t, "userName missing", schema.UserType().Check(scim.Object{}), scim.InvalidValue, "userName is required")
	refused(t, "member without value", schema.GroupType().
		Check(object(t, `{"displayName":"G","members":[{"type":"User"}]}`)), scim.InvalidValue, "members.value")
}

func TestSetSchemas(t *testing.T) {
	doc := object(t, `{"schemas":["x","y"],"userName":"a",`+enterprise+`:{"department":"d"}}`)
	schema.UserType().SetSchemas(doc)
	if got := text(doc["schemas"]); got != "["+core+","+enterprise+"]" {
		t.Errorf("schemas is %s", got)
	}
	doc[scim.EnterpriseUserURN] = scim.Object{}
	schema.UserType().SetSchemas(doc)
	if got := text(doc["schemas"]); got != "["+core+"]" {
		t.Errorf("schemas is %s", got)
	}
}

// Labels without a value are no value, unless the attribute has nothing else that a client can set.
func TestOnlyLabels(t *testing.T) {
	text := func(name string) *schema.Attribute {
		return &schema.Attribute{Name: name, Type: schema.String, Mutability: schema.ReadWrite}
	}
	label := func(multi bool, subs ...*schema.Attribute) *schema.Attribute {
		return &schema.Attribute{Name: "a", Type: schema.Complex, MultiValued: multi, SubAttributes: subs}
	}
	code := text("code")
	shown := text("code")
	shown.Mutability = schema.ReadOnly
	for _, c := range []struct {
		name string
		a    *schema.Attribute
		o    scim.Object
		want bool
	}{
		{"several, code missing", label(true, text("type"), code), scim.Object{"type": "x"}, true},
		{"several, code there", label(true, text("type"), code), scim.Object{"type": "x", "code": "1"}, false},
		{"several, nothing but labels declared", label(true, text("type"), shown), scim.Object{"type": "x"}, false},
		{"several, nothing at all", label(true, text("type")), scim.Object{}, true},
		{"one, with a value", label(false, text("type"), text("value")), scim.Object{"type": "x"}, true},
		{"one, without a value", label(false, text("type"), code), scim.Object{"type": "x"}, false},
	} {
		if got := c.a.OnlyLabels(c.o); got != c.want {
			t.Errorf("%s: %v", c.name, got)
		}
	}
}
