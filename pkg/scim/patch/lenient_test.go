package patch_test

import (
	"testing"

	"github.com/serverless-scim/serverless-scim/pkg/scim"
	"github.com/serverless-scim/serverless-scim/pkg/scim/schema"
)

// TestJSONInAString: a string of JSON in the place of a complex value is read, or refused; it is never stored. In the
// place of a simple value it is text.
func TestJSONInAString(t *testing.T) {
	check(t, schema.GroupType(), []row{
		{
			name: "add", doc: crew, ops: `[{"op":"add","path":"members","value":"[{\"value\":\"a\"},{\"value\":\"b\"}]"}]`,
			changes: []string{`add {"value":"a"} {"value":"b"}`},
		},
		{
			name: "replace", doc: crew, ops: `[{"op":"replace","path":"members","value":" [{\"value\":\"a\"}] "}]`,
			changes: []string{`replace {"value":"a"}`},
		},
		{
			name: "one object", doc: crew, ops: `[{"op":"add","path":"members","value":"{\"value\":\"a\"}"}]`,
			changes: []string{`add {"value":"a"}`},
		},
		{
			name: "objects in a list", doc: crew,
			ops:     `[{"op":"add","path":"members","value":["{\"value\":\"a\"}",{"value":"b"}]}]`,
			changes: []string{`add {"value":"a"} {"value":"b"}`},
		},
		{
			name: "remove", doc: crew, ops: `[{"op":"remove","path":"members","value":"[{\"value\":\"a\"}]"}]`,
			changes: []string{"remove a"},
		},
		{
			name: "remove objects in a list", doc: crew, ops: `[{"op":"remove","path":"members","value":["{\"value\":\"a\"}"]}]`,
			changes: []string{"remove a"},
		},
		{name: "remove an empty list", doc: crew, ops: `[{"op":"remove","path":"members","value":"[]"}]`},
		{
			name: "without a path", doc: crew, ops: `[{"op":"replace","value":{"members":"[{\"value\":\"a\"}]"}}]`,
			changes: []string{`replace {"value":"a"}`},
		},
		{
			name: "a string without a path", doc: crew,
			ops:     `[{"op":"add","value":"{\"members\":\"[{\\\"value\\\":\\\"a\\\"}]\"}"}]`,
			changes: []string{`add {"value":"a"}`},
		},
		{
			name: "by a filter", doc: crew, ops: `[{"op":"add","path":"members[value eq \"a\"]","value":"{\"display\":\"A\"}"}]`,
			changes: []string{`add {"display":"A","value":"a"}`},
		},
		{
			name: "broken", doc: crew, ops: `[{"op":"replace","path":"members","value":"[{\"value\":\"a\"}"}]`,
			err: scim.InvalidValue,
		},
		{
			name: "broken, removed", doc: crew, ops: `[{"op":"remove","path":"members","value":"[{value:a}]"}]`,
			err: scim.InvalidValue,
		},
		{
			name: "a broken element", doc: crew, ops: `[{"op":"remove","path":"members","value":["{\"value\":"]}]`,
			err: scim.InvalidValue,
		},
		{
			name: "two documents", doc: crew, ops: `[{"op":"add","path":"members","value":"{\"value\":\"a\"},\"x\":{}"}]`,
			err: scim.InvalidValue,
		},
		{
			name: "null as a member", doc: crew, ops: `[{"op":"add","path":"members","value":[{"value":"null"}]}]`,
			err: scim.InvalidValue,
		},
		{
			name: "a text in brackets as a member", doc: crew,
			ops: `[{"op":"add","path":"members","value":[{"value":"[object Object]"}]}]`, err: scim.InvalidValue,
		},
		{
			name: "an id in braces", doc: crew, ops: `[{"op":"add","path":"members","value":[{"value":"{4f}"}]}]`,
			changes: []string{`add {"value":"{4f}"}`},
		},
		{
			name: "rfc", doc: crew, idp: "rfc", ops: `[{"op":"add","path":"members","value":"[{\"value\":\"a\"}]"}]`,
			changes: []string{`add {"value":"a"}`},
		},
	})
	managed := `{"` + enterprise + `":{"employeeNumber":"701984","manager":{"value":"7"}}}`
	check(t, schema.UserType(), []row{
		{name: "e-mails", doc: babs, ops: `[{"op":"replace","path":"emails","value":"[{\"value\":\"a@example.com\",` +
			`\"type\":\"work\"}]"}]`, want: `{"emails":[{"value":"a@example.com","type":"work"}]}`},
		{
			name: "phone numbers", doc: ann, ops: `[{"op":"add","path":"phoneNumbers","value":"{\"value\":\"1\"}"}]`,
			want: `{"phoneNumbers":[{"value":"1"}]}`,
		},
		{name: "manager", doc: babs, ops: `[{"op":"replace","path":"` + enterprise +
			`:manager","value":"{\"value\":\"7\"}"}]`, want: managed},
		{name: "manager in an array", doc: babs, ops: `[{"op":"replace","path":"` + enterprise +
			`:manager","value":"[{\"value\":\"7\"}]"}]`, want: managed},
		{name: "manager removed", doc: babs, ops: `[{"op":"remove","path":"` + enterprise +
			`:manager","value":"{\"value\":\"26118915\"}"}]`, want: `{"` + enterprise + `":{"employeeNumber":"701984"}}`},
		{
			name: "name", doc: babs, ops: `[{"op":"replace","path":"name","value":"{\"givenName\":\"B\"}"}]`,
			want: `{"name":{"familyName":"Jensen","givenName":"B"}}`,
		},
		{
			name: "an element", doc: babs,
			ops:  `[{"op":"replace","path":"emails[type eq \"home\"]","value":"{\"value\":\"h\"}"}]`,
			want: `{"emails":[{"type":"work","value":"bjensen@example.com","primary":true},{"type":"home","value":"h"}]}`,
		},
		{name: "an extension", doc: babs, ops: `[{"op":"replace","path":"` + enterprise +
			`","value":"{\"manager\":{\"value\":\"7\"}}"}]`, want: managed},
		{name: "broken e-mails", doc: babs, ops: `[{"op":"replace","path":"emails","value":"[{"}]`, err: scim.InvalidValue},
		{name: "a broken manager", doc: babs, ops: `[{"op":"replace","path":"` + enterprise +
			`:manager","value":"{\"value\""}]`, err: scim.InvalidValue},
		{name: "a broken array as one e-mail", doc: babs, ops: `[{"op":"replace","path":"emails[type eq \"home\"].value",` +
			`"value":"[a@example.com]"}]`, err: scim.InvalidValue},
		{
			name: "null as one phone number", doc: ann, idp: "entra",
			ops: `[{"op":"add","path":"phoneNumbers[type eq \"work\"].value","value":"null"}]`, err: scim.InvalidValue,
		},
		{name: "false as a manager", doc: babs, ops: `[{"op":"replace","path":"` + enterprise +
			`:manager.value","value":" false"}]`, err: scim.InvalidValue},
		{
			name: "text stays text", doc: ann, ops: `[{"op":"add","path":"nickName","value":"null"},` +
				`{"op":"add","path":"title","value":"[a]"},{"op":"add","path":"roles","value":[{"value":"true"}]}]`,
			want: `{"nickName":"null","roles":[{"value":"true"}],"title":"[a]"}`,
		},
		{
			name: "simple values stay text", doc: ann,
			ops:  `[{"op":"add","path":"roles","value":[{"value":"{\"a\":1}"}]},{"op":"add","path":"title","value":"[{}]"}]`,
			want: `{"roles":[{"value":"{\"a\":1}"}],"title":"[{}]"}`,
		},
		{
			name: "also by a filter", doc: ann, ops: `[{"op":"add","path":"roles[type eq \"x\"].value","value":"{\"a\":1}"}]`,
			idp: "entra", want: `{"roles":[{"type":"x","value":"{\"a\":1}"}]}`,
		},
	})
	keyed, doc := deviceWithKeys(t)
	check(t, keyed, []row{
		{name: "tags", doc: doc, ops: `[{"op":"add","path":"tags","value":"[\"a\",\"b\"]"}]`, want: `{"tags":["a","b"]}`},
		{
			name: "one tag in brackets", doc: doc, ops: `[{"op":"add","path":"tags","value":"[draft]"}]`,
			want: `{"tags":["[draft]"]}`,
		},
		{
			name: "keys", doc: doc, ops: `[{"op":"add","path":"keys","value":"[{\"value\":\"k\"}]"}]`,
			want: `{"keys":[{"value":"k"}]}`,
		},
	})
}

