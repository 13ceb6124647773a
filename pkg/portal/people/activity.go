package people

import (
	"errors"
	"html/template"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/serverless-scim/serverless-scim/pkg/portal/frame"
	"github.com/serverless-scim/serverless-scim/pkg/provlog"
	"github.com/serverless-scim/serverless-scim/pkg/scim"
	"github.com/serverless-scim/serverless-scim/pkg/task"
	"github.com/serverless-scim/serverless-scim/pkg/tenant"
)

const (
	activityShown = 50
	chartDays     = 14
	chartHeight   = 120
	chartWidth    = 28 // of a day
)

// The values of the filters.
var (
	outcomes   = []string{provlog.Done, provlog.NothingToDo, provlog.Refused, provlog.Failed, provlog.Started}
	operations = []string{
		provlog.Create, provlog.Replace, provlog.Patch, provlog.Delete, provlog.Read, provlog.Bulk, provlog.Admin,
	}
	periods  = []string{"1", "7", "30", "90"}
	lookBack = map[string]time.Duration{
		"1": 24 * time.Hour, "7": 7 * 24 * time.Hour, "30": 30 * 24 * time.Hour, "90": 90 * 24 * time.Hour,
	}
	outcomeStates = map[string]string{
		provlog.Done: "good", provlog.NothingToDo: "off", provlog.Refused: "bad", provlog.Failed: "bad",
		provlog.Started: "wait",
	}
)

// entryRow is an entry of the log in plain language.
type entryRow struct {
	ID            string
	Time          time.Time
	What          string
	Subject       string
	State, Result string
	Detail        string
	Changed       []string
	Added, Gone   int // members of the group
}

func entryRowOf(v *frame.Visit, e provlog.Entry) entryRow {
	row := entryRow{
		ID: e.ID, Time: e.Time, State: outcomeStates[e.Outcome], Result: told(v, "outcome.", e.Outcome, outcomes),
		Detail: v.Refusal(e.Status, e.ScimType, e.Detail), Changed: e.Changed, Added: len(e.Added),
		Gone: len(e.Removed),
	}
	thing := "other"
	switch e.ResourceType {
	case "User", "Group":
		thing = strings.ToLower(e.ResourceType)
	}
	switch {
	case e.Operation == provlog.Bulk || e.Operation == provlog.Admin:
		row.What, row.Subject = v.Text("activity.op."+e.Operation), strings.TrimSpace(e.Path+" "+e.ResourceID)
	case slices.Contains(operations, e.Operation):
		row.What = v.Text("activity.op." + e.Operation + "." + thing)
	default:
		row.What = e.Operation
	}
	for _, name := range []string{e.Subject, e.Group, e.ResourceID, e.Path} {
		if row.Subject == "" {
			row.Subject = name
		}
	}
	return row
}

type choice struct {
	Value, Text string
	Here        bool
}

type dayRow struct {
	Day                          time.Time
	Done, Same, Refused, Failed  int64
	X, GoodY, Good, BadY, Bad, W int
}

type activityPage struct {
	Outcome, Operation, Period, Person, Group string
	Outcomes, Operations, Periods             []choice
	Rows                                      []entryRow
	Next                                      template.URL // the address of the next page
	Last, Good                                time.Time
	Days                                      []dayRow
	Most                                      int64 // requests on the day with the most
	Top, Half                                 int64 // the end of the scale, and its middle; 0: not whole
	SumGood, SumBad                           int64
	Width, Height                             int
	NotKept                                   int64
}

func (r room) activity(v *frame.Visit) error {
	page := activityPage{
		Outcome: oneOf(v.Form("outcome"), outcomes), Operation: oneOf(v.Form("operation"), operations),
		Period: oneOf(v.Form("period"), periods), Person: cut(v.Form("person")), Group: cut(v.Form("group")),
		Width: chartDays * chartWidth, Height: chartHeight,
	}
	page.Outcomes = choices(v, "outcome.", page.Outcome, outcomes)
	page.Operations = choices(v, "activity.filter.", page.Operation, operations)
	page.Periods = choices(v, "activity.period.", page.Period, periods)
	var (
		log    provlog.Page
		counts provlog.Activity
	)
	g, ctx := task.WithContext(v.R.Context())
	g.Go(func() (err error) {
		log, err = r.c.Journal.List(ctx, v.Tenant, provlog.Query{
			Filter: page.filter(v), Count: activityShown, Cursor: v.Form("after"),
		})
		return err
	})
	g.Go(func() (err error) { counts, err = r.c.Journal.Recent(ctx, v.Tenant, chartDays); return err })
	err := g.Wait()
	if refused := (*scim.Error)(nil); errors.As(err, &refused) && refused.Status < 500 {
		return tenant.ErrNotFound // a cursor that is none
	}
	if err != nil {
		return err
	}
	for _, e := range log.Entries {
		page.Rows = append(page.Rows, entryRowOf(v, e))
	}
	if log.Next != "" {
		page.Next = activityAt(url.Values{
			"outcome": {page.Outcome}, "operation": {page.Operation}, "period": {page.Period}, "person": {page.Person},
			"group": {page.Group}, "after": {log.Next},
		})
	}
	page.Last, page.Good, page.NotKept = counts.Last, counts.Good, counts.NotKept
	page.chart(v.Now(), counts.Days)
	if v.Form("part") == "list" {
		return v.ShowPart("activity", "list", page)
	}
	return v.Show("activity", page)
}

