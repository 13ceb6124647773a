package portal_test

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/serverless-scim/serverless-scim/pkg/app/local"
	"github.com/serverless-scim/serverless-scim/pkg/portal/frame"
	"github.com/serverless-scim/serverless-scim/pkg/store/boltstore"
	"github.com/serverless-scim/serverless-scim/pkg/tenant"
)

// world is a whole server, reached over plain http on a loopback address as a browser of this machine does.
type world struct {
	t    *testing.T
	s    *local.Server
	log  *bytes.Buffer
	base string
	now  func(time.Duration) // moves the clock on
	// Tokens are the values of the first tokens of the tenants, by id.
	tokens map[string]string
}

func newWorld(t *testing.T, tenants ...string) *world {
	t.Helper()
	return openWorld(t, "http://127.0.0.1:8080", local.Options{Data: boltstore.Memory}, tenants...)
}

// openWorld creates a world that is reached at base, with options.
func openWorld(t *testing.T, base string, o local.Options, tenants ...string) *world {
	t.Helper()
	w := &world{t: t, log: &bytes.Buffer{}, base: base, tokens: map[string]string{}}
	at := time.Date(2026, 11, 28, 9, 0, 0, 0, time.UTC)
	var mu sync.Mutex
	w.now = func(d time.Duration) { mu.Lock(); at = at.Add(d); mu.Unlock() }
	o.AdminKey, o.Engine, o.Log, o.Out = "key", "bolt", &locked{w: w.log}, io.Discard
	o.Now = func() time.Time { mu.Lock(); defer mu.Unlock(); return at }
	s, err := local.Open(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	w.s = s
	for _, id := range append([]string{"acme"}, tenants...) {
		_, token, err := s.Tenants().Create(t.Context(), tenant.NewTenant{
			ID: id, Name: strings.ToUpper(id[:1]) + id[1:],
		})
		if err != nil {
			t.Fatal(err)
		}
		w.tokens[id] = token.Value
	}
	return w
}

// locked lets several goroutines write.
type locked struct {
	mu sync.Mutex
	w  io.Writer
}

func (l *locked) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.w.Write(p)
}

// send sends a request; header lines are "Name: value".
func (w *world) send(method, path, body string, header ...string) *httptest.ResponseRecorder {
	w.t.Helper()
	r := httptest.NewRequest(method, w.base+path, strings.NewReader(body))
	if strings.HasPrefix(path, "/admin/") {
		r.Header.Set("Authorization", "Bearer key")
	}
	for _, line := range header {
		name, value, _ := strings.Cut(line, ": ")
		r.Header.Set(name, value)
	}
	rec := httptest.NewRecorder()
	w.s.Handler().ServeHTTP(rec, r)
	return rec
}

// link is the answer of the admin API to a new link.
type link struct{ ID, URL, Code, State, Role string }

func (w *world) link(id, body string) link {
	w.t.Helper()
	rec := w.send("POST", "/admin/v1/tenants/"+id+"/setup-links", body, "Content-Type: application/json")
	if rec.Code != http.StatusCreated {
		w.t.Fatalf("%d %s", rec.Code, rec.Body)
	}
	var l link
	if err := json.Unmarshal(rec.Body.Bytes(), &l); err != nil {
		w.t.Fatal(err)
	}
	return l
}

const form = "Content-Type: application/x-www-form-urlencoded"

// redeem posts a code, as the page of the link does.
func (w *world) redeem(l link, code string) *httptest.ResponseRecorder {
	w.t.Helper()
	return w.send("POST", "/setup/"+l.ID, url.Values{"code": {code}}.Encode(), form, "Sec-Fetch-Site: same-origin")
}

// browser is somebody with a session.
type browser struct {
	*world
	cookie string
}

func (w *world) signIn(id, role string) browser {
	w.t.Helper()
	l := w.link(id, `{"role":"`+role+`"}`)
	rec := w.redeem(l, l.Code)
	if rec.Code != http.StatusSeeOther {
		w.t.Fatalf("%d %s", rec.Code, rec.Body)
	}
	return browser{w, strings.Split(rec.Header().Get("Set-Cookie"), ";")[0]}
}

func (b browser) get(path string) *httptest.ResponseRecorder {
	b.t.Helper()
	return b.send("GET", path, "", "Cookie: "+b.cookie)
}

func (b browser) post(path string, fields url.Values) *httptest.ResponseRecorder {
	b.t.Helper()
	return b.send("POST", path, fields.Encode(), form, "Cookie: "+b.cookie, "Sec-Fetch-Site: same-origin")
}