// TestSeveralValuesInAString: one string that holds several addresses or numbers is refused, wherever it stands; it is
// never stored as one, and never removes nothing.
func TestSeveralValuesInAString(t *testing.T) {
	refused := func(rt *schema.ResourceType, doc, path string, values ...string) {
		for _, v := range values {
			element := `{"value":` + v + `}`
			for _, op := range []string{
				`"op":"add","path":"` + path + `","value":` + v,
				`"op":"replace","path":"` + path + `","value":[` + v + `]`,
				`"op":"add","path":"` + path + `","value":` + element,
				`"op":"remove","path":"` + path + `","value":[` + element + `]`,
				`"op":"replace","value":{"` + path + `":[` + element + `]}`,
				`"op":"replace","value":{"` + path + `":` + v + `}`,
			} {
				check(t, rt, []row{{name: op, doc: doc, ops: `[{` + op + `}]`, err: scim.InvalidValue}})
			}
		}
	}
	refused(schema.UserType(), babs, "emails",
		`"a@example.com, b@example.com"`, `"a@example.com;b@example.com"`, `"<a@example.com> <b@example.com>"`,
		`"a@example.com\nb@example.com"`)
	refused(schema.UserType(), babs, "phoneNumbers", `"+49 30 123456, +49 30 123457"`, `"tel:5550100;tel:555-0101"`)
	refused(schema.UserType(), babs, "photos", `"https://example.com/a https://example.com/b"`)
	refused(schema.GroupType(), crew, "members", `"a@example.com, b@example.com"`)
	check(t, schema.UserType(), []row{
		{
			name: "by a filter", doc: babs, err: scim.InvalidValue,
			ops: `[{"op":"replace","path":"emails[type eq \"work\"].value","value":"a@example.com,b@example.com"}]`,
		},
		{
			name: "one value with signs", doc: ann, ops: `[{"op":"add","value":{"emails":"A <a@example.com>",` +
				`"phoneNumbers":[{"value":"+1 555 0100 x12,34"},{"value":"tel:+1-201-555-0123;ext=1234567"}],` +
				`"photos":"https://example.com/a,b?c=d;e"}}]`,
			want: `{"emails":[{"value":"A <a@example.com>"}],"photos":[{"value":"https://example.com/a,b?c=d;e"}],` +
				`"phoneNumbers":[{"value":"+1 555 0100 x12,34"},{"value":"tel:+1-201-555-0123;ext=1234567"}]}`,
		},
	})
}

