package patch_test

import (
	"fmt"
	"testing"

	"github.com/serverless-scim/serverless-scim/pkg/scim"
	"github.com/serverless-scim/serverless-scim/pkg/scim/schema"
)

// device is a resource type with features that User and Group lack: immutable and required values in the document,
// simple multi-valued attributes, numbers, and a required extension.
var device = func() *schema.ResourceType {
	attr := func(name string, typ schema.Type, change ...func(*schema.Attribute)) *schema.Attribute {
		a := &schema.Attribute{Name: name, Type: typ, Mutability: schema.ReadWrite, Returned: schema.Default}
		for _, c := range change {
			c(a)
		}
		return a
	}
	immutable := func(a *schema.Attribute) { a.Mutability = schema.Immutable }
	required := func(a *schema.Attribute) { a.Required = true }
	multi := func(a *schema.Attribute) { a.MultiValued = true }
	exact := func(a *schema.Attribute) { a.CaseExact = true }
	of := func(subs ...*schema.Attribute) func(*schema.Attribute) {
		return func(a *schema.Attribute) { a.SubAttributes = subs }
	}
	core := &schema.Schema{ID: "urn:example:Device", Name: "Device", Attributes: []*schema.Attribute{
		attr("serial", schema.String, immutable),
		attr("tags", schema.String, multi, exact),
		attr("marks", schema.String, multi, immutable),
		attr("size", schema.Complex, of(attr("width", schema.Integer), attr("unit", schema.String, immutable),
			attr("type", schema.String),
			attr("notes", schema.String, multi))),
		attr("slots", schema.Complex, multi, of(attr("index", schema.Integer, required), attr("weight", schema.Decimal),
			attr("code", schema.String, immutable), attr("value", schema.String), attr("notes", schema.String, multi))),
	}}
	site := &schema.Schema{ID: "urn:example:Site", Name: "Site", Attributes: []*schema.Attribute{
		attr("room", schema.String, required), attr("key", schema.String, immutable),
	}}
	extra := &schema.Schema{
		ID: "urn:example:Extra", Name: "Extra",
		Attributes: []*schema.Attribute{attr("stamp", schema.String, immutable)},
	}
	return &schema.ResourceType{
		ID: "Device", Name: "Device", Endpoint: "/Devices", Core: schema.Define(core),
		Extensions: []schema.Extension{
			{Schema: schema.Define(site), Required: true}, {Schema: schema.Define(extra)},
		},
	}
}()

const box = `{
	"schemas": ["urn:example:Device", "urn:example:Site", "urn:example:Extra"],
	"serial": "s1", "tags": ["a", "b"], "marks": ["m"], "size": {"width": 4, "unit": "mm", "type": "t"},
	"slots": [{"index": 1, "code": "c1", "value": "v"}, {"index": 2}],
	"urn:example:Site": {"room": "r1", "key": "k"}, "urn:example:Extra": {"stamp": "x"}
}`

