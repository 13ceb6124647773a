package statements_test

import (
	"fmt"
	"slices"
	"testing"
)

// sally is a tenant with the preset sally.
func sally(t *testing.T, idp string) *world { return newWorld(t, idp, "sally") }

func TestS1EventsRightAfterTheRequest(t *testing.T) {
	w := newWorld(t, "entra", "")
	id := w.user("ann@example.com")
	w.tells(0, id, "member.created", "member.activated")
	at := w.last()
	w.replace("/Users/"+id, "displayName", `"Ann"`)
	w.tells(at, id, "member.updated")
	at = w.last()
	w.replace("/Users/"+id, "active", "false")
	w.tells(at, id, "member.deactivated")
	at = w.last()
	w.scim(204, "DELETE", "/Users/"+id, "")
	w.tells(at, id, "member.removed")
}

func TestS2ProvisionedIsMarked(t *testing.T) {
	w := sally(t, "okta")
	ann := w.user("ann@example.com")
	w.group("App Users", ann)
	w.wants(ann, "active: role user")
	// An assignment from a group can't be taken away locally, and one that is made locally is marked.
	w.admin(409, "DELETE", "/members/"+ann+"/assignments/role/user", "")
	w.admin(204, "PUT", "/members/"+ann+"/assignments/role/guest", "")
	m := w.member(ann)
	if got := assignments(m, "scim"); !slices.Equal(got, []string{"role user"}) {
		t.Errorf("of SCIM: %v", got)
	}
	if got := assignments(m, "manual"); !slices.Equal(got, []string{"role guest"}) {
		t.Errorf("manual: %v", got)
	}
	// The fields of a person can't be written at all.
	if status, _ := w.do("PATCH", "/admin/v1/tenants/acme/members/"+ann, `{"userName": "x"}`); status != 405 {
		t.Errorf("a member can be patched: %d", status)
	}
}

func TestS6GroupsOnly(t *testing.T) {
	w := sally(t, "entra")
	ann := w.user("ann@example.com")
	w.group("Unmapped", ann)
	w.wants(ann, "staged: ")
	w.scim(200, "GET", "/Users/"+ann, "")
	status := w.admin(200, "GET", "/members/"+ann+"/why", "")["status"]
	if got := fmt.Sprint(status); got != "map[because:No assignment of kind role. is:staged]" {
		t.Errorf("why: %s", got)
	}
	group := w.group("App Users", ann)
	w.wants(ann, "active: role user")
	w.scim(204, "DELETE", "/Groups/"+group, "")
	w.wants(ann, "staged: ")
}

func TestS7DeactivationByOkta(t *testing.T) {
	w := newWorld(t, "okta", "")
	ann, bob := w.user("ann@example.com"), w.user("bob@example.com")
	w.found("") // the application is told of them while they are active
	put := func(active bool) {
		w.scim(200, "PUT", "/Users/"+ann, fmt.Sprintf(
			`{"schemas": [%q], "userName": "ann@example.com", "displayName": "Ann", "active": %t}`, userURN, active))
	}
	put(true)
	w.patch("/Users/"+bob, `{"op": "replace", "value": {"displayName": "Bob"}}`)
	for id, want := range map[string]string{ann: "Ann", bob: "Bob"} {
		if got := w.member(id)["displayName"]; got != want {
			t.Errorf("displayName %v, want %s", got, want)
		}
	}
	put(false)
	w.patch("/Users/"+bob, `{"op": "replace", "value": {"active": false}}`)
	for _, id := range []string{ann, bob} {
		w.wants(id, "inactive: ")
		w.tells(0, id, "member.created", "member.activated", "member.updated", "member.deactivated")
	}
	w.patch("/Users/"+bob, `{"op": "replace", "value": {"active": true}}`)
	w.wants(bob, "active: ")
}

func TestS9GroupsGiveRoles(t *testing.T) {
	w := sally(t, "okta")
	ann, bob := w.user("ann@example.com"), w.user("bob@example.com")
	users := w.group("App Users", ann, bob)
	w.group("App Admins", ann)
	w.wants(ann, "active: role admin, role user")
	w.wants(bob, "active: role user")
	if got := w.found(`assignments[kind eq "role" and target eq "admin"]`); !slices.Equal(got, []string{ann}) {
		t.Errorf("administrators: %v", got)
	}
	w.leave(users, ann)
	w.wants(ann, "active: role admin")
}

const roles = `{"members": {"activeWhen": {"kinds": ["role"]}}, "kinds": {"role": {"create": true}}, "rules": [
	{"id": "user", "group": {"filter": "displayName eq \"Staff\""}, "assign": {"kind": "role", "target": "user"}}]}`

func TestS15SavingAMappingMovesEverybody(t *testing.T) {
	w := newWorld(t, "entra", `{"members": {"activeWhen": {"kinds": ["role"]}}, "kinds": {"role": {"create": true}}}`)
	var ids []string
	for n := range 120 {
		ids = append(ids, w.user(fmt.Sprint("u", n)))
	}
	w.group("Staff", ids...)
	w.wants(ids[7], "staged: ")
	before := w.last()
	w.policy(roles)
	w.wants(ids[99], "active: role user") // at once, whatever the pass has done
	w.tells(before, ids[7], "member.activated", "assignment.added")
	if got := w.found(`status eq "staged"`); len(got) != 0 {
		t.Errorf("still staged: %v", got)
	}
	status := w.admin(200, "GET", "/policy/status", "")
	if applied := status["applied"].(object); applied["version"] != status["version"] || applied["finishedAt"] == nil {
		t.Errorf("status of the policy: %v", status)
	}
	// Once more changes nothing, and is no event.
	after := w.last()
	w.policy(roles)
	if got := w.events(after); len(got) != 0 {
		t.Errorf("the same policy again: %v", got)
	}
}

func TestS16LaterGroups(t *testing.T) {
	w := newWorld(t, "entra", roles)
	ann := w.user("ann@example.com")
	w.group("Later", ann)
	w.wants(ann, "staged: ")
	w.policy(`{"members": {"activeWhen": {"kinds": ["role"]}}, "kinds": {"role": {"create": true}}, "rules": [
		{"id": "later", "group": {"filter": "displayName eq \"Later\""}, "assign": {"kind": "role", "target": "user"}}]}`)
	w.wants(ann, "active: role user")
}
