package tenant_test

import (
	"errors"
	"testing"
	"time"

	"github.com/serverless-scim/serverless-scim/pkg/scim"
	"github.com/serverless-scim/serverless-scim/pkg/tenant"
)

// TestOperatorsBoundHoldsForEveryToken: no token lives longer than the operator allows, also if nobody asked for a
// life, and if the tenant was set to a longer one before the bound was lowered.
func TestOperatorsBoundHoldsForEveryToken(t *testing.T) {
	w := newWorld(t)
	w.createWith(t, "before", `{"token": {"lifetimeDays": 700, "noticeDays": 90, "reminders": [60, 10]}}`)
	w.createWith(t, "noticed", `{"token": {"noticeDays": 60}}`)
	w.Service = tenant.New(w.store, tenant.NewTableSecrets(w.store),
		tenant.Options{Now: w.clock.Now, MaxLifetime: 30 * 24 * time.Hour})
	latest := w.clock.Now().Add(30 * 24 * time.Hour)
	check := func(what string, end time.Time) {
		t.Helper()
		if !end.Equal(latest.Truncate(time.Second)) {
			t.Errorf("%s ends at %s, want %s", what, end, latest)
		}
	}
	check("the first token of a tenant", w.create(t, "after").ExpiresAt)
	check("another token", w.issue(t, "after").ExpiresAt)
	check("a token of a tenant with a longer period of notice", w.issue(t, "noticed").ExpiresAt)
	check("a token of a tenant with a longer life", w.issue(t, "before").ExpiresAt)
	c, err := w.CreateClient(w.ctx, "before", tenant.NewClient{})
	if err != nil {
		t.Fatal(err)
	}
	check("the secret of a client", c.Secrets[0].ExpiresAt)

	// The period of notice follows the shorter life: 20 days, so that the token is 10 days alone.
	if err := w.CancelRotation(w.ctx, "before"); err != nil {
		t.Fatal(err)
	}
	var d told
	tokens, err := w.Tokens(w.ctx, "before")
	if err != nil {
		t.Fatal(err)
	}
	w.to(tokens[0].ExpiresAt.Add(-time.Hour))
	w.rotate(t, &d)
	w.to(tokens[0].ExpiresAt)
	w.rotate(t, &d)
	tokens, _ = w.Tokens(w.ctx, "before")
	last := tokens[len(tokens)-1]
	if life := last.ExpiresAt.Sub(last.CreatedAt); life != 30*24*time.Hour {
		t.Errorf("a successor lives %s", life)
	}
	d.take()
	w.to(last.ExpiresAt.Add(-20*24*time.Hour - time.Second))
	w.rotate(t, &d)
	if got := d.take(); got != "" {
		t.Errorf("told %s before the period of notice", got)
	}
	w.to(last.ExpiresAt.Add(-20 * 24 * time.Hour))
	w.rotate(t, &d)
	if got := d.take(); got == "" {
		t.Error("nothing is told in the period of notice")
	}
}

// TestChangeBesideSettingsOutOfBounds: a tenant with settings from before the operator's bounds can still be switched
// off and renamed; only who touches the settings of tokens has to keep to the bounds.
func TestChangeBesideSettingsOutOfBounds(t *testing.T) {
	w := newWorld(t)
	w.createWith(t, "acme", `{"token": {"lifetimeDays": 700}}`)
	w.Service = tenant.New(w.store, tenant.NewTableSecrets(w.store),
		tenant.Options{Now: w.clock.Now, MaxLifetime: 30 * 24 * time.Hour})
	if _, err := w.Change(w.ctx, "acme", scim.Object{"active": false}); err != nil {
		t.Errorf("switched off: %v", err)
	}
	_, err := w.Change(w.ctx, "acme", scim.Object{
		"settings": scim.Object{"token": scim.Object{"noticeDays": int64(7)}},
	})
	if bad := (*tenant.InvalidError)(nil); !errors.As(err, &bad) {
		t.Errorf("other settings of tokens: %v", err)
	}
}

// TestPackedWithoutPackedSecrets: where a deployment has no packed secrets any more, the tokens of tenants that keep
// theirs there are kept in secrets of their own, not lost.
func TestPackedWithoutPackedSecrets(t *testing.T) {
	w := newWorld(t)
	vault := tenant.NewTableSecrets(w.store)
	w.Service = tenant.New(w.store, vault, tenant.Options{Now: w.clock.Now, Packed: vault})
	w.createWith(t, "acme", `{"token": {"vault": "packed"}}`)
	w.Service = tenant.New(w.store, vault, tenant.Options{Now: w.clock.Now})
	made := w.issue(t, "acme")
	shown, err := w.Reveal(w.ctx, "acme", made.ID)
	if err != nil || shown.Value != made.Value {
		t.Errorf("the value of a new token is not to be had: %v", err)
	}
}

// TestOperatorClientWithoutEnd: the secret of a client of the operator's has no end if none is given, and so none
// may be asked for.
func TestOperatorClientWithoutEnd(t *testing.T) {
	w := newWorld(t)
	for _, n := range []tenant.NewClient{{}, {Endless: true}} {
		c, err := w.CreateClient(w.ctx, tenant.OperatorClients, n)
		if err != nil {
			t.Fatal(err)
		}
		if c, err = w.RenewClient(w.ctx, tenant.OperatorClients, c.ID, n); err != nil || len(c.Secrets) != 2 ||
			!c.Secrets[1].ExpiresAt.IsZero() {
			t.Errorf("%+v, %v", c.Client, err)
		}
	}
	w.create(t, "acme")
	bad := (*tenant.InvalidError)(nil)
	if _, err := w.CreateClient(w.ctx, "acme", tenant.NewClient{Endless: true}); !errors.As(err, &bad) {
		t.Errorf("a tenant's client without an end: %v", err)
	}
}
