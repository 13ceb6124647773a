package statements_test

import (
	"encoding/json"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"testing"
)

// The stories follow an administrator from the first connection on, in the order of the products' pages. The
// statement after each step has a test of its own under its number.

// find finds the one user whom a filter names; "" if there is none.
func (w *world) find(filter string) string {
	w.t.Helper()
	list := w.scim(200, "GET", "/Users?filter="+url.QueryEscape(filter), "")["Resources"].([]any)
	switch len(list) {
	case 0:
		return ""
	case 1:
		return list[0].(object)["id"].(string)
	}
	w.t.Fatalf("%s finds %d users", filter, len(list))
	return ""
}

// provision sends Entra's requests for one user in a cycle: it looks for them by userName, and makes them if they are
// not there. status is that of the POST.
func (w *world) provision(status int, name string, more ...string) string {
	w.t.Helper()
	if id := w.find(fmt.Sprintf("userName eq %q", name)); id != "" {
		return id
	}
	id, _ := w.scim(status, "POST", "/Users", userBody(name, append(more, address(name))...))["id"].(string)
	return id
}

func TestStoryLangdock(t *testing.T) {
	w := newWorld(t, "entra", "langdock")
	w.admin(201, "POST", "/domains", `{"name": "old-company.de"}`)
	w.admin(200, "POST", "/domains/old-company.de/verify", `{"override": true}`)
	// Steps 3 to 8: URL with the flag, token, the switch, the test of the connection.
	probe := "/scim/v2/acme/Users?aadOptscim062020&filter=" +
		url.QueryEscape(`userName eq "4fe1c7ab-0000-4000-8000-0123456789ab"`)
	w.admin(200, "PATCH", "", `{"active": false}`)
	w.send(403, "GET", probe, "")
	w.admin(200, "PATCH", "", `{"active": true}`)
	w.send(200, "GET", probe, "")
	// Steps 10 to 13: no groups, and only the assignments that the administrator allows.
	ann := w.provision(201, "ann@old-company.de", `"externalId": "a"`)
	bob := w.provision(201, "bob@old-company.de", `"externalId": "b"`)
	if again := w.provision(201, "ann@old-company.de", `"externalId": "a"`); again != ann {
		t.Errorf("the second cycle finds %s, want %s", again, ann)
	}
	// Steps 17 and 18: the users are in the list of members, and nobody was invited.
	want := []string{ann, bob}
	slices.Sort(want)
	if got := w.found(`status eq "active"`); !slices.Equal(got, want) || w.count("invitation.due") != 0 {
		t.Errorf("members %v, want %v", got, want)
	}
	// The company has a new domain. Before it is verified, addresses of it are refused, each for its user only.
	w.admin(200, "PUT", "/members/"+ann+"/account", `{"accountId": "chat-7"}`)
	move := func(status int, id, name string) {
		t.Helper()
		w.scim(status, "PATCH", "/Users/"+id, patchBody(
			fmt.Sprintf(`{"op": "Replace", "path": "userName", "value": %q}`, name),
			fmt.Sprintf(`{"op": "Replace", "path": "emails[type eq \"work\"].value", "value": %q}`, name)))
	}
	move(400, ann, "ann@new-company.de")
	w.replace("/Users/"+bob, "displayName", `"Bob"`)
	w.provision(400, "cem@new-company.de")
	w.admin(201, "POST", "/domains", `{"name": "new-company.de"}`)
	move(400, ann, "ann@new-company.de") // named, and not verified
	w.admin(200, "POST", "/domains/new-company.de/verify", `{"override": true}`)
	at := w.last()
	move(200, ann, "ann@new-company.de")
	move(200, bob, "bob@new-company.de")
	cem := w.provision(201, "cem@new-company.de", `"externalId": "c"`)
	// The same people, with all that they had, under the same id; events have both addresses.
	m := w.member(ann)
	if m["email"] != "ann@new-company.de" || m["accountId"] != "chat-7" || m["previousId"] != nil {
		t.Errorf("with the new address: %v", m)
	}
	for _, e := range w.events(at) {
		if e["subject"] != "members/"+ann {
			continue
		}
		changes := fmt.Sprint(e["data"].(object)["changes"])
		if !strings.Contains(changes, "ann@old-company.de") || !strings.Contains(changes, "ann@new-company.de") {
			t.Errorf("the event has %s", changes)
		}
	}
	if got := w.suspects(); len(got) != 0 {
		t.Errorf("suspected: %v", got)
	}
	// Somebody is off for a while, somebody else is gone.
	w.replace("/Users/"+cem, "active", `"False"`)
	w.wants(cem, "inactive: ")
	w.replace("/Users/"+cem, "active", `"True"`)
	w.wants(cem, "active: ")
	w.scim(204, "DELETE", "/Users/"+bob, "")
	if got := w.member(bob)["status"]; got != "removed" {
		t.Errorf("bob is %v", got)
	}
	// The administrator takes deletion away in the policy as well.
	w.policy(`{"requests": {"forbid": ["Users.delete"]}}`)
	w.scim(403, "DELETE", "/Users/"+cem, "")
}

