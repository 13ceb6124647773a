package cli

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"strings"
	"time"
)

// Exit codes of Run.
const (
	OK     = 0
	Failed = 1 // the API refused, or could not be reached
	Usage  = 2 // the command line is wrong
)

// DefaultURL is where a local server listens.
const DefaultURL = "http://127.0.0.1:8080"

const usage = `Usage: token COMMAND [flags] ARGUMENTS

Tokens of a tenant:
  list TENANT                            list tokens
  issue TENANT                           make another token; -scopes, -expires
  reveal TENANT TOKEN                    show the value of a token again; this is audited
  extend TENANT TOKEN TIME|never         give a token another end
  revoke TENANT TOKEN                    end a token now
  rotate TENANT start|complete|cancel    make the successor now; end the old token now; take the successor back
Who is told:
  notices TENANT                         list what people were told
  recipients TENANT [EMAIL[:LANGUAGE]]   show who is told, or set it to these; "none" for nobody
  test-notice TENANT                     send a notice to try
Tenants and OAuth clients:
  tenants                                list tenants
  tenants create NAME                    make a tenant and its first token; -id, -idp
  clients TENANT                         list OAuth clients
  clients TENANT create [NAME]           make one, its secret is shown once; -scopes, -expires
  clients TENANT renew CLIENT            another secret beside the one that it has; -expires
  clients TENANT delete CLIENT           end a client and its access tokens now
TENANT - means the OAuth clients that the operator keeps for many tenants.

TIME is a day (2027-05-31) or a time of RFC 3339 (2027-05-31T12:00:00Z).

Requests to this machine need no key, unless the server was started with one. Others are signed with Signature Version 4, with the
credentials that the AWS SDK finds (environment, profile, single sign-on, role), or carry the admin key.
The exit code is 0, or 1 where the request failed, or 2 where the command line is wrong.

Flags:
`

// usageError is a command line that can't be understood.
type usageError string

func (e usageError) Error() string { return string(e) }

// run is one run of the command.
type run struct {
	ctx context.Context
	api *client
	out io.Writer

	json        bool
	scopes, end string
	id, idp     string
}

// Run runs a command with its arguments, without the word token, and returns the exit code. What was asked for goes to stdout, what went
// wrong to stderr.
func Run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	r := &run{ctx: ctx, api: &client{now: time.Now}, out: stdout}
	fs := flag.NewFlagSet("token", flag.ContinueOnError)
	fs.SetOutput(stderr)
	fs.Usage = func() {
		fmt.Fprint(fs.Output(), usage)
		fs.PrintDefaults()
	}
	fs.StringVar(&r.api.url, "url", environment("SCIM_ADMIN_URL", DefaultURL), "`URL` of the server, with or without /admin/v1; SCIM_ADMIN_URL")
	fs.StringVar(&r.api.key, "admin-key", "", "`key` that a local server asks for; SCIM_ADMIN_KEY keeps it out of the process list")
	fs.StringVar(&r.api.region, "region", "", "AWS `region` to sign for; else taken from the URL or the AWS configuration. Signs whatever the URL is")
	fs.BoolVar(&r.json, "json", false, "print the answer of the API as it is")
	fs.StringVar(&r.scopes, "scopes", "", "`scopes` of a new token or client, read,write; both where not given")
	fs.StringVar(&r.end, "expires", "", "`time` at which a new token or secret ends, or never; the tenant's setting where not given")
	fs.StringVar(&r.id, "id", "", "`id` of a new tenant; made up where not given")
	fs.StringVar(&r.idp, "idp", "", "`profile` of a new tenant, such as entra or okta")
	words, err := parse(fs, args)
	if r.api.key == "" {
		r.api.key = os.Getenv("SCIM_ADMIN_KEY") // no default of the flag, which the help would show
	}
	if errors.Is(err, flag.ErrHelp) || err == nil && (len(words) == 0 || words[0] == "help") {
		fs.SetOutput(stdout)
		if len(words) == 0 && err == nil {
			fs.SetOutput(stderr)
			fs.Usage()
			return Usage
		}
		fs.Usage()
		return OK
	}
	if err == nil {
		err = r.dispatch(words[0], words[1:])
	}
	if err == nil {
		return OK
	}
	fmt.Fprintln(stderr, "token:", err)
	if wrong := usageError(""); errors.As(err, &wrong) {
		fmt.Fprintln(stderr, "Run with -help for all commands.")
		return Usage
	}
	return Failed
}

