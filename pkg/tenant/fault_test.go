package tenant_test

import (
	"errors"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/serverless-scim/serverless-scim/pkg/scim"
	"github.com/serverless-scim/serverless-scim/pkg/store"
	"github.com/serverless-scim/serverless-scim/pkg/store/faultstore"
	"github.com/serverless-scim/serverless-scim/pkg/tenant"
)

// Every third call of the table fails, some after they did their work. In all cases a live token can be shown and
// authenticates, a revoked one does not, and no error is a fault of the program.
func TestFaultyTable(t *testing.T) {
	for seed := range uint64(8) {
		w := newWorld(t)
		faulty := store.New(faultstore.New(w.engine, faultstore.Random(seed, 0.35)),
			store.Options{BaseDelay: time.Millisecond})
		s := w.process(faulty, false)
		allowed := func(what string, err error) {
			conflict := (*tenant.ConflictError)(nil)
			if err != nil && !tenant.Temporary(err) && !errors.As(err, &conflict) {
				t.Fatalf("seed %d: %s: %v", seed, what, err)
			}
		}
		if _, _, err := s.Create(w.ctx, tenant.NewTenant{ID: "acme", Name: "x"}); err != nil {
			t.Fatalf("seed %d: create: %v", seed, err)
		}
		random := rand.New(rand.NewPCG(seed, 0))
		for range 40 {
			switch random.IntN(4) {
			case 0, 1:
				_, err := s.Issue(w.ctx, "acme", tenant.NewToken{})
				allowed("issue", err)
			case 2:
				_, err := s.Change(w.ctx, "acme", scim.Object{"active": random.IntN(8) > 0})
				allowed("change", err)
			case 3:
				live := w.live(t)
				if len(live) == 0 {
					continue
				}
				err := s.Revoke(w.ctx, "acme", live[0].ID, true)
				allowed("revoke", err)
				if err == nil && w.good(t, "acme", live[0].Value) {
					t.Fatalf("seed %d: a revoked token gets in", seed)
				}
			}
			w.live(t)
		}
	}
}

// live is sound on a tenant that is switched on for it.
func (w *world) live(t *testing.T) []tenant.IssuedToken {
	t.Helper()
	if _, err := w.Change(w.ctx, "acme", scim.Object{"active": true}); err != nil {
		t.Fatal(err)
	}
	return w.sound(t, "acme")
}
