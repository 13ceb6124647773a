package directory

import (
	"context"
	"errors"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/serverless-scim/serverless-scim/pkg/store"
)

// What is remembered of a bulk request, under its digest, is one item: the seeds that the ids of its POST operations are made of,
// which operation uses which seed, and whether the request was carried out to its end. It is written before the first operation. So a
// repetition, after a crash as after a lost answer, finds what exists already by its id.
//
// Where the request was carried out to its end and a resource of it is not there, it failed or is gone since: the operation
// gets a new seed, since an id never comes again.
const (
	attrSeeds  = "seeds"  // separated by spaces
	attrSeeded = "seeded" // a letter for each operation: the place of its seed, from 'a'
	attrDone   = "done"
	// bulkMemoryTime is how long a request is remembered.
	bulkMemoryTime = time.Hour
	// maxSeeds is the number of seeds at which a request is forgotten.
	maxSeeds = 26
)

type bulkMemory struct {
	// known is the stored value of attrSeeds while a run is under way; empty where nothing is to be noted at its end.
	known string
	// resumed says that an earlier run of the same request did not come to its end.
	resumed bool
	// there tells which POST operations' resources exist, made which were created by this run.
	there, made []bool
}

// remember gives each operation the id of its resource, and stores what a repetition of the request has to know.
func (b *bulk) remember(ctx context.Context, digest string) error {
	b.memory.there, b.memory.made = make([]bool, len(b.ops)), make([]bool, len(b.ops))
	b.ids = make([]string, len(b.ops))
	if digest == "" || !b.lasting() {
		b.assign([]string{b.d.o.NewID()}, make([]byte, len(b.ops)))
		return nil
	}
	return b.d.retry(ctx, func() error { return b.recall(ctx, digest) })
}

// lasting reports whether any operation is one that can't be just done again.
func (b *bulk) lasting() bool {
	for _, op := range b.ops {
		if op.Invalid == nil && (op.Method == http.MethodPost || op.Method == http.MethodDelete) {
			return true
		}
	}
	return false
}

// recall is one attempt of remember; errStale where another run of the same request came between.
func (b *bulk) recall(ctx context.Context, digest string) error {
	key := b.ts.Bulk(digest)
	items, err := b.ts.Get(ctx, key)
	if err != nil {
		return err
	}
	found := items[0].Attrs
	old, _ := found[attrSeeds].(string)
	places, _ := found[attrSeeded].(string)
	expires, _ := found[store.AttrTTL].(int64)
	done, _ := found[attrDone].(int64)
	cond, seeds, used := equals(attrSeeds, old), strings.Fields(old), []byte(places)
	if found == nil {
		cond = store.Cond{Test: store.Absent}
	}
	if len(seeds) == 0 || len(seeds) >= maxSeeds || len(used) != len(b.ops) || b.d.o.Now().Unix() >= expires {
		seeds, used, done = nil, make([]byte, len(b.ops)), 0
	} else if err := b.find(ctx, seeds, used); err != nil {
		return err
	}
	b.memory.resumed = len(seeds) > 0 && done == 0
	if !b.memory.resumed {
		if len(seeds) > 0 && b.all() {
			return nil
		}
		seeds, used = b.reseed(seeds, used)
		b.assign(seeds, used)
	}
	b.memory.known = strings.Join(seeds, " ")
	var tx transaction
	tx.must(when(put(key, store.Attrs{
		attrSeeds: b.memory.known, attrSeeded: string(used), attrDone: int64(0),
		store.AttrTTL: b.d.o.Now().Add(bulkMemoryTime).Unix(),
	}), cond), errStale)
	return tx.commit(ctx, b.ts)
}

// all reports whether the resource of each POST is there.
func (b *bulk) all() bool {
	for i, op := range b.ops {
		if op.Invalid == nil && op.Method == http.MethodPost && !b.memory.there[i] {
			return false
		}
	}
	return true
}

// reseed gives a new seed to the operations whose resource is not there, and leaves out the seeds that nobody uses then.
func (b *bulk) reseed(seeds []string, used []byte) ([]string, []byte) {
	next := []string{b.d.o.NewID()}
	place := map[byte]byte{}
	out := make([]byte, len(used))
	for i, old := range used {
		out[i] = 'a'
		if b.memory.there[i] {
			if place[old] == 0 {
				next = append(next, seeds[old-'a'])
				place[old] = 'a' + byte(len(next)-1)
			}
			out[i] = place[old]
		}
	}
	return next, out
}

// seeded is the id that a seed gives an operation: a name-based UUID (RFC 9562, section 5.5) in a random name space.
func seeded(seed string, i int) string {
	space := uuid.NewSHA1(uuid.Nil, []byte(seed))
	return uuid.NewSHA1(space, []byte(strconv.Itoa(i))).String()
}

// assign gives the operations their ids; used is the place of each one's seed.
func (b *bulk) assign(seeds []string, used []byte) {
	for i, op := range b.ops {
		if op.Method == http.MethodPost {
			b.ids[i] = seeded(seeds[seedPlace(used[i], len(seeds))], i)
		}
	}
	for i, op := range b.ops {
		if op.Method == http.MethodPost {
			continue
		}
		b.ids[i] = op.ID
		if name, ok := strings.CutPrefix(op.ID, bulkPrefix); ok && op.Invalid == nil {
			b.ids[i] = b.idOf(name)
		}
	}
}

func seedPlace(letter byte, seeds int) int {
	if n := int(letter) - 'a'; n >= 0 && n < seeds {
		return n
	}
	return 0
}

// find gives the operations the ids of earlier runs, and looks which of the resources are there.
func (b *bulk) find(ctx context.Context, seeds []string, used []byte) error {
	b.assign(seeds, used)
	var keys []store.Key
	var posts []int
	for i, op := range b.ops {
		b.memory.there[i] = false
		if op.Invalid == nil && op.Method == http.MethodPost {
			posts = append(posts, i)
			keys = append(keys, resourceKey(b.ts.Keys, op.Type, b.ids[i]))
		}
	}
	items, err := b.ts.Get(ctx, keys...)
	if err != nil {
		return err
	}
	for n, i := range posts {
		b.memory.there[i] = items[n].Attrs != nil
	}
	return nil
}

// forget notes that the request was carried out to its end, unless something is left that a repetition is to do.
func (b *bulk) forget(ctx context.Context, digest string) {
	if b.memory.known == "" {
		return
	}
	for _, r := range b.results {
		if r.Err != nil && !final(r.Err) {
			return
		}
	}
	var tx transaction
	tx.must(store.Op{
		Kind: store.Update, Key: b.ts.Bulk(digest), Set: store.Attrs{attrDone: int64(1)},
		If: []store.Cond{equals(attrSeeds, b.memory.known)},
	}, errStale)
	if err := tx.commit(ctx, b.ts); err != nil && !errors.Is(err, errStale) {
		// All is done; only a repetition will not know it.
		b.d.o.Log.Warn("bulk request not noted as done", "tenant", b.t.ID, "error", err)
	}
}
