package e2e_test

import (
	"bytes"
	"context"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodbstreams"

	"github.com/serverless-scim/serverless-scim/pkg/app"
	"github.com/serverless-scim/serverless-scim/pkg/internal/awsfake/dynamolocal"
	"github.com/serverless-scim/serverless-scim/pkg/internal/awsfake/fakelambda"
	"github.com/serverless-scim/serverless-scim/pkg/internal/awsfake/fakesecrets"
	"github.com/serverless-scim/serverless-scim/pkg/internal/slow"
	"github.com/serverless-scim/serverless-scim/pkg/store"
	"github.com/serverless-scim/serverless-scim/pkg/store/dynamostore"
)

// secretPrefix is the prefix that the template would make of a stack's name.
const secretPrefix = "serverless-scim/e2e/"

// world is a deployment on this machine.
type world struct {
	Operator
	functions map[string]*fakelambda.Function
	poller    *fakelambda.Poller
	store     *store.Store
	secrets   *fakesecrets.Server
	bus       *bus
	queue     *sqs
	log       *logs
}

// logs is the output of the functions.
type logs struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (l *logs) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.Write(p)
}

func (l *logs) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.String()
}

func deploy(t *testing.T) *world {
	t.Helper()
	dynamo := dynamolocal.Client(t)
	programs := t.TempDir()
	var names []string
	for _, f := range app.Functions() {
		names = append(names, f.Name)
	}
	begin := time.Now()
	build := fakelambda.BuildPlain
	if slow.Asked() {
		build = fakelambda.Build
	}
	if err := build(t.Context(), filepath.Join("..", "..", ".."), programs, names...); err != nil {
		t.Fatal(err)
	}
	t.Logf("built in %v", time.Since(begin).Round(time.Millisecond))
	table := dynamolocal.StreamedTable(t, dynamo)
	w := &world{
		functions: map[string]*fakelambda.Function{}, log: &logs{},
		secrets: fakesecrets.Start(t), bus: startBus(t),
		queue: startQueue(t), store: store.New(dynamostore.New(dynamo, table), store.Options{}),
	}
	for _, f := range app.Functions() {
		w.functions[f.Name] = &fakelambda.Function{
			Name: f.Name, Program: filepath.Join(programs, f.Name), Env: w.environment(t, f, table),
			// As in the template: it is less than a gateway waits, so that the function says itself that it took too
			// long, and clients come again.
			Timeout: 29 * time.Second, Concurrency: 4, Log: w.log,
		}
	}
	w.queue.function = w.functions["deliver"]
	w.functions["stream"].Timeout, w.functions["rotate"].Timeout = 15*time.Minute, 15*time.Minute
	w.functions["deliver"].Timeout = 150 * time.Second
	t.Cleanup(func() {
		for _, f := range w.functions {
			f.Close()
		}
		if t.Failed() {
			t.Logf("the end of the log:\n%s", tail(w.log.String(), 8000))
		}
	})
	w.follow(t, dynamo, table)
	routes := map[string]*fakelambda.Function{}
	for _, f := range app.Functions() {
		for _, key := range f.Routes {
			routes[key] = w.functions[f.Name]
		}
	}
	api, err := fakelambda.NewAPI(routes)
	if err != nil {
		t.Fatal(err)
	}
	web := httptest.NewServer(api.Handler())
	t.Cleanup(web.Close)
	w.URL = web.URL
	return w
}

// variables are those that the template sets, some for each function.
func variables(table string) map[string]string {
	return map[string]string{
		app.EnvTable: table, app.EnvSecretPrefix: secretPrefix, app.EnvLogLevel: "INFO", app.EnvBaseURL: "",
		app.EnvMaxTokenDays: "730", app.EnvEndlessTokens: "false", app.EnvPackedSecrets: "4",
		app.EnvEventBus: "default", app.EnvNoticeFrom: "", app.EnvNoticeTopic: "", app.EnvNoticeConfigurationSet: "",
		app.EnvNoticeProduct: "", app.EnvNoticeContact: "", app.EnvStack: "scim", app.EnvMetrics: "basic",
		app.EnvLimits: "", app.EnvAdminHost: "", app.EnvSecretKey: "", app.EnvSecretTags: "team=identity",
		app.EnvPortalAccent: "", app.EnvPortalLogo: "", app.EnvPortalReturnURL: "", app.EnvPortalHours: "8",
		app.EnvOperatorLogDays: "90",
		app.EnvQueue:           "https://sqs.example.com/deliveries", app.EnvWebhookKey: "arn:of:the:key",
	}
}

