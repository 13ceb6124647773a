package local_test

import (
	"context"
	"io"
	"sync/atomic"
	"testing"
	"time"

	"github.com/serverless-scim/serverless-scim/pkg/app/local"
	"github.com/serverless-scim/serverless-scim/pkg/store"
	"github.com/serverless-scim/serverless-scim/pkg/tenant"
)

// throttled refuses to list the webhooks of a tenant.
type throttled struct {
	store.Engine
	on atomic.Bool
}

func (e *throttled) Query(ctx context.Context, q store.Query) (store.Page, error) {
	if e.on.Load() && q.PK == store.KeysOf("acme").Webhooks() {
		return store.Page{}, store.ErrThrottled
	}
	return e.Engine.Query(ctx, q)
}

// TestWebhookWhileThrottled: a webhook that can't be made because the table is busy is not refused as one too many.
func TestWebhookWhileThrottled(t *testing.T) {
	engine := &throttled{Engine: memory(t)}
	options := quiet()
	options.MaxWait = 100 * time.Millisecond
	s := local.New(options, engine, io.NopCloser(nil))
	t.Cleanup(func() { _ = s.Close() })
	if _, _, err := s.Tenants().Create(t.Context(), tenant.NewTenant{ID: "acme", Name: "Acme"}); err != nil {
		t.Fatal(err)
	}
	o := &caller{t: t, h: s.Handler(), known: map[string]string{}}
	engine.on.Store(true)
	w := o.ask("POST", "/webhooks", `{"url":"https://app.example.com/1","types":["*"]}`, "Idempotency-Key", "k")
	engine.on.Store(false)
	if w.Code != 503 {
		t.Errorf("%d %s", w.Code, w.Body)
	}
}

// TestWebhookLocation: the answers to a request with an Idempotency-Key and to its repetition have a Location.
func TestWebhookLocation(t *testing.T) {
	o := conditioned(t)
	for range 2 {
		w := o.ask("POST", "/webhooks", `{"url":"https://app.example.com/1","types":["*"]}`, "Idempotency-Key", "k")
		if w.Header().Get("Location") == "" {
			t.Errorf("%d without Location: %s", w.Code, w.Body)
		}
	}
}
