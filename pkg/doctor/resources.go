package doctor

import (
	"maps"
	"slices"
	"strings"

	"github.com/google/uuid"

	"github.com/serverless-scim/serverless-scim/pkg/directory/counter"
	"github.com/serverless-scim/serverless-scim/pkg/directory/row"
	"github.com/serverless-scim/serverless-scim/pkg/member/marker"
	"github.com/serverless-scim/serverless-scim/pkg/member/stored"
	"github.com/serverless-scim/serverless-scim/pkg/scim"
	"github.com/serverless-scim/serverless-scim/pkg/scim/schema"
	"github.com/serverless-scim/serverless-scim/pkg/store"
)

// typeOf is the type of the resources in a partition.
func typeOf(k store.Keys, pk string) *schema.ResourceType {
	switch pk {
	case k.User("").PK:
		return schema.UserType()
	case k.Group("").PK:
		return schema.GroupType()
	}
	return typeNamed(strings.TrimPrefix(pk, k.Other("", "").PK))
}

// typeNamed is the type of an id. Of an own type nothing but the id is known, which is all that its items follow from.
func typeNamed(id string) *schema.ResourceType {
	switch id {
	case schema.UserType().ID:
		return schema.UserType()
	case schema.GroupType().ID:
		return schema.GroupType()
	}
	return &schema.ResourceType{ID: id, Name: id}
}

// entriesOf are the items by which a resource is looked up.
func entriesOf(k store.Keys, r row.Record) row.IndexEntries {
	switch {
	case row.IsUser(r.Type):
		return row.UserEntries(k, r)
	case row.IsGroup(r.Type):
		return row.GroupEntries(k, r)
	}
	return row.OtherEntries(k, r)
}

func uniqueKey(k store.Keys, sk string) store.Key {
	return store.Key{PK: k.Unique("", "", "").PK, SK: sk}
}

func resourceNeeds(k store.Keys, item store.Item) []store.Key {
	r, err := row.Decode(typeOf(k, item.PK), item)
	if err != nil {
		return nil
	}
	keys := slices.Collect(maps.Keys(entriesOf(k, r)))
	for _, sk := range r.Unique {
		keys = append(keys, uniqueKey(k, sk))
	}
	return keys
}

var otherNeeds = resourceNeeds

func userNeeds(k store.Keys, item store.Item) []store.Key {
	keys := append(resourceNeeds(k, item), k.Published(item.SK), userMarker(k, item.SK))
	if r, err := row.Decode(schema.UserType(), item); err == nil {
		if value := row.Text(row.ManagerOf(r.Doc), "value"); value != "" {
			keys = append(keys, k.User(value))
		}
	}
	return keys
}

func groupNeeds(k store.Keys, item store.Item) []store.Key {
	keys := resourceNeeds(k, item)
	if r, err := row.Decode(schema.GroupType(), item); err == nil {
		keys = append(keys, k.GroupNameHolder(scim.Fold(row.Text(r.Doc, "displayName"))))
		if r.Open != "" {
			keys = append(keys, k.Work(r.Open))
		}
	}
	return keys
}

func userMarker(k store.Keys, id string) store.Key { return k.Marker(string(marker.User), id) }

// resource checks the parts that all resources have: a document, lookups, unique values, a place in a counter.
func (v *view) resource(item store.Item) (row.Record, bool) {
	rt := typeOf(v.k, item.PK)
	if v.first {
		v.counts[v.k.Counter(rt.ID, counter.ShardOf(item.SK))]++
	}
	r, err := row.Decode(rt, item)
	if err != nil {
		v.find(Finding{Check: "document", Problem: "The document can't be read."})
		return r, false
	}
	for key, attrs := range entriesOf(v.k, r) {
		v.entry(r, key, attrs)
	}
	for _, sk := range r.Unique {
		key := uniqueKey(v.k, sk)
		switch is := v.get(key); {
		case is == nil:
			v.find(Finding{
				Check: "unique", Problem: "The item of a unique value is missing.", Repair: "Write it.",
				ops: []store.Op{store.PutItem(key, store.Attrs{"id": r.ID})},
			})
		case is["id"] != r.ID:
			v.taken("unique", key, rt)
		}
	}
	return r, true
}

