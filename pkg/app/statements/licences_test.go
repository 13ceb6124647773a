package statements_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

// seats sets how many seats a licence has.
func (w *world) seats(licence string, size int) {
	w.t.Helper()
	w.admin(200, "PUT", "/targets/licence/"+licence, fmt.Sprintf(`{"seats": {"size": %d}}`, size))
}

// shortages lists the announcements of missing seats after a sequence: "Team 2", or "Team ended".
func (w *world) shortages(after int) []string {
	w.t.Helper()
	var all []string
	for _, e := range w.events(after) {
		data := e["data"].(object)
		switch e["type"] {
		case "licence.shortage":
			all = append(all, fmt.Sprint(data["target"], " ", data["missing"]))
		case "licence.shortage-ended":
			all = append(all, fmt.Sprint(data["target"], " ended"))
		}
	}
	return all
}

func TestS10LicencesFollowMembership(t *testing.T) {
	w := sally(t, "entra")
	w.seats("Starter", 10)
	ann := w.user("ann@example.com")
	w.group("App Users", ann)
	group := w.group("Licence Starter")
	w.wants(ann, "active: role user")
	w.join(group, ann)
	w.wants(ann, "active: licence Starter, role user")
	w.leave(group, ann)
	w.wants(ann, "active: role user")
	w.join(group, ann)
	w.replace("/Users/"+ann, "active", "false") // a licence is for those who are active
	w.wants(ann, "inactive: role user")
	w.replace("/Users/"+ann, "active", "true")
	w.wants(ann, "active: licence Starter, role user")
}

func TestS11S12ShortageIsAnnouncedOnce(t *testing.T) {
	w := sally(t, "okta")
	w.seats("Team", 2)
	ids := make([]string, 5)
	for n := range ids {
		ids[n] = w.user(fmt.Sprintf("u%d@example.com", n))
	}
	w.group("App Users", ids...)
	group := w.group("Licence Team", ids[0], ids[1])
	if got := w.shortages(0); len(got) != 0 {
		t.Errorf("enough seats: %v", got)
	}
	// Each new high of missing seats is announced once, right after the request, and everybody has the licence.
	w.join(group, ids[2])
	if got := w.shortages(0); !slices.Equal(got, []string{"Team 1"}) {
		t.Errorf("one is missing: %v", got)
	}
	w.join(group, ids[3], ids[4])
	for range 2 { // a retry of the identity provider buys nothing
		w.join(group, ids[3], ids[4])
	}
	if got := w.shortages(0); !slices.Equal(got, []string{"Team 1", "Team 3"}) {
		t.Errorf("three are missing: %v", got)
	}
	w.wants(ids[4], "active: licence Team, role user")
	at := w.last()
	w.leave(group, ids[4])
	w.join(group, ids[4])
	if got := w.shortages(at); len(got) != 0 {
		t.Errorf("the same again: %v", got)
	}
	w.seats("Team", 5) // bought
	if got := w.shortages(at); !slices.Equal(got, []string{"Team ended"}) {
		t.Errorf("bought: %v", got)
	}
}

func TestS11WaitingList(t *testing.T) {
	w := newWorld(t, "okta", `{"kinds": {"licence": {"seats": "wait"}}, "rules": [
		{"id": "l", "group": {"pattern": "^Licence (?P<name>.+)$"}, "assign": {"kind": "licence", "target": "${name}"}}]}`)
	w.seats("Team", 1)
	ann, bob := w.user("ann@example.com"), w.user("bob@example.com")
	group := w.group("Licence Team", ann)
	w.wants(ann, "active: licence Team")
	w.join(group, bob) // no error
	w.wants(bob, "active: ")
	if reason, _ := w.why(bob, "licence", "Team"); reason != "no-seat" {
		t.Errorf("the reason is %s", reason)
	}
	w.leave(group, ann)
	w.found("") // the seat is free once the application is told so
	w.wants(bob, "active: licence Team")
}

func TestS13LowestLicence(t *testing.T) {
	preset := fmt.Sprint(newWorld(t, "entra", "").send(200, "GET", "/admin/v1/policy-presets/sally", "")["kinds"])
	if !strings.Contains(preset, "choose:lowest") {
		t.Errorf("the preset has %s", preset)
	}
	for choose, want := range map[string]string{
		"lowest": "Starter", "highest": "Enterprise", "all": "Enterprise, Starter, Team",
	} {
		w := newWorld(t, "entra", `{"kinds": {"licence": {"choose": "`+choose+`",
			"order": ["Starter", "Team", "Enterprise"], "create": true}}, "rules": [{"id": "l",
			"group": {"pattern": "^Licence (?P<name>.+)$"}, "assign": {"kind": "licence", "target": "${name}"}}]}`)
		ann := w.user("ann@example.com")
		for _, licence := range []string{"Enterprise", "Starter", "Team"} {
			w.group("Licence "+licence, ann)
		}
		w.wants(ann, "active: licence "+strings.ReplaceAll(want, ", ", ", licence "))
		if choose == "lowest" {
			reason, detail := w.why(ann, "licence", "Team")
			if reason != "not-chosen" || !strings.Contains(detail, "Starter") {
				t.Errorf("%s: %s", reason, detail)
			}
		}
	}
}

func TestS14P23InvitationsOnOrOff(t *testing.T) {
	// On: one for each new user, once they count.
	w := sally(t, "entra")
	ann := w.user("ann@example.com")
	w.tells(0, ann, "member.created")
	group := w.group("App Users", ann)
	if got := w.told(0, ann); !slices.Contains(got, "invitation.due") {
		t.Errorf("not invited: %v", got)
	}
	w.leave(group, ann)
	w.member(ann)
	w.join(group, ann)
	w.member(ann)
	w.scim(204, "DELETE", "/Users/"+ann, "")
	again := w.user("ann@example.com")
	w.join(group, again)
	w.wants(again, "active: role user")
	if n := w.count("invitation.due"); n != 1 {
		t.Errorf("%d invitations of one person", n)
	}
	// Off: none, until somebody sends them, to one or to all; each once, also after a return.
	w = newWorld(t, "entra", `{"members": {"invite": "manual"}}`)
	ann, bob := w.user("ann@example.com"), w.user("bob@example.com")
	away := w.user("cem@example.com")
	w.replace("/Users/"+away, "active", "false")
	w.found("")
	if n := w.count("invitation.due"); n != 0 {
		t.Errorf("%d invitations, though they are off", n)
	}
	invites := func(path string, want float64) {
		t.Helper()
		if got := w.admin(200, "POST", path, "")["invited"]; got != want {
			t.Errorf("%s invited %v, want %v", path, got, want)
		}
	}
	invites("/members/"+ann+"/invite", 1)
	invites("/members/invite", 1)
	invites("/members/invite", 0)
	w.scim(204, "DELETE", "/Users/"+bob, "")
	w.replace("/Users/"+away, "active", "true")
	bob = w.user("bob@example.com")
	invites("/members/"+bob+"/invite", 0)
	invites("/members/invite", 1)
}

// count counts the events of a type.
func (w *world) count(kind string) (n int) {
	w.t.Helper()
	for _, e := range w.events(0) {
		if e["type"] == kind {
			n++
		}
	}
	return n
}
