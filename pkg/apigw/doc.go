// Package apigw converts between Amazon API Gateway's HTTP API (payload format 2.0) and net/http, in both directions:
// Handler makes a Lambda function from an http.Handler, Gateway makes an http.Handler from a Lambda function. It does
// not depend on the protocol of the handler.
//
// github.com/awslabs/aws-lambda-go-api-proxy collects and encodes the answers: as text or base64, with the cookies in a
// field of their own. Requests are made by request.go, because the library's own conversion is wrong in many points: it
// parses the decoded path as if it were encoded (`/Users/a#b` became `/Users/a`), splits headers at commas, takes the
// host from the wrong place, leaves the stage in the path, and prints the whole URL to the log if it fails.
package apigw