// TestValueObjects: {"value": x} for x, in each element of several.
func TestValueObjects(t *testing.T) {
	keyed, doc := deviceWithKeys(t)
	tagged := doc[:len(doc)-1] + `,"tags":["a","b"]}`
	check(t, keyed, []row{
		{
			name: "add", idp: "entra", doc: doc,
			ops: `[{"op":"Add","path":"tags","value":[{"value":"a"},{"$ref":null,"value":"b"}]}]`, want: `{"tags":["a","b"]}`,
		},
		{
			name: "replace", idp: "entra", doc: tagged, ops: `[{"op":"Replace","path":"tags","value":[{"value":"c"}]}]`,
			want: `{"tags":["c"]}`,
		},
		{
			name: "remove", idp: "entra", doc: tagged,
			ops: `[{"op":"Remove","path":"tags","value":[{"$ref":null,"value":"a"}]}]`, want: `{"tags":["b"]}`,
		},
		{
			name: "without a path", idp: "okta", doc: doc,
			ops:  `[{"op":"add","value":{"tags":{"value":"a"},"ports":[{"value":"80"}],"on":{"value":"1"}}}]`,
			want: `{"tags":["a"],"ports":[80],"on":true}`,
		},
		{
			name: "null in it", doc: tagged, ops: `[{"op":"replace","path":"tags","value":[{"value":null}]}]`,
			want: `{"tags":null}`,
		},
		{
			name: "rfc", idp: "rfc", doc: doc, ops: `[{"op":"add","path":"tags","value":[{"value":"a"}]}]`,
			err: scim.InvalidValue,
		},
		{
			name: "interop", idp: "interop", doc: doc, ops: `[{"op":"add","path":"on","value":{"value":true}}]`,
			err: scim.InvalidValue,
		},
	})
	check(t, schema.UserType(), []row{
		{
			name: "a single value", doc: babs,
			ops: `[{"op":"replace","path":"title","value":{"value":"T"}},{"op":"replace","path":"active",` +
				`"value":{"value":"False"}}]`, want: `{"title":"T","active":false}`,
		},
	})
}