func TestStorySally(t *testing.T) {
	for _, idp := range []string{"entra", "google", "okta", "onelogin", "pingone"} {
		t.Run(idp, func(t *testing.T) {
			w := newWorld(t, idp, "")
			w.policy(`{"kinds": {"role": {"create": true}, "licence": {"seats": "purchase"}},
				"members": {"activeWhen": {"kinds": ["role"]}}}`)
			// Until the identity provider has sent anything there is nothing to map.
			if n := w.scim(200, "GET", "/Groups", "")["totalResults"]; n != 0.0 {
				t.Errorf("%v groups", n)
			}
			ann, bob, cem := w.user("ann@example.com"), w.user("bob@example.com"), w.user("cem@example.com")
			admins, users := w.group("App Admins", ann), w.group("App Users", ann, bob)
			seats := w.group("Licence Starter", bob)
			w.group("Licence Team", ann, bob)
			if n := w.scim(200, "GET", "/Groups", "")["totalResults"]; n != 4.0 {
				t.Errorf("%v groups to map", n)
			}
			// Before the last step nobody counts. Then groups are mapped to roles and licences, first as a rehearsal.
			w.wants(ann, "staged: ")
			w.seats("Starter", 5)
			w.seats("Team", 0)
			preset := w.send(200, "GET", "/admin/v1/policy-presets/sally", "")
			rehearsed := w.admin(200, "POST", "/policy/rehearse", jsonOf(t, preset))
			if got := fmt.Sprint(rehearsed["shortages"]); !strings.Contains(got, "missing:1") {
				t.Errorf("rehearsed: shortages %s", got)
			}
			if n := w.count("licence.shortage"); n != 0 {
				t.Errorf("a rehearsal announced %d shortages", n)
			}
			w.policy(jsonOf(t, preset))
			w.wants(ann, "active: licence Team, role admin, role user")
			w.wants(bob, "active: licence Starter, role user") // the lowest
			w.wants(cem, "staged: ")                           // in no group
			if got := w.shortages(0); !slices.Equal(got, []string{"Team 1"}) {
				t.Errorf("shortages %v", got)
			}
			if n := w.count("invitation.due"); n != 2 {
				t.Errorf("%d invitations, want those of ann and bob", n)
			}
			// Somebody new has access at once; who leaves loses it, and the licence with it.
			dan := w.user("dan@example.com")
			w.join(users, dan)
			w.wants(dan, "active: role user")
			w.leave(seats, bob)
			w.wants(bob, "active: licence Team, role user")
			w.replace("/Users/"+bob, "active", "false")
			w.wants(bob, "inactive: role user")
			// The last administrator can't be synced away.
			w.leave(admins, ann)
			if m := w.member(ann); m["protected"] != true || !slices.Contains(assignments(m, ""), "role admin") {
				t.Errorf("the last administrator is %v", m)
			}
			w.join(admins, dan)
			w.found("")
			w.wants(ann, "active: licence Team, role user")
			// Disconnected, people stay as they are; connected again, they are the same.
			w.admin(200, "POST", "/disconnect", "")
			w.connects(w.token, 401)
			w.wants(dan, "active: role admin, role user")
			w.token = w.admin(201, "POST", "/tokens", "")["value"].(string)
			if got := w.find(`userName eq "dan@example.com"`); got != dan {
				t.Errorf("found again: %s, want %s", got, dan)
			}
			before := w.last()
			w.join(users, dan)
			if got := w.told(before, dan); len(got) != 0 {
				t.Errorf("the same again is told: %v", got)
			}
		})
	}
}

