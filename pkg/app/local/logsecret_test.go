package local_test

import (
	"fmt"
	"strings"
	"testing"
)

// TestLogKeepsNoSecret sends secrets in places where no request should have one: neither the body in the provisioning
// log nor the detail shows them, though the tenant keeps personal data.
func TestLogKeepsNoSecret(t *testing.T) {
	a := on(t, memory(t), "generic")
	a.mustAdmin(200, "PATCH", "", `{"settings":{"log":{"personalData":true}}}`)
	id := a.user("anna")
	search := func(filter string) string {
		return fmt.Sprintf(`{"schemas":["urn:ietf:params:scim:api:messages:2.0:SearchRequest"],"filter":%q}`, filter)
	}
	n := 0
	for _, c := range []struct{ method, path, body string }{
		{"POST", "/.search", search(`password eq "hunter2"`)},
		{"POST", "/Users/.search", search(`password eq 'hunter2'`)},
		{"GET", "/Users?filter=password+eq+'hunter2'", ""},
		{"PATCH", "/Users/" + id, patchBody(`{"path":"password","value":"hunter2"}`)},
		{"PATCH", "/Users/" + id, patchBody(`{"op":"add","path":"password","values":["hunter2"]}`)},
		{"PATCH", "/Users/" + id, patchBody(`{"op":"replace","path":"password[value eq \"hunter2\"]","value":"x"}`)},
		{"PATCH", "/Users/" + id, patchBody(`{"op":"replace","path":"emails[password eq 'hunter2']","value":"x"}`)},
		{"PATCH", "/Users/" + id, patchBody(`{"op":"replace","path":"emails[password eq \"hunter2\"].value","value":"x"}`)},
	} {
		status, _ := a.do(c.method, c.path, c.body)
		if status != 400 {
			t.Errorf("%s %s %s: status %d, want 400", c.method, c.path, c.body, status)
		}
		n++
	}
	entries := a.mustAdmin(200, "GET", "/log?filter=outcome+eq+%22refused%22", "")["entries"].([]any)
	if len(entries) != n {
		t.Errorf("%d entries, want %d", len(entries), n)
	}
	for _, e := range entries {
		if text := fmt.Sprint(e); strings.Contains(text, "hunter2") {
			t.Errorf("the log shows the secret: %s", text)
		}
	}
}
