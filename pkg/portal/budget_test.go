package portal_test

import (
	"compress/gzip"
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/serverless-scim/serverless-scim/pkg/app/local"
	"github.com/serverless-scim/serverless-scim/pkg/internal/slow"
	"github.com/serverless-scim/serverless-scim/pkg/store"
	"github.com/serverless-scim/serverless-scim/pkg/store/boltstore"
	"github.com/serverless-scim/serverless-scim/pkg/tenant"
)

// paced is an engine each of whose calls takes one round, by a clock that stands still while anything else is done.
// The time of a page is its number of rounds: calls made in parallel count as one.
type paced struct {
	store.Engine
	calls *atomic.Int64
}

const round = time.Millisecond

func (e paced) wait() { e.calls.Add(1); time.Sleep(round) }

func (e paced) Get(ctx context.Context, keys []store.Key) ([]store.Item, []int, error) {
	e.wait()
	return e.Engine.Get(ctx, keys)
}

func (e paced) Query(ctx context.Context, q store.Query) (store.Page, error) {
	e.wait()
	return e.Engine.Query(ctx, q)
}

func (e paced) Transact(ctx context.Context, token string, ops []store.Op) error {
	e.wait()
	return e.Engine.Transact(ctx, token, ops)
}

func (e paced) Batch(ctx context.Context, ops []store.Op) ([]int, error) {
	e.wait()
	return e.Engine.Batch(ctx, ops)
}

// longName is a name of nearly the greatest length, which is 512 bytes, which hardly shrinks by compression.
func longName(r *rand.Rand, i int) string {
	name := fmt.Sprintf("%05d-", i)
	for len(name) < 496 {
		name += string(rune(0x4e00 + r.IntN(0x5000)))
	}
	return name
}

// maxPage is the number of bytes that a page may have on its way to the browser.
const maxPage = 100_000

// TestPagesAreCheap holds each page to its number of rounds and calls of the engine, whatever the number of people and
// groups, and to its size with the longest names. By night it does so with 10,000 of both. Without a whole name or
// address, a search looks through the first 2,000 people.
func TestPagesAreCheap(t *testing.T) {
	n := 110
	if os.Getenv(slow.NightEnv) == "1" {
		n = 10_000
	}
	synctest.Test(t, func(t *testing.T) {
		inner, err := boltstore.Open(boltstore.Memory, boltstore.Options{})
		if err != nil {
			t.Fatal(err)
		}
		engine := paced{inner, &atomic.Int64{}}
		s := local.New(local.Options{AdminKey: "key", Engine: "bolt", Log: io.Discard, Out: io.Discard}, engine, inner)
		defer func() { _ = s.Close() }()
		w := &world{t: t, s: s, base: "http://127.0.0.1:8080", tokens: map[string]string{}}
		_, token, err := s.Tenants().Create(t.Context(), tenant.NewTenant{ID: "acme", Name: "Acme"})
		if err != nil {
			t.Fatal(err)
		}
		w.tokens["acme"] = token.Value
		random := rand.New(rand.NewPCG(1, 2)) //nolint:gosec // names
		var last string
		for i := range n {
			last = w.user("acme", longName(random, i))
			w.group("acme", longName(random, i), last)
			if i%100 == 0 {
				w.events("acme")
			}
		}
		w.events("acme")
		for i := range 200 { // refused requests, with names in the log
			w.send("POST", "/scim/v2/acme/Users", fmt.Sprintf(`{"userName":%q,"active":"%s"}`, longName(random, i), "x"),
				"Authorization: Bearer "+token.Value, "Content-Type: application/scim+json")
		}
		b := w.signIn("acme", "admin")
		entry := entryLink.FindStringSubmatch(b.get("/portal/activity?outcome=refused").Body.String())
		if entry == nil {
			t.Fatal("no entry")
		}
		for _, c := range []struct {
			path          string
			rounds, calls int64
		}{
			{"/portal/", 6, 45},
			{"/portal/connect", 2, 6},
			{"/portal/try", 1, 2},
			{"/portal/token", 3, 5},
			{"/portal/groups", 2, 4},
			{"/portal/groups/rule", 2, 3},
			{"/portal/groups/grammar", 2, 4},
			{"/portal/groups/grammar?grammar={name}", 2, 4},
			{"/portal/members", 3, 8},
			{"/portal/members/pending", 2, 3},
			{"/portal/members/duplicates", 2, 3},
			{"/portal/activity", 2, 4},
			{"/portal/settings", 2, 6},
			{"/portal/settings/disconnect", 1, 2},
			{"/portal/domains", 2, 4},
			{"/portal/members/" + last, 4, 18},
			{"/portal/members/" + last + "/history", 3, 4},
			{entry[1], 2, 3},
			{"/portal/members?q=00007", 12, 20},
			{"/portal/try?q=00007", 16, 30},
		} {
			time.Sleep(6 * time.Second) // earlier work is over, also in the background
			r := httptest.NewRequest("GET", w.base+c.path, nil)
			r.Header.Set("Cookie", b.cookie)
			r.Header.Set("Accept-Encoding", "gzip")
			rec := httptest.NewRecorder()
			before, began := engine.calls.Load(), time.Now()
			s.Handler().ServeHTTP(rec, r)
			rounds, calls := int64(time.Since(began)/round), engine.calls.Load()-before
			t.Logf("%-50s %2d rounds, %2d calls, %6d bytes", c.path, rounds, calls, rec.Body.Len())
			if rec.Code != http.StatusOK || rounds > c.rounds || calls > c.calls || rec.Body.Len() > maxPage {
				t.Errorf("%s: %d in %d rounds and %d calls, want %d and %d; %d bytes", c.path, rec.Code, rounds, calls,
					c.rounds, c.calls, rec.Body.Len())
			}
		}
	})
}

// TestCompressedPages reads a page compressed and plain. The answer to a form, which may have a token in it, is never
// compressed.
func TestCompressedPages(t *testing.T) {
	w := newWorld(t)
	b := w.signIn("acme", "admin")
	const path, takes = "/portal/settings", "Accept-Encoding: gzip"
	rec := w.send("GET", path, "", "Cookie: "+b.cookie, takes)
	z, err := gzip.NewReader(rec.Body)
	if err != nil || rec.Header().Get("Content-Encoding") != "gzip" || rec.Header().Get("Vary") != "Accept-Encoding" {
		t.Fatalf("%v %v", err, rec.Header())
	}
	plain := b.get(path)
	if text, err := io.ReadAll(z); err != nil || string(text) != plain.Body.String() {
		t.Errorf("%v %s", err, text)
	}
	if plain.Header().Get("Content-Encoding") != "" {
		t.Errorf("%v", plain.Header())
	}
	fields := url.Values{"login": {strings.Repeat("x", 399)}, "version": {"0"}}.Encode()
	rec = w.send("POST", "/portal/settings/login", fields, form, "Cookie: "+b.cookie,
		"Sec-Fetch-Site: same-origin", takes)
	if rec.Code != http.StatusBadRequest || rec.Body.Len() < 4<<10 || rec.Header().Get("Content-Encoding") != "" {
		t.Errorf("%d %v", rec.Code, rec.Header())
	}
}
