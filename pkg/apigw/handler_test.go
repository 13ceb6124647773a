package apigw_test

import (
	"context"
	"encoding/base64"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/aws/aws-lambda-go/events"

	"github.com/serverless-scim/serverless-scim/pkg/apigw"
	"github.com/serverless-scim/serverless-scim/pkg/scim"
)

// get is a GET event for a path as HTTP API writes it: decoded.
func get(path string) request {
	return request{
		Version: "2.0", RouteKey: "$default", RawPath: path,
		Headers: map[string]string{"host": "scim.example.com", "x-forwarded-proto": "https"},
		RequestContext: events.APIGatewayV2HTTPRequestContext{
			Stage: "$default", RequestID: "req-1", DomainName: "scim.example.com",
			HTTP: events.APIGatewayV2HTTPRequestContextHTTPDescription{
				Method: "GET", Path: path, SourceIP: "192.0.2.7",
			},
		},
	}
}

// call runs h on ev and fails the test on an error, which a function must never return.
func call(t *testing.T, h http.HandlerFunc, ev request) response {
	t.Helper()
	resp, err := apigw.Handler(h)(context.Background(), ev)
	if err != nil {
		t.Fatalf("function returned an error: %v", err)
	}
	return resp
}

// wantPlain checks that resp is an answer as API Gateway gives it.
func wantPlain(t *testing.T, resp response, status int) {
	t.Helper()
	want := `{"message":"` + http.StatusText(status) + `"}`
	if resp.StatusCode != status || resp.Headers["Content-Type"] != "application/json" || resp.Body != want {
		t.Fatalf("got %d %v %s, want %d %s", resp.StatusCode, resp.Headers, resp.Body, status, want)
	}
}

func TestPathStaysDecoded(t *testing.T) {
	for _, path := range []string{
		"/scim/v2/t/Users/a#b", "/scim/v2/t/Users/100%", "/scim/v2/t/Users/a%2Fb", "/scim/v2/t/Users/a?b=c", "/a b",
		"/é", "//x", "/a//b",
		"/a;b", "/a+b", "/a/../b", "/%zz", "/", "/a\x00b", "/a\nb", "/a:b",
	} {
		var got, uri string
		call(t, func(_ http.ResponseWriter, r *http.Request) { got, uri = r.URL.Path, r.RequestURI }, get(path))
		if got != path {
			t.Errorf("path %q reached the handler as %q", path, got)
		}
		if strings.ContainsAny(uri, "# \n\x00") {
			t.Errorf("path %q: request URI %q is not escaped", path, uri)
		}
	}
}

func TestEmptyRawPathIsTakenFromContext(t *testing.T) {
	ev := get("/a#b")
	ev.RawPath = ""
	var got string
	call(t, func(_ http.ResponseWriter, r *http.Request) { got = r.URL.Path }, ev)
	if got != "/a#b" {
		t.Errorf("path %q", got)
	}
}

func TestPathThatWasCutAtAQuestionMark(t *testing.T) {
	inContext := get("/scim/v2/t/Users/a")
	inContext.RequestContext.HTTP.Path = "/scim/v2/t/Users/a?b"
	whole := get("/scim/v2/t/Users/a")
	whole.PathParameters = map[string]string{"tenant": "t", "id": "a"}
	events := map[string]request{"/scim/v2/t/Users/a?b": inContext, "/scim/v2/t/Users/a": whole}
	for _, id := range []string{"a?b", "a%3Fb", "a%3fb"} {
		ev := get("/scim/v2/t/Users/a")
		ev.PathParameters = map[string]string{"tenant": "t", "id": id}
		events["/scim/v2/t/Users/a?b"] = ev
	}
	for want, ev := range events {
		var got string
		call(t, func(_ http.ResponseWriter, r *http.Request) { got = r.URL.Path }, ev)
		if got != want {
			t.Errorf("%v, %q: path %q, want %q", ev.PathParameters, ev.RequestContext.HTTP.Path, got, want)
		}
	}
}

