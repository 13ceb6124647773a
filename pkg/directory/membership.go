package directory

import (
	"context"
	"maps"
	"slices"

	"github.com/serverless-scim/serverless-scim/pkg/scim"
	"github.com/serverless-scim/serverless-scim/pkg/scim/patch"
	"github.com/serverless-scim/serverless-scim/pkg/scim/schema"
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

// maxReferenceBytes bounds the value of a member or manager.
const maxReferenceBytes = 512

// member is a member of a group: as asked for, or as stored.
type member struct {
	value   string // the id of a user or group, or a value that names nobody
	typ     string
	display string
	at      int64 // when it became one, in Unix milliseconds; 0 of a member of an earlier version
}

// change is one membership that a write adds or removes.
type change struct {
	member
	add bool
}

// edit is what the operations of a request do to the members of a group, still in terms of the values that the client
// sent.
type edit struct {
	t     Tenant
	steps []patch.CollectionChange
	// check, if set, refuses the edit when it is known whom it names.
	check func(membership) error
}

// replaceMembers is the edit of a request that carries the whole list of members.
func replaceMembers(t Tenant, list []any) (edit, error) {
	step := patch.CollectionChange{Kind: patch.Replace}
	for _, v := range list {
		if m, ok := v.(scim.Object); ok {
			step.Values = append(step.Values, m)
		}
	}
	return edit{t: t, steps: []patch.CollectionChange{step}}, nil
}

// whole reports whether the edit needs the present list of members: it sets the list, or removes by something else than
// values.
func (e edit) whole() bool {
	return slices.ContainsFunc(e.steps, func(s patch.CollectionChange) bool {
		return s.Kind == patch.Replace || s.All || s.Filter != nil && s.Eq == nil
	})
}

// values lists the member values that the edit names, each once.
func (e edit) values() ([]string, error) {
	seen := map[string]bool{}
	var all []string
	note := func(v string) {
		if !seen[v] {
			seen[v] = true
			all = append(all, v)
		}
	}
	for _, s := range e.steps {
		for _, m := range s.Values {
			value := text(m, "value")
			if value == "" || tooLong(value) {
				return nil, errReference("A member's value", value)
			}
			if shown := text(m, "display"); tooLong(shown) {
				return nil, errReference("A member's display", shown)
			}
			note(value)
		}
		for _, v := range s.Eq {
			if v != "" && !tooLong(v) { // else it is no member
				note(v)
			}
		}
	}
	return all, nil
}

// tooLong reports whether a reference's value has no place in a key, which escapes control characters by two bytes.
func tooLong(value string) bool { return len(store.Join(value)) > maxReferenceBytes }

func errReference(what, value string) error {
	return scim.BadRequest(scim.InvalidValue,
		"%s is 1 to %d bytes long, of which control characters count twice: %q is not.",
		what, maxReferenceBytes, short(value))
}

func tooManyChanges() error {
	return scim.Errorf(413, scim.NoType,
		"One request may change at most %d memberships of a group. Send the change in several requests.",
		MaxMembershipChanges)
}

// membership is what is known about the values that an edit names.
type membership struct {
	named   map[string]member // by value as sent: who it names
	present map[string]member // by value as stored: the members among them
}

// lookUpAtOnce is the number of values that are looked up together: so many users' documents are in memory at a time.
const lookUpAtOnce = 1000

// knowMembers finds out who the values name and which of them are members of the group: one round where every value is
// a user's id, more for those that are not. stored says that members are not among ms.present yet.
func (d *Directory) knowMembers(ctx context.Context, ts *store.TenantStore, groupID string, values []string,
	stored bool, read fetched, ms membership,
) error {
	for part := range slices.Chunk(values, lookUpAtOnce) {
		keys := make([]store.Key, 0, 2*len(part))
		for _, v := range part {
			if keys = append(keys, ts.User(v)); stored {
				keys = append(keys, ts.Member(groupID, v))
			}
		}
		items, err := read.get(ctx, ts, keys)
		if err != nil {
			return err
		}
		unknown, err := ms.know(part, items, stored)
		if err != nil {
			return err
		}
		if len(unknown) == 0 {
			continue
		}
		if err := d.knowOthers(ctx, ts, groupID, unknown, ms); err != nil {
			return err
		}
	}
	return nil
}

// know takes up the items of users, and where stored each with the member beside it, and returns the values that are no
// user's id.
func (ms membership) know(values []string, items []store.Item, stored bool) (unknown []string, err error) {
	for _, v := range values {
		user := items[0]
		items = items[1:]
		if stored {
			if items[0].Attrs != nil {
				ms.present[v] = storedMember(v, items[0])
			}
			items = items[1:]
		}
		m, isMember := ms.present[v]
		switch {
		case user.Attrs != nil:
			r, err := decodeRecord(schema.UserType(), user)
			if err != nil {
				return nil, err
			}
			ms.named[v] = member{value: v, typ: memberUser, display: displayOf(r.doc)}
		case isMember && m.typ == memberNone:
			ms.named[v] = m
		default:
			unknown = append(unknown, v)
		}
	}
	return unknown, nil
}

// fetched are items that were read beside something else, by key.
type fetched map[store.Key]store.Item

// get returns the items of keys: what is fetched already, else all of them.
func (f fetched) get(ctx context.Context, ts *store.TenantStore, keys []store.Key) ([]store.Item, error) {
	items := make([]store.Item, len(keys))
	for i, k := range keys {
		it, there := f[k]
		if !there {
			return ts.Get(ctx, keys...)
		}
		items[i] = it
	}
	return items, nil
}

// knowOthers adds to ms the values that are no user's id: groups, users by userName or externalId, and those that name
// nobody.
func (d *Directory) knowOthers(ctx context.Context, ts *store.TenantStore, groupID string, values []string,
	ms membership,
) error {
	keys := make([]store.Key, 0, 2*len(values))
	for _, v := range values {
		keys = append(keys, ts.Group(v), ts.UserName(scim.Fold(v)))
	}
	items, err := ts.Get(ctx, keys...)
	if err != nil {
		return err
	}
	ids := make([]string, len(values))
	var others []string
	for i, v := range values {
		group, name := items[2*i], items[2*i+1]
		if group.Attrs != nil {
			r, err := decodeRecord(schema.GroupType(), group)
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
		others = append(others, v)
	}
	users, err := usersByExternalID(ctx, ts, others)
	if err != nil {
		return err
	}
	for i, v := range values {
		if id, ok := users[v]; ok {
			ids[i] = id
		}
	}
	return d.knowNamed(ctx, ts, groupID, values, ids, ms)
}

// knowNamed reads the users with the given ids, which the values name by userName or externalId; an empty id names
// nobody.
func (d *Directory) knowNamed(ctx context.Context, ts *store.TenantStore, groupID string, values, ids []string,
	ms membership,
) error {
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
		r, err := decodeRecord(schema.UserType(), user)
		if err != nil {
			return err
		}
		ms.named[v] = member{value: ids[i], typ: memberUser, display: displayOf(r.doc)}
	}
	return nil
}

func storedMember(value string, it store.Item) member {
	attrs := scim.Object(it.Attrs)
	at, _ := it.Attrs[attrAt].(int64)
	return member{value: value, typ: text(attrs, "type"), display: text(attrs, "display"), at: at}
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
	t     Tenant
	clear bool              // nobody stays but those added
	add   map[string]member // by value as stored
	drop  map[string]bool   // by value as stored
	where []patch.CollectionChange
}

// sum adds up the steps in their order.
func (e edit) sum(ms membership) intent {
	in := intent{t: e.t, add: map[string]member{}, drop: map[string]bool{}}
	for _, s := range e.steps {
		if s.Kind == patch.Replace || s.All {
			in = intent{t: e.t, clear: true, add: map[string]member{}, drop: map[string]bool{}}
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
			maps.DeleteFunc(in.add, func(_ string, m member) bool { return s.Filter.Match(m.object(e.t)) })
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
		slices.ContainsFunc(in.where, func(s patch.CollectionChange) bool { return s.Filter.Match(m.object(in.t)) })
}

// memberChanges returns what an edit changes, in order of value. A fresh group has no members yet.
func (d *Directory) memberChanges(ctx context.Context, ts *store.TenantStore, groupID string, e edit, fresh bool,
	read fetched,
) ([]change, error) {
	values, err := e.values()
	if err != nil {
		return nil, err
	}
	ms := membership{named: map[string]member{}, present: map[string]member{}}
	var leaving []member
	walk := e.whole() && !fresh
	if walk {
		if leaving, err = d.walkMembers(ctx, ts, groupID, e, values, ms); err != nil {
			return nil, err
		}
		values = slices.DeleteFunc(values, func(v string) bool { return ms.named[v].value != "" })
	}
	if err := d.knowMembers(ctx, ts, groupID, values, !walk && !fresh, read, ms); err != nil {
		return nil, err
	}
	if e.check != nil {
		if err := e.check(ms); err != nil {
			return nil, err
		}
	}
	in := e.sum(ms)
	var changes []change
	for _, m := range leaving {
		if _, known := ms.present[m.value]; !known && in.drops(m) {
			changes = append(changes, change{member: m})
		}
	}
	for _, m := range ms.present {
		if in.drops(m) {
			changes = append(changes, change{member: m})
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

// walkMembers reads all members of a group page by page. Those among values it puts into ms: they need no look-up. It
// returns the others that may have to go.
func (d *Directory) walkMembers(ctx context.Context, ts *store.TenantStore, groupID string, e edit, values []string,
	ms membership,
) ([]member, error) {
	sent := make(map[string]bool, len(values))
	for _, v := range values {
		sent[v] = true
	}
	var leaving []member
	prefix := ts.MemberPrefix(groupID)
	for it, err := range ts.All(ctx, store.Query{PK: prefix.PK, Prefix: prefix.SK}) {
		if err != nil {
			return nil, err
		}
		m := storedMember(lastPart(it.SK), it)
		switch {
		case sent[m.value]:
			ms.present[m.value], ms.named[m.value] = m, m
		case e.mayDrop(m):
			// Of these, as many may stay as values name by another name than the id.
			if leaving = append(leaving, m); len(leaving) > MaxMembershipChanges+len(values) {
				return nil, tooManyChanges()
			}
		}
	}
	return leaving, nil
}

// mayDrop reports whether a member that the edit does not name may have to go.
func (e edit) mayDrop(m member) bool {
	return slices.ContainsFunc(e.steps, func(s patch.CollectionChange) bool {
		return s.Kind == patch.Replace || s.All || s.Filter != nil && s.Eq == nil && s.Filter.Match(m.object(e.t))
	})
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
