package directory

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/serverless-scim/serverless-scim/pkg/scim"
	"github.com/serverless-scim/serverless-scim/pkg/store"
)

// Open work is what a committed write still has to bring about. Its item is part of the write's transaction, and from that
// moment on the change has happened: reads overlay it, writers finish it first, and whoever comes next, after a crash as well,
// rolls it forward. Every step can be repeated and can be done by several at once: each transaction is conditional on what it
// is about to do not having been done.
//
//	kind      target    means
//	gone      resource  the resource was deleted; its memberships, members and the $ref of those it managed are to go
//	members   group     the chunks of the work are membership changes of the group; the group's `open` names the work
//	resolve   user      references that wait for the values may name somebody now
type workKind string

const (
	workGone    workKind = "gone"
	workMembers workKind = "members"
	workResolve workKind = "resolve"
)

type work struct {
	id     string
	kind   workKind
	target string
	values []string  // resolve: folded values
	closed time.Time // when it was completed; zero while it is open
}

// attrClosed is the time in Unix milliseconds at which work was completed whose effect reads show.
const attrClosed = "closed"

// linger is how long completed work stays in the table. A read that looks at open work and at memberships in parallel may have
// seen the memberships before the work was rolled forward and the open work after: the lingering item tells it to look again. The
// next roll-forward removes it, or TTL.
const linger = 5 * time.Second

// inlineChanges is how many changes of open work a request itself rolls forward before it answers; the rest is left to the
// background.
const inlineChanges = 1000

// errLater says that the budget is used up and work is left.
var errLater = errors.New("directory: the rest is left for later")

func (d *Directory) newWork(kind workKind, target string) work {
	return work{id: d.o.NewID(), kind: kind, target: target}
}

// put is the operation that makes the work open.
func (w work) put(k store.Keys) store.Op {
	values := make([]any, len(w.values))
	for i, v := range w.values {
		values[i] = v
	}
	doc := scim.Object{"target": w.target, "values": values}
	return put(k.Work(w.id), store.Attrs{"kind": string(w.kind), attrDoc: encodeDoc(doc), store.AttrWake: "1"})
}

func decodeWork(it store.Item) (work, error) {
	kind, _ := it.Attrs["kind"].(string)
	body, _ := it.Attrs[attrDoc].(string)
	doc, err := scim.ParseObject([]byte(body))
	if err != nil {
		return work{}, fmt.Errorf("directory: broken work item %s: %w", it.SK, errInternal(err))
	}
	w := work{id: it.SK, kind: workKind(kind), target: text(doc, "target")}
	values, _ := doc["values"].([]any)
	for _, v := range values {
		if s, ok := v.(string); ok {
			w.values = append(w.values, s)
		}
	}
	if closed, ok := it.Attrs[attrClosed].(int64); ok {
		w.closed = time.UnixMilli(closed)
	}
	return w, nil
}

// closing is the operation that marks work as completed.
func (d *Directory) closing(k store.Keys, w work) store.Op {
	return store.Op{
		Kind: store.Update, Key: k.Work(w.id),
		Set: store.Attrs{attrClosed: d.o.Now().UnixMilli(), store.AttrTTL: d.o.Now().Add(time.Hour).Unix()},
		If:  []store.Cond{{Test: store.Exists}, {Test: store.AttrAbsent, Attr: attrClosed}},
	}
}

// openWork reads the open work of a tenant: one small read, since there normally is none.
func openWork(ctx context.Context, ts *store.TenantStore) ([]work, error) {
	var all []work
	for it, err := range ts.All(ctx, store.Query{PK: ts.Work("").PK}) {
		if err != nil {
			return nil, err
		}
		w, err := decodeWork(it)
		if err != nil {
			return nil, err
		}
		all = append(all, w)
	}
	return all, nil
}

// finish rolls forward work that this request has just committed, as far as the inline budget goes. The change has happened:
// an error here is no error of the request.
func (d *Directory) finish(ctx context.Context, ts *store.TenantStore, w work) {
	budget := inlineChanges
	err := d.roll(ctx, ts, w, &budget)
	if err == nil {
		return
	}
	if !errors.Is(err, errLater) {
		d.o.Log.Warn("open work left for later", "tenant", ts.TenantID(), "work", w.id, "kind", w.kind, "error", err)
	}
	d.o.Background(ts.TenantID())
}

