package webhook_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	standard "github.com/standard-webhooks/standard-webhooks/libraries/go"

	"github.com/serverless-scim/serverless-scim/pkg/event/eventlog"
	"github.com/serverless-scim/serverless-scim/pkg/scim"
	"github.com/serverless-scim/serverless-scim/pkg/store"
	"github.com/serverless-scim/serverless-scim/pkg/store/boltstore"
	"github.com/serverless-scim/serverless-scim/pkg/webhook"
)

func resolver(address string) *net.Resolver {
	return &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, "udp", address)
	}}
}

type world struct {
	*webhook.Service
	t   *testing.T
	st  *store.Store
	now time.Time
	log bytes.Buffer
}

func newWorld(t *testing.T, loopback bool) *world {
	t.Helper()
	w := &world{t: t, now: time.Now()}
	engine, err := boltstore.Open(boltstore.Memory, boltstore.Options{Now: time.Now})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = engine.Close() })
	w.st = store.New(engine, store.Options{})
	w.Service = w.service(loopback, "a key of the deployment")
	return w
}

func (w *world) service(loopback bool, key string) *webhook.Service {
	return webhook.New(w.st, webhook.Options{
		Now: func() time.Time { return w.now }, Log: slog.New(slog.NewTextHandler(&w.log, nil)), Loopback: loopback,
		Key: func(context.Context) ([]byte, error) { return []byte(key), nil },
	})
}

func (w *world) create(url string, types ...string) (id, secret string) {
	w.t.Helper()
	hook, secret, _, err := w.Create(w.t.Context(), "acme", webhook.Fields{URL: &url, Types: types})
	if err != nil {
		w.t.Fatal(err)
	}
	return hook.ID, secret
}

// received is a request as a receiver got it.
type received struct {
	header http.Header
	body   []byte
}

// receiver answers with the function answer, or with 204 if it is nil, and returns the received requests in a channel.
func receiver(t *testing.T, answer http.HandlerFunc) (url string, got chan received) {
	t.Helper()
	got = make(chan received, 100)
	web := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		got <- received{r.Header, body}
		if answer == nil {
			w.WriteHeader(http.StatusNoContent)
			return
		}
		answer(w, r)
	}))
	t.Cleanup(web.Close)
	return web.URL, got
}

// TestSignature: the library of Standard Webhooks accepts the signature.
func TestSignature(t *testing.T) {
	w := newWorld(t, true)
	url, got := receiver(t, nil)
	id, first := w.create(url, "*")
	test := func() received {
		t.Helper()
		a, err := w.Test(t.Context(), "acme", id)
		if err != nil || a.Status != http.StatusNoContent || a.Error != "" {
			t.Fatalf("%+v, %v", a, err)
		}
		return <-got
	}
	verify := func(secret string, r received) error {
		t.Helper()
		judge, err := standard.NewWebhook(secret)
		if err != nil {
			t.Fatal(err)
		}
		return judge.Verify(r.body, r.header)
	}
	r := test()
	if err := verify(first, r); err != nil {
		t.Error(err)
	}
	if id := r.header.Get("webhook-id"); !bytes.Contains(r.body, []byte(`"id":"`+id+`"`)) || id == "" {
		t.Errorf("webhook-id %q, body %s", id, r.body)
	}
	r.body = append(r.body, ' ')
	if err := verify(first, r); err == nil {
		t.Error("a changed body passes")
	}
	_, second, err := w.Rotate(t.Context(), "acme", id)
	if err != nil || second == first {
		t.Fatal(err)
	}
	r = test()
	if a, b := verify(first, r), verify(second, r); a != nil || b != nil {
		t.Errorf("within a day of the rotation: %v, %v", a, b)
	}
	w.now = w.now.Add(25 * time.Hour)
	hook, err := w.Get(t.Context(), "acme", id)
	if err != nil || !w.now.After(hook.PreviousUntil) {
		t.Errorf("%+v, %v", hook, err)
	}
	if r = test(); strings.Contains(r.header.Get("webhook-signature"), " ") {
		t.Error("the old secret signs after a day")
	}
	if strings.Contains(w.log.String(), "whsec") {
		t.Error("a secret is logged")
	}
}

// TestSecretsAreEncrypted: the table has no plain secret, and an encrypted one can't be used for another webhook or
// key.
func TestSecretsAreEncrypted(t *testing.T) {
	w := newWorld(t, true)
	url, _ := receiver(t, nil)
	id, secret := w.create(url, "*")
	items, err := w.st.Get(t.Context(), store.KeysOf("acme").Webhook(id))
	if err != nil || strings.Contains(fmt.Sprint(items), strings.TrimPrefix(secret, "whsec_")) {
		t.Errorf("stored %v, %v", items, err)
	}
	other, err := w.service(true, "the key of another deployment").Test(t.Context(), "acme", id)
	if err != nil || other.Error != "The delivery could not be signed." {
		t.Errorf("with another key %+v, %v", other, err)
	}
	if _, err := w.service(true, "short").Test(t.Context(), "acme", id); err != nil {
		t.Error(err)
	}
	// The item under another tenant's key can't be read.
	if err := w.st.Write(t.Context(), store.PutItem(store.KeysOf("beta").Webhook(id), items[0].Attrs)); err != nil {
		t.Fatal(err)
	}
	if moved, err := w.Test(t.Context(), "beta", id); err != nil || moved.Error != "The delivery could not be signed." {
		t.Errorf("moved to another tenant %+v, %v", moved, err)
	}
}

func numbered(n int) []eventlog.Numbered {
	all := make([]eventlog.Numbered, n)
	for i := range all {
		all[i] = eventlog.Numbered{
			Sequence: int64(i + 1), Object: scim.Object{"id": fmt.Sprintf("acme-e-%d", i+1), "type": "a"},
		}
	}
	return all
}

