package portal_test

import (
	"strings"
	"testing"
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
