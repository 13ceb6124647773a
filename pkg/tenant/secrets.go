package tenant

import "context"

// Stage says which of a tenant's kept tokens one is. Vaults that know staging labels map it to theirs.
type Stage int

// The stages.
const (
	// Current is the token that the identity provider uses.
	Current Stage = iota + 1
	// Successor is the one that will take its place.
	Successor
)

// Secrets is the port to the vault that keeps token values for hand-over: what Reveal shows. A tenant has at most one
// token at each Stage. Every method may be repeated with the same arguments and then changes nothing more. Failures
// that may pass wrap ErrVault. No value ever reaches an error or a log.
type Secrets interface {
	// Keep stores the value of a token at a stage, in place of the token that was there.
	Keep(ctx context.Context, tenantID, tokenID, value string, stage Stage) error
	// Reveal returns the value of a token, at whatever stage it is; ErrNoValue if it is not kept.
	Reveal(ctx context.Context, tenantID, tokenID string) (string, error)
	// Promote makes a kept token the Current one; the one before it may be forgotten. ErrNoValue if it is not kept.
	Promote(ctx context.Context, tenantID, tokenID string) error
	// Drop forgets a token. If it was Current and there is a Successor, that becomes Current. Nothing to forget is no
	// error.
	Drop(ctx context.Context, tenantID, tokenID string) error
	// DropTenant forgets everything of a tenant. It returns nil only when the tenant's name is free for a new one.
	DropTenant(ctx context.Context, tenantID string) error
}
