package membership

import (
	"context"

	"github.com/serverless-scim/serverless-scim/pkg/directory/membershipid"
	"github.com/serverless-scim/serverless-scim/pkg/directory/row"
	"github.com/serverless-scim/serverless-scim/pkg/scim"
	"github.com/serverless-scim/serverless-scim/pkg/scim/schema"
	"github.com/serverless-scim/serverless-scim/pkg/store"
)

// MembershipIDs are the ids of the tenant's memberships.
func MembershipIDs(t row.Tenant) (membershipid.IDs, error) {
	return membershipid.New(t.CursorKey, t.ID)
}

// Link is a membership: who is in which group.
type Link struct {
	GroupID string
	Member
	Group row.Record // Doc is nil if the group was not read, or is not there
}

// Version is the version of a membership, which never changes while it lasts, and is another one when the member comes
// back.
func (m Member) Version() int64 { return m.At }

// MembershipResource makes the answer of a membership.
func MembershipResource(t row.Tenant, ids membershipid.IDs, l Link) row.Resource {
	rt := schema.MembershipType()
	id := ids.Of(l.GroupID, l.Value)
	res := row.Resource{Type: rt, ID: id, Version: l.Version(), Modified: row.FromMillis(l.At)}
	since := scim.FormatTime(res.Modified)
	meta := scim.Object{
		"resourceType": rt.ID, "location": row.Location(t, rt, id), "version": res.ETag(),
		"created": since, "lastModified": since,
	}
	res.Doc = scim.Object{
		"id": id, "meta": meta, "member": l.object(t),
		"group": scim.Object{
			"value": l.GroupID, "$ref": row.Location(t, schema.GroupType(), l.GroupID),
			"display": row.DisplayOf(l.Group.Doc),
		},
	}
	rt.SetSchemas(res.Doc)
	return res
}

// FindLink reads one membership, with its group; false if there is none.
func (s *Service) FindLink(ctx context.Context, ts *store.TenantStore, groupID, value string) (
	l Link, found bool, err error,
) {
	if !row.ValidID(groupID) || value == "" || TooLong(value) {
		return Link{}, false, nil
	}
	err = s.Beside(ctx, ts, func(ctx context.Context, o Overlay) error {
		found = false
		var open Change
		if w := o.on(groupID); len(w.Open) > 0 {
			changed, err := w.ChangeFor(ctx, ts, value)
			if err != nil {
				return err
			}
			open = changed[groupID]
		}
		items, err := ts.Get(ctx, ts.Group(groupID), ts.Member(groupID, value))
		if err != nil || items[0].Attrs == nil || o.Gone[groupID] {
			return err
		}
		group, err := row.Decode(schema.GroupType(), items[0])
		if err != nil {
			return err
		}
		l = Link{GroupID: groupID, Group: group}
		switch {
		case open.Value == value && !open.Add:
			return nil
		case items[1].Attrs != nil:
			l.Member = StoredMember(value, items[1])
		case open.Add:
			there, err := StillThere(ctx, ts, map[string]Change{value: open})
			if err != nil || len(there) == 0 {
				return err
			}
			l.Member = open.Member
		default:
			return nil
		}
		found = l.Type == TypeNone || !o.Gone[value]
		return nil
	})
	return l, found, err
}

// on is the part of the open work that changes the members of a group.
func (o Overlay) on(groupID string) Overlay {
	var part Overlay
	for _, w := range o.Open {
		if w.Target == groupID {
			part.Open = append(part.Open, w)
		}
	}
	return part
}

// NameMembers gives members their present names if these are wanted, and else none.
func NameMembers(ctx context.Context, ts *store.TenantStore, links []*Link, wanted bool) error {
	var keys []store.Key
	var named []*Link
	seen := map[store.Key]string{}
	for _, l := range links {
		l.display = ""
		key := ts.User(l.Value)
		if l.Type == TypeGroup {
			key = ts.Group(l.Value)
		}
		if !wanted || l.Type == TypeNone {
			continue
		}
		if named = append(named, l); seen[key] == "" {
			seen[key] = l.Value
			keys = append(keys, key)
		}
	}
	items, err := ts.Get(ctx, keys...)
	if err != nil {
		return err
	}
	names := make(map[string]string, len(items))
	for _, it := range items {
		if it.Attrs == nil {
			continue
		}
		display, err := row.Display(schema.UserType(), it)
		if err != nil {
			return err
		}
		names[it.SK] = display
	}
	for _, l := range named {
		l.display = names[l.Value]
	}
	return nil
}
