package plan

import (
	"context"
	"slices"
	"strings"

	"github.com/serverless-scim/serverless-scim/pkg/scim"
	"github.com/serverless-scim/serverless-scim/pkg/scim/filter"
	"github.com/serverless-scim/serverless-scim/pkg/scim/schema"
	"github.com/serverless-scim/serverless-scim/pkg/task"
)

// Planner plans for the resources of one type. All fields but the flags are required.
type Planner struct {
	Type *schema.ResourceType
	// BareNames says that bare names of extension attributes are understood, Unquoted that bare words are strings.
	BareNames, Unquoted bool
	// Attached names the attribute that holds memberships: groups of a user, members of a group.
	Attached string
	// Lookup is the lookup by equality of an attribute, by its name as NameOf writes it; nil if there is none.
	Lookup func(name string) Lookup
	// StartsWith is the narrowing by the beginning of a value, nil if values are not in order.
	StartsWith func(name, value string) *Narrowing
	// Among finds the memberships of some; nil if the lookup by that name finds no memberships.
	Among func(name string) Among
}

// Lookup finds the ids of the resources whose attribute has a value. hint is the type asked for beside it, or "".
type Lookup func(ctx context.Context, value, hint string) ([]string, error)

// MaxCandidates bounds the ids that a lookup may find; beyond it the filter is not narrow.
const MaxCandidates = 20000

// Narrowing finds the ids of the resources that can match.
type Narrowing struct {
	Text   string // for the explanation: names, never a value
	Exists bool   // every id found is that of a resource
	Find   func(context.Context) (Candidates, error)

	// Joined says that several lookups of different moments decide together: an id may be one that never had all
	// the values asked for at once.
	Joined bool

	point    bool         // one id at most
	fixed    bool         // no change of a resource makes another id of it
	among    Among        // of a lookup of memberships: finds them among few
	value    string       // of a lookup of memberships
	branches []*Narrowing // of a union
}

// Candidates are ids, sorted, each once.
type Candidates struct {
	IDs []string
	// Memberships are the lookups of memberships among those that found the ids.
	Memberships []Membership
	// Loose says that a part of the filter did not do its work: no membership is known for sure.
	Loose bool
	// Many says that the ids are too many to go by.
	Many bool
}

// Membership has the ids of the resources with one membership: in the group Value, or of the member Value.
type Membership struct {
	Value string
	IDs   []string // sorted
	Among Among    // finds them again
}

// Plan returns the narrowing of the filter, nil if there is none, and the rest to be tested against each candidate,
// nil if nothing is left.
func (p *Planner) Plan(e filter.Expr) (*Narrowing, filter.Expr) {
	switch e := e.(type) {
	case filter.And:
		return p.both(e)
	case filter.Or:
		l, lrest := p.Plan(e.L)
		r, rrest := p.Plan(e.R)
		if l == nil || r == nil {
			return nil, e
		}
		if lrest == nil && rrest == nil {
			return union(l, r), nil
		}
		return union(l, r), e
	case filter.Compare:
		return p.compare(e)
	case filter.Match:
		return p.match(e)
	}
	return nil, e
}

func (p *Planner) both(e filter.And) (*Narrowing, filter.Expr) {
	l, lrest := p.Plan(e.L)
	r, rrest := p.Plan(e.R)
	switch {
	case l == nil && r == nil:
		return nil, e
	case l == nil:
		return r, And(e.L, rrest)
	case r == nil:
		return l, And(lrest, e.R)
	case l.point && !Mentions(e.R, p.Type, p.Attached): // one candidate: nothing to gain from a second lookup
		return l, And(lrest, e.R)
	case r.point && !Mentions(e.L, p.Type, p.Attached):
		return r, And(e.L, rrest)
	}
	return intersection(l, r), And(lrest, rrest)
}

