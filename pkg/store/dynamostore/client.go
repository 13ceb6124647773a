package dynamostore

import (
	"net"
	"net/http"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
)

const (
	// attemptTimeout ends a call that got no answer, well inside the time of a request, so that there is time to try again.
	attemptTimeout = 5 * time.Second
	dialTimeout    = 2 * time.Second
	// idleConnections are kept open to the one host that is called: a new TLS connection costs more than most calls.
	idleConnections = 64
)

// NewClient makes a client as Engine needs it: it tries each call once (store.Store does the retrying), gives up on an attempt
// after five seconds, and keeps connections alive. optFns have the last word. An HTTP client in cfg is kept as it is unless it is
// the SDK's own.
func NewClient(cfg aws.Config, optFns ...func(*dynamodb.Options)) *dynamodb.Client {
	single := func(o *dynamodb.Options) {
		o.Retryer = aws.NopRetryer{}
		o.HTTPClient = httpClient(cfg.HTTPClient)
	}
	return dynamodb.NewFromConfig(cfg, append([]func(*dynamodb.Options){single}, optFns...)...)
}

func httpClient(given aws.HTTPClient) aws.HTTPClient {
	base := awshttp.NewBuildableClient()
	if given != nil {
		sdk, ok := given.(*awshttp.BuildableClient)
		if !ok {
			return given
		}
		base = sdk
	}
	return base.WithTimeout(attemptTimeout).
		WithDialerOptions(func(d *net.Dialer) { d.Timeout = dialTimeout }).
		WithTransportOptions(func(t *http.Transport) {
			t.MaxIdleConns = idleConnections
			t.MaxIdleConnsPerHost = idleConnections
		})
}
