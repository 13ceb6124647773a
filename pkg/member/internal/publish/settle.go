package publish

import (
	"context"
	"errors"

	"github.com/serverless-scim/serverless-scim/pkg/member/internal/record"
	"github.com/serverless-scim/serverless-scim/pkg/store"
)

// settle ends the marker of a member without changes to publish. A newer marker stays.
func (p *publication) settle(ctx context.Context, sub *subject) error {
	if err := p.sweep(ctx, sub); err != nil {
		return err
	}
	if done, err := p.redact(ctx, sub); err != nil || !done {
		return err
	}
	if err := p.end(ctx, sub); err != nil {
		return err
	}
	err := p.ts.Write(ctx, sub.marker.Done())
	var failed *store.ConditionError
	if errors.As(err, &failed) {
		return nil
	}
	return err
}

// sweep removes what an earlier publication had no space left to remove: the manual assignments of one who was removed,
// and lookups.
func (p *publication) sweep(ctx context.Context, sub *subject) error {
	if sub.old != nil && sub.old.Status == record.Removed {
		_, removes := (&Change{subject: sub, ended: sub.manual}).byHand(p.ts.Keys)
		if err := p.ts.Batch(ctx, removes...); err != nil {
			return err
		}
	}
	if len(sub.stale) == 0 {
		return nil
	}
	ops := make([]store.Op, len(sub.stale))
	for i, sk := range sub.stale {
		ops[i] = store.RemoveItem(store.Key{PK: p.ts.PublishedPrefix("", "").PK, SK: sk})
	}
	if err := p.ts.Batch(ctx, ops...); err != nil {
		return err
	}
	err := p.ts.Write(ctx, store.Op{
		Kind: store.Update, Key: p.ts.Published(sub.id), Unset: []string{record.AttrStale},
		If: []store.Cond{store.Is(record.AttrVer, sub.old.Version)},
	})
	var failed *store.ConditionError
	if errors.As(err, &failed) {
		return store.ErrStale
	}
	return err
}
