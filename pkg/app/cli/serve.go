package cli

import (
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/url"
	"os"
	"runtime"
	"runtime/debug"
	"strings"
	"time"

	"github.com/serverless-scim/serverless-scim/pkg/app/bench"
	"github.com/serverless-scim/serverless-scim/pkg/app/local"
	"github.com/serverless-scim/serverless-scim/pkg/portal/frame"
)

// tableFlags select the engine and, for -engine dynamodb, the table.
type tableFlags struct {
	Engine   string `enum:"bolt,dynamodb" default:"bolt" placeholder:"ENGINE" help:"bolt (one local file) or dynamodb."`
	Endpoint string `name:"dynamodb-endpoint" env:"AWS_ENDPOINT_URL_DYNAMODB,AWS_ENDPOINT_URL" help:"URL of DynamoDB."`
	YesAWS   bool   `name:"yes-aws" help:"With -engine dynamodb and no endpoint, use AWS. Requests cost money."`
}

// check refuses flags of a table that nobody opens, and an endpoint that is no URL.
func (f *tableFlags) check(s *session) error {
	if f.Engine == "dynamodb" {
		f.Endpoint = cmp.Or(f.Endpoint, os.Getenv("AWS_ENDPOINT_URL")) // the other variable may be there, but empty
		u, err := url.Parse(f.Endpoint)
		if f.Endpoint != "" && (err != nil || u.Hostname() == "" || u.Scheme != "http" && u.Scheme != "https") {
			return usageError(fmt.Sprintf(
				"-dynamodb-endpoint or AWS_ENDPOINT_URL: %q is not a URL such as http://127.0.0.1:8000", f.Endpoint))
		}
		return nil
	}
	return s.only("is for -engine dynamodb only", "dynamodb-endpoint", "table", "yes-aws")
}

type serveCmd struct {
	Addr          string       `default:"127.0.0.1:8080" placeholder:"HOST:PORT" help:"Port 0 takes a free port."`
	Data          string       `default:"./.serverless-scim" placeholder:"FOLDER" help:":memory: keeps nothing."`
	Table         string       `default:"serverless-scim" placeholder:"NAME" help:"DynamoDB table; created if missing."`
	BaseURL       string       `name:"base-url" placeholder:"URL" help:"Start of URLs; by default from the request."`
	AdminKey      string       `placeholder:"KEY" help:"Key of the admin API. Without it, this machine needs no key."`
	Demo          bool         `default:"true" negatable:"" help:"Create the tenant demo on the first start."`
	CostHeaders   bool         `help:"Add the header Scim-Cost, the cost of the request, to each response."`
	TenantLimits  local.Limits `placeholder:"N,N,N,N" help:"A tenant's requests a second and at once; most of both."`
	DNS           string       `placeholder:"HOST:PORT" help:"DNS resolver for the domains of tenants."`
	MaxTokenDays  int          `default:"730" placeholder:"DAYS" help:"The longest life of a token."`
	OperatorDays  int          `name:"operator-log-days" default:"90" placeholder:"DAYS" help:"How long it is kept."`
	EndlessTokens bool         `help:"Allow tokens that never expire."`
	WebhookLoop   bool         `name:"webhook-loopback" help:"Allow webhooks on this machine, also with http."`
	NoticeProduct string       `placeholder:"NAME" help:"The application's name in notices."`
	NoticeContact string       `placeholder:"TEXT" help:"In notices: whom people ask for a token and help."`
	PortalAccent  string       `placeholder:"COLOUR" help:"Of the portal, such as #0b5fff; dark enough for white text."`
	PortalLogo    string       `placeholder:"DATA-URL" help:"SVG or PNG image, as data:…;base64,…"`
	PortalReturn  string       `name:"portal-return-url" placeholder:"URL" help:"URL that the portal links back to."`
	PortalHours   int          `default:"8" placeholder:"HOURS" help:"Hours that a session in the portal lasts."`
	JSON          bool         `name:"json" help:"Print lines of JSON: the address, the tenant demo, notices, the log."`
	LogLevel      slog.Level   `default:"info" placeholder:"LEVEL" help:"debug, info, warn or error."`
	tableFlags
}

