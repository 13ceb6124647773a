package pass

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/serverless-scim/serverless-scim/pkg/directory"
	"github.com/serverless-scim/serverless-scim/pkg/event/eventlog"
	"github.com/serverless-scim/serverless-scim/pkg/mapping"
	"github.com/serverless-scim/serverless-scim/pkg/member/internal/policies"
	"github.com/serverless-scim/serverless-scim/pkg/member/internal/record"
	"github.com/serverless-scim/serverless-scim/pkg/member/marker"
	"github.com/serverless-scim/serverless-scim/pkg/store"
)

// A marker of a group, a target or the policy stands for many members. A pass goes through them in order of id, a
// chunk a call, and marks each: the rest is the publication of single members. Its progress is an item that names
// the stamp of the marker, so that the pass of a newer change begins at the start.

// passChunk is the number of members or groups that one step of a pass marks.
const passChunk = 200

// Passes mark the members whom wide markers are about. They are safe for concurrent use.
type Passes struct {
	store     *store.Store
	policies  *policies.Policies
	directory *directory.Directory
	now       func() time.Time
}

// New are the passes over the people of a directory.
func New(s *store.Store, all *policies.Policies, d *directory.Directory, now func() time.Time) *Passes {
	return &Passes{s, all, d, now}
}

// pass is the progress of marking the members that a marker is about.
type pass struct {
	marker marker.Marker
	key    store.Key
	phase  string // phaseGroups or phaseUsers
	after  string // the last id that is done
	done   int64  // how many members are marked
}

// The phases of a pass over the whole tenant. Groups come first: the targets that they adopt decide about members.
// The pass of a policy has one more step: when all members that it marked are published, the policy is applied.
const (
	phaseGroups = "groups"
	phaseUsers  = "users"
	phaseEnd    = "end"
)

const (
	attrAfter = "after"
	attrPhase = "phase"
)

// Wide reads the markers for many members, in the order in which they are handled.
func Wide(ctx context.Context, ts *store.TenantStore) ([]marker.Marker, error) {
	return marker.ListWide(ctx, ts, passChunk)
}

// passOf reads the progress of the pass of a marker.
func passOf(ctx context.Context, ts *store.TenantStore, m marker.Marker) (pass, error) {
	p := pass{marker: m, key: ts.Pass(string(m.Subject.Kind), m.Subject.ID), phase: phaseGroups}
	items, err := ts.Get(ctx, p.key)
	if err != nil {
		return p, err
	}
	if attrs := items[0].Attrs; attrs != nil && attrs[record.AttrStamp] == m.Stamp {
		p.phase, _ = attrs[attrPhase].(string)
		p.after, _ = attrs[attrAfter].(string)
		p.done, _ = attrs[record.AttrDone].(int64)
	}
	return p, nil
}

// adoptFor is the longest time that a read of one member spends on the targets that groups adopt.
const adoptFor = 3 * time.Second

// AdoptFirst works out which targets groups adopt, as far as markers say that it may have changed: that can end
// manual assignments of a member, and so its evaluation needs it. It continues the pass of each marker from its
// progress, and leaves the members to the pass. It reports false if the time was not enough, or if there are more
// markers than one call reads.
func (s *Passes) AdoptFirst(ctx context.Context, t policies.Tenant, id string, many []marker.Marker) (bool, error) {
	many = slices.DeleteFunc(slices.Clone(many), func(m marker.Marker) bool { return m.Subject.Kind == marker.Members })
	if len(many) == 0 {
		return true, nil
	}
	policy, _, err := s.policies.Of(ctx, t)
	if err != nil || !policy.EndsManual() {
		return true, err
	}
	ts := s.store.Tenant(t.ID)
	prefix := ts.ManualPrefix(id)
	manual, err := ts.Query(ctx, store.Query{PK: prefix.PK, Prefix: prefix.SK, Select: store.CountOnly, Limit: 1})
	if err != nil || manual.Count == 0 {
		return true, err
	}
	if len(many) >= passChunk {
		return false, nil
	}
	for until := s.now().Add(adoptFor); len(many) > 0; {
		before, err := passOf(ctx, ts, many[0])
		if err != nil {
			return false, err
		}
		if before.phase == phaseGroups {
			if err := s.Step(ctx, t, many[0]); err != nil {
				return false, err
			}
			now, err := passOf(ctx, ts, many[0])
			if err != nil {
				return false, err
			}
			if now.phase == phaseGroups && now.after != before.after {
				if s.now().After(until) {
					return false, nil
				}
				continue
			}
		} // else it is done; or the marker is gone, and any newer one came after this read
		many = many[1:]
	}
	return true, nil
}

