// Command local runs the whole SCIM endpoint and its admin API in one process, on an embedded engine. With the word token it is the
// command line to an admin API, local or deployed; with the word bench it measures what operations cost.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"github.com/serverless-scim/serverless-scim/pkg/app/cli"
	"github.com/serverless-scim/serverless-scim/pkg/app/local"
	"github.com/serverless-scim/serverless-scim/pkg/app/bench"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	var err error
	switch append(os.Args, "")[1] {
	case "token":
		os.Exit(cli.Run(ctx, os.Args[2:], os.Stdout, os.Stderr))
	case "bench":
		err = bench.Run(ctx, os.Args[2:], os.Stdout, os.Stderr)
	default:
		var o local.Options
		if o, err = local.Flags(os.Args[1:], os.Stdout, os.Stderr); err == nil {
			err = local.Run(ctx, o)
		}
	}
	if err != nil && !errors.Is(err, flag.ErrHelp) {
		fmt.Fprintln(os.Stderr, "serverless-scim:", err)
		os.Exit(1)
	}
}
