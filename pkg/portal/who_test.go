package portal_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/serverless-scim/serverless-scim/pkg/portal"
)

// entry is an entry of the provisioning log.
type entry struct {
	ID, RequestID, Caller, Method, Path, ResourceID, Outcome string
	Status                                                   int
}

// told are the entries of a tenant about the request of an answer, and the whole log as text.
func (w *world) told(rec *httptest.ResponseRecorder) (of []entry, all string) {
	w.t.Helper()
	filter := url.QueryEscape(`requestId eq "` + rec.Header().Get("X-Request-Id") + `"`)
	all = w.admin(200, "GET", "/log?filter="+filter, "")
	var page struct{ Entries []entry }
	if err := json.Unmarshal([]byte(all), &page); err != nil {
		w.t.Fatal(err)
	}
	return page.Entries, all
}

// wantEntry fails unless the log has one entry of an answer, with this caller, path and object.
func (w *world) wantEntry(rec *httptest.ResponseRecorder, caller, path, object string) {
	w.t.Helper()
	of, all := w.told(rec)
	outcome := "done"
	if rec.Code >= http.StatusBadRequest {
		outcome = "refused"
	}
	want := entry{
		RequestID: rec.Header().Get("X-Request-Id"), Caller: caller, Method: "POST", Path: path, ResourceID: object,
		Outcome: outcome, Status: rec.Code,
	}
	if len(of) == 1 {
		want.ID = of[0].ID
	}
	if len(of) != 1 || of[0] != want {
		w.t.Errorf("%s: the log has %s, want %+v", path, all, want)
	}
	if strings.Contains(all, "@") {
		w.t.Errorf("%s: the log has an address: %s", path, all)
	}
}

// sessionOf is the caller of a browser.
func sessionOf(b browser) string {
	id := strings.TrimPrefix(b.cookie, "portal=")
	return "setup-link " + id[:strings.LastIndex(id, ".")]
}

