package portal_test

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/serverless-scim/serverless-scim/pkg/portal"
)

// route is a page as the router has it.
type route struct{ method, path string }

// allRoutes asks the router, so that a new page is tested as well. {id} becomes id.
func allRoutes(t *testing.T, id string) (inSession, open []route) {
	t.Helper()
	under, anybody, err := portal.Routes()
	if err != nil || len(under) < 30 || len(anybody) < 5 {
		t.Fatalf("%d and %d routes, %v", len(under), len(anybody), err)
	}
	for _, r := range under {
		method, path, _ := strings.Cut(r, " ")
		inSession = append(inSession, route{method, "/portal/" + strings.ReplaceAll(path, "{id}", id)})
	}
	for _, r := range anybody {
		method, path, _ := strings.Cut(r, " ")
		// The operator's pages have another guard: TestOverview tries it.
		if strings.HasPrefix(path, "/setup/") || strings.HasPrefix(path, "/portal") {
			open = append(open, route{method, strings.ReplaceAll(path, "{id}", id)})
		}
	}
	return inSession, open
}

// guarded fails unless an answer has the headers of every page, and no session.
func guarded(t *testing.T, r route, rec *httptest.ResponseRecorder) {
	t.Helper()
	for name, want := range map[string]string{
		"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer",
		"X-Frame-Options": "DENY", "Content-Security-Policy": "default-src 'none'",
	} {
		if got := rec.Header().Get(name); !strings.HasPrefix(got, want) {
			t.Errorf("%s %s: %s is %q", r.method, r.path, name, got)
		}
	}
	for _, cookie := range rec.Header().Values("Set-Cookie") {
		if strings.Contains(cookie, "portal=") && !strings.Contains(cookie, "portal=;") {
			t.Errorf("%s %s: a session", r.method, r.path)
		}
	}
}

// TestEveryRouteIsGuarded sends each route of the router without a session, with HEAD, from other sites, with a doubled
// slash, and with a session that is over.
func TestEveryRouteIsGuarded(t *testing.T) {
	w := newWorld(t)
	l := w.link("acme", `{"role":"admin"}`)
	inSession, open := allRoutes(t, l.ID)
	over := w.signIn("acme", "admin")
	id := strings.TrimPrefix(over.cookie, "portal=")
	w.send("DELETE", "/admin/v1/tenants/acme/setup-links/"+id[:strings.LastIndex(id, ".")], "")
	admin := w.signIn("acme", "admin")
	for _, r := range inSession {
		for _, cookie := range []string{"", over.cookie, over.cookie + "x", "portal=acme.x.y"} {
			rec := w.send(r.method, r.path, "sure=yes", form, "Cookie: "+cookie, "Sec-Fetch-Site: same-origin")
			if guarded(t, r, rec); rec.Code != http.StatusUnauthorized {
				t.Errorf("%s %s with %q: %d", r.method, r.path, cookie, rec.Code)
			}
		}
	}
	for _, r := range append(inSession, open...) {
		if r.method == http.MethodGet {
			rec := w.send("HEAD", r.path, "", "Cookie: "+admin.cookie)
			if guarded(t, r, rec); rec.Code >= 500 || rec.Body.Len() != 0 {
				t.Errorf("HEAD %s: %d %s", r.path, rec.Code, rec.Body)
			}
		} else {
			for _, site := range []string{
				"Sec-Fetch-Site: cross-site", "Sec-Fetch-Site: same-site", "Origin: https://evil.example",
			} {
				rec := w.send(r.method, r.path, "sure=yes&code="+l.Code, form, "Cookie: "+admin.cookie, site)
				if guarded(t, r, rec); rec.Code != http.StatusForbidden {
					t.Errorf("%s %s with %s: %d", r.method, r.path, site, rec.Code)
				}
			}
		}
		for _, path := range []string{
			"/" + r.path, strings.Replace(r.path, "/portal/", "/portal//", 1) + "//evil.example",
		} {
			if rec := doubled(w, r.method, path, admin.cookie); rec.Code < 400 || rec.Header().Get("Location") != "" {
				t.Errorf("%s %s: %d %v", r.method, path, rec.Code, rec.Header())
			}
		}
	}
	if rec := w.redeem(l, l.Code); rec.Code != http.StatusSeeOther {
		t.Errorf("one of them has redeemed the link: %d", rec.Code)
	}
}

// doubled sends a request for a path as it is, which a URL that is parsed would take for a host.
func doubled(w *world, method, path, cookie string) *httptest.ResponseRecorder {
	w.t.Helper()
	r := httptest.NewRequest(method, w.base+"/", nil)
	r.URL = &url.URL{Path: path}
	r.RequestURI = path
	r.Header.Set("Cookie", cookie)
	r.Header.Set("Sec-Fetch-Site", "same-origin")
	rec := httptest.NewRecorder()
	w.s.Handler().ServeHTTP(rec, r)
	return rec
}

// TestNoRouteReachesAnotherTenant sends each route with everything that is known of another tenant, by the session of
// an administrator. Nothing of it is shown, and nothing there has changed.
func TestNoRouteReachesAnotherTenant(t *testing.T) {
	w := newWorld(t, "other")
	b, owner := w.signIn("acme", "admin"), w.signIn("other", "admin")
	person := w.user("other", "zora")
	w.group("other", "Secret Group", person)
	owner.sends(303, "/portal/domains/add", url.Values{"name": {"other.example"}})
	owner.post("/portal/token/client", url.Values{"name": {"Theirs"}})
	tokens := owner.get("/portal/token").Body.String()
	waiting := w.link("other", `{"role":"admin"}`)
	state := func() string {
		return w.events("other") + w.send("GET", "/admin/v1/tenants/other", "").Body.String() +
			w.send("GET", "/admin/v1/tenants/other/setup-links", "").Body.String() +
			w.send("GET", "/admin/v1/tenants/other/members", "").Body.String()
	}
	before := state()
	for _, id := range []string{
		person, tokenID.FindStringSubmatch(tokens)[1], clientID.FindStringSubmatch(tokens)[1], waiting.ID,
	} {
		inSession, _ := allRoutes(t, id)
		for _, r := range inSession {
			if r.path == "/portal/settings/disconnect" && r.method == "POST" {
				continue // it ends the visitor's own tokens, by no name
			}
			fields := url.Values{
				"id": {id}, "into": {person}, "sure": {"yes"}, "confirm": {"yes"}, "tenant": {"other"}, "after": {id},
				"person": {id}, "q": {"zora"}, "group": {"Secret Group"}, "cursor": {id}, "version": {"0"},
				"op": {"rule"}, "kind": {"role"}, "target": {"x"}, "action": {"cancel"}, "active": {"true"},
			}
			if strings.Contains(r.path, "/check") || strings.Contains(r.path, "/remove") {
				fields.Set("name", "other.example")
			}
			path, body := r.path, fields.Encode()
			if r.method == "GET" {
				path, body = path+"?"+body, ""
			}
			rec := b.send(r.method, path, body, form, "Cookie: "+b.cookie, "Sec-Fetch-Site: same-origin")
			if rec.Code >= 500 {
				t.Errorf("%s %s: %d", r.method, path, rec.Code)
			}
			for _, theirs := range []string{"zora@", "Theirs", w.tokens["other"], "_scim-challenge.other"} {
				if strings.Contains(rec.Body.String(), theirs) {
					t.Errorf("%s %s shows %s", r.method, path, theirs)
				}
			}
		}
	}
	if after := state(); after != before {
		t.Errorf("the other tenant has changed:\n%s\n%s", before, after)
	}
	owner.sees("/portal/domains", "other.example")
}
