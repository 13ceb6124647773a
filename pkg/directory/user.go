package directory

import (
	"context"

	"github.com/serverless-scim/serverless-scim/pkg/directory/membership"
	"github.com/serverless-scim/serverless-scim/pkg/directory/row"
	"github.com/serverless-scim/serverless-scim/pkg/scim"
	"github.com/serverless-scim/serverless-scim/pkg/scim/schema"
	"github.com/serverless-scim/serverless-scim/pkg/store"
	"github.com/serverless-scim/serverless-scim/pkg/task"
)

// referUser completes a user's document and finds out whom it refers to, and who refers to its new names.
func (d *Directory) referUser(ctx context.Context, dr *draft, known scim.Object) (same bool, err error) {
	var old scim.Object
	if dr.before != nil {
		old = dr.before.Doc
	}
	doc := row.CloneTop(dr.after.Doc)
	dr.after.Doc = doc
	delete(doc, "password")
	if _, given := doc["active"]; !given && dr.act == ActionCreate {
		doc["active"] = true
	}
	membership.KeepManager(dr.rt, old, doc)
	if known != nil && scim.Equal(known, doc) {
		return true, nil
	}
	if dr.refs, err = d.members.UserReferences(ctx, dr.ts, dr.id, old, doc, dr.again); err != nil {
		return false, err
	}
	return known != nil && scim.Equal(known, doc), nil // the manager may only be named in another way
}

// userOperations appends the operations that only users have: the name, references, and open work.
func (d *Directory) userOperations(dr *draft, w *membership.Write) {
	w.Touched.Users = []string{dr.id}
	if dr.act == ActionDelete {
		row.Reindex(&w.Tx, dr.entries(row.UserEntries), nil)
		if manager := row.ManagerOf(dr.before.Doc); manager != nil {
			if _, resolved := manager["$ref"]; !resolved {
				w.Add(store.RemoveItem(membership.WaitingManager(dr.ts.Keys, dr.id, row.Text(manager, "value"))))
			}
		}
		d.members.LeaveGone(w, dr.id, false)
		if dr.leaving.Len() <= d.members.Room(w) {
			w.Join(dr.leaving)
		}
		return
	}
	name := row.Text(dr.after.Doc, "userName")
	row.Reindex(&w.Tx, dr.entries(row.UserEntries), map[store.Key]error{
		dr.ts.UserName(scim.Fold(name)): membership.Taken("user", "userName", name),
	})
	d.members.ReferenceOperations(w, dr.refs)
}

// readLeaving reads a user that is to be deleted and, if groups is true, prepares its removal from the groups it
// is in.
func (d *Directory) readLeaving(ctx context.Context, ts *store.TenantStore, rt *schema.ResourceType, id string,
	groups bool,
) (r row.Record, leave *store.Tx, err error) {
	leave = &store.Tx{}
	if !groups || !row.ValidID(id) {
		r, err = row.Read(ctx, ts, rt, id)
		return r, leave, err
	}
	g, gctx := task.WithContext(ctx)
	g.Go(func() (err error) {
		r, err = row.Read(gctx, ts, rt, id)
		return err
	})
	err = g.Join(func() (err error) {
		leave, err = d.members.LeaveGroups(gctx, ts, id)
		return err
	})
	return r, leave, err
}

// getUser reads a user, and its groups if the projection wants them, in one round and one batch read more for the
// groups.
func (d *Directory) getUser(ctx context.Context, t Tenant, rt *schema.ResourceType, id string, sel *schema.Projection) (
	Resource, error,
) {
	ts := d.store.Tenant(t.ID)
	if !sel.Wants(rt, "groups") || !row.ValidID(id) {
		r, err := row.Read(ctx, ts, rt, id)
		if err != nil {
			return Resource{}, err
		}
		return r.Resource(t), nil
	}
	var r row.Record
	var groups []string
	g, gctx := task.WithContext(ctx)
	g.Go(func() (err error) {
		r, err = row.Read(gctx, ts, rt, id)
		return err
	})
	err := g.Join(func() (err error) {
		groups, err = d.members.GroupsOf(gctx, ts, id)
		return err
	})
	if err != nil {
		return Resource{}, err
	}
	res := r.Resource(t)
	byID, err := d.members.GroupReferences(ctx, t, ts, groups)
	if err != nil {
		return Resource{}, err
	}
	membership.SetGroups(res.Doc, groups, byID)
	return res, nil
}

// groupsAhead are a user's groups, read while the user is changed.
type groupsAhead struct {
	cancel  context.CancelFunc
	read    func(context.Context) error
	reading task.Group
	ids     []string
	byID    map[string]membership.GroupReference
}

// groupsAhead begins to read the groups of a user; nil if the projection does not want them. They are as they were
// at some time during the request.
func (d *Directory) groupsAhead(ctx context.Context, t Tenant, rt *schema.ResourceType, id string,
	sel *schema.Projection,
) *groupsAhead {
	if !row.IsUser(rt) || !sel.Wants(rt, "groups") || !row.ValidID(id) {
		return nil
	}
	ctx, cancel := context.WithCancel(ctx)
	a := &groupsAhead{cancel: cancel}
	a.read = func(ctx context.Context) (err error) {
		ts := d.store.Tenant(t.ID)
		if a.ids, err = d.members.GroupsOf(ctx, ts, id); err == nil {
			a.byID, err = d.members.GroupReferences(ctx, t, ts, a.ids)
		}
		return err
	}
	a.reading.Go(func() error { return a.read(ctx) })
	return a
}

// stop ends the reading and waits for its end, so that nothing goes on after the answer.
func (a *groupsAhead) stop() {
	if a != nil {
		a.cancel()
		_ = a.reading.Wait()
	}
}

// attach puts the groups into an answer. They are read again if the change itself brought the user into groups.
func (a *groupsAhead) attach(ctx context.Context, res Resource, joined bool) error {
	if a == nil {
		return nil
	}
	err := a.reading.Wait()
	if joined {
		err = a.read(ctx)
	}
	if err != nil {
		return err
	}
	membership.SetGroups(res.Doc, a.ids, a.byID)
	return nil
}
