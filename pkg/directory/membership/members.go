package membership

import (
	"bytes"
	"context"
	"errors"
	"slices"
	"sort"

	"github.com/serverless-scim/serverless-scim/pkg/directory/row"
	"github.com/serverless-scim/serverless-scim/pkg/scim"
	"github.com/serverless-scim/serverless-scim/pkg/scim/schema"
	"github.com/serverless-scim/serverless-scim/pkg/store"
)

// ErrTooLarge says that members do not fit the answer.
var ErrTooLarge = errors.New("directory: the members do not fit the answer")

// Look is the set of sub-attributes that an answer shows of a member. A group may have so many members that they
// are written without making objects.
type Look struct {
	ref, display, typ, value bool
	users, groups            []byte // the JSON of a member with a location, up to the slash before the id
}

// LookOf returns the sub-attributes of members that a projection shows.
func LookOf(t row.Tenant, rt *schema.ResourceType, sel *schema.Projection) Look {
	all := scim.Object{"members": []any{scim.Object{"$ref": "-", "display": "-", "type": "-", "value": "-"}}}
	start := func(rt *schema.ResourceType) []byte {
		return bytes.TrimSuffix(scim.AppendJSON([]byte(`,"$ref":`), row.Location(t, rt, "")), []byte(`/"`))
	}
	l := Look{users: start(schema.UserType()), groups: start(schema.GroupType())}
	if left, _ := rt.Project(all, sel)["members"].([]any); len(left) > 0 {
		m, _ := left[0].(scim.Object)
		l.ref, l.display, l.typ, l.value = m["$ref"] != nil, m["display"] != nil, m["type"] != nil, m["value"] != nil
	}
	return l
}

// append writes a member as scim.AppendJSON would write its object. It writes nothing if no attribute is shown.
func (l Look) append(dst []byte, m Member) []byte {
	begin := len(dst)
	start := l.users
	if m.Type == TypeGroup {
		start = l.groups
	}
	if l.ref && m.Type != TypeNone {
		dst = append(dst, start...)
		slash := len(dst)
		dst = scim.AppendJSON(dst, m.Value)
		dst[slash] = '/' // was the quote before the id
	}
	if l.display && m.display != "" {
		dst = scim.AppendJSON(append(dst, `,"display":`...), m.display)
	}
	if l.typ && m.Type != TypeNone {
		dst = scim.AppendJSON(append(dst, `,"type":`...), m.Type)
	}
	if l.value {
		dst = scim.AppendJSON(append(dst, `,"value":`...), m.Value)
	}
	if len(dst) == begin {
		return dst
	}
	dst[begin] = '{' // was the comma before the first attribute
	return append(dst, '}')
}

// Encode writes members as an array; nil if there are some of whom nothing is shown.
func (l Look) Encode(members []Member) any {
	size := 2
	for _, m := range members {
		size += len(l.users) + 2*len(m.Value) + len(m.display) + memberOverhead
	}
	text := append(make([]byte, 0, size), '[')
	for _, m := range members {
		text = l.appendTo(text, m)
	}
	return closed(text, len(members))
}

// appendTo appends a member to an array that has begun.
func (l Look) appendTo(array []byte, m Member) []byte {
	before := len(array)
	if before > 1 {
		array = append(array, ',')
	}
	if with := l.append(array, m); len(with) > len(array) {
		return with
	}
	return array[:before]
}

// closed ends an array of so many members. It returns nil if no attribute of them is shown.
func closed(array []byte, members int) any {
	if len(array) == 1 && members > 0 {
		return nil
	}
	return append(scim.Encoded(array), ']')
}

// object is a member as a filter sees it.
func (m Member) object(t row.Tenant) scim.Object {
	o := scim.Object{"value": m.Value}
	switch m.Type {
	case TypeUser:
		o["type"], o["$ref"] = m.Type, row.Location(t, schema.UserType(), m.Value)
	case TypeGroup:
		o["type"], o["$ref"] = m.Type, row.Location(t, schema.GroupType(), m.Value)
	}
	if m.display != "" {
		o["display"] = m.display
	}
	return o
}

// Objects are members as a filter sees them.
func Objects(t row.Tenant, members []Member) []any {
	list := make([]any, len(members))
	for i, m := range members {
		list[i] = m.object(t)
	}
	return list
}

// memberOverhead is the size of a member in an answer beside its own texts and its location.
const memberOverhead = 48

// roomForMember is more than most members take in an answer. roomAtFirst is the first piece of memory for them.
const roomForMember, roomAtFirst = 512, 16 << 10

