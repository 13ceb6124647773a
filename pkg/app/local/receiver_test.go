package local_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"
)

// inbox is the queue of the receiver in docs/integrate.md.
type inbox struct {
	mu     sync.Mutex
	full   int // so many calls fail
	events map[string]object
	puts   chan struct{}
}

func (q *inbox) Put(id string, body []byte) error {
	q.mu.Lock()
	defer q.mu.Unlock()
	defer func() { q.puts <- struct{}{} }()
	if q.full--; q.full >= 0 {
		return errors.New("full")
	}
	var e object
	if err := json.Unmarshal(body, &e); err != nil {
		return err
	}
	q.events[id] = e
	return nil
}

func receive(queue *inbox) {
	hook, err := standardwebhooks.NewWebhook(os.Getenv("WEBHOOK_SECRET")) // whsec_…
	if err != nil {
		log.Fatal(err)
	}
	http.HandleFunc("POST /scim-events", func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, 1<<20))
		if err != nil || hook.Verify(body, r.Header) != nil { // also refuses what is older than 5 minutes
			http.Error(w, "not signed", http.StatusUnauthorized)
			return
		}
		if err := queue.Put(r.Header.Get("webhook-id"), body); err != nil { // once for each id
			http.Error(w, "later", http.StatusServiceUnavailable)
		}
	})
}

// TestReceiverOfDocs lets the receiver of docs/integrate.md get events. The function receive is the same text.
func TestReceiverOfDocs(t *testing.T) {
	read := func(file, from, to string) string {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		_, rest, _ := strings.Cut(string(text), from)
		block, _, found := strings.Cut(rest, to)
		if !found {
			t.Fatalf("%s has no %q", file, from)
		}
		return block
	}
	docs := read("../../../docs/integrate.md", "```go\n", "\n```")
	code := read("receiver_test.go", "func receive(queue *inbox) {\n", "\n}\n")
	if code = strings.TrimPrefix(strings.ReplaceAll(code, "\n\t", "\n"), "\t"); docs != code {
		t.Errorf("docs/integrate.md has\n%s\nthe test runs\n%s", docs, code)
	}

	http.DefaultServeMux = http.NewServeMux() // where the receiver registers
	web := httptest.NewServer(http.DefaultServeMux)
	t.Cleanup(web.Close)
	a := hooked(t, memory(t))
	hook := a.mustAdmin(201, "POST", "/webhooks",
		fmt.Sprintf(`{"url":"%s/scim-events","types":["member.*"],"active":false}`, web.URL))
	t.Setenv("WEBHOOK_SECRET", hook["secret"].(string))
	queue := &inbox{events: map[string]object{}, full: 1, puts: make(chan struct{}, 100)}
	receive(queue)
	a.mustAdmin(200, "PATCH", "/webhooks/"+hook["id"].(string), `{"active":true}`)
	a.user("ada")
	a.user("ben")
	if err := a.s.Settle(t.Context()); err != nil {
		t.Fatal(err)
	}
	want := 0
	for _, v := range a.mustAdmin(200, "GET", "/events?after=0", "")["events"].([]any) {
		if strings.HasPrefix(v.(object)["type"].(string), "member.") {
			want++
		}
	}
	have := func() int {
		queue.mu.Lock()
		defer queue.mu.Unlock()
		return len(queue.events)
	}
	for tries := 0; have() < want; tries++ {
		if tries > 1000 {
			t.Fatalf("%d of %d events came", have(), want)
		}
		select {
		case <-queue.puts:
		case <-time.After(30 * time.Millisecond):
			a.forward(time.Minute)
		}
	}
	for id, e := range queue.events {
		if e["id"] != id {
			t.Errorf("webhook-id %s of event %v", id, e)
		}
	}
	res, err := http.Post(web.URL+"/scim-events", "application/json", strings.NewReader("{}"))
	if err != nil {
		t.Fatal(err)
	}
	if _ = res.Body.Close(); res.StatusCode != http.StatusUnauthorized || have() != want {
		t.Errorf("without a signature: %d", res.StatusCode)
	}
}
