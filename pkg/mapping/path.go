package mapping

import (
	"errors"
	"strconv"

	"github.com/serverless-scim/serverless-scim/pkg/scim"
	"github.com/serverless-scim/serverless-scim/pkg/scim/filter"
	"github.com/serverless-scim/serverless-scim/pkg/scim/schema"
)

// dialect is the dialect of policies: that of the RFC, independent of the identity provider's own.
var dialect = scim.Dialect{}

// path finds values in the stored attributes of a user (RFC 7644, section 3.5.2, figure 7).
type path struct {
	text    string
	ref     schema.Ref
	element *filter.ElementMatcher // nil: all elements
	sub     *schema.Attribute      // nil: the values themselves
}

// parsePath resolves a path in a resource type. With scalar, its values must be simple: a complex attribute stands for
// its sub-attribute "value". The fault has no pointer.
func parsePath(text string, rt *schema.ResourceType, scalar bool) (path, *Fault) {
	parsed, err := filter.ParsePath(text, scim.Dialect{})
	if err != nil {
		return path{}, plain(err)
	}
	ref, ok := rt.Lookup(parsed.Name, false)
	switch {
	case !ok:
		return path{}, sentence(notAttribute, scim.Quote(parsed.Name), rt.Name)
	case ref.Attr == nil:
		return path{}, sentence(wholeExtension, scim.Quote(parsed.Name))
	case joined(ref):
		return path{}, sentence(notStored, scim.Quote(parsed.Name))
	case ref.Attr.Returned == schema.Never || ref.Sub != nil && ref.Sub.Returned == schema.Never:
		return path{}, sentence(neverReturned, scim.Quote(parsed.Name))
	}
	p := path{text: text, ref: ref, sub: ref.Sub}
	if parsed.Filter != nil {
		if p.element, err = filter.BindElement(parsed.Filter, ref.Attr, dialect); err != nil {
			return path{}, plain(err)
		}
		if parsed.Sub != "" {
			if p.sub = ref.Attr.Sub(parsed.Sub); p.sub == nil {
				return path{}, sentence(notSubAttribute, scim.Quote(parsed.Sub), ref.Attr.Name)
			}
		}
	}
	if scalar && p.sub == nil && ref.Attr.Type == schema.Complex {
		if p.sub = ref.Attr.Sub("value"); p.sub == nil {
			return path{}, sentence(complexValue, scim.Quote(text))
		}
	}
	if scalar && p.sub != nil && p.sub.Type == schema.Complex {
		return path{}, sentence(complexSub, scim.Quote(text))
	}
	return p, nil
}

// plain is the detail of a SCIM error, without its status.
func plain(err error) *Fault {
	var e *scim.Error
	if errors.As(err, &e) {
		return sentence(badFilter, e.Detail)
	}
	return sentence(badFilter, err.Error())
}

// joined reports whether an attribute is no part of the stored document: groups, members and meta.
func joined(ref schema.Ref) bool {
	if ref.Extension != nil || ref.Attr == nil {
		return false
	}
	switch ref.Attr.Name {
	case "groups", "members", "meta":
		return true
	}
	return false
}

// single reports whether the path gives at most one value: a simple attribute, or the first element of a filter.
func (p path) single() bool {
	return (!p.ref.Attr.MultiValued || p.element != nil) && (p.sub == nil || !p.sub.MultiValued)
}

// values calls use for each value in doc, in order, until use returns false. null and "" are no values.
func (p path) values(doc scim.Object, use func(any) bool) {
	if p.ref.Extension != nil {
		doc, _ = doc[p.ref.Extension.ID].(scim.Object)
	}
	more := true
	each(doc[p.ref.Attr.Name], func(v any) bool {
		if p.element != nil && !p.element.Match(v) {
			return true
		}
		if p.sub == nil {
			if present(v) {
				more = use(v)
			}
			return more
		}
		o, _ := v.(scim.Object)
		each(o[p.sub.Name], func(v any) bool {
			if present(v) {
				more = use(v)
			}
			return more
		})
		return more
	})
}

// each calls use for the elements of an array, or for the one value.
func each(v any, use func(any) bool) {
	list, several := v.([]any)
	if !several {
		use(v)
		return
	}
	for _, v := range list {
		if !use(v) {
			return
		}
	}
}

func present(v any) bool {
	switch v := v.(type) {
	case nil:
		return false
	case string:
		return v != ""
	case []any:
		return len(v) > 0
	case scim.Object:
		return len(v) > 0
	}
	return true
}

// first is the text of the first value; "" if there is none.
func (p path) first(doc scim.Object) (text string) {
	p.values(doc, func(v any) bool {
		text = textOf(v)
		return text == ""
	})
	return text
}

// textOf is a simple value as text.
func textOf(v any) string {
	switch v := v.(type) {
	case string:
		return v
	case bool:
		return strconv.FormatBool(v)
	case int64:
		return strconv.FormatInt(v, 10)
	case float64:
		return strconv.FormatFloat(v, 'g', -1, 64)
	}
	return ""
}
