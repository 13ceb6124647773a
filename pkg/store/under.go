package store

import (
	"context"
	"slices"
	"sort"
	"strings"

	"github.com/serverless-scim/serverless-scim/pkg/task"
)

// How keys under prefixes are looked for.
const (
	// underAtOnce is the number of prefixes that are looked up one after the other, at best by one read. Groups of
	// so many are looked up in parallel.
	underAtOnce = 64
	// underReaders is the greatest number of parallel reads.
	underReaders = 16
	// nearby is the number of keys of a read. It is so small that the read costs hardly more than an empty one.
	nearby = 32
)

// EachUnder calls use with the sort keys of a partition that begin with one of many prefixes; i is the index of the
// prefix. If use returns false, it goes on with the next prefix. Calls for one prefix are in order, calls for several
// may be in parallel. Prefixes with few keys between them are read together: at best one read for 64 prefixes, at
// worst one for each.
func (t *TenantStore) EachUnder(ctx context.Context, pk string, prefixes []string,
	use func(i int, sk string) bool,
) error {
	order := make([]int, len(prefixes))
	for i := range order {
		order[i] = i
	}
	sort.Slice(order, func(i, j int) bool { return prefixes[order[i]] < prefixes[order[j]] })
	if len(order) <= underAtOnce {
		if len(order) == 0 {
			return nil
		}
		return t.walkUnder(ctx, pk, prefixes, order, use)
	}
	g, ctx := task.WithContext(ctx)
	g.SetLimit(underReaders)
	for part := range slices.Chunk(order, underAtOnce) {
		g.Go(func() error { return t.walkUnder(ctx, pk, prefixes, part, use) })
	}
	return g.Wait()
}

// walkUnder is EachUnder for the prefixes with the indexes of part, in order.
func (t *TenantStore) walkUnder(ctx context.Context, pk string, prefixes []string, part []int,
	use func(i int, sk string) bool,
) error {
	q := Query{PK: pk, To: prefixes[part[len(part)-1]] + "\U0010FFFF", Limit: nearby, Select: KeysOnly}
	for len(part) > 0 {
		if q.From = prefixes[part[0]]; q.After <= q.From {
			q.After = ""
		}
		page, err := t.Query(ctx, q)
		if err != nil {
			return err
		}
		for _, it := range page.Items {
			part = reach(prefixes, part, it.SK)
			if len(part) > 0 && strings.HasPrefix(it.SK, prefixes[part[0]]) && !use(part[0], it.SK) {
				part = part[1:]
			}
		}
		if !page.More {
			return nil
		}
		q.After = page.Last
		part = reach(prefixes, part, page.Last)
	}
	return nil
}

// reach drops the prefixes that lie before a key.
func reach(prefixes []string, part []int, sk string) []int {
	for len(part) > 0 && prefixes[part[0]] < sk && !strings.HasPrefix(sk, prefixes[part[0]]) {
		part = part[1:]
	}
	return part
}
