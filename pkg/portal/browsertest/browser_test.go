package browsertest_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/chromedp"

	"github.com/serverless-scim/serverless-scim/pkg/app/local"
	"github.com/serverless-scim/serverless-scim/pkg/store/boltstore"
	"github.com/serverless-scim/serverless-scim/pkg/tenant"
)

// axeHash is the SHA-256 of axe.min.js of axe-core@4.14.1, as npm has it.
const axeHash = "29348999450cdf2849a8e70b7912fc2da85a849da39c0d0d5394f51d4a9ed95c"

// paths are the pages that are looked at, beside the one of a link.
var paths = []string{
	"/portal/", "/portal/connect", "/portal/try?q=ada", "/portal/token", "/portal/groups", "/portal/groups/grammar",
	"/portal/members", "/portal/activity", "/portal/settings", "/portal/settings/disconnect", "/portal/domains",
	"/portal/none",
}

// desk is a server with a tenant that has come a way, and a browser that is signed in.
type desk struct {
	t     *testing.T
	ctx   context.Context
	url   string
	token string
}

func newDesk(t *testing.T) *desk {
	t.Helper()
	var path string
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome", "headless-shell"} {
		if found, err := exec.LookPath(name); err == nil {
			path = found
			break
		}
	}
	if path == "" {
		if os.Getenv("REQUIRE_BROWSER") != "" {
			t.Fatal("there is no Chromium, and REQUIRE_BROWSER is set")
		}
		t.Skipf("NOT RUN, because there is no Chromium: %s. Install it with apt-get install chromium.", t.Name())
	}
	s, err := local.Open(t.Context(), local.Options{
		AdminKey: "key", Engine: "bolt", Data: boltstore.Memory, Log: io.Discard, Out: io.Discard,
		NoticeProduct: "Example Suite", NoticeContact: "it-help@example.com",
	})
	if err != nil {
		t.Fatal(err)
	}
	web := httptest.NewServer(s.Handler())
	t.Cleanup(func() { web.Close(); _ = s.Close() })
	_, token, err := s.Tenants().Create(t.Context(), tenant.NewTenant{ID: "acme", Name: "Acme Holding", IdP: "entra"})
	if err != nil {
		t.Fatal(err)
	}
	d := &desk{t: t, url: web.URL, token: token.Value}
	alloc, cancel := chromedp.NewExecAllocator(t.Context(), append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.ExecPath(path), chromedp.NoSandbox, chromedp.Flag("force-color-profile", "srgb"))...)
	t.Cleanup(cancel)
	ctx, stop := chromedp.NewContext(alloc)
	t.Cleanup(stop)
	var late context.CancelFunc
	d.ctx, late = context.WithTimeout(ctx, 3*time.Minute)
	t.Cleanup(late)
	return d
}

// run carries out actions.
func (d *desk) run(actions ...chromedp.Action) {
	d.t.Helper()
	if err := chromedp.Run(d.ctx, actions...); err != nil {
		d.t.Fatal(err)
	}
}

// call sends a request beside the browser.
func (d *desk) call(method, path, body string) string {
	d.t.Helper()
	r, err := http.NewRequestWithContext(d.t.Context(), method, d.url+path, strings.NewReader(body))
	if err != nil {
		d.t.Fatal(err)
	}
	key := d.token
	if strings.HasPrefix(path, "/admin/") {
		key = "key"
	}
	r.Header.Set("Authorization", "Bearer "+key)
	r.Header.Set("Content-Type", "application/json")
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		d.t.Fatal(err)
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil || answer.StatusCode >= 300 {
		d.t.Fatalf("%s %s: %d %s %v", method, path, answer.StatusCode, text, err)
	}
	return string(text)
}

// link makes a set-up link and returns its URL.
func (d *desk) link() string {
	d.t.Helper()
	var l struct{ URL string }
	answer := d.call("POST", "/admin/v1/tenants/acme/setup-links", `{"role":"admin"}`)
	if err := json.Unmarshal([]byte(answer), &l); err != nil {
		d.t.Fatal(err)
	}
	return l.URL
}

// signIn opens a link and presses its button.
func (d *desk) signIn() {
	d.t.Helper()
	d.run(chromedp.Navigate(d.link()), chromedp.WaitVisible("form.known button"), chromedp.Click("form.known button"),
		chromedp.WaitVisible("nav.side"))
}

// fill sends what an identity provider would.
func (d *desk) fill() {
	d.t.Helper()
	const user = `{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":"%s@acme.example",` +
		`"externalId":"%[1]s","displayName":"%s","emails":[{"type":"work","value":"%[1]s@acme.example"}],"active":true}`
	var created struct{ ID string }
	for name, display := range map[string]string{"ada": "Ada Lovelace", "alan": "Alan Turing", "grace": "Grace Hopper"} {
		answer := d.call("POST", "/scim/v2/acme/Users", fmt.Sprintf(user, name, display))
		if err := json.Unmarshal([]byte(answer), &created); err != nil {
			d.t.Fatal(err)
		}
	}
	for _, name := range []string{"App Admins", "Engineering", "AZ1NC9_Funktion_Maschinist"} {
		d.call("POST", "/scim/v2/acme/Groups", `{"schemas":["urn:ietf:params:scim:schemas:core:2.0:Group"],"displayName":"`+
			name+`","members":[{"value":"`+created.ID+`"}]}`)
	}
}

