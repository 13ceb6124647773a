package provlog

import (
	"hash/maphash"
	"time"

	"github.com/serverless-scim/serverless-scim/pkg/scim"
)

const (
	// repeatsFor is how long a request that changes nothing is not listed again: identity providers send the same in
	// each cycle.
	repeatsFor = time.Hour
	// maxRepeats bounds the requests that a process remembers for that. Beyond it they are counted only.
	maxRepeats = 10_000
)

// repeats are the requests of the last hour that changed nothing, by a hash. A process knows its own only.
type repeats struct {
	seed maphash.Seed
	seen map[uint64]time.Time
}

func newRepeats() repeats { return repeats{maphash.MakeSeed(), map[uint64]time.Time{}} }

// repeated reports whether the same request was listed within the hour, and notes that it is listed now if not.
func (r *Request) repeated() bool {
	j := r.j
	var h maphash.Hash
	h.SetSeed(j.idle.seed)
	for _, part := range []string{r.tenant.ID, r.entry.Operation, r.entry.ResourceType, r.entry.ResourceID} {
		_, _ = h.WriteString(part) // never fails
		_ = h.WriteByte(0)
	}
	if r.body != nil {
		_, _ = h.Write(scim.AppendJSON(nil, r.body()))
	}
	now, sum := j.o.Now(), h.Sum64()
	j.mu.Lock()
	defer j.mu.Unlock()
	if at, ok := j.idle.seen[sum]; ok && now.Sub(at).Abs() < repeatsFor {
		return true
	}
	if len(j.idle.seen) >= maxRepeats {
		for other, at := range j.idle.seen {
			if now.Sub(at).Abs() >= repeatsFor {
				delete(j.idle.seen, other)
			}
		}
		if len(j.idle.seen) >= maxRepeats {
			return true
		}
	}
	j.idle.seen[sum] = now
	return false
}

// About names the subject of a request by the resource as it is answered, for an entry without a change.
func (r *Request) About(doc scim.Object) {
	if r != nil && doc != nil {
		r.j.mu.Lock() // Ahead reads the entry at the same time
		defer r.j.mu.Unlock()
		r.entry.name(r.entry.ResourceType, doc)
	}
}
