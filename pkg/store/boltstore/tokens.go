package boltstore

import (
	"hash/maphash"
	"math/bits"
	"time"

	"github.com/serverless-scim/serverless-scim/pkg/store"
)

const (
	// tokenLife is how long a token is remembered.
	tokenLife = 10 * time.Minute
	// maxTokens bounds how many are, some 30 MB: more than a store repeats within the seconds that it goes on trying.
	maxTokens = 1 << 18
)

// tokenID is the stored form of a token: its bytes, and then their number.
type tokenID [store.MaxTokenBytes + 1]byte

// use is a use of a token: its operations, as a fingerprint, and its time.
type use struct {
	payload uint64
	at      int64 // Unix time in nanoseconds
}

// tokens remembers the tokens of the transactions that took place. But for fingerprint it belongs to the writer alone.
type tokens struct {
	uses  map[tokenID]use
	order []tokenID // oldest first
	seed  maphash.Seed
}

func newTokens() tokens {
	return tokens{uses: make(map[tokenID]use), seed: maphash.MakeSeed()}
}

func idOf(token string) (id tokenID) {
	id[store.MaxTokenBytes] = byte(copy(id[:], token))
	return id
}

// seen reports whether a token was used in the last ten minutes, and whether for the same operations.
func (t *tokens) seen(token string, payload uint64, now time.Time) (seen, same bool) {
	u, ok := t.uses[idOf(token)]
	if !ok || u.old(now) {
		return false, false
	}
	return true, u.payload == payload
}

// old reports whether a use need not be remembered any more.
func (u use) old(now time.Time) bool { return now.UnixNano()-u.at >= int64(tokenLife) }

// use remembers a token and drops those that are too old or too many.
func (t *tokens) use(token string, payload uint64, now time.Time) tokenID {
	drop := 0
	for drop < len(t.order) && (len(t.order)-drop >= maxTokens || t.uses[t.order[drop]].old(now)) {
		delete(t.uses, t.order[drop])
		drop++
	}
	t.order = t.order[drop:]
	id := idOf(token)
	t.uses[id] = use{payload, now.UnixNano()}
	t.order = append(t.order, id)
	return id
}

// forget takes back the last tokens used: their transactions did not reach the disk for certain.
func (t *tokens) forget(ids []tokenID) {
	for _, id := range ids {
		delete(t.uses, id)
	}
	t.order = t.order[:len(t.order)-len(ids)]
}

// fingerprint creates a number of operations by which a repeated call is known. It differs from process to process. The
// attributes of an operation add up, so that their order in a map does not matter.
func (t *tokens) fingerprint(ops []store.Op) uint64 {
	sum := uint64(len(ops))
	for i := range ops {
		op := &ops[i]
		sum = mix(mix(mix(sum, uint64(op.Kind)), t.text(op.PK)), t.text(op.SK)) //nolint:gosec // a small number
		var set, add uint64
		for name, v := range op.Set {
			set += mix(t.text(name), t.value(v))
		}
		for name, n := range op.Add {
			add += mix(t.text(name), t.value(n))
		}
		sum = mix(mix(mix(mix(sum, uint64(len(op.Set))), set), uint64(len(op.Add))), add)
		sum = mix(sum, uint64(len(op.Unset)))
		for _, name := range op.Unset {
			sum = mix(sum, t.text(name))
		}
		sum = mix(sum, uint64(len(op.If)))
		for _, c := range op.If {
			sum = mix(mix(mix(sum, uint64(c.Test)), t.text(c.Attr)), t.value(c.Value)) //nolint:gosec // a small number
		}
	}
	return sum
}

func (t *tokens) text(s string) uint64 { return maphash.String(t.seed, s) }

// value is a number for a value and its type.
func (t *tokens) value(v any) uint64 {
	switch v := v.(type) {
	case string:
		return mix(uint64(typeString), t.text(v))
	case []byte:
		return mix(uint64(typeBytes), maphash.Bytes(t.seed, v))
	case int64:
		return mix(uint64(typeNumber), uint64(v)) //nolint:gosec // any number for a number
	}
	return 0
}

// mix joins two numbers, in this order, to one in which every bit depends on both.
func mix(a, b uint64) uint64 {
	hi, lo := bits.Mul64(a^0x9e3779b97f4a7c15, bits.RotateLeft64(b, 32)^0xd1b54a32d192ed03)
	return hi ^ lo + a
}
