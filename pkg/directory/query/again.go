package query

import (
	"context"
	"fmt"
	"slices"

	"github.com/serverless-scim/serverless-scim/pkg/directory/query/lookup"
	"github.com/serverless-scim/serverless-scim/pkg/directory/query/plan"
	"github.com/serverless-scim/serverless-scim/pkg/directory/row"
	"github.com/serverless-scim/serverless-scim/pkg/scim"
	"github.com/serverless-scim/serverless-scim/pkg/scim/schema"
	"github.com/serverless-scim/serverless-scim/pkg/store"
)

// A document and its groups or members are read one after the other, and so may be of different moments. If a document
// has the same version when it is read again, it has not changed, and the groups or members read in between belong to
// it. A group's version changes with its members.

// weigh tests a document, with its groups or members, against the filter. The result is open if it depends on both: the
// combination may never have existed. If one of them decides alone, the resource matched, or did not, at the moment
// when that one was read. An id counts for both: it never changes.
func (k *kind) weigh(doc scim.Object) (matches, open bool) {
	if k.filter == nil {
		return true, false
	}
	matches = k.matches.Match(doc)
	if !k.mixed {
		return matches, false
	}
	name := lookup.Attached(k.rt)
	document := func(r schema.Ref) bool { return !plan.Is(r, name) }
	attached := func(r schema.Ref) bool { return plan.Is(r, name) || plan.Is(r, "id") }
	return matches, !k.matches.Sure(doc, document) && !k.matches.Sure(doc, attached)
}

// errMoving ends a query that found a resource changed each time that it was read: whether it matches is open, and an
// answer without it could be wrong.
var errMoving = fmt.Errorf(
	"directory: a resource changed during each of %d reads: %w", lookup.Rereads, store.ErrConflict,
)

// again notes that the row is about to be read once more. It gives errMoving if that was done too often.
func (r *found) again() error {
	if r.tries++; r.tries > lookup.Rereads {
		return errMoving
	}
	return nil
}

// reread reads the documents of rows again. It returns as same the rows whose version has not changed, and as changed
// the others, with their new documents. Deleted ones are neither.
func (l *lister) reread(ctx context.Context, k *kind, rows []found) (same, changed []found, err error) {
	items, err := l.ts.Get(ctx, l.keys(k, idsOf(rows))...)
	if err != nil {
		return nil, nil, err
	}
	for i, it := range items {
		if it.Attrs == nil {
			continue
		}
		rec, err := row.Decode(k.rt, it)
		if err != nil {
			return nil, nil, err
		}
		r := rows[i]
		if rec.Version == r.res.Version {
			same = append(same, r)
			continue
		}
		if err := r.again(); err != nil {
			return nil, nil, err
		}
		r.bytes, r.res, r.failed = l.size(rec), rec.Resource(l.t), false
		changed = append(changed, r)
	}
	return same, changed, nil
}

// confirm looks up once more which of the rows have the memberships that the filter asks about, as of one moment with
// their documents, and gives those that match to use.
func (l *lister) confirm(ctx context.Context, k *kind, rows []found, use func(found) error) error {
	for len(rows) > 0 {
		ids := slices.Sorted(slices.Values(idsOf(rows)))
		then := *k
		var err error
		if then.known, err = plan.Again(ctx, k.known, ids); err != nil {
			return err
		}
		same, changed, err := l.reread(ctx, k, rows)
		if err != nil {
			return err
		}
		for _, r := range same {
			if then.judge(r.ID, r.res.Doc) < likely {
				continue
			}
			if err := use(r); err != nil {
				return err
			}
		}
		rows = changed
	}
	return nil
}

// decide gives the rows to use that match with the groups or members that they have now, if the answer does not show
// these.
func (l *lister) decide(ctx context.Context, k *kind, rows []found, use func(found) error) error {
	if !k.reads {
		return l.confirm(ctx, k, rows, use)
	}
	return l.hold(ctx, k, rows, false, func(r found) error {
		delete(r.res.Doc, lookup.Attached(k.rt))
		return use(r)
	})
}