func TestStageIsStripped(t *testing.T) {
	for _, c := range []struct{ stage, path, want string }{
		{"$default", "/scim/v2", "/scim/v2"},
		{"", "/scim/v2", "/scim/v2"},
		{"prod", "/prod/scim/v2", "/scim/v2"},
		{"prod", "/prod", "/"},
		{"prod", "/prod/", "/"},
		{"prod", "/production/x", "/production/x"},
		{"prod", "/scim/prod", "/scim/prod"},
	} {
		ev := get(c.path)
		ev.RequestContext.Stage = c.stage
		var got string
		call(t, func(_ http.ResponseWriter, r *http.Request) { got = r.URL.Path }, ev)
		if got != c.want {
			t.Errorf("stage %q, path %q: got %q, want %q", c.stage, c.path, got, c.want)
		}
	}
}

func TestQueryStaysAsSent(t *testing.T) {
	for _, c := range []struct{ query, want string }{
		{"filter=userName+eq+%22a%23b%22&count=2", "filter=userName+eq+%22a%23b%22&count=2"},
		{"a=%zz", "a=%zz"},
		{"a=b#c", "a=b%23c"},
		{"a=b\nc d\xff", "a=b%0Ac%20d%FF"},
		{"a=1&a=2&b", "a=1&a=2&b"},
		{"", ""},
	} {
		ev := get("/x")
		ev.RawQueryString = c.query
		var got string
		call(t, func(_ http.ResponseWriter, r *http.Request) { got = r.URL.RawQuery }, ev)
		if got != c.want {
			t.Errorf("query %q reached the handler as %q, want %q", c.query, got, c.want)
		}
	}
}

func TestHeadersAreNotSplit(t *testing.T) {
	sent := map[string]string{
		"user-agent":    "Mozilla/5.0 (KHTML, like Gecko)",
		"authorization": "Bearer a,b",
		"if-match":      `W/"1",W/"2"`,
		"if-none-match": `W/"1", W/"2"`,
		"date":          "Sun, 22 Nov 2026 08:00:00 GMT",
		"prefer":        "return=minimal, wait=1",
		"accept":        "application/json, application/scim+json",
		"x-anything":    "a, b,c",
	}
	ev := get("/x")
	for k, v := range sent {
		ev.Headers[k] = v
	}
	ev.Cookies = []string{"a=1", "b=2"}
	call(t, func(_ http.ResponseWriter, r *http.Request) {
		for k, v := range sent {
			if got := r.Header.Values(k); len(got) != 1 || got[0] != v {
				t.Errorf("%s: got %q, want %q", k, got, v)
			}
		}
		if r.Header.Get("Host") != "" || r.Host != "scim.example.com" {
			t.Errorf("host %q, header %q", r.Host, r.Header.Get("Host"))
		}
		if c, err := r.Cookie("b"); err != nil || c.Value != "2" {
			t.Errorf("cookie b: %v, %v", c, err)
		}
		if got := r.Header.Get(apigw.RequestIDHeader); got != "req-1" {
			t.Errorf("request id %q", got)
		}
		if r.RemoteAddr != "192.0.2.7:0" {
			t.Errorf("remote address %q", r.RemoteAddr)
		}
	}, ev)
}

func TestRequestIDCannotBeForged(t *testing.T) {
	ev := get("/x")
	ev.Headers["x-amzn-requestid"] = "forged"
	call(t, func(_ http.ResponseWriter, r *http.Request) {
		if got := r.Header.Values(apigw.RequestIDHeader); len(got) != 1 || got[0] != "req-1" {
			t.Errorf("request id %q", got)
		}
	}, ev)
}

// TestCaller: the handler gets the caller that IAM has accepted, and no client can set it.
func TestCaller(t *testing.T) {
	const arn = "arn:aws:sts::111122223333:assumed-role/ScimOperator/operator"
	ev := get("/x")
	ev.Headers["x-amzn-caller-arn"] = "forged"
	call(t, func(_ http.ResponseWriter, r *http.Request) {
		if got := r.Header.Values(apigw.CallerHeader); len(got) != 0 {
			t.Errorf("without an authoriser the caller is %q", got)
		}
	}, ev)
	ev.RequestContext.Authorizer = &events.APIGatewayV2HTTPRequestContextAuthorizerDescription{
		IAM: &events.APIGatewayV2HTTPRequestContextAuthorizerIAMDescription{UserARN: arn},
	}
	call(t, func(_ http.ResponseWriter, r *http.Request) {
		if got := r.Header.Values(apigw.CallerHeader); len(got) != 1 || got[0] != arn {
			t.Errorf("the caller is %q", got)
		}
	}, ev)
}

