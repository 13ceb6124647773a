package patch_test

import (
	"errors"
	"slices"
	"testing"

	"github.com/serverless-scim/serverless-scim/pkg/scim"
	"github.com/serverless-scim/serverless-scim/pkg/scim/patch"
	"github.com/serverless-scim/serverless-scim/pkg/scim/schema"
)

// FuzzApply gives any operations to Parse and Apply under a lenient and a strict profile: no panic, no error but a 400,
// nothing beside an error, the document that came in as it was, and a result that the schema accepts and that
// normalising leaves alone.
func FuzzApply(f *testing.F) {
	for _, ops := range []string{
		`[]`,
		`[{"op":"Add","path":"emails[type eq \"work\"].value","value":"a@example.com"}]`,
		`[{"op":"replace","path":"emails[not (type eq \"work\") or primary eq \"True\"].primary","value":"True"}]`,
		`[{"op":"add","path":"emails","value":[{"value":"babs@example.org","type":"home","primary":true},{"display":"x"}]}]`,
		`[{"op":"remove","path":"emails","value":[{"value":"babs@example.org"},{"type":"work"}]}]`,
		`[{"op":"remove","path":"emails.value"},{"op":"replace","path":"emails.primary","value":true}]`,
		`[{"op":"replace","value":{"name.givenName":"B",` +
			`"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager":"7","emails[type eq \"x\"].value":"y",` +
			`"title":null}}]`,
		`[{"op":"replace","path":"manager","value":""},{"op":"remove",` +
			`"path":"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"}]`,
		`[{"op":"replace","path":"urn:ietf:params:scim:schemas:core:2.0:User","value":{"userName":"x","name":{}}}]`,
		`[{"op":"replace","value":"{\"active\":\"False\",\"x509Certificates\":[{\"value\":\"AAAA\"}]}"}]`,
		`[{"op":"remove","path":"members[value eq \"a\" or value eq \"b\"]"},{"op":"add","path":"members",` +
			`"value":[{"value":"a","$ref":null}]}]`,
		`[{"op":"replace","path":"addresses[type eq \"work\"]","value":{"locality":"L","primary":true}}]`,
	} {
		f.Add(ops)
	}
	entra, _ := scim.DialectOf("entra")
	interop, _ := scim.DialectOf("interop")
	f.Fuzz(func(t *testing.T, ops string) {
		msg, err := scim.ParseObject([]byte(`{"schemas":["` + scim.PatchOpURN + `"],"Operations":` + ops + `}`))
		if err != nil {
			return
		}
		for _, d := range []scim.Dialect{{}, entra, interop} {
			parsed, err := patch.Parse(msg, d)
			if err != nil {
				badRequest(t, err)
				continue
			}
			for doc, rt := range map[string]*schema.ResourceType{
				babs: schema.UserType(), ann: schema.UserType(),
				crew: schema.GroupType(),
			} {
				tryApply(t, rt, doc, parsed, d)
			}
		}
	})
}

func tryApply(t *testing.T, rt *schema.ResourceType, text string, ops []patch.Operation, d scim.Dialect) {
	doc := object(t, text)
	res, err := patch.Apply(rt, doc, ops, "members", d)
	if !scim.Equal(doc, object(t, text)) {
		t.Fatalf("the document that came in was changed: %s", scim.AppendJSON(nil, doc))
	}
	if err != nil {
		badRequest(t, err)
		if res.Doc != nil || res.Collection != nil {
			t.Fatal("an error came with a result")
		}
		return
	}
	if err := rt.Check(res.Doc); err != nil {
		t.Fatalf("%v in %s", err, scim.AppendJSON(nil, res.Doc))
	}
	canonical, err := rt.Normalize(res.Doc, scim.Dialect{})
	if err != nil || !scim.Equal(canonical, res.Doc) {
		t.Fatalf("%v: %s is not canonical: %s", err, scim.AppendJSON(nil, res.Doc), scim.AppendJSON(nil, canonical))
	}
	alone, err := patch.Collection(rt, ops, "members", d)
	if err != nil || len(alone) != len(res.Collection) {
		t.Fatalf("the collection alone: %v, %v, not %v", err, alone, res.Collection)
	}
	for i, c := range res.Collection {
		a := alone[i]
		same := a.Kind == c.Kind && a.All == c.All && slices.Equal(a.Eq, c.Eq) && (a.Filter == nil) == (c.Filter == nil)
		if !same || !slices.EqualFunc(a.Values, c.Values, func(v, w scim.Object) bool { return scim.Equal(v, w) }) {
			t.Fatalf("the collection alone: %+v, not %+v", a, c)
		}
		if c.Kind == patch.Remove && len(c.Eq) == 0 && c.Filter == nil && !c.All {
			t.Fatalf("a removal of nothing: %+v", c)
		}
		for _, v := range c.Values {
			if s, _ := v["value"].(string); s == "" {
				t.Fatalf("a member without a value: %v", v)
			}
		}
	}
}

func badRequest(t *testing.T, err error) {
	t.Helper()
	var e *scim.Error
	if !errors.As(err, &e) || e.Status != 400 || e.Type == scim.NoType || e.Detail == "" {
		t.Fatalf("%v is no 400 with a type and a detail", err)
	}
}
