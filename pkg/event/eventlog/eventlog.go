// Package eventlog is the log of a tenant's events: numbered 1, 2, 3 … without a gap, kept for a time, and read from a
// number on.
//
// The log has a head, with its last number, and entries. An entry has one or several events about one version of one
// subject; its key is the sequence number of its last event. Entries and head are written in one transaction,
// conditional on the head. So numbers have no gap, and a reader sees a prefix at any time. Only the publisher, package
// member, writes them. All others write announcements, which wait for their numbers.
package eventlog

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/serverless-scim/serverless-scim/pkg/scim"
	"github.com/serverless-scim/serverless-scim/pkg/store"
)

// Head is the end of a tenant's log.
type Head struct {
	// Sequence is the number of the last event; 0: there is none.
	Sequence int64
	// Epoch is random per life of a tenant. It is part of the ids of events, so that an id never comes twice.
	Epoch string

	stored bool
	bare   bool // the stored head has no epoch
}

// schemaVersion is the layout of an event's envelope.
const schemaVersion = 1

// Cause is the request that led to an event. A SCIM request has both ids, an admin request has no token. The zero value
// is work in the background, or an unknown cause.
type Cause struct{ RequestID, TokenID string }

// Entry is the argument of Append: events to add to a log. If it is too large for one item, it is stored as several
// items. Each has the shared data, and names the item before it.
type Entry struct {
	// Subject is the subject of the events, such as "members/ID". SubjectVersion is its version; 0: it has none.
	Subject        string
	SubjectVersion int64
	At             time.Time
	Cause          Cause
	// Shared is data that all the events have, stored once.
	Shared scim.Object
	Events []Logged
	// Before is the subject's entry before this one; the zero Link: none. With it the entries of a subject are found
	// without a lookup, the newest first.
	Before Link
}

// Link names an entry: by the sequence number of its last event, and the Unix time in seconds until which it is kept;
// 0: always.
type Link struct{ Last, Until int64 }

// until is the Unix time in seconds until which an entry is kept; 0: always. It is not before that of the entry before:
// if one is gone, so are those that only it leads to.
func (e Entry) until(retention time.Duration) int64 {
	if retention <= 0 || e.Before.Last > 0 && e.Before.Until == 0 {
		return 0
	}
	return max(e.At.Add(retention).Unix(), e.Before.Until)
}

// Logged is one event of an entry. Data is beside the shared data.
type Logged struct {
	Type string
	Data scim.Object
}

// The attributes of the head and of an entry.
const (
	attrSequence = "seq"
	attrEpoch    = "epoch"
	attrClosed   = "closed"
	attrFirst    = "first"
	attrDoc      = "doc"
	attrAt       = "at"
	attrBefore   = "before"
)

// lostEpoch is the epoch of a log whose stored head has none. It never changes: a reader begins the log again if the
// epoch is not that of its last read.
const lostEpoch = "00000000"

// DecodeHead reads the item under Keys.LogHead; an item without attributes is the head of an empty log, with a new
// epoch.
func DecodeHead(item store.Item) Head {
	h := Head{stored: item.Attrs != nil}
	h.Sequence, _ = item.Attrs[attrSequence].(int64)
	switch h.Epoch, _ = item.Attrs[attrEpoch].(string); {
	case h.Epoch != "":
	case h.stored:
		h.Epoch, h.bare = lostEpoch, true
	default:
		h.Epoch = newEpoch()
	}
	return h
}

// newEpoch creates eight random characters. They only have to distinguish the few lives of one tenant.
func newEpoch() string { return strings.ToLower(rand.Text()[:8]) }

// Append returns the head after the entries, and the operations that write them: the head's first, conditional on h.
// An entry without events is left out. retention is how long entries are kept; 0 keeps them.
func (h Head) Append(k store.Keys, retention time.Duration, entries ...Entry) (Head, []store.Op) {
	next := h
	next.stored, next.bare = true, false
	head := store.Op{Kind: store.Put, Key: k.LogHead(), If: []store.Cond{{Test: store.Absent}}}
	if h.stored {
		head.If = []store.Cond{
			{Test: store.Equal, Attr: attrSequence, Value: h.Sequence},
			{Test: store.Equal, Attr: attrEpoch, Value: h.Epoch},
			store.Lacks(attrClosed),
		}
		if h.bare {
			head.If[1] = store.Lacks(attrEpoch)
		}
	}
	ops := []store.Op{head}
	for _, e := range entries {
		before := e.Before
		for _, part := range e.parts() {
			part.Before = before
			first := next.Sequence + 1
			next.Sequence += int64(len(part.Events))
			ops = append(ops, part.put(k, Link{next.Sequence, part.until(retention)}))
			for n := first; n <= next.Sequence; n++ {
				if store.BeginsLogPartition(n) {
					ops = append(ops, store.Op{
						Kind: store.Put, Key: k.LogPartition(n),
						Set: store.Attrs{store.AttrSchema: store.SchemaVersion},
					})
				}
			}
			before = Link{next.Sequence, part.until(retention)}
		}
	}
	ops[0].Set = store.Attrs{
		attrSequence: next.Sequence, attrEpoch: next.Epoch, store.AttrSchema: store.SchemaVersion,
		store.AttrWake: store.WakeDeliver, // the head wakes those who follow the log, at no further cost
	}
	return next, ops
}

