package publish

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"time"

	"github.com/serverless-scim/serverless-scim/pkg/event/eventlog"
	"github.com/serverless-scim/serverless-scim/pkg/member/internal/policies"
	"github.com/serverless-scim/serverless-scim/pkg/member/internal/record"
	"github.com/serverless-scim/serverless-scim/pkg/member/marker"
	"github.com/serverless-scim/serverless-scim/pkg/precondition"
	"github.com/serverless-scim/serverless-scim/pkg/scim"
	"github.com/serverless-scim/serverless-scim/pkg/store"
)

// Erasing a person is one transaction: a bare member (see bare) takes the place of the published one, the log gets
// an entry, and the member's item names the member's newest entry of the log. Each entry names the one before it.
// Settling the member's marker then removes the person from them, a chunk a call, and notes its progress in the
// item. The marker stays until then. So if a process dies, the publisher goes on.

// erasedAtOnce is the number of log entries from which one transaction removes a person.
const erasedAtOnce = 20

// eraseFor is the longest time that one call of Erase spends on the log.
const eraseFor = 5 * time.Second

// endedAtOnce is the number of manual assignments that end in the transaction that erases a member.
const endedAtOnce = 20

// Erase removes a person from the members and the log, with the members whose place this one took. done is false
// if entries of the log are left; the publisher removes the person from these later. It can be repeated. The error
// is a *Refused: 404 if there is no such member, 409 if a SCIM user with the id lives.
func (s *Publisher) Erase(ctx context.Context, t policies.Tenant, id string) (done bool, err error) {
	m, err := s.leaver(ctx, t, id)
	if err == nil && precondition.Given(ctx) { // only here: a refusal must have erased nothing
		shown := m
		if shown, _, err = s.Get(ctx, t, id); err == nil {
			err = precondition.Of(ctx, func() any { shown.ID = id; return shown })
		}
	}
	if err != nil {
		return false, err
	}
	// The previous ones first: one who is erased costs nothing when the call is repeated.
	for _, previous := range append(slices.Clone(m.Earlier), m.PreviousID) {
		if previous == "" {
			continue
		}
		var refused *record.Refused // it is gone, or not there any more
		if done, err := s.Erase(ctx, t, previous); !errors.As(err, &refused) && (err != nil || !done) {
			return false, err
		}
	}
	if s.o.Forget != nil && !m.Erased { // afterwards nobody knows the names
		p := m.Person
		names := []string{p.UserName, p.ExternalID, p.LoginAddress, p.Email, p.DisplayName}
		if done, err := s.o.Forget(ctx, t.ID, id, names); err != nil || !done {
			return false, err
		}
	}
	err = store.Retry(ctx, record.ContendFor, func() error {
		return s.Alone(ctx, t.ID, func() error { return s.erase(ctx, t, id) })
	})
	if err != nil {
		return false, err
	}
	ts := s.store.Tenant(t.ID)
	for until := s.o.Now().Add(eraseFor); ; {
		items, err := ts.Get(ctx, ts.Published(id), ts.Marker(string(marker.User), id))
		if err != nil {
			return false, err
		}
		member, marker := items[0].Attrs, items[1].Attrs
		left := member[record.AttrErasing] != nil || member[record.AttrStale] != nil ||
			marker[record.AttrErasing] != nil
		if !left {
			return true, nil
		}
		if s.o.Now().After(until) {
			s.o.Wake(t.ID)
			return false, nil
		}
		if err := s.together(ctx, t, id); err != nil && !errors.Is(err, store.ErrStale) {
			return false, err
		}
	}
}

// leaver reads a member whose SCIM user is gone; the error is a *Refused if there is none.
func (s *Publisher) leaver(ctx context.Context, t policies.Tenant, id string) (record.Member, error) {
	people, err := s.o.Directory.People(ctx, t.ID, []string{id})
	if err != nil {
		return record.Member{}, err
	}
	if people[0].Doc != nil {
		return record.Member{}, record.Refuse(http.StatusConflict,
			"The member still has its SCIM user. Delete the user at the identity provider first.")
	}
	ts := s.store.Tenant(t.ID)
	items, err := ts.Get(ctx, ts.Published(id))
	if err != nil {
		return record.Member{}, err
	}
	if items[0].Attrs == nil {
		return record.Member{}, record.Refuse(http.StatusNotFound, "There is no member %q.", id)
	}
	return record.DecodeItem(items[0])
}

