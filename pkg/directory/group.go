package directory

import (
	"context"

	"github.com/serverless-scim/serverless-scim/pkg/directory/counter"
	"github.com/serverless-scim/serverless-scim/pkg/scim"
	"github.com/serverless-scim/serverless-scim/pkg/scim/patch"
	"github.com/serverless-scim/serverless-scim/pkg/scim/schema"
	"github.com/serverless-scim/serverless-scim/pkg/store"
)

// takeMembers takes the members out of a normalised group document.
func takeMembers(doc scim.Object) []any {
	members, _ := doc["members"].([]any)
	delete(doc, "members")
	return members
}

// createGroup stores a new group with its members. An id that is not empty is the one to give it; ErrCreated where it is there
// already.
func (d *Directory) createGroup(ctx context.Context, t Tenant, rt *schema.ResourceType, id string, body scim.Object, sel *schema.Projection) (Resource, error) {
	doc, err := rt.Normalize(body, t.Dialect)
	if err != nil {
		return Resource{}, err
	}
	e, err := replaceMembers(t, takeMembers(doc))
	if err != nil {
		return Resource{}, err
	}
	once := d.givenID(rt, id)
	r := record{rt: rt, id: once.id, version: 1, doc: doc}
	ts := d.store.Tenant(t.ID)
	err = d.Retry(ctx, func() error {
		if err := once.check(ctx, ts); err != nil {
			return err
		}
		changes, err := d.memberChanges(ctx, ts, r.id, e, true, nil)
		if err != nil {
			return err
		}
		var tx transaction
		if err := d.nameGroup(ctx, t, ts, &tx, &r, ""); err != nil {
			return err
		}
		if err := tx.claim(ts.Keys, &r, nil); err != nil {
			return err
		}
		tx.reindex(nil, groupEntries(ts.Keys, r.id, r.doc), store.Key{}, nil)
		tx.add(counter.Add(ts.Keys, "Group", r.id, 1))
		r.created = d.o.Now()
		r.modified = r.created
		r.counted, r.members = true, growth(changes)
		return d.commitGroup(ctx, ts, &tx, when(put(ts.Group(r.id), r.attrs()), isAbsent()...), changes)
	})
	if err = once.settle(ctx, ts, err); err != nil {
		return Resource{}, err
	}
	return d.withMembers(ctx, t, d.resource(t, r), sel)
}

// nameGroup appends what the group's name asks for when it becomes r's displayName from the folded name before ("" for a new
// group): where the tenant wants unique names the holder item makes the name the group's own; elsewhere the first group of a
// name holds it, so that the rule can be switched on later.
func (d *Directory) nameGroup(ctx context.Context, t Tenant, ts *store.TenantStore, tx *transaction, r *record, before string) error {
	name := text(r.doc, "displayName")
	folded := scim.Fold(name)
	if folded == before {
		return nil
	}
	held := r.holds
	holder := ts.GroupNameHolder(folded)
	if t.UniqueGroupNames {
		prefix := ts.GroupNamePrefix(folded)
		page, err := ts.Query(ctx, store.Query{PK: prefix.PK, Prefix: prefix.SK, Limit: 2, Select: store.KeysOnly})
		if err != nil {
			return err
		}
		for _, it := range page.Items {
			if lastPart(it.SK) != r.id {
				return taken("group", "displayName", name)
			}
		}
		if page.Count > 0 { // somebody else has given the group this name since it was read
			return ErrStale
		}
		tx.must(when(put(holder, store.Attrs{"id": r.id}), isAbsent()...), taken("group", "displayName", name))
		r.holds = true
	} else {
		items, err := ts.Get(ctx, holder)
		if err != nil {
			return err
		}
		if r.holds = items[0].Attrs == nil; r.holds {
			tx.must(when(put(holder, store.Attrs{"id": r.id}), isAbsent()...), ErrStale)
		}
	}
	if held && before != "" {
		tx.add(remove(ts.GroupNameHolder(before)))
	}
	return nil
}

// groupEdit is what a request makes of a group: a new document (nil: the old one) and a change of its members.
type groupEdit func(old scim.Object) (doc scim.Object, members edit, err error)

// changed tells what changeGroup did.
type changed struct {
	record  record
	version bool // the record's version is known to be the one after the change
}

