package statements_test

import (
	"fmt"
	"slices"
	"testing"
	"time"
)

func TestL9UsersAlone(t *testing.T) {
	w := newWorld(t, "entra", "")
	id := w.user("ann@example.com", `"externalId": "1"`)
	w.wants(id, "active: ")
	w.replace("/Users/"+id, "active", `"False"`)
	w.wants(id, "inactive: ")
	w.replace("/Users/"+id, "active", `"True"`)
	w.wants(id, "active: ")
	w.scim(204, "DELETE", "/Users/"+id, "")
	w.tells(0, id, "member.created", "member.activated", "member.deactivated", "member.activated", "member.removed")
}

func TestL10ActionsMayBeAbsent(t *testing.T) {
	// Without updates and deletions.
	w := newWorld(t, "entra", "")
	ann := w.user("ann@example.com")
	w.wants(ann, "active: ")
	w.scim(200, "GET", `/Users?filter=userName+eq+%22nobody%22`, "")
	w.tells(0, ann, "member.created", "member.activated")
	// Without creations: the identity provider finds a user who is there, and goes on from there.
	before := w.last()
	found := w.scim(200, "GET", `/Users?filter=userName+eq+%22ann@example.com%22`, "")["Resources"].([]any)
	w.replace("/Users/"+found[0].(object)["id"].(string), "displayName", `"Ann"`)
	w.wants(ann, "active: ")
	w.tells(before, ann, "member.updated")
	// Without updates: a deletion follows a creation.
	bob := w.user("bob@example.com")
	w.wants(bob, "active: ")
	w.scim(204, "DELETE", "/Users/"+bob, "")
	w.tells(before, bob, "member.created", "member.activated", "member.removed")
	// Groups without users.
	group := w.group("Staff")
	w.scim(204, "DELETE", "/Groups/"+group, "")
	w.wants(ann, "active: ")
}

func TestL14MembersAreListed(t *testing.T) {
	w := newWorld(t, "entra", "")
	before := time.Now().Add(-time.Second)
	var ids []string
	for n := range 5 {
		ids = append(ids, w.user(fmt.Sprint("u", n)))
	}
	w.replace("/Users/"+ids[0], "active", "false")
	slices.Sort(ids)
	if got := w.found(""); !slices.Equal(got, ids) {
		t.Errorf("listed %v, want %v", got, ids)
	}
	if got := w.found(`status eq "inactive"`); len(got) != 1 {
		t.Errorf("inactive: %v", got)
	}
	m := w.member(ids[0])
	at, err := time.Parse(time.RFC3339, m["changedAt"].(string))
	if err != nil || at.Before(before) || at.After(time.Now()) {
		t.Errorf("changedAt %v, error %v", m["changedAt"], err)
	}
}

const oldAddress, newAddress = "ann@old-company.de", "ann@new-company.de"

func address(of string) string {
	return fmt.Sprintf(`"emails": [{"type": "work", "value": %q, "primary": true}]`, of)
}

func TestL15L19AddressChangesInPlace(t *testing.T) {
	for _, method := range []string{"PATCH", "PUT"} {
		w := newWorld(t, "entra", "")
		id := w.user(oldAddress, address(oldAddress), `"externalId": "1"`)
		w.member(id)
		before := w.last()
		if method == "PUT" {
			w.scim(200, "PUT", "/Users/"+id, userBody(newAddress, address(newAddress), `"externalId": "1"`))
		} else {
			w.patch("/Users/"+id, fmt.Sprintf(`{"op": "Replace", "path": "userName", "value": %q}`, newAddress),
				fmt.Sprintf(`{"op": "Replace", "path": "emails[type eq \"work\"].value", "value": %q}`, newAddress))
		}
		m := w.member(id)
		if m["userName"] != newAddress || m["email"] != newAddress || m["id"] != id {
			t.Errorf("%s: the member is %v", method, m)
		}
		events := w.events(before)
		if len(events) != 1 || events[0]["type"] != "member.updated" || events[0]["subject"] != "members/"+id {
			t.Fatalf("%s: events %v", method, events)
		}
		changed := map[string]string{}
		for _, v := range events[0]["data"].(object)["changes"].([]any) {
			c := v.(object)
			changed[c["path"].(string)] = fmt.Sprint(c["old"], " ", c["new"])
		}
		for _, path := range []string{"userName", "email", "loginAddress"} {
			if changed[path] != oldAddress+" "+newAddress {
				t.Errorf("%s: %s changed as %q", method, path, changed[path])
			}
		}
	}
}

