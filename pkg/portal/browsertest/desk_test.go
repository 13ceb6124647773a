package browsertest_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"

	"github.com/serverless-scim/serverless-scim/pkg/app/local"
	"github.com/serverless-scim/serverless-scim/pkg/store/boltstore"
	"github.com/serverless-scim/serverless-scim/pkg/tenant"
)

// browser is the one Chromium of all tests, which run one after the other. Each has a tab of its own.
var browser context.Context

func TestMain(m *testing.M) {
	stop := func() {}
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome", "headless-shell"} {
		if path, err := exec.LookPath(name); err == nil {
			stop = start(path)
			break
		}
	}
	code := m.Run()
	stop()
	os.Exit(code)
}

// start starts Chromium and returns the function that stops it.
func start(path string) (stop func()) {
	alloc, end := chromedp.NewExecAllocator(context.Background(), append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.ExecPath(path), chromedp.NoSandbox, chromedp.Flag("force-color-profile", "srgb"))...)
	ctx, cancel := chromedp.NewContext(alloc)
	if err := chromedp.Run(ctx); err != nil {
		fmt.Fprintln(os.Stderr, "Chromium does not start:", err)
		os.Exit(1)
	}
	browser = ctx
	return func() { cancel(); end() }
}

// desk is a server with a tenant, and a browser in front of it.
type desk struct {
	t      *testing.T
	ctx    context.Context
	server *local.Server
	url    string
	tenant string
	token  string
	mu     sync.Mutex
	said   []string // the output of the browser's console
}

func newDesk(t *testing.T) *desk {
	t.Helper()
	if browser == nil {
		if os.Getenv("REQUIRE_BROWSER") != "" {
			t.Fatal("there is no Chromium, and REQUIRE_BROWSER is set")
		}
		t.Skipf("NOT RUN, because there is no Chromium: %s. Install it with apt-get install chromium.", t.Name())
	}
	s, err := local.Open(t.Context(), local.Options{
		Engine: "bolt", Data: boltstore.Memory, Log: io.Discard, Out: io.Discard,
		NoticeProduct: "Example Suite", NoticeContact: "it-help@example.com",
	})
	if err != nil {
		t.Fatal(err)
	}
	web := httptest.NewServer(s.Handler())
	t.Cleanup(func() { web.Close(); _ = s.Close() })
	return (&desk{server: s, url: web.URL}).beside(t, "acme", "Acme Holding")
}

// beside creates another tenant on the same server, with a tab of its own and no cookie of another.
func (d *desk) beside(t *testing.T, id, name string) *desk {
	t.Helper()
	_, token, err := d.server.Tenants().Create(t.Context(), tenant.NewTenant{ID: id, Name: name})
	if err != nil {
		t.Fatal(err)
	}
	other := &desk{t: t, server: d.server, url: d.url, tenant: id, token: token.Value}
	ctx, stop := chromedp.NewContext(browser)
	t.Cleanup(stop)
	var late context.CancelFunc
	other.ctx, late = context.WithTimeout(ctx, 10*time.Minute)
	t.Cleanup(late)
	chromedp.ListenTarget(other.ctx, other.listen)
	// The tab ends with the context that it began with.
	if err := chromedp.Run(other.ctx, network.ClearBrowserCookies()); err != nil {
		t.Fatal(err)
	}
	return other
}

// listen keeps the browser's complaints: policies that a page breaks, scripts that fail, files that are not there. A
// page that is itself refused is no fault.
func (d *desk) listen(event any) {
	d.mu.Lock()
	defer d.mu.Unlock()
	switch e := event.(type) {
	case *log.EventEntryAdded:
		if e.Entry.Source != log.SourceNetwork || strings.Contains(e.Entry.URL, "/assets/") {
			d.said = append(d.said, fmt.Sprint(e.Entry.Source, ": ", e.Entry.Text, " ", e.Entry.URL))
		}
	case *runtime.EventConsoleAPICalled:
		for _, a := range e.Args {
			d.said = append(d.said, "console: "+string(a.Value)+a.Description)
		}
	case *runtime.EventExceptionThrown:
		d.said = append(d.said, "exception: "+e.ExceptionDetails.Error())
	}
}

// quiet fails if the browser complained of anything since the last call.
func (d *desk) quiet(name string) {
	d.t.Helper()
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, s := range d.said {
		d.t.Errorf("%s: the browser says: %s", name, s)
	}
	d.said = nil
}

// patience is how long actions may take in all, so that an element that never comes is reported soon.
const patience = 2 * time.Minute

// run carries out actions.
func (d *desk) run(actions ...chromedp.Action) {
	d.t.Helper()
	ctx, cancel := context.WithTimeout(d.ctx, patience)
	defer cancel()
	if err := chromedp.Run(ctx, actions...); err != nil {
		var at, text string
		ctx, cancel := context.WithTimeout(d.ctx, patience)
		defer cancel()
		// For the report only.
		_ = chromedp.Run(ctx, chromedp.Location(&at), chromedp.Text("body", &text, chromedp.ByQuery))
		d.t.Fatalf("%v with %+v at %s:\n%s", err, actions, at, text)
	}
}

// call sends a request beside the browser: to the admin API if the path says so, else as the identity provider, with
// the path below the tenant's base URL. It wants an answer below 300, or the given status.
func (d *desk) call(method, path, body string, status ...int) string {
	d.t.Helper()
	key := "key"
	if !strings.HasPrefix(path, "/admin/") {
		key, path = d.token, "/scim/v2/"+d.tenant+path
	}
	r, err := http.NewRequestWithContext(d.t.Context(), method, d.url+path, strings.NewReader(body))
	if err != nil {
		d.t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+key)
	r.Header.Set("Content-Type", "application/json")
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		d.t.Fatal(err)
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	good := answer.StatusCode < 300
	if len(status) > 0 {
		good = answer.StatusCode == status[0]
	}
	if err != nil || !good {
		d.t.Fatalf("%s %s: %d %s %v", method, path, answer.StatusCode, text, err)
	}
	return string(text)
}

// settle waits until everything that follows from requests is done.
func (d *desk) settle() {
	d.t.Helper()
	if err := d.server.Settle(d.t.Context()); err != nil {
		d.t.Fatal(err)
	}
}

// link creates a set-up link and returns its URL.
func (d *desk) link(role string) string {
	d.t.Helper()
	var l struct{ URL string }
	answer := d.call("POST", "/admin/v1/tenants/"+d.tenant+"/setup-links", `{"role":"`+role+`"}`)
	if err := json.Unmarshal([]byte(answer), &l); err != nil {
		d.t.Fatal(err)
	}
	return l.URL
}

// user sends a user as an identity provider would, and returns the id.
func (d *desk) user(name, display string) string {
	d.t.Helper()
	return d.created("/Users", `{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":%q,"externalId":%q,`+
		`"displayName":%q,"emails":[{"type":"work","value":%q}],"active":true}`,
		name+"@acme.example", name, display, name+"@acme.example")
}

// group sends a group with one member.
func (d *desk) group(name, member string) string {
	d.t.Helper()
	return d.created("/Groups", `{"schemas":["urn:ietf:params:scim:schemas:core:2.0:Group"],"displayName":%q,`+
		`"members":[{"value":%q}]}`, name, member)
}

func (d *desk) created(path, body string, values ...any) string {
	d.t.Helper()
	var created struct{ ID string }
	if err := json.Unmarshal([]byte(d.call("POST", path, fmt.Sprintf(body, values...))), &created); err != nil {
		d.t.Fatal(err)
	}
	return created.ID
}