// changeGroup applies an edit to a group. A change of single members is committed whatever else happens to the group at the same time,
// one of the document whatever happens to its members; every other change is conditional on the version that it was made from. named are the member values of
// the edit where they are known and few.
func (d *Directory) changeGroup(ctx context.Context, t Tenant, rt *schema.ResourceType, id string, ifMatch []string, named []string, apply groupEdit) (changed, error) {
	ts := d.store.Tenant(t.ID)
	var out changed
	err := d.Retry(ctx, func() error {
		r, read, err := d.readGroup(ctx, ts, rt, id, named)
		if err != nil {
			return err
		}
		if r.open != "" {
			if err := d.finishGroup(ctx, ts, r.open); err != nil {
				return err
			}
			return ErrStale
		}
		if err := checkMatch(ifMatch, r.version); err != nil {
			return err
		}
		known := rt.Prune(r.doc)
		doc, members, err := apply(known)
		if err != nil {
			return err
		}
		var changes []change
		if len(members.steps) > 0 {
			if changes, err = d.memberChanges(ctx, ts, id, members, false, read); err != nil {
				return err
			}
		}
		same := doc == nil || scim.Equal(doc, known)
		out = changed{record: r, version: true}
		if same && len(changes) == 0 {
			return nil
		}
		out.version = len(ifMatch) > 0 || members.whole() || opsPerChange*len(changes) > store.MaxTransactOps-2
		if same {
			doc = r.doc
		}
		return d.commitChange(ctx, t, ts, &out, doc, changes)
	})
	return out, err
}

// readGroup reads a group, and beside it who the values name and which of them are members: what a change of these needs.
func (d *Directory) readGroup(ctx context.Context, ts *store.TenantStore, rt *schema.ResourceType, id string, named []string) (record, fetched, error) {
	if !validID(id) || len(named) == 0 {
		r, err := d.read(ctx, ts, rt, id)
		return r, nil, err
	}
	keys := []store.Key{ts.Group(id)}
	for _, v := range named {
		keys = append(keys, ts.User(v), ts.Member(id, v))
	}
	items, err := ts.Get(ctx, keys...)
	if err != nil {
		return record{}, nil, err
	}
	if items[0].Attrs == nil {
		return record{}, nil, notFound(rt, id)
	}
	read := make(fetched, len(keys))
	for _, it := range items {
		read[it.Key] = it
	}
	r, err := decodeRecord(rt, items[0])
	return r, read, err
}

// fewMembers is the number of members that are read beside their group: with the group they fit one call, and their changes fit
// one transaction, in which each is conditional on having been read right.
const fewMembers = 30

// namedMembers are the member values that a PATCH names, known before the group is read; none where they are many, or where the
// PATCH needs all members.
func namedMembers(t Tenant, rt *schema.ResourceType, ops []patch.Operation) []string {
	some := scim.Object{"schemas": []any{scim.GroupURN}, "displayName": "-"}
	res, err := patch.Apply(rt, some, ops, "members", t.Dialect)
	e := edit{t: t, steps: res.Collection}
	if err != nil || e.whole() {
		return nil
	}
	values, err := e.values()
	if err != nil || len(values) > fewMembers {
		return nil
	}
	return values
}

// commitChange writes a changed group, whose document becomes doc, and brings out.record up to date.
func (d *Directory) commitChange(ctx context.Context, t Tenant, ts *store.TenantStore, out *changed, doc scim.Object, changes []change) error {
	old := out.record
	r := &out.record
	r.doc = doc
	r.modified = d.later(old.modified)
	r.version++
	op := d.touchGroup(ts.Keys, r.id)
	op.Set[attrModified] = r.modified.UnixMilli()
	if n := growth(changes); r.counted && n != 0 {
		op.Add[attrMembers] = n
		r.members += n
	}
	var tx transaction
	if !scim.Equal(old.doc, doc) {
		if err := d.nameGroup(ctx, t, ts, &tx, r, scim.Fold(text(old.doc, "displayName"))); err != nil {
			return err
		}
		tx.reindex(groupEntries(ts.Keys, r.id, old.doc), groupEntries(ts.Keys, r.id, doc), store.Key{}, nil)
		op.If = append(op.If, equals(attrDoc, old.stored), old.sameHold())
		op.Set[attrDoc] = encodeDoc(doc)
		op.Set[attrHolds] = int64(0)
		if r.holds {
			op.Set[attrHolds] = int64(1)
		}
		if err := tx.claim(ts.Keys, r, old.unique); err != nil {
			return err
		}
		if len(r.unique) > 0 {
			op.Set[attrUnique] = encodeUnique(r.unique)
		} else if len(old.unique) > 0 {
			op.Unset = append(op.Unset, attrUnique)
		}
	}
	if 2+len(tx.ops)+opsPerChange*len(changes) > store.MaxTransactOps { // then no member's presence is a condition
		out.version = true
	}
	if out.version {
		op.If = append(op.If, equals(attrVersion, old.version))
	}
	return d.commitGroup(ctx, ts, &tx, op, changes)
}

