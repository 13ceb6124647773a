package people

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/serverless-scim/serverless-scim/pkg/member"
	"github.com/serverless-scim/serverless-scim/pkg/portal/frame"
	"github.com/serverless-scim/serverless-scim/pkg/scim"
	"github.com/serverless-scim/serverless-scim/pkg/task"
)

const (
	membersShown = 50
	pairsShown   = 25
	pendingShown = 100
	// publishFor is how long a page brings members up to date before it shows them.
	publishFor = time.Second
)

// views are the lists of members, with the filter of each.
var views = []struct{ name, filter string }{
	{"", ""},
	{"active", `status eq "active"`},
	{"staged", `status eq "staged"`},
	{"inactive", `status eq "inactive"`},
	{"removed", `status eq "removed"`},
	{"uncovered", `status eq "active" and not (assignments[origin eq "scim"])`},
	{"uninvited", `status eq "active" and not (invitation.state eq "due")`},
}

type memberRow struct {
	ID, Name, UserName, Status, State string
	Assignments                       []gift
	More                              int // assignments that are not shown
	Invited, CanInvite                bool
	ChangedAt                         time.Time
}

type tab struct {
	URL, Key string
	Here     bool
}

type membersPage struct {
	Query, View string
	Tabs        []tab
	Rows        []memberRow
	Next        string
	Waiting     bool // changes are still to be published
	// Duplicates and References say that there are any.
	Duplicates, References int
	Behind                 bool
	Wrong                  string
}

// assignmentsShown is how many assignments a row of a list has.
const assignmentsShown = 6

func (r room) members(v *frame.Visit) error { return r.showMembers(v, http.StatusOK, "") }

func (r room) showMembers(v *frame.Visit, status int, wrong string) error {
	t, err := r.of(v)
	if err != nil {
		return err
	}
	page := membersPage{Query: v.Form("q"), View: v.Form("view"), Behind: v.Form("after") != "", Wrong: wrong}
	page.Query = cut(page.Query)
	view := ""
	for _, known := range views {
		here := known.name == page.View
		if here {
			view = known.filter
		}
		url := "/portal/members"
		if known.name != "" {
			url += "?view=" + known.name
		}
		page.Tabs = append(page.Tabs, tab{url, "members.view." + known.name, here})
	}
	var list member.List
	g, ctx := task.WithContext(v.R.Context())
	g.Go(func() (err error) {
		after := v.Form("after")
		page.Waiting, err = r.c.Members.Fresh(ctx, t, publishFor, func(ctx context.Context) error {
			g, ctx := task.WithContext(ctx)
			g.Go(func() (err error) {
				list, err = r.search(ctx, t, search{page.Query, view, after[:min(len(after), maxIDBytes)]})
				return err
			})
			g.Go(func() error {
				pairs, _, err := r.c.Members.Duplicates(ctx, t, "", pairsShown)
				page.Duplicates = len(pairs)
				return err
			})
			return g.Wait()
		})
		return err
	})
	g.Go(func() error {
		refs, _, err := r.c.Members.Unresolved(ctx, t, "", pendingShown)
		page.References = len(refs)
		return err
	})
	if err := g.Wait(); err != nil {
		return err
	}
	page.Next = list.Next
	for _, m := range list.Members {
		page.Rows = append(page.Rows, memberRowOf(v, m))
	}
	return v.ShowStatus(status, "members", page)
}

// search is the query of a page of members: a text, the filter of a view, and the id to go on after.
type search struct{ query, view, after string }

// search finds members. Of a whole address those who have it are looked up, however many members there are; if nobody
// has it, and for anything else, members are looked through.
func (r room) search(ctx context.Context, t member.Tenant, s search) (list member.List, err error) {
	if s.after == "" && strings.Contains(s.query, "@") {
		var found [2]member.List
		g, within := task.WithContext(ctx)
		for i, attribute := range []string{"userName", "email"} {
			g.Go(func() (err error) {
				filter := attribute + " eq " + scim.Literal(s.query)
				if s.view != "" {
					filter += " and " + s.view
				}
				found[i], err = r.c.Members.List(within, t, filter, "", membersShown)
				return err
			})
		}
		if err := g.Wait(); err != nil {
			return list, err
		}
		list.Members = found[0].Members
		for _, m := range found[1].Members {
			if !slices.ContainsFunc(list.Members, func(o member.Member) bool { return o.ID == m.ID }) {
				list.Members = append(list.Members, m)
			}
		}
		if len(list.Members) > 0 {
			return list, nil
		}
	}
	return r.c.Members.List(ctx, t, filterOf(s.query, s.view), s.after, membersShown)
}

// filterOf is a filter for a search and a view.
func filterOf(query, view string) string {
	if query == "" {
		return view
	}
	q := scim.Literal(query)
	found := "(displayName co " + q + " or userName co " + q + " or email co " + q + " or id eq " + q +
		" or externalId eq " + q + ")"
	if view == "" {
		return found
	}
	return view + " and " + found
}

var states = map[member.Status]string{"active": "good", "staged": "wait", "inactive": "off", "removed": "off"}

