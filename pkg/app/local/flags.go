package local

import (
	"errors"
	"flag"
	"io"
	"net/url"
	"strings"
)

// Flags reads the command line of functions/local into Options.
func Flags(args []string, stdout, stderr io.Writer) (Options, error) {
	o := Options{Out: stdout, Log: stderr}
	fs := flag.NewFlagSet("local", flag.ContinueOnError)
	fs.SetOutput(stderr)
	fs.StringVar(&o.Addr, "addr", "127.0.0.1:8080", "`address` to listen on; port 0 takes a free one")
	fs.StringVar(&o.Data, "data", "./.serverless-scim", "`folder` of the data file, or :memory: to keep nothing")
	fs.StringVar(&o.Engine, "engine", "bolt", "bolt, or dynamodb")
	fs.StringVar(&o.DynamoDBEndpoint, "dynamodb-endpoint", "", "`URL` of DynamoDB Local; empty is AWS")
	fs.StringVar(&o.Table, "table", "serverless-scim", "`name` of the DynamoDB table; a missing one is created")
	fs.StringVar(&o.BaseURL, "base-url", "", "`URL` that locations begin with; empty takes the request's host")
	fs.StringVar(&o.AdminKey, "admin-key", "", "`key` that the admin API asks for; without one it is open to this machine alone")
	fs.BoolVar(&o.Demo, "demo", true, "make a tenant `demo` on first start")
	fs.BoolVar(&o.CostHeaders, "cost-headers", false, "add what each request consumed to its answer, as Scim-Cost")
	fs.IntVar(&o.MaxTokenDays, "max-token-days", 730, "`days` that a token may live at most")
	fs.BoolVar(&o.EndlessTokens, "endless-tokens", false, "allow tokens that never expire")
	fs.StringVar(&o.NoticeProduct, "notice-product", "", "`name` by which notices call the application")
	fs.StringVar(&o.NoticeContact, "notice-contact", "", "mail `address`, URL or words: where notices say that a token is to be had")
	level := fs.String("log-level", "info", "debug, info, warn or error")
	if err := fs.Parse(args); err != nil {
		return o, err
	}
	if fs.NArg() > 0 {
		return o, errors.New("unexpected argument " + fs.Arg(0))
	}
	if err := o.LogLevel.UnmarshalText([]byte(*level)); err != nil {
		return o, errors.New("-log-level must be debug, info, warn or error")
	}
	if o.MaxTokenDays < 2 {
		return o, errors.New("-max-token-days must be 2 at least")
	}
	if o.BaseURL != "" {
		u, err := url.Parse(o.BaseURL)
		if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || u.RawQuery != "" || u.Fragment != "" {
			return o, errors.New("-base-url must be a URL such as https://scim.example.com")
		}
		o.BaseURL = strings.TrimRight(o.BaseURL, "/")
	}
	return o, nil
}