func TestL20IdStays(t *testing.T) {
	w := newWorld(t, "entra", `{"kinds": {"team": {"create": true}}, "rules": [{"id": "t",
		"group": {"pattern": "^(?P<n>.+)$"}, "assign": {"kind": "team", "target": "${n}"}}]}`)
	id, boss := w.user(oldAddress), w.user("boss@old-company.de")
	group := w.group("Staff", id)
	w.replace("/Users/"+id, enterpriseURN+":manager", fmt.Sprintf("%q", boss))
	for _, who := range []string{id, boss} {
		w.replace("/Users/"+who, "userName", fmt.Sprintf("%q", "new-"+who))
	}
	w.wants(id, "active: team Staff")
	manager, _ := w.member(id)["manager"].(object)
	if manager["id"] != boss {
		t.Errorf("the manager is %v, want %s", manager, boss)
	}
	if got := w.scim(200, "GET", "/Groups/"+group, "")["members"].([]any)[0].(object)["value"]; got != id {
		t.Errorf("the group has %v, want %s", got, id)
	}
	// A new user of the old address is another person.
	if again := w.user(oldAddress); again == id {
		t.Errorf("the id %s was given again", id)
	}
	// A client can't choose an id.
	made := w.scim(201, "POST", "/Users", userBody("c@example.com", `"id": "c@example.com"`))
	if made["id"] == "c@example.com" {
		t.Error("the client has chosen the id")
	}
}

func TestL21EveryStepOverTheAPI(t *testing.T) {
	w := newWorld(t, "entra", "")
	w.admin(200, "PATCH", "", `{"name": "Acme Ltd", "settings": {"scim": {"patchBody": "none"}}}`)
	w.admin(200, "PATCH", "", `{"active": false}`)
	if status, _ := w.do("GET", "/scim/v2/acme/Users", ""); status != 403 {
		t.Errorf("a tenant that is switched off answers %d", status)
	}
	w.admin(200, "PATCH", "", `{"active": true}`)
	made := w.admin(201, "POST", "/tokens", "")
	w.token = made["value"].(string)
	w.policy(`{"kinds": {"role": {}}}`)
	w.admin(200, "PUT", "/targets/role/admin", `{"displayName": "Administrator"}`)
	id := w.user("ann@example.com")
	w.admin(204, "PUT", "/members/"+id+"/assignments/role/admin", "")
	w.wants(id, "active: role admin")
	w.admin(204, "DELETE", "/members/"+id+"/assignments/role/admin", "")
	w.admin(204, "DELETE", "/targets/role/admin", "")
	w.admin(2, "DELETE", "", "")
}

func TestL22LinkToSignOn(t *testing.T) {
	for path, want := range map[string]string{
		"userName": "ann", "externalId": "17", `emails[type eq \"login\"].value`: "ann@login.example",
	} {
		w := newWorld(t, "entra", `{"members": {"loginAddress": "`+path+`"}}`)
		id := w.user("ann", `"externalId": "17"`, `"emails": [{"type": "work", "value": "ann@example.com"},
			{"type": "login", "value": "ann@login.example"}]`)
		if got := w.member(id)["loginAddress"]; got != want {
			t.Errorf("%s: login address %v, want %s", path, got, want)
		}
		if got := w.found(fmt.Sprintf("loginAddress eq %q", want)); !slices.Equal(got, []string{id}) {
			t.Errorf("%s: found %v", path, got)
		}
	}
}
