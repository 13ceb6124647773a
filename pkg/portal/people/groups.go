package people

import (
	"slices"
	"strings"

	"github.com/serverless-scim/serverless-scim/pkg/directory"
	"github.com/serverless-scim/serverless-scim/pkg/portal/frame"
	"github.com/serverless-scim/serverless-scim/pkg/portal/saved"
	"github.com/serverless-scim/serverless-scim/pkg/scim"
	"github.com/serverless-scim/serverless-scim/pkg/task"
)

// groupsShown is how many groups a page has, groupsTried how many a grammar is tried on.
const (
	groupsShown = 50
	groupsTried = 200
	maxIDBytes  = 128
)

// read reads the policy and a page of groups side by side. next is the id to go on after; "": these were the last.
func (r room) read(v *frame.Visit, count int) (p saved.Policy, groups []directory.GroupOf, next string, err error) {
	t, err := r.of(v)
	if err != nil {
		return p, nil, "", err
	}
	after := v.Form("after")
	after = after[:min(len(after), maxIDBytes)]
	g, ctx := task.WithContext(v.R.Context())
	g.Go(func() (err error) { p, err = saved.Read(ctx, r.c.Members, t); return err })
	g.Go(func() (err error) {
		var more bool
		if groups, more, err = r.c.Directory.GroupsAfter(ctx, t.ID, after, count); more {
			next = groups[len(groups)-1].ID
		}
		return err
	})
	if err := g.Wait(); err != nil {
		return p, nil, "", err
	}
	slices.SortStableFunc(groups, func(a, b directory.GroupOf) int {
		return strings.Compare(nameOf(a.Doc), nameOf(b.Doc))
	})
	return p, groups, next, nil
}

func nameOf(doc scim.Object) string {
	name, _ := doc["displayName"].(string)
	return name
}

// gift is the target that a rule gives.
type gift struct {
	Rule, Kind, Target, Organisation string
	// ByPerson says that the target is a value of each person.
	ByPerson bool
}

type groupRow struct {
	ID, Name string
	Excluded bool
	Itself   bool // without rules, a group gives itself
	Gives    []gift
}

// ruleRow is a rule of the policy. When is the key of the text for its condition, Of the value in that text.
type ruleRow struct {
	ID, When, Of string
	gift
	First, Last bool
}

type groupsPage struct {
	Rows     []groupRow
	Next     string
	Behind   bool // it is not the first page
	Rules    []ruleRow
	Implicit bool
	Never    bool // the identity provider sends no groups
	Version  int64
}

func (r room) groups(v *frame.Visit) error {
	p, groups, next, err := r.read(v, groupsShown)
	if err != nil {
		return err
	}
	page := groupsPage{
		Next: next, Behind: v.Form("after") != "", Implicit: p.Compiled.Implicit, Version: p.Version,
		Never: strings.HasPrefix(v.Tenant.IdP, "google"), Rules: ruleRows(v, p.Doc),
	}
	for _, g := range groups {
		made := p.Compiled.Group(g.ID, withID(g))
		row := groupRow{ID: g.ID, Name: nameOf(g.Doc), Excluded: made.Excluded, Itself: page.Implicit && !made.Excluded}
		for _, give := range made.Grants() {
			row.Gives = append(row.Gives, gift{
				Rule: give.Rule, Kind: kindOf(v, give.Kind), Target: give.Name, Organisation: give.Organisation,
				ByPerson: give.Name == "",
			})
		}
		page.Rows = append(page.Rows, row)
	}
	return v.Show("groups", page)
}

// withID is a group's document as conditions see it.
func withID(g directory.GroupOf) scim.Object {
	doc := scim.Object{"id": g.ID}
	for name, value := range g.Doc {
		doc[name] = value
	}
	return doc
}

// ruleRows are the rules of a policy document, in order.
func ruleRows(v *frame.Visit, doc scim.Object) []ruleRow {
	rules, _ := doc["rules"].([]any)
	rows := make([]ruleRow, 0, len(rules))
	for i, rule := range rules {
		o, _ := rule.(scim.Object)
		row := ruleRow{ID: ruleID(rule), First: i == 0, Last: i == len(rules)-1, When: "groups.when.person"}
		if group, ok := o["group"].(scim.Object); ok {
			if row.Of, _ = group["pattern"].(string); row.Of != "" {
				row.When = "groups.when.pattern"
			} else if row.Of, _ = group["filter"].(string); row.Of != "" {
				row.When = "groups.when.filter"
				if name, ok := strings.CutPrefix(row.Of, "displayName eq "); ok && scim.Literal(unquote(name)) == name {
					row.When, row.Of = "groups.when.group", unquote(name)
				}
			}
		} else if user, ok := o["user"].(scim.Object); ok {
			if row.Of, _ = user["filter"].(string); row.Of == "" {
				row.Of, _ = user["value"].(string)
			}
		}
		assign, _ := o["assign"].(scim.Object)
		kind, _ := assign["kind"].(string)
		row.Kind = kindOf(v, kind)
		row.Target, _ = assign["target"].(string)
		row.Organisation, _ = assign["organisation"].(string)
		rows = append(rows, row)
	}
	return rows
}

// unquote reads a JSON string; "" if it is none.
func unquote(text string) string {
	o, err := scim.ParseObject(`{"v":` + text + `}`)
	if err != nil {
		return ""
	}
	s, _ := o["v"].(string)
	return s
}