// sameHold is the condition that a group holds its name as it did when it was read: the name may have gone to another group meanwhile
// and come back.
func (r record) sameHold() store.Cond {
	if r.holds {
		return equals(attrHolds, int64(1))
	}
	return store.Cond{Test: store.NotEqual, Attr: attrHolds, Value: int64(1)}
}

// commitGroup commits the write op of a group's item together with tx and the changes of its members: in one transaction where
// they fit, in which each member's presence is a condition, else as open work whose chunks are written before.
func (d *Directory) commitGroup(ctx context.Context, ts *store.TenantStore, tx *transaction, op store.Op, changes []change) error {
	for i := range changes {
		changes[i].at, _ = op.Set[attrModified].(int64)
	}
	if len(changes) <= store.MaxTransactOps/2 {
		var all transaction
		all.must(op, ErrStale)
		all.join(tx)
		waiting := map[string]bool{}
		for _, c := range changes {
			d.stage(&all, ts.Keys, op.SK, c, ErrStale, true)
			if c.add && c.typ == memberNone {
				waiting[scim.Fold(c.value)] = true
			}
		}
		heads := len(waiting)
		if heads > 0 {
			heads++ // the open work that looks once more
		}
		if len(all.ops)+heads <= store.MaxTransactOps {
			return d.commitWaiting(ctx, ts, &all, op.SK, waiting)
		}
	}
	return d.commitLarge(ctx, ts, tx, op, changes)
}

// commitWaiting commits a transaction in which members begin to wait for the folded values.
func (d *Directory) commitWaiting(ctx context.Context, ts *store.TenantStore, tx *transaction, groupID string, waiting map[string]bool) error {
	if len(waiting) == 0 {
		return tx.commit(ctx, ts)
	}
	w := d.newWork(workResolve, groupID)
	for folded := range waiting {
		tx.add(d.head(ts.Keys, folded))
		w.values = append(w.values, folded)
	}
	tx.add(w.put(ts.Keys))
	if err := tx.commit(ctx, ts); err != nil {
		return err
	}
	d.finish(ctx, ts, w)
	return nil
}

// join appends another transaction's operations with their meanings.
func (tx *transaction) join(other *transaction) {
	for i, op := range other.ops {
		if meaning, conditional := other.meaning[i]; conditional {
			tx.must(op, meaning)
		} else {
			tx.add(op)
		}
	}
}

// deleteGroup removes a group at once; its members follow as open work.
func (d *Directory) deleteGroup(ctx context.Context, t Tenant, rt *schema.ResourceType, id string, ifMatch []string) error {
	ts := d.store.Tenant(t.ID)
	var w work
	err := d.Retry(ctx, func() error {
		r, err := d.read(ctx, ts, rt, id)
		if err != nil {
			return err
		}
		if r.open != "" {
			if err := d.finishGroup(ctx, ts, r.open); err != nil {
				return err
			}
			return ErrStale
		}
		if err := checkMatch(ifMatch, r.version); err != nil {
			return err
		}
		var tx transaction
		tx.must(when(remove(ts.Group(id)), equals(attrVersion, r.version), store.Cond{Test: store.AttrAbsent, Attr: attrOpen}), ErrStale)
		tx.reindex(groupEntries(ts.Keys, id, r.doc), nil, store.Key{}, nil)
		if r.holds {
			tx.add(remove(ts.GroupNameHolder(scim.Fold(text(r.doc, "displayName")))))
		}
		tx.release(ts.Keys, r)
		tx.add(counter.Add(ts.Keys, "Group", id, -1))
		w = d.newWork(workGone, id)
		w.group = true
		tx.add(w.put(ts.Keys))
		return tx.commit(ctx, ts)
	})
	if err != nil {
		return err
	}
	d.finish(ctx, ts, w)
	return nil
}

// replaceGroup is the edit of a PUT.
func replaceGroup(t Tenant, rt *schema.ResourceType, body scim.Object) (groupEdit, error) {
	doc, err := rt.Normalize(body, t.Dialect)
	if err != nil {
		return nil, err
	}
	members, err := replaceMembers(t, takeMembers(doc))
	if err != nil {
		return nil, err
	}
	return func(old scim.Object) (scim.Object, edit, error) {
		next := cloneTop(doc)
		return next, members, rt.Keep(old, next)
	}, nil
}

// patchGroup is the edit of a PATCH.
func patchGroup(t Tenant, rt *schema.ResourceType, ops []patch.Operation) groupEdit {
	return func(old scim.Object) (scim.Object, edit, error) {
		res, err := patch.Apply(rt, old, ops, "members", t.Dialect)
		if err != nil {
			return nil, edit{}, err
		}
		return res.Doc, edit{t: t, steps: res.Collection}, nil
	}
}
