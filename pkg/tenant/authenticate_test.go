package tenant_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/serverless-scim/serverless-scim/pkg/scim"
	"github.com/serverless-scim/serverless-scim/pkg/store"
	"github.com/serverless-scim/serverless-scim/pkg/tenant"
)

func TestAuthorizationHeader(t *testing.T) {
	w := newWorld(t)
	v := w.create(t, "acme").Value
	for header, want := range map[string]bool{
		"Bearer " + v: true, "bearer " + v: true, "BEARER  " + v: true, v: true, " Bearer\t" + v + " ": true,
		"Basic " + v: false, "Bearer": false, "": false, "Bearer " + v + " x": false, "Bearer Bearer " + v: false,
		"Bearer" + v: false,
	} {
		got, token, err := w.Authenticate(w.ctx, "acme", tenant.ReadBearer(header))
		if (err == nil) != want {
			t.Errorf("Authorization %q: %v, want good: %v", header, err, want)
		}
		if err != nil {
			continue
		}
		if got.ID != "acme" || !token.CanRead() || !token.CanWrite() || token.State != tenant.TokenActive {
			t.Errorf("Authorization %q: tenant %+v, token %+v", header, got, token)
		}
	}
}

// "no/invalid token, unknown, deleted or foreign tenant: the same 401".
func TestUnauthorizedIsOneAndTheSame(t *testing.T) {
	w := newWorld(t)
	good, foreign := w.create(t, "acme"), w.create(t, "beta")
	deleted, revoked := w.create(t, "gone"), w.issue(t, "acme")
	if err := w.Revoke(w.ctx, "acme", revoked.ID, true); err != nil {
		t.Fatal(err)
	}
	if err := w.Delete(w.ctx, "gone"); err != nil {
		t.Fatal(err)
	}
	details := map[string]string{}
	for name, c := range map[string][2]string{
		"missing":          {"acme", ""},
		"malformed":        {"acme", "nonsense"},
		"never made":       {"acme", sealed("scim_abcdef012345_" + secret)},
		"id of a good one": {"acme", sealed("scim_" + good.ID + "_" + secret)},
		"foreign":          {"acme", foreign.Value},
		"revoked":          {"acme", revoked.Value},
		"unknown tenant":   {"nobody", good.Value},
		"no tenant id":     {"", good.Value},
		"hostile id":       {"acme#U", good.Value},
		"upper case":       {"ACME", good.Value},
		"deleted tenant":   {"gone", deleted.Value},
	} {
		_, _, err := w.Authenticate(w.ctx, c[0], tenant.ReadBearer(c[1]))
		unauthorized := (*tenant.UnauthorizedError)(nil)
		if !errors.As(err, &unauthorized) {
			t.Fatalf("%s: %v", name, err)
		}
		details[unauthorized.Detail] = name
	}
	if len(details) != 1 {
		t.Errorf("details differ: %v", details)
	}
	if !w.good(t, "acme", good.Value) {
		t.Error("the good token is refused")
	}
}

func TestAuthenticateCosts(t *testing.T) {
	w := newWorld(t)
	v := w.create(t, "acme").Value
	for _, c := range []struct {
		name, id, header string
		want             store.Cost
	}{
		{"malformed", "acme", v[:len(v)-1], store.Cost{}},
		{"impossible tenant", "a#b", v, store.Cost{}},
		{"good", "acme", v, store.Cost{Calls: 1, ReadUnits: 1}},
	} {
		ctx, meter := store.WithMeter(w.ctx)
		_, _, _ = w.Authenticate(ctx, c.id, tenant.ReadBearer(c.header))
		if got := meter.Total(); got != c.want {
			t.Errorf("%s: cost %+v, want %+v", c.name, got, c.want)
		}
	}
}

func TestExpiryToTheSecond(t *testing.T) {
	w := newWorld(t)
	token := w.create(t, "acme")
	if want := w.clock.Now().Add(180 * 24 * time.Hour).Truncate(time.Second); !token.ExpiresAt.Equal(want) {
		t.Fatalf("expires at %v, want %v", token.ExpiresAt, want)
	}
	w.clock.add(token.ExpiresAt.Sub(w.clock.Now()) - time.Nanosecond)
	if !w.good(t, "acme", token.Value) {
		t.Error("refused in its last nanosecond")
	}
	w.clock.add(time.Nanosecond)
	_, _, err := w.Authenticate(w.ctx, "acme", tenant.ReadBearer(token.Value))
	unauthorized := (*tenant.UnauthorizedError)(nil)
	if !errors.As(err, &unauthorized) || !strings.Contains(unauthorized.Detail, "expired on 2027-05-21T08:00:00Z") {
		t.Errorf("at its end: %v", err)
	}
	w.rotate(t, &told{}) // notes the end, from when on it is remembered for 90 days
	w.clock.add(90 * 24 * time.Hour)
	w.issue(t, "acme") // writing forgets what is 90 days dead
	if _, _, err = w.Authenticate(w.ctx, "acme", tenant.ReadBearer(token.Value)); !errors.As(err, &unauthorized) ||
		strings.Contains(unauthorized.Detail, "expired") {
		t.Errorf("90 days later: %v", err)
	}
}

func TestSwitchedOff(t *testing.T) {
	w := newWorld(t)
	token, revoked := w.create(t, "acme"), w.issue(t, "acme")
	if err := w.Revoke(w.ctx, "acme", revoked.ID, true); err != nil {
		t.Fatal(err)
	}
	if _, err := w.Change(w.ctx, "acme", scim.Object{"active": false}); err != nil {
		t.Fatal(err)
	}
	off := (*tenant.SwitchedOffError)(nil)
	if _, _, err := w.Authenticate(w.ctx, "acme", tenant.ReadBearer(token.Value)); !errors.As(err, &off) {
		t.Errorf("good token: %v, want switched off", err)
	}
	if w.good(t, "acme", revoked.Value) {
		t.Error("a revoked token gets in")
	}
	if _, err := w.Change(w.ctx, "acme", scim.Object{"active": true}); err != nil {
		t.Fatal(err)
	}
	if !w.good(t, "acme", token.Value) {
		t.Error("the same token is refused after switching on")
	}
}

func TestUseOfDeadTokensIsLoggedByID(t *testing.T) {
	w := newWorld(t)
	w.create(t, "acme")
	token := w.issue(t, "acme")
	if err := w.Revoke(w.ctx, "acme", token.ID, true); err != nil {
		t.Fatal(err)
	}
	w.log.Reset()
	if w.good(t, "acme", token.Value) {
		t.Fatal("a revoked token gets in")
	}
	if log := w.log.String(); !strings.Contains(log, token.ID) || strings.Contains(log, token.Value) {
		t.Errorf("log: %s", log)
	}
}
