package cli

import (
	"errors"
	"fmt"
	"net/http"
)

type webhooksCmd struct {
	List   webhooksListCmd   `cmd:"" help:"List the webhooks."`
	Add    webhooksAddCmd    `cmd:"" help:"Send events to a URL. Prints the secret, once."`
	Show   webhooksShowCmd   `cmd:"" help:"Print a webhook and its last deliveries."`
	Change webhooksChangeCmd `cmd:"" help:"Change a webhook, or switch it on or off."`
	Remove webhooksRemoveCmd `cmd:"" help:"Remove a webhook."`
	Test   webhooksTestCmd   `cmd:"" help:"Send a test event now."`
	Replay webhooksReplayCmd `cmd:"" help:"Send the events after a sequence number again."`
	Rotate webhooksRotateCmd `cmd:"" name:"rotate-secret" help:"Create a new secret. The old one signs too for a day."`
}

// ofHooks names whose webhooks are meant.
type ofHooks struct {
	admin
	Tenant string `arg:"" help:"Id of the tenant; - for the operator's webhooks, which get the events of all tenants."`
}

func (o ofHooks) path(parts ...string) string {
	if o.Tenant == "-" {
		return path(append([]string{"webhooks"}, parts...)...)
	}
	return path(append([]string{"tenants", o.Tenant, "webhooks"}, parts...)...)
}

// oneHook names a webhook.
type oneHook struct {
	ofHooks
	Webhook string `arg:"" help:"Id of the webhook."`
}

// secret prints a webhook with its new secret.
func (s *session) secret(o object) {
	fmt.Fprintf(s.Out, "Webhook %s. Its secret, which is not shown again: %s\n", text(o["id"]), text(o["secret"]))
}

type webhooksListCmd struct {
	ofHooks
	search
	For string `placeholder:"TENANT" help:"For the operator's webhooks: the tenant whose deliveries are shown."`
}

// Run lists. The state is that of the delivery. Without one, on and off say whether the webhook is active.
func (c *webhooksListCmd) Run(s *session) error {
	p := query(c.path(), "name", c.Name, "tenant", c.For)
	return c.call(s, request{http.MethodGet, p, nil}, func(answer object) {
		rows := [][]any{{"WEBHOOK", "STATE", "URL", "TYPES", "DESCRIPTION"}}
		for _, o := range objects(answer["webhooks"]) {
			state := any("off")
			if d, begun := o["delivery"].(object); begun {
				state = d["state"]
			} else if o["active"] == true {
				state = "on"
			}
			rows = append(rows, []any{o["id"], state, o["url"], o["types"], o["description"]})
		}
		table(s.Out, rows)
	})
}

type webhooksAddCmd struct {
	ofHooks
	To          string   `arg:"" name:"to" help:"https URL that gets the events."`
	Types       []string `default:"*" placeholder:"TYPE,..." help:"Types of events, such as member.*; all by default."`
	Description string   `placeholder:"TEXT" help:"Description, for people."`
	ID          chosenID `placeholder:"ID" help:"Id: wh_ and 16 of a-z and 0-9; random by default."`
}

// Run makes.
func (c *webhooksAddCmd) Run(s *session) error {
	body := object{"url": c.To, "types": c.Types}
	c.ID.into(body)
	if c.Description != "" {
		body["description"] = c.Description
	}
	return c.call(s, request{http.MethodPost, c.path(), body}, s.secret)
}

type webhooksShowCmd struct {
	oneHook
	For string `placeholder:"TENANT" help:"For an operator's webhook: the tenant whose deliveries are shown."`
}

// Run prints.
func (c *webhooksShowCmd) Run(s *session) error {
	p := query(c.path(c.Webhook), "tenant", c.For)
	return c.call(s, request{http.MethodGet, p, nil}, s.showDefinition)
}

type webhooksChangeCmd struct {
	oneHook
	To          string   `placeholder:"URL" help:"The new URL."`
	Types       []string `placeholder:"TYPE,..." help:"The new types of events."`
	Description *string  `placeholder:"TEXT" help:"The new description."`
	Active      string   `enum:",on,off" default:"" placeholder:"on|off" help:"on or off; on also ends a pause."`
}

// Run changes.
func (c *webhooksChangeCmd) Run(s *session) error {
	body := object{}
	if c.To != "" {
		body["url"] = c.To
	}
	if len(c.Types) > 0 {
		body["types"] = c.Types
	}
	if c.Description != nil {
		body["description"] = *c.Description
	}
	if c.Active != "" {
		body["active"] = c.Active == "on"
	}
	if len(body) == 0 {
		return usageError("say what to change: -to, -types, -description or -active")
	}
	return c.call(s, request{http.MethodPatch, c.path(c.Webhook), body}, s.showDefinition)
}

type webhooksRemoveCmd struct{ oneHook }

// Run removes.
func (c *webhooksRemoveCmd) Run(s *session) error {
	return c.call(s, request{http.MethodDelete, c.path(c.Webhook), nil}, func(object) {
		fmt.Fprintf(s.Out, "Webhook %s is removed.\n", c.Webhook)
	})
}

type webhooksTestCmd struct{ oneHook }

// Run sends. It fails if the event was not accepted.
func (c *webhooksTestCmd) Run(s *session) error {
	return c.try(s, request{http.MethodPost, c.path(c.Webhook, "test"), nil}, func(o object) {
		if o["delivered"] == true {
			fmt.Fprintf(s.Out, "Delivered: status %s after %s ms.\n", text(o["status"]), text(o["durationMs"]))
			return
		}
		fmt.Fprintf(s.Out, "Not delivered: %s\n", text(o["error"]))
	}, func(o object) error {
		if o["delivered"] != true {
			return errors.New("the test event was not delivered")
		}
		return nil
	})
}

type webhooksReplayCmd struct {
	oneHook
	After int64  `required:"" placeholder:"SEQUENCE" help:"Start after this sequence number; 0 sends all events."`
	For   string `placeholder:"TENANT" help:"For an operator's webhook: the tenant whose events are sent again."`
}

// Run sends again.
func (c *webhooksReplayCmd) Run(s *session) error {
	body := object{"after": c.After}
	if c.For != "" {
		body["tenant"] = c.For
	}
	return c.call(s, request{http.MethodPost, c.path(c.Webhook, "replay"), body}, func(o object) {
		fmt.Fprintf(s.Out, "The events from %d to %s are sent again.\n", c.After+1, text(o["last"]))
	})
}

type webhooksRotateCmd struct{ oneHook }

// Run creates a secret.
func (c *webhooksRotateCmd) Run(s *session) error {
	return c.call(s, request{http.MethodPost, c.path(c.Webhook, "rotate-secret"), nil}, s.secret)
}
