package membership

import "github.com/serverless-scim/serverless-scim/pkg/store"

// attrAt is the attribute of a member's item that says since when it is one.
const attrAt = "at"

// attrs returns the member as the attributes of its item.
func (m Member) attrs() store.Attrs {
	attrs := store.Attrs{"type": m.Type, attrAt: m.At}
	if m.display != "" {
		attrs["display"] = m.display
	}
	return attrs
}

// addMember are the operations that add a user or group to a group.
func addMember(k store.Keys, groupID string, m Member) []store.Op {
	return []store.Op{
		store.PutItem(k.Member(groupID, m.Value), m.attrs()),
		store.PutItem(k.MemberOf(m.Value, groupID), nil),
	}
}

// Growth returns the number of members that a group gains by changes that all take effect.
func Growth(changes []Change) int64 {
	n := int64(0)
	for _, c := range changes {
		if c.Add {
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
func stage(tx *store.Tx, k store.Keys, groupID string, c Change, how staging) {
	item, pair := k.Member(groupID, c.Value), k.MemberOf(c.Value, groupID)
	if c.Type == TypeNone {
		pair = waitingMember(k, groupID, c.Value)
	}
	if !c.Add {
		how.condition(tx, store.RemoveItem(item), store.Is("type", c.Type))
		tx.Add(store.RemoveItem(pair))
		return
	}
	how.condition(tx, store.PutItem(item, c.attrs()), store.IsAbsent())
	tx.Add(store.PutItem(pair, nil))
	key := k.User(c.Value)
	switch {
	case c.Type == TypeNone || c.Value == groupID:
		return
	case c.Type == TypeGroup:
		key = k.Group(c.Value)
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
