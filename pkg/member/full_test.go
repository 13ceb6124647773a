package member_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/serverless-scim/serverless-scim/pkg/mapping"
	"github.com/serverless-scim/serverless-scim/pkg/member"
	"github.com/serverless-scim/serverless-scim/pkg/store"
)

// TestFullKind: a kind with 10,000 targets gets no more, neither by hand nor by a rule. Those that are there can be
// given and changed, and a target that is deleted makes room.
func TestFullKind(t *testing.T) {
	w := newWorld(t, `{"kinds": {"team": {"create": true}, "role": {"create": true}}, "rules": [
		{"id": "team", "group": {"pattern": "^T-(?P<n>.+)$"}, "assign": {"kind": "team", "target": "${n}"}}]}`)
	ctx := context.Background()
	var ops []store.Op
	for n := range mapping.MaxTargets {
		key := w.ts.Target("team", "", fmt.Sprint(n))
		ops = append(ops, store.PutItem(key, store.Attrs{"doc": "{}", "ver": int64(1)}))
	}
	w.must(w.ts.Batch(ctx, ops...))
	id, err := w.user("ada", nil)
	w.must(err)
	for _, name := range []string{"T-17", "T-new"} {
		_, err := w.group(name, id)
		w.must(err)
	}
	w.must(w.publish())
	has := func() string { return w.published()[id] }
	if got := has(); !strings.Contains(got, "team 17") || strings.Contains(got, "team new") {
		t.Errorf("published: %s", got)
	}
	why, _, err := w.s.Why(ctx, w.tenant, id)
	w.must(err)
	text := fmt.Sprint(why["missing"])
	if !strings.Contains(text, "limit") || !strings.Contains(text, "10000 targets") {
		t.Errorf("why: %s", text)
	}
	team := func(name string) mapping.TargetKey { return mapping.TargetKey{Kind: "team", Name: name} }
	save := func(key mapping.TargetKey) error {
		_, err := w.s.SaveTarget(ctx, w.tenant, member.Target{TargetKey: key, Seats: member.Unbounded})
		return err
	}
	refused := func(what string, err error) {
		t.Helper()
		r := (*member.Refused)(nil)
		if !errors.As(err, &r) || r.Status != 409 || !strings.Contains(r.Detail, "10000 targets") {
			t.Errorf("%s: %v", what, err)
		}
	}
	refused("a new target", save(team("new")))
	refused("a new target by an assignment", w.s.Assign(ctx, w.tenant, id, team("new")))
	w.must(save(team("18")))
	w.must(save(mapping.TargetKey{Kind: "role", Name: "new"}))
	w.must(w.s.Assign(ctx, w.tenant, id, team("18")))
	w.must(w.s.RemoveTarget(ctx, w.tenant, team("19")))
	w.must(w.publish())
	if got := has(); !strings.Contains(got, "team new") || !strings.Contains(got, "team 18") {
		t.Errorf("with room: %s", got)
	}
	refused("a new target again", save(team("19")))
}
