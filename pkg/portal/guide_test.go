package portal_test

import (
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/serverless-scim/serverless-scim/pkg/portal/frame"
)

// TestTheGuideHasThePagesWords holds the administrator's guide to the words of the pages.
func TestTheGuideHasThePagesWords(t *testing.T) {
	guide, err := os.ReadFile("../../docs/administrator.md")
	if err != nil {
		t.Fatal(err)
	}
	w := newLetters(t)
	l := w.link("acme", `{"role":"admin"}`)
	seen := w.send("GET", "/setup/"+l.ID, "").Body.String() + w.send("GET", frame.SetupRoot+"renew/x", "").Body.String()
	b := newWorld(t).signIn("acme", "admin")
	for _, page := range []string{
		"", "connect", "try", "token", "domains", "groups", "members", "activity", "settings",
	} {
		seen += b.get("/portal/" + page).Body.String()
	}
	seen += b.get("/portal/settings/disconnect").Body.String()
	for _, m := range regexp.MustCompile(`\*\*([^*]+)\*\*`).FindAllStringSubmatch(string(guide), -1) {
		if !strings.Contains(seen, ">"+m[1]+"<") {
			t.Errorf("no page says %q", m[1])
		}
	}
}