// events are the events of a tenant.
func (w *world) events(id string) string {
	w.t.Helper()
	if err := w.s.Settle(w.t.Context()); err != nil {
		w.t.Fatal(err)
	}
	return w.send("GET", "/admin/v1/tenants/"+id+"/events?after=0&count=100", "").Body.String()
}

func TestLinkOpensASessionOnce(t *testing.T) {
	w := newWorld(t)
	l := w.link("acme", `{"role":"admin","language":"de"}`)
	if l.URL != w.base+"/setup/"+l.ID+"#"+l.Code || len(l.Code) < 20 || !strings.HasPrefix(l.ID, "acme.") {
		t.Fatalf("%+v", l)
	}
	for _, method := range []string{"GET", "HEAD", "GET"} { // as scanners of mails do
		rec := w.send(method, "/setup/"+l.ID, "")
		cookies := strings.Join(rec.Header().Values("Set-Cookie"), " ")
		if rec.Code != http.StatusOK || strings.Contains(cookies, "portal=") {
			t.Fatalf("%s: %d %v", method, rec.Code, rec.Header())
		}
		if method == "GET" && (!strings.Contains(rec.Body.String(), `<html lang="de">`) ||
			strings.Contains(rec.Body.String(), l.Code)) {
			t.Errorf("%s", rec.Body)
		}
	}
	// A code that people type has spaces, hyphens and small letters.
	typed := strings.ToLower(l.Code[:4] + "-" + l.Code[4:9] + " " + l.Code[9:])
	rec := w.redeem(l, typed)
	cookie := rec.Header().Get("Set-Cookie")
	if rec.Code != http.StatusSeeOther || rec.Header().Get("Location") != "/portal/" ||
		!strings.Contains(cookie, "HttpOnly; SameSite=Lax") || strings.Contains(cookie, "Secure") {
		t.Fatalf("%d %v %s", rec.Code, rec.Header(), rec.Body)
	}
	b := browser{w, strings.Split(cookie, ";")[0]}
	if rec := b.get("/portal/"); rec.Code != http.StatusOK || !strings.Contains(rec.Body.String(), "Acme") {
		t.Errorf("%d %s", rec.Code, rec.Body)
	}
	for _, again := range []*httptest.ResponseRecorder{w.redeem(l, l.Code), w.send("GET", "/setup/"+l.ID, "")} {
		if again.Code != http.StatusGone || again.Header().Get("Set-Cookie") != "" {
			t.Errorf("%d %s", again.Code, again.Body)
		}
	}
	log := w.events("acme")
	for _, kind := range []string{"setup-link.created", "setup-link.redeemed"} {
		if !strings.Contains(log, kind) || !strings.Contains(log, `"linkId":"`+l.ID) {
			t.Errorf("no %s in %s", kind, log)
		}
	}
	if all := w.log.String() + log; strings.Contains(all, l.Code) || strings.Contains(all, b.cookie) {
		t.Error("a secret is in a log")
	}
}

func TestOneOfManyRedeems(t *testing.T) {
	w := newWorld(t)
	l := w.link("acme", `{"role":"admin"}`)
	var wg sync.WaitGroup
	codes := make([]int, 16)
	for i := range codes {
		wg.Go(func() { codes[i] = w.redeem(l, l.Code).Code })
	}
	wg.Wait()
	won := 0
	for _, code := range codes {
		switch code {
		case http.StatusSeeOther:
			won++
		case http.StatusGone:
		default:
			t.Errorf("status %d", code)
		}
	}
	if won != 1 {
		t.Errorf("%d of 16 got a session", won)
	}
}

func TestCookiesOverHTTPS(t *testing.T) {
	w := newWorld(t)
	w.base = "https://scim.example.com"
	l := w.link("acme", `{"role":"admin"}`)
	rec := w.send("POST", "/setup/"+l.ID, "code="+l.Code, form, "Sec-Fetch-Site: same-origin")
	cookie := rec.Header().Get("Set-Cookie")
	if !strings.HasPrefix(cookie, "__Host-portal=") || !strings.Contains(cookie, "Path=/;") ||
		!strings.Contains(cookie, "HttpOnly; Secure; SameSite=Lax") {
		t.Errorf("%d %q", rec.Code, cookie)
	}
}

func TestWrongCodesEndALink(t *testing.T) {
	w := newWorld(t)
	l := w.link("acme", `{"role":"admin"}`)
	for i := range 10 {
		if rec := w.redeem(l, strings.Repeat("A", 26)); rec.Code != map[bool]int{true: 403, false: 410}[i < 9] {
			t.Fatalf("code %d: %d", i, rec.Code)
		}
	}
	if rec := w.redeem(l, l.Code); rec.Code != http.StatusGone {
		t.Errorf("the right code after ten wrong ones: %d", rec.Code)
	}
	if log := w.events("acme"); !strings.Contains(log, "wrong-codes") {
		t.Errorf("%s", log)
	}
}

