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
	return frame.Room{Files: files, Routes: map[string]frame.Handler{
		"GET settings": r.settings, "POST settings/active": r.switchOn, "POST settings/requests": r.requests,
		"POST settings/login": r.login, "POST settings/guard": r.setGuard, "POST settings/decide": r.decide,
		"POST settings/recipients": r.recipients, "POST settings/test": r.test, "POST settings/revoke": r.revoke,
		"GET settings/disconnect": r.confirm, "POST settings/disconnect": r.disconnect,
		"GET domains": r.domains, "POST domains/add": r.addDomain, "POST domains/check": r.checkDomain,
		"POST domains/remove": r.removeDomain,
	}}
}
