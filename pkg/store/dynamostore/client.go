package dynamostore

import (
	"bytes"
	"io"
	"net"
	"net/http"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
)

const (
	// attemptTimeout ends a call that got no answer, well inside the time of a request, so that there is time to try
	// again.
	attemptTimeout = 5 * time.Second
	dialTimeout    = 2 * time.Second
	// idleConnections are kept open to the one host that is called: a new TLS connection costs more than most calls.
	idleConnections = 64
)

// NewClient creates a client for Engine. It tries each call once (store.Store retries), ends an attempt after five
// seconds, and keeps connections open. optFns override all of this. An HTTP client in cfg is used unchanged unless it
// is the SDK's own.
func NewClient(cfg aws.Config, optFns ...func(*dynamodb.Options)) *dynamodb.Client {
	single := func(o *dynamodb.Options) {
		o.Retryer = aws.NopRetryer{}
		o.HTTPClient = wholeBody{httpClient(cfg.HTTPClient)}
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

// wholeBody sends each request with a copy of its body in memory. Reading the SDK's own body fails as soon as the head
// of the answer has arrived. On a busy machine net/http may still be reading it then, and would close the connection in
// the middle of a large answer. A body in memory is also sent together with the head, and net/http can repeat the
// request if the server had closed the idle connection.
type wholeBody struct{ next aws.HTTPClient }

// Do implements aws.HTTPClient.
func (c wholeBody) Do(req *http.Request) (*http.Response, error) {
	if req.Body == nil || req.ContentLength <= 0 {
		return c.next.Do(req)
	}
	data := make([]byte, req.ContentLength)
	if _, err := io.ReadFull(req.Body, data); err != nil {
		return nil, err
	}
	whole := req.WithContext(req.Context())
	whole.GetBody = func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(data)), nil }
	whole.Body, _ = whole.GetBody()
	return c.next.Do(whole)
}
