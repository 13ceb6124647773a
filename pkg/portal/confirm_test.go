package portal_test

import (
	"html"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
)

// TestFormsThatTakeAwayAskFirst sends each form that takes something away as a click does. Nothing has happened before
// the page that says what ends and what stays is answered, in both languages and without script.
func TestFormsThatTakeAwayAskFirst(t *testing.T) {
	w := newWorld(t)
	b := w.signIn("acme", "admin")
	first, second := w.user("acme", "ada"), w.user("acme", "alan")
	token := tokenID.FindStringSubmatch(b.get("/portal/token").Body.String())[1]
	b.post("/portal/token/rotate", url.Values{"action": {"start"}})
	b.post("/portal/token/client", url.Values{"name": {"PingOne"}})
	client := clientID.FindStringSubmatch(b.get("/portal/token").Body.String())[1]
	b.sends(303, "/portal/domains/add", url.Values{"name": {"example.com"}})
	other := w.link("acme", `{"role":"reader"}`)
	b.sends(303, "/portal/settings/recipients", url.Values{"email": {"it@acme.example"}})
	for _, one := range []struct {
		form   string
		fields url.Values
		named  string
		status int // once it is answered
	}{
		{"token/rotate", url.Values{"action": {"cancel"}}, "", 303},
		{"token/client/end", url.Values{"id": {client}}, client, 303},
		{"domains/remove", url.Values{"name": {"example.com"}}, "example.com", 303},
		{"settings/recipients", url.Values{"remove": {"it@acme.example"}}, "it@acme.example", 303},
		{"settings/revoke", url.Values{"id": {other.ID}}, other.ID, 303},
		{"settings/active", url.Values{"active": {"false"}}, "", 303},
		{"settings/decide", url.Values{"decision": {"allow"}}, "", 303},
		{"members/merge", url.Values{"id": {first}, "into": {second}}, "ada@", 303},
		{"members/invite", url.Values{}, "", 303},
		{"token/revoke", url.Values{"id": {token}}, token, 303},
	} {
		before := w.admin(200, "GET", "/log?count=200", "")
		for lang, texts := range map[string][]string{
			"en": {"This happens", "This stays", "Cancel"}, "de": {"Das geschieht", "Das bleibt", "Abbrechen"},
		} {
			rec := b.send("POST", "/portal/"+one.form+"?lang="+lang, one.fields.Encode(), form, "Cookie: "+b.cookie,
				"Sec-Fetch-Site: same-origin")
			page := html.UnescapeString(rec.Body.String())
			if rec.Code != http.StatusOK || missing.MatchString(rec.Body.String()) ||
				!strings.Contains(page, one.named) {
				t.Fatalf("%s: %d %s", one.form, rec.Code, rec.Body)
			}
			for _, text := range texts {
				if !strings.Contains(page, text) {
					t.Errorf("%s in %s: no %q", one.form, lang, text)
				}
			}
		}
		if w.admin(200, "GET", "/log?count=200", "") != before {
			t.Errorf("%s: the log has a change", one.form)
		}
		asked := b.post("/portal/"+one.form, one.fields).Body.String()
		answer := hidden(asked)
		answer.Set("sure", "yes")
		for name := range one.fields {
			if answer.Get(name) != one.fields.Get(name) {
				t.Errorf("%s: the field %s is lost: %v", one.form, name, answer)
			}
		}
		b.sends(one.status, "/portal/"+one.form, answer)
	}
	if page := b.get("/portal/token").Body.String(); strings.Contains(page, client) {
		t.Error("the client is still there")
	}
	// A reader is not asked.
	reader := w.signIn("acme", "reader")
	if rec := reader.post("/portal/domains/remove", url.Values{}); rec.Code != http.StatusForbidden {
		t.Errorf("%d", rec.Code)
	}
}

var clientID = regexp.MustCompile(`action="/portal/token/client/end"><input type="hidden" name="id" value="([^"]+)"`)