// TestAddWhatIsThere: an element that is there with all that is said of it changes nothing, and no other one either.
func TestAddWhatIsThere(t *testing.T) {
	const two = `{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":"k","phoneNumbers":[
		{"type":"work","value":"1","display":"a"},{"type":"work","value":"1","display":"b"}]}`
	check(t, schema.UserType(), []row{
		{name: "the second", doc: two, ops: `[{"op":"add","path":"phoneNumbers","value":[{"type":"work","value":"1",` +
			`"display":"b"}]}]`},
		{name: "both", doc: two, ops: `[{"op":"add","path":"phoneNumbers","value":[{"type":"work","value":"1",` +
			`"display":"b"},{"type":"work","value":"1","display":"a"}]}]`},
		{
			name: "without a path", doc: two,
			ops: `[{"op":"add","value":{"phoneNumbers":[{"type":"work","value":"1","display":"b","primary":false}]}}]`,
		},
		{
			name: "less than is there", doc: two,
			ops: `[{"op":"add","path":"phoneNumbers","value":[{"type":"work","value":"1"}]}]`,
		},
		{
			name: "one of them primary", doc: two,
			ops: `[{"op":"add","path":"phoneNumbers","value":[{"type":"work","value":"1","display":"b","primary":true}]}]`,
			want: `{"phoneNumbers":[{"type":"work","value":"1","display":"a"},{"type":"work","value":"1","display":"b",` +
				`"primary":true}]}`,
		},
		{
			name: "two at once", doc: ann,
			ops: `[{"op":"add","path":"phoneNumbers","value":[{"type":"work","value":"1","display":"a"},{"type":"work",` +
				`"value":"1","display":"b"}]}]`,
			want: `{"phoneNumbers":[{"type":"work","value":"1","display":"a"},{"type":"work","value":"1","display":"b"}]}`,
		},
	})
}