// TestWhoDidItInThePortal sends each form of the router: by an administrator so that it is carried out, and by a
// reader. The tenant's log has one entry of each, with the link, the request id, the path, the thing and the result.
// The log line of the request has the link too.
func TestWhoDidItInThePortal(t *testing.T) {
	w := newWorld(t)
	b, reader := w.signIn("acme", "admin"), w.signIn("acme", "reader")
	ada, ben, eve := w.user("acme", "ada"), w.user("acme", "ben"), w.user("acme", "eve")
	w.group("acme", "Admins", ada)
	w.events("acme")
	token := func() string { return tokenID.FindStringSubmatch(b.get("/portal/token").Body.String())[1] }
	other, first := w.link("acme", `{"role":"reader"}`), token()
	rule := url.Values{
		"op": {"rule"}, "version": {"0"}, "group": {"Admins"}, "kind": {"role"}, "target": {"admin"},
	}
	var client string
	sent := []string{}
	for _, f := range []struct {
		path   string
		fields url.Values
		object string // "new": any
	}{
		{"connect/choose", url.Values{"idp": {"okta"}}, ""},
		{"token/reveal", url.Values{"id": {first}}, first},
		{"token/create", nil, "new"},
		{"token/revoke", url.Values{"id": {first}}, first},
		{"token/rotate", url.Values{"action": {"start"}}, ""},
		{"token/client", url.Values{"name": {"One"}}, "new"},
		{"token/client/renew", url.Values{"id": {"<client>"}}, "<client>"},
		{"token/client/end", url.Values{"id": {"<client>"}}, "<client>"},
		{"groups/rehearse", rule, ""},
		{"groups/save", rule, ""},
		{"members/" + ada + "/invite", nil, ""},
		{"members/invite", nil, ""},
		{"members/merge", url.Values{"id": {ben}, "into": {eve}}, ben},
		{"settings/requests", url.Values{"version": {"1"}, "onDelete": {"deactivate"}, "invite": {"manual"}}, ""},
		{"settings/login", url.Values{"version": {"2"}, "login": {"userName"}}, ""},
		{"settings/guard", url.Values{"version": {"3"}, "people": {"5"}, "minutes": {"60"}}, ""},
		{"settings/decide", url.Values{"decision": {"allow"}}, ""},
		{"settings/recipients", url.Values{"email": {"it@acme.example"}, "language": {"en"}}, ""},
		{"settings/test", nil, ""},
		{"settings/revoke", url.Values{"id": {other.ID}}, other.ID},
		{"settings/active", url.Values{"active": {"false"}}, ""},
		{"domains/add", url.Values{"name": {"acme.example"}}, "acme.example"},
		{"domains/check", url.Values{"name": {"acme.example"}}, "acme.example"},
		{"domains/remove", url.Values{"name": {"acme.example"}}, "acme.example"},
		{"settings/disconnect", url.Values{"confirm": {"yes"}}, ""},
	} {
		fields := url.Values{"sure": {"yes"}}
		for name, values := range f.fields {
			fields.Set(name, strings.ReplaceAll(values[0], "<client>", client))
		}
		path := "/portal/" + f.path
		refused := reader.post(path, fields)
		if refused.Code != http.StatusForbidden {
			t.Errorf("%s by a reader: %d", path, refused.Code)
		}
		w.wantEntry(refused, sessionOf(reader), path, fields.Get("id"))
		rec := b.post(path, fields)
		if rec.Code >= http.StatusBadRequest {
			t.Errorf("%s: %d %s", path, rec.Code, rec.Body)
		}
		object := strings.ReplaceAll(f.object, "<client>", client)
		if of, _ := w.told(rec); object == "new" && len(of) == 1 && of[0].ResourceID != "" {
			object = of[0].ResourceID
			client = object
		}
		w.wantEntry(rec, sessionOf(b), path, object)
		if line := w.line(rec); !strings.Contains(line, `caller="`+sessionOf(b)+`"`) {
			t.Errorf("%s: the log line is %s", path, line)
		}
		sent = append(sent, "POST "+strings.Replace(f.path, ada, "{id}", 1))
		w.now(time.Minute) // so many refused requests a minute are kept
	}
	inSession, _, err := portal.Routes()
	if err != nil {
		t.Fatal(err)
	}
	for _, route := range inSession {
		if strings.HasPrefix(route, "POST ") && !slices.Contains(sent, route) {
			t.Errorf("%s was not sent", route)
		}
	}
	w.revealed(1)
}

// TestFormsNameNoSecretInTheLog sends each form of the router with a secret or an address in all fields, by an
// administrator and by a reader, and one that gets a wrong code: the entry of each has none of them.
func TestFormsNameNoSecretInTheLog(t *testing.T) {
	w := newWorld(t)
	b, reader := w.signIn("acme", "admin"), w.signIn("acme", "reader")
	ada := w.user("acme", "ada")
	inSession, _, err := portal.Routes()
	if err != nil {
		t.Fatal(err)
	}
	for _, secret := range []string{
		"scim_abcdefgh12345678_" + strings.Repeat("aB3", 14) + "x_abc123", "scim_abcdefgh12345678_xyz",
		"ada@acme.example", strings.Repeat("CODE2345", 3), strings.Repeat("x", 101), "two words",
	} {
		fields := url.Values{}
		for _, name := range []string{
			"id", "into", "name", "idp", "action", "op", "version", "group", "kind", "target", "onDelete", "invite",
			"login", "people", "minutes", "decision", "email", "language", "active", "confirm",
		} {
			fields.Set(name, secret)
		}
		fields.Set("sure", "yes")
		for _, route := range inSession {
			method, path, _ := strings.Cut(route, " ")
			if method != "POST" {
				continue
			}
			path = "/portal/" + strings.Replace(path, "{id}", ada, 1)
			for _, by := range []browser{b, reader} {
				rec := by.post(path, fields)
				of, all := w.told(rec)
				if len(of) != 1 || rec.Code >= 500 || strings.Contains(all, secret[:min(len(secret), 90)]) {
					t.Errorf("%s with %s: %d, the log has %s", path, secret, rec.Code, all)
				}
			}
			w.now(time.Minute) // so many refused requests a minute are kept
		}
		l := w.link("acme", `{"role":"reader"}`)
		body := url.Values{"code": {"wrong"}, "id": {"hunter2"}}.Encode()
		rec := w.send("POST", "/setup/"+l.ID, body, form, "Sec-Fetch-Site: same-origin")
		w.wantEntry(rec, "setup-link "+l.ID, "/setup/"+l.ID, "")
	}
}

