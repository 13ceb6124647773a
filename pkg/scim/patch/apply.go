package patch

import (
	"maps"
	"slices"
	"strings"

	"github.com/serverless-scim/serverless-scim/pkg/scim"
	"github.com/serverless-scim/serverless-scim/pkg/scim/schema"
)

// Apply carries out the operations on doc, in order (RFC 7644, section 3.5.2). doc is a canonical document of type t
// and is never written to. Operations on the multi-valued attribute that is named by collection ("members"; "" for
// none) are not applied to the document but returned in Result.Collection.
//
// The error is a *scim.Error of status 400 that names the operation; then there is no result. The scimType is
// noTarget, invalidPath, invalidFilter, invalidValue, mutability (a read-only, immutable or required attribute), or
// the one that ResourceType.Check gives for the result.
func Apply(t *schema.ResourceType, doc scim.Object, ops []Operation, collection string, d scim.Dialect) (
	Result, error,
) {
	p := &patcher{t: t, d: d, collection: collection, doc: maps.Clone(doc)}
	if p.doc == nil {
		p.doc = scim.Object{}
	}
	for i, op := range ops {
		if err := p.apply(op); err != nil {
			at := p.at
			if at == "" && op.Path != nil {
				at = op.Path.String()
			}
			return Result{}, located(err, i+1, op.Kind, at)
		}
	}
	if err := p.clearEmptied(); err != nil {
		return Result{}, err
	}
	t.SetSchemas(p.doc)
	if err := t.Check(p.doc); err != nil {
		return Result{}, err
	}
	return Result{Doc: p.doc, Collection: p.changes}, nil
}

// patcher is a PATCH under way.
type patcher struct {
	t          *schema.ResourceType
	d          scim.Dialect
	collection string
	only       bool // the collection is all that is looked at

	// doc is this patcher's own map, but its values are shared with the input document: to change an attribute, put
	// a new value in its place.
	doc     scim.Object
	changes []CollectionChange

	// at is the path of the member of a value at which an operation without a path of its own failed; "" is nowhere.
	at string

	// merging says that the operation under way has no path of its own.
	merging bool

	// emptied are attributes of which a value may be left with labels only. Such a value stays for the operations that
	// follow, since clients send its labels and its content in any order; clearEmptied removes it after the last one.
	emptied []target

	// work is the part of maxWork that is used up.
	work int
}

// maxWork bounds the comparisons of elements in one request, so that a thousand filters on ten thousand elements cannot
// keep a server busy. A thousand operations on an attribute of a thousand values stay within it.
const maxWork = 2_000_000

// spend counts comparisons.
func (p *patcher) spend(n int) error {
	if p.work += n; p.work > maxWork {
		return scim.BadRequest(scim.InvalidValue,
			"There are too many operations on attributes with this many values; send fewer in one request.")
	}
	return nil
}

func (p *patcher) apply(op Operation) error {
	if op.Kind != Add && op.Kind != Remove && op.Kind != Replace {
		return scim.BadRequest(scim.InvalidSyntax, "op must be add, remove or replace.")
	}
	if op.Kind != Remove && !op.HasValue {
		return errNoValue(op.Kind)
	}
	if op.Path == nil {
		if op.Kind == Remove {
			return errNoPath()
		}
		obj, ok := op.Value.(scim.Object)
		if !ok {
			return errNoObject()
		}
		return p.merge(op.Kind, "", obj)
	}
	tg, known, err := p.resolve(*op.Path)
	switch {
	case err != nil:
		return err
	case !known && p.d.IgnoreUnknownPaths && !p.isCollection(tg) && !p.meansCollection(*op.Path):
		return nil
	case !known:
		return errUnknownPath()
	case tg.readOnly() != "":
		return errReadOnly(tg.readOnly())
	}
	return p.change(op.Kind, tg, op.Value, op.HasValue)
}

// change applies one operation to its resolved target.
func (p *patcher) change(kind Kind, tg target, value any, has bool) error {
	a := tg.attr
	if kind == Remove && value != nil && tg.expr == nil {
		switch {
		case unassigns(value) && value != "":
			return nil // an empty list names nothing to remove
		case value == "" || isEmptyObject(value):
			return errNothingNamed()
		}
	}
	switch {
	case a == nil && tg.extension == nil:
		return p.changeResource(kind, value)
	case a == nil:
		return p.changeExtension(kind, tg, value)
	case p.isCollection(tg):
		return p.changeCollection(kind, tg, value, has)
	case p.only:
		return nil
	case tg.isSchemas():
		// SetSchemas derives it from the data; the client's value is ignored.
		if kind == Remove {
			return errRequired(a.Name)
		}
		return nil
	}
	old := p.get(tg)
	value, err := p.opened(kind, tg, value)
	if err != nil {
		return err
	}
	if name := untold(a, tg.sub, old, value); name != "" {
		return errImmutable(name)
	}
	next, err := p.changed(kind, tg, old, value, has)
	if err != nil {
		return err
	}
	if next == nil && a.Kept && kind != Remove {
		if !p.merging {
			return errRequiredValue(a.Name)
		}
		next = old
	}
	if name := immutableChanged(a, old, next); name != "" {
		return errImmutable(name)
	}
	if next == nil && a.Required && kind != Remove {
		return errRequiredValue(a.Name)
	}
	p.set(tg, next)
	return nil
}

