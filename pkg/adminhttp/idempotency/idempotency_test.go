package idempotency_test

import (
	"errors"
	"log/slog"
	"testing"
	"time"

	"github.com/serverless-scim/serverless-scim/pkg/adminhttp/idempotency"
	"github.com/serverless-scim/serverless-scim/pkg/store"
	"github.com/serverless-scim/serverless-scim/pkg/store/boltstore"
	"github.com/serverless-scim/serverless-scim/pkg/tenant"
)

// TestLifeOfAKey: a request that did not end is under way for a minute, then not known; its key is free after a day.
func TestLifeOfAKey(t *testing.T) {
	now := time.Date(2026, 11, 22, 8, 0, 0, 0, time.UTC)
	clock := func() time.Time { return now }
	engine, err := boltstore.Open(boltstore.Memory, boltstore.Options{Now: clock})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = engine.Close() })
	st := store.New(engine, store.Options{})
	m := idempotency.New(st, clock)
	tenants := tenant.New(st, tenant.NewTableSecrets(st), tenant.Options{
		Now: clock, Log: slog.New(slog.DiscardHandler),
	})
	for _, id := range []string{"acme", "other"} {
		if _, _, err := tenants.Create(t.Context(), tenant.NewTenant{ID: id, Name: id}); err != nil {
			t.Fatal(err)
		}
	}
	begin := func(request string, want error) *idempotency.Answer {
		t.Helper()
		answer, err := m.Begin(t.Context(), "acme", "key", request)
		if !errors.Is(err, want) {
			t.Errorf("at %v: %v, want %v", now, err, want)
		}
		return answer
	}
	begin("a", nil)
	begin("a", idempotency.ErrUnderWay)
	begin("b", idempotency.ErrOther)
	now = now.Add(idempotency.Patience)
	begin("a", idempotency.ErrUnknown)
	now = now.Add(idempotency.Keep)
	begin("b", nil)
	done := idempotency.Answer{Status: 201, Location: "/made"}
	if err := m.Done(t.Context(), "acme", "key", "b", done); err != nil {
		t.Fatal(err)
	}
	if got := begin("b", nil); got == nil || *got != done {
		t.Errorf("answered before: %v", got)
	}
	if _, err := m.Begin(t.Context(), "other", "key", "c"); err != nil {
		t.Errorf("another tenant: %v", err)
	}
	if err := m.Forget(t.Context(), "acme", "key"); err != nil {
		t.Fatal(err)
	}
	begin("c", nil)
}
