package statements_test

import (
	"fmt"
	"net/url"
	"slices"
	"strings"
	"testing"
)

// leapsome is a tenant of Entra with the preset leapsome.
func leapsome(t *testing.T) *world { return newWorld(t, "entra", "leapsome") }

// named are the attributes that the preset requires.
func named(given, family string) string {
	return fmt.Sprintf(`"name": {"givenName": %q, "familyName": %q}`, given, family)
}

// person makes a user with the required attributes.
func (w *world) person(name string, more ...string) string {
	w.t.Helper()
	return w.user(name, append(more, named("Ann", "Example"))...)
}

func TestP1OrderOfArrival(t *testing.T) {
	// A user, a group, the membership, the policy: each order ends in the same member.
	const policy = `{"members": {"activeWhen": {"kinds": ["team"]}}, "kinds": {"team": {"create": true}}, "rules": [
		{"id": "t", "group": {"pattern": "^(?P<n>.+)$"}, "assign": {"kind": "team", "target": "${n}"}}]}`
	var user, group string
	orders := map[string][]func(w *world){
		"user, group, policy": {
			func(w *world) { user = w.user("ann") }, func(w *world) { group = w.group("Red", user) },
			func(w *world) { w.policy(policy) },
		},
		"policy, group, user, membership": {
			func(w *world) { w.policy(policy) }, func(w *world) { group = w.group("Red") },
			func(w *world) { user = w.user("ann") }, func(w *world) { w.join(group, user) },
		},
		"group that names the user first": {
			func(w *world) { group = w.group("Red", "ann") }, func(w *world) { w.policy(policy) },
			func(w *world) { user = w.user("ann") },
		},
	}
	for name, steps := range orders {
		w := newWorld(t, "entra", "")
		for _, step := range steps {
			step(w)
		}
		if got := w.has(user); got != "active: team Red" {
			t.Errorf("%s: %s", name, got)
		}
	}
}

func TestP2NestedGroups(t *testing.T) {
	w := leapsome(t)
	ann := w.person("ann@example.com")
	inner := w.group("Inner", ann)
	outer := w.group("Outer", inner)
	w.wants(ann, "active: team Inner")
	if reason, _ := w.why(ann, "team", "Outer"); reason != "nested" {
		t.Errorf("reason %s", reason)
	}
	// A group as a member does not fail the request, beside a user neither.
	w.join(outer, w.group("Third"), ann)
	w.wants(ann, "active: team Inner, team Outer")
}

func TestP3RepeatedSync(t *testing.T) {
	w := leapsome(t)
	body := userBody("ann@example.com", named("Ann", "Example"), `"externalId": "1"`)
	id := w.scim(201, "POST", "/Users", body)["id"].(string)
	group := w.group("Red", id)
	version := w.member(id)["version"]
	before := w.last()
	for range 2 {
		w.scim(200, "PUT", "/Users/"+id, body)
		w.replace("/Users/"+id, "externalId", `"1"`)
		w.join(group, id)
		w.replace("/Groups/"+group, "displayName", `"Red"`)
	}
	if got := w.events(before); len(got) > 0 {
		t.Errorf("events of a sync that changes nothing: %v", got)
	}
	if got := w.member(id)["version"]; got != version {
		t.Errorf("version %v, want %v", got, version)
	}
}

func TestP4Reactivation(t *testing.T) {
	w := leapsome(t)
	id := w.person("ann@example.com", `"title": "Boss"`)
	w.group("Red", id)
	w.admin(204, "PUT", "/members/"+id+"/assignments/team/Own", "")
	w.replace("/Users/"+id, "active", `"False"`)
	w.wants(id, "inactive: team Own, team Red")
	before := w.last()
	w.replace("/Users/"+id, "active", `"True"`)
	w.wants(id, "active: team Own, team Red")
	w.tells(before, id, "member.activated")
	if got := w.member(id)["attributes"].(object)["position"]; got != "Boss" {
		t.Errorf("position %v", got)
	}
}

func TestP5P6GroupsAreTeams(t *testing.T) {
	w := leapsome(t)
	ann := w.person("ann@example.com")
	w.admin(404, "GET", "/targets/team/Sales", "")
	group := w.group("Sales")
	w.member(ann)
	before := w.last()
	w.join(group, ann)
	w.tells(before, ann, "assignment.added")
	w.admin(200, "GET", "/targets/team/Sales", "")
	before = w.last()
	w.leave(group, ann)
	w.tells(before, ann, "assignment.removed")
}

