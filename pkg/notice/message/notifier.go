package message

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"time"

	"github.com/serverless-scim/serverless-scim/pkg/notice"
)

// Options of a Notifier.
type Options struct {
	// Sender takes the messages; nil where there is no way to send any.
	Sender Sender
	// Product is the name of the application that the tenants' people know; "" names it by the host of BaseURL.
	Product string
	// Contact is where they get a token and help: a mail address, which they may also reply to, a URL, or a few words. ""
	// is their contact at the product, or the operator.
	Contact string
	// BaseURL is what the base URLs of the tenants begin with, without a slash at the end; "" leaves them out.
	BaseURL string
	// Now is the clock; required.
	Now func() time.Time
	// Log takes what goes wrong, by ids only; nil discards.
	Log *slog.Logger
}

// Notifier tells people. It is safe for concurrent use.
type Notifier struct {
	o Options

	mu   sync.Mutex
	sent []string // ids of messages that were taken, newest last
}

// sentKept is how many messages a process remembers as sent, so that what could be sent only in part is not repeated in
// whole.
const sentKept = 1000

// New returns a Notifier.
func New(o Options) *Notifier {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	o.Product = clean(o.Product, maxName)
	o.Contact = clean(o.Contact, maxContact)
	return &Notifier{o: o}
}

// Deliver sends a notice of a tenant to its recipients: see Queue.Send. A notice that at least one recipient gets
// counts as sent.
func (n *Notifier) Deliver(ctx context.Context, t notice.Tenant, about notice.Notice) (notice.State, error) {
	log := n.o.Log.With("tenant", t.ID, "notice", about.ID)
	if n.o.Sender == nil {
		log.ErrorContext(ctx, "notice refused", "reason", "no way to send notices is set up")
		return notice.Failed, nil
	}
	told := false
	messages, err := n.messages(t, about)
	if err != nil {
		return "", err
	}
	for _, m := range messages {
		one, err := n.send(ctx, m, log)
		if err != nil {
			return "", err
		}
		told = told || one
	}
	if !told {
		return notice.Failed, nil
	}
	return notice.Sent, nil
}

// messages writes a notice in each language that its recipients read.
func (n *Notifier) messages(t notice.Tenant, about notice.Notice) ([]Message, error) {
	to := map[string][]string{}
	for _, r := range about.Recipients {
		language := r.Language
		if !slices.Contains(notice.Languages, language) {
			language = notice.Languages[0]
		}
		to[language] = append(to[language], r.Email)
	}
	var all []Message
	for _, language := range notice.Languages {
		if len(to[language]) > 0 {
			m, err := n.Message(t, about, language)
			if err != nil {
				return nil, err
			}
			m.To = to[language]
			all = append(all, m)
		}
	}
	return all, nil
}

// send hands over one message and reports whether anybody gets it. Where the sender refuses it for all of several
// recipients, one bad address may be why, and each is tried alone.
func (n *Notifier) send(ctx context.Context, m Message, log *slog.Logger) (told bool, err error) {
	if n.wasSent(m.ID) {
		return true, nil
	}
	err = n.o.Sender.Send(ctx, m)
	if err == nil {
		n.remember(m.ID)
		return true, nil
	}
	refused := (*RefusedError)(nil)
	if !errors.As(err, &refused) {
		return false, err
	}
	if len(m.To) == 1 {
		log.ErrorContext(ctx, "notice refused", "language", m.Language, "reason", refused.Reason)
		return false, nil
	}
	for i, to := range m.To {
		single := m
		single.ID, single.To = messageID(m.Tenant, m.Notice, fmt.Sprintf("%s %d", m.Language, i)), []string{to}
		one, err := n.send(ctx, single, log)
		if err != nil {
			return told, err
		}
		told = told || one
	}
	return told, nil
}

func (n *Notifier) wasSent(id string) bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	return slices.Contains(n.sent, id)
}

func (n *Notifier) remember(id string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.sent = append(n.sent, id); len(n.sent) > sentKept {
		n.sent = slices.Delete(n.sent, 0, 1)
	}
}