func TestSessionsEnd(t *testing.T) {
	w := newWorld(t)
	over := func(b browser, want string) {
		t.Helper()
		if rec := b.get("/portal/"); rec.Code != http.StatusUnauthorized {
			t.Errorf("after %s: %d", want, rec.Code)
		}
	}
	b := w.signIn("acme", "admin")
	id := strings.TrimPrefix(b.cookie, "portal=")
	id = id[:strings.LastIndex(id, ".")]
	if rec := w.send("DELETE", "/admin/v1/tenants/acme/setup-links/"+id, ""); rec.Code != http.StatusNoContent {
		t.Fatalf("%d %s", rec.Code, rec.Body)
	}
	over(b, "revocation")
	b = w.signIn("acme", "reader") // readers can sign out, too
	if rec := b.post("/portal/sign-out", nil); rec.Code != http.StatusOK ||
		!strings.Contains(rec.Header().Get("Set-Cookie"), "portal=;") {
		t.Errorf("%d %v", rec.Code, rec.Header())
	}
	over(b, "signing out")
	b = w.signIn("acme", "admin")
	w.now(8*time.Hour + time.Second)
	over(b, "eight hours")
	b = w.signIn("acme", "admin")
	if err := w.s.Tenants().Delete(t.Context(), "acme"); err != nil {
		t.Fatal(err)
	}
	over(b, "the tenant's end")
	l := newWorld(t)
	late := l.link("acme", `{"role":"admin","validHours":1}`)
	l.now(time.Hour)
	if rec := l.redeem(late, late.Code); rec.Code != http.StatusGone {
		t.Errorf("a link after its time: %d", rec.Code)
	}
}

// TestSessionsStayWithTheirTenant: neither a cookie of another tenant's link nor one made up leads anywhere.
func TestSessionsStayWithTheirTenant(t *testing.T) {
	w := newWorld(t, "globex")
	b := w.signIn("acme", "admin")
	swapped := strings.Replace(b.cookie, "acme.", "globex.", 1)
	for _, cookie := range []string{
		swapped, b.cookie[:len(b.cookie)-1], b.cookie + "A", "portal=", "portal=.", "portal=acme.x", "portal=a/b.c.d",
	} {
		if rec := w.send("GET", "/portal/", "", "Cookie: "+cookie); rec.Code != http.StatusUnauthorized {
			t.Errorf("%s: %d", cookie, rec.Code)
		}
	}
	l := w.link("globex", `{"role":"reader"}`)
	if rec := w.send("DELETE", "/admin/v1/tenants/acme/setup-links/"+l.ID, ""); rec.Code != http.StatusNotFound {
		t.Errorf("a link of another tenant: %d", rec.Code)
	}
}

func TestHeaders(t *testing.T) {
	w := newWorld(t)
	b := w.signIn("acme", "admin")
	for path, status := range map[string]int{
		"/portal/": 200, "/portal/none": 404, "/setup/x": 410, "/portal//x": 404, "/portal/sign-out": 405,
		"/portal": 303,
	} {
		rec := b.get(path)
		if rec.Code != status {
			t.Errorf("%s: %d, want %d", path, rec.Code, status)
		}
		csp := rec.Header().Get("Content-Security-Policy")
		for name, want := range map[string]string{
			"Referrer-Policy": "no-referrer", "Cache-Control": "no-store", "X-Content-Type-Options": "nosniff",
			"X-Frame-Options": "DENY",
		} {
			if got := rec.Header().Get(name); got != want {
				t.Errorf("%s: %s is %q", path, name, got)
			}
		}
		if !strings.Contains(csp, "frame-ancestors 'none'") || strings.Contains(csp, "unsafe") ||
			!strings.HasPrefix(csp, "default-src 'none'; script-src 'self'; style-src 'self'") {
			t.Errorf("%s: %s", path, csp)
		}
		if inline.MatchString(rec.Body.String()) || foreign.MatchString(rec.Body.String()) {
			t.Errorf("%s has something inline, or from another host: %s", path, rec.Body)
		}
	}
}

var (
	inline  = regexp.MustCompile(`<style|<script[^>]*>[^<]| style=| on[a-z]+=|javascript:`)
	foreign = regexp.MustCompile(`(src|href|action)="(https?:)?//`)
)

