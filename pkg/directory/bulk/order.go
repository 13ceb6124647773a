package bulk

import (
	"context"
	"net/http"
	"slices"
	"strings"

	"github.com/serverless-scim/serverless-scim/pkg/directory"
	"github.com/serverless-scim/serverless-scim/pkg/directory/bulkid"
	"github.com/serverless-scim/serverless-scim/pkg/scim"
	"github.com/serverless-scim/serverless-scim/pkg/scim/schema"
	"github.com/serverless-scim/serverless-scim/pkg/store"
)

// unit is one piece of work: an operation, or all operations of a circle, which are carried out together.
type unit struct {
	ops    []int // in order of the request
	circle bool
	after  []int // the units that have to be done before, all of them earlier in the order
}

// refer finds out which operations refer to which, and refuses those that refer to nothing.
func (b *request) refer() {
	b.creates = map[string]int{}
	for i, op := range b.ops {
		if op.Method == http.MethodPost && op.BulkID != "" {
			if _, twice := b.creates[op.BulkID]; !twice {
				b.creates[op.BulkID] = i
			}
		}
	}
	b.refs = make([][]int, len(b.ops))
	for i := range b.ops {
		op := &b.ops[i]
		if op.Invalid == nil && op.Type != nil {
			op.Invalid = refuseMembership(*op)
		}
		if op.Invalid != nil {
			continue
		}
		names := slices.Clone(b.facts[i].bulkIDs)
		if name, ok := strings.CutPrefix(op.ID, bulkid.Prefix); ok {
			names = append(names, name)
		}
		for _, name := range names {
			k, known := b.creates[name]
			switch {
			case !known:
				op.Invalid = scim.BadRequest(scim.InvalidValue,
					"The operation refers to the bulkId %s, but no POST of this request has it.", scim.Quote(name))
			case op.ID == bulkid.Prefix+name && b.ops[k].Invalid == nil && b.ops[k].Type != op.Type:
				op.Invalid = scim.BadRequest(scim.InvalidValue, "The bulkId %s refers to a %s, not to a %s.",
					scim.Quote(name), b.ops[k].Type.Name, op.Type.Name)
			default:
				b.refs[i] = append(b.refs[i], k)
			}
		}
		if op.Invalid != nil {
			b.refs[i] = nil
		}
	}
}

// order returns the units in the order whose result the request has: next comes the first unit of which all references
// are done. A circle has the place of its last operation.
func (b *request) order() []unit {
	circles := b.circles()
	at := make([]int, len(b.ops)) // the circle of an operation
	waits := make([]int, len(circles))
	before := make([][]int, len(circles))
	for c, ops := range circles {
		for _, i := range ops {
			at[i] = c
		}
	}
	for i, refs := range b.refs {
		for _, k := range refs {
			if at[k] != at[i] {
				waits[at[i]]++
				before[at[k]] = append(before[at[k]], at[i])
			}
		}
	}
	// next holds the units that may go next, by the position of their last operation.
	next := make([]int, len(b.ops))
	for i := range next {
		next[i] = -1
	}
	for c, ops := range circles {
		if waits[c] == 0 {
			next[ops[len(ops)-1]] = c
		}
	}
	units := make([]unit, 0, len(circles))
	for i := 0; i < len(next); {
		c := next[i]
		if c < 0 {
			i++
			continue
		}
		next[i] = -1
		ops := circles[c]
		units = append(units, unit{ops: ops, circle: len(ops) > 1 || slices.Contains(b.refs[ops[0]], ops[0])})
		for _, w := range before[c] {
			if waits[w]--; waits[w] == 0 {
				last := circles[w][len(circles[w])-1]
				next[last] = w
				i = min(i, last)
			}
		}
	}
	return units
}

// circles groups the operations: those that refer to each other, directly or through others, are together (Tarjan's
// strongly connected components).
func (b *request) circles() [][]int {
	var (
		found   [][]int
		stack   []int
		index   = make([]int, len(b.ops)) // 0: not visited
		low     = make([]int, len(b.ops))
		onStack = make([]bool, len(b.ops))
		count   int
		visit   func(i int)
	)
	visit = func(i int) {
		count++
		index[i], low[i] = count, count
		stack, onStack[i] = append(stack, i), true
		for _, k := range b.refs[i] {
			if index[k] == 0 {
				visit(k)
				low[i] = min(low[i], low[k])
			} else if onStack[k] {
				low[i] = min(low[i], index[k])
			}
		}
		if low[i] != index[i] {
			return
		}
		start := slices.Index(stack, i)
		circle := slices.Clone(stack[start:])
		stack = stack[:start]
		for _, k := range circle {
			onStack[k] = false
		}
		slices.Sort(circle)
		found = append(found, circle)
	}
	for i := range b.ops {
		if index[i] == 0 {
			visit(i)
		}
	}
	return found
}

