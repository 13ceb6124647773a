package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"regexp"
	"slices"
	"strings"

	"github.com/alecthomas/kong"

	"github.com/serverless-scim/serverless-scim/pkg/app/local"

	"github.com/serverless-scim/serverless-scim/pkg/app/cli/arguments"
	"github.com/serverless-scim/serverless-scim/pkg/app/cli/call"
)

// Exit codes of Run.
const (
	OK        = 0
	Failed    = 1 // the API refused, could not be reached, or the server failed
	Usage     = 2 // the command line is wrong
	CannotRun = 2 // a check could not run to its end
)

const description = `A SCIM 2.0 service provider for many tenants, and a command line for its admin API.

Flags may stand anywhere, with one dash or two. TIME is a day (2027-05-31, to its end in UTC), a time of RFC 3339
(2027-05-31T12:00:00Z) or never. TENANT - is the operator, who has OAuth clients, webhooks and a log.

Requests to this machine need no key, unless the server was started with one. Others are signed with Signature
Version 4, with the credentials that the AWS SDK finds (environment, profile, single sign-on, role), or carry the
admin key.

The exit code is 0, or 1 if the command failed, or 2 if the command line is wrong. (go run makes 1 of both.)`

// grammar is the command line. The order is that of the help.
type grammar struct {
	Serve      serveCmd      `cmd:"" default:"withargs" help:"Serve all APIs and the portal here; the default."`
	Tenants    tenantsCmd    `cmd:"" help:"Create, show, change and delete tenants."`
	Token      tokenCmd      `cmd:"" help:"Bearer tokens of a tenant."`
	Rotation   rotationCmd   `cmd:"" help:"Replace a tenant's token before it expires."`
	Clients    clientsCmd    `cmd:"" help:"OAuth clients of a tenant, or of the operator (TENANT -)."`
	Schemas    schemasCmd    `cmd:"" help:"Custom schemas of a tenant."`
	Types      typesCmd      `cmd:"" name:"resource-types" help:"Custom resource types of a tenant."`
	Notices    noticesCmd    `cmd:"" help:"Messages to the administrators of a tenant."`
	Members    membersCmd    `cmd:"" help:"The people of a tenant, as the application sees them."`
	Accounts   accountsCmd   `cmd:"" help:"The application's own records of people."`
	Guard      guardCmd      `cmd:"" help:"The guard against many deactivations or deletions at once."`
	Links      linksCmd      `cmd:"" help:"Set-up links that let a tenant's administrators into the portal."`
	Domains    domainsCmd    `cmd:"" help:"E-mail domains of a tenant, and the DNS records that verify them."`
	Policy     policyCmd     `cmd:"" help:"The policy of a tenant: the targets that groups and attributes give."`
	Targets    targetsCmd    `cmd:"" help:"Targets: the roles, teams and licences that people can be given."`
	Events     eventsCmd     `cmd:"" help:"Events of a tenant, as the application gets them."`
	Webhooks   webhooksCmd   `cmd:"" help:"URLs that get the events of a tenant, or of all tenants (TENANT -)."`
	Log        logCmd        `cmd:"" help:"The provisioning log: requests of the identity provider, and their results."`
	Diagnosis  diagnosisCmd  `cmd:"" help:"Show the faults at an identity provider, and the steps that correct them."`
	Stale      staleCmd      `cmd:"" name:"stale-attributes" help:"List the attributes that may be out of date."`
	Activity   activityCmd   `cmd:"" help:"Count the requests of a tenant by day and hour."`
	Doctor     doctorCmd     `cmd:"" help:"Check the data in a table or local file. Exit code 1: it has faults."`
	Cost       costCmd       `cmd:"" help:"Show the cost of a stack per month, part by part."`
	Clock      clockCmd      `cmd:"" help:"The clock of a local server."`
	Bench      benchCmd      `cmd:"" help:"Measure the cost of operations."`
	Version    versionCmd    `cmd:"" help:"Print the version."`
	Completion completionCmd `cmd:"" help:"Print a script that completes commands and flags."`
}

// Streams are the standard streams of a run.
type Streams struct {
	In       io.Reader
	Out, Err io.Writer
	// Asks says that a person at a terminal can be asked, Draws that Err is a terminal.
	Asks, Draws bool
}

