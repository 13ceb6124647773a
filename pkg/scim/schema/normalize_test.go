package schema_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/serverless-scim/serverless-scim/pkg/scim"
	"github.com/serverless-scim/serverless-scim/pkg/scim/schema"
)

const (
	core       = `"urn:ietf:params:scim:schemas:core:2.0:User"`
	enterprise = `"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"`
	groupURN   = `"urn:ietf:params:scim:schemas:core:2.0:Group"`
)

// Each body is normalised by the named profile; the result is written without "schemas" and userName.
func TestNormalizeUser(t *testing.T) {
	long := strings.Repeat("x", schema.MaxNameBytes)
	for _, c := range []struct{ name, idp, body, want string }{
		{"only userName", "rfc", ``, ``},
		{"null and [] mean unassigned", "rfc", `"title":null,"emails":[],"name":{},"roles":null,"nickName":""`, ``},
		{
			"objects of nothing mean unassigned", "rfc",
			`"name":{"givenName":null,"familyName":""},"emails":[{"value":null,"type":""},null,""]`, ``,
		},
		{
			"null sub-attributes inside array entries", "rfc", `"emails":[{"value":"a@x","display":null,"type":""}]`,
			`"emails":[{"value":"a@x"}]`,
		},
		{
			"attribute names in any case", "rfc", `"NAME":{"GIVENNAME":"B"},"Emails":[{"VALUE":"a@x","Type":"work"}]`,
			`"emails":[{"type":"work","value":"a@x"}],"name":{"givenName":"B"}`,
		},
		{"read-only attributes ignored", "rfc", `"id":"x","meta":{"version":1},"groups":"nonsense"`, ``},
		{"unknown attributes ignored", "rfc", `"favouriteColour":"red","name":{"nick":"B"},"a.b":1,"urn:x:y":{"z":1}`, ``},
		{
			"True and False coerced in any case", "rfc", `"active":"TRUE","emails":[{"value":"a","primary":"false"}]`,
			`"active":true,"emails":[{"primary":false,"value":"a"}]`,
		},
		{
			"value formats not enforced", "rfc",
			`"emails":[{"value":"no address"}],"locale":"zz-??","profileUrl":"::","addresses":[{"country":"Utopia"}]`,
			`"addresses":[{"country":"Utopia"}],"emails":[{"value":"no address"}],"locale":"zz-??","profileUrl":"::"`,
		},
		{
			"canonical values are suggestions", "rfc", `"ims":[{"value":"a","type":"smoke signals"}]`,
			`"ims":[{"type":"smoke signals","value":"a"}]`,
		},
		{"UTF-8 kept", "rfc", `"displayName":"Zoë 中文 😀"`, `"displayName":"Zoë 中文 😀"`},
		{
			"one-element array for a single value", "rfc",
			`"title":["Boss"],"active":[true],"name":[{"givenName":"B"}],"nickName":[]`,
			`"active":true,"name":{"givenName":"B"},"title":"Boss"`,
		},
		{
			"a single value as [{$ref, value}]", "entra", `"title":[{"$ref":null,"value":"Boss"}],"active":[{"Value":"True"}]`,
			`"active":true,"title":"Boss"`,
		},
		{
			"a value for a one-element array", "okta", `"emails":{"value":"a@x"},"roles":"admin"`,
			`"emails":[{"value":"a@x"}],"roles":[{"value":"admin"}]`,
		},
		{
			"plain strings for complex values", "okta", `"roles":["admin","",null,"user"]`,
			`"roles":[{"value":"admin"},{"value":"user"}]`,
		},
		{
			"a JSON document in a string stays one", "entra", `"roles":[{"value":"{\"id\":1}"}]`,
			`"roles":[{"value":"{\"id\":1}"}]`,
		},
		{
			"an element of nothing but labels is no element", "entra",
			`"emails":[{"type":"work","value":null,"primary":true},{"type":"home"}],
			"phoneNumbers":{"type":"work","value":""},"roles":[{"primary":true,"$ref":"x"}],"addresses":[{"type":"work","primary":true,"locality":null}]`, ``,
		},
		{
			"its primary counts for nothing", "entra",
			`"emails":[{"type":"work","primary":true,"value":""},{"value":"a@x","primary":true}]`,
			`"emails":[{"primary":true,"value":"a@x"}]`,
		},
		{
			"a display name alone is kept", "rfc", `"emails":[{"type":"work","display":"B"}]`,
			`"emails":[{"display":"B","type":"work"}]`,
		},
		{"an address is kept without a type", "rfc", `"addresses":[{"locality":"L"}]`, `"addresses":[{"locality":"L"}]`},
		{
			"exact duplicates collapsed", "rfc",
			`"emails":[{"value":"a","type":"w"},{"type":"w","value":"a"},{"value":"A","type":"w"}]`,
			`"emails":[{"type":"w","value":"a"},{"type":"w","value":"A"}]`,
		},
		{
			"duplicates that differ in primary collapsed", "rfc",
			`"emails":[{"value":"a"},{"value":"a","primary":true},{"value":"a","primary":false}]`,
			`"emails":[{"primary":true,"value":"a"}]`,
		},
		{
			"many duplicates collapsed", "okta",
			`"roles":["a","b","c","d","e","f","g","h","i","a",{"value":"b","primary":true},{"value":"i"},"b"]`,
			`"roles":[{"value":"a"},{"primary":true,"value":"b"},{"value":"c"},{"value":"d"},{"value":"e"},{"value":"f"},` +
				`{"value":"g"},{"value":"h"},{"value":"i"}]`,
		},
		{"password kept for the caller to drop", "rfc", `"password":"secret"`, `"password":"secret"`},
		{
			"binary", "rfc", `"x509Certificates":[{"value":"MII="},{"value":"MIIx\r\nMIIx"},{"value":"_-8"}]`,
			`"x509Certificates":[{"value":"MII="},{"value":"MIIx\r\nMIIx"},{"value":"_-8"}]`,
		},
		{
			"core attributes under the core URN", "google", core + `:{"title":"Boss","schemas":["x"],"id":"1"}`,
			`"title":"Boss"`,
		},
		{
			"core URN before an attribute name", "entra", `"urn:ietf:params:scim:schemas:core:2.0:User:title":"Boss"`,
			`"title":"Boss"`,
		},
		{"the same twice if equal", "rfc", `"title":"Boss",` + core + `:{"title":"Boss","nickName":null}`, `"title":"Boss"`},
		{
			"enterprise extension", "rfc", enterprise +
				`:{"EmployeeNumber":"7","manager":{"value":"m","displayName":"Max","$ref":"../Users/m"}}`,
			enterprise + `:{"employeeNumber":"7","manager":{"value":"m"}}`,
		},
		{
			"URN before an extension attribute", "entra",
			`"urn:ietf:params:scim:schemas:extension:enterprise:2.0:user:DEPARTMENT":"IT"`,
			enterprise + `:{"department":"IT"}`,
		},
		{
			"an extension both ways", "entra",
			enterprise + `:{"division":"X"},"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:department":"IT"`,
			enterprise + `:{"department":"IT","division":"X"}`,
		},
		{
			"an empty extension is no extension", "rfc", enterprise + `:{"department":null,"manager":{"value":null},"foo":1}`,
			``,
		},
		{"an extension of null, [], [{}]", "rfc", enterprise + `:null`, ``},
		{"an extension in an array", "entra", enterprise + `:[{"department":"IT"}]`, enterprise + `:{"department":"IT"}`},
		{"manager as a string", "okta", enterprise + `:{"manager":"m"}`, enterprise + `:{"manager":{"value":"m"}}`},
		{
			"manager as an array", "rfc", enterprise + `:{"manager":[{"$ref":null,"value":"m"}]}`,
			enterprise + `:{"manager":{"value":"m"}}`,
		},
		{
			"manager as an array of a string", "okta", enterprise + `:{"manager":["m"]}`,
			enterprise + `:{"manager":{"value":"m"}}`,
		},
		{"manager of nothing", "rfc", enterprise + `:{"department":"IT","manager":""}`, enterprise + `:{"department":"IT"}`},
		{"extension names without URN", "entra", `"department":"IT","manager":null`, enterprise + `:{"department":"IT"}`},
		{"extension names without URN are unknown to generic", "generic", `"department":"IT"`, ``},
		{"as long as allowed", "rfc", `"displayName":"` + long + `"`, `"displayName":"` + long + `"`},
	} {
		t.Run(c.name, func(t *testing.T) {
			in := object(t, `{"schemas":[`+core+`,`+enterprise+`],"userName":"bjensen"`+comma(c.body)+`}`)
			before := scim.Clone(in)
			got, err := schema.UserType().Normalize(in, dialect(t, c.idp))
			if err != nil {
				t.Fatal(err)
			}
			want := object(t, `{"userName":"bjensen"`+comma(c.want)+`}`)
			schema.UserType().SetSchemas(want)
			if !scim.Equal(got, want) {
				t.Errorf("got  %s\nwant %s", text(got), text(want))
			}
			if !scim.Equal(in, before) {
				t.Errorf("the input became %s", text(in))
			}
		})
	}
}

