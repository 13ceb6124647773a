package doctor

import (
	"context"

	"github.com/serverless-scim/serverless-scim/pkg/directory/counter"
	"github.com/serverless-scim/serverless-scim/pkg/directory/row"
	"github.com/serverless-scim/serverless-scim/pkg/store"
)

// mustExpire finds items that would stay for ever though they are of use for a time only.
func mustExpire(v *view, item store.Item) {
	if _, ok := item.Attrs[store.AttrTTL].(int64); !ok {
		v.orphan("expiry", "The item has no expiry time.")
	}
}

// lookDocument finds documents that can't be read.
func lookDocument(v *view, item store.Item) {
	if _, ok := doc(item.Attrs); !ok && item.Attrs["doc"] != nil {
		v.find(Finding{Check: "document", Problem: "The document can't be read."})
	}
}

func lookCounter(v *view, item store.Item) {
	if _, ok := item.Attrs["n"].(int64); !ok || len(store.Split(item.SK)) != 2 {
		v.find(Finding{Check: "counter", Problem: "The counter can't be read."})
	}
}

// compareCounters holds the counters against the resources that the walk has met.
func (p *patient) compareCounters(ctx context.Context) error {
	for item, err := range p.st.All(ctx, store.Query{PK: p.k.Counter("", "").PK}) {
		if err != nil {
			return err
		}
		n, _ := item.Attrs["n"].(int64)
		if n == p.counts[item.Key] {
			delete(p.counts, item.Key)
		} else if _, met := p.counts[item.Key]; !met {
			p.counts[item.Key] = 0
		}
	}
	for key := range p.counts {
		if err := p.recount(ctx, key); err != nil {
			return err
		}
	}
	return nil
}

// recount counts the resources of one shard until the counter is the same before and after.
func (p *patient) recount(ctx context.Context, key store.Key) error {
	parts := store.Split(key.SK)
	if len(parts) != 2 {
		return nil // found before
	}
	for range looks {
		before, err := p.st.Get(ctx, key)
		if err != nil {
			return err
		}
		n, err := p.inShard(ctx, parts[0], parts[1])
		if err != nil {
			return err
		}
		behind, err := p.st.Get(ctx, key)
		if err != nil {
			return err
		}
		says, _ := before[0].Attrs["n"].(int64)
		if says == n {
			return nil
		}
		if before[0].Attrs["n"] != behind[0].Attrs["n"] || before[0].Attrs["made"] != behind[0].Attrs["made"] {
			continue
		}
		v := &view{patient: p, ctx: ctx, item: behind[0], known: map[store.Key]store.Attrs{}}
		made, _ := before[0].Attrs["made"].(int64)
		p.report(v, Finding{
			Check: "counter", Problem: "The counter says " + plural(int(says), "resource") + "; there are " +
				plural(int(n), "resource") + ".", Repair: "Write the number.",
			ops: []store.Op{store.PutItem(key, store.Attrs{"n": n, "made": made + 1 + max(n-says, says-n)})},
		})
		return nil
	}
	p.sum.Changing++
	return nil
}

func (p *patient) inShard(ctx context.Context, typeID, shard string) (n int64, err error) {
	q := store.Query{PK: row.Key(p.k, typeNamed(typeID), "x").PK, Select: store.KeysOnly}
	if shard != "" {
		q.Prefix = shard[:1]
	}
	for item, err := range p.st.All(ctx, q) {
		if err != nil {
			return 0, err
		}
		if counter.ShardOf(item.SK) == shard {
			n++
		}
	}
	return n, nil
}
