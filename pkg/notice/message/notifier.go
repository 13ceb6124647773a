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
	// Sender takes the messages; nil if there is no way to send any.
	Sender Sender
	// Product is the name of the application that the tenants' people know; "" names it by the host of BaseURL.
	Product string
	// Contact is the place to get a token and help: a mail address, which they may also reply to, a URL, or a
	// few words. "" is their contact at the product, or the operator.
	Contact string
	// BaseURL is the common prefix of the base URLs of the tenants, without a slash at the end; "" leaves them out.
	BaseURL string
	// Links creates the set-up links in messages. Each must have one reader only; nil if that can't be so. It needs a
	// BaseURL.
	Links *Links
	// Now is the clock; required.
	Now func() time.Time
	// Log takes errors, with ids only; nil discards.
	Log *slog.Logger
}

// Links creates the links by which a reader gets into the pages of a tenant.
type Links struct {
	// Invitation creates a code of a set-up link for the message about it. ok is false if the link is no longer open.
	Invitation func(ctx context.Context, tenantID, link string) (in notice.Invitation, ok bool, err error)
	// Renewal creates the id of a page on which a recipient, and nobody else, can request a set-up link by mail.
	Renewal func(ctx context.Context, tenantID string, to notice.Recipient) (id string, err error)
}

// Notifier sends notices as messages. It is safe for concurrent use.
type Notifier struct {
	o Options

	mu   sync.Mutex
	sent []string // ids of messages that were accepted, newest last
}

// sentKept is the number of sent messages that a process remembers, so that a partly sent notice is not repeated in
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
		log.ErrorContext(ctx, "notice refused", "reason", "neither mail nor an SNS topic is configured")
		return notice.Failed, nil
	}
	if about.Kind == notice.SetupLink {
		ok, err := n.invite(ctx, t, &about)
		if err != nil {
			return "", err
		}
		if !ok {
			log.ErrorContext(ctx, "notice refused", "reason", "the set-up link has expired, or mail is not configured")
			return notice.Failed, nil
		}
	}
	told := false
	for _, to := range n.copies(about) {
		one, err := n.tell(ctx, t, about, to, log)
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

// invite makes the code that a notice brings.
func (n *Notifier) invite(ctx context.Context, t notice.Tenant, about *notice.Notice) (ok bool, err error) {
	if n.o.Links == nil || n.o.BaseURL == "" {
		return false, nil
	}
	about.Invitation, ok, err = n.o.Links.Invitation(ctx, t.ID, notice.LinkOf(t.ID, *about))
	return ok, err
}

// letter has the recipients of one message: all of a language, or one alone.
type letter struct {
	key string // distinguishes it from the others of the notice
	to  []notice.Recipient
	// renews says that it has a link to the page on which its one reader can request a set-up link.
	renews bool
}

// copies returns the messages of a notice: one for each language or, if each reader gets a page of their own, one
// each.
func (n *Notifier) copies(about notice.Notice) (all []letter) {
	alone := n.o.Links != nil && n.o.BaseURL != "" && !about.Kind.OfTenant() && about.Kind != notice.Test
	for _, language := range notice.Languages {
		same := letter{key: language}
		for i, r := range about.Recipients {
			if !slices.Contains(notice.Languages, r.Language) {
				r.Language = notice.Languages[0]
			}
			switch {
			case r.Language != language:
			case alone:
				all = append(all, letter{fmt.Sprintf("%s %d", language, i), []notice.Recipient{r}, true})
			default:
				same.to = append(same.to, r)
			}
		}
		if len(same.to) > 0 {
			all = append(all, same)
		}
	}
	return all
}

// tell writes and sends one message.
func (n *Notifier) tell(
	ctx context.Context, t notice.Tenant, about notice.Notice, to letter, log *slog.Logger,
) (told bool, err error) {
	id := messageID(t.ID, about.ID, to.key)
	if n.wasSent(id) {
		return true, nil
	}
	if to.renews {
		if about.Renewal, err = n.o.Links.Renewal(ctx, t.ID, to.to[0]); err != nil {
			return false, err
		}
	}
	m, err := n.Message(t, about, to.to[0].Language)
	if err != nil {
		return false, err
	}
	m.ID = id
	for _, r := range to.to {
		m.To = append(m.To, r.Email)
	}
	return n.send(ctx, m, log)
}

// send passes on one message and reports whether anybody gets it. If the sender refuses it for several recipients, one
// bad address may be the reason, and each is tried alone.
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
