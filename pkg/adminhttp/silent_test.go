package adminhttp_test

import (
	"fmt"
	"strings"
	"testing"
)

// TestEditsPublishNothing edits members of a tenant that does not publish: there are no events about people, and the
// members stay as they were.
func TestEditsPublishNothing(t *testing.T) {
	p := newProduct(t)
	ann, bob := p.user("ann"), p.user("bob")
	p.admin(200, "GET", "/members", "")
	p.admin(200, "PATCH", "", `{"settings": {"members": {"publish": false}}}`)
	p.provision("PATCH", "/Users/"+ann, `{"schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"],
		"Operations": [{"op": "replace", "path": "displayName", "value": "Ann"}]}`)
	last := p.admin(200, "GET", "/events", "")["last"]
	for _, r := range [][2]string{
		{"PUT /members/" + ann + "/account", `{"accountId": "1"}`},
		{"POST /members/" + ann + "/invite", ""},
		{"POST /members/invite", ""},
		{"POST /members/" + bob + "/merge", fmt.Sprintf(`{"into": %q}`, ann)},
	} {
		method, path, _ := strings.Cut(r[0], " ")
		p.admin(409, method, path, r[1])
	}
	const accounts = `{"accounts": [{"accountId": "2", "userName": "ann"}]}`
	result := func() any {
		return p.admin(200, "POST", "/accounts", accounts)["accounts"].([]any)[0].(map[string]any)["result"]
	}
	if got := result(); got != "waits" {
		t.Errorf("imported: %v", got)
	}
	events := p.admin(200, "GET", fmt.Sprint("/events?after=", last), "")["events"].([]any)
	if len(events) != 1 || events[0].(map[string]any)["type"] != "accounts.imported" {
		t.Errorf("events %v", events)
	}
	if m := p.admin(200, "GET", "/members/"+ann, ""); m["displayName"] != nil || m["accountId"] != nil {
		t.Errorf("published %v", m)
	}
	p.admin(200, "PATCH", "", `{"settings": {"members": {"publish": true}}}`)
	if got := result(); got != "adopted" {
		t.Errorf("imported again: %v", got)
	}
}
