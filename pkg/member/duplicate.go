package member

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"strings"
	"sync"

	"github.com/serverless-scim/serverless-scim/pkg/mapping"
	"github.com/serverless-scim/serverless-scim/pkg/scim"
	"github.com/serverless-scim/serverless-scim/pkg/store"
	"github.com/serverless-scim/serverless-scim/pkg/task"
)

// Two members are probably one person if they share an address and one of them has no externalId, if they share an
// externalId, or if none has one and both have the same name and the same address but for the domain. Whoever is
// published with another identity is held against the members who are there, under the head of the log: so of two who
// come at the same time the second sees the first. A member keeps the ids of those whom it may be the duplicate of. A
// pair is told of once, and listed for as long as both still share what they did.

// EventDuplicate says that a member is probably the same person as another one. Data: other, by.
const EventDuplicate = "duplicate.suspected"

// maxSuspects is how many others one member is suspected to be: an address may be a department's.
const maxSuspects = 10

// Duplicate are two members who are probably one person, the older one first. By are the attributes that they share.
type Duplicate struct {
	Members [2]Member
	By      []string
}

// Object is the pair as JSON.
func (d Duplicate) Object() scim.Object {
	return scim.Object{
		"members": []any{d.Members[0].Object(), d.Members[1].Object()}, "by": list(d.By),
	}
}

// sharedBy names what makes two members probably one person; nil: nothing.
func sharedBy(a, b Member) []string {
	if a.Status == Removed || b.Status == Removed || a.ID == b.ID {
		return nil
	}
	var by []string
	if a.ExternalID != "" && a.ExternalID == b.ExternalID {
		by = append(by, byExternalID)
	}
	if a.ExternalID != "" && b.ExternalID != "" {
		return by
	}
	name, email := scim.Fold(a.UserName), scim.Fold(a.Email)
	otherName, otherEmail := scim.Fold(b.UserName), scim.Fold(b.Email)
	if name != "" && name == otherName {
		by = append(by, byUserName)
	}
	if email != "" && (email == otherEmail || email == otherName) || otherEmail != "" && otherEmail == name {
		by = append(by, byEmail)
	}
	local := localPart(a.Person)
	if len(by) == 0 && local != "" && local == localPart(b.Person) && nameOf(a.Person) == nameOf(b.Person) {
		by = append(by, byName)
	}
	return by
}

// byName is what members share who have the same name, and the same address but for the domain.
const byName = "displayName"

// localPart is the folded part of a person's address before the domain, if the person has a name and no externalId;
// else "".
func localPart(person mapping.Person) string {
	if person.ExternalID != "" || nameOf(person) == "" {
		return ""
	}
	address := cmp.Or(person.Email, person.UserName)
	return scim.Fold(address[:max(strings.LastIndexByte(address, '@'), 0)])
}

// nameOf is the folded name of a person.
func nameOf(person mapping.Person) string {
	given, _ := person.Name["givenName"].(string)
	family, _ := person.Name["familyName"].(string)
	return scim.Fold(cmp.Or(person.DisplayName, strings.TrimSpace(given+" "+family)))
}

// identity is what duplicates are recognised by.
type identity struct{ userName, email, externalID, local, name string }

func identityOf(person mapping.Person) identity {
	i := identity{userName: scim.Fold(person.UserName), email: scim.Fold(person.Email), externalID: person.ExternalID}
	if i.local = localPart(person); i.local != "" {
		i.name = nameOf(person)
	}
	return i
}

// prefixes are those of the lookups of members with the same values.
func (i identity) prefixes(k store.Keys) []store.Key {
	var all []store.Key
	if i.externalID != "" {
		all = append(all, k.PublishedPrefix(byExternalID, i.externalID))
	}
	if i.name != "" {
		all = append(all, k.PublishedPrefix(byLocalPart, i.local))
	}
	for _, value := range slices.Compact([]string{i.userName, i.email}) {
		if value != "" {
			all = append(all, k.PublishedPrefix(byUserName, value), k.PublishedPrefix(byEmail, value))
		}
	}
	return all
}

