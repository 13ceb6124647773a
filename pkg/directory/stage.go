package directory

import "github.com/serverless-scim/serverless-scim/pkg/store"

// attrAt is the attribute of a member's item that says since when it is one.
const attrAt = "at"

// attrs returns the member as the attributes of its item.
func (m member) attrs() store.Attrs {
	attrs := store.Attrs{"type": m.typ}
	if m.display != "" {
		attrs["display"] = m.display
	}
	if m.at != 0 {
		attrs[attrAt] = m.at
	}
	return attrs
}

// addMember are the operations that add a user or group to a group.
func addMember(k store.Keys, groupID string, m member) []store.Op {
	return []store.Op{
		store.PutItem(k.Member(groupID, m.value), m.attrs()),
		store.PutItem(k.MemberOf(m.value, groupID), nil),
	}
}

// growth is by how many members the changes, each of which takes effect, make a group larger.
func growth(changes []change) int64 {
	n := int64(0)
	for _, c := range changes {
		if c.add {
			n++
		} else {
			n--
		}
	}
	return n
}

// staging says how a change is staged.
type staging struct {
	// gone is the meaning of an added user's or group's disappearance.
	gone error
	// strict makes it a condition that the member is there, of its type, or not there. If it fails, the meaning is
	// store.ErrStale.
	strict bool
}

// stage appends the operations of one change of a group's members.
func stage(tx *store.Tx, k store.Keys, groupID string, c change, how staging) {
	item, pair := k.Member(groupID, c.value), k.MemberOf(c.value, groupID)
	if c.typ == memberNone {
		pair = waitingMember(k, groupID, c.value)
	}
	if !c.add {
		how.condition(tx, store.RemoveItem(item), store.Is("type", c.typ))
		tx.Add(store.RemoveItem(pair))
		return
	}
	how.condition(tx, store.PutItem(item, c.attrs()), store.IsAbsent())
	tx.Add(store.PutItem(pair, nil))
	key := k.User(c.value)
	switch {
	case c.typ == memberNone || c.value == groupID:
		return
	case c.typ == memberGroup:
		key = k.Group(c.value)
	}
	tx.Must(store.CheckItem(key, store.IsThere()), how.gone)
}

// condition appends an operation, under the condition if strict.
func (how staging) condition(tx *store.Tx, op store.Op, cond store.Cond) {
	if how.strict {
		tx.Must(op.When(cond), store.ErrStale)
	} else {
		tx.Add(op)
	}
}
