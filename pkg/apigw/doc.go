// Package apigw joins Amazon API Gateway's HTTP API (payload format 2.0) to net/http, in both directions: Handler makes
// a Lambda function of an http.Handler, RoundTrip makes an http.Handler of a Lambda function.
//
// It is the only package that knows github.com/awslabs/aws-lambda-go-api-proxy, and it mends what HTTP API and that
// library get wrong between them: a path that arrives URL-decoded, headers split at commas, a stage name in the path,
// panics, answers without a status, requests that can't be converted.
package apigw
