package portal_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/serverless-scim/serverless-scim/pkg/app/local"
	"github.com/serverless-scim/serverless-scim/pkg/store"
	"github.com/serverless-scim/serverless-scim/pkg/store/boltstore"
	"github.com/serverless-scim/serverless-scim/pkg/tenant"
)

// dying is an engine whose writes fail, once left of them were made: as if the process had died there.
type dying struct {
	store.Engine
	left *atomic.Int64
}

var errDead = errors.New("the process is dead")

func (d dying) Transact(ctx context.Context, token string, ops []store.Op) error {
	if d.left.Add(-1) < 0 {
		return errDead
	}
	return d.Engine.Transact(ctx, token, ops)
}

// mortal is a world whose process can be made to die after a number of writes.
func mortal(t *testing.T) (*world, *atomic.Int64) {
	t.Helper()
	w := &world{t: t, base: "http://127.0.0.1:8080", tokens: map[string]string{}}
	at := time.Date(2026, 11, 28, 9, 0, 0, 0, time.UTC)
	now := func() time.Time { return at }
	w.now = func(d time.Duration) { at = at.Add(d) }
	engine, err := boltstore.Open(boltstore.Memory, boltstore.Options{Now: now})
	if err != nil {
		t.Fatal(err)
	}
	left := &atomic.Int64{}
	left.Store(1 << 40)
	w.s = local.New(local.Options{
		AdminKey: "key", Engine: "bolt", Data: boltstore.Memory, Log: io.Discard, Out: io.Discard, Now: now,
	}, dying{engine, left}, engine)
	t.Cleanup(func() { left.Store(1 << 40); _ = w.s.Close() })
	_, token, err := w.s.Tenants().Create(t.Context(), tenant.NewTenant{ID: "acme", Name: "Acme"})
	if err != nil {
		t.Fatal(err)
	}
	w.tokens["acme"] = token.Value
	return w, left
}

// TestAFormThatDiesIsNotDone ends the process after the entry of a form, and after that of a reveal by the admin API.
func TestAFormThatDiesIsNotDone(t *testing.T) {
	w, left := mortal(t)
	b := w.signIn("acme", "admin")
	if err := w.s.Settle(t.Context()); err != nil { // no other work takes the one write
		t.Fatal(err)
	}
	left.Store(1)
	if rec := b.post("/portal/settings/active", url.Values{"active": {"false"}, "sure": {"yes"}}); rec.Code < 500 {
		t.Fatalf("%d %s", rec.Code, rec.Body)
	}
	left.Store(1 << 40)
	log := w.admin(200, "GET", "/log", "")
	if _, entry, ok := strings.Cut(log, `/portal/settings/active`); !ok || !strings.Contains(log, `"outcome":"started"`) {
		t.Errorf("%s in %s", entry, log)
	}
	if rec := b.get("/portal/activity"); rec.Code != http.StatusOK || !strings.Contains(rec.Body.String(),
		"Started, result unknown") {
		t.Errorf("%d %s", rec.Code, rec.Body)
	}
	id, _, _ := strings.Cut(strings.TrimPrefix(w.tokens["acme"], "scim_"), "_")
	if err := w.s.Settle(t.Context()); err != nil {
		t.Fatal(err)
	}
	left.Store(1)
	rec := w.send("POST", "/admin/v1/tenants/acme/tokens/"+id+"/reveal", "")
	if rec.Code < 500 || strings.Contains(rec.Body.String(), w.tokens["acme"]) {
		t.Fatalf("a reveal whose end is not logged: %d %s", rec.Code, rec.Body)
	}
	left.Store(1 << 40)
	log = w.admin(200, "GET", "/log?filter="+url.QueryEscape(`outcome eq "started"`), "")
	if !strings.Contains(log, "/reveal") {
		t.Errorf("no entry of the reveal in %s", log)
	}
}

