package apigw

import (
	"encoding/base64"
	"net"
	"net/http"
	"net/url"
	"strings"

	"github.com/aws/aws-lambda-go/events"

	"github.com/serverless-scim/serverless-scim/pkg/scim"
)

// defaultStage is the stage whose name is not part of the path.
const defaultStage = "$default"

// mend returns ev as the library converts it faithfully, or the error that answers it.
//
// Everything that the library would refuse is refused or repaired here, because it prints the whole URL, and with it
// names of people, to the log when it fails.
func mend(ev events.APIGatewayV2HTTPRequest) (events.APIGatewayV2HTTPRequest, *scim.Error) {
	if !isToken(ev.RequestContext.HTTP.Method) {
		return ev, scim.BadRequest(scim.InvalidSyntax, "The request has no valid HTTP method.")
	}
	if ev.IsBase64Encoded {
		body, err := base64.StdEncoding.DecodeString(ev.Body)
		if err != nil {
			return ev, scim.BadRequest(scim.InvalidSyntax, "The request body is not the base64 that the gateway announced.")
		}
		ev.Body, ev.IsBase64Encoded = string(body), false
	}
	path := ev.RawPath
	if path == "" {
		path = ev.RequestContext.HTTP.Path
	}
	if cutShort(path, ev) {
		return ev, scim.Errorf(http.StatusNotFound, scim.NoType,
			"There is nothing at this path: it has a question mark in it.")
	}
	path = withoutStage(path, ev.RequestContext.Stage)
	// HTTP API hands the path over decoded and the library parses it as if it were encoded: `/Users/a#b` would become
	// `/Users/a`.
	ev.RawPath = (&url.URL{Path: path}).EscapedPath()
	ev.RawQueryString = escapeQuery(ev.RawQueryString)
	// The library builds a URL from the domain name and splits headers at commas; restore puts both back.
	ev.RequestContext.DomainName = ""
	ev.Headers = nil
	return ev, nil
}

// cutShort tells whether HTTP API has cut the path at a `?` that it had decoded, so that `/Users/a%3Fb` would reach
// user a: the path in the request context, or a path parameter, may still have it.
func cutShort(path string, ev events.APIGatewayV2HTTPRequest) bool {
	if strings.HasPrefix(ev.RequestContext.HTTP.Path, path+"?") {
		return true
	}
	for _, value := range ev.PathParameters {
		if decoded, err := url.PathUnescape(value); strings.Contains(value, "?") || err == nil &&
			strings.Contains(decoded, "?") {
			return !strings.Contains(path, "?")
		}
	}
	return false
}

// withoutStage strips the stage that HTTP API leaves in front of the path, if it is not the default stage.
func withoutStage(path, stage string) string {
	if stage == "" || stage == defaultStage {
		return path
	}
	rest, found := strings.CutPrefix(path, "/"+stage)
	if !found || rest != "" && rest[0] != '/' {
		return path
	}
	if rest == "" {
		return "/"
	}
	return rest
}

// escapeQuery percent-encodes the bytes that would end a query or break the parsing of its URL. Escapes already there
// stay.
func escapeQuery(query string) string {
	const upperhex = "0123456789ABCDEF"
	var b strings.Builder
	for i := range len(query) {
		if c := query[i]; c <= ' ' || c >= 0x7f || c == '#' {
			b.WriteByte('%')
			b.WriteByte(upperhex[c>>4])
			b.WriteByte(upperhex[c&15])
			continue
		}
		b.WriteByte(query[i])
	}
	return b.String()
}

// restore makes r what a net/http server would have made of the request behind ev.
func restore(r *http.Request, ev events.APIGatewayV2HTTPRequest) {
	for name, value := range ev.Headers {
		r.Header.Set(name, value)
	}
	r.Host = r.Header.Get("Host")
	r.Header.Del("Host")
	if r.Host == "" {
		r.Host = ev.RequestContext.DomainName
	}
	if r.Header.Get("X-Forwarded-Proto") == "" {
		// An HTTP API is never reached but by TLS.
		r.Header.Set("X-Forwarded-Proto", "https")
	}
	r.Header.Set(RequestIDHeader, ev.RequestContext.RequestID)
	r.URL.Scheme, r.URL.Host = "", ""
	r.RemoteAddr = net.JoinHostPort(ev.RequestContext.HTTP.SourceIP, "0")
}

// isToken tells whether s can be an HTTP method (RFC 9110, section 9.1; methods are letters in practice).
func isToken(s string) bool {
	for _, c := range s {
		if !('A' <= c && c <= 'Z' || 'a' <= c && c <= 'z' || c == '-') {
			return false
		}
	}
	return s != "" && len(s) <= 32
}
