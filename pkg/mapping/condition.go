package mapping

import (
	"regexp"

	"github.com/serverless-scim/serverless-scim/pkg/scim"
	"github.com/serverless-scim/serverless-scim/pkg/scim/filter"
	"github.com/serverless-scim/serverless-scim/pkg/scim/schema"
)

// condition is a SCIM filter on a resource, taken apart at its outermost `and` so that a part that is false can be
// named.
type condition struct {
	text  string
	parts []conditionPart
}

type conditionPart struct {
	text    string
	matches *filter.Matcher
}

// parseCondition reads a filter on the stored attributes of a resource type. The fault has no
// pointer.
func parseCondition(text string, rt *schema.ResourceType) (*condition, *Fault) {
	e, err := filter.Parse(text, dialect)
	if err != nil {
		return nil, plain(err)
	}
	c := &condition{text: e.String()}
	for _, part := range conjuncts(e, nil) {
		if name := unstored(part, rt); name != "" {
			return nil, sentence(notStored, scim.Quote(name))
		}
		m, err := filter.Bind(part, rt, dialect)
		if err != nil {
			return nil, plain(err)
		}
		c.parts = append(c.parts, conditionPart{text: part.String(), matches: m})
	}
	return c, nil
}

func conjuncts(e filter.Expr, list []filter.Expr) []filter.Expr {
	if and, ok := e.(filter.And); ok {
		return conjuncts(and.R, conjuncts(and.L, list))
	}
	return append(list, e)
}

// unstored returns the first attribute in e that is no part of a stored document; "" if there is none.
func unstored(e filter.Expr, rt *schema.ResourceType) string {
	name := ""
	switch e := e.(type) {
	case filter.And:
		if name = unstored(e.L, rt); name == "" {
			name = unstored(e.R, rt)
		}
		return name
	case filter.Or:
		if name = unstored(e.L, rt); name == "" {
			name = unstored(e.R, rt)
		}
		return name
	case filter.Not:
		return unstored(e.X, rt)
	case filter.Compare:
		name = e.Path.Name
	case filter.Match:
		name = e.Path.Name
	}
	if ref, ok := rt.Lookup(name, false); ok && joined(ref) {
		return name
	}
	return ""
}

// falsePart returns the text of the first part that does not hold for doc; "" if all hold. A nil condition holds.
func (c *condition) falsePart(doc scim.Object) string {
	if c == nil {
		return ""
	}
	for _, p := range c.parts {
		if !p.matches.Match(doc) {
			return p.text
		}
	}
	return ""
}

func (c *condition) holds(doc scim.Object) bool { return c.falsePart(doc) == "" }

// groupCondition is a condition on a group: a filter, a pattern on the displayName, or both.
type groupCondition struct {
	filter  *condition
	pattern *regexp.Regexp
	parts   []string // the named parts of the pattern
}

// match reports whether a group passes, and the named parts of its displayName if the pattern holds. If the pattern
// holds and the filter does not, near is the part of the filter that is false.
func (c *groupCondition) match(doc scim.Object) (named map[string]string, near string, ok bool) {
	name, _ := doc["displayName"].(string)
	if c.pattern != nil {
		at := c.pattern.FindStringSubmatchIndex(name)
		if at == nil {
			return nil, "", false
		}
		if len(c.parts) > 0 {
			named = make(map[string]string, len(c.parts))
		}
		for i, part := range c.pattern.SubexpNames() {
			if part != "" && at[2*i] >= 0 {
				named[part] = name[at[2*i]:at[2*i+1]]
			}
		}
	}
	if part := c.filter.falsePart(doc); part != "" {
		if c.pattern == nil {
			part = "" // a group that the rule does not mean
		}
		return named, part, false
	}
	return named, "", true
}
