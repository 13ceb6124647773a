// Command stream is the Lambda function behind the table's stream.
package main

import (
	"github.com/serverless-scim/serverless-scim/pkg/app"
	"github.com/serverless-scim/serverless-scim/pkg/app/work"
)

func main() {
	s, err := work.NewStream()
	if err != nil {
		app.Fail(err)
	}
	app.Run(s.Handle)
}
