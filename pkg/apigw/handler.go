package apigw

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"runtime/debug"

	"github.com/aws/aws-lambda-go/events"
	"github.com/awslabs/aws-lambda-go-api-proxy/httpadapter"

	"github.com/serverless-scim/serverless-scim/pkg/scim"
)

// Function is a Lambda function behind an HTTP API with payload format 2.0.
type Function = func(ctx context.Context, ev events.APIGatewayV2HTTPRequest) (events.APIGatewayV2HTTPResponse, error)

// RequestIDHeader is the request header under which the handler finds API Gateway's id of the request. What a client
// sends under that name is overwritten.
const RequestIDHeader = "X-Amzn-Requestid"

// Handler returns the Lambda function that serves h. It never returns an error, because API Gateway would turn that
// into an answer that is no SCIM: an event that is no HTTP request is a 400, a panic of h is a 500, both with a SCIM
// error as body.
func Handler(h http.Handler) Function {
	return func(ctx context.Context, ev events.APIGatewayV2HTTPRequest) (resp events.APIGatewayV2HTTPResponse, err error) {
		id := ev.RequestContext.RequestID
		defer func() {
			if v := recover(); v != nil {
				logPanic(ctx, id, v)
				resp, err = internalError(id), nil
			}
		}()
		mended, refused := mend(ev)
		if refused != nil {
			return errorResponse(refused), nil
		}
		adapter := httpadapter.NewV2(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			restore(r, ev)
			a := &answer{out: w, header: http.Header{}, method: r.Method}
			h.ServeHTTP(a, r)
			a.finish()
		}))
		resp, err = adapter.ProxyWithContext(ctx, mended)
		if err != nil {
			return errorResponse(scim.BadRequest(scim.InvalidSyntax, "The request could not be read as HTTP.")), nil
		}
		return resp, nil
	}
}

// logPanic writes where the code panicked, and with what only where the Go runtime made the message: any other value
// may hold data of a request.
func logPanic(ctx context.Context, id string, v any) {
	what := fmt.Sprintf("%T", v)
	if e, ok := v.(interface{ RuntimeError() }); ok {
		what = fmt.Sprint(e)
	}
	slog.ErrorContext(ctx, "panic", "requestId", id, "panic", what, "stack", string(debug.Stack()))
}

func internalError(id string) events.APIGatewayV2HTTPResponse {
	return errorResponse(scim.Errorf(http.StatusInternalServerError, scim.NoType,
		"An internal error occurred. The operator finds it under request id %s.", id))
}

// errorResponse is e as API Gateway wants it.
func errorResponse(e *scim.Error) events.APIGatewayV2HTTPResponse {
	return events.APIGatewayV2HTTPResponse{
		StatusCode: e.Status,
		Headers:    map[string]string{"Content-Type": scim.MediaType},
		Body:       string(scim.AppendJSON(nil, e.Object())),
	}
}