// parse reads flags before, between and after the words, which it returns.
func parse(fs *flag.FlagSet, args []string) ([]string, error) {
	quiet := fs.Output()
	usage := fs.Usage
	fs.SetOutput(io.Discard)
	fs.Usage = func() {}
	defer func() {
		fs.SetOutput(quiet)
		fs.Usage = usage
	}()
	var words []string
	for {
		if err := fs.Parse(args); err != nil {
			if errors.Is(err, flag.ErrHelp) {
				return nil, err
			}
			return nil, usageError(err.Error())
		}
		if fs.NArg() == 0 {
			return words, nil
		}
		words, args = append(words, fs.Arg(0)), fs.Args()[1:]
	}
}

func environment(name, otherwise string) string {
	if v := os.Getenv(name); v != "" {
		return v
	}
	return otherwise
}

// commands are all commands: how many words each takes, and what it does.
var commands = map[string]struct {
	least, most int
	words       string
	do          func(*run, []string) error
}{
	"list":        {1, 1, "TENANT", (*run).list},
	"issue":       {1, 1, "TENANT", (*run).issue},
	"reveal":      {2, 2, "TENANT TOKEN", (*run).reveal},
	"extend":      {3, 3, "TENANT TOKEN TIME", (*run).extend},
	"revoke":      {2, 2, "TENANT TOKEN", (*run).revoke},
	"rotate":      {2, 2, "TENANT start|complete|cancel", (*run).rotate},
	"notices":     {1, 1, "TENANT", (*run).notices},
	"recipients":  {1, 11, "TENANT [EMAIL[:LANGUAGE]]", (*run).recipients},
	"test-notice": {1, 1, "TENANT", (*run).testNotice},
	"tenants":     {0, 2, "[create NAME]", (*run).tenants},
	"clients":     {1, 3, "TENANT [create NAME | renew CLIENT | delete CLIENT]", (*run).clients},
}

func (r *run) dispatch(name string, words []string) error {
	c, ok := commands[name]
	if !ok {
		return usageError("there is no command " + name)
	}
	if len(words) < c.least || len(words) > c.most {
		return usageError(name + " takes " + c.words)
	}
	for _, word := range words {
		if word == "" {
			return usageError(name + " takes no empty words")
		}
	}
	return c.do(r, words)
}

// call sends a request and prints the answer: as it is with -json, else by show. body nil is none.
func (r *run) call(method, path string, body any, show func(answer object)) error {
	raw, err := r.api.do(r.ctx, method, path, body)
	if err != nil {
		return err
	}
	if r.json {
		if len(raw) > 0 {
			fmt.Fprintf(r.out, "%s\n", raw)
		}
		return nil
	}
	answer, err := r.read(raw)
	if err == nil {
		show(answer)
	}
	return err
}

// read reads an answer, which may be empty.
func (r *run) read(raw []byte) (answer object, err error) {
	if len(raw) > 0 && json.Unmarshal(raw, &answer) != nil {
		return nil, fmt.Errorf("the answer is no JSON: is %s the address of the server?", r.api.url)
	}
	return answer, nil
}

// expires reads -expires into a request body.
func (r *run) expires(body object) error {
	if r.end == "" {
		return nil
	}
	at, err := moment(r.end)
	body["expiresAt"] = at
	return err
}

// moment reads a time as people write it; nil is never.
func moment(s string) (any, error) {
	if s == "never" {
		return nil, nil
	}
	for _, layout := range []string{time.RFC3339, time.DateOnly} {
		if at, err := time.Parse(layout, s); err == nil {
			return at.UTC().Format(time.RFC3339), nil
		}
	}
	return nil, usageError(fmt.Sprintf("%q is no time: write 2027-05-31, 2027-05-31T12:00:00Z or never", s))
}

// scopesOf reads -scopes into a request body.
func (r *run) scopesOf(body object) {
	if r.scopes != "" {
		body["scopes"] = strings.FieldsFunc(r.scopes, func(c rune) bool { return c == ',' || c == ' ' })
	}
}