func memberRowOf(v *frame.Visit, m member.Member) memberRow {
	row := memberRow{
		ID: m.ID, Name: called(m), UserName: m.UserName, Status: statusOf(v, m.Status), State: states[m.Status],
		Invited: !m.InvitedAt.IsZero(), CanInvite: m.Status == "active" && m.InvitedAt.IsZero(), ChangedAt: m.ChangedAt,
	}
	for i, a := range m.Assignments {
		if i == assignmentsShown {
			row.More = len(m.Assignments) - i
			break
		}
		target := a.DisplayName
		if target == "" {
			target = a.Name
		}
		row.Assignments = append(row.Assignments, gift{
			Kind: kindOf(v, a.Kind), Target: target, Organisation: a.Organisation,
		})
	}
	return row
}

// called is the name of a person: the displayName, else the userName, else the id.
func called(m member.Member) string {
	for _, name := range []string{m.DisplayName, m.UserName, m.ID} {
		if name != "" {
			return name
		}
	}
	return ""
}

// pairRow are two members who are probably one person.
type pairRow struct {
	First, Second memberRow
	By            string
}

type duplicatesPage struct {
	Rows  []pairRow
	Next  string
	Wrong string
}

func (r room) duplicates(v *frame.Visit) error { return r.showDuplicates(v, http.StatusOK, "") }

func (r room) showDuplicates(v *frame.Visit, status int, wrong string) error {
	t, err := r.of(v)
	if err != nil {
		return err
	}
	after := strings.ToValidUTF8(v.R.URL.Query().Get("after"), "")
	pairs, next, err := r.c.Members.Duplicates(v.R.Context(), t, after[:min(len(after), maxIDBytes)], pairsShown)
	if err != nil {
		return err
	}
	page := duplicatesPage{Next: next, Wrong: wrong}
	for _, p := range pairs {
		page.Rows = append(page.Rows, pairRow{
			memberRowOf(v, p.Members[0]), memberRowOf(v, p.Members[1]), strings.Join(p.By, ", "),
		})
	}
	return v.ShowStatus(status, "duplicates", page)
}

// both names the two members of a form.
func (r room) both(v *frame.Visit) (names, evidence string, err error) {
	t, err := r.of(v)
	if err != nil {
		return "", "", err
	}
	var two [2]string
	g, ctx := task.WithContext(v.R.Context())
	for i, id := range []string{v.Form("id"), v.Form("into")} {
		two[i] = cut(id)
		if len(id) > maxIDBytes {
			continue
		}
		g.Go(func() error {
			m, found, err := r.c.Members.Get(ctx, t, id)
			if found {
				two[i] = called(m) + " (" + m.UserName + ")"
			}
			return err
		})
	}
	err = g.Wait()
	return two[0] + " → " + two[1], "", err
}

// merge has the member of the newer user take the place of the other one.
func (r room) merge(v *frame.Visit) error {
	t, err := r.of(v)
	if err != nil {
		return err
	}
	id, into := v.Form("id"), v.Form("into")
	if len(id) > maxIDBytes || len(into) > maxIDBytes || id == into {
		return r.showDuplicates(v, http.StatusBadRequest, v.Text("duplicates.gone"))
	}
	_, err = r.c.Members.Merge(v.R.Context(), t, id, into)
	refused := (*member.Refused)(nil)
	switch {
	case errors.As(err, &refused) && t.Silent:
		return r.showDuplicates(v, http.StatusConflict, v.Text("members.silent"))
	case errors.As(err, &refused) && refused.Status == http.StatusConflict:
		return r.showDuplicates(v, http.StatusConflict, v.Text("duplicates.conflict"))
	case errors.As(err, &refused):
		return r.showDuplicates(v, http.StatusBadRequest, v.Text("duplicates.gone"))
	case err != nil:
		return err
	}
	return v.Lead("members/duplicates", "merged")
}

type pendingRow struct {
	GroupKind bool // a membership of a group, else a manager
	ID, Value string
	Deleted   bool
}

type pendingPage struct {
	Rows []pendingRow
	Next string
}

// pending shows memberships and managers that name nobody yet.
func (r room) pending(v *frame.Visit) error {
	t, err := r.of(v)
	if err != nil {
		return err
	}
	after := v.Form("after")
	refs, next, err := r.c.Members.Unresolved(v.R.Context(), t, after[:min(len(after), 1024)], pendingShown)
	if err != nil {
		return err
	}
	page := pendingPage{Next: next}
	for _, ref := range refs {
		page.Rows = append(page.Rows, pendingRow{ref.ResourceType == "Group", ref.ID, ref.Value, ref.Deleted})
	}
	return v.Show("pending", page)
}

func (r room) inviteAll(v *frame.Visit) error {
	t, err := r.of(v)
	if err != nil {
		return err
	}
	if t.Silent {
		return r.showMembers(v, http.StatusConflict, v.Text("members.silent"))
	}
	_, more, err := r.c.Members.InviteAll(v.R.Context(), t, "")
	if err != nil {
		return err
	}
	if more {
		return v.Lead("members", "invited.some")
	}
	return v.Lead("members", "invited.all")
}
