package notice

import (
	"fmt"
	"strings"
	"time"
)

// Kind is the reason of a notice.
type Kind string

// The kinds; reminders have one each, see ReminderKind.
const (
	// SuccessorReady: the token ends soon, and its successor can be entered, or, if values are not kept, collected.
	SuccessorReady Kind = "successor-ready"
	// Expired: the token has ended.
	Expired Kind = "expired"
	// GuardTripped: the identity provider deactivates or deletes more users than the policy allows; no token ends.
	GuardTripped Kind = "guard-tripped"
	// DomainFailing: for some days the DNS has not proved that a domain is the tenant's; no token ends.
	DomainFailing Kind = "domain-failing"
	// DomainLost: it has not for a week; addresses of the domain are refused.
	DomainLost Kind = "domain-lost"
	// WebhookPaused: a webhook of the tenant has failed for days; no token ends.
	WebhookPaused Kind = "webhook-paused"
	// SetupLink: a set-up link is sent to its recipient; no token ends.
	SetupLink Kind = "setup-link"
	// Test: a person tests whether notices arrive.
	Test Kind = "test"
)

// ReminderKind returns the kind of the reminder that is due days before the token ends: "reminder-14".
func ReminderKind(days int) Kind { return Kind(fmt.Sprintf("reminder-%d", days)) }

// OfTenant reports whether a notice is about the tenant as a whole and about no token.
func (k Kind) OfTenant() bool {
	return k == GuardTripped || k == DomainFailing || k == DomainLost || k == WebhookPaused || k == SetupLink
}

// State is the state of a notice.
type State string

// The states.
const (
	// Pending: to be sent.
	Pending State = "pending"
	// Sent: handed to the mail system.
	Sent State = "sent"
	// Failed: could not be sent, and will not be tried again.
	Failed State = "failed"
	// Bounced: came back.
	Bounced State = "bounced"
	// NoRecipient: there was no recipient when it was due.
	NoRecipient State = "no-recipient"
)

// Languages are the languages of notices; the first is the default.
var Languages = []string{"en", "de"}

// Recipient is a person who gets a tenant's notices.
type Recipient struct {
	Email string `json:"email"`
	// Language is one of Languages.
	Language string `json:"language"`
}

// Notice is a message to people, in most cases about a token that ends. There is one of each kind for a token and its
// period of notice, and one SuccessorReady for each successor that it had. It is written in the transaction of the
// step that causes it, and is listed for 400 days. All news of a token at one time is one notice. One that is out of
// date before it could be sent is removed.
type Notice struct {
	// ID is the same for each attempt, so that a sender can derive the identity of its message from it. See the
	// function ID.
	ID   string
	Kind Kind
	// TokenID is the token that ends; empty for a test.
	TokenID string
	// ClientID is set if the notice is about a secret of an OAuth client. TokenID is then the id of the secret,
	// ClientSecretEnds its end.
	ClientID         string
	ClientSecretEnds time.Time
	// TokenEnds is the end of the token at the time when the notice was written; zero for a test and if there is no
	// end.
	TokenEnds time.Time
	// Domains are the domains that a notice is about.
	Domains []Domain
	// At is the time when the notice became due and was written.
	At         time.Time
	Recipients []Recipient
	State      State
	// Attempts is the number of attempts to send it.
	Attempts int

	// The rest is set, as of that moment, if a notice is passed on to be sent.

	// Token is the token that ends. Its ID is empty if it is not known any more.
	Token Token
	// Successor is the token to enter. Its ID is empty if there is none yet.
	Successor Token
	// ToCollect says that there is no successor because a person has to collect it.
	ToCollect bool
	// Invitation is the set-up link in the notice. Its ID is empty if there is none.
	Invitation Invitation
	// Renewal is the id of the page on which the one recipient can request a set-up link by mail; empty if there is
	// none.
	Renewal string
}

// Domain has the facts about a domain for a text.
type Domain struct {
	Name string `json:"name"`
	// Record and Value are the name and value of the TXT record that has to be in the DNS. Answer is the answer of the
	// DNS: "missing" or "different", or "silent" if there is none.
	Record string `json:"record"`
	Value  string `json:"value"`
	Answer string `json:"answer"`
	// Ends is the time from which addresses of the domain are refused, in Unix seconds.
	Ends int64 `json:"ends"`
}

// SetupLinkID returns the id of the notice that mails a set-up link; see LinkOf.
func SetupLinkID(link string) string {
	_, random, _ := strings.Cut(link, ".")
	return ID("", SetupLink, random)
}

// LinkOf returns the set-up link that a notice of the kind SetupLink mails.
func LinkOf(tenantID string, n Notice) string {
	_, _, random := parts(n.ID)
	return tenantID + "." + random
}

// Invitation has the facts about a set-up link for a text.
type Invitation struct {
	// ID and Code make the URL. The code is new: only its digest is stored.
	ID, Code string
	// Until is the time from which the link can no longer be redeemed.
	Until time.Time
	// ReadOnly says that it is for viewing only.
	ReadOnly bool
}

// Token has the facts about a token for a text. Times are whole seconds; zero is none.
type Token struct {
	ID                                            string
	CreatedAt, ExpiresAt, FirstUsedAt, LastUsedAt time.Time
}

// Tenant has the facts about a tenant for a text.
type Tenant struct {
	// ID and Name are the tenant's; IdP is the profile of its identity provider.
	ID, Name, IdP string
	// NotKept says that the values of its tokens are not kept: they are shown once.
	NotKept bool
}

// ID returns the id of a notice, made of the token that ends, the kind, and the period of notice of the token.
func ID(tokenID string, kind Kind, period string) string {
	return tokenID + "." + string(kind) + "." + period
}

// parts returns the three parts of an id.
func parts(id string) (tokenID, kind, period string) {
	tokenID, rest, _ := strings.Cut(id, ".")
	kind, period, _ = strings.Cut(rest, ".")
	return tokenID, kind, period
}
