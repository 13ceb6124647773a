package tenant

import (
	"math"
	"time"

	"github.com/serverless-scim/serverless-scim/pkg/store"
	"github.com/serverless-scim/serverless-scim/pkg/tenant/internal/record"
)

// The order of due times (store.Keys.Due) has one entry for each tenant, under the earliest time at which it has work.
// The entry is moved in the same transaction as the tenant's item, so that a run finds all due tenants by reading the
// beginnings of a few partitions. An entry is a hint: the run that finds a stale one removes it.

// next returns the next time at which the tenant has work, in Unix seconds; 0 for never.
func (s *Service) next(id string, r *record.Record, now time.Time) int64 {
	switch r.Life {
	case record.Deleting:
		return r.Retry // when it is woken again
	case record.Creating:
		return 0
	}
	at := r.State.Next(s.situation(id, r, now, nil))
	if at == math.MaxInt64 {
		return 0
	}
	return max(at, r.Retry, 1)
}

// early returns the time before the notice period at which a tenant's successor is created: a part of Options.Spread,
// always the same for a tenant, so that tenants created together are not due together.
func (s *Service) early(id string) time.Duration {
	if s.o.Spread < time.Second {
		return 0
	}
	return time.Duration(int64(store.Hash(id))%int64(s.o.Spread/time.Second)) * time.Second
}

// duePuts returns the writes that move a tenant in the order of due times.
func duePuts(id string, from, to int64) []store.Op {
	if from == to {
		return nil
	}
	keys, ops := store.KeysOf(id), []store.Op(nil)
	if from != 0 {
		ops = append(ops, store.Op{Kind: store.Delete, Key: keys.Due(from)})
	}
	if to != 0 {
		ops = append(ops, store.Op{
			Kind: store.Put, Key: keys.Due(to),
			Set: store.Attrs{store.AttrSchema: store.SchemaVersion},
		})
	}
	return ops
}