func TestStoryLeapsome(t *testing.T) {
	w := leapsome(t)
	// An attribute of the customer's own, under the name that Entra's editor writes.
	w.admin(2, "PUT", "/schemas/"+enterpriseURN,
		`{"attributes": [{"name": "badge7", "canonicalValues": ["red", "blue"]}]}`)
	made := func(name, given string, more ...string) string {
		t.Helper()
		return w.user(name, append(more, named(given, "Example"), address(name))...)
	}
	// The first sync: people, of whom one has a manager who comes later, and their groups.
	ann := made("ann@example.com", "Ann", `"externalId": "a"`, `"title": "Lead"`, `"userType": "L3"`,
		enterprise(`"department": "Sales", "manager": {"value": "c"}`),
		`"photos": [{"type": "photo", "value": "https://example.com/ann.jpg"}]`)
	bob := made("bob@example.com", "Bob") // the mapping has no externalId
	w.scim(400, "POST", "/Users", userBody("eve@example.com", address("eve@example.com")))
	w.scim(400, "POST", "/Users", userBody("eve@example.com", named("Eve", "Example"),
		`"photos": [{"type": "photo", "value": "eve.jpg"}]`))
	inner := w.group("Inner", bob)
	red := w.group("Red", ann, inner) // people of groups inside groups come with their own
	w.group("Pilot users", ann, bob)  // is for administration only
	w.wants(ann, "active: level L3, team Red, team Sales")
	w.wants(bob, "active: team Inner")
	cem := made("cem@example.com", "Cem", `"externalId": "c"`, `"displayName": "Cem"`)
	if m := w.member(ann)["manager"].(object); m["id"] != cem { // one sync is enough
		t.Errorf("the manager is %v", m)
	}
	if n := w.count("invitation.due"); n != 3 {
		t.Errorf("%d invitations of three people", n)
	}
	w.patch("/Users/"+bob, fmt.Sprintf(`{"op": "Add", "path": "%s.badge7", "value": "red"}`, enterpriseURN))
	w.scim(400, "PATCH", "/Users/"+bob, patchBody(
		fmt.Sprintf(`{"op": "Add", "path": "%s.badge7", "value": "green"}`, enterpriseURN)))
	// Teams made by hand stand beside; the next sync changes nothing, and tells nothing.
	w.admin(204, "PUT", "/members/"+bob+"/assignments/team/Chess", "")
	w.wants(bob, "active: team Chess, team Inner")
	at := w.last()
	w.join(red, ann)
	w.replace("/Users/"+ann, "title", `"Lead"`)
	if got := w.events(at); len(got) != 0 {
		t.Errorf("a repeated sync told %v", got)
	}
	// The manager goes from the directory: Entra sends nothing, and the old one stays.
	w.replace("/Users/"+ann, "displayName", `"Ann"`)
	if m := w.member(ann)["manager"].(object); m["id"] != cem {
		t.Errorf("the manager is %v", m)
	}
	// Another department is another team, and another level another level.
	w.replace("/Users/"+ann, enterpriseURN+":department", `"Support"`)
	w.replace("/Users/"+ann, "userType", `"L4"`)
	w.wants(ann, "active: level L4, team Red, team Support")
	// Out of scope, back in scope; then deleted for good, which only deactivates.
	w.replace("/Users/"+bob, "active", `"False"`)
	w.wants(bob, "inactive: team Chess, team Inner")
	w.replace("/Users/"+bob, "active", `"True"`)
	w.admin(200, "PUT", "/members/"+bob+"/account", `{"accountId": "profile-2"}`)
	// Bob's address changes. Without externalId a second profile comes, is told of, and is merged.
	second := made("bob@new.example", "Bob")
	w.scim(204, "DELETE", "/Users/"+bob, "")
	if got := w.suspects(); !slices.Equal(got, []string{"bob@example.com bob@new.example"}) {
		t.Errorf("suspected: %v", got)
	}
	w.admin(200, "POST", "/members/"+bob+"/merge", fmt.Sprintf(`{"into": %q}`, second))
	if m := w.member(second); m["accountId"] != "profile-2" {
		t.Errorf("merged: %v", m)
	}
	w.wants(second, "active: team Chess")
	// Who leaves is deactivated, and erased only by hand.
	w.scim(204, "DELETE", "/Users/"+second, "")
	w.wants(second, "inactive: team Chess")
	w.admin(2, "DELETE", "/members/"+second, "")
	if m := w.member(second); m["erased"] != true || m["userName"] != nil {
		t.Errorf("erased: %v", m)
	}
}

// jsonOf is a document as JSON.
func jsonOf(t *testing.T, document object) string {
	t.Helper()
	text, err := json.Marshal(document)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
