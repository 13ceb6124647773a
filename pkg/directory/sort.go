package directory

import (
	"cmp"
	"encoding/binary"
	"math"
	"strings"

	"github.com/serverless-scim/serverless-scim/pkg/directory/simplify"
	"github.com/serverless-scim/serverless-scim/pkg/scim"
	"github.com/serverless-scim/serverless-scim/pkg/scim/schema"
)

// place is where a resource stands among the results: by its sort value, by its type, by its id.
type place struct {
	key  string // the sort value as sortKey writes it; "" where results are in order of id
	kind int    // index of the resource type in the query
	id   string
}

func (p place) compare(q place) int {
	return cmp.Or(strings.Compare(p.key, q.key), cmp.Compare(p.kind, q.kind), strings.Compare(p.id, q.id))
}

// order is the order that a query asks for (RFC 7644, section 3.4.2.3). Descending is ascending, read from the other end.
type order struct {
	by       string // the attribute, for the explanation; "" is the order of ids
	named    bool   // the items that make names unique are in this order
	attached bool   // the sort value is one of groups or members
}

// byID reports whether results are in order of id.
func (o order) byID() bool { return o.by == "" }

// orderBy resolves a sortBy. What no type of the query knows, or never returns, is a *scim.Error 400 invalidPath in every dialect: a
// client must not take an unsorted list for a sorted one.
func (l *lister) orderBy(path string) (order, error) {
	path = strings.TrimSpace(path)
	if path == "" {
		return order{}, nil
	}
	found, hidden := false, false
	refs := make([]schema.Ref, len(l.types))
	for i, rt := range l.types {
		ref, ok := rt.Lookup(path, l.t.Dialect.BareExtensionNames)
		if !ok || !simplify.Shown(ref) {
			hidden = hidden || ok
			continue
		}
		if ref.Attr == nil {
			return order{}, scim.BadRequest(scim.InvalidPath, "sortBy names the whole extension %q: sort by one of its attributes.", short(path))
		}
		if ref.Attr.Type == schema.Complex && ref.Sub == nil {
			if ref.Sub = ref.Attr.Sub("value"); ref.Sub == nil || !simplify.Shown(ref) {
				return order{}, scim.BadRequest(scim.InvalidPath, "sortBy names the complex attribute %q: sort by one of its sub-attributes, such as %s.%s.",
					short(path), short(path), ref.Attr.SubAttributes[0].Name)
			}
		}
		refs[i], found = ref, true
	}
	if !found {
		return order{}, noOrder(path, hidden, l.types)
	}
	o := order{by: strings.ToLower(path)}
	for _, k := range l.kinds {
		k.sort = refs[k.index]
		o.attached = o.attached || k.sort.Attr != nil && k.sort.Extension == nil && k.sort.Attr.Name == attached(k.rt)
	}
	if len(l.types) > 1 {
		return o, nil
	}
	switch ref := refs[0]; {
	case ref.Extension != nil:
	case ref.Attr.Name == "id":
		return order{}, nil
	case ref.Attr.Name == "userName" && isUser(l.types[0]), ref.Attr.Name == "displayName" && isGroup(l.types[0]):
		o.named = true
	}
	return o, nil
}

// noOrder says why nothing can be sorted by path; hidden is that it names an attribute.
func noOrder(path string, hidden bool, types []*schema.ResourceType) error {
	whose := "any resource type"
	if len(types) == 1 {
		whose = types[0].Name
	}
	if hidden {
		return scim.BadRequest(scim.InvalidPath, "sortBy names %q, which can't be sorted by: it is never returned.", short(path))
	}
	return scim.BadRequest(scim.InvalidPath, "sortBy names %q, which is no attribute of %s.", short(path), whose)
}

// maxKey is how much of a text counts for its place, in bytes: all of a name, which is at most as long.
const maxKey = schema.MaxNameBytes

// First bytes of a sort key: what has no value stands behind everything that has one.
const (
	keyValue   = "\x01"
	keyMissing = "\x02"
)

// sortKey returns the sort value of a document in a form that sorts as bytes: text by Unicode code points, folded where it is not
// caseExact; numbers by value; dates as instants; false before true. Of several values the primary one counts, else the first.
func (k *kind) sortKey(doc scim.Object) string {
	ref := k.sort
	if ref.Attr == nil {
		return keyMissing
	}
	if ref.Extension != nil {
		doc, _ = doc[ref.Extension.ID].(scim.Object)
	}
	v := doc[ref.Attr.Name]
	if list, several := v.([]any); several {
		v = leading(list)
	}
	a := ref.Attr
	if ref.Sub != nil {
		o, _ := v.(scim.Object)
		v, a = o[ref.Sub.Name], ref.Sub
		if list, several := v.([]any); several {
			v = leading(list)
		}
	}
	return valueKey(a, v)
}

// leading returns the value of a multi-valued attribute by which its resource is sorted.
func leading(list []any) any {
	for _, v := range list {
		if o, ok := v.(scim.Object); ok && o["primary"] == true {
			return v
		}
	}
	if len(list) == 0 {
		return nil
	}
	return list[0]
}

func valueKey(a *schema.Attribute, v any) string {
	switch v := v.(type) {
	case bool:
		if v {
			return keyValue + "\x01"
		}
		return keyValue + "\x00"
	case int64:
		if a.Type == schema.Decimal {
			return keyValue + floatKey(float64(v))
		}
		return keyValue + intKey(v)
	case float64:
		return keyValue + floatKey(v)
	case string:
		if v == "" {
			return keyMissing
		}
		return keyValue + textKey(a, v)
	}
	return keyMissing
}

func textKey(a *schema.Attribute, s string) string {
	if a.Type == schema.DateTime {
		if t, ok := scim.ParseTime(s); ok {
			return intKey(t.Unix()) + string(binary.BigEndian.AppendUint32(nil, uint32(t.Nanosecond())))
		}
		return "\xff" + s[:min(len(s), maxKey)] // behind all instants
	}
	if !a.CaseExact && a.Type != schema.Binary {
		s = scim.Fold(s)
	}
	return s[:min(len(s), maxKey)]
}

func intKey(n int64) string {
	return string(binary.BigEndian.AppendUint64(nil, uint64(n)^1<<63))
}

func floatKey(f float64) string {
	bits := math.Float64bits(f + 0) // no negative zero
	if bits>>63 == 1 {
		bits = ^bits
	} else {
		bits |= 1 << 63
	}
	return string(binary.BigEndian.AppendUint64(nil, bits))
}
