package event

import "strings"

// Kind is the type of an event, as receivers see it.
type Kind string

// The kinds of events about tokens. The subject is the token.
const (
	// TokenCreated: a person created a token. Data: expiresAt, scopes.
	TokenCreated Kind = "token.created"
	// SuccessorCreated: a token was created to replace one that ends. Data: expiresAt, predecessorIds.
	SuccessorCreated Kind = "token.successor-created"
	// TokenFirstUsed: a request came in with the token for the first time: the identity provider switched to it. Data:
	// firstUsedAt.
	TokenFirstUsed Kind = "token.first-used"
	// TokenExpired: the token ended. Data: expiredAt; Time is when that was noticed.
	TokenExpired Kind = "token.expired"
	// TokenRevoked: a person ended the token. Data: reason ("revoked", "rotation-completed", "rotation-cancelled",
	// "disconnected").
	TokenRevoked Kind = "token.revoked"
	// TokenChanged: a person changed the expiry of the token. Data: expiresAt (null: none), previousExpiresAt.
	TokenChanged Kind = "token.changed"
	// TokenRevealed: a person was shown the token's value.
	TokenRevealed Kind = "token.revealed"
)

// The kinds of events about notices. The subject is the token that ends; for a test notice it is the tenant.
const (
	// NoticeFailed: the notice reached nobody. Data: kind, state ("failed" or "no-recipient"), noticeId.
	NoticeFailed Kind = "notice.failed"
	// NoticeBounced: a notice came back. Data as NoticeFailed.
	NoticeBounced Kind = "notice.bounced"
)

// The kinds of events about OAuth clients. The subject is the client. Data has clientId, and secretId if the client has
// secrets.
const (
	// ClientCreated: a person created a client.
	ClientCreated Kind = "client.created"
	// ClientRenewed: a person gave a client another secret, or other keys.
	ClientRenewed Kind = "client.renewed"
	// ClientSecretRevoked: a person ended a secret of a client.
	ClientSecretRevoked Kind = "client.secret-revoked"
	// ClientSecretExpired: a secret of a client ended. Data: clientId, secretId, expiredAt.
	ClientSecretExpired Kind = "client.secret-expired"
	// ClientDeleted: a person removed a client.
	ClientDeleted Kind = "client.deleted"
)

// The kinds of events about a tenant as a whole. The subject is the tenant.
const (
	// TenantConnected: the first request of the tenant's identity provider was accepted. Data: firstRequestAt.
	TenantConnected Kind = "tenant.connected"
	// TenantSwitchedOn: a person switched the tenant on. It is made switched on, which is no event.
	TenantSwitchedOn Kind = "tenant.switched-on"
	// TenantSwitchedOff: a person switched the tenant off: its SCIM requests are refused.
	TenantSwitchedOff Kind = "tenant.switched-off"
	// TenantDisconnected: a person ended all access of the tenant's identity provider. Data: tokens, clients (how
	// many of each were ended).
	TenantDisconnected Kind = "tenant.disconnected"
	// TenantDeleted: the operator has deleted the tenant. It is the last event of its log. Data: deletedAt.
	TenantDeleted Kind = "tenant.deleted"
	// GuardTripped: the identity provider deactivates or deletes more users than the policy allows. Data: since,
	// users (how many were let through), minutes (in which time).
	GuardTripped Kind = "guard.tripped"
	// GuardDecided: a person decided about deactivations and deletions. Data: decision ("allow" or "reject"), until.
	GuardDecided Kind = "guard.decided"
	// WebhookPaused: a webhook has failed for five days, and gets no more events of the tenant until it is switched on
	// again. Data: webhookId, failingSince, position (the sequence number of the last event that it has), status (of
	// the last answer; 0: there was none).
	WebhookPaused Kind = "webhook.paused"
)

// Events about a domain of a tenant, which is the subject. Data: domain.
const (
	// DomainVerified: the domain was verified. Data: by, "dns" or "operator".
	DomainVerified Kind = "domain.verified"
	// DomainLost: the DNS has not shown for a week that the domain is the tenant's; its addresses are refused. Data:
	// since, and answer: "missing", "different" or "silent".
	DomainLost Kind = "domain.lost"
)

// The kinds of events about set-up links. The subject is the link.
const (
	// SetupLinkCreated: a link was created. Data: linkId, role ("admin" or "reader"), expiresAt.
	SetupLinkCreated Kind = "setup-link.created"
	// SetupLinkRedeemed: somebody redeemed the link for a session. Data: linkId, role, until.
	SetupLinkRedeemed Kind = "setup-link.redeemed"
	// SetupLinkEnded: the link and its session are good no longer. Data: linkId, reason ("revoked", "signed-out",
	// "wrong-codes").
	SetupLinkEnded Kind = "setup-link.ended"
)

// OfSetupLink is the subject of events about a set-up link.
func OfSetupLink(id string) string { return "setup-links/" + id }

// OfDomain is the subject of events about a domain.
func OfDomain(name string) string { return "domains/" + name }

// OfToken is the subject of events about a token.
func OfToken(id string) string { return "tokens/" + id }

// OfClient is the subject of events about an OAuth client.
func OfClient(id string) string { return "clients/" + id }

// OfTenant is the subject of events about a tenant as a whole.
func OfTenant(id string) string { return "tenants/" + id }

// Impersonal reports whether a kind is of this package: its events hold no names or addresses of people.
func (k Kind) Impersonal() bool {
	thing, _, _ := strings.Cut(string(k), ".")
	switch thing {
	case "token", "client", "notice", "tenant", "guard", "webhook", "domain", "setup-link":
		return true
	}
	return false
}
