package storetest

import (
	"fmt"
	"testing"
	"time"

	"github.com/serverless-scim/serverless-scim/pkg/store"
)

// testExpiry checks that only expired items are removed. The engine decides when.
func testExpiry(t *testing.T, s *suite) {
	p, now := pk(t), time.Now().Unix()
	key := func(sk string) store.Key { return store.Key{PK: p, SK: sk} }
	stays := map[string]store.Attrs{
		"none":   {"a": "b"},
		"future": {"a": "b", store.AttrTTL: now + 3600},
		"text":   {"a": "b", store.AttrTTL: "1"},
		"bytes":  {"a": "b", store.AttrTTL: []byte("1")},
	}
	for sk, attrs := range stays {
		s.put(t, key(sk), attrs)
	}
	prolonged := key("prolonged")
	s.put(t, prolonged, store.Attrs{store.AttrTTL: now + 60})
	stays[prolonged.SK] = store.Attrs{store.AttrTTL: now + 7200}
	longer := store.Op{Kind: store.Update, Key: prolonged, Add: map[string]int64{store.AttrTTL: 7140}}
	if err := s.transact(t, longer); err != nil {
		t.Fatal(err)
	}
	for i := range 20 { // each write may remove expired items
		s.put(t, key(fmt.Sprintf("expired %d", i)), store.Attrs{store.AttrTTL: now - 3600})
	}
	for sk, attrs := range stays {
		s.expect(t, key(sk), attrs)
	}
	// An expired item is there or not, for reads and conditions alike, and can be written as ever.
	for i := range 20 {
		k := key(fmt.Sprintf("expired %d", i))
		s.put(t, k, store.Attrs{"new": int64(i)})
		s.put(t, key("other"), store.Attrs{store.AttrTTL: now - 3600})
		s.expect(t, k, store.Attrs{"new": int64(i)})
	}
}