// line is the line of the process log about the request of an answer.
func (w *world) line(rec *httptest.ResponseRecorder) string {
	for line := range strings.Lines(w.log.String()) {
		if strings.Contains(line, "msg=request") && strings.Contains(line, rec.Header().Get("X-Request-Id")) {
			return line
		}
	}
	return ""
}

// revealed fails unless the process log has so many lines that the alarm of reveals counts, each with a request id.
func (w *world) revealed(want int) {
	w.t.Helper()
	n := 0
	for line := range strings.Lines(w.log.String()) {
		if strings.Contains(line, `msg="token revealed"`) {
			if n++; !strings.Contains(line, " requestId=") || strings.Contains(line, ` requestId=""`) {
				w.t.Errorf("without the request: %s", line)
			}
		}
	}
	if n != want {
		w.t.Errorf("%d reveals are logged, want %d", n, want)
	}
}

// TestWhoUsedALink: a wrong code, a redemption, a request for another link, the end of a session and a link that the
// operator opens are in the tenant's log, each once.
func TestWhoUsedALink(t *testing.T) {
	l := newLetters(t)
	w := l.world
	opened := w.link("acme", `{"role":"reader"}`)
	caller := "setup-link " + opened.ID
	w.wantEntry(w.redeem(opened, "wrong"), caller, "/setup/"+opened.ID, "")
	rec := w.redeem(opened, opened.Code)
	w.wantEntry(rec, caller, "/setup/"+opened.ID, "")
	b := browser{w, strings.Split(rec.Header().Get("Set-Cookie"), ";")[0]}
	w.wantEntry(b.post("/portal/sign-out", nil), caller, "/portal/sign-out", "")
	// Nothing is written of those who have no session, or no right to a link.
	for _, rec := range []*httptest.ResponseRecorder{
		b.post("/portal/sign-out", nil), w.redeem(opened, opened.Code),
		w.send("POST", "/setup/renew/acme.none", "", form, "Sec-Fetch-Site: same-origin"),
	} {
		if of, all := w.told(rec); len(of) != 0 {
			t.Errorf("the log has %s", all)
		}
	}
	w.notify("ada@acme.example")
	w.now(345 * 24 * time.Hour)
	l.rotates()
	page := renewLink.FindStringSubmatch(l.arrived()[0].text)[1]
	rec = w.send("POST", page, "", form, "Sec-Fetch-Site: same-origin")
	of, all := w.told(rec)
	if len(of) != 1 || !strings.HasPrefix(of[0].ResourceID, "acme.") ||
		strings.Contains(all, strings.TrimPrefix(page, "/setup/renew/")) {
		t.Fatalf("%d, the log has %s", rec.Code, all)
	}
	w.wantEntry(rec, "recipient of a notice", "/setup/renew", of[0].ResourceID)
	rec = w.send("POST", "/operator/link", "tenant=acme", form, "Authorization: Bearer key")
	id, code, _ := strings.Cut(strings.TrimPrefix(rec.Header().Get("Location"), "/setup/"), "#")
	w.wantEntry(rec, "admin key", "/operator/link", id)
	if rec.Code != http.StatusSeeOther || code == "" || !strings.Contains(w.line(rec), `caller="admin key"`) {
		t.Errorf("%d %v: %s", rec.Code, rec.Header(), w.line(rec))
	}
}