// TestAnswers: the responses that count as accepted, and the effects of the others.
func TestAnswers(t *testing.T) {
	for _, c := range []struct {
		name       string
		answer     http.HandlerFunc
		accepted   int64
		gone       bool
		retryAfter time.Duration
		want       string
	}{
		{"no content", nil, 2, false, 0, ""},
		{"created", func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(http.StatusCreated)
		}, 2, false, 0, ""},
		{"not modified", func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(http.StatusNotModified)
		}, 0, false, 0, "redirect"},
		{"redirect to metadata", func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "http://169.254.169.254/latest/", http.StatusFound)
		}, 0, false, 0, "redirect"},
		{"gone", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusGone) }, 0, true, 0, "2xx"},
		{"busy", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Retry-After", "120")
			w.WriteHeader(http.StatusServiceUnavailable)
		}, 0, false, 2 * time.Minute, "2xx"},
		{"busy for ever", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Retry-After", "99999999999999999999")
			w.WriteHeader(http.StatusTooManyRequests)
		}, 0, false, 0, "2xx"},
		{"cut off", func(http.ResponseWriter, *http.Request) {
			panic(http.ErrAbortHandler)
		}, 0, false, 0, "connection"},
		{"large headers", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("X-Large", strings.Repeat("x", 1<<20))
		}, 0, false, 0, "connection"},
		{"10 GB", func(w http.ResponseWriter, _ *http.Request) {
			block := make([]byte, 1<<20)
			for range 10 << 10 {
				if _, err := w.Write(block); err != nil {
					return
				}
			}
		}, 2, false, 0, ""},
	} {
		w := newWorld(t, true)
		url, _ := receiver(t, c.answer)
		w.create(url, "*")
		all, err := w.Destinations(t.Context(), "acme")
		if err != nil || len(all) != 1 {
			t.Fatal(err)
		}
		o := all[0].Send(t.Context(), numbered(2))
		last := o.Attempts[len(o.Attempts)-1].Error
		if o.Accepted != c.accepted || o.Gone != c.gone || o.RetryAfter != c.retryAfter || o.Failed != (c.want != "") ||
			!strings.Contains(last, c.want) {
			t.Errorf("%s: %+v", c.name, o)
		}
	}
}

// TestAnswerThatNeverEnds: a response that comes byte by byte ends with the time of a delivery.
func TestAnswerThatNeverEnds(t *testing.T) {
	w := newWorld(t, true)
	url, _ := receiver(t, func(w http.ResponseWriter, r *http.Request) {
		for r.Context().Err() == nil {
			_, _ = w.Write([]byte("x"))
			_ = http.NewResponseController(w).Flush()
			select {
			case <-r.Context().Done():
			case <-time.After(20 * time.Millisecond):
			}
		}
	})
	w.create(url, "*")
	all, err := w.Destinations(t.Context(), "acme")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond) // shorter than the 15 seconds of a delivery
	defer cancel()
	if o := all[0].Send(ctx, numbered(1)); !o.Failed || !strings.Contains(o.Attempts[0].Error, "15 seconds") {
		t.Errorf("%+v", o)
	}
}

func TestTypes(t *testing.T) {
	w := newWorld(t, true)
	for _, bad := range [][]string{
		{}, {""}, {"**"}, {"member."}, {"*.created"}, {"Member.*"}, {"a b"}, {"member.*.x"}, make([]string, 51),
	} {
		u := "http://127.0.0.1:1/"
		if _, _, _, err := w.Create(t.Context(), "acme", webhook.Fields{URL: &u, Types: bad}); err == nil {
			t.Errorf("%q is taken", bad)
		}
	}
	w.create("http://127.0.0.1:1/", "member.*", "token.expired")
	all, err := w.Destinations(t.Context(), "acme")
	if err != nil {
		t.Fatal(err)
	}
	for kind, want := range map[string]bool{
		"member.created": true, "member.removed": true, "members.x": false, "member": false, "token.expired": true,
		"token.expired2": false, "token.created": false,
	} {
		if all[0].Wants(kind) != want {
			t.Errorf("%s: %v", kind, !want)
		}
	}
}

func TestLifeOfAWebhook(t *testing.T) {
	w := newWorld(t, true)
	id, _ := w.create("http://127.0.0.1:1/", "*")
	if err := w.SwitchOff(t.Context(), "acme", id); err != nil {
		t.Fatal(err)
	}
	hook, err := w.Get(t.Context(), "acme", id)
	if err != nil || hook.Active || hook.Off != webhook.Gone {
		t.Errorf("%+v, %v", hook, err)
	}
	on := true
	hook, err = w.Change(t.Context(), "acme", id, webhook.Fields{Active: &on})
	if err != nil || !hook.Active || hook.Off != "" {
		t.Errorf("%+v, %v", hook, err)
	}
	if _, err := w.Get(t.Context(), "beta", id); !errors.Is(err, webhook.ErrNotFound) {
		t.Errorf("another tenant sees it: %v", err)
	}
	if err := w.Remove(t.Context(), "acme", id); err != nil {
		t.Fatal(err)
	}
	if err := w.Remove(t.Context(), "acme", id); !errors.Is(err, webhook.ErrNotFound) {
		t.Errorf("removed twice: %v", err)
	}
	var made atomic.Int32
	for range webhook.Most {
		w.create("http://127.0.0.1:1/", "*")
		made.Add(1)
	}
	u := "http://127.0.0.1:1/"
	_, _, _, err = w.Create(t.Context(), "acme", webhook.Fields{URL: &u, Types: []string{"*"}})
	if !errors.Is(err, webhook.ErrTooMany) {
		t.Errorf("after %d: %v", made.Load(), err)
	}
}
