package scimhttp_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/serverless-scim/serverless-scim/pkg/apigw"
	"github.com/serverless-scim/serverless-scim/pkg/directory"
	"github.com/serverless-scim/serverless-scim/pkg/scim"
	"github.com/serverless-scim/serverless-scim/pkg/scimhttp"
	"github.com/serverless-scim/serverless-scim/pkg/store"
	"github.com/serverless-scim/serverless-scim/pkg/store/boltstore"
	"github.com/serverless-scim/serverless-scim/pkg/tenant"
)

// host is where the server of the tests is; it can't be reached but through do.
const host = "scim.example.com"

// server is the SCIM endpoint as it runs in AWS, with API Gateway's conversions.
type server struct {
	t       *testing.T
	http    http.Handler
	tenants *tenant.Service
	now     time.Time
	// fault, if it is set, is the error of the store's engine.
	fault error
	// before, if it is set, is called before each call of the store's engine.
	before atomic.Pointer[func(ctx context.Context, c call)]
}

// call is a call of an engine: the partition and sort key that it names first, and whether it writes.
type call struct {
	pk, sk string
	writes bool
}

// faulty is an engine that reports each call to its server, and fails if the server wants it.
type faulty struct {
	store.Engine
	s *server
}

func (f faulty) tell(ctx context.Context, c call) {
	if before := f.s.before.Load(); before != nil {
		(*before)(ctx, c)
	}
}

func (f faulty) Get(ctx context.Context, keys []store.Key) ([]store.Item, []int, error) {
	f.tell(ctx, call{pk: keys[0].PK, sk: keys[0].SK})
	if f.s.fault != nil {
		return nil, nil, f.s.fault
	}
	return f.Engine.Get(ctx, keys)
}

func (f faulty) Query(ctx context.Context, q store.Query) (store.Page, error) {
	f.tell(ctx, call{pk: q.PK})
	return f.Engine.Query(ctx, q)
}

func (f faulty) Transact(ctx context.Context, token string, ops []store.Op) error {
	f.tell(ctx, call{pk: ops[0].PK, sk: ops[0].SK, writes: true})
	return f.Engine.Transact(ctx, token, ops)
}

func (s *server) clock() time.Time { return s.now }

// account is a tenant and its token.
type account struct{ id, token string }

// newServer creates a server on an empty store. change may adjust its configuration.
func newServer(t *testing.T, change func(*scimhttp.Config)) *server {
	t.Helper()
	s := &server{t: t, now: time.Date(2026, 11, 22, 8, 0, 0, 0, time.UTC)}
	engine, err := boltstore.Open(":memory:", boltstore.Options{Now: s.clock})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = engine.Close() })
	st := store.New(faulty{engine, s}, store.Options{MaxWait: 50 * time.Millisecond, BaseDelay: time.Millisecond})
	s.tenants = tenant.New(st, tenant.NewTableSecrets(st), tenant.Options{Now: s.clock})
	c := scimhttp.Config{
		Tenants:   s.tenants,
		Directory: directory.New(st, directory.Options{Now: s.clock}),
		Log:       slog.New(slog.DiscardHandler),
		Now:       s.clock,
	}
	if change != nil {
		change(&c)
	}
	s.http = apigw.Gateway{Function: apigw.Handler(scimhttp.New(c)), Fail: scimhttp.Refuse}
	return s
}

// tenant creates a tenant.
func (s *server) tenant(id, idp string, settings tenant.Settings) account {
	s.t.Helper()
	made, token, err := s.tenants.Create(context.Background(), tenant.NewTenant{
		ID: id, Name: id, IdP: idp,
		Settings: settings,
	})
	if err != nil {
		s.t.Fatal(err)
	}
	return account{made.ID, token.Value}
}

// response is an answer, its body decoded.
type response struct {
	t      *testing.T
	what   string
	status int
	header http.Header
	raw    string
	body   map[string]any
}

// send sends a request as it is given. headers are name, value, name, value.
func (s *server) send(method, target, body string, headers ...string) *response {
	s.t.Helper()
	var reader io.Reader
	if body != "" {
		reader = strings.NewReader(body)
	}
	r := httptest.NewRequest(method, "http://"+host+target, reader)
	for i := 0; i+1 < len(headers); i += 2 {
		r.Header.Add(headers[i], headers[i+1])
	}
	w := httptest.NewRecorder()
	s.http.ServeHTTP(w, r)
	resp := &response{t: s.t, what: method + " " + target, status: w.Code, header: w.Header(), raw: w.Body.String()}
	if resp.raw != "" {
		if err := json.Unmarshal([]byte(resp.raw), &resp.body); err != nil {
			s.t.Fatalf("%s: %d %.200q: %v", resp.what, resp.status, resp.raw, err)
		}
	}
	return resp
}

// as sends a request of a tenant; path begins after its base URL.
func (s *server) as(a account, method, path, body string, headers ...string) *response {
	s.t.Helper()
	return s.send(method, "/scim/v2/"+a.id+path, body,
		append([]string{"Authorization", "Bearer " + a.token}, headers...)...)
}

// want checks the status.
func (r *response) want(status int) *response {
	r.t.Helper()
	if r.status != status {
		r.t.Fatalf("%s: got %d %.500s, want %d", r.what, r.status, r.raw, status)
	}
	return r
}

// wantError checks that the answer is a SCIM error (RFC 7644, section 3.12).
func (r *response) wantError(status int, scimType scim.ErrorType) *response {
	r.t.Helper()
	r.want(status)
	if got := r.header.Get("Content-Type"); got != scim.MediaType {
		r.t.Errorf("%s: Content-Type %q", r.what, got)
	}
	got, _ := r.body["scimType"].(string)
	detail, _ := r.body["detail"].(string)
	if r.body["status"] != fmt.Sprint(status) || got != string(scimType) || detail == "" ||
		fmt.Sprint(r.body["schemas"]) != "["+scim.ErrorURN+"]" {
		r.t.Errorf("%s: error %s, want status %d and scimType %q", r.what, r.raw, status, scimType)
	}
	return r
}

// wantHeader checks a header; empty means that it must not be there.
func (r *response) wantHeader(name, value string) *response {
	r.t.Helper()
	if got := strings.Join(r.header.Values(name), "|"); got != value {
		r.t.Errorf("%s: header %s is %q, want %q", r.what, name, got, value)
	}
	return r
}

// at returns the value at a path of keys and indexes of the body; nil if there is none.
func (r *response) at(path ...any) any {
	var v any = r.body
	for _, p := range path {
		switch p := p.(type) {
		case string:
			o, _ := v.(map[string]any)
			v = o[p]
		case int:
			list, _ := v.([]any)
			if p >= len(list) {
				return nil
			}
			v = list[p]
		}
	}
	return v
}

// text is at as a string.
func (r *response) text(path ...any) string {
	s, _ := r.at(path...).(string)
	return s
}
