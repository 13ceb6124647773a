// Command deliver is the Lambda function that takes events to Amazon EventBridge and to webhooks.
package main

import (
	"github.com/serverless-scim/serverless-scim/pkg/app"
	"github.com/serverless-scim/serverless-scim/pkg/app/work/deliver"
)

func main() {
	d, err := deliver.New()
	if err != nil {
		app.Fail(err)
	}
	app.Run(d.Handle)
}
