package local_test

import (
	"fmt"
	"strings"
	"testing"
)

// TestMembersFollow sends SCIM requests and reads what the application behind is told of them: at once by id, and in the
// events, which name the request.
func TestMembersFollow(t *testing.T) {
	a := on(t, memory(t), "generic")
	id := a.user("ada@example.com")
	if m := a.mustAdmin(200, "GET", "/members/"+id, ""); m["status"] != "active" || m["userName"] != "ada@example.com" {
		t.Errorf("behind POST: %v", m)
	}
	a.group("Editors", []string{id})
	m := a.mustAdmin(200, "GET", "/members/"+id, "")
	if all := m["assignments"].([]any); len(all) != 1 || all[0].(object)["displayName"] != "Editors" {
		t.Errorf("behind POST of the group: %v", m)
	}
	a.must(200, "PATCH", "/Users/"+id, patchBody(`{"op":"replace","path":"active","value":false}`))
	if m := a.mustAdmin(200, "GET", "/members/"+id, ""); m["status"] != "inactive" {
		t.Errorf("behind the deactivation: %v", m)
	}
	a.must(204, "DELETE", "/Users/"+id, "")
	if m := a.mustAdmin(200, "GET", "/members/"+id, ""); m["status"] != "removed" {
		t.Errorf("behind DELETE: %v", m)
	}
	var types []string
	for i, v := range a.mustAdmin(200, "GET", "/events", "")["events"].([]any) {
		e := v.(object)
		types = append(types, e["type"].(string))
		if e["sequence"] != float64(i+1) {
			t.Errorf("event %d has the sequence %v", i+1, e["sequence"])
		}
		cause := e["cause"].(object)
		if cause["requestId"] == nil || cause["tokenId"] == nil {
			t.Errorf("event %v names no request: %v", e["type"], cause)
		}
	}
	want := "member.created member.activated assignment.added member.deactivated member.removed"
	if got := strings.Join(types, " "); got != want {
		t.Errorf("events %s, want %s", got, want)
	}
}

// TestMembersSwitchedOff switches publishing off, and on again: in between nothing is kept, afterwards everybody is
// told of.
func TestMembersSwitchedOff(t *testing.T) {
	a := on(t, memory(t), "generic")
	a.mustAdmin(200, "PATCH", "", `{"settings":{"members":{"publish":false}}}`)
	ids := a.users(3)
	a.group("Editors", ids)
	if err := a.s.Settle(t.Context()); err != nil {
		t.Fatal(err)
	}
	if all := a.mustAdmin(200, "GET", "/members", ""); len(all["members"].([]any)) != 0 {
		t.Errorf("switched off: %v", all)
	}
	if all := a.mustAdmin(200, "GET", "/events", ""); len(all["events"].([]any)) != 0 {
		t.Errorf("switched off: %v", all)
	}
	a.mustAdmin(200, "PATCH", "", `{"settings":{"members":{"publish":null}}}`)
	for _, id := range ids {
		m := a.mustAdmin(200, "GET", "/members/"+id, "")
		if fmt.Sprint(m["status"], len(m["assignments"].([]any))) != "active1" {
			t.Errorf("switched on: %v", m)
		}
	}
}
