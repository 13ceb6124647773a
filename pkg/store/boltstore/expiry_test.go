package boltstore_test

import (
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"go.etcd.io/bbolt"

	"github.com/serverless-scim/serverless-scim/pkg/store"
	"github.com/serverless-scim/serverless-scim/pkg/store/boltstore"
)

// aging is an engine whose clock the test moves.
type aging struct {
	*boltstore.Engine
	t   *testing.T
	now time.Time
}

func openAging(t *testing.T, path string, now time.Time) *aging {
	t.Helper()
	a := &aging{t: t, now: now}
	e, err := boltstore.Open(path, boltstore.Options{Now: func() time.Time { return a.now }})
	if err != nil {
		t.Fatal(err)
	}
	a.Engine = e
	return a
}

func (a *aging) write(op store.Op) {
	a.t.Helper()
	if err := a.Transact(a.t.Context(), "", []store.Op{op}); err != nil {
		a.t.Fatal(err)
	}
}

func (a *aging) put(pk, sk string, ttl any) {
	a.t.Helper()
	set := store.Attrs{"pad": "x"}
	if ttl != nil {
		set[store.AttrTTL] = ttl
	}
	a.write(store.Op{Kind: store.Put, Key: store.Key{PK: pk, SK: sk}, Set: set})
}

func (a *aging) count(pk string) int {
	a.t.Helper()
	n, q := 0, store.Query{PK: pk, Select: store.CountOnly}
	for {
		page, err := a.Query(a.t.Context(), q)
		if err != nil {
			a.t.Fatal(err)
		}
		n += page.Count
		if !page.More {
			return n
		}
		q.After = page.Last
	}
}

var start = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)

// TestExpiredItemsGo: however many items that expire are written, only those of the last moments are there; others
// stay.
func TestExpiredItemsGo(t *testing.T) {
	for path, seconds := range map[string]int{boltstore.Memory: 1000, filepath.Join(t.TempDir(), "scim.db"): 150} {
		t.Run(filepath.Base(path), func(t *testing.T) {
			a := openAging(t, path, start)
			defer a.Close()
			for i := range seconds {
				a.put("mark", fmt.Sprintf("%04d", i), a.now.Add(10*time.Second).Unix())
				// This prolongs the item that is there.
				a.put("mark", fmt.Sprintf("again %d", i%3), a.now.Add(10*time.Second).Unix())
				a.put("user", fmt.Sprint(i%100), nil)
				a.now = a.now.Add(time.Second)
			}
			if n := a.count("mark"); n < 10 || n > 20 {
				t.Errorf("%d marks are left, want those of the last ten seconds", n)
			}
			if n := a.count("user"); n != 100 {
				t.Errorf("%d of 100 users are left", n)
			}
		})
	}
}

// TestOnlyExpiredItemsGo: an item stays until the second after its time, and however old it is if nothing says when it
// expires.
func TestOnlyExpiredItemsGo(t *testing.T) {
	a := openAging(t, boltstore.Memory, start)
	defer a.Close()
	at := start.Unix() + 5
	key := func(sk string) store.Key { return store.Key{PK: "p", SK: sk} }
	for _, sk := range []string{"expires", "prolonged", "unset", "replaced", "removed"} {
		a.put("p", sk, at)
	}
	a.put("p", "no time", nil)
	a.put("p", "text", "5")
	a.put("p", "negative", int64(-5))
	a.put("p", "zero", int64(0))
	a.write(store.Op{Kind: store.Update, Key: key("prolonged"), Set: store.Attrs{store.AttrTTL: at + 100}})
	a.write(store.Op{Kind: store.Update, Key: key("unset"), Unset: []string{store.AttrTTL}})
	a.put("p", "replaced", nil)
	a.write(store.Op{Kind: store.Delete, Key: key("removed")})
	a.put("p", "removed", at+100) // made anew
	a.write(store.Op{Kind: store.Update, Key: key("added"), Add: map[string]int64{store.AttrTTL: at}})
	const all = 10
	for _, step := range []struct {
		seconds int64
		want    int
	}{{5, all}, {6, all - 2}, {105, all - 2}, {106, all - 4}, {1 << 30, all - 4}} {
		a.now = start.Add(time.Duration(step.seconds) * time.Second)
		a.put("other", "any write", nil)
		if n := a.count("p"); n != step.want {
			t.Errorf("after %d seconds %d items are left, want %d", step.seconds, n, step.want)
		}
	}
}

// TestSweepIsBounded: a write removes a few expired items only, however many there are.
func TestSweepIsBounded(t *testing.T) {
	a := openAging(t, boltstore.Memory, start)
	defer a.Close()
	const expired = 500
	for i := range expired {
		a.put("mark", fmt.Sprintf("%04d", i), start.Unix()+1)
	}
	a.now = start.Add(time.Minute)
	for left := expired; left > 0; {
		a.put("other", "any write", nil)
		now := a.count("mark")
		if now >= left || left-now > 50 {
			t.Fatalf("a write took %d of %d expired items along", left-now, left)
		}
		left = now
	}
}

// TestFileWithoutExpiry: a file that was created before there was a bucket of expiry times gets one when it is opened.
func TestFileWithoutExpiry(t *testing.T) {
	path := filepath.Join(t.TempDir(), "scim.db")
	a := openAging(t, path, start)
	a.put("p", "expires", start.Unix()+1)
	a.put("p", "stays", nil)
	if err := a.Close(); err != nil {
		t.Fatal(err)
	}
	db, err := bbolt.Open(path, 0o600, nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := db.Update(func(tx *bbolt.Tx) error { return tx.DeleteBucket([]byte("expiry")) }); err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	a = openAging(t, path, start.Add(time.Hour))
	defer a.Close()
	a.put("other", "any write", nil)
	if n := a.count("p"); n != 1 {
		t.Errorf("%d items are left, want the one that stays", n)
	}
}
