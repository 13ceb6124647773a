package filter

import (
	"github.com/serverless-scim/serverless-scim/pkg/scim"
	"github.com/serverless-scim/serverless-scim/pkg/scim/schema"
)

// Matcher is a filter whose names are resolved in a resource type. It may be used by many goroutines at once.
type Matcher struct{ root node }

// Match reports whether a resource passes the filter. doc is the resource's representation, with id and meta, under
// the declared names; it is not changed. An attribute that doc does not contain is missing.
func (m *Matcher) Match(doc scim.Object) bool { return m.root.match(doc) }

// Sure reports whether the comparisons of some attributes alone decide the result of Match for doc, so that no
// result of the other comparisons can change it. is selects these attributes.
func (m *Matcher) Sure(doc scim.Object, is func(schema.Ref) bool) bool {
	return m.root.with(doc, is, false) || !m.root.with(doc, is, true)
}

// ElementMatcher is a value filter whose names are resolved in one attribute. It may be used by many goroutines at
// once.
type ElementMatcher struct{ root node }

// Match reports whether one element of the attribute passes the filter: an object, or the value itself if the
// attribute is not complex.
func (m *ElementMatcher) Match(element any) bool { return m.root.match(element) }

// Bind resolves the names of a filter in a resource type and checks every comparison against its attribute. Its errors
// are *scim.Error of status 400 and type invalidFilter: an unknown attribute, or one that is never returned; an
// operator or a value that does not go with the attribute's type (RFC 7644, section 3.4.2.2, table 3).
func Bind(e Expr, t *schema.ResourceType, d scim.Dialect) (*Matcher, error) {
	root, err := binder{t: t, d: d}.expr(e)
	if err != nil {
		return nil, err
	}
	return &Matcher{root}, nil
}

// BindElement resolves the names of a value filter in the sub-attributes of a, which is multi-valued or complex.
// The values of a multi-valued attribute that is not complex have the name "value". Its errors are those of Bind.
func BindElement(e Expr, a *schema.Attribute, d scim.Dialect) (*ElementMatcher, error) {
	root, err := binder{element: a, d: d}.within(e)
	if err != nil {
		return nil, err
	}
	return &ElementMatcher{root}, nil
}

// binder turns a tree into a test, in one scope: a resource type, or the elements of an attribute.
type binder struct {
	t       *schema.ResourceType
	element *schema.Attribute
	d       scim.Dialect
}

func (b binder) expr(e Expr) (n node, err error) {
	switch e := e.(type) {
	case And:
		return b.both(both, e.L, e.R)
	case Or:
		return b.both(either, e.L, e.R)
	case Not:
		x, err := b.expr(e.X)
		return node{op: not, parts: []node{x}}, err
	case Compare:
		if b.element != nil {
			n.test, err = b.compareSub(e)
		} else {
			n.ref, n.test, err = b.compare(e)
		}
		return n, err
	case Match:
		if b.element != nil {
			return n, nested(b.element.Name)
		}
		ref, inner, err := b.valuePath(e.Path)
		if err != nil {
			return n, err
		}
		return node{ref: ref, test: from(ref, anyElement(inner))}, nil
	}
	return n, scim.BadRequest(scim.InvalidFilter, "The filter is empty.")
}

func (b binder) both(op operator, left, right Expr) (node, error) {
	l, err := b.expr(left)
	if err != nil {
		return l, err
	}
	r, err := b.expr(right)
	return node{op: op, parts: []node{l, r}}, err
}

// compare binds a comparison in a resource type.
func (b binder) compare(c Compare) (schema.Ref, test, error) {
	if c.Path.Filter != nil {
		return b.compareFiltered(c)
	}
	ref, err := b.lookup(c.Path.Name)
	if err != nil {
		return schema.Ref{}, nil, err
	}
	if ref.Attr == nil {
		if presence(c) {
			return ref, presenceTest(c, at(ref.Extension.ID, presentIn(ref.Extension.Attributes))), nil
		}
		return ref, nil, scim.BadRequest(scim.InvalidFilter, "%q is a whole extension: compare one of its attributes.",
			c.Path.Name)
	}
	if presence(c) {
		if ref.Sub == nil && ref.Attr.Type == schema.Complex {
			return ref, presenceTest(c, from(ref, some(presentIn(ref.Attr.SubAttributes)))), nil
		}
		return ref, presenceTest(c, from(ref, some(subTest(ref.Sub, present)))), nil
	}
	attr, sub := ref.Attr, ref.Sub
	if sub == nil && attr.Type == schema.Complex {
		if sub = attr.Sub("value"); sub == nil || sub.Returned == schema.Never {
			return ref, nil, wholeComplex(c.Path.Name, attr)
		}
	}
	if sub != nil {
		attr = sub
	}
	leaf, err := b.leaf(attr, c.Path.Name, c.Op, c.Value)
	if err != nil {
		return schema.Ref{}, nil, err
	}
	return ref, from(ref, some(compareSub(sub, leaf))), nil
}

