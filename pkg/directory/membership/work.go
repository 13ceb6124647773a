package membership

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync/atomic"
	"time"

	"github.com/serverless-scim/serverless-scim/pkg/directory/row"
	"github.com/serverless-scim/serverless-scim/pkg/scim"
	"github.com/serverless-scim/serverless-scim/pkg/store"
	"github.com/serverless-scim/serverless-scim/pkg/task"
)

// Open work is the list of changes that a committed write has still to make. Its item is part of the write's
// transaction, and from that moment on the change has happened: reads overlay it, writers finish it first, and any
// caller can roll it forward, after a crash as well. Every step can be repeated and can be done by several callers
// at once: each transaction is conditional on its step not having been done.
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
	Target string
	values []string  // resolve: folded values
	group  bool      // gone: the resource was a group, else a user
	closed time.Time // when it was completed; zero while it is open
}

// attrClosed is the time in Unix milliseconds at which work was completed whose effect reads show.
const attrClosed = "closed"

// linger is the time for which completed work stays in the table. If open work and memberships are read in parallel,
// the memberships may be those before the work was rolled forward, and the open work that after it. The lingering item
// shows that, and the memberships are read again. The next roll-forward removes the item, or TTL.
const linger = 5 * time.Second

// inlineChanges is the number of changes of open work that a request itself rolls forward before it answers; the
// rest is left to the background. inlineRemovals is that of a deleted resource's memberships, which nobody sees.
const inlineChanges, inlineRemovals = 1000, 25

// errLater says that the budget is used up and work is left.
var errLater = errors.New("directory: the rest is left for later")

func (s *Service) newWork(kind workKind, target string) work {
	return work{id: s.NewID(), kind: kind, Target: target}
}

// put is the operation that makes the work open.
func (w work) put(k store.Keys) store.Op {
	values := make([]any, len(w.values))
	for i, v := range w.values {
		values[i] = v
	}
	doc := scim.Object{"target": w.Target, "values": values, "group": w.group}
	return store.PutItem(k.Work(w.id),
		store.Attrs{"kind": string(w.kind), row.AttrDoc: row.EncodeDoc(doc), store.AttrWake: store.WakeWork})
}

