package provlog

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/serverless-scim/serverless-scim/pkg/directory"
	"github.com/serverless-scim/serverless-scim/pkg/event"
	"github.com/serverless-scim/serverless-scim/pkg/event/eventlog"
	"github.com/serverless-scim/serverless-scim/pkg/scim"
	"github.com/serverless-scim/serverless-scim/pkg/scim/filter"
	"github.com/serverless-scim/serverless-scim/pkg/scim/schema"
	"github.com/serverless-scim/serverless-scim/pkg/store"
	"github.com/serverless-scim/serverless-scim/pkg/tenant"
)

// Query asks for a page of entries, the newest first.
type Query struct {
	// Filter is a SCIM filter on the fields of an entry; empty: all.
	Filter string
	// Count is the most entries of the page, Cursor the place from which it goes on; empty: the newest.
	Count  int
	Cursor string
	// Look is how many entries are looked at, at most; 0 means 2,000.
	Look int
}

// Page is a page of entries. Next is the cursor to go on with; empty: there are no more. A page may have fewer entries
// than were asked for, or none, and a Next: one page looks at so many entries only.
type Page struct {
	Entries []Entry
	Next    string
}

// examined is how many entries one page looks at: up to 500 read units.
const examined = 2000

// ErrNotFound says that there is no such entry.
var ErrNotFound = errors.New("provlog: no such entry")

// entryType is an entry as filters see it.
var entryType = sync.OnceValue(func() *schema.ResourceType {
	attribute := func(name string, t schema.Type, exact, several bool) *schema.Attribute {
		return &schema.Attribute{
			Name: name, Type: t, CaseExact: exact, MultiValued: several, Mutability: schema.ReadOnly,
			Returned: schema.Default,
		}
	}
	all := []*schema.Attribute{
		attribute("id", schema.String, true, false), attribute("time", schema.DateTime, true, false),
	}
	exact := map[string]bool{"requestId": true, "tokenId": true, "resourceId": true}
	for _, f := range (&Entry{}).fields() {
		switch f.value.(type) {
		case *string:
			all = append(all, attribute(f.long, schema.String, exact[f.long], false))
		case *int, *time.Duration:
			all = append(all, attribute(f.long, schema.Integer, true, false))
		case *bool:
			all = append(all, attribute(f.long, schema.Boolean, true, false))
		case *[]string:
			all = append(all, attribute(f.long, schema.String, true, true))
		}
	}
	return &schema.ResourceType{
		ID: "Entry", Name: "Entry", Endpoint: "/log",
		Core: schema.Define(&schema.Schema{ID: "urn:serverless-scim:Entry", Name: "Entry", Attributes: all}),
	}
})

// shelf is a partition of entries, and how long they are kept.
type shelf struct {
	key  func(id string) store.Key
	kept time.Duration
}

// of is the shelf of a tenant.
func of(t *tenant.Tenant) shelf {
	return shelf{store.KeysOf(t.ID).Provisioned, t.Settings.LogRetention()}
}

// List returns a page of a tenant's entries. The error is a *scim.Error 400 if the filter or the cursor is not valid.
func (j *Journal) List(ctx context.Context, t tenant.Tenant, q Query) (Page, error) {
	return j.list(ctx, of(&t), q)
}

func (j *Journal) list(ctx context.Context, s shelf, q Query) (Page, error) {
	var matches *filter.Matcher
	scan := store.Query{PK: s.key("").PK, From: timeID(j.o.Now().Add(-s.kept)), To: "~", Reverse: true}
	if strings.TrimSpace(q.Filter) != "" {
		e, err := filter.Parse(q.Filter, scim.Dialect{})
		if err != nil {
			return Page{}, err
		}
		if matches, err = filter.Bind(e, entryType(), scim.Dialect{}); err != nil {
			return Page{}, err
		}
		within(e, &scan)
	}
	if q.Cursor != "" {
		if !isID(q.Cursor) {
			return Page{}, scim.BadRequest(scim.InvalidCursor,
				"The cursor must be one from an earlier page of this list.")
		}
		if q.Cursor < scan.From {
			return Page{}, nil
		}
		if q.Cursor < scan.To {
			scan.After = q.Cursor
		}
	}
	if scan.From > scan.To {
		return Page{}, nil
	}
	return walk(ctx, j.store, scan, func(e Entry) bool { return matches == nil || matches.Match(e.Object()) }, q)
}

// walk reads a page of the entries that match.
func walk(
	ctx context.Context, st *store.Store, scan store.Query, matches func(Entry) bool, q Query,
) (page Page, err error) {
	count, look := q.Count, examined
	if q.Look > 0 {
		look = min(q.Look, examined)
	}
	for seen, step := 0, 200; ; step *= 2 {
		scan.Limit = min(max(count-len(page.Entries), step), look-seen)
		got, err := st.Query(ctx, scan)
		if err != nil {
			return Page{}, err
		}
		seen += len(got.Items)
		for i, item := range got.Items {
			e, err := decode(item)
			if err != nil {
				return Page{}, err
			}
			if !matches(e) {
				continue
			}
			page.Entries = append(page.Entries, e)
			if len(page.Entries) == count {
				if got.More || i+1 < len(got.Items) {
					page.Next = e.ID
				}
				return page, nil
			}
		}
		switch {
		case !got.More:
			return page, nil
		case seen >= look:
			page.Next = got.Last
			return page, nil
		}
		scan.After = got.Last
	}
}

