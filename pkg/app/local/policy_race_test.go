package local_test

import (
	"fmt"
	"testing"

	"github.com/serverless-scim/serverless-scim/pkg/store/boltstore"
	"github.com/serverless-scim/serverless-scim/pkg/store/faultstore"
)

// TestPolicyBesideSchemas saves a policy that asks for an attribute, and lets another process take the attribute away
// before each call to the engine: one of the two is refused, and SCIM writes go on. So it is the other way round.
func TestPolicyBesideSchemas(t *testing.T) {
	const extended = `{"schemaExtensions":[{"schema":"` + badgeURN + `"}]}`
	const policy = `{"kinds":{"team":{"create":true}},"rules":[{"id":"badge","user":{"value":"` + badgeURN +
		`:number"},"assign":{"kind":"team","target":"${value}"}}]}`
	save := [3]string{"PUT", "/policy", policy}
	take := [3]string{"PUT", "/resource-types/User", `{"schemaExtensions":[]}`}
	for name, calls := range map[string][2][3]string{"save": {save, take}, "take": {take, save}} {
		t.Run(name, func(t *testing.T) {
			inner, err := boltstore.Open(boltstore.Memory, boltstore.Options{})
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = inner.Close() }()
			engine := faultstore.New(inner, nil)
			a := on(t, engine, "generic")
			b := a.again(inner)
			a.mustAdmin(201, "PUT", "/schemas/"+badgeURN, `{"attributes":[{"name":"number"}]}`)
			send := func(a *api, call [3]string) int {
				status, _ := a.admin(call[0], call[1], call[2])
				return status
			}
			for at, reached := 0, true; reached; at++ {
				a.mustAdmin(200, "PUT", "/policy", `{}`)
				if status, out := a.admin("PUT", "/resource-types/User", extended); status/100 != 2 {
					t.Fatalf("PUT the extension: %d %v", status, out)
				}
				n, second := 0, 0
				engine.SetPlan(func(int) faultstore.Fault {
					if n++; n == at+1 {
						second = send(b, calls[1])
					}
					return faultstore.None
				})
				first := send(a, calls[0])
				engine.SetPlan(nil)
				if reached = second != 0; !reached {
					continue
				}
				if (first == 200) == (second == 200) {
					t.Errorf("before call %d: %d and %d, want one refused", at, first, second)
				}
				a.user(fmt.Sprint("user-", at))
			}
		})
	}
}
