package doctor

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"strconv"
	"strings"

	"github.com/serverless-scim/serverless-scim/pkg/event/eventlog"
	"github.com/serverless-scim/serverless-scim/pkg/member/marker"
	"github.com/serverless-scim/serverless-scim/pkg/store"
)

func quoted(s string) string {
	b, _ := json.Marshal(s) // a string can always be written
	return string(b)
}

// logWalk is how far a walk along the log is.
type logWalk struct{ last int64 }

// walkLog goes through the entries of the log in order: their numbers have no gap except for entries that are expired,
// and the head is at the last.
func (p *patient) walkLog(ctx context.Context) error {
	for item, err := range p.st.All(ctx, store.Query{PK: p.k.LogPartitionNames()}) {
		if err != nil {
			return err
		}
		for entry, err := range p.st.All(ctx, store.Query{PK: p.k.LogPartitionOf(item.SK)}) {
			if err != nil {
				return err
			}
			p.sum.Items++
			p.entry(ctx, entry)
		}
	}
	return p.head(ctx)
}

func (p *patient) entry(ctx context.Context, item store.Item) {
	v := &view{patient: p, ctx: ctx, item: item, known: map[store.Key]store.Attrs{}}
	end, err := strconv.ParseInt(item.SK, 10, 64)
	first, _ := item.Attrs["first"].(int64)
	if _, ok := doc(item.Attrs); !ok || err != nil || first < 1 || first > end {
		p.report(v, Finding{Check: "log", Problem: "The log entry can't be read."})
		return
	}
	// Of entries that expire, the engine removes some sooner than others.
	if _, expires := item.Attrs[store.AttrTTL]; p.log.last != 0 && first != p.log.last+1 && !expires {
		p.report(v, Finding{Check: "log", Problem: "The log has no event " + strconv.FormatInt(p.log.last+1, 10) +
			", which comes before this entry. Readers continue after the gap once the earlier entries are deleted."})
	}
	p.log.last = end
}

// head checks that the head of the log is at its last entry, as long as that is kept.
func (p *patient) head(ctx context.Context) error {
	last := p.log.last
	for range looks {
		items, err := p.st.Get(ctx, p.k.LogHead(), p.k.LogEntry(last))
		if err != nil {
			return err
		}
		sequence, _ := items[0].Attrs["seq"].(int64)
		if last == 0 && items[0].Attrs == nil || sequence == last {
			return nil
		}
		now, err := p.lastEntry(ctx, sequence)
		if err != nil {
			return err
		}
		if now = max(now, p.log.last); now != last {
			last = now
			continue
		}
		if sequence > last && p.mayHaveExpired(ctx, last) {
			return nil
		}
		again, err := p.st.Get(ctx, p.k.LogHead())
		if err != nil {
			return err
		}
		if seq, _ := again[0].Attrs["seq"].(int64); seq != sequence {
			continue
		}
		p.moveHead(ctx, items[0], last)
		return nil
	}
	p.sum.Changing++
	return nil
}

// moveHead reports that the head is not at the last entry. A head that moves begins a new epoch, so that readers who
// are further than the log learn it.
func (p *patient) moveHead(ctx context.Context, head store.Item, last int64) {
	v := &view{patient: p, ctx: ctx, item: head, known: map[store.Key]store.Attrs{}}
	sequence, _ := head.Attrs["seq"].(int64)
	p.report(v, Finding{
		Check: "log", Problem: "The head of the log is at event " + strconv.FormatInt(sequence, 10) +
			", the last entry ends at " + strconv.FormatInt(last, 10) + ".",
		Repair: "Move the head there, start a new epoch, and publish all members again.",
		ops: append(p.everybody(),
			store.PutItem(p.k.LogHead(), store.Attrs{"seq": last, "epoch": strings.ToLower(rand.Text()[:8])})),
	})
}

// lastEntry is the end of the last entry that the log has, at or beyond the partition of its head.
func (p *patient) lastEntry(ctx context.Context, sequence int64) (int64, error) {
	last := int64(0)
	const size = store.LogPartitionSize
	for n := max(sequence-size, 0); n <= sequence+size; n += size {
		q := store.Query{PK: p.k.LogEntry(n).PK, Reverse: true, Limit: 1}
		page, err := p.st.Query(ctx, q)
		if err != nil {
			return 0, err
		}
		if len(page.Items) > 0 {
			end, _ := strconv.ParseInt(page.Items[0].SK, 10, 64)
			last = max(last, end)
		}
	}
	return last, nil
}

// mayHaveExpired reports whether the entries after one may be gone because they expired: it would expire itself.
func (p *patient) mayHaveExpired(ctx context.Context, last int64) bool {
	if last == 0 {
		return true
	}
	items, err := p.st.Get(ctx, p.k.LogEntry(last))
	if err != nil || items[0].Attrs == nil {
		return true
	}
	ttl, expires := items[0].Attrs[store.AttrTTL].(int64)
	return expires && ttl <= p.o.Now().Unix()
}

// lastOf finds the last entry about a subject: it reads the whole log.
func (v *view) lastOf(subject string) (last, until int64) {
	for item, err := range v.st.All(v.ctx, store.Query{PK: v.k.LogPartitionNames()}) {
		if err != nil {
			v.err = err
			return 0, 0
		}
		for entry, err := range v.st.All(v.ctx, store.Query{PK: v.k.LogPartitionOf(item.SK)}) {
			if err != nil {
				v.err = err
				return 0, 0
			}
			if o, ok := doc(entry.Attrs); ok && o["subject"] == subject {
				last, _ = strconv.ParseInt(entry.SK, 10, 64)
				until, _ = entry.Attrs[store.AttrTTL].(int64)
			}
		}
	}
	return last, until
}

// mark has a user published again, if the tenant publishes its people.
func (p *patient) mark(id string) []store.Op { return p.marker(marker.User, id) }

// everybody has all people published again.
func (p *patient) everybody() []store.Op { return p.marker(marker.Policy, "") }

func (p *patient) marker(kind marker.SubjectKind, id string) []store.Op {
	if p.tenant == nil || !p.tenant.Publishes {
		return nil
	}
	return []store.Op{marker.Mark(p.k, marker.Subject{Kind: kind, ID: id}, eventlog.Cause{}, p.o.Now())}
}

// lookMarker checks that a marker can be read.
func lookMarker(v *view, item store.Item) {
	parts := store.Split(item.SK)
	known := len(parts) == 2
	if known {
		switch marker.SubjectKind(parts[0]) {
		case marker.User, marker.Group, marker.Target, marker.Policy, marker.Seat, marker.Members:
			known = text(item.Attrs, "stamp") != ""
		case eventlog.AnnouncementKind:
			_, err := eventlog.DecodeAnnouncement(item)
			known = err == nil
		default:
			v.find(Finding{Check: "marker", Problem: "The marker has a kind that this version does not know."})
			return
		}
	}
	if !known {
		v.find(Finding{Check: "marker", Problem: "The marker can't be read."})
	}
}
