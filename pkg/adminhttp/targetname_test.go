package adminhttp_test

import (
	"fmt"
	"net/url"
	"strings"
	"testing"
)

// TestTargetNames: a target of any name can be made, read, given, taken and deleted, also if a rule made it.
func TestTargetNames(t *testing.T) {
	p := newProduct(t)
	p.admin(200, "PUT", "/policy", `{"kinds": {"role": {"create": true}}, "rules": [{"id": "r",
		"group": {"pattern": "^R_(?P<n>(?s:.+))$"}, "assign": {"kind": "role", "target": "${n}"}}]}`)
	ada := p.user("ada")
	dots := strings.NewReplacer(".", "%2E")
	for _, name := range []string{
		"a/b", "a//b", "a/", "/", "//", "/a", "a/../b", "..", ".", "../..", "...", ".a", "%2e%2e", "%2F", "%", "a b",
		" ", "\U0001F692", "e\u0301", "a?b", "a#b", "a+b", ";", "\\", "\x01", "a\u202Eb", strings.Repeat("x", 510),
	} {
		role := "/role/" + url.PathEscape(name)
		for _, target := range []string{"/targets" + role, "/targets" + dots.Replace(role)} {
			made := p.admin(200, "PUT", target, `{"displayName": "D"}`)
			if got := p.admin(200, "GET", target, ""); made["target"] != name || got["target"] != name {
				t.Errorf("%q: made %v, read %v", name, made, got)
			}
			assignment := "/members/" + ada + "/assignments" + role
			p.admin(204, "PUT", assignment, "")
			if got := p.has(ada); got != "active: role /"+name {
				t.Errorf("%q: the member is %s", name, got)
			}
			p.admin(204, "DELETE", assignment, "")
			p.admin(204, "DELETE", target, "")
			p.admin(404, "GET", target, "")
		}
		group := p.group("R_"+name, ada)
		if got := p.has(ada); got != "active: role /"+name {
			t.Errorf("%q by a rule: the member is %s", name, got)
		}
		p.provision("DELETE", "/Groups/"+group, "")
		if got := p.has(ada); got != "active: " {
			t.Errorf("%q: the member is %s", name, got)
		}
		p.admin(204, "DELETE", "/targets"+role, "")
	}
	if got := p.admin(200, "GET", "/targets", ""); len(got["targets"].([]any)) != 0 {
		t.Errorf("left: %v", got)
	}
	for _, path := range []string{"/targets/role/a%00", "/members/" + ada + "/assignments/role/a%00"} {
		p.admin(400, "PUT", path, "")
	}
	for _, path := range []string{
		"/targets/role", "/targets//a", "/members/" + ada + "/assignments/role", "/members/../targets",
	} {
		p.admin(404, "GET", path, "")
	}
}

// TestPolicyProgress: the status of a policy counts everybody once it is applied.
func TestPolicyProgress(t *testing.T) {
	p := newProduct(t)
	for i := range 3 {
		p.user(fmt.Sprint("u", i))
	}
	p.admin(200, "GET", "/members", "")
	saved := p.admin(200, "PUT", "/policy", `{"kinds": {"role": {"create": true}}, "rules": [{"id": "r",
		"user": {"filter": "active eq true"}, "assign": {"kind": "role", "target": "r"}}]}`)["version"]
	status := func() map[string]any {
		return p.admin(200, "GET", "/policy/status", "")["applied"].(map[string]any)
	}
	if got := status(); got["version"] != 0.0 || got["done"] != 0.0 || got["of"] != 3.0 || got["finishedAt"] != nil {
		t.Errorf("saved: %v", got)
	}
	p.admin(200, "GET", "/members", "") // publishes
	if got := status(); got["version"] != saved || got["done"] != 3.0 || got["of"] != 3.0 || got["finishedAt"] == nil {
		t.Errorf("applied: %v", got)
	}
}