// And joins two filters, of which either may be nil.
func And(l, r filter.Expr) filter.Expr {
	switch {
	case l == nil:
		return r
	case r == nil:
		return l
	}
	return filter.And{L: l, R: r}
}

func intersection(l, r *Narrowing) *Narrowing {
	n := &Narrowing{
		Text: "(" + l.Text + " and " + r.Text + ")", Joined: l.Joined || r.Joined || !l.fixed && !r.fixed,
		Exists: l.Exists || r.Exists, point: l.point || r.point, fixed: l.fixed && r.fixed,
	}
	switch {
	case l.among == nil && r.among != nil:
		n.Find = memberships(l, r)
	case l.among != nil && r.among == nil:
		n.Find = memberships(r, l)
	default:
		n.Find = func(ctx context.Context) (Candidates, error) {
			found, err := parallel(ctx, []*Narrowing{l, r})
			if err != nil {
				return Candidates{}, err
			}
			return found[0].both(found[1]), nil
		}
	}
	return n
}

func union(l, r *Narrowing) *Narrowing {
	n := &Narrowing{
		Text: "(" + l.Text + " or " + r.Text + ")", Joined: l.Joined || r.Joined, Exists: l.Exists && r.Exists,
		branches: slices.Concat(l.alternatives(), r.alternatives()),
	}
	n.Find = func(ctx context.Context) (Candidates, error) { return again(ctx, n.branches) }
	return n
}

// alternatives are the branches of a union, else the narrowing itself.
func (n *Narrowing) alternatives() []*Narrowing {
	if n.branches != nil {
		return n.branches
	}
	return []*Narrowing{n}
}

// passes is how many times in a row a reading that resources can move in has to find nothing new: enough if two changes
// come in between.
const passes = 2

// again finds the union of branches. They are read at different moments, and a change of a resource may move it from a
// branch that is still to be read to one that was read before: so they are read several times, unless no resource can
// move.
func again(ctx context.Context, branches []*Narrowing) (Candidates, error) {
	movable := 0
	for _, n := range branches {
		if !n.fixed {
			movable++
		}
	}
	return untilQuiet(ctx, func(ctx context.Context) ([]Candidates, bool, error) {
		found, err := parallel(ctx, branches)
		return found, movable > 1, err
	})
}

// Range finds the ids of the resources with values in a range. If read says that it took several steps, a change may
// have moved a resource from one that was still to come to one before: then it is read several times.
func Range(read func(context.Context) (ids []string, steps int, err error)) func(context.Context) (Candidates, error) {
	return func(ctx context.Context) (Candidates, error) {
		return untilQuiet(ctx, func(ctx context.Context) ([]Candidates, bool, error) {
			ids, steps, err := read(ctx)
			found, err := found(ids, err)
			return []Candidates{found}, steps > 1, err
		})
	}
}

// untilQuiet joins all that read finds, until it has found nothing new for passes times in a row, or says that no
// resource moves.
func untilQuiet(ctx context.Context, read func(context.Context) (found []Candidates, moves bool, err error)) (
	all Candidates, err error,
) {
	for quiet := 0; ; quiet++ {
		found, moves, err := read(ctx)
		if err != nil {
			return all, err
		}
		before := len(all.IDs)
		for _, c := range found {
			if all = all.either(c); all.Many || len(all.IDs) > MaxCandidates {
				return Candidates{Many: true}, nil
			}
		}
		if len(all.IDs) > before {
			quiet = 0
		}
		if !moves || quiet >= passes {
			return all, nil
		}
	}
}

func parallel(ctx context.Context, all []*Narrowing) ([]Candidates, error) {
	found := make([]Candidates, len(all))
	g, ctx := task.WithContext(ctx)
	for i, n := range all {
		g.Go(func() (err error) { found[i], err = n.Find(ctx); return err })
	}
	return found, g.Wait()
}