// TestRemoveByValue: a remove with a value removes that value only.
func TestRemoveByValue(t *testing.T) {
	const two = `{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":"k","phoneNumbers":[
		{"type":"work","value":"1","display":"a"},{"type":"work","value":"1","display":"b"},{"type":"home","value":"1"}]}`
	unmanaged := `{"` + enterprise + `":{"employeeNumber":"701984"}}`
	home := `{"emails":[{"type":"home","value":"babs@example.org"}]}`
	check(t, schema.UserType(), []row{
		{
			name: "another display", doc: babs,
			ops: `[{"op":"remove","path":"emails","value":[{"value":"bjensen@example.com","display":"B"}]}]`, want: home,
		},
		{
			name: "another primary", doc: babs,
			ops:  `[{"op":"remove","path":"emails","value":{"value":"bjensen@example.com","type":"work","primary":false}}]`,
			want: home,
		},
		{
			name: "another type", doc: babs,
			ops: `[{"op":"remove","path":"emails","value":[{"value":"bjensen@example.com","type":"home"}]}]`,
		},
		{
			name: "the one that agrees in all", doc: two,
			ops:  `[{"op":"remove","path":"phoneNumbers","value":[{"value":"1","type":"work","display":"b"}]}]`,
			want: `{"phoneNumbers":[{"type":"work","value":"1","display":"a"},{"type":"home","value":"1"}]}`,
		},
		{
			name: "none agrees in all", doc: two,
			ops:  `[{"op":"remove","path":"phoneNumbers","value":[{"value":"1","type":"work","display":"c"}]}]`,
			want: `{"phoneNumbers":[{"type":"home","value":"1"}]}`,
		},
		{
			name: "an address", doc: babs,
			ops:  `[{"op":"remove","path":"addresses","value":[{"type":"work","region":"CA","primary":true}]}]`,
			want: `{"addresses":null}`,
		},
		{
			name: "another address", doc: babs,
			ops: `[{"op":"remove","path":"addresses","value":[{"type":"work","region":"NY"}]}]`,
		},
		{name: "no primary one", doc: two, ops: `[{"op":"remove","path":"phoneNumbers","value":[{"primary":true}]}]`},
		{name: "manager", doc: babs, ops: `[{"op":"remove","path":"` + enterprise +
			`:manager","value":{"value":"26118915"}}]`, want: unmanaged},
		{
			name: "manager as text", doc: babs, idp: "entra", ops: `[{"op":"Remove","path":"manager","value":"26118915"}]`,
			want: unmanaged,
		},
		{name: "manager by its reference", doc: babs, ops: `[{"op":"remove","path":"` + enterprise +
			`:manager","value":{"$ref":"../Users/26118915"}}]`, want: unmanaged},
		{name: "another manager", doc: babs, ops: `[{"op":"remove","path":"` + enterprise +
			`:manager","value":[{"value":"7"}]}]`},
		{name: "another manager's id", doc: babs, ops: `[{"op":"remove","path":"` + enterprise +
			`:manager.value","value":"7"}]`},
		{name: "a manager without a name", doc: babs, ops: `[{"op":"remove","path":"` + enterprise +
			`:manager","value":{"displayName":"M"}}]`, err: scim.InvalidValue},
		{
			name: "a simple value", doc: babs, ops: `[{"op":"remove","path":"displayName","value":"BABS jensen"}]`,
			want: `{"displayName":null}`,
		},
		{
			name: "another simple value", doc: babs,
			ops: `[{"op":"remove","path":"displayName","value":"Bob"},{"op":"remove","path":"name","value":{"givenName":"Bob"}}]`,
		},
		{
			name: "a name", doc: babs, ops: `[{"op":"remove","path":"name","value":{"givenName":"Barbara"}}]`,
			want: `{"name":null}`,
		},
		{name: "part of an extension", doc: babs, ops: `[{"op":"remove","path":"` + enterprise +
			`","value":{"manager":"26118915","employeeNumber":"0"}}]`, want: unmanaged},
		{
			name: "a display of every one", doc: two, ops: `[{"op":"remove","path":"phoneNumbers.display","value":"a"}]`,
			want: `{"phoneNumbers":[{"type":"work","value":"1"},{"type":"work","value":"1","display":"b"},{"type":"home",` +
				`"value":"1"}]}`,
		},
	})
}

