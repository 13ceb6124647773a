package define

import (
	"slices"
	"strings"

	"github.com/serverless-scim/serverless-scim/pkg/scim"
	"github.com/serverless-scim/serverless-scim/pkg/scim/schema"
)

// Admits reports whether every document that is valid under t is valid under next without a change: next removes no
// attribute and adds no requirement. If it is false, Orphans decides for each document.
func Admits(t, next *schema.ResourceType) bool {
	if t.Core.ID != next.Core.ID || !admits(t.Core.Attributes, next.Core.Attributes) {
		return false
	}
	for _, e := range t.Extensions {
		if n := next.Extension(e.Schema.ID); n == nil || !admits(e.Schema.Attributes, n.Attributes) {
			return false
		}
	}
	for _, e := range next.Extensions {
		if e.Required && !requires(t, e.Schema.ID) {
			return false
		}
	}
	return true
}

func requires(t *schema.ResourceType, urn string) bool {
	return slices.ContainsFunc(t.Extensions,
		func(e schema.Extension) bool { return e.Required && strings.EqualFold(e.Schema.ID, urn) })
}

// admits is Admits for the attributes of one level, admitsOne for one attribute.
func admits(before, after []*schema.Attribute) bool {
	for _, a := range before {
		i := slices.IndexFunc(after, func(b *schema.Attribute) bool { return b.Name == a.Name })
		if i < 0 || !admitsOne(a, after[i]) {
			return false
		}
	}
	for _, b := range after {
		if mustHave(b) && !slices.ContainsFunc(before, func(a *schema.Attribute) bool { return a.Name == b.Name }) {
			return false
		}
	}
	return true
}

// mustHave reports whether a document without the attribute is refused.
func mustHave(a *schema.Attribute) bool { return a.Required && a.Mutability != schema.ReadOnly }

func admitsOne(a, b *schema.Attribute) bool {
	switch {
	case a.Type != b.Type || a.MultiValued != b.MultiValued,
		mustHave(b) && !mustHave(a),
		tightensUniqueness(a, b),
		b.MaxBytes > 0 && (a.MaxBytes == 0 || a.MaxBytes > b.MaxBytes),
		b.Closed && (!a.Closed || b.CaseExact && !a.CaseExact):
		return false
	case b.Closed && slices.ContainsFunc(a.CanonicalValues, func(v string) bool { return !b.Allows(v) }):
		return false
	}
	return admits(a.SubAttributes, b.SubAttributes)
}

// tightensUniqueness reports whether values that were different, or were not compared, may now be the same.
func tightensUniqueness(a, b *schema.Attribute) bool {
	return b.Uniqueness != schema.None && (a.Uniqueness == schema.None || a.CaseExact != b.CaseExact)
}

// Orphans returns an error if a part of a document that is stored under t would be lost or invalid under next; else
// nil. The error is an *scim.Error that names the attribute.
func Orphans(t, next *schema.ResourceType, doc scim.Object) error {
	if t.Core.ID != next.Core.ID {
		return scim.BadRequest(scim.InvalidValue, "Its core schema is %s.", t.Core.ID)
	}
	doc = t.Prune(doc)
	pruned := next.Prune(doc)
	if err := lost(t.Core.Attributes, next.Core, doc, pruned); err != nil {
		return err
	}
	for _, e := range t.Extensions {
		o, _ := doc[e.Schema.ID].(scim.Object)
		n := next.Extension(e.Schema.ID)
		if n == nil && len(o) > 0 {
			return scim.BadRequest(scim.InvalidValue, "It has data of the extension %s.", e.Schema.ID)
		}
		if n == nil {
			continue
		}
		p, _ := pruned[e.Schema.ID].(scim.Object)
		if err := lost(e.Schema.Attributes, n, o, p); err != nil {
			return err
		}
	}
	return next.Check(pruned)
}

// lost finds the first attribute whose value in doc does not come through in pruned, or would have to be unique and was
// not.
func lost(before []*schema.Attribute, after *schema.Schema, doc, pruned scim.Object) error {
	for _, a := range before {
		v := doc[a.Name]
		if v == nil {
			continue
		}
		b := after.Attribute(a.Name)
		if b == nil || !scim.Equal(v, pruned[a.Name]) {
			return scim.BadRequest(scim.InvalidValue, "It has a value of %s.", a.FullName())
		}
		if tightensUniqueness(a, b) {
			return scim.BadRequest(scim.InvalidValue, "It has a value of %s, which was not unique before.",
				a.FullName())
		}
		for _, s := range a.SubAttributes {
			if n := b.Sub(s.Name); n != nil && tightensUniqueness(s, n) && hasSub(v, s.Name) {
				return scim.BadRequest(scim.InvalidValue,
					"It has a value of %s, which was not unique before.", s.FullName())
			}
		}
	}
	return nil
}

func hasSub(v any, name string) bool {
	if list, ok := v.([]any); ok {
		return slices.ContainsFunc(list, func(e any) bool { return hasSub(e, name) })
	}
	o, _ := v.(scim.Object)
	return o[name] != nil
}
