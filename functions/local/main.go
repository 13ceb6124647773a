// Command local runs the whole SCIM endpoint and its admin API in one process, on an embedded engine. With the word token it is the
// command line to an admin API, local or deployed.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"github.com/serverless-scim/serverless-scim/pkg/app/command"
	"github.com/serverless-scim/serverless-scim/pkg/app/local"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if len(os.Args) > 1 && os.Args[1] == "token" {
		os.Exit(command.Run(ctx, os.Args[2:], os.Stdout, os.Stderr))
	}
	o, err := local.Flags(os.Args[1:], os.Stdout, os.Stderr)
	if errors.Is(err, flag.ErrHelp) {
		return
	}
	if err == nil {
		err = local.Run(ctx, o)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "serverless-scim:", err)
		os.Exit(1)
	}
}
