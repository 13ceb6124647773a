package member

import (
	"cmp"
	"context"
	"crypto/rand"
	"fmt"
	"slices"
	"time"

	"github.com/serverless-scim/serverless-scim/pkg/directory"
	"github.com/serverless-scim/serverless-scim/pkg/event/eventlog"
	"github.com/serverless-scim/serverless-scim/pkg/scim"
	"github.com/serverless-scim/serverless-scim/pkg/store"
)

// A marker says that a subject may have changed. It is written in the transaction that changed it, with a new random
// stamp, and deleted by the publication that has seen the change, if the stamp is still the one that it read before it
// read anything else. So a publication that has seen an older state can't delete the marker of a newer one.
type marker struct {
	key     store.Key
	subject Subject
	stamp   string
	cause   eventlog.Cause
	at      time.Time
}

// SubjectKind says what a marker is about.
type SubjectKind string

// The kinds of subjects. A user is one member; the others stand for many.
const (
	UserSubject   SubjectKind = "u"
	GroupSubject  SubjectKind = "g"
	TargetSubject SubjectKind = "t"
	PolicySubject SubjectKind = "p"
	// SeatSubject is the number of a target's seats, by the target's joined key.
	SeatSubject SubjectKind = "s"
)

// Subject is what may have changed: a user or group by its id, a target by its joined key, the policy.
type Subject struct {
	Kind SubjectKind
	ID   string
}

const (
	attrStamp = "stamp"
	attrDoc   = "doc"
	attrAt    = "at"
	attrVer   = "ver"
	attrAfter = "after"
	attrAgain = "again"
)

// Mark is the operation that marks a subject. It belongs in the transaction that changes it.
func Mark(k store.Keys, s Subject, cause eventlog.Cause, now time.Time) store.Op {
	doc := scim.Object{"request": cause.RequestID, "token": cause.TokenID}
	return store.Op{
		Kind: store.Put, Key: k.Marker(string(s.Kind), s.ID),
		Set: store.Attrs{
			attrStamp: rand.Text()[:10], attrDoc: string(scim.AppendJSON(nil, doc)), attrAt: now.UnixMilli(),
			store.AttrWake:   store.WakePublish,
			store.AttrSchema: store.SchemaVersion,
		},
	}
}

func decodeMarker(item store.Item) (marker, error) {
	parts := store.Split(item.SK)
	if len(parts) != 2 {
		return marker{}, fmt.Errorf("member: the key of a marker has %d parts", len(parts))
	}
	m := marker{key: item.Key, subject: Subject{SubjectKind(parts[0]), parts[1]}}
	m.stamp, _ = item.Attrs[attrStamp].(string)
	at, _ := item.Attrs[attrAt].(int64)
	m.at = time.UnixMilli(at).UTC()
	doc, _ := item.Attrs[attrDoc].(string)
	o, err := scim.ParseObject(doc)
	if err != nil {
		return marker{}, fmt.Errorf("member: stored marker: %w", err)
	}
	m.cause.RequestID, _ = o["request"].(string)
	m.cause.TokenID, _ = o["token"].(string)
	return m, nil
}

// causeOf is the cause of what is done under a context.
func causeOf(ctx context.Context) eventlog.Cause {
	o := directory.OriginOf(ctx)
	return eventlog.Cause{RequestID: o.RequestID, TokenID: o.TokenID}
}

// Everybody is the operation that marks all people of a tenant.
func Everybody(now func() time.Time) func(store.Keys) store.Op {
	return func(k store.Keys) store.Op {
		return Mark(k, Subject{Kind: PolicySubject}, eventlog.Cause{}, now())
	}
}

// marks commits a transaction that marks something.
func (s *Service) marks(ctx context.Context, ts *store.TenantStore, tx *store.Tx) error {
	err := tx.Commit(ctx, ts)
	s.o.Wake(ts.TenantID())
	return err
}

// done is the operation that deletes the marker if it is still the one that was read.
func (m marker) done() store.Op {
	return store.Op{
		Kind: store.Delete, Key: m.key, If: []store.Cond{{Test: store.Equal, Attr: attrStamp, Value: m.stamp}},
	}
}

// marked reads up to limit markers of a kind, the oldest first of those that it reads.
func marked(ctx context.Context, ts *store.TenantStore, kind SubjectKind, limit int) ([]marker, error) {
	prefix := ts.MarkerPrefix(string(kind))
	page, err := ts.Query(ctx, store.Query{PK: prefix.PK, Prefix: prefix.SK, Limit: limit})
	if err != nil {
		return nil, err
	}
	all := make([]marker, 0, len(page.Items))
	for _, item := range page.Items {
		m, err := decodeMarker(item)
		if err != nil {
			return nil, err
		}
		all = append(all, m)
	}
	slices.SortStableFunc(all, func(a, b marker) int { return cmp.Compare(a.at.UnixMilli(), b.at.UnixMilli()) })
	return all, nil
}
