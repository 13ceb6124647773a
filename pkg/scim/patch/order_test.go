package patch_test

import (
	"testing"

	"github.com/serverless-scim/serverless-scim/pkg/scim"
	"github.com/serverless-scim/serverless-scim/pkg/scim/patch"
	"github.com/serverless-scim/serverless-scim/pkg/scim/schema"
	"github.com/serverless-scim/serverless-scim/pkg/scim/schema/define"
	"pgregory.net/rapid"
)

// TestLabelsBeforeContent: an element with labels only stays for the operations that follow, and goes after the last
// one.
func TestLabelsBeforeContent(t *testing.T) {
	const work = `{"type":"work","value":"bjensen@example.com","primary":true}`
	rows := []row{
		{
			name: "primary first", ops: `[{"op":"Add","path":"emails[type eq \"work\"].primary","value":"True"},
			{"op":"Add","path":"emails[type eq \"work\"].value","value":"a@example.com"}]`,
			want: `{"emails":[{"type":"work","primary":true,"value":"a@example.com"}]}`,
		},
		{
			name: "type first, by another label", ops: `[{"op":"Add","path":"roles[primary eq \"True\"].type","value":"W"},
			{"op":"Add","path":"roles[primary eq \"True\"].value","value":"Admin"},
			{"op":"Add","path":"roles[primary eq \"True\"].display","value":"A"}]`,
			want: `{"roles":[{"type":"W","primary":true,"value":"Admin","display":"A"}]}`,
		},
		{
			name: "without a path", ops: `[{"op":"replace","value":{"addresses[type eq \"home\"].primary":true,
			"addresses[type eq \"home\"].locality":"L","ims[type eq \"xmpp\"].primary":true,"ims[type eq \"xmpp\"].value":"x"}}]`,
			want: `{"addresses":[{"type":"home","primary":true,"locality":"L"}],"ims":[{"type":"xmpp","primary":true,` +
				`"value":"x"}]}`,
		},
		{
			name: "an element by a filter, then its value",
			ops: `[{"op":"add","path":"emails[type eq \"work\"]","value":{"primary":true}},
			{"op":"add","path":"emails[type eq \"work\"]","value":{"value":"a@example.com"}}]`,
			want: `{"emails":[{"type":"work","primary":true,"value":"a@example.com"}]}`,
		},
		{
			name: "the value of no filter", ops: `[{"op":"add","path":"phoneNumbers.primary","value":true},
			{"op":"add","path":"phoneNumbers.value","value":"1"}]`,
			want: `{"phoneNumbers":[{"primary":true,"value":"1"}]}`,
		},
		{
			name: "a value that is changed by removal and addition", doc: babs,
			ops: `[{"op":"remove","path":"emails[type eq \"work\"].value"},
			{"op":"add","path":"emails[type eq \"work\"].value","value":"b@example.com"}]`,
			want: `{"emails":[{"type":"work","value":"b@example.com","primary":true},{"type":"home",` +
				`"value":"babs@example.org"}]}`,
		},
		{
			name: "the new primary one takes it from the other", doc: babs,
			ops: `[{"op":"add","path":"emails[type eq \"other\"].primary","value":true},
			{"op":"add","path":"emails[type eq \"other\"].value","value":"o@example.com"}]`,
			want: `{"emails":[{"type":"work","value":"bjensen@example.com","primary":false},{"type":"home","value":"babs@example.org"},
			{"type":"other","value":"o@example.com","primary":true}]}`,
		},
		{
			name: "not if no value comes", doc: babs,
			ops: `[{"op":"add","path":"emails[type eq \"other\"].primary","value":true},
			{"op":"replace","path":"emails[type eq \"home\"].display","value":"H"}]`,
			want: `{"emails":[` + work + `,{"type":"home","value":"babs@example.org","display":"H"}]}`,
		},
		{name: "labels alone come to nothing", ops: `[{"op":"add","path":"emails[type eq \"work\"].primary","value":true}]`},
	}
	for i := range rows {
		if rows[i].idp = "entra"; rows[i].doc == "" {
			rows[i].doc = ann
		}
	}
	check(t, schema.UserType(), rows)
}

// TestLabelsBeforeRequiredContent is the same where an element has a required sub-attribute.
func TestLabelsBeforeRequiredContent(t *testing.T) {
	keys, doc := deviceWithKeys(t)
	check(t, keys, []row{
		{
			name: "labels, then the value", doc: doc, ops: `[{"op":"add","path":"keys[type eq \"rsa\"].primary","value":true},
			{"op":"add","path":"keys[type eq \"rsa\"].value","value":"k"}]`,
			want: `{"keys":[{"type":"rsa","primary":true,"value":"k"}]}`,
		},
		{
			name: "labels alone", doc: doc, ops: `[{"op":"add","path":"keys[type eq \"rsa\"].primary","value":true}]`,
			err: scim.InvalidValue,
		},
	})
}

// deviceWithKeys is a resource type with an attribute of several keys, each of which needs a value.
func deviceWithKeys(t *testing.T) (*schema.ResourceType, string) {
	t.Helper()
	const urn = "urn:example:scim:schemas:2.0:Device"
	s, err := define.ParseSchema(object(t, `{"id":"`+urn+`","attributes":[
		{"name":"tags","multiValued":true},{"name":"ports","type":"integer","multiValued":true},{"name":"on","type":"boolean"},
		{"name":"owner","type":"complex","subAttributes":[{"name":"value"},{"name":"$ref","type":"reference","referenceTypes":["User"]}]},
		{"name":"keys","type":"complex","multiValued":true,"subAttributes":[
			{"name":"value","required":true},{"name":"type"},{"name":"primary","type":"boolean"},{"name":"display"}]}]}`))
	if err != nil {
		t.Fatal(err)
	}
	d, err := define.ParseResourceType(object(t, `{"name":"Device","endpoint":"/Devices","schema":"`+urn+`"}`))
	if err != nil {
		t.Fatal(err)
	}
	types, err := define.Definitions{}.With(s).WithType(d).Types()
	if err != nil {
		t.Fatal(err)
	}
	return types.ByID("Device"), `{"schemas":["` + urn + `"]}`
}

// TestAnyOrderOfSubAttributes: an element that a client builds with one operation for each sub-attribute is the
// same in any order of the operations, with or without a path.
func TestAnyOrderOfSubAttributes(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		list := rapid.SampledFrom([]string{"emails", "phoneNumbers", "ims", "roles"}).Draw(rt, "list")
		all := map[string]any{"value": "v", "primary": true, "type": "work", "display": "d"}
		keys := rapid.Permutation([]string{"value", "primary", "type", "display"}).Draw(rt, "order")
		ops := make([]any, 0, len(keys))
		for _, key := range keys {
			path := list + `[type eq "work"].` + key
			op := scim.Object{"op": rapid.SampledFrom([]string{"add", "replace"}).
				Draw(rt, "op"), "path": path, "value": all[key]}
			if rapid.Bool().Draw(rt, "pathless") {
				delete(op, "path")
				op["value"] = scim.Object{path: all[key]}
			}
			ops = append(ops, op)
		}
		d := dialect(t, "entra")
		res, err := patch.Apply(schema.UserType(), object(t, ann), parsed(rt, d, ops), "", d)
		if err != nil || !scim.Equal(res.Doc[list], []any{scim.Object(all)}) {
			rt.Fatalf("%v, %s", err, scim.AppendJSON(nil, res.Doc))
		}
	})
}
