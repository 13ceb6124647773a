package directory

import (
	"context"
	"log/slog"
	"time"

	"github.com/google/uuid"

	"github.com/serverless-scim/serverless-scim/pkg/directory/membership"
	"github.com/serverless-scim/serverless-scim/pkg/directory/query"
	"github.com/serverless-scim/serverless-scim/pkg/directory/row"
	"github.com/serverless-scim/serverless-scim/pkg/scim/schema"
	"github.com/serverless-scim/serverless-scim/pkg/store"
)

// Tenant holds the properties of a request's tenant that the directory needs.
type Tenant = row.Tenant

// Resource is a resource as a client may see it, not yet projected.
type Resource = row.Resource

// Touched names the users and groups that a transaction changes.
type Touched = membership.Touched

// Joined are users who become or cease to be members of a group, in one transaction.
type Joined = membership.Joined

// Carry returns the operations to add to a transaction because of the resources it touches and of its Origin, on
// whose behalf it is made. Told is a change for the log.
type (
	Carry  = membership.Carry
	Origin = membership.Origin
	Told   = membership.Told
)

// WithOrigin returns a context whose writes are made on behalf of o.
func WithOrigin(ctx context.Context, o Origin) context.Context { return membership.WithOrigin(ctx, o) }

// OriginOf returns on whose behalf the writes of a context are made; nobody's without WithOrigin.
func OriginOf(ctx context.Context) Origin { return membership.OriginOf(ctx) }

// Body says how much of a changed resource a PATCH wants back.
type Body int

// The bodies.
const (
	// NoBody asks for none: a 204.
	NoBody Body = iota
	// FullBody asks for the resource.
	FullBody
	// SmallBody asks for the resource unless it is a group of more than PatchOptions.MaxMembers members.
	SmallBody
)

// PatchOptions are the circumstances of a PATCH.
type PatchOptions struct {
	// IfMatch holds the entity tags of the If-Match header, or "*"; empty means no precondition.
	IfMatch []string
	Body    Body
	// MaxMembers is the number of members up to which SmallBody answers a group whole.
	MaxMembers int
	// Selection is the projection of the answer; nil is the default.
	Selection *schema.Projection
}

// ListQuery asks for a page of a list, and List is that page.
type (
	ListQuery = query.Query
	List      = query.Page
)

// Options configure a Directory. Now is required.
type Options struct {
	Now func() time.Time
	// NewID creates the id of a resource; the default is a random UUID. Ids are URL-safe and never reused.
	NewID func() string
	Log   *slog.Logger
	// Background is called with a tenant that has open work which a request left for later. It must not block.
	Background func(tenantID string)
	// MaxRows is how many resources one query looks at if nothing narrows it, MaxScan how long that may take. Beyond
	// either it is answered by 400 tooMany. Zero means 500,000 and 25 seconds, which leaves a gateway's 30 seconds some
	// room.
	MaxRows int
	MaxScan time.Duration
	// MaxWait bounds how long a writer competes for a resource before it answers 503; zero means 10 seconds.
	MaxWait time.Duration
	// Rules restrict the writes of clients.
	Rules Rules
	// Carry, if set, adds operations to each transaction that touches users or groups.
	Carry Carry
	// Carried, if set, is called with a tenant after each transaction that carried something. It must not block.
	Carried func(tenantID string)
}

// Directory holds the users and groups of all tenants. It is safe for concurrent use.
type Directory struct {
	members *membership.Service
	queries *query.Service
	store   *store.Store
	o       Options
}

