package membership

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"sort"
	"strings"

	"github.com/serverless-scim/serverless-scim/pkg/directory/row"
	"github.com/serverless-scim/serverless-scim/pkg/scim"
	"github.com/serverless-scim/serverless-scim/pkg/scim/patch"
	"github.com/serverless-scim/serverless-scim/pkg/scim/schema"
	"github.com/serverless-scim/serverless-scim/pkg/store"
)

// Types of members. A member of no type names nobody (yet).
const (
	TypeUser  = "User"
	TypeGroup = "Group"
	TypeNone  = ""
)

// MaxChanges is the number of memberships that one request may change.
const MaxChanges = 20000

// maxReferenceBytes bounds the value of a member or manager.
const maxReferenceBytes = 512

// Member is a member of a group: as asked for, or as stored.
type Member struct {
	Value   string // the id of a user or group, or a value that names nobody
	Type    string
	display string
	At      int64 // when it became one, in Unix milliseconds; 0 until its item is read
}

// Change is one membership that a write adds or removes.
type Change struct {
	Member
	Add bool
}

// Edit is the change of a group's members by the operations of a request, still in terms of the values that the
// client sent.
type Edit struct {
	Tenant row.Tenant
	Steps  []patch.CollectionChange
	// check, if set, refuses the edit when it is known whom it names.
	Check func(Known) error
}

// ReplaceMembers is the edit of a request that carries the whole list of members.
func ReplaceMembers(t row.Tenant, list []any) (Edit, error) {
	step := patch.CollectionChange{Kind: patch.Replace}
	for _, v := range list {
		if m, ok := v.(scim.Object); ok {
			step.Values = append(step.Values, m)
		}
	}
	return Edit{Tenant: t, Steps: []patch.CollectionChange{step}}, nil
}

// Whole reports whether the edit needs the present list of members: it sets the list, or removes by something else than
// values.
func (e Edit) Whole() bool {
	return slices.ContainsFunc(e.Steps, func(s patch.CollectionChange) bool {
		return s.Kind == patch.Replace || s.All || s.Filter != nil && s.Eq == nil
	})
}

// Values lists the member values that the edit names, each once.
func (e Edit) Values() ([]string, error) {
	seen := map[string]bool{}
	var all []string
	note := func(v string) {
		if !seen[v] {
			seen[v] = true
			all = append(all, v)
		}
	}
	for _, s := range e.Steps {
		for _, m := range s.Values {
			value := row.Text(m, "value")
			if value == "" || TooLong(value) {
				return nil, ErrReference("A member's value", value)
			}
			if shown := row.Text(m, "display"); TooLong(shown) {
				return nil, ErrReference("A member's display", shown)
			}
			note(value)
		}
		for _, v := range s.Eq {
			if v != "" && !TooLong(v) { // else it is no member
				note(v)
			}
		}
	}
	return all, nil
}

// TooLong reports whether a reference's value has no place in a key, which escapes control characters by two bytes.
func TooLong(value string) bool { return len(store.Join(value)) > maxReferenceBytes }

// ErrReference is the answer 400 to a value that is too long or empty. The text calls the value what.
func ErrReference(what, value string) error {
	return scim.BadRequest(scim.InvalidValue,
		"%s must be 1 to %d bytes long, with control characters counted twice: %q is not.",
		what, maxReferenceBytes, row.Short(value))
}

func tooManyChanges() error {
	return scim.Errorf(413, scim.NoType,
		"One request may change at most %d memberships of a group. Send the change in several requests.", MaxChanges)
}

// Known holds the members that an edit's values name, and those of the values that are members already.
type Known struct {
	Named   map[string]Member // by value as sent: who it names
	Present map[string]Member // by value as stored: the members among them
}

// lookUpAtOnce is the number of values that are looked up together: so many users' documents are in memory at a time.
const lookUpAtOnce = 1000

// GroupRead is a group whose members are about to change.
type GroupRead struct {
	TS      *store.TenantStore
	ID      string
	Fresh   bool // it has no members yet
	Fetched Fetched
}

// resolver finds out who the values of an edit name.
type resolver struct {
	GroupRead
	Known
}

// members finds out who the values name and which of them are members of the group: one round if every value is a
// user's id, more for those that are not. stored says that members are not among ms.Present yet.
func (ms resolver) members(ctx context.Context, values []string, stored bool) error {
	for part := range slices.Chunk(values, lookUpAtOnce) {
		keys := make([]store.Key, 0, 2*len(part))
		for _, v := range part {
			if keys = append(keys, ms.TS.User(v)); stored {
				keys = append(keys, ms.TS.Member(ms.ID, v))
			}
		}
		items, err := ms.Fetched.get(ctx, ms.TS, keys)
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
		if err := ms.others(ctx, unknown); err != nil {
			return err
		}
	}
	return nil
}

