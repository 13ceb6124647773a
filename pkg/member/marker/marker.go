// Package marker has the markers of a tenant: items that name the people whose change may have to be announced to the
// application. Each write of the directory carries them, so the functions that answer identity providers link this
// package, and nothing of publishing.
package marker

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

// A Marker says that a subject may have changed. It is written in the transaction that changed it, with a new random
// stamp, and deleted by the publication that has seen the change, if the stamp is still the one that it read before it
// read anything else. So a publication that has seen an older state can't delete the marker of a newer one.
type Marker struct {
	Key     store.Key
	Subject Subject
	Stamp   string
	Cause   eventlog.Cause
	// Joined are the group and the users of a marker of the kind Members.
	Joined directory.Joined
	at     time.Time
}

// SubjectKind is the kind of a marker's subject.
type SubjectKind string

// The kinds of subjects. A user is one member; the others are many members.
const (
	User   SubjectKind = "u"
	Group  SubjectKind = "g"
	Target SubjectKind = "t"
	Policy SubjectKind = "p"
	// Seat is the number of a target's seats, by the target's joined key.
	Seat SubjectKind = "s"
	// Members are users who became or ceased to be members of a group in one transaction, by a random id.
	Members SubjectKind = "m"
)

// wide are the kinds for many members, in the order in which they are handled. Their keys come before those of users.
var wide = []SubjectKind{Members, Policy, Seat, Target, Group}

// Subject is the object that may have changed: a user or group by its id, a target by its joined key, the policy.
type Subject struct {
	Kind SubjectKind
	ID   string
}

// The attributes of a marker.
const (
	attrStamp = "stamp"
	attrCause = "doc"
	// AttrAt is the time of marking, in Unix milliseconds.
	AttrAt = "at"
	// attrGroup and attrUsers are the group and the ids of users of the kind Members.
	attrGroup = "group"
	attrUsers = "users"
)

// Mark is the operation that marks a subject. It belongs in the transaction that changes it.
func Mark(k store.Keys, s Subject, cause eventlog.Cause, now time.Time) store.Op {
	doc := scim.Object{"request": cause.RequestID, "token": cause.TokenID}
	return store.Op{
		Kind: store.Put, Key: k.Marker(string(s.Kind), s.ID),
		Set: store.Attrs{
			attrStamp: rand.Text()[:10], attrCause: string(scim.AppendJSON(nil, doc)), AttrAt: now.UnixMilli(),
			store.AttrWake:   store.WakePublish,
			store.AttrSchema: store.SchemaVersion,
		},
	}
}

// MarkMembers is Mark for members of a group. Several such changes have a marker each.
func MarkMembers(k store.Keys, j directory.Joined, cause eventlog.Cause, now time.Time) store.Op {
	op := Mark(k, Subject{Kind: Members, ID: rand.Text()[:16]}, cause, now)
	op.Set[attrGroup], op.Set[attrUsers] = j.Group, store.Join(j.Users...)
	return op
}

// Decode reads the item of a marker.
func Decode(item store.Item) (Marker, error) {
	parts := store.Split(item.SK)
	if len(parts) != 2 {
		return Marker{}, fmt.Errorf("member: the key of a marker has %d parts", len(parts))
	}
	m := Marker{Key: item.Key, Subject: Subject{SubjectKind(parts[0]), parts[1]}}
	m.Stamp, _ = item.Attrs[attrStamp].(string)
	at, _ := item.Attrs[AttrAt].(int64)
	m.at = time.UnixMilli(at).UTC()
	m.Joined.Group, _ = item.Attrs[attrGroup].(string)
	if users, _ := item.Attrs[attrUsers].(string); users != "" {
		m.Joined.Users = store.Split(users)
	}
	doc, _ := item.Attrs[attrCause].(string)
	o, err := scim.ParseObject(doc)
	if err != nil {
		return Marker{}, fmt.Errorf("member: stored marker: %w", err)
	}
	m.Cause.RequestID, _ = o["request"].(string)
	m.Cause.TokenID, _ = o["token"].(string)
	return m, nil
}

// CauseOf returns the cause of the changes under a context.
func CauseOf(ctx context.Context) eventlog.Cause {
	o := directory.OriginOf(ctx)
	return eventlog.Cause{RequestID: o.RequestID, TokenID: o.TokenID}
}

// Everybody is the operation that marks all people of a tenant.
func Everybody(now func() time.Time) func(store.Keys) store.Op {
	return func(k store.Keys) store.Op {
		return Mark(k, Subject{Kind: Policy}, eventlog.Cause{}, now())
	}
}

// Unchanged is the condition that the marker is still the one that was read.
func (m Marker) Unchanged() store.Cond { return store.Is(attrStamp, m.Stamp) }

// Done is the operation that deletes the marker if it is still the one that was read.
func (m Marker) Done() store.Op {
	return store.Op{
		Kind: store.Delete, Key: m.Key, If: []store.Cond{m.Unchanged()},
	}
}

// ListWide reads the markers for many members, in the order in which they are handled: all of them with one call if
// they are up to limit, else up to limit of each kind.
func ListWide(ctx context.Context, ts *store.TenantStore, limit int) ([]Marker, error) {
	page, err := ts.Query(ctx, store.Query{
		PK: ts.MarkerPrefix("").PK, From: ts.MarkerPrefix(string(Group)).SK, To: ts.MarkerPrefix(string(User)).SK,
		Limit: limit,
	})
	if err != nil {
		return nil, err
	}
	if !page.More {
		all, err := decode(page.Items)
		slices.SortStableFunc(all, func(a, b Marker) int {
			return cmp.Compare(slices.Index(wide, a.Subject.Kind), slices.Index(wide, b.Subject.Kind))
		})
		return all, err
	}
	var all []Marker
	for _, kind := range wide {
		some, err := List(ctx, ts, kind, limit)
		if err != nil {
			return nil, err
		}
		all = append(all, some...)
	}
	return all, nil
}

// List reads up to limit markers of a kind, the oldest first of those that it reads.
func List(ctx context.Context, ts *store.TenantStore, kind SubjectKind, limit int) ([]Marker, error) {
	prefix := ts.MarkerPrefix(string(kind))
	page, err := ts.Query(ctx, store.Query{PK: prefix.PK, Prefix: prefix.SK, Limit: limit})
	if err != nil {
		return nil, err
	}
	return decode(page.Items)
}

// decode reads markers, and sorts them by age.
func decode(items []store.Item) ([]Marker, error) {
	all := make([]Marker, 0, len(items))
	for _, item := range items {
		m, err := Decode(item)
		if err != nil {
			return nil, err
		}
		all = append(all, m)
	}
	slices.SortStableFunc(all, func(a, b Marker) int { return cmp.Compare(a.at.UnixMilli(), b.at.UnixMilli()) })
	return all, nil
}

// Carry marks the users, groups and memberships that a write of the directory touches. It is a directory.Carry.
func Carry(now func() time.Time) directory.Carry {
	return func(k store.Keys, o directory.Origin, t directory.Touched) []store.Op {
		cause := eventlog.Cause{RequestID: o.RequestID, TokenID: o.TokenID}
		ops := make([]store.Op, 0, len(t.Users)+len(t.Groups))
		for _, id := range t.Users {
			ops = append(ops, Mark(k, Subject{Kind: User, ID: id}, cause, now()))
		}
		for _, id := range t.Groups {
			ops = append(ops, Mark(k, Subject{Kind: Group, ID: id}, cause, now()))
		}
		for _, j := range t.Joined {
			ops = append(ops, MarkMembers(k, j, cause, now()))
		}
		return ops
	}
}
