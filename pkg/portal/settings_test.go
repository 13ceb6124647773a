package portal_test

import (
	"html"
	"io"
	"net/url"
	"strings"
	"testing"

	"github.com/serverless-scim/serverless-scim/pkg/app/local"
	"github.com/serverless-scim/serverless-scim/pkg/internal/dnstest"
	"github.com/serverless-scim/serverless-scim/pkg/store/boltstore"
	"github.com/serverless-scim/serverless-scim/pkg/tenant"
)

func TestSettingsOfRequests(t *testing.T) {
	w := newWorld(t)
	b := w.signIn("acme", "admin")
	w.user("acme", "ada")
	w.admin(200, "PUT", "/policy", `{"requests":{"domains":["emails"],"forbid":["Groups.*"]}}`)
	page := b.sees("/portal/settings", "On", "Ada ada@example.com", "your session")
	if strings.Count(page, `name="may"`) != 6 || strings.Count(page, " checked> ") != 5 {
		t.Errorf("%s", page)
	}
	b.sends(303, "/portal/settings/requests", url.Values{
		"version": {"1"}, "may": {"Users.create", "Users.update", "Groups.create", "Groups.update", "Groups.delete"},
		"onDelete": {"deactivate"}, "invite": {"automatic"},
	})
	got := w.admin(200, "GET", "/policy", "")
	for _, want := range []string{
		`"forbid":["Users.delete"]`, `"domains":["emails"]`, `"onDelete":"deactivate"`, `"invite":"automatic"`,
	} {
		if !strings.Contains(got, want) {
			t.Errorf("no %s in %s", want, got)
		}
	}
	b.sends(400, "/portal/settings/requests", url.Values{"version": {"1"}}, "Somebody changed the settings meanwhile")
	b.sends(400, "/portal/settings/requests", url.Values{"version": {"2"}, "onDelete": {"burn"}},
		"Choose one of the values")

	b.sees("/portal/settings?login="+url.QueryEscape(`emails[type eq "login"].value`), "Ada nothing found")
	b.sees("/portal/settings?login=none", "This is not the path of an attribute")
	b.sends(400, "/portal/settings/login", url.Values{"version": {"2"}, "login": {"none"}}, "This is not the path")
	b.sends(303, "/portal/settings/login", url.Values{"version": {"2"}, "login": {`emails[type eq "work"].value`}})
	b.sees("/portal/settings?lang=de", "Ada ada@example.com")

	b.sends(303, "/portal/settings/active", url.Values{"active": {"false"}, "sure": {"yes"}})
	rec := w.send("GET", "/scim/v2/acme/Users", "", "Authorization: Bearer "+w.tokens["acme"])
	if rec.Code != 403 {
		t.Errorf("switched off: %d", rec.Code)
	}
	b.sees("/portal/settings?done=settings.off&lang=en", "Provisioning is off")
	b.sends(303, "/portal/settings/active", url.Values{"active": {"true"}})
}

func TestGuardIsDecided(t *testing.T) {
	w := newWorld(t)
	b := w.signIn("acme", "admin")
	b.sends(400, "/portal/settings/guard", url.Values{"version": {"0"}, "people": {"many"}}, "Enter whole numbers")
	b.sends(400, "/portal/settings/guard", url.Values{"version": {"0"}, "people": {"-1"}}, "Enter whole numbers")
	b.sends(303, "/portal/settings/guard", url.Values{"version": {"0"}, "people": {"1"}, "minutes": {"60"}})
	ada, ben := w.user("acme", "ada"), w.user("acme", "ben")
	w.events("acme")
	w.provision("acme", "DELETE", "/Users/"+ada, "")
	remove := func() int {
		return w.send("DELETE", "/scim/v2/acme/Users/"+ben, "", "Authorization: Bearer "+w.tokens["acme"]).Code
	}
	if code := remove(); code != 503 {
		t.Fatalf("the second deletion: %d", code)
	}
	b.sees("/portal/settings", "Decide: many people", "Ben: would be deleted")
	b.sends(303, "/portal/settings/decide", url.Values{"decision": {"reject"}})
	if code := remove(); code != 503 {
		t.Errorf("after the rejection: %d", code)
	}
	b.sends(303, "/portal/settings/decide", url.Values{"decision": {"allow"}, "sure": {"yes"}})
	if code := remove(); code != 204 {
		t.Errorf("after the permission: %d", code)
	}
	b.sends(303, "/portal/settings/guard", url.Values{"version": {"1"}})
	if got := w.admin(200, "GET", "/policy", ""); strings.Contains(got, "guard") {
		t.Errorf("%s", got)
	}
}

