package directory

import (
	"context"
	"errors"
	"net/http"

	"github.com/serverless-scim/serverless-scim/pkg/directory/membershipid"
	"github.com/serverless-scim/serverless-scim/pkg/scim"
	"github.com/serverless-scim/serverless-scim/pkg/scim/patch"
	"github.com/serverless-scim/serverless-scim/pkg/scim/schema"
	"github.com/serverless-scim/serverless-scim/pkg/store"
)

// A membership as a resource of its own (draft-zollner-scim-group-membership) is another view of what a group's members
// are: nothing is stored for it. It is created and deleted as a PATCH of the group adds and removes a member, and the
// group's version and time of change move with it.

func isMembership(rt *schema.ResourceType) bool { return rt.ID == schema.MembershipType().ID }

// membershipIDs are the ids of the tenant's memberships.
func (t Tenant) membershipIDs() (membershipid.IDs, error) { return membershipid.New(t.CursorKey, t.ID) }

// link is a membership: who is in which group.
type link struct {
	groupID string
	member
	group record // doc is nil where the group was not read, or is not there
}

// version is the version of a membership, which never changes while it lasts, and is another one when the member comes
// back.
func (m member) version() int64 { return max(m.at, 1) }

// membershipResource makes the answer of a membership.
func membershipResource(t Tenant, ids membershipid.IDs, l link) Resource {
	rt := schema.MembershipType()
	id := ids.Of(l.groupID, l.value)
	res := Resource{Type: rt, ID: id, Version: l.version(), Modified: fromMillis(l.at)}
	meta := scim.Object{"resourceType": rt.ID, "location": location(t, rt, id), "version": res.ETag()}
	if l.at != 0 {
		since := scim.FormatTime(res.Modified)
		meta["created"], meta["lastModified"] = since, since
	}
	res.Doc = scim.Object{
		"id": id, "meta": meta, "member": l.object(t),
		"group": scim.Object{
			"value": l.groupID, "$ref": location(t, schema.GroupType(), l.groupID),
			"display": displayOf(l.group.doc),
		},
	}
	rt.SetSchemas(res.Doc)
	return res
}

// findLink reads one membership, with its group; false where there is none.
func (d *Directory) findLink(ctx context.Context, ts *store.TenantStore, groupID, value string) (
	l link, found bool, err error,
) {
	if !validID(groupID) || value == "" || tooLong(value) {
		return link{}, false, nil
	}
	err = d.beside(ctx, ts, func(ctx context.Context, o overlay) error {
		found = false
		var open change
		if w := o.on(groupID); len(w.open) > 0 {
			changed, err := w.changeFor(ctx, ts, value)
			if err != nil {
				return err
			}
			open = changed[groupID]
		}
		items, err := ts.Get(ctx, ts.Group(groupID), ts.Member(groupID, value))
		if err != nil || items[0].Attrs == nil || o.gone[groupID] {
			return err
		}
		group, err := decodeRecord(schema.GroupType(), items[0])
		if err != nil {
			return err
		}
		l = link{groupID: groupID, group: group}
		switch {
		case open.value == value && !open.add:
			return nil
		case items[1].Attrs != nil:
			l.member = storedMember(value, items[1])
		case open.add:
			there, err := stillThere(ctx, ts, map[string]change{value: open})
			if err != nil || len(there) == 0 {
				return err
			}
			l.member = open.member
		default:
			return nil
		}
		found = l.typ == memberNone || !o.gone[value]
		return nil
	})
	return l, found, err
}

// on is the part of the open work that changes the members of a group.
func (o overlay) on(groupID string) overlay {
	var part overlay
	for _, w := range o.open {
		if w.target == groupID {
			part.open = append(part.open, w)
		}
	}
	return part
}

func (d *Directory) getMembership(ctx context.Context, t Tenant, rt *schema.ResourceType, id string,
	sel *schema.Projection,
) (Resource, error) {
	ids, err := t.membershipIDs()
	if err != nil {
		return Resource{}, err
	}
	groupID, value, ok := ids.Read(id)
	if !ok {
		return Resource{}, notFound(rt, id)
	}
	ts := d.store.Tenant(t.ID)
	l, found, err := d.findLink(ctx, ts, groupID, value)
	if err != nil {
		return Resource{}, err
	}
	if !found {
		return Resource{}, notFound(rt, id)
	}
	if err := nameMembers(ctx, ts, []*link{&l}, sel.WantsPart(rt, "member", "display")); err != nil {
		return Resource{}, err
	}
	return membershipResource(t, ids, l), nil
}

