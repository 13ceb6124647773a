package patch_test

import (
	"strings"
	"testing"

	"github.com/serverless-scim/serverless-scim/pkg/scim"
	"github.com/serverless-scim/serverless-scim/pkg/scim/patch"
	"github.com/serverless-scim/serverless-scim/pkg/scim/schema"
)

func TestParseErrors(t *testing.T) {
	const head = `{"schemas":["urn:ietf:params:scim:api:messages:2.0:PatchOp"],`
	many := head + `"Operations":[` + strings.Repeat(`{"op":"remove","path":"title"},`, patch.MaxOperations) +
		`{"op":"remove","path":"title"}]}`
	for _, c := range []struct {
		name, msg string
		want      scim.ErrorType
	}{
		{"no schemas", `{"Operations":[{"op":"remove","path":"title"}]}`, scim.InvalidSyntax},
		{"another schema", `{"schemas":["urn:ietf:params:scim:api:messages:2.0:BulkRequest"],` +
			`"Operations":[{"op":"remove","path":"title"}]}`, scim.InvalidSyntax},
		{"schemas is a string", `{"schemas":"urn:ietf:params:scim:api:messages:2.0:PatchOp","Operations":[{"op":"remove",` +
			`"path":"title"}]}`, scim.InvalidSyntax},
		{"no operations", head + `"x":1}`, scim.InvalidSyntax},
		{"operations is null", head + `"Operations":null}`, scim.InvalidSyntax},
		{"operations is an object", head + `"Operations":{"op":"remove","path":"title"}}`, scim.InvalidSyntax},
		{"operations is empty", head + `"Operations":[]}`, scim.InvalidSyntax},
		{"an operation is a string", head + `"Operations":["remove"]}`, scim.InvalidSyntax},
		{"too many operations", many, scim.InvalidSyntax},
		{"no op", head + `"Operations":[{"path":"title","value":"x"}]}`, scim.InvalidSyntax},
		{"op is a number", head + `"Operations":[{"op":1,"path":"title","value":"x"}]}`, scim.InvalidSyntax},
		{"unknown op", head + `"Operations":[{"op":"move","path":"title","value":"x"}]}`, scim.InvalidSyntax},
		{"add without a value", head + `"Operations":[{"op":"add","path":"title"}]}`, scim.InvalidValue},
		{"replace without a value", head + `"Operations":[{"op":"replace","path":"title"}]}`, scim.InvalidValue},
		{"remove without a path", head + `"Operations":[{"op":"remove"}]}`, scim.NoTarget},
		{"remove with an empty path", head + `"Operations":[{"op":"remove","path":"","value":{"title":1}}]}`, scim.NoTarget},
		{"path is a number", head + `"Operations":[{"op":"remove","path":1}]}`, scim.InvalidPath},
		{"path is broken", head + `"Operations":[{"op":"remove","path":"emails["}]}`, scim.InvalidFilter},
		{"no path and a number", head + `"Operations":[{"op":"add","value":5}]}`, scim.InvalidValue},
		{"no path and null", head + `"Operations":[{"op":"add","value":null}]}`, scim.InvalidValue},
		{
			"no path and two objects", head + `"Operations":[{"op":"add","value":[{"title":"a"},{"title":"b"}]}]}`,
			scim.InvalidValue,
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			ops, err := patch.Parse(object(t, c.msg), dialect(t, ""))
			if ops != nil {
				t.Error("an error came with operations")
			}
			wantError(t, patch.Result{}, err, c.want)
		})
	}
}

func TestParseReadsKeysInAnyCase(t *testing.T) {
	msg := object(t, `{"SCHEMAS":["urn:ietf:params:scim:api:messages:2.0:PatchOp"],
		"operations":[{"OP":"REPLACE","Path":"title","VALUE":"x","extra":1},{"op":"Remove","path":"nickName"}]}`)
	ops, err := patch.Parse(msg, scim.Dialect{})
	if err != nil {
		t.Fatal(err)
	}
	if len(ops) != 2 || ops[0].Kind != patch.Replace || ops[0].Path.String() != "title" || ops[0].Value != "x" ||
		!ops[0].HasValue {
		t.Errorf("got %+v", ops)
	}
	if ops[1].Kind != patch.Remove || ops[1].HasValue {
		t.Errorf("got %+v", ops[1])
	}
}

func TestErrorsSayWhere(t *testing.T) {
	for ops, want := range map[string]string{
		`[{"op":"add","path":"title","value":"T"},{"op":"remove","path":"userName"}]`: "Operation 2: userName is " +
			"required and can't be removed.",
		`[{"op":"add","path":"title","value":"T"},{"op":"move","path":"userName"}]`: "Operation 2: op \"move\" is " +
			"unknown",
		`[{"op":"replace","value":{"active":"maybe"}}]`: "Operation 1: The value of " +
			"active must be true or false, not this string.",
		`[{"op":"replace","path":"emails[type eq \"work\"].value","value":{}}]`: `Operation 1, replace ` +
			`emails[type eq "work"].value: The value of emails.value must be a string`,
		`[{"op":"replace","path":"` + strings.Repeat("x", 500) + `","value":"something"}]`: "Operation 1, replace xxx",
		`[{"op":"replace","value":{"emails[type eq \"x\"].value":"y"}}]`: `Operation 1, replace ` +
			`emails[type eq "x"].value: No value matches the filter; add creates a new one.`,
		`[{"op":"add","path":"title.","value":"x"}]`: "Operation 1: The path is not valid at " +
			"character 1: \"title.\" is not an attribute name: the name of a sub-attribute is missing after the dot.",
		`[{"op":"add","path":"` + enterprise + `","value":{"department":5}}]`: "Operation 1: The value of " + enterprise +
			":department must be a string, not a number.",
		`[5]`: "Operation 1 must be an object",
	} {
		_, err := run(t, schema.UserType(), object(t, babs), ops, scim.Dialect{})
		e, ok := err.(*scim.Error)
		if !ok || !strings.HasPrefix(e.Detail, want) || !strings.HasSuffix(e.Detail, ".") || len(e.Detail) > 400 {
			t.Errorf("%s: got %v, want a detail that begins with %q", ops, err, want)
		}
	}
}

// TestApplyWithoutParse gives Apply operations that Parse would not make.
func TestApplyWithoutParse(t *testing.T) {
	doc := object(t, babs)
	for _, c := range []struct {
		op   patch.Operation
		want scim.ErrorType
	}{
		{patch.Operation{}, scim.InvalidSyntax},
		{patch.Operation{Kind: patch.Add}, scim.InvalidValue},
		{patch.Operation{Kind: patch.Add, HasValue: true, Value: "x"}, scim.InvalidValue},
		{patch.Operation{Kind: patch.Remove}, scim.NoTarget},
	} {
		res, err := patch.Apply(schema.UserType(), doc, []patch.Operation{c.op}, "", scim.Dialect{})
		wantError(t, res, err, c.want)
	}
}
