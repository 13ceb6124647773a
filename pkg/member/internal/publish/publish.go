package publish

import (
	"context"
	"net/http"
	"slices"
	"time"

	"github.com/serverless-scim/serverless-scim/pkg/directory"
	"github.com/serverless-scim/serverless-scim/pkg/event/eventlog"
	"github.com/serverless-scim/serverless-scim/pkg/mapping"
	"github.com/serverless-scim/serverless-scim/pkg/member/internal/policies"
	"github.com/serverless-scim/serverless-scim/pkg/member/internal/record"
	"github.com/serverless-scim/serverless-scim/pkg/member/internal/seat"
	"github.com/serverless-scim/serverless-scim/pkg/member/marker"
	"github.com/serverless-scim/serverless-scim/pkg/precondition"
	"github.com/serverless-scim/serverless-scim/pkg/scim"
	"github.com/serverless-scim/serverless-scim/pkg/store"
)

// Edit publishes members, who must exist, as the edits of the job change them; a *record.Refused 409 if t is silent.
func (s *Publisher) Edit(ctx context.Context, t policies.Tenant, j Job) error {
	if t.Silent {
		return record.Refuse(http.StatusConflict, "The tenant publishes no members; see settings.members.publish.")
	}
	err := s.Alone(ctx, t.ID, func() error { return s.people(ctx, t, j) })
	s.o.Wake(t.ID)
	return err
}

// PeopleAtOnce is the number of members that are read and evaluated together.
const PeopleAtOnce = 50

// people publishes members: it brings them up to date with the directory and the policy, and announces the changes to
// the application. Each has a marker, which is written here if it has none: only the deletion of a marker, conditional
// on its stamp, says that nobody has seen a newer state in between.
func (s *Publisher) people(ctx context.Context, t policies.Tenant, j Job) error {
	for part := range slices.Chunk(j.Ids, PeopleAtOnce) {
		one := j
		one.Ids = part
		err := store.Retry(ctx, record.ContendFor, func() error { return s.batch(ctx, t, one) })
		if err != nil {
			return err
		}
	}
	return nil
}

// Job is the task of a publication.
type Job struct {
	Ids []string
	// ahead says that marked members may have left before these came: they are published first.
	ahead bool
	// Edits change members before they are published, by id.
	Edits map[string]Edit
	// Merge are the ids of the member to remove and of the one who takes its place. "": none.
	Merge [2]string
}

// publication is one attempt to publish some members.
type publication struct {
	t      policies.Tenant
	ts     *store.TenantStore
	policy *mapping.Policy
	now    time.Time
	head   eventlog.Head

	subjects []*subject
	targets  mapping.Targets
	adopted  map[mapping.TargetKey]bool
	pools    map[mapping.TargetKey]*seat.Pool
	version  int64                      // of the policy
	decided  map[string]record.Member   // the results so far, by id
	made     map[mapping.TargetKey]bool // targets that this publication makes
	alike    map[string][]record.Member // by the ids of those whose identity is new: who shares a value
	marks    bool                       // that it has marked others
	edits    map[string]Edit
}

// subject is one member in a publication.
type subject struct {
	id     string
	marker marker.Marker
	marked bool
	person directory.Person
	manual []mapping.Manual
	old    *record.Member // as published; nil: never
	stale  []string
	logged eventlog.Link // the entry of the log about old
	// erasing is the entry of the log from which on the person is still to be erased; 0: none.
	erasing int64
	endless bool // the item of old has no end
	facts   mapping.Facts
	result  *mapping.Result // nil if the user is gone
	takes   map[mapping.TargetKey]int64
	waits   []record.Waiting // for seats

	replacedBy string           // who takes the place
	previous   *subject         // whose place it takes
	brings     []mapping.Manual // the manual assignments that come from previous
	traces     []store.Key      // by which one who left was found
	account    store.Item       // of one who is replaced
	adopts     store.Item       // an imported account
}

