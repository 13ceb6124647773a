package tenant

import (
	"fmt"
	"time"
)

// NoticeKind says why people are told.
type NoticeKind string

// The kinds; reminders have one each, see ReminderKind.
const (
	// NoticeSuccessorReady: the token ends soon, its successor can be entered (or, with vault "none", collected).
	NoticeSuccessorReady NoticeKind = "successor-ready"
	// NoticeExpired: the token has ended.
	NoticeExpired NoticeKind = "expired"
	// NoticeTest: somebody tries whether notices arrive.
	NoticeTest NoticeKind = "test"
)

// ReminderKind is the kind of the reminder that is due days before the token ends: "reminder-14".
func ReminderKind(days int) NoticeKind { return NoticeKind(fmt.Sprintf("reminder-%d", days)) }

// NoticeState is how far a notice has come.
type NoticeState string

// The states.
const (
	// NoticePending: to be sent.
	NoticePending NoticeState = "pending"
	// NoticeSent: handed to the mail system.
	NoticeSent NoticeState = "sent"
	// NoticeFailed: could not be sent, and will not be tried again.
	NoticeFailed NoticeState = "failed"
	// NoticeBounced: came back.
	NoticeBounced NoticeState = "bounced"
	// NoticeNoRecipient: there was nobody to tell when it was due.
	NoticeNoRecipient NoticeState = "no-recipient"
)

// Recipient is a person whom the tenant wants to be told.
type Recipient struct {
	Email string `json:"email"`
	// Language is "en" or "de".
	Language string `json:"language"`
}

// Notice is what people are told of a token that ends. There is one of each kind for a token and its period of notice,
// and one NoticeSuccessorReady for each successor that it had. It is written in the same transaction as the step that
// causes it, and stays for a year after. What is due of a token at one time is one notice; one that is out of date
// before it could be sent is removed.
type Notice struct {
	// ID is the same however often sending is tried: a sender can derive the identity of its message from it.
	ID   string
	Kind NoticeKind
	// TokenID is the token that ends; empty for a test.
	TokenID string
	// ClientID is set where the notice is about a secret of an OAuth client, which TokenID then names; ClientSecretEnds is
	// when it ends.
	ClientID         string
	ClientSecretEnds time.Time
	// TokenEnds is when the token ends, as it was when the notice was written; zero for a test and where there is no end.
	TokenEnds time.Time
	// At is when the notice became due and was written.
	At         time.Time
	Recipients []Recipient
	State      NoticeState
	// Attempts is how often sending was begun.
	Attempts int

	// What follows is set where a notice is handed to a Delivery, as it is at that moment.

	// Token is the token that ends, with FirstUsedAt and LastUsedAt. Its ID is empty where it is not known any more.
	Token Token
	// Successor is the token to enter, with FirstUsedAt and LastUsedAt. Its ID is empty where there is none yet.
	Successor Token
	// ToCollect says that there is no successor because a person has to collect it (vault "none").
	ToCollect bool
}
