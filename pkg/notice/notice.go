package notice

import (
	"fmt"
	"strings"
	"time"
)

// Kind says why people are told.
type Kind string

// The kinds; reminders have one each, see ReminderKind.
const (
	// SuccessorReady: the token ends soon, its successor can be entered, or, if values are kept nowhere, collected.
	SuccessorReady Kind = "successor-ready"
	// Expired: the token has ended.
	Expired Kind = "expired"
	// GuardTripped: the identity provider deactivates or deletes more users than the policy allows; no token ends.
	GuardTripped Kind = "guard-tripped"
	// DomainFailing: the DNS has not shown for some days that a domain is the tenant's; no token ends.
	DomainFailing Kind = "domain-failing"
	// DomainLost: it has not for a week, and addresses of the domain are refused.
	DomainLost Kind = "domain-lost"
	// WebhookPaused: a webhook of the tenant has failed for days; no token ends.
	WebhookPaused Kind = "webhook-paused"
	// SetupLink: a set-up link goes to the person whom it is for; no token ends.
	SetupLink Kind = "setup-link"
	// Test: somebody tries whether notices arrive.
	Test Kind = "test"
)

// ReminderKind is the kind of the reminder that is due days before the token ends: "reminder-14".
func ReminderKind(days int) Kind { return Kind(fmt.Sprintf("reminder-%d", days)) }

// OfTenant reports whether a notice is about the tenant as a whole and about no token.
func (k Kind) OfTenant() bool {
	return k == GuardTripped || k == DomainFailing || k == DomainLost || k == WebhookPaused || k == SetupLink
}

// State is how far a notice has come.
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
	// NoRecipient: there was nobody to tell when it was due.
	NoRecipient State = "no-recipient"
)

// Languages are those that notices are written in; the first is the default.
var Languages = []string{"en", "de"}

// Recipient is a person whom the tenant wants to be told.
type Recipient struct {
	Email string `json:"email"`
	// Language is one of Languages.
	Language string `json:"language"`
}

// Notice is a message to people about a token that ends. There is one of each kind for a token and its period of
// notice, and one SuccessorReady for each successor that it had. It is written in the transaction of the step that
// causes it, and stays for a year after. All that is due of a token at one time is one notice. One that is out of date
// before it could be sent is removed.
type Notice struct {
	// ID is the same however often sending is tried: a sender can derive the identity of its message from it. See ID.
	ID   string
	Kind Kind
	// TokenID is the token that ends; empty for a test.
	TokenID string
	// ClientID is set if the notice is about a secret of an OAuth client, which TokenID then names; ClientSecretEnds is
	// when it ends.
	ClientID         string
	ClientSecretEnds time.Time
	// TokenEnds is when the token ends, as it was when the notice was written; zero for a test and if there is no end.
	TokenEnds time.Time
	// Domains are those that a notice about domains is about.
	Domains []Domain
	// At is when the notice became due and was written.
	At         time.Time
	Recipients []Recipient
	State      State
	// Attempts is how often sending was begun.
	Attempts int

	// The rest is set if a notice is handed over to be sent, as it is at that moment.

	// Token is the token that ends. Its ID is empty if it is not known any more.
	Token Token
	// Successor is the token to enter. Its ID is empty if there is none yet.
	Successor Token
	// ToCollect says that there is no successor because a person has to collect it.
	ToCollect bool
	// Invitation is the set-up link that the notice brings. Its ID is empty if it brings none.
	Invitation Invitation
	// Renewal is the id of the page on which the one recipient can have a set-up link mailed; empty if there is none.
	Renewal string
}

// Domain is all that a text says of a domain.
type Domain struct {
	Name string `json:"name"`
	// Record and Value are those of the TXT record that is to be in the DNS; Answer says what is there: "missing" or
	// "different", or "silent" if there is no answer.
	Record string `json:"record"`
	Value  string `json:"value"`
	Answer string `json:"answer"`
	// Ends is when addresses of the domain are refused from, in Unix seconds.
	Ends int64 `json:"ends"`
}

// SetupLinkID is the id of the notice by which a set-up link is mailed; see LinkOf.
func SetupLinkID(link string) string {
	_, random, _ := strings.Cut(link, ".")
	return ID("", SetupLink, random)
}

// LinkOf is the set-up link of a tenant that a notice of the kind SetupLink is about.
func LinkOf(tenantID string, n Notice) string {
	_, _, random := parts(n.ID)
	return tenantID + "." + random
}

// Invitation is all that a text says of a set-up link.
type Invitation struct {
	// ID and Code make the URL. The code is new: stored is its digest only.
	ID, Code string
	// Until is when the link can no longer be redeemed.
	Until time.Time
	// ReadOnly says that it is for viewing only.
	ReadOnly bool
}

// Token is all that a text says of a token. Times are whole seconds; zero is none.
type Token struct {
	ID                                            string
	CreatedAt, ExpiresAt, FirstUsedAt, LastUsedAt time.Time
}

// Tenant is all that a text says of a tenant.
type Tenant struct {
	// ID and Name are the tenant's; IdP is the profile of its identity provider.
	ID, Name, IdP string
	// NotKept says that the values of its tokens are kept nowhere: they are shown once.
	NotKept bool
}

// ID names a notice: the token that ends, the kind, and which period of notice of the token it is.
func ID(tokenID string, kind Kind, period string) string {
	return tokenID + "." + string(kind) + "." + period
}

// parts are the three parts of an id.
func parts(id string) (tokenID, kind, period string) {
	tokenID, rest, _ := strings.Cut(id, ".")
	kind, period, _ = strings.Cut(rest, ".")
	return tokenID, kind, period
}
