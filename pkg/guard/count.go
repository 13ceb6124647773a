package guard

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/serverless-scim/serverless-scim/pkg/mapping"
	"github.com/serverless-scim/serverless-scim/pkg/store"
)

// The attributes of the guard's items, beside those of all items.
const (
	attrDoc     = "doc"    // numbers as JSON
	attrVersion = "ver"    // grows with every write
	attrAt      = "at"     // Unix seconds: the span in which a user counts; when a request was last refused
	attrAction  = "action" // a word for the request that was refused
)

// spans is into how many spans the minutes of a guard are divided at most, so that its item stays small.
const spans = 60

// numbers are the counts of the guard, and whether it has tripped. Times are Unix seconds; 0 is none.
type numbers struct {
	// Counted are the users by the beginning of the span in which they count.
	Counted map[int64]int64 `json:"counted,omitempty"`
	// Active is how many members were active at ActiveAt.
	Active   int64 `json:"active,omitempty"`
	ActiveAt int64 `json:"activeAt,omitempty"`
	// Since is when the guard tripped, and Last when a request was last refused.
	Since int64 `json:"since,omitempty"`
	Last  int64 `json:"last,omitempty"`
	// Until is when a permission ends.
	Until int64 `json:"until,omitempty"`

	version int64
}

func decode(item store.Item) (n numbers, err error) {
	if item.Attrs != nil {
		n.version, _ = item.Attrs[attrVersion].(int64)
		doc, _ := item.Attrs[attrDoc].(string)
		if err := json.Unmarshal([]byte(doc), &n); err != nil {
			return n, fmt.Errorf("guard: stored numbers: %w", err)
		}
	}
	if n.Counted == nil {
		n.Counted = map[int64]int64{}
	}
	return n, nil
}

// put is the write of the numbers in the place of those that were read.
func (n numbers) put(k store.Keys) (store.Op, error) {
	doc, err := json.Marshal(n)
	if err != nil {
		return store.Op{}, fmt.Errorf("guard: encode: %w", err)
	}
	cond := store.IsAbsent()
	if n.version > 0 {
		cond = store.Is(attrVersion, n.version)
	}
	return store.PutItem(k.Guard(), store.Attrs{attrDoc: string(doc), attrVersion: n.version + 1}).When(cond), nil
}

// window is the time for which a user counts, in Unix seconds.
type window struct{ now, length, span int64 }

func windowOf(g mapping.Guard, now time.Time) window {
	minutes := int64(g.Minutes)
	return window{now.Unix(), minutes * 60, 60 * ((minutes + spans - 1) / spans)}
}

// present is the beginning of the present span.
func (w window) present() int64 { return w.now - w.now%w.span }

// end is when users that count in a span no longer do. They count for the whole time at least, and for a span more at
// most.
func (w window) end(span int64) int64 { return span + w.span + w.length }

// has reports whether users who count in a span still do.
func (w window) has(span int64) bool { return w.now < w.end(span) }

// forget drops the users who no longer count, and returns the number of those who do.
func (n numbers) forget(w window) (counted int64) {
	for span, users := range n.Counted {
		if w.has(span) {
			counted += users
		} else {
			delete(n.Counted, span)
		}
	}
	return counted
}

// tripped reports whether requests are refused. It ends by itself if none has come for the time of the window. Last is
// noted once a minute only, so that is added.
func (n numbers) tripped(w window) bool {
	return n.Since != 0 && w.now < n.Last+w.length+noteEvery
}

// allowed reports whether a person has permitted all requests.
func (n numbers) allowed(w window) bool { return w.now < n.Until }

// noteEvery is how often it is noted that a request about a user was refused, in seconds.
const noteEvery = 60

// limit is how many users may count: the larger of the two bounds.
func (n numbers) limit(g mapping.Guard) int64 {
	return max(int64(g.People), int64(g.Percent)*n.Active/100)
}
