package doctor

import (
	"context"
	"slices"
	"strings"

	"github.com/serverless-scim/serverless-scim/pkg/directory/row"
	"github.com/serverless-scim/serverless-scim/pkg/scim"
	"github.com/serverless-scim/serverless-scim/pkg/store"
)

// openWork is the open work of a tenant.
type openWork struct {
	all []string // ids, in order
	// gone are the resources that were deleted and may still be referred to. groups are the groups whose members are
	// being changed, by id, with the id of the work. values are the folded values that are being resolved.
	gone   map[string]bool
	groups map[string]string
	values map[string]bool
}

// readOpen reads the open work.
func (p *patient) readOpen(ctx context.Context) (openWork, error) {
	open := openWork{gone: map[string]bool{}, groups: map[string]string{}, values: map[string]bool{}}
	if p.id == "" {
		return open, nil
	}
	for item, err := range p.st.All(ctx, store.Query{PK: p.k.Work("").PK}) {
		if err != nil {
			return open, err
		}
		o, ok := doc(item.Attrs)
		if _, closed := item.Attrs["closed"]; closed || !ok {
			continue
		}
		open.all = append(open.all, item.SK)
		switch text(item.Attrs, "kind") {
		case "gone":
			open.gone[row.Text(o, "target")] = true
		case "members":
			open.groups[row.Text(o, "target")] = item.SK
		}
		values, _ := o["values"].([]any)
		for _, value := range values {
			open.values[str(value)] = true
		}
	}
	slices.Sort(open.all)
	return open, nil
}

func workNeeds(k store.Keys, item store.Item) []store.Key {
	o, _ := doc(item.Attrs)
	target := row.Text(o, "target")
	if target == "" {
		return nil
	}
	return []store.Key{k.User(target), k.Group(target)}
}

// lookWork checks an item of open work, also of work that is done: as long as the item is there, reads treat its target
// as deleted.
func lookWork(v *view, item store.Item) {
	o, ok := doc(item.Attrs)
	target := row.Text(o, "target")
	if !ok || target == "" {
		v.find(Finding{Check: "work", Problem: "The open work can't be read."})
		return
	}
	kind := text(item.Attrs, "kind")
	if item.Attrs["closed"] != nil && kind != "gone" {
		mustExpire(v, item)
		return
	}
	switch kind {
	case "gone":
		for _, key := range workNeeds(v.k, item) {
			if v.get(key) != nil {
				v.orphan("work", "The open work removes references to "+target+", which exists.", key)
			}
		}
	case "members":
		if group := v.get(v.k.Group(target)); text(group, row.AttrOpen) != item.SK {
			v.find(Finding{
				Check: "work", Problem: "The open work changes the members of group " + target +
					", but the group does not name the work.", Repair: "Complete the work.",
				ops: []store.Op{store.CheckItem(item.Key, store.IsThere())},
			})
		}
	case "resolve":
	default:
		v.find(Finding{Check: "work", Problem: "The open work has a kind that this version does not know."})
	}
}

// pair splits a key of two ids.
func pair(item store.Item) (first, second string) {
	parts := store.Split(item.SK)
	if len(parts) != 2 {
		return parts[0], ""
	}
	return parts[0], parts[1]
}

func memberNeeds(k store.Keys, item store.Item) []store.Key {
	groupID, value := pair(item)
	keys := []store.Key{k.Group(groupID)}
	switch text(item.Attrs, "type") {
	case "User":
		return append(keys, k.User(value), k.MemberOf(value, groupID))
	case "Group":
		return append(keys, k.Group(value), k.MemberOf(value, groupID))
	}
	return append(keys, waitingKeys(k, "M", groupID, value)...)
}

func lookMember(v *view, item store.Item) {
	groupID, value := pair(item)
	if v.get(v.k.Group(groupID)) == nil {
		if !v.open.gone[groupID] {
			v.find(Finding{
				Check: "member", Problem: "The group " + groupID + " does not exist.",
				Repair: "Remove its members, as after the deletion of a group.", guard: []store.Key{v.k.Group(groupID)},
				ops: []store.Op{goneWork(v.k, groupID, true)},
			})
		}
		return
	}
	kind := text(item.Attrs, "type")
	if kind == "" {
		v.waits("M", groupID, value)
		return
	}
	key := v.k.User(value)
	if kind == "Group" {
		key = v.k.Group(value)
	}
	if v.open.gone[value] {
		return
	}
	if v.get(key) == nil {
		// Open work that has still to add the member would leave it out, so this is a fault even if there is some.
		v.find(Finding{
			Check: "member", Problem: "The member " + value + " does not exist.",
			Repair: "Remove the reference, as after the deletion of a user.", guard: []store.Key{key},
			ops: []store.Op{
				goneWork(v.k, value, kind == "Group"), store.PutItem(v.k.MemberOf(value, groupID), nil),
			},
		})
		return
	}
	if reverse := v.k.MemberOf(value, groupID); v.get(reverse) == nil {
		v.find(Finding{
			Check: "reverse", Problem: "The reverse item, from the member to the group, is missing.",
			Repair: "Write it.",
			ops:    append(v.mark(value), store.PutItem(reverse, nil)),
		})
	}
}

