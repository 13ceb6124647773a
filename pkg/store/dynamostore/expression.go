package dynamostore

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/serverless-scim/serverless-scim/pkg/store"
)

// expression collects the placeholders of the expressions of one operation. Attribute names are always placeholders,
// because any of DynamoDB's 573 reserved words may be one.
type expression struct {
	names  map[string]string
	values map[string]types.AttributeValue
	err    error // the first value that can't be stored
}

func (e *expression) name(attr string) string {
	for placeholder, known := range e.names {
		if known == attr {
			return placeholder
		}
	}
	if e.names == nil {
		e.names = map[string]string{}
	}
	placeholder := "#n" + strconv.Itoa(len(e.names))
	e.names[placeholder] = attr
	return placeholder
}

func (e *expression) value(v any) string {
	encoded, err := encodeValue(v)
	if err != nil && e.err == nil {
		e.err = err
	}
	if e.values == nil {
		e.values = map[string]types.AttributeValue{}
	}
	placeholder := ":v" + strconv.Itoa(len(e.values))
	e.values[placeholder] = encoded
	return placeholder
}

// condition joins the conditions of an operation; nil when there are none.
func (e *expression) condition(conds []store.Cond) *string {
	if len(conds) == 0 {
		return nil
	}
	terms := make([]string, len(conds))
	for i, c := range conds {
		terms[i] = e.term(c)
	}
	joined := strings.Join(terms, " AND ")
	return &joined
}

func (e *expression) term(c store.Cond) string {
	switch c.Test {
	case store.Exists:
		return "attribute_exists(" + e.name(store.AttrPK) + ")"
	case store.Absent:
		return "attribute_not_exists(" + e.name(store.AttrPK) + ")"
	case store.AttrAbsent:
		return "attribute_not_exists(" + e.name(c.Attr) + ")"
	case store.Equal:
		return e.name(c.Attr) + " = " + e.value(c.Value)
	case store.NotEqual:
		name := e.name(c.Attr)
		return "(attribute_not_exists(" + name + ") OR " + name + " <> " + e.value(c.Value) + ")"
	case store.Less:
		return e.name(c.Attr) + " < " + e.value(c.Value)
	}
	if e.err == nil {
		e.err = fmt.Errorf("dynamostore: unknown test %d", c.Test)
	}
	return ""
}

// noAttr is an attribute that no item has. Removing it is how an update says nothing: a transaction insists on an
// expression.
const noAttr = "\x00"

// update writes the update expression of an operation. Names are sorted, so that the same
// operation is the same request: DynamoDB compares whole requests under an idempotency token.
func (e *expression) update(op store.Op) *string {
	var clauses []string
	clause := func(keyword string, terms []string) {
		if len(terms) > 0 {
			clauses = append(clauses, keyword+" "+strings.Join(terms, ", "))
		}
	}
	var set, add, remove []string
	for _, name := range sortedNames(op.Set) {
		set = append(set, e.name(name)+" = "+e.value(op.Set[name]))
	}
	for _, name := range sortedNames(op.Add) {
		add = append(add, e.name(name)+" "+e.value(op.Add[name]))
	}
	for _, name := range op.Unset {
		remove = append(remove, e.name(name))
	}
	clause("SET", set)
	clause("ADD", add)
	clause("REMOVE", remove)
	if len(clauses) == 0 {
		clause("REMOVE", []string{e.name(noAttr)})
	}
	joined := strings.Join(clauses, " ")
	return &joined
}

func sortedNames[V any, M ~map[string]V](m M) []string {
	names := make([]string, 0, len(m))
	for name := range m {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}
