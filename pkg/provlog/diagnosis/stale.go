package diagnosis

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/serverless-scim/serverless-scim/pkg/directory"
	"github.com/serverless-scim/serverless-scim/pkg/provlog"
	"github.com/serverless-scim/serverless-scim/pkg/scim"
	"github.com/serverless-scim/serverless-scim/pkg/tenant"
)

// Stale is an attribute of a user that an identity provider may have left behind: one that never sends null sends
// nothing if the value is gone at its side.
type Stale struct {
	UserID, UserName string
	// Attribute is its path.
	Attribute string
	// ChangedAt is when it was last changed by a PATCH; the zero time: not since the log begins. UserChangedAt is when
	// another attribute of the user was.
	ChangedAt, UserChangedAt time.Time
	// Reason is OthersChanged or ManagerGone.
	Reason string
}

// The reasons why an attribute may be stale.
const (
	// OthersChanged: a later PATCH of the same user changed the attributes that go with it, and not this one.
	OthersChanged = "others-changed"
	// ManagerGone: the manager is inactive, or is not there.
	ManagerGone = "manager-gone"
)

// Object is an attribute as the admin API shows it.
func (s Stale) Object() scim.Object {
	o := scim.Object{
		"id": s.UserID, "userName": s.UserName, "attribute": s.Attribute, "reason": s.Reason, "changedAt": nil,
		"userChangedAt": scim.FormatTime(s.UserChangedAt),
	}
	if !s.ChangedAt.IsZero() {
		o["changedAt"] = scim.FormatTime(s.ChangedAt)
	}
	return o
}

const enterprise = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:"

// together are attributes that change with somebody's job: if one does, another that did not may be left over.
var together = []string{
	"title", enterprise + "department", enterprise + "division", enterprise + "costCenter", enterprise + "organization",
	enterprise + "manager", "phoneNumbers", "addresses", "userType",
}

// maxStale is how many attributes one answer lists.
const maxStale = 500

// Stale lists the attributes of users that may be left over, in order of userName. It looks at the users whom the last
// 1,000 PATCHes in the log changed. more says that there may be others.
func (s *Service) Stale(ctx context.Context, t tenant.Tenant) (list []Stale, more bool, err error) {
	patches, more, err := s.patches(ctx, t)
	if err != nil {
		return nil, false, err
	}
	changed := map[string]map[string]time.Time{} // by user and path
	var ids []string
	for _, e := range patches {
		of := changed[e.ResourceID]
		if of == nil {
			of = map[string]time.Time{}
			changed[e.ResourceID] = of
			ids = append(ids, e.ResourceID)
		}
		for _, path := range e.Changed {
			if of[path].IsZero() { // the newest comes first
				of[path] = e.Time
			}
		}
	}
	people, err := s.o.Directory.People(ctx, t.ID, ids)
	if err != nil {
		return nil, false, err
	}
	gone, err := s.gone(ctx, t, people)
	if err != nil {
		return nil, false, err
	}
	list = []Stale{}
	for _, p := range people {
		list = append(list, leftOver(p, changed[p.ID], gone)...)
	}
	slices.SortStableFunc(list, func(a, b Stale) int { return strings.Compare(a.UserName, b.UserName) })
	if len(list) > maxStale {
		list, more = list[:maxStale], true
	}
	return list, more, nil
}

// patches reads the PATCHes that changed users, the newest first.
func (s *Service) patches(ctx context.Context, t tenant.Tenant) (all []provlog.Entry, more bool, err error) {
	q := provlog.Query{
		Count: maxEntries, Filter: `resourceType eq "User" and operation eq "patch" and outcome eq "done"`,
	}
	for pages := 0; len(all) < maxEntries && pages < 10; pages++ {
		page, err := s.o.Journal.List(ctx, t, q)
		if err != nil {
			return nil, false, err
		}
		all = append(all, page.Entries...)
		if q.Cursor = page.Next; q.Cursor == "" {
			return all, false, nil
		}
	}
	return all[:min(len(all), maxEntries)], true, nil
}

// gone are the managers of people who are inactive, or named and not there.
func (s *Service) gone(ctx context.Context, t tenant.Tenant, people []directory.Person) (map[string]bool, error) {
	gone := map[string]bool{}
	var ids []string
	for _, p := range people {
		if p.ManagerID != "" && !slices.Contains(ids, p.ManagerID) {
			ids = append(ids, p.ManagerID)
		}
	}
	managers, err := s.o.Directory.People(ctx, t.ID, ids)
	for _, m := range managers {
		active, _ := m.Doc["active"].(bool)
		gone[m.ID] = !active
	}
	return gone, err
}

// leftOver are the attributes of a user that may be left over. changed says which of them PATCHes changed, and when.
func leftOver(p directory.Person, changed map[string]time.Time, gone map[string]bool) []Stale {
	var list []Stale
	last, job := time.Time{}, time.Time{}
	for path, at := range changed {
		if at.After(last) {
			last = at
		}
		if slices.Contains(together, path) && at.After(job) {
			job = at
		}
	}
	for _, path := range together {
		if !has(p.Doc, path) {
			continue
		}
		found := Stale{
			UserID: p.ID, UserName: name(p.Doc), Attribute: path, ChangedAt: changed[path], UserChangedAt: last,
			Reason: OthersChanged,
		}
		switch {
		case path == enterprise+"manager" && gone[p.ManagerID]:
			found.Reason = ManagerGone
			list = append(list, found)
		case found.ChangedAt.Before(job):
			list = append(list, found)
		}
	}
	return list
}

// has reports whether a document has a value at a path of together.
func has(doc scim.Object, path string) bool {
	if attribute, ok := strings.CutPrefix(path, enterprise); ok {
		doc, _ = doc[strings.TrimSuffix(enterprise, ":")].(scim.Object)
		path = attribute
	}
	return doc[path] != nil
}
