package publish

import (
	"cmp"
	"context"
	"maps"
	"net/http"
	"slices"

	"github.com/serverless-scim/serverless-scim/pkg/mapping"
	"github.com/serverless-scim/serverless-scim/pkg/member/internal/record"
	"github.com/serverless-scim/serverless-scim/pkg/member/marker"
	"github.com/serverless-scim/serverless-scim/pkg/store"
)

// merge has one subject take the place of another, if both are there.
func (p *publication) merge(old, into *subject) error {
	switch {
	case old == nil || into == nil || into.old == nil:
		return store.ErrStale
	case old.old == nil, old.old.Status == record.Removed && !p.returns(old.old):
		return record.Refuse(http.StatusNotFound, "There is no member %q.", old.id)
	case into.old.Status == record.Removed:
		return record.Refuse(http.StatusNotFound, "There is no member %q.", into.id)
	case into.person.Doc == nil || p.policy.Evaluate(mapping.Facts{User: into.person.Doc}).Excluded:
		return record.Refuse(http.StatusConflict, "Member %q has no SCIM user: merge it into the other one.", into.id)
	}
	p.replace(old, into)
	return nil
}

// A person who returns has a new user, and so a new member. If it matches a member whose user is gone, it takes
// that member's place: the old one is removed with replacedBy, and the new one is created with previousId, in one
// transaction. Members whose user is gone are found by the attributes that the policy matches by. There is one
// item for each value, so that looking for a new member costs one read: the last member who left counts.

// returns reports whether a new member can still take the member's place.
func (p *publication) returns(m *record.Member) bool {
	if m == nil || !m.Gone || m.ReplacedBy != "" {
		return false
	}
	return m.Status != record.Removed || m.ChangedAt.Add(record.KeptRemoved).After(p.now)
}

// newcomers are the subjects who were never published.
func (p *publication) newcomers() []*subject {
	var all []*subject
	for _, sub := range p.subjects {
		if sub.old == nil && sub.person.Doc != nil {
			all = append(all, sub)
		}
	}
	return all
}

// welcome looks for the members whose place newcomers take. It reports true if the attempt has to begin again: with
// those members, or because others had to be published first.
func (s *Publisher) welcome(ctx context.Context, p *publication, j *Job) (again bool, err error) {
	var leavers []string
	if p.policy.OnReturn == "restore" {
		leavers = p.leavers()
	}
	if j.ahead && p.policy.OnReturn == "restore" {
		j.ahead = false
		others, err := s.leaversBeside(ctx, p)
		if err != nil {
			return false, err
		}
		leavers = append(leavers, others...)
	}
	if len(leavers) > 0 {
		return true, s.people(ctx, p.t, Job{Ids: leavers})
	}
	missing, err := p.predecessors(ctx, j.Merge)
	j.Ids = slices.Concat(j.Ids, missing)
	return len(missing) > 0, err
}

// leavers are the subjects whose users were deleted, if that is not published yet.
func (p *publication) leavers() []string {
	var ids []string
	for _, sub := range p.subjects {
		if sub.person.Doc == nil && sub.old != nil && sub.old.Status != record.Removed && !sub.old.Gone {
			ids = append(ids, sub.id)
		}
	}
	return ids
}

// leaversBeside are marked members beside the subjects whose users were deleted, among the first of those marked.
func (s *Publisher) leaversBeside(ctx context.Context, p *publication) ([]string, error) {
	all, err := marker.List(ctx, p.ts, marker.User, 4*PeopleAtOnce)
	if err != nil {
		return nil, err
	}
	var ids []string
	var keys []store.Key
	for _, m := range all {
		if p.subject(m.Subject.ID) == nil {
			ids, keys = append(ids, m.Subject.ID), append(keys, p.ts.User(m.Subject.ID))
		}
	}
	items, err := p.ts.Get(ctx, keys...)
	var gone []string
	for i, item := range items {
		if item.Attrs == nil {
			gone = append(gone, ids[i])
		}
	}
	return gone, err
}

// predecessors finds the members whose place subjects take. It returns those who are not subjects: the attempt has to
// begin again with them, since their markers must be read before anything else.
func (p *publication) predecessors(ctx context.Context, merge [2]string) (missing []string, err error) {
	if merge[0] != "" {
		if err := p.merge(p.subject(merge[0]), p.subject(merge[1])); err != nil {
			return nil, err
		}
	}
	found, err := p.left(ctx)
	if err != nil {
		return nil, err
	}
	taken := map[string]bool{}
	for _, sub := range p.newcomers() {
		if len(found[sub.id]) > 0 && p.policy.Evaluate(mapping.Facts{User: sub.person.Doc}).Excluded {
			continue
		}
		for _, id := range found[sub.id] {
			old := p.subject(id)
			switch {
			case taken[id] || old != nil && !p.returns(old.old):
				continue
			case old == nil:
				missing = append(missing, id)
			default:
				p.replace(old, sub)
			}
			taken[id] = true
			break
		}
	}
	if len(missing) > 0 {
		return missing, nil
	}
	p.arrange()
	if err := p.traces(ctx); err != nil {
		return nil, err
	}
	return nil, p.adopt(ctx)
}

