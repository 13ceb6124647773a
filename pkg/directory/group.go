package directory

import (
	"context"
	"slices"

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

// nameGroup appends the operations that a new displayName of a group asks for. If the tenant wants unique names, the
// holder item makes the name the group's own; else the first group of a name holds it, so that the rule can be switched
// on later.
func (d *Directory) nameGroup(ctx context.Context, dr *draft, tx *store.Tx) error {
	ts, r, before := dr.ts, dr.after, ""
	if dr.before != nil {
		before = scim.Fold(text(dr.before.doc, "displayName"))
	}
	name := text(r.doc, "displayName")
	folded := scim.Fold(name)
	if folded == before {
		return nil
	}
	held := r.holds
	holder := ts.GroupNameHolder(folded)
	if dr.t.UniqueGroupNames {
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
			return store.ErrStale
		}
		tx.Must(store.PutItem(holder, store.Attrs{"id": r.id}).When(store.IsAbsent()), taken("group", "displayName", name))
		r.holds = true
	} else {
		items, err := ts.Get(ctx, holder)
		if err != nil {
			return err
		}
		if r.holds = items[0].Attrs == nil; r.holds {
			tx.Must(store.PutItem(holder, store.Attrs{"id": r.id}).When(store.IsAbsent()), store.ErrStale)
		}
	}
	if held && before != "" {
		tx.Add(store.RemoveItem(ts.GroupNameHolder(before)))
	}
	return nil
}

// referMembers finds out whom a group's edit names and which memberships it changes. A nil document stays as it is.
func (d *Directory) referMembers(ctx context.Context, dr *draft, known scim.Object) (same bool, err error) {
	if len(dr.members.steps) > 0 {
		fresh := dr.act == ActionCreate
		if dr.changes, err = d.memberChanges(ctx, dr.ts, dr.id, dr.members, fresh, dr.named); err != nil {
			return false, err
		}
	}
	same = dr.after.doc == nil || known != nil && scim.Equal(dr.after.doc, known)
	if same {
		dr.after.doc = dr.before.doc
	}
	dr.exact = dr.exact || dr.members.whole()
	return same && len(dr.changes) == 0, nil
}

// groupOperations makes the transaction of a group: its name and lookups, its item and its members.
func (d *Directory) groupOperations(ctx context.Context, dr *draft, w *write) error {
	if dr.act == ActionDelete {
		d.deleteGroup(dr, w)
		return nil
	}
	var names store.Tx
	op := d.touchGroup(dr.ts.Keys, dr.id)
	if dr.act == ActionUpdate {
		dr.after.version, dr.after.modified = dr.before.version+1, d.later(dr.before.modified)
		op.Set[attrModified] = dr.after.modified.UnixMilli()
	}
	if dr.before == nil || !scim.Equal(dr.before.doc, dr.after.doc) {
		w.touched.Groups = []string{dr.id}
		if err := d.nameGroup(ctx, dr, &names); err != nil {
			return err
		}
		if err := dr.claim(&names); err != nil {
			return err
		}
		reindex(&names, dr.entries(groupEntries), nil)
		if dr.before != nil {
			dr.rewrite(&op)
		}
	}
	dr.count(w)
	grown := growth(dr.changes)
	switch {
	case dr.act == ActionCreate:
		dr.after.counted, dr.after.members = true, grown
		op = store.PutItem(dr.ts.Group(dr.id), dr.after.attrs()).When(store.IsAbsent())
	case dr.after.counted && grown != 0:
		op.Add[attrMembers] = grown
		dr.after.members += grown
	}
	w.Join(&names)
	return d.memberOperations(dr, w, op)
}

// rewrite completes the operation on a group's item for a new document. It is conditional on the document and not on
// the version, so that changes of members do not get in its way.
func (dr *draft) rewrite(op *store.Op) {
	r := dr.after
	*op = op.When(store.Is(attrDoc, dr.before.stored), dr.before.sameHold())
	op.Set[attrDoc] = encodeDoc(r.doc)
	op.Set[attrHolds] = int64(0)
	if r.holds {
		op.Set[attrHolds] = int64(1)
	}
	if len(r.unique) > 0 {
		op.Set[attrUnique] = encodeUnique(r.unique)
	} else if len(dr.before.unique) > 0 {
		op.Unset = append(op.Unset, attrUnique)
	}
}

