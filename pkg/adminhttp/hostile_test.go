package adminhttp_test

import (
	"fmt"
	"net/url"
	"strings"
	"testing"
)

// TestLongValuesDoNotStopPublishing gives targets by values that have no room in a key of the store: the rule gives
// nothing and "why" says so, and everybody else is published.
func TestLongValuesDoNotStopPublishing(t *testing.T) {
	p := newProduct(t)
	p.admin(200, "PUT", "/policy", `{"kinds": {"team": {"create": true, "manual": "remove"},
		"organisation": {"create": true}, "function": {"create": true, "per": "organisation"}},
		"rules": [
		{"id": "t", "user": {"value": "title"}, "assign": {"kind": "team", "target": "${value}"}},
		{"id": "o", "user": {"value": "title"}, "assign": {"kind": "organisation", "target": "${value}"}},
		{"id": "g", "group": {"pattern": "^(?P<x>.+)$"}, "assign": {"kind": "team", "target": "${x}${x}${x}"}},
		{"id": "f", "user": {"value": "title"}, "assign": {"kind": "function", "target": "${value}",
			"organisation": "${value}"}}]}`)
	var ids []string
	for i, title := range []string{
		"a", strings.Repeat("a", 400), strings.Repeat("é", 400), strings.Repeat("a", 801), strings.Repeat(`\u0001`, 260),
		strings.Repeat(`\u0002`, 400), strings.Repeat("a", 3000),
	} {
		ids = append(ids, p.provision("POST", "/Users", fmt.Sprintf(
			`{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":"u%d","title":"%s"}`, i, title)))
	}
	p.group(strings.Repeat("g", 512), ids...)
	if list := p.admin(200, "GET", "/members", ""); len(list["members"].([]any)) != len(ids) || list["pending"] != nil {
		t.Fatalf("listed %d members of %d, pending %v", len(list["members"].([]any)), len(ids), list["pending"])
	}
	for i, want := range []int{3, 3, 2, 0, 2, 0, 0} {
		m := p.admin(200, "GET", "/members/"+ids[i], "")
		why := p.admin(200, "GET", "/members/"+ids[i]+"/why", "")
		given, missing := m["assignments"].([]any), why["missing"].([]any)
		if len(given) != want || len(given)+len(missing) != 4 {
			t.Errorf("user %d has %d assignments and misses %d, want %d of 4", i, len(given), len(missing), want)
		}
	}
}

// TestHostilePathsAndParameters sends values that no key of the store can hold: each is a client's mistake.
func TestHostilePathsAndParameters(t *testing.T) {
	p := newProduct(t)
	id := p.user("ann")
	p.admin(200, "PUT", "/policy", `{"kinds": {"role": {"create": true}, "organisation": {"create": true},
		"function": {"create": true, "per": "organisation"}}}`)
	for _, v := range []string{
		"%ff", "%00", "%E2%80%AE", strings.Repeat("x", 900), strings.Repeat("x", 9000), strings.Repeat("%01", 500),
		url.QueryEscape(`role` + "\x01\x01a"), "..%2F..", "%2e%2e", "a%2F%2Fb",
	} {
		for _, path := range []string{
			"/members/" + v, "/members/" + v + "/why", "/members/" + v + "/assignments/role/x",
			"/members/" + id + "/assignments/role/" + v, "/members/" + id + "/assignments/" + v + "/x",
			"/members/" + id + "/assignments/function/x?organisation=" + v, "/targets/role/" + v,
			"/targets/" + v + "/x", "/targets/function/x?organisation=" + v, "/members?cursor=" + v,
			"/members?filter=" + v, "/members?filter=status+eq+%22active%22&cursor=" + v, "/targets?cursor=" + v,
			"/targets?kind=" + v, "/targets?kind=function&cursor=" + v, "/pending?cursor=" + v, "/events?after=" + v,
			"/tokens/" + v,
			"/policy/rehearse?cursor=" + v,
		} {
			for _, method := range []string{"GET", "PUT", "DELETE", "POST"} {
				if got := p.do(method, "/admin/v1/tenants/acme"+path, "{}"); got.status >= 500 {
					t.Errorf("%s %.120s: %d %v", method, path, got.status, got.body)
				}
			}
		}
	}
}

// TestTargetsOfAnyName reads and removes targets whose names have slashes and dots.
func TestTargetsOfAnyName(t *testing.T) {
	p := newProduct(t)
	p.admin(200, "PUT", "/policy", `{"kinds": {"role": {}}}`)
	for _, name := range []string{
		"a/b", "a//b", "/", "..", ".", "a/../b", "a/.b", "%2F", "é/ü", " ", "\u202e", "a?b#c",
	} {
		path := "/targets/role/" + url.PathEscape(name)
		if strings.Trim(name, ".") == "" {
			path = "/targets/role/" + strings.ReplaceAll(name, ".", "%2E")
		}
		p.admin(200, "PUT", path, `{}`)
		if got := p.admin(200, "GET", path, "")["target"]; got != name {
			t.Errorf("target %q was kept as %q", name, got)
		}
		p.admin(204, "DELETE", path, "")
	}
}
