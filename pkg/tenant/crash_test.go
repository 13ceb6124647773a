package tenant_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/serverless-scim/serverless-scim/pkg/store"
	"github.com/serverless-scim/serverless-scim/pkg/store/faultstore"
	"github.com/serverless-scim/serverless-scim/pkg/tenant"
)

// crash runs work in a process that dies at every one of its writes in turn, each time in a new world, and then check.
// It ends with the first death that work does not meet.
func crash(t *testing.T, prepare func(*testing.T, *world), work func(*world, *tenant.Service) error,
	check func(*testing.T, *world),
) {
	t.Helper()
	for writes, finished := 0, false; !finished && !t.Failed(); writes++ {
		t.Run(fmt.Sprintf("after %d writes", writes), func(t *testing.T) {
			w := newWorld(t)
			prepare(t, w)
			mortal := faultstore.New(w.engine, nil)
			mortal.KillAfterWrites(writes)
			err := work(w, w.process(store.New(mortal, store.Options{}), false))
			if finished = !mortal.Killed(); finished && (err != nil || writes == 0) {
				t.Fatalf("work that nothing kept from its end: %v", err)
			}
			check(t, w)
		})
	}
}

// sound fails the test unless every live token of a tenant can be shown and gets in, and there are two at most.
func (w *world) sound(t *testing.T, id string) (live []tenant.IssuedToken) {
	t.Helper()
	tokens, err := w.Tokens(w.ctx, id)
	if err != nil {
		t.Fatal(err)
	}
	for _, token := range tokens {
		if token.State != tenant.TokenActive && token.State != tenant.TokenSuccessor {
			continue
		}
		shown, err := w.Reveal(w.ctx, id, token.ID)
		if err != nil || !w.good(t, id, shown.Value) {
			t.Errorf("token %s is live, but nobody has it: %v", token.ID, err)
		}
		live = append(live, shown)
	}
	if len(live) > 2 {
		t.Errorf("%d live tokens", len(live))
	}
	return live
}

func TestCrashInCreate(t *testing.T) {
	work := func(w *world, s *tenant.Service) error {
		_, _, err := s.Create(w.ctx, tenant.NewTenant{ID: "acme", Name: "first"})
		return err
	}
	nothing := func(*testing.T, *world) {}
	check := func(t *testing.T, w *world) {
		got, err := w.Get(w.ctx, "acme")
		if err == nil {
			if live := w.sound(t, "acme"); len(live) != 1 || got.Name != "first" {
				t.Errorf("%+v with %d live tokens", got, len(live))
			}
			return
		}
		if !errors.Is(err, tenant.ErrNotFound) {
			t.Fatal(err)
		}
		w.clock.add(time.Minute)
		if _, _, err = w.Create(w.ctx, tenant.NewTenant{ID: "acme", Name: "second"}); err != nil {
			t.Fatalf("create again: %v", err)
		}
		if live := w.sound(t, "acme"); len(live) != 1 {
			t.Errorf("%d live tokens", len(live))
		}
	}
	crash(t, nothing, work, check)
	t.Run("cleared away", func(t *testing.T) {
		crash(t, nothing, work, func(t *testing.T, w *world) {
			if _, err := w.Get(w.ctx, "acme"); err == nil {
				return
			}
			w.clock.add(time.Hour)
			ids, err := w.Deleting(w.ctx)
			if err != nil {
				t.Fatal(err)
			}
			for _, id := range ids {
				if err := w.Finish(w.ctx, id); err != nil {
					t.Fatal(err)
				}
			}
			w.empty(t, "acme")
		})
	})
	t.Run("alone on the table", func(t *testing.T) {
		crash(t, nothing, work, func(t *testing.T, w *world) {
			_, _, err := w.process(w.store, true).Create(w.ctx, tenant.NewTenant{ID: "acme", Name: "second"})
			if err != nil && !errors.Is(err, tenant.ErrExists) {
				t.Fatal(err)
			}
			if live := w.sound(t, "acme"); len(live) != 1 {
				t.Errorf("%d live tokens", len(live))
			}
		})
	})
}

func TestCrashInIssue(t *testing.T) {
	crash(t,
		func(t *testing.T, w *world) { w.create(t, "acme") },
		func(w *world, s *tenant.Service) error {
			_, err := s.Issue(w.ctx, "acme", tenant.NewToken{})
			return err
		},
		func(t *testing.T, w *world) {
			if len(w.sound(t, "acme")) == 2 {
				return
			}
			w.clock.add(time.Minute)
			w.issue(t, "acme")
			if live := w.sound(t, "acme"); len(live) != 2 {
				t.Errorf("%d live tokens", len(live))
			}
		})
}