// activityAt is the address of the activity with some fields, whole: in an address, a template would encode the
// separators of the fields as well.
func activityAt(fields url.Values) template.URL {
	return template.URL("/portal/activity?" + fields.Encode()) //nolint:gosec // it is encoded
}

// filter is the filter on the log that the fields of the form describe.
func (p activityPage) filter(v *frame.Visit) string {
	var all []string
	if p.Outcome != "" {
		all = append(all, "outcome eq "+scim.Literal(p.Outcome))
	}
	if p.Operation != "" {
		all = append(all, "operation eq "+scim.Literal(p.Operation))
	}
	if p.Period != "" {
		all = append(all, "time ge "+scim.Literal(scim.FormatTime(v.Now().Add(-lookBack[p.Period]))))
	}
	if p.Person != "" {
		q := scim.Literal(p.Person)
		all = append(all, "(subject co "+q+" or resourceId eq "+q+" or added eq "+q+" or removed eq "+q+")")
	}
	if p.Group != "" {
		q := scim.Literal(p.Group)
		all = append(all, "(group co "+q+" or resourceId eq "+q+")")
	}
	return strings.Join(all, " and ")
}

// chart creates a bar of each of the last days.
func (p *activityPage) chart(now time.Time, days []provlog.Period) {
	today := now.UTC().Truncate(24 * time.Hour)
	for i := range chartDays {
		day := dayRow{Day: today.AddDate(0, 0, i-chartDays+1), X: i*chartWidth + 4, W: chartWidth - 8}
		for _, d := range days {
			if !d.Begin.UTC().Equal(day.Day) {
				continue
			}
			for _, c := range d.Counts {
				switch c.Outcome {
				case provlog.Done:
					day.Done += c.N
				case provlog.NothingToDo:
					day.Same += c.N
				case provlog.Refused:
					day.Refused += c.N
				default:
					day.Failed += c.N
				}
			}
		}
		p.Most = max(p.Most, day.Done+day.Same+day.Refused+day.Failed)
		p.SumGood, p.SumBad = p.SumGood+day.Done+day.Same, p.SumBad+day.Refused+day.Failed
		p.Days = append(p.Days, day)
	}
	p.Top = scaleOf(p.Most)
	if p.Half = p.Top / 2; p.Top%2 != 0 {
		p.Half = 0
	}
	for i := range p.Days {
		day := &p.Days[i]
		day.Good, day.Bad = p.height(day.Done+day.Same), p.height(day.Refused+day.Failed)
		day.GoodY = chartHeight - day.Good
		day.BadY = day.GoodY - day.Bad
	}
}

// height is that of a bar; a day with few requests shows something.
func (p *activityPage) height(n int64) int {
	if n == 0 {
		return 0
	}
	return max(2, int(n*chartHeight/p.Top))
}

// scaleOf is the end of a scale for values up to n: 1, 2, 4, 6 or 10, or one of these times a power of ten.
func scaleOf(n int64) int64 {
	for power := int64(1); ; power *= 10 {
		for _, step := range []int64{1, 2, 4, 6, 10} {
			if step*power >= n {
				return step * power
			}
		}
	}
}

// Middle is the height of the middle of the scale.
func (p activityPage) Middle() int { return chartHeight / 2 }

func oneOf(text string, known []string) string {
	if slices.Contains(known, text) {
		return text
	}
	return ""
}

// cut bounds the length of a search text.
func cut(text string) string { return strings.ToValidUTF8(text[:min(len(text), 256)], "") }

func choices(v *frame.Visit, prefix, here string, values []string) []choice {
	all := []choice{{"", v.Text("activity.all"), here == ""}}
	for _, value := range values {
		all = append(all, choice{value, v.Text(prefix + value), value == here})
	}
	return all
}

func (r room) entry(v *frame.Visit) error {
	id := v.R.PathValue("id")
	if len(id) > maxIDBytes {
		return tenant.ErrNotFound
	}
	e, err := r.c.Journal.Get(v.R.Context(), v.Tenant, id)
	if errors.Is(err, provlog.ErrNotFound) {
		return tenant.ErrNotFound
	}
	if err != nil {
		return err
	}
	return v.Show("entry", map[string]any{"Row": entryRowOf(v, e), "Entry": e})
}