func TestWhoIsToldAndWhoHasAccess(t *testing.T) {
	w := newWorld(t, "globex")
	b := w.signIn("acme", "admin")
	b.sends(400, "/portal/settings/test", nil, "Add an e-mail address first")
	b.sends(400, "/portal/settings/recipients", url.Values{"email": {"nobody"}}, "Enter one e-mail address")
	b.sends(303, "/portal/settings/recipients", url.Values{"email": {"it@acme.example"}, "language": {"de"}})
	b.sends(400, "/portal/settings/recipients", url.Values{"email": {"it@acme.example"}}, "not in the list yet")
	b.sees("/portal/settings", "it@acme.example (de)")
	b.sends(303, "/portal/settings/test", nil)
	b.sends(303, "/portal/settings/recipients", url.Values{"remove": {"it@acme.example"}, "sure": {"yes"}})
	b.sees("/portal/settings", "Nobody is notified")

	other, foreign := w.signIn("acme", "admin"), w.link("globex", `{"role":"admin"}`)
	id := strings.TrimPrefix(other.cookie, "portal=")
	id = id[:strings.LastIndex(id, ".")]
	for _, wrong := range []string{foreign.ID, "", "acme.none", "acme." + strings.Repeat("x", 200)} {
		b.sends(400, "/portal/settings/revoke", url.Values{"id": {wrong}, "sure": {"yes"}},
			"This link no longer exists")
	}
	if page := b.sees("/portal/settings"); strings.Contains(page, foreign.ID) || !strings.Contains(page, id) {
		t.Errorf("links: %s", page)
	}
	b.sends(303, "/portal/settings/revoke", url.Values{"id": {id}, "sure": {"yes"}})
	if rec := other.get("/portal/"); rec.Code != 401 {
		t.Errorf("a session of a revoked link: %d", rec.Code)
	}
}

func TestDisconnect(t *testing.T) {
	w := newWorld(t)
	ada := w.user("acme", "ada")
	b := w.signIn("acme", "admin")
	b.sees("/portal/settings/disconnect", "This ends at once", "This stays")
	b.sends(400, "/portal/settings/disconnect", nil, "Nothing was changed")
	b.sends(303, "/portal/settings/disconnect", url.Values{"confirm": {"yes"}})
	rec := w.send("GET", "/scim/v2/acme/Users", "", "Authorization: Bearer "+w.tokens["acme"])
	if rec.Code != 401 {
		t.Errorf("the token is good: %d", rec.Code)
	}
	b.sees("/portal/members/"+ada, "Ada active")
}

func TestDomainsOfTheTenant(t *testing.T) {
	w := newWorld(t)
	b := w.signIn("acme", "admin")
	b.sees("/portal/domains", "There is no domain yet")
	b.sends(400, "/portal/domains/add", url.Values{"name": {"ada@example.com"}}, "Enter a domain such as example.com")
	b.sends(303, "/portal/domains/add", url.Values{"name": {"Example.com"}})
	page := b.sees("/portal/domains", "example.com Not verified yet", "_scim-challenge.example.com")
	if !strings.Contains(page, `data-copy="value-0"`) {
		t.Errorf("no value to copy: %s", page)
	}
	w.admin(200, "POST", "/domains/example.com/verify", `{"override":true}`)
	b.sees("/portal/domains?lang=de", "Bestätigt", "durch den Betreiber")
	b.sends(404, "/portal/domains/check", url.Values{"name": {"none.example"}}, "no longer exists")
	b.sends(404, "/portal/domains/remove", url.Values{"name": {"none.example"}, "sure": {"yes"}}, "no longer exists")
	b.sends(303, "/portal/domains/remove", url.Values{"name": {"example.com"}, "sure": {"yes"}})
	b.sees("/portal/domains", "There is no domain yet")
}

