package example_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/serverless-scim/serverless-scim/pkg/app/example"
	"github.com/serverless-scim/serverless-scim/pkg/app/local"
	"github.com/serverless-scim/serverless-scim/pkg/store/boltstore"
	"github.com/serverless-scim/serverless-scim/pkg/tenant"
)

// The environment of a process that is the application and no test.
const (
	envTenant = "EXAMPLE_TENANT"
	envFile   = "EXAMPLE_FILE"
)

func TestMain(m *testing.M) {
	if os.Getenv(envTenant) == "" {
		os.Exit(m.Run())
	}
	app, err := example.Open(options(os.Getenv(envTenant), os.Getenv(envFile)))
	if err == nil {
		err = app.Follow(context.Background())
	}
	fmt.Fprintln(os.Stderr, err)
	os.Exit(1)
}

func options(tenantURL, file string) example.Options {
	return example.Options{Tenant: tenantURL, File: file, Pause: time.Millisecond}
}

// TestInStep follows a tenant through a proxy that cuts connections, in a process that is killed again and again, while
// SCIM requests race; then after an absence longer than events are kept. In the end the table is the list of members.
func TestInStep(t *testing.T) {
	w := newWorld(t)
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	chance := rand.New(rand.NewPCG(seed, 0))
	through, cut := newProxy(t, w.server.Listener.Addr().String(), seed)
	url, file := "http://"+through+"/admin/v1/tenants/acme", filepath.Join(t.TempDir(), "people.json")

	for round := range 6 {
		w.runKilled(url, file, round, 1+chance.IntN(4))
	}
	before := example.Table{}
	w.read(file, &before)
	if before.After == "" {
		t.Fatal("the application applied nothing before it was killed for the last time")
	}
	w.requests(6, 20)
	w.admin("PUT", "/clock", fmt.Sprintf(`{"now": %q}`, time.Now().Add(100*24*time.Hour).UTC().Format(time.RFC3339)))
	w.requests(7, 20)
	w.runKilled(url, file, 8, 3)
	if w.gone() == 0 {
		t.Error("after an absence longer than events are kept, no place was gone")
	}

	app, err := example.Open(options(url, file))
	if err != nil {
		t.Fatal(err)
	}
	for tries := 0; ; tries++ {
		n, err := app.Poll(t.Context(), 0)
		if err == nil && n == 0 {
			break
		}
		if tries > 1000 {
			t.Fatalf("not in step after %d tries: %v", tries, err)
		}
	}
	if cut.Load() == 0 {
		t.Error("no connection was cut")
	}
	t.Logf("%d connections cut, %d places gone", cut.Load(), w.gone())
	got, want := app.Table().People, w.members()
	if len(want) < 20 {
		t.Errorf("only %d members: the test shows little", len(want))
	}
	for id, m := range want {
		if !reflect.DeepEqual(got[id], m) {
			t.Errorf("member %s: the table has %+v, the list %+v", id, got[id], m)
		}
		delete(got, id)
	}
	for id, m := range got {
		t.Errorf("member %s has left, and the table has %+v", id, m)
	}
}

// world is a server with one tenant.
type world struct {
	t      *testing.T
	server *httptest.Server
	token  string
	asked  chan struct{} // gets a value for each request for events or members

	mu       sync.Mutex
	goneSeen int
}

func newWorld(t *testing.T) *world {
	t.Helper()
	s, err := local.Open(t.Context(), local.Options{
		Data: boltstore.Memory, Engine: "bolt", Log: io.Discard, Out: io.Discard,
	})
	if err != nil {
		t.Fatal(err)
	}
	w := &world{t: t, asked: make(chan struct{}, 10_000)}
	w.server = httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		seen := &statusWriter{ResponseWriter: rw}
		if strings.HasSuffix(r.URL.Path, "/events") || strings.HasSuffix(r.URL.Path, "/members") {
			select {
			case w.asked <- struct{}{}:
			default:
			}
		}
		s.Handler().ServeHTTP(seen, r)
		if seen.status == http.StatusGone {
			w.mu.Lock()
			w.goneSeen++
			w.mu.Unlock()
		}
	}))
	t.Cleanup(func() {
		w.server.CloseClientConnections()
		w.server.Close()
		_ = s.Close()
	})
	_, token, err := s.Tenants().Create(t.Context(), tenant.NewTenant{ID: "acme", Name: "Acme"})
	if err != nil {
		t.Fatal(err)
	}
	w.token = token.Value
	return w
}

// statusWriter remembers the status of an answer.
type statusWriter struct {
	http.ResponseWriter
	status int
}

func (s *statusWriter) WriteHeader(status int) {
	s.status = status
	s.ResponseWriter.WriteHeader(status)
}

func (s *statusWriter) Unwrap() http.ResponseWriter { return s.ResponseWriter }

func (w *world) gone() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.goneSeen
}

