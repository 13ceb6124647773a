// Command portal is the Lambda function of the pages on which customers' administrators set the connection up.
package main

import (
	"github.com/serverless-scim/serverless-scim/pkg/app"
	"github.com/serverless-scim/serverless-scim/pkg/app/serve/portal"
)

func main() { app.Serve(portal.Handler()) }
