package storetest

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/serverless-scim/serverless-scim/pkg/store"
)

// testValues checks that every value comes back as it was given.
func testValues(t *testing.T, s *suite) {
	every := make([]byte, 256)
	for i := range every {
		every[i] = byte(i)
	}
	attrs := store.Attrs{
		"empty": "", "empty bytes": []byte{}, "every byte": every,
		"zero": int64(0), "one": int64(1), "minus": int64(-1), "max": int64(math.MaxInt64), "min": int64(math.MinInt64),
		"round":    int64(-1e18),
		"controls": "\x00\x01\x02\t\n\r\x1f\x7f\u0080\u2028", "emoji": "👩‍👩‍👧 é e\u0301 漢字 \uffff \U0010ffff",
		"quotes": `"\'<>&#:{}$`,
		"digits": "123", "spaces": "  v  ", "name with \U0001F600": "v", "#reserved :name": "v", "size": int64(1),
		"doc.a[0]":               "v",
		strings.Repeat("n", 255): "long name",
	}
	k := store.Key{PK: pk(t) + " é \U0001F600 \x01", SK: "\x01\x02 é \U0001F600 \"'"}
	t.Run("put", func(t *testing.T) {
		s.put(t, k, attrs)
		s.expect(t, k, attrs)
		if page := s.query(t, store.Query{PK: k.PK}); page.Count != 1 || page.Items[0].Key != k ||
			!equal(page.Items[0].Attrs, attrs) {
			t.Errorf("got %v, want %s", page.Items, brief(attrs))
		}
	})
	t.Run("texts", func(t *testing.T) {
		names := []string{"name with \U0001F600", "none", "one", "every byte", "#reserved :name", "empty", "emoji"}
		page := s.query(t, store.Query{PK: k.PK, Select: store.Texts, Texts: names})
		want := []store.Row{{SK: k.SK, Texts: []string{"v", "", "", "", "v", "", attrs["emoji"].(string)}}}
		if !slices.EqualFunc(page.Rows, want, sameRow) || len(page.Items) > 0 {
			t.Errorf("got %q, want %q", page.Rows, want)
		}
	})
	t.Run("update", func(t *testing.T) {
		k.SK += "2"
		if err := s.transact(t, store.Op{Kind: store.Update, Key: k, Set: attrs}); err != nil {
			t.Fatal(err)
		}
		s.expect(t, k, attrs)
	})
	t.Run("in conditions", func(t *testing.T) {
		for name, v := range attrs {
			op := store.Op{Kind: store.Check, Key: k, If: []store.Cond{{Test: store.Equal, Attr: name, Value: v}}}
			if err := s.transact(t, op); err != nil {
				t.Errorf("%q: %v", name, err)
			}
		}
	})
	t.Run("what is returned is the caller's own", func(t *testing.T) {
		got := s.get(t, k)
		got["every byte"].([]byte)[0] = 'x'
		got["one"] = "changed"
		s.expect(t, k, attrs)
	})
}

// testGet checks reads by key.
func testGet(t *testing.T, s *suite) {
	t.Run("in the order asked, absent ones too", func(t *testing.T) {
		p := pk(t)
		keys := make([]store.Key, store.MaxGetKeys)
		for i := range keys {
			keys[i] = store.Key{PK: p, SK: fmt.Sprint((i * 37) % len(keys))}
			if i%3 == 0 {
				s.put(t, keys[i], store.Attrs{"i": int64(i)})
			}
		}
		for i, item := range s.getAll(t, keys) {
			var want store.Attrs
			if i%3 == 0 {
				want = store.Attrs{"i": int64(i)}
			}
			if item.Key != keys[i] || !equal(item.Attrs, want) {
				t.Errorf("item %d: got %v, want %v %s", i, item, keys[i], brief(want))
			}
		}
	})
	t.Run("more than one answer holds", func(t *testing.T) {
		p := pk(t)
		keys := make([]store.Key, 42) // 42 items of 400 KiB: just above 16 MiB
		for i := range keys {
			keys[i] = store.Key{PK: p, SK: fmt.Sprint(i)}
			s.put(t, keys[i], itemOf(keys[i], store.MaxItemBytes))
		}
		for i, item := range s.getAll(t, keys) {
			if n := store.ItemBytes(item.Key, item.Attrs); item.Key != keys[i] || n != store.MaxItemBytes {
				t.Errorf("item %d: got %q with %d bytes", i, item.Key, n)
			}
		}
	})
}

// getAll reads until no key is unread.
func (s *suite) getAll(t *testing.T, keys []store.Key) []store.Item {
	t.Helper()
	found := make([]store.Item, len(keys))
	at := make([]int, len(keys))
	for i := range at {
		at[i] = i
	}
	for range 100 {
		asked := make([]store.Key, len(at))
		for i, index := range at {
			asked[i] = keys[index]
		}
		items, unread, err := s.Get(t.Context(), asked)
		if err != nil || len(items) != len(asked) {
			t.Fatalf("got %d items for %d keys, %v", len(items), len(asked), err)
		}
		for i, item := range items {
			found[at[i]] = item
		}
		if len(unread) == 0 {
			return found
		}
		left := make([]int, len(unread))
		for i, index := range unread {
			left[i] = at[index]
		}
		at = left
	}
	t.Fatal("some items stay unread")
	return nil
}

