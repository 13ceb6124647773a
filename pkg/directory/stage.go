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
	return []store.Op{put(k.Member(groupID, m.value), m.attrs()), put(k.MemberOf(m.value, groupID), nil)}
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

// stage appends the operations of one change to a transaction. check, if given, is what an added user's disappearance means;
// strict makes it a condition that the member is there, of its type, or not there, with ErrStale as its meaning.
func (d *Directory) stage(tx *transaction, k store.Keys, groupID string, c change, check error, strict bool) {
	item := k.Member(groupID, c.value)
	switch {
	case c.add && c.typ == memberNone:
		tx.condition(put(item, c.attrs()), isAbsent()[0], strict)
		tx.add(put(waitingMember(k, groupID, c.value), nil))
	case c.add:
		ops := addMember(k, groupID, c.member)
		tx.condition(ops[0], isAbsent()[0], strict)
		tx.add(ops[1])
		key := k.User(c.value)
		if c.typ == memberGroup {
			key = k.Group(c.value)
		}
		if c.value != groupID {
			tx.must(store.Op{Kind: store.Check, Key: key, If: exists()}, check)
		}
	case c.typ == memberNone:
		tx.condition(remove(item), equals("type", c.typ), strict)
		tx.add(remove(waitingMember(k, groupID, c.value)))
	default:
		tx.condition(remove(item), equals("type", c.typ), strict)
		tx.add(remove(k.MemberOf(c.value, groupID)))
	}
}

// condition appends an operation, under a condition whose failure is ErrStale if strict.
func (tx *transaction) condition(op store.Op, cond store.Cond, strict bool) {
	if strict {
		tx.must(when(op, cond), ErrStale)
		return
	}
	tx.add(op)
}

// opsPerChange is the most that stage appends for one change.
const opsPerChange = 3
