package tenant

import (
	"context"
	"encoding/base64"
	"errors"

	"github.com/serverless-scim/serverless-scim/pkg/store"
	"github.com/serverless-scim/serverless-scim/pkg/tenant/internal/record"
)

// MaxListCount bounds one page of List.
const MaxListCount = 1000

// List returns up to count tenants (1 to MaxListCount) in order of id. cursor is empty, or the next of the page
// before. next is empty on the last page. Tenants that are being created or deleted are left out. A cursor that List
// did not return is an *InvalidError.
func (s *Service) List(ctx context.Context, count int, cursor string) (tenants []Tenant, next string, err error) {
	count = min(max(count, 1), MaxListCount)
	after, err := base64.RawURLEncoding.DecodeString(cursor)
	if err != nil || cursor != "" && !record.ValidID(string(after)) {
		return nil, "", record.Invalid("cursor", "must be a cursor from an earlier page of this list")
	}
	var keys []store.Key
	for item, err := range s.store.All(ctx, store.Query{PK: store.TenantsPK, After: string(after), Limit: count + 1}) {
		if err != nil {
			return nil, "", err
		}
		if item.Attrs[record.AttrState] != string(record.Active) {
			continue
		}
		if len(keys) == count {
			next = CursorBehind(keys[count-1].SK)
			break
		}
		keys = append(keys, item.Key)
	}
	for i := range keys {
		keys[i] = store.KeysOf(keys[i].SK).Tenant()
	}
	return s.load(ctx, keys, next)
}

// CursorBehind returns the cursor of List for the tenants after an id.
func CursorBehind(id string) string { return base64.RawURLEncoding.EncodeToString([]byte(id)) }

// load reads the tenants of a page. A tenant that was removed since the list was read is left out.
func (s *Service) load(ctx context.Context, keys []store.Key, next string) ([]Tenant, string, error) {
	if len(keys) == 0 {
		return nil, next, nil
	}
	items, err := s.store.Get(ctx, keys...)
	if err != nil {
		return nil, "", err
	}
	tenants := make([]Tenant, 0, len(items))
	for _, item := range items {
		r, err := record.Decode(item)
		if errors.Is(err, ErrNotFound) || err == nil && r.Life != record.Active {
			continue
		}
		if err != nil {
			return nil, "", err
		}
		id, _ := store.TenantOf(item.Key)
		tenants = append(tenants, r.Tenant(id, s.o.Now()))
	}
	return tenants, next, nil
}
