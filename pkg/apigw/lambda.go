package apigw

import (
	"context"

	"github.com/aws/aws-lambda-go/events"
)

// Lambda returns f for the Lambda runtime to start.
func Lambda(f Function) any {
	return func(ctx context.Context, p payload) (events.APIGatewayV2HTTPResponse, error) {
		return f(ctx, p.event())
	}
}

// payload is what Handler reads of an event, under the names of events.APIGatewayV2HTTPRequest. That type has many more fields, for
// authorizers above all, and encoding/json looks at each of them before it decodes the first event: a part of every cold start.
type payload struct {
	RawPath         string            `json:"rawPath"`
	RawQueryString  string            `json:"rawQueryString"`
	Cookies         []string          `json:"cookies"`
	Headers         map[string]string `json:"headers"`
	PathParameters  map[string]string `json:"pathParameters"`
	Body            string            `json:"body"`
	IsBase64Encoded bool              `json:"isBase64Encoded"`
	RequestContext  struct {
		Stage      string `json:"stage"`
		RequestID  string `json:"requestId"`
		DomainName string `json:"domainName"`
		HTTP       struct {
			Method   string `json:"method"`
			Path     string `json:"path"`
			SourceIP string `json:"sourceIp"`
		} `json:"http"`
	} `json:"requestContext"`
}

func (p payload) event() events.APIGatewayV2HTTPRequest {
	c := p.RequestContext
	return events.APIGatewayV2HTTPRequest{
		RawPath: p.RawPath, RawQueryString: p.RawQueryString, Cookies: p.Cookies, Headers: p.Headers, PathParameters: p.PathParameters,
		Body: p.Body, IsBase64Encoded: p.IsBase64Encoded,
		RequestContext: events.APIGatewayV2HTTPRequestContext{
			Stage: c.Stage, RequestID: c.RequestID, DomainName: c.DomainName,
			HTTP: events.APIGatewayV2HTTPRequestContextHTTPDescription{Method: c.HTTP.Method, Path: c.HTTP.Path, SourceIP: c.HTTP.SourceIP},
		},
	}
}
