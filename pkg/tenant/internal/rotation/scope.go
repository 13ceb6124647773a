package rotation

// Scope is a right that a token gives.
type Scope string

// The scopes. A token without a choice has both.
const (
	ScopeRead  Scope = "read"
	ScopeWrite Scope = "write"
)

// TokenState is the state of a token at a moment.
type TokenState string

// The states. The first two authenticate.
const (
	// TokenActive is the only live token, or the older of two.
	TokenActive TokenState = "active"
	// TokenSuccessor is the newest of several live tokens.
	TokenSuccessor TokenState = "successor"
	TokenExpired   TokenState = "expired"
	TokenRevoked   TokenState = "revoked"
)

// The values of TokenSettings.Vault, the vault that keeps the value of a token for people to look it up.
const (
	// VaultSecret keeps it in a secret of the tenant's own.
	VaultSecret = "secret"
	// VaultPacked keeps it in a secret that some hundred tenants share.
	VaultPacked = "packed"
	// VaultNone keeps no value: it is shown once, and a successor is created only when a person collects it.
	VaultNone = "none"
)

// DefaultNoticeDays is the default of the period of notice, in days.
const DefaultNoticeDays = 28

// DefaultReminders are the default of the reminders, in days before the end.
var DefaultReminders = []int{14, 7, 1}
