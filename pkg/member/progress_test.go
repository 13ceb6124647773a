package member_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/serverless-scim/serverless-scim/pkg/member"
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
