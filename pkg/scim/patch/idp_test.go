package patch_test

import (
	"testing"

	"github.com/serverless-scim/serverless-scim/pkg/scim"
	"github.com/serverless-scim/serverless-scim/pkg/scim/schema"
)

const bothSchemas = `"schemas":["urn:ietf:params:scim:schemas:core:2.0:User","` + enterprise + `"]`

// TestEntra applies requests of Microsoft Entra ID.
func TestEntra(t *testing.T) {
	managed := func(id string) string {
		return `{"` + enterprise + `":{"employeeNumber":"701984","manager":{"value":"` + id + `"}}}`
	}
	const unmanaged = `{"` + enterprise + `":{"employeeNumber":"701984"}}`
	rows := []row{
		{name: "capital operations", ops: `[{"op":"Add","path":"nickName","value":"Babs"},{"op":"Replace","path":"title",` +
			`"value":"T"},{"op":"Remove","path":"displayName"}]`, want: `{"nickName":"Babs","title":"T","displayName":null}`},
		{name: "False for false", ops: `[{"op":"Replace","path":"active","value":"False"}]`, want: `{"active":false}`},
		{name: "without a path", ops: `[{"op":"replace","value":{"active":"false"}}]`, want: `{"active":false}`},
		{
			name: "one operation per attribute", ops: `[
			{"op":"Replace","path":"displayName","value":"Anna Lang"},
			{"op":"Replace","path":"emails[type eq \"work\"].value","value":"anna.lang@example.com"},
			{"op":"Replace","path":"name.givenName","value":"Anna"},
			{"op":"Replace","path":"name.familyName","value":"Lang"},
			{"op":"Replace","path":"externalId","value":"anna.lang"},
			{"op":"Replace","path":"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:employeeNumber","value":"4711"}]`,
			want: `{"displayName":"Anna Lang","externalId":"anna.lang","name":{"givenName":"Anna","familyName":"Lang"},
			"emails":[{"type":"work","value":"anna.lang@example.com","primary":true},{"type":"home","value":"babs@example.org"}],
			"` + enterprise + `":{"employeeNumber":"4711","manager":{"value":"26118915"}}}`,
		},
		{
			name: "dotted and URN keys", ops: `[
			{"op":"replace","path":"emails[type eq \"work\"].value","value":"bruno.k@example.com"},
			{"op":"replace","value":{"displayName":"Bruno K","name.givenName":"Bruno","name.familyName":"Kern",
			"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:employeeNumber":"4712"}}]`,
			want: `{"displayName":"Bruno K","name":{"givenName":"Bruno","familyName":"Kern"},
			"emails":[{"type":"work","value":"bruno.k@example.com","primary":true},{"type":"home","value":"babs@example.org"}],
			"` + enterprise + `":{"employeeNumber":"4712","manager":{"value":"26118915"}}}`,
		},
		{
			name: "URN keys with an object and value paths as keys", ops: `[{"op":"replace","value":{
			"` + enterprise + `":{"department":"Ops","manager":"7","manager.value":"8"},
			"emails[type eq \"work\"].value":"b@example.com","phoneNumbers[type eq \"mobile\"].value":"1"}}]`,
			want: `{"emails":[{"type":"work","value":"b@example.com","primary":true},{"type":"home","value":"babs@example.org"}],
			"phoneNumbers":[{"type":"mobile","value":"1"}],
			"` + enterprise + `":{"employeeNumber":"701984","department":"Ops","manager":{"value":"8"}}}`,
		},
		{
			name: "add makes the e-mail", doc: ann,
			ops:  `[{"op":"Add","path":"emails[type eq \"work\"].value","value":"a@example.com"}]`,
			want: `{"emails":[{"type":"work","value":"a@example.com"}]}`,
		},
		{
			name: "replace makes the number", doc: ann,
			ops: `[{"op":"Replace","path":"phoneNumbers[type eq \"mobile\"].value","value":"+49 170"},{"op":"Replace",` +
				`"path":"phoneNumbers[type eq \"work\"].value","value":"+49 30"}]`,
			want: `{"phoneNumbers":[{"type":"mobile","value":"+49 170"},{"type":"work","value":"+49 30"}]}`,
		},
		{
			name: "replace with nothing makes nothing", doc: ann,
			ops: `[{"op":"Replace","path":"phoneNumbers[type eq \"mobile\"].value","value":""}]`,
		},
		{
			name: "one address", doc: ann, ops: `[
			{"op":"Add","path":"addresses[type eq \"work\"].formatted","value":"Weg 1, Berlin"},
			{"op":"Replace","path":"addresses[type eq \"work\"].postalCode","value":"10115"},
			{"op":"Add","path":"addresses[type eq \"work\"].country","value":"DE"}]`,
			want: `{"addresses":[{"type":"work","formatted":"Weg 1, Berlin","postalCode":"10115","country":"DE"}]}`,
		},
		{name: "manager as an id", ops: `[{"op":"Add","path":"` + enterprise + `:manager","value":"7"}]`, want: managed("7")},
		{
			name: "manager as an object", ops: `[{"op":"replace","path":"` + enterprise + `:manager","value":{"value":"7"}}]`,
			want: managed("7"),
		},
		{
			name: "manager as an array", ops: `[{"op":"Add","path":"manager","value":[{"$ref":null,"value":"7"}]}]`,
			want: managed("7"),
		},
		{
			name: "manager after a dot", ops: `[{"op":"replace","path":"` + enterprise + `.manager","value":"7"}]`,
			want: managed("7"),
		},
		{name: "manager without a path", ops: `[{"op":"replace","value":{"manager":"7"}}]`, want: managed("7")},
		{
			name: "manager removed by an empty string", ops: `[{"op":"Replace","path":"` + enterprise + `:manager","value":""}]`,
			want: unmanaged,
		},
		{
			name: "manager removed by null", ops: `[{"op":"Replace","path":"` + enterprise + `:manager","value":null}]`,
			want: unmanaged,
		},
		{name: "manager kept by an empty object", ops: `[{"op":"Replace","path":"` + enterprise + `:manager","value":{}}]`},
		{name: "manager removed by an empty value", ops: `[{"op":"Replace","path":"` + enterprise +
			`:manager","value":{"value":""}}]`, want: unmanaged},
		{
			name: "manager removed by a filter", ops: `[{"op":"remove","path":"manager[value eq \"26118915\"]"}]`,
			want: unmanaged,
		},
		{name: "manager kept by a filter", ops: `[{"op":"remove","path":"manager[value eq \"7\"]"}]`},
		{name: "manager removed", ops: `[{"op":"remove","path":"` + enterprise + `:manager"}]`, want: unmanaged},
		{
			name: "manager made by a filter", doc: ann, ops: `[{"op":"add","path":"manager[value eq \"7\"].value","value":"7"}]`,
			want: `{` + bothSchemas + `,"` + enterprise + `":{"manager":{"value":"7"}}}`,
		},
		{
			name: "boolean in a filter as a string",
			doc: `{` + `"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":"k","roles":[{"value":"Admin",` +
				`"type":"W","primary":true},{"value":"Other"}]}`,
			ops:  `[{"op":"Replace","path":"roles[primary eq \"True\"].value","value":"Disponent"}]`,
			want: `{"roles":[{"value":"Disponent","type":"W","primary":true},{"value":"Other"}]}`,
		},
		{
			name: "role made by a boolean as a string", doc: ann,
			ops:  `[{"op":"Replace","path":"roles[primary eq \"True\"].value","value":"Disponent"}]`,
			want: `{"roles":[{"value":"Disponent","primary":true}]}`,
		},
		{
			name: "boolean in a value as a string", doc: ann,
			ops:  `[{"op":"Add","path":"roles","value":[{"value":"A","primary":"True"}]}]`,
			want: `{"roles":[{"value":"A","primary":true}]}`,
		},
		{
			name: "JSON in a string stays a string", doc: ann,
			ops:  `[{"op":"Add","path":"roles","value":[{"value":"{\"id\":\"06b0\",\"value\":\"25\"}"}]}]`,
			want: `{"roles":[{"value":"{\"id\":\"06b0\",\"value\":\"25\"}"}]}`,
		},
		{
			name: "array of one for a single value",
			ops:  `[{"op":"Replace","path":"title","value":["T"]},{"op":"Replace","path":"name","value":[{"givenName":"B"}]}]`,
			want: `{"title":"T","name":{"givenName":"B","familyName":"Jensen"}}`,
		},
		{
			name: "core URN before a name",
			ops: `[{"op":"Replace","path":"urn:ietf:params:scim:schemas:core:2.0:User:title","value":"T"},{"op":"replace",` +
				`"value":{"urn:ietf:params:scim:schemas:core:2.0:User:name.givenName":"B",` +
				`"urn:ietf:params:scim:schemas:core:2.0:User":{"nickName":"N"}}}]`,
			want: `{"title":"T","nickName":"N","name":{"givenName":"B","familyName":"Jensen"}}`,
		},
		{name: "no operations", ops: `[]`},
		{name: "the same again", ops: `[{"op":"Replace","path":"displayName","value":"Babs Jensen"},{"op":"Add",` +
			`"path":"active","value":true}]`},
		{
			name: "an unknown attribute in a path is skipped",
			ops: `[{"op":"Add","path":"extensionAttribute7","value":"x"},{"op":"Add",` +
				`"path":"urn:ietf:params:scim:schemas:extension:custom:2.0:User:x","value":"x"},{"op":"Add",` +
				`"path":"emails[type eq \"work\"].nick","value":"x"},{"op":"Add","path":"emails[nick eq \"work\"].value",` +
				`"value":"x"},{"op":"Replace","path":"title","value":"T"}]`, want: `{"title":"T"}`,
		},
		{
			name: "many operations on a bare user", doc: ann, ops: `[
			{"op":"add","path":"emails[type eq \"work\"].value","value":"w"},{"op":"add","path":"emails[type eq \"work\"].primary","value":"True"},
			{"op":"add","path":"emails[type eq \"home\"].value","value":"h"},{"op":"add","path":"addresses[type eq \"work\"].locality","value":"L"},
			{"op":"add","path":"ims[type eq \"xmpp\"].value","value":"i"},{"op":"add","path":"photos[type eq \"photo\"].value","value":"https://example.com/p"},
			{"op":"add","value":{"name.formatted":"F","displayName":"D","nickName":"N","profileUrl":"https://example.com/","title":"T","userType":"U","preferredLanguage":"de","locale":"de-DE","timezone":"Europe/Berlin"}},
			{"op":"add","path":"` + enterprise + `:costCenter","value":"C"}]`,
			want: `{` + bothSchemas +
				`,"emails":[{"type":"work","value":"w","primary":true},{"type":"home","value":"h"}],"addresses":[{"type":"work","locality":"L"}],
			"ims":[{"type":"xmpp","value":"i"}],"photos":[{"type":"photo","value":"https://example.com/p"}],"name":{"formatted":"F"},"displayName":"D","nickName":"N",
			"profileUrl":"https://example.com/","title":"T","userType":"U","preferredLanguage":"de","locale":"de-DE","timezone":"Europe/Berlin","` + enterprise + `":{"costCenter":"C"}}`,
		},
	}
	for i := range rows {
		rows[i].idp = "entra"
		if rows[i].doc == "" {
			rows[i].doc = babs
		}
	}
	check(t, schema.UserType(), rows)
}