func TestFormsOfOtherSites(t *testing.T) {
	w := newWorld(t)
	b := w.signIn("acme", "admin")
	for _, site := range []string{"cross-site", "same-site", "none-such"} {
		rec := w.send("POST", "/portal/sign-out", "", form, "Cookie: "+b.cookie, "Sec-Fetch-Site: "+site)
		if rec.Code != 403 {
			t.Errorf("%s: %d", site, rec.Code)
		}
	}
	rec := w.send("POST", "/portal/sign-out", "", form, "Cookie: "+b.cookie, "Origin: https://evil.example")
	if rec.Code != 403 {
		t.Errorf("of an origin: %d", rec.Code)
	}
	if rec := b.get("/portal/"); rec.Code != 200 {
		t.Errorf("the session is over: %d", rec.Code)
	}
}

func TestLinkRequests(t *testing.T) {
	w := newWorld(t)
	for _, body := range []string{
		`{}`, `{"role":"owner"}`, `{"role":"admin","validHours":0}`, `{"role":"admin","validHours":721}`,
		`{"role":"admin","validHours":1.5}`, `{"role":"admin","language":"fr"}`, `{"role":"admin","email":"a b@c.de"}`,
		`{"role":"admin","email":"a@c.de\r\nBcc: x@y.de"}`, `{"role":"admin","returnUrl":"http://a.example"}`,
		`{"role":"admin","returnUrl":"javascript:alert(1)"}`, `{"role":"admin","more":1}`, `{"role":1}`,
	} {
		rec := w.send("POST", "/admin/v1/tenants/acme/setup-links", body, "Content-Type: application/json")
		if rec.Code != http.StatusBadRequest {
			t.Errorf("%s: %d %s", body, rec.Code, rec.Body)
		}
	}
	if rec := w.send("POST", "/admin/v1/tenants/none/setup-links", `{"role":"admin"}`); rec.Code != http.StatusNotFound {
		t.Errorf("%d %s", rec.Code, rec.Body)
	}
	l := w.link("acme", `{"role":"reader","email":"it@acme.example","returnUrl":"https://app.example/settings"}`)
	list := w.send("GET", "/admin/v1/tenants/acme/setup-links", "").Body.String()
	if !strings.Contains(list, l.ID) || strings.Contains(list, l.Code) || !strings.Contains(list, `"state":"open"`) {
		t.Errorf("%s", list)
	}
	one := w.send("GET", "/admin/v1/tenants/acme/setup-links/"+l.ID, "").Body.String()
	if !strings.Contains(one, `"email":"it@acme.example"`) || !strings.Contains(one, `"role":"reader"`) {
		t.Errorf("%s", one)
	}
}

// vendored are the SHA-256 of files from npm, as they are in the packages.
var vendored = map[string]string{
	"htmx.min.js.gz":  "a0abb04f2f45a1f89d1d4844023245537e5e6014c87b144553e0607b4cc32130", // htmx.org@4.0.1 dist
	"pico.min.css.gz": "fbc9a63fc9fc9f72d12fd7fc9806e11fa9f77ae4f9cad146b27003a1119ba3db", // @picocss/pico@2.1.1 css
}

func TestVendoredFilesAreUnchanged(t *testing.T) {
	entries, err := frame.Assets.ReadDir("assets/vendor")
	if err != nil || len(entries) != len(vendored) {
		t.Fatalf("%d files, %v", len(entries), err)
	}
	for name, want := range vendored {
		raw, err := frame.Assets.ReadFile("assets/vendor/" + name)
		if err != nil {
			t.Fatal(err)
		}
		r, err := gzip.NewReader(bytes.NewReader(raw))
		if err != nil {
			t.Fatal(err)
		}
		h := sha256.New()
		if _, err := io.Copy(h, r); err != nil {
			t.Fatal(err)
		}
		if got := hex.EncodeToString(h.Sum(nil)); got != want {
			t.Errorf("%s: %s", name, got)
		}
	}
}

var asset = regexp.MustCompile(`/portal/assets/[^"]+`)

// TestPagesAreSmall: a page with its assets is below 100 KB on the wire, and the assets are cached for ever.
func TestPagesAreSmall(t *testing.T) {
	w := newWorld(t)
	b := w.signIn("acme", "admin")
	sum := 0
	page := b.get("/portal/").Body.String()
	for _, path := range asset.FindAllString(page, -1) {
		rec := w.send("GET", path, "", "Accept-Encoding: gzip")
		if rec.Code != 200 || !strings.Contains(rec.Header().Get("Cache-Control"), "immutable") ||
			rec.Header().Get("Content-Encoding") != "gzip" {
			t.Errorf("%s: %d %v", path, rec.Code, rec.Header())
		}
		sum += rec.Body.Len()
	}
	if sum += len(page); sum > 100<<10 || sum < 20<<10 {
		t.Errorf("%d bytes", sum)
	}
	t.Logf("%d bytes", sum)
}