// entry checks one lookup of a resource.
func (v *view) entry(r row.Record, key store.Key, attrs store.Attrs) {
	is := v.get(key)
	write := []store.Op{store.PutItem(key, attrs)}
	name := key.PK == v.k.UserName("").PK
	switch {
	case is == nil:
		v.find(Finding{
			Check: "lookup", Problem: "The lookup " + shown(key) + " is missing.", Repair: "Write it.", ops: write,
		})
	case name && is["id"] != r.ID:
		v.taken("name", key, r.Type)
	case !name && text(is, "types") != text(attrs, "types") && !sameTypes(is, attrs):
		v.find(Finding{
			Check: "lookup", Problem: "The lookup " + shown(key) + " has other resource types than the document.",
			Repair: "Write it.", ops: write,
		})
	}
}

func sameTypes(a, b store.Attrs) bool {
	split := func(attrs store.Attrs) []string {
		parts := strings.Split(text(attrs, "types"), store.Sep)
		slices.Sort(parts)
		return parts
	}
	return slices.Equal(split(a), split(b))
}

// taken notes that a unique name or value that the item's document has is another's. If the other has it too, nobody
// can say whose it is.
func (v *view) taken(check string, key store.Key, rt *schema.ResourceType) {
	id := text(v.get(key), "id")
	other := row.Key(v.k, rt, id)
	attrs := v.get(other)
	if attrs != nil {
		r, err := row.Decode(rt, store.Item{Key: other, Attrs: attrs})
		_, has := entriesOf(v.k, r)[key]
		if err != nil || has || slices.Contains(r.Unique, key.SK) {
			v.find(Finding{
				Check: check,
				Problem: "Two resources have " + shown(key) + ", which must be unique: this one and " + id +
					". Change or delete one of them.",
			})
			return
		}
	}
	v.find(Finding{
		Check: check, Problem: "The item of " + shown(key) + " names " + id + ", which no longer has it.",
		Repair: "Write it for this resource.", guard: []store.Key{other},
		ops: []store.Op{store.PutItem(key, store.Attrs{"id": v.item.SK})},
	})
}

func lookOther(v *view, item store.Item) { v.resource(item) }

func lookUser(v *view, item store.Item) {
	r, ok := v.resource(item)
	if !ok {
		return
	}
	manager := row.ManagerOf(r.Doc)
	if value := row.Text(manager, "value"); value != "" {
		if _, resolved := manager["$ref"]; !resolved {
			v.waits("U", item.SK, value)
		} else if v.get(v.k.User(value)) == nil && !v.open.gone[value] {
			v.find(Finding{
				Check: "manager", Problem: "The manager " + value + " does not exist.",
				Repair: "Remove the reference, as after the deletion of a user.", guard: []store.Key{v.k.User(value)},
				ops: []store.Op{goneWork(v.k, value, false)},
			})
		}
	}
	v.isPublished(r)
}

// isPublished checks that a user is published or is to be.
func (v *view) isPublished(r row.Record) {
	if v.tenant == nil || !v.tenant.Publishes || stored.Excludes(v.policy) {
		return
	}
	if v.get(v.k.Published(r.ID)) != nil || v.get(userMarker(v.k, r.ID)) != nil || v.among(r.ID) {
		return
	}
	v.find(Finding{
		Check: "published", Problem: "The user is not published, and has no marker.",
		Repair: "Write the marker.", guard: []store.Key{v.k.Published(r.ID)}, ops: v.mark(r.ID),
	})
}

// among reports whether a marker for many users includes this one: a marker for everybody, or for a group of this user.
func (v *view) among(id string) bool {
	if v.count(v.k.MarkerPrefix(string(marker.Policy)), 1) > 0 {
		return true
	}
	const most = 100 // with more, the next look will do
	prefix := v.k.MarkerPrefix(string(marker.Group))
	page, err := v.st.Query(v.ctx, store.Query{PK: prefix.PK, Prefix: prefix.SK, Limit: most, Select: store.KeysOnly})
	if err != nil {
		v.err = err
		return true
	}
	for _, item := range page.Items {
		if v.get(v.k.MemberOf(id, store.LastPart(item.SK))) != nil {
			return true
		}
	}
	return len(page.Items) == most
}

