package tenant

import (
	"time"

	"github.com/serverless-scim/serverless-scim/pkg/scim"
)

// EventKind names what happened. It is the type that receivers see.
type EventKind string

// The kinds. All but the notice kinds carry the token that they are about.
const (
	// EventTokenCreated: a person made a token. Data: expiresAt, scopes.
	EventTokenCreated EventKind = "token.created"
	// EventSuccessorCreated: a token was made to take the place of one that ends. Data: expiresAt, predecessorIds.
	EventSuccessorCreated EventKind = "token.successor-created"
	// EventTokenFirstUsed: a request came in with the token for the first time: the identity provider switched to it.
	// Data: firstUsedAt.
	EventTokenFirstUsed EventKind = "token.first-used"
	// EventTokenExpired: the token ended. Data: expiredAt; At is when that was noticed.
	EventTokenExpired EventKind = "token.expired"
	// EventTokenRevoked: a person ended the token. Data: reason ("revoked", "rotation-completed", "rotation-cancelled").
	EventTokenRevoked EventKind = "token.revoked"
	// EventTokenChanged: a person gave the token another end. Data: expiresAt (null: none), previousExpiresAt.
	EventTokenChanged EventKind = "token.changed"
	// EventTokenRevealed: a person was shown the token's value.
	EventTokenRevealed EventKind = "token.revealed"
	// EventNoticeFailed: nobody was told; Data: kind, state ("failed" or "no-recipient"), noticeId. TokenID is the token
	// that ends.
	EventNoticeFailed EventKind = "notice.failed"
	// EventNoticeBounced: a notice came back. Data as EventNoticeFailed.
	EventNoticeBounced EventKind = "notice.bounced"
)

// Event is something that happened to a tenant, without the envelope that a sink puts around it. It is written in the
// same transaction as the change that it reports, waits in the table until a Delivery took it, and is then removed.
type Event struct {
	// ID is the same however often the event is delivered; ids of a tenant sort in the order in which things happened.
	ID       string
	TenantID string
	Kind     EventKind
	// TokenID is empty where the event is about no token.
	TokenID string
	// At is when it happened, in milliseconds.
	At time.Time
	// Data is what else there is to say; never a token's value, an address or a name. Times in it are RFC 3339.
	Data scim.Object
}
