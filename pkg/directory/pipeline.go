package directory

import (
	"cmp"
	"context"
	"errors"

	"github.com/serverless-scim/serverless-scim/pkg/directory/counter"
	"github.com/serverless-scim/serverless-scim/pkg/directory/membership"
	"github.com/serverless-scim/serverless-scim/pkg/directory/row"
	"github.com/serverless-scim/serverless-scim/pkg/scim"
	"github.com/serverless-scim/serverless-scim/pkg/scim/schema"
	"github.com/serverless-scim/serverless-scim/pkg/store"
)

// Every write of a resource goes the same way, again from the beginning if something has changed since it was read:
//
//	load        the resource, and beside it the other items that the change is known to need
//	edit        the document that the request makes of it
//	refer       the users and groups that the request names
//	rules       whether it may happen
//	operations  of the resource's item, its lookups, names, counters, references and members
//	commit      one transaction; the rest of the change is open work
//
// The steps of all types are here; those of users and groups alone are in user.go and group.go.

// draft is a write on its way.
type draft struct {
	t   Tenant
	ts  *store.TenantStore
	rt  *schema.ResourceType
	id  string
	act Action
	// before is the resource as it was loaded; nil if it is created.
	before *row.Record
	// after is the resource as it is to be stored; nil if it is deleted. At first its document is nil.
	after *row.Record
	// again says that an attempt failed because something had changed meanwhile.
	again bool
	// bound keeps the number of such changes; nil if they are not bounded.
	bound *store.Tx

	refs    membership.References // of a user
	leaving *store.Tx             // of a user who is deleted: the end of its memberships, if they are few

	members membership.Edit     // of a group
	changes []membership.Change // of its members, in order of value
	named   membership.Fetched  // who the members are that the request names, if they are few and known before
	exact   bool                // of a group: the write is conditional on the version that was loaded
}

// request is the part of a draft that does not change from attempt to attempt.
type request struct {
	t       Tenant
	rt      *schema.ResourceType
	id      string
	act     Action
	ifMatch []string
	named   []string // values of members that the request names, if they are few and known before
	fixed   bool     // the id was decided before the request
	// secret says that nobody may learn whether the request changes anything, since it names an attribute that is
	// never returned: it is written in any case.
	secret bool
}

// editor sets the document of a draft's after, and of a group the edit of its members.
type editor func(*draft) error

// pipeline carries out a request. The draft that it returns is the last attempt's.
func (d *Directory) pipeline(ctx context.Context, r request, edit editor) (*draft, error) {
	var dr *draft
	again := false
	err := d.members.Retry(ctx, func() error {
		dr = &draft{t: r.t, ts: d.store.Tenant(r.t.ID), rt: r.rt, id: r.id, act: r.act, again: again}
		again = true
		if err := d.load(ctx, dr, r); err != nil {
			return err
		}
		if r.act != ActionDelete {
			if err := edit(dr); err != nil {
				return err
			}
			if same, err := d.refer(ctx, dr); same && !r.secret || err != nil {
				return err
			}
		}
		if err := d.allow(ctx, dr); err != nil {
			return err
		}
		w, err := d.operations(ctx, dr)
		if err != nil {
			return err
		}
		w.Told = dr.told()
		if err := d.members.Commit(ctx, w); err != nil {
			return err
		}
		d.members.FinishAll(ctx, w)
		return nil
	})
	return dr, err
}

// load reads the resource, unless it is created.
func (d *Directory) load(ctx context.Context, dr *draft, r request) error {
	if r.act == ActionCreate {
		// The first attempt needs no look: its transaction fails if the resource is there.
		if r.fixed && dr.again {
			if there, err := d.isThere(ctx, dr.ts, r.rt, r.id); there || err != nil {
				return cmp.Or(err, ErrCreated)
			}
		}
		now := d.o.Now()
		dr.after = &row.Record{Type: r.rt, ID: r.id, Version: 1, Created: now, Modified: now}
		return nil
	}
	found, err := d.loadBeside(ctx, dr, r)
	if err != nil {
		return err
	}
	if found.Open != "" {
		if err := d.members.FinishGroup(ctx, dr.ts, found.Open, nil); err != nil {
			return err
		}
		return store.ErrStale
	}
	if err := row.CheckMatch(r.ifMatch, found.Version); err != nil {
		return err
	}
	dr.before, dr.exact = &found, len(r.ifMatch) > 0
	if r.act == ActionUpdate {
		next := found
		next.Doc = nil
		dr.after = &next
	}
	return nil
}

// loadBeside reads the resource, and beside it the other items that the type and the action need.
func (d *Directory) loadBeside(ctx context.Context, dr *draft, r request) (found row.Record, err error) {
	switch {
	case r.act == ActionDelete && row.IsUser(r.rt):
		found, dr.leaving, err = d.readLeaving(ctx, dr.ts, r.rt, r.id, !dr.again)
	case r.act == ActionUpdate && row.IsGroup(r.rt):
		found, dr.named, err = d.readGroup(ctx, dr.ts, r.rt, r.id, r.named)
	default:
		found, err = row.Read(ctx, dr.ts, r.rt, r.id)
	}
	return found, err
}