// TestIdPGroups applies identity providers' requests for groups.
func TestIdPGroups(t *testing.T) {
	check(t, schema.GroupType(), []row{
		{
			name: "Entra removes by a list", idp: "entra", doc: crew,
			ops: `[{"op":"Remove","path":"members","value":[{"$ref":null,"value":"u2"}]}]`, changes: []string{"remove u2"},
		},
		{
			name: "remove by filter", idp: "entra", doc: crew, ops: `[{"op":"remove","path":"members[value eq \"u2\"]"}]`,
			changes: []string{"remove u2"},
		},
		{
			name: "add with a null reference", idp: "entra", doc: crew,
			ops:     `[{"op":"Add","path":"members","value":[{"$ref":null,"value":"u1"}]}]`,
			changes: []string{`add {"value":"u1"}`},
		},
		{
			name: "externalId leaves the members", idp: "entra", doc: crew,
			ops: `[{"op":"Replace","path":"externalId","value":"x"}]`, want: `{"externalId":"x"}`,
		},
		{
			name: "id and name without a path", idp: "okta", doc: crew,
			ops: `[{"op":"replace","value":{"id":"g","displayName":"Test"}}]`, want: `{"displayName":"Test"}`,
		},
		{
			name: "members without a type", idp: "okta", doc: crew,
			ops:     `[{"op":"add","path":"members","value":[{"value":"u1","display":"gp1@example.com"}]}]`,
			changes: []string{`add {"display":"gp1@example.com","value":"u1"}`},
		},
		{
			name: "replace with nothing", idp: "okta", doc: crew, ops: `[{"op":"replace","path":"members","value":[]}]`,
			changes: []string{"replace"},
		},
		{
			name: "members, id and name without a path", idp: "okta", doc: crew,
			ops:  `[{"op":"replace","value":{"id":"g","displayName":"Test","members":[{"value":"u1"}]}}]`,
			want: `{"displayName":"Test"}`, changes: []string{`replace {"value":"u1"}`},
		},
		{
			name: "Okta removes and adds", idp: "okta", doc: crew,
			ops: `[{"op":"remove","path":"members[value eq \"u1\"]"},{"op":"add","path":"members","value":[{"value":"u3",` +
				`"display":"gp3@example.com"}]}]`,
			changes: []string{"remove u1", `add {"display":"gp3@example.com","value":"u3"}`},
		},
		{
			name: "null path", idp: "authentik", doc: crew,
			ops: `[{"op":"replace","path":null,"value":{"schemas":["urn:ietf:params:scim:schemas:core:2.0:Group"],"id":"g",` +
				`"externalId":"a1","displayName":"W"}}]`, want: `{"externalId":"a1","displayName":"W"}`,
		},
		{
			name: "authentik removes by a list", idp: "authentik", doc: crew,
			ops: `[{"op":"remove","path":"members","value":[{"value":"u1"}]}]`, changes: []string{"remove u1"},
		},
		{
			name: "JumpCloud removes by a list", idp: "jumpcloud", doc: crew,
			ops:     `[{"op":"remove","path":"members","value":[{"value":"u1"},{"value":"u2"}]}]`,
			changes: []string{"remove u1 u2"},
		},
		{
			name: "relative reference", idp: "keycloak", doc: crew,
			ops:     `[{"op":"remove","path":"members","value":[{"$ref":"Users/u1","value":"u1"}]}]`,
			changes: []string{"remove u1"},
		},
		{
			name: "JSON in a string", idp: "keycloak", doc: crew,
			ops:  `[{"op":"replace","value":"{\"displayName\":\"K\",\"members\":[{\"value\":\"u1\"}]}"}]`,
			want: `{"displayName":"K"}`, changes: []string{`replace {"value":"u1"}`},
		},
		{
			name: "no JSON in a string", idp: "keycloak", doc: crew, ops: `[{"op":"replace","value":"displayName"}]`,
			err: scim.InvalidValue,
		},
	})
}

