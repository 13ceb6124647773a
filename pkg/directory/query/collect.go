package query

import (
	"container/heap"
	"sort"
	"sync"

	"github.com/serverless-scim/serverless-scim/pkg/directory/query/cursor"
	"github.com/serverless-scim/serverless-scim/pkg/directory/row"
	"github.com/serverless-scim/serverless-scim/pkg/scim"
)

// found is a result on its way to the page. Its document may have to be read yet.
type found struct {
	cursor.Place
	kind  *kind
	res   row.Resource // Doc is nil if it has not been read, or not been kept
	bytes int          // about its size in an answer

	trimmed bool // res.Doc has only the parts that the answer shows
	failed  bool // does not match together with the groups or members that were read after it
	open    bool // whether it matches rests on these and on the document, see kind.weigh
	split   bool // its members were on several pages of the engine
	moved   bool // its groups may have changed between the reading of the memberships and of the groups
	tries   int  // how often it was read again
}

// late reports whether the row is tested against its filter once more, with the groups or members that are shown.
func (r found) late() bool { return r.kind.asks && r.kind.attach && r.res.Doc != nil }

const (
	// maxHeld bounds the memory that the places of results take while the right ones are looked for, in bytes.
	maxHeld = 32 << 20
	// rowBytes is about the size of a row beside its key and id.
	rowBytes = 256
)

// collector counts results and keeps the first of them after a place, in the order in which the page is read. Results
// come in any order, from several goroutines.
type collector struct {
	mu    sync.Mutex
	down  bool
	from  *cursor.Place
	keep  int // most rows that are needed
	rows  []found
	total int // results, whether or not they are kept
	held  int // bytes of the rows
	docs  int // bytes of the documents kept with them
	spare int // most bytes of documents to keep: those beyond it are read again
}

// before reports whether a is read before b.
func (c *collector) before(a, b cursor.Place) bool {
	if c.down {
		return a.Compare(b) > 0
	}
	return a.Compare(b) < 0
}

// offer takes in one result. It gives a *scim.Error 400 tooMany if memory does not suffice.
func (c *collector) offer(r found) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.total++
	switch {
	case c.keep == 0 || c.from != nil && !c.before(*c.from, r.Place):
		return nil
	case len(c.rows) < c.keep:
	case !c.before(r.Place, c.rows[0].Place):
		return nil
	default:
		c.forget(heap.Pop(c).(found))
	}
	if c.docs+r.bytes > c.spare {
		r.res.Doc = nil
	} else {
		c.docs += r.bytes
	}
	if c.held += rowBytes + len(r.Key) + len(r.ID); c.held > maxHeld {
		return tooFarToSort()
	}
	heap.Push(c, r)
	return nil
}

func (c *collector) forget(r found) {
	c.held -= rowBytes + len(r.Key) + len(r.ID)
	if r.res.Doc != nil {
		c.docs -= r.bytes
	}
}

// done reports whether nothing at p or after it can be among the rows any more.
func (c *collector) done(p cursor.Place) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.rows) == c.keep && (c.keep == 0 || c.before(c.rows[0].Place, p))
}

// sorted returns the rows in reading order.
func (c *collector) sorted() []found {
	sort.Sort(sort.Reverse(c))
	return c.rows
}

// Len, Less, Swap, Push and Pop make the collector a heap with the last row on top.
func (c *collector) Len() int           { return len(c.rows) }
func (c *collector) Less(i, j int) bool { return c.before(c.rows[j].Place, c.rows[i].Place) }
func (c *collector) Swap(i, j int)      { c.rows[i], c.rows[j] = c.rows[j], c.rows[i] }
func (c *collector) Push(x any)         { c.rows = append(c.rows, x.(found)) }
func (c *collector) Pop() any {
	last := c.rows[len(c.rows)-1]
	c.rows = c.rows[:len(c.rows)-1]
	return last
}

func tooFarToSort() error {
	return scim.BadRequest(scim.TooMany,
		"This page is too far into the list to be found by one request. "+
			"Walk the list from its first page, page by page or with cursors, or narrow the filter.")
}
