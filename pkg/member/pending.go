package member

import (
	"context"

	"github.com/serverless-scim/serverless-scim/pkg/directory"
	"github.com/serverless-scim/serverless-scim/pkg/member/internal/record"
	"github.com/serverless-scim/serverless-scim/pkg/scim"
	"github.com/serverless-scim/serverless-scim/pkg/store"
)

// Reference is a membership or a manager that names nobody yet.
type Reference struct {
	directory.Unresolved
	// Deleted says that the user whom it names was deleted. If false, no such user was ever there, as far as is known.
	Deleted bool
}

// Unresolved lists memberships and managers that name nobody yet; see directory.Directory.Unresolved. A deleted
// user is known by id for as long as the member is shown, and by other values once the deletion is published, if the
// policy restores members who return.
func (s *Service) Unresolved(
	ctx context.Context, t Tenant, after string, count int,
) ([]Reference, string, error) {
	found, next, err := s.o.Directory.Unresolved(ctx, t.ID, after, count)
	if err != nil {
		return nil, "", err
	}
	ts := s.store.Tenant(t.ID)
	all := make([]Reference, len(found))
	keys, at := []store.Key(nil), map[store.Key][]int{}
	for i, u := range found {
		all[i].Unresolved = u
		for _, key := range []store.Key{
			ts.Published(u.Value), ts.Left(record.ByExternalID, u.Value),
			ts.Left(record.ByUserName, scim.Fold(u.Value)),
		} {
			if at[key] == nil {
				keys = append(keys, key)
			}
			at[key] = append(at[key], i)
		}
	}
	items, err := ts.Get(ctx, keys...)
	if err != nil {
		return nil, "", err
	}
	for _, item := range items {
		for _, i := range at[item.Key] {
			// a member whose id names no user, or an item of one who left
			all[i].Deleted = all[i].Deleted || item.Attrs != nil
		}
	}
	return all, next, nil
}
