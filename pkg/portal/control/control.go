package control

import (
	"embed"

	"github.com/serverless-scim/serverless-scim/pkg/directory"
	"github.com/serverless-scim/serverless-scim/pkg/domain/claim"
	"github.com/serverless-scim/serverless-scim/pkg/guard"
	"github.com/serverless-scim/serverless-scim/pkg/member"
	"github.com/serverless-scim/serverless-scim/pkg/portal/frame"
	"github.com/serverless-scim/serverless-scim/pkg/setup"
	"github.com/serverless-scim/serverless-scim/pkg/tenant"
)

//go:embed pages words
var files embed.FS

// Config has the services of the pages. All of it is required.
type Config struct {
	Tenants   *tenant.Service
	Links     *setup.Service
	Directory *directory.Directory
	Members   *member.Service
	Guard     *guard.Service
	Domains   *claim.Registry
}

type room struct{ c Config }

// Room returns the pages.
func Room(c Config) frame.Room {
	r := room{c}
	named := func(field string) func(v *frame.Visit) (name, evidence string, err error) {
		return func(v *frame.Visit) (string, string, error) { return v.Form(field), "", nil }
	}
	return frame.Room{Files: files, Ask: map[string]frame.Question{
		"POST settings/active": {Key: "off", Back: "settings", When: func(v *frame.Visit) bool {
			return v.Form("active") != "true"
		}},
		"POST settings/decide": {Key: "allow", Back: "settings", When: func(v *frame.Visit) bool {
			return v.Form("decision") == "allow"
		}},
		"POST settings/recipients": {
			Key: "recipient", Back: "settings", About: named("remove"),
			When: func(v *frame.Visit) bool { return v.Form("remove") != "" },
		},
		"POST settings/revoke": {Key: "link", Back: "settings", About: named("id")},
		"POST domains/remove":  {Key: "domain", Back: "domains", About: named("name")},
	}, Routes: map[string]frame.Handler{
		"GET settings": r.settings, "POST settings/active": r.switchOn, "POST settings/requests": r.requests,
		"POST settings/login": r.login, "POST settings/guard": r.setGuard, "POST settings/decide": r.decide,
		"POST settings/recipients": r.recipients, "POST settings/test": r.test, "POST settings/revoke": r.revoke,
		"GET settings/disconnect": r.confirm, "POST settings/disconnect": r.disconnect,
		"GET domains": r.domains, "POST domains/add": r.addDomain, "POST domains/check": r.checkDomain,
		"POST domains/remove": r.removeDomain,
	}}
}
