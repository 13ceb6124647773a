package cli

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
)

type noticesCmd struct {
	List       noticesListCmd       `cmd:"" help:"List the notices and their state."`
	Recipients noticesRecipientsCmd `cmd:"" help:"Show or replace the recipients."`
	Test       noticesTestCmd       `cmd:"" help:"Send a test notice."`
}

type noticesListCmd struct {
	ofTenant
}

// Run lists.
func (c *noticesListCmd) Run(s *session) error {
	return c.call(s, request{http.MethodGet, path("tenants", c.Tenant, "notices"), nil}, func(answer object) {
		rows := [][]any{{"AT", "KIND", "TOKEN", "STATE", "RECIPIENTS"}}
		for _, n := range objects(answer["notices"]) {
			rows = append(rows, []any{
				n["at"], n["kind"], orWord(n["tokenId"], "-"), n["state"], emails(n["recipients"]),
			})
		}
		table(s.Out, rows)
	})
}

type noticesRecipientsCmd struct {
	ofTenant
	To []string `arg:"" optional:"" name:"email[:language]" help:"New recipients, language en or de; none removes all."`
}

// Run shows the recipients, or replaces them.
func (c *noticesRecipientsCmd) Run(s *session) error {
	show := func(t object) {
		settings, _ := t["settings"].(object)
		notices, _ := settings["notices"].(object)
		rows := [][]any{{"EMAIL", "LANGUAGE"}}
		for _, to := range objects(notices["recipients"]) {
			rows = append(rows, []any{to["email"], to["language"]})
		}
		table(s.Out, rows)
	}
	tenant := path("tenants", c.Tenant)
	if len(c.To) == 0 {
		return c.call(s, request{http.MethodGet, tenant, nil}, show)
	}
	list := []any{}
	for _, word := range c.To {
		if word == "none" && len(c.To) == 1 {
			break
		}
		email, language, given := strings.Cut(word, ":")
		to := object{"email": email}
		if given {
			to["language"] = language
		}
		list = append(list, to)
	}
	body := object{"settings": object{"notices": object{"recipients": list}}}
	return c.call(s, request{http.MethodPatch, tenant, body}, show)
}

type noticesTestCmd struct {
	ofTenant
}

// Run sends. It fails if there is nobody to send it to.
func (c *noticesTestCmd) Run(s *session) error {
	r := request{http.MethodPost, path("tenants", c.Tenant, "notices"), object{"kind": "test"}}
	return c.try(s, r, func(n object) {
		if to := emails(n["recipients"]); to != "" {
			fmt.Fprintf(s.Out, "A notice to try is on its way to %s.\n", to)
		}
	}, func(n object) error {
		if emails(n["recipients"]) == "" {
			return errors.New("the notice goes to nobody: set recipients first")
		}
		return nil
	})
}

type clockCmd struct {
	Get clockGetCmd `cmd:"" default:"withargs" help:"Show the time; the default."`
	Set clockSetCmd `cmd:"" help:"Move the time forward, and do the work that is due then."`
}

type clockGetCmd struct{ admin }

// Run shows.
func (c *clockGetCmd) Run(s *session) error {
	return c.call(s, request{http.MethodGet, path("clock"), nil}, func(o object) {
		fmt.Fprintf(s.Out, "now      %v\nmachine  %v\n", o["now"], o["machine"])
	})
}

type clockSetCmd struct {
	admin
	Time moment `arg:"" help:"Day or time, not before the present time."`
}

// Run moves.
func (c *clockSetCmd) Run(s *session) error {
	if c.Time.value == nil {
		return usageError("the clock can't be set to never")
	}
	return c.call(s, request{http.MethodPut, path("clock"), object{"now": c.Time.value}}, func(o object) {
		fmt.Fprintf(s.Out, "now      %v\n", o["now"])
	})
}
