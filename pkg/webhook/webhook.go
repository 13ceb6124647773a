package webhook

import (
	"crypto/rand"
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/serverless-scim/serverless-scim/pkg/event/delivery"
	"github.com/serverless-scim/serverless-scim/pkg/store"
)

// Operator is the owner of the webhooks that get the events of all tenants.
const Operator = ""

// Webhook is a URL that gets events.
type Webhook struct {
	ID string
	// Owner is the tenant, or Operator.
	Owner       string
	URL         string
	Types       []string
	Description string
	Active      bool
	// Off is the reason why it is not active: Gone, or empty if a person switched it off.
	Off string
	// CreatedAt is the time of creation, ResumedAt the time when it was last switched on. PreviousUntil is the end of
	// the time in which the previous secret signs as well. The zero time is never.
	CreatedAt, ResumedAt, PreviousUntil time.Time

	sealed, previous string
	version          int64
}

// Gone is the Off of a webhook whose receiver has answered 410.
const Gone = "gone"

// Fields are the fields of a webhook that people set; a nil field is left as it is.
type Fields struct {
	// ID is for Create only: "wh_" and 16 characters of a-z and 0-9. If it is empty, the webhook gets a random one.
	ID               string
	URL, Description *string
	Types            []string
	Active           *bool
}

// InvalidError describes the fault of a webhook.
type InvalidError struct{ Field, Reason string }

func (e *InvalidError) Error() string { return "webhook: " + e.Detail() }

// Detail is a sentence for people.
func (e *InvalidError) Detail() string { return e.Field + ": " + e.Reason }

// Bounds of a webhook.
const (
	maxTypes       = 50
	maxDescription = 500
)

var typePattern = regexp.MustCompile(`^(\*|[a-z][a-z0-9-]{0,39}(\.[a-z][a-z0-9-]{0,39}){0,3}(\.\*)?)$`)

// apply checks fields and sets them.
func (w *Webhook) apply(f Fields, loopback bool, now time.Time) error {
	if f.URL != nil {
		if reason := checkURL(*f.URL, loopback); reason != "" {
			return &InvalidError{"url", reason}
		}
		w.URL = *f.URL
	}
	if f.Description != nil {
		if len(*f.Description) > maxDescription {
			return &InvalidError{"description", fmt.Sprintf("It must not be longer than %d bytes.", maxDescription)}
		}
		w.Description = *f.Description
	}
	if f.Types != nil {
		if len(f.Types) == 0 || len(f.Types) > maxTypes {
			return &InvalidError{"types", fmt.Sprintf("Name 1 to %d types of events, or \"*\".", maxTypes)}
		}
		for _, t := range f.Types {
			if !typePattern.MatchString(t) {
				return &InvalidError{"types", "Each is a type such as member.created, a prefix such as member.*, or *."}
			}
		}
		w.Types = slices.Clone(f.Types)
	}
	if f.Active != nil {
		if w.Active = *f.Active; w.Active {
			w.Off, w.ResumedAt = "", now
		}
	}
	return nil
}

// wants reports whether one of the webhook's types matches a type of event.
func (w *Webhook) wants(eventType string) bool {
	return slices.ContainsFunc(w.Types, func(t string) bool {
		prefix, wide := strings.CutSuffix(t, "*")
		return t == eventType || wide && strings.HasPrefix(eventType, prefix)
	})
}

// newID creates the id of a webhook.
func newID() string { return delivery.Transient + strings.ToLower(rand.Text()[:16]) }

// validID reports whether text has the shape of a webhook's id.
func validID(text string) bool { return idPattern.MatchString(text) }

var idPattern = regexp.MustCompile(`^` + delivery.Transient + `[a-z0-9]{16}$`)

// attrDoc and attrVersion are the attributes of the item.
const (
	attrDoc     = "doc"
	attrVersion = "ver"
)

// document is the JSON of the item. Times are Unix milliseconds.
type document struct {
	URL         string   `json:"url"`
	Types       []string `json:"types"`
	Description string   `json:"description,omitempty"`
	Active      bool     `json:"active"`
	Off         string   `json:"off,omitempty"`
	Created     int64    `json:"created"`
	Resumed     int64    `json:"resumed,omitempty"`
	Sealed      string   `json:"secret"`
	Previous    string   `json:"previous,omitempty"`
	Until       int64    `json:"until,omitempty"`
}

func milli(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMilli()
}

func moment(ms int64) time.Time {
	if ms == 0 {
		return time.Time{}
	}
	return time.UnixMilli(ms).UTC()
}

func keyOf(owner, id string) store.Key {
	if owner == Operator {
		return store.OperatorWebhook(id)
	}
	return store.KeysOf(owner).Webhook(id)
}

// put is the operation that writes the webhook in place of the one that was read, or that makes it.
func (w *Webhook) put() store.Op {
	doc, _ := json.Marshal(document{ // text and numbers: never fails
		URL: w.URL, Types: w.Types, Description: w.Description, Active: w.Active, Off: w.Off,
		Created: milli(w.CreatedAt), Resumed: milli(w.ResumedAt),
		Sealed: w.sealed, Previous: w.previous, Until: milli(w.PreviousUntil),
	})
	op := store.PutItem(keyOf(w.Owner, w.ID), store.Attrs{attrDoc: string(doc), attrVersion: w.version + 1})
	if w.version == 0 {
		return op.When(store.IsAbsent())
	}
	return op.When(store.Is(attrVersion, w.version))
}

func decode(owner string, item store.Item) (*Webhook, error) {
	text, _ := item.Attrs[attrDoc].(string)
	var d document
	if err := json.Unmarshal([]byte(text), &d); err != nil {
		return nil, fmt.Errorf("webhook: stored webhook: %w", err)
	}
	w := &Webhook{
		ID: item.SK, Owner: owner, URL: d.URL, Types: d.Types, Description: d.Description, Active: d.Active, Off: d.Off,
		CreatedAt: moment(d.Created), ResumedAt: moment(d.Resumed), PreviousUntil: moment(d.Until),
		sealed: d.Sealed, previous: d.Previous,
	}
	w.version, _ = item.Attrs[attrVersion].(int64)
	return w, nil
}
