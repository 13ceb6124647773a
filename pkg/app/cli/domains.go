package cli

import (
	"errors"
	"fmt"
	"net/http"
)

type domainsCmd struct {
	List   domainsListCmd   `cmd:"" help:"List the domains, each with the DNS record that it needs."`
	Add    domainsAddCmd    `cmd:"" help:"Add a domain, and show the DNS record that verifies it."`
	Verify domainsVerifyCmd `cmd:"" help:"Verify a domain by its DNS record, or without one."`
	Remove domainsRemoveCmd `cmd:"" help:"Remove a domain. Users with addresses in it stay unchanged."`
}

// oneDomain names a domain of a tenant.
type oneDomain struct {
	Domain string `arg:"" help:"The domain, such as example.com."`
}

type domainsListCmd struct{ tenantSearch }

// Run lists.
func (c *domainsListCmd) Run(s *session) error {
	p := query(path("tenants", c.Tenant, "domains"), "name", c.Name)
	return c.call(s, request{http.MethodGet, p, nil}, func(answer object) {
		rows := [][]any{{"DOMAIN", "STATE", "BY", "SINCE", "TXT RECORD", "VALUE"}}
		for _, o := range objects(answer["domains"]) {
			record, _ := o["record"].(object)
			rows = append(rows, []any{
				o["name"], o["state"], orWord(o["by"], "-"), orWord(o["verifiedAt"], "-"), record["name"],
				record["value"],
			})
		}
		table(s.Out, rows)
		for _, o := range objects(answer["domains"]) {
			if f, failing := o["failing"].(object); failing {
				fmt.Fprintf(s.Out, "%s: the daily check has failed since %s, last with %s.\n", text(o["name"]),
					text(f["since"]), text(f["answer"]))
			}
		}
	})
}

type domainsAddCmd struct {
	ofTenant
	oneDomain
}

// Run adds.
func (c *domainsAddCmd) Run(s *session) error {
	r := request{http.MethodPost, path("tenants", c.Tenant, "domains"), object{"name": c.Domain}}
	return c.call(s, r, func(answer object) {
		s.domain(answer)
		if answer["state"] != "verified" {
			record, _ := answer["record"].(object)
			fmt.Fprintf(s.Out, "Add this record to its DNS, then verify the domain:\n%s TXT %s\n", text(record["name"]),
				text(record["value"]))
		}
	})
}

// domain prints the state of a domain.
func (s *session) domain(o object) {
	fmt.Fprintf(s.Out, "%s is %s.\n", text(o["name"]), text(o["state"]))
}

type domainsVerifyCmd struct {
	ofTenant
	oneDomain
	Override bool `help:"Verify the domain without its DNS record. It is never checked again."`
}

// answers are the texts for the results of a DNS lookup.
var answers = map[string]string{
	"missing":   "there is no such record",
	"different": "there are other records of this name, and none has the value",
	"silent":    "no answer, or an error of its server",
}

// Run asks. It fails if the domain is not verified.
func (c *domainsVerifyCmd) Run(s *session) error {
	body := object{}
	if c.Override {
		body["override"] = true
	}
	p := path("tenants", c.Tenant, "domains", c.Domain, "verify")
	return c.try(s, request{http.MethodPost, p, body}, func(answer object) {
		s.domain(answer)
		if said := answers[fmt.Sprint(answer["answer"])]; said != "" {
			record, _ := answer["record"].(object)
			fmt.Fprintf(s.Out, "The DNS says about %s TXT %s: %s.\n", text(record["name"]), text(record["value"]), said)
		}
	}, func(answer object) error {
		if answer["state"] != "verified" {
			return errors.New("the domain is not verified")
		}
		return nil
	})
}

type domainsRemoveCmd struct {
	ofTenant
	oneDomain
}

// Run removes.
func (c *domainsRemoveCmd) Run(s *session) error {
	return c.call(s, request{http.MethodDelete, path("tenants", c.Tenant, "domains", c.Domain), nil}, func(object) {
		fmt.Fprintf(s.Out, "%s is removed.\n", c.Domain)
	})
}
