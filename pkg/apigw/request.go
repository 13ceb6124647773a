package apigw

import (
	"context"
	"encoding/base64"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"

	"github.com/aws/aws-lambda-go/events"
)

// defaultStage is the stage whose name is not part of the path.
const defaultStage = "$default"

// badEvent says why an event is no HTTP request.
type badEvent string

// Error implements error.
func (e badEvent) Error() string { return "apigw: " + string(e) }

// request makes the request behind ev as a net/http server would have made it. The error has no text of the event.
func request(ctx context.Context, ev events.APIGatewayV2HTTPRequest) (*http.Request, error) {
	c := &ev.RequestContext
	if !isToken(c.HTTP.Method) {
		return nil, badEvent("no valid HTTP method")
	}
	body := ev.Body
	if ev.IsBase64Encoded {
		decoded, err := base64.StdEncoding.DecodeString(body)
		if err != nil {
			return nil, badEvent("the body is not base64")
		}
		body = string(decoded)
	}
	u := &url.URL{Path: withoutStage(wholePath(ev), c.Stage), RawQuery: escapeQuery(ev.RawQueryString)}
	r := new(http.Request).WithContext(ctx)
	r.Method, r.URL, r.RequestURI = c.HTTP.Method, u, u.RequestURI()
	r.Proto, r.ProtoMajor, r.ProtoMinor = "HTTP/1.1", 1, 1
	r.Header, r.Body = header(ev), http.NoBody
	r.Host, r.RemoteAddr = c.DomainName, net.JoinHostPort(c.HTTP.SourceIP, "0")
	if body != "" {
		r.Body, r.ContentLength = io.NopCloser(strings.NewReader(body)), int64(len(body))
	}
	if host := r.Header.Get("Host"); host != "" {
		r.Host = host
	}
	r.Header.Del("Host")
	return r, nil
}

// header returns the headers of the request behind ev. HTTP API joins the values of one name by commas. They stay
// one value: code that reads lists splits it.
func header(ev events.APIGatewayV2HTTPRequest) http.Header {
	h := make(http.Header, len(ev.Headers)+3)
	setAll(h, ev.Headers)
	for _, cookie := range ev.Cookies {
		h.Add("Cookie", cookie)
	}
	if h.Get("X-Forwarded-Proto") == "" {
		// An HTTP API is never reached but by TLS.
		h.Set("X-Forwarded-Proto", "https")
	}
	h.Set(RequestIDHeader, ev.RequestContext.RequestID)
	h.Del(CallerHeader)
	if a := ev.RequestContext.Authorizer; a != nil && a.IAM != nil && a.IAM.UserARN != "" {
		h.Set(CallerHeader, a.IAM.UserARN)
	}
	return h
}

// setAll sets headers of one value each.
func setAll(h http.Header, all map[string]string) {
	values := make([]string, 0, len(all)) // one piece of memory for the values of all headers
	for name, value := range all {
		values = append(values, value)
		h[http.CanonicalHeaderKey(name)] = values[len(values)-1 : len(values) : len(values)]
	}
}

// wholePath returns the path of the request, decoded as HTTP API hands it over. HTTP API cuts a path at a `?` that
// it has decoded, so that `/Users/a%3Fb` would reach the user a. The path in the request context, or a path
// parameter, may still have the rest. It is added to the path again, so that the path leads to no resource.
func wholePath(ev events.APIGatewayV2HTTPRequest) string {
	path := ev.RawPath
	if path == "" || strings.HasPrefix(ev.RequestContext.HTTP.Path, path+"?") {
		return ev.RequestContext.HTTP.Path
	}
	if strings.Contains(path, "?") {
		return path
	}
	for _, value := range ev.PathParameters {
		if decoded, err := url.PathUnescape(value); err == nil {
			value = decoded
		}
		if _, rest, cut := strings.Cut(value, "?"); cut {
			return path + "?" + rest
		}
	}
	return path
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

// maxMethod is the length of the longest HTTP method that is taken.
const maxMethod = 32

// isToken reports whether s is a token, as an HTTP method is (RFC 9110, sections 5.6.2 and 9.1), and no longer
// than one may be.
func isToken(s string) bool {
	for _, c := range []byte(s) {
		letter := 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9'
		if !letter && strings.IndexByte("!#$%&'*+-.^_`|~", c) < 0 {
			return false
		}
	}
	return s != "" && len(s) <= maxMethod
}