// changed is the new value of the target's attribute; nil if it is unassigned.
func (p *patcher) changed(kind Kind, tg target, old, value any, has bool) (any, error) {
	if kind == Remove {
		if name := tg.required(value); name != "" {
			return nil, errRequired(name)
		}
	}
	a := tg.attr
	switch {
	case a.MultiValued && tg.expr == nil && tg.sub == nil:
		list, _ := old.([]any)
		if kind != Replace {
			if err := p.spend(len(list)); err != nil {
				return nil, err
			}
		}
		return unassignEmpty(p.changeValues(kind, a, list, value, has))
	case a.MultiValued:
		list, _ := old.([]any)
		if err := p.spend(len(list) * (1 + tg.comparisons)); err != nil {
			return nil, err
		}
		return unassignEmpty(p.changeElements(kind, tg, list, value))
	case a.Type == schema.Complex:
		obj, _ := old.(scim.Object)
		return p.changeComplex(kind, tg, obj, value)
	case kind == Remove && value != nil:
		return p.removeNamed(a, old, value)
	case kind == Remove:
		return nil, nil
	}
	return p.normalize(a, value)
}

// opened is the value for one complex value, or for an element that a filter selects, as an object; nil if it
// unassigns.
func (p *patcher) opened(kind Kind, tg target, value any) (any, error) {
	if tg.sub != nil || tg.attr.Type != schema.Complex || tg.attr.MultiValued && tg.expr == nil || kind == Remove &&
		tg.expr != nil {
		return value, nil
	}
	if unassigns(value) {
		return nil, nil
	}
	v, err := tg.attr.Open(unwrapped(value), p.d)
	if err == nil && !p.merging && p.namesNone(tg.attr, v) && !isEmptyObject(v) {
		return nil, errNothingKnown(tg.attr)
	}
	return v, err
}

func unassignEmpty(list []any, err error) (any, error) {
	if err != nil || len(list) == 0 {
		return nil, err
	}
	return list, nil
}

// get is the current value of the target's attribute; nil if it is unassigned.
func (p *patcher) get(tg target) any {
	if tg.extension == nil {
		return p.doc[tg.attr.Name]
	}
	ext, _ := p.doc[tg.extension.ID].(scim.Object)
	return ext[tg.attr.Name]
}

// set puts v in the place of the target's attribute; nil removes it, and also an extension that is then empty.
func (p *patcher) set(tg target, v any) {
	name := tg.attr.Name
	if tg.extension == nil {
		if v == nil {
			delete(p.doc, name)
			return
		}
		p.doc[name] = v
		return
	}
	old, _ := p.doc[tg.extension.ID].(scim.Object)
	next := make(scim.Object, len(old)+1)
	maps.Copy(next, old)
	if v == nil {
		delete(next, name)
	} else {
		next[name] = v
	}
	if len(next) == 0 {
		delete(p.doc, tg.extension.ID)
		return
	}
	p.doc[tg.extension.ID] = next
}

// normalize returns v as a whole value of a in canonical form; nil if v unassigns it.
func (p *patcher) normalize(a *schema.Attribute, v any) (any, error) {
	if unassigns(v) {
		return nil, nil
	}
	return a.Normalize(v, p.d)
}

// unassigns reports whether a value means "unassigned": null, "" and [].
func unassigns(v any) bool {
	if list, ok := v.([]any); ok {
		return len(list) == 0
	}
	return v == nil || v == ""
}

func isEmptyObject(v any) bool {
	obj, ok := v.(scim.Object)
	return ok && len(obj) == 0
}

// untold returns the name of the immutable attribute or sub-attribute of a whose value in old is never returned, at
// least in part, if an operation sets or removes the hidden part; else "". sub is the sub-attribute in the operation's
// path, or nil, and value the operation's value. The operation is refused even if the value is the same: otherwise a
// client could find the value by trying.
func untold(a, sub *schema.Attribute, old, value any) string {
	value = decoded(value)
	if a.Mutability == schema.Immutable {
		if old != nil && (hidden(a) || sub != nil && hidden(sub) || a.Tells(value)) {
			return a.Name
		}
		return ""
	}
	was, _ := old.(scim.Object)
	for _, s := range a.SubAttributes {
		if s.Mutability == schema.Immutable && (hidden(a) || hidden(s)) && was[s.Name] != nil &&
			(s == sub || says(value, s)) {
			return a.Name + "." + s.Name
		}
	}
	return ""
}

// says reports whether an object, or one in a list, has a value of a sub-attribute.
func says(v any, sub *schema.Attribute) bool {
	if list, ok := v.([]any); ok {
		return slices.ContainsFunc(list, func(e any) bool { return says(e, sub) })
	}
	o, _ := v.(scim.Object)
	_, ok := scim.Field(o, sub.Name)
	return ok
}

// decoded is a value that may be sent as a string of JSON.
func decoded(v any) any {
	if s, ok := v.(string); ok && (strings.HasPrefix(s, "{") || strings.HasPrefix(s, "[")) {
		if o, err := scim.ParseObject(`{"value":` + s + `}`); err == nil {
			return o["value"]
		}
	}
	return v
}

// immutableChanged names the immutable attribute or sub-attribute of a that has a value in old and another in next; ""
// is none.
func immutableChanged(a *schema.Attribute, old, next any) string {
	if a.Mutability == schema.Immutable {
		if old != nil && !scim.Equal(old, next) {
			return a.Name
		}
		return ""
	}
	was, _ := old.(scim.Object)
	is, _ := next.(scim.Object)
	if was == nil || is == nil {
		return ""
	}
	for _, sub := range a.SubAttributes {
		if sub.Mutability == schema.Immutable && was[sub.Name] != nil && !scim.Equal(was[sub.Name], is[sub.Name]) {
			return a.Name + "." + sub.Name
		}
	}
	return ""
}
