package directory_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/serverless-scim/serverless-scim/pkg/directory"
	"github.com/serverless-scim/serverless-scim/pkg/scim"
	"github.com/serverless-scim/serverless-scim/pkg/scim/schema"
	"github.com/serverless-scim/serverless-scim/pkg/store"
	"github.com/serverless-scim/serverless-scim/pkg/store/boltstore"
)

// idMakers are ways to make ids: as the program does, all within few shards, and of any shape that an id may have.
func idMakers() map[string]func() string {
	var n atomic.Int64
	const letters = "-.0123456789ABCXYZ_abcdefgxyz"
	return map[string]func() string{
		"random UUIDs": uuid.NewString,
		"in few shards": func() string {
			return fmt.Sprintf("%c%s", "0f"[rand.IntN(2)], uuid.NewString())
		},
		"of any shape": func() string {
			id := ""
			for n := n.Add(1); n > 0; n /= int64(len(letters)) {
				id += string(letters[n%int64(len(letters))])
			}
			return id
		},
	}
}

// TestJumps begins pages anywhere in lists of which much was deleted, in both directions, and across types.
func TestJumps(t *testing.T) {
	for name, newID := range idMakers() {
		t.Run(name, func(t *testing.T) {
			now := time.Date(2026, 11, 22, 8, 0, 0, 0, time.UTC)
			d, tenant := jumper(t, directory.Options{NewID: newID, Now: func() time.Time { return now }})
			users, groups := slices.Sorted(slices.Values(fill(t, d, tenant, user, 300))),
				slices.Sorted(slices.Values(fill(t, d, tenant, group, 40)))
			users = slices.DeleteFunc(users, func(id string) bool {
				gone := rand.IntN(4) == 0 || id[0] == '7'
				if gone {
					if err := d.Delete(t.Context(), tenant, user, id, nil); err != nil {
						t.Fatal(err)
					}
				}
				return gone
			})
			for _, c := range []struct {
				types []*schema.ResourceType
				want  []string
			}{
				{[]*schema.ResourceType{user}, users},
				{[]*schema.ResourceType{group}, groups},
				{[]*schema.ResourceType{user, group}, slices.Concat(users, groups)},
			} {
				reversed := slices.Clone(c.want)
				slices.Reverse(reversed)
				for start := 1; start <= len(c.want)+2; start += 1 + rand.IntN(7) {
					now = now.Add(time.Hour) // the notes of where pages ended are void by then
					q := directory.ListQuery{StartIndex: start, Count: 4}
					checkPage(t, d, tenant, c.types, q, c.want)
					if len(c.types) == 1 {
						q.SortBy, q.Descending = "id", true
						checkPage(t, d, tenant, c.types, q, reversed)
					}
				}
			}
		})
	}
}

func jumper(t testing.TB, o directory.Options) (*directory.Directory, directory.Tenant) {
	t.Helper()
	engine, err := boltstore.Open(boltstore.Memory, boltstore.Options{Now: o.Now})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = engine.Close() })
	dialect, _ := scim.DialectOf("generic")
	o.MaxScan, o.MaxWait = patience, patience
	return directory.New(store.New(engine, store.Options{MaxWait: patience}), o),
		directory.Tenant{ID: "acme", BaseURL: "https://scim.example.com/scim/v2/acme", Dialect: dialect}
}

func fill(t testing.TB, d *directory.Directory, tenant directory.Tenant, rt *schema.ResourceType, n int) []string {
	t.Helper()
	ids := make([]string, n)
	together(8, func(k int) {
		for i := k; i < n; i += 8 {
			body := scim.Object{"userName": fmt.Sprintf("u%d", i)}
			if rt == group {
				body = scim.Object{"displayName": fmt.Sprintf("g%d", i)}
			}
			res, err := d.Create(t.Context(), tenant, rt, body, nil)
			if err != nil {
				t.Error(err)
			}
			ids[i] = res.ID
		}
	})
	return ids
}

func checkPage(t *testing.T, d *directory.Directory, tenant directory.Tenant, types []*schema.ResourceType,
	q directory.ListQuery, all []string,
) {
	t.Helper()
	l, err := d.Search(t.Context(), tenant, types, q)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, r := range l.Resources {
		got = append(got, r.ID)
	}
	from := min(q.StartIndex-1, len(all))
	if want := all[from:min(from+q.Count, len(all))]; !slices.Equal(got, want) || l.Total != len(all) {
		t.Errorf("from %d, %v: %q of %d, want %q of %d", q.StartIndex, q.Descending, got, l.Total, want, len(all))
	}
}