// environment is a function's environment in the template, no variable more, with the variables that Lambda and the
// SDK read.
func (w *world) environment(t *testing.T, f app.Function, table string) []string {
	t.Helper()
	all := variables(table)
	env := []string{
		"AWS_REGION=" + dynamolocal.Region, "AWS_ACCESS_KEY_ID=" + dynamolocal.AccessKeyID,
		"AWS_SECRET_ACCESS_KEY=" + dynamolocal.SecretAccessKey, "AWS_SESSION_TOKEN=session",
		"AWS_ENDPOINT_URL_DYNAMODB=" + dynamolocal.Start(t),
	}
	if len(f.Secrets) > 0 {
		env = append(env, "AWS_ENDPOINT_URL_SECRETS_MANAGER="+w.secrets.URL)
	}
	if f.Puts {
		env = append(env, "AWS_ENDPOINT_URL_EVENTBRIDGE="+w.bus.url)
	}
	if f.Wakes {
		env = append(env, "AWS_ENDPOINT_URL_SQS="+w.queue.url)
	}
	for _, name := range f.Env {
		value, known := all[name]
		if !known {
			t.Fatalf("function %s reads %s, which nobody sets", f.Name, name)
		}
		env = append(env, name+"="+value)
	}
	return env
}

// follow joins the stream function and rotate to the table's stream.
func (w *world) follow(t *testing.T, dynamo *dynamodb.Client, table string) {
	t.Helper()
	described, err := dynamo.DescribeTable(t.Context(), &dynamodb.DescribeTableInput{TableName: &table})
	if err != nil {
		t.Fatal(err)
	}
	w.poller = w.reader(t, *described.Table.LatestStreamArn, "stream", streamWakes...)
	w.reader(t, *described.Table.LatestStreamArn, "rotate", rotateWakes...)
}

// The values of wake that the functions are called for.
var (
	streamWakes = []string{store.WakeWork, store.WakePublish, store.WakeDeleted, store.WakeDeliver}
	rotateWakes = []string{store.WakeTell, store.WakeRotate}
)

// reader has a function called with the records of the stream, until the test ends.
func (w *world) reader(t *testing.T, stream, name string, wakes ...string) *fakelambda.Poller {
	t.Helper()
	credentials := aws.Credentials{AccessKeyID: dynamolocal.AccessKeyID, SecretAccessKey: dynamolocal.SecretAccessKey}
	provide := func(context.Context) (aws.Credentials, error) { return credentials, nil }
	poller := &fakelambda.Poller{
		Client: dynamodbstreams.New(dynamodbstreams.Options{
			Region: dynamolocal.Region, BaseEndpoint: aws.String(dynamolocal.Start(t)),
			Credentials: aws.CredentialsProviderFunc(provide),
		}),
		Stream: stream, Function: w.functions[name], Wakes: wakes, Batch: 10, Attempts: 5, Pause: 50 * time.Millisecond,
	}
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- poller.Run(ctx) }()
	t.Cleanup(func() {
		stop()
		w.functions[name].Close()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	return poller
}

// keys lists the sort keys of a partition.
func (w *world) keys(t *testing.T, pk string) []string {
	t.Helper()
	var all []string
	for it, err := range w.store.All(t.Context(), store.Query{PK: pk, Select: store.KeysOnly}) {
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, it.SK)
	}
	return all
}

// eventually waits until ok; it fails if that takes longer than any machine needs.
func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	const most = 5 * time.Minute
	ctx, cancel := context.WithTimeout(t.Context(), most)
	defer cancel()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for !ok() {
		select {
		case <-tick.C:
		case <-ctx.Done():
			t.Fatalf("not within %v: %s", most, what)
		}
	}
}

func tail(s string, n int) string {
	if len(s) > n {
		s = s[len(s)-n:]
		_, s, _ = strings.Cut(s, "\n")
	}
	return s
}
