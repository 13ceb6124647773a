package directory

import (
	"context"
	"slices"

	"github.com/serverless-scim/serverless-scim/pkg/directory/membership"
	"github.com/serverless-scim/serverless-scim/pkg/directory/row"
	"github.com/serverless-scim/serverless-scim/pkg/scim"
	"github.com/serverless-scim/serverless-scim/pkg/scim/schema"
	"github.com/serverless-scim/serverless-scim/pkg/store"
)

// Person is a user with the groups that it is a direct member of.
type Person = membership.Person

// GroupOf is a group of a person.
type GroupOf = membership.GroupOf

// People reads users with their groups and managers as they are now, in the order of ids. Changes that open work
// has still to make are included.
func (d *Directory) People(ctx context.Context, tenantID string, ids []string) ([]Person, error) {
	return d.members.People(ctx, d.store.Tenant(tenantID), ids)
}

// UserIDs lists the ids of a tenant's users after an id, in order. Fewer than limit: there are no more.
func (d *Directory) UserIDs(ctx context.Context, tenantID, after string, limit int) ([]string, error) {
	ts := d.store.Tenant(tenantID)
	page, err := ts.Query(ctx, store.Query{PK: ts.User("").PK, After: after, Limit: limit, Select: store.KeysOnly})
	ids := make([]string, len(page.Items))
	for i, item := range page.Items {
		ids[i] = item.SK
	}
	return ids, err
}

// GroupIDs lists the ids of a tenant's groups after an id, in order. Fewer than limit: there are no more.
func (d *Directory) GroupIDs(ctx context.Context, tenantID, after string, limit int) ([]string, error) {
	ts := d.store.Tenant(tenantID)
	page, err := ts.Query(ctx, store.Query{PK: ts.Group("").PK, After: after, Limit: limit, Select: store.KeysOnly})
	ids := make([]string, len(page.Items))
	for i, item := range page.Items {
		ids[i] = item.SK
	}
	return ids, err
}

// UsersAfter reads the users of a tenant after an id, in order, with one call: their documents, which must not be
// changed. There may be fewer than limit although there are more.
func (d *Directory) UsersAfter(ctx context.Context, tenantID, after string, limit int) ([]scim.Object, error) {
	ts := d.store.Tenant(tenantID)
	records, _, err := decoded(ctx, ts, schema.UserType(), store.Query{PK: ts.User("").PK, After: after, Limit: limit})
	users := make([]scim.Object, len(records))
	for i, r := range records {
		users[i] = r.Doc
	}
	return users, err
}

// GroupsAfter reads the groups of a tenant after an id, in order, with one call. more: there are others after them;
// there may be fewer than limit then.
func (d *Directory) GroupsAfter(
	ctx context.Context, tenantID, after string, limit int,
) (groups []GroupOf, more bool, err error) {
	ts := d.store.Tenant(tenantID)
	q := store.Query{PK: ts.Group("").PK, After: after, Limit: limit}
	records, more, err := decoded(ctx, ts, schema.GroupType(), q)
	for _, r := range records {
		groups = append(groups, GroupOf{ID: r.ID, Version: r.Version, Doc: r.Doc})
	}
	return groups, more, err
}

// decoded reads a page of resources of a type. more: there are others after them.
func decoded(
	ctx context.Context, ts *store.TenantStore, rt *schema.ResourceType, q store.Query,
) (records []row.Record, more bool, err error) {
	page, err := ts.Query(ctx, q)
	if err != nil {
		return nil, false, err
	}
	for _, item := range page.Items {
		r, err := row.Decode(rt, item)
		if err != nil {
			return nil, false, err
		}
		records = append(records, r)
	}
	return records, page.More, nil
}

// GroupsOf reads groups in the order of ids, as People does; a nil document: there is no such group.
func (d *Directory) GroupsOf(ctx context.Context, tenantID string, ids []string) ([]GroupOf, error) {
	ts := d.store.Tenant(tenantID)
	items, err := ts.Get(ctx, store.EachKey(ids, ts.Group)...)
	if err != nil {
		return nil, err
	}
	groups := make([]GroupOf, len(ids))
	for i, item := range items {
		groups[i].ID = ids[i]
		if item.Attrs == nil {
			continue
		}
		r, err := row.Decode(schema.GroupType(), item)
		if err != nil {
			return nil, err
		}
		groups[i].Version, groups[i].Doc = r.Version, r.Doc
	}
	return groups, nil
}

// GroupsHolding reads the groups that have groups as stored members, each once, in order of id. Changes that open
// work has still to make are not included.
func (d *Directory) GroupsHolding(ctx context.Context, tenantID string, groupIDs []string) ([]GroupOf, error) {
	ts := d.store.Tenant(tenantID)
	prefixes := make([]string, len(groupIDs))
	for i, id := range groupIDs {
		prefixes[i] = ts.MemberOfPrefix(id).SK
	}
	var outer []string
	err := ts.EachUnder(ctx, ts.MemberOfPrefix("").PK, prefixes, func(_ int, sk string) bool {
		outer = append(outer, store.LastPart(sk))
		return true
	})
	if err != nil {
		return nil, err
	}
	slices.Sort(outer)
	groups, err := d.GroupsOf(ctx, tenantID, slices.Compact(outer))
	return slices.DeleteFunc(groups, func(g GroupOf) bool { return g.Doc == nil }), err
}

// Unresolved is a reference that names nobody yet.
type Unresolved struct {
	// ResourceType is "User" with the attribute "manager", or "Group" with "members"; ID is the resource's.
	ResourceType, ID, Attribute string
	// Value is the value that a user has to have as id, externalId or userName.
	Value string
}

// Unresolved lists the references of a tenant that name nobody yet, after a place, in order of the folded value, and
// the place to go on after; "": there are no more. One read of at most limit items.
func (d *Directory) Unresolved(
	ctx context.Context, tenantID, after string, limit int,
) (all []Unresolved, next string, err error) {
	ts := d.store.Tenant(tenantID)
	page, err := ts.Query(ctx, store.Query{
		PK: ts.WaitingPrefix("").PK, After: after, Limit: limit, Select: store.KeysOnly,
	})
	if err != nil {
		return nil, "", err
	}
	for _, item := range page.Items {
		parts := store.Split(item.SK)
		if len(parts) != 4 {
			continue
		}
		u := Unresolved{ResourceType: "Group", Attribute: "members", ID: parts[2], Value: parts[3]}
		if parts[1] == "U" {
			u.ResourceType, u.Attribute = "User", "manager"
		}
		all = append(all, u)
	}
	if page.More {
		next = page.Last
	}
	return all, next, nil
}

// UsersIn lists the ids of users among the stored members of a group after an id, in order, and the last value
// that was looked at; "": there are no more. Changes that open work has still to make are not included: Touched
// names them.
func (d *Directory) UsersIn(
	ctx context.Context, tenantID, groupID, after string, limit int,
) (ids []string, last string, err error) {
	ts := d.store.Tenant(tenantID)
	prefix := ts.MemberPrefix(groupID)
	q := store.Query{PK: prefix.PK, Prefix: prefix.SK, Limit: limit}
	if after != "" {
		q.After = ts.Member(groupID, after).SK
	}
	page, err := ts.Query(ctx, q)
	for _, item := range page.Items {
		if last = store.LastPart(item.SK); row.Text(scim.Object(item.Attrs), "type") == membership.TypeUser {
			ids = append(ids, last)
		}
	}
	if !page.More {
		last = ""
	}
	return ids, last, err
}
