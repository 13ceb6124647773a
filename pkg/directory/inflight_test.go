package directory_test

import (
	"context"
	"runtime"
	"sync/atomic"
	"testing"
	"time"

	"github.com/serverless-scim/serverless-scim/pkg/directory"
	"github.com/serverless-scim/serverless-scim/pkg/scim/filter"
	"github.com/serverless-scim/serverless-scim/pkg/scim/schema"
	"github.com/serverless-scim/serverless-scim/pkg/store"
)

// pages counts the pages of whole users that are read at the same time.
type pages struct {
	store.Engine
	now, most, all atomic.Int64
}

func (p *pages) Query(ctx context.Context, q store.Query) (store.Page, error) {
	if q.PK == store.KeysOf("acme").User("").PK && q.Select == store.All {
		defer p.count()()
	}
	return p.Engine.Query(ctx, q)
}

func (p *pages) Get(ctx context.Context, keys []store.Key) ([]store.Item, []int, error) {
	if len(keys) > 8 && keys[0].PK == store.KeysOf("acme").User("").PK {
		defer p.count()()
	}
	return p.Engine.Get(ctx, keys)
}

// count counts a read until done is called.
func (p *pages) count() (done func()) {
	p.all.Add(1)
	now := p.now.Add(1)
	for most := p.most.Load(); now > most && !p.most.CompareAndSwap(most, now); most = p.most.Load() {
	}
	for range 100 { // others come in, if they may
		runtime.Gosched()
	}
	return func() { p.now.Add(-1) }
}

// TestSearchesShareWhatIsInFlight: searches at once have no more documents in hand than the store gives out, whether
// nothing narrows them or lookups find many candidates, and all come to their end.
func TestSearchesShareWhatIsInFlight(t *testing.T) {
	for _, c := range []struct {
		filter      string
		reads, most int64 // of one search; at once
		found       int
	}{
		{`nickName eq "nobody"`, 16, 1, 0},
		{`userName sw "u" and not (nickName eq "nobody")`, 1, 1, 50},
		{`userName sw "u"`, 1, 1, 50},
	} {
		t.Run(c.filter, func(t *testing.T) {
			p := &pages{Engine: memory(t)}
			w := on(t, p, "generic")
			w.users(50)
			d := directory.New(store.New(p, store.Options{MaxInFlight: store.MaxPageBytes}),
				directory.Options{Now: time.Now})
			expr, err := filter.Parse(c.filter, w.tenant.Dialect)
			if err != nil {
				t.Fatal(err)
			}
			before := p.all.Load()
			p.most.Store(0)
			together(8, func(int) {
				l, err := d.Search(context.Background(), w.tenant, []*schema.ResourceType{user},
					directory.ListQuery{Filter: expr, StartIndex: 1, Count: 50})
				if err != nil || l.Total != c.found {
					t.Errorf("got %d, %v", l.Total, err)
				}
			})
			if reads := p.all.Load() - before; reads < 8*c.reads || p.most.Load() > c.most {
				t.Errorf("%d of %d reads were in hand at once, want %d", p.most.Load(), reads, c.most)
			}
		})
	}
}