// deleteGroup removes a group at once; its members follow as open work.
func (d *Directory) deleteGroup(dr *draft, w *write) {
	r := *dr.before
	w.touched.Groups = []string{dr.id}
	w.Must(store.RemoveItem(dr.ts.Group(dr.id)).When(store.Is(attrVersion, r.version), store.Lacks(attrOpen)),
		store.ErrStale)
	reindex(&w.Tx, dr.entries(groupEntries), nil)
	if r.holds {
		w.Add(store.RemoveItem(dr.ts.GroupNameHolder(scim.Fold(text(r.doc, "displayName")))))
	}
	release(&w.Tx, dr.ts.Keys, r)
	dr.count(w)
	gone := d.newWork(workGone, dr.id)
	gone.group = true
	w.leave(gone)
}

// readGroup reads a group, and beside it who the values name and which of them are members: what a change of these
// needs.
func (d *Directory) readGroup(ctx context.Context, ts *store.TenantStore, rt *schema.ResourceType, id string,
	named []string,
) (record, fetched, error) {
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

// fewMembers is the number of members that are read beside their group: with the group they fit one call, and their
// changes fit one transaction, in which each is conditional on having been read right.
const fewMembers = 30

// namedMembers are the member values that a PATCH names, known before the group is read; none where they are many, or
// where the PATCH needs all members.
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

// sameHold is the condition that a group holds its name as it did when it was read: the name may have gone to another
// group meanwhile and come back.
func (r record) sameHold() store.Cond {
	if r.holds {
		return store.Is(attrHolds, int64(1))
	}
	return store.IsNot(attrHolds, int64(1))
}

// memberOperations appends the operation on a group's item and the changes of its members: in the transaction itself if
// they fit, each conditional on the member's presence; else as open work whose chunks are written before. Then the
// whole is conditional on the version that was loaded.
func (d *Directory) memberOperations(dr *draft, w *write, op store.Op) error {
	at, _ := op.Set[attrModified].(int64)
	for i := range dr.changes {
		dr.changes[i].at = at
	}
	small := *w
	small.Tx = store.Tx{}
	small.Must(dr.onVersion(op), store.ErrStale)
	small.Join(&w.Tx)
	waiting := d.newWork(workResolve, dr.id)
	for _, c := range dr.changes {
		if small.Room() <= 0 {
			return d.largeOperations(dr, w, op)
		}
		stage(&small.Tx, dr.ts.Keys, dr.id, c, staging{gone: store.ErrStale, strict: true})
		if folded := scim.Fold(c.value); c.add && c.typ == memberNone && !slices.Contains(waiting.values, folded) {
			waiting.values = append(waiting.values, folded)
			small.Add(d.head(dr.ts.Keys, folded))
		}
	}
	if len(waiting.values) > 0 {
		small.leave(waiting)
	}
	if small.Room() < 0 {
		return d.largeOperations(dr, w, op)
	}
	small.touchMembers(dr)
	*w = small
	return nil
}

// onVersion is the operation on a group's item, conditional on the version that was loaded if the draft asks for it.
func (dr *draft) onVersion(op store.Op) store.Op {
	if dr.exact && dr.before != nil {
		return op.When(store.Is(attrVersion, dr.before.version))
	}
	return op
}

// touchMembers notes the users whose memberships a write changes: themselves if they are few, else their group.
func (w *write) touchMembers(dr *draft) {
	var users []string
	for _, c := range dr.changes {
		if c.typ == memberUser {
			users = append(users, c.value)
		}
	}
	if len(users) <= maxTouched {
		w.touched.Users = append(w.touched.Users, users...)
	} else if len(w.touched.Groups) == 0 {
		w.touched.Groups = []string{dr.id}
	}
}

// replaceGroup is the edit of a POST or PUT. Its error is about the request itself.
func replaceGroup(t Tenant, rt *schema.ResourceType, body scim.Object) (editor, error) {
	doc, err := rt.Normalize(body, t.Dialect)
	if err != nil {
		return nil, err
	}
	members, err := replaceMembers(t, takeMembers(doc))
	if err != nil {
		return nil, err
	}
	return func(dr *draft) error {
		dr.members, dr.after.doc = members, cloneTop(doc)
		if dr.before == nil {
			return nil
		}
		return rt.Keep(dr.known(), dr.after.doc)
	}, nil
}

// patchGroup is the edit of a PATCH.
func patchGroup(ops []patch.Operation) editor {
	return func(dr *draft) error {
		res, err := patch.Apply(dr.rt, dr.known(), ops, "members", dr.t.Dialect)
		dr.after.doc, dr.members = res.Doc, edit{t: dr.t, steps: res.Collection}
		return err
	}
}