// axe is the text of axe-core.
func axe(t *testing.T) string {
	t.Helper()
	raw, err := os.ReadFile("testdata/axe.min.js.gz")
	if err != nil {
		t.Fatal(err)
	}
	r, err := gzip.NewReader(bytes.NewReader(raw))
	if err != nil {
		t.Fatal(err)
	}
	text, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	if sum := sha256.Sum256(text); hex.EncodeToString(sum[:]) != axeHash {
		t.Fatalf("axe-core is not as npm has it: %x", sum)
	}
	return string(text)
}

// violations are what axe finds wrong with the page that is shown.
const violations = `axe.run(document, {resultTypes: ["violations"]}).then(r => r.violations.map(v =>
	v.id + ": " + v.nodes.map(n =>
		n.target + " " + (n.any[0] || n.all[0] || n.none[0] || {}).message).join("; ")).join("\n"))`

// look is a way of looking at a page.
type look struct {
	name          string
	width, height int64
	dark          bool
}

var looks = []look{{"light", 1280, 900, false}, {"dark-phone", 390, 844, true}}

func (l look) actions() []chromedp.Action {
	scheme := "light"
	if l.dark {
		scheme = "dark"
	}
	return []chromedp.Action{
		chromedp.EmulateViewport(l.width, l.height),
		emulation.SetEmulatedMedia().WithFeatures([]*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}}),
	}
}

// see holds the page that is shown against axe, and takes an image of it.
func (d *desk) see(name string, axe string) {
	d.t.Helper()
	var wrong string
	var wide bool
	d.run(chromedp.Evaluate(axe, nil), chromedp.Evaluate(violations, &wrong, awaited),
		chromedp.Evaluate(`document.documentElement.scrollWidth > innerWidth + 1`, &wide))
	if wrong != "" {
		d.t.Errorf("%s: %s", name, wrong)
	}
	if wide {
		d.t.Errorf("%s is wider than the window", name)
	}
	if dir := os.Getenv("SCREENSHOTS"); dir != "" {
		var image []byte
		d.run(chromedp.FullScreenshot(&image, 100))
		if err := os.MkdirAll(dir, 0o755); err != nil {
			d.t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, name+".png"), image, 0o644); err != nil {
			d.t.Fatal(err)
		}
	}
}

func TestEveryPage(t *testing.T) {
	d := newDesk(t)
	script := axe(t)
	d.run(network.Enable())
	d.run(chromedp.Navigate(d.link()), chromedp.WaitVisible("form.known button"))
	d.see("setup", script)
	d.signIn()
	d.see("start-empty", script)
	d.fill()
	for _, l := range looks {
		d.run(l.actions()...)
		for _, lang := range []string{"en", "de"} {
			for _, path := range paths {
				page, query, _ := strings.Cut(path, "?")
				query = "?lang=" + lang + "&" + query
				name := strings.Trim(strings.ReplaceAll(strings.TrimPrefix(page, "/portal/"), "/", "-"), "-")
				if name == "" {
					name = "start"
				}
				d.run(chromedp.Navigate(d.url+page+query), chromedp.WaitReady("main"))
				d.see(strings.Join([]string{name, lang, l.name}, "-"), script)
			}
		}
	}
}

// TestFirstRequestTurnsGreen: the page that waits shows by itself that the test of a connection has arrived.
func TestFirstRequestTurnsGreen(t *testing.T) {
	d := newDesk(t)
	d.signIn()
	d.run(chromedp.Navigate(d.url+"/portal/connect"), chromedp.WaitVisible("#state .note.wait"))
	d.call("GET", "/scim/v2/acme/Users?filter=userName+eq+%22test%22", "")
	d.run(chromedp.WaitVisible("#state .note.good"))
	var url string
	d.run(chromedp.Location(&url), chromedp.Click(`button[data-copy="value-url"]`), chromedp.WaitVisible("button.done"))
	if url != d.url+"/portal/connect" {
		t.Errorf("at %s", url)
	}
}

// TestWithoutScript: a link is redeemed and a token shown without any script, by keyboard alone.
func TestWithoutScript(t *testing.T) {
	d := newDesk(t)
	url, code, _ := strings.Cut(d.link(), "#")
	d.run(emulation.SetScriptExecutionDisabled(true), chromedp.Navigate(url), chromedp.WaitVisible("#code"),
		chromedp.SendKeys("#code", code+"\r"), chromedp.WaitVisible("nav.side"),
		chromedp.Navigate(d.url+"/portal/token"), chromedp.WaitVisible("#tokens"),
		chromedp.SendKeys(`form[action="/portal/token/reveal"] button`, "\r"), chromedp.WaitVisible("#shown"))
	var shown, where string
	d.run(chromedp.Text("#shown", &shown), chromedp.Location(&where))
	if shown != d.token || strings.Contains(where, d.token) {
		t.Errorf("shown %q at %s", shown, where)
	}
}