// TestFaultsLeadToTheirField: the page after a form that was refused begins at the fault, which leads to the field.
func TestFaultsLeadToTheirField(t *testing.T) {
	w := newWorld(t)
	b := w.signIn("acme", "admin")
	for _, one := range []struct {
		form, field string
		fields      url.Values
	}{
		{"groups/rehearse", "group", url.Values{"op": {"rule"}, "version": {"0"}, "kind": {"role"}, "target": {"x"}}},
		{"groups/rehearse", "kind", url.Values{
			"op": {"rule"}, "version": {"0"}, "group": {"g"}, "kind": {"1"}, "target": {"x"},
		}},
		{"groups/rehearse", "target", url.Values{"op": {"rule"}, "version": {"0"}, "group": {"g"}, "kind": {"role"}}},
		{
			"groups/rehearse", "grammar",
			url.Values{"op": {"grammar"}, "version": {"0"}, "grammar": {"x"}, "kind": {"role"}},
		},
		{"settings/login", "login", url.Values{"version": {"0"}, "login": {"none["}}},
		{"settings/guard", "people", url.Values{"version": {"0"}, "people": {"many"}}},
		{"settings/recipients", "email", url.Values{"email": {"nobody"}}},
		{"settings/requests", "requests", url.Values{"version": {"0"}, "onDelete": {"x"}, "invite": {"manual"}}},
		{"domains/add", "name", url.Values{"name": {"a b"}}},
	} {
		page := b.sends(400, "/portal/"+one.form, one.fields)
		for _, once := range []string{`tabindex="-1" autofocus`, `href="#` + one.field + `"`, `id="` + one.field + `"`} {
			if n := strings.Count(page, once); n != 1 {
				t.Errorf("%s: %s is there %d times", one.form, once, n)
			}
		}
	}
}

// TestUnchangedStatesAreNotSentAgain: what a screen reader has read is not put in its place once more.
func TestUnchangedStatesAreNotSentAgain(t *testing.T) {
	w := newWorld(t)
	b := w.signIn("acme", "admin")
	b.post("/portal/connect/choose", url.Values{"idp": {"okta"}})
	page := b.get("/portal/connect").Body.String()
	poll := regexp.MustCompile(`<div role="status"[^>]*>\s*<div id="state" hx-get="([^"]+)"`).FindStringSubmatch(page)
	if poll == nil {
		t.Fatalf("the state is not inside a live region: %s", page)
	}
	again := html.UnescapeString(poll[1])
	if rec := b.get(again); rec.Code != http.StatusNoContent || rec.Body.Len() != 0 {
		t.Errorf("unchanged: %d %s", rec.Code, rec.Body)
	}
	w.send("GET", "/scim/v2/acme/Users", "", "Authorization: Bearer "+w.tokens["acme"]+"x")
	rec := b.get(again)
	if part := rec.Body.String(); rec.Code != 200 || !strings.Contains(part, "401") || strings.Contains(part, "role=") {
		t.Errorf("refused: %d %s", rec.Code, rec.Body)
	}
	w.send("GET", "/scim/v2/acme/Users", "", "Authorization: Bearer "+w.tokens["acme"])
	if rec := b.get(again); rec.Code != http.StatusOK || strings.Contains(rec.Body.String(), "hx-get") {
		t.Errorf("connected: %d %s", rec.Code, rec.Body)
	}
}

// TestFormsWithoutFields: a form that names nobody is refused, and is no fault of the server.
func TestFormsWithoutFields(t *testing.T) {
	w := newWorld(t)
	b := w.signIn("acme", "admin")
	ada := w.user("acme", "ada")
	for _, fields := range []url.Values{
		{}, {"id": {ada}}, {"into": {ada}}, {"id": {""}, "into": {ada}}, {"id": {ada}, "into": {""}},
	} {
		if rec := b.post("/portal/members/merge", fields); rec.Code != http.StatusOK {
			t.Errorf("asked about %v: %d", fields, rec.Code)
		}
		fields.Set("sure", "yes")
		if rec := b.post("/portal/members/merge", fields); rec.Code != http.StatusBadRequest {
			t.Errorf("sure about %v: %d", fields, rec.Code)
		}
	}
	for _, fields := range []url.Values{{}, {"decision": {""}}, {"decision": {"maybe"}}} {
		if rec := b.post("/portal/settings/decide", fields); rec.Code != http.StatusBadRequest {
			t.Errorf("decided by %v: %d", fields, rec.Code)
		}
	}
}
