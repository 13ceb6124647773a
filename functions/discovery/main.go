// Command discovery is the Lambda function behind the discovery routes of the HTTP API.
package main

import (
	"github.com/serverless-scim/serverless-scim/pkg/app"
	"github.com/serverless-scim/serverless-scim/pkg/app/serve"
)

func main() { app.Serve(serve.Handler()) }
