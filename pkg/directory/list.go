package directory

import (
	"context"
	"errors"
	"strings"

	"golang.org/x/sync/errgroup"

	"github.com/serverless-scim/serverless-scim/pkg/scim/filter"
	"github.com/serverless-scim/serverless-scim/pkg/scim/schema"
	"github.com/serverless-scim/serverless-scim/pkg/store"
)

// List answers a query (RFC 7644, section 3.4.2). Results are in order of id, which no change moves.
func (d *Directory) List(ctx context.Context, t Tenant, rt *schema.ResourceType, q ListQuery) (List, error) {
	l := &lister{d: d, t: t, ts: d.store.Tenant(t.ID), rt: rt, q: q, left: q.MaxBytes}
	if l.left <= 0 {
		l.left = MaxAnswerBytes
	}
	l.attach = q.Selection.Wants(rt, l.attached())
	if q.Filter == nil {
		return l.all(ctx)
	}
	m, err := filter.Bind(q.Filter, rt, t.Dialect)
	if err != nil {
		return List{}, err
	}
	l.match, l.filterAttaches = m, mentions(q.Filter, rt, l.attached())
	ids, narrow, err := d.planner(t, l.ts, rt).candidates(ctx, q.Filter)
	if err != nil {
		return List{}, err
	}
	if narrow {
		err = l.narrow(ctx, ids)
	} else {
		err = l.scan(ctx)
	}
	if err != nil {
		return List{}, err
	}
	return l.done(ctx, l.matched)
}

// lister makes one page.
type lister struct {
	d  *Directory
	t  Tenant
	ts *store.TenantStore
	rt *schema.ResourceType
	q  ListQuery

	match          *filter.Matcher
	attach         bool // groups or members are part of the answer
	filterAttaches bool // the filter asks about them
	matched        int  // matches so far
	left           int  // bytes left on the page
	full           bool // nothing more fits the page
	page           []Resource
}

// attached is the attribute that is not part of the stored document.
func (l *lister) attached() string {
	if isGroup(l.rt) {
		return "members"
	}
	return "groups"
}

func (l *lister) partition() string { return resourceKey(l.ts.Keys, l.rt, "").PK }

// all answers a query without a filter: the total from the counters, the page from the partition, what is before it skipped by key.
func (l *lister) all(ctx context.Context) (List, error) {
	var sum int
	g, gctx := errgroup.WithContext(ctx)
	g.Go(func() (err error) {
		sum, err = total(gctx, l.ts, l.rt.ID)
		return err
	})
	g.Go(func() error {
		if l.q.Count == 0 {
			return nil
		}
		after, beyond, err := l.skip(gctx, l.q.StartIndex-1)
		if err != nil || beyond {
			return err
		}
		for it, err := range l.ts.All(gctx, store.Query{PK: l.partition(), After: after, Limit: l.q.Count}) {
			if err != nil {
				return err
			}
			if len(l.page) == l.q.Count || l.full {
				return nil
			}
			if err := l.take(it); err != nil {
				return err
			}
		}
		return nil
	})
	if err := g.Wait(); err != nil {
		return List{}, err
	}
	return l.done(ctx, sum)
}

// skip returns the key that n resources end at; beyond says that there are no more than n.
func (l *lister) skip(ctx context.Context, n int) (after string, beyond bool, err error) {
	for n > 0 {
		page, err := l.ts.Query(ctx, store.Query{PK: l.partition(), After: after, Limit: n, Select: store.KeysOnly})
		if err != nil {
			return "", false, err
		}
		if n -= page.Count; page.Count > 0 {
			after = page.Items[page.Count-1].SK
		}
		if !page.More && n > 0 {
			return "", true, nil
		}
	}
	return after, false, nil
}

// take puts an item on the page, unless it would pass the page's size.
func (l *lister) take(it store.Item) error {
	r, err := decodeRecord(l.rt, it)
	if err != nil {
		return err
	}
	l.add(l.d.resource(l.t, r), r.bytes)
	return nil
}

// metaBytes is about what id, meta and the list take in an answer beside the stored document.
const metaBytes = 400

func (l *lister) add(res Resource, bytes int) {
	bytes += metaBytes + len(l.t.BaseURL)
	if bytes > l.left && len(l.page) > 0 {
		l.full = true
		return
	}
	l.left -= bytes
	l.page = append(l.page, res)
}

// consider holds one resource against the filter and puts it on the page where it belongs there.
func (l *lister) consider(ctx context.Context, it store.Item) error {
	r, err := decodeRecord(l.rt, it)
	if err != nil {
		return err
	}
	res := l.d.resource(l.t, r)
	if l.filterAttaches {
		page := []Resource{res}
		if err := l.attachTo(ctx, page); err != nil {
			return err
		}
	}
	if !l.match.Match(res.Doc) {
		return nil
	}
	l.matched++
	if l.matched >= l.q.StartIndex && len(l.page) < l.q.Count && !l.full {
		l.add(res, r.bytes)
	}
	return nil
}

