package eventlog_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"
	"pgregory.net/rapid"

	"github.com/serverless-scim/serverless-scim/pkg/event/eventlog"
	"github.com/serverless-scim/serverless-scim/pkg/scim"
	"github.com/serverless-scim/serverless-scim/pkg/store"
	"github.com/serverless-scim/serverless-scim/pkg/store/boltstore"
)

var start = time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC)

func openStore(t testing.TB) *store.TenantStore {
	t.Helper()
	engine, err := boltstore.Open(boltstore.Memory, boltstore.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = engine.Close() })
	return store.New(engine, store.Options{}).Tenant("acme")
}

// add appends entries of so many events each, at a time.
func add(t testing.TB, ts *store.TenantStore, at time.Time, sizes ...int) {
	t.Helper()
	if err := tryAdd(t.Context(), ts, at, sizes...); err != nil {
		t.Fatal(err)
	}
}

func tryAdd(ctx context.Context, ts *store.TenantStore, at time.Time, sizes ...int) error {
	items, err := ts.Get(ctx, ts.LogHead())
	if err != nil {
		return err
	}
	var entries []eventlog.Entry
	for i, size := range sizes {
		e := eventlog.Entry{
			Subject: fmt.Sprint("members/", i), SubjectVersion: int64(i + 1), At: at,
			Shared: scim.Object{"member": "m"},
			Cause:  eventlog.Cause{RequestID: "r", TokenID: "t"},
		}
		for n := range size {
			e.Events = append(e.Events, eventlog.Logged{Type: "member.updated", Data: scim.Object{"n": int64(n)}})
		}
		entries = append(entries, e)
	}
	_, ops := eventlog.DecodeHead(items[0]).Append(ts.Keys, 0, entries...)
	return ts.Transact(ctx, ops...)
}

func read(t testing.TB, ts *store.TenantStore, after int64, count int, oldest time.Time) eventlog.Page {
	t.Helper()
	page, err := eventlog.Read(t.Context(), ts, eventlog.Place{After: after}, count, oldest)
	if err != nil {
		t.Fatalf("read after %d: %v", after, err)
	}
	return page
}

func TestLogIsReadInOrder(t *testing.T) {
	ts := openStore(t)
	if page := read(t, ts, 0, 10, time.Time{}); len(page.Events) != 0 || page.Last != 0 {
		t.Fatalf("an empty log has %v", page)
	}
	add(t, ts, start, 2, 0, 1)
	page := read(t, ts, 0, 10, time.Time{})
	want := `{"id":"acme-` + page.Epoch + `-2","cause":{"requestId":"r","tokenId":"t"},"data":{"member":"m","n":1},` +
		`"schemaVersion":1,"sequence":2,"subject":"members/0","subjectVersion":1,"tenant":"acme",` +
		`"time":"2026-11-01T00:00:00.000Z","type":"member.updated"}`
	if got := string(scim.AppendJSON(nil, page.Events[1].Object)); got != want || page.Last != 3 {
		t.Errorf("last %d, second event\n%s, want\n%s", page.Last, got, want)
	}
}

// TestEveryPlaceOfTheLog reads a log of several partitions from each place near their borders.
func TestEveryPlaceOfTheLog(t *testing.T) {
	ts := openStore(t)
	total := int64(0)
	for total < 2500 {
		add(t, ts, start, 7, 1, 40)
		total += 48
	}
	rapid.Check(t, func(rt *rapid.T) {
		border := rapid.SampledFrom([]int64{0, 1000, 2000, total}).Draw(rt, "border")
		after := min(max(border+int64(rapid.IntRange(-45, 45).Draw(rt, "distance")), 0), total)
		count := rapid.SampledFrom([]int{1, 3, 60, 1100}).Draw(rt, "count")
		page, err := eventlog.Read(context.Background(), ts, eventlog.Place{After: after}, count, time.Time{})
		if err != nil {
			rt.Fatal(err)
		}
		if want := min(int64(count), total-after); int64(len(page.Events)) != want || page.Last != total {
			rt.Fatalf("after %d, count %d: %d events, want %d", after, count, len(page.Events), want)
		}
		for i, e := range page.Events {
			if e.Sequence != after+int64(i)+1 {
				rt.Fatalf("after %d: event %d has the number %d", after, i, e.Sequence)
			}
		}
	})
}