// hold reads the groups or members of rows, after their documents, and gives those to use that match together with
// them. In range, the rows follow each other. Those of open results, or whose groups have changed, are read again.
func (l *lister) hold(ctx context.Context, k *kind, rows []found, inRange bool, use func(found) error) error {
	var open, moved []found
	err := l.attachEach(ctx, k, rows, inRange, func(r found) error {
		matches, again := k.weigh(r.res.Doc)
		switch again = again || k.asks && r.split; {
		case k.asks && r.moved:
			moved = append(moved, r)
			return moved[len(moved)-1].detach()
		case again:
			r.failed = !matches
			open = append(open, r)
		case matches:
			return use(r)
		}
		return nil
	})
	if err != nil {
		return err
	}
	if len(moved) > 0 {
		if err := l.hold(ctx, k, moved, inRange, use); err != nil {
			return err
		}
	}
	return l.settle(ctx, k, open, use)
}

// detach takes the groups or members off the row, which are to be read again.
func (r *found) detach() error {
	delete(r.res.Doc, lookup.Attached(r.kind.rt))
	return r.again()
}

// settle reads the documents of rows with open results again, and gives those to use that match: as they are if their
// version is the same, else with new groups or members.
func (l *lister) settle(ctx context.Context, k *kind, rows []found, use func(found) error) error {
	if len(rows) == 0 {
		return nil
	}
	same, changed, err := l.reread(ctx, k, rows)
	if err != nil {
		return err
	}
	for _, r := range same {
		switch {
		case r.failed && r.moved:
			err = r.detach()
			changed = append(changed, r)
		case !r.failed:
			err = use(r)
		}
		if err != nil {
			return err
		}
	}
	return l.hold(ctx, k, changed, false, use)
}

// decode gives the rows with these indexes their documents, if these still match.
func (l *lister) decode(ctx context.Context, items []store.Item, at []int) error {
	open := map[*kind][]found{} // those whose groups or members decide it, and are not read for the answer
	for j, it := range items {
		if err := ctx.Err(); err != nil || it.Attrs == nil {
			if err != nil {
				return err
			}
			continue
		}
		r := &l.rows[at[j]]
		rec, err := row.Decode(r.kind.rt, it)
		if err != nil {
			return err
		}
		l.bytes += rec.Bytes
		r.bytes = l.size(rec)
		r.res = rec.Resource(l.t)
		if r.kind.reads && r.kind.attach {
			continue // see keep
		}
		v := unsure
		if !r.kind.reads {
			v = r.kind.judge(r.ID, r.res.Doc)
		}
		if v == no {
			r.res.Doc = nil
		} else if v != yes && !r.kind.attach {
			open[r.kind] = append(open[r.kind], *r)
		}
	}
	if len(open) == 0 {
		return nil
	}
	passed := map[string]found{}
	pass := func(r found) error { passed[r.ID] = r; return nil }
	for k, rows := range open {
		if err := l.decide(ctx, k, rows, pass); err != nil {
			return err
		}
	}
	for _, i := range at {
		r := &l.rows[i]
		if _, decided := open[r.kind]; decided && r.res.Doc != nil {
			r.res = passed[r.ID].res
		}
	}
	return nil
}

// keep leaves out the rows of a kind that do not match the filter with their groups or members as they are shown.
func (l *lister) keep(ctx context.Context) error {
	for _, k := range l.kinds {
		var open []found
		at := map[string]int{}
		for i := range l.rows {
			if r := &l.rows[i]; r.kind == k && (r.failed || r.open) {
				at[r.ID], open = i, append(open, *r)
				r.res.Doc = nil
			}
		}
		err := l.settle(ctx, k, open, func(r found) error { l.rows[at[r.ID]].res = r.res; return nil })
		if err != nil {
			return err
		}
	}
	return nil
}

// keys are the keys of resources of a kind.
func (l *lister) keys(k *kind, ids []string) []store.Key {
	return store.EachKey(ids, func(id string) store.Key { return row.Key(l.ts.Keys, k.rt, id) })
}
