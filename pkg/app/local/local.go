// Package local puts everything into one process: the SCIM endpoint and the admin API on an embedded engine, each
// request through the same API Gateway conversion and the same handlers as in AWS.
package local

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"time"

	"github.com/serverless-scim/serverless-scim/pkg/adminhttp/idempotency"
	"github.com/serverless-scim/serverless-scim/pkg/app"
	"github.com/serverless-scim/serverless-scim/pkg/app/follow"
	"github.com/serverless-scim/serverless-scim/pkg/directory"
	"github.com/serverless-scim/serverless-scim/pkg/domain/claim"
	"github.com/serverless-scim/serverless-scim/pkg/guard"
	"github.com/serverless-scim/serverless-scim/pkg/limit"
	"github.com/serverless-scim/serverless-scim/pkg/member"
	"github.com/serverless-scim/serverless-scim/pkg/member/marker"
	"github.com/serverless-scim/serverless-scim/pkg/notice/message"
	"github.com/serverless-scim/serverless-scim/pkg/policy"
	"github.com/serverless-scim/serverless-scim/pkg/portal/frame"
	"github.com/serverless-scim/serverless-scim/pkg/provlog"
	"github.com/serverless-scim/serverless-scim/pkg/setup"
	"github.com/serverless-scim/serverless-scim/pkg/store"
	"github.com/serverless-scim/serverless-scim/pkg/store/boltstore"
	"github.com/serverless-scim/serverless-scim/pkg/task"
	"github.com/serverless-scim/serverless-scim/pkg/tenant"
	"github.com/serverless-scim/serverless-scim/pkg/tenant/ending"
	"github.com/serverless-scim/serverless-scim/pkg/webhook"
)

// Limits bound the requests of each tenant.
type Limits = limit.Bounds

// Options of a local server. The zero value is not valid: set the fields whose comments call them required.
type Options struct {
	// Addr is the address that Run listens on, such as "127.0.0.1:8080"; port 0 takes a free one.
	Addr string
	// Data is the folder of the embedded engine's file; boltstore.Memory keeps nothing. Required with engine bolt.
	Data string
	// Engine is "bolt" or "dynamodb". Required.
	Engine string
	// DynamoDBEndpoint and Table locate the table, with engine dynamodb. An empty endpoint is the AWS
	// configuration's.
	DynamoDBEndpoint, Table string
	// YesAWS allows a table in AWS itself. Requests to it cost money, and a missing table is created.
	YesAWS bool
	// Existing makes it an error if the file or table is not there. Otherwise it is created.
	Existing bool
	// BaseURL begins all locations; empty takes scheme and host of each request.
	BaseURL string
	// AdminKey must be sent with every request to the admin API. Without it the API is open to this machine alone.
	AdminKey string
	// DNS is the address of the resolver that is asked about domains, "127.0.0.1:53"; empty is the system's.
	DNS string
	// DNSPatience is how long it may take to answer; 0 is 5 seconds.
	DNSPatience time.Duration
	// Demo creates a tenant `demo` in an empty table.
	Demo bool
	// CostHeaders adds the consumed capacity of each SCIM request to its answer.
	CostHeaders bool
	// Limits bound the requests of each tenant; the zero value bounds nothing.
	Limits Limits
	// MaxTokenDays bounds the life of a token; 0 is the default of package tenant. EndlessTokens allows tokens without
	// an end.
	MaxTokenDays int
	// OperatorLogDays is how long entries of the operator's log are kept; 0 is 90 days.
	OperatorLogDays int
	EndlessTokens   bool
	// WebhookLoopback allows webhooks on this machine, by http as well.
	WebhookLoopback bool
	// NoticeProduct is the name of the application in notices, NoticeContact the place that they name for getting a
	// token. Both may be empty.
	NoticeProduct, NoticeContact string
	// Brand is how the portal looks beside these two; SessionHours how long a session of it lasts, 0 for the longest.
	Brand        frame.Brand
	SessionHours int
	LogLevel     slog.Level
	// JSON makes lines of JSON of the log and of the output for people.
	JSON bool
	// Log takes the log, Out the output for people. Required.
	Log, Out io.Writer
	// Now is the clock that the server's own begins with; nil is time.Now.
	Now func() time.Time
	// MaxScan and MaxWait bound a query and a writer that competes with others, as directory.Options say; MaxWait
	// bounds the retries of the store as well. Tests raise them, so that they pass on a busy machine.
	MaxScan, MaxWait time.Duration

	clock *clock
}

