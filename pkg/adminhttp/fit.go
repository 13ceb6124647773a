package adminhttp

import (
	"bytes"

	"github.com/serverless-scim/serverless-scim/pkg/scim"
)

// maxList is the size in bytes at which a list ends: an answer of the function has 6 MB at most, in which the JSON is a
// string once more.
const maxList = 5 << 20

// room is the space that is left in the answer of a list.
type room struct {
	used   int
	buffer []byte
}

// takes reports whether the next element has room, and takes the room. The first one always has.
func (r *room) takes(element any) bool {
	first := r.used == 0
	r.buffer = scim.AppendJSON(r.buffer[:0], element)
	r.used += len(r.buffer) + bytes.Count(r.buffer, []byte{'"'}) + bytes.Count(r.buffer, []byte{'\\'})
	return first || r.used <= maxList
}

// fitting is the number of elements at the beginning of a list that one answer has room for, at least one if there are
// any.
func fitting(all []any) int {
	var r room
	for i, element := range all {
		if !r.takes(element) {
			return i
		}
	}
	return len(all)
}
