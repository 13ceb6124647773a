package patch_test

import (
	"errors"
	"slices"
	"testing"

	"github.com/serverless-scim/serverless-scim/pkg/scim"
	"github.com/serverless-scim/serverless-scim/pkg/scim/patch"
	"github.com/serverless-scim/serverless-scim/pkg/scim/schema"
)

// babs is the document that user cases start from, unless they bring their own.
const babs = `{
	"schemas": ["urn:ietf:params:scim:schemas:core:2.0:User", "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"],
	"userName": "bjensen",
	"externalId": "701984",
	"active": true,
	"displayName": "Babs Jensen",
	"name": {"familyName": "Jensen", "givenName": "Barbara"},
	"emails": [
		{"type": "work", "value": "bjensen@example.com", "primary": true},
		{"type": "home", "value": "babs@example.org"}
	],
	"addresses": [{"type": "work", "streetAddress": "100 Universal City Plaza", "region": "CA", "country": "US"}],
	"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User": {"employeeNumber": "701984", "manager": {"value": "26118915"}}
}`

// ann has nothing but a name.
const ann = `{"schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"], "userName": "ann"}`

// crew is the document that group cases start from.
const crew = `{"schemas": ["urn:ietf:params:scim:schemas:core:2.0:Group"], "displayName": "Crew"}`

const enterprise = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"

// row is a PATCH and its expected result.
type row struct {
	name string
	// idp is the profile; "" is generic.
	idp string
	doc string
	// ops is the JSON array of operations.
	ops string
	// want is the attributes that differ from doc afterwards, null for those that are gone.
	want string
	// changes is the changes of the collection, as described by describe.
	changes []string
	// err is the scimType of the error, if there is to be one.
	err scim.ErrorType
}

func object(t testing.TB, s string) scim.Object {
	t.Helper()
	obj, err := scim.ParseObject([]byte(s))
	if err != nil {
		t.Fatalf("%v in %s", err, s)
	}
	return obj
}

func dialect(t testing.TB, idp string) scim.Dialect {
	t.Helper()
	if idp == "" {
		idp = "generic"
	}
	d, ok := scim.DialectOf(idp)
	if !ok {
		t.Fatalf("no profile %q", idp)
	}
	return d
}

// run parses and applies an array of operations.
func run(t testing.TB, rt *schema.ResourceType, doc scim.Object, ops string, d scim.Dialect) (patch.Result, error) {
	t.Helper()
	msg := object(t, `{"schemas":["`+scim.PatchOpURN+`"],"Operations":`+ops+`}`)
	parsed, err := patch.Parse(msg, d)
	if err != nil {
		return patch.Result{}, err
	}
	return patch.Apply(rt, doc, parsed, "members", d)
}

func check(t *testing.T, rt *schema.ResourceType, rows []row) {
	t.Helper()
	for _, r := range rows {
		t.Run(r.name, func(t *testing.T) {
			doc := object(t, r.doc)
			res, err := run(t, rt, doc, r.ops, dialect(t, r.idp))
			if !scim.Equal(doc, object(t, r.doc)) {
				t.Errorf("the document that came in was changed: %s", scim.AppendJSON(nil, doc))
			}
			if r.err != scim.NoType {
				wantError(t, res, err, r.err)
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			want := object(t, r.doc)
			if r.want != "" {
				for k, v := range object(t, r.want) {
					if want[k] = v; v == nil {
						delete(want, k)
					}
				}
			}
			if !scim.Equal(res.Doc, want) {
				t.Errorf("got  %s\nwant %s", scim.AppendJSON(nil, res.Doc), scim.AppendJSON(nil, want))
			}
			if got := describe(res.Collection); !slices.Equal(got, r.changes) {
				t.Errorf("changes of members:\ngot  %q\nwant %q", got, r.changes)
			}
		})
	}
}

func wantError(t *testing.T, res patch.Result, err error, typ scim.ErrorType) {
	t.Helper()
	var e *scim.Error
	if !errors.As(err, &e) {
		t.Fatalf("got error %v and %s, want %s", err, scim.AppendJSON(nil, res.Doc), typ)
	}
	if e.Status != 400 || e.Type != typ || e.Detail == "" {
		t.Errorf("got %v, want 400 %s", err, typ)
	}
	if res.Doc != nil || res.Collection != nil {
		t.Error("an error came with a result")
	}
}

// describe writes each change as one line.
func describe(changes []patch.CollectionChange) []string {
	var out []string
	for _, c := range changes {
		s := string(c.Kind)
		switch {
		case c.All:
			s += " all"
		case c.Filter != nil:
			s += " filter"
		case c.Eq != nil:
			for _, v := range c.Eq {
				s += " " + v
			}
		default:
			for _, v := range c.Values {
				s += " " + string(scim.AppendJSON(nil, v))
			}
		}
		out = append(out, s)
	}
	return out
}
