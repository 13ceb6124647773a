package schema

import (
	"slices"
	"sort"
	"strconv"
	"time"

	"github.com/serverless-scim/serverless-scim/pkg/scim"
)

// uniquePath is an attribute, or a sub-attribute, whose values have to be unique.
type uniquePath struct {
	extension *Schema // nil for the core schema
	attr, sub *Attribute
}

// leaf is the attribute that has the values.
func (p uniquePath) leaf() *Attribute {
	if p.sub != nil {
		return p.sub
	}
	return p.attr
}

// MaxUniqueValues bounds the values of one resource that have to be unique: a resource is written in one transaction.
const MaxUniqueValues = 20

// UniqueValue is a value of a resource that no other resource of its type may have.
type UniqueValue struct {
	// Attribute is the name of the attribute, the same in every spelling and with the URN in front.
	Attribute string
	// Value is the same text for values that count as equal.
	Value string
	// Hidden says that the attribute is never returned: an error must not repeat the value.
	Hidden bool
}

// UniqueValues lists the values of a canonical document that have to be unique among the resources of the type (RFC
// 7643, section 7: server, and global, of which this server knows no more), each once and sorted. Values of
// attributes that RFC 7643 defines are not listed: the directory handles these. The error, for more than
// MaxUniqueValues, or for more than MaxEmails together with a user's e-mail addresses, is an *scim.Error 400
// invalidValue.
func (t *ResourceType) UniqueValues(doc scim.Object) ([]UniqueValue, error) {
	var all []UniqueValue
	for _, p := range t.unique {
		o := doc
		if p.extension != nil {
			o, _ = doc[p.extension.ID].(scim.Object)
		}
		p.attr.each(o[p.attr.Name], func(v any) {
			if p.sub == nil {
				all = p.collect(all, t, v)
				return
			}
			if e, ok := v.(scim.Object); ok {
				p.sub.each(e[p.sub.Name], func(v any) { all = p.collect(all, t, v) })
			}
		})
	}
	sort.Slice(all, func(i, j int) bool {
		a, b := all[i], all[j]
		return a.Attribute < b.Attribute || a.Attribute == b.Attribute && a.Value < b.Value
	})
	all = slices.Compact(all)
	if len(all) > MaxUniqueValues {
		return nil, scim.BadRequest(scim.InvalidValue,
			"A resource may have at most %d values that must be unique; this one has %d.", MaxUniqueValues, len(all))
	}
	if emails, _ := doc["emails"].([]any); t.Core == User() && len(all) > 0 && len(emails)+len(all) > MaxEmails {
		return nil, scim.BadRequest(scim.InvalidValue,
			"A user may have at most %d e-mail addresses and values that must be unique together; this one has "+
				"%d and %d.", MaxEmails, len(emails), len(all))
	}
	return all, nil
}

// UniqueAttributes lists the attributes whose values UniqueValues lists.
func (t *ResourceType) UniqueAttributes() []Ref {
	refs := make([]Ref, len(t.unique))
	for i, p := range t.unique {
		refs[i] = Ref{Extension: p.extension, Attr: p.attr, Sub: p.sub}
	}
	return refs
}

// each calls f with each value of an attribute.
func (a *Attribute) each(v any, f func(any)) {
	if list, ok := v.([]any); ok {
		for _, e := range list {
			f(e)
		}
	} else if v != nil {
		f(v)
	}
}

func (p uniquePath) collect(all []UniqueValue, t *ResourceType, v any) []UniqueValue {
	leaf := p.leaf()
	text := leaf.comparable(v)
	if text == "" {
		return all
	}
	name := leaf.FullName()
	if p.extension == nil {
		name = t.Core.ID + ":" + name
	}
	return append(all, UniqueValue{Attribute: name, Value: text, Hidden: p.attr.Returned == Never ||
		leaf.Returned == Never})
}

// UniqueKey returns the entry of UniqueValues for a value of the attribute r; false if it need not be unique. With
// it a filter finds the one resource with a value.
func (t *ResourceType) UniqueKey(r Ref, value any) (UniqueValue, bool) {
	for _, p := range t.unique {
		if p.extension == r.Extension && p.attr == r.Attr && p.sub == r.Sub {
			found := p.collect(nil, t, value)
			if len(found) == 0 {
				return UniqueValue{}, false
			}
			return found[0], true
		}
	}
	return UniqueValue{}, false
}

// comparable returns the same text for equal simple values; "" if the value is of another type.
func (a *Attribute) comparable(v any) string {
	switch v := v.(type) {
	case string:
		if a.Type == DateTime {
			if at, ok := scim.ParseTime(v); ok {
				return at.Format(time.RFC3339Nano)
			}
		}
		if !a.CaseExact && a.Type != Binary {
			return scim.Fold(v)
		}
		return v
	case int64:
		return strconv.FormatInt(v, 10)
	case float64:
		if n, ok := toInteger(v).(int64); ok {
			return strconv.FormatInt(n, 10)
		}
		return strconv.FormatFloat(v, 'g', -1, 64)
	}
	return ""
}

// uniquePaths lists the attributes and sub-attributes of the type that an operator wants unique.
func (t *ResourceType) uniquePaths() []uniquePath {
	var paths []uniquePath
	add := func(extension *Schema, attributes []*Attribute) {
		for _, a := range attributes {
			if a.Uniqueness != None {
				paths = append(paths, uniquePath{extension: extension, attr: a})
			}
			for _, s := range a.SubAttributes {
				if s.Uniqueness != None {
					paths = append(paths, uniquePath{extension: extension, attr: a, sub: s})
				}
			}
		}
	}
	if DefaultTypes().ByID(t.ID) == nil {
		add(nil, t.Core.Attributes[len(Common()):])
	}
	for _, e := range t.Extensions {
		add(e.Schema, e.Schema.Attributes)
	}
	return paths
}