// left reads the members who left and have values of newcomers: ids by newcomer, in the order of the policy.
func (p *publication) left(ctx context.Context) (map[string][]string, error) {
	if p.policy.OnReturn != "restore" {
		return nil, nil
	}
	var keys []store.Key
	var of []string
	for _, sub := range p.newcomers() {
		for _, m := range record.Matches(p.policy.Match, p.policy.Person(sub.person.Doc)) {
			keys, of = append(keys, p.ts.Left(m.Attribute, m.Value)), append(of, sub.id)
		}
	}
	items, err := p.ts.Get(ctx, keys...)
	found := map[string][]string{}
	for i, item := range items {
		if id, _ := item.Attrs[record.AttrMember].(string); id != "" && id != of[i] {
			found[of[i]] = append(found[of[i]], id)
		}
	}
	return found, err
}

func (p *publication) subject(id string) *subject {
	i := slices.IndexFunc(p.subjects, func(s *subject) bool { return s.id == id })
	if i < 0 {
		return nil
	}
	return p.subjects[i]
}

// replace has a subject take the place of another.
func (p *publication) replace(old, by *subject) {
	old.replacedBy, by.previous = by.id, old
	moved := old.manual
	if old.old.Status == record.Removed {
		moved = old.old.Kept
	}
	has := map[mapping.TargetKey]bool{}
	for _, m := range by.manual {
		has[m.TargetKey] = true
	}
	by.manual = slices.Clone(by.manual)
	for _, m := range moved {
		if !has[m.TargetKey] {
			by.manual, by.brings = append(by.manual, m), append(by.brings, m)
		}
	}
}

// arrange puts a replaced member right in front of the one that takes its place: so a seat is free before it is
// taken, and both are published together.
func (p *publication) arrange() {
	all := make([]*subject, 0, len(p.subjects))
	for _, sub := range p.subjects {
		if sub.previous != nil {
			all = append(all, sub.previous)
		}
		if sub.replacedBy == "" {
			all = append(all, sub)
		}
	}
	p.subjects = all
}

// traces reads the items by which those who are replaced are found, to delete them.
func (p *publication) traces(ctx context.Context) error {
	var keys []store.Key
	var of []*subject
	for _, sub := range p.subjects {
		if sub.replacedBy == "" {
			continue
		}
		for key := range p.leftKeys(sub.old) {
			keys, of = append(keys, key), append(of, sub)
		}
		if id := sub.old.AccountID; id != "" {
			keys, of = append(keys, p.ts.Account(id)), append(of, sub)
		}
	}
	items, err := p.ts.Get(ctx, keys...)
	for i, item := range items {
		if item.Attrs[record.AttrMember] != of[i].id {
			continue
		}
		if item.Key == p.ts.Account(of[i].old.AccountID) {
			of[i].account = item
		} else {
			of[i].traces = append(of[i].traces, item.Key)
		}
	}
	return err
}

// leftKeys are the keys by which a member is found who can be replaced.
func (p *publication) leftKeys(m *record.Member) map[store.Key]bool {
	keys := map[store.Key]bool{}
	if p.policy.OnReturn == "restore" && p.returns(m) {
		for _, v := range record.Matches(p.policy.Match, m.Person) {
			keys[p.ts.Left(v.Attribute, v.Value)] = true
		}
	}
	return keys
}

// trace returns the operations that make a member who has left found, or end that.
func (p *publication) trace(c *Change) []store.Op {
	var ops []store.Op
	for _, key := range c.traces {
		ops = append(ops, store.RemoveItem(key).When(store.Is(record.AttrMember, c.id)))
	}
	had := map[store.Key]bool{}
	if c.old != nil && c.old.Status == c.next.Status {
		had = p.leftKeys(c.old)
	}
	for _, key := range slices.SortedFunc(maps.Keys(p.leftKeys(&c.next)), compareSK) {
		if !had[key] {
			attrs := store.Attrs{record.AttrMember: c.id}
			if c.next.Status == record.Removed {
				attrs[store.AttrTTL] = c.next.ChangedAt.Add(record.KeptRemoved).Unix()
			}
			ops = append(ops, store.PutItem(key, attrs))
		}
	}
	return ops
}

func compareSK(a, b store.Key) int { return cmp.Compare(a.SK, b.SK) }
