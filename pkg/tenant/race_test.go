package tenant_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/serverless-scim/serverless-scim/pkg/scim"
	"github.com/serverless-scim/serverless-scim/pkg/store"
	"github.com/serverless-scim/serverless-scim/pkg/tenant"
)

// interloper is the engine of a process that somebody gets ahead of, between its reading and its first write.
type interloper struct {
	store.Engine
	first func()
}

func (i *interloper) Transact(ctx context.Context, token string, ops []store.Op) error {
	if first := i.first; first != nil {
		i.first = nil
		first()
	}
	return i.Engine.Transact(ctx, token, ops)
}

// behind is a process whose first write comes after first.
func (w *world) behind(first func()) *tenant.Service {
	return w.process(store.New(&interloper{Engine: w.engine, first: first}, store.Options{}), false)
}

func TestWritesInBetweenAreNotLost(t *testing.T) {
	w := newWorld(t)
	token := w.create(t, "acme")
	_, err := w.behind(func() {
		if _, err := w.Change(w.ctx, "acme", scim.Object{"name": "first"}); err != nil {
			t.Error(err)
		}
	}).Change(w.ctx, "acme", scim.Object{"idp": "okta"})
	got, getErr := w.Get(w.ctx, "acme")
	if err != nil || getErr != nil || got.Name != "first" || got.IdP != "okta" {
		t.Errorf("%+v, %v, %v", got, err, getErr)
	}

	revoke := func() {
		if err := w.Revoke(w.ctx, "acme", token.ID, true); err != nil {
			t.Error(err)
		}
	}
	if _, err = w.behind(revoke).Change(w.ctx, "acme", scim.Object{"idp": "entra"}); err != nil ||
		w.good(t, "acme", token.Value) {
		t.Errorf("a revocation was undone; %v", err)
	}

	remove := func() {
		if err := w.Delete(w.ctx, "acme"); err != nil {
			t.Error(err)
		}
	}
	_, err = w.behind(remove).Change(w.ctx, "acme", scim.Object{"idp": "okta"})
	if !errors.Is(err, tenant.ErrNotFound) {
		t.Errorf("change of a tenant that was just deleted: %v", err)
	}
	if err = w.behind(nil).Delete(w.ctx, "acme"); !errors.Is(err, tenant.ErrNotFound) {
		t.Errorf("deleted twice: %v", err)
	}
}

func TestDeleteAfterAChangeInBetween(t *testing.T) {
	w := newWorld(t)
	w.create(t, "acme")
	err := w.behind(func() {
		if _, err := w.Change(w.ctx, "acme", scim.Object{"name": "first"}); err != nil {
			t.Error(err)
		}
	}).Delete(w.ctx, "acme")
	if _, getErr := w.Get(w.ctx, "acme"); err != nil || !errors.Is(getErr, tenant.ErrNotFound) {
		t.Errorf("%v, %v", err, getErr)
	}
}

// While a value is on its way into the vault, its place is taken.
func TestReservationsKeepOthersOff(t *testing.T) {
	w := newWorld(t)
	check := func() {
		w.clock.add(59 * time.Second)
		if _, err := w.Get(w.ctx, "acme"); !errors.Is(err, tenant.ErrNotFound) {
			t.Errorf("a tenant in the making is seen: %v", err)
		}
		if _, _, err := w.Create(w.ctx, tenant.NewTenant{ID: "acme", Name: "x"}); !errors.Is(err, tenant.ErrExists) {
			t.Errorf("create: %v", err)
		}
		if ids, err := w.Deleting(w.ctx); err != nil || len(ids) != 0 {
			t.Errorf("deleting %v, %v", ids, err)
		}
	}
	slow := func(meanwhile func()) *tenant.Service {
		vault := &slowVault{Secrets: tenant.NewTableSecrets(w.store), meanwhile: meanwhile}
		return tenant.New(w.store, vault, tenant.Options{Now: w.clock.Now})
	}
	if _, _, err := slow(check).Create(w.ctx, tenant.NewTenant{ID: "acme", Name: "x"}); err != nil {
		t.Fatal(err)
	}
	check = func() {
		w.clock.add(59 * time.Second)
		conflict := (*tenant.ConflictError)(nil)
		if _, err := w.Issue(w.ctx, "acme", tenant.NewToken{}); !errors.As(err, &conflict) {
			t.Errorf("issue: %v", err)
		}
		if tokens, err := w.Tokens(w.ctx, "acme"); err != nil || len(tokens) != 1 {
			t.Errorf("a token in the making is listed: %v, %v", tokens, err)
		}
	}
	if _, err := slow(check).Issue(w.ctx, "acme", tenant.NewToken{}); err != nil {
		t.Fatal(err)
	}
	if live := w.sound(t, "acme"); len(live) != 2 {
		t.Errorf("%d live tokens", len(live))
	}
}

// A tenant is not finished while a token of it is being created, or somebody else finishes it: the vault might get a
// value, or lose that of a new tenant, afterwards.
func TestFinishWaits(t *testing.T) {
	w := newWorld(t)
	w.create(t, "acme")
	busy := func() {
		if err := w.Finish(w.ctx, "acme"); !errors.Is(err, tenant.ErrBusy) {
			t.Errorf("finish: %v, want busy", err)
		}
	}
	vault := &slowVault{Secrets: tenant.NewTableSecrets(w.store), meanwhile: func() {
		if err := w.Delete(w.ctx, "acme"); err != nil {
			t.Error(err)
		}
		busy()
	}}
	slow := tenant.New(w.store, vault, tenant.Options{Now: w.clock.Now})
	if _, err := slow.Issue(w.ctx, "acme", tenant.NewToken{}); !errors.Is(err, tenant.ErrNotFound) {
		t.Errorf("issue for a tenant that is deleted meanwhile: %v", err)
	}
	w.clock.add(time.Minute)
	vault.meanwhile = busy
	if err := slow.Finish(w.ctx, "acme"); err != nil {
		t.Fatal(err)
	}
	w.empty(t, "acme")
}

// A run decides about notices from the tenant as it is at the write: a client may be deleted while the successor is
// created.
func TestClientDeletedWhileASuccessorIsMade(t *testing.T) {
	w, d := newWorld(t), &told{}
	token := w.createWith(t, "acme", mailAda)
	c, err := w.CreateClient(w.ctx, "acme", tenant.NewClient{Name: "app"})
	if err != nil {
		t.Fatal(err)
	}
	w.rotate(t, d)
	d.take()
	slow := &slowVault{Secrets: tenant.NewTableSecrets(w.store), meanwhile: func() {
		if err := w.DeleteClient(w.ctx, "acme", c.ID); err != nil {
			t.Error(err)
		}
	}}
	w.to(token.ExpiresAt.Add(-28 * day)) // the client's secret ends on that day, too
	s := tenant.New(w.store, slow, tenant.Options{Now: w.clock.Now})
	run, err := s.Rotate(w.ctx, d.delivery())
	if err != nil || run.Failed != 0 {
		t.Errorf("%+v, %v", run, err)
	}
	d.events = w.announced(t)
	if got := d.take(); got != "client.deleted token.successor-created successor-ready" {
		t.Errorf("told: %s", got)
	}
}
