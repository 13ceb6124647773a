package local_test

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/serverless-scim/serverless-scim/pkg/app/local"
	"github.com/serverless-scim/serverless-scim/pkg/store"
)

// slowPages is an engine that takes a round for each page of whole users. It counts those of one tenant that are in
// work at the same time.
type slowPages struct {
	store.Engine
	counted   string
	now, most atomic.Int64
}

func (e *slowPages) Query(ctx context.Context, q store.Query) (store.Page, error) {
	if q.Select != store.All {
		return e.Engine.Query(ctx, q)
	}
	switch q.PK {
	case store.KeysOf(e.counted).User("").PK:
		now := e.now.Add(1)
		for most := e.most.Load(); now > most && !e.most.CompareAndSwap(most, now); most = e.most.Load() {
		}
		defer e.now.Add(-1)
		time.Sleep(round)
	case store.KeysOf("calm").User("").PK:
		time.Sleep(round)
	}
	return e.Engine.Query(ctx, q)
}

// TestWalksLeaveCPUs: however many requests of a tenant read all its users at once, it has pages in work on half of the
// CPUs at most. A walk of another tenant meanwhile takes no longer than alone.
func TestWalksLeaveCPUs(t *testing.T) {
	half := max(1, runtime.GOMAXPROCS(0)/2)
	synctest.Test(t, func(t *testing.T) {
		engine := &slowPages{Engine: memory(t), counted: "loud"}
		s := local.New(quiet(), engine, io.NopCloser(nil))
		defer s.Close()
		loud, calm := tenantOn(t, s, "loud", "generic"), tenantOn(t, s, "calm", "generic")
		search := func(a *api) (status int, took time.Duration) {
			r := httptest.NewRequest("GET", a.base+"/Users?filter=title+eq+%22none%22", nil)
			r.Header.Set("Authorization", "Bearer "+a.token)
			w := httptest.NewRecorder()
			began := time.Now()
			a.h.ServeHTTP(w, r)
			return w.Code, time.Since(began)
		}
		_, alone := search(calm)
		var over atomic.Bool
		var storm sync.WaitGroup
		for range 16 {
			storm.Go(func() {
				for !over.Load() {
					if status, _ := search(loud); status != http.StatusOK {
						t.Errorf("the storm: %d", status)
					}
				}
			})
		}
		time.Sleep(100 * round)
		for range 10 {
			if status, took := search(calm); status != http.StatusOK || took != alone {
				t.Errorf("another tenant: %d after %v, alone after %v", status, took, alone)
			}
		}
		over.Store(true)
		storm.Wait()
		if most := engine.most.Load(); most != int64(half) {
			t.Errorf("the storm had %d pages in work at once, want %d", most, half)
		}
	})
}
