package portal_test

import (
	"io"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/serverless-scim/serverless-scim/pkg/app/local"
	"github.com/serverless-scim/serverless-scim/pkg/store/boltstore"
	"github.com/serverless-scim/serverless-scim/pkg/tenant"
)

// TestGuessesAreCountedOverAllProcesses: several guess the code of one link at once, by two servers that share a table.
// Together they have ten tries.
func TestGuessesAreCountedOverAllProcesses(t *testing.T) {
	at := time.Date(2026, 11, 28, 9, 0, 0, 0, time.UTC)
	now := func() time.Time { return at }
	engine, err := boltstore.Open(boltstore.Memory, boltstore.Options{Now: now})
	if err != nil {
		t.Fatal(err)
	}
	servers := make([]*world, 2)
	for i := range servers {
		servers[i] = &world{t: t, base: "http://127.0.0.1:8080", s: local.New(local.Options{
			AdminKey: "key", Engine: "bolt", Data: boltstore.Memory, Log: io.Discard, Out: io.Discard, Now: now,
		}, engine, engine)}
	}
	t.Cleanup(func() { _ = servers[0].s.Close() }) // it closes the table of both
	if _, _, err := servers[0].s.Tenants().Create(t.Context(), tenant.NewTenant{ID: "acme", Name: "Acme"}); err != nil {
		t.Fatal(err)
	}
	l := servers[0].link("acme", `{"role":"admin"}`)
	var told, over atomic.Int64
	var wg sync.WaitGroup
	for i := range 40 {
		wg.Go(func() {
			code := http.StatusServiceUnavailable // so many at once that this one was not tried
			for code == http.StatusServiceUnavailable {
				code = servers[i%2].redeem(l, strings.Repeat("A", 26)).Code
			}
			switch code {
			case http.StatusForbidden:
				told.Add(1)
			case http.StatusGone:
				over.Add(1)
			default:
				t.Errorf("status %d", code)
			}
		})
	}
	wg.Wait()
	// The tenth ends the link. One that was counted before it may still see the end: its page is read afterwards.
	if told.Load() > 9 || told.Load() == 0 {
		t.Errorf("%d wrong codes were answered, and %d came too late", told.Load(), over.Load())
	}
	for _, s := range servers {
		if rec := s.redeem(l, l.Code); rec.Code != http.StatusGone {
			t.Errorf("the right code after ten wrong ones: %d", rec.Code)
		}
	}
}