// batch is one attempt. It reads the head, then the markers, then all else: so a change that it does not see has a
// marker with another stamp. store.ErrStale says that something has changed meanwhile.
func (s *Publisher) batch(ctx context.Context, t policies.Tenant, j Job) error {
	p, err := s.read(ctx, t, j.Ids)
	if err != nil {
		return err
	}
	p.edits = j.Edits
	if j.Edits != nil || j.Merge[0] != "" {
		if err := p.agreed(ctx); err != nil {
			return err
		}
	}
	if len(p.newcomers()) > 0 || j.Merge[0] != "" {
		again, err := s.welcome(ctx, p, &j)
		if err != nil {
			return err
		}
		if again {
			return s.batch(ctx, t, j)
		}
	}
	if err := s.workOut(ctx, p); err != nil {
		return err
	}
	if err := p.recognise(ctx); err != nil {
		return err
	}
	var changed []*Change
	var same []*subject
	for _, sub := range p.subjects {
		c, err := p.change(ctx, sub)
		if err != nil {
			return err
		}
		if c == nil {
			same = append(same, sub)
			continue
		}
		changed = append(changed, c)
	}
	defer func() {
		if p.marks {
			s.o.Wake(t.ID) // of a read, which leaves these to others
		}
	}()
	if err := p.commitAll(ctx, changed); err != nil {
		return err
	}
	// The markers of unchanged members go last. If a change before fails, these members are evaluated again: one of
	// them may get the seat that the change would have taken.
	for _, sub := range same {
		if err := p.settle(ctx, sub); err != nil {
			return err
		}
	}
	return nil
}

// read reads the head, the markers, the policy, and people with their published members.
func (s *Publisher) read(ctx context.Context, t policies.Tenant, ids []string) (*publication, error) {
	p := &publication{t: t, ts: s.store.Tenant(t.ID), now: s.o.Now().UTC(), made: map[mapping.TargetKey]bool{}}
	if err := p.mark(ctx, ids); err != nil {
		return nil, err
	}
	var err error
	if p.policy, p.version, err = s.policies.Of(ctx, t); err != nil {
		return nil, err
	}
	people, err := s.o.Directory.People(ctx, t.ID, ids)
	if err != nil {
		return nil, err
	}
	for i, person := range people {
		p.subjects[i].person = person
	}
	return p, p.load(ctx)
}

// agreed asks the precondition of ctx about each member as read. The transaction of a change holds only if the member
// and its marker are still as read.
func (p *publication) agreed(ctx context.Context) error {
	for _, sub := range p.subjects {
		m := record.Member{ID: sub.id}
		if sub.old != nil {
			m = *sub.old
		}
		if sub.marked {
			m.Marked = sub.marker.Stamp
		}
		if err := precondition.Of(ctx, func() any { return m }); err != nil {
			return err
		}
	}
	return nil
}

// workOut evaluates the policy for the subjects that were read.
func (s *Publisher) workOut(ctx context.Context, p *publication) error {
	if err := s.facts(ctx, p); err != nil {
		return err
	}
	return s.evaluate(ctx, p, nil)
}

// mark reads the head and the markers, and writes the markers that are not there.
func (p *publication) mark(ctx context.Context, ids []string) error {
	keys := []store.Key{p.ts.LogHead()}
	for _, id := range ids {
		keys = append(keys, p.ts.Marker(string(marker.User), id))
	}
	items, err := p.ts.Get(ctx, keys...)
	if err != nil {
		return err
	}
	p.head = eventlog.DecodeHead(items[0])
	var missing []store.Op
	for i, id := range ids {
		sub := &subject{id: id, marked: items[i+1].Attrs != nil}
		if !sub.marked {
			op := marker.Mark(p.ts.Keys, marker.Subject{Kind: marker.User, ID: id}, marker.CauseOf(ctx), p.now)
			items[i+1] = store.Item{Key: op.Key, Attrs: op.Set}
			missing = append(missing, op)
		}
		if sub.marker, err = marker.Decode(items[i+1]); err != nil {
			return err
		}
		p.subjects = append(p.subjects, sub)
	}
	return p.ts.Batch(ctx, missing...)
}

