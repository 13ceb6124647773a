package apigw

import (
	"context"
	"errors"
	"log/slog"
	"net/http"

	"github.com/aws/aws-lambda-go/events"
	"github.com/awslabs/aws-lambda-go-api-proxy/core"

	"github.com/serverless-scim/serverless-scim/pkg/task"
)

// Function is a Lambda function behind an HTTP API with payload format 2.0.
type Function = func(ctx context.Context, ev events.APIGatewayV2HTTPRequest) (events.APIGatewayV2HTTPResponse, error)

// RequestIDHeader is the request header under which the handler finds API Gateway's id of the request. A value that the
// client sent under that name is overwritten.
const RequestIDHeader = "X-Amzn-Requestid"

// CallerHeader is the request header in which the handler finds the ARN of the IAM principal that an IAM authorizer has
// accepted. If there is none, the client's header of this name is removed.
const CallerHeader = "X-Amzn-Caller-Arn"

// Handler returns the Lambda function that serves h. It never returns an error, which API Gateway would not
// distinguish from a function that can't be reached: an event that is no HTTP request is a 400, a panic of h a 500,
// both in API Gateway's own format. Handlers answer their own panics in the format of their protocol.
func Handler(h http.Handler) Function {
	return func(ctx context.Context, ev events.APIGatewayV2HTTPRequest) (events.APIGatewayV2HTTPResponse, error) {
		var resp events.APIGatewayV2HTTPResponse
		err := task.Do(func() (err error) {
			r, err := request(ctx, ev)
			if err != nil {
				return err
			}
			out := core.NewProxyResponseWriterV2()
			a := &answer{out: out, header: http.Header{}, method: r.Method}
			h.ServeHTTP(a, r)
			a.finish()
			resp, err = out.GetProxyResponse()
			return err
		})
		if err == nil {
			return resp, nil
		}
		if no := badEvent(""); errors.As(err, &no) {
			return plain(http.StatusBadRequest), nil
		}
		attributes := []any{"requestId", ev.RequestContext.RequestID, "error", err}
		if p := (*task.Panic)(nil); errors.As(err, &p) {
			attributes = append(attributes, "stack", string(p.Stack))
		}
		slog.ErrorContext(ctx, "no response", attributes...)
		return plain(http.StatusInternalServerError), nil
	}
}

// plain is an answer as API Gateway itself gives it.
func plain(status int) events.APIGatewayV2HTTPResponse {
	return events.APIGatewayV2HTTPResponse{
		StatusCode: status,
		Headers:    map[string]string{"Content-Type": "application/json", "X-Content-Type-Options": "nosniff"},
		Body:       `{"message":"` + http.StatusText(status) + `"}`,
	}
}
