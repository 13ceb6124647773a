package bench

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync/atomic"
	"time"

	"github.com/serverless-scim/serverless-scim/pkg/app/local"
)

// counted is the number of samples whose allocations are counted.
const counted = 10

// Output holds the writers of a run.
type Output struct {
	// Out takes the result, Log the server's log, Progress a bar for a terminal.
	Out, Log, Progress io.Writer
}

// Run measures, and prints the result. It takes minutes, unless sizes and samples are small.
func Run(ctx context.Context, given Options, to Output) (err error) {
	if err := given.Check(); err != nil {
		return err
	}
	o := given.resolve(to.Log)
	var ahead clock
	o.local.Now = ahead.now
	s, err := open(ctx, o)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	if o.clients > 0 {
		loads, crowds, err := runCrowd(ctx, s, o, to.Progress)
		if err != nil {
			return err
		}
		if given.Format == "json" {
			return printCrowdJSON(to.Out, o, loads, crowds)
		}
		return printCrowd(to.Out, o, loads, crowds)
	}
	r := &bench{server: s, clock: &ahead, options: o}
	results, err := r.measure(ctx, &progress{out: to.Progress})
	if err != nil {
		return err
	}
	switch given.Format {
	case "benchstat":
		return printBenchstat(to.Out, results)
	case "json":
		return printJSON(to.Out, o, results)
	}
	return printTables(to.Out, o, results)
}

// result holds the measurements of one operation.
type result struct {
	operation
	kind   string // the unit of sizes: "users", "members" or "rules"
	sizes  []int
	series []series // by size
}

// clock is the time of day, put forward by ahead.
type clock struct{ ahead atomic.Int64 }

func (c *clock) now() time.Time { return time.Now().Add(time.Duration(c.ahead.Load())) }

// memory is longer than the table keeps traces of large changes that are done; a request that sees them looks twice.
const memory = time.Minute

// bench is a run on one server.
type bench struct {
	server  opened
	clock   *clock
	options options
}

// measure fills the tenants, starts the latency of the engine, and runs all operations.
func (b *bench) measure(ctx context.Context, p *progress) (results []result, err error) {
	ofUsers, ofMembers, ofRules := userOperations(), memberOperations(), ruleOperations()
	s, o := b.server, b.options
	p.total = work(o, ofUsers, ofMembers, ofRules)
	defer p.end()
	users, err := fill(ctx, s, o, sizedByUsers, p)
	if err != nil {
		return nil, err
	}
	members, err := fill(ctx, s, o, sizedByMembers, p)
	if err != nil {
		return nil, err
	}
	b.clock.ahead.Add(int64(memory))
	if err := s.Settle(ctx); err != nil {
		return nil, err
	}
	var rules []*world
	for _, n := range ruleSizes {
		rules = append(rules, &world{size: n})
	}
	s.begin()
	for _, part := range []struct {
		kind       string
		operations []operation
		worlds     []*world
	}{{"users", ofUsers, users}, {"members", ofMembers, members}, {"rules", ofRules, rules}} {
		for _, op := range part.operations {
			p.phase("%s", op.name)
			r := result{operation: op, kind: part.kind}
			if r.series, err = op.measure(ctx, part.worlds, o.samples, p); err != nil {
				return nil, fmt.Errorf("%s: %w", op.name, err)
			}
			for _, w := range part.worlds {
				r.sizes = append(r.sizes, w.size)
			}
			results = append(results, r)
		}
	}
	return results, nil
}

// kind is a kind of tenants: how they are filled, and their sizes.
type kind struct {
	name  string
	sizes func(options) []int
	fill  func(*world, context.Context, *local.Server, *progress) error
}

var (
	sizedByUsers   = kind{"users", func(o options) []int { return o.users }, (*world).fillUsers}
	sizedByMembers = kind{"members", func(o options) []int { return o.members }, (*world).fillMembers}
)

// fill creates a tenant of each size.
func fill(ctx context.Context, s opened, o options, of kind, p *progress) (worlds []*world, err error) {
	for _, n := range of.sizes(o) {
		p.phase("making %d %s", n, of.name)
		w, err := newWorld(ctx, s.Server, o, n, fmt.Sprintf("%d %s", n, of.name))
		if err == nil {
			w.spent = s.spent
			err = of.fill(w, ctx, s.Server, p)
		}
		if err != nil {
			return nil, err
		}
		worlds = append(worlds, w)
	}
	return worlds, nil
}

// work is the number of steps of a run.
func work(o options, ofUsers, ofMembers, ofRules []operation) (steps int) {
	for _, n := range o.users {
		steps += n + n/usersAGroup
	}
	for _, n := range o.members {
		steps += n + knownMembers + 1
	}
	for _, op := range ofUsers {
		steps += op.samples(o.samples) * len(o.users)
	}
	for _, op := range ofMembers {
		steps += op.samples(o.samples) * len(o.members)
	}
	for _, op := range ofRules {
		steps += op.samples(o.samples) * len(ruleSizes)
	}
	return steps
}

func (op operation) samples(n int) int {
	if op.most > 0 {
		return min(n, op.most)
	}
	return n
}

// sample carries the operation out once.
func (op operation) sample(ctx context.Context, w *world, i int) (sample, error) {
	if op.whole != nil {
		return op.whole(ctx, w)
	}
	return w.send(ctx, op.request(w, i), i < counted)
}

// measure runs the operation in all worlds in turn.
func (op operation) measure(ctx context.Context, worlds []*world, n int, p *progress) ([]series, error) {
	all := make([]series, len(worlds))
	for i := range op.samples(n) {
		for k, w := range worlds {
			if op.prepare != nil {
				if err := op.prepare(ctx, w, i); err != nil {
					return nil, err
				}
			}
			s, err := op.sample(ctx, w, i)
			if err == nil && op.after != nil {
				err = op.after(w, s.body)
			}
			if err != nil {
				return nil, err
			}
			all[k].add(s)
			p.step(1)
		}
	}
	return all, nil
}
