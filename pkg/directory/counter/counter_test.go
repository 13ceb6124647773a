package counter_test

import (
	"slices"
	"testing"

	"github.com/google/uuid"

	"github.com/serverless-scim/serverless-scim/pkg/directory/counter"
	"github.com/serverless-scim/serverless-scim/pkg/store"
	"github.com/serverless-scim/serverless-scim/pkg/store/boltstore"
)

func tenant(t *testing.T) *store.TenantStore {
	t.Helper()
	engine, err := boltstore.Open(boltstore.Memory, boltstore.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = engine.Close() })
	return store.New(engine, store.Options{}).Tenant("t")
}

func read(t *testing.T, ts *store.TenantStore) counter.Tally {
	t.Helper()
	tally, err := counter.Read(t.Context(), ts, "User")
	if err != nil {
		t.Fatal(err)
	}
	return tally
}

func write(t *testing.T, ts *store.TenantStore, ops ...store.Op) {
	t.Helper()
	if err := ts.Transact(t.Context(), ops...); err != nil {
		t.Fatal(err)
	}
}

// TestCountersKnowPlaces: the counters tell how many resources there are, and from where on to read so as to begin with
// any of them.
func TestCountersKnowPlaces(t *testing.T) {
	ts := tenant(t)
	ids := make([]string, 300)
	for i := range ids {
		ids[i] = uuid.NewString()
		write(t, ts, store.Op{Kind: store.Put, Key: ts.User(ids[i])}, counter.Add(ts.Keys, "User", ids[i], 1))
	}
	full := read(t, ts)
	for _, id := range ids[:100] {
		write(t, ts, store.Op{Kind: store.Delete, Key: ts.User(id)}, counter.Add(ts.Keys, "User", id, -1))
	}
	ids = slices.Sorted(slices.Values(ids[100:]))
	tally := read(t, ts)
	if tally.N != 200 || tally.Made != 300 || tally.Since(full) != 100 || full.Since(counter.Tally{}) != 300 {
		t.Errorf("%d of %d, %d since there were %d", tally.N, tally.Made, tally.Since(full), full.N)
	}
	for before, want := range ids {
		from, err := tally.Jump(t.Context(), ts, ts.User("").PK, before)
		if err != nil {
			t.Fatal(err)
		}
		if i, _ := slices.BinarySearch(ids, from); i != before {
			t.Errorf("%q, behind %d others, is not the first from %q on", want, before, from)
		}
	}
	if from, err := tally.Jump(t.Context(), ts, ts.User("").PK, 200); from != "" || err != nil {
		t.Errorf("behind all there is %q, %v", from, err)
	}
}
