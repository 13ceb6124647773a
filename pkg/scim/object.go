package scim

import (
	"math"
	"strings"
)

// Object is a decoded JSON object. Its values are string, bool, int64, float64, nil, Object and []any, and nothing
// else.
type Object = map[string]any

// Field returns the value of the member of o with a name in any case (RFC 7643, section 2.1), and whether there is
// one. A member in the exact case wins.
func Field(o Object, name string) (any, bool) {
	if v, ok := o[name]; ok {
		return v, true
	}
	found := ""
	for k := range o {
		if strings.EqualFold(k, name) && (found == "" || k < found) {
			found = k
		}
	}
	v, ok := o[found]
	return v, ok && found != ""
}

// Whole returns an integral number as an int64, also if it was written with a zero fraction or an exponent; ok is
// false for any other value.
func Whole(v any) (n int64, ok bool) {
	switch v := v.(type) {
	case int64:
		return v, true
	case float64:
		return whole(v)
	}
	return 0, false
}

func whole(f float64) (n int64, ok bool) {
	if -1<<63 <= f && f < 1<<63 && f == math.Trunc(f) {
		return int64(f), true
	}
	return 0, false
}

// Clone creates a deep copy of a JSON value.
func Clone(v any) any {
	switch v := v.(type) {
	case Object:
		c := make(Object, len(v))
		for k, e := range v {
			c[k] = Clone(e)
		}
		return c
	case []any:
		c := make([]any, len(v))
		for i, e := range v {
			c[i] = Clone(e)
		}
		return c
	}
	return v
}

// Equal compares two JSON values deeply. Numbers are equal by value: 1 and 1.0 are the same. Strings are compared
// exactly, arrays in order. Anything that is no JSON value equals nothing.
func Equal(a, b any) bool {
	switch a := a.(type) {
	case nil:
		return b == nil
	case bool:
		b, ok := b.(bool)
		return ok && a == b
	case string:
		b, ok := b.(string)
		return ok && a == b
	case int64:
		return equalInt(a, b)
	case float64:
		if b, ok := b.(int64); ok {
			return equalInt(b, a)
		}
		b, ok := b.(float64)
		return ok && a == b
	case []any:
		b, ok := b.([]any)
		return ok && equalArray(a, b)
	case Object:
		b, ok := b.(Object)
		return ok && equalObject(a, b)
	}
	return false
}

// equalInt compares as integers: beyond 2^53 a float64 would stand for many.
func equalInt(a int64, b any) bool {
	n, ok := Whole(b)
	return ok && n == a
}

func equalArray(a, b []any) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if !Equal(a[i], b[i]) {
			return false
		}
	}
	return true
}

func equalObject(a, b Object) bool {
	if len(a) != len(b) {
		return false
	}
	for k, v := range a {
		w, ok := b[k]
		if !ok || !Equal(v, w) {
			return false
		}
	}
	return true
}