func TestP7P12P13AttributesAreTargets(t *testing.T) {
	w := leapsome(t)
	ann := w.person("ann@example.com", `"userType": "L3"`,
		enterprise(`"department": "Sales", "division": "North", "costCenter": "4711"`))
	w.wants(ann, "active: level L3, team 4711, team North, team Sales")
	before := w.last()
	w.replace("/Users/"+ann, enterpriseURN+":department", `"Support"`)
	w.wants(ann, "active: level L3, team 4711, team North, team Support")
	w.tells(before, ann, "assignment.removed", "assignment.added")
	// The kind is the policy's choice.
	w.policy(`{"kinds": {"organisation": {"create": true}}, "rules": [{"id": "d",
		"user": {"value": "` + enterpriseURN + `:department"}, "assign": {"kind": "organisation", "target": "${value}"}}]}`)
	w.wants(ann, "active: organisation Support")
}

func TestP8P9ManualTeamsStay(t *testing.T) {
	w := leapsome(t)
	ann := w.person("ann@example.com")
	group := w.group("Sales", ann)
	w.admin(204, "PUT", "/members/"+ann+"/assignments/team/Chess", "")
	w.admin(204, "PUT", "/members/"+ann+"/assignments/team/Sales", "")
	m := w.member(ann)
	if got := fmt.Sprint(assignments(m, "scim"), assignments(m, "manual")); got != "[team Sales] [team Chess]" {
		t.Errorf("origins %s", got)
	}
	if both := m["assignments"].([]any)[1].(object); both["manual"] != true {
		t.Errorf("given by both: %v", both)
	}
	w.admin(409, "DELETE", "/targets/team/Sales", "") // what SCIM gives is SCIM's
	w.leave(group, ann)
	w.wants(ann, "active: team Chess, team Sales")
	w.admin(204, "DELETE", "/members/"+ann+"/assignments/team/Sales", "")
	w.wants(ann, "active: team Chess")
	w.join(group, ann)
	w.wants(ann, "active: team Chess, team Sales")
}

func TestP11AttributesOfAllSchemas(t *testing.T) {
	const own = "urn:example:2.0:User"
	w := newWorld(t, "entra", "")
	w.admin(201, "PUT", "/schemas/"+own, `{"attributes": [{"name": "startDate", "type": "dateTime"},
		{"name": "gender"}, {"name": "seat", "type": "integer"}]}`)
	w.admin(2, "PUT", "/resource-types/User", `{"schemaExtensions": [{"schema": "`+own+`"}]}`)
	w.policy(`{"members": {"attributes": {"position": {"from": "title"},
		"city": {"from": "addresses[type eq \"work\"].locality"}, "costCenter": {"from": "` + enterpriseURN + `:costCenter"},
		"start": {"from": "` + own + `:startDate"}, "gender": {"from": "` + own + `:gender"},
		"seat": {"from": "` + own + `:seat"}, "boss": {"from": "` + enterpriseURN + `:manager.value"},
		"photo": {"from": "photos[type eq \"photo\"].value"}}}}`)
	boss := w.user("boss")
	id := w.user("ann", `"title": "Boss"`, `"addresses": [{"type": "work", "locality": "Scranton"}]`,
		enterprise(fmt.Sprintf(`"costCenter": "4711", "manager": {"value": %q}`, boss)),
		`"photos": [{"type": "photo", "value": "https://example.com/ann.jpg"}]`,
		fmt.Sprintf(`%q: {"startDate": "2024-02-01T00:00:00Z", "gender": "f", "seat": 7}`, own))
	want := object{
		"position": "Boss", "city": "Scranton", "costCenter": "4711", "start": "2024-02-01T00:00:00Z", "gender": "f",
		"seat": 7.0, "boss": boss, "photo": "https://example.com/ann.jpg",
	}
	if got := w.member(id)["attributes"]; fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("attributes %v, want %v", got, want)
	}
}

func TestP14DeactivatedThenDeleted(t *testing.T) {
	w := leapsome(t)
	id := w.person("ann@example.com")
	w.replace("/Users/"+id, "active", `"False"`)
	w.wants(id, "inactive: ")
	w.scim(204, "DELETE", "/Users/"+id, "")
	w.scim(404, "GET", "/Users/"+id, "")
	w.scim(404, "DELETE", "/Users/"+id, "")
}

func TestP25DeletionDeactivates(t *testing.T) {
	w := leapsome(t)
	id := w.person("ann@example.com", `"title": "Boss"`)
	w.group("Red", id)
	w.admin(204, "PUT", "/members/"+id+"/assignments/team/Own", "")
	w.wants(id, "active: team Own, team Red")
	before := w.last()
	w.scim(204, "DELETE", "/Users/"+id, "")
	w.scim(404, "GET", "/Users/"+id, "")
	w.wants(id, "inactive: team Own")
	w.tells(before, id, "member.deactivated", "assignment.removed")
	if got := w.member(id)["attributes"].(object)["position"]; got != "Boss" {
		t.Errorf("position %v", got)
	}
	w.person("ann@example.com") // the name is free
}