func comma(s string) string {
	if s == "" {
		return ""
	}
	return "," + s
}

func TestNormalizeUserRefuses(t *testing.T) {
	tooLong := `"` + strings.Repeat("é", schema.MaxNameBytes/2) + `x"`
	var emails []string
	for i := range schema.MaxEmails + 1 {
		emails = append(emails, fmt.Sprintf(`{"value":"%d"}`, i))
	}
	for _, c := range []struct {
		name, idp, body string
		typ             scim.ErrorType
		words           []string
	}{
		{"userName missing", "entra", ``, scim.InvalidValue, []string{"userName is required"}},
		{"userName empty", "entra", `"userName":""`, scim.InvalidValue, []string{"userName is required"}},
		{"userName blank", "entra", `"userName":" \t"`, scim.InvalidValue, []string{"userName is required"}},
		{"userName null", "entra", `"userName":null`, scim.InvalidValue, []string{"userName is required"}},
		{"active maybe", "entra", `"userName":"a","active":"maybe"`, scim.InvalidValue, []string{"active", "true or false"}},
		{"active a number", "entra", `"userName":"a","active":2`, scim.InvalidValue, []string{"active", "a number"}},
		{"a number for a string", "rfc", `"userName":5`, scim.InvalidValue, []string{"userName", "a string", "a number"}},
		{
			"a boolean for a string", "entra", `"userName":"a","emails":[{"value":true}]`, scim.InvalidValue,
			[]string{"emails.value", "a boolean"},
		},
		{"an object for a string", "rfc", `"userName":{"value":"a"}`, scim.InvalidValue, []string{"userName", "an object"}},
		{
			"two values for one", "entra", `"userName":["a","b"]`, scim.InvalidValue,
			[]string{"userName takes one value, not 2"},
		},
		{"a string for name", "entra", `"userName":"a","name":"Babs"`, scim.InvalidValue, []string{"name must be an object"}},
		{
			"a number for an e-mail", "entra", `"userName":"a","emails":[5]`, scim.InvalidValue,
			[]string{"emails must be an object"},
		},
		{
			"an array for an e-mail", "entra", `"userName":"a","emails":[["x"]]`, scim.InvalidValue,
			[]string{"emails must be an object"},
		},
		{
			"two primary", "entra", `"userName":"a","emails":[{"value":"a","primary":true},{"value":"b","primary":"True"}]`,
			scim.InvalidValue,
			[]string{"2 values of emails", "primary"},
		},
		{
			"no base64", "entra", `"userName":"a","x509Certificates":[{"value":"???"}]`, scim.InvalidValue,
			[]string{"x509Certificates.value", "base64"},
		},
		{
			"an extension that is no object", "entra", `"userName":"a",` + enterprise + `:"x"`, scim.InvalidValue,
			[]string{"enterprise:2.0:User must be an object"},
		},
		{
			"an extension of two objects", "entra", `"userName":"a",` + enterprise + `:[{},{}]`, scim.InvalidValue,
			[]string{"must be an object"},
		},
		{
			"manager a number", "entra", `"userName":"a",` + enterprise + `:{"manager":5}`, scim.InvalidValue,
			[]string{"enterprise:2.0:User:manager must be an object"},
		},
		{
			"employeeNumber a number", "interop", `"userName":"a",` + enterprise + `:{"employeeNumber":5}`, scim.InvalidValue,
			[]string{"enterprise:2.0:User:employeeNumber"},
		},
		{
			"twice and different", "entra", `"userName":"a","title":"x",` + core + `:{"title":"y"}`, scim.InvalidSyntax,
			[]string{"title is given twice"},
		},
		{"userName too long", "entra", `"userName":` + tooLong, scim.InvalidValue, []string{"userName", "513", "512"}},
		{
			"externalId too long", "entra", `"userName":"a","externalId":` + tooLong, scim.InvalidValue,
			[]string{"externalId", "512"},
		},
		{
			"displayName too long", "entra", `"userName":"a","displayName":` + tooLong, scim.InvalidValue,
			[]string{"displayName", "512"},
		},
		{
			"an e-mail too long", "entra", `"userName":"a","emails":[{"value":` + tooLong + `}]`, scim.InvalidValue,
			[]string{"emails.value", "512"},
		},
		{
			"too many e-mails", "entra", `"userName":"a","emails":[` + strings.Join(emails, ",") + `]`, scim.InvalidValue,
			[]string{"emails has 41 values", "40"},
		},
		{"unknown attribute", "interop", `"userName":"a","colour":"red"`, scim.InvalidSyntax, []string{`"colour"`}},
		{
			"unknown sub-attribute", "interop", `"userName":"a","name":{"nick":"x"}`, scim.InvalidSyntax,
			[]string{`"name.nick"`},
		},
		{"unknown extension", "interop", `"userName":"a","urn:x:y":{}`, scim.InvalidSyntax, []string{`"urn:x:y"`}},
		{
			"unknown extension attribute", "interop", `"userName":"a",` + enterprise + `:{"colour":"red"}`, scim.InvalidSyntax,
			[]string{`"colour"`},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			in := object(t, `{"schemas":[`+core+`]`+comma(c.body)+`}`)
			_, err := schema.UserType().Normalize(in, dialect(t, c.idp))
			refused(t, c.body, err, c.typ, c.words...)
		})
	}
}

