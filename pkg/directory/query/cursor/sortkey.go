package cursor

import (
	"encoding/binary"
	"math"

	"github.com/serverless-scim/serverless-scim/pkg/scim"
	"github.com/serverless-scim/serverless-scim/pkg/scim/schema"
)

// maxKey is how much of a text counts for its place, in bytes: all of a name, which is at most as long.
const maxKey = schema.MaxNameBytes

// First bytes of a sort key: a resource without a value stands after all that have one.
const (
	// Value begins the key of a value; of text, the folded text follows.
	Value   = "\x01"
	missing = "\x02"
)

// Key returns the value that ref has in a document in a form that sorts as bytes: text by Unicode code points, folded
// if it is not caseExact; numbers by value; dates as instants; false before true. Of several values the primary one
// counts, else the first. A ref without an attribute is one without a value.
func Key(ref schema.Ref, doc scim.Object) string {
	if ref.Attr == nil {
		return missing
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
			return Value + "\x01"
		}
		return Value + "\x00"
	case int64:
		if a.Type == schema.Decimal {
			return Value + floatKey(float64(v))
		}
		return Value + intKey(v)
	case float64:
		return Value + floatKey(v)
	case string:
		if v == "" {
			return missing
		}
		return Value + textKey(a, v)
	}
	return missing
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
