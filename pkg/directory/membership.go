package directory

import (
	"context"
	"maps"
	"slices"

	"golang.org/x/sync/errgroup"

	"github.com/serverless-scim/serverless-scim/pkg/scim"
	"github.com/serverless-scim/serverless-scim/pkg/scim/patch"
	"github.com/serverless-scim/serverless-scim/pkg/store"
)

// Types of members. A member of no type names nobody (yet).
const (
	memberUser  = "User"
	memberGroup = "Group"
	memberNone  = ""
)

// MaxMembershipChanges is the number of memberships that one request may change.
const MaxMembershipChanges = 20000

// maxMemberBytes bounds a member's value.
const maxMemberBytes = 512

// member is a member of a group: as asked for, or as stored.
type member struct {
	value   string // the id of a user or group, or a value that names nobody
	typ     string
	display string
}

// change is one membership that a write adds or removes.
type change struct {
	member
	add bool
}

// edit is what the operations of a request do to the members of a group, still in terms of the values that the client sent.
type edit struct {
	steps []patch.CollectionChange
}

// replaceMembers is the edit of a request that carries the whole list of members.
func replaceMembers(list []any) (edit, error) {
	step := patch.CollectionChange{Kind: patch.Replace}
	for _, v := range list {
		if m, ok := v.(scim.Object); ok {
			step.Values = append(step.Values, m)
		}
	}
	return edit{steps: []patch.CollectionChange{step}}, nil
}

// whole reports whether the edit needs the present list of members: it sets the list, or removes by something else than values.
func (e edit) whole() bool {
	return slices.ContainsFunc(e.steps, func(s patch.CollectionChange) bool {
		return s.Kind == patch.Replace || s.All || s.Filter != nil && s.Eq == nil
	})
}

// values lists the member values that the edit names, each once.
func (e edit) values() ([]string, error) {
	seen := map[string]bool{}
	var all []string
	note := func(v string) error {
		if len(v) > maxMemberBytes {
			return scim.BadRequest(scim.InvalidValue, "A member's value is at most %d bytes long; %q is longer.", maxMemberBytes, short(v))
		}
		if !seen[v] {
			seen[v] = true
			all = append(all, v)
		}
		return nil
	}
	for _, s := range e.steps {
		for _, m := range s.Values {
			if err := note(text(m, "value")); err != nil {
				return nil, err
			}
		}
		for _, v := range s.Eq {
			if err := note(v); err != nil {
				return nil, err
			}
		}
	}
	if len(all) > MaxMembershipChanges {
		return nil, tooManyChanges()
	}
	return all, nil
}

func tooManyChanges() error {
	return scim.Errorf(413, scim.NoType,
		"One request may change at most %d memberships of a group. Send the change in several requests.", MaxMembershipChanges)
}

// membership is what is known about the values that an edit names.
type membership struct {
	named   map[string]member // by value as sent: who it names
	present map[string]member // by value as stored: the members among them
}

// knowMembers finds out who the values name and which of them are members of the group: one round where every value is a
// user's id, more for those that are not.
func (d *Directory) knowMembers(ctx context.Context, ts *store.TenantStore, groupID string, values []string) (membership, error) {
	ms := membership{named: map[string]member{}, present: map[string]member{}}
	keys := make([]store.Key, 0, 2*len(values))
	for _, v := range values {
		keys = append(keys, ts.User(v), ts.Member(groupID, v))
	}
	items, err := ts.Get(ctx, keys...)
	if err != nil {
		return ms, err
	}
	var unknown []string
	for i, v := range values {
		user, m := items[2*i], items[2*i+1]
		if m.Attrs != nil {
			ms.present[v] = storedMember(v, m)
		}
		switch {
		case user.Attrs != nil:
			r, err := decodeRecord(userType, user)
			if err != nil {
				return ms, err
			}
			ms.named[v] = member{value: v, typ: memberUser, display: displayOf(r.doc)}
		case m.Attrs != nil && ms.present[v].typ == memberNone:
			ms.named[v] = ms.present[v]
		default:
			unknown = append(unknown, v)
		}
	}
	if len(unknown) == 0 {
		return ms, nil
	}
	return ms, d.knowOthers(ctx, ts, groupID, unknown, ms)
}

