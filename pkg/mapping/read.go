package mapping

import (
	"slices"
	"sort"
	"strconv"
	"strings"

	"github.com/serverless-scim/serverless-scim/pkg/scim"
)

// maxFaults bounds the number of faults that one answer names.
const maxFaults = 100

// faults collects the mistakes in a document.
type faults struct{ list Faults }

func (f *faults) add(pointer string, code Code, args ...any) {
	f.found(pointer, sentence(code, args...))
}

// found adds a fault that a reader of one value has found; nil: none.
func (f *faults) found(pointer string, fault *Fault) {
	if fault != nil && len(f.list) < maxFaults {
		fault.Pointer = pointer
		f.list = append(f.list, *fault)
	}
}

// err is nil if there are no faults. Faults are in order of their pointers, since JSON objects have no order.
func (f *faults) err() error {
	if len(f.list) == 0 {
		return nil
	}
	sort.SliceStable(f.list, func(i, j int) bool { return f.list[i].Pointer < f.list[j].Pointer })
	return f.list
}

// said is err with the reasons of all faults.
func (f *faults) said() error {
	for i, fault := range f.list {
		f.list[i].Reason = fault.Code.say(fault.Args)
	}
	return f.err()
}

// child is the pointer of a member of an object (RFC 6901, section 3).
func child(pointer, name string) string {
	return pointer + "/" + strings.NewReplacer("~", "~0", "/", "~1").Replace(name)
}

func element(pointer string, i int) string { return pointer + "/" + strconv.Itoa(i) }

// node reads the members of one JSON object. A member that is null counts as absent.
type node struct {
	f  *faults
	at string // JSON pointer
	o  scim.Object
}

// open reads v as an object that has no other members than the known ones. An absent object is an empty one.
func (f *faults) open(v any, at string, known ...string) node {
	n := node{f: f, at: at}
	if v == nil {
		return n
	}
	o, ok := v.(scim.Object)
	if !ok {
		f.add(at, notObject)
		return n
	}
	n.o = o
	for name := range o {
		if !slices.Contains(known, name) {
			f.add(child(at, name), unknownField, strings.Join(known, ", "))
		}
	}
	return n
}

// get returns a member and its pointer.
func (n node) get(name string) (v any, at string) { return n.o[name], child(n.at, name) }

func (n node) open(name string, known ...string) node {
	v, at := n.get(name)
	return n.f.open(v, at, known...)
}

func (n node) has(name string) bool { return n.o[name] != nil }

func (n node) fault(name string, code Code, args ...any) { n.f.add(child(n.at, name), code, args...) }

// text reads a string of at most limit bytes; "" if it is absent.
func (n node) text(name string, limit int) string {
	v, at := n.get(name)
	return n.f.text(v, at, limit)
}

func (f *faults) text(v any, at string, limit int) string {
	if v == nil {
		return ""
	}
	s, ok := v.(string)
	switch {
	case !ok:
		f.add(at, notText)
	case len(s) > limit:
		f.add(at, tooLong, limit)
	default:
		return s
	}
	return ""
}

// required is text that must be there and not be empty.
func (n node) required(name string, limit int) string {
	if v, at := n.get(name); v == nil || v == "" {
		n.f.add(at, isRequired)
		return ""
	}
	return n.text(name, limit)
}

// choice reads one of the allowed strings; the first is the default.
func (n node) choice(name string, allowed ...string) string {
	v, at := n.get(name)
	if v == nil {
		return allowed[0]
	}
	s, ok := v.(string)
	if !ok || !slices.Contains(allowed, s) {
		n.f.add(at, notOneOf, quoted(allowed))
		return allowed[0]
	}
	return s
}

func quoted(list []string) string {
	q := make([]string, len(list))
	for i, s := range list {
		q[i] = strconv.Quote(s)
	}
	return strings.Join(q, ", ")
}

func (n node) flag(name string) bool {
	v, at := n.get(name)
	b, ok := v.(bool)
	if v != nil && !ok {
		n.f.add(at, notFlag)
	}
	return b
}

// number reads an integer between low and high.
func (n node) number(name string, fallback, low, high int) int {
	v, at := n.get(name)
	if v == nil {
		return fallback
	}
	i, ok := scim.Whole(v)
	if !ok || i < int64(low) || i > int64(high) {
		n.f.add(at, notNumber, low, high)
		return fallback
	}
	return int(i)
}

// list reads an array of at most limit elements.
func (n node) list(name string, limit int) []any {
	v, at := n.get(name)
	list, ok := v.([]any)
	switch {
	case v != nil && !ok:
		n.f.add(at, notList)
	case len(list) > limit:
		n.f.add(at, tooManyElements, limit)
		return nil
	}
	return list
}

// texts reads an array of different strings that are not empty.
func (n node) texts(name string, limit int) []string {
	var all []string
	for i, v := range n.list(name, limit) {
		at := element(child(n.at, name), i)
		s := n.f.text(v, at, MaxValueBytes)
		switch {
		case v == nil || v == "":
			n.f.add(at, emptyText)
		case s != "" && slices.Contains(all, s):
			n.f.add(at, isTwice)
		case s != "":
			all = append(all, s)
		}
	}
	return all
}

// names lists the members of an object in order, at most limit.
func (n node) names(limit int) []string {
	names := make([]string, 0, len(n.o))
	for name := range n.o {
		names = append(names, name)
	}
	slices.Sort(names)
	if len(names) > limit {
		n.f.add(n.at, tooManyEntries, limit)
		names = names[:limit]
	}
	return names
}

// openAny reads v as an object whose member names the author chooses.
func (f *faults) openAny(v any, at string) node {
	n := node{f: f, at: at}
	if v == nil {
		return n
	}
	if o, ok := v.(scim.Object); ok {
		n.o = o
		return n
	}
	f.add(at, notObject)
	return n
}