// within narrows a scan by the times that a filter allows, if it is a conjunction with such a part.
func within(e filter.Expr, q *store.Query) {
	switch e := e.(type) {
	case filter.And:
		within(e.L, q)
		within(e.R, q)
	case filter.Compare:
		if !strings.EqualFold(e.Path.Name, "time") || e.Value.Kind != filter.Str {
			return
		}
		at, ok := scim.ParseTime(e.Value.Str)
		if !ok {
			return
		}
		switch e.Op {
		case filter.Gt, filter.Ge:
			q.From = max(q.From, timeID(at))
		case filter.Lt, filter.Le:
			q.To = min(q.To, timeID(at)+"~")
		case filter.Eq:
			q.From, q.To = max(q.From, timeID(at)), min(q.To, timeID(at)+"~")
		}
	}
}

// isID reports whether a text has the shape of an entry's id.
func isID(s string) bool {
	const digits = timeDigits
	if len(s) < digits+2 || len(s) > 40 || s[digits] != '-' {
		return false
	}
	for i, c := range []byte(s) {
		if i < digits && (c < '0' || c > '9') || i > digits && (c < '0' || c > 'z') {
			return false
		}
	}
	return true
}

// Get reads one entry, with the events that followed it. The error is ErrNotFound if there is none, or not any more.
func (j *Journal) Get(ctx context.Context, t tenant.Tenant, id string) (Entry, error) {
	e, err := j.get(ctx, of(&t), id)
	if err == nil && (e.Outcome == Done || e.Operation == Admin) {
		// The clocks of two processes may differ.
		e.Events, err = eventlog.Following(ctx, j.store.Tenant(t.ID), e.Time.Add(-5*time.Second), e.RequestID)
	}
	return e, err
}

func (j *Journal) get(ctx context.Context, s shelf, id string) (Entry, error) {
	if !isID(id) || id < timeID(j.o.Now().Add(-s.kept)) {
		return Entry{}, ErrNotFound
	}
	items, err := j.store.Get(ctx, s.key(id))
	if err != nil {
		return Entry{}, err
	}
	if items[0].Attrs == nil {
		return Entry{}, ErrNotFound
	}
	return decode(items[0])
}

// AdminFacts are the facts about a request to the admin API when it is answered.
type AdminFacts struct {
	// ID is one that NewID has made: the same one writes the same entry again.
	ID                string
	RequestID, Caller string
	Method, Path      string
	// Object is the id of the thing that was made, or that a form names; "" if Path names it.
	Object string
	Status int // 0: it is not known yet
	Detail string
	// Outcome is that of a command, which has no status.
	Outcome string
}

// Caused returns the context of a request to the admin API or the portal: what it changes, and the events about that,
// name the request.
func Caused(ctx context.Context, requestID string) context.Context {
	return event.WithRequest(directory.WithOrigin(ctx, directory.Origin{RequestID: requestID}), requestID)
}

// Now is the journal's time.
func (j *Journal) Now() time.Time { return j.o.Now() }

// NewID creates the id of an entry of now.
func (j *Journal) NewID() string { return newID(j.o.Now(), 0) }

// Admin writes the entry of a request to the admin API about a tenant.
func (j *Journal) Admin(ctx context.Context, t tenant.Tenant, f AdminFacts) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), patience)
	defer cancel()
	return j.store.Tenant(t.ID).Write(ctx, j.Entry(f)(t))
}

// Refused is Admin for a request of a session that may change nothing. At most 60 a minute of a tenant are written; the
// rest is counted.
func (j *Journal) Refused(ctx context.Context, t tenant.Tenant, f AdminFacts) {
	j.keep(ctx, &t, j.entry(f), "session", keptKnown)
}

// Entry makes the write of Admin, to go into the transaction of the change that it is about.
func (j *Journal) Entry(f AdminFacts) func(t tenant.Tenant) store.Op {
	e := j.entry(f)
	return func(t tenant.Tenant) store.Op { return e.put(of(&t)) }
}

// EntryOf is Entry for a change that makes something: it gives the id.
func (j *Journal) EntryOf(f AdminFacts) func(t tenant.Tenant, object string) store.Op {
	return func(t tenant.Tenant, object string) store.Op {
		f.Object = object
		return j.Entry(f)(t)
	}
}

// entry is the entry of a request to the admin API.
func (j *Journal) entry(f AdminFacts) Entry {
	started := timeOf(f.ID)
	e := Entry{
		ID: f.ID, Time: started, RequestID: f.RequestID, Caller: cut(f.Caller, 300), Operation: Admin,
		Method: f.Method, Path: cut(f.Path, 300), ResourceID: cut(f.Object, 100), Status: f.Status,
		Detail: f.Detail, Outcome: Done,
		Duration: j.o.Now().Sub(started),
	}
	switch {
	case f.Outcome != "":
		e.Outcome = f.Outcome
	case f.Status == 0:
		e.Outcome = Started
	case f.Status >= http.StatusInternalServerError:
		e.Outcome = Failed
	case f.Status >= http.StatusBadRequest:
		e.Outcome = Refused
	}
	return e
}
