// Command rotate is the Lambda function that renews tokens, on a schedule.
package main

import (
	"github.com/serverless-scim/serverless-scim/pkg/app"
	"github.com/serverless-scim/serverless-scim/pkg/app/work"
	"github.com/serverless-scim/serverless-scim/pkg/app/work/outbox"
)

func main() {
	r, err := work.NewRotate(outbox.Delivery, outbox.Report)
	if err != nil {
		app.Fail(err)
	}
	app.Run(r.Handle)
}