// Standard returns the process's own streams.
func Standard() Streams {
	return Streams{
		In: os.Stdin, Out: os.Stdout, Err: os.Stderr,
		Asks: terminal(os.Stdin) && terminal(os.Stderr), Draws: terminal(os.Stderr),
	}
}

func terminal(f *os.File) bool {
	info, err := f.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}

// session is one run of the command line, as commands get it.
type session struct {
	ctx context.Context
	Streams
	model *kong.Application
	// given are the names of the flags on the command line.
	given map[string]bool
}

// only refuses flags that would be ignored, with the reason.
func (s *session) only(why string, names ...string) error {
	for _, name := range names {
		if s.given[name] {
			return usageError("-" + name + " " + why)
		}
	}
	return nil
}

// usageError says that the command line is wrong.
type usageError = call.UsageError

// finished is how kong ends the program, after it printed help.
type finished int

// Run runs a command line without the program's name, and returns the exit code. The result goes to to.Out, errors to
// to.Err.
func Run(ctx context.Context, args []string, to Streams) (code int) {
	defer func() {
		if r := recover(); r != nil {
			end, ok := r.(finished)
			if !ok {
				panic(r)
			}
			code = int(end)
		}
	}()
	err := run(&session{ctx: ctx, Streams: to}, args)
	if err == nil {
		return OK
	}
	var wrong usageError
	var unparsed *kong.ParseError
	code = Failed
	if errors.As(err, &wrong) || errors.As(err, &unparsed) || errors.Is(err, local.ErrNotMeant) {
		code = Usage
	}
	own := codeError{}
	help := code == Usage
	if errors.As(err, &own) {
		code = own.code
	}
	if slices.ContainsFunc(args, isJSON) {
		showError(to.Err, err, code)
		return code
	}
	fmt.Fprintln(to.Err, "serverless-scim:", oneDash(err.Error()))
	if help {
		fmt.Fprintln(to.Err, "Run with -help for all commands, or with -help after a command for its flags.")
	}
	return code
}

// isJSON reports whether an argument asks for JSON. It works for a wrong command line too.
func isJSON(arg string) bool {
	return arg == "-json" || arg == "--json" || arg == "-json=true" || arg == "--json=true"
}

// showError writes an error as one JSON document: the exit code, and the status if the API refused.
func showError(out io.Writer, err error, code int) {
	o := object{"error": oneDash(err.Error()), "exitCode": code}
	if refused := (*call.RefusalError)(nil); errors.As(err, &refused) {
		o["status"] = refused.Status
	}
	_ = json.NewEncoder(out).Encode(o) // an error can't be reported
}

// twoDashes is a flag as kong writes it.
var twoDashes = regexp.MustCompile(`(^|[\s"(,\[])--([a-z\[])`)

// oneDash writes flags as the rest of the program does.
func oneDash(text string) string { return twoDashes.ReplaceAllString(text, "$1-$2") }

// column is a flag in the list of kong's help, up to the column of the texts. That column must keep its position.
var column = regexp.MustCompile(`(?m)^( +(?:-\w, )?)--(\S+)  `)

// help prints the help of kong, with flags of one dash.
func help(o kong.HelpOptions, ctx *kong.Context) error {
	out := ctx.Stdout
	defer func() { ctx.Stdout = out }()
	var b strings.Builder
	ctx.Stdout = &b
	err := kong.DefaultHelpPrinter(o, ctx)
	text := column.ReplaceAllString(b.String(), "$1-$2   ")
	_, _ = io.WriteString(out, oneDash(text)) // an error can't be reported
	return err
}

func run(s *session, args []string) error {
	var g grammar
	parser, err := kong.New(&g,
		kong.Name("local"), kong.Description(description), kong.Writers(s.Out, s.Err),
		kong.Exit(func(code int) { panic(finished(code)) }),
		kong.Help(help), kong.ConfigureHelp(kong.HelpOptions{Compact: true, WrapUpperBound: 100}),
		kong.ExplicitGroups([]kong.Group{{Key: "admin", Title: "Flags of the admin API:"}}),
	)
	if err != nil {
		return err
	}
	s.model = parser.Model
	if args, s.given, err = arguments.Arrange(args, parser.Model); err != nil {
		return err
	}
	parsed, err := parser.Parse(args)
	if err != nil {
		return err
	}
	return parsed.Run(s)
}
