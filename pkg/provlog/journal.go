package provlog

import (
	"context"
	"crypto/rand"
	"fmt"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/serverless-scim/serverless-scim/pkg/directory"
	"github.com/serverless-scim/serverless-scim/pkg/scim"
	"github.com/serverless-scim/serverless-scim/pkg/scim/schema"
	"github.com/serverless-scim/serverless-scim/pkg/store"
	"github.com/serverless-scim/serverless-scim/pkg/tenant"
)

// Journal keeps the provisioning logs of tenants. It is safe for concurrent use.
type Journal struct {
	store *store.Store
	o     Options

	mu      sync.Mutex
	counts  map[string]*tally // by tenant: the counts that are not written yet
	refused map[string]*bucket
	idle    repeats
}

// Options of a Journal. Now is required.
type Options struct {
	Now func() time.Time
	Log *slog.Logger
	// Lookup reads a tenant by the id in a request's path, for requests without a well-formed token; nil logs none of
	// them.
	Lookup func(ctx context.Context, id string) (tenant.Tenant, error)
	// OperatorLog is how long entries of the operator's log are kept; 0 is 90 days.
	OperatorLog time.Duration
}

// New returns the journal of all tenants of a store.
func New(st *store.Store, o Options) *Journal {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	return &Journal{store: st, o: o, counts: map[string]*tally{}, refused: map[string]*bucket{}, idle: newRepeats()}
}

// Request is a SCIM request, or one operation of a bulk request, on its way into the log. Its methods are those of one
// goroutine, but Record.
type Request struct {
	j       *Journal
	tenant  *tenant.Tenant
	entry   Entry
	started time.Time
	rt      *schema.ResourceType
	http    *http.Request
	body    func() scim.Object
	test    bool

	mu        sync.Mutex
	id        string // of the entry of the change; empty before its first attempt
	committed bool
	counted   string // the outcome that was counted ahead
}

// Facts are the facts about a request when it is accepted.
type Facts struct {
	Tenant    *tenant.Tenant
	TokenID   string
	RequestID string
	HTTP      *http.Request
	// Path begins after the tenant's base URL. Endpoint is its first part, in lower case.
	Path, Endpoint string
	// Method is that of the operation, Reads says that it changes nothing.
	Method string
	Reads  bool
	// Type is nil if the path is no resource type's; ID is the resource's, or empty.
	Type *schema.ResourceType
	ID   string
	// Body is the decoded body, nil if there is none or it could not be read. It is called when an entry is written.
	Body func() scim.Object
	// Number is the place in a bulk request, from 1; 0 is none.
	Number  int
	Started time.Time
}

// Begin takes down a request. A nil Journal gives a nil Request, which does nothing.
func (j *Journal) Begin(f Facts) *Request {
	if j == nil {
		return nil
	}
	r := &Request{
		j: j, tenant: f.Tenant, started: f.Started, rt: f.Type, http: f.HTTP, body: f.Body,
		test: isTest(f.HTTP, f.Endpoint, f.ID),
		entry: Entry{
			Time: f.Started, RequestID: f.RequestID, TokenID: f.TokenID, Method: f.Method, Path: f.Path,
			IdP: recognise(f.HTTP), Operation: operationOf(f), ResourceID: f.ID, Number: f.Number,
			Flag: hasFlag(f.HTTP.URL.RawQuery),
		},
	}
	if f.Type != nil {
		r.entry.ResourceType = f.Type.ID
	}
	return r
}

// operationOf names the operation of a request.
func operationOf(f Facts) string {
	switch {
	case f.Reads:
		return Read
	case f.Endpoint == "bulk" && f.Number == 0:
		return Bulk
	}
	switch f.Method {
	case http.MethodPost:
		return Create
	case http.MethodPut:
		return Replace
	case http.MethodPatch:
		return Patch
	case http.MethodDelete:
		return Delete
	}
	return Read
}

