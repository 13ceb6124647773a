// Command local runs the whole SCIM endpoint and its admin API in one process, on an embedded engine, and is the
// command line to an admin API, local or deployed.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"

	"github.com/serverless-scim/serverless-scim/pkg/app/cli"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := cli.Run(ctx, os.Args[1:], cli.Standard())
	stop()
	os.Exit(code)
}