// The password must not be returned, not even in an error about it.
func TestErrorsDoNotRepeatValues(t *testing.T) {
	for _, body := range []string{
		`{"userName":"a","password":["hunter2","hunter3"]}`,
		`{"userName":"a","password":{"hunter2":"hunter2"}}`, `{"userName":"a","active":"hunter2"}`,
	} {
		_, err := schema.UserType().Normalize(object(t, body), scim.Dialect{})
		refused(t, body, err, scim.InvalidValue)
		if strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%s: %v", body, err)
		}
	}
}

func TestNormalizeSchemas(t *testing.T) {
	data := enterprise + `:{"department":"IT"}`
	for _, c := range []struct{ idp, body, want string }{
		{"generic", ``, core},
		{"generic", `"schemas":null`, core},
		{"generic", `"schemas":[]`, core},
		{"generic", `"schemas":` + core, core},
		{"generic", `"schemas":["urn:scim:schemas:core:1.0"]`, core},
		{"generic", `"SCHEMAS":[` + enterprise + `,"urn:x",` + core + `,` + core + `]`, core},
		{"generic", `"schemas":[` + core + `],` + data, core + "," + enterprise},
		{"entra", `"schemas":[` + core + `,"urn:ietf:params:scim:schemas:extension:enterprise:2.0User"]`, core},
		{"rfc", `"schemas":[` + enterprise + `,` + strings.ToUpper(core) + `],` + data, core + "," + enterprise},
		{"rfc", `"schemas":[` + core + `],` + enterprise + `:{"department":null}`, core},
	} {
		got, err := schema.UserType().Normalize(object(t, `{"userName":"a"`+comma(c.body)+`}`), dialect(t, c.idp))
		if err != nil {
			t.Errorf("%s: %s: %v", c.idp, c.body, err)
		} else if s := text(got["schemas"]); s != "["+c.want+"]" {
			t.Errorf("%s: %s: schemas is %s", c.idp, c.body, s)
		}
	}
	for _, c := range []struct {
		idp, body string
		typ       scim.ErrorType
	}{
		{"generic", `"schemas":5`, scim.InvalidSyntax},
		{"generic", `"schemas":{}`, scim.InvalidSyntax},
		{"generic", `"schemas":[` + core + `,null]`, scim.InvalidSyntax},
		{"rfc", ``, scim.InvalidSyntax},
		{"rfc", `"schemas":[]`, scim.InvalidSyntax},
		{"rfc", `"schemas":` + core, scim.InvalidSyntax},
		{"rfc", `"schemas":["urn:x"]`, scim.InvalidSyntax},
		{"rfc", `"schemas":[` + core + `],` + data, scim.InvalidValue},
	} {
		_, err := schema.UserType().Normalize(object(t, `{"userName":"a"`+comma(c.body)+`}`), dialect(t, c.idp))
		refused(t, c.idp+": "+c.body, err, c.typ, "schemas")
	}
}

