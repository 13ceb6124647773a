package local_test

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/serverless-scim/serverless-scim/pkg/store"
)

// entryWatch notes the entries of the provisioning log that an engine is given, and in how large a call.
type entryWatch struct {
	store.Engine
	mu    sync.Mutex
	found []string // "OPERATIONS BYTES" of each call that has an entry
	bytes int      // of the largest
}

func (e *entryWatch) look(ops []store.Op) {
	e.mu.Lock()
	defer e.mu.Unlock()
	n := 0
	for _, op := range ops {
		switch {
		case strings.HasSuffix(op.PK, "#PL"):
			n++
			e.bytes = max(e.bytes, store.ItemBytes(op.Key, op.Set))
		case strings.HasSuffix(op.PK, "#PA"):
			return // counts, beside the request
		}
	}
	if n == 0 {
		return
	}
	alone := "with the change"
	if len(ops) == n {
		alone = "alone"
	}
	e.found = append(e.found, fmt.Sprint(n, " ", alone))
}

func (e *entryWatch) Transact(ctx context.Context, token string, ops []store.Op) error {
	e.look(ops)
	return e.Engine.Transact(ctx, token, ops)
}

func (e *entryWatch) Batch(ctx context.Context, ops []store.Op) ([]int, error) {
	e.look(ops)
	return e.Engine.Batch(ctx, ops)
}

// TestLogCost bounds the cost of the log: a change carries one entry of at most 2 KB in its transaction, a refusal is
// one write of its own, and so is a change of nothing, once an hour.
func TestLogCost(t *testing.T) {
	e := &entryWatch{Engine: memory(t)}
	a := on(t, e, "entra")
	a.mustAdmin(200, "PATCH", "", `{"settings":{"members":{"publish":false},"log":{"personalData":true}}}`)
	ids := a.users(3)
	group := a.group("Staff", ids[:1])
	long := strings.Repeat("long ", 2000)
	bulk := `{"schemas":["urn:ietf:params:scim:api:messages:2.0:BulkRequest"],"Operations":[` +
		`{"method":"DELETE","path":"/Users/a"},{"method":"DELETE","path":"/Users/b"}]}`
	for _, c := range []struct {
		what, method, path, body string
		status                   int
		want                     string
	}{
		{"create", "POST", "/Users", body(userURN, `"userName":"new"`), 201, "[1 with the change]"},
		{
			"create a large one", "POST", "/Users", body(userURN, `"userName":"large","title":"`+long+`"`), 201,
			"[1 with the change]",
		},
		{"PATCH", "PATCH", "/Users/" + ids[0], patchBody(op("title", "x")), 200, "[1 with the change]"},
		{"PATCH, nothing new", "PATCH", "/Users/" + ids[0], patchBody(op("title", "x")), 200, "[1 alone]"},
		{"the same again", "PATCH", "/Users/" + ids[0], patchBody(op("title", "x")), 200, "[]"},
		{"PUT", "PUT", "/Users/" + ids[0], body(userURN, `"userName":"other"`), 200, "[1 with the change]"},
		{"PUT, nothing new", "PUT", "/Users/" + ids[0], body(userURN, `"userName":"other"`), 200, "[1 alone]"},
		{"add members", "PATCH", "/Groups/" + group, patchBody(add(ids[1:]...)), 204, "[1 with the change]"},
		{"create a large group", "POST", "/Groups", body(groupURN, `"displayName":"Crowd","members":[`+
			strings.Repeat(`{"value":"`+ids[0]+`"},`, 600)+`{"value":"`+ids[1]+`"}]`), 201, "[1 with the change]"},
		{"GET", "GET", "/Users/" + ids[0], "", 200, "[]"},
		{"GET of nobody", "GET", "/Users/none", "", 404, "[]"},
		{"refused", "DELETE", "/Users/none", "", 404, "[1 alone]"},
		{"bulk, refused", "POST", "/Bulk", bulk, 200, "[2 alone]"},
	} {
		e.mu.Lock()
		e.found = []string{}
		e.mu.Unlock()
		a.must(c.status, c.method, c.path, c.body)
		e.mu.Lock()
		got := fmt.Sprint(e.found)
		e.mu.Unlock()
		if got != c.want {
			t.Errorf("%s: calls with entries: %s, want %s", c.what, got, c.want)
		}
	}
	if e.bytes > 2048 || e.bytes < 1500 {
		t.Errorf("the largest entry has %d bytes, want at most 2048, and a large one", e.bytes)
	}
	cut := a.log("bodyCut eq true")
	if len(cut) != 2 || cut[1]["subject"] != "large" || cut[0]["subject"] != "Crowd" {
		t.Errorf("entries whose body is cut: %v", cut)
	}
	for _, entry := range cut {
		kept, _ := a.mustAdmin(200, "GET", "/log/"+entry["id"].(string), "")["body"].(string)
		if len(kept) < 1000 {
			t.Errorf("%v: the entry has %d bytes of the body: %s", entry["subject"], len(kept), kept)
		}
	}
}

// TestRefusalsAreBounded sends more than a log keeps: the rest is counted.
func TestRefusalsAreBounded(t *testing.T) {
	e := &entryWatch{Engine: memory(t)}
	a := on(t, e, "entra")
	const sent = 150 // more than twice the number that is kept in a minute
	for range sent {
		a.must(404, "DELETE", "/Users/none", "")
	}
	kept := len(a.log(`outcome eq "refused"`))
	lost, _ := a.mustAdmin(200, "GET", "/activity", "")["entriesNotKept"].(float64)
	if kept+int(lost) != sent || kept < 60 || kept > 120 {
		t.Errorf("%d kept and %v not, of %d", kept, lost, sent)
	}
	// A tenant that does not exist gets no entries, no matter which requests are sent.
	e.mu.Lock()
	e.found = nil
	e.mu.Unlock()
	a.base = strings.Replace(a.base, "acme", "nobody", 1)
	a.must(401, "GET", "/Users", "")
	a.token = "malformed"
	a.must(401, "GET", "/Users", "")
	if len(e.found) > 0 {
		t.Errorf("entries of a tenant that is not there: %v", e.found)
	}
}

// TestRefusalWithoutItsEntry: a refusal is answered the same if its entry can't be written.
func TestRefusalWithoutItsEntry(t *testing.T) {
	e := &noEntries{Engine: memory(t)}
	a := on(t, e, "entra")
	a.must(404, "DELETE", "/Users/none", "")
	if got := a.mustAdmin(200, "GET", "/activity", "")["entriesNotKept"]; got != 1.0 {
		t.Errorf("%v entries are not kept, want 1", got)
	}
}

// noEntries is an engine that takes no entries of the provisioning log.
type noEntries struct{ store.Engine }

func (e *noEntries) Transact(ctx context.Context, token string, ops []store.Op) error {
	if len(ops) == 1 && strings.HasSuffix(ops[0].PK, "#PL") {
		return store.ErrFull
	}
	return e.Engine.Transact(ctx, token, ops)
}

func op(path, value string) string {
	return fmt.Sprintf(`{"op":"replace","path":%q,"value":%q}`, path, value)
}
