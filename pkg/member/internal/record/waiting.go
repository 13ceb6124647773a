package record

import (
	"cmp"

	"github.com/serverless-scim/serverless-scim/pkg/mapping"
	"github.com/serverless-scim/serverless-scim/pkg/store"
)

// Waiting is the place of a member in the queue of a pool.
type Waiting struct {
	mapping.TargetKey
	Since int64 // Unix milliseconds
	ID    string
}

// Compare orders the places of a queue: by time, then by id.
func (w Waiting) Compare(other Waiting) int {
	return cmp.Or(cmp.Compare(w.Since, other.Since), cmp.Compare(w.ID, other.ID))
}

// Key is the key of the place's item.
func (w Waiting) Key(k store.Keys) store.Key {
	return k.SeatQueue(w.Kind, w.Organisation, w.Name, w.Since, w.ID)
}
