package tenant

import (
	"github.com/serverless-scim/serverless-scim/pkg/scim"
	"github.com/serverless-scim/serverless-scim/pkg/store"
	"github.com/serverless-scim/serverless-scim/pkg/tenant/internal/oauth"
	"github.com/serverless-scim/serverless-scim/pkg/tenant/internal/record"
)

// The types of package record that callers see; they are described there.
type (
	Tenant            = record.Tenant
	Settings          = record.Settings
	SCIMSettings      = record.SCIMSettings
	TokenSettings     = record.TokenSettings
	NoticeSettings    = record.NoticeSettings
	Token             = record.Token
	TokenState        = record.TokenState
	Scope             = record.Scope
	Bearer            = record.Bearer
	Client            = record.Client
	NewClient         = record.NewClient
	IssuedClient      = record.IssuedClient
	AccessToken       = record.AccessToken
	ClientProof       = oauth.ClientProof
	GrantError        = record.GrantError
	UnauthorizedError = record.UnauthorizedError
	SwitchedOffError  = record.SwitchedOffError
	InvalidError      = record.InvalidError
	ConflictError     = record.ConflictError
)

// The constants of these types.
const (
	DefaultIdP      = record.DefaultIdP
	PatchBodyNone   = record.PatchBodyNone
	VaultSecret     = record.VaultSecret
	VaultPacked     = record.VaultPacked
	VaultNone       = record.VaultNone
	ScopeRead       = record.ScopeRead
	ScopeWrite      = record.ScopeWrite
	TokenActive     = record.TokenActive
	TokenSuccessor  = record.TokenSuccessor
	TokenExpired    = record.TokenExpired
	TokenRevoked    = record.TokenRevoked
	InvalidClient   = record.InvalidClient
	OperatorClients = record.OperatorClients
)

// Errors of a Service.
var (
	// ErrNotFound: no such tenant, or one that is being made or deleted; or no such token.
	ErrNotFound = record.ErrNotFound
	// ErrExists: the id is taken, also by a tenant that is still being deleted.
	ErrExists = record.ErrExists
	// ErrNoValue: the vault does not have the value of the token. Returned by Secrets.
	ErrNoValue = record.ErrNoValue
	// ErrVault: the vault could not do its work; trying again later may help. Implementations of Secrets wrap it.
	ErrVault = record.ErrVault
	// ErrBusy: something of the tenant is under way that has to end, or to lapse, first.
	ErrBusy = record.ErrBusy
)

// Temporary reports whether trying again later may help: the table or the vault conflicted, throttled or did not
// answer. At the HTTP edge it is a 503 with Retry-After.
func Temporary(err error) bool { return record.Temporary(err) }

// Outage returns the text for the client of an error that only the operator can end: there is no room left for data, or
// stored data is damaged. At the HTTP edge it is a 503.
func Outage(err error) (detail string, ok bool) { return record.Outage(err) }

// PolicySaved is the operation that names the saved policy of an active tenant by a digest of its document, for the
// transaction that saves it. Its condition fails if the tenant has not the version any more that the policy was held
// against, or is gone.
func PolicySaved(k store.Keys, version int64, digest string) store.Op {
	return record.PolicySaved(k, version, digest)
}

// ParseSettings reads settings as the admin API takes them. A key that is not known, or a value of the wrong kind, is
// an *InvalidError that names it; null means not set.
func ParseSettings(o scim.Object) (Settings, error) { return record.ParseSettings(o) }

// ParseToken takes a token's value apart. ok says that it has the shape of a token and that its checksum is right; it
// may still be nobody's.
func ParseToken(value string) (id string, ok bool) { return record.ParseToken(value) }

// ReadBearer finds the token in the value of an Authorization header as received.
func ReadBearer(authorization string) Bearer { return record.ReadBearer(authorization) }
