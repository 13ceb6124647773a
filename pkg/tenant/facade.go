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
	PatchBodyFull   = record.PatchBodyFull
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
	// ErrNotFound: no such tenant, or one that is being created or deleted; or no such token.
	ErrNotFound = record.ErrNotFound
	// ErrExists: the id is taken, also by a tenant that is still being deleted.
	ErrExists = record.ErrExists
	// ErrNoValue: the vault does not have the value of the token. Returned by Secrets.
	ErrNoValue = record.ErrNoValue
	// ErrVault: the vault could not do its work; trying again later may help. Implementations of Secrets wrap it.
	ErrVault = record.ErrVault
	// ErrBusy: other work on the tenant is under way, and has to end or to lapse first.
	ErrBusy = record.ErrBusy
)

// Temporary reports whether a later retry may help: the table or the vault conflicted, throttled or did not answer.
// The HTTP edge answers 503 with Retry-After.
func Temporary(err error) bool { return record.Temporary(err) }

// Outage returns the text for the client of an error that only the operator can end: there is no space left for data,
// or stored data is damaged. The HTTP edge answers 503.
func Outage(err error) (detail string, ok bool) { return record.Outage(err) }

// PolicySaved returns the operation that writes the digest of the saved policy's document to an active tenant. It goes
// into the transaction that saves the policy. Its condition fails if the tenant is gone, or has another version than
// the one that the policy was checked against.
func PolicySaved(k store.Keys, version int64, digest string) store.Op {
	return record.PolicySaved(k, version, digest)
}

// PolicyName names the policy of a tenant.
type PolicyName = record.PolicyName

// SavedPolicy reads the name of the saved policy from the item of a tenant; the zero name: there is no item.
func SavedPolicy(item store.Item) (PolicyName, error) { return record.SavedPolicy(item) }

// ParseSettings reads settings in the form of the admin API. An unknown key or a value of the wrong kind is an
// *InvalidError that names it; null means not set.
func ParseSettings(o scim.Object) (Settings, error) { return record.ParseSettings(o) }

// ParseToken parses a token's value. ok says that its form and checksum are right; the token need not exist.
func ParseToken(value string) (id string, ok bool) { return record.ParseToken(value) }

// ReadBearer finds the token in the value of an Authorization header as received.
func ReadBearer(authorization string) Bearer { return record.ReadBearer(authorization) }