func TestDevice(t *testing.T) {
	check(t, device, []row{
		{
			name: "an immutable attribute as it is", doc: box,
			ops: `[{"op":"replace","path":"serial","value":"s1"},{"op":"add","value":{"serial":"s1"}}]`,
		},
		{
			name: "an immutable attribute changed", doc: box, ops: `[{"op":"replace","path":"serial","value":"s2"}]`,
			err: scim.Mutability,
		},
		{
			name: "an immutable attribute changed without a path", doc: box, ops: `[{"op":"replace","value":{"serial":"s2"}}]`,
			err: scim.Mutability,
		},
		{name: "an immutable attribute removed", doc: box, ops: `[{"op":"remove","path":"serial"}]`, err: scim.Mutability},
		{
			name: "an immutable list changed", doc: box, ops: `[{"op":"add","path":"marks","value":["n"]}]`,
			err: scim.Mutability,
		},
		{
			name: "an immutable sub-attribute changed", doc: box, ops: `[{"op":"replace","path":"size.unit","value":"cm"}]`,
			err: scim.Mutability,
		},
		{
			name: "what goes beside it", doc: box, ops: `[{"op":"replace","path":"size","value":{"width":5,"unit":"mm"}}]`,
			want: `{"size":{"width":5,"unit":"mm","type":"t"}}`,
		},
		{name: "a whole value with it removed", doc: box, ops: `[{"op":"remove","path":"size"}]`, want: `{"size":null}`},
		{
			name: "a type that is no label", doc: box,
			ops: `[{"op":"remove","path":"size"},{"op":"add","path":"size","value":{"width":1,"type":"t"}},{"op":"remove",` +
				`"path":"size.width"}]`, want: `{"size":{"type":"t"}}`,
		},
		{
			name: "an immutable sub-attribute of an element changed", doc: box,
			ops: `[{"op":"replace","path":"slots[index eq 1].code","value":"c2"}]`, err: scim.Mutability,
		},
		{
			name: "an element replaced with another immutable sub-attribute", doc: box,
			ops: `[{"op":"replace","path":"slots[index eq 1]","value":{"code":"c2"}}]`, err: scim.Mutability,
		},
		{
			name: "an element merged with another immutable sub-attribute", doc: box,
			ops: `[{"op":"add","path":"slots","value":[{"index":1,"value":"v","code":"c2"}]}]`, err: scim.Mutability,
		},
		{
			name: "an immutable sub-attribute set", doc: box,
			ops:  `[{"op":"replace","path":"slots[index eq 2].code","value":"c2"}]`,
			want: `{"slots":[{"index":1,"code":"c1","value":"v"},{"index":2,"code":"c2"}]}`,
		},
		{
			name: "an element made from an integer", doc: box,
			ops:  `[{"op":"add","path":"slots[index eq 3 and weight eq 1.5].value","value":"w"}]`,
			want: `{"slots":[{"index":1,"code":"c1","value":"v"},{"index":2},{"index":3,"weight":1.5,"value":"w"}]}`,
		},
		{
			name: "a required sub-attribute removed", doc: box, ops: `[{"op":"remove","path":"slots[index eq 2].index"}]`,
			err: scim.Mutability,
		},
		{
			name: "a required sub-attribute unassigned", doc: box,
			ops: `[{"op":"replace","path":"slots[index eq 2].index","value":null}]`, err: scim.InvalidValue,
		},
		{
			name: "an element without its required sub-attribute", doc: box,
			ops: `[{"op":"add","path":"slots","value":[{"value":"x"}]}]`, err: scim.InvalidValue,
		},
		{
			name: "a list of elements removed", doc: box, ops: `[{"op":"remove","path":"slots","value":[{"index":2}]}]`,
			want: `{"slots":[{"index":1,"code":"c1","value":"v"}]}`,
		},
		{
			name: "an element removed by a number", doc: box, ops: `[{"op":"remove","path":"slots[index gt 1]"}]`,
			want: `{"slots":[{"index":1,"code":"c1","value":"v"}]}`,
		},

		{
			name: "add simple values", doc: box, ops: `[{"op":"add","path":"tags","value":["b","c","B"]}]`,
			want: `{"tags":["a","b","c","B"]}`,
		},
		{
			name: "add one simple value", doc: box, ops: `[{"op":"add","path":"tags","value":"c"}]`,
			want: `{"tags":["a","b","c"]}`,
		},
		{
			name: "remove simple values", doc: box, ops: `[{"op":"remove","path":"tags","value":["b","x"]}]`,
			want: `{"tags":["a"]}`,
		},
		{
			name: "remove a simple value by a filter", doc: box, ops: `[{"op":"remove","path":"tags[value eq \"a\"]"}]`,
			want: `{"tags":["b"]}`,
		},
		{
			name: "replace a simple value by a filter", doc: box,
			ops: `[{"op":"replace","path":"tags[value eq \"a\"]","value":"z"}]`, want: `{"tags":["z","b"]}`,
		},
		{
			name: "replace two simple values by one", doc: box, ops: `[{"op":"replace","path":"tags[value pr]","value":"z"}]`,
			want: `{"tags":["z"]}`,
		},
		{
			name: "add a simple value by a filter without a match", doc: box,
			ops: `[{"op":"add","path":"tags[value eq \"q\"]","value":"z"}]`, err: scim.NoTarget,
		},

		{
			name: "add to a sub-attribute of several values", doc: box,
			ops:  `[{"op":"add","path":"size.notes","value":"x"},{"op":"add","path":"size.notes","value":["y","X"]}]`,
			want: `{"size":{"width":4,"unit":"mm","type":"t","notes":["x","y"]}}`,
		},
		{
			name: "add to it with its parent", doc: box,
			ops: `[{"op":"add","path":"size","value":{"notes":["x"]}},{"op":"add","value":{"size":{"notes":"y"}}},` +
				`{"op":"add","path":"size","value":{"notes":null}}]`,
			want: `{"size":{"width":4,"unit":"mm","type":"t","notes":["x","y"]}}`,
		},
		{
			name: "replace it with its parent", doc: box,
			ops:  `[{"op":"add","path":"size.notes","value":"x"},{"op":"replace","path":"size","value":{"notes":["y"]}}]`,
			want: `{"size":{"width":4,"unit":"mm","type":"t","notes":["y"]}}`,
		},
		{
			name: "remove some of its values", doc: box,
			ops:  `[{"op":"add","path":"size.notes","value":["x","y"]},{"op":"remove","path":"size.notes","value":["Y"]}]`,
			want: `{"size":{"width":4,"unit":"mm","type":"t","notes":["x"]}}`,
		},
		{
			name: "remove all of its values", doc: box,
			ops: `[{"op":"add","path":"size.notes","value":["x","y"]},{"op":"remove","path":"size.notes"}]`, want: `{}`,
		},
		{
			name: "add to it in selected elements", doc: box,
			ops: `[{"op":"add","path":"slots[index eq 1].notes","value":"x"},{"op":"add","path":"slots.notes","value":"y"},` +
				`{"op":"add","path":"slots[index eq 2]","value":{"notes":["z"]}}]`,
			want: `{"slots":[{"index":1,"code":"c1","value":"v","notes":["x","y"]},{"index":2,"notes":["y","z"]}]}`,
		},

		{
			name: "a required extension removed", doc: box, ops: `[{"op":"remove","path":"urn:example:Site"}]`,
			err: scim.Mutability,
		},
		{
			name: "a required attribute of an extension removed", doc: box,
			ops: `[{"op":"remove","path":"urn:example:Site:room"}]`, err: scim.Mutability,
		},
		{
			name: "an extension replaced by null", doc: box, ops: `[{"op":"replace","path":"urn:example:Extra","value":null}]`,
			err: scim.Mutability,
		},
		{name: "nothing added to an extension", doc: box, ops: `[{"op":"add","path":"urn:example:Extra","value":null}]`},
		{
			name: "an extension in an array of one", doc: box,
			ops:  `[{"op":"replace","path":"urn:example:Site","value":[{"room":"r2"}]}]`,
			want: `{"urn:example:Site":{"room":"r2","key":"k"}}`,
		},
		{
			name: "the core schema removed", doc: box, ops: `[{"op":"remove","path":"urn:example:Device"}]`,
			err: scim.Mutability,
		},
		{
			name: "the core schema as no object", doc: box, ops: `[{"op":"replace","path":"urn:example:Device","value":"x"}]`,
			err: scim.InvalidValue,
		},
	})
}

