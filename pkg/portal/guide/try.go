package guide

import (
	"context"
	"fmt"
	"hash/fnv"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/serverless-scim/serverless-scim/pkg/member"
	"github.com/serverless-scim/serverless-scim/pkg/portal/frame"
	"github.com/serverless-scim/serverless-scim/pkg/provlog"
	"github.com/serverless-scim/serverless-scim/pkg/scim"
	"github.com/serverless-scim/serverless-scim/pkg/task"
)

// trying is the page for one person.
type trying struct {
	Query string
	ID    string // of the person that was chosen among several
	// Found are people that fit, ten at most.
	Found []member.Member
	One   *tried
}

// Ask is the query with which the page asks for changes of its contents.
func (t trying) Ask() string {
	q := url.Values{"part": {"result"}, "seen": {t.seen()}}
	if t.ID != "" {
		q.Set("id", t.ID)
	} else {
		q.Set("q", t.Query)
	}
	return q.Encode()
}

// seen names the contents of the page. If they change, the name changes.
func (t trying) seen() string {
	h := fnv.New64a()
	say := func(values ...any) { _, _ = fmt.Fprintln(h, values...) } // it takes all
	for _, m := range t.Found {
		say(m.ID, m.UserName, m.DisplayName)
	}
	if o := t.One; o != nil {
		say(o.Member.ID, o.Member.Status, o.Member.ChangedAt, o.Given, o.Missing)
		for _, e := range o.Requests {
			say(e.ID, e.Status)
		}
	}
	return strconv.FormatUint(h.Sum64(), 36)
}

// tried is the result of provisioning one person.
type tried struct {
	Member  member.Member
	Given   []reason
	Missing []reason
	// Requests are the last requests about the person, the newest first.
	Requests []provlog.Entry
}

// reason is an assignment, or one that is missing, and why.
type reason struct{ Kind, Target, Because string }

// patience is how long a search waits for people who are not published yet.
const patience = 2 * time.Second

// maxID bounds the id of a person in bytes.
const maxID = 128

// try shows a search, and one person with the result of provisioning.
func (r room) try(v *frame.Visit) error {
	t := trying{Query: v.Form("q")}
	t.Query = strings.ToValidUTF8(t.Query[:min(len(t.Query), 256)], "")
	m, err := member.TenantFrom(v.R.Context(), r.c.Tenants, v.Tenant)
	if err != nil {
		return err
	}
	if id := v.Form("id"); id != "" {
		t.ID = id
		if t.One, err = r.one(v, m, id); err != nil {
			return err
		}
	} else if t.Query != "" {
		// A request of a moment ago is to be seen.
		_, err := r.c.Members.Fresh(v.R.Context(), m, patience, func(ctx context.Context) (err error) {
			t.Found, err = r.find(ctx, m, t.Query)
			return err
		})
		if err != nil {
			return err
		}
		if len(t.Found) == 1 {
			if t.One, err = r.one(v, m, t.Found[0].ID); err != nil {
				return err
			}
		}
	}
	if v.Form("part") == "result" {
		if v.Form("seen") == t.seen() {
			v.Unchanged()
			return nil
		}
		return v.ShowPart("try", "result", t)
	}
	return v.Show("try", t)
}

// foundAtMost is how many people a search shows.
const foundAtMost = 10

// find finds people. Those who have a whole userName or address are looked up, however many members there are; anything
// else is looked for in the first members.
func (r room) find(ctx context.Context, t member.Tenant, query string) ([]member.Member, error) {
	quoted := scim.Literal(query)
	var exact [2]member.List
	g, within := task.WithContext(ctx)
	for i, attribute := range []string{"userName", "email"} {
		g.Go(func() (err error) {
			exact[i], err = r.c.Members.List(within, t, attribute+" eq "+quoted, "", foundAtMost)
			return err
		})
	}
	if err := g.Wait(); err != nil {
		return nil, err
	}
	found := exact[0].Members
	for _, m := range exact[1].Members {
		if !slices.ContainsFunc(found, func(o member.Member) bool { return o.ID == m.ID }) {
			found = append(found, m)
		}
	}
	if len(found) > 0 {
		return found[:min(len(found), foundAtMost)], nil
	}
	list, err := r.c.Members.List(ctx, t,
		"userName sw "+quoted+" or email sw "+quoted+" or displayName co "+quoted, "", foundAtMost)
	return list.Members, err
}

// one reads the result of provisioning a person; nil if nobody has the id.
func (r room) one(v *frame.Visit, t member.Tenant, id string) (*tried, error) {
	if len(id) > maxID {
		return nil, nil
	}
	var (
		m     member.Member
		found bool
		why   scim.Object
		page  provlog.Page
	)
	g, ctx := task.WithContext(v.R.Context())
	g.Go(func() (err error) { m, why, found, err = r.c.Members.Explained(ctx, t, id); return err })
	g.Go(func() (err error) {
		page, err = r.c.Journal.List(ctx, v.Tenant, provlog.Query{
			Filter: "resourceId eq " + scim.Literal(id), Count: 5,
		})
		return err
	})
	if err := g.Wait(); err != nil || !found {
		return nil, err
	}
	for i, e := range page.Entries {
		page.Entries[i].Detail = v.Refusal(e.Status, e.ScimType, e.Detail)
	}
	return &tried{
		Member: m, Given: reasons(v, why, "assignments"), Missing: reasons(v, why, "missing"), Requests: page.Entries,
	}, nil
}

// reasons reads one list of the explanation.
func reasons(v *frame.Visit, why scim.Object, key string) (all []reason) {
	list, _ := why[key].([]any)
	for _, e := range list {
		o, _ := e.(scim.Object)
		one := reason{Kind: textOf(o, "kind"), Target: textOf(o, "target"), Because: textOf(o, "detail")}
		if v.Lang != frame.Languages[0] && key == "missing" { // the detail is in English
			one.Because = v.Text("reason." + textOf(o, "reason"))
		}
		if name := textOf(o, "displayName"); name != "" {
			one.Target = name
		}
		if because, _ := o["because"].([]any); len(because) > 0 {
			first, _ := because[0].(scim.Object)
			group, _ := first["group"].(scim.Object)
			if one.Because = textOf(group, "displayName"); one.Because == "" {
				one.Because = textOf(first, "rule")
			}
		}
		all = append(all, one)
	}
	return all
}

func textOf(o scim.Object, key string) string {
	s, _ := o[key].(string)
	return s
}
