package apigw_test

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"

	"github.com/serverless-scim/serverless-scim/pkg/apigw"
)

// soon is the context of a client that does not wait for room.
func soon(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
	t.Cleanup(cancel)
	return ctx
}

// held is a client that reads nothing until it is let go. It keeps the deadline that it was given.
type held struct {
	*httptest.ResponseRecorder
	writing, leave chan struct{}
	deadline       time.Time
}

func (h *held) SetWriteDeadline(at time.Time) error {
	h.deadline = at
	return nil
}

func (h *held) Write(p []byte) (int, error) { return h.WriteString(string(p)) }

func (h *held) WriteString(s string) (int, error) {
	h.writing <- struct{}{}
	<-h.leave
	return h.ResponseRecorder.WriteString(s)
}

// TestAnswersInFlightAreBounded: clients that read nothing of 4 MB hold 64 MB of answers and not more. The others are
// told to come again, small answers go on, and each client has a deadline.
func TestAnswersInFlightAreBounded(t *testing.T) {
	large := strings.Repeat("x", 4<<20)
	g := apigw.Gateway{
		InFlight: apigw.NewInFlight(),
		Function: func(_ context.Context, ev events.APIGatewayV2HTTPRequest) (events.APIGatewayV2HTTPResponse, error) {
			if ev.RawPath == "/small" {
				return events.APIGatewayV2HTTPResponse{StatusCode: 200, Body: "x"}, nil
			}
			return events.APIGatewayV2HTTPResponse{StatusCode: 200, Body: large}, nil
		},
	}
	const fit = 16
	writing, leave, done := make(chan struct{}, fit), make(chan struct{}), make(chan *held, fit)
	for range fit {
		go func() {
			h := &held{httptest.NewRecorder(), writing, leave, time.Time{}}
			g.ServeHTTP(h, httptest.NewRequest("GET", "/large", nil))
			done <- h
		}()
	}
	for range fit {
		<-writing
	}
	for range 3 {
		w := httptest.NewRecorder()
		g.ServeHTTP(w, httptest.NewRequest("GET", "/large", nil).WithContext(soon(t)))
		if w.Code != 503 || w.Header().Get("Retry-After") == "" {
			t.Fatalf("one more than fits: %d %v", w.Code, w.Header())
		}
	}
	w := httptest.NewRecorder()
	g.ServeHTTP(w, httptest.NewRequest("GET", "/small", nil))
	if w.Code != 200 {
		t.Errorf("a small answer: %d", w.Code)
	}
	close(leave)
	for range fit {
		if h := <-done; h.Code != 200 || h.Body.Len() != len(large) || h.deadline.IsZero() {
			t.Errorf("%d with %d bytes, deadline %v", h.Code, h.Body.Len(), h.deadline)
		}
	}
	w = httptest.NewRecorder()
	g.ServeHTTP(w, httptest.NewRequest("GET", "/large", nil))
	if w.Code != 200 {
		t.Errorf("after the others: %d", w.Code)
	}
}

// slowBody is a body that says that it is being read, and does not come.
type slowBody struct{ reading, leave chan struct{} }

func (b slowBody) Read([]byte) (int, error) {
	b.reading <- struct{}{}
	<-b.leave
	return 0, io.EOF
}

// TestBodiesInFlightAreBounded: bodies that do not come hold room for 64 MB; another one is not read.
func TestBodiesInFlightAreBounded(t *testing.T) {
	g := apigw.Gateway{
		InFlight: apigw.NewInFlight(),
		Function: func(context.Context, events.APIGatewayV2HTTPRequest) (events.APIGatewayV2HTTPResponse, error) {
			return events.APIGatewayV2HTTPResponse{StatusCode: 200}, nil
		},
	}
	const fit = 16
	b, done := slowBody{make(chan struct{}, fit), make(chan struct{})}, make(chan int, fit)
	post := func(ctx context.Context, body io.Reader) *httptest.ResponseRecorder {
		r := httptest.NewRequest("POST", "/", body).WithContext(ctx)
		r.ContentLength = 4 << 20
		w := httptest.NewRecorder()
		g.ServeHTTP(w, r)
		return w
	}
	for range fit {
		go func() { done <- post(t.Context(), b).Code }()
	}
	for range fit {
		<-b.reading
	}
	w := post(soon(t), b)
	if w.Code != http.StatusServiceUnavailable || w.Header().Get("Connection") != "close" || len(b.reading) != 0 {
		t.Errorf("one more than fits: %d %v", w.Code, w.Header())
	}
	close(b.leave)
	for range fit {
		if status := <-done; status != 200 {
			t.Errorf("got %d", status)
		}
	}
}