// wide reports whether a marker is for many members, of whom each may have changed.
func (v *view) wide() bool {
	for _, kind := range []marker.SubjectKind{marker.Policy, marker.Group, marker.Target, marker.Members} {
		if v.count(v.k.MarkerPrefix(string(kind)), 1) > 0 {
			return true
		}
	}
	return false
}

func lookGroup(v *view, item store.Item) {
	r, ok := v.resource(item)
	if !ok {
		return
	}
	v.holds(r)
	if r.Open != "" {
		v.isOpen(r)
		return
	}
	if n := v.count(v.k.MemberPrefix(r.ID), 0); n != r.Members && !v.moving(r.ID) {
		v.find(Finding{
			Check: "members",
			Problem: "The group's counter says " + plural(int(r.Members), "member") + "; the group has " +
				plural(int(n), "member") + ".",
			Repair: "Write the number.",
			ops: []store.Op{{
				Kind: store.Update, Key: item.Key, Set: store.Attrs{row.AttrMembers: n},
				Add: map[string]int64{row.AttrVersion: 1},
			}},
		})
	}
}

// moving reports whether open work may be changing a group's members a step at a time.
func (v *view) moving(groupID string) bool { return v.open.groups[groupID] != "" }

// holds checks that a group holds its name, or does not, as its item says.
func (v *view) holds(r row.Record) {
	holder := v.k.GroupNameHolder(scim.Fold(row.Text(r.Doc, "displayName")))
	is := v.get(holder)
	switch {
	case r.Holds && is == nil:
		v.find(Finding{
			Check: "holder", Problem: "The item of the unique name " + shown(holder) + " is missing.",
			Repair: "Write it.",
			ops:    []store.Op{store.PutItem(holder, store.Attrs{"id": r.ID})},
		})
	case r.Holds && is["id"] != r.ID && v.holdsToo(text(is, "id"), holder.SK):
		v.find(Finding{
			Check: "holder", Problem: "The unique name " + shown(holder) + " is held by group " + text(is, "id") +
				" as well. Rename one of them.",
		})
	case r.Holds && is["id"] != r.ID:
		v.find(Finding{
			Check: "holder", Problem: "The item of the unique name " + shown(holder) + " names another group, which " +
				"no longer has it.",
			Repair: "Write it.", ops: []store.Op{store.PutItem(holder, store.Attrs{"id": r.ID})},
			guard: []store.Key{v.k.Group(text(is, "id"))},
		})
	}
}

// holdsToo reports whether another group holds a name by its own document.
func (v *view) holdsToo(id, folded string) bool {
	key := v.k.Group(id)
	attrs := v.get(key)
	r, err := row.Decode(schema.GroupType(), store.Item{Key: key, Attrs: attrs})
	return attrs != nil && (err != nil || r.Holds && scim.Fold(row.Text(r.Doc, "displayName")) == folded)
}

// isOpen checks the open change of members that a group names.
func (v *view) isOpen(r row.Record) {
	if v.get(v.k.Work(r.Open)) != nil {
		return
	}
	work := store.PutItem(v.k.Work(r.Open), workAttrs("members", scim.Object{
		"target": r.ID, "values": []any{}, "group": false,
	}))
	v.find(Finding{
		Check: "work", Problem: "The group names the open work " + r.Open + ", which does not exist.",
		Repair: "Write the work again, so that its remaining parts are carried out.", ops: []store.Op{work},
	})
}

// goneWork is open work that removes the references to a resource that is not there.
func goneWork(k store.Keys, id string, group bool) store.Op {
	return store.PutItem(k.Work(uuid.NewString()), workAttrs("gone", scim.Object{
		"target": id, "values": []any{}, "group": group,
	}))
}

