// Command bulk is the Lambda function behind the routes for bulk requests and for searches across types.
package main

import (
	"github.com/serverless-scim/serverless-scim/pkg/app"
	"github.com/serverless-scim/serverless-scim/pkg/app/serve"
)

func main() { app.Serve(serve.Handler()) }
