package apigw_test

import (
	"context"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/serverless-scim/serverless-scim/pkg/apigw"
)

// get503 sends a request, which must get a 503, and returns the body.
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

// TestGatewayGivesUp: if a function does not return in time, the gateway answers, as in AWS after 30 seconds.
func TestGatewayGivesUp(t *testing.T) {
	stuck := make(chan struct{})
	g := apigw.Gateway{
		Timeout: time.Millisecond,
		Function: func(context.Context, request) (response, error) {
			<-stuck
			return response{StatusCode: 200, Body: "late"}, nil
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

// TestGatewayCountsTheWait: a request has 30 seconds for the function and for the wait for others of its tenant.
func TestGatewayCountsTheWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := apigw.Gateway{
			InFlight: apigw.NewInFlight(),
			Admit:    func(*http.Request) apigw.Admission { return apigw.Admission{Party: "acme", Large: true} },
			Function: func(context.Context, request) (response, error) {
				time.Sleep(20 * time.Second)
				return response{StatusCode: 200}, nil
			},
		}
		began := time.Now()
		var wg sync.WaitGroup
		statuses := map[string]int{}
		var mu sync.Mutex
		for range 7 { // six may be under way
			wg.Go(func() {
				w := httptest.NewRecorder()
				g.ServeHTTP(told{w, func(status int) {
					mu.Lock()
					defer mu.Unlock()
					statuses[fmt.Sprintf("%d after %v", status, time.Since(began))]++
				}}, httptest.NewRequest(http.MethodGet, "/", nil))
			})
		}
		wg.Wait()
		if want := map[string]int{"200 after 20s": 6, "503 after 30s": 1}; !maps.Equal(statuses, want) {
			t.Errorf("got %v, want %v", statuses, want)
		}
	})
}

// TestRefusalsArePaced: a party whose clients do not wait gets 40 refusals a second, also if they hang up; 16 of its
// requests are under way meanwhile. Another party is answered at once.
func TestRefusalsArePaced(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var calls atomic.Int64
		g := apigw.Gateway{
			InFlight: apigw.NewInFlight(), Admit: byHeader,
			Function: func(_ context.Context, ev request) (response, error) {
				if ev.Headers["party"] == "calm" {
					return response{StatusCode: 200}, nil
				}
				calls.Add(1)
				return response{StatusCode: 429}, nil
			},
		}
		ask := func(ctx context.Context, party string) int {
			r := httptest.NewRequest(http.MethodGet, "/", nil).WithContext(ctx)
			r.Header.Set("Party", party)
			w := httptest.NewRecorder()
			g.ServeHTTP(w, r)
			return w.Code
		}
		began := time.Now()
		var wg sync.WaitGroup
		for i := range 32 {
			wg.Go(func() {
				for time.Since(began) < 10*time.Second {
					ctx, cancel := context.WithCancel(t.Context())
					if i%2 == 0 {
						time.AfterFunc(time.Millisecond, cancel)
					}
					ask(ctx, "loud")
					cancel()
					time.Sleep(time.Millisecond)
				}
			})
		}
		time.Sleep(9 * time.Second)
		asked := time.Now()
		if got := ask(t.Context(), "calm"); got != 200 || time.Since(asked) != 0 {
			t.Errorf("another party: %d after %v", got, time.Since(asked))
		}
		wg.Wait()
		if got := calls.Load(); got < 300 || got > 10*40+32 {
			t.Errorf("%d requests were carried out in ten seconds, want 40 a second", got)
		}
	})
}

// told reports the status of an answer when it is written.
type told struct {
	*httptest.ResponseRecorder
	tell func(status int)
}

func (w told) WriteHeader(status int) {
	w.tell(status)
	w.ResponseRecorder.WriteHeader(status)
}