func TestCrashInRevoke(t *testing.T) {
	var first, second tenant.IssuedToken
	crash(t,
		func(t *testing.T, w *world) { first, second = w.create(t, "acme"), w.issue(t, "acme") },
		func(w *world, s *tenant.Service) error { return s.Revoke(w.ctx, "acme", first.ID, true) },
		func(t *testing.T, w *world) {
			w.sound(t, "acme")
			if err := w.Revoke(w.ctx, "acme", first.ID, true); err != nil {
				t.Fatal(err)
			}
			live := w.sound(t, "acme")
			if len(live) != 1 || live[0].Value != second.Value || w.good(t, "acme", first.Value) {
				t.Errorf("%d live tokens", len(live))
			}
			_, err := tenant.NewTableSecrets(w.store).Reveal(w.ctx, "acme", first.ID)
			if !errors.Is(err, tenant.ErrNoValue) {
				t.Errorf("the vault still has the revoked token: %v", err)
			}
		})
}

func TestCrashInDelete(t *testing.T) {
	var token tenant.IssuedToken
	crash(t,
		func(t *testing.T, w *world) {
			token = w.create(t, "acme")
			w.issue(t, "acme")
			w.Touch(w.ctx, "acme", token.ID)
		},
		func(w *world, s *tenant.Service) error {
			if err := s.Delete(w.ctx, "acme"); err != nil {
				return err
			}
			return s.Finish(w.ctx, "acme")
		},
		func(t *testing.T, w *world) {
			if _, err := w.Get(w.ctx, "acme"); err == nil {
				if len(w.sound(t, "acme")) != 2 {
					t.Error("half deleted")
				}
				return
			}
			if w.good(t, "acme", token.Value) {
				t.Error("a token of a deleted tenant gets in")
			}
			w.clock.add(time.Minute)
			ids, err := w.Deleting(w.ctx)
			if err != nil {
				t.Fatal(err)
			}
			if _, _, err := w.Create(w.ctx, tenant.NewTenant{ID: "acme", Name: "x"}); (err == nil) == slices.Contains(
				ids, "acme") {
				t.Errorf("create while %v are being deleted: %v", ids, err)
			}
			if len(ids) == 0 {
				return
			}
			if err := w.Finish(w.ctx, "acme"); err != nil {
				t.Fatal(err)
			}
			w.empty(t, "acme")
		})
}

// A process that was thought dead comes back after another one took its place.
func TestLateCreateLoses(t *testing.T) {
	w := newWorld(t)
	slow := &slowVault{Secrets: tenant.NewTableSecrets(w.store), meanwhile: func() {
		w.clock.add(time.Minute)
		w.create(t, "acme")
	}}
	late := tenant.New(w.store, slow, tenant.Options{Now: w.clock.Now})
	if _, _, err := late.Create(w.ctx, tenant.NewTenant{ID: "acme", Name: "late"}); !errors.Is(err, tenant.ErrExists) {
		t.Errorf("late create: %v", err)
	}
	if got, err := w.Get(w.ctx, "acme"); err != nil || got.Name != "Name of acme" || len(w.sound(t, "acme")) != 1 {
		t.Errorf("%+v, %v", got, err)
	}
	page, err := w.store.Query(w.ctx, store.Query{PK: store.KeysOf("acme").Tenant().PK, Prefix: "SECRET"})
	if err != nil || page.Count != 1 {
		t.Errorf("%d values kept, want that of the winner; %v", page.Count, err)
	}
}

func TestVaultFails(t *testing.T) {
	w := newWorld(t)
	broken := tenant.New(w.store, &slowVault{Secrets: tenant.NewTableSecrets(w.store), err: tenant.ErrVault},
		tenant.Options{Now: w.clock.Now})
	if _, _, err := broken.Create(w.ctx, tenant.NewTenant{ID: "acme", Name: "x"}); !tenant.Temporary(err) {
		t.Errorf("create: %v", err)
	}
	w.create(t, "acme") // at once: the reservation was given back
	if _, err := broken.Issue(w.ctx, "acme", tenant.NewToken{}); !tenant.Temporary(err) {
		t.Errorf("issue: %v", err)
	}
	w.issue(t, "acme")
	if live := w.sound(t, "acme"); len(live) != 2 {
		t.Errorf("%d live tokens", len(live))
	}
}

func TestHungUpClientLeavesNothingHalfMade(t *testing.T) {
	w := newWorld(t)
	ctx, hangUp := context.WithCancel(w.ctx)
	s := tenant.New(w.store, &slowVault{Secrets: tenant.NewTableSecrets(w.store), meanwhile: hangUp},
		tenant.Options{Now: w.clock.Now})
	if _, _, err := s.Create(ctx, tenant.NewTenant{ID: "acme", Name: "x"}); err != nil {
		t.Fatal(err)
	}
	if len(w.sound(t, "acme")) != 1 {
		t.Error("no token")
	}
}

// slowVault is a vault in which something happens while a value is on its way in or everything on its way out, or which
// does not take a value.
type slowVault struct {
	tenant.Secrets
	meanwhile func()
	err       error
}

func (v *slowVault) Keep(ctx context.Context, tenantID, tokenID, value string, stage tenant.Stage) error {
	if v.meanwhile != nil {
		v.meanwhile()
	}
	if v.err != nil {
		return v.err
	}
	return v.Secrets.Keep(ctx, tenantID, tokenID, value, stage)
}

func (v *slowVault) DropTenant(ctx context.Context, tenantID string) error {
	if v.meanwhile != nil {
		v.meanwhile()
	}
	return v.Secrets.DropTenant(ctx, tenantID)
}