// TestReferenceAlone: a $ref without a value names the resource by the last part of the address.
func TestReferenceAlone(t *testing.T) {
	managed := `{"` + enterprise + `":{"employeeNumber":"701984","manager":{"value":"7"}}}`
	check(t, schema.UserType(), []row{
		{name: "replace", doc: babs, ops: `[{"op":"replace","path":"` + enterprise +
			`:manager","value":{"$ref":"../Users/7"}}]`, want: managed},
		{
			name: "add in a list", doc: babs, idp: "entra",
			ops: `[{"op":"Add","path":"manager","value":[{"$ref":"https://example.com/scim/v2/t/Users/7/"}]}]`, want: managed,
		},
		{name: "without a path", doc: babs, ops: `[{"op":"replace","value":{"` + enterprise +
			`":{"manager":{"$ref":"Users/7?x=/8"}}}}]`, want: managed},
		{name: "the value counts", doc: babs, ops: `[{"op":"replace","path":"` + enterprise +
			`:manager","value":{"$ref":"../Users/8","value":"7"}}]`, want: managed},
		{
			name: "a value of null unassigns", doc: babs, ops: `[{"op":"replace","path":"` + enterprise +
				`:manager","value":{"$ref":"../Users/8","value":null}}]`,
			want: `{"` + enterprise + `":{"employeeNumber":"701984"}}`,
		},
	})
	check(t, schema.GroupType(), []row{
		{
			name: "members", doc: crew, ops: `[{"op":"add","path":"members","value":[{"$ref":"../Users/7"}]},{"op":"remove",` +
				`"path":"members","value":[{"$ref":"https://x/Users/8"}]}]`,
			changes: []string{`add {"$ref":"../Users/7","value":"7"}`, "remove 8"},
		},
		{
			name: "a broken reference", doc: crew, ops: `[{"op":"add","path":"members","value":[{"$ref":"/"}]}]`,
			err: scim.InvalidValue,
		},
	})
	keyed, doc := deviceWithKeys(t)
	check(t, keyed, []row{{
		name: "owner", doc: doc, ops: `[{"op":"add","path":"owner","value":{"$ref":"../Users/7"}}]`,
		want: `{"owner":{"value":"7","$ref":"../Users/7"}}`,
	}})
}