// narrow reads the candidates.
func (l *lister) narrow(ctx context.Context, ids []string) error {
	for len(ids) > 0 {
		n := min(len(ids), 4*store.MaxGetKeys)
		keys := make([]store.Key, n)
		for i, id := range ids[:n] {
			keys[i] = resourceKey(l.ts.Keys, l.rt, id)
		}
		items, err := l.ts.Get(ctx, keys...)
		if err != nil {
			return err
		}
		for _, it := range items {
			if it.Attrs == nil {
				continue
			}
			if err := l.consider(ctx, it); err != nil {
				return err
			}
		}
		ids = ids[n:]
	}
	return nil
}

// scan reads every resource of the type.
func (l *lister) scan(ctx context.Context) error {
	for it, err := range l.ts.All(ctx, store.Query{PK: l.partition()}) {
		if err != nil {
			return err
		}
		if err := l.consider(ctx, it); err != nil {
			return err
		}
	}
	return nil
}

// done completes the page with groups or members.
func (l *lister) done(ctx context.Context, sum int) (List, error) {
	if l.attach && !l.filterAttaches {
		if err := l.attachTo(ctx, l.page); err != nil {
			return List{}, err
		}
	}
	return List{Total: sum, StartIndex: l.q.StartIndex, Resources: l.page}, nil
}

func (l *lister) attachTo(ctx context.Context, page []Resource) error {
	if len(page) == 0 {
		return nil
	}
	if isGroup(l.rt) {
		return l.attachMembers(ctx, page)
	}
	return l.attachGroups(ctx, page)
}

// attachGroups adds their groups to users: those of a page that follows the order of ids by one range read.
func (l *lister) attachGroups(ctx context.Context, page []Resource) error {
	o, err := l.d.overlay(ctx, l.ts)
	if err != nil {
		return err
	}
	groups := make([][]string, len(page))
	if len(o.open) == 0 && len(page) > 8 && l.match == nil {
		err = l.groupsInRange(ctx, page, groups)
	} else {
		g, gctx := errgroup.WithContext(ctx)
		g.SetLimit(16)
		for i, res := range page {
			g.Go(func() (err error) {
				groups[i], err = o.groupsOf(gctx, l.ts, res.ID)
				return err
			})
		}
		err = g.Wait()
	}
	if err != nil {
		return err
	}
	var all []string
	seen := map[string]bool{}
	for _, list := range groups {
		for _, id := range list {
			if !seen[id] {
				seen[id] = true
				all = append(all, id)
			}
		}
	}
	byID, err := l.d.groupReferences(ctx, l.t, l.ts, all)
	if err != nil {
		return err
	}
	for i, res := range page {
		setGroups(res.Doc, groups[i], byID)
	}
	return nil
}

func (l *lister) groupsInRange(ctx context.Context, page []Resource, groups [][]string) error {
	from, to := l.ts.MemberOfPrefix(page[0].ID), l.ts.MemberOf(page[len(page)-1].ID, "\U0010FFFF")
	i := 0
	for it, err := range l.ts.All(ctx, store.Query{PK: from.PK, From: from.SK, To: to.SK, Select: store.KeysOnly}) {
		if err != nil {
			return err
		}
		parts := store.Split(it.SK)
		for i < len(page) && page[i].ID < parts[0] {
			i++
		}
		if i < len(page) && page[i].ID == parts[0] {
			groups[i] = append(groups[i], parts[1])
		}
	}
	return nil
}

// attachMembers adds their members to groups. A page ends before the group whose members do not fit it any more; a group that
// does not fit a page of its own is an error.
func (l *lister) attachMembers(ctx context.Context, page []Resource) error {
	o, err := l.d.overlay(ctx, l.ts)
	if err != nil {
		return err
	}
	reader := memberReader{t: l.t, ts: l.ts, limit: l.left}
	for i, res := range page {
		members, err := reader.read(ctx, o, res.ID)
		if errors.Is(err, errTooLarge) && i > 0 && !l.filterAttaches {
			l.page = page[:i]
			return nil
		}
		if errors.Is(err, errTooLarge) {
			return membersDoNotFit(text(res.Doc, "displayName"))
		}
		if err != nil {
			return err
		}
		res.Doc["members"] = members
	}
	return nil
}

// mentions reports whether a filter asks about an attribute.
func mentions(e filter.Expr, rt *schema.ResourceType, attribute string) bool {
	switch e := e.(type) {
	case filter.And:
		return mentions(e.L, rt, attribute) || mentions(e.R, rt, attribute)
	case filter.Or:
		return mentions(e.L, rt, attribute) || mentions(e.R, rt, attribute)
	case filter.Not:
		return mentions(e.X, rt, attribute)
	case filter.Compare:
		ref, ok := rt.Lookup(e.Path.Name, false)
		return ok && ref.Attr != nil && strings.EqualFold(ref.Attr.Name, attribute)
	case filter.Match:
		ref, ok := rt.Lookup(e.Path.Name, false)
		return ok && ref.Attr != nil && strings.EqualFold(ref.Attr.Name, attribute)
	}
	return false
}
