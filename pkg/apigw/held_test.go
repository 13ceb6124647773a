package apigw_test

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

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

// TestAnswersInFlightAreBounded: a party whose clients read nothing has 16 answers made for it, of which it holds 16 MB
// and not more. Nothing is made for the next one. Other parties go on, and each client has a deadline.
func TestAnswersInFlightAreBounded(t *testing.T) {
	large, medium := strings.Repeat("x", 4<<20), strings.Repeat("x", 100<<10)
	var made atomic.Int64
	g := apigw.Gateway{
		InFlight: apigw.NewInFlight(), Admit: byHeader,
		Function: func(_ context.Context, ev request) (response, error) {
			made.Add(1)
			return response{
				StatusCode: 200, Body: map[string]string{"/large": large, "/medium": medium, "/small": "x"}[ev.RawPath],
			}, nil
		},
	}
	ask := func(ctx context.Context, w http.ResponseWriter, party, path string) {
		r := httptest.NewRequest("GET", path, http.NoBody).WithContext(ctx)
		r.Header.Set("Party", party)
		g.ServeHTTP(w, r)
	}
	status := func(ctx context.Context, party, path string) int {
		w := httptest.NewRecorder()
		ask(ctx, w, party, path)
		if w.Code == 503 && w.Header().Get("Retry-After") == "" {
			t.Error("a 503 without Retry-After")
		}
		return w.Code
	}
	writing, leave, done := make(chan struct{}, 16), make(chan struct{}), make(chan *held, 16)
	hold := func(n int, path string) {
		for range n {
			go func() {
				h := &held{httptest.NewRecorder(), writing, leave, time.Time{}}
				ask(t.Context(), h, "slow", path)
				done <- h
			}()
		}
		for range n {
			<-writing
		}
	}
	hold(3, "/large")
	hold(1, "/medium")
	if got := status(soon(t), "slow", "/large"); got != 503 {
		t.Errorf("more bytes than fit: %d", got)
	}
	if got := status(t.Context(), "slow", "/small"); got != 200 {
		t.Errorf("a small answer: %d", got)
	}
	hold(12, "/medium")
	before := made.Load()
	for range 3 {
		if got := status(soon(t), "slow", "/small"); got != 503 {
			t.Errorf("with 16 answers that nobody reads: %d", got)
		}
	}
	if n := made.Load() - before; n != 0 {
		t.Errorf("%d answers were made for a party that reads none", n)
	}
	if got := status(t.Context(), "other", "/large"); got != 200 {
		t.Errorf("another party: %d", got)
	}
	close(leave)
	for range 16 {
		if h := <-done; h.Code != 200 || h.Body.Len() < len(medium) || h.deadline.IsZero() {
			t.Errorf("%d with %d bytes, deadline %v", h.Code, h.Body.Len(), h.deadline)
		}
	}
	if got := status(t.Context(), "slow", "/large"); got != 200 {
		t.Errorf("after the others: %d", got)
	}
}

// slowBody is a body that says that it is being read, and does not come.
type slowBody struct{ reading, leave chan struct{} }

func (b slowBody) Read([]byte) (int, error) {
	b.reading <- struct{}{}
	<-b.leave
	return 0, io.EOF
}

// TestBodiesInFlightAreBounded: bodies that do not come hold room for 16 MB of a party; another one is not read, one of
// another party is.
func TestBodiesInFlightAreBounded(t *testing.T) {
	g := apigw.Gateway{
		InFlight: apigw.NewInFlight(), Admit: byHeader,
		Function: func(context.Context, request) (response, error) {
			return response{StatusCode: 200}, nil
		},
	}
	const fit = 4
	b, done := slowBody{make(chan struct{}, fit), make(chan struct{})}, make(chan int, fit)
	post := func(ctx context.Context, party string, body io.Reader) *httptest.ResponseRecorder {
		r := httptest.NewRequest("POST", "/", body).WithContext(ctx)
		r.ContentLength = 4 << 20
		r.Header.Set("Party", party)
		w := httptest.NewRecorder()
		g.ServeHTTP(w, r)
		return w
	}
	for range fit {
		go func() { done <- post(t.Context(), "slow", b).Code }()
	}
	for range fit {
		<-b.reading
	}
	w := post(soon(t), "slow", b)
	if w.Code != http.StatusServiceUnavailable || w.Header().Get("Connection") != "close" || len(b.reading) != 0 {
		t.Errorf("one more than fits: %d %v", w.Code, w.Header())
	}
	if w := post(t.Context(), "other", strings.NewReader("x")); w.Code != 200 {
		t.Errorf("another party: %d", w.Code)
	}
	close(b.leave)
	for range fit {
		if status := <-done; status != 200 {
			t.Errorf("got %d", status)
		}
	}
}