// TestLenientSpellings: spellings that all profiles except rfc and interop read.
func TestLenientSpellings(t *testing.T) {
	rows := []row{
		{
			name: "numbers for strings", ops: `[{"op":"replace","path":"title","value":42},{"op":"replace",` +
				`"value":{"nickName":15,"name":{"givenName":7}}},{"op":"add","path":"emails[type eq \"work\"].value","value":12}]`,
			want: `{"title":"42","nickName":"15","name":{"familyName":"Jensen","givenName":"7"},"emails":[{"type":"work",` +
				`"value":"12","primary":true},{"type":"home","value":"babs@example.org"}]}`,
		},
		{
			name: "text and numbers for booleans",
			ops: `[{"op":"replace","path":"active","value":"0"},{"op":"replace","path":"emails[type eq \"home\"].primary",` +
				`"value":1}]`, want: `{"active":false,"emails":[{"type":"work","value":"bjensen@example.com","primary":false},` +
				`{"type":"home","value":"babs@example.org","primary":true}]}`,
		},
		{
			name: "a boolean in a filter", ops: `[{"op":"replace","path":"emails[primary eq \"1\"].value","value":"x"}]`,
			want: `{"emails":[{"type":"work","value":"x","primary":true},{"type":"home","value":"babs@example.org"}]}`,
		},
		{
			name: "paths with a slash", ops: `[{"op":"replace","path":"/title","value":"T"},{"op":"replace",` +
				`"path":"/name/givenName","value":"B"},{"op":"remove","path":"/emails[type eq \"a/b\" or type eq \"home\"]"},` +
				`{"op":"add","path":"/roles/-","value":[{"value":"r"}]},{"op":"replace","path":"/` + enterprise +
				`:manager/value","value":"7"}]`,
			want: `{"title":"T","name":{"familyName":"Jensen","givenName":"B"},"emails":[{"type":"work",` +
				`"value":"bjensen@example.com","primary":true}],"roles":[{"value":"r"}],"` + enterprise +
				`":{"employeeNumber":"701984","manager":{"value":"7"}}}`,
		},
		{name: "a Windows name", ops: `[{"op":"remove","path":"emails[value eq \"CORP\\bob\"]"}]`},
	}
	var all []row
	for _, r := range rows {
		for _, idp := range []string{"generic", "entra", "keycloak"} {
			r := r
			r.idp, r.doc, r.name = idp, babs, idp+": "+r.name
			all = append(all, r)
		}
	}
	for _, idp := range []string{"rfc", "interop"} {
		all = append(all, []row{
			{
				name: idp + ": a number for a string", idp: idp, doc: babs, ops: `[{"op":"replace","path":"title","value":42}]`,
				err: scim.InvalidValue,
			},
			{
				name: idp + ": text for a boolean", idp: idp, doc: babs, ops: `[{"op":"replace","path":"active","value":"1"}]`,
				err: scim.InvalidValue,
			},
			{
				name: idp + ": a path with a slash", idp: idp, doc: babs, ops: `[{"op":"replace","path":"/title","value":"T"}]`,
				err: scim.InvalidPath,
			},
			{
				name: idp + ": a boolean in a filter", idp: idp, doc: babs,
				ops: `[{"op":"replace","path":"emails[primary eq \"1\"].value","value":"x"}]`, err: scim.InvalidFilter,
			},
			{
				name: idp + ": a bare backslash", idp: idp, doc: babs,
				ops: `[{"op":"remove","path":"emails[value eq \"CORP\\user\"]"}]`, err: scim.InvalidFilter,
			},
		}...)
	}
	all = append(all, []row{
		{
			name: "rfc: text for e-mails", idp: "rfc", doc: babs, ops: `[{"op":"add","path":"emails","value":"bare"}]`,
			err: scim.InvalidValue,
		},
		{
			name: "rfc: text in a list", idp: "rfc", doc: babs, ops: `[{"op":"add","value":{"emails":["bare"]}}]`,
			err: scim.InvalidValue,
		},
		{name: "rfc: text for a manager", idp: "rfc", doc: babs, ops: `[{"op":"replace","path":"` + enterprise +
			`:manager","value":"7"}]`, err: scim.InvalidValue},
		{
			name: "unquoted in a path", idp: "authentik", doc: babs, ops: `[{"op":"remove","path":"emails[type eq home]"}]`,
			want: `{"emails":[{"type":"work","value":"bjensen@example.com","primary":true}]}`,
		},
		{
			name: "unquoted in a key", idp: "entra", doc: babs,
			ops:  `[{"op":"replace","value":{"emails[type eq home].value":"h"}}]`,
			want: `{"emails":[{"type":"work","value":"bjensen@example.com","primary":true},{"type":"home","value":"h"}]}`,
		},
		{
			name: "the enterprise URN of SCIM 1.1", doc: babs,
			ops: `[{"op":"replace","path":"urn:scim:schemas:extension:enterprise:1.0:manager.value","value":"7"},` +
				`{"op":"replace","value":{"urn:scim:schemas:extension:enterprise:1.0":{"employeeNumber":"9"},` +
				`"urn:scim:schemas:core:1.0:title":"T"}}]`,
			want: `{"title":"T","` + enterprise + `":{"employeeNumber":"9","manager":{"value":"7"}}}`,
		},
		{
			name: "active stays", doc: babs,
			ops:  `[{"op":"replace","value":{"active":null,"title":"T"}},{"op":"add","value":{"active":""}}]`,
			want: `{"title":"T"}`,
		},
		{name: "active by a path", doc: babs, ops: `[{"op":"replace","path":"active","value":null}]`, err: scim.InvalidValue},
		{name: "active removed", doc: babs, ops: `[{"op":"remove","path":"active"}]`, want: `{"active":null}`},
	}...)
	check(t, schema.UserType(), all)
	check(t, schema.GroupType(), []row{
		{
			name: "an unknown name in a path of members", idp: "okta", doc: crew,
			ops: `[{"op":"remove","path":"members[id eq \"a\"]"}]`, err: scim.InvalidPath,
		},
		{
			name: "a sub-attribute that there is not", idp: "okta", doc: crew, ops: `[{"op":"remove","path":"members.id"}]`,
			err: scim.InvalidPath,
		},
		{
			name: "behind a filter", idp: "okta", doc: crew, ops: `[{"op":"remove","path":"members[value eq \"a\"].id"}]`,
			err: scim.InvalidPath,
		},
		{
			name: "in a key", idp: "okta", doc: crew, ops: `[{"op":"add","value":{"members[id eq \"a\"].value":"a"}}]`,
			err: scim.InvalidPath,
		},
		{name: "elsewhere it is skipped", idp: "okta", doc: crew, ops: `[{"op":"remove","path":"owners[id eq \"a\"]"}]`},
		{
			name: "a member that is a number", doc: crew, ops: `[{"op":"add","path":"members","value":[{"value":5}]}]`,
			err: scim.InvalidValue,
		},
	})
}
