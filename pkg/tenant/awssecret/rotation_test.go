package awssecret_test

import (
	"context"
	"maps"
	"testing"
	"time"

	"github.com/serverless-scim/serverless-scim/pkg/notice"
	"github.com/serverless-scim/serverless-scim/pkg/tenant"
)

// quiet is a Delivery to nobody.
func quiet() tenant.Delivery {
	return func(context.Context, notice.Tenant, notice.Notice) (notice.State, error) { return notice.Sent, nil }
}

// AWSCURRENT moves at the successor's first use, else when the old token ends. No run without anything due calls
// Secrets Manager.
func TestLabelsOfARotation(t *testing.T) {
	for _, used := range []bool{true, false} {
		w := newWorld(t)
		old := w.create(t)
		var next tenant.IssuedToken
		rotate := func(left time.Duration, want map[string]string) {
			t.Helper()
			w.now = old.ExpiresAt.Add(-left)
			if run, err := w.Rotate(t.Context(), quiet()); err != nil || run.Failed > 0 {
				t.Fatalf("%+v, %v", run, err)
			}
			if got := w.fake.Show(name); !maps.Equal(got, want) {
				t.Errorf("%v before the end, used %v: %v, want %v", left, used, got, want)
			}
		}
		rotate(28*day+time.Second, map[string]string{"AWSCURRENT": old.Value})
		calls := maps.Clone(w.fake.Calls)
		rotate(28*day+time.Second, map[string]string{"AWSCURRENT": old.Value})
		if !maps.Equal(calls, w.fake.Calls) {
			t.Errorf("a run with nothing to do made calls: %v, before %v", w.fake.Calls, calls)
		}
		w.now = old.ExpiresAt.Add(-28 * day)
		if _, err := w.Rotate(t.Context(), quiet()); err != nil {
			t.Fatal(err)
		}
		tokens, err := w.Tokens(t.Context(), "acme")
		if err != nil || len(tokens) != 2 {
			t.Fatalf("%+v, %v", tokens, err)
		}
		if next, err = w.Reveal(t.Context(), "acme", tokens[1].ID); err != nil {
			t.Fatal(err)
		}
		both := map[string]string{"AWSCURRENT": old.Value, "AWSPENDING": next.Value}
		rotate(27*day, both)
		if used {
			w.Touch(t.Context(), "acme", next.ID)
			both = map[string]string{"AWSCURRENT": next.Value, "AWSPREVIOUS": old.Value}
			rotate(26*day, both)
		}
		rotate(time.Second, both)
		rotate(0, map[string]string{"AWSCURRENT": next.Value})
	}
}

// The token that the identity provider has left is still to be had when the one that it went to is revoked.
func TestRevokedSuccessorGivesWay(t *testing.T) {
	w := newWorld(t)
	old := w.create(t)
	if err := w.StartRotation(t.Context(), "acme"); err != nil {
		t.Fatal(err)
	}
	tokens, err := w.Tokens(t.Context(), "acme")
	if err != nil {
		t.Fatal(err)
	}
	w.Touch(t.Context(), "acme", tokens[1].ID)
	for range 2 {
		if run, err := w.Rotate(t.Context(), quiet()); err != nil || run.Failed > 0 {
			t.Fatalf("%+v, %v", run, err)
		}
	}
	if err := w.Revoke(t.Context(), "acme", tokens[1].ID, true); err != nil {
		t.Fatal(err)
	}
	if got := w.fake.Show(name); !maps.Equal(got, map[string]string{"AWSCURRENT": old.Value}) || len(w.sound(t)) != 1 {
		t.Errorf("%v", got)
	}
}