// testOrder checks that a partition is in order of the bytes of its sort keys, and ends where the next begins.
func testOrder(t *testing.T, s *suite) {
	sorted := []string{
		"\x01", "\x01\x01", "\x01\x02", "\x02", "\x1f", " ", "!", "-", "0", "00", "1", "10", "2", "A", "Z", "\\", "_",
		"a", "a\x01", "a\x01b",
		"a\x02\x03", "a ", "aa", "ab", "b", "~", "\x7f", "\u0080", "é", "ÿ", "Ā", "漢", "\ue000", "\ufb00", "\uffff",
		"\U00010000", "\U0001F600", "\U0010ffff",
	}
	if !slices.IsSorted(sorted) {
		t.Fatal("the test itself is out of order")
	}
	p := pk(t)
	ops := make([]store.Op, 0, 2*len(sorted))
	for i := range sorted {
		ops = append(ops, store.Op{Kind: store.Put, Key: store.Key{PK: p, SK: sorted[(i*11)%len(sorted)]}})
	}
	for _, other := range []string{p[:len(p)-1], p + "\x01", p + "#", p + "a", p[:len(p)-1] + "\U0010ffff"} {
		ops = append(ops, store.Op{Kind: store.Put, Key: store.Key{PK: other, SK: "m"}},
			store.Op{Kind: store.Put, Key: store.Key{PK: other, SK: "\x01"}})
	}
	for chunk := range slices.Chunk(ops, store.MaxBatchOps) {
		s.batch(t, chunk)
	}
	for _, reverse := range []bool{false, true} {
		got := sortKeys(s.query(t, store.Query{PK: p, Reverse: reverse}))
		want := slices.Clone(sorted)
		if reverse {
			slices.Reverse(want)
		}
		if !slices.Equal(got, want) {
			t.Errorf("reverse %t: got %q, want %q", reverse, got, want)
		}
	}
	for _, prefix := range []string{"a", "a\x01", "\x01", "\U0010ffff", "\uffff", "zz", "é"} {
		got := sortKeys(s.query(t, store.Query{PK: p, Prefix: prefix}))
		want := slices.DeleteFunc(slices.Clone(sorted), func(sk string) bool { return !strings.HasPrefix(sk, prefix) })
		if !slices.Equal(got, want) {
			t.Errorf("prefix %q: got %q, want %q", prefix, got, want)
		}
	}
}

func sortKeys(page store.Page) []string {
	keys := []string{}
	for _, row := range page.Rows {
		keys = append(keys, row.SK)
	}
	for _, item := range page.Items {
		keys = append(keys, item.SK)
	}
	return keys
}

func sameRow(a, b store.Row) bool { return a.SK == b.SK && slices.Equal(a.Texts, b.Texts) }

// testRanges compares every combination of bounds with a naive reading of them.
func testRanges(t *testing.T, s *suite) {
	sorted := []string{"a", "b", "ba", "bb", "bba", "c", "cc", "d"}
	p := pk(t)
	for _, sk := range sorted {
		s.put(t, store.Key{PK: p, SK: sk}, store.Attrs{"is": sk})
	}
	for _, q := range ranges(p) {
		for _, after := range []string{"", "a", "aa", "ba", "bb", "bc", "d", "e"} {
			for _, limit := range []int{0, 1, 2, 3, 8, 9} {
				q.After, q.Limit = after, limit
				if store.ValidateQuery(q) != nil {
					continue // covered by Limits
				}
				s.testRange(t, q, sorted)
			}
		}
	}
	t.Run("an empty partition", func(t *testing.T) {
		page := s.query(t, store.Query{PK: pk(t)})
		if page.Count != 0 || len(page.Items) != 0 || page.More || page.Last != "" {
			t.Errorf("got %+v, want nothing", page)
		}
	})
}

// ranges are the queries of testRanges, without After and Limit.
func ranges(p string) []store.Query {
	var all []store.Query
	for _, reverse := range []bool{false, true} {
		for _, prefix := range []string{"b", "bb", "x"} {
			all = append(all, store.Query{PK: p, Prefix: prefix, Reverse: reverse})
		}
		for _, bounds := range [][2]string{
			{"", ""},
			{"b", ""},
			{"aa", ""},
			{"", "bb"},
			{"", "z"},
			{"b", "bb"},
			{"bb", "bb"},
			{"bc", "bd"},
		} {
			all = append(all, store.Query{PK: p, From: bounds[0], To: bounds[1], Reverse: reverse})
		}
	}
	return all
}