// knowOthers adds to ms the values that are no user's id: groups, users by userName or externalId, and those that name nobody.
func (d *Directory) knowOthers(ctx context.Context, ts *store.TenantStore, groupID string, values []string, ms membership) error {
	keys := make([]store.Key, 0, 2*len(values))
	for _, v := range values {
		keys = append(keys, ts.Group(v), ts.UserName(scim.Fold(v)))
	}
	items, err := ts.Get(ctx, keys...)
	if err != nil {
		return err
	}
	ids := make([]string, len(values))
	g, gctx := errgroup.WithContext(ctx)
	g.SetLimit(16)
	for i, v := range values {
		group, name := items[2*i], items[2*i+1]
		if group.Attrs != nil {
			r, err := decodeRecord(groupType, group)
			if err != nil {
				return err
			}
			ms.named[v] = member{value: v, typ: memberGroup, display: displayOf(r.doc)}
			continue
		}
		if id, ok := name.Attrs["id"].(string); ok {
			ids[i] = id
			continue
		}
		g.Go(func() (err error) {
			ids[i], err = userByExternalID(gctx, ts, v)
			return err
		})
	}
	if err := g.Wait(); err != nil {
		return err
	}
	return d.knowNamed(ctx, ts, groupID, values, ids, ms)
}

// knowNamed reads the users with the given ids, which the values name by userName or externalId; an empty id names nobody.
func (d *Directory) knowNamed(ctx context.Context, ts *store.TenantStore, groupID string, values, ids []string, ms membership) error {
	var keys []store.Key
	for _, id := range ids {
		if id != "" {
			keys = append(keys, ts.User(id), ts.Member(groupID, id))
		}
	}
	items, err := ts.Get(ctx, keys...)
	if err != nil {
		return err
	}
	next := 0
	for i, v := range values {
		if ids[i] == "" {
			if _, known := ms.named[v]; !known {
				ms.named[v] = member{value: v}
			}
			continue
		}
		user, m := items[next], items[next+1]
		next += 2
		if m.Attrs != nil {
			ms.present[ids[i]] = storedMember(ids[i], m)
		}
		if user.Attrs == nil {
			ms.named[v] = member{value: v}
			continue
		}
		r, err := decodeRecord(userType, user)
		if err != nil {
			return err
		}
		ms.named[v] = member{value: ids[i], typ: memberUser, display: displayOf(r.doc)}
	}
	return nil
}

func storedMember(value string, it store.Item) member {
	attrs := scim.Object(it.Attrs)
	return member{value: value, typ: text(attrs, "type"), display: text(attrs, "display")}
}

// displayOf returns the name by which a user or group is shown where it is referred to.
func displayOf(doc scim.Object) string {
	if name := text(doc, "displayName"); name != "" {
		return name
	}
	return text(doc, "userName")
}

// intent is the sum of an edit's steps.
type intent struct {
	clear bool              // nobody stays but those added
	add   map[string]member // by value as stored
	drop  map[string]bool   // by value as stored
	where []patch.CollectionChange
}

// sum adds up the steps in their order.
func (e edit) sum(ms membership) intent {
	in := intent{add: map[string]member{}, drop: map[string]bool{}}
	for _, s := range e.steps {
		if s.Kind == patch.Replace || s.All {
			in = intent{clear: true, add: map[string]member{}, drop: map[string]bool{}}
		}
		if s.Kind != patch.Remove {
			for _, v := range s.Values {
				m := ms.named[text(v, "value")]
				if shown := text(v, "display"); shown != "" {
					m.display = shown
				}
				in.add[m.value] = m
				delete(in.drop, m.value)
			}
			continue
		}
		for _, v := range s.Eq {
			in.dropValue(v)
			in.dropValue(ms.named[v].value)
		}
		if s.Filter != nil && s.Eq == nil {
			maps.DeleteFunc(in.add, func(_ string, m member) bool { return s.Filter.Match(m.object()) })
			in.where = append(in.where, s)
		}
	}
	return in
}

func (in intent) dropValue(v string) {
	delete(in.add, v)
	in.drop[v] = true
}

// drops reports whether a present member has to go.
func (in intent) drops(m member) bool {
	if _, added := in.add[m.value]; added {
		return false
	}
	return in.clear || in.drop[m.value] ||
		slices.ContainsFunc(in.where, func(s patch.CollectionChange) bool { return s.Filter.Match(m.object()) })
}