// Reader collects the members of groups for one answer, within its size.
type Reader struct {
	TS      *store.TenantStore
	Look    Look
	Limit   int    // bytes left
	Most    int    // members; 0: any number
	Expect  int    // members of the group that Read reads, about; 0 if it is not known
	Split   bool   // the members that Read returned were read by several calls, and so may be of several moments
	members int    // so far
	text    []byte // the members that Read returned, an array without its end; nil if its order is another
}

// Fits counts a member; ErrTooLarge if there is no room for it.
func (m *Reader) Fits(v Member) error {
	m.text = m.Look.append(m.text[:0], v)
	return m.count(len(m.text) + len(","))
}

func (m *Reader) count(size int) error {
	m.Limit -= size
	if m.members++; m.Limit < 0 || m.Most > 0 && m.members > m.Most {
		return ErrTooLarge
	}
	return nil
}

// Shown is Look.Encode of members that Read returned, of those that are not gone. Read has encoded them already.
func (m *Reader) Shown(o Overlay, members []Member) any {
	if shown := o.WithoutGone(members); m.text == nil || len(shown) < len(members) {
		return m.Look.Encode(shown)
	}
	text := m.text
	m.text = nil
	return closed(text, len(members))
}

// room is how much memory to add for the members that are still to come. Those so far show how large they are.
func (m *Reader) room() int {
	if m.members == 0 {
		return min(roomAtFirst, max(m.Expect, 1)*roomForMember)
	}
	size := len(m.text)
	if left := m.Expect - m.members; left > 0 {
		size = size / m.members * left
		size = min(size+size/16, m.Limit)
	}
	return max(size, roomForMember)
}

// Read returns the members of a group, those that an open change is still to add among them, in order of value.
func (m *Reader) Read(ctx context.Context, o Overlay, groupID string) ([]Member, error) {
	changes, err := o.ChangesOf(ctx, m.TS, groupID)
	if err != nil {
		return nil, err
	}
	var list []Member
	m.text = append(make([]byte, 0, m.room()), '[')
	take := func(v Member) error {
		if o.IsGone(v) {
			return nil
		}
		list = append(list, v)
		before := len(m.text)
		if cap(m.text)-before < roomForMember {
			m.text = slices.Grow(m.text, m.room())
		}
		m.text = m.Look.appendTo(m.text, v)
		return m.count(max(len(m.text)-before, len(",")))
	}
	prefix := m.TS.MemberPrefix(groupID)
	q := store.Query{PK: prefix.PK, Prefix: prefix.SK, Select: store.Texts, Texts: shownTexts}
	for page, err := range m.TS.Pages(ctx, q) {
		if err != nil {
			return nil, err
		}
		m.Split = m.Split || page.More || len(changes) > 0
		list = slices.Grow(list, max(page.Count, min(m.Expect-len(list), 2*page.Count)))
		for _, row := range page.Rows {
			v := shownMember(row)
			if c, changed := changes[v.Value]; changed {
				if !c.Add {
					continue
				}
				delete(changes, v.Value)
			}
			if err := take(v); err != nil {
				return nil, err
			}
		}
	}
	added, err := StillThere(ctx, m.TS, changes)
	if err != nil {
		return nil, err
	}
	for _, v := range added {
		if err := take(v); err != nil {
			return nil, err
		}
	}
	if len(added) > 0 {
		sort.Slice(list, func(i, j int) bool { return CompareKeys(list[i].Value, list[j].Value) < 0 })
		m.text = nil // in another order
	}
	return list, nil
}

// IsGone reports whether a member is a user or group that was deleted.
func (o Overlay) IsGone(m Member) bool { return m.Type != TypeNone && o.Gone[m.Value] }

// WithoutGone takes deleted users and groups out of a list of members.
func (o Overlay) WithoutGone(members []Member) []Member {
	if len(o.Gone) == 0 {
		return members
	}
	return slices.DeleteFunc(members, o.IsGone)
}

// MembersDoNotFit is the answer 400 if the members of a group of that name are too many for one answer.
func MembersDoNotFit(name string) error {
	return scim.BadRequest(scim.TooMany,
		"The members of group %q do not fit into one response. %s", row.Short(name), LessMembers)
}

// LessMembers says how to ask for less than all members of a large group.
const LessMembers = "Send Accept-Encoding: gzip, " +
	"with which about four times as many fit, or attributes=members.value; " +
	"leave them out with excludedAttributes=members; ask for single ones with the filter members.value eq \"…\"; " +
	"or go through them page by page at /GroupMemberships, if the tenant has it switched on."