// compareFiltered binds a comparison with a sub-attribute of the elements that pass a value filter:
// `emails[type eq "work"].value eq "x"`.
func (b binder) compareFiltered(c Compare) (schema.Ref, test, error) {
	ref, inner, err := b.valuePath(c.Path)
	if err != nil {
		return schema.Ref{}, nil, err
	}
	scope := binder{element: ref.Attr, d: b.d}
	sub, err := scope.sub(c.Path.Sub)
	if err != nil {
		return schema.Ref{}, nil, err
	}
	if presence(c) {
		return ref, presenceTest(c, from(ref, someWhere(inner, subTest(sub, present)))), nil
	}
	leaf, err := b.leaf(sub, ref.Attr.Name+"."+sub.Name, c.Op, c.Value)
	if err != nil {
		return schema.Ref{}, nil, err
	}
	return ref, from(ref, someWhere(inner, compareSub(sub, leaf))), nil
}

// compareSub binds a comparison in a value filter.
func (b binder) compareSub(c Compare) (test, error) {
	if c.Path.Filter != nil {
		return nil, nested(b.element.Name)
	}
	attr, err := b.sub(c.Path.Name)
	if err != nil {
		return nil, err
	}
	sub := attr
	if b.element.Type != schema.Complex {
		sub = nil
	}
	if presence(c) {
		return presenceTest(c, subTest(sub, present)), nil
	}
	leaf, err := b.leaf(attr, b.element.Name+"."+attr.Name, c.Op, c.Value)
	if err != nil {
		return nil, err
	}
	return compareSub(sub, leaf), nil
}

// valuePath resolves the attribute before the brackets and binds the filter in them.
func (b binder) valuePath(p Path) (schema.Ref, test, error) {
	ref, err := b.lookup(p.Name)
	if err != nil {
		return ref, nil, err
	}
	if ref.Attr == nil || ref.Sub != nil {
		return ref, nil, scim.BadRequest(
			scim.InvalidFilter,
			"%q cannot have a value filter in brackets: only a multi-valued or complex attribute can.", p.Name)
	}
	inner, err := binder{element: ref.Attr, d: b.d}.within(p.Filter)
	if err != nil {
		return ref, nil, err
	}
	if inner.op == comparison {
		return ref, inner.test, nil
	}
	return ref, inner.match, nil
}

// within binds a value filter after checking that the attribute can have one.
func (b binder) within(e Expr) (node, error) {
	a := b.element
	if a.Returned == schema.Never {
		return node{}, neverReturned(a.Name)
	}
	if a.Type != schema.Complex && !a.MultiValued {
		return node{}, scim.BadRequest(scim.InvalidFilter,
			"%q cannot have a value filter in brackets: only a multi-valued or complex attribute can.", a.Name)
	}
	return b.expr(e)
}

// lookup resolves a name in the resource type. An attribute that is never returned can't be used in a filter.
func (b binder) lookup(name string) (schema.Ref, error) {
	ref, ok := b.t.Lookup(name, b.d.BareExtensionNames)
	switch {
	case ok && visible(ref):
		return ref, nil
	case ok:
		return ref, neverReturned(name)
	}
	hint := ""
	if bare, found := b.t.Lookup(name, true); found && bare.Extension != nil && visible(bare) {
		hint = " Write it with the URN of its schema: " + bare.Extension.ID + ":" + short(name) + "."
	}
	return ref, scim.BadRequest(scim.InvalidFilter,
		"The filter names %q, which is not an attribute of %s.%s", short(name), b.t.Name, hint)
}

func neverReturned(name string) error {
	return scim.BadRequest(
		scim.InvalidFilter, "The filter names %q, which can't be used in a filter: it is never returned.", short(name),
	)
}

func visible(ref schema.Ref) bool {
	return (ref.Attr == nil || ref.Attr.Returned != schema.Never) &&
		(ref.Sub == nil || ref.Sub.Returned != schema.Never)
}

// sub resolves a name in a value filter. In an attribute that is not complex, "value" is the attribute itself.
func (b binder) sub(name string) (*schema.Attribute, error) {
	if b.element.Type != schema.Complex {
		if scim.Fold(name) == "value" {
			return b.element, nil
		}
	} else if s := b.element.Sub(name); s != nil {
		if s.Returned == schema.Never {
			return nil, neverReturned(b.element.Name + "." + s.Name)
		}
		return s, nil
	}
	return nil, scim.BadRequest(
		scim.InvalidFilter, "The filter names %q, which is not a sub-attribute of %q.", short(name), b.element.Name,
	)
}

func nested(name string) error {
	return scim.BadRequest(scim.InvalidFilter, "The value filter of %q must not contain another one.", name)
}

func wholeComplex(name string, a *schema.Attribute) error {
	hint := ""
	for _, s := range a.SubAttributes {
		if s.Returned != schema.Never {
			hint = ", such as " + short(name) + "." + s.Name
			break
		}
	}
	return scim.BadRequest(scim.InvalidFilter,
		"%q is complex and cannot be compared as a whole: compare one of its sub-attributes%s.", short(name), hint)
}
