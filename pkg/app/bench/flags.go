package bench

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/serverless-scim/serverless-scim/pkg/app/local"
	"github.com/serverless-scim/serverless-scim/pkg/store/boltstore"
)

// options of a run.
type options struct {
	local local.Options
	idp   string
	// users are the sizes of the tenants, members those of the groups, ascending.
	users, members []int
	samples        int
	clients        int // at a time; 0 is one, without a network
	benchstat      bool
	latency        time.Duration
}

func readFlags(args []string, stderr io.Writer) (options, error) {
	o := options{local: local.Options{CostHeaders: true, Log: stderr, Out: io.Discard, LogLevel: slog.LevelError}}
	fs := flag.NewFlagSet("bench", flag.ContinueOnError)
	fs.SetOutput(stderr)
	fs.StringVar(&o.local.Engine, "engine", "bolt", "bolt, or dynamodb")
	fs.StringVar(&o.local.Data, "data", boltstore.Memory, "`folder` of the data file; :memory: keeps nothing and never waits for the disk")
	fs.StringVar(&o.local.DynamoDBEndpoint, "dynamodb-endpoint", "", "`URL` of DynamoDB Local; empty is AWS")
	fs.StringVar(&o.local.Table, "table", "serverless-scim-bench", "`name` of the DynamoDB table; a missing one is created, and none is deleted")
	fs.StringVar(&o.idp, "idp", "okta", "profile of the tenants")
	users := fs.String("users", "1000,10000,100000", "`sizes` of tenants, in users")
	members := fs.String("members", "10,10000,1000000", "`sizes` of groups, in members")
	fs.IntVar(&o.samples, "n", 200, "requests per operation and size")
	fs.IntVar(&o.clients, "clients", 0, "`number` of clients that send requests at once, over HTTP: measures requests per second, -n of each client, but no user twice")
	fs.DurationVar(&o.latency, "latency", 0, "`time` that each call of the bolt engine takes more, as over a network; 5ms is about DynamoDB")
	quick := fs.Bool("quick", false, "small sizes and 20 requests each, to try")
	format := fs.String("format", "table", "table, or benchstat")
	if err := fs.Parse(args); err != nil {
		return o, err
	}
	if fs.NArg() > 0 {
		return o, errors.New("unexpected argument " + fs.Arg(0))
	}
	if *quick {
		*users, *members, o.samples = "100,1000", "10,1000", 20
	}
	if o.latency < 0 || o.latency > 0 && (o.local.Engine != "bolt" || o.clients > 0) {
		return o, errors.New("-latency must be positive and is for -engine bolt without -clients only")
	}
	if o.samples < 1 {
		return o, errors.New("-n must be at least 1")
	}
	if o.clients < 0 || o.clients > 1000 {
		return o, errors.New("-clients must be at most 1000")
	}
	if *format != "table" && *format != "benchstat" {
		return o, errors.New("-format must be table or benchstat")
	}
	o.benchstat = *format == "benchstat"
	var err error
	if o.users, err = sizes("-users", *users, 100); err != nil {
		return o, err
	}
	o.members, err = sizes("-members", *members, 1)
	return o, err
}

// sizes reads a list of numbers, none below least.
func sizes(name, text string, least int) ([]int, error) {
	var all []int
	for part := range strings.SplitSeq(text, ",") {
		n, err := strconv.Atoi(strings.TrimSpace(part))
		if err != nil || n < least || n > 10_000_000 {
			return nil, fmt.Errorf("%s must be numbers from %d to 10000000 with commas between, not %q", name, least, text)
		}
		all = append(all, n)
	}
	slices.Sort(all)
	return slices.Compact(all), nil
}
