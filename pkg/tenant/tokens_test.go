package tenant_test

import (
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/serverless-scim/serverless-scim/pkg/store"
	"github.com/serverless-scim/serverless-scim/pkg/tenant"
)

func TestTokenStates(t *testing.T) {
	w := newWorld(t)
	first := w.create(t, "acme")
	second := w.issue(t, "acme")
	check := func(when string, want ...tenant.TokenState) {
		t.Helper()
		tokens, err := w.Tokens(w.ctx, "acme")
		if err != nil || len(tokens) != len(want) {
			t.Fatalf("%s: %v, %v", when, tokens, err)
		}
		for i, token := range tokens {
			if token.State != want[i] {
				t.Errorf("%s: token %d is %s, want %s", when, i, token.State, want[i])
			}
		}
	}
	check("two live", tenant.TokenActive, tenant.TokenSuccessor)
	conflict := (*tenant.ConflictError)(nil)
	if _, err := w.Issue(w.ctx, "acme", tenant.NewToken{}); !errors.As(err, &conflict) {
		t.Errorf("a third live token: %v, want a conflict", err)
	}
	if !w.good(t, "acme", first.Value) || !w.good(t, "acme", second.Value) {
		t.Error("both live tokens must get in")
	}
	for range 2 { // revoking again changes nothing
		if err := w.Revoke(w.ctx, "acme", first.ID, true); err != nil {
			t.Fatal(err)
		}
	}
	check("older revoked", tenant.TokenRevoked, tenant.TokenActive)
	if w.good(t, "acme", first.Value) || !w.good(t, "acme", second.Value) {
		t.Error("the revoked one must be refused, the other one must get in")
	}
	w.clock.add(181 * 24 * time.Hour)
	check("expired; the revoked one is 90 days dead", tenant.TokenExpired)
	if err := w.Revoke(w.ctx, "acme", second.ID, true); err != nil {
		t.Errorf("revoking an expired token: %v", err)
	}
	check("expired stays expired", tenant.TokenExpired)
	if err := w.Revoke(w.ctx, "acme", first.ID, true); !errors.Is(err, tenant.ErrNotFound) {
		t.Errorf("revoking a token that is not listed any more: %v", err)
	}
}

func TestRevokingTheOnlyTokenLeavesNone(t *testing.T) {
	w := newWorld(t)
	only := w.create(t, "acme")
	if err := w.Revoke(w.ctx, "acme", only.ID, true); err != nil {
		t.Fatal(err)
	}
	if w.good(t, "acme", only.Value) {
		t.Error("the revoked token gets in")
	}
	next := w.issue(t, "acme")
	if next.State != tenant.TokenActive || !w.good(t, "acme", next.Value) {
		t.Errorf("the next token is %s", next.State)
	}
}

func TestScopesAndExpiry(t *testing.T) {
	w := newWorld(t)
	w.create(t, "acme")
	at := time.Date(2027, 1, 1, 0, 0, 0, 999e6, time.UTC)
	token, err := w.Issue(w.ctx, "acme", tenant.NewToken{Scopes: []tenant.Scope{tenant.ScopeRead}, ExpiresAt: at})
	if err != nil || !token.CanRead() || token.CanWrite() || !token.ExpiresAt.Equal(at.Truncate(time.Second)) {
		t.Fatalf("%+v, %v", token.Token, err)
	}
	if _, got, err := w.Authenticate(w.ctx, "acme", tenant.ReadBearer(token.Value)); err != nil || got.CanWrite() ||
		!got.CanRead() {
		t.Errorf("%+v, %v", got, err)
	}
	if err := w.Revoke(w.ctx, "acme", token.ID, true); err != nil {
		t.Fatal(err)
	}
	now := w.clock.Now()
	for name, n := range map[string]tenant.NewToken{
		"no scope":          {Scopes: []tenant.Scope{}},
		"unknown scope":     {Scopes: []tenant.Scope{"admin"}},
		"scope twice":       {Scopes: []tenant.Scope{"read", "read"}},
		"ends now":          {ExpiresAt: now},
		"ends this second":  {ExpiresAt: now.Add(500 * time.Millisecond)},
		"ends in the past":  {ExpiresAt: now.Add(-time.Hour)},
		"ends in two years": {ExpiresAt: now.Add(730*24*time.Hour + time.Second)},
	} {
		invalid := (*tenant.InvalidError)(nil)
		if _, err := w.Issue(w.ctx, "acme", n); !errors.As(err, &invalid) {
			t.Errorf("%s: %v, want invalid", name, err)
		}
	}
	if _, err := w.Issue(w.ctx, "acme", tenant.NewToken{ExpiresAt: now.Add(730 * 24 * time.Hour)}); err != nil {
		t.Errorf("the longest life: %v", err)
	}
}

