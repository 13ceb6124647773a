package apigw_test

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"

	"github.com/serverless-scim/serverless-scim/pkg/apigw"
)

// get503 asks a server and returns the body of the 503 that must come.
func get503(t *testing.T, url string) string {
	t.Helper()
	resp, err := http.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != http.StatusServiceUnavailable {
		t.Fatalf("got %d %s, %v; want 503", resp.StatusCode, body, err)
	}
	return string(body)
}

// TestGatewayGivesUp: a function that does not return in time is answered for, as AWS does after 30 seconds.
func TestGatewayGivesUp(t *testing.T) {
	stuck := make(chan struct{})
	g := apigw.Gateway{
		Timeout: time.Millisecond,
		Function: func(context.Context, events.APIGatewayV2HTTPRequest) (events.APIGatewayV2HTTPResponse, error) {
			<-stuck
			return events.APIGatewayV2HTTPResponse{StatusCode: 200, Body: "late"}, nil
		},
	}
	server := httptest.NewServer(g)
	defer server.Close()
	g.Fail = func(w http.ResponseWriter, _ *http.Request, status int, detail string) {
		w.Header().Set("Content-Length", strconv.Itoa(len(detail)))
		w.WriteHeader(status)
		_, _ = io.WriteString(w, detail)
	}
	own := httptest.NewServer(g)
	defer own.Close()
	defer close(stuck) // before the servers close, which wait for their requests
	if body := get503(t, server.URL); body != `{"message":"Service Unavailable"}` {
		t.Errorf("got %s", body)
	}
	if body := get503(t, own.URL); !strings.Contains(body, "took too long") {
		t.Errorf("got %s", body)
	}
}

// TestRefusedBodyIsNotRead: if a request is not admitted, the answer comes while the client still has all of its body.
func TestRefusedBodyIsNotRead(t *testing.T) {
	var length int64 = -1
	g := apigw.Gateway{
		Admit: func(r *http.Request) bool { return r.Header.Get("Authorization") == "yes" },
		Function: apigw.Handler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			length = r.ContentLength
			w.WriteHeader(http.StatusUnauthorized)
		})),
	}
	server := httptest.NewServer(g)
	defer server.Close()
	body, never := io.Pipe() // it never ends
	defer never.Close()
	r, err := http.NewRequest("POST", server.URL, body)
	if err != nil {
		t.Fatal(err)
	}
	r.ContentLength = 1 << 20
	resp, err := http.DefaultTransport.RoundTrip(r)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != 401 || length != 0 || !resp.Close {
		t.Errorf("got %d, the function saw a body of %d bytes, the connection is closed: %v",
			resp.StatusCode, length, resp.Close)
	}
}

// TestCallsInFlightAreBounded: of 200 requests that wait in a function, no more than 64 are in it, and the others get
// their turn or a 503.
func TestCallsInFlightAreBounded(t *testing.T) {
	entered, leave := make(chan struct{}, 200), make(chan struct{})
	server := httptest.NewServer(apigw.Gateway{
		InFlight: apigw.NewInFlight(),
		Function: func(context.Context, events.APIGatewayV2HTTPRequest) (events.APIGatewayV2HTTPResponse, error) {
			entered <- struct{}{}
			<-leave
			return events.APIGatewayV2HTTPResponse{StatusCode: 200}, nil
		},
	})
	defer server.Close()
	statuses := make(chan int, 200)
	for range 200 {
		go func() {
			resp, err := http.Get(server.URL)
			if err != nil {
				statuses <- 0
				return
			}
			_ = resp.Body.Close()
			statuses <- resp.StatusCode
		}()
	}
	for range 64 {
		<-entered
	}
	if n := len(entered); n > 0 {
		t.Errorf("%d more than 64 calls are under way", n)
	}
	close(leave)
	for range 200 {
		if status := <-statuses; status != 200 {
			t.Errorf("got %d", status)
		}
	}
}
