package lists

import (
	"bytes"

	"github.com/serverless-scim/serverless-scim/pkg/scim"
)

// maxList is the size in bytes at which a list ends. An answer of the function has 6 MB at most, and contains the JSON
// as a string, which is longer.
const maxList = 5 << 20

// Room is the remaining space in the answer of a list. The zero value has all of it.
type Room struct {
	used   int
	buffer []byte
}

// Takes reports whether the next element fits, and reserves its space. The first one always fits.
func (r *Room) Takes(element any) bool {
	first := r.used == 0
	r.buffer = scim.AppendJSON(r.buffer[:0], element)
	r.used += len(r.buffer) + bytes.Count(r.buffer, []byte{'"'}) + bytes.Count(r.buffer, []byte{'\\'})
	return first || r.used <= maxList
}

// Fitting is the number of elements at the beginning of a list that fit into one answer, at least one if there are any.
func Fitting(all []any) int {
	var r Room
	for i, element := range all {
		if !r.Takes(element) {
			return i
		}
	}
	return len(all)
}
