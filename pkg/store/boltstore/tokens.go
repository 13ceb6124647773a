package boltstore

import (
	"crypto/sha256"
	"hash/maphash"
	"maps"
	"slices"
	"time"

	"github.com/serverless-scim/serverless-scim/pkg/store"
)

const (
	// tokenLife is how long a token is remembered.
	tokenLife = 10 * time.Minute
	// maxTokens bounds how many are, some 20 MB: more than a store repeats within the seconds that it goes on trying.
	maxTokens = 1 << 18
)

// tokenID stands for a token, whatever its length.
type tokenID [16]byte

// use is when a token was used and for what.
type use struct {
	payload uint64
	at      time.Time
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

func idOf(token string) tokenID {
	sum := sha256.Sum256([]byte(token))
	return tokenID(sum[:16])
}

// seen reports whether a token was used in the last ten minutes, and whether for the same operations.
func (t *tokens) seen(token string, payload uint64, now time.Time) (seen, same bool) {
	u, ok := t.uses[idOf(token)]
	if !ok || now.Sub(u.at) >= tokenLife {
		return false, false
	}
	return true, u.payload == payload
}

// use remembers a token and drops those that are too old or too many.
func (t *tokens) use(token string, payload uint64, now time.Time) tokenID {
	drop := 0
	for drop < len(t.order) && (len(t.order)-drop >= maxTokens || now.Sub(t.uses[t.order[drop]].at) >= tokenLife) {
		delete(t.uses, t.order[drop])
		drop++
	}
	t.order = t.order[drop:]
	id := idOf(token)
	t.uses[id] = use{payload, now}
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

// fingerprint makes a number of operations by which a repeated call is known. It differs from process to process.
func (t *tokens) fingerprint(ops []store.Op) uint64 {
	var h maphash.Hash
	h.SetSeed(t.seed)
	for i := range ops {
		op := &ops[i]
		hash(&h, int64(op.Kind), op.PK, op.SK, int64(len(op.Set)))
		for _, name := range slices.Sorted(maps.Keys(op.Set)) {
			hash(&h, name, op.Set[name])
		}
		hash(&h, int64(len(op.Add)))
		for _, name := range slices.Sorted(maps.Keys(op.Add)) {
			hash(&h, name, op.Add[name])
		}
		hash(&h, int64(len(op.Unset)))
		for _, name := range op.Unset {
			hash(&h, name)
		}
		hash(&h, int64(len(op.If)))
		for _, c := range op.If {
			hash(&h, int64(c.Test), c.Attr, c.Value)
		}
	}
	return h.Sum64()
}

// hash adds values, each with its type and length, so that no two lists of values look the same.
func hash(h *maphash.Hash, values ...any) {
	for _, v := range values {
		switch v := v.(type) {
		case string:
			maphash.WriteComparable(h, typeString)
			maphash.WriteComparable(h, len(v))
			_, _ = h.WriteString(v)
		case []byte:
			maphash.WriteComparable(h, typeBytes)
			maphash.WriteComparable(h, len(v))
			_, _ = h.Write(v)
		case int64:
			maphash.WriteComparable(h, typeNumber)
			maphash.WriteComparable(h, v)
		}
	}
}