// TestJumpsReadLittle: a jump reads the counters, and the ids between its aim and the nearer end of a shard.
func TestJumpsReadLittle(t *testing.T) {
	const users, shards = 1500, 64
	d, tenant := jumper(t, directory.Options{Now: time.Now})
	fill(t, d, tenant, user, users)
	cost := func(start int) directory.Cost {
		ctx, total := directory.Metered(t.Context())
		l, err := d.List(ctx, tenant, user, directory.ListQuery{StartIndex: start, Count: 10})
		if err != nil || l.Total != users || len(l.Resources) != 10 {
			t.Fatalf("from %d: %d of %d: %v", start, len(l.Resources), l.Total, err)
		}
		return total()
	}
	first := cost(1)
	for range 30 {
		// Beside the reads of the first page: the mark of a page's end, and one page of keys, of at most half a shard.
		start := 2 + rand.IntN(users-20)
		if c := cost(start); c.Calls > first.Calls+2 || c.ReadUnits > first.ReadUnits+1+users/shards*500/4096 {
			t.Errorf("the first page costs %+v, that from %d %+v", first, start, c)
		}
	}
}

// TestJumpsBesideWrites: whatever is created and deleted meanwhile, a page has no gap, and begins within as many places
// of its aim.
func TestJumpsBesideWrites(t *testing.T) {
	var hours atomic.Int64
	d, tenant := jumper(t, directory.Options{Now: func() time.Time { return time.Unix(hours.Load()*3600, 0) }})
	stay := slices.Sorted(slices.Values(fill(t, d, tenant, user, 400)))
	const others = 8 // that there may be at a time
	stop := make(chan struct{})
	done := make(chan struct{})
	go func() {
		defer close(done)
		together(others, func(k int) {
			for {
				select {
				case <-stop:
					return
				default:
				}
				res, err := d.Create(t.Context(), tenant, user,
					scim.Object{"userName": fmt.Sprintf("other-%d", k)}, nil)
				if err == nil {
					err = d.Delete(t.Context(), tenant, user, res.ID, nil)
				}
				if err != nil {
					t.Error(err)
				}
			}
		})
	}()
	for range 80 {
		hours.Add(1) // the notes of where pages ended are void by then
		start := 2 + rand.IntN(300)
		l, err := d.List(t.Context(), tenant, user, directory.ListQuery{StartIndex: start, Count: 30})
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, r := range l.Resources {
			if _, known := slices.BinarySearch(stay, r.ID); known {
				got = append(got, r.ID)
			}
		}
		from, _ := slices.BinarySearch(stay, got[0])
		if !slices.Equal(got, stay[from:min(from+len(got), len(stay))]) || len(got) < 30-others {
			t.Errorf("from %d: a gap in %q", start, got)
		}
		if at := from + 1; at < start-3*others || at > start+3*others {
			t.Errorf("from %d: begins at %d", start, at)
		}
	}
	close(stop)
	<-done
}

// TestAPageIsReadBehindItsTotal: users who come and go between the counters and the rows of a last page make the client
// ask for one page more, which shows nothing twice.
func TestAPageIsReadBehindItsTotal(t *testing.T) {
	engine := &intercept{Engine: memory(t)}
	w := on(t, engine, "generic")
	var ids []string
	for i := range 6 {
		ids = append(ids, w.user(fmt.Sprintf("b%d", i)))
	}
	page := func(start int) directory.List {
		l, err := w.dir.List(t.Context(), w.tenant, user,
			directory.ListQuery{StartIndex: start, Count: 3, SortBy: "userName"})
		w.ok(l, err)
		return l
	}
	page(1)
	engine.once(func(c call) bool { return c.read && c.touches("N") }, func() {
		w.user("a")
		w.ok(nil, w.remove(user, ids[5]))
	})
	if l := page(4); len(l.Resources) != 2 || !engine.done() {
		t.Fatalf("%d users on the second page", len(l.Resources))
	}
	if l := page(6); len(l.Resources) != 0 {
		t.Errorf("behind the end: %v", l.Resources[0].Doc["userName"])
	}
}