func decodeWork(it store.Item) (work, error) {
	kind, _ := it.Attrs["kind"].(string)
	body, _ := it.Attrs[row.AttrDoc].(string)
	doc, err := scim.ParseObject(body)
	if err != nil {
		return work{}, fmt.Errorf("directory: broken work item %s: %w", it.SK, row.ErrInternal(err))
	}
	w := work{id: it.SK, kind: workKind(kind), Target: row.Text(doc, "target")}
	w.group, _ = doc["group"].(bool)
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
func (s *Service) closing(k store.Keys, w work) store.Op {
	return store.Op{
		Kind: store.Update, Key: k.Work(w.id),
		Set:   store.Attrs{attrClosed: s.Now().UnixMilli(), store.AttrTTL: s.Now().Add(time.Hour).Unix()},
		Unset: []string{store.AttrWake}, // a change that keeps it would wake the background once more
		If:    []store.Cond{{Test: store.Exists}, {Test: store.AttrAbsent, Attr: attrClosed}},
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

// Going returns the ids of the deleted resources of a tenant that may still be a member or a manager of something.
func Going(ctx context.Context, ts *store.TenantStore) (map[string]bool, error) {
	all, err := openWork(ctx, ts)
	ids := map[string]bool{}
	for _, w := range all {
		if w.kind == workGone && w.closed.IsZero() {
			ids[w.Target] = true
		}
	}
	return ids, err
}

// finish rolls forward work that this request has just committed, as far as the inline budget goes. The change has
// happened: an error here is no error of the request.
func (s *Service) finish(ctx context.Context, ts *store.TenantStore, w work) {
	budget := newAllowance(inlineChanges)
	if w.kind == workGone {
		budget = newAllowance(inlineRemovals)
	}
	err := s.roll(ctx, ts, w, budget)
	if err == nil {
		return
	}
	if !errors.Is(err, errLater) {
		s.Log.Warn("open work left for later", "tenant", ts.TenantID(), "work", w.id, "kind", w.kind, "error", err)
	}
	s.Background(ts.TenantID())
}

// RollForward completes all open work of a tenant, and removes the completed work that has lingered. Running it twice,
// or in two places, does no harm. If some work fails, the rest is still completed, and then the error is returned.
func (s *Service) RollForward(ctx context.Context, ts *store.TenantStore) error {
	failed, errs := map[string]bool{}, []error(nil)
	for {
		all, err := openWork(ctx, ts)
		if err != nil {
			return err
		}
		var lingered []store.Op
		open := slices.DeleteFunc(all, func(w work) bool {
			if w.closed.IsZero() {
				return failed[w.id]
			}
			if s.Now().Sub(w.closed) > linger {
				lingered = append(lingered, store.RemoveItem(ts.Work(w.id)))
			}
			return true
		})
		if err := ts.Batch(ctx, lingered...); err != nil {
			return err
		}
		for _, w := range open {
			err := s.roll(ctx, ts, w, nil)
			if errs = append(errs, err); ctx.Err() != nil || store.IsBusy(err) {
				return errors.Join(errs...)
			}
			failed[w.id] = err != nil
		}
		if len(open) == 0 {
			return errors.Join(errs...)
		}
	}
}

// roll completes one piece of open work and removes it. budget, if not nil, is the number of changes it may make;
// errLater says that it did not suffice.
func (s *Service) roll(ctx context.Context, ts *store.TenantStore, w work, budget *allowance) error {
	switch w.kind {
	case workGone:
		return s.rollGone(ctx, ts, w, budget)
	case workMembers:
		return s.rollMembers(ctx, ts, w, budget)
	case workResolve:
		return s.rollResolve(ctx, ts, budget, w)
	}
	return fmt.Errorf("directory: unknown kind of work %q", w.kind)
}

// allowance is the number of changes that a roll-forward may still make; nil is any number.
type allowance struct{ left atomic.Int64 }

func newAllowance(n int64) *allowance {
	a := &allowance{}
	a.left.Store(n)
	return a
}

// spend takes n from an allowance.
func spend(budget *allowance, n int) error {
	if budget != nil && budget.left.Add(int64(-n)) < 0 {
		return errLater
	}
	return nil
}

// rollGone removes the rest of a deleted resource.
func (s *Service) rollGone(ctx context.Context, ts *store.TenantStore, w work, budget *allowance) error {
	var seen, in bool
	g, gctx := task.WithContext(ctx)
	g.Go(func() (err error) {
		in, err = s.eachOwner(gctx, ts, ts.MemberOfPrefix(w.Target), budget,
			func(ctx context.Context, group string) error {
				return s.dropMember(ctx, ts, group, w.Target)
			})
		return err
	})
	g.Go(func() (err error) {
		if w.group {
			seen, err = s.dropMembers(gctx, ts, w.Target, budget)
			return err
		}
		_, err = s.eachOwner(gctx, ts, ts.LookupPrefix(row.UserManager, w.Target), budget,
			func(ctx context.Context, user string) error {
				return s.unlinkManager(ctx, ts, user, w.Target)
			})
		return err
	})
	if err := g.Wait(); err != nil {
		return err
	}
	if !seen && !in && budget != nil {
		// The request itself looked right after its commit: no read can have seen anything, in either order of its
		// calls.
		return ts.Write(ctx, store.RemoveItem(ts.Work(w.id)))
	}
	closing := Begin(ts)
	closing.Must(s.closing(ts.Keys, w), errGone)
	if err := s.Commit(ctx, closing); err != nil && !errors.Is(err, errGone) {
		return err
	}
	return nil
}

// stepsAtOnce is the number of steps of open work that are done in parallel.
const stepsAtOnce = 8

// eachOwner calls step for the last part of every key under a prefix, several at a time; any says that there are such
// keys.
func (s *Service) eachOwner(ctx context.Context, ts *store.TenantStore, prefix store.Key, budget *allowance,
	step func(context.Context, string) error,
) (any bool, err error) {
	g, gctx := task.WithContext(ctx)
	g.SetLimit(stepsAtOnce)
	for it, e := range ts.All(gctx, store.Query{PK: prefix.PK, Prefix: prefix.SK, Select: store.KeysOnly}) {
		if any = true; e == nil {
			e = spend(budget, 1)
		}
		if err = e; err != nil {
			break
		}
		g.Go(func() error { return step(gctx, store.LastPart(it.SK)) })
	}
	if failed := g.Wait(); failed != nil {
		return any, failed
	}
	return any, err
}

// dropMembers removes the members of a deleted group. Nobody can add one any more, since that takes the group's item,
// and its id never comes again: so the removals need no condition. seen says that there were any.
func (s *Service) dropMembers(ctx context.Context, ts *store.TenantStore, groupID string, budget *allowance) (
	seen bool, err error,
) {
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
		step := Write{ts: ts, step: true}
		for _, it := range page.Items {
			value := store.LastPart(it.SK)
			if row.Text(scim.Object(it.Attrs), "type") == "" {
				pairs = append(pairs, store.RemoveItem(waitingMember(ts.Keys, groupID, value)))
			} else {
				pairs = append(pairs, store.RemoveItem(ts.MemberOf(value, groupID)))
				step.Touched.Users = append(step.Touched.Users, value)
			}
			members = append(members, store.RemoveItem(it.Key))
		}
		carries, err := s.carryAlong(ctx, &step)
		if err != nil {
			return seen, err
		}
		if carries {
			s.Carried(ts.TenantID())
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

// errGone says that the items that a step of open work was to change are not there any more: another caller has
// done it.
var errGone = errors.New("directory: already done")

// dropMember removes a deleted resource from a group that it was a member of. A member of that value that names nobody
// is another, which came later.
func (s *Service) dropMember(ctx context.Context, ts *store.TenantStore, groupID, id string) error {
	member, pair := ts.Member(groupID, id), ts.MemberOf(id, groupID)
	return s.changeMembers(ctx, ts, groupID, id, memberStep{
		leftovers: []store.Key{member, pair},
		add: func(w *Write, _ bool, _ int64) (grown int64) {
			w.Must(store.RemoveItem(member).When(store.IsThere(), store.IsNot("type", TypeNone)), errGone)
			w.Add(store.RemoveItem(pair))
			return -1
		},
	})
}

// memberStep is one step of open work on a group's members.
type memberStep struct {
	// leftovers are removed if the group itself is gone, and so will not come again.
	leftovers []store.Key
	// add appends the operations. It gets whether the value is a member so far, and the group's time of change;
	// it returns by how many members it makes the group larger.
	add func(w *Write, isMember bool, at int64) (grown int64)
}

// changeMembers does one step of open work on a group's members: version and time of the group move with it. A step
// that fails with errGone is done already.
func (s *Service) changeMembers(
	ctx context.Context, ts *store.TenantStore, groupID, value string, step memberStep,
) error {
	err := s.Retry(ctx, func() error {
		items, err := ts.Get(ctx, ts.Group(groupID), ts.Member(groupID, value))
		if err != nil {
			return err
		}
		if items[0].Attrs == nil {
			ops := make([]store.Op, len(step.leftovers))
			for i, key := range step.leftovers {
				ops[i] = store.RemoveItem(key)
			}
			return ts.Batch(ctx, ops...)
		}
		if open := row.Text(scim.Object(items[0].Attrs), row.AttrOpen); open != "" {
			if err := s.FinishGroup(ctx, ts, open, nil); err != nil {
				return err
			}
			return store.ErrStale
		}
		w := Begin(ts)
		touch := s.TouchGroup(ts.Keys, groupID)
		at := s.Later(row.FromMillis(items[0].Attrs[row.AttrModified])).UnixMilli()
		touch.Set[row.AttrModified] = at
		w.Must(touch, store.ErrStale)
		grown := step.add(w, items[1].Attrs != nil, at)
		if grown != 0 {
			touch.Add[row.AttrMembers] = grown // of the operation above, which shares the map
		}
		return s.Commit(ctx, w)
	})
	if errors.Is(err, errGone) {
		return nil
	}
	return err
}

// TouchGroup moves a group's version and time of change, provided it is there and has no open membership change.
func (s *Service) TouchGroup(k store.Keys, id string) store.Op {
	return store.Op{
		Kind: store.Update, Key: k.Group(id),
		Set: store.Attrs{row.AttrModified: s.Now().UnixMilli()}, Add: map[string]int64{row.AttrVersion: 1},
		If: []store.Cond{{Test: store.Exists}, {Test: store.AttrAbsent, Attr: row.AttrOpen}},
	}
}

// FinishGroup rolls forward the open membership change of a group, if it is still open.
func (s *Service) FinishGroup(ctx context.Context, ts *store.TenantStore, workID string, budget *allowance) error {
	items, err := ts.Get(ctx, ts.Work(workID))
	if err != nil || items[0].Attrs == nil {
		return err
	}
	w, err := decodeWork(items[0])
	if err != nil || !w.closed.IsZero() {
		return err
	}
	return s.rollMembers(ctx, ts, w, budget)
}

// FinishSome is FinishGroup for at most some changes. It reports whether the group has no open change any more.
func (s *Service) FinishSome(ctx context.Context, ts *store.TenantStore, groupID string, most int64) (bool, error) {
	items, err := ts.Get(ctx, ts.Group(groupID))
	if err != nil || row.Text(scim.Object(items[0].Attrs), row.AttrOpen) == "" {
		return err == nil, err
	}
	err = s.FinishGroup(ctx, ts, row.Text(scim.Object(items[0].Attrs), row.AttrOpen), newAllowance(most))
	if errors.Is(err, errLater) {
		return false, nil
	}
	return err == nil, err
}
