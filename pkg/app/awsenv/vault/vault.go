// Package vault connects tenants to their vault in AWS Secrets Manager, for the functions that store or renew tokens:
// admin, stream and rotate. It is separate from awsenv, so that no SCIM function links that client.
package vault

import (
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"

	"github.com/serverless-scim/serverless-scim/pkg/app"
	"github.com/serverless-scim/serverless-scim/pkg/app/awsenv"
	"github.com/serverless-scim/serverless-scim/pkg/member/marker"
	"github.com/serverless-scim/serverless-scim/pkg/store"
	"github.com/serverless-scim/serverless-scim/pkg/tenant"
	"github.com/serverless-scim/serverless-scim/pkg/tenant/awssecret"
)

const (
	// secretWrites is how many writes a second a process makes in Secrets Manager, which takes 50 of all together.
	secretWrites = 40
	// spread is over how long the successors of tenants that were made together come.
	spread = 24 * time.Hour
)

// Tenants returns the tenants on a table, with their vaults and the operator's bounds, as the environment has them.
func Tenants(env app.Env, st *store.Store) (*tenant.Service, error) {
	if env.SecretPrefix == "" {
		return nil, fmt.Errorf("%s is not set", app.EnvSecretPrefix)
	}
	client := secretsmanager.NewFromConfig(awsenv.Config(), func(o *secretsmanager.Options) {
		o.BaseEndpoint = awsenv.Endpoint("SECRETS_MANAGER")
	})
	secrets := awssecret.Options{
		Prefix: env.SecretPrefix, Pace: awssecret.NewPace(secretWrites), KMSKeyID: env.SecretKey, Tags: env.SecretTags,
	}
	o := tenant.Options{
		Now: time.Now, Log: env.Log, MaxLifetime: time.Duration(env.MaxTokenDays) * 24 * time.Hour,
		Endless: env.EndlessTokens, Spread: spread, Everybody: marker.Everybody(time.Now),
	}
	if env.PackedSecrets > 0 {
		o.Packed = awssecret.NewPacked(client, secrets, env.PackedSecrets)
	}
	return tenant.New(st, awssecret.New(client, secrets), o), nil
}