// RollForward completes all open work of a tenant, and removes what has lingered. Running it twice, or in two places, does no
// harm.
func (d *Directory) RollForward(ctx context.Context, tenantID string) error {
	ts := d.store.Tenant(tenantID)
	for {
		all, err := openWork(ctx, ts)
		if err != nil {
			return err
		}
		open := false
		for _, w := range all {
			switch {
			case w.closed.IsZero():
				open = true
				err = d.roll(ctx, ts, w, nil)
			case d.o.Now().Sub(w.closed) > linger:
				err = ts.Write(ctx, remove(ts.Work(w.id)))
			}
			if err != nil {
				return err
			}
		}
		if !open {
			return nil
		}
	}
}

// roll completes one piece of open work and removes it. budget, if not nil, is the number of changes it may make; errLater
// says that it did not suffice.
func (d *Directory) roll(ctx context.Context, ts *store.TenantStore, w work, budget *int) error {
	switch w.kind {
	case workGone:
		return d.rollGone(ctx, ts, w, budget)
	case workMembers:
		return d.rollMembers(ctx, ts, w, budget)
	case workResolve:
		return d.rollResolve(ctx, ts, w, budget)
	}
	return fmt.Errorf("directory: unknown kind of work %q", w.kind)
}

// spend takes n from a budget.
func spend(budget *int, n int) error {
	if budget == nil {
		return nil
	}
	if *budget < n {
		return errLater
	}
	*budget -= n
	return nil
}

// rollGone removes what is left of a deleted resource.
func (d *Directory) rollGone(ctx context.Context, ts *store.TenantStore, w work, budget *int) error {
	seen, err := d.dropMembers(ctx, ts, w.target, budget)
	if err != nil {
		return err
	}
	of := ts.MemberOfPrefix(w.target)
	for it, err := range ts.All(ctx, store.Query{PK: of.PK, Prefix: of.SK, Select: store.KeysOnly}) {
		if err != nil {
			return err
		}
		if err := spend(budget, 1); err != nil {
			return err
		}
		if err := d.dropMember(ctx, ts, lastPart(it.SK), w.target); err != nil {
			return err
		}
		seen = true
	}
	managed := ts.LookupPrefix(userManager, w.target)
	for it, err := range ts.All(ctx, store.Query{PK: managed.PK, Prefix: managed.SK, Select: store.KeysOnly}) {
		if err != nil {
			return err
		}
		if err := spend(budget, 1); err != nil {
			return err
		}
		if err := d.unlinkManager(ctx, ts, lastPart(it.SK), w.target); err != nil {
			return err
		}
	}
	if !seen {
		// No read can have seen anything of it, in whatever order it looked.
		return ts.Write(ctx, remove(ts.Work(w.id)))
	}
	var tx transaction
	tx.must(d.closing(ts.Keys, w), errGone)
	if err := tx.commit(ctx, ts); err != nil && !errors.Is(err, errGone) {
		return err
	}
	return nil
}

// dropMembers removes the members of a deleted group. Nobody can add one any more, since that takes the group's item, and its
// id never comes again: so the removals need no condition. seen says that there were any.
func (d *Directory) dropMembers(ctx context.Context, ts *store.TenantStore, groupID string, budget *int) (seen bool, err error) {
	prefix := ts.MemberPrefix(groupID)
	for {
		page, err := ts.Query(ctx, store.Query{PK: prefix.PK, Prefix: prefix.SK, Limit: 500})
		if err != nil || len(page.Items) == 0 {
			return seen, err
		}
		seen = true
		if err := spend(budget, len(page.Items)); err != nil {
			return seen, err
		}
		var pairs, members []store.Op
		for _, it := range page.Items {
			value := lastPart(it.SK)
			if text(scim.Object(it.Attrs), "type") == "" {
				pairs = append(pairs, remove(waitingMember(ts.Keys, groupID, value)))
			} else {
				pairs = append(pairs, remove(ts.MemberOf(value, groupID)))
			}
			members = append(members, remove(it.Key))
		}
		// The member goes last: while it is there, its counterpart is found again after a crash.
		if err := ts.Batch(ctx, pairs...); err != nil {
			return seen, err
		}
		if err := ts.Batch(ctx, members...); err != nil {
			return seen, err
		}
	}
}