// erase is one attempt to put a bare member in the place of the published one.
func (s *Publisher) erase(ctx context.Context, t policies.Tenant, id string) error {
	if m, err := s.leaver(ctx, t, id); err != nil || m.Erased {
		return err
	}
	p, err := s.read(ctx, t, []string{id})
	if err == nil {
		err = s.workOut(ctx, p)
	}
	if err != nil {
		return err
	}
	sub := p.subjects[0]
	if sub.old == nil || sub.old.Erased || sub.person.Doc != nil {
		return store.ErrStale
	}
	c := &Change{subject: sub, in: p, next: bare(*sub.old), ended: sub.manual}
	if len(c.ended) > endedAtOnce {
		ops := make([]store.Op, len(c.ended))
		for i, m := range c.ended {
			ops[i] = store.RemoveItem(p.ts.Manual(id, m.Kind, m.Organisation, m.Name))
		}
		if err := p.ts.Batch(ctx, ops...); err != nil {
			return err
		}
		c.ended = nil
	}
	if err := p.tracesOf(ctx, sub); err != nil {
		return err
	}
	p.count(sub, &c.next)
	p.decided[id] = c.next
	c.told = []record.Told{{Kind: record.EventRemoved, Data: scim.Object{"erased": true}}}
	err = p.commitAll(ctx, []*Change{c})
	s.o.Wake(t.ID)
	return err
}

// tracesOf reads all items by which a member who has left is found, written under any policy.
func (p *publication) tracesOf(ctx context.Context, sub *subject) error {
	var keys []store.Key
	for _, v := range record.Matches([]string{record.ByExternalID, record.ByUserName, record.ByEmail}, sub.old.Person) {
		keys = append(keys, p.ts.Left(v.Attribute, v.Value))
	}
	if sub.old.AccountID != "" { // an imported account names the person
		keys = append(keys, p.ts.Account(sub.old.AccountID))
	}
	items, err := p.ts.Get(ctx, keys...)
	for _, item := range items {
		if item.Attrs[record.AttrMember] == sub.id {
			sub.traces = append(sub.traces, item.Key)
		}
	}
	return err
}

// bare is all that is kept of a member who is erased.
func bare(m record.Member) record.Member {
	return record.Member{
		ID: m.ID, Status: record.Removed, Erased: true, Version: m.Version, CreatedAt: m.CreatedAt,
		ChangedAt: m.ChangedAt,
	}
}

// unmark is the operation that ends the marker of a change on its stamp, or writes it anew if the person is still to be
// erased from the log, or the member is to be looked at again.
func (c *Change) unmark(p *publication, again bool) store.Op {
	if !c.next.Erased && !again {
		return c.marker.Done()
	}
	op := marker.Mark(p.ts.Keys, c.marker.Subject, c.marker.Cause, p.now)
	if c.next.Erased {
		op.Set[record.AttrErasing] = c.logged.Last
	}
	return op.When(c.marker.Unchanged())
}

// redact takes a person out of the next entries of the log, and reports whether there are no more. An entry that is not
// there any more was the newest of those that are left, and is kept the longest: then none of them is kept.
func (p *publication) redact(ctx context.Context, sub *subject) (done bool, err error) {
	if sub.erasing == 0 {
		return true, nil
	}
	var tx store.Tx
	next := sub.erasing
	for n := 0; next > 0 && n < erasedAtOnce; n++ {
		items, err := p.ts.Get(ctx, p.ts.LogEntry(next))
		if err != nil {
			return false, err
		}
		if items[0].Attrs == nil {
			next = 0
			break
		}
		op, before, err := eventlog.Rewrite(items[0], redacted)
		if err != nil {
			return false, err
		}
		tx.Must(op, store.ErrStale)
		next = before
	}
	progress := store.Op{
		Kind: store.Update, Key: p.ts.Published(sub.id),
		If: []store.Cond{store.Is(record.AttrVer, sub.old.Version), store.Is(record.AttrErasing, sub.erasing)},
	}
	if next > 0 {
		progress.Set = store.Attrs{record.AttrErasing: next}
	} else {
		progress.Unset = []string{record.AttrErasing}
	}
	tx.Must(progress, store.ErrStale)
	return next == 0, tx.Commit(ctx, p.ts)
}

// redacted takes the person out of an entry of the log.
func redacted(e *eventlog.Entry) {
	old, _ := e.Shared["member"].(scim.Object)
	at := func(name string) time.Time {
		text, _ := old[name].(string)
		t, _ := scim.ParseTime(text)
		return t
	}
	id, _ := old["id"].(string)
	version, _ := old["version"].(int64)
	m := bare(record.Member{ID: id, Version: version, CreatedAt: at("createdAt"), ChangedAt: at("changedAt")})
	e.Shared = scim.Object{"member": m.Object(), "erased": true}
	for i := range e.Events {
		e.Events[i].Data = nil
	}
}

// eraseOn goes on with erasing in a tenant that publishes no members. It reports whether there was anything to do.
func (s *Publisher) eraseOn(ctx context.Context, t policies.Tenant, ts *store.TenantStore) (any bool, err error) {
	err = s.Alone(ctx, t.ID, func() error {
		prefix := ts.MarkerPrefix(string(marker.User))
		page, err := ts.Query(ctx, store.Query{PK: prefix.PK, Prefix: prefix.SK, Limit: 4 * PeopleAtOnce})
		if err != nil {
			return err
		}
		var ids []string
		for _, item := range page.Items {
			if item.Attrs[record.AttrErasing] != nil {
				ids = append(ids, store.LastPart(item.SK))
			}
		}
		any = len(ids) > 0
		return s.people(ctx, t, Job{Ids: ids})
	})
	return any, err
}