// ErrMarked says that the last step of a policy's pass has to wait for members who are marked.
var ErrMarked = errors.New("member: members are marked, and the policy is applied after them")

// Step does one step of a pass, and ends the marker after the last one.
func (s *Passes) Step(ctx context.Context, t policies.Tenant, m marker.Marker) error {
	switch m.Subject.Kind {
	case marker.Seat:
		return s.review(ctx, t, m)
	case marker.Members:
		return s.joined(ctx, t, m)
	}
	ts := s.store.Tenant(t.ID)
	p, err := passOf(ctx, ts, m)
	if err != nil {
		return err
	}
	var last string
	switch {
	case p.phase == phaseGroups:
		last, err = s.groupsStep(ctx, t, &p)
	case p.phase == phaseEnd:
		return s.applied(ctx, t, p)
	case m.Subject.Kind == marker.Group:
		last, err = s.membersStep(ctx, t, &p)
	default:
		last, err = s.usersStep(ctx, t, &p)
	}
	if err != nil {
		return err
	}
	p.after = last
	switch {
	case last != "":
	case p.phase == phaseGroups:
		p.phase = phaseUsers
	case m.Subject.Kind == marker.Policy:
		if err := s.markProtected(ctx, ts, m); err != nil {
			return err
		}
		p.phase = phaseEnd
	default:
		return s.endPass(ctx, ts, p)
	}
	var tx store.Tx
	tx.Add(store.PutItem(p.key, store.Attrs{
		record.AttrStamp: m.Stamp, attrPhase: p.phase, attrAfter: p.after, record.AttrDone: p.done,
	}))
	tx.Must(store.CheckItem(m.Key, m.Unchanged()), errEnded)
	return ignoreEnded(tx.Commit(ctx, ts))
}

// applied ends the pass of a policy, unless another process has marked the last members since this one found none
// marked.
func (s *Passes) applied(ctx context.Context, t policies.Tenant, p pass) error {
	ts := s.store.Tenant(t.ID)
	marked, err := marker.List(ctx, ts, marker.User, 1)
	if err != nil {
		return err
	}
	if len(marked) > 0 {
		return ErrMarked
	}
	if err := s.policies.Applied(ctx, t, p.marker); err != nil {
		return err
	}
	return s.endPass(ctx, ts, p)
}

// joined marks the users who became or ceased to be members of a group. If they do so by open work, its steps mark
// them, so they have to be done.
func (s *Passes) joined(ctx context.Context, t policies.Tenant, m marker.Marker) error {
	ts := s.store.Tenant(t.ID)
	if len(m.Joined.Users) == 0 {
		done, err := s.directory.FinishMembers(ctx, t.ID, m.Joined.Group, passChunk)
		if err != nil || !done {
			return err
		}
	}
	if err := s.markAll(ctx, ts, m.Joined.Users, m.Cause); err != nil {
		return err
	}
	return s.endPass(ctx, ts, pass{marker: m, key: ts.Pass(string(m.Subject.Kind), m.Subject.ID)})
}

// errEnded says that the marker of a pass is gone, or another one: another process has ended the pass, or it
// begins again.
var errEnded = errors.New("member: the pass was ended")

func ignoreEnded(err error) error {
	if errors.Is(err, errEnded) {
		return nil
	}
	return err
}

// endPass removes the marker with the progress, if it still is the one that the pass began with.
func (s *Passes) endPass(ctx context.Context, ts *store.TenantStore, p pass) error {
	var tx store.Tx
	tx.Must(p.marker.Done(), errEnded)
	tx.Add(store.RemoveItem(p.key))
	return ignoreEnded(tx.Commit(ctx, ts))
}

