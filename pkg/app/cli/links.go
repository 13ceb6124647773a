package cli

import (
	"fmt"
	"net/http"
)

type linksCmd struct {
	Create linksCreateCmd `cmd:"" help:"Create a set-up link and print it. With -email, also send it by mail."`
	List   linksListCmd   `cmd:"" help:"List the set-up links of the last 90 days."`
	Revoke linksRevokeCmd `cmd:"" help:"Revoke a set-up link and end the session that it opened."`
}

type linksCreateCmd struct {
	ofTenant
	Role      string   `enum:"admin,reader" default:"admin" help:"admin (may change settings) or reader."`
	Email     string   `help:"Mail address to send the link to."`
	Language  string   `enum:",en,de" default:"" help:"Language of the mail and the pages: en or de."`
	ID        chosenID `placeholder:"ID" help:"Id: TENANT, a dot and 16 of a-z and 0-9; random by default."`
	Hours     int      `default:"72" help:"Hours in which the link can be redeemed, 1 to 720."`
	ReturnURL string   `name:"return-url" help:"https URL that the pages link back to."`
}

// Run creates a link.
func (c *linksCreateCmd) Run(s *session) error {
	body := object{"role": c.Role, "validHours": c.Hours}
	for key, value := range map[string]string{"email": c.Email, "language": c.Language, "returnUrl": c.ReturnURL} {
		if value != "" {
			body[key] = value
		}
	}
	c.ID.into(body)
	r := request{http.MethodPost, path("tenants", c.Tenant, "setup-links"), body}
	return c.call(s, r, func(o object) {
		fmt.Fprintf(s.Out, "%s\nIt works once, until %s, and is not shown again.\n", text(o["url"]),
			text(o["expiresAt"]))
		if c.Email != "" {
			fmt.Fprintf(s.Out, "A mail with a link is on its way to %s.\n", c.Email)
		}
	})
}

type linksListCmd struct{ tenantSearch }

// Run lists.
func (c *linksListCmd) Run(s *session) error {
	r := request{http.MethodGet, query(path("tenants", c.Tenant, "setup-links"), "name", c.Name), nil}
	return c.call(s, r, func(answer object) {
		rows := [][]any{{"LINK", "ROLE", "STATE", "EMAIL", "EXPIRES", "SESSION UNTIL"}}
		for _, o := range objects(answer["setupLinks"]) {
			rows = append(rows, []any{
				o["id"], o["role"], o["state"], orWord(o["email"], "-"), o["expiresAt"], orWord(o["sessionUntil"], "-"),
			})
		}
		table(s.Out, rows)
	})
}

type linksRevokeCmd struct {
	ofTenant
	Link string `arg:"" help:"Id of the link."`
}

// Run ends a link.
func (c *linksRevokeCmd) Run(s *session) error {
	r := request{http.MethodDelete, path("tenants", c.Tenant, "setup-links", c.Link), nil}
	return c.call(s, r, func(object) { fmt.Fprintf(s.Out, "The link %s and its session have ended.\n", c.Link) })
}