// TestOtherUsers applies other identity providers' requests for users.
func TestOtherUsers(t *testing.T) {
	check(t, schema.UserType(), []row{
		{
			name: "deactivation", idp: "okta", doc: babs, ops: `[{"op":"replace","value":{"active":false}}]`,
			want: `{"active":false}`,
		},
		{
			name: "Okta sends a password", idp: "okta", doc: ann, ops: `[{"op":"replace","value":{"password":"n3wSecret!"}}]`,
			want: `{"password":"n3wSecret!"}`,
		},
		{
			name: "template values", idp: "onelogin", doc: babs,
			ops: `[{"op":"replace","value":{"active":"true","id":null,"title":null}}]`,
		},
		{
			name: "an empty path is none", idp: "google", doc: babs,
			ops: `[{"op":"replace","path":"","value":{"active":false}}]`, want: `{"active":false}`,
		},
		{name: "interop: unknown attribute", idp: "interop", doc: babs, ops: `[{"op":"replace","path":"` + enterprise +
			`","value":{"shoeSize":1}}]`, err: scim.InvalidSyntax},
		{
			name: "interop: schemas inside an extension", idp: "interop",
			doc: `{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":"b"}`,
			ops: `[{"op":"add","path":"` + enterprise + `","value":{"schemas":["` + enterprise + `"],"department":"d"}}]`,
			want: `{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User","` + enterprise + `"],"` + enterprise +
				`":{"department":"d"},"userName":"b"}`,
		},
		{
			name: "interop: unknown sub-attribute", idp: "interop", doc: babs,
			ops: `[{"op":"replace","path":"name","value":{"nick":"x"}}]`, err: scim.InvalidSyntax,
		},
		{
			name: "interop: replace of a whole complex attribute", idp: "interop",
			doc:  `{"userName":"b","name":{"givenName":"B","familyName":"J"}}`,
			ops:  `[{"op":"replace","path":"name","value":{"familyName":"K"}}]`,
			want: `{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"name":{"familyName":"K"}}`,
		},
		{
			name: "interop: add to a complex attribute", idp: "interop",
			doc:  `{"userName":"b","name":{"givenName":"B","familyName":"J"}}`,
			ops:  `[{"op":"add","path":"name","value":{"familyName":"K"}}]`,
			want: `{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"name":{"givenName":"B","familyName":"K"}}`,
		},
		{
			name: "interop: unknown path", idp: "interop", doc: babs, ops: `[{"op":"replace","path":"shoeSize","value":1}]`,
			err: scim.InvalidPath,
		},
		{
			name: "interop: no path", idp: "interop", doc: babs, ops: `[{"op":"replace","value":{"title":"x"}}]`,
			err: scim.InvalidSyntax,
		},
		{name: "generic: no operations", doc: babs, ops: `[]`, err: scim.InvalidSyntax},
		{name: "okta: no operations", idp: "okta", doc: babs, ops: `[]`, err: scim.InvalidSyntax},
	})
}

