package eventlog

import (
	"crypto/rand"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/serverless-scim/serverless-scim/pkg/scim"
	"github.com/serverless-scim/serverless-scim/pkg/store"
)

// AnnouncementKind is the kind of the markers that hold an announcement.
const AnnouncementKind = "e"

// Announcement is an entry that waits for its numbers. Only the publisher gives numbers: whoever else has something
// to say writes an announcement in the transaction of the change. It needs no condition, so that a busy log never
// makes the change of a token fail.
type Announcement struct {
	Key   store.Key
	Entry Entry
}

// Announce is the operation that writes an entry as an announcement. position is a number of the announcer that grows
// with each change, or 0. Announcements are numbered by time, then by position, then by place in the call; the clock is
// that of the process that wrote them.
func Announce(k store.Keys, position int64, entries ...Entry) []store.Op {
	ops := make([]store.Op, 0, len(entries))
	if len(entries) == 0 {
		return ops
	}
	at := entries[0].At.UnixNano()
	for i, e := range entries {
		id := fmt.Sprintf("%020d-%012d-%03d-%s", at, position, i, strings.ToLower(rand.Text()[:10]))
		ops = append(ops, store.PutItem(k.Marker(AnnouncementKind, id), store.Attrs{
			attrDoc: e.encode(), attrAt: e.At.UnixMilli(), store.AttrWake: store.WakePublish,
		}))
	}
	return ops
}

// DecodeAnnouncement reads an item that Announce has written.
func DecodeAnnouncement(item store.Item) (Announcement, error) {
	doc, _ := item.Attrs[attrDoc].(string)
	e, err := decodeEntry(doc)
	if err != nil {
		return Announcement{}, err
	}
	at, _ := item.Attrs[attrAt].(int64)
	e.At = time.UnixMilli(at).UTC()
	return Announcement{Key: item.Key, Entry: e}, nil
}

// Done is the operation that removes an announcement which gets its numbers in the same transaction. Its condition
// fails if another publisher was faster.
func (a Announcement) Done() store.Op { return store.RemoveItem(a.Key).When(store.IsThere()) }

// decodeEntry is the inverse of encode, without the time.
func decodeEntry(doc string) (Entry, error) {
	o, err := scim.ParseObject(doc)
	if err != nil {
		return Entry{}, errors.Join(errBrokenEntry, err)
	}
	var e Entry
	e.Subject, _ = o["subject"].(string)
	e.SubjectVersion, _ = o["version"].(int64)
	e.Shared, _ = o["shared"].(scim.Object)
	e.Cause.RequestID, _ = o["request"].(string)
	e.Cause.TokenID, _ = o["token"].(string)
	events, _ := o["events"].([]any)
	for _, v := range events {
		one, _ := v.(scim.Object)
		var l Logged
		l.Type, _ = one["type"].(string)
		l.Data, _ = one["data"].(scim.Object)
		e.Events = append(e.Events, l)
	}
	if len(e.Events) == 0 {
		return Entry{}, errBrokenEntry
	}
	return e, nil
}

var errBrokenEntry = errors.New("eventlog: stored entry can't be read")
