package directory

import (
	"context"
	"errors"
	"slices"

	"github.com/serverless-scim/serverless-scim/pkg/scim"
	"github.com/serverless-scim/serverless-scim/pkg/scim/schema"
	"github.com/serverless-scim/serverless-scim/pkg/store"
)

// errTooLarge says that members do not fit the answer.
var errTooLarge = errors.New("directory: the members do not fit the answer")

// look is what an answer shows of a member: a group may have so many of them that none can be an object on its way out.
type look struct {
	ref, display, typ, value bool
	users, groups            string // what locations begin with
}

// lookOf finds out what a projection leaves of members.
func lookOf(t Tenant, rt *schema.ResourceType, sel *schema.Projection) look {
	all := scim.Object{"members": []any{scim.Object{"$ref": "-", "display": "-", "type": "-", "value": "-"}}}
	l := look{users: location(t, schema.UserType(), ""), groups: location(t, schema.GroupType(), "")}
	if left, _ := rt.Project(all, sel)["members"].([]any); len(left) > 0 {
		m, _ := left[0].(scim.Object)
		l.ref, l.display, l.typ, l.value = m["$ref"] != nil, m["display"] != nil, m["type"] != nil, m["value"] != nil
	}
	return l
}

// append writes a member as scim.AppendJSON would write its object; nothing where nothing of it is shown.
func (l look) append(dst []byte, m member) []byte {
	begin := len(dst)
	field := func(name, value string) {
		sign := byte(',')
		if len(dst) == begin {
			sign = '{'
		}
		dst = append(append(append(dst, sign, '"'), name...), `":`...)
		dst = scim.AppendJSON(dst, value)
	}
	switch {
	case l.ref && m.typ == memberUser:
		field("$ref", l.users+m.value)
	case l.ref && m.typ == memberGroup:
		field("$ref", l.groups+m.value)
	}
	if l.display && m.display != "" {
		field("display", m.display)
	}
	if l.typ && m.typ != memberNone {
		field("type", m.typ)
	}
	if l.value {
		field("value", m.value)
	}
	if len(dst) == begin {
		return dst
	}
	return append(dst, '}')
}

// encode writes members as an array; nil where there are some of whom nothing is shown.
func (l look) encode(members []member) any {
	size := 2
	for _, m := range members {
		size += len(l.users) + 2*len(m.value) + len(m.display) + memberOverhead
	}
	text := append(make(scim.Encoded, 0, size), '[')
	for _, m := range members {
		before := len(text)
		if before > 1 {
			text = append(text, ',')
		}
		if with := l.append(text, m); len(with) > len(text) {
			text = with
		} else {
			text = text[:before]
		}
	}
	if len(text) == 1 && len(members) > 0 {
		return nil
	}
	return append(text, ']')
}

// object is a member as a filter sees it.
func (m member) object(t Tenant) scim.Object {
	o := scim.Object{"value": m.value}
	switch m.typ {
	case memberUser:
		o["type"], o["$ref"] = m.typ, location(t, schema.UserType(), m.value)
	case memberGroup:
		o["type"], o["$ref"] = m.typ, location(t, schema.GroupType(), m.value)
	}
	if m.display != "" {
		o["display"] = m.display
	}
	return o
}

// objects are members as a filter sees them.
func objects(t Tenant, members []member) []any {
	list := make([]any, len(members))
	for i, m := range members {
		list[i] = m.object(t)
	}
	return list
}

// memberOverhead is what a member takes in an answer beside its own texts and where it is.
const memberOverhead = 48

// memberReader collects the members of groups for one answer, within its size.
type memberReader struct {
	ts    *store.TenantStore
	look  look
	limit int // bytes left
	most  int // members; 0: any number
	count int // members so far
	text  []byte
}

// fits takes a member into account; errTooLarge where there is no room for it.
func (m *memberReader) fits(v member) error {
	m.text = m.look.append(m.text[:0], v)
	m.limit -= len(m.text) + len(",")
	if m.count++; m.limit < 0 || m.most > 0 && m.count > m.most {
		return errTooLarge
	}
	return nil
}

// read returns the members of a group, those that an open change is still to add among them, in order of value.
func (m *memberReader) read(ctx context.Context, o overlay, groupID string) ([]member, error) {
	changes, err := o.changesOf(ctx, m.ts, groupID)
	if err != nil {
		return nil, err
	}
	var list []member
	take := func(v member) error {
		if o.isGone(v) {
			return nil
		}
		list = append(list, v)
		return m.fits(v)
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
	added, err := stillThere(ctx, m.ts, changes)
	if err != nil {
		return nil, err
	}
	for _, v := range added {
		if err := take(v); err != nil {
			return nil, err
		}
	}
	if len(added) > 0 {
		slices.SortFunc(list, func(a, b member) int { return compareKeys(a.value, b.value) })
	}
	return list, nil
}

// isGone reports whether a member is a user or group that was deleted.
func (o overlay) isGone(m member) bool { return m.typ != memberNone && o.gone[m.value] }

// withoutGone takes deleted users and groups out of a list of members.
func (o overlay) withoutGone(members []member) []member {
	if len(o.gone) == 0 {
		return members
	}
	return slices.DeleteFunc(members, o.isGone)
}

func membersDoNotFit(name string) error {
	return scim.BadRequest(scim.TooMany,
		"The members of group %q do not fit one answer. %s", short(name), LessMembers)
}

// LessMembers says how to ask for less than all members of a large group.
const LessMembers = "Send Accept-Encoding: gzip, with which about four times as many fit, or attributes=members.value; " +
	"leave them out with excludedAttributes=members; ask for single ones with the filter members.value eq \"…\"; " +
	"or go through them page by page at /GroupMemberships, where that is switched on."
