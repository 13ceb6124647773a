package directory

import (
	"context"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/serverless-scim/serverless-scim/pkg/directory/counter"
	"github.com/serverless-scim/serverless-scim/pkg/scim"
	"github.com/serverless-scim/serverless-scim/pkg/scim/schema"
	"github.com/serverless-scim/serverless-scim/pkg/store"
)

// createUser stores a new user: the user, its lookups, the counter, and what must hold for references that may wait for it. An id
// that is not empty is the one to give it; ErrCreated where it is there already.
func (d *Directory) createUser(ctx context.Context, t Tenant, rt *schema.ResourceType, id string, body scim.Object) (Resource, error) {
	doc, err := rt.Normalize(body, t.Dialect)
	if err != nil {
		return Resource{}, err
	}
	delete(doc, "password")
	if _, given := doc["active"]; !given {
		doc["active"] = true
	}
	keepManager(rt, nil, doc)
	once := d.givenID(rt, id)
	r := record{rt: rt, id: once.id, version: 1}
	var refs references
	ts := d.store.Tenant(t.ID)
	err = d.Retry(ctx, func() error {
		if err := once.check(ctx, ts); err != nil {
			return err
		}
		r.doc = cloneTop(doc)
		var err error
		if refs, err = d.userReferences(ctx, ts, r.id, nil, r.doc, once.tries > 1); err != nil {
			return err
		}
		r.created = d.o.Now()
		r.modified = r.created
		var claims transaction
		if err := claims.claim(ts.Keys, &r, nil); err != nil {
			return err
		}
		var tx transaction
		tx.must(when(put(ts.User(r.id), r.attrs()), isAbsent()...), ErrStale)
		tx.join(&claims)
		name := text(r.doc, "userName")
		tx.reindex(nil, userEntries(ts.Keys, r.id, r.doc), ts.UserName(scim.Fold(name)), taken("user", "userName", name))
		tx.add(counter.Add(ts.Keys, "User", r.id, 1))
		return d.commitReferences(ctx, ts, &tx, refs)
	})
	if err = once.settle(ctx, ts, err); err != nil {
		return Resource{}, err
	}
	res := d.resource(t, r)
	res.joined = len(refs.awaited) > 0
	return res, nil
}

// changeUser rewrites a user with what edit makes of its document. A document that stays equal is not written.
func (d *Directory) changeUser(ctx context.Context, t Tenant, rt *schema.ResourceType, id string, ifMatch []string, edit func(old scim.Object) (scim.Object, error)) (Resource, error) {
	ts := d.store.Tenant(t.ID)
	var r record
	var refs references
	again := false
	err := d.Retry(ctx, func() error {
		look := again
		again = true
		var err error
		if r, err = d.read(ctx, ts, rt, id); err != nil {
			return err
		}
		if err := checkMatch(ifMatch, r.version); err != nil {
			return err
		}
		old := r.doc
		known := rt.Prune(old)
		if r.doc, err = edit(known); err != nil {
			return err
		}
		r.doc = cloneTop(r.doc)
		delete(r.doc, "password")
		keepManager(rt, old, r.doc)
		if scim.Equal(known, r.doc) {
			return nil
		}
		if refs, err = d.userReferences(ctx, ts, id, old, r.doc, look); err != nil {
			return err
		}
		if scim.Equal(known, r.doc) { // the manager was named in another way
			return nil
		}
		var claims transaction
		if err := claims.claim(ts.Keys, &r, r.unique); err != nil {
			return err
		}
		return d.commitUser(ctx, ts, &r, old, refs, &claims)
	})
	if err != nil {
		return Resource{}, err
	}
	res := d.resource(t, r)
	res.joined = len(refs.awaited) > 0
	return res, nil
}

