package directory

import (
	"context"
	"time"

	"github.com/serverless-scim/serverless-scim/pkg/scim"
	"github.com/serverless-scim/serverless-scim/pkg/scim/schema"
	"github.com/serverless-scim/serverless-scim/pkg/store"
	"github.com/serverless-scim/serverless-scim/pkg/task"
)

// referUser completes a user's document and finds out whom it refers to, and who refers to its new names.
func (d *Directory) referUser(ctx context.Context, dr *draft, known scim.Object) (same bool, err error) {
	var old scim.Object
	if dr.before != nil {
		old = dr.before.doc
	}
	doc := cloneTop(dr.after.doc)
	dr.after.doc = doc
	delete(doc, "password")
	if _, given := doc["active"]; !given && dr.act == ActionCreate {
		doc["active"] = true
	}
	keepManager(dr.rt, old, doc)
	if known != nil && scim.Equal(known, doc) {
		return true, nil
	}
	if dr.refs, err = d.userReferences(ctx, dr.ts, dr.id, old, doc, dr.again); err != nil {
		return false, err
	}
	return known != nil && scim.Equal(known, doc), nil // the manager may only be named in another way
}

// userOperations appends what is particular to users: the name, references, and open work.
func (d *Directory) userOperations(dr *draft, w *write) {
	w.touched.Users = []string{dr.id}
	if dr.act == ActionDelete {
		reindex(&w.Tx, dr.entries(userEntries), nil)
		if manager := managerOf(dr.before.doc); manager != nil {
			if _, resolved := manager["$ref"]; !resolved {
				w.Add(store.RemoveItem(waitingManager(dr.ts.Keys, dr.id, text(manager, "value"))))
			}
		}
		w.leave(d.newWork(workGone, dr.id))
		if dr.leaving.Len() <= w.Room() {
			w.Join(dr.leaving)
		}
		return
	}
	name := text(dr.after.doc, "userName")
	reindex(&w.Tx, dr.entries(userEntries), map[store.Key]error{
		dr.ts.UserName(scim.Fold(name)): taken("user", "userName", name),
	})
	d.referenceOperations(w, dr.refs)
}

// later returns the time of a change to something last changed at t: now, but never before t, since clocks differ.
func (d *Directory) later(t time.Time) time.Time {
	now := d.o.Now()
	if now.Before(t) {
		return t
	}
	return now
}

// fewGroups is in how many groups a user may be whose deletion takes the memberships along. More would make its
// transaction one that many others get in the way of.
const fewGroups = 8

// readLeaving reads a user that is to be deleted, and beside it, if asked to, what takes it out of the groups it is in.
func (d *Directory) readLeaving(ctx context.Context, ts *store.TenantStore, rt *schema.ResourceType, id string,
	groups bool,
) (r record, leave *store.Tx, err error) {
	leave = &store.Tx{}
	if !groups || !validID(id) {
		r, err = d.read(ctx, ts, rt, id)
		return r, leave, err
	}
	g, gctx := task.WithContext(ctx)
	g.Go(func() (err error) {
		r, err = d.read(gctx, ts, rt, id)
		return err
	})
	g.Go(func() (err error) {
		leave, err = d.leaveGroups(gctx, ts, id)
		return err
	})
	err = g.Wait()
	return r, leave, err
}

// leaveGroups returns what takes a user out of the groups it is in: nothing where these are many, and of those that are
// being changed.
func (d *Directory) leaveGroups(ctx context.Context, ts *store.TenantStore, id string) (*store.Tx, error) {
	var tx store.Tx
	prefix := ts.MemberOfPrefix(id)
	page, err := ts.Query(ctx, store.Query{PK: prefix.PK, Prefix: prefix.SK, Select: store.KeysOnly, Limit: fewGroups + 1})
	if err != nil || page.Count > fewGroups {
		return &tx, err
	}
	keys := make([]store.Key, len(page.Items))
	for i, it := range page.Items {
		keys[i] = ts.Group(lastPart(it.SK))
	}
	items, err := ts.Get(ctx, keys...)
	if err != nil {
		return &tx, err
	}
	for _, it := range items {
		if it.Attrs == nil || text(scim.Object(it.Attrs), attrOpen) != "" {
			continue
		}
		touch := d.touchGroup(ts.Keys, it.SK)
		touch.Set[attrModified] = d.later(fromMillis(it.Attrs[attrModified])).UnixMilli()
		if _, counted := it.Attrs[attrMembers]; counted {
			touch.Add[attrMembers] = -1
		}
		tx.Must(touch, store.ErrStale)
		tx.Must(store.RemoveItem(ts.Member(it.SK, id)).When(store.IsNot("type", memberNone), store.IsThere()), store.ErrStale)
		tx.Add(store.RemoveItem(ts.MemberOf(id, it.SK)))
	}
	return &tx, nil
}

// getUser reads a user, and its groups where the projection wants them, in one round and one batch read more for the
// groups.
func (d *Directory) getUser(ctx context.Context, t Tenant, rt *schema.ResourceType, id string, sel *schema.Projection) (
	Resource, error,
) {
	ts := d.store.Tenant(t.ID)
	if !sel.Wants(rt, "groups") || !validID(id) {
		r, err := d.read(ctx, ts, rt, id)
		if err != nil {
			return Resource{}, err
		}
		return d.resource(t, r), nil
	}
	var r record
	var groups []string
	g, gctx := task.WithContext(ctx)
	g.Go(func() (err error) {
		r, err = d.read(gctx, ts, rt, id)
		return err
	})
	g.Go(func() (err error) {
		groups, err = d.groupsOf(gctx, ts, id)
		return err
	})
	if err := g.Wait(); err != nil {
		return Resource{}, err
	}
	res := d.resource(t, r)
	byID, err := d.groupReferences(ctx, t, ts, groups)
	if err != nil {
		return Resource{}, err
	}
	setGroups(res.Doc, groups, byID)
	return res, nil
}

// groupsAhead are a user's groups, read while the user is changed.
type groupsAhead struct {
	cancel  context.CancelFunc
	read    func(context.Context) error
	reading task.Group
	ids     []string
	byID    map[string]scim.Object
}

// groupsAhead begins to read the groups of a user; nil where the projection does not want them. They are as they were
// at some time during the request.
func (d *Directory) groupsAhead(ctx context.Context, t Tenant, rt *schema.ResourceType, id string,
	sel *schema.Projection,
) *groupsAhead {
	if !isUser(rt) || !sel.Wants(rt, "groups") || !validID(id) {
		return nil
	}
	ctx, cancel := context.WithCancel(ctx)
	a := &groupsAhead{cancel: cancel}
	a.read = func(ctx context.Context) (err error) {
		ts := d.store.Tenant(t.ID)
		if a.ids, err = d.groupsOf(ctx, ts, id); err == nil {
			a.byID, err = d.groupReferences(ctx, t, ts, a.ids)
		}
		return err
	}
	a.reading.Go(func() error { return a.read(ctx) })
	return a
}

// stop ends the reading and waits for its end, so that nothing goes on behind the answer.
func (a *groupsAhead) stop() {
	if a != nil {
		a.cancel()
		_ = a.reading.Wait()
	}
}

// attach puts the groups into an answer. They are read again where the change itself brought the user into groups.
func (a *groupsAhead) attach(ctx context.Context, res Resource) error {
	if a == nil {
		return nil
	}
	err := a.reading.Wait()
	if res.joined {
		err = a.read(ctx)
	}
	if err != nil {
		return err
	}
	setGroups(res.Doc, a.ids, a.byID)
	return nil
}
