package define

import (
	"maps"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/serverless-scim/serverless-scim/pkg/scim"
)

// fields reads the keys of a definition, in any case, and keeps the first error.
type fields struct {
	o      scim.Object
	prefix string // of a key in errors
	err    error
}

// fieldsOf reads o, which may have no other keys than those.
func fieldsOf(o scim.Object, prefix string, known ...string) *fields {
	f := &fields{o: o, prefix: prefix}
	for _, k := range slices.Sorted(maps.Keys(o)) {
		if !slices.ContainsFunc(known, func(n string) bool { return strings.EqualFold(n, k) }) {
			f.fail(prefix, "%s is not known here; known: %s", scim.Quote(k), strings.Join(known, ", "))
		}
	}
	return f
}

func (f *fields) fail(key, format string, args ...any) {
	if f.err == nil {
		f.err = invalidDefinition(key+format, args...)
	}
}

// text reads a string of at most limit bytes; "" if there is none.
func (f *fields) text(key string, limit int) string {
	v, _ := scim.Field(f.o, key)
	s, ok := v.(string)
	switch {
	case v != nil && !ok:
		f.fail(f.prefix+key, " must be a string")
	case len(s) > limit:
		f.fail(f.prefix+key, " must not be longer than %d bytes", limit)
	case !utf8.ValidString(s):
		f.fail(f.prefix+key, " must be UTF-8")
	}
	return s
}

// flag reads a boolean.
func (f *fields) flag(key string, absent bool) bool {
	v, _ := scim.Field(f.o, key)
	if v == nil {
		return absent
	}
	b, ok := v.(bool)
	if !ok {
		f.fail(f.prefix+key, " must be true or false")
	}
	return b
}

// word reads one of several words, in any case; the first is the default.
func (f *fields) word(key string, words ...string) string {
	v, _ := scim.Field(f.o, key)
	if v == nil {
		return words[0]
	}
	s, _ := v.(string)
	if i := slices.IndexFunc(words, func(w string) bool { return strings.EqualFold(w, s) }); i >= 0 {
		return words[i]
	}
	f.fail(f.prefix+key, " must be %s", strings.Join(words, ", "))
	return words[0]
}

func (f *fields) list(key string) []any {
	v, _ := scim.Field(f.o, key)
	list, ok := v.([]any)
	if v != nil && !ok {
		f.fail(f.prefix+key, " must be an array")
	}
	return list
}

// texts reads an array of different strings.
func (f *fields) texts(key string, limit int) []string {
	list := f.list(key)
	if len(list) > limit {
		f.fail(f.prefix+key, " must not have more than %d values", limit)
		return nil
	}
	var out []string
	for _, v := range list {
		s, ok := v.(string)
		if !ok || len(s) > maxDescription {
			f.fail(f.prefix+key, " must be an array of strings of at most %d bytes", maxDescription)
			return nil
		}
		if !slices.Contains(out, s) {
			out = append(out, s)
		}
	}
	return out
}
