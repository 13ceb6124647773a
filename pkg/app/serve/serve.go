// Package serve joins the functions that answer identity providers: users, groups, bulk, discovery and oauth. They link
// DynamoDB and nothing else of AWS, and no request reads a secret.
package serve

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/serverless-scim/serverless-scim/pkg/app"
	"github.com/serverless-scim/serverless-scim/pkg/app/awsenv"
	"github.com/serverless-scim/serverless-scim/pkg/directory"
	"github.com/serverless-scim/serverless-scim/pkg/guard"
	"github.com/serverless-scim/serverless-scim/pkg/limit"
	"github.com/serverless-scim/serverless-scim/pkg/member/marker"
	"github.com/serverless-scim/serverless-scim/pkg/policy"
	"github.com/serverless-scim/serverless-scim/pkg/provlog"
	"github.com/serverless-scim/serverless-scim/pkg/scimhttp"
	"github.com/serverless-scim/serverless-scim/pkg/tenant"
)

// Handler returns the SCIM handler on the table that the environment names.
func Handler() (http.Handler, error) {
	env, err := app.ReadEnv()
	if err != nil {
		return nil, err
	}
	st := awsenv.Store(env.Table)
	tenants := tenant.New(st, noSecrets{}, tenant.Options{Now: time.Now, Log: env.Log})
	guarding := guard.New(st, tenants, time.Now, env.Log)
	return scimhttp.New(scimhttp.Config{
		Tenants: tenants,
		Directory: directory.New(st, directory.Options{
			Now: time.Now, Log: env.Log, Carry: marker.Carry(time.Now), Rules: policy.Rules(st, guarding, env.Log),
		}),
		Journal: provlog.New(st, provlog.Options{Now: time.Now, Log: env.Log, Lookup: tenants.Get}),
		BaseURL: env.BaseURL,
		Log:     env.Log,
		Now:     time.Now,
		Limit:   limit.New(st, env.Limits, time.Now),
	}), nil
}

// errNoSecrets is the error of noSecrets: no SCIM request may use a vault.
var errNoSecrets = errors.New("serve: no vault on the path of a request")

// noSecrets is the vault of functions that have none.
type noSecrets struct{}

func (noSecrets) Keep(context.Context, string, string, string, tenant.Stage) error {
	return errNoSecrets
}
func (noSecrets) Reveal(context.Context, string, string) (string, error) { return "", errNoSecrets }
func (noSecrets) Promote(context.Context, string, string) error          { return errNoSecrets }
func (noSecrets) Drop(context.Context, string, string) error             { return errNoSecrets }
func (noSecrets) DropTenant(context.Context, string) error               { return errNoSecrets }
