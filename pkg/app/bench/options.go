package bench

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
	"slices"
	"time"

	"github.com/serverless-scim/serverless-scim/pkg/app/local"
)

// Options of a run. All are required but those that say otherwise.
type Options struct {
	// Engine, Data, DynamoDBEndpoint, Table and YesAWS are those of local.Options.
	Engine, Data, DynamoDBEndpoint, Table string
	YesAWS                                bool
	// IdP is the profile of the tenants.
	IdP string
	// Users are the sizes of the tenants, from 100 users; Members those of the groups, from 1 member.
	Users, Members []int
	// Samples is the number of requests per operation and size.
	Samples int
	// Clients is the number of clients at a time, over HTTP; 0 is one, without a network.
	Clients int
	// Latency is added to each call of the bolt engine, without clients.
	Latency time.Duration
	// Format is table, benchstat or json.
	Format string
}

// maxSize is the largest size of a tenant and of a group.
const maxSize = 10_000_000

// Check returns an error if the options are wrong, in the words of the command line.
func (o Options) Check() error {
	switch {
	case o.Latency < 0 || o.Latency > 0 && (o.Engine != "bolt" || o.Clients > 0):
		return errors.New("-latency must be positive and is for -engine bolt without -clients only")
	case o.Samples < 1:
		return errors.New("-n must be at least 1")
	case o.Clients < 0 || o.Clients > 1000:
		return errors.New("-clients must be from 0 to 1000")
	case o.Clients > 0 && o.Format == "benchstat":
		return errors.New("-format benchstat is for runs without -clients only")
	case !sized(o.Users, 100):
		return fmt.Errorf("-users must be numbers from 100 to %d with commas between", maxSize)
	case !sized(o.Members, 1):
		return fmt.Errorf("-members must be numbers from 1 to %d with commas between", maxSize)
	}
	return nil
}

func sized(sizes []int, least int) bool {
	return len(sizes) > 0 && slices.Min(sizes) >= least && slices.Max(sizes) <= maxSize
}

// options is a run as it is carried out.
type options struct {
	local          local.Options
	idp            string
	users, members []int // ascending
	samples        int
	clients        int
	latency        time.Duration
}

func (o Options) resolve(log io.Writer) options {
	return options{
		local: local.Options{
			Engine: o.Engine, Data: o.Data, DynamoDBEndpoint: o.DynamoDBEndpoint, Table: o.Table, YesAWS: o.YesAWS,
			CostHeaders: true, Log: log, Out: io.Discard, LogLevel: slog.LevelError,
		},
		idp: o.IdP, users: ascending(o.Users), members: ascending(o.Members), samples: o.Samples, clients: o.Clients,
		latency: o.Latency,
	}
}

func ascending(sizes []int) []int { return slices.Compact(slices.Sorted(slices.Values(sizes))) }
