package member

import (
	"context"
	"net/http"
	"slices"
	"strings"

	"github.com/serverless-scim/serverless-scim/pkg/event/eventlog"
	"github.com/serverless-scim/serverless-scim/pkg/mapping"
	"github.com/serverless-scim/serverless-scim/pkg/member/internal/record"
	"github.com/serverless-scim/serverless-scim/pkg/member/internal/seat"
	"github.com/serverless-scim/serverless-scim/pkg/member/marker"
	"github.com/serverless-scim/serverless-scim/pkg/precondition"
	"github.com/serverless-scim/serverless-scim/pkg/store"
)

// checkKey refuses a key whose kind is unknown, or whose organisation is missing or too many.
func checkKey(policy *mapping.Policy, key mapping.TargetKey) (mapping.Kind, error) {
	kind, known := policy.Kinds[key.Kind]
	switch {
	case !known || policy.Implicit:
		return kind, record.Refuse(http.StatusNotFound, "The policy has no kind %q.", key.Kind)
	case key.Name == "" || key.TooLong():
		return kind, record.Refuse(http.StatusBadRequest,
			"A target must have 1 to %d bytes, together with its organisation.", mapping.MaxTargetBytes)
	case strings.ContainsRune(key.Name+key.Organisation, 0):
		return kind, record.Refuse(http.StatusBadRequest, "The name of a target must not have the character U+0000.")
	case kind.Per != "" && key.Organisation == "":
		return kind, record.Refuse(
			http.StatusBadRequest, "Targets of kind %q live inside an organisation: add ?organisation=.", key.Kind,
		)
	case kind.Per == "" && key.Organisation != "":
		return kind, record.Refuse(http.StatusBadRequest,
			"Targets of kind %q do not live inside an organisation.", key.Kind)
	}
	return kind, nil
}

// checkRoom refuses another target of a kind that is full.
func checkRoom(ctx context.Context, ts *store.TenantStore, kind string) error {
	full, err := record.Full(ctx, ts, kind)
	if full {
		return record.Refuse(http.StatusConflict, "There are %d targets of kind %s already, "+
			"the most that a kind can have: delete some that nobody needs.", mapping.MaxTargets, kind)
	}
	return err
}

// Assign gives a member a target manually. It makes an unknown target if the kind creates, else it is a 404; a target
// that a group has adopted is a 409. An assignment that is there already stays as it is.
func (s *Service) Assign(ctx context.Context, t Tenant, id string, key mapping.TargetKey) error {
	policy, _, err := s.policies.Of(ctx, t)
	if err != nil {
		return err
	}
	kind, err := checkKey(policy, key)
	if err != nil {
		return err
	}
	ts := s.store.Tenant(t.ID)
	return store.Retry(ctx, record.ContendFor, func() error {
		items, err := ts.Get(
			ctx, ts.Published(id), ts.Manual(id, key.Kind, key.Organisation, key.Name), record.TargetKey(ts.Keys, key),
		)
		if err != nil {
			return err
		}
		if err := s.alive(ctx, t, items[0], id); err != nil {
			return err
		}
		tx, err := s.change(ctx, t, id)
		if err != nil || items[1].Attrs != nil {
			return err
		}
		if kind.RemoveManual {
			adopted, err := record.AdoptedOf(ctx, ts, map[mapping.TargetKey]bool{key: true})
			if err != nil {
				return err
			}
			if adopted[key] {
				return record.Refuse(http.StatusConflict, "A group gives %s %q: it can't be given manually.",
					key.Kind, key.Name)
			}
		}
		now := s.o.Now()
		if items[2].Attrs == nil {
			if !kind.Create {
				return record.Refuse(http.StatusNotFound, "There is no %s %q. Create the target first.",
					key.Kind, key.Name)
			}
			if err := checkRoom(ctx, ts, key.Kind); err != nil {
				return err
			}
			made := record.Target{TargetKey: key, Seats: record.Unbounded, Version: 1, Created: now.Unix()}
			tx.Must(made.Put(ts.Keys).When(store.IsAbsent()), store.ErrStale)
			tx.Add(eventlog.Announce(ts.Keys, 0, made.Told(record.EventTargetCreated, now, marker.CauseOf(ctx)))...)
		}
		tx.Must(
			store.PutItem(
				ts.Manual(id, key.Kind, key.Organisation, key.Name), store.Attrs{record.AttrAt: now.UnixMilli()},
			).
				When(store.IsAbsent()),
			store.ErrStale,
		)
		return s.marks(ctx, ts, tx)
	})
}