// TestALostAnswerDoesNotUseUpALink redeems a link twice, since the first answer was lost.
func TestALostAnswerDoesNotUseUpALink(t *testing.T) {
	w := newWorld(t)
	l := w.link("acme", `{"role":"admin"}`)
	page := w.send("GET", "/setup/"+l.ID, "")
	nonce := strings.Split(page.Header().Get("Set-Cookie"), ";")[0]
	if !strings.HasPrefix(nonce, "portal-nonce=") {
		t.Fatalf("%v", page.Header())
	}
	redeem := func(cookie, code string) (int, string) {
		t.Helper()
		rec := w.send("POST", "/setup/"+l.ID, url.Values{"code": {code}}.Encode(), form, "Sec-Fetch-Site: same-origin",
			"Cookie: "+cookie)
		return rec.Code, strings.Split(rec.Header().Get("Set-Cookie"), ";")[0]
	}
	status, lost := redeem(nonce, l.Code)
	if status != http.StatusSeeOther {
		t.Fatalf("%d", status)
	}
	for _, other := range []string{"", "portal-nonce=", "portal-nonce=AAAA", lost} {
		if status, _ := redeem(other, l.Code); status != http.StatusGone {
			t.Errorf("another browser, %q: %d", other, status)
		}
	}
	if status, _ := redeem(nonce, strings.Repeat("A", 26)); status != http.StatusGone {
		t.Errorf("without the code: %d", status)
	}
	status, again := redeem(nonce, l.Code)
	if status != http.StatusSeeOther || (browser{w, again}).get("/portal/").Code != http.StatusOK {
		t.Fatalf("the same browser: %d", status)
	}
	if got := (browser{w, lost}).get("/portal/").Code; got != http.StatusUnauthorized {
		t.Errorf("the session whose cookie was lost: %d", got)
	}
	log := w.admin(200, "GET", "/log", "")
	if n := strings.Count(log, `"path":"/setup/`); n != 2 || !strings.Contains(log, `"outcome":"done"`) ||
		strings.Contains(log, `"started"`) {
		t.Errorf("%d entries: %s", n, log)
	}
	w.now(2 * time.Minute)
	if status, _ := redeem(nonce, l.Code); status != http.StatusGone {
		t.Errorf("two minutes later: %d", status)
	}
	w.admin(204, "DELETE", "/setup-links/"+l.ID, "")
	if got := (browser{w, again}).get("/portal/").Code; got != http.StatusUnauthorized {
		t.Errorf("revoked: %d", got)
	}
}

// TestARedemptionThatFailsIsNone makes each of the writes fail: either the link is open, or there is a session.
func TestARedemptionThatFailsIsNone(t *testing.T) {
	w, left := mortal(t)
	l := w.link("acme", `{"role":"admin"}`)
	if err := w.s.Settle(t.Context()); err != nil { // no other work takes the one write
		t.Fatal(err)
	}
	left.Store(0)
	if rec := w.redeem(l, l.Code); rec.Code < 500 {
		t.Fatalf("%d", rec.Code)
	}
	left.Store(1)
	if rec := w.redeem(l, l.Code); rec.Code != http.StatusSeeOther {
		t.Errorf("with one write: %d %s", rec.Code, rec.Body)
	}
}

// TestTheLanguageLinkStaysHere reads the link to the other language on pages that there are not.
func TestTheLanguageLinkStaysHere(t *testing.T) {
	w := newWorld(t)
	for path, want := range map[string]string{
		"/setup//evil.example": "/setup//evil.example?lang=de", "/portal/a%3Fb%23c": "/portal/a%3Fb%23c?lang=de",
		"/portal/%5c%5cevil.example": "/portal/%5C%5Cevil.example?lang=de",
	} {
		body := w.send("GET", path, "", "Accept-Language: en").Body.String()
		if !strings.Contains(body, `href="`+want+`"`) {
			t.Errorf("%s: %s", path, body)
		}
	}
}

// TestSessionsCanNotBeFixed redeems a link in a browser that has somebody else's session and a chosen nonce.
func TestSessionsCanNotBeFixed(t *testing.T) {
	w := newWorld(t, "globex")
	attacker := w.signIn("globex", "admin")
	l := w.link("acme", `{"role":"admin"}`)
	rec := w.send("POST", "/setup/"+l.ID, url.Values{"code": {l.Code}}.Encode(), form, "Sec-Fetch-Site: same-origin",
		"Cookie: "+attacker.cookie+"; portal-nonce=chosen")
	victim := browser{w, strings.Split(rec.Header().Get("Set-Cookie"), ";")[0]}
	if rec.Code != http.StatusSeeOther || victim.cookie == attacker.cookie ||
		!strings.HasPrefix(victim.cookie, "portal=acme.") {
		t.Fatalf("%d %v", rec.Code, rec.Header())
	}
	if body := attacker.get("/portal/").Body.String(); strings.Contains(body, "Acme") {
		t.Error("the session of another tenant sees this one")
	}
	// The nonce alone is of no use, and neither is the code alone.
	for _, cookie := range []string{attacker.cookie, "portal-nonce=other"} {
		rec := w.send("POST", "/setup/"+l.ID, url.Values{"code": {l.Code}}.Encode(), form, "Cookie: "+cookie)
		if rec.Code != http.StatusGone {
			t.Errorf("%s: %d", cookie, rec.Code)
		}
	}
	for _, path := range []string{"/setup/" + l.ID, "/setup/renew/" + l.ID} {
		for _, header := range []string{"Sec-Fetch-Site: cross-site", "Origin: https://evil.example"} {
			if rec := w.send("POST", path, "code="+l.Code, form, header); rec.Code != http.StatusForbidden {
				t.Errorf("%s with %s: %d", path, header, rec.Code)
			}
		}
	}
}
