package patch

import (
	"strings"

	"github.com/serverless-scim/serverless-scim/pkg/scim"
	"github.com/serverless-scim/serverless-scim/pkg/scim/filter"
	"github.com/serverless-scim/serverless-scim/pkg/scim/schema"
)

// Collection returns the changes of a collection by operations, as Apply would in Result.Collection. It needs no
// document and ignores the operations' other changes. The error is one of the operations on the collection, or of a
// path.
func Collection(t *schema.ResourceType, ops []Operation, collection string, d scim.Dialect) (
	[]CollectionChange, error,
) {
	p := &patcher{t: t, d: d, collection: collection, only: true}
	for _, op := range ops {
		if err := p.apply(op); err != nil {
			return nil, err
		}
	}
	return p.changes, nil
}

func (p *patcher) isCollection(tg target) bool {
	return p.collection != "" && tg.extension == nil && tg.attr != nil && tg.attr.MultiValued &&
		tg.attr.Name == p.collection
}

// meansCollection reports whether a path that names no attribute was probably meant to name the collection. Such an
// operation must not be ignored: the client would believe that members are removed. The name contains that of the
// collection without a plural's end, or the path selects by values.
func (p *patcher) meansCollection(path filter.Path) bool {
	if p.collection == "" || p.t.Core.Attribute(p.collection) == nil {
		return false
	}
	_, byValues := valuesNamed(path.Filter, nil)
	return byValues || strings.Contains(scim.Fold(path.Name), scim.Fold(strings.TrimSuffix(p.collection, "s")))
}

// changeCollection turns an operation on the collection into a change. For an operation that can change nothing
// there is no change.
func (p *patcher) changeCollection(kind Kind, tg target, value any, has bool) error {
	a := tg.attr
	switch {
	case tg.sub != nil:
		return scim.BadRequest(scim.Mutability, "%s.%s can't be changed; remove the element from %s and add it again.",
			a.Name, tg.sub.Name, a.Name)
	case tg.expr != nil:
		return p.changeSelected(kind, tg, value)
	case kind == Remove && (!has || value == nil):
		p.changes = append(p.changes, CollectionChange{Kind: Remove, All: true})
		return nil
	case kind == Remove:
		return p.removeListed(a, value)
	case isEmptyObject(value):
		return nil
	}
	list, err := p.list(a, value)
	if err != nil {
		return err
	}
	values, err := p.elements(a, list)
	if err != nil {
		return err
	}
	if kind == Replace || len(values) > 0 {
		p.changes = append(p.changes, CollectionChange{Kind: kind, Values: values})
	}
	return nil
}

// changeSelected turns an operation on the elements that pass a filter into a change.
func (p *patcher) changeSelected(kind Kind, tg target, value any) error {
	switch kind {
	case Remove:
		c := CollectionChange{Kind: Remove}
		if eq, ok := valuesNamed(tg.expr, nil); ok {
			c.Eq = distinct(eq)
		} else {
			c.Filter = tg.match
		}
		p.changes = append(p.changes, c)
		return nil
	case Replace:
		return scim.BadRequest(scim.Mutability, "An element of %s can't be changed; remove it and add another.",
			tg.attr.Name)
	}
	value, err := p.opened(kind, tg, value)
	if err != nil {
		return err
	}
	raw, err := p.blueprint(kind, tg, value)
	if err != nil || len(raw) == 0 {
		return err
	}
	values, err := p.elements(tg.attr, []any{raw})
	if err != nil {
		return err
	}
	p.changes = append(p.changes, CollectionChange{Kind: Add, Values: values})
	return nil
}

// removeListed removes exactly the elements that a list names by their value. An empty list removes nothing.
func (p *patcher) removeListed(a *schema.Attribute, value any) error {
	list, err := p.list(a, value)
	if err != nil {
		return err
	}
	eq := make([]string, 0, len(list))
	for i, e := range list {
		if e, err = a.Open(e, p.d); err != nil {
			return err
		}
		obj, _ := e.(scim.Object)
		named, _ := scim.Field(obj, "value")
		if named, err = p.normalize(a.Sub("value"), named); err != nil {
			return err
		}
		s, ok := named.(string)
		if !ok || s == "" {
			return errElement(a, i)
		}
		eq = append(eq, s)
	}
	if len(eq) > 0 {
		p.changes = append(p.changes, CollectionChange{Kind: Remove, Eq: distinct(eq)})
	}
	return nil
}

// elements normalises a list of elements, each of which needs a value. Of several with the same value the first
// stays.
func (p *patcher) elements(a *schema.Attribute, list []any) ([]scim.Object, error) {
	values := make([]scim.Object, 0, len(list))
	seen := make(map[string]bool, len(list))
	for i, raw := range list {
		e, err := a.NormalizeElement(raw, p.d)
		if err != nil {
			return nil, err
		}
		obj, _ := e.(scim.Object)
		s, ok := obj["value"].(string)
		if !ok || s == "" {
			return nil, errElement(a, i)
		}
		if !seen[s] {
			seen[s] = true
			values = append(values, obj)
		}
	}
	return values, nil
}

func errElement(a *schema.Attribute, i int) error {
	return scim.BadRequest(scim.InvalidValue, "Element %d of %s has no value, which must be the id of a resource.", i+1,
		a.Name)
}

// valuesNamed collects the constants of a filter that consists only of `value eq "x"`, or several of these joined
// by `or`.
func valuesNamed(e filter.Expr, to []string) ([]string, bool) {
	switch e := e.(type) {
	case filter.Or:
		to, ok := valuesNamed(e.L, to)
		if !ok {
			return nil, false
		}
		return valuesNamed(e.R, to)
	case filter.Compare:
		if e.Op != filter.Eq || e.Path.Filter != nil || scim.Fold(e.Path.Name) != scim.Fold("value") ||
			e.Value.Kind != filter.Str {
			return nil, false
		}
		return append(to, e.Value.Str), true
	}
	return nil, false
}

// distinct is list without repeats, in order.
func distinct(list []string) []string {
	seen := make(map[string]bool, len(list))
	out := list[:0]
	for _, s := range list {
		if !seen[s] {
			seen[s] = true
			out = append(out, s)
		}
	}
	return out
}
