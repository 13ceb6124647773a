package people

import (
	"errors"
	"html/template"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/serverless-scim/serverless-scim/pkg/event/eventlog"
	"github.com/serverless-scim/serverless-scim/pkg/mapping"
	"github.com/serverless-scim/serverless-scim/pkg/member"
	"github.com/serverless-scim/serverless-scim/pkg/portal/frame"
	"github.com/serverless-scim/serverless-scim/pkg/provlog"
	"github.com/serverless-scim/serverless-scim/pkg/scim"
	"github.com/serverless-scim/serverless-scim/pkg/task"
	"github.com/serverless-scim/serverless-scim/pkg/tenant"
)

const (
	entriesShown  = 20
	entriesLooked = 200 // among which those of a person are looked for
	// historyShown is the number of entries of the log that a person's page reads, historyPage that of the history.
	// Each names the one before it, so that each takes a round.
	historyShown = 5
	historyPage  = 25
)

// reasonRow is an assignment with its rule, or a missing one with the reason.
type reasonRow struct {
	gift
	Because []because
	Manual  bool
	Reason  string // the word for why it is missing
	Detail  string // in English
}

type because struct {
	Rule, Group string
	Since       time.Time
}

type eventRow struct {
	Time time.Time
	What string
	gift
}

type personPage struct {
	memberRow
	Email, ExternalID, LoginAddress, AccountID, Manager string
	InvitedAt, CreatedAt                                time.Time
	Pending, Protected                                  bool
	StatusWhy                                           string
	Has                                                 []reasonRow
	Missing                                             []reasonRow
	History                                             history
	Entries                                             []entryRow
	More                                                template.URL // the activity behind Entries; "": there is none
	Wrong                                               string
}

func (r room) person(v *frame.Visit) error { return r.showPerson(v, http.StatusOK, "") }

func (r room) showPerson(v *frame.Visit, status int, wrong string) error {
	id := v.R.PathValue("id")
	if len(id) > maxIDBytes {
		return tenant.ErrNotFound
	}
	t, err := r.of(v)
	if err != nil {
		return err
	}
	var (
		m     member.Member
		found bool
		why   scim.Object
		past  history
		log   provlog.Page
	)
	g, ctx := task.WithContext(v.R.Context())
	g.Go(func() (err error) { m, why, found, err = r.c.Members.Explained(ctx, t, id); return err })
	g.Go(func() error {
		events, next, err := r.c.Members.History(ctx, t, id, 0, historyShown)
		past = history{id, eventRows(v, events), next}
		return err
	})
	g.Go(func() (err error) {
		q := scim.Literal(id)
		log, err = r.c.Journal.List(ctx, v.Tenant, provlog.Query{
			Filter: "resourceId eq " + q + " or added eq " + q + " or removed eq " + q, Count: entriesShown,
			Look: entriesLooked,
		})
		return err
	})
	if err := g.Wait(); err != nil {
		return err
	}
	if !found {
		return tenant.ErrNotFound
	}
	page := personPage{
		memberRow: memberRowOf(v, m), Email: m.Email, ExternalID: m.ExternalID, LoginAddress: m.LoginAddress,
		AccountID: m.AccountID, InvitedAt: m.InvitedAt, CreatedAt: m.CreatedAt, Pending: m.Pending,
		Protected: m.Protected, History: past, Wrong: wrong,
	}
	if log.Next != "" {
		page.More = activityAt(url.Values{"person": {id}, "after": {log.Next}})
	}
	if m.Manager != nil {
		for _, name := range []string{m.Manager.DisplayName, m.Manager.ID, m.Manager.Value} {
			if page.Manager == "" {
				page.Manager = name
			}
		}
	}
	page.explain(v, why)
	for _, e := range log.Entries {
		page.Entries = append(page.Entries, entryRowOf(v, e))
	}
	return v.ShowStatus(status, "person", page)
}

// reasons are those that have a word in each language.
var reasons = []string{
	"target-unknown", "organisation-unknown", "not-in-organisation", "not-chosen", "feature-off", "no-seat", "excluded",
	"nested", "inactive", "limit", "condition",
}

