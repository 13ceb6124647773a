package mapping

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/serverless-scim/serverless-scim/pkg/scim"
)

// warnings names the parts of a policy that its author may not have meant.
func warnings(p *Policy) []Warning {
	if p.Implicit {
		return nil
	}
	w := &warner{p: p, given: map[string]bool{}}
	w.rules()
	w.kinds()
	for i, kind := range p.ActiveWhen {
		if !w.given[kind] {
			w.add(fmt.Sprintf("/members/activeWhen/kinds/%d", i),
				staysStaged, scim.Quote(kind))
		}
	}
	return w.list
}

type warner struct {
	p     *Policy
	list  []Warning
	given map[string]bool // kinds that a rule gives
}

func (w *warner) add(pointer string, code Code, args ...any) {
	if len(w.list) < maxFaults {
		w.list = append(w.list, Warning{Pointer: pointer, Reason: code.say(args), Code: code, Args: args})
	}
}

// rules looks at each rule, and at rules with the same condition, which always apply together.
func (w *warner) rules() {
	type pair struct{ condition, kind string }
	first := map[pair]*rule{}
	for i := range w.p.rules {
		r := &w.p.rules[i]
		w.given[r.kind] = true
		w.order(r)
		w.anchors(r)
		key := pair{r.condition(), r.kind}
		before, again := first[key]
		if !again {
			first[key] = r
			continue
		}
		same := fmt.Sprint(before.target, before.inside) == fmt.Sprint(r.target, r.inside)
		kind := w.p.Kinds[r.kind]
		switch {
		case same && before.feature == r.feature:
			w.add(r.at, sameTwice, scim.Quote(before.id))
		case !same && kind.Choose != ChooseAll && fmt.Sprint(before.inside) == fmt.Sprint(r.inside):
			w.add(r.at, contradicts,
				scim.Quote(before.id), r.kind, kind.Choose)
		}
	}
}

// condition is the condition of a rule as text.
func (r *rule) condition() string {
	var b strings.Builder
	if r.group != nil {
		if r.group.pattern != nil {
			b.WriteString(r.group.pattern.String())
		}
		b.WriteByte(0)
		if r.group.filter != nil {
			b.WriteString(r.group.filter.text)
		}
	}
	b.WriteByte(0)
	if r.user != nil {
		b.WriteString(r.user.text)
	}
	b.WriteByte(0)
	if r.value != nil {
		b.WriteString(r.value.text)
	}
	return b.String()
}

// order warns of a constant target that the order of its kind does not have.
func (w *warner) order(r *rule) {
	kind := w.p.Kinds[r.kind]
	if kind.Choose != ChooseLowest && kind.Choose != ChooseHighest {
		return
	}
	if target, constant := r.target.constant(); constant && !slices.Contains(kind.Order, target) {
		w.add(child(child(r.at, "assign"), "target"), notInOrder, scim.Quote(target), r.kind)
	}
}

// anchors warns of a pattern with named parts that may match in the middle of a name.
func (w *warner) anchors(r *rule) {
	if r.group == nil || len(r.group.parts) == 0 {
		return
	}
	s := r.group.pattern.String()
	if !strings.HasPrefix(s, "^") && !strings.HasPrefix(s, `\A`) ||
		!strings.HasSuffix(s, "$") && !strings.HasSuffix(s, `\z`) {
		w.add(child(child(r.at, "group"), "pattern"), notAnchored)
	}
}

func (w *warner) kinds() {
	for _, name := range slices.Sorted(maps.Keys(w.p.Kinds)) {
		kind, at := w.p.Kinds[name], child("/kinds", name)
		if !w.given[name] {
			w.add(at, onlyManual)
		}
		if len(kind.Order) > 0 && (kind.Choose == ChooseAll || kind.Choose == ChooseFirst) {
			w.add(child(at, "order"), noEffect, kind.Choose)
		}
		if kind.Seats != "" && kind.Create {
			w.add(child(at, "create"), noSeatsYet)
		}
	}
}