// Unassign ends the manual part of an assignment. It is a 404 if there is none, a 409 if only a rule gives it.
func (s *Service) Unassign(ctx context.Context, t Tenant, id string, key mapping.TargetKey) error {
	ts := s.store.Tenant(t.ID)
	return store.Retry(ctx, record.ContendFor, func() error {
		items, err := ts.Get(ctx, ts.Published(id), ts.Manual(id, key.Kind, key.Organisation, key.Name))
		if err != nil {
			return err
		}
		if err := s.alive(ctx, t, items[0], id); err != nil {
			return err
		}
		tx, err := s.change(ctx, t, id)
		if err != nil {
			return err
		}
		if items[1].Attrs == nil {
			m, _, err := s.publisher.Get(ctx, t, id) // the published member may be out of date
			if err != nil {
				return err
			}
			if record.Find(m.Assignments, key) >= 0 {
				return record.Refuse(http.StatusConflict, "A rule gives %s %q: change the group or the policy.",
					key.Kind, key.Name)
			}
			return record.Refuse(http.StatusNotFound, "The member has no %s %q.", key.Kind, key.Name)
		}
		tx.Must(store.RemoveItem(items[1].Key).When(store.IsThere()), store.ErrStale)
		return s.marks(ctx, ts, tx)
	})
}

// change begins the transaction of a change by hand, which marks the member. A precondition of ctx is asked about the
// published member. Then the transaction holds only while the member is so and no other change is marked.
func (s *Service) change(ctx context.Context, t Tenant, id string) (*store.Tx, error) {
	var tx store.Tx
	ts := s.store.Tenant(t.ID)
	mark := marker.Mark(ts.Keys, marker.Subject{Kind: marker.User, ID: id}, marker.CauseOf(ctx), s.o.Now())
	if !precondition.Given(ctx) {
		tx.Add(mark)
		return &tx, nil
	}
	if _, _, err := s.publisher.Get(ctx, t, id); err != nil {
		return nil, err
	}
	items, err := ts.Get(ctx, ts.Published(id), mark.Key)
	if err != nil {
		return nil, err
	}
	m, err := record.DecodeItem(items[0])
	if err != nil {
		return nil, err
	}
	unmarked := store.IsAbsent()
	if items[1].Attrs != nil {
		m.Marked, _ = items[1].Attrs[record.AttrStamp].(string)
		unmarked = store.Is(record.AttrStamp, m.Marked)
	}
	if err := precondition.Of(ctx, func() any { return m }); err != nil {
		return nil, err
	}
	tx.Must(store.CheckItem(items[0].Key, store.Is(record.AttrVer, m.Version)), store.ErrStale)
	tx.Must(mark.When(unmarked), store.ErrStale)
	return &tx, nil
}

// alive refuses a member who is not there. One who only waits to be published is published; the error is
// store.ErrStale then.
func (s *Service) alive(ctx context.Context, t Tenant, item store.Item, id string) error {
	if item.Attrs != nil {
		m, err := record.DecodeItem(item)
		if err != nil {
			return err
		}
		if m.Status != record.Removed {
			return nil
		}
	}
	m, found, err := s.publisher.Get(ctx, t, id)
	switch {
	case err != nil:
		return err
	case !found || m.Status == record.Removed:
		return record.Refuse(http.StatusNotFound, "There is no member %q.", id)
	}
	return store.ErrStale
}

