package work

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"slices"
	"testing"
	"time"

	"github.com/serverless-scim/serverless-scim/pkg/app"
	"github.com/serverless-scim/serverless-scim/pkg/directory"
	"github.com/serverless-scim/serverless-scim/pkg/domain/claim"
	"github.com/serverless-scim/serverless-scim/pkg/member"
	"github.com/serverless-scim/serverless-scim/pkg/store"
	"github.com/serverless-scim/serverless-scim/pkg/store/boltstore"
	"github.com/serverless-scim/serverless-scim/pkg/store/faultstore"
	"github.com/serverless-scim/serverless-scim/pkg/tenant"
	"github.com/serverless-scim/serverless-scim/pkg/tenant/ending"
)

// TestAbandonedTenantsGo: a tenant whose creation or deletion died at any write is erased within 25 hours by hourly
// runs of rotate and the work that these start, and its id is free again. One run wakes a tenant once.
func TestAbandonedTenantsGo(t *testing.T) {
	for _, deleting := range []bool{false, true} {
		for writes, killed := 0, true; killed && !t.Failed(); writes++ {
			t.Run(fmt.Sprintf("deleting %v, after %d writes", deleting, writes), func(t *testing.T) {
				killed = abandon(t, deleting, writes)
			})
		}
	}
}

// abandon lets the creation or deletion of a tenant die after some writes, and checks the outcome as the test above
// says. It reports whether anything died.
func abandon(t *testing.T, deleting bool, writes int) (killed bool) {
	now := time.Date(2026, 11, 22, 8, 0, 0, 0, time.UTC)
	clock := func() time.Time { return now }
	engine, err := boltstore.Open(boltstore.Memory, boltstore.Options{Now: clock})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = engine.Close() })
	log := slog.New(slog.DiscardHandler)
	var woken []app.Wake
	// process returns one process's store and cleaner.
	process := func(e store.Engine) (*store.Store, app.Cleaner) {
		st := store.New(e, store.Options{})
		tenants := tenant.New(st, tenant.NewTableSecrets(st), tenant.Options{
			Now:  clock,
			Wake: func(kind, id string) { woken = append(woken, app.Wake{Kind: kind, Tenant: id}) },
		})
		dir := directory.New(st, directory.Options{Now: clock})
		return st, app.Cleaner{
			Directory: dir, Tenants: tenants,
			Ending: ending.New(st, tenants, ending.Options{Now: clock, Empty: dir.Erase}),
		}
	}
	st, cleaner := process(engine)
	dying := faultstore.New(engine, nil)
	_, mortal := process(dying)
	ctx, wake := t.Context(), app.Wake{Kind: store.WakeDeleted, Tenant: "acme"}
	create := func(c app.Cleaner) error {
		_, _, err := c.Tenants.Create(ctx, tenant.NewTenant{ID: "acme", Name: "Acme"})
		return err
	}
	if deleting {
		if err := create(cleaner); err != nil {
			t.Fatal(err)
		}
		if err := cleaner.Tenants.Delete(ctx, "acme"); err != nil {
			t.Fatal(err)
		}
		dying.KillAfterWrites(writes)
		err = mortal.Clean(ctx, wake)
	} else {
		dying.KillAfterWrites(writes)
		err = create(mortal)
	}
	if killed = dying.Killed(); !killed && err != nil {
		t.Fatal(err)
	}
	if _, err := cleaner.Tenants.Get(ctx, "acme"); err == nil {
		return killed // it was made
	}
	rotate := &Rotate{
		tenants: cleaner.Tenants, delivery: mute, log: log,
		members: member.New(st, member.Options{Now: clock, Log: log}),
		domains: claim.New(st, cleaner.Tenants, claim.Options{Now: clock, Log: log}),
	}
	for range 25 {
		woken = nil
		now = now.Add(time.Hour)
		if err := rotate.Handle(ctx, json.RawMessage(`{}`)); err != nil {
			t.Fatal(err)
		}
		if len(woken) > 1 || len(woken) == 1 && woken[0] != wake {
			t.Errorf("one run wakes %v", woken)
		}
		if len(woken) == 0 {
			continue
		}
		if err := cleaner.Clean(ctx, woken[0]); err != nil {
			t.Error(err)
		}
	}
	if left := partitionsLeft(ctx, t, st); len(left) > 0 {
		t.Errorf("left of the tenant: %v", left)
	}
	if err := create(cleaner); err != nil {
		t.Errorf("the id is not free: %v", err)
	}
	return killed
}

// partitionsLeft lists the items of the tenant acme, and its entries in lists of all tenants.
func partitionsLeft(ctx context.Context, t *testing.T, st *store.Store) (left []store.Key) {
	t.Helper()
	ts := st.Tenant("acme")
	pks := append(ts.Partitions(), ts.Keys.Tenant().PK, store.TenantsPK)
	for shard := range store.DueShards {
		pks = append(pks, store.DuePK(shard))
	}
	slices.Sort(pks)
	for _, pk := range slices.Compact(pks) {
		for item, err := range st.All(ctx, store.Query{PK: pk}) {
			if err != nil {
				t.Fatal(err)
			}
			if item.PK != store.Swept.PK { // a note for all tenants
				left = append(left, item.Key)
			}
		}
	}
	return left
}
