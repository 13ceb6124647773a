package counter

import (
	"context"

	"github.com/serverless-scim/serverless-scim/pkg/store"
)

// ShardOf returns the name of the shard that counts an id: its first character, and with it the quarter that the second
// is in of 0-3, 4-7, 8-b and c-f. Other ids have shards as well, in order.
func ShardOf(id string) string {
	if len(id) < 2 {
		return id
	}
	switch quarter := id[1]; {
	case quarter < '4':
		return id[:1]
	case quarter < '8':
		return id[:1] + "4"
	case quarter < 'c':
		return id[:1] + "8"
	}
	return id[:1] + "c"
}

// Add changes the number of resources of a type by n, which is 1 or -1, for the one with this id.
func Add(k store.Keys, kind, id string, n int64) store.Op {
	return store.Op{
		Kind: store.Update, Key: k.Counter(kind, ShardOf(id)), Set: store.Attrs{store.AttrSchema: store.SchemaVersion},
		Add: map[string]int64{"n": n, "made": max(n, 0)},
	}
}

// Tally is the number of resources of a type, and of those that were ever made: together they change with every
// creation and every deletion, and never come back to an earlier pair of values.
type Tally struct {
	N, Made int64
	shards  []shard // in order
}

// shard is how many resources have ids from one on, up to that of the next shard.
type shard struct {
	from string
	n    int
}

// Read reads the counters of a type: one small read.
func Read(ctx context.Context, ts *store.TenantStore, kind string) (Tally, error) {
	var sum Tally
	prefix := ts.CounterPrefix(kind)
	for it, err := range ts.All(ctx, store.Query{PK: prefix.PK, Prefix: prefix.SK}) {
		if err != nil {
			return Tally{}, err
		}
		n, _ := it.Attrs["n"].(int64)
		made, _ := it.Attrs["made"].(int64)
		sum.N += n
		sum.Made += made
		sum.shards = append(sum.shards, shard{from: last(it.SK), n: int(n)})
	}
	return sum, nil
}

// Since returns how many resources were created or deleted after an earlier tally.
func (t Tally) Since(before Tally) int64 {
	made := t.Made - before.Made
	deleted := made - (t.N - before.N)
	return made + deleted
}

// find returns the shard, by its index, in which a number of resources have others before them, and how many of these
// are in that shard. It is false if there are not so many resources.
func (t Tally) find(before int) (at, rest int, found bool) {
	for i, s := range t.shards {
		if before < s.n {
			return i, before, true
		}
		before -= s.n
	}
	return 0, 0, false
}

// Jump returns the id of the resource at an index in order of id; "" if there are not so many. Of the resources it
// reads those between the id and the nearer end of its shard. Resources created or deleted meanwhile may move the place
// by as much.
func (t Tally) Jump(ctx context.Context, ts *store.TenantStore, pk string, before int) (id string, err error) {
	at, rest, found := t.find(before)
	if !found {
		return "", nil
	}
	s := t.shards[at]
	if rest == 0 {
		return s.from, nil
	}
	q := store.Query{PK: pk, From: s.from, Select: store.KeysOnly, Limit: rest + 1}
	if back := s.n - rest; back < q.Limit {
		q = store.Query{PK: pk, Reverse: true, Select: store.KeysOnly, Limit: back}
		if at+1 < len(t.shards) {
			q.After = t.shards[at+1].from
		}
	}
	for left := q.Limit; left > 0; q.Limit = left {
		page, err := ts.Query(ctx, q)
		if err != nil {
			return "", err
		}
		if page.Count > 0 {
			id = page.Items[page.Count-1].SK
		}
		if left -= page.Count; !page.More {
			break
		}
		q.After = page.Last
	}
	if id == "" {
		id = s.from // all of the shard were deleted meanwhile
	}
	return id, nil
}

// last is the last part of a sort key.
func last(sk string) string {
	parts := store.Split(sk)
	return parts[len(parts)-1]
}