// Target reads a target; a *Refused 404 if there is none.
func (s *Service) Target(ctx context.Context, t Tenant, key mapping.TargetKey) (record.Target, error) {
	ts := s.store.Tenant(t.ID)
	items, err := ts.Get(ctx, record.TargetKey(ts.Keys, key))
	if err != nil {
		return record.Target{}, err
	}
	if items[0].Attrs == nil {
		return record.Target{}, record.Refuse(http.StatusNotFound, "There is no %s %q.", key.Kind, key.Name)
	}
	return used(ctx, ts, record.DecodeTarget(items[0]))
}

// used is a target with the number of seats in use.
func used(ctx context.Context, ts *store.TenantStore, t record.Target) (record.Target, error) {
	one := []record.Target{t}
	err := seat.Used(ctx, ts, one)
	return one[0], err
}

// TargetQuery asks for a page of targets.
type TargetQuery struct {
	// Kind is that of the targets; "": all kinds. Name is the beginning of their displayName, or of the name by which
	// the policy knows them, upper or lower case; "": all.
	Kind, Name string
	// After is the end of an earlier page; "": from the first. Count is the most targets of the page.
	After string
	Count int
}

// searched is the number of targets that one page reads to search them by name.
const searched = 1000

// Targets lists targets, and the place to go on after; "": there are no more. A page with a name may be short or empty,
// and have a next one all the same.
func (s *Service) Targets(ctx context.Context, t Tenant, asked TargetQuery) ([]record.Target, string, error) {
	ts := s.store.Tenant(t.ID)
	q := store.Query{PK: ts.TargetPrefix("").PK, After: asked.After, Limit: asked.Count}
	if asked.Kind != "" {
		q.Prefix = ts.TargetPrefix(asked.Kind).SK
	}
	if asked.After != "" && !q.Contains(asked.After) {
		return nil, "", record.Refuse(http.StatusBadRequest,
			"The cursor must be one from an earlier page of this list.")
	}
	if asked.Name != "" {
		q.Limit = searched
	}
	page, err := ts.Query(ctx, q)
	if err != nil {
		return nil, "", err
	}
	all, next := []record.Target{}, ""
	if page.More {
		next = page.Last
	}
	for i, item := range page.Items {
		if target := record.DecodeTarget(item); target.Named(asked.Name) {
			all = append(all, target)
		}
		if len(all) == asked.Count && i+1 < len(page.Items) {
			next = item.SK
			break
		}
	}
	return all, next, seat.Used(ctx, ts, all)
}

