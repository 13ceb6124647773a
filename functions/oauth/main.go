// Command oauth is the Lambda function of the OAuth 2.0 token endpoint.
package main

import (
	"github.com/serverless-scim/serverless-scim/pkg/app"
	"github.com/serverless-scim/serverless-scim/pkg/app/serve"
)

func main() { app.Serve(serve.OAuth()) }
