package directory

import (
	"context"

	"github.com/serverless-scim/serverless-scim/pkg/directory/membership"
	"github.com/serverless-scim/serverless-scim/pkg/directory/row"
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
		before = scim.Fold(row.Text(dr.before.Doc, "displayName"))
	}
	name := row.Text(r.Doc, "displayName")
	folded := scim.Fold(name)
	if folded == before {
		return nil
	}
	held := r.Holds
	holder := ts.GroupNameHolder(folded)
	if dr.t.UniqueGroupNames {
		prefix := ts.GroupNamePrefix(folded)
		page, err := ts.Query(ctx, store.Query{PK: prefix.PK, Prefix: prefix.SK, Limit: 2, Select: store.KeysOnly})
		if err != nil {
			return err
		}
		for _, it := range page.Items {
			if store.LastPart(it.SK) != r.ID {
				return membership.Taken("group", "displayName", name)
			}
		}
		if page.Count > 0 { // somebody else has given the group this name since it was read
			return store.ErrStale
		}
		tx.Must(store.PutItem(holder, store.Attrs{"id": r.ID}).When(store.IsAbsent()),
			membership.Taken("group", "displayName", name))
		r.Holds = true
	} else {
		items, err := ts.Get(ctx, holder)
		if err != nil {
			return err
		}
		if r.Holds = items[0].Attrs == nil; r.Holds {
			tx.Must(store.PutItem(holder, store.Attrs{"id": r.ID}).When(store.IsAbsent()), store.ErrStale)
		}
	}
	if held && before != "" {
		tx.Add(store.RemoveItem(ts.GroupNameHolder(before)))
	}
	return nil
}

// referMembers finds out whom a group's edit names and which memberships it changes. A nil document stays as it is.
func referMembers(ctx context.Context, dr *draft, known scim.Object) (same bool, err error) {
	if len(dr.members.Steps) > 0 {
		g := membership.GroupRead{TS: dr.ts, ID: dr.id, Fresh: dr.act == ActionCreate, Fetched: dr.named}
		if dr.changes, err = dr.members.Changes(ctx, g); err != nil {
			return false, err
		}
	}
	same = dr.after.Doc == nil || known != nil && scim.Equal(dr.after.Doc, known)
	if same {
		dr.after.Doc = dr.before.Doc
	}
	dr.exact = dr.exact || dr.members.Whole()
	return same && len(dr.changes) == 0, nil
}

// groupOperations makes the transaction of a group: its name and lookups, its item and its members.
func (d *Directory) groupOperations(ctx context.Context, dr *draft, w *membership.Write) error {
	if dr.act == ActionDelete {
		d.deleteGroup(dr, w)
		return nil
	}
	var names store.Tx
	op := d.members.TouchGroup(dr.ts.Keys, dr.id)
	if dr.act == ActionUpdate {
		dr.after.Version, dr.after.Modified = dr.before.Version+1, d.members.Later(dr.before.Modified)
		op.Set[row.AttrModified] = dr.after.Modified.UnixMilli()
	}
	if dr.before == nil || !scim.Equal(dr.before.Doc, dr.after.Doc) {
		w.Touched.Groups = []string{dr.id}
		if err := d.nameGroup(ctx, dr, &names); err != nil {
			return err
		}
		if err := dr.claim(&names); err != nil {
			return err
		}
		row.Reindex(&names, dr.entries(row.GroupEntries), nil)
		if dr.before != nil {
			dr.rewrite(&op)
		}
	}
	dr.count(w)
	grown := membership.Growth(dr.changes)
	switch {
	case dr.act == ActionCreate:
		dr.after.Members = grown
		op = store.PutItem(dr.ts.Group(dr.id), dr.after.Attrs()).When(store.IsAbsent())
	case grown != 0:
		op.Add[row.AttrMembers] = grown
		dr.after.Members += grown
	}
	w.Join(&names)
	write := membership.GroupWrite{ID: dr.id, Op: op, Changes: dr.changes, Exact: dr.exact}
	if dr.before != nil {
		write.Version = dr.before.Version
	}
	d.members.WriteGroup(w, write)
	return nil
}

