package tenant_test

import (
	"bytes"
	"context"
	"hash/crc32"
	"log/slog"
	"sync"
	"testing"
	"time"

	"github.com/serverless-scim/serverless-scim/pkg/store"
	"github.com/serverless-scim/serverless-scim/pkg/store/boltstore"
	"github.com/serverless-scim/serverless-scim/pkg/tenant"
)

// clock is a time that tests move.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

func newClock() *clock { return &clock{now: time.Date(2026, 11, 22, 8, 0, 0, 250e6, time.UTC)} }

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) add(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

// world is a service on a table in memory.
type world struct {
	*tenant.Service
	ctx    context.Context
	engine store.Engine
	store  *store.Store
	clock  *clock
	log    *bytes.Buffer
}

func newWorld(t *testing.T) *world {
	t.Helper()
	c := newClock()
	engine, err := boltstore.Open(boltstore.Memory, boltstore.Options{Now: c.Now})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = engine.Close() })
	w := &world{ctx: t.Context(), engine: engine, clock: c, log: &bytes.Buffer{}}
	w.store = store.New(engine, store.Options{})
	w.Service = w.process(w.store, false)
	return w
}

// process is one more process on the same table.
func (w *world) process(st *store.Store, alone bool) *tenant.Service {
	log := slog.New(slog.NewTextHandler(&locked{w: w.log}, nil))
	return tenant.New(st, tenant.NewTableSecrets(st), tenant.Options{Now: w.clock.Now, Log: log, Alone: alone})
}

// locked is a writer for several goroutines.
type locked struct {
	mu sync.Mutex
	w  *bytes.Buffer
}

func (l *locked) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.w.Write(p)
}

// create creates a tenant, or ends the test.
func (w *world) create(t *testing.T, id string) tenant.IssuedToken {
	t.Helper()
	_, token, err := w.Create(w.ctx, tenant.NewTenant{ID: id, Name: "Name of " + id})
	if err != nil {
		t.Fatalf("create %s: %v", id, err)
	}
	return token
}

// issue creates one more token, or ends the test.
func (w *world) issue(t *testing.T, id string) tenant.IssuedToken {
	t.Helper()
	token, err := w.Issue(w.ctx, id, tenant.NewToken{})
	if err != nil {
		t.Fatalf("issue a token for %s: %v", id, err)
	}
	return token
}

// good reports whether a token gets in.
func (w *world) good(t *testing.T, id, value string) bool {
	t.Helper()
	_, _, err := w.Authenticate(w.ctx, id, tenant.ReadBearer("Bearer "+value))
	if err == nil {
		return true
	}
	if _, ok := err.(*tenant.UnauthorizedError); !ok {
		t.Fatalf("authenticate %s: %v", id, err)
	}
	return false
}

// sealed creates a token's value of its first parts: a second implementation of the form of a token.
func sealed(body string) string {
	const alphabet = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
	n, sum := crc32.ChecksumIEEE([]byte(body)), ""
	for range 6 {
		sum = string(alphabet[n%62]) + sum
		n /= 62
	}
	return body + "_" + sum
}
