package member_test

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/serverless-scim/serverless-scim/pkg/member"
	"github.com/serverless-scim/serverless-scim/pkg/member/marker"
	"github.com/serverless-scim/serverless-scim/pkg/store"
	"github.com/serverless-scim/serverless-scim/pkg/tenant"
)

// TestAppliedOnceAllArePublished: the progress of a policy grows with each step, and the version counts as applied
// once no member waits for it any more.
func TestAppliedOnceAllArePublished(t *testing.T) {
	w := newWorld(t, "")
	const people = 450 // more than a step of the pass marks
	for n := range people {
		_, err := w.user(fmt.Sprint("u", n), nil)
		w.must(err)
	}
	w.must(w.publish())
	ctx, before, seen := context.Background(), int64(0), 0
	tenants := tenant.New(w.store, tenant.NewTableSecrets(w.store), tenant.Options{Now: time.Now})
	_, _, err := tenants.Create(ctx, tenant.NewTenant{ID: "acme", Name: "Acme"})
	w.must(err)
	w.tenant, err = member.TenantOf(ctx, tenants, "acme")
	w.must(err)
	_, _, err = w.s.SavePolicy(ctx, w.tenant, []byte(teams), 0)
	w.must(err)
	for left := true; left; {
		var err error
		left, err = w.s.Publish(ctx, w.tenant, 0) // one round
		w.must(err)
		st, err := w.s.PolicyStatus(ctx, w.tenant)
		w.must(err)
		if st.Done < before || st.Done > st.Of || st.Of != people {
			t.Fatalf("done %d of %d after %d", st.Done, st.Of, before)
		}
		if st.Done > before && st.Done < people {
			seen++
		}
		before = st.Done
		if st.Applied == 0 {
			continue
		}
		if n, err := w.s.Pending(ctx, w.tenant); err != nil || n > 0 || st.Done != people {
			t.Fatalf("applied with %d waiting, done %d, error %v", n, st.Done, err)
		}
	}
	if seen < 2 || before != people {
		t.Errorf("progress was seen %d times, at last %d", seen, before)
	}
}

// betweenRounds is an engine that calls do once, right after the markers of users were listed.
type betweenRounds struct {
	store.Engine
	do func()
}

func (e *betweenRounds) Query(ctx context.Context, q store.Query) (store.Page, error) {
	page, err := e.Engine.Query(ctx, q)
	if do := e.do; do != nil && strings.HasPrefix(q.Prefix, string(marker.User)) {
		e.do = nil
		do()
	}
	return page, err
}

// TestAppliedBesideAnotherProcess: one process finds no marked members; another one marks the last of a policy's pass;
// the first takes the last step of the pass. The policy is not applied before these members are published.
func TestAppliedBesideAnotherProcess(t *testing.T) {
	w := newWorld(t, teams)
	for n := range 3 {
		_, err := w.user(fmt.Sprint("u", n), nil)
		w.must(err)
	}
	w.must(w.publish())
	ctx := context.Background()
	w.policy = strings.Replace(teams, `"target": "user"`, `"target": "other"`, 1)
	w.must(w.setPolicy(w.policy, 2))
	engine := &betweenRounds{Engine: w.engine}
	other := member.New(store.New(engine, store.Options{}), member.Options{
		Now: time.Now, Log: slog.New(slog.DiscardHandler), Directory: w.dir,
	})
	round := func(s *member.Service) {
		t.Helper()
		_, err := s.Publish(ctx, w.tenant, -time.Second)
		w.must(err)
	}
	round(w.s)                        // the groups
	engine.do = func() { round(w.s) } // the users
	round(other)
	applied := func() int64 {
		t.Helper()
		status, err := w.s.PolicyStatus(ctx, w.tenant)
		w.must(err)
		return status.Applied
	}
	if n, err := w.s.Pending(ctx, w.tenant); err != nil || n != 4 || applied() == 2 {
		t.Errorf("applied is version %d, with %d markers, error %v; want 4: 3 members and the policy",
			applied(), n, err)
	}
	w.must(w.publish())
	if w.check(); applied() != 2 {
		t.Errorf("applied is version %d in the end", applied())
	}
}
