// Command admin is the Lambda function of the admin API.
package main

import (
	"github.com/serverless-scim/serverless-scim/pkg/app"
	"github.com/serverless-scim/serverless-scim/pkg/app/serve/admin"
)

func main() { app.Serve(admin.Handler()) }
