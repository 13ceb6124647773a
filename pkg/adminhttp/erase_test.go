package adminhttp_test

import (
	"fmt"
	"strings"
	"testing"
)

// TestErase: a person can be erased once the SCIM user is deleted. Then neither the member nor an event has data of the
// person, and the log has no gap.
func TestErase(t *testing.T) {
	p := newProduct(t)
	p.admin(404, "DELETE", "/members/0e5f23ad-0000-4000-8000-000000000000", "")
	id := p.user("zelda@example.com")
	p.admin(409, "DELETE", "/members/"+id, "")
	bob := p.provision("POST", "/Users", fmt.Sprintf(`{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User",
		"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"],"userName":"bob",
		"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User":{"manager":{"value":%q}}}`, id))
	p.group("Editors", id, bob)
	p.provision("PATCH", "/Users/"+id, `{"schemas":["urn:ietf:params:scim:api:messages:2.0:PatchOp"],
		"Operations":[{"op":"add","path":"displayName","value":"Zelda"}]}`)
	events := func() string {
		p.admin(200, "GET", "/members?count=1", "")
		return fmt.Sprint(p.admin(200, "GET", "/events?count=1000", ""))
	}
	before := events()
	if n := strings.Count(strings.ToLower(before), "zelda"); n < 4 {
		t.Fatalf("the events name the person %d times: nothing to erase", n)
	}
	p.admin(409, "DELETE", "/members/"+id, "")
	p.provision("DELETE", "/Users/"+id, "")
	p.admin(400, "DELETE", "/members/"+id+"?force=true", "")
	p.admin(204, "DELETE", "/members/"+id, "")
	p.admin(204, "DELETE", "/members/"+id, "")
	if after := events(); strings.Contains(strings.ToLower(after), "zelda") {
		t.Errorf("the events still name the person: %s", after)
	}
	m := p.admin(200, "GET", "/members/"+id, "")
	if m["status"] != "removed" || m["erased"] != true || strings.Contains(strings.ToLower(fmt.Sprint(m)), "zelda") {
		t.Errorf("the member is %v", m)
	}
	removed := 0
	for i, v := range p.admin(200, "GET", "/events?count=1000", "")["events"].([]any) {
		e := v.(map[string]any)
		if e["sequence"] != float64(i+1) {
			t.Errorf("event %d has the number %v", i+1, e["sequence"])
		}
		if e["subject"] != "members/"+id {
			continue
		}
		data := e["data"].(map[string]any)
		if data["erased"] != true || data["member"].(map[string]any)["status"] != "removed" {
			t.Errorf("%v", e)
		}
		if e["type"] == "member.removed" {
			removed++
		}
	}
	if removed == 0 {
		t.Error("no event says that the member is removed")
	}
	p.admin(409, "DELETE", "/members/"+bob, "")
}