// depend finds out which units have to wait for which, so that they touch common things in order. An operation
// changes its resource. It also changes who has a unique name, if it gives its resource one or may take it away.
// It reads the resources that it refers to, by bulkId, id or name. Changes wait for all that came before, reads
// for the last change.
func (b *request) depend(ctx context.Context, units []unit) error {
	names := newJoined()
	claimed, err := b.claims(ctx, names)
	if err != nil {
		return err
	}
	type touched struct {
		changed int // the unit that changed it last, -1 for none
		read    []int
	}
	things := map[string]*touched{}
	writes := make([][]string, len(units))
	for u, unit := range units {
		for _, i := range unit.ops {
			if b.ops[i].Invalid != nil {
				continue
			}
			writes[u] = append(writes[u], "r/"+b.ids[i])
			if group := b.groupOf(i); group != "" {
				writes[u] = append(writes[u], "r/"+group)
			}
			if claimed[i] {
				writes[u] = append(writes[u], "n/"+names.find("r/"+b.ids[i]))
			}
		}
		for _, key := range writes[u] {
			things[key] = &touched{changed: -1}
		}
	}
	for u := range units {
		after := map[int]bool{}
		for _, key := range b.reads(units[u], names) {
			if thing := things[key]; thing != nil {
				after[thing.changed] = true
				thing.read = append(thing.read, u)
			}
		}
		for _, key := range writes[u] {
			thing := things[key]
			after[thing.changed] = true
			for _, reader := range thing.read {
				after[reader] = true
			}
			thing.changed, thing.read = u, nil
		}
		delete(after, -1)
		delete(after, u)
		for k := range after {
			units[u].after = append(units[u].after, k)
		}
	}
	return nil
}

// reads lists the things that a unit reads beside those that it changes.
func (b *request) reads(u unit, names *joined) []string {
	var all []string
	for _, i := range u.ops {
		for _, k := range b.refs[i] {
			all = append(all, "r/"+b.ids[k])
		}
		for _, value := range b.facts[i].values {
			all = append(all, "r/"+value)
			if name := nameKey(schema.UserType(), value); names.has(name) {
				all = append(all, "n/"+names.find(name))
			}
		}
	}
	return all
}

// claims connects each resource of the request with the unique names that it has or is to get, and marks the operations
// about them.
func (b *request) claims(ctx context.Context, names *joined) (concerned []bool, err error) {
	concerned = make([]bool, len(b.ops))
	targets := map[string]bool{}
	var keys []store.Key
	var held []string // the name of each key
	for i, op := range b.ops {
		if op.Invalid != nil {
			continue
		}
		targets[b.ids[i]] = true
		unique := uniqueName(b.t, op.Type)
		given := b.facts[i].names
		concerned[i] = unique != "" && (len(given) > 0 || op.Method == http.MethodPut || op.Method == http.MethodDelete)
		if len(op.Type.UniqueAttributes()) > 0 {
			// Which values an operation gives and takes away is not looked into: those on one type keep their order.
			concerned[i] = true
			names.join("r/"+b.ids[i], op.Type.ID)
		}
		for _, name := range given {
			key := nameKey(op.Type, name)
			if !names.has(key) {
				keys, held = append(keys, b.holderKey(op.Type, name)), append(held, key)
			}
			names.join("r/"+b.ids[i], key)
		}
	}
	items, err := b.ts.Get(ctx, keys...)
	if err != nil {
		return nil, err
	}
	for i, it := range items {
		if id, ok := it.Attrs["id"].(string); ok && targets[id] {
			names.join("r/"+id, held[i])
		}
	}
	return concerned, nil
}

// uniqueName is the attribute that is unique among the resources of a type; empty for none.
func uniqueName(t directory.Tenant, rt *schema.ResourceType) string {
	switch {
	case rt.ID == schema.UserType().ID:
		return "userName"
	case rt.ID == schema.GroupType().ID && t.UniqueGroupNames:
		return "displayName"
	}
	return ""
}

func nameKey(rt *schema.ResourceType, name string) string { return rt.ID + "/" + scim.Fold(name) }

// holderKey is the key of the item that says who has a unique name.
func (b *request) holderKey(rt *schema.ResourceType, name string) store.Key {
	if rt.ID == schema.GroupType().ID {
		return b.ts.GroupNameHolder(scim.Fold(name))
	}
	return b.ts.UserName(scim.Fold(name))
}
