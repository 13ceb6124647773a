package query

import (
	"sync"
	"time"

	"github.com/serverless-scim/serverless-scim/pkg/directory/membership"
	"github.com/serverless-scim/serverless-scim/pkg/directory/query/lookup"
)

// A user's memberships are read first, and then the groups, for their names and for whether they are there. Both are of
// the moment when the memberships were read if none of the groups has changed since before that.

// versions are those of the groups that a query has read, each with the moment since when that version is known. They
// are for several goroutines.
type versions struct {
	start time.Time // of the query
	mu    sync.Mutex
	now   int // counts moments
	seen  map[string]seenVersion
}

type seenVersion struct {
	version int64 // 0: there is no such group any more
	since   int
}

// moment is a moment of the query's own, after all that were before.
func (v *versions) moment() int {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.now++
	return v.now
}

// see notes the groups that were read, by id, of those that were asked for. It returns the ones that may have changed
// since began.
func (v *versions) see(ids []string, read map[string]membership.GroupReference, began int) map[string]bool {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.seen == nil {
		v.seen = make(map[string]seenVersion, len(ids))
	}
	v.now++
	changed := map[string]bool{}
	for _, id := range ids {
		g, there := read[id]
		before, known := v.seen[id]
		if same := known && before.version == g.Version; same && before.since < began {
			continue
		} else if !same {
			v.seen[id] = seenVersion{g.Version, v.now}
		}
		if !there || g.Modified.After(v.start.Add(-lookup.Settled)) {
			changed[id] = true
		}
	}
	return changed
}