// rewrite completes the operation on a group's item for a new document. It is conditional on the document and not on
// the version, so that changes of members do not get in its way.
func (dr *draft) rewrite(op *store.Op) {
	r := dr.after
	*op = op.When(store.Is(row.AttrDoc, dr.before.Stored), dr.before.SameHold())
	op.Set[row.AttrDoc] = row.EncodeDoc(r.Doc)
	op.Set[row.AttrHolds] = int64(0)
	if r.Holds {
		op.Set[row.AttrHolds] = int64(1)
	}
	if len(r.Unique) > 0 {
		op.Set[row.AttrUnique] = row.EncodeUnique(r.Unique)
	} else if len(dr.before.Unique) > 0 {
		op.Unset = append(op.Unset, row.AttrUnique)
	}
}

// deleteGroup removes a group at once; its members follow as open work.
func (d *Directory) deleteGroup(dr *draft, w *membership.Write) {
	r := *dr.before
	w.Touched.Groups = []string{dr.id}
	w.Must(store.RemoveItem(dr.ts.Group(dr.id)).When(store.Is(row.AttrVersion, r.Version), store.Lacks(row.AttrOpen)),
		store.ErrStale)
	row.Reindex(&w.Tx, dr.entries(row.GroupEntries), nil)
	if r.Holds {
		w.Add(store.RemoveItem(dr.ts.GroupNameHolder(scim.Fold(row.Text(r.Doc, "displayName")))))
	}
	row.Release(&w.Tx, dr.ts.Keys, r)
	dr.count(w)
	d.members.LeaveGone(w, dr.id, true)
}

// readGroup reads a group, and beside it the users that the values name and those of the values that are members:
// a change of these needs them.
func (d *Directory) readGroup(ctx context.Context, ts *store.TenantStore, rt *schema.ResourceType, id string,
	named []string,
) (row.Record, membership.Fetched, error) {
	if !row.ValidID(id) || len(named) == 0 {
		r, err := row.Read(ctx, ts, rt, id)
		return r, nil, err
	}
	keys := []store.Key{ts.Group(id)}
	for _, v := range named {
		keys = append(keys, ts.User(v), ts.Member(id, v))
	}
	items, err := ts.Get(ctx, keys...)
	if err != nil {
		return row.Record{}, nil, err
	}
	if items[0].Attrs == nil {
		return row.Record{}, nil, row.NotFound(rt, id)
	}
	read := make(membership.Fetched, len(keys))
	for _, it := range items {
		read[it.Key] = it
	}
	r, err := row.Decode(rt, items[0])
	return r, read, err
}

// fewMembers is the number of members that are read beside their group: with the group they fit one call, and their
// changes fit one transaction, in which each is conditional on having been read right.
const fewMembers = 30

// namedMembers are the member values that a PATCH names, known before the group is read; none if they are many, or
// if the PATCH needs all members.
func namedMembers(t Tenant, rt *schema.ResourceType, ops []patch.Operation) []string {
	steps, err := patch.Collection(rt, ops, "members", t.Dialect)
	e := membership.Edit{Tenant: t, Steps: steps}
	if err != nil || e.Whole() {
		return nil
	}
	values, err := e.Values()
	if err != nil || len(values) > fewMembers {
		return nil
	}
	return values
}

// replaceGroup is the edit of a POST or PUT. Its error is about the request itself.
func replaceGroup(t Tenant, rt *schema.ResourceType, body scim.Object) (editor, error) {
	doc, err := rt.Normalize(body, t.Dialect)
	if err != nil {
		return nil, err
	}
	members, err := membership.ReplaceMembers(t, takeMembers(doc))
	if err != nil {
		return nil, err
	}
	return func(dr *draft) error {
		dr.members, dr.after.Doc = members, row.CloneTop(doc)
		if dr.before == nil {
			return nil
		}
		return rt.Keep(dr.known(), dr.after.Doc)
	}, nil
}

// patchGroup is the edit of a PATCH.
func patchGroup(ops []patch.Operation) editor {
	return func(dr *draft) error {
		res, err := patch.Apply(dr.rt, dr.known(), ops, "members", dr.t.Dialect)
		dr.after.Doc, dr.members = res.Doc, membership.Edit{Tenant: dr.t, Steps: res.Collection}
		return err
	}
}
