package tenant_test

import (
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/serverless-scim/serverless-scim/pkg/scim"
	"github.com/serverless-scim/serverless-scim/pkg/tenant"
)

// manyRecipients are as many as a tenant may have, with the longest addresses.
func manyRecipients() scim.Object {
	list := make([]any, 10)
	for i := range list {
		list[i] = scim.Object{
			"email":    fmt.Sprintf("%02d%s@%s.example", i, strings.Repeat("a", 53), strings.Repeat("b", 36)),
			"language": "de",
		}
	}
	return scim.Object{"settings": scim.Object{"notices": scim.Object{"recipients": list}}}
}

// largestTenant has the tenant acme with every setting but recipients at its longest.
func largestTenant(t *testing.T) *world {
	t.Helper()
	w := newWorld(t)
	vault := tenant.NewTableSecrets(w.store)
	w.Service = tenant.New(w.store, vault,
		tenant.Options{Now: w.clock.Now, Log: slog.New(slog.NewTextHandler(w.log, nil)), Packed: vault})
	w.createWith(
		t, "acme", `{"token": {"lifetimeDays": 400, "noticeDays": 89, "reminders": [88, 77, 66, 55, 44], "vault": "packed"},
		"scim": {"patchBody": "none", "uniqueGroupNames": false},
		"oauth": {"clients": ["oc1234567890123456", "oc1234567890123457", "oc1234567890123458"]}}`)
	if _, err := w.Define(w.ctx, "acme", with(badgeSchema(t, badge, "name")), agree); err != nil {
		t.Fatal(err)
	}
	return w
}

// TestRotationNeedsNoRoom: a tenant that has all that a tenant may have is renewed and told like any other, for years.
func TestRotationNeedsNoRoom(t *testing.T) {
	w := largestTenant(t)
	change := manyRecipients()
	change["name"], change["idp"] = strings.Repeat(`"`, 256), "pingfederate"
	if _, err := w.Change(w.ctx, "acme", change); err != nil {
		t.Fatal(err)
	}
	for range 3 {
		c, err := w.CreateClient(w.ctx, "acme", tenant.NewClient{})
		if err == nil {
			_, err = w.RenewClient(w.ctx, "acme", c.ID, tenant.NewClient{})
		}
		if full := (*tenant.ConflictError)(nil); err != nil && !errors.As(err, &full) {
			t.Fatal(err)
		}
	}
	w.issue(t, "acme")
	var d told
	for range 120 {
		w.clock.add(7 * 24 * time.Hour)
		if run := w.rotate(t, &d); run.Failed > 0 {
			t.Fatalf("%s: rotation failed: %s", w.clock.Now(), w.log)
		}
	}
}

// TestFullTenantCanBeChanged: a change of a tenant that is almost full is no server error, in any order of filling it.
func TestFullTenantCanBeChanged(t *testing.T) {
	w := largestTenant(t)
	w.issue(t, "acme")
	for range 3 {
		c, err := w.CreateClient(w.ctx, "acme", tenant.NewClient{})
		if err == nil {
			_, err = w.RenewClient(w.ctx, "acme", c.ID, tenant.NewClient{})
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	for _, change := range []scim.Object{{"name": strings.Repeat(`"`, 256)}, manyRecipients(), {"active": false}} {
		if _, err := w.Change(w.ctx, "acme", change); err != nil {
			t.Errorf("%v", err)
		}
	}
}
