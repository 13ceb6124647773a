package web_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/serverless-scim/serverless-scim/pkg/task"
	"github.com/serverless-scim/serverless-scim/pkg/web"
)

// serve sends a request to an edge that answers errors as text, and returns the answer and the log.
func serve(
	t *testing.T, r *http.Request, serve func(context.Context, http.ResponseWriter, *web.Request) error,
) (*httptest.ResponseRecorder, string) {
	t.Helper()
	var log bytes.Buffer
	w := httptest.NewRecorder()
	web.New(web.Edge{
		Name: "test", Serve: serve, Log: slog.New(slog.NewTextHandler(&log, nil)),
		Fail: func(_ context.Context, w http.ResponseWriter, _ *web.Request, err error) {
			if p := (*task.Panic)(nil); errors.As(err, &p) {
				http.Error(w, "a panic", 500)
				return
			}
			http.Error(w, err.Error(), 400)
		},
	}).ServeHTTP(w, r)
	return w, log.String()
}

func TestErrorsAndPanicsAreTheEdgesOwn(t *testing.T) {
	r := httptest.NewRequest("GET", "/people/jane@example.com?token=secret", nil)
	r.Header.Set("X-Amzn-Requestid", "req-1")
	for want, f := range map[string]func(context.Context, http.ResponseWriter, *web.Request) error{
		"a panic": func(context.Context, http.ResponseWriter, *web.Request) error { panic("secret") },
		"wrong":   func(context.Context, http.ResponseWriter, *web.Request) error { return errors.New("wrong") },
		"fine": func(_ context.Context, w http.ResponseWriter, r *web.Request) error {
			r.Route = "/people/{id}"
			r.Attrs = append(r.Attrs, slog.String("tenant", "acme"))
			_, err := io.WriteString(w, "fine")
			return err
		},
	} {
		w, log := serve(t, r, f)
		if strings.TrimSpace(w.Body.String()) != want {
			t.Errorf("got %d %q, want %q", w.Code, w.Body.String(), want)
		}
		h := w.Header()
		if h.Get("Cache-Control") != "no-store" || h.Get("X-Content-Type-Options") != "nosniff" ||
			h.Get("X-Request-Id") != "req-1" {
			t.Errorf("%s: headers %v", want, h)
		}
		if strings.Count(log, "msg=request") != 1 || strings.Contains(log, "secret") || strings.Contains(log, "jane") ||
			!strings.Contains(log, "requestId=req-1 edge=test method=GET") {
			t.Errorf("%s: log %s", want, log)
		}
		if want == "fine" && !strings.Contains(log, "route=/people/{id} status=200") {
			t.Errorf("log %s", log)
		}
		if want == "a panic" && !strings.Contains(log, "stack=") {
			t.Errorf("log %s", log)
		}
	}
}

// TestHalfAnAnswerEndsTheConnection: the client must not take a part of an answer before a panic for the whole.
func TestHalfAnAnswerEndsTheConnection(t *testing.T) {
	defer func() {
		if v := recover(); v != http.ErrAbortHandler {
			t.Errorf("got panic %v", v)
		}
	}()
	serve(t, httptest.NewRequest("GET", "/", nil),
		func(_ context.Context, w http.ResponseWriter, _ *web.Request) error {
			_, _ = io.WriteString(w, "half")
			panic("secret")
		})
	t.Error("the handler returned")
}

func TestDeadlineLeavesTimeToAnswer(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
	defer cancel()
	outer, _ := ctx.Deadline()
	r := httptest.NewRequest("GET", "/", nil).WithContext(ctx)
	serve(t, r, func(ctx context.Context, _ http.ResponseWriter, _ *web.Request) error {
		if inner, ok := ctx.Deadline(); !ok || !inner.Before(outer) {
			t.Errorf("deadline %v, the caller's is %v", inner, outer)
		}
		return nil
	})
}

func TestReadText(t *testing.T) {
	for _, c := range []struct {
		body   string
		length int64
		want   error
	}{
		{"", 0, nil},
		{"four", 4, nil},
		{"four", -1, nil},
		{"fives", 5, web.ErrTooLarge},
		{"fives", -1, web.ErrTooLarge},
	} {
		r := httptest.NewRequest("POST", "/", strings.NewReader(c.body))
		r.ContentLength = c.length
		text, err := web.ReadText(r, 4)
		if !errors.Is(err, c.want) || err == nil && text != c.body {
			t.Errorf("%q of length %d: %q, %v; want %v", c.body, c.length, text, err, c.want)
		}
	}
}

// TestBase: the base URL follows the Host, and that for assertions only if it names where the connection came in.
func TestBase(t *testing.T) {
	at := func(address string) net.Addr {
		if address == "" {
			return nil
		}
		a, err := net.ResolveTCPAddr("tcp", address)
		if err != nil {
			t.Fatal(err)
		}
		return a
	}
	for _, c := range []struct{ configured, host, address, base, bound string }{
		{"https://a.example/", "evil.example", "127.0.0.1:80", "https://a.example", "https://a.example"},
		{"", "127.0.0.1:8080", "127.0.0.1:8080", "http://127.0.0.1:8080", "http://127.0.0.1:8080"},
		{"", "localhost:8080", "127.0.0.1:8080", "http://localhost:8080", "http://localhost:8080"},
		{"", "[::1]:8080", "[::1]:8080", "http://[::1]:8080", "http://[::1]:8080"},
		{"", "localhost", "127.0.0.1:80", "http://localhost", "http://localhost"},
		{"", "localhost:8081", "127.0.0.1:8080", "http://localhost:8081", "http://127.0.0.1:8080"},
		{"", "localhost:8080", "192.0.2.1:8080", "http://localhost:8080", "http://192.0.2.1:8080"},
		{"", "evil.example", "127.0.0.1:8080", "http://evil.example", "http://127.0.0.1:8080"},
		{"", "abc.execute-api.example", "", "http://abc.execute-api.example", "http://abc.execute-api.example"},
		{"", "a/b", "127.0.0.1:8080", "", "http://127.0.0.1:8080"},
		{"", "", "", "", ""},
	} {
		r := httptest.NewRequest("GET", "/", nil)
		r.Host = c.host
		if a := at(c.address); a != nil {
			r = r.WithContext(context.WithValue(r.Context(), http.LocalAddrContextKey, a))
		}
		base, errBase := web.Base(c.configured, r)
		bound, errBound := web.Bound(c.configured, r)
		if base != c.base || bound != c.bound || (errBase != nil) != (base == "") ||
			(errBound != nil) != (bound == "") {
			t.Errorf("%+v: base %q, %v; bound %q, %v", c, base, errBase, bound, errBound)
		}
	}
}