func TestP25DeletionRemoves(t *testing.T) {
	w := newWorld(t, "entra", "")
	id := w.user("ann@example.com")
	w.wants(id, "active: ")
	w.scim(204, "DELETE", "/Users/"+id, "")
	w.scim(404, "GET", "/Users/"+id, "")
	if got := w.member(id)["status"]; got != "removed" {
		t.Errorf("status %v", got)
	}
	w.user("ann@example.com")
}

func TestP16BaseURLWithoutVersion(t *testing.T) {
	w := newWorld(t, "entra", "")
	for _, base := range []string{"/scim/v2/acme", "/scim/acme", "/scim/v2/acme/"} {
		got := w.send(200, "GET", strings.TrimSuffix(base, "/")+`/Users?filter=userName+eq+%22none%22`, "")
		if got["totalResults"] != 0.0 {
			t.Errorf("%s: %v", base, got)
		}
	}
}

func TestP19DottedExtensionNames(t *testing.T) {
	const own = "urn:example:2.0:User"
	w := newWorld(t, "entra", "")
	w.admin(201, "PUT", "/schemas/"+own, `{"attributes": [{"name": "badge"}]}`)
	w.admin(2, "PUT", "/resource-types/User", `{"schemaExtensions": [{"schema": "`+own+`"}]}`)
	id := w.user("ann")
	for path, value := range map[string]string{
		enterpriseURN + ":department": "a", enterpriseURN + ".department": "b", own + ":badge": "c",
		own + ".badge": "d",
	} {
		w.replace("/Users/"+id, path, fmt.Sprintf("%q", value))
		urn, name := path[:strings.LastIndexAny(path, ":.")], path[strings.LastIndexAny(path, ":.")+1:]
		if got := w.scim(200, "GET", "/Users/"+id, "")[urn].(object)[name]; got != value {
			t.Errorf("%s: %v, want %s", path, got, value)
		}
	}
}

func TestP20DeclaredValues(t *testing.T) {
	const own = "urn:example:2.0:User"
	w := newWorld(t, "entra", "")
	made := w.admin(201, "PUT", "/schemas/"+own,
		`{"attributes": [{"name": "shirt", "canonicalValues": ["S", "M", "L"], "required": false}]}`)
	if got := made["attributes"].([]any)[0].(object)["name"]; got != "shirt" {
		t.Errorf("the name is %v", got)
	}
	w.admin(2, "PUT", "/resource-types/User", `{"schemaExtensions": [{"schema": "`+own+`"}]}`)
	listed := fmt.Sprint(w.scim(200, "GET", "/Schemas/"+own, "")["attributes"])
	if !strings.Contains(listed, "canonicalValues:[S M L]") {
		t.Errorf("/Schemas does not list the values: %s", listed)
	}
	w.user("ann", fmt.Sprintf(`%q: {"shirt": "M"}`, own))
	refused := w.scim(400, "POST", "/Users", userBody("bob", fmt.Sprintf(`%q: {"shirt": "XXXL"}`, own)))
	if refused["scimType"] != "invalidValue" || !strings.Contains(fmt.Sprint(refused["detail"]), "shirt") {
		t.Errorf("a value that is not declared: %v", refused)
	}
}

func TestP21ManagerArrivesLater(t *testing.T) {
	for _, idp := range []string{"entra", "okta", "generic"} {
		w := newWorld(t, idp, "leapsome")
		// Entra sends the manager's id here, others the id in their own directory.
		ann := w.person("ann@example.com", enterprise(`"manager": {"value": "boss-17"}`))
		manager := w.member(ann)["manager"].(object)
		if manager["pending"] != true || manager["value"] != "boss-17" {
			t.Errorf("%s: before: %v", idp, manager)
		}
		before := w.last()
		boss := w.person("boss@example.com", `"externalId": "boss-17"`, `"displayName": "The Boss"`)
		if manager = w.member(ann)["manager"].(object); manager["id"] != boss || manager["displayName"] != "The Boss" {
			t.Errorf("%s: afterwards: %v", idp, manager)
		}
		w.tells(before, ann, "member.updated")
	}
}

