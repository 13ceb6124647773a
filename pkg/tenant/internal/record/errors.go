package record

import (
	"context"
	"errors"

	"github.com/serverless-scim/serverless-scim/pkg/store"
)

// Errors of a Service.
var (
	// ErrNotFound: no such tenant, or one that is being created or deleted; or no such token.
	ErrNotFound = errors.New("tenant: not found")
	// ErrExists: the id is taken, also by a tenant that is still being deleted.
	ErrExists = errors.New("tenant: the id is taken")
	// ErrNoValue: the vault does not have the value of the token. Returned by Secrets.
	ErrNoValue = errors.New("tenant: no value is kept for the token")
	// ErrVault: the vault could not do its work; trying again later may help. Implementations of Secrets wrap it.
	ErrVault = errors.New("tenant: the token vault is not available")
	// ErrBusy: other work on the tenant is under way, and has to end or to lapse first.
	ErrBusy = errors.New("tenant: a token of the tenant is being made, or somebody else deletes the tenant")
)

// Temporary reports whether a later retry may help: the table or the vault conflicted, throttled or did not answer.
// The HTTP edge answers 503 with Retry-After. It knows the errors of package store, also if another package wrapped
// them.
func Temporary(err error) bool {
	for _, target := range []error{
		store.ErrConflict, store.ErrThrottled, store.ErrUnavailable, ErrVault, ErrBusy, context.DeadlineExceeded,
	} {
		if errors.Is(err, target) {
			return true
		}
	}
	return false
}

// Outage returns the text for the client of an error that only the operator can end: there is no space left for data,
// or stored data is damaged. The HTTP edge answers 503. It knows the errors of package store, also if another package
// wrapped them.
func Outage(err error) (detail string, ok bool) {
	switch {
	case errors.Is(err, store.ErrFull):
		return "The server has no space left to store changes. Send the request again after the operator has made " +
			"space.", true
	case errors.Is(err, store.ErrDamaged):
		return "The server can't process the request because stored data is damaged. The operator finds the details " +
			"in the log.", true
	}
	return "", false
}

// UnauthorizedError is a request without a valid token: 401. Detail may be shown to the client. It is the same for
// every reason but one: a token that was valid and has expired.
type UnauthorizedError struct {
	Detail string
	// Tenant is the tenant that the request names, if it exists. TokenID is the id of a token or client of it that is
	// not valid any more. They are for the tenant's log: no response may depend on them.
	Tenant  *Tenant
	TokenID string
}

func (e *UnauthorizedError) Error() string { return "tenant: unauthorized: " + e.Detail }

// Unauthorized returns the error for every token that never was, or no longer is, one of the tenant's. It does not say
// which.
func Unauthorized() error {
	return &UnauthorizedError{Detail: "A valid bearer token of this tenant is needed in the Authorization header."}
}

// SwitchedOffError is a request with a valid token to a tenant that is switched off: 403.
type SwitchedOffError struct {
	TenantID string
	// Tenant and TokenID are for the tenant's log, as in UnauthorizedError.
	Tenant  *Tenant
	TokenID string
}

func (e *SwitchedOffError) Error() string { return "tenant: " + e.TenantID + " is switched off" }

// Detail is the text for the client.
func (e *SwitchedOffError) Detail() string {
	return "Provisioning is switched off for this tenant. Switch it on in the application, then try again."
}

// InvalidError is an invalid value: 400.
type InvalidError struct {
	// Field names the value as the admin API does, "settings.scim.patchBody".
	Field string
	// Problem completes the sentence that Field begins: "must be true or false".
	Problem string
}

func (e *InvalidError) Error() string { return "tenant: " + e.Detail() }

// Detail is the text for the client.
func (e *InvalidError) Detail() string { return e.Field + " " + e.Problem + "." }

// Invalid returns an *InvalidError.
func Invalid(field, problem string) error { return &InvalidError{Field: field, Problem: problem} }

// ConflictError is a request that the present state of the tenant or the token does not allow: 409.
type ConflictError struct{ Detail string }

func (e *ConflictError) Error() string { return "tenant: " + e.Detail }

// Inactive reports whether err says that there is no active tenant.
func Inactive(err error) bool { return errors.Is(err, ErrNotFound) }

// Taken is the error for an id that a caller has chosen for a new thing, such as a token, and that another one has.
func Taken(kind string) error {
	return &ConflictError{Detail: "A " + kind + " has this id already. Choose another id."}
}
