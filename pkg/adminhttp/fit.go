package adminhttp

import (
	"bytes"

	"github.com/serverless-scim/serverless-scim/pkg/scim"
)

// maxList is the size in bytes at which a list ends. An answer of the function has 6 MB at most, and contains the JSON
// as a string, which is longer.
const maxList = 5 << 20

// room is the remaining space in the answer of a list.
type room struct {
	used   int
	buffer []byte
}

// takes reports whether the next element fits, and reserves its space. The first one always fits.
func (r *room) takes(element any) bool {
	first := r.used == 0
	r.buffer = scim.AppendJSON(r.buffer[:0], element)
	r.used += len(r.buffer) + bytes.Count(r.buffer, []byte{'"'}) + bytes.Count(r.buffer, []byte{'\\'})
	return first || r.used <= maxList
}

// fitting is the number of elements at the beginning of a list that fit into one answer, at least one if there are any.
func fitting(all []any) int {
	var r room
	for i, element := range all {
		if !r.takes(element) {
			return i
		}
	}
	return len(all)
}