// facts gathers the input of the evaluations.
func (s *Publisher) facts(ctx context.Context, p *publication) error {
	needs, manual := map[mapping.TargetKey]bool{}, map[mapping.TargetKey]bool{}
	for _, sub := range p.subjects {
		sub.facts = mapping.Facts{User: sub.person.Doc, Manual: sub.manual}
		for _, g := range sub.person.Groups {
			sub.facts.Memberships = append(sub.facts.Memberships, mapping.Membership{
				Group: s.policies.Matches(p.policy, g), Since: g.Since,
			})
		}
		for _, key := range p.policy.Needs(sub.facts) {
			needs[key] = true
		}
		for _, m := range sub.manual {
			if p.policy.Kinds[m.Kind].RemoveManual {
				manual[m.TargetKey] = true
			}
		}
	}
	var err error
	if p.targets, err = record.TargetsOf(ctx, p.ts, needs); err != nil {
		return err
	}
	full, err := record.FullKinds(ctx, p.ts, p.policy.Kinds, needs, p.targets)
	if err != nil {
		return err
	}
	p.adopted, err = record.AdoptedOf(ctx, p.ts, manual)
	for _, sub := range p.subjects {
		sub.facts.Targets, sub.facts.Adopted, sub.facts.Full = p.targets, p.adopted, full
	}
	return err
}

// Edit changes a member before it is published.
type Edit func(context.Context, *Change) error

// Change is a member that is to be published again.
type Change struct {
	*subject
	in    *publication
	next  record.Member
	makes []mapping.TargetKey
	ended []mapping.Manual
	told  []record.Told
	kept  []record.Told // assignments that a protection keeps
	due   []record.Told // events that don't follow from the differences, such as that of an invitation
	also  []store.Op    // each must hold
	then  func()        // called once the change is published; may be nil
	marks []string      // members to be evaluated again after it
	place int           // of its entry among those of the transaction
}

// Member is the member as it is to be published. An edit may change it.
func (c *Change) Member() *record.Member { return &c.next }

// Tell adds an event about the member.
func (c *Change) Tell(kind string) { c.due = append(c.due, record.Told{Kind: kind}) }

// Then has do called once the change is published.
func (c *Change) Then(do func()) { c.then = do }

// evaluate evaluates the policy for all subjects, and decides who has a seat. carried is the number of seats of
// each pool that are taken beside; nil: none.
func (s *Publisher) evaluate(ctx context.Context, p *publication, carried map[mapping.TargetKey]int64) error {
	for _, sub := range p.subjects {
		sub.result, sub.waits = nil, nil
		replaced := sub.replacedBy != "" || sub.old != nil && sub.old.ReplacedBy != ""
		if sub.person.Doc != nil && !replaced {
			if r := p.policy.Evaluate(sub.facts); !r.Excluded {
				sub.result = r
			}
		}
	}
	p.decided = map[string]record.Member{}
	return s.seating(ctx, p, carried)
}

// change works out the change of a member that has to be announced to the application; nil if there is none.
func (p *publication) change(ctx context.Context, sub *subject) (*Change, error) {
	alive := sub.old != nil && sub.old.Status != record.Removed
	c := &Change{subject: sub, in: p}
	switch {
	case sub.replacedBy != "":
		c.next = *sub.old
		c.next.Status, c.next.ReplacedBy = record.Removed, sub.replacedBy
		c.next.Assignments, c.next.Waiting, c.next.Kept = nil, nil, nil
	case sub.old != nil && sub.old.ReplacedBy != "":
		return nil, nil // the member that took the place has it
	case sub.result != nil:
		c.makes, c.ended = sub.result.Makes, sub.result.Ended
		c.next = p.next(sub, sub.result, alive)
	case alive && sub.person.Doc == nil && (sub.old.Deleted || p.policy.OnDelete == "deactivate"):
		c.next = p.retired(sub)
	case alive:
		c.next = *sub.old
		c.next.Status, c.next.Assignments, c.next.Waiting = record.Removed, nil, nil
		c.next.Gone, c.next.Kept = sub.person.Doc == nil, sub.manual
	default:
		return nil, nil
	}
	if err := p.protect(ctx, c); err != nil {
		return nil, err
	}
	if c.next.Status == record.Removed {
		c.ended = sub.manual
	} else {
		c.next.Kept = nil
	}
	old := sub.old
	if !alive {
		old = nil
	}
	if sub.result != nil {
		c.due = p.due(&c.next)
		if err := c.own(ctx); err != nil {
			return nil, err
		}
	}
	if edit := p.edits[sub.id]; edit != nil && c.next.Status != record.Removed {
		if err := edit(ctx, c); err != nil {
			return nil, err
		}
	}
	p.suspect(c)
	p.decided[sub.id] = c.next
	if alive && record.Same(*old, c.next) && len(c.ended) == 0 && sub.previous == nil {
		return nil, nil
	}
	c.told = slices.Concat(record.Tell(old, c.next), c.kept, c.due)
	if sub.replacedBy != "" {
		c.told = []record.Told{{Kind: record.EventRemoved, Data: scim.Object{"replacedBy": sub.replacedBy}}}
	}
	if len(c.told) == 0 {
		c.told = []record.Told{{Kind: record.EventUpdated, Data: scim.Object{"changes": []any{}}}}
	}
	p.count(sub, &c.next)
	return c, nil
}