// recognise reads the published members who share a value with subjects whose identity is new.
func (p *publication) recognise(ctx context.Context) error {
	p.alike = map[string][]Member{}
	var mu sync.Mutex
	found := map[string]map[string]bool{} // by the id of who shares a value: the subjects
	g, gctx := task.WithContext(ctx)
	g.SetLimit(readersAtOnce)
	for _, sub := range p.subjects {
		if sub.result == nil || sub.old != nil && sub.old.Status != Removed &&
			identityOf(sub.old.Person) == identityOf(sub.result.Person) {
			continue
		}
		p.alike[sub.id] = nil
		for _, prefix := range identityOf(sub.result.Person).prefixes(p.ts.Keys) {
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
	others, err := publishedOf(ctx, p.ts, slices.Sorted(maps.Keys(found)))
	for _, m := range others {
		for id := range found[m.ID] {
			p.alike[id] = append(p.alike[id], m)
		}
	}
	return err
}

// readersAtOnce is how many lookups of one publication are read in parallel.
const readersAtOnce = 16

// publishedOf reads members as published, without those who were not.
func publishedOf(ctx context.Context, ts *store.TenantStore, ids []string) ([]Member, error) {
	keys := make([]store.Key, len(ids))
	for i, id := range ids {
		keys[i] = ts.Published(id)
	}
	items, err := ts.Get(ctx, keys...)
	if err != nil {
		return nil, err
	}
	var all []Member
	for _, item := range items {
		if item.Attrs == nil {
			continue
		}
		m, err := decodeItem(item)
		if err != nil {
			return nil, err
		}
		all = append(all, m)
	}
	return all, nil
}

// suspect notes with what is to be published of a member whom it may be the duplicate of, and tells of those of whom
// nobody was told yet.
func (p *publication) suspect(c *change) {
	if c.next.Status == Removed {
		c.next.suspects = nil
	}
	alike, looked := p.alike[c.id]
	if !looked || c.next.Status == Removed {
		return
	}
	for id, m := range p.decided {
		if id != c.id && !slices.ContainsFunc(alike, func(m Member) bool { return m.ID == id }) {
			alike = append(alike, m)
		}
	}
	slices.SortFunc(alike, func(a, b Member) int { return cmp.Compare(a.ID, b.ID) })
	had := c.next.suspects
	c.next.suspects = nil
	for _, other := range alike {
		other = p.asOfNow(other)
		by := sharedBy(c.next, other)
		if len(by) == 0 || slices.Contains(other.suspects, c.id) || len(c.next.suspects) == maxSuspects {
			continue
		}
		c.next.suspects = append(c.next.suspects, other.ID)
		if !slices.Contains(had, other.ID) {
			c.due = append(c.due, told{EventDuplicate, scim.Object{"other": other.ID, "by": list(by)}})
		}
	}
}

// asOfNow is a published member as this publication leaves it, as far as that is worked out.
func (p *publication) asOfNow(m Member) Member {
	if decided, ok := p.decided[m.ID]; ok {
		return decided
	}
	sub := p.subject(m.ID)
	switch {
	case sub == nil:
	case sub.result != nil:
		m.Person = sub.result.Person
	case sub.replacedBy != "", !m.Deleted && (sub.person.Doc != nil || p.policy.OnDelete != "deactivate"):
		m.Status = Removed
	}
	return m
}

// Duplicates answers a page of pairs of members who are probably one person, behind an id. count bounds the members
// whose pairs are answered, of each up to ten.
func (s *Service) Duplicates(ctx context.Context, t Tenant, after string, count int) ([]Duplicate, string, error) {
	l := lister{attribute: bySuspected, indexed: true, now: s.o.Now()}
	ts := s.store.Tenant(t.ID)
	var page List
	if err := l.walk(ctx, ts, after, count, &page); err != nil {
		return nil, "", err
	}
	others := map[string]bool{}
	for _, m := range page.Members {
		for _, id := range m.suspects {
			others[id] = true
		}
	}
	read, err := publishedOf(ctx, ts, sorted(others))
	if err != nil {
		return nil, "", err
	}
	byID := map[string]Member{}
	for _, m := range read {
		byID[m.ID] = m
	}
	var all []Duplicate
	var shown []Member
	for _, m := range page.Members {
		for _, id := range m.suspects {
			if by := sharedBy(m, byID[id]); by != nil {
				all, shown = append(all, Duplicate{By: by}), append(shown, byID[id], m)
			}
		}
	}
	if err := s.join(ctx, t, shown); err != nil {
		return nil, "", err
	}
	for i := range all {
		first, second := shown[2*i], shown[2*i+1]
		if second.CreatedAt.Before(first.CreatedAt) {
			first, second = second, first
		}
		all[i].Members = [2]Member{first, second}
	}
	return all, page.Next, nil
}
