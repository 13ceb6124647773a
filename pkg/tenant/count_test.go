package tenant_test

import (
	"context"
	"fmt"
	"sync"
	"testing"

	"github.com/serverless-scim/serverless-scim/pkg/store"
	"github.com/serverless-scim/serverless-scim/pkg/tenant"
)

// counter is an engine that counts its calls, and those that read or write one item.
type counter struct {
	store.Engine
	item store.Key

	mu                   sync.Mutex
	calls, reads, writes int
}

func (c *counter) count(n *int, keys ...store.Key) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.calls++
	for _, key := range keys {
		if key == c.item {
			*n++
		}
	}
}

func (c *counter) Get(ctx context.Context, keys []store.Key) ([]store.Item, []int, error) {
	c.count(&c.reads, keys...)
	return c.Engine.Get(ctx, keys)
}

func (c *counter) Query(ctx context.Context, q store.Query) (store.Page, error) {
	c.count(&c.reads)
	return c.Engine.Query(ctx, q)
}

func (c *counter) Transact(ctx context.Context, token string, ops []store.Op) error {
	var keys []store.Key
	for _, op := range ops {
		if op.Kind != store.Check {
			keys = append(keys, op.Key)
		}
	}
	c.count(&c.writes, keys...)
	return c.Engine.Transact(ctx, token, ops)
}

func (c *counter) Batch(ctx context.Context, ops []store.Op) ([]int, error) {
	c.count(&c.writes)
	return c.Engine.Batch(ctx, ops)
}

// TestCallsOfARun counts the engine's calls for a run that finds one tenant, and how often the tenant's item is read
// and written: it is read once, and once more for each notice, whose facts are those of the moment at which it is sent.
// It is written when people are told, and when that is delivered; a successor reserves its place first.
func TestCallsOfARun(t *testing.T) {
	w, d := newWorld(t), &told{}
	old := w.createWith(t, "acme", mailAda)
	if _, err := w.CreateClient(w.ctx, "acme", tenant.NewClient{Name: "app"}); err != nil {
		t.Fatal(err)
	}
	e := &counter{Engine: w.engine, item: store.KeysOf("acme").Tenant()}
	s := w.process(store.New(e, store.Options{}), false)
	count := func(name, want string) {
		t.Helper()
		e.calls, e.reads, e.writes = -store.DueShards, 0, 0 // the walk over the due times
		run, err := s.Rotate(w.ctx, d.delivery())
		got := fmt.Sprintf("%d calls, read %d, written %d", e.calls, e.reads, e.writes)
		d.events = append(d.events, w.announced(t)...)
		if kinds := d.take(); kinds != "" {
			got += ": " + kinds
		}
		if err != nil || run.Failed > 0 || got != want {
			t.Errorf("%s: %s, want %s; %+v, %v", name, got, want, run, err)
		}
	}
	count("events", "0 calls, read 0, written 0: token.created client.created")
	count("nothing due", "0 calls, read 0, written 0")
	w.to(old.ExpiresAt.Add(-28 * day))
	count("successor of a token, end of a secret",
		"16 calls, read 3, written 3: token.successor-created successor-ready successor-ready")
	w.to(old.ExpiresAt.Add(-14 * day))
	count("reminders", "13 calls, read 3, written 2: reminder-14 reminder-14")
	live, err := w.Tokens(w.ctx, "acme")
	if err != nil {
		t.Fatal(err)
	}
	s.Touch(w.ctx, "acme", live[1].ID)
	count("first use", "5 calls, read 1, written 1: tenant.connected token.first-used")
	w.to(old.ExpiresAt)
	count("expiries", "14 calls, read 3, written 2: token.expired client.secret-expired expired expired")
}