// retired is a member who stays though its user was deleted: as last published, inactive, with the manual assignments
// alone, but those of kinds with seats.
func (p *publication) retired(sub *subject) record.Member {
	next := *sub.old
	next.Status, next.Deleted, next.Gone = mapping.Inactive, true, true
	next.Assignments, next.Waiting = nil, nil
	for _, m := range sub.manual {
		if p.policy.Kinds[m.Kind].Seats == "" {
			next.Assignments = append(next.Assignments, record.Assignment{
				TargetKey: m.TargetKey, Manual: true, Since: time.UnixMilli(m.Since).UTC(),
			})
		}
	}
	return next
}

func (p *publication) count(sub *subject, next *record.Member) {
	next.ChangedAt = p.now
	next.Version = 1
	if sub.old != nil {
		next.Version = sub.old.Version + 1
	}
}

// next is the member as an evaluation wants it.
func (p *publication) next(sub *subject, r *mapping.Result, alive bool) record.Member {
	next := record.Member{ID: sub.id, CreatedAt: p.now}
	if alive {
		next = *sub.old
	} else if sub.old != nil { // once in a life stays once
		next.InvitedAt, next.Announced, next.ActiveBefore = sub.old.InvitedAt, sub.old.Announced, sub.old.ActiveBefore
		next.AccountID, next.PreviousID, next.Earlier = sub.old.AccountID, sub.old.PreviousID, sub.old.Earlier
	}
	if sub.previous != nil {
		next.Inherit(*sub.previous.old)
	}
	next.Status, next.Person = r.Status, r.Person
	next.ActiveBefore = next.ActiveBefore || r.Status == mapping.Active
	next.Manager = nil
	if r.Person.Manager != "" {
		next.Manager = &record.Manager{
			Value: r.Person.Manager, ID: sub.person.ManagerID, DisplayName: sub.person.ManagerName,
		}
	}
	next.Assignments = nil
	for _, a := range r.Assignments {
		as := record.Assignment{
			TargetKey: a.TargetKey, Scim: a.Scim, Manual: a.Manual, Rules: a.Rules, Since: time.UnixMilli(
				a.Since,
			).UTC(),
			DisplayName: p.display(sub, a.TargetKey),
		}
		before := record.Assignment{Since: p.now, Cause: sub.marker.Cause}
		if alive {
			if i := record.Find(sub.old.Assignments, a.TargetKey); i >= 0 {
				before = sub.old.Assignments[i]
			}
		}
		as.Cause = before.Cause
		if a.Since == 0 {
			as.Since = before.Since
		}
		next.Assignments = append(next.Assignments, as)
	}
	next.Waiting = sub.waits
	return next
}

// due marks the events that a member has only once as done, and returns those that are new.
func (p *publication) due(next *record.Member) []record.Told {
	var all []record.Told
	if p.policy.Invite == "automatic" && next.Status == mapping.Active && next.InvitedAt.IsZero() {
		next.InvitedAt = p.now
		all = append(all, record.Told{Kind: record.EventInvitationDue})
	}
	for _, a := range next.Assignments {
		kind := p.policy.Kinds[a.Kind]
		if kind.AnnounceFirst != "" && !slices.Contains(next.Announced, a.Kind) {
			next.Announced = append(slices.Clone(next.Announced), a.Kind)
			slices.Sort(next.Announced)
			all = append(all, record.Told{Kind: kind.AnnounceFirst, Data: scim.Object{"assignment": a.Object()}})
		}
	}
	return all
}

// display is the name under which a target is shown; "" if it has none but its own.
func (p *publication) display(sub *subject, key mapping.TargetKey) string {
	if p.policy.Implicit && key.Kind == mapping.KindGroup {
		for _, g := range sub.person.Groups {
			if g.ID == key.Name {
				name, _ := g.Doc["displayName"].(string)
				return name
			}
		}
	}
	return p.targets[key].DisplayName
}
