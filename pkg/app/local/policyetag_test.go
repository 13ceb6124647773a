package local_test

import (
	"testing"

	"github.com/serverless-scim/serverless-scim/pkg/tenant"
)

// TestPolicyTagOfAnEarlierTenant: the entity tag of a deleted tenant's policy does not allow to replace that of a new
// tenant of the same id.
func TestPolicyTagOfAnEarlierTenant(t *testing.T) {
	a := on(t, memory(t), "generic")
	o := &caller{t: t, h: a.h, known: map[string]string{}}
	if w := o.ask("PUT", "/policy", `{"kinds":{"role":{}}}`, "", ""); w.Code != 200 {
		t.Fatal(w.Code, w.Body)
	}
	tag := o.ask("GET", "/policy", "", "", "").Header().Get("ETag")
	if w := o.ask("DELETE", "", "", "", ""); w.Code != 202 {
		t.Fatal(w.Code, w.Body)
	}
	if err := a.s.Settle(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, _, err := a.s.Tenants().Create(t.Context(), tenant.NewTenant{ID: "acme", Name: "Acme"}); err != nil {
		t.Fatal(err)
	}
	if w := o.ask("PUT", "/policy", `{"kinds":{"team":{"create":true}}}`, "", ""); w.Code != 200 {
		t.Fatal(w.Code, w.Body)
	}
	if w := o.ask("PUT", "/policy", `{"kinds":{"role":{"create":true}}}`, "If-Match", tag); w.Code != 412 {
		t.Errorf("the policy was replaced with the tag %s of the earlier tenant: %d", tag, w.Code)
	}
}

// TestPolicyConditions: If-Match may have a list (RFC 9110, section 13.1.1), and If-None-Match: * makes and never
// replaces.
func TestPolicyConditions(t *testing.T) {
	o := conditioned(t)
	first := o.ask("GET", "/policy", "", "", "").Header().Get("ETag")
	for _, c := range []struct {
		name, value, document string
		want                  int
	}{
		{"If-None-Match", "*", `{}`, 412},
		{"If-Match", `"0", ` + first, `{"kinds":{"team":{}}}`, 200},
		{"If-Match", first, `{}`, 412},
		{"If-Match", "*", `{}`, 200},
		{"If-Match", "W/" + first, `{}`, 412},
	} {
		if w := o.ask("PUT", "/policy", c.document, c.name, c.value); w.Code != c.want {
			t.Errorf("%s: %s: %d %s, want %d", c.name, c.value, w.Code, w.Body, c.want)
		}
	}
}

// TestPolicyIsMadeOnce: If-None-Match: * makes the policy of a tenant that has none.
func TestPolicyIsMadeOnce(t *testing.T) {
	a := on(t, memory(t), "generic")
	o := &caller{t: t, h: a.h, known: map[string]string{}}
	for _, want := range []int{200, 412} {
		if w := o.ask("PUT", "/policy", `{"kinds":{"role":{}}}`, "If-None-Match", "*"); w.Code != want {
			t.Errorf("%d %s, want %d", w.Code, w.Body, want)
		}
	}
}