// refer finds out whom the document and the members name. It reports true if nothing changes.
func (d *Directory) refer(ctx context.Context, dr *draft) (same bool, err error) {
	known := dr.known()
	switch {
	case row.IsUser(dr.rt):
		return d.referUser(ctx, dr, known)
	case row.IsGroup(dr.rt):
		return referMembers(ctx, dr, known)
	}
	return known != nil && scim.Equal(known, dr.after.Doc), nil
}

// known is the part of the stored document that the type knows; nil if the resource is created.
func (dr *draft) known() scim.Object {
	if dr.before == nil {
		return nil
	}
	return dr.rt.Prune(dr.before.Doc)
}

func (dr *draft) change() Change {
	c := Change{Tenant: dr.t, Type: dr.rt, ID: dr.id, Action: dr.act}
	if dr.before != nil {
		c.Before = dr.before.Doc
	}
	if dr.after != nil {
		c.After = dr.after.Doc
	}
	for _, m := range dr.changes {
		if m.Add {
			c.Joining = append(c.Joining, m.Value)
		} else {
			c.Leaving = append(c.Leaving, m.Value)
		}
	}
	return c
}

// told is the change for the log of changes that clients ask for.
func (dr *draft) told() *membership.Told {
	c := dr.change()
	return &membership.Told{
		Type: dr.rt.ID, ID: dr.id, Before: c.Before, After: c.After, Joining: c.Joining, Leaving: c.Leaving,
	}
}

// operations makes the transaction of a draft.
func (d *Directory) operations(ctx context.Context, dr *draft) (*membership.Write, error) {
	w := membership.Begin(dr.ts)
	if dr.bound != nil {
		w.Join(dr.bound)
	}
	if row.IsGroup(dr.rt) {
		return w, d.groupOperations(ctx, dr, w)
	}
	var claims store.Tx
	if dr.act == ActionUpdate {
		dr.after.Version, dr.after.Modified = dr.before.Version+1, d.members.Later(dr.before.Modified)
	}
	if err := dr.claim(&claims); err != nil {
		return w, err
	}
	dr.item(w)
	w.Join(&claims)
	dr.count(w)
	if row.IsUser(dr.rt) {
		d.userOperations(dr, w)
	} else {
		row.Reindex(&w.Tx, dr.entries(row.OtherEntries), nil)
	}
	return w, nil
}

// item writes or removes the resource's item, if it still is as it was loaded.
func (dr *draft) item(w *membership.Write) {
	key := row.Key(dr.ts.Keys, dr.rt, dr.id)
	op, as := store.RemoveItem(key), store.IsAbsent()
	if dr.before != nil {
		as = store.Is(row.AttrVersion, dr.before.Version)
	}
	if dr.after != nil {
		op = store.PutItem(key, dr.after.Attrs())
	}
	w.Must(op.When(as), store.ErrStale)
}

// claim makes the unique values of the new document the resource's own, and gives up those that it has no more.
func (dr *draft) claim(tx *store.Tx) error {
	var held []string
	if dr.before != nil {
		held = dr.before.Unique
	}
	if dr.after == nil {
		row.Release(tx, dr.ts.Keys, *dr.before)
		return nil
	}
	return row.Claim(tx, dr.ts.Keys, dr.after, held)
}

// entries are the lookup items before and after the write.
func (dr *draft) entries(of func(store.Keys, row.Record) row.IndexEntries) (entries row.EntryChange) {
	if dr.before != nil {
		entries.Before = of(dr.ts.Keys, *dr.before)
	}
	if dr.after != nil {
		entries.After = of(dr.ts.Keys, *dr.after)
	}
	return entries
}

// count keeps the number of resources of the type.
func (dr *draft) count(w *membership.Write) {
	switch dr.act {
	case ActionCreate:
		w.Add(counter.Add(dr.ts.Keys, dr.rt.ID, dr.id, 1))
	case ActionDelete:
		w.Add(counter.Add(dr.ts.Keys, dr.rt.ID, dr.id, -1))
	}
}

// create carries out a creation, under an id that was decided before if it is not empty. Then the creation can be
// repeated: ErrCreated says that the resource is there already.
func (d *Directory) create(
	ctx context.Context, t Tenant, rt *schema.ResourceType, id string, edit editor,
) (*draft, error) {
	r := request{t: t, rt: rt, id: id, act: ActionCreate, fixed: id != ""}
	if !r.fixed {
		r.id = d.o.NewID()
	}
	dr, err := d.pipeline(ctx, r, edit)
	var refused *scim.Error
	if r.fixed && errors.As(err, &refused) && refused.Type == scim.Uniqueness {
		// The value may be taken by this very resource: then another process has created it in the meantime.
		if there, look := d.isThere(ctx, dr.ts, rt, id); there || look != nil {
			return dr, cmp.Or(look, ErrCreated)
		}
	}
	return dr, err
}

// ErrCreated says that the resource to be created under a given id is there already.
var ErrCreated = errors.New("directory: created before")

// isThere reports whether there is a resource of that id.
func (d *Directory) isThere(
	ctx context.Context, ts *store.TenantStore, rt *schema.ResourceType, id string,
) (bool, error) {
	items, err := ts.Get(ctx, row.Key(ts.Keys, rt, id))
	return err == nil && items[0].Attrs != nil, err
}