// An element that a client leaves with nothing but type, primary and $ref is no value, whichever operation brings it.
func TestApplyLabelsAlone(t *testing.T) {
	labels := `{"type":"other","value":null,"primary":true}`
	rows := []row{
		{name: "add", idp: "entra", ops: `[{"op":"add","path":"emails","value":[` + labels + `]}]`},
		{
			name: "add without a path", idp: "entra",
			ops: `[{"op":"add","value":{"phoneNumbers":[{"type":"work","value":""}]}}]`,
		},
		{
			name: "replace", idp: "entra", ops: `[{"op":"replace","path":"emails","value":[` + labels + `]}]`,
			want: `{"emails":null}`,
		},
		{
			name: "add by a filter", idp: "entra",
			ops: `[{"op":"add","path":"emails[type eq \"other\"].primary","value":true}]`,
		},
		{
			name: "replace by a filter", idp: "entra",
			ops: `[{"op":"replace","path":"emails[type eq \"other\"]","value":{"primary":true}}]`,
		},
		{
			name: "an address", idp: "entra",
			ops: `[{"op":"add","path":"addresses","value":[{"type":"home","primary":false}]}]`,
		},
		{
			name: "merge", idp: "entra", doc: ann,
			ops: `[{"op":"add","path":"emails","value":[{"display":"B","type":"work"}]},{"op":"add","path":"emails[type eq ` +
				`\"work\"]","value":{"display":null}}]`,
		},
		{
			name: "a type still names what to remove", ops: `[{"op":"remove","path":"emails","value":[{"type":"work"}]}]`,
			want: `{"emails":[{"type":"home","value":"babs@example.org"}]}`,
		},
	}
	for i := range rows {
		if rows[i].doc == "" {
			rows[i].doc = babs
		}
	}
	check(t, schema.UserType(), rows)
}
