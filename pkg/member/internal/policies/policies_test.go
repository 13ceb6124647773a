package policies_test

import (
	"bytes"
	"context"
	"testing"
	"time"

	"github.com/serverless-scim/serverless-scim/pkg/member/internal/policies"
	"github.com/serverless-scim/serverless-scim/pkg/scim"
	"github.com/serverless-scim/serverless-scim/pkg/store"
	"github.com/serverless-scim/serverless-scim/pkg/store/boltstore"
	"github.com/serverless-scim/serverless-scim/pkg/tenant"
	"github.com/serverless-scim/serverless-scim/pkg/transfer"
)

// TestPolicyOfAnEarlierTenant: a process that knows the policy of a tenant which was removed does not take its version
// for that of a tenant of the same id, with the same document and the same version of the tenant's item.
func TestPolicyOfAnEarlierTenant(t *testing.T) {
	engine, err := boltstore.Open(boltstore.Memory, boltstore.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = engine.Close() })
	st, ctx, now := store.New(engine, store.Options{}), context.Background(), time.Now()
	tenants := tenant.New(st, tenant.NewTableSecrets(st), tenant.Options{Now: func() time.Time { return now }})
	all := policies.New(st, time.Now, func(string) {})
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	save := func(document string) policies.Tenant {
		t.Helper()
		one, err := policies.TenantOf(ctx, tenants, "acme")
		must(err)
		_, _, err = all.Save(ctx, one, []byte(document), -1)
		must(err)
		one, err = policies.TenantOf(ctx, tenants, "acme")
		must(err)
		return one
	}
	const document = `{"kinds":{"role":{"create":true}}}`
	version := func(one policies.Tenant, want int64) {
		t.Helper()
		if _, got, err := all.Of(ctx, one); err != nil || got != want {
			t.Errorf("version %d, error %v, want %d", got, err, want)
		}
	}
	_, _, err = tenants.Create(ctx, tenant.NewTenant{ID: "acme", Name: "Acme"})
	must(err)
	save(`{}`)
	first := save(document)
	version(first, 2)
	ts := st.Tenant("acme")
	must(ts.Batch(ctx, store.RemoveItem(ts.Keys.Tenant()), store.RemoveItem(ts.Policy())))
	now = now.Add(time.Hour)
	_, _, err = tenants.Create(ctx, tenant.NewTenant{ID: "acme", Name: "Acme"})
	must(err)
	_, err = tenants.Change(ctx, "acme", scim.Object{"name": "Acme again"}) // as many changes as the first had
	must(err)
	second := save(document)
	if first.Version != second.Version {
		t.Fatalf("the tenants have the versions %d and %d", first.Version, second.Version)
	}
	version(second, 1)
}

// TestPolicyOfAnImportedTenant: a process that knows the policy of a tenant does not take its version for that of the
// same tenant imported in its place.
func TestPolicyOfAnImportedTenant(t *testing.T) {
	engine, err := boltstore.Open(boltstore.Memory, boltstore.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = engine.Close() })
	st, ctx := store.New(engine, store.Options{}), context.Background()
	tenants := tenant.New(st, tenant.NewTableSecrets(st), tenant.Options{Now: time.Now})
	all := policies.New(st, time.Now, func(string) {})
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	save := func(description string) policies.Tenant {
		t.Helper()
		one, err := policies.TenantOf(ctx, tenants, "acme")
		must(err)
		_, _, err = all.Save(ctx, one, []byte(`{"description":"`+description+`"}`), -1)
		must(err)
		one, err = policies.TenantOf(ctx, tenants, "acme")
		must(err)
		return one
	}
	version := func(one policies.Tenant, want int64) {
		t.Helper()
		if _, got, err := all.Of(ctx, one); err != nil || got != want {
			t.Errorf("version %d, error %v, want %d", got, err, want)
		}
	}
	_, _, err = tenants.Create(ctx, tenant.NewTenant{ID: "acme", Name: "Acme"})
	must(err)
	save("first")
	var file bytes.Buffer
	_, err = transfer.Export{Tenant: "acme", Now: time.Now}.Write(ctx, st, &file)
	must(err)
	version(save("second"), 2)
	ts := st.Tenant("acme")
	must(ts.Batch(ctx, store.RemoveItem(ts.Keys.Tenant()), store.RemoveItem(ts.Policy())))
	_, err = transfer.Import{Now: time.Now}.Read(ctx, st, bytes.NewReader(file.Bytes()))
	must(err)
	one, err := policies.TenantOf(ctx, tenants, "acme")
	must(err)
	saved, err := all.Policy(ctx, one)
	must(err)
	version(one, saved.Version)
}
