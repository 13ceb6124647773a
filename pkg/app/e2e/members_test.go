package e2e_test

import (
	"strings"
	"testing"

	"github.com/serverless-scim/serverless-scim/pkg/store"
)

// people provisions a person and reads the events for the application behind the endpoint: nobody asks for the
// member, so only the stream function can have published it.
func (w *world) people(t *testing.T) {
	target := w.Create(t, "people", "generic")
	ids := users(t, target, 1)
	scim(t, target, 201, "POST", "/Groups", group("Editors", ids))
	var events []any
	eventually(t, "the stream function publishes", func() bool {
		events, _ = w.Must(t, 200, "GET", "/tenants/people/events", "")["events"].([]any)
		return len(events) > 0 && len(w.keys(t, store.KeysOf("people").MarkerPrefix("").PK)) == 0
	})
	told := 0
	for i, v := range events {
		e := v.(object)
		if e["sequence"] != float64(i+1) || e["tenant"] != "people" {
			t.Errorf("event %d: %v", i+1, e)
		}
		kind, _ := e["type"].(string)
		if !strings.HasPrefix(kind, "member.") && !strings.HasPrefix(kind, "assignment.") {
			continue // tokens and the tenant itself: no request of a client caused these
		}
		told++
		if cause, _ := e["cause"].(object); cause["requestId"] == nil || cause["tokenId"] == nil {
			t.Errorf("event %v names no request", e)
		}
	}
	if told < 3 {
		t.Errorf("%d events tell of the member", told)
	}
	m := w.Must(t, 200, "GET", "/tenants/people/members/"+ids[0], "")
	all := m["assignments"].([]any)
	if m["status"] != "active" || len(all) != 1 || all[0].(object)["displayName"] != "Editors" {
		t.Errorf("the member is %v", m)
	}
}
