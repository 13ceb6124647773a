package app

import (
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"runtime/debug"
	"strconv"
	"strings"

	"github.com/aws/aws-lambda-go/lambda"

	"github.com/serverless-scim/serverless-scim/pkg/apigw"
	"github.com/serverless-scim/serverless-scim/pkg/limit"
	"github.com/serverless-scim/serverless-scim/pkg/metric"
)

// Env is a function's environment.
type Env struct {
	Table, BaseURL, SecretPrefix string
	// AdminHost is the host name of the admin API; empty: any.
	AdminHost string
	// SecretKey is the KMS key of the secrets that are created, SecretTags are their tags.
	SecretKey  string
	SecretTags map[string]string
	// MaxTokenDays is 0 if it is not set, and PackedSecrets if there are none.
	MaxTokenDays, PackedSecrets int
	// OperatorLogDays is 0 if it is not set.
	OperatorLogDays int
	EndlessTokens   bool
	// EventBus, Queue and WebhookKey are required of the function deliver. Without NoticeFrom and NoticeTopic no notice
	// can be sent.
	EventBus, Queue, WebhookKey                     string
	NoticeFrom, NoticeTopic, NoticeConfigurationSet string
	NoticeProduct, NoticeContact                    string
	// Limits bound the requests of each tenant.
	Limits limit.Bounds
	// PortalHours is 0 if it is not set.
	PortalAccent, PortalLogo, PortalReturnURL string
	PortalHours                               int
	Log                                       *slog.Logger
}

// ReadEnv reads the environment of a function. The log goes to standard output as JSON, with the
// metrics in it; Lambda takes it from there.
func ReadEnv() (Env, error) {
	e := Env{
		Table: os.Getenv(EnvTable), BaseURL: os.Getenv(EnvBaseURL), SecretPrefix: os.Getenv(EnvSecretPrefix),
		EventBus: os.Getenv(EnvEventBus), Queue: os.Getenv(EnvQueue), WebhookKey: os.Getenv(EnvWebhookKey),
		NoticeFrom: os.Getenv(EnvNoticeFrom), NoticeTopic: os.Getenv(EnvNoticeTopic),
		NoticeConfigurationSet: os.Getenv(EnvNoticeConfigurationSet), NoticeProduct: os.Getenv(EnvNoticeProduct),
		NoticeContact: os.Getenv(EnvNoticeContact), PortalAccent: os.Getenv(EnvPortalAccent),
		PortalLogo: os.Getenv(EnvPortalLogo), PortalReturnURL: os.Getenv(EnvPortalReturnURL),
		AdminHost: os.Getenv(EnvAdminHost), SecretKey: os.Getenv(EnvSecretKey),
	}
	var level slog.Level
	if text := os.Getenv(EnvLogLevel); text != "" {
		if err := level.UnmarshalText([]byte(text)); err != nil {
			return e, fmt.Errorf("%s: %w", EnvLogLevel, err)
		}
	}
	e.Log = slog.New(metric.Handler(slog.NewJSONHandler(os.Stdout, &slog.HandlerOptions{Level: level}),
		metric.Options{Stack: os.Getenv(EnvStack), Routes: os.Getenv(EnvMetrics) == "routes"}))
	if e.Table == "" {
		return e, fmt.Errorf("%s is not set", EnvTable)
	}
	if err := e.Limits.UnmarshalText([]byte(os.Getenv(EnvLimits))); err != nil {
		return e, fmt.Errorf("%s %w", EnvLimits, err)
	}
	return e, e.readTokens()
}

func (e *Env) readTokens() (err error) {
	if e.SecretTags, err = tags(os.Getenv(EnvSecretTags)); err != nil {
		return fmt.Errorf("%s %w", EnvSecretTags, err)
	}
	if e.MaxTokenDays, err = number(os.Getenv(EnvMaxTokenDays)); err != nil {
		return fmt.Errorf("%s %w", EnvMaxTokenDays, err)
	}
	if e.PackedSecrets, err = number(os.Getenv(EnvPackedSecrets)); err != nil {
		return fmt.Errorf("%s %w", EnvPackedSecrets, err)
	}
	if e.OperatorLogDays, err = number(os.Getenv(EnvOperatorLogDays)); err != nil {
		return fmt.Errorf("%s %w", EnvOperatorLogDays, err)
	}
	if e.PortalHours, err = number(os.Getenv(EnvPortalHours)); err != nil {
		return fmt.Errorf("%s %w", EnvPortalHours, err)
	}
	if text := os.Getenv(EnvEndlessTokens); text != "" {
		if e.EndlessTokens, err = strconv.ParseBool(text); err != nil {
			return fmt.Errorf("%s must be true or false", EnvEndlessTokens)
		}
	}
	return nil
}

// tags reads name=value,name=value; no text has none.
func tags(text string) (map[string]string, error) {
	read := map[string]string{}
	for pair := range strings.SplitSeq(text, ",") {
		name, value, ok := strings.Cut(pair, "=")
		if name = strings.TrimSpace(name); ok && name != "" {
			read[name] = strings.TrimSpace(value)
		} else if text != "" {
			return nil, errors.New("must be name=value,name=value")
		}
	}
	return read, nil
}

// number reads a whole number; no text is 0.
func number(text string) (int, error) {
	if text == "" {
		return 0, nil
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 0 {
		return 0, errors.New("must be a whole number, 0 or more")
	}
	return n, nil
}

// Serve runs a Lambda function that answers HTTP API events with h.
func Serve(h http.Handler, err error) {
	if err != nil {
		Fail(err)
	}
	Run(apigw.Lambda{Function: apigw.Handler(h)})
}

// Run runs a Lambda function of any handler that aws-lambda-go takes.
func Run(handler any) {
	limitMemory()
	lambda.Start(handler)
}

// limitMemory lets garbage grow to half of the function's memory, and no further: a large request makes garbage faster
// than Go collects it by default, and Lambda ends a process that needs more than it has. The other half is for large
// live heaps, the program and the stacks.
func limitMemory() {
	megabytes, err := strconv.ParseInt(os.Getenv("AWS_LAMBDA_FUNCTION_MEMORY_SIZE"), 10, 64)
	if err != nil {
		return // it does not run on Lambda
	}
	debug.SetMemoryLimit(megabytes << 20 / 2)
}

// Fail ends a function that can't start: Lambda reports it as an initialisation error.
func Fail(err error) {
	fmt.Fprintln(os.Stderr, "serverless-scim:", err)
	os.Exit(1)
}
