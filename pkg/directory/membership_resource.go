package directory

import (
	"context"
	"net/http"

	"github.com/serverless-scim/serverless-scim/pkg/directory/membership"
	"github.com/serverless-scim/serverless-scim/pkg/directory/row"
	"github.com/serverless-scim/serverless-scim/pkg/scim"
	"github.com/serverless-scim/serverless-scim/pkg/scim/patch"
	"github.com/serverless-scim/serverless-scim/pkg/scim/schema"
)

// A membership as a resource of its own (draft-zollner-scim-group-membership) is another view of a group's
// members: nothing is stored for it. It is created and deleted as a PATCH of the group adds and removes a member,
// and the group's version and time of change move with it.

func (d *Directory) getMembership(ctx context.Context, t Tenant, rt *schema.ResourceType, id string,
	sel *schema.Projection,
) (Resource, error) {
	ids, err := membership.MembershipIDs(t)
	if err != nil {
		return Resource{}, err
	}
	groupID, value, ok := ids.Read(id)
	if !ok {
		return Resource{}, row.NotFound(rt, id)
	}
	ts := d.store.Tenant(t.ID)
	l, found, err := d.members.FindLink(ctx, ts, groupID, value)
	if err != nil {
		return Resource{}, err
	}
	if !found {
		return Resource{}, row.NotFound(rt, id)
	}
	if err := membership.NameMembers(ctx, ts, []*membership.Link{&l},
		sel.WantsPart(rt, "member", "display")); err != nil {
		return Resource{}, err
	}
	return membership.MembershipResource(t, ids, l), nil
}

// createMembership adds a member to a group. A group or a member that does not exist is a 400, as the draft says; so is
// a userName or externalId in the place of an id, since a membership keeps the values that it was made with.
func (d *Directory) createMembership(ctx context.Context, t Tenant, rt *schema.ResourceType, body scim.Object,
	sel *schema.Projection,
) (Resource, error) {
	ids, err := membership.MembershipIDs(t)
	if err != nil {
		return Resource{}, err
	}
	doc, err := rt.Normalize(body, t.Dialect)
	if err != nil {
		return Resource{}, err
	}
	group, _ := doc["group"].(scim.Object)
	asked, _ := doc["member"].(scim.Object)
	l := membership.Link{GroupID: row.Text(group, "value"), Member: membership.Member{Value: row.Text(asked, "value")}}
	if membership.TooLong(l.Value) {
		return Resource{}, membership.ErrReference("member.value", l.Value)
	}
	e := membership.Edit{
		Steps: []patch.CollectionChange{{Kind: patch.Add, Values: []scim.Object{{"value": l.Value}}}},
		Check: func(ms membership.Known) error {
			named, before := ms.Named[l.Value], ms.Present[l.Value]
			switch {
			case before.Value != "" && (before.Type == membership.TypeNone || named.Type != membership.TypeNone):
				return scim.Errorf(http.StatusConflict, scim.Uniqueness,
					"%q is a member of the group already. Find the membership with a filter on "+
						"group.value and member.value.", row.Short(l.Value))
			case named.Type == membership.TypeNone || named.Value != l.Value:
				return scim.BadRequest(scim.InvalidValue,
					"There is no user or group with the id %q in member.value. Create it first.",
					row.Short(l.Value))
			}
			l.Type = named.Type
			return nil
		},
	}
	out, err := d.changeMembership(ctx, t, l, e)
	switch {
	case row.IsNotFound(err):
		return Resource{},
			scim.BadRequest(scim.InvalidValue,
				"There is no group with the id %q in group.value. Create it first.", row.Short(l.GroupID))
	case err != nil:
		return Resource{}, err
	}
	l.At, l.Group = out.after.Modified.UnixMilli(), *out.after
	// The membership is there: that the name could not be read is no error of the request.
	if err := membership.NameMembers(ctx, d.store.Tenant(t.ID), []*membership.Link{&l},
		sel.WantsPart(rt, "member", "display")); err != nil {
		d.o.Log.WarnContext(ctx, "the name of a new member could not be read", "tenant", t.ID, "error", err)
	}
	return membership.MembershipResource(t, ids, l), nil
}

// changeMembership applies an edit to the group of a membership.
func (d *Directory) changeMembership(ctx context.Context, t Tenant, l membership.Link, e membership.Edit) (
	*draft, error,
) {
	r := request{t: t, rt: t.ResourceTypes().Group(), id: l.GroupID, act: ActionUpdate, named: []string{l.Value}}
	return d.pipeline(ctx, r, func(dr *draft) error {
		dr.members = e
		return nil
	})
}

// deleteMembership removes a member from a group.
func (d *Directory) deleteMembership(ctx context.Context, t Tenant, rt *schema.ResourceType, id string,
	ifMatch []string,
) error {
	ids, err := membership.MembershipIDs(t)
	if err != nil {
		return err
	}
	groupID, value, ok := ids.Read(id)
	if !ok {
		return row.NotFound(rt, id)
	}
	_, err = d.changeMembership(ctx, t, membership.Link{GroupID: groupID, Member: membership.Member{Value: value}},
		membership.Edit{
			Steps: []patch.CollectionChange{{Kind: patch.Remove, Eq: []string{value}}},
			Check: func(ms membership.Known) error {
				before, there := ms.Present[value]
				// or somebody who was deleted
				if !there || before.Type != membership.TypeNone && ms.Named[value].Type == membership.TypeNone {
					return row.NotFound(rt, id)
				}
				return row.CheckMatch(ifMatch, before.Version())
			},
		})
	if row.IsNotFound(err) {
		return row.NotFound(rt, id)
	}
	return err
}