// errGone says that what a step of open work was to change is not there any more: somebody else has done it.
var errGone = errors.New("directory: already done")

// dropMember removes a deleted resource from a group that it was a member of.
func (d *Directory) dropMember(ctx context.Context, ts *store.TenantStore, groupID, id string) error {
	return d.changeMembers(ctx, ts, groupID, func(tx *transaction) {
		tx.must(when(remove(ts.Member(groupID, id)), exists()...), errGone)
		tx.add(remove(ts.MemberOf(id, groupID)))
	}, ts.Member(groupID, id), ts.MemberOf(id, groupID))
}

// changeMembers does one step of open work on a group's members: version and time of the group move with it. A step that is
// already done does nothing; if the group itself is gone, leftovers are removed.
func (d *Directory) changeMembers(ctx context.Context, ts *store.TenantStore, groupID string, step func(*transaction), leftovers ...store.Key) error {
	err := d.retry(ctx, func() error {
		items, err := ts.Get(ctx, ts.Group(groupID))
		if err != nil {
			return err
		}
		if items[0].Attrs == nil {
			return errGone
		}
		if open := text(scim.Object(items[0].Attrs), attrOpen); open != "" {
			if err := d.finishGroup(ctx, ts, open); err != nil {
				return err
			}
			return errStale
		}
		var tx transaction
		tx.must(d.touchGroup(ts.Keys, groupID), errStale)
		step(&tx)
		return tx.commit(ctx, ts)
	})
	if !errors.Is(err, errGone) {
		return err
	}
	var ops []store.Op
	for _, key := range leftovers {
		ops = append(ops, remove(key))
	}
	return ts.Batch(ctx, ops...)
}

// touchGroup moves a group's version and time of change, provided it is there and has no open membership change.
func (d *Directory) touchGroup(k store.Keys, id string) store.Op {
	return store.Op{
		Kind: store.Update, Key: k.Group(id),
		Set: store.Attrs{attrModified: d.o.Now().UnixMilli()}, Add: map[string]int64{attrVersion: 1},
		If: []store.Cond{{Test: store.Exists}, {Test: store.AttrAbsent, Attr: attrOpen}},
	}
}

// finishGroup rolls forward the open membership change of a group, if it is still open.
func (d *Directory) finishGroup(ctx context.Context, ts *store.TenantStore, workID string) error {
	items, err := ts.Get(ctx, ts.Work(workID))
	if err != nil || items[0].Attrs == nil {
		return err
	}
	w, err := decodeWork(items[0])
	if err != nil || !w.closed.IsZero() {
		return err
	}
	return d.rollMembers(ctx, ts, w, nil)
}

// unlinkManager marks the manager of a user as one that names nobody: the value stays, the $ref goes.
func (d *Directory) unlinkManager(ctx context.Context, ts *store.TenantStore, userID, managerID string) error {
	return d.changeManager(ctx, ts, userID, func(manager scim.Object) (scim.Object, references, bool) {
		_, resolved := manager["$ref"]
		return scim.Object{"value": managerID}, references{userID: userID}, resolved && text(manager, "value") == managerID
	})
}

// changeManager rewrites the manager of a user as edit says, unless the user is gone or edit reports false.
func (d *Directory) changeManager(ctx context.Context, ts *store.TenantStore, userID string, edit func(scim.Object) (scim.Object, references, bool)) error {
	return d.retry(ctx, func() error {
		r, err := d.read(ctx, ts, userType, userID)
		var missing *scim.Error
		if errors.As(err, &missing) {
			return nil
		}
		if err != nil {
			return err
		}
		manager, refs, apply := edit(managerOf(r.doc))
		if !apply {
			return nil
		}
		old := r.doc
		r.doc = cloneTop(old)
		setManager(r.doc, manager)
		return d.commitUser(ctx, ts, &r, old, refs)
	})
}