func TestNormalizeGroup(t *testing.T) {
	for _, c := range []struct{ name, body, want string }{
		{"members null", `"members":null`, ``},
		{"members empty", `"members":[]`, ``},
		{
			"members", `"members":[{"value":"1","$ref":null,"type":"User","display":"B"},"2",{"VALUE":"3",` +
				`"$ref":"../Users/3"},null]`,
			`"members":[{"value":"1","type":"User","display":"B"},{"value":"2"},{"value":"3","$ref":"../Users/3"}]`,
		},
		{"one member", `"members":{"value":"1"}`, `"members":[{"value":"1"}]`},
		{
			"the same member twice", `"members":[{"value":"1"},"1",{"value":"1","type":"User"}]`,
			`"members":[{"value":"1"},{"value":"1","type":"User"}]`,
		},
		{
			"schema URN of a legacy client",
			`"schemas":[` + groupURN + `,"http://schemas.microsoft.com/2006/11/ResourceManagement/ADSCIM/2.0/Group"]`, ``,
		},
	} {
		got, err := schema.GroupType().Normalize(object(t, `{"displayName":"G"`+comma(c.body)+`}`), scim.Dialect{})
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		want := object(t, `{"schemas":[`+groupURN+`],"displayName":"G"`+comma(c.want)+`}`)
		if !scim.Equal(got, want) {
			t.Errorf("%s:\ngot  %s\nwant %s", c.name, text(got), text(want))
		}
	}
	for body, words := range map[string][]string{
		`"members":[{"display":"B"}]`:              {"members.value is required"},
		`"members":[{"value":null,"type":"U"}]`:    {"members.value is required"},
		`"members":[{}]`:                           {"members.value is required"},
		`"members":[{"value":5}]`:                  {"members.value", "a string"},
		`"members":[{"value":"1","type":true}]`:    {"members.type", "a string"},
		`"members":[true]`:                         {"members must be an object"},
		`"displayName":"G"`:                        nil,
		`"members":[{"value":"1","$ref":["a",5]}]`: {"$ref"},
	} {
		if words == nil {
			continue
		}
		_, err := schema.GroupType().Normalize(object(t, `{"displayName":"G",`+body+`}`), scim.Dialect{})
		refused(t, body, err, scim.InvalidValue, words...)
	}
	_, err := schema.GroupType().Normalize(scim.Object{}, scim.Dialect{})
	refused(t, "displayName missing", err, scim.InvalidValue, "displayName is required")
}

