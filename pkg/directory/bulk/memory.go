package bulk

import (
	"context"
	"errors"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/serverless-scim/serverless-scim/pkg/directory"
	"github.com/serverless-scim/serverless-scim/pkg/directory/bulkid"
	"github.com/serverless-scim/serverless-scim/pkg/store"
)

// A bulk request is remembered in one item, under its digest. It holds the seeds that the ids of its POST
// operations are made of, which operation uses which seed, whether the request was carried out to its end, and
// which versions it left. It is written before the first operation. So a repetition, after a crash as after a lost
// answer, finds the existing resources by their ids (standing.go).
//
// An operation whose resource is not there any more as the request left it gets a new seed, since an id never comes
// again.
const (
	attrSeeds  = "seeds"  // separated by spaces
	attrSeeded = "seeded" // a letter for each operation: the place of its seed, from 'a'
	attrDone   = "done"   // 1 if the request was carried out to its end
	// attrVersions are the versions of the resources of the POST operations that are not alone (see the field alone),
	// separated by spaces; absent while the request has not been carried out to its end.
	attrVersions = "versions"
	// memoryTime is how long a request is remembered, from its first run: long enough for a client that got no answer,
	// and too short for one that means to do the same again.
	memoryTime = 10 * time.Minute
	// maxSeeds is the number of seeds at which a request is forgotten.
	maxSeeds = 26
)

type memory struct {
	// known is the stored value of attrSeeds while a run is under way; empty if nothing is to be noted at its end.
	known string
	// resumed says that an earlier run of the same request did not come to its end.
	resumed bool
	// there marks the POST operations whose resource exists as the request created it; made marks those whose resource
	// this run created.
	there, made []bool
	// version is the version of each resource that is there, as this run found it at its beginning.
	version []int64
	// alone marks the POST operations that are the only ones of the request about their resource, which therefore keeps
	// version 1.
	alone []bool
}

// remembered is the content of the item.
type remembered struct {
	seeds    []string // none if nothing is remembered
	used     []byte   // by operation: the place of its seed
	versions string
	done     bool
	expires  int64 // Unix seconds
	cond     store.Cond
}

// decodeMemory reads the item of a request of n operations. An item older than memoryTime may still be in the
// table: it counts as none.
func decodeMemory(it store.Item, n int, now time.Time) remembered {
	seeds, _ := it.Attrs[attrSeeds].(string)
	used, _ := it.Attrs[attrSeeded].(string)
	done, _ := it.Attrs[attrDone].(int64)
	m := remembered{seeds: strings.Fields(seeds), used: []byte(used), done: done == 1, cond: equal(attrSeeds, seeds)}
	m.versions, _ = it.Attrs[attrVersions].(string)
	m.expires, _ = it.Attrs[store.AttrTTL].(int64)
	if it.Attrs == nil {
		m.cond = store.Cond{Test: store.Absent}
	}
	if len(m.seeds) == 0 || len(m.seeds) >= maxSeeds || len(m.used) != n || now.Unix() >= m.expires {
		m = remembered{cond: m.cond, used: make([]byte, n), expires: now.Add(memoryTime).Unix()}
	}
	return m
}

// remember gives each operation the id of its resource, and stores the item for a repetition of the request.
func (b *request) remember(ctx context.Context, digest string, units []unit) error {
	b.memory.there, b.memory.made = make([]bool, len(b.ops)), make([]bool, len(b.ops))
	b.memory.version = make([]int64, len(b.ops))
	b.ids = make([]string, len(b.ops))
	if digest == "" || !b.lasting() {
		b.assign([]string{b.o.NewID()}, make([]byte, len(b.ops)))
		return nil
	}
	b.memory.alone = b.alone(units)
	return b.d.Retry(ctx, func() error { return b.recall(ctx, digest, units) })
}

// lasting reports whether any operation is one that can't be just done again.
func (b *request) lasting() bool {
	for _, op := range b.ops {
		if op.Invalid == nil && (op.Method == http.MethodPost || op.Method == http.MethodDelete) {
			return true
		}
	}
	return false
}