// rollResolve lets the references that wait for the work's values take the place of users who came.
func (d *Directory) rollResolve(ctx context.Context, ts *store.TenantStore, w work, budget *int) error {
	slices.Sort(w.values)
	for _, folded := range slices.Compact(w.values) {
		for {
			done, err := d.resolveWaiting(ctx, ts, folded, budget)
			if err != nil {
				return err
			}
			if done {
				break
			}
		}
	}
	return ts.Write(ctx, remove(ts.Work(w.id)))
}

// resolveWaiting goes once through the references that wait for a folded value. It reports false if another reference began to
// wait meanwhile.
func (d *Directory) resolveWaiting(ctx context.Context, ts *store.TenantStore, folded string, budget *int) (done bool, err error) {
	heads, err := ts.Get(ctx, ts.WaitedFor(folded))
	if err != nil {
		return false, err
	}
	users := map[string]string{} // by value
	left := false
	prefix := ts.WaitingPrefix(folded)
	for it, err := range ts.All(ctx, store.Query{PK: prefix.PK, Prefix: prefix.SK, Select: store.KeysOnly}) {
		if err != nil {
			return false, err
		}
		parts := store.Split(it.SK)
		if len(parts) != 4 {
			return false, fmt.Errorf("directory: broken key of a waiting reference")
		}
		where, owner, value := parts[1], parts[2], parts[3]
		userID, known := users[value]
		if !known {
			if userID, err = userByName(ctx, ts, value); err != nil {
				return false, err
			}
			users[value] = userID
		}
		if userID == "" {
			left = true
			continue
		}
		if err := spend(budget, 1); err != nil {
			return false, err
		}
		if where == "M" {
			err = d.resolveMember(ctx, ts, owner, value, userID)
		} else {
			err = d.resolveManager(ctx, ts, owner, value, userID)
		}
		if err != nil {
			return false, err
		}
	}
	if left || heads[0].Attrs == nil {
		return true, nil
	}
	err = ts.Transact(ctx, when(remove(ts.WaitedFor(folded)), equals(attrStamp, heads[0].Attrs[attrStamp])))
	var failed *store.ConditionError
	if errors.As(err, &failed) {
		return failed.Failed[0].Attrs == nil, nil
	}
	return true, err
}

// resolveMember puts a user in the place of a member value that named nobody.
func (d *Directory) resolveMember(ctx context.Context, ts *store.TenantStore, groupID, value, userID string) error {
	waiting := waitingMember(ts.Keys, groupID, value)
	users, err := ts.Get(ctx, ts.User(userID))
	if err != nil || users[0].Attrs == nil {
		return err
	}
	user, err := decodeRecord(userType, users[0])
	if err != nil {
		return err
	}
	return d.changeMembers(ctx, ts, groupID, func(tx *transaction) {
		tx.must(when(remove(ts.Member(groupID, value)), exists()...), errGone)
		tx.must(store.Op{Kind: store.Check, Key: ts.User(userID), If: exists()}, errGone)
		tx.add(addMember(ts.Keys, groupID, userID, "User", displayOf(user.doc))...)
		tx.add(remove(waiting))
	}, waiting)
}

// resolveManager puts a user in the place of a manager value that named nobody.
func (d *Directory) resolveManager(ctx context.Context, ts *store.TenantStore, ownerID, value, managerID string) error {
	err := d.changeManager(ctx, ts, ownerID, func(manager scim.Object) (scim.Object, references, bool) {
		_, resolved := manager["$ref"]
		refs := references{userID: ownerID, waited: value}
		if managerID != ownerID {
			refs.manager = managerID
		}
		return resolvedManager(managerID), refs, !resolved && text(manager, "value") == value
	})
	if err != nil {
		return err
	}
	return ts.Write(ctx, remove(waitingManager(ts.Keys, ownerID, value)))
}
