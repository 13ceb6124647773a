package local

import (
	"cmp"
	"context"
	"os"
	"os/user"
	"strconv"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/sts"
)

// Caller is the log's name for whoever works on an engine without a server: the ARN of the IAM principal if the table
// is in AWS and AWS tells it, otherwise "user" and the name of the user of the operating system.
func Caller(ctx context.Context, o Options) string {
	if o.Engine == "dynamodb" && inAWS(o.DynamoDBEndpoint) {
		if arn, err := principal(ctx); err == nil {
			return arn
		}
	}
	name := cmp.Or(os.Getenv("USER"), strconv.Itoa(os.Getuid()))
	if u, err := user.Current(); err == nil {
		name = u.Username
	}
	return "user " + name
}

// principal asks AWS whose credentials the environment has. This needs no permission.
func principal(ctx context.Context) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	cfg, err := config.LoadDefaultConfig(ctx)
	if err != nil {
		return "", err
	}
	got, err := sts.NewFromConfig(cfg).GetCallerIdentity(ctx, &sts.GetCallerIdentityInput{})
	if err != nil {
		return "", err
	}
	return aws.ToString(got.Arn), nil
}
