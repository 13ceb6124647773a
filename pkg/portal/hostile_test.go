package portal_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
)

// TestBrokenInput sends input that no page of the portal sends. The answer is never that the server is at fault.
func TestBrokenInput(t *testing.T) {
	w := newWorld(t)
	admin := w.signIn("acme", "admin")
	for _, text := range []string{
		"\x00", "\x7f@example.com", "\xff\xfe", "\u202e\U000e0001x", `"`, `\`, "a\nb", strings.Repeat("ä", 1500), "%s%d",
	} {
		q := url.QueryEscape(text)
		for _, page := range []string{
			"try?q=", "try?part=result&id=", "members?q=", "members?after=", "members?view=",
			"members/duplicates?after=", "members/pending?after=", "groups?after=", "groups/grammar?grammar=",
			"activity?person=", "activity?after=", "settings?login=", "?lang=", "?done=",
		} {
			if rec := admin.get("/portal/" + page + q); rec.Code >= 500 {
				t.Errorf("%s%.20q: %d", page, text, rec.Code)
			}
		}
		for _, page := range []string{"/portal/members/", "/portal/activity/", "/portal/", "/setup/", "/setup/acme."} {
			if rec := admin.get(page + url.PathEscape(text)); rec.Code >= 500 {
				t.Errorf("%s%.20q: %d", page, text, rec.Code)
			}
		}
		fields := url.Values{
			"version": {"0"}, "kind": {"role"}, "op": {"grammar"}, "grammar": {text + "{name}"},
			"sure": {"yes"},
		}
		for _, name := range []string{
			"id", "into", "name", "email", "login", "people", "action", "idp", "group", "target",
		} {
			fields.Set(name, text)
		}
		for _, form := range []string{
			"token/reveal", "token/revoke", "token/rotate", "token/client", "token/client/end", "connect/choose",
			"settings/login", "settings/guard", "settings/recipients", "settings/revoke", "domains/add",
			"domains/check", "domains/remove", "members/merge", "groups/rehearse", "groups/save",
		} {
			if rec := admin.post("/portal/"+form, fields); rec.Code >= 500 {
				t.Errorf("%s with %.20q: %d", form, text, rec.Code)
			}
		}
	}
	// A form whose end is missing would be another change.
	for _, broken := range []string{"active=true%", "active=true&x=%00"} {
		rec := admin.send("POST", "/portal/settings/active", broken, form, "Cookie: "+admin.cookie)
		if rec.Code != http.StatusBadRequest {
			t.Errorf("a broken form, %s: %d", broken, rec.Code)
		}
	}
	rec := admin.send("POST", "/portal/settings/active", "x="+strings.Repeat("a", 300<<10), form,
		"Cookie: "+admin.cookie)
	if rec.Code != http.StatusRequestEntityTooLarge {
		t.Errorf("a large form: %d", rec.Code)
	}
}

// TestLongNamesAreWhole creates a rule for a group whose name is longer than the part that messages repeat of it.
func TestLongNamesAreWhole(t *testing.T) {
	w := newWorld(t)
	b := w.signIn("acme", "admin")
	name := "Team \u200d\x7f " + strings.Repeat("of the Elbe ", 12) + "end"
	w.provision("acme", "POST", "/Groups", `{"schemas":["urn:ietf:params:scim:schemas:core:2.0:Group"],"displayName":"`+
		name+`","members":[{"value":"`+w.user("acme", "ada")+`"}]}`)
	page := b.sends(200, "/portal/groups/rehearse", url.Values{
		"op": {"rule"}, "version": {"0"}, "group": {name}, "kind": {"role"}, "target": {"admin"},
	}, "1 person gets: role admin")
	b.sends(303, "/portal/groups/save", hidden(page))
	b.sees("/portal/groups", "role: admin (rule role-admin)")
	b.sees("/portal/activity?group="+url.QueryEscape(strings.TrimSpace(name)), "of the Elbe")
}

// TestRefusedFormsAreRefusedInTheLog reads the log after a form that changed nothing.
func TestRefusedFormsAreRefusedInTheLog(t *testing.T) {
	w := newWorld(t)
	b := w.signIn("acme", "admin")
	b.sends(404, "/portal/token/client/end", url.Values{"id": {"none"}, "sure": {"yes"}})
	b.sends(400, "/portal/token/rotate", url.Values{"action": {"nonsense"}})
	log := w.admin(200, "GET", "/log?filter="+url.QueryEscape(`outcome eq "refused"`), "")
	for _, part := range []string{
		`"path":"/portal/token/client/end"`, `"status":404`, `"path":"/portal/token/rotate"`, `"status":400`,
	} {
		if !strings.Contains(log, part) {
			t.Errorf("without %s: %s", part, log)
		}
	}
}

// TestStartShowsARefusal shows an administrator whose first request was refused that it came.
func TestStartShowsARefusal(t *testing.T) {
	w := newWorld(t)
	b := w.signIn("acme", "admin")
	wrong := w.tokens["acme"][:len(w.tokens["acme"])-1] + "_"
	if rec := w.send("GET", "/scim/v2/acme/Users", "", "Authorization: Bearer "+wrong); rec.Code != 401 {
		t.Fatalf("%d %s", rec.Code, rec.Body)
	}
	b.sees("/portal/", "401")
	b.sees("/portal/connect", "401")
}
