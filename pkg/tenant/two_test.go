package tenant_test

import (
	"errors"
	"strings"
	"sync"
	"testing"

	"github.com/serverless-scim/serverless-scim/pkg/scim"
	"github.com/serverless-scim/serverless-scim/pkg/tenant"
)

const vaultNone = `{"token":{"vault":"none"}}`

// liveTokens counts the live tokens of acme.
func (w *world) liveTokens(t *testing.T) int {
	t.Helper()
	all, err := w.Tokens(w.ctx, "acme")
	if err != nil {
		t.Fatal(err)
	}
	live := 0
	for _, token := range all {
		if token.State == tenant.TokenActive || token.State == tenant.TokenSuccessor {
			live++
		}
	}
	return live
}

// conflict reports whether err is a *tenant.ConflictError that says text.
func conflict(err error, text string) bool {
	refused := (*tenant.ConflictError)(nil)
	return errors.As(err, &refused) && strings.Contains(refused.Detail, text)
}

// TestTwoLiveWithVaultNone: at most two tokens are live, even if other calls come between the read and the write of
// StartRotation.
func TestTwoLiveWithVaultNone(t *testing.T) {
	w := newWorld(t)
	w.createWith(t, "acme", vaultNone)
	err := w.behind(func() { w.issue(t, "acme") }).StartRotation(w.ctx, "acme")
	if !conflict(err, "The token has a successor already") {
		t.Errorf("start behind a new token: %v", err)
	}
	for range 4 {
		if _, err := w.Issue(w.ctx, "acme", tenant.NewToken{}); !conflict(err, "Two tokens are live") {
			t.Errorf("a third token: %v", err)
		}
		if _, err := w.Collect(w.ctx, "acme"); !conflict(err, "no token to collect") {
			t.Errorf("collect a third token: %v", err)
		}
	}
	if n := w.liveTokens(t); n != 2 {
		t.Errorf("%d live tokens", n)
	}
}

// TestStartAfterATokenInTheMaking: a rotation with vault none does not start while a token is being created.
func TestStartAfterATokenInTheMaking(t *testing.T) {
	w := newWorld(t)
	w.create(t, "acme")
	slow := &slowVault{Secrets: tenant.NewTableSecrets(w.store), meanwhile: func() {
		if _, err := w.Change(w.ctx, "acme",
			scim.Object{"settings": scim.Object{"token": scim.Object{"vault": "none"}}}); err != nil {
			t.Error(err)
		}
		if err := w.StartRotation(w.ctx, "acme"); !conflict(err, "A token is being created already") {
			t.Errorf("start: %v", err)
		}
	}}
	if _, err := tenant.New(w.store, slow, tenant.Options{Now: w.clock.Now}).
		Issue(w.ctx, "acme", tenant.NewToken{}); err != nil {
		t.Fatal(err)
	}
	_, err := w.Issue(w.ctx, "acme", tenant.NewToken{})
	if !conflict(err, "Two tokens are live") || w.liveTokens(t) != 2 {
		t.Errorf("%d live, %v", w.liveTokens(t), err)
	}
}

// TestStartRacesWithNewTokens: the same with many at once.
func TestStartRacesWithNewTokens(t *testing.T) {
	for range 20 {
		w := newWorld(t)
		w.createWith(t, "acme", vaultNone)
		var wg sync.WaitGroup
		for range 3 {
			wg.Go(func() { _ = w.StartRotation(w.ctx, "acme") })
			wg.Go(func() { _, _ = w.Issue(w.ctx, "acme", tenant.NewToken{}) })
			wg.Go(func() { _, _ = w.Collect(w.ctx, "acme") })
		}
		wg.Wait()
		if n := w.liveTokens(t); n > 2 {
			t.Fatalf("%d live tokens", n)
		}
	}
}

// TestTwoLiveAfterExtensions: a rotation that was started because both tokens ended soon makes no third one after they
// were extended.
func TestTwoLiveAfterExtensions(t *testing.T) {
	w := newWorld(t)
	tokens := []tenant.IssuedToken{w.createWith(t, "acme", vaultNone), w.issue(t, "acme")}
	w.to(tokens[0].ExpiresAt.Add(-10 * day))
	if err := w.StartRotation(w.ctx, "acme"); err != nil {
		t.Fatal(err)
	}
	for _, token := range tokens {
		if _, err := w.Extend(w.ctx, "acme", token.ID, token.ExpiresAt.Add(100*day), false); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := w.Collect(w.ctx, "acme"); !conflict(err, "Two tokens are live") || w.liveTokens(t) != 2 {
		t.Errorf("%d live, %v", w.liveTokens(t), err)
	}
}

// TestCompleteLooksFirst: a rotation is not completed without force if the identity provider may be cut off by that.
func TestCompleteLooksFirst(t *testing.T) {
	read, both := []tenant.Scope{tenant.ScopeRead}, []tenant.Scope{tenant.ScopeWrite, tenant.ScopeRead}
	for name, c := range map[string]struct {
		old, next []tenant.Scope
		used      bool
		refused   string
	}{
		"never used":             {both, both, false, "never used"},
		"never used, and less":   {both, read, false, "never used"},
		"used, with less":        {both, read, true, "fewer scopes"},
		"used, with other":       {read, []tenant.Scope{tenant.ScopeWrite}, true, "fewer scopes"},
		"used, with the same":    {both, nil, true, ""},
		"used, with more":        {read, both, true, ""},
		"used, both of one kind": {read, read, true, ""},
	} {
		w := newWorld(t)
		first := w.create(t, "acme")
		old, err := w.Issue(w.ctx, "acme", tenant.NewToken{Scopes: c.old})
		if err != nil {
			t.Fatal(err)
		}
		if err := w.Revoke(w.ctx, "acme", first.ID, true); err != nil {
			t.Fatal(err)
		}
		next, err := w.Issue(w.ctx, "acme", tenant.NewToken{Scopes: c.next})
		if err != nil {
			t.Fatal(err)
		}
		if c.used {
			w.Touch(w.ctx, "acme", next.ID)
		}
		err = w.CompleteRotation(w.ctx, "acme", false)
		if c.refused == "" && err != nil || c.refused != "" && !conflict(err, c.refused) {
			t.Errorf("%s: %v", name, err)
		}
		if w.good(t, "acme", old.Value) != (c.refused != "") {
			t.Errorf("%s: the old token is good: %v", name, c.refused == "")
		}
		if c.refused == "" {
			continue
		}
		if err := w.CompleteRotation(w.ctx, "acme", true); err != nil || w.good(t, "acme", old.Value) ||
			!w.good(t, "acme", next.Value) {
			t.Errorf("%s, with force: %v", name, err)
		}
	}
}
