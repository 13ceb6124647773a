package publish

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"sync"

	"github.com/serverless-scim/serverless-scim/pkg/member/internal/record"
	"github.com/serverless-scim/serverless-scim/pkg/scim"
	"github.com/serverless-scim/serverless-scim/pkg/store"
	"github.com/serverless-scim/serverless-scim/pkg/task"
)

// Two members are probably one person if they share an address and one of them has no externalId, if they share an
// externalId, or if none has one and both have the same name and the same address but for the domain. A member
// that is published with another identity is compared with the present members, under the head of the log: so of
// two that come at the same time the second sees the first. A member keeps the ids of its
// possible duplicates. A pair is announced once, and listed for as long as both still share such values.

// eventDuplicate says that a member is probably the same person as another one. Data: other, by.
const eventDuplicate = "duplicate.suspected"

// maxSuspects bounds the suspects of one member: an address may be a department's.
const maxSuspects = 10

// recognise reads the published members who share a value with subjects whose identity is new.
func (p *publication) recognise(ctx context.Context) error {
	p.alike = map[string][]record.Member{}
	var mu sync.Mutex
	found := map[string]map[string]bool{} // by the id of who shares a value: the subjects
	g, gctx := task.WithContext(ctx)
	g.SetLimit(readersAtOnce)
	for _, sub := range p.subjects {
		if sub.result == nil || sub.old != nil && sub.old.Status != record.Removed &&
			record.IdentityOf(sub.old.Person) == record.IdentityOf(sub.result.Person) {
			continue
		}
		p.alike[sub.id] = nil
		for _, prefix := range record.IdentityOf(sub.result.Person).Prefixes(p.ts.Keys) {
			g.Go(func() error {
				q := store.Query{PK: prefix.PK, Prefix: prefix.SK, Select: store.KeysOnly, Limit: maxSuspects + 1}
				page, err := p.ts.Query(gctx, q)
				mu.Lock()
				defer mu.Unlock()
				for _, item := range page.Items {
					if id := store.LastPart(item.SK); id != sub.id {
						if found[id] == nil {
							found[id] = map[string]bool{}
						}
						found[id][sub.id] = true
					}
				}
				return err
			})
		}
	}
	if err := g.Wait(); err != nil {
		return err
	}
	others, err := record.PublishedOf(ctx, p.ts, slices.Sorted(maps.Keys(found)))
	for _, m := range others {
		for id := range found[m.ID] {
			p.alike[id] = append(p.alike[id], m)
		}
	}
	return err
}

// readersAtOnce is the number of lookups of one publication that are read in parallel.
const readersAtOnce = 16

// suspect sets the ids of the members that the member of a change may be the duplicate of, and adds an event for
// each new one among them.
func (p *publication) suspect(c *Change) {
	if c.next.Status == record.Removed {
		c.next.Suspects = nil
	}
	alike, looked := p.alike[c.id]
	if !looked || c.next.Status == record.Removed {
		return
	}
	for id, m := range p.decided {
		if id != c.id && !slices.ContainsFunc(alike, func(m record.Member) bool { return m.ID == id }) {
			alike = append(alike, m)
		}
	}
	slices.SortFunc(alike, func(a, b record.Member) int { return cmp.Compare(a.ID, b.ID) })
	had := c.next.Suspects
	c.next.Suspects = nil
	for _, other := range alike {
		other = p.asOfNow(other)
		by := record.SharedBy(c.next, other)
		if len(by) == 0 || slices.Contains(other.Suspects, c.id) || len(c.next.Suspects) == maxSuspects {
			continue
		}
		c.next.Suspects = append(c.next.Suspects, other.ID)
		if !slices.Contains(had, other.ID) {
			c.due = append(c.due, record.Told{
				Kind: eventDuplicate, Data: scim.Object{"other": other.ID, "by": record.Texts(by)},
			})
		}
	}
}

// asOfNow is a published member as this publication leaves it, as far as that is worked out.
func (p *publication) asOfNow(m record.Member) record.Member {
	if decided, ok := p.decided[m.ID]; ok {
		return decided
	}
	sub := p.subject(m.ID)
	switch {
	case sub == nil:
	case sub.result != nil:
		m.Person = sub.result.Person
	case sub.replacedBy != "", !m.Deleted && (sub.person.Doc != nil || p.policy.OnDelete != "deactivate"):
		m.Status = record.Removed
	}
	return m
}
