package awssecret_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/serverless-scim/serverless-scim/pkg/internal/awsfake/fakesecrets"
	"github.com/serverless-scim/serverless-scim/pkg/store"
	"github.com/serverless-scim/serverless-scim/pkg/store/boltstore"
	"github.com/serverless-scim/serverless-scim/pkg/store/faultstore"
	"github.com/serverless-scim/serverless-scim/pkg/tenant"
	"github.com/serverless-scim/serverless-scim/pkg/tenant/awssecret"
)

// world is package tenant on this vault.
type world struct {
	*tenant.Service
	fake   *fakesecrets.Server
	engine store.Engine
	vault  *awssecret.Vault
	now    time.Time
}

func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{now: time.Date(2026, 11, 22, 8, 0, 0, 0, time.UTC)}
	engine, err := boltstore.Open(boltstore.Memory, boltstore.Options{Now: func() time.Time { return w.now }})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = engine.Close() })
	w.engine = engine
	w.fake, w.vault = newVault(t)
	w.Service = w.process(engine)
	return w
}

func (w *world) process(engine store.Engine) *tenant.Service {
	return tenant.New(store.New(engine, store.Options{}), w.vault, tenant.Options{
		Now: func() time.Time { return w.now },
	})
}

// sound returns the ids of the live tokens, each of which must be in the vault and get in.
func (w *world) sound(t *testing.T) (live []string) {
	t.Helper()
	tokens, err := w.Tokens(t.Context(), "acme")
	if err != nil {
		t.Fatal(err)
	}
	for _, token := range tokens {
		if token.State != tenant.TokenActive && token.State != tenant.TokenSuccessor {
			continue
		}
		live = append(live, token.ID)
		shown, err := w.Reveal(t.Context(), "acme", token.ID)
		if err != nil {
			t.Errorf("reveal the %s token: %v; %v", token.State, err, w.fake.Show(name))
			continue
		}
		if _, _, err := w.Authenticate(t.Context(), "acme", tenant.ReadBearer(shown.Value)); err != nil {
			t.Errorf("the %s token is refused: %v", token.State, err)
		}
	}
	return live
}

func (w *world) issue(t *testing.T) tenant.IssuedToken {
	t.Helper()
	token, err := w.Issue(t.Context(), "acme", tenant.NewToken{})
	if err != nil {
		t.Fatal(err)
	}
	return token
}

func (w *world) create(t *testing.T) tenant.IssuedToken {
	t.Helper()
	_, token, err := w.Create(t.Context(), tenant.NewTenant{ID: "acme", Name: "Acme"})
	if err != nil {
		t.Fatal(err)
	}
	return token
}

// Tokens come and go in every order: each live token is in the vault, and AWSCURRENT is a live token's if there is
// one.
func TestLiveTokensStayInTheVault(t *testing.T) {
	w := newWorld(t)
	w.create(t)
	for round := range 12 {
		w.issue(t)
		live := w.sound(t)
		if len(live) != 2 {
			t.Fatalf("round %d: %d live tokens", round, len(live))
		}
		switch round % 4 {
		case 0, 1: // the older or the newer one goes
			if err := w.Revoke(t.Context(), "acme", live[round%2], true); err != nil {
				t.Fatal(err)
			}
		case 2: // both go
			for _, id := range live {
				if err := w.Revoke(t.Context(), "acme", id, true); err != nil {
					t.Fatal(err)
				}
			}
			if got := w.fake.Show(name)["AWSCURRENT"]; got != "revoked" {
				t.Errorf("round %d: a dead token is AWSCURRENT", round)
			}
			w.issue(t)
		case 3: // the older one ends, the newer one lives on
			if err := w.Revoke(t.Context(), "acme", live[1], true); err != nil {
				t.Fatal(err)
			}
			w.now = w.now.Add(100 * 24 * time.Hour)
			w.issue(t)
			w.now = w.now.Add(100 * 24 * time.Hour)
		}
		if live = w.sound(t); len(live) != 1 {
			t.Fatalf("round %d: %d live tokens at the end", round, len(live))
		}
	}
}

