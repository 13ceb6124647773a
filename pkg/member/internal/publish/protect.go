package publish

import (
	"context"
	"maps"
	"slices"

	"github.com/serverless-scim/serverless-scim/pkg/mapping"
	"github.com/serverless-scim/serverless-scim/pkg/member/internal/record"
	"github.com/serverless-scim/serverless-scim/pkg/scim"
	"github.com/serverless-scim/serverless-scim/pkg/store"
)

// eventProtected says that a member keeps a target which only it has.
const eventProtected = "protected.kept"

// protect lets the last active members with a protected target keep it, and stay active, for as long as there are
// no others. It counts the other members with the target. Any change of these also changes the head of the log. So
// if two publications take the target from one each of two members, only one can commit.
func (p *publication) protect(ctx context.Context, c *Change) error {
	c.next.Protected = false
	var again []mapping.TargetKey
	if c.replacedBy != "" {
		return nil // the member that takes the place is checked
	}
	for _, rule := range p.policy.Protect {
		key := mapping.TargetKey{Kind: rule.Kind, Name: rule.Target, Organisation: rule.Organisation}
		had := c.holder(key) != nil
		has := c.next.Status == mapping.Active && record.Find(c.next.Assignments, key) >= 0
		if has == had {
			// It has the target by itself now, and may have been marked to be let go.
			if has && c.holder(key).Protected {
				again = append(again, key)
			}
			continue
		}
		others, err := p.others(ctx, key, c.id, rule.AtLeast)
		if err != nil {
			return err
		}
		switch {
		case has && !had:
			err = p.release(ctx, c, key)
		case others < rule.AtLeast:
			p.keep(c, key)
		case c.holder(key).Protected: // and perhaps others need not keep it either
			err = p.release(ctx, c, key)
		}
		if err != nil {
			return err
		}
	}
	if c.next.Protected {
		return nil
	}
	for _, key := range again {
		if err := p.release(ctx, c, key); err != nil {
			return err
		}
	}
	return nil
}

// holder is the member as published before, or the one whose place it takes, if active and with the target; else nil.
func (c *Change) holder(key mapping.TargetKey) *record.Member {
	before := []*record.Member{c.old}
	if c.previous != nil {
		before = append(before, c.previous.old)
	}
	for _, m := range before {
		if m != nil && m.Status == mapping.Active && record.Find(m.Assignments, key) >= 0 {
			return m
		}
	}
	return nil
}

// keep leaves a member active, with an assignment that it had, and its seat if it has one.
func (p *publication) keep(c *Change, key mapping.TargetKey) {
	holder := c.holder(key)
	old := holder.Assignments[record.Find(holder.Assignments, key)]
	c.next.Status, c.next.Protected = mapping.Active, true
	if record.Find(c.next.Assignments, key) < 0 {
		if pool := p.pools[key]; pool != nil {
			c.takes[key]++
			pool.Planned++
		}
		c.next.Assignments = append(slices.Clone(c.next.Assignments), old)
		slices.SortFunc(c.next.Assignments, func(
			a, b record.Assignment,
		) int {
			return record.CompareKeys(a.TargetKey, b.TargetKey)
		})
	}
	if !holder.Protected {
		c.kept = append(c.kept, record.Told{Kind: eventProtected, Data: scim.Object{"assignment": old.Object()}})
	}
}

// others counts the active members beside one who have a target, up to most. It counts the members of this
// publication by the results for them so far.
func (p *publication) others(ctx context.Context, key mapping.TargetKey, but string, most int) (n int, err error) {
	counts := func(m record.Member) bool {
		return m.ID != but && m.Status == mapping.Active && record.Find(m.Assignments, key) >= 0
	}
	for _, m := range p.decided {
		if counts(m) {
			n++
		}
	}
	l := record.Holders(key)
	for after := ""; n < most; {
		var page record.List
		if err := l.Walk(ctx, p.ts, after, most+1, &page); err != nil {
			return 0, err
		}
		for _, m := range page.Members {
			if _, decided := p.decided[m.ID]; !decided && counts(m) {
				n++
			}
		}
		if after = page.Next; after == "" {
			break
		}
	}
	return n, nil
}

// A change marks at most releasedAtOnce members for each target because they may be let go, and releasedInAll for all.
const (
	releasedAtOnce = 10
	releasedInAll  = 4 * releasedAtOnce
)

// release marks members who keep a target only because nobody else had it, so that they are evaluated again: those
// who were published so, and those for whom this publication has decided it before the change c. It marks a few: as
// long as they are let go, each of them marks others.
func (p *publication) release(ctx context.Context, c *Change, key mapping.TargetKey) error {
	prefix := p.ts.PublishedPrefix(record.ByProtected, record.AssignmentValue(key))
	page, err := p.ts.Query(ctx, store.Query{
		PK: prefix.PK, Prefix: prefix.SK, Select: store.KeysOnly, Limit: releasedAtOnce + len(p.decided),
	})
	if err != nil {
		return err
	}
	var ids []string
	for _, item := range page.Items {
		if id := store.LastPart(item.SK); p.decided[id].ID == "" {
			ids = append(ids, id)
		}
	}
	for _, id := range slices.Sorted(maps.Keys(p.decided)) {
		if m := p.decided[id]; m.Protected && record.Find(m.Assignments, key) >= 0 {
			ids = append(ids, id)
		}
	}
	most := min(len(c.marks)+releasedAtOnce, releasedInAll)
	for _, id := range ids {
		if id != c.id && !slices.Contains(c.marks, id) && len(c.marks) < most {
			c.marks = append(c.marks, id)
		}
	}
	return nil
}