// object is a member as a filter sees it.
func (m member) object() scim.Object {
	o := scim.Object{"value": m.value}
	if m.typ != memberNone {
		o["type"] = m.typ
	}
	if m.display != "" {
		o["display"] = m.display
	}
	return o
}

// memberChanges returns what an edit changes, in order of value. Where it needs the whole list it walks it page by page.
func (d *Directory) memberChanges(ctx context.Context, ts *store.TenantStore, groupID string, e edit, fresh bool) ([]change, error) {
	values, err := e.values()
	if err != nil {
		return nil, err
	}
	ms, err := d.knowMembers(ctx, ts, groupID, values)
	if err != nil {
		return nil, err
	}
	in := e.sum(ms)
	var changes []change
	if e.whole() && !fresh {
		clear(ms.present)
		prefix := ts.MemberPrefix(groupID)
		for it, err := range ts.All(ctx, store.Query{PK: prefix.PK, Prefix: prefix.SK}) {
			if err != nil {
				return nil, err
			}
			m := storedMember(lastPart(it.SK), it)
			if _, stays := in.add[m.value]; stays {
				ms.present[m.value] = m
			} else if in.drops(m) {
				changes = append(changes, change{member: m})
			}
			if len(changes) > MaxMembershipChanges {
				return nil, tooManyChanges()
			}
		}
	} else {
		for _, m := range ms.present {
			if in.drops(m) {
				changes = append(changes, change{member: m})
			}
		}
	}
	for value, m := range in.add {
		if _, there := ms.present[value]; !there {
			changes = append(changes, change{member: m, add: true})
		}
	}
	if len(changes) > MaxMembershipChanges {
		return nil, tooManyChanges()
	}
	slices.SortFunc(changes, func(a, b change) int { return compareKeys(a.value, b.value) })
	return changes, nil
}

// compareKeys orders values as the table orders them as part of a sort key.
func compareKeys(a, b string) int {
	a, b = store.Join(a), store.Join(b)
	switch {
	case a < b:
		return -1
	case a > b:
		return 1
	}
	return 0
}

// addMember are the operations that add a user or group to a group.
func addMember(k store.Keys, groupID, id, typ, display string) []store.Op {
	attrs := store.Attrs{"type": typ}
	if display != "" {
		attrs["display"] = display
	}
	return []store.Op{put(k.Member(groupID, id), attrs), put(k.MemberOf(id, groupID), nil)}
}

// stage appends the operations of one change to a transaction. check, if given, is what an added user's disappearance means;
// strict makes the presence of the member itself a condition, with errStale as its meaning.
func (d *Directory) stage(tx *transaction, k store.Keys, groupID string, c change, check error, strict bool) {
	item := k.Member(groupID, c.value)
	switch {
	case c.add && c.typ == memberNone:
		op := put(item, store.Attrs{"type": memberNone, "display": c.display})
		if c.display == "" {
			delete(op.Set, "display")
		}
		tx.condition(op, store.Absent, strict)
		tx.add(put(waitingMember(k, groupID, c.value), nil))
	case c.add:
		ops := addMember(k, groupID, c.value, c.typ, c.display)
		tx.condition(ops[0], store.Absent, strict)
		tx.add(ops[1])
		key := k.User(c.value)
		if c.typ == memberGroup {
			key = k.Group(c.value)
		}
		if c.value != groupID {
			tx.must(store.Op{Kind: store.Check, Key: key, If: exists()}, check)
		}
	case c.typ == memberNone:
		tx.condition(remove(item), store.Exists, strict)
		tx.add(remove(waitingMember(k, groupID, c.value)))
	default:
		tx.condition(remove(item), store.Exists, strict)
		tx.add(remove(k.MemberOf(c.value, groupID)))
	}
}

// condition appends an operation, under a condition whose failure is errStale if strict.
func (tx *transaction) condition(op store.Op, test store.Test, strict bool) {
	if strict {
		tx.must(when(op, store.Cond{Test: test}), errStale)
		return
	}
	tx.add(op)
}

// opsPerChange is the most that stage appends for one change.
const opsPerChange = 3