// runKilled runs the application in a process of its own while requests race, and kills it once it has asked for events
// or members so many times more.
func (w *world) runKilled(url, file string, round, asked int) {
	w.t.Helper()
	for len(w.asked) > 0 {
		<-w.asked
	}
	program, err := os.Executable()
	if err != nil {
		w.t.Fatal(err)
	}
	var said bytes.Buffer
	cmd := exec.Command(program)
	cmd.Env = append(os.Environ(), envTenant+"="+url, envFile+"="+file)
	cmd.Stderr = &said
	if err := cmd.Start(); err != nil {
		w.t.Fatal(err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		w.requests(round, 40)
	}()
	// The second request comes for certain: after the first are events, or its connection was cut.
	for n := 0; n < 1+asked; n++ {
		select {
		case <-w.asked:
			continue
		case <-w.t.Context().Done():
		case <-time.After(5 * time.Minute):
			w.t.Errorf("round %d: the application asked %d times: %s", round, n, said.String())
		}
		break
	}
	_ = cmd.Process.Kill()
	_ = cmd.Wait() // the error is that it was killed
	<-done
}

// requests lets four clients create, change, join and delete people at once.
func (w *world) requests(round, each int) {
	var all sync.WaitGroup
	for client := range 4 {
		all.Go(func() {
			chance := rand.New(rand.NewPCG(uint64(round), uint64(client)))
			var users []string
			for i := range each {
				switch n := chance.IntN(10); {
				case n < 4 || len(users) == 0:
					users = append(users, w.scim("POST", "/Users", fmt.Sprintf(
						`{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":"u%d-%d-%d@example.com"}`,
						round, client, i)))
				case n < 6:
					w.scim("POST", "/Groups", fmt.Sprintf(`{"schemas":["urn:ietf:params:scim:schemas:core:2.0:Group"],`+
						`"displayName":"g%d-%d-%d","members":[{"value":%q}]}`, round, client, i, users[chance.IntN(len(users))]))
				case n < 9:
					w.scim("PATCH", "/Users/"+users[chance.IntN(len(users))], fmt.Sprintf(
						`{"schemas":["urn:ietf:params:scim:api:messages:2.0:PatchOp"],"Operations":[`+
							`{"op":"replace","path":"active","value":%v},`+
							`{"op":"replace","path":"displayName","value":"name %d"}]}`, chance.IntN(2) == 0, i))
				default:
					last := len(users) - 1
					w.scim("DELETE", "/Users/"+users[last], "")
					users = users[:last]
				}
			}
		})
	}
	all.Wait()
}

// scim sends a SCIM request, which must succeed, and returns the id in its answer.
func (w *world) scim(method, path, body string) string {
	r, err := http.NewRequest(method, w.server.URL+"/scim/v2/acme"+path, strings.NewReader(body))
	if err != nil {
		w.t.Error(err)
		return ""
	}
	r.Header.Set("Authorization", "Bearer "+w.token)
	r.Header.Set("Content-Type", "application/scim+json")
	var out struct {
		ID string `json:"id"`
	}
	w.send(r, &out)
	return out.ID
}

// admin sends a request to the admin API, which must succeed.
func (w *world) admin(method, path, body string) {
	w.t.Helper()
	r, err := http.NewRequest(method, w.server.URL+"/admin/v1"+path, strings.NewReader(body))
	if err != nil {
		w.t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/json")
	w.send(r, &struct{}{})
}

func (w *world) send(r *http.Request, out any) {
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		w.t.Error(err)
		return
	}
	defer answer.Body.Close()
	data, err := io.ReadAll(answer.Body)
	if err != nil || answer.StatusCode >= 300 {
		w.t.Errorf("%s %s: %d %s, error %v", r.Method, r.URL.Path, answer.StatusCode, data, err)
		return
	}
	if len(data) > 0 {
		if err := json.Unmarshal(data, out); err != nil {
			w.t.Error(err)
		}
	}
}

// members is the list of members, read without the proxy.
func (w *world) members() map[string]example.Member {
	w.t.Helper()
	all := map[string]example.Member{}
	for cursor := ""; ; {
		r, err := http.NewRequest("GET", w.server.URL+"/admin/v1/tenants/acme/members?count=1000&cursor="+cursor, nil)
		if err != nil {
			w.t.Fatal(err)
		}
		var page struct {
			Members    []example.Member `json:"members"`
			NextCursor string           `json:"nextCursor"`
		}
		w.send(r, &page)
		for _, m := range page.Members {
			all[m.ID] = m
		}
		if cursor = page.NextCursor; cursor == "" {
			return all
		}
	}
}

func (w *world) read(file string, table *example.Table) {
	w.t.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		w.t.Fatal(err)
	}
	if err := json.Unmarshal(data, table); err != nil {
		w.t.Fatal(err)
	}
}