func (c *serveCmd) options() local.Options {
	return local.Options{
		Addr: c.Addr, Data: c.Data, Engine: c.Engine, DynamoDBEndpoint: c.Endpoint, Table: c.Table, YesAWS: c.YesAWS,
		BaseURL: strings.TrimRight(c.BaseURL, "/"), AdminKey: c.AdminKey, Demo: c.Demo, CostHeaders: c.CostHeaders,
		Limits: c.TenantLimits,
		DNS:    c.DNS, OperatorLogDays: c.OperatorDays,
		MaxTokenDays: c.MaxTokenDays, EndlessTokens: c.EndlessTokens, WebhookLoopback: c.WebhookLoop,
		NoticeProduct: c.NoticeProduct, NoticeContact: c.NoticeContact, LogLevel: c.LogLevel, JSON: c.JSON,
		Brand:        frame.Brand{Accent: c.PortalAccent, Logo: c.PortalLogo, ReturnURL: c.PortalReturn},
		SessionHours: c.PortalHours,
	}
}

// Run serves until the context ends.
func (c *serveCmd) Run(s *session) error {
	if err := c.check(s); err != nil {
		return err
	}
	if c.PortalHours == 0 {
		return usageError("-portal-hours must be 1 to 8")
	}
	o := c.options()
	if err := o.Check(); err != nil {
		return usageError(err.Error())
	}
	o.Out, o.Log = s.Out, s.Err
	return local.Run(s.ctx, o)
}

type benchCmd struct {
	Data    string        `default:":memory:" placeholder:"FOLDER" help:":memory: never waits for a disk."`
	Table   string        `default:"serverless-scim-bench" placeholder:"NAME" help:"DynamoDB table; it is not deleted."`
	IdP     string        `name:"idp" default:"okta" placeholder:"PROFILE" help:"Profile of the tenants."`
	Users   []int         `default:"1000,10000,100000" placeholder:"N,..." help:"Sizes of tenants, in users."`
	Members []int         `default:"10,10000,1000000" placeholder:"N,..." help:"Sizes of groups, in members."`
	N       int           `name:"n" default:"200" placeholder:"N" help:"Requests per operation and size."`
	Clients int           `default:"0" placeholder:"N" help:"Number of concurrent HTTP clients, each with -n requests."`
	Latency time.Duration `default:"0" placeholder:"TIME" help:"Delay of each call of bolt; 5ms is like DynamoDB."`
	Quick   bool          `help:"Small sizes and 20 requests each, for a first try."`
	Format  string        `enum:"table,benchstat,json" default:"table" help:"table, benchstat or json."`
	JSON    bool          `name:"json" help:"The same as -format json."`
	tableFlags
}

// Run measures.
func (c *benchCmd) Run(s *session) error {
	if err := c.check(s); err != nil {
		return err
	}
	o := bench.Options{
		Engine: c.Engine, Data: c.Data, DynamoDBEndpoint: c.Endpoint, Table: c.Table, YesAWS: c.YesAWS, IdP: c.IdP,
		Users: c.Users, Members: c.Members, Samples: c.N, Clients: c.Clients, Latency: c.Latency, Format: c.Format,
	}
	if c.Quick {
		if err := s.only("is set by -quick", "users", "members", "n"); err != nil {
			return err
		}
		o.Users, o.Members, o.Samples = []int{100, 1000}, []int{10, 1000}, 20
	}
	if c.JSON {
		if err := s.only("is set by -json", "format"); err != nil {
			return err
		}
		o.Format = "json"
	}
	if err := o.Check(); err != nil {
		return usageError(err.Error())
	}
	to := bench.Output{Out: s.Out, Log: s.Err, Progress: io.Discard}
	if s.Draws {
		to.Progress = s.Err
	}
	return bench.Run(s.ctx, o, to)
}

type versionCmd struct {
	JSON bool `name:"json" help:"Print a JSON document."`
}

// Version is the version of this code. CHANGELOG.md, the template and the OpenAPI document have the same (a test).
const Version = "0.1.0"

// Run prints the version, and the commit if the Go tool put it into the program.
func (c *versionCmd) Run(s *session) error {
	v := map[string]string{"version": Version, "go": runtime.Version(), "system": runtime.GOOS + "/" + runtime.GOARCH}
	if info, ok := debug.ReadBuildInfo(); ok {
		names := map[string]string{"vcs.revision": "commit", "vcs.time": "time"}
		for _, setting := range info.Settings {
			if name := names[setting.Key]; name != "" {
				v[name] = setting.Value
			}
		}
	}
	if c.JSON {
		return json.NewEncoder(s.Out).Encode(v)
	}
	line := "serverless-scim " + v["version"]
	if v["commit"] != "" {
		line += fmt.Sprintf(" (%s, %s)", v["commit"], v["time"])
	}
	_, err := fmt.Fprintln(s.Out, line, v["go"], v["system"])
	return err
}
