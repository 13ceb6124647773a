package tenant

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"github.com/serverless-scim/serverless-scim/pkg/notice"
	"github.com/serverless-scim/serverless-scim/pkg/store"
	"github.com/serverless-scim/serverless-scim/pkg/tenant/internal/oauth"
	"github.com/serverless-scim/serverless-scim/pkg/tenant/internal/record"
)

// Options of a Service. All but Now may be left at zero.
type Options struct {
	// Now is the clock; required.
	Now func() time.Time
	// Log takes the audit trail (ids only, never a value) and errors of work outside of requests; nil discards.
	Log *slog.Logger
	// Lifetime is the default lifetime of a token; 0 means 180 days. MaxLifetime bounds it.
	Lifetime time.Duration
	// MaxLifetime bounds the expiresAt that a token may ask for, and the lifetime that a tenant may set; 0 means 730
	// days. It is 2 days at least.
	MaxLifetime time.Duration
	// Endless allows tokens that never expire.
	Endless bool
	// Packed is the vault of tenants that keep their tokens in shared secrets; nil means that none may.
	Packed Secrets
	// Spread is the longest time before the notice period at which a successor may be created. Each tenant has its own
	// moment in it, so that tenants of one day are not all due at once. 0 creates successors when the period begins.
	Spread time.Duration
	// Wake, if set, is called after a write of an item with the attribute wake, with the attribute's value and the
	// tenant. In AWS the table's stream does this. It must return at once.
	Wake func(kind, tenantID string)
	// Everybody returns the operation that marks all users of a tenant for publishing. It goes into the transaction
	// that switches publishing on. nil: nobody publishes.
	Everybody func(k store.Keys) store.Op
	// Alone says that no other process writes to the table, as with an embedded engine. The reservation of a process
	// that died is then void at once instead of after a minute.
	Alone bool
}

const (
	defaultLifetime    = 180 * 24 * time.Hour
	defaultMaxLifetime = 730 * 24 * time.Hour
	// maxLive is the number of tokens of a tenant that may be live at a time: one, and its successor.
	maxLive = 2
	// lease is how long a reservation excludes other processes. Its holder gives up after patience, which is much
	// shorter, so that two processes never work on one reservation.
	lease    = time.Minute
	patience = 20 * time.Second
)

// Service creates, changes, deletes and authenticates tenants. Any number of goroutines and processes may use it.
type Service struct {
	store   *store.Store
	secrets Secrets
	o       Options
	process func() string // distinguishes this process's reservations from others'

	mu      sync.Mutex
	touched map[touchKey]time.Time
	types   map[string]knownTypes // by tenant

	remembered map[rememberedKey]remembered
	decoded    map[string]decoded // by partition

	clients    *oauth.Registry
	queue      *notice.Queue
	delivering [64]sync.Mutex // by hash of the tenant
}

// New returns a Service on a table and a vault.
func New(st *store.Store, secrets Secrets, o Options) *Service {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Wake == nil {
		o.Wake = func(string, string) {}
	}
	if o.Lifetime == 0 {
		o.Lifetime = defaultLifetime
	}
	if o.MaxLifetime == 0 {
		o.MaxLifetime = defaultMaxLifetime
	}
	o.MaxLifetime = max(o.MaxLifetime, record.MinLifetimeDays*record.Day)
	o.Lifetime = min(o.Lifetime, o.MaxLifetime)
	s := &Service{
		store: st, secrets: secrets, o: o,
		process: sync.OnceValue(func() string { return record.Random(record.Base36, record.TokenIDLength) }),
		touched: map[touchKey]time.Time{}, types: map[string]knownTypes{}, remembered: map[rememberedKey]remembered{},
		decoded: map[string]decoded{},
	}
	s.clients = oauth.NewRegistry(oauth.Options{
		Store: st, Now: o.Now, Log: o.Log, Read: s.read, Update: s.update, Rest: rest, LastUses: s.lastUses,
		ForgetUse: s.forgetUse, Touch: s.Touch, Policy: s.policy, CheckSecret: s.checkSecret,
	})
	s.queue = notice.NewQueue(st, notice.QueueOptions{
		Now: o.Now, Log: o.Log, Process: s.process, Alone: o.Alone, Facts: s.facts, Tell: s.tellWith,
	})
	return s
}

// ValidID reports whether a text has the form of a tenant's id. The tenant need not exist.
func ValidID(id string) bool { return record.ValidID(id) }

// read returns the stored tenant, in any state, by one strongly consistent read; ErrNotFound if there is none.
func (s *Service) read(ctx context.Context, id string) (*record.Record, error) {
	if !record.ValidID(id) {
		return nil, ErrNotFound
	}
	items, err := s.store.Get(ctx, store.KeysOf(id).Tenant())
	if err != nil {
		return nil, err
	}
	return record.Decode(items[0])
}

// Get returns a tenant; ErrNotFound if there is none, or one that is being created or deleted.
func (s *Service) Get(ctx context.Context, id string) (Tenant, error) {
	r, err := s.read(ctx, id)
	if err != nil {
		return Tenant{}, err
	}
	if r.Life != record.Active {
		return Tenant{}, ErrNotFound
	}
	return r.Tenant(id, s.o.Now()), nil
}
