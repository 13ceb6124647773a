package directory_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/serverless-scim/serverless-scim/pkg/directory"
	"github.com/serverless-scim/serverless-scim/pkg/scim"
	"github.com/serverless-scim/serverless-scim/pkg/scim/filter"
	"github.com/serverless-scim/serverless-scim/pkg/scim/schema"
	"github.com/serverless-scim/serverless-scim/pkg/store"
	"github.com/serverless-scim/serverless-scim/pkg/store/boltstore"
)

// BenchmarkList reads pages of a large tenant: in the order of ids, by a filter and by an order that nothing but a
// search of all users answers.
func BenchmarkList(b *testing.B) {
	const users = 20_000
	engine, err := boltstore.Open(boltstore.Memory, boltstore.Options{})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = engine.Close() })
	s := store.New(engine, store.Options{})
	d := directory.New(s, directory.Options{Now: time.Now})
	keys := store.KeysOf("acme")
	ops := make([]store.Op, users)
	for i := range ops {
		id := uuid.NewString()
		ops[i] = store.Op{Kind: store.Put, Key: keys.User(id), Set: store.Attrs{
			"doc": fmt.Sprintf(`{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":"user-%d@example.com",`+
				`"displayName":"User Number %d",`+
				`"name":{"givenName":"User","familyName":"Number %d"},"title":"Title %d","active":true,`+
				`"emails":[{"value":"user-%d@example.com","type":"work","primary":true}]}`,
				i, i, i, i%1000, i),
			"ver": int64(1), "created": int64(i), "modified": int64(i), store.AttrSchema: store.SchemaVersion,
		}}
	}
	if err := s.Batch(b.Context(), ops...); err != nil {
		b.Fatal(err)
	}
	if err := s.Write(b.Context(), store.Op{
		Kind: store.Put, Key: keys.Counter("User", "00"),
		Set: store.Attrs{"n": int64(users)},
	}); err != nil {
		b.Fatal(err)
	}
	dialect, _ := scim.DialectOf("generic")
	t := directory.Tenant{ID: "acme", BaseURL: "https://scim.example.com/scim/v2/acme", Dialect: dialect}
	for _, c := range []struct {
		name, filter, by string
		total            int
	}{
		{"first page", "", "", users},
		{"filter", `title eq "Title 7"`, "", users / 1000},
		{"sort", "", "name.familyName", users},
	} {
		b.Run(c.name, func(b *testing.B) {
			q := directory.ListQuery{StartIndex: 1, Count: 100, SortBy: c.by}
			if c.filter != "" {
				if q.Filter, err = filter.Parse(c.filter, dialect); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportAllocs()
			for b.Loop() {
				l, err := d.List(b.Context(), t, schema.UserType(), q)
				if err != nil || l.Total != c.total {
					b.Fatalf("%d resources: %v", l.Total, err)
				}
			}
		})
	}
}
