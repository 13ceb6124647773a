package patch_test

import (
	"testing"

	"github.com/serverless-scim/serverless-scim/pkg/scim"
	"github.com/serverless-scim/serverless-scim/pkg/scim/schema"
)

// TestEmptyValues is the table of DIVERGENCES.md, "Empty values": each kind of target, each operation, each empty
// value. "" is no change, "-" means that the target is gone, and anything else is an error.
func TestEmptyValues(t *testing.T) {
	const absent = ""
	values := []string{absent, "null", `""`, "[]", "{}"}
	bad, gone := string(scim.InvalidValue), "-"
	noTarget := map[string][]string{ // by operation, in the order of values
		"add": {bad, gone, gone, gone, bad}, "replace": {bad, gone, gone, gone, bad},
		"remove": {gone, gone, bad, "", bad},
	}
	complexOne := map[string][]string{
		"add": {bad, gone, gone, gone, ""}, "replace": {bad, gone, gone, gone, ""},
		"remove": {gone, gone, bad, "", bad},
	}
	several := map[string][]string{
		"add": {bad, "", "", "", ""}, "replace": {bad, gone, gone, gone, ""}, "remove": {gone, gone, bad, "", bad},
	}
	severalSimple := map[string][]string{
		"add": {bad, "", "", "", bad}, "replace": {bad, gone, gone, gone, bad}, "remove": {gone, gone, bad, "", bad},
	}
	kept := map[string][]string{
		"add": {bad, bad, bad, bad, bad}, "replace": {bad, bad, bad, bad, bad}, "remove": {gone, gone, bad, "", bad},
	}
	selected := map[string][]string{ // the filter selects the values; the operation's value does not count
		"add": {bad, gone, gone, gone, ""}, "replace": {bad, gone, gone, gone, ""},
		"remove": {gone, gone, gone, gone, gone},
	}
	selectedSub := map[string][]string{
		"add": {bad, gone, gone, gone, bad}, "replace": {bad, gone, gone, gone, bad},
		"remove": {gone, gone, gone, gone, gone},
	}
	keyed, deviceDoc := deviceWithKeys(t)
	deviceDoc = deviceDoc[:len(deviceDoc)-1] +
		`,"tags":["a"],"on":true,"owner":{"value":"u"},"keys":[{"value":"k","type":"rsa"}]}`
	manager := `{"` + enterprise + `":{"employeeNumber":"701984"}}`
	plain := `{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"` + enterprise + `":null}`
	for _, c := range []struct {
		path    string
		rt      *schema.ResourceType
		doc     string
		outcome map[string][]string
		want    string // the rest if the target is gone
	}{
		{"displayName", schema.UserType(), babs, noTarget, `{"displayName":null}`},
		{"name.givenName", schema.UserType(), babs, noTarget, `{"name":{"familyName":"Jensen"}}`},
		{
			enterprise + ":employeeNumber", schema.UserType(), babs, noTarget,
			`{"` + enterprise + `":{"manager":{"value":"26118915"}}}`,
		},
		{"name", schema.UserType(), babs, complexOne, `{"name":null}`},
		{enterprise + ":manager", schema.UserType(), babs, complexOne, manager},
		{enterprise + ":manager.value", schema.UserType(), babs, noTarget, manager},
		{"emails", schema.UserType(), babs, several, `{"emails":null}`},
		{"addresses", schema.UserType(), babs, several, `{"addresses":null}`},
		{`addresses[type eq "work"]`, schema.UserType(), babs, selected, `{"addresses":null}`},
		{
			`emails[type eq "work"].value`, schema.UserType(), babs, selectedSub,
			`{"emails":[{"type":"home","value":"babs@example.org"}]}`,
		},
		{"active", schema.UserType(), babs, kept, `{"active":null}`},
		{enterprise, schema.UserType(), babs, map[string][]string{
			"add": {bad, "", "", "", ""}, "replace": {bad, gone, gone, gone, ""}, "remove": {gone, gone, bad, "", bad},
		}, plain},
		{"tags", keyed, deviceDoc, severalSimple, `{"tags":null}`},
		{"keys", keyed, deviceDoc, several, `{"keys":null}`},
		{"owner", keyed, deviceDoc, complexOne, `{"owner":null}`},
		{"on", keyed, deviceDoc, noTarget, `{"on":null}`},
	} {
		for op, outcomes := range c.outcome {
			for i, value := range values {
				want := row{name: op + " " + c.path + " " + value, doc: c.doc}
				switch outcomes[i] {
				case "":
				case gone:
					want.want = c.want
				default:
					want.err = scim.ErrorType(outcomes[i])
				}
				member := ""
				if value != absent {
					member = `,"value":` + value
				}
				want.ops = `[{"op":"` + op + `","path":` + string(scim.AppendJSON(nil, c.path)) + member + `}]`
				rows := []row{want}
				if op != "remove" && value != absent {
					pathless := want
					pathless.name += " without a path"
					pathless.ops = `[{"op":"` + op + `","value":{` + string(scim.AppendJSON(nil, c.path)) + `:` + value + `}}]`
					if c.path == "active" && value != "{}" {
						pathless.err = scim.NoType // it is kept
					}
					rows = append(rows, pathless)
				}
				check(t, c.rt, rows)
			}
		}
	}
}

// TestEmptyMembers is the same for the members of a group.
func TestEmptyMembers(t *testing.T) {
	check(t, schema.GroupType(), []row{
		{name: "add null", doc: crew, ops: `[{"op":"add","path":"members","value":null}]`},
		{name: "add text", doc: crew, ops: `[{"op":"add","path":"members","value":""}]`},
		{name: "add []", doc: crew, ops: `[{"op":"add","path":"members","value":[]}]`},
		{name: "add {}", doc: crew, ops: `[{"op":"add","path":"members","value":{}}]`},
		{
			name: "replace null", doc: crew, ops: `[{"op":"replace","path":"members","value":null}]`,
			changes: []string{"replace"},
		},
		{
			name: "replace text", doc: crew, ops: `[{"op":"replace","path":"members","value":""}]`,
			changes: []string{"replace"},
		},
		{name: "replace []", doc: crew, ops: `[{"op":"replace","path":"members","value":[]}]`, changes: []string{"replace"}},
		{name: "replace {}", doc: crew, ops: `[{"op":"replace","path":"members","value":{}}]`},
		{name: "remove", doc: crew, ops: `[{"op":"remove","path":"members"}]`, changes: []string{"remove all"}},
		{
			name: "remove null", doc: crew, ops: `[{"op":"remove","path":"members","value":null}]`,
			changes: []string{"remove all"},
		},
		{name: "remove text", doc: crew, ops: `[{"op":"remove","path":"members","value":""}]`, err: scim.InvalidValue},
		{name: "remove []", doc: crew, ops: `[{"op":"remove","path":"members","value":[]}]`},
		{name: "remove {}", doc: crew, ops: `[{"op":"remove","path":"members","value":{}}]`, err: scim.InvalidValue},
	})
}
