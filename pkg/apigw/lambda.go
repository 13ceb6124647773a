package apigw

import (
	"context"
	"encoding/json"

	"github.com/aws/aws-lambda-go/events"

	"github.com/serverless-scim/serverless-scim/pkg/scim"
)

// Lambda is a Function as the Lambda runtime calls it, a lambda.Handler. The runtime could convert the JSON to the
// types of package events itself, but reflection on their many fields, above all those of authorizers, makes the
// first event of each process slow. Lambda reads only the fields of an event that Handler needs.
type Lambda struct{ Function Function }

// Invoke calls the function with an event and returns its answer, both JSON. It passes on only the fields of the
// event that make up the request.
func (l Lambda) Invoke(ctx context.Context, event []byte) ([]byte, error) {
	var v any
	if err := json.Unmarshal(event, &v); err != nil {
		return nil, err
	}
	o, _ := v.(map[string]any)
	resp, err := l.Function(ctx, received(o))
	if err != nil {
		return nil, err
	}
	headers := make(scim.Object, len(resp.Headers))
	for name, value := range resp.Headers {
		headers[name] = value
	}
	dst := make([]byte, 0, len(resp.Body)+len(resp.Body)/4+1024)
	return scim.AppendJSON(dst, scim.Object{
		"statusCode": resp.StatusCode, "headers": headers, "cookies": resp.Cookies, "body": resp.Body,
		"isBase64Encoded": resp.IsBase64Encoded,
	}), nil
}

// received returns the fields of an event that Handler needs.
func received(o map[string]any) events.APIGatewayV2HTTPRequest {
	c, _ := o["requestContext"].(map[string]any)
	h, _ := c["http"].(map[string]any)
	ev := events.APIGatewayV2HTTPRequest{
		RawPath: str(o, "rawPath"), RawQueryString: str(o, "rawQueryString"), Body: str(o, "body"),
		Headers: strs(o, "headers"), PathParameters: strs(o, "pathParameters"),
		RequestContext: events.APIGatewayV2HTTPRequestContext{
			Stage: str(c, "stage"), RequestID: str(c, "requestId"), DomainName: str(c, "domainName"),
			HTTP: events.APIGatewayV2HTTPRequestContextHTTPDescription{
				Method: str(h, "method"), Path: str(h, "path"), SourceIP: str(h, "sourceIp"),
			},
		},
	}
	authorizer, _ := c["authorizer"].(map[string]any)
	if iam, ok := authorizer["iam"].(map[string]any); ok {
		ev.RequestContext.Authorizer = &events.APIGatewayV2HTTPRequestContextAuthorizerDescription{
			IAM: &events.APIGatewayV2HTTPRequestContextAuthorizerIAMDescription{UserARN: str(iam, "userArn")},
		}
	}
	ev.IsBase64Encoded, _ = o["isBase64Encoded"].(bool)
	cookies, _ := o["cookies"].([]any)
	for _, v := range cookies {
		if cookie, ok := v.(string); ok {
			ev.Cookies = append(ev.Cookies, cookie)
		}
	}
	return ev
}

func str(o map[string]any, key string) string {
	s, _ := o[key].(string)
	return s
}

func strs(o map[string]any, key string) map[string]string {
	inner, _ := o[key].(map[string]any)
	all := make(map[string]string, len(inner))
	for name := range inner {
		all[name] = str(inner, name)
	}
	return all
}
