package local_test

import (
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/serverless-scim/serverless-scim/pkg/app/local"
	"github.com/serverless-scim/serverless-scim/pkg/event/delivery"
	"github.com/serverless-scim/serverless-scim/pkg/store"
	"github.com/serverless-scim/serverless-scim/pkg/store/boltstore"
	"github.com/serverless-scim/serverless-scim/pkg/tenant"
)

// TestRestartAfterKill: a server was killed while it delivered events. The next one on the data file delivers them at
// once: the lease of the first, which has 69 seconds to go, excludes nobody.
func TestRestartAfterKill(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		data := t.TempDir()
		o := local.Options{Engine: "bolt", Data: data, Log: io.Discard, Out: io.Discard}
		events := filepath.Join(data, "events.jsonl")
		open := func() (s *local.Server, stop func()) {
			s, err := local.Open(t.Context(), o)
			if err != nil {
				t.Fatal(err)
			}
			return s, func() {
				if err := s.Close(); err != nil {
					t.Error(err)
				}
			}
		}
		s, stop := open()
		if _, _, err := s.Tenants().Create(t.Context(), tenant.NewTenant{ID: "acme", Name: "Acme"}); err != nil {
			t.Fatal(err)
		}
		stop()
		_ = os.Remove(events) // it is there if the server was fast
		held(t, filepath.Join(data, "scim.db"), time.Now().Add(70*time.Second))

		time.Sleep(time.Second)
		began := time.Now()
		s, stop = open()
		if err := s.Settle(t.Context()); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		text, err := os.ReadFile(events)
		if err != nil || !strings.Contains(string(text), `"token.created"`) || !time.Now().Equal(began) {
			t.Errorf("after %v: %q, %v", time.Since(began), text, err)
		}
		stop()
	})
}

// held leaves the delivery to the file of events as a process does that dies while it sends the first event.
func held(t *testing.T, path string, until time.Time) {
	t.Helper()
	engine, err := boltstore.Open(path, boltstore.Options{})
	if err != nil {
		t.Fatal(err)
	}
	ts := store.New(engine, store.Options{}).Tenant("acme")
	err = delivery.Change(t.Context(), ts, "file", func(s *delivery.State) {
		s.Position, s.Lease = 0, until.UnixMilli()
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := engine.Close(); err != nil {
		t.Fatal(err)
	}
}
