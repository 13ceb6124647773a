package membership

import (
	"context"
	"slices"
	"time"

	"github.com/serverless-scim/serverless-scim/pkg/directory/row"
	"github.com/serverless-scim/serverless-scim/pkg/scim"
	"github.com/serverless-scim/serverless-scim/pkg/scim/schema"
	"github.com/serverless-scim/serverless-scim/pkg/store"
	"github.com/serverless-scim/serverless-scim/pkg/task"
)

// Beside runs read in parallel with the reading of the open work. If the open work requires it, read runs again
// afterwards: see linger. If a large change is committed at that moment, read may see a part of it. So Beside is only
// for items of which a change touches one.
func (s *Service) Beside(ctx context.Context, ts *store.TenantStore, read func(context.Context, Overlay) error) error {
	return s.BesideUnless(ctx, ts, Overlay.empty, read)
}

// BesideUnless is Beside for a read that is right as well under an overlay that is fine.
func (s *Service) BesideUnless(ctx context.Context, ts *store.TenantStore, fine func(Overlay) bool,
	read func(context.Context, Overlay) error,
) error {
	began := s.Now()
	var o Overlay
	g, gctx := task.WithContext(ctx)
	g.Go(func() (err error) {
		o, err = s.overlay(gctx, ts)
		return err
	})
	if err := g.Join(func() error { return read(gctx, Overlay{}) }); err != nil {
		return err
	}
	if fine(o) && s.Now().Sub(began) < linger/2 {
		return nil
	}
	return read(ctx, o)
}

// Behind runs read, and then looks at the open work. If read may have seen only a part of a large change of the
// group's members (with "": of any group's), it runs read again, under the open work. It returns the open work that
// it saw last.
func (s *Service) Behind(ctx context.Context, ts *store.TenantStore, groupID string,
	read func(context.Context, Overlay) error,
) (Overlay, error) {
	const tries = 5 // a group that changes more often than that is shown as it was found
	var known Overlay
	// a read took so long that completed work may have been gone before it ended: once more may help, again would not
	slow := false
	for n := 1; ; n++ {
		began := s.Now()
		if err := read(ctx, known); err != nil {
			return known, err
		}
		o, err := s.overlay(ctx, ts)
		late := s.Now().Sub(began) >= linger/2
		if err != nil || n == tries || known.knew(o, groupID) && (!late || slow) {
			return o, err
		}
		slow = late
		known = o
	}
}

// BehindAll is Behind for a read that leaves out deleted resources, and so has to know of these as well.
func (s *Service) BehindAll(ctx context.Context, ts *store.TenantStore, groupID string,
	read func(context.Context, Overlay) error,
) (Overlay, error) {
	o, err := s.Behind(ctx, ts, groupID, read)
	if err != nil || len(o.Gone) == 0 {
		return o, err
	}
	return o, read(ctx, o)
}

// GroupsOf returns the ids of the groups that a user is a direct member of, in order. Deleted groups may be among
// them: they are left out when the groups are shown.
func (s *Service) GroupsOf(ctx context.Context, ts *store.TenantStore, id string) (groups []string, err error) {
	err = s.BesideUnless(ctx, ts, Overlay.Quiet, func(ctx context.Context, o Overlay) (err error) {
		groups, _, err = o.GroupsOf(ctx, ts, id)
		return err
	})
	return groups, err
}

// GroupsOf returns the same under an overlay that was read before, and how many pages of the engine it took.
func (o Overlay) GroupsOf(ctx context.Context, ts *store.TenantStore, id string) (
	groups []string, pages int, err error,
) {
	changed, err := o.ChangeFor(ctx, ts, id)
	if err != nil {
		return nil, 0, err
	}
	prefix := ts.MemberOfPrefix(id)
	for page, err := range ts.Pages(ctx, store.Query{PK: prefix.PK, Prefix: prefix.SK, Select: store.KeysOnly}) {
		if err != nil {
			return nil, 0, err
		}
		pages++
		for _, it := range page.Items {
			groups = append(groups, store.LastPart(it.SK))
		}
	}
	groups = slices.DeleteFunc(groups, func(g string) bool {
		c, open := changed[g]
		return open && !c.Add
	})
	for group, c := range changed {
		if c.Add && !slices.Contains(groups, group) {
			groups = append(groups, group)
		}
	}
	slices.Sort(groups)
	return groups, pages, nil
}

// GroupReference is a group as a user's `groups` show it, with its version, which moves with its name and its members.
type GroupReference struct {
	Shown    scim.Object
	Version  int64
	Modified time.Time
}

// GroupReferences reads groups by id; deleted ones are missing.
func (s *Service) GroupReferences(ctx context.Context, t row.Tenant, ts *store.TenantStore, ids []string) (
	map[string]GroupReference, error,
) {
	byID := map[string]GroupReference{}
	if len(ids) == 0 {
		return byID, nil
	}
	items, err := ts.Get(ctx, store.EachKey(ids, ts.Group)...)
	if err != nil {
		return nil, err
	}
	for _, it := range items {
		if it.Attrs == nil {
			continue
		}
		r, err := row.Decode(schema.GroupType(), it)
		if err != nil {
			return nil, err
		}
		byID[r.ID] = GroupReference{Version: r.Version, Modified: r.Modified, Shown: scim.Object{
			"value": r.ID, "$ref": row.Location(t, schema.GroupType(), r.ID), "display": row.DisplayOf(r.Doc),
			"type": "direct",
		}}
	}
	return byID, nil
}

// SetGroups puts a user's groups into its answer; a user without groups has no such attribute.
func SetGroups(doc scim.Object, ids []string, byID map[string]GroupReference) {
	var list []any
	for _, id := range ids {
		if ref, exists := byID[id]; exists {
			list = append(list, ref.Shown)
		}
	}
	if len(list) > 0 {
		doc["groups"] = list
	}
}
