package e2e_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"
)

// The server is told to end while a request is in the middle of its body and eight clients are busy. The request is
// answered, the exit code is 0, and all that was acknowledged is there.
func TestStopsCleanly(t *testing.T) {
	data := t.TempDir()
	p := serve(t, "-data", data, "-log-level", "warn")
	c := join(t, p, "acme")
	address := strings.TrimPrefix(p.URL, "http://")

	slow := begin(t, address, c, user("slow"))
	var mu sync.Mutex
	var created []string
	enough := make(chan struct{})
	var clients sync.WaitGroup
	for i := range 8 {
		clients.Go(func() {
			for n := 0; ; n++ {
				name := fmt.Sprintf("c%d-%d", i, n)
				status, answer, err := c.do(context.Background(), "POST", "/Users", user(name))
				if err != nil {
					return // no connection is taken any more
				}
				if status != http.StatusCreated {
					t.Errorf("status %d: %v", status, answer)
					return
				}
				mu.Lock()
				if created = append(created, name); len(created) == 50 {
					close(enough)
				}
				mu.Unlock()
			}
		})
	}
	<-enough
	p.stop(t)
	clients.Wait()
	until(t, "new connections are refused", func() bool {
		conn, err := net.DialTimeout("tcp", address, time.Second)
		if err == nil {
			conn.Close()
		}
		return err != nil
	})
	select {
	case <-p.ended:
		t.Error("it did not wait for the request under way")
	default:
	}
	if status := slow(); status != http.StatusCreated {
		t.Errorf("the request under way was answered %d", status)
	}
	if code := p.code(t); code != 0 {
		t.Errorf("exit code %d", code)
	}
	if text := p.stderr.String(); text != "" {
		t.Errorf("the log says:\n%.2000s", text)
	}

	c.url = serve(t, "-data", data).URL
	names := map[string]bool{}
	for _, u := range c.all(t, "/Users") {
		names[u["userName"].(string)] = true
	}
	for _, name := range append(created, "slow") {
		if !names[name] {
			t.Errorf("%s was acknowledged and is not there", name)
		}
	}
}

// begin sends the head of a request. It returns when the server has begun to read the body, and a function that sends
// the body and returns the status of the answer.
func begin(t *testing.T, address string, c tenant, body string) func() int {
	t.Helper()
	conn, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	if err := conn.SetDeadline(time.Now().Add(patience)); err != nil {
		t.Fatal(err)
	}
	_, err = fmt.Fprintf(conn, "POST /scim/v2/%s/Users HTTP/1.1\r\nHost: %s\r\nAuthorization: Bearer %s\r\n"+
		"Content-Type: application/scim+json\r\nContent-Length: %d\r\nExpect: 100-continue\r\n\r\n",
		c.id, address, c.token, len(body))
	if err != nil {
		t.Fatal(err)
	}
	answers := bufio.NewReader(conn)
	line, err := answers.ReadString('\n')
	blank, again := answers.ReadString('\n')
	if err != nil || again != nil || !strings.HasPrefix(line, "HTTP/1.1 100") || strings.TrimSpace(blank) != "" {
		t.Fatalf("%q %q %v", line, blank, errors.Join(err, again))
	}
	return func() int {
		if _, err := io.WriteString(conn, body); err != nil {
			t.Error(err)
			return 0
		}
		resp, err := http.ReadResponse(answers, nil)
		if err != nil {
			t.Error(err)
			return 0
		}
		defer resp.Body.Close()
		return resp.StatusCode
	}
}

// until waits until ok, and no longer than patience.
func until(t *testing.T, what string, ok func() bool) {
	t.Helper()
	end := time.NewTimer(patience)
	defer end.Stop()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for !ok() {
		select {
		case <-tick.C:
		case <-end.C:
			t.Fatalf("not within %v: %s", patience, what)
		}
	}
}
