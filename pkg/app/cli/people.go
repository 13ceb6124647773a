package cli

import (
	"fmt"
	"net/http"
)

type membersInviteCmd struct {
	ofTenant
	Member string `arg:"" optional:"" help:"Id of the member; all by default."`
	Filter string `placeholder:"FILTER" help:"SCIM filter for the members, such as userName ew \"@example.com\"."`
}

// Run invites, one or as often as the API says that there are more.
func (c *membersInviteCmd) Run(s *session) error {
	if c.Member != "" {
		if err := s.only("is for all members, and one is named", "filter"); err != nil {
			return err
		}
		r := request{http.MethodPost, path("tenants", c.Tenant, "members", c.Member, "invite"), nil}
		return c.call(s, r, func(answer object) { fmt.Fprintf(s.Out, "%v invited.\n", answer["invited"]) })
	}
	body := object{}
	if c.Filter != "" {
		body["filter"] = c.Filter
	}
	for total := 0.0; ; {
		raw, err := c.send(s, request{http.MethodPost, path("tenants", c.Tenant, "members", "invite"), body})
		if err != nil {
			return err
		}
		answer, err := c.read(raw)
		if err != nil {
			return err
		}
		n, _ := answer["invited"].(float64)
		total += n
		if answer["more"] == true {
			continue
		}
		if c.JSON {
			return writeJSON(s.Out, object{"invited": total})
		}
		fmt.Fprintf(s.Out, "%v invited.\n", total)
		return nil
	}
}

type membersDuplicatesCmd struct {
	ofTenant
	part
}

// Run lists.
func (c *membersDuplicatesCmd) Run(s *session) error {
	p := query(path("tenants", c.Tenant, "members", "duplicates"), "count", c.count(), "cursor", c.Cursor)
	return c.call(s, request{http.MethodGet, p, nil}, func(answer object) {
		rows := [][]any{{"MEMBER", "USERNAME", "OTHER", "USERNAME", "BOTH HAVE"}}
		for _, d := range objects(answer["duplicates"]) {
			if two := objects(d["members"]); len(two) == 2 {
				rows = append(rows, []any{two[0]["id"], two[0]["userName"], two[1]["id"], two[1]["userName"], d["by"]})
			}
		}
		table(s.Out, rows)
		s.next(answer)
	})
}

type membersMergeCmd struct {
	ofTenant
	Member string `arg:"" help:"Id of the member who is removed."`
	Into   string `arg:"" help:"Id of the member who stays. It gets account, manual assignments, invitation."`
	Force  bool   `help:"Do not ask."`
}

// Run merges, once a person has said that this is meant.
func (c *membersMergeCmd) Run(s *session) error {
	err := s.meant(c.Force, "merge removes a member for good",
		"Remove member "+c.Member+", in favour of "+c.Into+"? There is no way back.", "the members are not merged")
	if err != nil {
		return err
	}
	r := request{http.MethodPost, path("tenants", c.Tenant, "members", c.Member, "merge"), object{"into": c.Into}}
	return c.call(s, r, func(m object) {
		fmt.Fprintf(s.Out, "Merged into %s %s.\n", text(m["id"]), text(m["userName"]))
	})
}

type guardCmd struct {
	Show   guardShowCmd   `cmd:"" help:"Show whether the guard has tripped, and the users that it holds."`
	Allow  guardAllowCmd  `cmd:"" help:"Allow all deactivations and deletions for some time."`
	Reject guardRejectCmd `cmd:"" help:"Keep the held users unchanged, and withdraw an earlier allow."`
}

type guardShowCmd struct{ ofTenant }

// Run shows.
func (c *guardShowCmd) Run(s *session) error {
	return c.call(s, request{http.MethodGet, path("tenants", c.Tenant, "guard"), nil}, s.showGuard)
}

func (s *session) showGuard(o object) {
	rows := [][]any{{"tripped", o["tripped"]}, {"counted", o["counted"]}}
	for _, name := range [][2]string{{"since", "since"}, {"allowedUntil", "allowed until"}} {
		if at := o[name[0]]; at != nil {
			rows = append(rows, []any{name[1], at})
		}
	}
	table(s.Out, rows)
	held := objects(o["held"])
	if len(held) == 0 {
		return
	}
	rows = [][]any{{"MEMBER", "HELD", "SINCE"}}
	for _, h := range held {
		rows = append(rows, []any{h["member"], h["action"], h["at"]})
	}
	table(s.Out, rows)
}

type guardAllowCmd struct {
	ofTenant
	Minutes int `placeholder:"MINUTES" help:"Minutes, 60 by default."`
}

// Run allows.
func (c *guardAllowCmd) Run(s *session) error {
	body := object{"decision": "allow"}
	if s.given["minutes"] {
		body["minutes"] = c.Minutes
	}
	return c.call(s, request{http.MethodPost, path("tenants", c.Tenant, "guard"), body}, s.showGuard)
}

type guardRejectCmd struct{ ofTenant }

// Run rejects.
func (c *guardRejectCmd) Run(s *session) error {
	body := object{"decision": "reject"}
	return c.call(s, request{http.MethodPost, path("tenants", c.Tenant, "guard"), body}, s.showGuard)
}

type tenantsDisconnectCmd struct {
	ofTenant
	Force bool `help:"Do not ask."`
}

// Run disconnects, once a person has said that this is meant.
func (c *tenantsDisconnectCmd) Run(s *session) error {
	err := s.meant(c.Force, "disconnect revokes all tokens and clients",
		"End all tokens and OAuth clients of "+c.Tenant+"? Its people stay.", "the tenant is not disconnected")
	if err != nil {
		return err
	}
	return c.call(s, request{http.MethodPost, path("tenants", c.Tenant, "disconnect"), nil}, func(o object) {
		fmt.Fprintf(s.Out, "%v tokens and %v clients are ended.\n", o["tokens"], o["clients"])
	})
}