// explain fills in the reasons of a person's status and assignments.
func (p *personPage) explain(v *frame.Visit, why scim.Object) {
	status, _ := why["status"].(scim.Object)
	if p.StatusWhy, _ = status["because"].(string); v.Lang != frame.Languages[0] { // that is in English
		is, _ := status["is"].(string)
		p.StatusWhy = told(v, "why.", is, statuses)
	}
	row := func(o scim.Object) (out reasonRow) {
		kind, _ := o["kind"].(string)
		out.Kind = kindOf(v, kind)
		if out.Target, _ = o["displayName"].(string); out.Target == "" {
			out.Target, _ = o["target"].(string)
		}
		out.Organisation, _ = o["organisation"].(string)
		return out
	}
	source := func(o scim.Object) (b because) {
		b.Rule, _ = o["rule"].(string)
		group, _ := o["group"].(scim.Object)
		b.Group, _ = group["displayName"].(string)
		since, _ := o["since"].(string)
		b.Since, _ = scim.ParseTime(since)
		return b
	}
	for _, o := range objectsOf(why["assignments"]) {
		has := row(o)
		has.Manual = o["manual"] == true || o["origin"] == "manual"
		for _, s := range objectsOf(o["because"]) {
			has.Because = append(has.Because, source(s))
		}
		p.Has = append(p.Has, has)
	}
	for _, o := range objectsOf(why["missing"]) {
		missing := row(o)
		reason, _ := o["reason"].(string)
		missing.Reason = told(v, "reason.", reason, reasons)
		if v.Lang == frame.Languages[0] {
			missing.Detail, _ = o["detail"].(string)
		}
		missing.Because = []because{source(o)}
		p.Missing = append(p.Missing, missing)
	}
}

func objectsOf(v any) (all []scim.Object) {
	list, _ := v.([]any)
	for _, e := range list {
		if o, ok := e.(scim.Object); ok {
			all = append(all, o)
		}
	}
	return all
}

// events are those of a member that have a text in each language.
var events = []string{
	"member.created", "member.updated", "member.activated", "member.deactivated", "member.removed", "assignment.added",
	"assignment.removed", "invitation.due", "protected.kept", "duplicate.suspected", "credentials.required",
}

// history are events of a person, the newest first. Next is the place to go on at; 0: there are no older ones.
type history struct {
	ID     string // of the person
	Events []eventRow
	Next   int64
}

// past shows a person's older events.
func (r room) past(v *frame.Visit) error {
	id := v.R.PathValue("id")
	from, err := strconv.ParseInt(v.Form("from"), 10, 64)
	if len(id) > maxIDBytes || v.Form("from") != "" && (err != nil || from <= 0) {
		return tenant.ErrNotFound
	}
	t, err := r.of(v)
	if err != nil {
		return err
	}
	events, next, err := r.c.Members.History(v.R.Context(), t, id, from, historyPage)
	if err != nil {
		return err
	}
	return v.Show("history", history{id, eventRows(v, events), next})
}

// eventRows shows events of a person, the newest first.
func eventRows(v *frame.Visit, all []eventlog.Numbered) (rows []eventRow) {
	names, nameless := map[string]string{}, []int{} // names of targets by kind and id, rows of groups without one
	for _, e := range all {
		kind, _ := e.Object["type"].(string)
		at, _ := e.Object["time"].(string)
		row := eventRow{What: told(v, "event.", kind, events)}
		row.Time, _ = scim.ParseTime(at)
		data, _ := e.Object["data"].(scim.Object)
		if a, ok := data["assignment"].(scim.Object); ok {
			what, _ := a["kind"].(string)
			row.Kind = kindOf(v, what)
			row.Target, _ = a["target"].(string)
			if name, _ := a["displayName"].(string); name != "" {
				names[what+" "+row.Target] = name
			} else if what == mapping.KindGroup {
				nameless = append(nameless, len(rows))
			}
			if name := names[what+" "+row.Target]; name != "" {
				row.Target = name
			}
		}
		rows = append(rows, row)
	}
	for _, i := range nameless { // an older event may know the name
		if name := names[mapping.KindGroup+" "+rows[i].Target]; name != "" {
			rows[i].Target = name
		} else {
			rows[i].Target = v.Text("person.group.gone")
		}
	}
	return rows
}

func (r room) invite(v *frame.Visit) error {
	id := v.R.PathValue("id")
	if len(id) > maxIDBytes {
		return tenant.ErrNotFound
	}
	t, err := r.of(v)
	if err != nil {
		return err
	}
	n, err := r.c.Members.Invite(v.R.Context(), t, id)
	refused := (*member.Refused)(nil)
	switch {
	case errors.As(err, &refused) && refused.Status != http.StatusConflict:
		return tenant.ErrNotFound
	case err != nil && refused == nil:
		return err
	case refused != nil && t.Silent:
		return r.showPerson(v, http.StatusConflict, v.Text("members.silent"))
	case n == 0:
		return r.showPerson(v, http.StatusConflict, v.Text("person.not-invited"))
	}
	return v.Lead("members/"+id, "invited")
}