func TestReveal(t *testing.T) {
	w := newWorld(t)
	first := w.create(t, "acme")
	second := w.issue(t, "acme")
	w.log.Reset()
	for _, token := range []tenant.IssuedToken{first, second} {
		got, err := w.Reveal(w.ctx, "acme", token.ID)
		if err != nil || got.Value != token.Value || got.ID != token.ID {
			t.Errorf("reveal: %v, %v", got.ID, err)
		}
		if log := w.log.String(); !strings.Contains(log, "token revealed") || !strings.Contains(log, token.ID) ||
			strings.Contains(log, token.Value) {
			t.Errorf("audit: %s", log)
		}
	}
	if err := w.Revoke(w.ctx, "acme", second.ID, true); err != nil {
		t.Fatal(err)
	}
	conflict := (*tenant.ConflictError)(nil)
	if _, err := w.Reveal(w.ctx, "acme", second.ID); !errors.As(err, &conflict) {
		t.Errorf("reveal a revoked token: %v", err)
	}
	w.create(t, "beta")
	for _, c := range [][2]string{{"acme", "abcdef012345"}, {"nobody", first.ID}, {"beta", first.ID}} {
		if _, err := w.Reveal(w.ctx, c[0], c[1]); !errors.Is(err, tenant.ErrNotFound) {
			t.Errorf("reveal %v: %v", c, err)
		}
	}
	if err := tenant.NewTableSecrets(w.store).Drop(w.ctx, "acme", first.ID); err != nil {
		t.Fatal(err)
	}
	if _, err := w.Reveal(w.ctx, "acme", first.ID); !errors.As(err, &conflict) {
		t.Errorf("reveal a token that the vault has lost: %v", err)
	}
}

// The tenant's item is read by every request: however many tokens come and go, it is one read unit.
func TestTenantStaysOneReadUnit(t *testing.T) {
	w := newWorld(t)
	_, _, err := w.Create(w.ctx, tenant.NewTenant{ID: strings.Repeat("a", 40), Name: strings.Repeat(`"`, 256)})
	if err != nil {
		t.Fatal(err)
	}
	id := strings.Repeat("a", 40)
	var last tenant.IssuedToken
	for range 14 {
		last = w.issue(t, id)
		w.Touch(w.ctx, id, last.ID)
		if err := w.Revoke(w.ctx, id, last.ID, true); err != nil {
			t.Fatal(err)
		}
	}
	last = w.issue(t, id)
	tokens, err := w.Tokens(w.ctx, id)
	if err != nil || len(tokens) != 12 {
		t.Fatalf("%d tokens, want two live and ten dead; %v", len(tokens), err)
	}
	ctx, meter := store.WithMeter(w.ctx)
	if _, _, err := w.Authenticate(ctx, id, tenant.ReadBearer(last.Value)); err != nil || meter.Total().ReadUnits != 1 {
		t.Errorf("%v, cost %+v", err, meter.Total())
	}
	page, err := w.store.Query(w.ctx, store.Query{PK: store.KeysOf(id).Tenant().PK, Prefix: "USED"})
	if err != nil || page.Count != 10 {
		t.Errorf("%d items of last use, want those of the ten listed tokens that were used; %v", page.Count, err)
	}
}

func TestParallelTokens(t *testing.T) {
	w := newWorld(t)
	w.create(t, "acme")
	tokens := make(chan tenant.IssuedToken, 16)
	var wg sync.WaitGroup
	for range 16 {
		wg.Go(func() {
			token, err := w.Issue(w.ctx, "acme", tenant.NewToken{})
			if conflict := (*tenant.ConflictError)(nil); err != nil && !errors.As(err, &conflict) {
				t.Errorf("issue: %v", err)
			}
			if err == nil {
				tokens <- token
			}
		})
	}
	wg.Wait()
	if len(tokens) != 1 {
		t.Fatalf("%d tokens beyond the first, want 1", len(tokens))
	}
	if token := <-tokens; !w.good(t, "acme", token.Value) {
		t.Error("the token that was made is refused")
	}
}

func TestParallelTokensOnATenantWithNone(t *testing.T) {
	w := newWorld(t)
	if err := w.Revoke(w.ctx, "acme", w.create(t, "acme").ID, true); err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	var mu sync.Mutex
	made := 0
	for range 8 {
		wg.Go(func() {
			token, err := w.Issue(w.ctx, "acme", tenant.NewToken{})
			if err != nil {
				return
			}
			mu.Lock()
			defer mu.Unlock()
			made++
			if got, err := w.Reveal(w.ctx, "acme", token.ID); err != nil || got.Value != token.Value {
				t.Errorf("reveal: %v", err)
			}
		})
	}
	wg.Wait()
	if made != 2 {
		t.Errorf("%d tokens, want 2", made)
	}
}

func TestTouch(t *testing.T) {
	w := newWorld(t)
	token := w.create(t, "acme")
	last := func() time.Time {
		t.Helper()
		tokens, err := w.Tokens(w.ctx, "acme")
		if err != nil {
			t.Fatal(err)
		}
		return tokens[0].LastUsedAt
	}
	if !last().IsZero() {
		t.Error("used before it was used")
	}
	ctx, meter := store.WithMeter(w.ctx)
	w.Touch(ctx, "acme", token.ID)
	first := last()
	if want := w.clock.Now().Truncate(time.Second); !first.Equal(want) {
		t.Errorf("last used at %v, want %v", first, want)
	}
	w.clock.add(5*time.Minute - time.Second)
	w.Touch(ctx, "acme", token.ID)
	if !last().Equal(first) {
		t.Error("written again within five minutes")
	}
	w.clock.add(time.Second)
	w.Touch(ctx, "acme", token.ID)
	if !last().Equal(first.Add(5 * time.Minute)) {
		t.Errorf("last used at %v", last())
	}
	if got := meter.Total(); got != (store.Cost{}) {
		t.Errorf("counted as the request's cost: %+v", got)
	}
	w.clock.add(time.Hour)
	if err := w.Delete(w.ctx, "acme"); err != nil {
		t.Fatal(err)
	}
	w.Touch(ctx, "acme", "another1token")
	page, err := w.store.Query(w.ctx, store.Query{PK: store.KeysOf("acme").Tenant().PK, Prefix: "USED"})
	if err != nil || page.Count != 1 {
		t.Errorf("a deleted tenant got an item: %d, %v", page.Count, err)
	}
}
