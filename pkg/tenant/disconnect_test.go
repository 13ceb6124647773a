package tenant_test

import (
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/serverless-scim/serverless-scim/pkg/tenant"
)

// TestDisconnect ends both tokens and the client of a tenant. It is told once, and rotation makes nothing anew.
func TestDisconnect(t *testing.T) {
	w, d := newWorld(t), &told{}
	first := w.createWith(t, "acme", mailAda)
	second := w.issue(t, "acme")
	if _, err := w.CreateClient(w.ctx, "acme", tenant.NewClient{Name: "Okta"}); err != nil {
		t.Fatal(err)
	}
	w.rotate(t, d)
	d.take()
	for _, want := range []tenant.Disconnected{{Tokens: 2, Clients: 1}, {}} {
		if got, err := w.Disconnect(w.ctx, "acme"); err != nil || got != want {
			t.Errorf("ended %+v, error %v, want %+v", got, err, want)
		}
	}
	for _, token := range []tenant.IssuedToken{first, second} {
		if w.good(t, "acme", token.Value) {
			t.Error("a token is good still")
		}
		if _, err := w.Reveal(w.ctx, "acme", token.ID); err == nil {
			t.Error("the value of a token is shown still")
		}
	}
	w.rotate(t, d)
	if got := d.take(); got != "token.revoked token.revoked client.deleted tenant.disconnected" {
		t.Errorf("told %s", got)
	}
	for range 8 {
		w.clock.add(30 * 24 * time.Hour)
		w.rotate(t, d)
	}
	if got := d.take(); got != "" {
		t.Errorf("afterwards: %s", got)
	}
	again := w.issue(t, "acme")
	if !w.good(t, "acme", again.Value) {
		t.Error("a new token is not good")
	}
	if _, err := w.Disconnect(w.ctx, "other"); !errors.Is(err, tenant.ErrNotFound) {
		t.Errorf("a tenant that is not there: %v", err)
	}
}

// TestDisconnectWhileTokensAreMade ends tokens while others are being created. One that is made over it is not added.
func TestDisconnectWhileTokensAreMade(t *testing.T) {
	w := newWorld(t)
	w.create(t, "acme")
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for range 5 {
				_, err := w.Issue(w.ctx, "acme", tenant.NewToken{})
				if conflict := (*tenant.ConflictError)(nil); err != nil && !errors.As(err, &conflict) {
					t.Error(err)
				}
			}
		})
		wg.Go(func() {
			for range 5 {
				if _, err := w.Disconnect(w.ctx, "acme"); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	if _, err := w.Disconnect(w.ctx, "acme"); err != nil {
		t.Fatal(err)
	}
	tokens, err := w.Tokens(w.ctx, "acme")
	for _, token := range tokens {
		if token.State != tenant.TokenRevoked {
			t.Errorf("a token is %s", token.State)
		}
	}
	if got, again := w.Disconnect(w.ctx, "acme"); err != nil || again != nil || got != (tenant.Disconnected{}) {
		t.Errorf("ended %+v, errors %v, %v", got, err, again)
	}
}
