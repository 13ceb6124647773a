package directory

import (
	"context"
	"errors"

	"github.com/serverless-scim/serverless-scim/pkg/directory/membership"
	"github.com/serverless-scim/serverless-scim/pkg/directory/row"
	"github.com/serverless-scim/serverless-scim/pkg/scim"
	"github.com/serverless-scim/serverless-scim/pkg/scim/schema"
)

// MaxOneBytes bounds the JSON of one resource that is read.
const MaxOneBytes = 6 << 20

// answerLimit bounds the members of an answer: their bytes as JSON, and their number unless it is 0.
type answerLimit struct{ bytes, members int }

// rereads bounds how often a group is read again because it changed between the reads of its members.
const rereads = 8

// getGroup reads a group, and its members if the projection has them. It reads the group first. So the members are
// never older than the version, and a change that is conditional on the version loses none. Members that were read in
// several parts are of one moment if the group has the same version afterwards; otherwise the group is read again.
// After rereads attempts it is shown as the last read found it.
func (d *Directory) getGroup(ctx context.Context, t Tenant, rt *schema.ResourceType, id string, sel *schema.Projection,
	limit answerLimit,
) (Resource, error) {
	r, err := row.Read(ctx, d.store.Tenant(t.ID), rt, id)
	if err != nil {
		return Resource{}, err
	}
	for n := 0; ; n++ {
		res, parts, err := d.withMembers(ctx, t, r, sel, limit)
		if errors.Is(err, membership.ErrTooLarge) {
			return Resource{}, membership.MembersDoNotFit(row.DisplayOf(r.Doc))
		}
		if err != nil || !parts || n == rereads {
			return res, err
		}
		version := r.Version
		if r, err = row.Read(ctx, d.store.Tenant(t.ID), rt, id); err != nil {
			return Resource{}, err
		}
		if r.Version == version {
			return res, nil
		}
	}
}

// withMembers is the answer about a group, with the members if the projection has them. It reports whether they were
// read in several parts, between which they may have changed; errTooLarge if they do not fit.
func (d *Directory) withMembers(ctx context.Context, t Tenant, r row.Record, sel *schema.Projection,
	limit answerLimit,
) (res Resource, parts bool, err error) {
	res = r.Resource(t)
	if !sel.Wants(schema.GroupType(), "members") {
		return res, false, nil
	}
	ts := d.store.Tenant(t.ID)
	look := membership.LookOf(t, res.Type, sel)
	var members []membership.Member
	var reader membership.Reader
	tooLarge := false
	o, err := d.members.Behind(ctx, ts, res.ID, func(ctx context.Context, o membership.Overlay) (err error) {
		reader = membership.Reader{TS: ts, Look: look, Limit: limit.bytes, Most: limit.members, Expect: int(r.Members)}
		members, err = reader.Read(ctx, o, res.ID)
		if tooLarge = errors.Is(err, membership.ErrTooLarge); tooLarge {
			return nil
		}
		return err
	})
	switch {
	case err != nil:
		return res, false, err
	case tooLarge:
		return res, false, membership.ErrTooLarge
	}
	setMembers(res.Doc, reader.Shown(o, members))
	return res, reader.Split, nil
}

// setMembers puts members into an answer, unless nothing of them is shown.
func setMembers(doc scim.Object, members any) {
	if members != nil {
		doc["members"] = members
	}
}

// created is the answer to the creation of a group. Its members are those whom it was created with: nothing is read.
// The group is created, so members that do not fit are left out.
func (dr *draft) created(sel *schema.Projection) Resource {
	res := dr.after.Resource(dr.t)
	if !sel.Wants(dr.rt, "members") {
		return res
	}
	members := make([]membership.Member, len(dr.changes))
	for i, c := range dr.changes {
		members[i] = c.Member
	}
	shown, _ := membership.LookOf(dr.t, dr.rt, sel).Encode(members).(scim.Encoded)
	if shown != nil && len(shown) <= MaxOneBytes {
		res.Doc["members"] = shown
	}
	return res
}

// written is the answer to a write of a group. The write has happened, so a large answer is not an error.
func (d *Directory) written(ctx context.Context, t Tenant, r row.Record, sel *schema.Projection) (Resource, error) {
	res, _, err := d.withMembers(ctx, t, r, sel, answerLimit{bytes: MaxOneBytes})
	if errors.Is(err, membership.ErrTooLarge) {
		err = nil
	}
	return res, err
}
