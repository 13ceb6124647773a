package directory

import (
	"context"
	"errors"

	"github.com/serverless-scim/serverless-scim/pkg/scim"
	"github.com/serverless-scim/serverless-scim/pkg/store"
)

// overlay is the open work of a tenant as far as it bears on what a read shows. Reads get it beside their own first round; it
// normally is empty.
//
// Chunks are read before the members they may be missing from: a chunk that is applied in between is then seen twice, which does no
// harm, and never not at all.
type overlay struct {
	gone   map[string]bool // deleted resources
	open   []work          // changes of members, not yet rolled forward
	closed bool            // some work was completed a moment ago
}

// empty reports whether memberships read beside the overlay are right as they are.
func (o overlay) empty() bool { return len(o.gone) == 0 && len(o.open) == 0 && !o.closed }

func (d *Directory) overlay(ctx context.Context, ts *store.TenantStore) (overlay, error) {
	o := overlay{gone: map[string]bool{}}
	all, err := openWork(ctx, ts)
	for _, w := range all {
		switch {
		case !w.closed.IsZero():
			o.closed = o.closed || d.o.Now().Sub(w.closed) < linger
		case w.kind == workGone:
			o.gone[w.target] = true
		case w.kind == workMembers:
			o.open = append(o.open, w)
		}
	}
	return o, err
}

// changesOf reads what is left of the open changes of a group, by member value.
func (o overlay) changesOf(ctx context.Context, ts *store.TenantStore, groupID string) (map[string]change, error) {
	changes := map[string]change{}
	for _, w := range o.open {
		if w.target != groupID {
			continue
		}
		prefix := ts.ChunkPrefix(w.id)
		for it, err := range ts.All(ctx, store.Query{PK: prefix.PK, Prefix: prefix.SK}) {
			if err != nil {
				return nil, err
			}
			chunk, err := decodeChunk(it)
			if err != nil {
				return nil, err
			}
			for _, c := range chunk {
				changes[c.value] = c
			}
		}
	}
	return changes, nil
}

// changeFor reads what the open changes of all groups say about one member: for each the one chunk in which it can be, since
// chunks are in order of value.
func (o overlay) changeFor(ctx context.Context, ts *store.TenantStore, value string) (map[string]bool, error) {
	groups := map[string]bool{} // group id -> is to be a member
	for _, w := range o.open {
		page, err := ts.Query(ctx, store.Query{
			PK: ts.Chunk(w.id, value).PK, From: ts.ChunkPrefix(w.id).SK, To: ts.Chunk(w.id, value).SK, Reverse: true, Limit: 1,
		})
		if err != nil {
			return nil, err
		}
		for _, it := range page.Items {
			chunk, err := decodeChunk(it)
			if err != nil {
				return nil, err
			}
			for _, c := range chunk {
				if c.value == value {
					groups[w.target] = c.add
				}
			}
		}
	}
	return groups, nil
}

// errTooLarge says that members do not fit the answer.
var errTooLarge = errors.New("directory: the members do not fit the answer")

// memberReader collects the members of groups for one answer, within its size.
type memberReader struct {
	t     Tenant
	ts    *store.TenantStore
	limit int // bytes left
}

// memberOverhead is what a member takes in an answer beside its own texts and the base URL.
const memberOverhead = 80

func (m *memberReader) element(v member) (scim.Object, error) {
	o := v.object()
	m.limit -= len(v.value) + len(v.display) + memberOverhead
	switch v.typ {
	case memberUser:
		o["$ref"] = location(m.t, userType, v.value)
	case memberGroup:
		o["$ref"] = location(m.t, groupType, v.value)
	}
	if v.typ != memberNone {
		m.limit -= len(m.t.BaseURL) + len(v.value)
	}
	if m.limit < 0 {
		return nil, errTooLarge
	}
	return o, nil
}

// read returns the members of a group in order of value.
func (m *memberReader) read(ctx context.Context, o overlay, groupID string) ([]any, error) {
	changes, err := o.changesOf(ctx, m.ts, groupID)
	if err != nil {
		return nil, err
	}
	list := []any{}
	take := func(v member) error {
		if o.gone[v.value] {
			return nil
		}
		element, err := m.element(v)
		list = append(list, element)
		return err
	}
	prefix := m.ts.MemberPrefix(groupID)
	for it, err := range m.ts.All(ctx, store.Query{PK: prefix.PK, Prefix: prefix.SK}) {
		if err != nil {
			return nil, err
		}
		v := storedMember(lastPart(it.SK), it)
		if c, changed := changes[v.value]; changed {
			if !c.add {
				continue
			}
			delete(changes, v.value)
		}
		if err := take(v); err != nil {
			return nil, err
		}
	}
	for _, c := range changes {
		if !c.add {
			continue
		}
		if err := take(c.member); err != nil {
			return nil, err
		}
	}
	return list, nil
}

func membersDoNotFit(name string) error {
	return scim.BadRequest(scim.TooMany,
		"The members of group %q do not fit one answer. Leave them out with excludedAttributes=members, or ask for single ones with the filter members.value eq \"…\".",
		short(name))
}
