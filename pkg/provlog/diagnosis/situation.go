package diagnosis

import (
	"context"
	"encoding/json"
	"slices"
	"time"

	"github.com/serverless-scim/serverless-scim/pkg/directory"
	"github.com/serverless-scim/serverless-scim/pkg/member"
	"github.com/serverless-scim/serverless-scim/pkg/provlog"
	"github.com/serverless-scim/serverless-scim/pkg/scim"
	"github.com/serverless-scim/serverless-scim/pkg/task"
	"github.com/serverless-scim/serverless-scim/pkg/tenant"
)

// The limits of an examination.
const (
	maxEntries = 1000
	maxAge     = 30 * 24 * time.Hour
	maxSample  = 200
	recentDays = 30
	publishFor = 3 * time.Second
)

// situation is all data to examine.
type situation struct {
	now    time.Time
	t      tenant.Tenant
	recent provlog.Activity
	// entries are those of the identity provider, the newest first.
	entries []provlog.Entry
	policy  policy
	people  []directory.Person
	groups  []directory.GroupOf
	// nested are the groups that have groups as members.
	nested     []directory.GroupOf
	unresolved []directory.Unresolved
	staged     []member.Member
}

// policy has the parts of a policy that say which attributes and groups an identity provider has to send.
type policy struct {
	Members struct {
		ActiveWhen struct {
			Kinds []string `json:"kinds"`
		} `json:"activeWhen"`
		LoginAddress string `json:"loginAddress"`
	} `json:"members"`
	Rules []struct {
		ID    string `json:"id"`
		Group *struct {
			Pattern string `json:"pattern"`
		} `json:"group"`
	} `json:"rules"`
}

// needsGroups reports whether the policy gives anything by groups, or holds back people who are in no group.
func (p policy) needsGroups() bool {
	for _, r := range p.Rules {
		if r.Group != nil {
			return true
		}
	}
	return false
}

// look gathers the facts to examine.
func (s *Service) look(ctx context.Context, t tenant.Tenant) (*situation, error) {
	at := &situation{now: s.o.Now(), t: t}
	g, ctx := task.WithContext(ctx)
	g.Go(func() (err error) { at.recent, err = s.o.Journal.Recent(ctx, t, recentDays); return err })
	g.Go(func() error { return s.requests(ctx, at) })
	g.Go(func() error { return s.users(ctx, at) })
	g.Go(func() error { return s.groups(ctx, at) })
	g.Go(func() (err error) {
		at.unresolved, _, err = s.o.Directory.Unresolved(ctx, t.ID, "", maxSample)
		return err
	})
	g.Go(func() error { return s.members(ctx, at) })
	return at, g.Wait()
}

// requests reads the entries of the identity provider.
func (s *Service) requests(ctx context.Context, at *situation) error {
	for cursor := ""; len(at.entries) < maxEntries; {
		page, err := s.o.Journal.List(ctx, at.t, provlog.Query{Count: maxEntries, Cursor: cursor})
		if err != nil {
			return err
		}
		for _, e := range page.Entries {
			if e.Operation != provlog.Admin && at.now.Sub(e.Time) < maxAge {
				at.entries = append(at.entries, e)
			}
		}
		if cursor = page.Next; cursor == "" {
			break
		}
	}
	return nil
}

func (s *Service) users(ctx context.Context, at *situation) error {
	users, err := s.o.Directory.UserIDs(ctx, at.t.ID, "", maxSample)
	if err != nil {
		return err
	}
	if at.people, err = s.o.Directory.People(ctx, at.t.ID, users); err != nil {
		return err
	}
	at.people = slices.DeleteFunc(at.people, func(p directory.Person) bool { return p.Doc == nil })
	return nil
}

// groups reads groups, and which of them have groups as members.
func (s *Service) groups(ctx context.Context, at *situation) error {
	groups, err := s.o.Directory.GroupIDs(ctx, at.t.ID, "", maxSample)
	if err != nil {
		return err
	}
	if len(groups) == 0 {
		return nil
	}
	g, ctx := task.WithContext(ctx)
	g.Go(func() (err error) { at.groups, err = s.o.Directory.GroupsOf(ctx, at.t.ID, groups); return err })
	g.Go(func() (err error) { at.nested, err = s.o.Directory.GroupsHolding(ctx, at.t.ID, groups); return err })
	return g.Wait()
}

// members reads the policy and the staged members.
func (s *Service) members(ctx context.Context, at *situation) error {
	t, err := member.TenantFrom(ctx, s.o.Tenants, at.t)
	if err != nil {
		return err
	}
	doc, err := s.o.Members.Policy(ctx, t)
	if err != nil {
		return err
	}
	if len(doc.Document) > 0 {
		if err := json.Unmarshal(doc.Document, &at.policy); err != nil {
			return err
		}
	}
	if len(at.policy.Members.ActiveWhen.Kinds) == 0 || !at.t.PublishesMembers() {
		return nil
	}
	if left, err := s.o.Members.Publish(ctx, t, publishFor); err != nil && !left {
		return err
	}
	list, err := s.o.Members.List(ctx, t, `status eq "staged"`, "", maxSample)
	at.staged = list.Members
	return err
}

// seen returns the identity provider of the newest request that reveals its sender; "" if none does.
func (at *situation) seen() (string, provlog.Entry) {
	for _, e := range []*provlog.Entry{at.recent.Request, at.recent.Test} {
		if e != nil && e.IdP != "" && (len(at.entries) == 0 || e.Time.After(at.entries[0].Time)) {
			return e.IdP, *e
		}
	}
	for _, e := range at.entries {
		if e.IdP != "" {
			return e.IdP, e
		}
	}
	return "", provlog.Entry{}
}

// profiles are the values of a tenant's idp that name no identity provider.
var profiles = []string{"generic", "rfc", "interop"}

// words returns the identity provider whose terms the texts use: the sender of the requests, else that of the
// tenant's settings.
func (at *situation) words() string {
	if idp, _ := at.seen(); idp != "" {
		return idp
	}
	if slices.Contains(profiles, at.t.IdP) {
		return ""
	}
	return at.t.IdP
}

// name is how a document calls its resource.
func name(doc scim.Object) string {
	for _, attribute := range []string{"userName", "displayName"} {
		if text, _ := doc[attribute].(string); text != "" {
			return text
		}
	}
	return "?"
}