func TestPlacesThatAreGone(t *testing.T) {
	ts := openStore(t)
	for day := range 60 {
		add(t, ts, start.AddDate(0, 0, day), 50)
	}
	oldest := start.AddDate(0, 0, 45) // events 2251 to 3000 are kept
	for _, after := range []int64{-1, 0, 1, 1000, 2249, 3001, 9999} {
		_, err := eventlog.Read(t.Context(), ts, eventlog.Place{After: after}, 10, oldest)
		gone, ok := eventlog.IsGone(err)
		want := int64(2250)
		if after > 3000 || after < 0 {
			want = 3000
		}
		if !ok || gone.Start != want {
			t.Errorf("after %d: error %v, want a place to start after %d", after, err, want)
			continue
		}
		if page := read(t, ts, gone.Start, 10, oldest); gone.Start < 3000 && page.Events[0].Sequence != 2251 {
			t.Errorf("the place to start gives %d", page.Events[0].Sequence)
		}
	}
	if page := read(t, ts, 2250, 1000, oldest); len(page.Events) != 750 {
		t.Errorf("%d events are kept, want 750", len(page.Events))
	}
	_, err := eventlog.Read(t.Context(), ts, eventlog.Place{After: 0}, 10, start.AddDate(1, 0, 0))
	if gone, ok := eventlog.IsGone(err); !ok || gone.Start != 3000 {
		t.Errorf("nothing is kept: error %v, want a place to start after 3000", err)
	}
}

// TestReadersSeeAPrefix lets several append at once, of whom one wins each number, while others read.
func TestReadersSeeAPrefix(t *testing.T) {
	ts := openStore(t)
	var g errgroup.Group
	for range 4 {
		g.Go(func() error {
			for added := 0; added < 50; {
				var failed *store.ConditionError
				switch err := tryAdd(context.Background(), ts, start, 1, 3, 2); {
				case err == nil:
					added++
				case !errors.As(err, &failed):
					return err
				}
			}
			return nil
		})
	}
	for range 2 {
		g.Go(func() error {
			for after := int64(0); after < 1200; {
				page, err := eventlog.Read(context.Background(), ts, eventlog.Place{After: after}, 100, time.Time{})
				if err != nil {
					return err
				}
				for _, e := range page.Events {
					if after++; e.Sequence != after {
						return fmt.Errorf("the number %d comes behind %d", e.Sequence, after-1)
					}
				}
			}
			return nil
		})
	}
	if err := g.Wait(); err != nil {
		t.Fatal(err)
	}
}

func TestEpochsDiffer(t *testing.T) {
	seen := map[string]bool{}
	for range 50 {
		seen[eventlog.DecodeHead(store.Item{}).Epoch] = true
	}
	if len(seen) < 45 {
		t.Errorf("50 lives have %d epochs", len(seen))
	}
}

// TestLinksAreKept: an entry is kept at least as long as the one before it of the same subject, even if the
// retention is shorter by then, so that a link that leads nowhere means that all after it is gone.
func TestLinksAreKept(t *testing.T) {
	const day = 24 * time.Hour
	at := time.Unix(1_800_000_000, 0)
	entry := func(before eventlog.Link) eventlog.Entry {
		return eventlog.Entry{
			Subject: "members/a", At: at, Before: before, Events: []eventlog.Logged{{Type: "x.a"}, {Type: "x.b"}},
		}
	}
	head := eventlog.DecodeHead(store.Item{})
	first := head.Links(100*day, entry(eventlog.Link{}))[0]
	if want := (eventlog.Link{Last: 2, Until: at.Add(100 * day).Unix()}); first != want {
		t.Errorf("the first link is %v, want %v", first, want)
	}
	for retention, until := range map[time.Duration]int64{
		day: first.Until, 200 * day: at.Add(200 * day).Unix(), 0: 0,
	} {
		links := head.Links(retention, entry(eventlog.Link{}), entry(first))
		if want := (eventlog.Link{Last: 4, Until: until}); links[1] != want {
			t.Errorf("%v: the second link is %v, want %v", retention, links[1], want)
		}
		_, ops := head.Append(store.KeysOf("acme"), retention, entry(first))
		ttl, _ := ops[1].Set[store.AttrTTL].(int64)
		if ttl != until || ops[1].Set["before"] != first.Last {
			t.Errorf("%v: the entry is %v", retention, ops[1].Set)
		}
	}
	if always := head.Links(day, entry(eventlog.Link{Last: 2}))[0]; always.Until != 0 {
		t.Errorf("behind an entry that is always kept: %v", always)
	}
}
