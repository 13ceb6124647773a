package awssecret_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/serverless-scim/serverless-scim/pkg/internal/awsfake/fakesecrets"
	"github.com/serverless-scim/serverless-scim/pkg/store"
	"github.com/serverless-scim/serverless-scim/pkg/store/boltstore"
	"github.com/serverless-scim/serverless-scim/pkg/tenant"
	"github.com/serverless-scim/serverless-scim/pkg/tenant/awssecret"
)

// value creates a value that has the shape of a token; n tells them apart.
func tokenValues(t *testing.T, n int) (ids, values []string) {
	t.Helper()
	now := func() time.Time { return time.Date(2026, 11, 22, 8, 0, 0, 0, time.UTC) }
	engine, err := boltstore.Open(boltstore.Memory, boltstore.Options{Now: now})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = engine.Close() }()
	st := store.New(engine, store.Options{})
	s := tenant.New(st, tenant.NewTableSecrets(st), tenant.Options{Now: now})
	for i := range n {
		_, token, err := s.Create(t.Context(), tenant.NewTenant{ID: fmt.Sprintf("tenant-%d", i), Name: "x"})
		if err != nil {
			t.Fatal(err)
		}
		ids, values = append(ids, token.ID), append(values, token.Value)
	}
	return ids, values
}

func TestPacked(t *testing.T) {
	f := fakesecrets.Start(t)
	ids, values := tokenValues(t, 6)
	v := awssecret.NewPacked(f.Client(), awssecret.Options{Prefix: "s/"}, 1)
	ctx := t.Context()
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	reveal := func(v *awssecret.Packed, tenantID string, i int, want bool) {
		t.Helper()
		got, err := v.Reveal(ctx, tenantID, ids[i])
		if want && (err != nil || got != values[i]) || !want && !errors.Is(err, tenant.ErrNoValue) {
			t.Errorf("reveal %s %d: %q, %v", tenantID, i, got, err)
		}
	}
	reveal(v, "acme", 0, false)
	must(v.Drop(ctx, "acme", ids[0]))
	must(v.DropTenant(ctx, "acme"))
	for range 2 {
		must(v.Keep(ctx, "acme", ids[0], values[0], tenant.Current))
		must(v.Keep(ctx, "other", ids[1], values[1], tenant.Current))
	}
	must(v.Keep(ctx, "acme", ids[2], values[2], tenant.Successor))
	reveal(v, "acme", 0, true)
	reveal(v, "acme", 1, false) // another tenant's
	reveal(v, "acme", 2, true)
	must(v.Promote(ctx, "acme", ids[2]))
	// More secrets: the tokens kept before are still found, changed and dropped.
	more := awssecret.NewPacked(f.Client(), awssecret.Options{Prefix: "s/"}, 60)
	reveal(more, "acme", 0, true)
	must(more.Keep(ctx, "acme", ids[3], values[3], tenant.Successor))
	must(more.Drop(ctx, "acme", ids[0]))
	reveal(more, "acme", 0, false)
	reveal(more, "acme", 2, true)
	reveal(more, "acme", 3, true)
	must(more.DropTenant(ctx, "acme"))
	reveal(more, "acme", 2, false)
	reveal(more, "acme", 3, false)
	reveal(more, "other", 1, true)
}

