package notice

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/serverless-scim/serverless-scim/pkg/scim"
	"github.com/serverless-scim/serverless-scim/pkg/store"
)

// kept is the time for which a notice is listed.
const kept = 400 * 24 * time.Hour

// The attributes of a notice's item, beside those of all items.
const (
	attrDoc     = "doc"   // a document as JSON
	attrState   = "state" // a State
	attrVersion = "ver"   // grows with every write
)

// stored is a notice as it was read, and the process that is sending it. Times are Unix seconds.
type stored struct {
	Notice
	version int64
	by      string // the process that sends it
	until   int64  // the end of the time in which no other process does
	after   int64  // the earliest time of the next attempt
	failing int64  // the time of its first failure, 0 if there was none
}

// document is the JSON of a notice's item.
type document struct {
	At         int64       `json:"at"` // milliseconds
	Recipients []Recipient `json:"recipients,omitempty"`
	Attempts   int         `json:"attempts,omitempty"`
	Ends       int64       `json:"ends,omitempty"` // Unix seconds, of the token
	Client     string      `json:"client,omitempty"`
	ClientEnds int64       `json:"clientEnds,omitempty"` // Unix seconds
	Domains    []Domain    `json:"domains,omitempty"`
	By         string      `json:"by,omitempty"`
	Until      int64       `json:"until,omitempty"`
	After      int64       `json:"after,omitempty"`
	Failing    int64       `json:"failing,omitempty"`
}

// Add makes the write that stores a new notice of a tenant. It goes into the transaction of the step that causes the
// notice. Its condition is that there is none with that id. Queue.Send sends a pending one.
func Add(tenantID string, n Notice) (store.Op, error) {
	op, err := stored{Notice: n}.put(tenantID, store.IsAbsent())
	if err == nil && n.State == Pending {
		op.Set[store.AttrWake] = store.WakeTell
	}
	return op, err
}

// Data returns the data of an event about the notice.
func (n Notice) Data() scim.Object {
	return scim.Object{"noticeId": n.ID, "kind": string(n.Kind), "state": string(n.State)}
}

// put returns the write of a notice under a condition.
func (n stored) put(tenantID string, cond store.Cond) (store.Op, error) {
	doc, err := json.Marshal(document{
		At: n.At.UnixMilli(), Recipients: n.Recipients, Attempts: n.Attempts, Ends: seconds(n.TokenEnds),
		Client: n.ClientID, ClientEnds: seconds(n.ClientSecretEnds), Domains: n.Domains,
		By: n.by, Until: n.until, After: n.after, Failing: n.failing,
	})
	if err != nil {
		return store.Op{}, fmt.Errorf("notice: encode: %w", err)
	}
	return store.PutItem(key(tenantID, n.ID), store.Attrs{
		attrDoc: string(doc), attrState: string(n.State), attrVersion: n.version + 1,
		store.AttrTTL: n.At.Add(kept).Unix(),
	}).When(cond), nil
}

// replace returns the write of a notice in place of the version that was read.
func (n stored) replace(tenantID string) (store.Op, error) {
	return n.put(tenantID, store.Is(attrVersion, n.version))
}

// key returns the key of a notice by its id.
func key(tenantID, id string) store.Key { return store.KeysOf(tenantID).Notice(parts(id)) }

// decode reads the item of a notice.
func decode(item store.Item) (stored, error) {
	text, _ := item.Attrs[attrDoc].(string)
	var d document
	if err := json.Unmarshal([]byte(text), &d); err != nil {
		return stored{}, fmt.Errorf("notice: stored notice: %w", err)
	}
	state, _ := item.Attrs[attrState].(string)
	version, _ := item.Attrs[attrVersion].(int64)
	tokenID, kind, period, ok := store.NoticeOf(item.Key)
	if !ok {
		return stored{}, fmt.Errorf("notice: %q is no key of a notice", item.SK)
	}
	n := Notice{
		ID: ID(tokenID, Kind(kind), period), Kind: Kind(kind), TokenID: tokenID, At: time.UnixMilli(d.At).UTC(),
		Recipients: d.Recipients, State: State(state), Attempts: d.Attempts, TokenEnds: moment(d.Ends),
		ClientID: d.Client, ClientSecretEnds: moment(d.ClientEnds), Domains: d.Domains,
	}
	return stored{Notice: n, version: version, by: d.By, until: d.Until, after: d.After, failing: d.Failing}, nil
}

// seconds returns a time in Unix seconds; 0 for the zero time.
func seconds(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.Unix()
}

// moment is the inverse of seconds.
func moment(at int64) time.Time {
	if at == 0 {
		return time.Time{}
	}
	return time.Unix(at, 0).UTC()
}