// resolveWork is open work that lets references that wait for a value find who came.
func resolveWork(k store.Keys, target, folded string) store.Op {
	return store.PutItem(k.Work(uuid.NewString()), workAttrs("resolve", scim.Object{
		"target": target, "values": []any{folded}, "group": false,
	}))
}

func workAttrs(kind string, doc scim.Object) store.Attrs {
	return store.Attrs{"kind": kind, "doc": row.EncodeDoc(doc), store.AttrWake: store.WakeWork}
}

// owner checks that an item which belongs to a resource is one that the resource needs.
func (v *view) owner(check string, key store.Key, rt *schema.ResourceType) (row.Record, bool) {
	attrs := v.get(key)
	if attrs != nil {
		r, err := row.Decode(rt, store.Item{Key: key, Attrs: attrs})
		if err != nil {
			return r, false // found with the resource
		}
		if _, has := entriesOf(v.k, r)[v.item.Key]; has {
			return r, true
		}
	}
	v.orphan(check, "No resource has this value: it names "+key.SK+".", key)
	return row.Record{}, false
}

// orphan notes an item that nothing asks for.
func (v *view) orphan(check, problem string, guard ...store.Key) {
	v.find(Finding{
		Check: check, Problem: problem, Repair: "Delete the item.", guard: guard,
		ops: []store.Op{store.RemoveItem(v.item.Key)},
	})
}

func nameNeeds(k store.Keys, item store.Item) []store.Key {
	return []store.Key{k.User(text(item.Attrs, "id"))}
}

func lookName(v *view, item store.Item) {
	v.owner("name", v.k.User(text(item.Attrs, "id")), schema.UserType())
}

// lookedUp is the resource that a lookup names.
func lookedUp(k store.Keys, item store.Item) (*schema.ResourceType, store.Key) {
	parts := store.Split(item.SK)
	typeID, _, _ := strings.Cut(parts[0], ".")
	rt := typeNamed(typeID)
	return rt, row.Key(k, rt, parts[len(parts)-1])
}

func lookupNeeds(k store.Keys, item store.Item) []store.Key {
	_, key := lookedUp(k, item)
	return []store.Key{key}
}

func lookLookup(v *view, item store.Item) {
	rt, key := lookedUp(v.k, item)
	v.owner("lookup", key, rt)
}

func groupNameNeeds(k store.Keys, item store.Item) []store.Key {
	return []store.Key{k.Group(store.LastPart(item.SK))}
}

func lookGroupName(v *view, item store.Item) {
	v.owner("lookup", v.k.Group(store.LastPart(item.SK)), schema.GroupType())
}

func holderNeeds(k store.Keys, item store.Item) []store.Key {
	return []store.Key{k.Group(text(item.Attrs, "id"))}
}

func lookHolder(v *view, item store.Item) {
	key := v.k.Group(text(item.Attrs, "id"))
	r, err := row.Decode(schema.GroupType(), store.Item{Key: key, Attrs: v.get(key)})
	if v.get(key) != nil && err != nil {
		return // found with the group
	}
	if v.get(key) == nil || !r.Holds || scim.Fold(row.Text(r.Doc, "displayName")) != item.SK {
		v.orphan("holder", "No group holds this unique name: it names "+key.SK+".", key)
	}
}

func uniqueNeeds(k store.Keys, item store.Item) []store.Key {
	return []store.Key{row.Key(k, typeNamed(store.Split(item.SK)[0]), text(item.Attrs, "id"))}
}

func lookUnique(v *view, item store.Item) {
	key := uniqueNeeds(v.k, item)[0]
	attrs := v.get(key)
	r, err := row.Decode(typeNamed(store.Split(item.SK)[0]), store.Item{Key: key, Attrs: attrs})
	if attrs != nil && err != nil {
		return // found with the resource
	}
	if attrs == nil || !slices.Contains(r.Unique, item.SK) {
		v.orphan("unique", "No resource holds this unique value: it names "+key.SK+".", key)
	}
}

// shown is a key in a sentence.
func shown(key store.Key) string {
	_, part, _ := strings.Cut(strings.TrimPrefix(key.PK, "T#"), "#")
	return part + " " + scim.Quote(strings.Join(store.Split(key.SK), " | "))
}
