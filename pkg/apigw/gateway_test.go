package apigw_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"

	"github.com/serverless-scim/serverless-scim/pkg/apigw"
)

type (
	request  = events.APIGatewayV2HTTPRequest
	response = events.APIGatewayV2HTTPResponse
)

// capture returns a Gateway whose function keeps the event and answers 204.
func capture() (apigw.Gateway, *request) {
	seen := &request{}
	return apigw.Gateway{
		Function: func(_ context.Context, ev request) (response, error) {
			*seen = ev
			return response{StatusCode: 204}, nil
		},
		Now: func() time.Time { return time.Date(2026, 11, 22, 8, 0, 0, 0, time.UTC) },
	}, seen
}

func TestEventIsAsAPIGatewayMakesIt(t *testing.T) {
	g, ev := capture()
	r := httptest.NewRequest("PATCH", "http://127.0.0.1:8080/scim/v2/t/Users/a%23b%25?filter=a+eq+%22x%22&a=1&a=2",
		strings.NewReader(`{"a":1}`))
	r.Header.Set("Content-Type", "application/json; charset=utf-8")
	r.Header.Set("User-Agent", "test")
	r.Header.Add("If-Match", `W/"1"`)
	r.Header.Add("If-Match", `W/"2"`)
	r.Header.Set("Cookie", "a=1; b=2")
	r.RemoteAddr = "192.0.2.7:4711"
	w := httptest.NewRecorder()
	g.ServeHTTP(w, r)
	if w.Code != 204 || w.Header().Get("Content-Type") != "" {
		t.Fatalf("got %d %v", w.Code, w.Header())
	}
	if ev.RequestContext.RequestID == "" {
		t.Error("no request id")
	}
	ev.RequestContext.RequestID = ""
	want := request{
		Version: "2.0", RouteKey: "$default", RawPath: "/scim/v2/t/Users/a#b%",
		RawQueryString: "filter=a+eq+%22x%22&a=1&a=2", Cookies: []string{"a=1", "b=2"},
		Headers: map[string]string{
			"content-type": "application/json; charset=utf-8", "user-agent": "test", "if-match": `W/"1",W/"2"`,
			"host":           "127.0.0.1:8080",
			"content-length": "7", "x-forwarded-for": "192.0.2.7", "x-forwarded-proto": "http",
		},
		QueryStringParameters: map[string]string{"filter": `a eq "x"`, "a": "1,2"},
		RequestContext: events.APIGatewayV2HTTPRequestContext{
			RouteKey: "$default", AccountID: "000000000000", Stage: "$default", APIID: "local",
			DomainName: "127.0.0.1:8080", DomainPrefix: "local",
			Time: "22/Nov/2026:08:00:00 +0000", TimeEpoch: 1795334400000,
			HTTP: events.APIGatewayV2HTTPRequestContextHTTPDescription{
				Method: "PATCH", Path: "/scim/v2/t/Users/a#b%", Protocol: "HTTP/1.1", SourceIP: "192.0.2.7",
				UserAgent: "test",
			},
		},
		Body: `{"a":1}`,
	}
	if !reflect.DeepEqual(*ev, want) {
		t.Errorf("got  %+v\nwant %+v", *ev, want)
	}
}

func TestBodyIsBase64UnlessPlainText(t *testing.T) {
	for _, c := range []struct {
		contentType, body string
		base64            bool
	}{
		{"application/json", "{}", false},
		{"text/plain; charset=utf-8", "x", false},
		{"application/scim+json", "{}", true},
		{"", "{}", true},
		{"///", "{}", true},
		{"application/octet-stream", "x", true},
		{"application/json", "\"\xff\"", true},
	} {
		g, ev := capture()
		r := httptest.NewRequest("POST", "/x", strings.NewReader(c.body))
		r.Header.Set("Content-Type", c.contentType)
		g.ServeHTTP(httptest.NewRecorder(), r)
		if ev.IsBase64Encoded != c.base64 {
			t.Errorf("%q: base64 %v, want %v", c.contentType, ev.IsBase64Encoded, c.base64)
		}
	}
}

