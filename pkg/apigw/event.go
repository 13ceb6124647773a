package apigw

import (
	"crypto/rand"
	"encoding/base64"
	"mime"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/aws/aws-lambda-go/events"
)

// localAPI is the API id of events that RoundTrip makes.
const localAPI = "local"

// event is r as HTTP API passes it to a function: the path decoded, header names in lower case, values of one name
// joined by commas, cookies apart, a body that is no text in base64.
func event(r *http.Request, body []byte, now func() time.Time) events.APIGatewayV2HTTPRequest {
	path := r.URL.Path
	if path == "" {
		path = "/"
	}
	ip := sourceIP(r)
	ev := events.APIGatewayV2HTTPRequest{
		Version:               "2.0",
		RouteKey:              "$default",
		RawPath:               path,
		RawQueryString:        r.URL.RawQuery,
		Cookies:               cookies(r),
		Headers:               headers(r, ip),
		QueryStringParameters: queryParameters(r.URL.RawQuery),
		RequestContext: events.APIGatewayV2HTTPRequestContext{
			RouteKey:     "$default",
			AccountID:    "000000000000",
			Stage:        defaultStage,
			RequestID:    rand.Text(),
			APIID:        localAPI,
			DomainName:   r.Host,
			DomainPrefix: localAPI,
			HTTP: events.APIGatewayV2HTTPRequestContextHTTPDescription{
				Method: r.Method, Path: path, Protocol: r.Proto, SourceIP: ip, UserAgent: r.UserAgent(),
			},
		},
	}
	if now != nil {
		t := now().UTC()
		ev.RequestContext.Time = t.Format("02/Jan/2006:15:04:05 -0700")
		ev.RequestContext.TimeEpoch = t.UnixMilli()
	}
	if len(body) > 0 {
		ev.Body, ev.IsBase64Encoded = encodeBody(body, r.Header.Get("Content-Type"))
	}
	return ev
}

func sourceIP(r *http.Request) string {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		return r.RemoteAddr
	}
	return host
}

func cookies(r *http.Request) []string {
	var all []string
	for _, line := range r.Header.Values("Cookie") {
		for cookie := range strings.SplitSeq(line, ";") {
			if cookie = strings.TrimSpace(cookie); cookie != "" {
				all = append(all, cookie)
			}
		}
	}
	return all
}

func headers(r *http.Request, ip string) map[string]string {
	out := make(map[string]string, len(r.Header)+5)
	for name, values := range r.Header {
		out[strings.ToLower(name)] = strings.Join(values, ",")
	}
	delete(out, "cookie")
	out["host"] = r.Host
	if r.ContentLength > 0 {
		out["content-length"] = strconv.FormatInt(r.ContentLength, 10)
	}
	if earlier := out["x-forwarded-for"]; earlier != "" {
		ip = earlier + ", " + ip
	}
	out["x-forwarded-for"] = ip
	// Unlike AWS: a proxy in front of a local server may end TLS, and its header about that is trusted.
	if out["x-forwarded-proto"] == "" {
		out["x-forwarded-proto"] = "http"
		if r.TLS != nil {
			out["x-forwarded-proto"] = "https"
		}
	}
	return out
}

func queryParameters(raw string) map[string]string {
	if raw == "" {
		return nil
	}
	// A part that does not decode is left out here; RawQueryString still has it.
	values, _ := url.ParseQuery(raw)
	out := make(map[string]string, len(values))
	for key, all := range values {
		out[key] = strings.Join(all, ",")
	}
	return out
}

// encodeBody returns the body as text for the media types that HTTP API passes as text: text/*, and JSON, XML and
// JavaScript by their plain names. All other bodies, also application/scim+json and those without a type, are
// encoded in base64, and so is a body that JSON would change.
func encodeBody(body []byte, contentType string) (string, bool) {
	mediaType, _, err := mime.ParseMediaType(contentType)
	if err != nil {
		mediaType = ""
	}
	switch {
	case !utf8.Valid(body):
	case strings.HasPrefix(mediaType, "text/"):
		return string(body), false
	case mediaType == "application/json", mediaType == "application/xml", mediaType == "application/javascript":
		return string(body), false
	}
	return base64.StdEncoding.EncodeToString(body), true
}
