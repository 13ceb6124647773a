package directory_test

import (
	"context"
	"runtime"
	"sync/atomic"
	"testing"

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
		p.all.Add(1)
		now := p.now.Add(1)
		defer p.now.Add(-1)
		for most := p.most.Load(); now > most && !p.most.CompareAndSwap(most, now); most = p.most.Load() {
		}
		for range 100 { // others come in, if they may
			runtime.Gosched()
		}
	}
	return p.Engine.Query(ctx, q)
}

// TestSearchesShareWhatIsInFlight: searches at once that nothing narrows have no more pages in hand than the store
// gives out, and all come to their end.
func TestSearchesShareWhatIsInFlight(t *testing.T) {
	p := &pages{Engine: memory(t)}
	w := on(t, p, "generic")
	w.users(50)
	st := store.New(p, store.Options{MaxInFlight: store.MaxPageBytes})
	d := directory.New(st, directory.Options{})
	expr, err := filter.Parse(`nickName eq "nobody"`, w.tenant.Dialect)
	if err != nil {
		t.Fatal(err)
	}
	together(8, func(int) {
		l, err := d.Search(context.Background(), w.tenant, []*schema.ResourceType{user},
			directory.ListQuery{Filter: expr, StartIndex: 1, Count: 10})
		if err != nil || l.Total != 0 {
			t.Errorf("got %d, %v", l.Total, err)
		}
	})
	if p.all.Load() < 8*16 || p.most.Load() > 1 {
		t.Errorf("%d of %d pages were in hand at once, want one", p.most.Load(), p.all.Load())
	}
}