func TestRoundTripThroughHandler(t *testing.T) {
	for _, body := range []string{"", "{}", "héllo €", "\xff\xfe\x00", strings.Repeat(`{"a":"b"}`, 100000)} {
		for _, contentType := range []string{"application/json", "application/scim+json"} {
			h := apigw.RoundTrip(apigw.Handler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				w.Header().Set("Content-Type", r.Header.Get("Content-Type"))
				w.Header().Set("X-Path", r.URL.Path+"?"+r.URL.RawQuery)
				w.WriteHeader(201)
				_, _ = io.Copy(w, r.Body)
			})))
			r := httptest.NewRequest("POST", "/a%23b%25c%3Fd/é?q=%22%23", strings.NewReader(body))
			r.Header.Set("Content-Type", contentType)
			w := httptest.NewRecorder()
			h.ServeHTTP(w, r)
			if w.Code != 201 || w.Body.String() != body || w.Header().Get("Content-Type") != contentType {
				t.Errorf("%.20q: got %d %.20q %v", body, w.Code, w.Body.String(), w.Header())
			}
			if got := w.Header().Get("X-Path"); got != "/a#b%c?d/é?q=%22%23" {
				t.Errorf("path %q", got)
			}
		}
	}
}

func TestTooLargeForAWS(t *testing.T) {
	g, _ := capture()
	for _, size := range []int{apigw.MaxPayload + 1, apigw.MaxInvocation + 1} {
		w := httptest.NewRecorder()
		g.ServeHTTP(w, httptest.NewRequest("POST", "/x", bytes.NewReader(make([]byte, size))))
		if w.Code != http.StatusRequestEntityTooLarge ||
			!strings.Contains(w.Body.String(), "Request Entity Too Large") {
			t.Errorf("%d bytes: got %d %v", size, w.Code, w.Header())
		}
	}
}

func TestFunctionThatFails(t *testing.T) {
	for name, resp := range map[string]struct {
		resp response
		err  error
	}{
		"error":     {err: errors.New("secret")},
		"no status": {},
		"answer too large": {resp: response{
			StatusCode: 200, Body: strings.Repeat("x", apigw.MaxInvocation),
		}},
		"broken base64": {resp: response{StatusCode: 200, Body: "%", IsBase64Encoded: true}},
	} {
		h := apigw.RoundTrip(func(context.Context, request) (response, error) {
			return resp.resp, resp.err
		})
		w := httptest.NewRecorder()
		h.ServeHTTP(w, httptest.NewRequest("GET", "/x", nil))
		if w.Code != 500 || strings.Contains(w.Body.String(), "secret") ||
			!strings.Contains(w.Body.String(), "Internal Server Error") {
			t.Errorf("%s: got %d %.80q", name, w.Code, w.Body.String())
		}
	}
}

func TestFunctionOutlivesTheClient(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	h := apigw.RoundTrip(apigw.Handler(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		if err := r.Context().Err(); err != nil {
			t.Errorf("the request is cancelled: %v", err)
		}
		if _, ok := r.Context().Deadline(); !ok {
			t.Error("the request has no deadline")
		}
	})))
	h.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest("GET", "/x", nil).WithContext(ctx))
}

func TestForwardedProto(t *testing.T) {
	g, ev := capture()
	r := httptest.NewRequest("GET", "https://host/x", nil)
	g.ServeHTTP(httptest.NewRecorder(), r)
	if got := ev.Headers["x-forwarded-proto"]; got != "https" {
		t.Errorf("over TLS: %q", got)
	}
	r = httptest.NewRequest("GET", "/x", nil)
	r.Header.Set("X-Forwarded-Proto", "https")
	r.Header.Set("X-Forwarded-For", "198.51.100.1")
	g.ServeHTTP(httptest.NewRecorder(), r)
	if ev.Headers["x-forwarded-proto"] != "https" ||
		!strings.HasPrefix(ev.Headers["x-forwarded-for"], "198.51.100.1, ") {
		t.Errorf("behind a proxy: %v", ev.Headers)
	}
}
