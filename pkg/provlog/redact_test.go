package provlog

import (
	"strings"
	"testing"

	"github.com/serverless-scim/serverless-scim/pkg/scim"
	"github.com/serverless-scim/serverless-scim/pkg/scim/schema"
)

// TestRedactedBodies checks redacted bodies in every form that identity providers write: no secret ever, no personal
// data unless it is asked for, and all values that an administrator needs to see.
func TestRedactedBodies(t *testing.T) {
	const enterprise = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"
	user, group := schema.UserType(), schema.GroupType()
	op := func(ops string) string { return `{"Operations":[` + ops + `]}` }
	for _, c := range []struct {
		what     string
		rt       *schema.ResourceType
		personal bool
		body     string
		shows    []string
		hides    []string
	}{
		{
			"POST", user, false,
			`{"userName":"jim@example.com","password":"hunter2","name":{"givenName":"Jim"},"active":true,"employeeNumber":17,
			"emails":[{"type":"work","value":"jim@example.com","primary":true}],"roles":[{"value":"admin"}]}`,
			[]string{`"type":"work"`, "@example.com", `"primary":true`, `"admin"`, `"active":true`, "givenName", "(secret)"},
			[]string{"hunter2", "Jim", "jim", "17"},
		},
		{
			"POST, personal data kept", user, true,
			`{"userName":"jim","Password":"hunter2","clientSecret":"s3","x":{"apiToken":"t4"}}`,
			[]string{`"jim"`},
			[]string{"hunter2", "s3", "t4"},
		},
		{
			"PATCH of a password", user, true, op(`{"op":"replace","path":"password","value":"hunter2"}`),
			[]string{`"path":"password"`},
			[]string{"hunter2"},
		},
		{
			"PATCH of a password by its URN", user, true,
			op(`{"op":"replace","path":"urn:ietf:params:scim:schemas:core:2.0:User:password","value":"hunter2"}`),
			nil,
			[]string{"hunter2"},
		},
		{
			"PATCH without a path", user, false, op(`{"op":"Replace","value":{"password":"hunter2","name.givenName":"Jim",` +
				`"emails[type eq \"work\"].value":"jim@example.com","` + enterprise + `:department":"Sales","active":"False"}}`),
			[]string{"name.givenName", `emails[type eq \"work\"].value`, "@example.com", `"False"`, "Replace"},
			[]string{"hunter2", "Jim", "jim@", "Sales"},
		},
		{
			"a filter with an address", user, false,
			op(`{"op":"remove","path":"emails[value eq \"jim@example.com\"]"}`),
			[]string{"emails[value eq", "@example.com"},
			[]string{"jim@"},
		},
		{
			"a filter with a number or a street", user, false,
			op(`{"op":"remove","path":"phoneNumbers[value eq \"+49 170\"]"},` +
				`{"op":"replace","path":"addresses[type eq \"work\" and streetAddress co \"Elm \\\"Row\"].region","value":"N"},` +
				`{"op":"remove","path":"addresses[type eq \"home\" and not (locality eq \"Ulm\")]"},` +
				`{"op":"remove","path":"roles[value eq \"lead\"]"}`),
			[]string{"phoneNumbers[value eq", `type eq \"home\"`, `roles[value eq \"lead\"]`},
			[]string{"+49", "Elm", "Row", "Ulm"},
		},
		{
			"a filter with a secret", user, true, op(`{"op":"remove","path":"keys[apiToken eq \"t4\"]"}`),
			nil,
			[]string{"t4"},
		},
		{
			"other filters with a secret", user, true,
			op(`{"op":"remove","path":"emails[type eq \"work\" and password eq \"s1\"].value"},` +
				`{"op":"remove","path":"password[value eq \"s2\"]"},{"op":"remove","path":"emails[password eq 's3']"},` +
				`{"op":"remove","path":"keys[apiToken eq \"\\\"s4\"]"},{"op":"replace","path":"password.value","value":"s5"}`),
			[]string{`emails[type eq \"work\" and password(secret)`},
			[]string{"s1", "s2", "s3", "s4", "s5"},
		},
		{
			"operations that are none", user, true,
			op(`{"path":"password","value":"s1"},{"op":"add","path":"password","values":["s2"]},` +
				`{"op":"add","value":[{"path":"Password","value":{"x":"s3"}}]},{"path":"password eq \"s4\""}`),
			nil,
			[]string{"s1", "s2", "s3", "s4"},
		},
		{"a search for a secret", user, true, `{"filter":"password eq \"s1\""}`, []string{`"password(secret)"`}, []string{"s1"}},
		{
			"a search", user, true, `{"filter":"userName eq \"jim\" or active eq true"}`,
			[]string{`userName eq \"jim\" or active eq true`},
			nil,
		},
		{"a search of unknown resources", nil, true, `{"filter":"pin eq \"s1\""}`, nil, []string{"s1"}},
		{
			"an attribute called path", user, false, `{"path":"Elm Row","value":"x"}`, nil, []string{"Elm"},
		},
		{
			"a filter in a name", user, false,
			op(`{"op":"replace","value":{"emails[value eq \"jim@example.com\"].type":"work"}}`),
			[]string{`@example.com\"].type`},
			[]string{"jim"},
		},
		{
			"a filter on members", group, false,
			op(`{"op":"remove","path":"members[value eq \"2819c223\" or display eq \"Jim\"]"}`),
			[]string{"2819c223"},
			[]string{"Jim"},
		},
		{
			"PATCH of a manager", user, false, op(`{"op":"add","path":"` + enterprise + `:manager","value":"26118915"}`),
			[]string{"26118915"},
			nil,
		},
		{
			"a manager with a name", user, false,
			`{"` + enterprise + `":{"manager":{"value":"26118915","displayName":"John Smith"},"department":"Sales"}}`,
			[]string{"26118915", "displayName"},
			[]string{"Smith", "Sales"},
		},
		{
			"members", group, false,
			`{"displayName":"Staff","members":[{"value":"2819c223","display":"Jim Halpert","type":"User"}]}`,
			[]string{"Staff", "2819c223", `"type":"User"`},
			[]string{"Halpert"},
		},
		{
			"PATCH of members", group, false,
			op(`{"op":"Add","path":"members","value":[{"value":"2819c223","display":"Jim Halpert","$ref":null}]}`),
			[]string{"2819c223"},
			[]string{"Halpert"},
		},
		{
			"a group's name in a user", user, false, `{"displayName":"Jim Halpert","nickName":"Big Tuna"}`, nil,
			[]string{"Halpert", "Tuna"},
		},
		{"no resource type", nil, false, `{"password":"hunter2","filter":"x"}`, nil, []string{"hunter2"}},
	} {
		o, err := scim.ParseObject(c.body)
		if err != nil {
			t.Fatal(c.what, err)
		}
		got := string(scim.AppendJSON(nil, redactorOf(c.rt, c.personal).body(o)))
		for _, part := range c.shows {
			if !strings.Contains(got, part) {
				t.Errorf("%s: without %s: %s", c.what, part, got)
			}
		}
		for _, part := range c.hides {
			if strings.Contains(got, part) {
				t.Errorf("%s: shows %s: %s", c.what, part, got)
			}
		}
	}
}

