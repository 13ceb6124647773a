package e2e_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

// bus is an EventBridge that takes all it is given.
type bus struct {
	url string

	mu      sync.Mutex
	details []string
}

func startBus(t *testing.T) *bus {
	t.Helper()
	b := &bus{}
	web := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var in struct{ Entries []struct{ Detail string } }
		err := json.NewDecoder(r.Body).Decode(&in)
		if err != nil || r.Header.Get("X-Amz-Target") != "AWSEvents.PutEvents" {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		b.mu.Lock()
		defer b.mu.Unlock()
		var ids []map[string]string
		for _, e := range in.Entries {
			b.details = append(b.details, e.Detail)
			ids = append(ids, map[string]string{"EventId": "1"})
		}
		_ = json.NewEncoder(w).Encode(map[string]any{"FailedEntryCount": 0, "Entries": ids})
	}))
	t.Cleanup(web.Close)
	b.url = web.URL
	return b
}

// has reports whether an event came that has all of the texts in it.
func (b *bus) has(texts ...string) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, d := range b.details {
		all := true
		for _, text := range texts {
			all = all && strings.Contains(d, text)
		}
		if all {
			return true
		}
	}
	return false
}

// telling checks that the events of a token get onto the bus, by the stream and by the schedule, and the state of a
// notice that nobody can send.
func (w *world) telling(t *testing.T) {
	const id = "told"
	token := w.Must(t, 201, "POST", "/tenants",
		`{"id":"`+id+`","name":"Told","settings":{"notices":{"recipients":[{"email":"ada@example.com"}]}}}`)["token"].(object)
	eventually(t, "the event of a new token comes", func() bool {
		return w.bus.has(`"type":"token.created"`, `"tenant":"`+id+`"`, `"subject":"tokens/`+token["id"].(string)+`"`)
	})
	w.Must(t, 202, "POST", "/tenants/"+id+"/notices", `{"kind":"test"}`)
	eventually(t, "the notice fails", func() bool {
		got := w.Must(t, 200, "GET", "/tenants/"+id+"/notices", "")
		return strings.Contains(fmt.Sprint(got["notices"]), "state:failed")
	})
	eventually(t, "the event of the notice comes",
		func() bool { return w.bus.has(`"type":"notice.failed"`, `"tenant":"`+id+`"`) })
	for _, name := range []string{"rotate", "rotate-report"} {
		event, err := os.ReadFile(filepath.Join("..", "..", "..", "events", name+".json"))
		if err != nil {
			t.Fatal(err)
		}
		eventually(t, name+" is taken", func() bool {
			_, err := w.functions["rotate"].Invoke(t.Context(), event)
			return err == nil
		})
	}
	if w.bus.has("ada@example.com") {
		t.Error("an address is on the bus")
	}
}