// commitUser writes the changed record r, whose document was old, together with claims.
func (d *Directory) commitUser(ctx context.Context, ts *store.TenantStore, r *record, old scim.Object, refs references, claims *transaction) error {
	read := r.version
	r.version++
	r.modified = d.later(r.modified)
	var tx transaction
	tx.must(when(put(ts.User(r.id), r.attrs()), equals(attrVersion, read)), ErrStale)
	tx.join(claims)
	name := text(r.doc, "userName")
	tx.reindex(userEntries(ts.Keys, r.id, old), userEntries(ts.Keys, r.id, r.doc),
		ts.UserName(scim.Fold(name)), taken("user", "userName", name))
	return d.commitReferences(ctx, ts, &tx, refs)
}

// later returns the time of a change to something last changed at t: now, but never before t, since clocks differ.
func (d *Directory) later(t time.Time) time.Time {
	now := d.o.Now()
	if now.Before(t) {
		return t
	}
	return now
}

// deleteUser removes a user at once; its memberships, where they are many, and the references of those it manages follow as open work.
func (d *Directory) deleteUser(ctx context.Context, t Tenant, rt *schema.ResourceType, id string, ifMatch []string) error {
	ts := d.store.Tenant(t.ID)
	var w work
	again := false // the memberships may have changed meanwhile: they are left to the open work
	err := d.Retry(ctx, func() error {
		r, memberships, err := d.readLeaving(ctx, ts, rt, id, !again)
		if err != nil {
			return err
		}
		if err := checkMatch(ifMatch, r.version); err != nil {
			return err
		}
		var tx transaction
		tx.must(when(remove(ts.User(id)), equals(attrVersion, r.version)), ErrStale)
		tx.reindex(userEntries(ts.Keys, id, r.doc), nil, store.Key{}, nil)
		tx.release(ts.Keys, r)
		tx.add(counter.Add(ts.Keys, "User", id, -1))
		if manager := managerOf(r.doc); manager != nil {
			if _, resolved := manager["$ref"]; !resolved {
				tx.add(remove(waitingManager(ts.Keys, id, text(manager, "value"))))
			}
		}
		w = d.newWork(workGone, id)
		tx.add(w.put(ts.Keys))
		if len(tx.ops)+len(memberships.ops) <= store.MaxTransactOps {
			tx.join(memberships)
		}
		again = true
		return tx.commit(ctx, ts)
	})
	if err != nil {
		return err
	}
	d.finish(ctx, ts, w)
	return nil
}

// fewGroups is in how many groups a user may be whose deletion takes the memberships along. More would make its transaction one that
// many others get in the way of.
const fewGroups = 8

// readLeaving reads a user that is to be deleted, and beside it, if asked to, what takes it out of the groups it is in.
func (d *Directory) readLeaving(ctx context.Context, ts *store.TenantStore, rt *schema.ResourceType, id string, groups bool) (r record, leave *transaction, err error) {
	leave = &transaction{}
	if !groups || !validID(id) {
		r, err = d.read(ctx, ts, rt, id)
		return r, leave, err
	}
	g, gctx := errgroup.WithContext(ctx)
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

// leaveGroups returns what takes a user out of the groups it is in: nothing where these are many, and of those that are being changed.
func (d *Directory) leaveGroups(ctx context.Context, ts *store.TenantStore, id string) (*transaction, error) {
	var tx transaction
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
		tx.must(touch, ErrStale)
		tx.must(when(remove(ts.Member(it.SK, id)), store.Cond{Test: store.NotEqual, Attr: "type", Value: memberNone}, exists()[0]), ErrStale)
		tx.add(remove(ts.MemberOf(id, it.SK)))
	}
	return &tx, nil
}

// getUser reads a user, and its groups where the projection wants them, in one round and one batch read more for the groups.
func (d *Directory) getUser(ctx context.Context, t Tenant, rt *schema.ResourceType, id string, sel *schema.Projection) (Resource, error) {
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
	g, gctx := errgroup.WithContext(ctx)
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
	reading errgroup.Group
	ids     []string
	byID    map[string]scim.Object
}

// groupsAhead begins to read the groups of a user; nil where the projection does not want them. They are as they were at some time
// during the request.
func (d *Directory) groupsAhead(ctx context.Context, t Tenant, rt *schema.ResourceType, id string, sel *schema.Projection) *groupsAhead {
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