func TestNormalizeManyMembers(t *testing.T) {
	const n = 20_000
	members := make([]any, 0, 2*n)
	for i := range 2 * n {
		members = append(members, scim.Object{"value": fmt.Sprint(i % n)})
	}
	got, err := schema.GroupType().Normalize(scim.Object{"displayName": "G", "members": members}, scim.Dialect{})
	if err != nil {
		t.Fatal(err)
	}
	if m := got["members"].([]any); len(m) != n {
		t.Errorf("%d members", len(m))
	}
	if len(members) != 2*n || members[2*n-1] == nil {
		t.Error("the input was changed")
	}
}

// custom is a schema with kinds of attributes that the schemas of RFC 7643 do not have.
func custom() *schema.ResourceType {
	attr := func(name string, t schema.Type) *schema.Attribute {
		return &schema.Attribute{Name: name, Type: t, Mutability: schema.ReadWrite, Returned: schema.Default}
	}
	score, tags, secret, whole := attr("score", schema.Decimal), attr("tags", schema.String),
		attr("secret", schema.String), attr("pair", schema.Complex)
	tags.MultiValued = true
	tags.MaxValues = 3
	secret.Returned = schema.Request
	key, val := attr("key", schema.String), attr("val", schema.String)
	key.Returned, val.Returned = schema.Always, schema.Request
	whole.SubAttributes = []*schema.Attribute{key, val, attr("note", schema.String)}
	ext := &schema.Schema{ID: "urn:example:2.0:Ext", Attributes: []*schema.Attribute{
		attr("count", schema.Integer), score, attr("since", schema.DateTime), tags, secret, whole,
	}}
	base := &schema.Schema{ID: "urn:example:2.0:Base", Attributes: []*schema.Attribute{attr("name", schema.String)}}
	return &schema.ResourceType{Core: base, Extensions: []schema.Extension{{Schema: ext, Required: true}}}
}

