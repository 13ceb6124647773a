// Package oauth keeps the OAuth clients of tenants and of the operator, and grants access tokens to them (RFC 6749,
// section 4.4).
//
// A tenant's client is a part of the tenant's record, the only read of a SCIM request; only its name and its keys are
// in an item of their own. A client of the operator is one item. Assertions are in package assertion.
//
//	registry.go         Registry, and the functions of package tenant that it needs
//	clients.go          a tenant's clients
//	operatorclients.go  clients that the operator keeps for many tenants
//	grant.go            a client asks for an access token
package oauth

import (
	"context"
	"log/slog"
	"time"

	"github.com/serverless-scim/serverless-scim/pkg/store"
	"github.com/serverless-scim/serverless-scim/pkg/tenant/internal/record"
)

// Options of a Registry. All are required.
type Options struct {
	Store *store.Store
	Now   func() time.Time
	// Log takes the audit trail: ids only, never a value.
	Log *slog.Logger

	// Read returns a tenant in any state, by one strongly consistent read; record.ErrNotFound if there is none.
	Read func(ctx context.Context, tenantID string) (*record.Record, error)
	// Update changes an active tenant in one transaction. It may call change again if another process wrote in
	// between.
	Update func(ctx context.Context, tenantID string, change func(*record.Record) error) (*record.Record, error)
	// Rest waits a little before a write that lost against another one is tried again; record.ErrBusy if ctx ends.
	Rest func(ctx context.Context) error

	// LastUses reads the times of last use of clients and their secrets, in Unix seconds by id. Touch records a use
	// now, ForgetUse removes the record.
	LastUses  func(ctx context.Context, tenantID string, ids []string) (map[string]int64, error)
	Touch     func(ctx context.Context, tenantID, id string)
	ForgetUse func(ctx context.Context, tenantID, id string)

	// Policy returns the lifetime of a tenant's secrets, and the times of the notices of their ends.
	Policy func(record.TokenSettings) record.Policy
	// CheckSecret checks scopes and end against the operator's bounds; a *record.InvalidError if they are outside.
	CheckSecret func(n record.NewClient) error
}

// Registry creates, changes and lists clients, and grants their access tokens. It is safe for concurrent use.
type Registry struct{ o Options }

// NewRegistry returns a Registry.
func NewRegistry(o Options) *Registry { return &Registry{o} }