// TestReadersChangeNoSettings: a reader sees the settings, and no form that works.
func TestReadersChangeNoSettings(t *testing.T) {
	w := newWorld(t)
	w.admin(201, "POST", "/domains", `{"name":"example.com"}`)
	b := w.signIn("acme", "reader")
	for _, path := range []string{"/portal/settings", "/portal/domains", "/portal/settings/disconnect"} {
		page := b.sees(path)
		if strings.Contains(page, "<button>") || strings.Contains(page, `class="danger`) {
			t.Errorf("%s has a form for a reader: %s", path, page)
		}
	}
	for _, path := range []string{
		"settings/active", "settings/requests", "settings/login", "settings/guard", "settings/decide", "settings/test",
		"settings/recipients", "settings/revoke", "settings/disconnect", "domains/add", "domains/check",
		"domains/remove",
	} {
		if rec := b.post("/portal/"+path, nil); rec.Code != 403 {
			t.Errorf("%s: %d", path, rec.Code)
		}
	}
}

// TestDomainIsCheckedNow: the page asks the DNS, and shows its answer.
func TestDomainIsCheckedNow(t *testing.T) {
	dns := dnstest.New(t)
	s, err := local.Open(t.Context(), local.Options{
		AdminKey: "key", Engine: "bolt", Data: boltstore.Memory, Log: io.Discard, Out: io.Discard, DNS: dns.Address,
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	if _, _, err := s.Tenants().Create(t.Context(), tenant.NewTenant{ID: "acme", Name: "Acme"}); err != nil {
		t.Fatal(err)
	}
	w := &world{t: t, s: s, base: "http://127.0.0.1:8080"}
	b, name := w.signIn("acme", "admin"), url.Values{"name": {"example.com"}}
	b.sends(303, "/portal/domains/add", name)
	page := b.sees("/portal/domains")
	_, value, _ := strings.Cut(page, `id="value-0"`)
	_, value, _ = strings.Cut(value, ">")
	value, _, _ = strings.Cut(value, "<")
	const record = "_scim-challenge.example.com"
	dns.Says(record, dnstest.NotThere)
	b.sends(200, "/portal/domains/check", name, "The DNS has no such record yet")
	dns.Says(record, dnstest.TXT("another"))
	b.sends(200, "/portal/domains/check", name, "with another value")
	dns.Says(record, dnstest.TXT(value))
	b.sends(200, "/portal/domains/check", name, "the domain is verified", "Verified")
}

// TestNamesAreInert: names that somebody else chose are text on each page, even if they contain HTML.
func TestNamesAreInert(t *testing.T) {
	w := newWorld(t)
	const evil = "<script>alert(1)</script>\u202e\"'"
	ada := w.user("acme", evil)
	w.group("acme", evil, ada, evil)
	w.events("acme")
	b := w.signIn("acme", "admin")
	for _, path := range []string{
		"/portal/groups", "/portal/groups/rule?group=" + url.QueryEscape(evil), "/portal/groups/grammar?grammar={name}",
		"/portal/members", "/portal/members/" + ada, "/portal/members/pending", "/portal/activity", "/portal/settings",
		"/portal/members?q=" + url.QueryEscape(evil),
	} {
		page := b.sees(path)
		if strings.Contains(page, "<script>alert") {
			t.Errorf("%s: a script of somebody else", path)
		}
		if _, main, _ := strings.Cut(page, "<main"); strings.Contains(strings.ReplaceAll(main, `value="`+
			html.EscapeString(evil), ""), "\u202e") {
			t.Errorf("%s: a name turns the direction of writing", path)
		}
	}
	page := b.sends(200, "/portal/groups/rehearse", url.Values{
		"op": {"rule"}, "version": {"0"}, "group": {evil}, "kind": {"role"}, "target": {evil},
	}, "1 person gets: role")
	if strings.Contains(page, "<script>alert") {
		t.Error("the rehearsal has a script of somebody else")
	}
	b.sends(303, "/portal/groups/save", hidden(page))
}
