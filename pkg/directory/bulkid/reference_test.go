package bulkid_test

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/serverless-scim/serverless-scim/pkg/directory/bulkid"
	"github.com/serverless-scim/serverless-scim/pkg/scim"
)

func object(t *testing.T, text string) scim.Object {
	t.Helper()
	o, err := scim.ParseObject([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return o
}

func TestReferencesAreRewritten(t *testing.T) {
	for _, c := range []struct{ name, in, want string }{
		{"a value", `{"members":[{"value":"bulkId:x"}]}`, `{"members":[{"value":"id-x"}]}`},
		{"a $ref", `{"$ref":"https://e.example/v2/Users/bulkId:x"}`, `{"$ref":"https://e.example/v2/Users/id-x"}`},
		{"a path", `{"path":"members[value eq \"bulkId:x\"]"}`, `{"path":"members[value eq \"id-x\"]"}`},
		{"a text", `{"displayName":"about bulkId:x"}`, `{"displayName":"about bulkId:x"}`},
		{"JSON in a string", `{"value":" [{\"value\":\"bulkId:x\"}]"}`, `{"value":"[{\"value\":\"id-x\"}]"}`},
		{
			"JSON in a string in JSON", `{"value":"{\"a\":\"[\\\"bulkId:x\\\"]\"}"}`,
			`{"value":"{\"a\":\"[\\\"id-x\\\"]\"}"}`,
		},
		{"no JSON in a string", `{"value":"[bulkId:x, {"}`, `{"value":"[bulkId:x, {"}`},
	} {
		t.Run(c.name, func(t *testing.T) {
			in := object(t, c.in)
			got := bulkid.Rewrite(in, "", func(bulkID string) string { return "id-" + bulkID })
			if diff := cmp.Diff(any(object(t, c.want)), got); diff != "" {
				t.Error(diff)
			}
			if diff := cmp.Diff(object(t, c.in), in); diff != "" {
				t.Error("the document was changed:", diff)
			}
		})
	}
}

func TestReferencesAreListedOnce(t *testing.T) {
	got := bulkid.List(object(t,
		`{"members":[{"value":"bulkId:b"},{"value":"bulkId:a"},{"value":"bulkId:b"},{"value":"c"}]}`))
	if want := []string{"b", "a"}; !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

func TestDocumentIsSplitAtReferences(t *testing.T) {
	first, later := bulkid.Split(object(t, `{
		"displayName": "g",
		"members": [{"value":"bulkId:in"},{"value":"bulkId:out"}],
		"urn:example:x": {"owner":"bulkId:in","cost":"7"},
		"manager": {"value":"bulkId:in"}
	}`), func(bulkID string) bool { return bulkID == "in" })
	want := object(t, `{"displayName":"g","members":[{"value":"bulkId:out"}],"urn:example:x":{"cost":"7"}}`)
	rest := object(t,
		`{"members":[{"value":"bulkId:in"}],"urn:example:x":{"owner":"bulkId:in"},"manager":{"value":"bulkId:in"}}`)
	if diff := cmp.Diff(want, first); diff != "" {
		t.Error("first:", diff)
	}
	if diff := cmp.Diff(rest, later); diff != "" {
		t.Error("later:", diff)
	}
}
