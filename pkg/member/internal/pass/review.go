package pass

import (
	"context"

	"github.com/serverless-scim/serverless-scim/pkg/event/eventlog"
	"github.com/serverless-scim/serverless-scim/pkg/mapping"
	"github.com/serverless-scim/serverless-scim/pkg/member/internal/policies"
	"github.com/serverless-scim/serverless-scim/pkg/member/internal/record"
	"github.com/serverless-scim/serverless-scim/pkg/member/internal/seat"
	"github.com/serverless-scim/serverless-scim/pkg/member/marker"
	"github.com/serverless-scim/serverless-scim/pkg/store"
)

// review works the marker of a pool: it announces a shortage that has ended or grown, and marks the members who
// can be served. Then it ends the marker, unless there may be more of them than it marks at once: they are next
// once these are served.
func (s *Passes) review(ctx context.Context, t policies.Tenant, m marker.Marker) error {
	err := store.Retry(ctx, record.ContendFor, func() error {
		b, err := s.basisOf(ctx, t)
		if err != nil {
			return err
		}
		var tx store.Tx
		tx.Must(m.Done(), errEnded)
		key := record.SplitTarget(m.Subject.ID)
		if b.policy.Kinds[key.Kind].Seats != "" {
			pool, err := seat.Read(ctx, b.ts, b.policy, b.version, key)
			if err != nil {
				return err
			}
			next := pool.Next()
			if err := s.markAll(ctx, b.ts, next, eventlog.Cause{}); err != nil || len(next) == seat.Queued {
				return err
			}
			entries, _ := pool.Resize(&tx, b.ts.Keys, 0, s.now().UTC(), m.Cause)
			if len(entries) > 0 {
				_, ops := b.head.Append(b.ts.Keys, t.Retention, entries...)
				tx.Must(ops[0], store.ErrStale)
				tx.Add(ops[1:]...)
			}
		}
		return tx.Commit(ctx, b.ts)
	})
	return ignoreEnded(err)
}

// basis holds the values that a write to the log of a tenant depends on.
type basis struct {
	ts      *store.TenantStore
	head    eventlog.Head
	policy  *mapping.Policy
	version int64 // of the policy
}

// basisOf reads the head of the log, and then the policy.
func (s *Passes) basisOf(ctx context.Context, t policies.Tenant) (basis, error) {
	b := basis{ts: s.store.Tenant(t.ID)}
	items, err := b.ts.Get(ctx, b.ts.LogHead())
	if err != nil {
		return b, err
	}
	b.head = eventlog.DecodeHead(items[0])
	b.policy, b.version, err = s.policies.Of(ctx, t)
	return b, err
}
