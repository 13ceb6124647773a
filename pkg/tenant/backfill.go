package tenant

import (
	"context"
	"errors"

	"github.com/serverless-scim/serverless-scim/pkg/store"
)

const (
	attrAfter    = "after" // the tenant that the pass has come to
	attrDone     = "done"  // set when it is through
	backfillPage = 100
)

// backfill gives tenants that were made before there was an order of due times their place in it: one pass over the list of
// tenants for ever, which goes on where the run before ended. It stops at the end of
// its time, and reports whether the pass is through.
func (s *Service) backfill(ctx context.Context, end <-chan struct{}) (bool, error) {
	items, err := s.store.Get(ctx, store.DueBackfill)
	if err != nil {
		return false, err
	}
	if items[0].Attrs[attrDone] != nil {
		return true, nil
	}
	after, _ := items[0].Attrs[attrAfter].(string)
	for {
		page, err := s.store.Query(ctx, store.Query{PK: store.TenantsPK, After: after, Limit: backfillPage})
		if err != nil {
			return false, err
		}
		for _, item := range page.Items {
			select {
			case <-end:
				return false, nil
			default:
			}
			if item.Attrs[attrState] != string(active) {
				continue
			}
			if err := s.enter(ctx, item.SK); err != nil {
				return false, err
			}
		}
		set := store.Attrs{store.AttrSchema: store.SchemaVersion, attrAfter: page.Last}
		if after = page.Last; !page.More {
			set = store.Attrs{store.AttrSchema: store.SchemaVersion, attrDone: "1"}
		}
		if err := s.store.Write(ctx, store.Op{Kind: store.Put, Key: store.DueBackfill, Set: set}); err != nil || !page.More {
			return err == nil, err
		}
	}
}

// enter puts a tenant into the order of due times, if it is not there, and notes the first use of its tokens.
func (s *Service) enter(ctx context.Context, id string) error {
	t, err := s.Get(ctx, id)
	if errors.Is(err, ErrNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	used, err := s.lastUses(ctx, id, tokenIDs(t.Tokens))
	if err != nil {
		return err
	}
	ctx, cancel := detach(ctx)
	defer cancel()
	_, err = s.update(ctx, id, func(r *record) error {
		if r.Due != 0 || s.next(id, r, s.o.Now()) == 0 {
			return errUnchanged
		}
		r.Key = r.cursorKey(id) // from now on it does not follow from the tokens
		for i := range r.Tokens {
			if at := used[r.Tokens[i].ID]; r.Tokens[i].First == 0 {
				r.Tokens[i].First = at // the earliest that is known
			}
		}
		return nil
	})
	return present(err)
}
