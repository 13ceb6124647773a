package portal_test

import (
	"net/url"
	"regexp"
	"strings"
	"testing"
)

var englishPart = regexp.MustCompile(`<[a-z]+[^>]* lang="en"[^>]*>[^<]*`)

// TestGermanPagesAreGerman reads pages about refusals, and about people who lack something. Nothing in them is in
// English, but for the switch to it and the answer as the identity provider got it.
func TestGermanPagesAreGerman(t *testing.T) {
	w := newWorld(t)
	b := w.signIn("acme", "admin")
	token := "Authorization: Bearer " + w.tokens["acme"]
	german := func(path string, want ...string) {
		t.Helper()
		page := b.sees(path, want...)
		for _, part := range englishPart.FindAllString(page, -1) {
			if !strings.Contains(part, "hreflang") && !strings.HasPrefix(part, "<dd") {
				t.Errorf("%s: %s", path, part)
			}
		}
	}
	w.send("GET", "/scim/v2/acme/Users", "", token+"x")
	b.get("/portal/?lang=de")
	german("/portal/?lang=de", "Das Token fehlte, war falsch, abgelaufen oder widerrufen")
	german("/portal/connect?lang=de", "Das Token fehlte, war falsch, abgelaufen oder widerrufen")
	w.admin(200, "PUT", "/policy", `{"kinds":{"role":{}},"members":{"activeWhen":{"kinds":`+
		`["role"]}},"rules":[{"id":"r","group":{"filter":"displayName pr"},"assign":{"kind":"role","target":"none"}}]}`)
	ada := w.user("acme", "ada")
	w.group("acme", "Engineering", ada)
	w.events("acme")
	twice := `{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":"ada@example.com"}`
	w.send("POST", "/scim/v2/acme/Users", twice, token, "Content-Type: application/scim+json")
	w.send("GET", "/scim/v2/acme/Users?filter=a+b", "", token)
	german("/portal/activity?lang=de", "Diesen Wert hat schon ein anderer Benutzer", "Der Filter der Anfrage")
	german("/portal/members/"+ada+"?lang=de", "hat aber noch keine der Zuweisungen",
		"in der Anwendung noch nicht vorhanden", "durch die Gruppe Engineering (Regel r)")
	german("/portal/try?lang=de&id="+url.QueryEscape(ada), "in der Anwendung noch nicht vorhanden")
	entry := entryLink.FindStringSubmatch(b.get("/portal/activity?lang=de&outcome=refused").Body.String())
	german(entry[1]+"?lang=de", "Antwort an den Identity-Provider")
}

var entryLink = regexp.MustCompile(`href="(/portal/activity/[^"?]+)"`)

var englishWord = regexp.MustCompile(`>[^<]*\b(?i:must|the|is|not|there)\b[^<]*<`)

// TestGermanPagesOfMistakesAreGerman sends forms that are refused: the pages say why in German, and the service's own
// text, which is in English, is not on them.
func TestGermanPagesOfMistakesAreGerman(t *testing.T) {
	w := newWorld(t)
	b := w.signIn("acme", "admin")
	b.cookie += "; portal-language=de"
	id := tokenID.FindStringSubmatch(b.get("/portal/token").Body.String())[1]
	b.sends(303, "/portal/token/rotate", url.Values{"action": {"start"}})
	w.group("acme", "Engineering", w.user("acme", "ada"))
	rule := func(kind, target, organisation string) url.Values {
		return url.Values{
			"op": {"rule"}, "version": {"0"}, "group": {"Engineering"}, "kind": {kind}, "target": {target},
			"organisation": {organisation},
		}
	}
	for _, c := range []struct {
		status int
		form   string
		values url.Values
		want   string
	}{
		{409, "token/rotate", url.Values{"action": {"start"}}, "Das Token hat schon einen Nachfolger"},
		{409, "token/rotate", url.Values{"action": {"complete"}}, "wurde noch nie benutzt"},
		{409, "token/create", nil, "Zwei Token sind gültig"},
		{400, "token/rotate", url.Values{"action": {"none"}}, "Diese Eingabe ist nicht gültig"},
		{400, "token/client", url.Values{"name": {strings.Repeat("x", 500)}}, "Ein Name hat höchstens 64 Bytes"},
		{400, "domains/add", url.Values{"name": {"a b"}}, "Geben Sie eine Domain wie example.com ein"},
		{400, "settings/recipients", url.Values{"email": {"nobody"}}, "Geben Sie eine E-Mail-Adresse ein"},
		{
			400, "settings/login",
			url.Values{"login": {"emails["}, "version": {"0"}},
			"Der Filter oder Pfad ist ungültig",
		},
		{400, "settings/login", url.Values{"login": {"shoe"}, "version": {"0"}}, "ist kein Attribut von User"},
		{400, "settings/guard", url.Values{"people": {"-1"}, "version": {"0"}}, "Muss eine ganze Zahl von 1 bis"},
		{400, "groups/rehearse", rule("role", "${name}", ""), "Bekannt: ${group.id}"},
		{400, "groups/rehearse", rule("role", "a", "b"), "Braucht die Art"},
		{400, "connect/choose", url.Values{"idp": {"none"}}, "Diese Eingabe ist nicht gültig"},
	} {
		page := b.sends(c.status, "/portal/"+c.form, c.values, c.want)
		if part := englishWord.FindString(page); part != "" {
			t.Errorf("%s %v says %q", c.form, c.values, part)
		}
	}
	page := b.get("/portal/settings?login=none").Body.String()
	if !strings.Contains(page, "ist kein Attribut von User") {
		t.Errorf("%s", page)
	}
	b.sends(303, "/portal/token/revoke", url.Values{"id": {id}, "sure": {"yes"}})
	b.sends(409, "/portal/token/reveal", url.Values{"id": {id}}, "lässt sich nicht mehr anzeigen")
}