// Name returns the attribute that a name stands for, as NameOf writes it; "" if there is none.
func (p *Planner) Name(written string) string {
	ref, ok := p.Type.Lookup(written, p.BareNames)
	if !ok || ref.Attr == nil {
		return ""
	}
	return NameOf(ref)
}

// NameOf names an attribute, with the URN in front if that is an extension's, but for the manager.
func NameOf(ref schema.Ref) string {
	name := ref.Attr.Name
	if ref.Extension != nil && (ref.Extension.ID != scim.EnterpriseUserURN || name != "manager") {
		name = ref.Extension.ID + ":" + name
	}
	if ref.Sub == nil {
		return name
	}
	return name + "." + ref.Sub.Name
}

func (p *Planner) compare(c filter.Compare) (*Narrowing, filter.Expr) {
	value, ok := p.Text(c.Value)
	if !ok {
		return nil, c
	}
	name, hint, exact := p.Name(c.Path.Name), "", true
	if c.Path.Filter != nil {
		name = p.Name(c.Path.Name + "." + c.Path.Sub)
		hint, exact = typeHint(c.Path.Filter)
	}
	var n *Narrowing
	switch find := p.Lookup(name); {
	case c.Op == filter.Eq && find != nil:
		n = p.by(name, value, hint, find)
		exact = exact && (hint == "" || name == "emails.value")
	case c.Op == filter.Sw && c.Path.Filter == nil && value != "":
		n = p.StartsWith(name, value)
	}
	if n != nil && exact {
		return n, nil
	}
	return n, c
}

// match narrows `emails[type eq "work" and value eq "x"]` and its like by the value.
func (p *Planner) match(m filter.Match) (*Narrowing, filter.Expr) {
	pairs, pure := filter.EqualPairs(m.Path.Filter)
	name := p.Name(m.Path.Name)
	find := p.Lookup(name)
	if !pure || find == nil {
		return nil, m
	}
	for sub, v := range pairs {
		value, ok := p.Text(v)
		if !ok || !strings.EqualFold(sub, "value") {
			continue
		}
		hint := hintIn(pairs)
		n := p.by(name, value, hint, find)
		if len(pairs) == 1 || len(pairs) == 2 && hint != "" && name == "emails" {
			return n, nil
		}
		return n, m
	}
	return nil, m
}

// Text returns the string that a value of a filter stands for.
func (p *Planner) Text(v filter.Value) (string, bool) {
	if v.Kind == filter.Str {
		return v.Str, true
	}
	return v.String(), p.Unquoted && v.Kind != filter.Null
}

// typeHint returns the type that a value filter asks for; exact if it asks for nothing else.
func typeHint(e filter.Expr) (hint string, exact bool) {
	pairs, pure := filter.EqualPairs(e)
	if !pure {
		return "", false
	}
	hint = hintIn(pairs)
	return hint, len(pairs) == 1 && hint != ""
}

func hintIn(pairs map[string]filter.Value) string {
	for sub, v := range pairs {
		if strings.EqualFold(sub, "type") && v.Kind == filter.Str {
			return scim.Fold(v.Str)
		}
	}
	return ""
}

// by is the narrowing by one lookup.
func (p *Planner) by(name, value, hint string, find Lookup) *Narrowing {
	among := p.Among(name)
	return &Narrowing{
		Text: name + " eq", Exists: name != "id" && among == nil, point: name == "id" || name == "userName",
		fixed: name == "id", among: among, value: value,
		Find: func(ctx context.Context) (Candidates, error) {
			found, err := found(find(ctx, value, hint))
			if among != nil && !found.Many {
				found.Memberships = []Membership{{value, found.IDs, among}}
			}
			return found, err
		},
	}
}

// found makes candidates of the ids that a lookup found, in any order.
func found(ids []string, err error) (Candidates, error) {
	if err != nil || len(ids) > MaxCandidates {
		return Candidates{Many: true}, err
	}
	slices.Sort(ids)
	return Candidates{IDs: slices.Compact(ids)}, nil
}
