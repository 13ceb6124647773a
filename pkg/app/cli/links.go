package cli

import (
	"fmt"
	"net/http"
)

type linksCmd struct {
	Create linksCreateCmd `cmd:"" help:"Make a link, print it, and mail it if there is an address."`
	List   linksListCmd   `cmd:"" help:"List the links of the last 90 days."`
	Revoke linksRevokeCmd `cmd:"" help:"End a link, and the session that it was redeemed for."`
}

type linksCreateCmd struct {
	ofTenant
	Role      string `enum:"admin,reader" default:"admin" help:"admin, who changes things, or reader."`
	Email     string `help:"Address to which the link is mailed."`
	Language  string `enum:",en,de" default:"" help:"Language of mail and pages: en or de."`
	Hours     int    `default:"72" help:"How long the link can be redeemed, 1 to 720."`
	ReturnURL string `name:"return-url" help:"https address to which the pages lead back."`
}

// Run makes a link.
func (c *linksCreateCmd) Run(s *session) error {
	body := object{"role": c.Role, "validHours": c.Hours}
	for key, value := range map[string]string{"email": c.Email, "language": c.Language, "returnUrl": c.ReturnURL} {
		if value != "" {
			body[key] = value
		}
	}
	r := request{http.MethodPost, path("tenants", c.Tenant, "setup-links"), body}
	return c.call(s, r, func(o object) {
		fmt.Fprintf(s.Out, "%s\nIt works once, until %s, and is not shown again.\n", text(o["url"]), text(o["expiresAt"]))
		if c.Email != "" {
			fmt.Fprintf(s.Out, "A mail with a link is on its way to %s.\n", c.Email)
		}
	})
}

type linksListCmd struct{ ofTenant }

// Run lists.
func (c *linksListCmd) Run(s *session) error {
	r := request{http.MethodGet, path("tenants", c.Tenant, "setup-links"), nil}
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