func TestHostWithoutHeaderIsTheDomain(t *testing.T) {
	ev := get("/x")
	ev.Headers = nil
	call(t, func(_ http.ResponseWriter, r *http.Request) {
		if r.Host != "scim.example.com" || r.Header.Get("X-Forwarded-Proto") != "https" {
			t.Errorf("host %q, proto %q", r.Host, r.Header.Get("X-Forwarded-Proto"))
		}
	}, ev)
}

func TestBody(t *testing.T) {
	raw := "{\"a\":\"é\"}"
	for _, encoded := range []bool{false, true} {
		ev := get("/x")
		ev.RequestContext.HTTP.Method = "POST"
		ev.Body, ev.IsBase64Encoded = raw, encoded
		if encoded {
			ev.Body = base64.StdEncoding.EncodeToString([]byte(raw))
		}
		call(t, func(_ http.ResponseWriter, r *http.Request) {
			got, err := io.ReadAll(r.Body)
			if err != nil || string(got) != raw || r.ContentLength != int64(len(raw)) {
				t.Errorf("encoded %v: body %q, length %d, %v", encoded, got, r.ContentLength, err)
			}
		}, ev)
	}
}

func TestUnreadableEventIsBadRequest(t *testing.T) {
	never := func(http.ResponseWriter, *http.Request) { t.Error("the handler was called") }
	ev := get("/x")
	ev.Body, ev.IsBase64Encoded = "%%%", true
	wantPlain(t, call(t, never, ev), 400)
	for _, method := range []string{"", "GE T", "G\nET", strings.Repeat("A", 40)} {
		ev = get("/x")
		ev.RequestContext.HTTP.Method = method
		wantPlain(t, call(t, never, ev), 400)
	}
}

func TestPanicIsAnswered(t *testing.T) {
	resp := call(t, func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(200)
		_, _ = io.WriteString(w, "half an answer")
		panic("jane@example.com")
	}, get("/x"))
	wantPlain(t, resp, 500)
}

func TestAnswerWithoutStatus(t *testing.T) {
	resp := call(t, func(http.ResponseWriter, *http.Request) {}, get("/x"))
	if resp.StatusCode != 200 || resp.Body != "" {
		t.Errorf("got %d %q", resp.StatusCode, resp.Body)
	}
}

func TestAnswerFollowsNetHTTP(t *testing.T) {
	resp := call(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Add("X-A", "1")
		w.Header().Add("X-A", "2")
		http.SetCookie(w, &http.Cookie{Name: "c", Value: "1"})
		w.WriteHeader(http.StatusEarlyHints)
		w.WriteHeader(201)
		w.Header().Set("X-Late", "1")
		w.WriteHeader(500)
		_, _ = io.WriteString(w, "ok")
	}, get("/x"))
	if resp.StatusCode != 201 || resp.Body != "ok" || resp.Headers["X-A"] != "1,2" || resp.Headers["X-Late"] != "" ||
		len(resp.Cookies) != 1 {
		t.Errorf("got %+v", resp)
	}
}

func TestNoBodyWhereHTTPAllowsNone(t *testing.T) {
	for _, c := range []struct {
		method string
		status int
	}{{"GET", 204}, {"GET", 304}, {"HEAD", 200}} {
		ev := get("/x")
		ev.RequestContext.HTTP.Method = c.method
		resp := call(t, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", scim.MediaType)
			w.WriteHeader(c.status)
			_, _ = io.WriteString(w, "body")
		}, ev)
		if resp.StatusCode != c.status || resp.Body != "" {
			t.Errorf("%s %d: got %d %q", c.method, c.status, resp.StatusCode, resp.Body)
		}
		if typed := resp.Headers["Content-Type"] != ""; typed != (c.method == "HEAD") {
			t.Errorf("%s %d: headers %v", c.method, c.status, resp.Headers)
		}
	}
}

func TestBinaryAnswerIsBase64(t *testing.T) {
	resp := call(t, func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte{0xff, 0xfe}) }, get("/x"))
	if !resp.IsBase64Encoded || resp.Body != base64.StdEncoding.EncodeToString([]byte{0xff, 0xfe}) {
		t.Errorf("got %+v", resp)
	}
}
