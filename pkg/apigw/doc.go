// Package apigw joins Amazon API Gateway's HTTP API (payload format 2.0) to net/http, in both directions: Handler
// makes a Lambda function of an http.Handler, Gateway makes an http.Handler of a Lambda function. It does not
// depend on their protocols.
//
// Answers are collected and encoded by github.com/awslabs/aws-lambda-go-api-proxy, the only package that does so
// here: text or base64, cookies apart. Requests are made by request.go, because the library's own conversion is
// wrong in many points: it parses the decoded path as if it were encoded (`/Users/a#b` became `/Users/a`), splits
// headers at commas, takes the host from the wrong place, leaves the stage in the path, and prints the whole URL to
// the log if it fails.
package apigw
