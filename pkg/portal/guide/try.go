package guide

import (
	"fmt"
	"hash/fnv"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/serverless-scim/serverless-scim/pkg/member"
	"github.com/serverless-scim/serverless-scim/pkg/portal/frame"
	"github.com/serverless-scim/serverless-scim/pkg/provlog"
	"github.com/serverless-scim/serverless-scim/pkg/scim"
)

// trying is the page for one person.
type trying struct {
	Query string
	ID    string // of the person that was chosen among several
	// Found are people that fit, ten at most.
	Found []member.Member
	One   *tried
}

// Ask is the query by which the page asks for news of what it shows.
func (t trying) Ask() string {
	q := url.Values{"part": {"result"}, "seen": {t.seen()}}
	if t.ID != "" {
		q.Set("id", t.ID)
	} else {
		q.Set("q", t.Query)
	}
	return q.Encode()
}

// seen names what the page shows. It is another name once there is something new to show.
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
	m, err := member.TenantOf(v.R.Context(), r.c.Tenants, v.Tenant.ID)
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
		if _, err := r.c.Members.Publish(v.R.Context(), m, patience); err != nil {
			return err
		}
		quoted := scim.Literal(t.Query)
		list, err := r.c.Members.List(v.R.Context(), m,
			"userName sw "+quoted+" or email sw "+quoted+" or displayName co "+quoted, "", 10)
		if err != nil {
			return err
		}
		if t.Found = list.Members; len(t.Found) == 1 {
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

// one reads the result of provisioning a person; nil if nobody has the id.
func (r room) one(v *frame.Visit, t member.Tenant, id string) (*tried, error) {
	if len(id) > maxID {
		return nil, nil
	}
	m, found, err := r.c.Members.Get(v.R.Context(), t, id)
	if err != nil || !found {
		return nil, err
	}
	why, _, err := r.c.Members.Why(v.R.Context(), t, id)
	if err != nil {
		return nil, err
	}
	page, err := r.c.Journal.List(v.R.Context(), v.Tenant, provlog.Query{
		Filter: "resourceId eq " + scim.Literal(id), Count: 5,
	})
	if err != nil {
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