func TestP22PendingReferences(t *testing.T) {
	for _, idp := range []string{"entra", "okta", "generic", "rfc", "interop"} {
		w := newWorld(t, idp, "")
		ann := w.user("ann@example.com", enterprise(`"manager": {"value": "boss-17"}`))
		group := w.group("Red", "bob-4")
		pending := func() (all []string) {
			path := "/pending?count=1"
			for {
				page := w.admin(200, "GET", path, "")
				for _, v := range page["pending"].([]any) {
					o := v.(object)
					all = append(all, fmt.Sprint(o["resourceType"], " ", o["id"], " ", o["attribute"],
						" ", o["value"], " ", o["reason"]))
				}
				next, _ := page["nextCursor"].(string)
				if next == "" {
					return all
				}
				path = "/pending?count=1&cursor=" + url.QueryEscape(next)
			}
		}
		want := []string{
			"Group " + group + " members bob-4 user-unknown", "User " + ann + " manager boss-17 user-unknown",
		}
		if got := pending(); !slices.Equal(got, want) {
			t.Errorf("%s: pending %q, want %q", idp, got, want)
		}
		boss := w.user("boss@example.com", `"externalId": "boss-17"`)
		bob := w.user("bob@example.com", `"externalId": "bob-4"`)
		if got := w.member(ann)["manager"].(object)["id"]; got != boss {
			t.Errorf("%s: the manager is %v, want %s", idp, got, boss)
		}
		w.wants(bob, "active: group "+group)
		if got := pending(); len(got) > 0 {
			t.Errorf("%s: still pending %q", idp, got)
		}
		w.scim(204, "DELETE", "/Users/"+boss, "")
		w.member(boss) // publishes the deletion
		w.member(ann)
		w.user("eve@example.com", enterprise(`"manager": {"value": "`+boss+`"}`))
		for _, line := range pending() {
			if !strings.HasSuffix(line, " user-deleted") || !strings.Contains(line, boss) {
				t.Errorf("%s: pending behind the deletion of %s: %s", idp, boss, line)
			}
		}
		if len(pending()) == 0 {
			t.Errorf("%s: nothing is pending behind the deletion", idp)
		}
	}
}

func TestP24P28ExcludedUsersAndGroups(t *testing.T) {
	w := newWorld(t, "entra", `{"members": {"exclude": {"users": "userName ew \"@contractor.example\"",
		"groups": {"pattern": "^Pilot"}}}, "kinds": {"team": {"create": true}}, "rules": [{"id": "t",
		"group": {"pattern": "^(?P<n>.+)$"}, "assign": {"kind": "team", "target": "${n}"}}]}`)
	bob, ann := w.user("bob@contractor.example"), w.user("ann@example.com")
	w.group("Pilot group", ann)
	w.group("Sales", ann, bob)
	w.admin(404, "GET", "/members/"+bob, "")
	w.scim(200, "GET", "/Users/"+bob, "")
	w.wants(ann, "active: team Sales")
	if reason, _ := w.why(ann, "team", "Pilot group"); reason != "excluded" {
		t.Errorf("reason %s", reason)
	}
	if got := w.found(""); !slices.Equal(got, []string{ann}) {
		t.Errorf("members %v", got)
	}
	w.replace("/Users/"+bob, "userName", `"bob@example.com"`)
	w.wants(bob, "active: team Sales")
	w.replace("/Users/"+bob, "userName", `"bob@contractor.example"`)
	if got := w.member(bob)["status"]; got != "removed" {
		t.Errorf("status %v", got)
	}
}

func TestP27LoginAddressForOtherTools(t *testing.T) {
	w := newWorld(t, "entra", `{"members": {"loginAddress": "emails[primary eq true].value",
		"attributes": {"upn": {"from": "userName"}}}}`)
	id := w.user("ann@tenant.example", `"emails": [{"type": "work", "value": "ann@example.com", "primary": true}]`)
	m := w.member(id)
	if m["loginAddress"] != "ann@example.com" || m["attributes"].(object)["upn"] != "ann@tenant.example" {
		t.Errorf("the member is %v", m)
	}
}

func TestP30NothingFollowsFromAbsence(t *testing.T) {
	w := leapsome(t)
	ann, bob := w.person("ann@example.com"), w.person("bob@example.com")
	w.wants(bob, "active: ")
	before := w.last()
	w.replace("/Users/"+ann, "title", `"Boss"`) // a cycle that does not name bob
	w.wants(bob, "active: ")
	w.tells(before, bob)
}

func TestP33BearerAndClientCredentials(t *testing.T) {
	w := leapsome(t)
	w.person("ann@example.com")
	made := w.admin(201, "POST", "/clients", "")
	secret := made["secret"].(string)
	w.token = w.clientCredentials(made["id"].(string), secret)
	w.person("bob@example.com")
	if got := w.found(""); len(got) != 2 {
		t.Errorf("members %v", got)
	}
}
