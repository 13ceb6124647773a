package tenant_test

import (
	"context"
	"strings"
	"testing"

	"github.com/serverless-scim/serverless-scim/pkg/scim"
	"github.com/serverless-scim/serverless-scim/pkg/store"
	"github.com/serverless-scim/serverless-scim/pkg/tenant"
)

// TestDecodedOnce: a request for a tenant that was read before decodes nothing, and still sees every change, also one
// that does not change the version.
func TestDecodedOnce(t *testing.T) {
	w := newWorld(t)
	token := w.create(t, "acme")
	const most = 30 // with the decoding it is 44
	allocs := testing.AllocsPerRun(100, func() {
		if _, _, err := w.Authenticate(context.Background(), "acme", tenant.ReadBearer(token.Value)); err != nil {
			t.Fatal(err)
		}
	})
	if allocs > most {
		t.Errorf("a request takes %.0f allocations, want %d at most", allocs, most)
	}
	other := w.process(w.store, false)
	for _, name := range []string{"one", "two"} {
		if _, err := other.Change(w.ctx, "acme", scim.Object{"name": name}); err != nil {
			t.Fatal(err)
		}
		got, _, err := w.Authenticate(w.ctx, "acme", tenant.ReadBearer(token.Value))
		if err != nil || got.Name != name {
			t.Errorf("%+v, %v; want %q", got, err, name)
		}
	}
	key := store.KeysOf("acme").Tenant()
	items, err := w.store.Get(w.ctx, key)
	if err != nil {
		t.Fatal(err)
	}
	items[0].Attrs["doc"] = strings.Replace(items[0].Attrs["doc"].(string), `"name":"two"`, `"name":"odd"`, 1)
	if err := w.store.Write(w.ctx, store.Op{Kind: store.Put, Key: key, Set: items[0].Attrs}); err != nil {
		t.Fatal(err)
	}
	if got, _, err := w.Authenticate(w.ctx, "acme", tenant.ReadBearer(token.Value)); err != nil || got.Name != "odd" {
		t.Errorf("%q, %v", got.Name, err)
	}
	if err := other.Revoke(w.ctx, "acme", token.ID, true); err != nil || w.good(t, "acme", token.Value) {
		t.Errorf("a revoked token gets in: %v", err)
	}
}