// TestOddValues sends values that no identity provider is known to send, but some client will.
func TestOddValues(t *testing.T) {
	const work = `{"type":"work","value":"bjensen@example.com","primary":true}`
	const home = `{"type":"home","value":"babs@example.org"}`
	check(t, schema.UserType(), []row{
		{name: "a required extension that is not there to replace", doc: ann, ops: `[{"op":"replace","path":"` + enterprise +
			`","value":null}]`},
		{
			name: "value objects for simple attributes", doc: ann, idp: "entra",
			ops: `[{"op":"add","path":"title","value":[{"$ref":null,"value":"T"}]}]`, want: `{"title":"T"}`,
		},
		{
			name: "a value object after a filter", doc: ann, idp: "entra",
			ops:  `[{"op":"add","path":"emails[type eq \"work\"].value","value":[{"value":"a@example.com"}]}]`,
			want: `{"emails":[{"type":"work","value":"a@example.com"}]}`,
		},
		{
			name: "an array of nothing for a complex attribute", doc: babs,
			ops: `[{"op":"replace","path":"name","value":[null]}]`, want: `{"name":null}`,
		},
		{
			name: "a value path replaced by nothing goes", doc: babs,
			ops: `[{"op":"replace","path":"emails[type eq \"work\"]","value":{"value":""}}]`, want: `{"emails":[` + home + `]}`,
		},
		{
			name: "a value path with an empty object and no match", doc: babs,
			ops: `[{"op":"add","path":"emails[type eq \"other\"]","value":{}}]`,
		},
		{
			name: "a value path with unknown sub-attributes and no match", doc: babs,
			ops: `[{"op":"add","path":"emails[type eq \"other\"]","value":{"shoe":1}}]`, err: scim.InvalidValue,
		},
		{
			name: "a plain string for a value path", doc: babs,
			ops:  `[{"op":"replace","path":"emails[type eq \"home\"]","value":"b@example.org"}]`,
			want: `{"emails":[` + work + `,{"type":"home","value":"b@example.org"}]}`,
		},
		{
			name: "a plain string added to a value path", doc: babs,
			ops:  `[{"op":"add","path":"emails[type eq \"home\"]","value":"b@example.org"}]`,
			want: `{"emails":[` + work + `,{"type":"home","value":"b@example.org"}]}`,
		},
		{
			name: "a plain string for an address", doc: babs,
			ops: `[{"op":"add","path":"addresses[type eq \"other\"]","value":"Weg 1"}]`, err: scim.InvalidValue,
		},
		{
			name: "a filter replaces what two values share", doc: babs,
			ops:  `[{"op":"replace","path":"emails[type eq \"work\" or type eq \"home\"]","value":{"value":"x@example.com"}}]`,
			want: `{"emails":[{"value":"x@example.com"}]}`,
		},
		{
			name: "the value wins over the filter", doc: babs,
			ops:  `[{"op":"replace","path":"emails[type eq \"home\"]","value":{"TYPE":"other","value":"b@example.org"}}]`,
			want: `{"emails":[` + work + `,{"type":"other","value":"b@example.org"}]}`,
		},
		{
			name: "primary for all is primary for the first", doc: babs,
			ops:  `[{"op":"replace","path":"emails.primary","value":true}]`,
			want: `{"emails":[` + work + `,{"type":"home","value":"babs@example.org","primary":false}]}`,
		},
		{
			name: "two primary values at once", doc: ann,
			ops: `[{"op":"add","path":"emails","value":[{"value":"a","primary":true},{"value":"b","primary":true}]}]`,
			err: scim.InvalidValue,
		},
		{
			name: "an address that is there becomes primary", doc: babs,
			ops: `[{"op":"add","path":"addresses","value":[{"type":"work","streetAddress":"100 Universal City Plaza",` +
				`"region":"CA","country":"US","primary":true}]}]`,
			want: `{"addresses":[{"type":"work","streetAddress":"100 Universal City Plaza","region":"CA","country":"US",` +
				`"primary":true}]}`,
		},
		{
			name: "elements become equal but for primary", doc: babs,
			ops:  `[{"op":"replace","path":"emails.type","value":"work"},{"op":"replace","path":"emails.value","value":"x"}]`,
			want: `{"emails":[{"type":"work","value":"x","primary":true}]}`,
		},
		{
			name: "a manager filter that misses", doc: babs, idp: "entra",
			ops: `[{"op":"add","path":"manager[value eq \"7\"].value","value":"7"}]`, err: scim.NoTarget,
		},
		{
			name: "a manager filter that hits", doc: babs, idp: "entra",
			ops:  `[{"op":"replace","path":"manager[value eq \"26118915\"].value","value":"7"}]`,
			want: `{"` + enterprise + `":{"employeeNumber":"701984","manager":{"value":"7"}}}`,
		},
		{
			name: "a manager filter that makes none", doc: ann, idp: "entra",
			ops: `[{"op":"add","path":"manager[value eq \"7\"].value","value":""}]`,
		},
		{
			name: "a manager's reference goes with the old value", idp: "entra", doc: `{"schemas":["` + scim.UserURN + `","` +
				enterprise + `"],"userName":"a","` + enterprise + `":{"manager":{"value":"1","$ref":"../Users/1"}}}`,
			ops: `[{"op":"replace","path":"manager","value":"2"}]`, want: `{"` + enterprise + `":{"manager":{"value":"2"}}}`,
		},
		{
			name: "removing a primary value that is listed as not primary", doc: babs,
			ops: `[{"op":"remove","path":"emails","value":[{"value":"babs@example.org","primary":false},` +
				`{"value":"bjensen@example.com","primary":false}]}]`, want: `{"emails":null}`,
		},
		{name: "an e-mail too many", doc: ann, ops: `[{"op":"add","path":"emails","value":` + numbers(schema.MaxEmails+1) +
			`}]`, err: scim.InvalidValue},
		{
			name: "a broken value path as a key", doc: babs, ops: `[{"op":"replace","value":{"emails[type eq].value":"x"}}]`,
			err: scim.InvalidFilter,
		},
		{
			name: "an object of attributes in an array of one", doc: babs, ops: `[{"op":"replace","value":[{"title":"T"}]}]`,
			want: `{"title":"T"}`,
		},
	})
	check(t, schema.GroupType(), []row{
		{
			name: "members as plain strings", doc: crew, ops: `[{"op":"add","path":"members","value":["a","b"]}]`,
			changes: []string{`add {"value":"a"} {"value":"b"}`},
		},
		{name: "members as an empty object", doc: crew, ops: `[{"op":"add","path":"members","value":{}}]`},
		{
			name: "a member made by a filter that is not eq", doc: crew,
			ops: `[{"op":"add","path":"members[value sw \"a\"]","value":{"display":"A"}}]`, err: scim.NoTarget,
		},
		{
			name: "a member made by a filter of its type", doc: crew,
			ops: `[{"op":"add","path":"members[type eq \"User\"]","value":{"display":"A"}}]`, err: scim.InvalidValue,
		},
		{
			name: "members removed by or of two attributes", doc: crew,
			ops: `[{"op":"remove","path":"members[value eq \"a\" or type eq \"Group\"]"}]`, changes: []string{"remove filter"},
		},
		{
			name: "members removed unless", doc: crew, ops: `[{"op":"remove","path":"members[not (value eq \"a\")]"}]`,
			changes: []string{"remove filter"},
		},
		{
			name: "an unknown sub-attribute of members", doc: crew, idp: "okta",
			ops: `[{"op":"remove","path":"members[nick eq \"a\"]"}]`, err: scim.InvalidPath,
		},
	})
}

// numbers is an array of n strings that differ.
func numbers(n int) string {
	list := make([]any, n)
	for i := range list {
		list[i] = fmt.Sprint(i)
	}
	return string(scim.AppendJSON(nil, list))
}
