package portal_test

import (
	"fmt"
	"html"
	"regexp"
	"strings"
	"testing"
	"time"
)

// TestHistoryNamesDeletedGroups: without rules a group is given itself. Once it is deleted the history has the name
// that the log knew, and no id.
func TestHistoryNamesDeletedGroups(t *testing.T) {
	w := newWorld(t)
	b := w.signIn("acme", "admin")
	ada := w.user("acme", "ada")
	group := w.group("acme", "Engineering", ada)
	w.events("acme")
	w.provision("acme", "DELETE", "/Groups/"+group, "")
	w.events("acme")
	page := b.sees("/portal/members/"+ada, "Got group Engineering", "Lost group Engineering")
	if history := text(page); strings.Contains(history, "group "+group) {
		t.Errorf("%s", history)
	}
}

// TestChartIsToldInWords: who can't see the chart has its figures in a sentence.
func TestChartIsToldInWords(t *testing.T) {
	w := newWorld(t)
	b := w.signIn("acme", "admin")
	w.user("acme", "ada")
	w.user("acme", "ben")
	w.send("GET", "/scim/v2/acme/Users?filter=a+b", "", "Authorization: Bearer "+w.tokens["acme"])
	b.sees("/portal/activity", "In 14 days: 2 done or nothing to do, 1 refused or failed.",
		"The highest bar is 3 requests a day.", "15 November 2026")
	if page := b.get("/portal/activity").Body.String(); !strings.Contains(page, `aria-describedby="chart-sum"`) {
		t.Errorf("%s", page)
	}
}

var olderLink = regexp.MustCompile(`href="(/portal/members/[^"]*/history\?from=\d+)"`)

// TestHistoryIsWhole follows the links of a person's history to its end: each change is there once, the newest first,
// and none of somebody else, however many others change in between.
func TestHistoryIsWhole(t *testing.T) {
	w := newWorld(t, "globex")
	b := w.signIn("acme", "admin")
	ada, ben := w.user("acme", "ada"), w.user("acme", "ben")
	w.events("acme")
	const changes = 40
	for i := range changes {
		for _, id := range []string{ada, ben} {
			w.provision("acme", "PATCH", "/Users/"+id, fmt.Sprintf(`{"schemas":["urn:ietf:params:scim:api:messages:2.0:PatchOp"],`+
				`"Operations":[{"op":"replace","path":"displayName","value":"%s %d"}]}`, id, i))
		}
		w.events("acme")
	}
	page, changed, pages := "/portal/members/"+ada, 0, 0
	var first string
	for {
		body := b.get(page).Body.String()
		changed += strings.Count(body, "<li><span>Changed</span>")
		pages++
		next := olderLink.FindStringSubmatch(body)
		if next == nil {
			b.sees(page, "Arrived")
			break
		}
		if page = next[1]; first == "" {
			first = page
		}
	}
	if changed != changes || pages != 3 {
		t.Errorf("%d changes on %d pages", changed, pages)
	}
	// A place of somebody else's log finds nothing, and neither does one in another tenant.
	place := first[strings.Index(first, "?"):]
	body := b.get("/portal/members/" + ben + "/history" + place).Body.String()
	if strings.Contains(body, `<ul class="rows">`) {
		t.Errorf("%s", body)
	}
	other := w.signIn("globex", "admin")
	if body := other.get(first).Body.String(); strings.Contains(body, `<ul class="rows">`) {
		t.Errorf("%s", body)
	}
	for query, want := range map[string]int{"": 200, "?from=x": 404, "?from=-1": 404, "?from=99999999": 200} {
		if rec := b.get("/portal/members/" + ada + "/history" + query); rec.Code != want {
			t.Errorf("%s: %d", query, rec.Code)
		}
	}
}

// TestOwnRequestsAreReachable: the page of a person whose requests lie behind those of others leads to them, and the
// page of a group's requests finds them by the group's id.
func TestOwnRequestsAreReachable(t *testing.T) {
	w := newWorld(t)
	b := w.signIn("acme", "admin")
	ada := w.user("acme", "ada")
	group := w.group("acme", "Engineering", ada)
	w.events("acme")
	b.sees("/portal/activity?group="+group, "Create group")
	for i := range 210 {
		if i%50 == 0 { // so many refused requests a minute are kept
			w.now(time.Minute)
		}
		w.send("POST", "/scim/v2/acme/Users", fmt.Sprintf(`{"userName":"u%d","active":"x"}`, i), "Authorization: Bearer "+w.tokens["acme"], scimJSON)
	}
	body := b.sees("/portal/members/"+ada, "None of the last requests is about this person.")
	link := regexp.MustCompile(`href="(/portal/activity\?[^"]*after=[^"]*)"`).FindStringSubmatch(body)
	if link == nil {
		t.Fatal(body)
	}
	b.sees(html.UnescapeString(link[1]), "Create user: ada@example.com")
	// The activity goes on behind its first page too, with the same filter.
	body = b.sees("/portal/activity?outcome=refused", "Older requests")
	if link = regexp.MustCompile(`href="(/portal/activity\?[^"]*after=[^"]*)"`).FindStringSubmatch(body); link == nil {
		t.Fatal(body)
	}
	second := html.UnescapeString(link[1])
	if !strings.Contains(second, "outcome=refused") ||
		strings.Contains(b.get(second).Body.String(), "ada@example.com") {
		t.Errorf("%s", second)
	}
}
