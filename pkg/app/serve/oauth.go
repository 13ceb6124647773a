package serve

import (
	"net/http"
	"time"

	"github.com/serverless-scim/serverless-scim/pkg/app"
	"github.com/serverless-scim/serverless-scim/pkg/app/awsenv"
	"github.com/serverless-scim/serverless-scim/pkg/oauthhttp"
	"github.com/serverless-scim/serverless-scim/pkg/tenant"
)

// OAuth returns the handler of the token endpoint on the table that the environment names.
func OAuth() (http.Handler, error) {
	env, err := app.ReadEnv()
	if err != nil {
		return nil, err
	}
	return oauthhttp.New(oauthhttp.Config{
		Tenants: tenant.New(awsenv.Store(env.Table), noSecrets{}, tenant.Options{Now: time.Now, Log: env.Log}),
		BaseURL: env.BaseURL,
		Log:     env.Log,
	}), nil
}