// withClock gives the options a clock that can be moved, once.
func (o Options) withClock() Options {
	if o.clock != nil {
		return o
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	o.clock = &clock{real: o.Now}
	o.Now = o.clock.Now
	return o
}

// drain is app.Drain for a process that knows its own requests to be short.
const drain = time.Second

// Server is the whole endpoint in one process.
type Server struct {
	o          Options
	log        *slog.Logger
	engine     io.Closer
	tenants    *tenant.Service
	domains    *claim.Registry
	links      *setup.Service
	handler    http.Handler
	journal    *provlog.Journal
	once       *idempotency.Memory
	background *background
	deliveries *deliveries
	webhooks   *webhook.Service
	outbox     *outbox
	lines      *lineFile
	clock      *clock
}

// Open opens the engine and joins everything to it. Close it.
func Open(ctx context.Context, o Options) (*Server, error) {
	o = o.withClock()
	if o.Data != boltstore.Memory && o.Data != "" {
		if err := o.clock.keepIn(filepath.Join(o.Data, "clock.json")); err != nil {
			return nil, err
		}
	}
	engine, closer, err := OpenEngine(ctx, o)
	if err != nil {
		return nil, err
	}
	return New(o, engine, closer), nil
}

// New joins everything to an engine. Close closes closer.
func New(o Options, engine store.Engine, closer io.Closer) *Server {
	o = o.withClock()
	log := slog.New(o.logHandler())
	b := newBackground(log)
	sends := newDeliveries(b, o.Now)
	st := store.New(bell{engine, sends.wake}, store.Options{MaxWait: o.MaxWait, MaxWalking: o.maxWalking()})
	o.Out = &oneByOne{w: o.Out}
	s := &Server{
		o: o, log: log, engine: closer, background: b, deliveries: sends, outbox: newOutbox(o, log), clock: o.clock,
		lines: o.newLines(),
	}
	vault := tenant.NewTableSecrets(st)
	s.tenants = tenant.New(st, vault, tenant.Options{
		Now: o.Now, Log: log, Alone: o.Engine == "bolt", Packed: vault, Endless: o.EndlessTokens,
		MaxLifetime: time.Duration(o.MaxTokenDays) * 24 * time.Hour,
		Wake:        func(kind, id string) { s.background.wake(app.Wake{Kind: kind, Tenant: id}) },
		Everybody:   marker.Everybody(o.Now),
	})
	s.once = idempotency.New(st, o.Now)
	s.domains = claim.New(st, s.tenants, claim.Options{
		Now: o.Now, Log: log, Resolver: claim.At(o.DNS), Patience: o.DNSPatience,
	})
	s.journal = provlog.New(st, provlog.Options{
		Now: o.Now, Log: log, Lookup: s.tenants.Get, OperatorLog: time.Duration(o.OperatorLogDays) * 24 * time.Hour,
	})
	s.links = setup.New(st, s.tenants, setup.Options{
		Now: o.Now, Session: time.Duration(o.SessionHours) * time.Hour,
	})
	s.outbox.links = &message.Links{Invitation: s.links.Invitation, Renewal: s.links.Renewal}
	guarding := guard.New(st, s.tenants, o.Now, log)
	publish := func(id string) { s.background.wake(app.Wake{Kind: store.WakePublish, Tenant: id}) }
	dir := directory.New(st, directory.Options{
		Now: o.Now, Log: log,
		Background: func(id string) { s.background.wake(app.Wake{Kind: store.WakeWork, Tenant: id}) },
		Carry:      marker.Carry(o.Now), Carried: publish, Rules: policy.Rules(st, guarding, log),
		MaxScan: o.MaxScan, MaxWait: o.MaxWait,
	})
	members := member.New(st, member.Options{
		Now: o.Now, Log: log, Directory: dir, Wake: publish, Forget: s.journal.Erase,
	})
	s.background.cleaner = app.Cleaner{
		Tenants: s.tenants, Directory: dir, Members: members, Delivery: s.outbox.tell,
		Ending: ending.New(st, s.tenants, ending.Options{Now: o.Now, Empty: dir.Erase, Drain: drain}),
	}
	s.webhooks = webhook.New(st, webhook.Options{
		Now: o.Now, Log: log, Key: webhook.TableKey(st), Loopback: o.WebhookLoopback, Wake: s.wakeDelivery,
		Living:  tenant.Living,
		Machine: func() time.Time { _, machine := s.clock.both(); return machine },
	})
	sends.worker = follow.Worker(follow.Parts{
		Store: st, Tenants: s.tenants, Members: members, Webhooks: s.webhooks, Now: o.Now, Log: log,
		Always: s.always(), Ending: s.background.cleaner.Ending, Alone: o.Engine == "bolt",
	}, 0)
	s.handler = s.edges(dir, members, guarding, limit.New(st, o.Limits, o.Now))
	return s
}

// maxWalking is the number of pages of walks that a tenant has in work at a time. The embedded engine and the decoding
// of its pages take a CPU for as long as a page is in work: half of the CPUs are left to the others.
func (o Options) maxWalking() int {
	if o.Engine != "bolt" {
		return 0
	}
	return max(1, runtime.GOMAXPROCS(0)/2)
}

// wakeDelivery has the events of a tenant delivered, or of all if it is "".
func (s *Server) wakeDelivery(tenantID string) {
	if tenantID == "" {
		s.deliveries.due()
		return
	}
	s.deliveries.wake(tenantID)
}

// Handler returns the server's HTTP handler.
func (s *Server) Handler() http.Handler { return s.handler }

// Tenants returns the tenants, for tests and the demo.
func (s *Server) Tenants() *tenant.Service { return s.tenants }

// Delivery returns the function that sends a notice, for tests.
func (s *Server) Delivery() tenant.Delivery { return s.outbox.tell }

// Settle completes all open work, of this process and of earlier ones. Deliveries of events are only woken. If a
// goroutine of the background is erasing a deleted tenant, Settle waits for it; Close ends that work.
func (s *Server) Settle(ctx context.Context) error {
	return s.background.settle(ctx, s.tenants, s.deliveries)
}

// Close ends the background work, writes the counts of requests, and releases the engine.
func (s *Server) Close() error {
	s.deliveries.close()
	s.background.stop()
	s.journal.Close(context.Background())
	return errors.Join(s.engine.Close(), s.lines.close())
}

// OpenEngine opens the engine that the options name. Close closer.
func OpenEngine(ctx context.Context, o Options) (store.Engine, io.Closer, error) {
	switch o.Engine {
	case "bolt":
		path := o.Data
		if path != boltstore.Memory {
			path = filepath.Join(path, "scim.db")
			if _, err := os.Stat(path); o.Existing && err != nil {
				if errors.Is(err, fs.ErrNotExist) {
					err = fmt.Errorf("there is no file %s; -data names its folder", path)
				}
				return nil, nil, err
			}
		}
		e, err := boltstore.Open(path, boltstore.Options{Now: o.Now})
		return e, e, err
	case "dynamodb":
		return openDynamoDB(ctx, o)
	}
	return nil, nil, fmt.Errorf("-engine must be bolt or dynamodb, not %q", o.Engine)
}

// Run serves until ctx ends, then finishes the requests under way.
func Run(ctx context.Context, o Options) (err error) {
	if err := o.Check(); err != nil {
		return err
	}
	collectLess()
	s, err := Open(ctx, o)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	listener, err := net.Listen("tcp", o.Addr)
	if err != nil {
		return err
	}
	s.tellClock()
	s.outbox.reached("http://" + listener.Addr().String())
	if o.Demo {
		if err := s.demo(ctx, "http://"+listener.Addr().String()); err != nil {
			_ = listener.Close()
			return err
		}
	}
	server := s.server()
	s.background.deliver = s.deliveries.wake
	s.background.resume(ctx, s.tenants)
	s.rotateHourly()
	served := task.Start(func() error { return server.Serve(listener) })
	origin := "http://" + listener.Addr().String()
	s.o.tell(map[string]any{"listening": origin}, "listening on %s\n", origin)
	select {
	case err = <-served:
		return err
	case <-ctx.Done():
	}
	grace, cancel := context.WithTimeout(context.WithoutCancel(ctx), 15*time.Second)
	defer cancel()
	if err := server.Shutdown(grace); err != nil {
		_ = server.Close()
		return fmt.Errorf("requests were still in progress: %w", err)
	}
	return nil
}

// collectFrom is the memory in bytes from which garbage is collected at any cost.
const collectFrom = 512 << 20

// collectLess lets garbage grow to twice the live heap, which is small: the data is not on Go's heap. It costs some
// 15 MB and saves a sixth of the CPU. If the live heap is large, as when many large answers are made, garbage does
// not come on top. GOGC and GOMEMLIMIT in the environment take precedence.
func collectLess() {
	if _, set := os.LookupEnv("GOGC"); !set {
		debug.SetGCPercent(200)
	}
	if _, set := os.LookupEnv("GOMEMLIMIT"); !set {
		debug.SetMemoryLimit(collectFrom)
	}
}

// loopback reports whether an address to listen on can be reached from this machine alone.
func loopback(addr string) bool {
	host, _, err := net.SplitHostPort(addr)
	if err != nil {
		return false
	}
	if host == "localhost" {
		return true
	}
	ip, err := netip.ParseAddr(host)
	return err == nil && ip.IsLoopback()
}
