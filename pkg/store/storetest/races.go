package storetest

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/serverless-scim/serverless-scim/pkg/store"
)

const racers = 16

// race runs f in as many goroutines as there are racers and waits for all.
func race(f func(i int)) {
	var wg sync.WaitGroup
	for i := range racers {
		wg.Go(func() { f(i) })
	}
	wg.Wait()
}

// testRaces checks that concurrent writes are isolated from each other. It goes through a Store, so that an engine may
// answer ErrConflict as often as it likes, and on a machine that has much else to do.
func testRaces(t *testing.T, s *suite) {
	st := store.New(s.Engine, store.Options{MaxWait: 3 * time.Minute})
	t.Run("no optimistic update is lost", func(t *testing.T) { s.testOptimistic(t, st) })
	t.Run("no Add is lost", func(t *testing.T) {
		p := pk(t)
		const keys, each = 4, 3
		race(func(i int) {
			for range each {
				ops := make([]store.Op, keys)
				for j, at := range rand.Perm(keys) { // any order: no two transactions may block each other for ever
					ops[j] = store.Op{
						Kind: store.Update, Key: store.Key{PK: p, SK: fmt.Sprint(at)},
						Add: map[string]int64{"n": int64(i)},
					}
				}
				if err := st.Transact(t.Context(), ops...); err != nil {
					t.Error(err)
				}
			}
		})
		for i := range keys {
			s.expect(t, store.Key{PK: p, SK: fmt.Sprint(i)}, store.Attrs{"n": int64(each * racers * (racers - 1) / 2)})
		}
	})
	t.Run("one of many creates wins", func(t *testing.T) {
		p := pk(t)
		for round := range 5 {
			unique := store.Key{PK: p, SK: fmt.Sprintf("unique %d", round)}
			var won atomic.Int64
			race(func(i int) {
				own := store.Key{PK: p, SK: fmt.Sprintf("own %d %d", round, i)}
				err := st.Transact(
					t.Context(),
					store.Op{Kind: store.Put, Key: own},
					store.Op{
						Kind: store.Put, Key: unique, Set: store.Attrs{"by": int64(i)},
						If: []store.Cond{{Test: store.Absent}},
					},
				)
				var failed *store.ConditionError
				switch {
				case err == nil:
					won.Add(1)
				case !errors.As(err, &failed) || !failed.At(1) || failed.At(0):
					t.Error(err)
				}
			})
			if won.Load() != 1 {
				t.Errorf("round %d: %d creates won, want 1", round, won.Load())
			}
			if page := s.query(t, store.Query{PK: p, Prefix: fmt.Sprintf("own %d ", round)}); page.Count != 1 {
				t.Errorf("round %d: %d items of winners, want 1", round, page.Count)
			}
		}
	})
	t.Run("a check holds against deletion", func(t *testing.T) { s.testCheckRace(t, st) })
}

// testOptimistic increments one number by reading and conditionally writing it.
func (s *suite) testOptimistic(t *testing.T, st *store.Store) {
	k := store.Key{PK: pk(t), SK: "a"}
	s.put(t, k, store.Attrs{"n": int64(0)})
	const each = 4
	race(func(int) {
		for done := 0; done < each; {
			items, err := st.Get(t.Context(), k)
			if err != nil {
				t.Error(err)
				return
			}
			n := items[0].Attrs["n"].(int64)
			err = st.Transact(t.Context(), store.Op{
				Kind: store.Update, Key: k,
				Set: store.Attrs{"n": n + 1},
				If:  []store.Cond{{Test: store.Equal, Attr: "n", Value: n}},
			})
			var failed *store.ConditionError
			switch {
			case err == nil:
				done++
			case !errors.As(err, &failed):
				t.Error(err)
				return
			}
		}
	})
	s.expect(t, k, store.Attrs{"n": int64(racers * each)})
}

// testCheckRace lets children be made while their parent, which counts them, is deleted if it has none: no orphan may
// stay.
func (s *suite) testCheckRace(t *testing.T, st *store.Store) {
	p := pk(t)
	for round := range 5 {
		parent := store.Key{PK: p, SK: fmt.Sprintf("parent %d", round)}
		s.put(t, parent, store.Attrs{"children": int64(0)})
		race(func(i int) {
			var err error
			if i%2 == 0 {
				err = st.Transact(t.Context(), store.Op{Kind: store.Delete, Key: parent, If: []store.Cond{{
					Test: store.Equal,
					Attr: "children", Value: int64(0),
				}}})
			} else {
				child := store.Key{PK: p, SK: fmt.Sprintf("child %d %d", round, i)}
				err = st.Transact(
					t.Context(),
					store.Op{Kind: store.Put, Key: child},
					store.Op{
						Kind: store.Update, Key: parent, Add: map[string]int64{"children": 1},
						If: []store.Cond{{Test: store.Exists}},
					},
				)
			}
			var failed *store.ConditionError
			if err != nil && !errors.As(err, &failed) {
				t.Error(err)
			}
		})
		children := s.query(t, store.Query{PK: p, Prefix: fmt.Sprintf("child %d ", round)}).Count
		var want store.Attrs
		if children > 0 {
			want = store.Attrs{"children": int64(children)}
		}
		s.expect(t, parent, want)
	}
}