// put is the write of an entry at its place.
func (e Entry) put(k store.Keys, at Link) store.Op {
	set := store.Attrs{
		attrDoc: e.encode(), attrFirst: at.Last + 1 - int64(len(e.Events)), attrAt: e.At.UnixMilli(),
		store.AttrSchema: store.SchemaVersion,
	}
	if at.Until > 0 {
		set[store.AttrTTL] = at.Until
	}
	if e.Before.Last > 0 {
		set[attrBefore] = e.Before.Last
	}
	return store.Op{Kind: store.Put, Key: k.LogEntry(at.Last), Set: set}
}

const (
	// maxEntry is the size in bytes above which an entry is stored in parts: an item has 400 KB at most.
	maxEntry = 350 << 10
	// fewEvents are so few that they fit one item, whatever they say.
	fewEvents = 16
)

// parts are the entries in which the events are stored: one, unless it would be too large; none without events.
func (e Entry) parts() []Entry {
	n := len(e.Events)
	switch {
	case n == 0:
		return nil
	case n <= fewEvents || len(e.encode()) <= maxEntry:
		return []Entry{e}
	}
	first, second := e, e
	first.Events, second.Events = e.Events[:n/2], e.Events[n/2:]
	return append(first.parts(), second.parts()...)
}

// Close returns the operations that append the last entry of a log, which is kept as long as the log is: the head's
// first. Whoever appends after it gets the error of somebody who was slower.
func (h Head) Close(k store.Keys, last Entry) []store.Op {
	_, ops := h.Append(k, 0, last)
	ops[0].Set[attrClosed] = int64(1)
	return ops
}

// Links returns the links to the entries that Append writes if they are the first of those that it is given.
func (h Head) Links(retention time.Duration, entries ...Entry) []Link {
	links := make([]Link, len(entries))
	last := h.Sequence
	for i, e := range entries {
		last += int64(len(e.Events))
		links[i] = Link{last, e.until(retention)}
	}
	return links
}

// Rewrite is the operation that puts other data into a stored entry, read under Keys.LogEntry. change may not change
// the number of events. The entry keeps its time, cause and end. before is the sequence number of the subject's entry
// before this one; 0: there is none.
func Rewrite(item store.Item, change func(*Entry)) (op store.Op, before int64, err error) {
	doc, _ := item.Attrs[attrDoc].(string)
	e, err := decodeEntry(doc)
	if err != nil {
		return store.Op{}, 0, err
	}
	before, _ = item.Attrs[attrBefore].(int64)
	change(&e)
	op = store.Op{Kind: store.Update, Key: item.Key, Set: store.Attrs{attrDoc: e.encode()}}
	return op.When(store.IsThere()), before, nil
}

func (e Entry) encode() string {
	events := make([]any, len(e.Events))
	for i, l := range e.Events {
		o := scim.Object{"type": l.Type}
		if len(l.Data) > 0 {
			o["data"] = l.Data
		}
		events[i] = o
	}
	o := scim.Object{"subject": e.Subject, "events": events}
	if e.SubjectVersion != 0 {
		o["version"] = e.SubjectVersion
	}
	if len(e.Shared) > 0 {
		o["shared"] = e.Shared
	}
	if e.Cause.RequestID != "" {
		o["request"] = e.Cause.RequestID
	}
	if e.Cause.TokenID != "" {
		o["token"] = e.Cause.TokenID
	}
	return string(scim.AppendJSON(nil, o))
}

// Numbered is an event of the log as receivers get it.
type Numbered struct {
	Sequence int64
	Object   scim.Object
}

// ID is the id of an event: the tenant, the epoch of its log, and the sequence number.
func ID(tenantID, epoch string, sequence int64) string {
	return fmt.Sprintf("%s-%s-%d", tenantID, epoch, sequence)
}

// expand makes the events of a stored entry.
func expand(tenantID, epoch string, item store.Item) ([]Numbered, error) {
	doc, _ := item.Attrs[attrDoc].(string)
	o, err := scim.ParseObject(doc)
	if err != nil {
		return nil, fmt.Errorf("eventlog: stored entry: %w", err)
	}
	first, _ := item.Attrs[attrFirst].(int64)
	at, _ := item.Attrs[attrAt].(int64)
	cause := scim.Object{}
	for from, to := range map[string]string{"request": "requestId", "token": "tokenId"} {
		if v, ok := o[from]; ok {
			cause[to] = v
		}
	}
	shared, _ := o["shared"].(scim.Object)
	events, _ := o["events"].([]any)
	all := make([]Numbered, 0, len(events))
	for i, v := range events {
		e, _ := v.(scim.Object)
		n := first + int64(i)
		data := scim.Object{}
		for name, v := range shared {
			data[name] = v
		}
		own, _ := e["data"].(scim.Object)
		for name, v := range own {
			data[name] = v
		}
		full := scim.Object{
			"id": ID(tenantID, epoch, n), "sequence": n, "type": e["type"],
			"schemaVersion": int64(schemaVersion), "tenant": tenantID, "subject": o["subject"],
			"time": scim.FormatTime(time.UnixMilli(at).UTC()), "cause": cause, "data": data,
		}
		if version, ok := o["version"]; ok {
			full["subjectVersion"] = version
		}
		all = append(all, Numbered{n, full})
	}
	return all, nil
}

