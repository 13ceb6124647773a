package people

import (
	"context"
	"errors"
	"math"
	"net/http"
	"slices"
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
	eventsRead   = 300 // of the tenant, the last ones, for one person's
	entriesShown = 20
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
	Events                                              []eventRow
	Entries                                             []entryRow
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
		m      member.Member
		found  bool
		why    scim.Object
		events []eventRow
		log    provlog.Page
	)
	g, ctx := task.WithContext(v.R.Context())
	g.Go(func() (err error) { m, found, err = r.c.Members.Get(ctx, t, id); return err })
	g.Go(func() (err error) { why, _, err = r.c.Members.Why(ctx, t, id); return err })
	g.Go(func() (err error) { events, err = r.eventsOf(ctx, v, t, id); return err })
	g.Go(func() (err error) {
		q := scim.Literal(id)
		log, err = r.c.Journal.List(ctx, v.Tenant, provlog.Query{
			Filter: "resourceId eq " + q + " or added eq " + q + " or removed eq " + q, Count: entriesShown,
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
		Protected: m.Protected, Events: events, Wrong: wrong,
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

// eventsOf are the events of a person among the last ones of the tenant, the newest first.
func (r room) eventsOf(ctx context.Context, v *frame.Visit, t member.Tenant, id string) (rows []eventRow, err error) {
	end, err := r.c.Members.Events(ctx, t, eventlog.Place{After: math.MaxInt64}, 1)
	if _, gone := eventlog.IsGone(err); err != nil && !gone {
		return nil, err
	}
	page, err := r.c.Members.Events(ctx, t, eventlog.Place{After: max(0, end.Last-eventsRead)}, eventsRead)
	if _, gone := eventlog.IsGone(err); gone {
		return nil, nil // older than the entries that are kept
	}
	if err != nil {
		return nil, err
	}
	names, nameless := map[string]string{}, []int{} // names of targets by kind and id, rows of groups without one
	for _, e := range slices.Backward(page.Events) {
		if e.Object["subject"] != member.LogSubject(id) {
			continue
		}
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
	return rows, nil
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
	if refused := (*member.Refused)(nil); errors.As(err, &refused) {
		return tenant.ErrNotFound
	}
	if err != nil {
		return err
	}
	if n == 0 {
		return r.showPerson(v, http.StatusConflict, v.Text("person.not-invited"))
	}
	return v.Lead("members/"+id, "invited")
}