// SaveTarget makes or changes a target: its display name, features and seats. The members that it may concern are
// evaluated again.
func (s *Service) SaveTarget(ctx context.Context, t Tenant, target record.Target) (record.Target, error) {
	key := target.TargetKey
	policy, _, err := s.policies.Of(ctx, t)
	if err != nil {
		return record.Target{}, err
	}
	if _, err := checkKey(policy, key); err != nil {
		return record.Target{}, err
	}
	ts := s.store.Tenant(t.ID)
	var saved record.Target
	err = store.Retry(ctx, record.ContendFor, func() error {
		items, err := ts.Get(ctx, record.TargetKey(ts.Keys, key))
		if err != nil {
			return err
		}
		cond := store.IsAbsent()
		saved = record.Target{TargetKey: key, Created: s.o.Now().Unix()}
		if items[0].Attrs != nil {
			saved = record.DecodeTarget(items[0])
			cond = store.Is(record.AttrVer, saved.Version)
		} else if err := checkRoom(ctx, ts, key.Kind); err != nil {
			return err
		}
		if err := precondition.Of(ctx, func() any { return saved }); err != nil {
			return err
		}
		others := items[0].Attrs == nil || saved.DisplayName != target.DisplayName ||
			!slices.Equal(saved.Features, target.Features)
		resized := items[0].Attrs == nil || saved.Seats != target.Seats
		was := saved.DisplayName
		saved.Target, saved.Seats = target.Target, target.Seats
		if saved, err = used(ctx, ts, saved); err != nil || !others && !resized {
			return err
		}
		saved.Version++
		now := s.o.Now()
		var tx store.Tx
		tx.Must(saved.Put(ts.Keys).When(cond), store.ErrStale)
		mark := func(s marker.Subject) { tx.Add(marker.Mark(ts.Keys, s, marker.CauseOf(ctx), now)) }
		if others {
			mark(marker.Subject{Kind: marker.Target, ID: record.Joined(key)})
		}
		if resized {
			mark(marker.Subject{Kind: marker.Seat, ID: record.Joined(key)})
		}
		kind := record.EventTargetCreated
		if saved.Version > 1 {
			kind = record.EventTargetRenamed
		}
		if e := saved.Told(kind, now, marker.CauseOf(ctx)); saved.Version == 1 || was != saved.DisplayName {
			if kind == record.EventTargetRenamed {
				e.Events[0].Data["previousDisplayName"] = record.OrNull(was)
			}
			tx.Add(eventlog.Announce(ts.Keys, saved.Version, e)...)
		}
		return s.marks(ctx, ts, &tx)
	})
	return saved, err
}

// RemoveTarget deletes a target; a *Refused 404 if there is none, 409 if a rule gives it at the moment. Manual
// assignments of it end with the publication of their members.
func (s *Service) RemoveTarget(ctx context.Context, t Tenant, key mapping.TargetKey) error {
	ts := s.store.Tenant(t.ID)
	return store.Retry(ctx, record.ContendFor, func() error {
		items, err := ts.Get(ctx, record.TargetKey(ts.Keys, key))
		if err != nil {
			return err
		}
		if items[0].Attrs == nil {
			return record.Refuse(http.StatusNotFound, "There is no %s %q.", key.Kind, key.Name)
		}
		saved := record.DecodeTarget(items[0])
		if err := precondition.Of(ctx, func() any { return saved }); err != nil {
			return err
		}
		return s.removeTarget(ctx, t, saved)
	})
}

// removeTarget is one try of RemoveTarget; store.ErrStale if the target was changed since it was read.
func (s *Service) removeTarget(ctx context.Context, t Tenant, saved record.Target) error {
	ts, key := s.store.Tenant(t.ID), saved.TargetKey
	prefix := ts.PublishedPrefix(record.ByAssignment, record.AssignmentValue(key))
	for item, err := range ts.All(ctx, store.Query{PK: prefix.PK, Prefix: prefix.SK, Select: store.KeysOnly}) {
		if err != nil {
			return err
		}
		m, _, err := s.publisher.Get(ctx, t, store.LastPart(item.SK)) // the published member may be out of date
		if err != nil {
			return err
		}
		i := record.Find(m.Assignments, key)
		switch {
		case i >= 0 && m.Assignments[i].Scim:
			return record.Refuse(
				http.StatusConflict, "A rule gives %s %q at the moment: change the policy or the groups first.",
				key.Kind, key.Name,
			)
		case i >= 0:
			if err := s.Unassign(ctx, t, m.ID, key); err != nil {
				return err
			}
		}
	}
	var tx store.Tx
	tx.Must(
		store.RemoveItem(record.TargetKey(ts.Keys, key)).When(store.Is(record.AttrVer, saved.Version)), store.ErrStale,
	)
	tx.Add(
		marker.Mark(
			ts.Keys,
			marker.Subject{Kind: marker.Target, ID: store.Join(key.Kind, key.Organisation, key.Name)},
			marker.CauseOf(ctx),
			s.o.Now(),
		),
	)
	return s.marks(ctx, ts, &tx)
}