// GoneError says that a place in the log can't be read from.
type GoneError struct {
	// Start is the sequence number to read after instead; events after it are kept.
	Start int64
	// Reason is a sentence for the integrator.
	Reason string
}

func (e *GoneError) Error() string { return "eventlog: " + e.Reason }

// IsGone reports whether err is a *GoneError, and returns it.
func IsGone(err error) (*GoneError, bool) {
	var gone *GoneError
	return gone, errors.As(err, &gone)
}

// Page is a part of a log.
type Page struct {
	Events []Numbered
	// Last is the number of the last event of the log; the page may end before it.
	Last  int64
	Epoch string
}

// Place is a place in a log: after a sequence number. Epoch, if not empty, is the epoch that the number is of.
type Place struct {
	After int64
	Epoch string
}

// Read returns at most count events after a place, oldest first. Entries older than oldest count as not kept; the
// zero time keeps all. The error is a *GoneError if the place lies beyond the log or in one of another epoch, or if
// the event after it is not kept. A page ends before an event that is not kept.
func Read(ctx context.Context, ts *store.TenantStore, place Place, count int, oldest time.Time) (Page, error) {
	after := place.After
	items, err := ts.Get(ctx, ts.LogHead())
	if err != nil {
		return Page{}, err
	}
	head := DecodeHead(items[0])
	page := Page{Last: head.Sequence, Epoch: head.Epoch}
	if place.Epoch != "" && place.Epoch != head.Epoch {
		return page, &GoneError{Start: head.Sequence, Reason: "The id belongs to an earlier tenant with the same id."}
	}
	if after > head.Sequence || after < 0 {
		return page, &GoneError{Start: head.Sequence, Reason: "The log ends before this sequence number."}
	}
	for from := after; from < head.Sequence && len(page.Events) < count; {
		q, end := ts.LogAfter(from)
		q.Limit = min(count-len(page.Events), maxPage)
		if err := page.fill(ctx, ts, q, readRange{after, count, oldest, head}); err != nil {
			return page, err
		}
		from = end
	}
	if after < head.Sequence && len(page.Events) == 0 {
		return page, gone(ctx, ts, head, oldest)
	}
	return page, nil
}

// maxPage bounds how many entries one call to the store reads.
const maxPage = 100

// readRange has the arguments of a Read, and the head that it saw.
type readRange struct {
	after  int64
	count  int
	oldest time.Time
	head   Head
}

// fill adds the events of one partition, up to the first that is not kept.
func (p *Page) fill(ctx context.Context, ts *store.TenantStore, q store.Query, r readRange) error {
	for item, err := range ts.All(ctx, q) {
		if err != nil {
			return err
		}
		if at, _ := item.Attrs[attrAt].(int64); time.UnixMilli(at).Before(r.oldest) {
			return nil
		}
		all, err := expand(ts.TenantID(), r.head.Epoch, item)
		if err != nil {
			return err
		}
		for _, e := range all {
			next := r.after + int64(len(p.Events)) + 1
			switch {
			case e.Sequence < next:
			case e.Sequence > next, e.Sequence > r.head.Sequence, len(p.Events) == r.count:
				return nil
			default:
				p.Events = append(p.Events, e)
			}
		}
	}
	return nil
}

// gone finds the first entry that is kept: partitions are emptied from the oldest on, so it is looked for by halves.
func gone(ctx context.Context, ts *store.TenantStore, head Head, oldest time.Time) error {
	kept := func(after int64) (start int64, ok bool, err error) {
		q, _ := ts.LogAfter(after)
		for item, err := range ts.All(ctx, q) {
			if err != nil {
				return 0, false, err
			}
			at, _ := item.Attrs[attrAt].(int64)
			first, _ := item.Attrs[attrFirst].(int64)
			if !time.UnixMilli(at).Before(oldest) {
				return first - 1, true, nil
			}
		}
		return 0, false, nil
	}
	start := head.Sequence
	for low, high := int64(0), head.Sequence/store.LogPartitionSize; low <= high; {
		middle := (low + high) / 2
		first, ok, err := kept(max(middle*store.LogPartitionSize-1, 0))
		if err != nil {
			return err
		}
		if ok {
			start, high = first, middle-1
		} else {
			low = middle + 1
		}
	}
	return &GoneError{Start: start, Reason: "The events after this sequence number are no longer stored."}
}
