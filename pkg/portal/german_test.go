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
	german("/portal/?lang=de", "Das Token fehlte, war falsch oder ist beendet")
	german("/portal/connect?lang=de", "Das Token fehlte, war falsch oder ist beendet")
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