func TestNormalizeCustom(t *testing.T) {
	const urn = `"urn:example:2.0:Ext"`
	for body, want := range map[string]string{
		`"count":5`:     `"count":5`,
		`"count":5.0`:   `"count":5`,
		`"score":5`:     `"score":5`,
		`"score":[1.5]`: `"score":1.5`,
		`"since":"2026-11-22T08:00:00.1234567+01:00"`: `"since":"2026-11-22T08:00:00.1234567+01:00"`,
		`"tags":["a","b","a",null]`:                   `"tags":["a","b"]`,
		`"tags":"a"`:                                  `"tags":["a"]`,
	} {
		got, err := custom().Normalize(object(t, `{`+urn+`:{`+body+`}}`), scim.Dialect{})
		if err != nil {
			t.Errorf("%s: %v", body, err)
		} else if !scim.Equal(got, object(t, `{"schemas":["urn:example:2.0:Base",`+urn+`],`+urn+`:{`+want+`}}`)) {
			t.Errorf("%s: got %s", body, text(got))
		}
	}
	for body, word := range map[string]string{
		`"count":12.12`: "an integer", `"count":"5"`: "an integer", `"count":1e30`: "an integer", `"score":"1.5"`: "a number",
		`"since":"yesterday"`: "a date and time", `"since":5`: "a date and time", `"tags":["a","b","c","d"]`: "at most 3",
		`"tags":[5]`:   "a string",
		`"count":null`: "extension urn:example:2.0:Ext is required",
	} {
		_, err := custom().Normalize(object(t, `{`+urn+`:{`+body+`}}`), scim.Dialect{})
		refused(t, body, err, scim.InvalidValue, word)
	}
}