func (s *suite) testRange(t *testing.T, q store.Query, sorted []string) {
	t.Helper()
	want := []string{}
	for _, sk := range sorted {
		behind := q.After == "" || !q.Reverse && sk > q.After || q.Reverse && sk < q.After
		if q.Contains(sk) && behind {
			want = append(want, sk)
		}
	}
	if q.Reverse {
		slices.Reverse(want)
	}
	more, last := false, ""
	if q.Limit > 0 && len(want) >= q.Limit {
		want = want[:q.Limit]
		more, last = true, want[q.Limit-1]
	}
	for _, q.Select = range selections {
		q.Texts = nil
		if q.Select == store.Texts {
			q.Texts = []string{"none", "is"}
		}
		page := s.query(t, q)
		if page.Count != len(want) || page.More != more || page.Last != last {
			t.Errorf("%+v: got %d, more %t, last %q; want %d, %t, %q", q, page.Count, page.More,
				page.Last, len(want), more, last)
		}
		switch got := sortKeys(page); {
		case q.Select == store.CountOnly && len(got) > 0:
			t.Errorf("%+v: got items", q)
		case q.Select != store.CountOnly && !slices.Equal(got, want):
			t.Errorf("%+v: got %q, want %q", q, got, want)
		}
		for _, row := range page.Rows {
			if q.Select != store.Texts || !slices.Equal(row.Texts, []string{"", row.SK}) {
				t.Errorf("%+v: got %q", q, row)
			}
		}
		for _, item := range page.Items {
			attrs := store.Attrs{}
			if q.Select == store.All {
				attrs["is"] = item.SK
			}
			if item.PK != q.PK || !equal(item.Attrs, attrs) {
				t.Errorf("%+v: got %v", q, item)
			}
		}
	}
}

// selections are all parts of an item that a query may return.
var selections = []store.Select{store.All, store.KeysOnly, store.CountOnly, store.Texts}

// testPages checks that a page ends with the item that brings it to MaxPageBytes, and that a walk sees every item once.
func testPages(t *testing.T, s *suite) {
	for _, c := range []struct {
		size, items int
		pages       []int
	}{
		{100 << 10, 25, []int{11, 11, 3}},
		{256 << 10, 5, []int{4, 1}}, // exactly 1 MiB
		{256<<10 - 1, 6, []int{5, 1}},
		{400 << 10, 7, []int{3, 3, 1}},
		{5000, 300, []int{210, 90}},
	} {
		t.Run(fmt.Sprintf("%d items of %d bytes", c.items, c.size), func(t *testing.T) {
			p := pk(t)
			var ops []store.Op
			for i := range c.items {
				k := store.Key{PK: p, SK: fmt.Sprintf("%03d", i)}
				ops = append(ops, store.Op{Kind: store.Put, Key: k, Set: itemOf(k, c.size)})
			}
			for chunk := range slices.Chunk(ops, 8) {
				s.batch(t, chunk)
			}
			for _, reverse := range []bool{false, true} {
				for _, selection := range selections {
					q := store.Query{PK: p, Reverse: reverse, Select: selection}
					if selection == store.Texts {
						q.Texts = []string{"x", "none"}
					}
					s.walk(t, q, c.items, c.pages)
				}
			}
		})
	}
}

// walk reads a partition to its end and compares the pages.
func (s *suite) walk(t *testing.T, q store.Query, items int, pages []int) {
	t.Helper()
	var counts []int
	next := 0
	for {
		page := s.query(t, q)
		counts = append(counts, page.Count)
		for i, sk := range sortKeys(page) {
			at := next + i
			if q.Reverse {
				at = items - 1 - at
			}
			if want := fmt.Sprintf("%03d", at); sk != want {
				t.Fatalf("%+v: got %q, want %q", q, sk, want)
			}
		}
		next += page.Count
		if !page.More {
			break
		}
		q.After = page.Last
	}
	if !slices.Equal(counts, pages) {
		t.Errorf("%+v: got pages of %v items, want %v", q, counts, pages)
	}
}

// testContext checks that a call whose context has ended does nothing.
func testContext(t *testing.T, s *suite) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	k := store.Key{PK: pk(t), SK: "a"}
	op := store.Op{Kind: store.Put, Key: k}
	_, _, getErr := s.Get(ctx, []store.Key{k})
	_, queryErr := s.Query(ctx, store.Query{PK: k.PK})
	_, batchErr := s.Batch(ctx, []store.Op{op})
	for call, err := range map[string]error{
		"Get": getErr, "Query": queryErr, "Batch": batchErr,
		"plain Transact": s.Transact(ctx, "", []store.Op{op}),
		"Transact":       s.Transact(ctx, "token", []store.Op{op}),
	} {
		if !errors.Is(err, context.Canceled) {
			t.Errorf("%s: got %v, want context.Canceled", call, err)
		}
	}
	s.expect(t, k, nil)
}
