// Package admin joins the function that answers the operator. It is apart from serve because it keeps secrets: a
// function links all that its packages import, and no function of identity providers may link Secrets Manager.
package admin

import (
	"fmt"
	"net/http"
	"time"

	"github.com/serverless-scim/serverless-scim/pkg/adminhttp"
	"github.com/serverless-scim/serverless-scim/pkg/adminhttp/idempotency"
	"github.com/serverless-scim/serverless-scim/pkg/app"
	"github.com/serverless-scim/serverless-scim/pkg/app/awsenv"
	"github.com/serverless-scim/serverless-scim/pkg/app/awsenv/vault"
	"github.com/serverless-scim/serverless-scim/pkg/directory"
	"github.com/serverless-scim/serverless-scim/pkg/domain/claim"
	"github.com/serverless-scim/serverless-scim/pkg/guard"
	"github.com/serverless-scim/serverless-scim/pkg/member"
	"github.com/serverless-scim/serverless-scim/pkg/member/marker"
	"github.com/serverless-scim/serverless-scim/pkg/provlog"
	"github.com/serverless-scim/serverless-scim/pkg/provlog/diagnosis"
	"github.com/serverless-scim/serverless-scim/pkg/setup"
	"github.com/serverless-scim/serverless-scim/pkg/tenant"
	"github.com/serverless-scim/serverless-scim/pkg/webhook"
)

// Handler returns the handler of the admin API on the table and the vault that the environment names.
func Handler() (http.Handler, error) {
	env, err := app.ReadEnv()
	if err != nil {
		return nil, err
	}
	if env.WebhookKey == "" {
		return nil, fmt.Errorf("%s is not set", app.EnvWebhookKey)
	}
	st := awsenv.Store(env.Table)
	service, err := vault.Tenants(env, st)
	if err != nil {
		return nil, err
	}
	dir := directory.New(st, directory.Options{Now: time.Now, Log: env.Log, Carry: marker.Carry(time.Now)})
	journal := provlog.New(st, provlog.Options{
		Now: time.Now, Log: env.Log, OperatorLog: time.Duration(env.OperatorLogDays) * 24 * time.Hour,
	})
	members := member.New(st, member.Options{Now: time.Now, Log: env.Log, Directory: dir, Forget: journal.Erase})
	return adminhttp.New(adminhttp.Config{
		Tenants:    service,
		CheckTypes: dir.CheckTypes,
		Members:    members,
		Guard:      guard.New(st, service, time.Now, env.Log),
		Domains:    claim.New(st, service, claim.Options{Now: time.Now, Log: env.Log}),
		Journal:    journal,
		Once:       idempotency.New(st, time.Now),
		Links:      setup.New(st, service, setup.Options{Now: time.Now}),
		Diagnosis: diagnosis.New(diagnosis.Options{
			Now: time.Now, Journal: journal, Tenants: service, Members: members, Directory: dir,
		}),
		Webhooks: webhook.New(st, webhook.Options{
			Now: time.Now, Log: env.Log, Key: vault.WebhookKey(env), Living: tenant.Living,
		}),
		BaseURL: env.BaseURL,
		Host:    env.AdminHost,
		Log:     env.Log,
	}), nil
}
