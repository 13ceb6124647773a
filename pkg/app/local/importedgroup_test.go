package local_test

import (
	"bytes"
	"fmt"
	"testing"
	"time"

	"github.com/serverless-scim/serverless-scim/pkg/store"
	"github.com/serverless-scim/serverless-scim/pkg/transfer"
)

// TestGroupOfAnEarlierTenant: a process that knew a group of a deleted tenant does not take it for the group of the
// same id and version in the tenant that was imported in its place.
func TestGroupOfAnEarlierTenant(t *testing.T) {
	engine := memory(t)
	a := on(t, engine, "generic")
	a.mustAdmin(200, "PUT", "/policy", `{"kinds":{"role":{"create":true}},"rules":[{"id":"r",`+
		`"group":{"pattern":"^Role (?P<n>.+)$"},"assign":{"kind":"role","target":"${n}"}}]}`)
	user := a.user("ann")
	group := a.group("Start", []string{user})
	if err := a.s.Settle(t.Context()); err != nil {
		t.Fatal(err)
	}
	has := func() string {
		m := a.mustAdmin(200, "GET", "/members/"+user, "")
		list, _ := m["assignments"].([]any)
		var all []any
		for _, x := range list {
			all = append(all, x.(object)["target"])
		}
		return fmt.Sprint(all)
	}
	has()
	st := store.New(engine, store.Options{})
	var file bytes.Buffer
	if _, err := (transfer.Export{Tenant: "acme", Now: time.Now}).Write(t.Context(), st, &file); err != nil {
		t.Fatal(err)
	}
	a.replace("/Groups/"+group, "displayName", "Role red")
	if got := has(); got != "[red]" {
		t.Fatalf("first life: %s", got)
	}
	if status, out := a.admin("DELETE", "", ""); status != 202 {
		t.Fatal(status, out)
	}
	if err := a.s.Settle(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, err := (transfer.Import{Now: time.Now}).Read(t.Context(), st, bytes.NewReader(file.Bytes())); err != nil {
		t.Fatal(err)
	}
	a.mustAdmin(200, "PATCH", "", `{"active":true}`)
	a.token = a.mustAdmin(201, "POST", "/tokens", `{}`)["value"].(string)
	a.replace("/Groups/"+group, "displayName", "Role blue")
	if got := has(); got != "[blue]" {
		t.Errorf("the imported tenant's member is in the group Role blue, and has %s", got)
	}
}
