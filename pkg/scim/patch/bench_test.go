package patch_test

import (
	"strconv"
	"testing"

	"github.com/serverless-scim/serverless-scim/pkg/scim"
	"github.com/serverless-scim/serverless-scim/pkg/scim/filter"
	"github.com/serverless-scim/serverless-scim/pkg/scim/patch"
	"github.com/serverless-scim/serverless-scim/pkg/scim/schema"
)

func path(t testing.TB, s string) *filter.Path {
	t.Helper()
	p, err := filter.ParsePath(s, scim.Dialect{})
	if err != nil {
		t.Fatal(err)
	}
	return &p
}

// BenchmarkUser is a PATCH as Entra sends it: parsed and applied.
func BenchmarkUser(b *testing.B) {
	doc := object(b, babs)
	d := dialect(b, "entra")
	msg := object(b, `{"schemas":["`+scim.PatchOpURN+`"],"Operations":[
		{"op":"Replace","path":"emails[type eq \"work\"].value","value":"x@example.com"},
		{"op":"Replace","path":"name.givenName","value":"Anna"},
		{"op":"Replace","path":"`+enterprise+`:department","value":"Ops"},
		{"op":"Replace","path":"active","value":"False"}]}`)
	b.ReportAllocs()
	for b.Loop() {
		ops, err := patch.Parse(msg, d)
		if err != nil {
			b.Fatal(err)
		}
		if _, err := patch.Apply(schema.UserType(), doc, ops, "", d); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkMembers is one operation that adds many members.
func BenchmarkMembers(b *testing.B) {
	for _, n := range []int{100, 20_000} {
		b.Run(strconv.Itoa(n), func(b *testing.B) {
			list := make([]any, n)
			for i := range list {
				list[i] = scim.Object{"value": "2819c223-7f76-453a-919d-" + strconv.Itoa(i)}
			}
			ops := []patch.Operation{{Kind: patch.Add, Path: path(b, "members"), Value: list, HasValue: true}}
			doc := object(b, crew)
			b.ReportAllocs()
			for b.Loop() {
				if _, err := patch.Apply(schema.GroupType(), doc, ops, "members", scim.Dialect{}); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
