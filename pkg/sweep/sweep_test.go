package sweep_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/serverless-scim/serverless-scim/pkg/store"
	"github.com/serverless-scim/serverless-scim/pkg/store/boltstore"
	"github.com/serverless-scim/serverless-scim/pkg/sweep"
)

// TestDaily visits all tenants once a day: in runs that end early, after an error, and not before a day is over.
func TestDaily(t *testing.T) {
	engine, err := boltstore.Open(boltstore.Memory, boltstore.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = engine.Close() })
	st := store.New(engine, store.Options{})
	for _, id := range []string{"a", "b", "c", "d"} {
		if err := st.Write(t.Context(), store.PutItem(store.Key{PK: store.TenantsPK, SK: id}, nil)); err != nil {
			t.Fatal(err)
		}
	}
	now := time.Now()
	daily := sweep.Daily{Store: st, Progress: store.DomainsSwept, Now: func() time.Time { return now }}
	broken := errors.New("broken")
	run := func(want string, most int, fails string) {
		t.Helper()
		got := ""
		err := daily.Run(t.Context(), func() bool { return len(got) >= most },
			func(_ context.Context, item store.Item) error {
				if item.SK == fails {
					return broken
				}
				got += item.SK
				return nil
			})
		if got != want || !errors.Is(err, broken) && err != nil || (err != nil) != (fails != "") {
			t.Errorf("visited %q, %v, want %q", got, err, want)
		}
	}
	run("a", 1, "")
	run("bc", 2, "")
	now = now.Add(20 * time.Hour)
	run("d", 9, "")
	run("", 9, "")
	now = now.Add(4 * time.Hour) // a day after the first began
	run("a", 9, "b")
	run("abcd", 9, "")
	now = now.Add(23 * time.Hour)
	run("", 9, "")
}