// New creates a Directory on a store.
func New(s *store.Store, o Options) *Directory {
	if o.NewID == nil {
		o.NewID = uuid.NewString
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Background == nil {
		o.Background = func(string) {}
	}
	if o.Carried == nil {
		o.Carried = func(string) {}
	}
	if o.MaxWait == 0 {
		o.MaxWait = 10 * time.Second
	}
	members := &membership.Service{
		Now: o.Now, NewID: o.NewID, Log: o.Log, Background: o.Background, Carry: o.Carry, Carried: o.Carried,
		MaxWait: o.MaxWait,
	}
	queries := query.New(query.Service{
		Members: members, Store: s, Now: o.Now, Log: o.Log, MaxRows: o.MaxRows, MaxScan: o.MaxScan,
	})
	return &Directory{members: members, queries: queries, store: s, o: o}
}

// Options returns the options of the Directory, with the defaults filled in.
func (d *Directory) Options() Options { return d.o }

// Store is the storage of a tenant, for packages that build on the Directory.
func (d *Directory) Store(t Tenant) *store.TenantStore { return d.store.Tenant(t.ID) }

// IsBusy reports whether err says that the store could not do the work now and the client may come again: a 503.
func IsBusy(err error) bool { return store.IsBusy(err) }

// Cost is the consumption of a request in the store.
type Cost = store.Cost

// Metered returns a context under which the cost of every store call is added up, and a function that returns the sum
// so far.
func Metered(ctx context.Context) (context.Context, func() Cost) {
	ctx, m := store.WithMeter(ctx)
	return ctx, m.Total
}

// Hold returns a context under which the methods of a Directory read, but write nothing before wait has returned, and
// nothing at all if it returned an error: they then fail with that error, or one that wraps it. wait must be safe
// for concurrent use.
func Hold(ctx context.Context, wait func() error) context.Context { return store.Hold(ctx, wait) }

// ErrStale is store.ErrStale.
var ErrStale = store.ErrStale

// Retry runs attempt until it returns anything but store.ErrStale, for Options.MaxWait at most; then it is a
// *scim.Error 503.
func (d *Directory) Retry(ctx context.Context, attempt func() error) error {
	return d.members.Retry(ctx, attempt)
}

// RollForward completes all open work of a tenant. Running it twice, or in two places, does no harm.
func (d *Directory) RollForward(ctx context.Context, tenantID string) error {
	return d.members.RollForward(ctx, d.store.Tenant(tenantID))
}

// FinishMembers goes on with an open large change of a group's members, by at most so many of its changes. It reports
// whether no such change is open any more.
func (d *Directory) FinishMembers(ctx context.Context, tenantID, groupID string, most int64) (bool, error) {
	return d.members.FinishSome(ctx, d.store.Tenant(tenantID), groupID, most)
}

// Going returns the ids of the deleted resources of a tenant that may still be a member or a manager of something.
func (d *Directory) Going(ctx context.Context, t Tenant) (map[string]bool, error) {
	return membership.Going(ctx, d.store.Tenant(t.ID))
}

const (
	// MaxMembershipChanges is the number of memberships that one request may change.
	MaxMembershipChanges = membership.MaxChanges
	// CursorLife is how long a cursor is good for.
	CursorLife = query.CursorLife
	// MaxAnswerBytes bounds the JSON of a page, so that it fits a Lambda response of 6 MB after escaping.
	MaxAnswerBytes = query.MaxAnswerBytes
	// LessMembers says how to ask for less than all members of a large group.
	LessMembers = membership.LessMembers
)

// List answers a query for the resources of one type (RFC 7644, section 3.4.2, and RFC 9865); see query.Service.Search.
func (d *Directory) List(ctx context.Context, t Tenant, rt *schema.ResourceType, q ListQuery) (List, error) {
	return d.queries.Search(ctx, t, []*schema.ResourceType{rt}, q)
}

// Search answers a query across several resource types (RFC 7644, section 3.4.2.1); see query.Service.Search.
func (d *Directory) Search(ctx context.Context, t Tenant, types []*schema.ResourceType, q ListQuery) (List, error) {
	return d.queries.Search(ctx, t, types, q)
}

// Explain says how a query would be answered; see query.Service.Explain.
func (d *Directory) Explain(t Tenant, types []*schema.ResourceType, q ListQuery) (string, error) {
	return d.queries.Explain(t, types, q)
}