// Many processes change one secret at once: nothing is lost.
func TestPackedInParallel(t *testing.T) {
	f := fakesecrets.Start(t)
	ids, values := tokenValues(t, 12)
	var wg sync.WaitGroup
	for i := range ids {
		v := awssecret.NewPacked(f.Client(), awssecret.Options{Prefix: "s/"}, 1)
		wg.Go(func() {
			for {
				err := v.Keep(t.Context(), fmt.Sprintf("tenant-%d", i), ids[i], values[i], tenant.Current)
				if err == nil {
					break
				}
				if !tenant.Temporary(err) {
					t.Error(err)
					break
				}
			}
			if i%3 == 0 {
				if err := v.Drop(t.Context(), fmt.Sprintf("tenant-%d", i), ids[i]); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	v := awssecret.NewPacked(f.Client(), awssecret.Options{Prefix: "s/"}, 1)
	for i := range ids {
		got, err := v.Reveal(t.Context(), fmt.Sprintf("tenant-%d", i), ids[i])
		if dropped := i%3 == 0; dropped && !errors.Is(err, tenant.ErrNoValue) || !dropped && got != values[i] {
			t.Errorf("tenant %d: %v", i, err)
		}
	}
}

// A change that fails before or after any of its calls leaves the content before it, or after it.
func TestPackedFails(t *testing.T) {
	ids, values := tokenValues(t, 2)
	for i := range 8 {
		f := fakesecrets.Start(t)
		v := awssecret.NewPacked(f.Client(), awssecret.Options{Prefix: "s/"}, 1)
		if err := v.Keep(t.Context(), "acme", ids[0], values[0], tenant.Current); err != nil {
			t.Fatal(err)
		}
		calls := 0
		f.Fault = func(string) (bool, bool) {
			calls++
			return calls == i/2+1 && i%2 == 0, calls == i/2+1 && i%2 == 1
		}
		err := v.Keep(t.Context(), "acme", ids[1], values[1], tenant.Successor)
		if err != nil && !errors.Is(err, tenant.ErrVault) {
			t.Errorf("fault %d: %v", i, err)
		}
		if err != nil {
			for _, value := range values {
				if strings.Contains(err.Error(), value) {
					t.Errorf("the error tells a token: %v", err)
				}
			}
		}
		f.Fault = nil
		if got, err := v.Reveal(t.Context(), "acme", ids[0]); err != nil || got != values[0] {
			t.Errorf("fault %d: the first is lost: %v", i, err)
		}
		if err := v.Keep(t.Context(), "acme", ids[1], values[1], tenant.Successor); err != nil {
			t.Errorf("again after fault %d: %v", i, err)
		}
		if got, err := v.Reveal(t.Context(), "acme", ids[1]); err != nil || got != values[1] {
			t.Errorf("fault %d: the second: %v", i, err)
		}
	}
}

func TestPackedIsFull(t *testing.T) {
	f := fakesecrets.Start(t)
	ids, values := tokenValues(t, 1)
	v := awssecret.NewPacked(f.Client(), awssecret.Options{Prefix: "s/"}, 1)
	var err error
	kept := 0
	for i := 0; err == nil && i < 1000; i++ {
		if err = v.Keep(t.Context(), fmt.Sprintf("customer-of-some-name-%d", i), ids[0], values[0],
			tenant.Current); err == nil {
			kept++
		}
	}
	if !errors.Is(err, tenant.ErrVault) || !strings.Contains(err.Error(), "full") || kept < 400 {
		t.Errorf("%d tokens fit, then %v", kept, err)
	}
}

// Rotation on packed secrets, and the change from one vault to the other: tokens stay where they were made.
func TestPackedRotation(t *testing.T) {
	w := newWorld(t)
	packed := awssecret.NewPacked(w.fake.Client(), awssecret.Options{Prefix: "serverless-scim/test/"}, 4)
	w.Service = tenant.New(store.New(w.engine, store.Options{}), w.vault,
		tenant.Options{Now: func() time.Time { return w.now }, Packed: packed})
	w.create(t)
	rotate := func(days int) {
		t.Helper()
		w.now = w.now.Add(time.Duration(days) * 24 * time.Hour)
		run, err := w.Rotate(t.Context(), quiet())
		if err != nil || run.Failed > 0 {
			t.Fatalf("%+v, %v", run, err)
		}
		w.sound(t)
	}
	for _, vault := range []string{tenant.VaultPacked, tenant.VaultSecret, tenant.VaultPacked} {
		set := map[string]any{"settings": map[string]any{"token": map[string]any{"vault": vault}}}
		if _, err := w.Change(t.Context(), "acme", set); err != nil {
			t.Fatal(err)
		}
		for range 12 {
			rotate(15)
		}
	}
	if live := w.sound(t); len(live) == 0 {
		t.Error("no live token")
	}
	if err := w.Delete(t.Context(), "acme"); err != nil {
		t.Fatal(err)
	}
	if err := w.Finish(t.Context(), "acme"); err != nil {
		t.Fatal(err)
	}
	for shard := range 4 {
		if text := fmt.Sprint(w.fake.Show(fmt.Sprintf("serverless-scim/test/packed/%05d",
			shard))["AWSCURRENT"]); strings.Contains(text, "acme") {
			t.Errorf("left behind: %s", text)
		}
	}
}

func TestPace(t *testing.T) {
	f := fakesecrets.Start(t)
	v := awssecret.New(f.Client(), awssecret.Options{Prefix: "s/", Pace: awssecret.NewPace(1000)})
	for i := range 5 {
		if err := v.Keep(t.Context(), "acme", fmt.Sprintf("aaaaaaaaaaa%d", i), "value", tenant.Current); err != nil {
			t.Fatal(err)
		}
	}
	slow := awssecret.New(f.Client(), awssecret.Options{Prefix: "s/", Pace: awssecret.NewPace(0)})
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := slow.Keep(ctx, "acme", one, "value", tenant.Current); !errors.Is(err, tenant.ErrVault) {
		t.Errorf("without time to wait: %v", err)
	}
}
