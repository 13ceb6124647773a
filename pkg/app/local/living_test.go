package local_test

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/serverless-scim/serverless-scim/pkg/adminhttp/idempotency"
	"github.com/serverless-scim/serverless-scim/pkg/notice"
	"github.com/serverless-scim/serverless-scim/pkg/setup"
	"github.com/serverless-scim/serverless-scim/pkg/store"
	"github.com/serverless-scim/serverless-scim/pkg/tenant"
	"github.com/serverless-scim/serverless-scim/pkg/webhook"
)

// TestNothingIsWrittenForDeletedTenant: a request that began before its tenant was erased leaves nothing behind in the
// partitions of the tenant, which nobody would empty again.
func TestNothingIsWrittenForDeletedTenant(t *testing.T) {
	engine := memory(t)
	a := on(t, engine, "generic")
	o := &caller{t: t, h: a.h, known: map[string]string{}}
	st := store.New(engine, store.Options{})
	once := idempotency.New(st, time.Now)
	links := setup.New(st, a.s.Tenants(), setup.Options{Now: time.Now})
	hooks := webhook.New(st, webhook.Options{
		Now: time.Now, Log: slog.New(slog.NewTextHandler(io.Discard, nil)), Living: tenant.Living,
		Key: func(context.Context) ([]byte, error) { return []byte("a key of the deployment"), nil },
	})
	if _, err := once.Begin(t.Context(), "acme", "before", "request"); err != nil {
		t.Fatal(err)
	}
	if w := o.ask("DELETE", "", "", "", ""); w.Code != 202 {
		t.Fatalf("delete: %d %s", w.Code, w.Body)
	}
	if err := a.s.Settle(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, err := once.Begin(t.Context(), "acme", "key", "request"); !errors.Is(err, tenant.ErrNotFound) {
		t.Errorf("a request with a key: %v", err)
	}
	if err := once.Done(t.Context(), "acme", "before", "request", idempotency.Answer{Status: 201}); err != nil {
		t.Errorf("the end of a request with a key: %v", err)
	}
	to := notice.Recipient{Email: "it@example.com", Language: "en"}
	if _, err := links.Renewal(t.Context(), "acme", to); !errors.Is(err, tenant.ErrNotFound) {
		t.Errorf("a page to ask for a link: %v", err)
	}
	url := "https://app.example.com/"
	_, _, _, err := hooks.Create(t.Context(), "acme", webhook.Fields{URL: &url, Types: []string{"*"}})
	if !errors.Is(err, webhook.ErrNoOwner) {
		t.Errorf("a webhook: %v", err)
	}
	for _, key := range keysOf(t, engine) {
		if strings.HasPrefix(key.PK, "T#acme") {
			t.Errorf("there is %v of a tenant that was erased", key)
		}
	}
}

// keysOf lists the keys of a table.
func keysOf(t *testing.T, engine store.Engine) (all []store.Key) {
	t.Helper()
	scanner := engine.(interface {
		Scan(ctx context.Context, after store.Key) (keys []store.Key, next store.Key, err error)
	})
	for after := (store.Key{}); ; {
		keys, next, err := scanner.Scan(t.Context(), after)
		if err != nil {
			t.Fatal(err)
		}
		if all = append(all, keys...); next == (store.Key{}) {
			return all
		}
		after = next
	}
}