func memberOfNeeds(k store.Keys, item store.Item) []store.Key {
	id, groupID := pair(item)
	return []store.Key{k.Member(groupID, id)}
}

func lookMemberOf(v *view, item store.Item) {
	id, groupID := pair(item)
	key := v.k.Member(groupID, id)
	if text(v.get(key), "type") != "" || v.open.gone[id] || v.open.gone[groupID] {
		return
	}
	v.find(Finding{
		Check: "reverse", Problem: "The group " + groupID + " has no such member.", Repair: "Delete the item.",
		ops: append(v.mark(id), store.RemoveItem(item.Key)), guard: []store.Key{key},
	})
}

// waitingKeys returns the keys of the items about a reference whose user does not exist yet.
func waitingKeys(k store.Keys, where, owner, value string) []store.Key {
	folded := scim.Fold(value)
	return []store.Key{k.Waiting(folded, where, owner, value), k.WaitedFor(folded), k.UserName(folded)}
}

// waits checks a reference whose value is not the id of a resource: the items that let it wait exist, and no user has
// the value as its name.
func (v *view) waits(where, owner, value string) {
	folded := scim.Fold(value)
	keys := waitingKeys(v.k, where, owner, value)
	waiting, head, name := keys[0], keys[1], keys[2]
	if v.open.values[folded] {
		return
	}
	if v.get(name) != nil || v.count(v.k.LookupPrefix(row.UserExternalID, value), 2) == 1 {
		v.find(Finding{
			Check: "waiting", Problem: "The reference " + scim.Quote(value) + " waits for a user who exists.",
			Repair: "Resolve the reference.", guard: []store.Key{name},
			ops: []store.Op{
				store.PutItem(waiting, nil), store.PutItem(head, stamp()), resolveWork(v.k, owner, folded),
			},
		})
		return
	}
	if where == "U" && v.get(waiting) == nil && strings.Count(value, "-") == 4 {
		return // the id of a manager who was deleted: no later user can have it
	}
	if v.get(waiting) == nil || v.get(head) == nil {
		v.find(Finding{
			Check:   "waiting",
			Problem: "The reference " + scim.Quote(value) + " names nobody, and its waiting items are missing.",
			Repair:  "Write the waiting items.",
			ops:     []store.Op{store.PutItem(waiting, nil), store.PutItem(head, stamp())},
		})
	}
}

func waitingNeeds(k store.Keys, item store.Item) []store.Key {
	key, ok := waiter(k, item)
	if !ok {
		return nil
	}
	return []store.Key{key}
}

// waiter returns the key of the item with the reference that a waiting item is about.
func waiter(k store.Keys, item store.Item) (store.Key, bool) {
	parts := store.Split(item.SK)
	switch {
	case len(parts) == 4 && parts[1] == "M":
		return k.Member(parts[2], parts[3]), true
	case len(parts) == 4 && parts[1] == "U":
		return k.User(parts[2]), true
	}
	return store.Key{}, false
}

func lookWaiting(v *view, item store.Item) {
	key, ok := waiter(v.k, item)
	if !ok {
		v.find(Finding{Check: "waiting", Problem: "The key can't be read."})
		return
	}
	parts, attrs := store.Split(item.SK), v.get(key)
	if v.open.gone[parts[2]] || v.open.values[scim.Fold(parts[3])] {
		return
	}
	waits := attrs != nil && text(attrs, "type") == ""
	if parts[1] == "U" && attrs != nil {
		o, _ := doc(attrs)
		manager := row.ManagerOf(o)
		_, resolved := manager["$ref"]
		waits = !resolved && row.Text(manager, "value") == parts[3]
	}
	if !waits {
		v.orphan("waiting", "The waiting item for "+scim.Quote(parts[3])+" has no reference any more.", key)
	}
}