// nameMembers gives members the names that they have now where these are wanted, and else none.
func nameMembers(ctx context.Context, ts *store.TenantStore, links []*link, wanted bool) error {
	var keys []store.Key
	var named []*link
	seen := map[store.Key]string{}
	for _, l := range links {
		l.display = ""
		key := ts.User(l.value)
		if l.typ == memberGroup {
			key = ts.Group(l.value)
		}
		if !wanted || l.typ == memberNone {
			continue
		}
		if named = append(named, l); seen[key] == "" {
			seen[key] = l.value
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
		r, err := decodeRecord(schema.UserType(), it)
		if err != nil {
			return err
		}
		names[r.id] = displayOf(r.doc)
	}
	for _, l := range named {
		l.display = names[l.value]
	}
	return nil
}

// createMembership adds a member to a group. A group or a member that does not exist is a 400, as the draft says; so is
// a userName or externalId in the place of an id, since a membership keeps the values that it was made with.
func (d *Directory) createMembership(ctx context.Context, t Tenant, rt *schema.ResourceType, body scim.Object,
	sel *schema.Projection,
) (Resource, error) {
	ids, err := t.membershipIDs()
	if err != nil {
		return Resource{}, err
	}
	doc, err := rt.Normalize(body, t.Dialect)
	if err != nil {
		return Resource{}, err
	}
	group, _ := doc["group"].(scim.Object)
	asked, _ := doc["member"].(scim.Object)
	l := link{groupID: text(group, "value"), member: member{value: text(asked, "value")}}
	if tooLong(l.value) {
		return Resource{}, errReference("member.value", l.value)
	}
	e := edit{
		steps: []patch.CollectionChange{{Kind: patch.Add, Values: []scim.Object{{"value": l.value}}}},
		check: func(ms membership) error {
			named, before := ms.named[l.value], ms.present[l.value]
			switch {
			case before.value != "" && (before.typ == memberNone || named.typ != memberNone):
				return scim.Errorf(http.StatusConflict, scim.Uniqueness,
					"%q is a member of the group already. Find the membership with a filter on group.value and member.value.",
					short(l.value))
			case named.typ == memberNone || named.value != l.value:
				return scim.BadRequest(scim.InvalidValue,
					"There is no user or group with the id %q, which member.value names. Create it first, and name it by its id.",
					short(l.value))
			}
			l.typ = named.typ
			return nil
		},
	}
	out, err := d.changeMembership(ctx, t, l, e)
	switch {
	case isNotFound(err):
		return Resource{}, scim.BadRequest(
			scim.InvalidValue, "There is no group with the id %q, which group.value names. Create it first.", short(l.groupID))
	case err != nil:
		return Resource{}, err
	}
	l.at, l.group = out.after.modified.UnixMilli(), *out.after
	// The membership is there: that the name could not be read is no error of the request.
	if err := nameMembers(ctx, d.store.Tenant(t.ID), []*link{&l}, sel.WantsPart(rt, "member", "display")); err != nil {
		d.o.Log.WarnContext(ctx, "the name of a new member could not be read", "tenant", t.ID, "error", err)
	}
	return membershipResource(t, ids, l), nil
}

// changeMembership applies an edit to the group of a membership.
func (d *Directory) changeMembership(ctx context.Context, t Tenant, l link, e edit) (*draft, error) {
	r := request{t: t, rt: t.ResourceTypes().Group(), id: l.groupID, act: ActionUpdate, named: []string{l.value}}
	return d.pipeline(ctx, r, func(dr *draft) error {
		dr.members = e
		return nil
	})
}

func isNotFound(err error) bool {
	var known *scim.Error
	return errors.As(err, &known) && known.Status == http.StatusNotFound
}

// deleteMembership removes a member from a group.
func (d *Directory) deleteMembership(ctx context.Context, t Tenant, rt *schema.ResourceType, id string,
	ifMatch []string,
) error {
	ids, err := t.membershipIDs()
	if err != nil {
		return err
	}
	groupID, value, ok := ids.Read(id)
	if !ok {
		return notFound(rt, id)
	}
	_, err = d.changeMembership(ctx, t, link{groupID: groupID, member: member{value: value}}, edit{
		steps: []patch.CollectionChange{{Kind: patch.Remove, Eq: []string{value}}},
		check: func(ms membership) error {
			before, there := ms.present[value]
			if !there || before.typ != memberNone && ms.named[value].typ == memberNone { // or somebody who was deleted
				return notFound(rt, id)
			}
			return checkMatch(ifMatch, before.version())
		},
	})
	if isNotFound(err) {
		return notFound(rt, id)
	}
	return err
}
