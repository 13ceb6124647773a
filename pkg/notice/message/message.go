package message

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"time"

	"github.com/serverless-scim/serverless-scim/pkg/notice"
)

// Message is a notice in one language.
type Message struct {
	// ID is the same however often the message is sent; no two messages share it. Letters and digits.
	ID string
	// Tenant and Notice are ids; Kind is that of the notice.
	Tenant, Notice string
	Kind           notice.Kind
	// Language is "en" or "de".
	Language string
	// To are the addresses of the recipients who read this language. They may see each other: they are people of one
	// tenant.
	To []string
	// ReplyTo is the address for replies; "" is the address of the sender.
	ReplyTo string
	// At is the time when the message was written.
	At time.Time
	// Subject is one line. Text and HTML say the same.
	Subject, Text, HTML string
}

// Sender is the port to a mail system.
type Sender interface {
	// Send passes on a message. It returns nil once the mail system has it for all recipients, a *RefusedError if
	// nobody gets it and a retry is of no use, and any other error if a later retry may help.
	Send(ctx context.Context, m Message) error
}

// RefusedError says that a message will never be accepted.
type RefusedError struct {
	// Reason is for the log: it must not hold an address.
	Reason string
}

func (e *RefusedError) Error() string { return "message: refused: " + e.Reason }

// messageID derives the identity of a message from its tenant, notice and language.
func messageID(tenantID, noticeID, language string) string {
	sum := sha256.Sum256([]byte(tenantID + "\n" + noticeID + "\n" + language))
	return hex.EncodeToString(sum[:16])
}