// recall is one attempt of remember; directory.ErrStale if another run of the same request came between.
func (b *request) recall(ctx context.Context, digest string, units []unit) error {
	key := b.ts.Bulk(digest)
	items, err := b.ts.Get(ctx, key)
	if err != nil {
		return err
	}
	m := decodeMemory(items[0], len(b.ops), b.o.Now())
	b.memory.resumed = len(m.seeds) > 0 && !m.done
	if len(m.seeds) == 0 {
		m.seeds = []string{b.o.NewID()}
		b.assign(m.seeds, m.used)
	} else {
		spoiled, err := b.find(ctx, m, units)
		if err != nil {
			return err
		}
		some, all := b.posts(spoiled)
		if m.done && !some && b.unchanging() {
			return nil
		}
		if some {
			m.seeds, m.used = b.reseed(m, spoiled)
			b.assign(m.seeds, m.used)
		}
		if all { // nothing is left of the earlier runs
			m.expires = b.o.Now().Add(memoryTime).Unix()
		}
	}
	b.memory.known = strings.Join(m.seeds, " ")
	return b.write(ctx, store.Op{Kind: store.Put, Key: key, Set: store.Attrs{
		store.AttrSchema: store.SchemaVersion,
		attrSeeds:        b.memory.known, attrSeeded: string(m.used), attrDone: int64(0), store.AttrTTL: m.expires,
	}, If: []store.Cond{m.cond}}, directory.ErrStale)
}

// posts reports whether some POST operations, and whether all of them, are marked.
func (b *request) posts(marked []bool) (some, all bool) {
	all = true
	for i := range b.ops {
		if b.stores(i) {
			some, all = some || marked[i], all && marked[i]
		}
	}
	return some, some && all
}

// unchanging reports whether a repetition changes no resource of the request if the resources of all its POSTs are
// there.
func (b *request) unchanging() bool {
	for i := range b.ops {
		if b.stores(i) && !b.memory.alone[i] {
			return false
		}
	}
	return true
}

// reseed gives a new seed to the operations that are marked, and leaves out the seeds that nobody uses then.
func (b *request) reseed(m remembered, marked []bool) ([]string, []byte) {
	next := []string{b.o.NewID()}
	place := map[int]byte{}
	out := make([]byte, len(m.used))
	for i, letter := range m.used {
		out[i] = 'a'
		if b.ops[i].Method == http.MethodPost && !marked[i] {
			old := seedPlace(letter, len(m.seeds))
			if place[old] == 0 {
				next = append(next, m.seeds[old])
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
func (b *request) assign(seeds []string, used []byte) {
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
		if name, ok := strings.CutPrefix(op.ID, bulkid.Prefix); ok && op.Invalid == nil {
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

// forget notes that the request was carried out to its end, unless something is left for a repetition to do.
func (b *request) forget(ctx context.Context, digest string) {
	if b.memory.known == "" {
		return
	}
	for _, r := range b.results {
		if r.Err != nil && !final(r.Err) {
			return
		}
	}
	if err := b.d.Retry(ctx, func() error { return b.note(ctx, digest) }); err != nil {
		// All is done; only a repetition will not know it.
		b.o.Log.Warn("bulk request not recorded as done", "tenant", b.t.ID, "error", err)
	}
}

// note is one attempt of forget; directory.ErrStale if another run of the same request came between.
func (b *request) note(ctx context.Context, digest string) error {
	key := b.ts.Bulk(digest)
	set := store.Attrs{attrDone: int64(1)}
	conds := []store.Cond{equal(attrSeeds, b.memory.known)}
	var failed error // another run has something to note of its own, or nothing is remembered any more
	if !b.unchanging() {
		// The last reading counts: so the versions are read together with those noted in the item.
		items, err := b.ts.Get(ctx, append(b.standingKeys(), key)...)
		if err != nil {
			return err
		}
		memory := items[len(items)-1].Attrs
		if memory[attrSeeds] != b.memory.known {
			return nil
		}
		set[attrVersions], failed = b.left(items[:len(items)-1]), directory.ErrStale
		cond := store.Cond{Test: store.AttrAbsent, Attr: attrVersions}
		if before, noted := memory[attrVersions]; noted {
			cond = equal(attrVersions, before)
		}
		conds = append(conds, cond)
	}
	return b.write(ctx, store.Op{Kind: store.Update, Key: key, Set: set, If: conds}, failed)
}

// write applies op; if its conditions do not hold, it returns failed.
func (b *request) write(ctx context.Context, op store.Op, failed error) error {
	err := b.ts.Transact(ctx, op)
	if unmet := (*store.ConditionError)(nil); errors.As(err, &unmet) {
		return failed
	}
	return err
}

func equal(attr string, value any) store.Cond {
	return store.Cond{Test: store.Equal, Attr: attr, Value: value}
}
