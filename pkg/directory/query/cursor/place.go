package cursor

import (
	"cmp"
	"encoding/binary"
	"strings"
)

// Place is the place of a resource among the results: by its sort value, by its type, by its id.
type Place struct {
	Key  string // the sort value as Key writes it; "" if results are in order of id
	Kind int    // index of the resource type in the query
	ID   string
}

// Compare returns -1, 0 or 1 as p stands before, at or after q.
func (p Place) Compare(q Place) int {
	return cmp.Or(strings.Compare(p.Key, q.Key), cmp.Compare(p.Kind, q.Kind), strings.Compare(p.ID, q.ID))
}

// AppendPlace appends a place to b, for DecodePlace.
func AppendPlace(b []byte, p Place) []byte {
	b = binary.AppendUvarint(b, uint64(p.Kind))
	b = binary.AppendUvarint(b, uint64(len(p.Key)))
	b = append(b, p.Key...)
	return append(b, p.ID...)
}

// DecodePlace reads a place that AppendPlace wrote; it is false for anything else.
func DecodePlace(b []byte) (p Place, ok bool) {
	kind, n := binary.Uvarint(b)
	if n <= 0 || kind > 1<<16 {
		return p, false
	}
	b = b[n:]
	size, n := binary.Uvarint(b)
	if n <= 0 || size > uint64(len(b)-n) {
		return p, false
	}
	b = b[n:]
	return Place{Kind: int(kind), Key: string(b[:size]), ID: string(b[size:])}, true
}