// groupsStep works out which targets groups adopt: of one group, or of the next among all. It returns the last id that
// it looked at; "": there are no more.
func (s *Passes) groupsStep(ctx context.Context, t policies.Tenant, p *pass) (last string, err error) {
	ids := []string{p.marker.Subject.ID}
	if p.marker.Subject.Kind != marker.Group {
		if ids, err = s.directory.GroupIDs(ctx, t.ID, p.after, passChunk); err != nil {
			return "", err
		}
		if len(ids) == passChunk {
			last = ids[len(ids)-1]
		}
	}
	groups, err := s.directory.GroupsOf(ctx, t.ID, ids)
	if err != nil {
		return "", err
	}
	policy, _, err := s.policies.Of(ctx, t)
	if err != nil {
		return "", err
	}
	for _, g := range groups {
		one := groupOf{g.ID, g.Version, g.Doc, p.marker.Cause}
		if err := s.adopt(ctx, s.store.Tenant(t.ID), policy, one); err != nil {
			return "", err
		}
		if err := s.renamed(ctx, t, one); err != nil {
			return "", err
		}
	}
	return last, nil
}

// groupOf is a group whose adoptions are worked out; doc is nil if it is gone.
type groupOf struct {
	id      string
	version int64
	doc     map[string]any
	cause   eventlog.Cause
}

// adopt brings the items that say which targets a group adopts up to date, and marks the members whose manual
// assignments that concerns. Every step can be repeated.
func (s *Passes) adopt(ctx context.Context, ts *store.TenantStore, policy *mapping.Policy, g groupOf) error {
	return store.Retry(ctx, record.ContendFor, func() error { return s.adoptOnce(ctx, ts, policy, g) })
}

// adoptOnce is one try of adopt; store.ErrStale if the name of the group in the item was changed meanwhile.
func (s *Passes) adoptOnce(ctx context.Context, ts *store.TenantStore, policy *mapping.Policy, g groupOf) error {
	items, err := ts.Get(ctx, ts.GroupTargets(g.id))
	if err != nil {
		return err
	}
	had := record.ParseList(items[0].Attrs[record.AttrDoc])
	has, err := s.adopts(ctx, ts, policy, g)
	if err != nil || slices.Equal(had, has) {
		return err
	}
	var ops []store.Op
	var changed []string
	for _, joined := range has {
		if !slices.Contains(had, joined) {
			changed = append(changed, joined)
			ops = append(ops, store.PutItem(record.AdoptedKey(ts.Keys, joined, g.id), nil))
		}
	}
	for _, joined := range had {
		if !slices.Contains(has, joined) {
			changed = append(changed, joined)
			ops = append(ops, store.RemoveItem(record.AdoptedKey(ts.Keys, joined, g.id)))
		}
	}
	if err := ts.Batch(ctx, ops...); err != nil {
		return err
	}
	for _, joined := range changed {
		if err := s.markHolders(ctx, ts, record.SplitTarget(joined), g.cause); err != nil {
			return err
		}
	}
	err = ts.Write(ctx, listOf(items[0], has))
	if failed := (*store.ConditionError)(nil); errors.As(err, &failed) {
		return store.ErrStale
	}
	return err
}

// listOf writes the targets that a group adopts into an item as it was read, and leaves the announced name of the group
// in it.
func listOf(item store.Item, has []string) store.Op {
	op := store.Op{Kind: store.Update, Key: item.Key, Set: store.Attrs{store.AttrSchema: store.SchemaVersion}}
	name, named := item.Attrs[attrName].(string)
	switch {
	case len(has) > 0:
		op.Set[record.AttrDoc] = record.EncodeList(has)
	case named:
		op.Unset, op.If = []string{record.AttrDoc}, []store.Cond{store.Is(attrName, name)}
	default:
		op = store.RemoveItem(item.Key).When(store.Lacks(attrName))
	}
	return op
}

// adopts lists the joined keys of the targets that a group adopts, in order.
func (s *Passes) adopts(
	ctx context.Context,
	ts *store.TenantStore,
	policy *mapping.Policy,
	g groupOf,
) ([]string, error) {
	if g.doc == nil {
		return nil, nil
	}
	group := s.policies.Matches(policy, directory.GroupOf{ID: g.id, Version: g.version, Doc: g.doc})
	needs := map[mapping.TargetKey]bool{}
	facts := mapping.Facts{Memberships: []mapping.Membership{{Group: group}}}
	for _, key := range policy.Needs(facts) {
		needs[key] = true
	}
	targets, err := record.TargetsOf(ctx, ts, needs)
	if err != nil {
		return nil, err
	}
	var joined []string
	for _, key := range group.Adopts(targets) {
		joined = append(joined, store.Join(key.Kind, key.Organisation, key.Name))
	}
	slices.Sort(joined)
	return slices.Compact(joined), nil
}

