package vault

import (
	"context"
	"errors"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"

	"github.com/serverless-scim/serverless-scim/pkg/app"
	"github.com/serverless-scim/serverless-scim/pkg/app/awsenv"
)

// WebhookKey returns a webhook.Options.Key that reads the deployment's key of the secrets of webhooks.
func WebhookKey(env app.Env) func(context.Context) ([]byte, error) {
	return func(ctx context.Context) ([]byte, error) {
		if env.WebhookKey == "" {
			return nil, errors.New("vault: " + app.EnvWebhookKey + " is not set")
		}
		client := secretsmanager.NewFromConfig(awsenv.Config(), func(o *secretsmanager.Options) {
			o.BaseEndpoint = awsenv.Endpoint("SECRETS_MANAGER")
		})
		out, err := client.GetSecretValue(ctx, &secretsmanager.GetSecretValueInput{
			SecretId: &env.WebhookKey, VersionStage: aws.String("AWSCURRENT"),
		})
		if err != nil {
			return nil, fmt.Errorf("vault: key of webhooks: %w", err)
		}
		return []byte(aws.ToString(out.SecretString)), nil
	}
}