// Record returns the operation that writes the entry of a change, for the change's transaction. With Recorded it is a
// Recorder of the directory.
func (r *Request) Record(k store.Keys, t directory.Told) store.Op {
	e := r.entry
	e.Outcome, e.ResourceType, e.ResourceID = Done, t.Type, t.ID
	e.Status = http.StatusOK
	switch r.entry.Operation {
	case Create:
		e.Status = http.StatusCreated
	case Delete:
		e.Status = http.StatusNoContent
	}
	e.name(t.Type, firstOf(t.After, t.Before))
	e.Added, e.Removed = some(t.Joining), some(t.Leaving)
	e.Changed = changed(t)
	e.Duration = r.j.o.Now().Sub(r.started)
	r.fill(&e, true)
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.id == "" {
		r.id = r.newID()
	}
	e.ID = r.id
	return e.put(of(r.tenant))
}

// Recorded notes that the entry is written.
func (r *Request) Recorded() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.committed = true
}

// newID creates the id of an entry. Entries stand in the order in which requests came in, and the operations of a bulk
// request in theirs.
func (r *Request) newID() string {
	return newID(r.entry.Time, r.entry.Number)
}

// newID creates the id of an entry: it sorts by time, and is as good as unique.
func newID(at time.Time, number int) string {
	return fmt.Sprintf("%s-%04d%s", timeID(at), number, strings.ToLower(rand.Text()[:8]))
}

func firstOf(a, b scim.Object) scim.Object {
	if a != nil {
		return a
	}
	return b
}

func some(list []string) []string { return list[:min(len(list), maxListed)] }

// name sets the subject of an entry from the resource.
func (e *Entry) name(typeID string, doc scim.Object) {
	attribute := "displayName"
	if typeID == schema.UserType().ID {
		attribute = "userName"
	}
	if text, ok := scim.Field(doc, attribute); ok {
		e.Subject, _ = text.(string)
	}
	e.Subject = cut(e.Subject, 256)
	if typeID == schema.GroupType().ID {
		e.Group = e.Subject
	}
}

// fill sets the facts from the body: the likely identity provider, and the body itself if it is to be kept.
func (r *Request) fill(e *Entry, keep bool) {
	var body scim.Object
	if r.body != nil {
		body = r.body()
	}
	if e.IdP == "" {
		e.IdP = recogniseBody(body)
	}
	rd := redactorOf(r.rt, r.tenant.Settings.Log.PersonalData)
	if r.http.URL.RawQuery != "" {
		rd.path(r.http.URL.Query().Get("filter"))
	}
	kept := rd.body(body)
	e.Detail = rd.clean(e.Detail) // it may quote the request
	if body == nil || !keep {
		return
	}
	e.Body = string(scim.AppendJSON(nil, kept))
	if e.Subject == "" {
		e.name(e.ResourceType, body)
	}
}

// changed lists the attributes that differ.
func changed(t directory.Told) []string {
	var paths []string
	if t.Before != nil && t.After != nil {
		paths = differences(t.Before, t.After, "")
	}
	if len(t.Joining)+len(t.Leaving) > 0 {
		paths = append(paths, "members")
	}
	slices.Sort(paths)
	return some(paths)
}

// differences lists the paths at which two documents differ, one level below attributes and extensions.
func differences(a, b scim.Object, prefix string) []string {
	var paths []string
	for key, x := range a {
		paths = append(paths, difference(key, x, b[key], prefix)...)
	}
	for key, y := range b {
		if _, both := a[key]; !both {
			paths = append(paths, difference(key, nil, y, prefix)...)
		}
	}
	return paths
}

// difference is differences for the two values of a key.
func difference(key string, x, y any, prefix string) []string {
	if key == "meta" || key == "schemas" || scim.Equal(x, y) {
		return nil
	}
	before, was := x.(scim.Object)
	after, is := y.(scim.Object)
	if (was || is) && (x == nil || was) && (y == nil || is) && !strings.Contains(prefix, ".") {
		separator := "."
		if strings.HasPrefix(key, "urn:") {
			separator = ":"
		}
		return differences(before, after, prefix+key+separator)
	}
	return []string{prefix + key}
}