// markHolders marks the members who have a target, of any origin.
func (s *Passes) markHolders(
	ctx context.Context,
	ts *store.TenantStore,
	key mapping.TargetKey,
	cause eventlog.Cause,
) error {
	prefix := ts.PublishedPrefix(record.ByAssignment, record.AssignmentValue(key))
	var ids []string
	for item, err := range ts.All(ctx, store.Query{PK: prefix.PK, Prefix: prefix.SK, Select: store.KeysOnly}) {
		if err != nil {
			return err
		}
		if ids = append(ids, store.LastPart(item.SK)); len(ids) == passChunk {
			if err := s.markAll(ctx, ts, ids, cause); err != nil {
				return err
			}
			ids = ids[:0]
		}
	}
	return s.markAll(ctx, ts, ids, cause)
}

// markAll marks members.
func (s *Passes) markAll(ctx context.Context, ts *store.TenantStore, ids []string, cause eventlog.Cause) error {
	ops := make([]store.Op, len(ids))
	for i, id := range ids {
		ops[i] = marker.Mark(ts.Keys, marker.Subject{Kind: marker.User, ID: id}, cause, s.now())
	}
	return ts.Batch(ctx, ops...)
}

// membersStep marks the next members of a group.
func (s *Passes) membersStep(ctx context.Context, t policies.Tenant, p *pass) (string, error) {
	ids, last, err := s.directory.UsersIn(ctx, t.ID, p.marker.Subject.ID, p.after, passChunk)
	if err != nil {
		return "", err
	}
	p.done += int64(len(ids))
	return last, s.markAll(ctx, s.store.Tenant(t.ID), ids, p.marker.Cause)
}

// usersStep marks the next users of the tenant. The pass of a policy, which is also that of a tenant that
// publishes again, also marks the members whose users were deleted while the tenant published nothing.
func (s *Passes) usersStep(ctx context.Context, t policies.Tenant, p *pass) (last string, err error) {
	ids, err := s.directory.UserIDs(ctx, t.ID, p.after, passChunk)
	if err != nil {
		return "", err
	}
	if len(ids) == passChunk {
		last = ids[len(ids)-1]
	}
	ts := s.store.Tenant(t.ID)
	marked := ids
	if p.marker.Subject.Kind == marker.Policy {
		if ids, marked, last, err = withPublished(ctx, ts, p.after, ids, last); err != nil {
			return "", err
		}
	}
	p.done += int64(len(ids))
	return last, s.markAll(ctx, ts, marked, p.marker.Cause)
}

// withPublished adds the members after an id who are published and are no users any more to the next users. last
// is the last of the users, "" if there are no more. It returns the users and the members up to the last id to
// which both were read.
func withPublished(
	ctx context.Context, ts *store.TenantStore, after string, ids []string, last string,
) (users, all []string, end string, err error) {
	page, err := ts.Query(ctx, store.Query{PK: ts.Published("").PK, After: after, Limit: passChunk})
	if err != nil {
		return nil, nil, "", err
	}
	end = last
	if page.More && (end == "" || page.Last < end) {
		end = page.Last
	}
	for _, id := range ids {
		if end == "" || id <= end {
			users = append(users, id)
		}
	}
	all = slices.Clone(users)
	for _, item := range page.Items {
		if _, isUser := slices.BinarySearch(users, item.SK); isUser || end != "" && item.SK > end {
			continue
		}
		m, err := record.DecodeItem(item)
		if err != nil {
			return nil, nil, "", err
		}
		if m.Status != record.Removed && !m.Deleted {
			all = append(all, item.SK)
		}
	}
	return users, all, end, nil
}

// markProtected marks the members whom a protection keeps: a policy may have ended it, and their users may be gone.
func (s *Passes) markProtected(ctx context.Context, ts *store.TenantStore, m marker.Marker) error {
	prefix := ts.PublishedPrefix(record.ByProtected, "")
	prefix.SK = prefix.SK[:len(prefix.SK)-len(store.Sep)]
	var ids []string
	for item, err := range ts.All(ctx, store.Query{PK: prefix.PK, Prefix: prefix.SK, Select: store.KeysOnly}) {
		if err != nil {
			return err
		}
		ids = append(ids, store.LastPart(item.SK))
	}
	return s.markAll(ctx, ts, ids, m.Cause)
}