// crash runs work with a vault that fails at each of its changes in turn, before or after the change; the process
// either dies with it or lives to tidy up.
func crash(t *testing.T, prepare func(*testing.T, *world), work func(context.Context, *tenant.Service) error,
	check func(*testing.T, *world),
) {
	t.Helper()
	for i := range 4 {
		late, dies := i&1 == 1, i&2 == 2
		for deadline := 1; ; deadline++ {
			done := false
			t.Run(fmt.Sprintf("change %d, after it: %v, process dies: %v", deadline, late, dies), func(t *testing.T) {
				w := newWorld(t)
				prepare(t, w)
				engine := faultstore.New(w.engine, nil)
				if dies {
					w.fake.OnDeath = func() { engine.KillAfter(0) }
				}
				w.fake.Changes, w.fake.Deadline, w.fake.Late = 0, deadline, late
				err := work(t.Context(), w.process(engine))
				if done = !w.fake.Dead(); done && err != nil {
					t.Fatal(err)
				}
				w.fake.Deadline = 0
				w.now = w.now.Add(time.Minute)
				check(t, w)
			})
			if done || t.Failed() {
				if deadline < 2 {
					t.Error("the vault was not used")
				}
				break
			}
		}
	}
}

func TestVaultFailsInCreate(t *testing.T) {
	crash(t, func(*testing.T, *world) {},
		func(ctx context.Context, s *tenant.Service) error {
			_, _, err := s.Create(ctx, tenant.NewTenant{ID: "acme", Name: "Acme"})
			return err
		},
		func(t *testing.T, w *world) {
			if _, err := w.Get(t.Context(), "acme"); err != nil {
				w.create(t)
			}
			if live := w.sound(t); len(live) != 1 {
				t.Errorf("%d live tokens", len(live))
			}
		})
}

func TestVaultFailsInIssue(t *testing.T) {
	crash(t,
		func(t *testing.T, w *world) { // the live token is still labelled as a successor
			w.create(t)
			w.now = w.now.Add(100 * 24 * time.Hour)
			w.issue(t)
			w.now = w.now.Add(100 * 24 * time.Hour)
		},
		func(ctx context.Context, s *tenant.Service) error {
			_, err := s.Issue(ctx, "acme", tenant.NewToken{})
			return err
		},
		func(t *testing.T, w *world) {
			if len(w.sound(t)) == 2 {
				return
			}
			w.issue(t)
			if live := w.sound(t); len(live) != 2 {
				t.Errorf("%d live tokens", len(live))
			}
		})
}

func TestVaultFailsInRevoke(t *testing.T) {
	for _, last := range []bool{false, true} {
		var revoked tenant.IssuedToken
		crash(t,
			func(t *testing.T, w *world) {
				revoked = w.create(t)
				if !last {
					w.issue(t)
				}
			},
			func(ctx context.Context, s *tenant.Service) error { return s.Revoke(ctx, "acme", revoked.ID, true) },
			func(t *testing.T, w *world) {
				w.sound(t)
				if _, _, err := w.Authenticate(t.Context(), "acme", tenant.ReadBearer(revoked.Value)); err == nil {
					t.Error("the revoked token gets in")
				}
				if err := w.Revoke(t.Context(), "acme", revoked.ID, true); err != nil {
					t.Fatal(err)
				}
				for label, value := range w.fake.Show(name) {
					if value == revoked.Value {
						t.Errorf("the revoked token is still %s", label)
					}
				}
				w.issue(t)
				w.sound(t)
			})
	}
}

func TestVaultFailsInFinish(t *testing.T) {
	crash(t,
		func(t *testing.T, w *world) {
			w.create(t)
			w.fake.Linger = 1
			if err := w.Delete(t.Context(), "acme"); err != nil {
				t.Fatal(err)
			}
		},
		func(ctx context.Context, s *tenant.Service) error {
			if err := s.Finish(ctx, "acme"); !tenant.Temporary(err) {
				return err
			}
			return s.Finish(ctx, "acme")
		},
		func(t *testing.T, w *world) {
			for range 3 {
				if err := w.Finish(t.Context(), "acme"); err != nil && !tenant.Temporary(err) {
					t.Fatal(err)
				}
			}
			if got := w.fake.Show(name); got != nil {
				t.Errorf("left in the vault: %v", got)
			}
			w.create(t)
			if live := w.sound(t); len(live) != 1 {
				t.Errorf("%d live tokens", len(live))
			}
		})
}

func TestRequestsNeverReadTheVault(t *testing.T) {
	w := newWorld(t)
	token := w.create(t)
	before := fmt.Sprint(w.fake.Calls)
	if _, _, err := w.Authenticate(t.Context(), "acme", tenant.ReadBearer(token.Value)); err != nil {
		t.Fatal(err)
	}
	w.Touch(t.Context(), "acme", token.ID)
	if _, err := w.Tokens(t.Context(), "acme"); err != nil {
		t.Fatal(err)
	}
	if after := fmt.Sprint(w.fake.Calls); after != before {
		t.Errorf("calls %s, before %s", after, before)
	}
}