// FuzzRedact redacts any body: the answer is JSON with no more in it, and a password is never in it.
func FuzzRedact(f *testing.F) {
	f.Add(`{"userName":"x","emails":[{"value":"a@b"}]}`, true)
	f.Add(`{"Operations":[{"op":"add","path":"a[b eq \"c@d\"]","value":[1,null,{"x":true}]}]}`, false)
	f.Fuzz(func(t *testing.T, text string, personal bool) {
		o, err := scim.ParseObject(text)
		if err != nil {
			return
		}
		const secret = "\u2603secret\u2603"
		o["password"] = secret
		out := scim.AppendJSON(nil, redactorOf(schema.UserType(), personal).body(o))
		again, err := scim.ParseObject(out)
		if err != nil || len(again) > len(o) {
			t.Fatalf("%s became %s: %v", text, out, err)
		}
		if strings.Contains(string(out), secret) {
			t.Fatalf("%s shows the password: %s", text, out)
		}
	})
}

// TestEntryIDs holds the ids of entries, which are cursors as well.
func TestEntryIDs(t *testing.T) {
	id := newID(timeOf("1795873231609123-x"), 7)
	if !strings.HasPrefix(id, "1795873231609123-0007") || !isID(id) || timeOf(id).UnixMicro() != 1795873231609123 {
		t.Errorf("id %s", id)
	}
	for _, bad := range []string{"", "x", "1795873231609123", "1795873231609123-", "1795873231609123-\x01"} {
		if isID(bad) {
			t.Errorf("%q is taken for an id", bad)
		}
	}
}
