package tenant

import "context"

// Stage is the part that a kept token has in its tenant. Vaults with staging labels map it to theirs.
type Stage int

// The stages.
const (
	// Current is the token that the identity provider uses.
	Current Stage = iota + 1
	// Successor is the token that will replace it.
	Successor
)

// Secrets is the port to the vault that keeps the token values that Service.Reveal shows. A tenant has at most one
// token at each Stage. Every method is idempotent. Temporary failures wrap ErrVault. Errors and logs never have a
// value.
type Secrets interface {
	// Keep stores the value of a token at a stage. It replaces the token that was there.
	Keep(ctx context.Context, tenantID, tokenID, value string, stage Stage) error
	// Reveal returns the value of a token, at any stage; ErrNoValue if it is not kept.
	Reveal(ctx context.Context, tenantID, tokenID string) (string, error)
	// Promote makes a kept token the Current one; the vault may forget the previous one. ErrNoValue if it is not kept.
	Promote(ctx context.Context, tenantID, tokenID string) error
	// Drop forgets a token. If it was Current and there is a Successor, that becomes Current. An absent token is no
	// error.
	Drop(ctx context.Context, tenantID, tokenID string) error
	// DropTenant forgets everything of a tenant. It returns nil only once the tenant's name is free for a new one.
	DropTenant(ctx context.Context, tenantID string) error
}