// TestFormsOfValues: forms of values that clients write and the RFC does not have, in the body of a POST or PUT.
func TestFormsOfValues(t *testing.T) {
	const former = `"urn:scim:schemas:extension:enterprise:1.0"`
	for _, c := range []struct{ name, idp, body, want string }{
		{
			"integers and text for booleans", "okta", `"title":42,"active":"0","emails":[{"value":7,"primary":1}]`,
			`"title":"42","active":false,"emails":[{"value":"7","primary":true}]`,
		},
		{
			"{value: x}", "entra", `"title":{"value":"T"},"name":{"givenName":[{"$ref":null,"value":"A"}]}`,
			`"title":"T","name":{"givenName":"A"}`,
		},
		{"JSON in a string", "keycloak", `"emails":"[{\"value\":\"a\"}]","name":"{\"givenName\":\"A\"}",` + enterprise +
			`:"{\"department\":\"d\"}"`, `"emails":[{"value":"a"}],"name":{"givenName":"A"},` + enterprise +
			`:{"department":"d"}`},
		{
			"a reference alone", "rfc", enterprise + `:{"manager":{"$ref":"https://example.com/v2/Users/7"}}`,
			enterprise + `:{"manager":{"value":"7"}}`,
		},
		{"a reference beside null", "rfc", enterprise + `:{"manager":{"$ref":"../Users/7","value":null}}`, ``},
		{
			"dotted keys", "okta", `"name.givenName":"A","name":{"familyName":"L"},"NAME.middleName":"M"`,
			`"name":{"givenName":"A","familyName":"L","middleName":"M"}`,
		},
		{
			"dotted keys of several", "okta", `"emails.value":"a","emails.type":"work","roles.type":"x"`,
			`"emails":[{"value":"a","type":"work"}]`,
		},
		{
			"dotted keys with a URN", "okta",
			`"urn:ietf:params:scim:schemas:core:2.0:User:name.givenName":"A","manager.value":"7",` + enterprise +
				`:{"department":"d"}`, `"name":{"givenName":"A"},` + enterprise + `:{"department":"d","manager":{"value":"7"}}`,
		},
		{"the same twice", "okta", `"name.givenName":"A","name":{"givenName":"A"}`, `"name":{"givenName":"A"}`},
		{"read-only dotted keys are ignored", "rfc", `"meta.version":"1"`, ``},
		{
			"read-only ones are ignored", "okta",
			`"meta.version":"1","groups.value":"g","manager.displayName":"M","groups[value eq \"g\"].value":"g"`, ``,
		},
		{"a filter on no attribute", "okta", `"things[type eq \"work\"].value":"a"`, ``},
		{
			"the URN of SCIM 1.1", "okta", former + `:{"department":"d"},"urn:scim:schemas:core:1.0:title":"T"`,
			`"title":"T",` + enterprise + `:{"department":"d"}`,
		},
		{"empty values", "rfc", `"emails":{},"name":{},"title":[],"roles":[{},null,""],` + enterprise + `:{}`, ``},
	} {
		t.Run(c.name, func(t *testing.T) {
			in := object(t, `{"schemas":[`+core+`,`+enterprise+`],"userName":"bjensen"`+comma(c.body)+`}`)
			before := scim.Clone(in)
			got, err := schema.UserType().Normalize(in, dialect(t, c.idp))
			if err != nil {
				t.Fatal(err)
			}
			want := object(t, `{"userName":"bjensen"`+comma(c.want)+`}`)
			schema.UserType().SetSchemas(want)
			if !scim.Equal(got, want) {
				t.Errorf("got  %s\nwant %s", text(got), text(want))
			}
			if !scim.Equal(in, before) {
				t.Errorf("the input became %s", text(in))
			}
		})
	}
	for _, c := range []struct {
		idp, body string
		typ       scim.ErrorType
	}{
		{"okta", `"name.givenName":"A","name":{"givenName":"B"}`, scim.InvalidSyntax},
		{"okta", `"emails.value":"a","emails":[{"value":"b"}]`, scim.InvalidSyntax},
		{"okta", `"name.givenName":{"a":1}`, scim.InvalidValue},
		{"interop", `"name.givenName":"A"`, scim.InvalidSyntax},
		{"okta", `"emails[type eq \"work\"].value":"a"`, scim.InvalidSyntax},
		{"generic", `"Roles[primary eq true]":{"value":"a"}`, scim.InvalidSyntax},
		{"rfc", enterprise + `:{"manager[value eq \"a.b\"].value":"7"}`, scim.InvalidSyntax},
		{"entra", `"manager[value eq \"1\"].value":"7"`, scim.InvalidSyntax},
		{"okta", `"emails":"[{"`, scim.InvalidValue},
		{"okta", `"emails":["{\"value\""]`, scim.InvalidValue},
		{"okta", `"emails":[{"value":"null"}]`, scim.InvalidValue},
		{"okta", `"emails":"[a@example.com]"`, scim.InvalidValue},
		{"rfc", `"phoneNumbers":[{"value":"[object Object]"}]`, scim.InvalidValue},
		{"okta", `"title":{}`, scim.InvalidValue},
		{"okta", `"title":1.5`, scim.InvalidValue},
		{"rfc", `"emails":"bare"`, scim.InvalidValue},
		{"rfc", `"emails":["bare"]`, scim.InvalidValue},
		{"rfc", `"title":[{"value":"T"}]`, scim.InvalidValue},
	} {
		_, err := schema.UserType().Normalize(object(t, `{"schemas":[`+core+`],"userName":"a",`+c.body+`}`),
			dialect(t, c.idp))
		refused(t, c.idp+" "+c.body, err, c.typ)
	}
}
