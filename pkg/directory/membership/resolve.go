package membership

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/serverless-scim/serverless-scim/pkg/directory/row"
	"github.com/serverless-scim/serverless-scim/pkg/scim"
	"github.com/serverless-scim/serverless-scim/pkg/scim/schema"
	"github.com/serverless-scim/serverless-scim/pkg/store"
	"github.com/serverless-scim/serverless-scim/pkg/task"
)

// unlinkManager marks the manager of a user as one that names nobody: the value stays, the $ref goes.
func (s *Service) unlinkManager(ctx context.Context, ts *store.TenantStore, userID, managerID string) error {
	return s.changeManager(ctx, ts, userID, managerID,
		func(manager scim.Object, _ bool) (scim.Object, References, bool) {
			_, resolved := manager["$ref"]
			return scim.Object{"value": managerID}, References{userID: userID}, resolved &&
				row.Text(manager, "value") == managerID
		})
}

// changeManager rewrites the manager of a user as edit says, unless the user is gone or edit reports false. The
// argument there says whether the user managerID exists.
func (s *Service) changeManager(ctx context.Context, ts *store.TenantStore, userID, managerID string,
	edit func(manager scim.Object, there bool) (scim.Object, References, bool),
) error {
	return s.Retry(ctx, func() error {
		items, err := ts.Get(ctx, ts.User(userID), ts.User(managerID))
		if err != nil || items[0].Attrs == nil {
			return err
		}
		r, err := row.Decode(schema.UserType(), items[0])
		if err != nil {
			return err
		}
		manager, refs, apply := edit(row.ManagerOf(r.Doc), items[1].Attrs != nil)
		if !apply {
			return nil
		}
		next := r
		next.Doc, next.Version, next.Modified = row.CloneTop(r.Doc), r.Version+1, s.Later(r.Modified)
		setManager(next.Doc, manager)
		w := Begin(ts)
		w.Touched.Users = []string{userID}
		w.Must(store.PutItem(ts.User(userID), next.Attrs()).When(store.Is(row.AttrVersion, r.Version)), store.ErrStale)
		row.Reindex(&w.Tx, row.EntryChange{Before: row.UserEntries(ts.Keys, r), After: row.UserEntries(ts.Keys, next)},
			nil)
		s.ReferenceOperations(w, refs)
		if err := s.Commit(ctx, w); err != nil {
			return err
		}
		s.FinishAll(ctx, w)
		return nil
	})
}

// resolveAtOnce is the number of pieces of open work of kind resolve that are done together.
const resolveAtOnce = 30

// rollResolve lets the references that wait for the works' values take the place of users who came.
func (s *Service) rollResolve(ctx context.Context, ts *store.TenantStore, budget *allowance, works ...work) error {
	for part := range slices.Chunk(works, resolveAtOnce) {
		var values []string
		done := make([]store.Op, len(part))
		for i, w := range part {
			values = append(values, w.values...)
			done[i] = store.RemoveItem(ts.Work(w.id))
		}
		slices.Sort(values)
		if err := s.resolveValues(ctx, ts, slices.Compact(values), budget); err != nil {
			return err
		}
		if err := ts.Batch(ctx, done...); err != nil {
			return err
		}
	}
	return nil
}

// resolveValues does so for folded values. Most of them still belong to nobody: one look-up finds that for all.
func (s *Service) resolveValues(ctx context.Context, ts *store.TenantStore, values []string, budget *allowance) error {
	came, err := s.whoCame(ctx, ts, values)
	if err != nil {
		return err
	}
	g, gctx := task.WithContext(ctx)
	g.SetLimit(stepsAtOnce)
	for _, folded := range came {
		g.Go(func() error {
			for {
				if done, err := s.resolveWaiting(gctx, ts, folded, budget); done || err != nil {
					return err
				}
			}
		})
	}
	return g.Wait()
}

// whoCame returns those of folded values that a user has by now, and those that no reference waits for any more.
func (s *Service) whoCame(ctx context.Context, ts *store.TenantStore, values []string) ([]string, error) {
	spelt, err := waitingFor(ctx, ts, values)
	if err != nil {
		return nil, err
	}
	items, err := ts.Get(ctx, store.EachKey(values, ts.UserName)...)
	if err != nil {
		return nil, err
	}
	var came, externalIDs []string
	for i, folded := range values {
		if items[i].Attrs != nil || len(spelt[i]) == 0 {
			came = append(came, folded)
			continue
		}
		externalIDs = append(externalIDs, spelt[i]...)
	}
	users, err := usersByExternalID(ctx, ts, externalIDs)
	for value := range users {
		came = append(came, scim.Fold(value))
	}
	slices.Sort(came)
	return slices.Compact(came), err
}