// know takes up the items of users, if stored each with the member beside it, and returns the values that are no user's
// id.
func (ms Known) know(values []string, items []store.Item, stored bool) (unknown []string, err error) {
	for _, v := range values {
		user := items[0]
		items = items[1:]
		if stored {
			if items[0].Attrs != nil {
				ms.Present[v] = StoredMember(v, items[0])
			}
			items = items[1:]
		}
		m, isMember := ms.Present[v]
		switch {
		case user.Attrs != nil:
			display, err := row.Display(schema.UserType(), user)
			if err != nil {
				return nil, err
			}
			ms.Named[v] = Member{Value: v, Type: TypeUser, display: display}
		case isMember && m.Type == TypeNone:
			ms.Named[v] = m
		default:
			unknown = append(unknown, v)
		}
	}
	return unknown, nil
}

// Fetched are items that were read beside something else, by key.
type Fetched map[store.Key]store.Item

// get returns the items of keys: the fetched ones if all of them are there, else it reads them all.
func (f Fetched) get(ctx context.Context, ts *store.TenantStore, keys []store.Key) ([]store.Item, error) {
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

// idInCapitals returns a value in small letters if it is an id in capitals, else "". Ids have small letters only, but
// some clients turn every UUID into capitals.
func idInCapitals(value string) string {
	id := strings.ToLower(value)
	if id == value || !scim.IsUUID(id) {
		return ""
	}
	return id
}

// others takes up the values that are no user's id: groups, users by userName or externalId, users and groups by their
// id in capitals, and those that name nobody.
func (ms resolver) others(ctx context.Context, values []string) error {
	ts := ms.TS
	keys := make([]store.Key, 0, 2*len(values))
	for _, v := range values {
		keys = append(keys, ts.Group(v), ts.UserName(scim.Fold(v)))
	}
	for _, v := range values {
		if id := idInCapitals(v); id != "" {
			keys = append(keys, ts.User(id), ts.Group(id))
		}
	}
	items, err := ts.Get(ctx, keys...)
	if err != nil {
		return err
	}
	capitals := items[2*len(values):]
	ids, types := make([]string, len(values)), make([]*schema.ResourceType, len(values))
	var others []string
	for i, v := range values {
		group, name := items[2*i], items[2*i+1]
		if group.Attrs != nil {
			display, err := row.Display(schema.GroupType(), group)
			if err != nil {
				return err
			}
			ms.Named[v] = Member{Value: v, Type: TypeGroup, display: display}
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
		types[i] = schema.UserType()
		if id, ok := users[v]; ok {
			ids[i] = id
		}
		if id := idInCapitals(v); id != "" {
			switch user, group := capitals[0].Attrs != nil, capitals[1].Attrs != nil; {
			case ids[i] == "" && user:
				ids[i] = id
			case ids[i] == "" && group:
				ids[i], types[i] = id, schema.GroupType()
			}
			capitals = capitals[2:]
		}
	}
	return ms.byID(ctx, values, ids, types)
}

// byID reads the users and groups with the given ids, which the values name in another way; an empty id names nobody.
func (ms resolver) byID(ctx context.Context, values, ids []string, types []*schema.ResourceType) error {
	var keys []store.Key
	for i, id := range ids {
		if id != "" {
			keys = append(keys, row.Key(ms.TS.Keys, types[i], id), ms.TS.Member(ms.ID, id))
		}
	}
	items, err := ms.TS.Get(ctx, keys...)
	if err != nil {
		return err
	}
	next := 0
	for i, v := range values {
		if ids[i] == "" {
			if _, known := ms.Named[v]; !known {
				ms.Named[v] = Member{Value: v}
			}
			continue
		}
		found, m := items[next], items[next+1]
		next += 2
		if m.Attrs != nil {
			ms.Present[ids[i]] = StoredMember(ids[i], m)
		}
		if found.Attrs == nil {
			ms.Named[v] = Member{Value: v}
			continue
		}
		display, err := row.Display(types[i], found)
		if err != nil {
			return err
		}
		ms.Named[v] = Member{Value: ids[i], Type: types[i].ID, display: display}
	}
	return nil
}

// shownTexts are the attributes of a member's item that an answer about its group shows, beside its key.
var shownTexts = []string{"type", "display"}

// shownMember decodes a row of shownTexts. The member does not know since when it is one.
func shownMember(r store.Row) Member {
	return Member{Value: store.LastPart(r.SK), Type: r.Texts[0], display: r.Texts[1]}
}

// StoredMember is the member that an item holds.
func StoredMember(value string, it store.Item) Member {
	attrs := scim.Object(it.Attrs)
	at, _ := it.Attrs[attrAt].(int64)
	return Member{Value: value, Type: row.Text(attrs, "type"), display: row.Text(attrs, "display"), At: at}
}

// intent is the sum of an edit's steps.
type intent struct {
	t     row.Tenant
	clear bool              // nobody stays but those added
	add   map[string]Member // by value as stored
	drop  map[string]bool   // by value as stored
	where []patch.CollectionChange
}

// sum adds up the steps in their order.
func (e Edit) sum(ms Known) intent {
	in := intent{t: e.Tenant, add: map[string]Member{}, drop: map[string]bool{}}
	for _, s := range e.Steps {
		if s.Kind == patch.Replace || s.All {
			in = intent{t: e.Tenant, clear: true, add: map[string]Member{}, drop: map[string]bool{}}
		}
		if s.Kind != patch.Remove {
			for _, v := range s.Values {
				m := ms.Named[row.Text(v, "value")]
				if shown := row.Text(v, "display"); shown != "" {
					m.display = shown
				}
				in.add[m.Value] = m
				delete(in.drop, m.Value)
			}
			continue
		}
		for _, v := range s.Eq {
			in.dropValue(v)
			in.dropValue(ms.Named[v].Value)
		}
		if s.Filter != nil && s.Eq == nil {
			maps.DeleteFunc(in.add, func(_ string, m Member) bool { return s.Filter.Match(m.object(e.Tenant)) })
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
func (in intent) drops(m Member) bool {
	if _, added := in.add[m.Value]; added {
		return false
	}
	return in.clear || in.drop[m.Value] ||
		slices.ContainsFunc(in.where, func(s patch.CollectionChange) bool { return s.Filter.Match(m.object(in.t)) })
}

// Changes returns the memberships that an edit of a group's members changes, in order of value.
func (e Edit) Changes(ctx context.Context, g GroupRead) ([]Change, error) {
	values, err := e.Values()
	if err != nil {
		return nil, err
	}
	ms := resolver{g, Known{Named: map[string]Member{}, Present: map[string]Member{}}}
	var leaving []Member
	walk := e.Whole() && !g.Fresh
	if walk {
		if leaving, err = ms.walk(ctx, e, values); err != nil {
			return nil, err
		}
		values = slices.DeleteFunc(values, func(v string) bool { return ms.Named[v].Value != "" })
	}
	if err := ms.members(ctx, values, !walk && !g.Fresh); err != nil {
		return nil, err
	}
	if e.Check != nil {
		if err := e.Check(ms.Known); err != nil {
			return nil, err
		}
	}
	in := e.sum(ms.Known)
	var changes []Change
	for _, m := range leaving {
		if _, known := ms.Present[m.Value]; !known && in.drops(m) {
			changes = append(changes, Change{Member: m})
		}
	}
	for _, m := range ms.Present {
		if in.drops(m) {
			changes = append(changes, Change{Member: m})
		}
	}
	for value, m := range in.add {
		if _, there := ms.Present[value]; !there {
			changes = append(changes, Change{Member: m, Add: true})
		}
	}
	if len(changes) > MaxChanges {
		return nil, tooManyChanges()
	}
	sort.Slice(changes, func(i, j int) bool { return CompareKeys(changes[i].Value, changes[j].Value) < 0 })
	return changes, nil
}

// walk reads all members of the group page by page. It takes up those among values: they need no look-up. It returns
// the others that may have to go.
func (ms resolver) walk(ctx context.Context, e Edit, values []string) ([]Member, error) {
	sent := make(map[string]bool, len(values))
	for _, v := range values {
		sent[v] = true
	}
	var leaving []Member
	prefix := ms.TS.MemberPrefix(ms.ID)
	for it, err := range ms.TS.All(ctx, store.Query{PK: prefix.PK, Prefix: prefix.SK}) {
		if err != nil {
			return nil, err
		}
		m := StoredMember(store.LastPart(it.SK), it)
		switch {
		case sent[m.Value]:
			ms.Present[m.Value], ms.Named[m.Value] = m, m
		case e.mayDrop(m):
			// Of these, as many may stay as values name by another name than the id.
			if leaving = append(leaving, m); len(leaving) > MaxChanges+len(values) {
				return nil, tooManyChanges()
			}
		}
	}
	return leaving, nil
}

// mayDrop reports whether a member that the edit does not name may have to go.
func (e Edit) mayDrop(m Member) bool {
	return slices.ContainsFunc(e.Steps, func(s patch.CollectionChange) bool {
		return s.Kind == patch.Replace || s.All || s.Filter != nil && s.Eq == nil && s.Filter.Match(m.object(e.Tenant))
	})
}

// CompareKeys orders values as the table orders them as part of a sort key. Only control characters are written in
// another way there, so a difference between others decides.
func CompareKeys(a, b string) int {
	n := min(len(a), len(b))
	for i := range n {
		if a[i] == b[i] {
			continue
		}
		if a[i] < ' ' || b[i] < ' ' {
			return strings.Compare(store.Join(a), store.Join(b))
		}
		return cmp.Compare(a[i], b[i])
	}
	return cmp.Compare(len(a), len(b))
}
