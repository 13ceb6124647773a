// Package portal joins the function that shows pages to customers' administrators. It is apart from serve because it
// keeps secrets and links templates.
package portal

import (
	"net/http"
	"time"

	"github.com/serverless-scim/serverless-scim/pkg/app"
	"github.com/serverless-scim/serverless-scim/pkg/app/awsenv"
	"github.com/serverless-scim/serverless-scim/pkg/app/awsenv/vault"
	"github.com/serverless-scim/serverless-scim/pkg/directory"
	"github.com/serverless-scim/serverless-scim/pkg/domain/claim"
	"github.com/serverless-scim/serverless-scim/pkg/guard"
	"github.com/serverless-scim/serverless-scim/pkg/member"
	"github.com/serverless-scim/serverless-scim/pkg/member/marker"
	"github.com/serverless-scim/serverless-scim/pkg/portal"
	"github.com/serverless-scim/serverless-scim/pkg/portal/frame"
	"github.com/serverless-scim/serverless-scim/pkg/provlog"
	"github.com/serverless-scim/serverless-scim/pkg/provlog/diagnosis"
	"github.com/serverless-scim/serverless-scim/pkg/setup"
)

// Handler returns the portal on the table and the vault that the environment names.
func Handler() (http.Handler, error) {
	env, err := app.ReadEnv()
	if err != nil {
		return nil, err
	}
	st := awsenv.Store(env.Table)
	tenants, err := vault.Tenants(env, st)
	if err != nil {
		return nil, err
	}
	dir := directory.New(st, directory.Options{Now: time.Now, Log: env.Log, Carry: marker.Carry(time.Now)})
	journal := provlog.New(st, provlog.Options{Now: time.Now, Log: env.Log})
	members := member.New(st, member.Options{Now: time.Now, Log: env.Log, Directory: dir, Forget: journal.Erase})
	return portal.New(portal.Config{
		Tenants: tenants, Members: members, Directory: dir, Journal: journal,
		Domains: claim.New(st, tenants, claim.Options{Now: time.Now, Log: env.Log}),
		Guard:   guard.New(st, tenants, time.Now, env.Log),
		Diagnosis: diagnosis.New(diagnosis.Options{
			Now: time.Now, Journal: journal, Tenants: tenants, Members: members, Directory: dir,
		}),
		Links: setup.New(st, tenants, setup.Options{
			Now: time.Now, Session: time.Duration(env.PortalHours) * time.Hour,
		}),
		Brand: frame.Brand{
			Product: env.NoticeProduct, Contact: env.NoticeContact, Accent: env.PortalAccent, Logo: env.PortalLogo,
			ReturnURL: env.PortalReturnURL,
		},
		BaseURL: env.BaseURL,
		Now:     time.Now,
		Log:     env.Log,
	})
}
