package app

import (
	"fmt"
	"log/slog"
	"net/http"
	"os"

	"github.com/aws/aws-lambda-go/lambda"

	"github.com/serverless-scim/serverless-scim/pkg/apigw"
)

// Env is a function's environment.
type Env struct {
	Table, BaseURL, SecretPrefix string
	Log                          *slog.Logger
}

// ReadEnv reads the environment of a function. The log goes to standard output as JSON, where Lambda picks it up.
func ReadEnv() (Env, error) {
	e := Env{Table: os.Getenv(EnvTable), BaseURL: os.Getenv(EnvBaseURL), SecretPrefix: os.Getenv(EnvSecretPrefix)}
	var level slog.Level
	if text := os.Getenv(EnvLogLevel); text != "" {
		if err := level.UnmarshalText([]byte(text)); err != nil {
			return e, fmt.Errorf("%s: %w", EnvLogLevel, err)
		}
	}
	e.Log = slog.New(slog.NewJSONHandler(os.Stdout, &slog.HandlerOptions{Level: level}))
	if e.Table == "" {
		return e, fmt.Errorf("%s is not set", EnvTable)
	}
	return e, nil
}

// Serve runs a Lambda function that answers HTTP API events with h.
func Serve(h http.Handler, err error) {
	if err != nil {
		Fail(err)
	}
	lambda.Start(apigw.Handler(h))
}

// Fail ends a function that can't start: Lambda reports it as an initialisation error.
func Fail(err error) {
	fmt.Fprintln(os.Stderr, "serverless-scim:", err)
	os.Exit(1)
}