// TestRefusedBodyIsNotRead: if a request is refused, the answer comes before the client has sent the body.
func TestRefusedBodyIsNotRead(t *testing.T) {
	var length int64 = -1
	g := apigw.Gateway{
		Admit: func(r *http.Request) apigw.Admission {
			return apigw.Admission{Refuse: r.Header.Get("Authorization") != "yes"}
		},
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

// byHeader takes the party of a request from a header.
func byHeader(r *http.Request) apigw.Admission { return apigw.Admission{Party: r.Header.Get("Party")} }

// TestCallsInFlightAreBounded: at most 16 requests of a party, and 64 of all, run in a function at a time, and the
// others follow.
func TestCallsInFlightAreBounded(t *testing.T) {
	const each, parties = 40, 6
	entered, leave := make(chan string, each*parties), make(chan struct{})
	server := httptest.NewServer(apigw.Gateway{
		InFlight: apigw.NewInFlight(), Admit: byHeader,
		Function: func(_ context.Context, ev request) (response, error) {
			entered <- ev.Headers["party"]
			<-leave
			return response{StatusCode: 200}, nil
		},
	})
	defer server.Close()
	statuses := make(chan int, each*parties)
	ask := func(party string) {
		r, _ := http.NewRequestWithContext(t.Context(), http.MethodGet, server.URL, http.NoBody)
		r.Header.Set("Party", party)
		resp, err := http.DefaultClient.Do(r)
		if err != nil {
			statuses <- 0
			return
		}
		_ = resp.Body.Close()
		statuses <- resp.StatusCode
	}
	in := map[string]int{}
	enter := func(n int) {
		for range n {
			in[<-entered]++
		}
	}
	for range each {
		go ask("first")
	}
	enter(16)
	// The others of the first party wait; requests of a second party still run.
	for range each {
		go ask("second")
	}
	enter(16)
	for _, party := range []string{"third", "fourth", "fifth", "sixth"} {
		for range each {
			go ask(party)
		}
	}
	enter(32)
	if n := len(entered); n > 0 {
		t.Errorf("%d more than 64 calls are under way", n)
	}
	for party, n := range in {
		if n > 16 {
			t.Errorf("%d calls of the %s party are under way", n, party)
		}
	}
	close(leave)
	for range each * parties {
		if status := <-statuses; status != 200 {
			t.Errorf("got %d", status)
		}
	}
}

// TestAddressesAreParties: requests without a known tenant are bounded by the address of the client; all addresses of
// one IPv6 network count as one.
func TestAddressesAreParties(t *testing.T) {
	entered, leave := make(chan struct{}, 64), make(chan struct{})
	g := apigw.Gateway{
		InFlight: apigw.NewInFlight(),
		Function: func(context.Context, request) (response, error) {
			entered <- struct{}{}
			<-leave
			return response{StatusCode: 200}, nil
		},
	}
	ask := func(ctx context.Context, address string) int {
		r := httptest.NewRequest("GET", "/", http.NoBody).WithContext(ctx)
		r.RemoteAddr = address
		w := httptest.NewRecorder()
		g.ServeHTTP(w, r)
		return w.Code
	}
	done := make(chan int, 48)
	for i := range 16 {
		for _, address := range []string{"192.0.2.1:%d", "[2001:db8::%d]:1", "[2001:db8:0:1::1]:%d"} {
			go func() { done <- ask(t.Context(), fmt.Sprintf(address, i+1)) }()
		}
	}
	for range 48 {
		<-entered
	}
	for _, address := range []string{"192.0.2.1:1", "[::ffff:192.0.2.1]:1", "[2001:db8::ffff]:1"} {
		if status := ask(soon(t), address); status != http.StatusServiceUnavailable {
			t.Errorf("%s: %d", address, status)
		}
	}
	go func() { done <- ask(t.Context(), "192.0.2.2:1") }()
	<-entered
	close(leave)
	for range 49 {
		if status := <-done; status != 200 {
			t.Errorf("got %d", status)
		}
	}
}
