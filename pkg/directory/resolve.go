package directory

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"golang.org/x/sync/errgroup"

	"github.com/serverless-scim/serverless-scim/pkg/scim"
	"github.com/serverless-scim/serverless-scim/pkg/scim/schema"
	"github.com/serverless-scim/serverless-scim/pkg/store"
)

// unlinkManager marks the manager of a user as one that names nobody: the value stays, the $ref goes.
func (d *Directory) unlinkManager(ctx context.Context, ts *store.TenantStore, userID, managerID string) error {
	return d.changeManager(ctx, ts, userID, managerID, func(manager scim.Object, _ bool) (scim.Object, references, bool) {
		_, resolved := manager["$ref"]
		return scim.Object{"value": managerID}, references{userID: userID}, resolved && text(manager, "value") == managerID
	})
}

// changeManager rewrites the manager of a user as edit says, unless the user is gone or edit reports false. edit is told whether
// the user managerID is there.
func (d *Directory) changeManager(ctx context.Context, ts *store.TenantStore, userID, managerID string, edit func(manager scim.Object, there bool) (scim.Object, references, bool)) error {
	return d.retry(ctx, func() error {
		items, err := ts.Get(ctx, ts.User(userID), ts.User(managerID))
		if err != nil || items[0].Attrs == nil {
			return err
		}
		r, err := decodeRecord(schema.UserType(), items[0])
		if err != nil {
			return err
		}
		manager, refs, apply := edit(managerOf(r.doc), items[1].Attrs != nil)
		if !apply {
			return nil
		}
		old := r.doc
		r.doc = cloneTop(old)
		setManager(r.doc, manager)
		return d.commitUser(ctx, ts, &r, old, refs, &transaction{})
	})
}

// rollResolve lets the references that wait for the work's values take the place of users who came.
func (d *Directory) rollResolve(ctx context.Context, ts *store.TenantStore, w work, budget *allowance) error {
	slices.Sort(w.values)
	g, gctx := errgroup.WithContext(ctx)
	g.SetLimit(stepsAtOnce)
	for _, folded := range slices.Compact(w.values) {
		g.Go(func() error {
			for {
				if done, err := d.resolveWaiting(gctx, ts, folded, budget); done || err != nil {
					return err
				}
			}
		})
	}
	if err := g.Wait(); err != nil {
		return err
	}
	return ts.Write(ctx, remove(ts.Work(w.id)))
}

// resolveWaiting goes once through the references that wait for a folded value. It reports false if another reference began to
// wait meanwhile.
func (d *Directory) resolveWaiting(ctx context.Context, ts *store.TenantStore, folded string, budget *allowance) (done bool, err error) {
	heads, err := ts.Get(ctx, ts.WaitedFor(folded))
	if err != nil {
		return false, err
	}
	left := false
	prefix := ts.WaitingPrefix(folded)
	users := map[string]string{} // by value
	for it, err := range ts.All(ctx, store.Query{PK: prefix.PK, Prefix: prefix.SK, Select: store.KeysOnly}) {
		if err != nil {
			return false, err
		}
		parts := store.Split(it.SK)
		if len(parts) != 4 {
			return false, fmt.Errorf("directory: broken key of a waiting reference")
		}
		waits, err := d.resolveOne(ctx, ts, reference{where: parts[1], owner: parts[2], value: parts[3]}, users, budget)
		if err != nil {
			return false, err
		}
		left = left || waits
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

// reference is a reference that waits.
type reference struct{ where, owner, value string }

// resolveOne puts a user in the place of one reference, if the user is there. It reports whether the reference goes on waiting. users are
// those found so far, by value.
func (d *Directory) resolveOne(ctx context.Context, ts *store.TenantStore, ref reference, users map[string]string, budget *allowance) (waits bool, err error) {
	userID, known := users[ref.value]
	if !known {
		if userID, err = userByName(ctx, ts, ref.value); err != nil {
			return false, err
		}
		users[ref.value] = userID
	}
	if userID == "" {
		return true, nil
	}
	if err := spend(budget, 1); err != nil {
		return false, err
	}
	if ref.where == "M" {
		return d.resolveMember(ctx, ts, ref.owner, ref.value, userID)
	}
	return d.resolveManager(ctx, ts, ref.owner, ref.value, userID)
}

// errMissing says that a user or group that is referred to was deleted.
var errMissing = errors.New("directory: deleted meanwhile")

// resolveMember puts a user in the place of a member value that named nobody. It reports true if the user is not there any more, so that
// the member goes on waiting.
func (d *Directory) resolveMember(ctx context.Context, ts *store.TenantStore, groupID, value, userID string) (waits bool, err error) {
	users, err := ts.Get(ctx, ts.User(userID))
	if err != nil || users[0].Attrs == nil {
		return true, err
	}
	user, err := decodeRecord(schema.UserType(), users[0])
	if err != nil {
		return false, err
	}
	waiting := waitingMember(ts.Keys, groupID, value)
	err = d.changeMembers(ctx, ts, groupID, func(tx *transaction) {
		tx.must(when(remove(ts.Member(groupID, value)), exists()...), errGone)
		tx.must(store.Op{Kind: store.Check, Key: ts.User(userID), If: exists()}, errMissing)
		tx.add(addMember(ts.Keys, groupID, userID, memberUser, displayOf(user.doc))...)
		tx.add(remove(waiting))
	}, waiting)
	if errors.Is(err, errMissing) {
		return true, nil
	}
	return false, err
}

// resolveManager puts a user in the place of a manager value that named nobody. It reports true if that user is not there any more.
func (d *Directory) resolveManager(ctx context.Context, ts *store.TenantStore, ownerID, value, managerID string) (waits bool, err error) {
	err = d.changeManager(ctx, ts, ownerID, managerID, func(manager scim.Object, there bool) (scim.Object, references, bool) {
		_, resolved := manager["$ref"]
		refs := references{userID: ownerID, waited: value}
		if managerID != ownerID {
			refs.manager = managerID
		}
		open := !resolved && text(manager, "value") == value
		waits = open && !there
		return resolvedManager(managerID), refs, open && there
	})
	return waits, err
}