// waitingFor returns how the references that wait for folded values spell them.
func waitingFor(ctx context.Context, ts *store.TenantStore, values []string) ([][]string, error) {
	prefixes := make([]string, len(values))
	for i, folded := range values {
		prefixes[i] = ts.WaitingPrefix(folded).SK
	}
	spelt := make([][]string, len(values))
	err := ts.EachUnder(ctx, ts.WaitingPrefix("").PK, prefixes, func(i int, sk string) bool {
		if value := store.LastPart(sk); !slices.Contains(spelt[i], value) {
			spelt[i] = append(spelt[i], value)
		}
		return true
	})
	return spelt, err
}

// resolveWaiting goes once through the references that wait for a folded value. It reports false if another reference
// began to wait meanwhile.
func (s *Service) resolveWaiting(ctx context.Context, ts *store.TenantStore, folded string, budget *allowance) (
	done bool, err error,
) {
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
		waits, err := s.resolveOne(ctx, ts, reference{where: parts[1], owner: parts[2], value: parts[3]}, users, budget)
		if err != nil {
			return false, err
		}
		left = left || waits
	}
	if left || heads[0].Attrs == nil {
		return true, nil
	}
	w := Begin(ts)
	w.Must(store.RemoveItem(ts.WaitedFor(folded)).When(store.Is(attrStamp, heads[0].Attrs[attrStamp])), errGone)
	if err := s.Commit(ctx, w); !errors.Is(err, errGone) {
		return true, err
	}
	return false, nil
}

// reference is a reference that waits.
type reference struct{ where, owner, value string }

// resolveOne puts a user in the place of one reference, if the user is there. It reports whether the reference goes on
// waiting. users are those found so far, by value.
func (s *Service) resolveOne(ctx context.Context, ts *store.TenantStore, ref reference, users map[string]string,
	budget *allowance,
) (waits bool, err error) {
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
		return s.resolveMember(ctx, ts, ref.owner, ref.value, userID)
	}
	return s.resolveManager(ctx, ts, ref.owner, ref.value, userID)
}

// errMissing says that a user or group that is referred to was deleted.
var errMissing = errors.New("directory: deleted meanwhile")

// resolveMember puts a user in the place of a member value that named nobody. It reports true if the user is not there
// any more, so that the member goes on waiting.
func (s *Service) resolveMember(ctx context.Context, ts *store.TenantStore, groupID, value, userID string) (
	waits bool, err error,
) {
	users, err := ts.Get(ctx, ts.User(userID))
	if err != nil || users[0].Attrs == nil {
		return true, err
	}
	display, err := row.Display(schema.UserType(), users[0])
	if err != nil {
		return false, err
	}
	waiting := waitingMember(ts.Keys, groupID, value)
	add := func(w *Write, isMember bool, at int64) (grown int64) {
		w.Touched.Users = []string{userID}
		w.Must(store.RemoveItem(ts.Member(groupID, value)).When(store.IsThere()), errGone)
		w.Must(store.CheckItem(ts.User(userID), store.IsThere()), errMissing)
		w.Add(store.RemoveItem(waiting))
		if isMember {
			w.Must(store.CheckItem(ts.Member(groupID, userID), store.IsThere()), store.ErrStale)
			return -1
		}
		ops := addMember(ts.Keys, groupID,
			Member{Value: userID, Type: TypeUser, display: display, At: at})
		w.Must(ops[0].When(store.IsAbsent()), store.ErrStale)
		w.Add(ops[1])
		return 0
	}
	err = s.changeMembers(ctx, ts, groupID, userID, memberStep{leftovers: []store.Key{waiting}, add: add})
	if errors.Is(err, errMissing) {
		return true, nil
	}
	return false, err
}

// resolveManager puts a user in the place of a manager value that named nobody. It reports true if that user is not
// there any more.
func (s *Service) resolveManager(ctx context.Context, ts *store.TenantStore, ownerID, value, managerID string) (
	waits bool, err error,
) {
	err = s.changeManager(ctx, ts, ownerID, managerID,
		func(manager scim.Object, there bool) (scim.Object, References, bool) {
			_, resolved := manager["$ref"]
			refs := References{userID: ownerID, waited: value}
			if managerID != ownerID {
				refs.manager = managerID
			}
			open := !resolved && row.Text(manager, "value") == value
			waits = open && !there
			return resolvedManager(managerID), refs, open && there
		})
	return waits, err
}
