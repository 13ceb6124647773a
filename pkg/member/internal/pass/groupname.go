package pass

import (
	"context"

	"github.com/serverless-scim/serverless-scim/pkg/mapping"
	"github.com/serverless-scim/serverless-scim/pkg/member/internal/policies"
	"github.com/serverless-scim/serverless-scim/pkg/member/internal/record"
	"github.com/serverless-scim/serverless-scim/pkg/store"
)

// A tenant without rules gives each group as a target of the kind group, by the group's id. It is shown under the
// name of the group. The name under which it was shown last is kept, so that a change of it is announced once.

// attrName is the name of a group as it was last announced, in the item of the group's targets.
const attrName = "name"

// renamed announces that a target of the kind group is shown under another name. The first name is noted only; it goes
// with the group, whatever the policy is then.
func (s *Passes) renamed(ctx context.Context, t policies.Tenant, g groupOf) error {
	return store.Retry(ctx, record.ContendFor, func() error {
		b, err := s.basisOf(ctx, t)
		if err != nil || !b.policy.Implicit && g.doc != nil {
			return err
		}
		items, err := b.ts.Get(ctx, b.ts.GroupTargets(g.id))
		if err != nil {
			return err
		}
		was, known := items[0].Attrs[attrName].(string)
		name, _ := g.doc["displayName"].(string)
		cond := store.Lacks(attrName)
		if known {
			cond = store.Is(attrName, was)
		}
		var tx store.Tx
		switch {
		case g.doc == nil && known:
			tx.Must(store.RemoveItem(items[0].Key).When(cond), store.ErrStale)
		case g.doc == nil || known && was == name:
		default:
			tx.Must(store.Op{
				Kind: store.Update, Key: items[0].Key, If: []store.Cond{cond},
				Set: store.Attrs{attrName: name, store.AttrSchema: store.SchemaVersion},
			}, store.ErrStale)
		}
		if known && g.doc != nil && was != name {
			target := record.Target{
				TargetKey: mapping.TargetKey{Kind: mapping.KindGroup, Name: g.id},
				Target:    mapping.Target{DisplayName: name}, Scim: true, Seats: record.Unbounded, Version: g.version,
			}
			e := target.Told(record.EventTargetRenamed, s.now().UTC(), g.cause)
			e.Events[0].Data["previousDisplayName"] = record.OrNull(was)
			_, ops := b.head.Append(b.ts.Keys, t.Retention, e)
			tx.Must(ops[0], store.ErrStale)
			tx.Add(ops[1:]...)
		}
		return tx.Commit(ctx, b.ts)
	})
}
