package mapping

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/serverless-scim/serverless-scim/pkg/scim"
)

// candidate is a target that one or several rules would give.
type candidate struct {
	Assignment
	rule int // the first rule that gives it
}

// offer is one rule that would give a target, by one group or by the user.
type offer struct {
	TargetKey
	rule       int
	membership int // -1: the user alone
	nested     int // -1: none
	since      int64
}

// evaluation is the work of one Evaluate.
type evaluation struct {
	p   *Policy
	f   Facts
	out *Result

	organisations map[string]bool // that the member has
	given         []candidate
}

// Evaluate returns the result of the policy for the facts. The order of lists in the facts does not matter.
func (p *Policy) Evaluate(f Facts) *Result {
	e := &evaluation{p: p, f: f, out: &Result{}, organisations: map[string]bool{}}
	if p.excludeUsers != nil && p.excludeUsers.holds(f.User) {
		e.out.Excluded = true
		return e.out
	}
	offers := e.offers()
	manual := e.manual()
	for _, kind := range p.order {
		e.kind(p.Kinds[kind], offers[kind], manual[kind])
	}
	for _, m := range f.Manual { // of kinds that the policy does not have any more
		if _, known := p.Kinds[m.Kind]; !known {
			e.given = append(
				e.given,
				candidate{Assignment: Assignment{TargetKey: m.TargetKey, Manual: true, Since: m.Since}},
			)
		}
	}
	e.limit()
	e.status()
	e.finish()
	return e.out
}

// Needs lists the targets that an evaluation of the facts asks for, each once, in no order. Facts.Targets is not used.
func (p *Policy) Needs(f Facts) []TargetKey {
	if p.Implicit || p.excludeUsers != nil && p.excludeUsers.holds(f.User) {
		return nil
	}
	e := &evaluation{p: p, f: f, out: &Result{}}
	seen := map[TargetKey]bool{}
	for _, offers := range e.offers() {
		for _, o := range offers {
			seen[o.TargetKey] = true
			if o.Organisation != "" {
				seen[Organisation(o.Organisation)] = true
			}
		}
	}
	keys := make([]TargetKey, 0, len(seen))
	for k := range seen {
		keys = append(keys, k)
	}
	return keys
}

// offers collects, by kind, the targets that rules would give, in order of rule, time and group. Rules whose condition
// is false, and excluded and nested groups, are noted as missing.
func (e *evaluation) offers() map[string][]offer {
	c := collector{evaluation: e, all: map[string][]offer{}, falseParts: map[int]string{}}
	for i, m := range e.f.Memberships {
		c.group(m.Group, offer{membership: i, nested: -1, since: m.Since})
	}
	for i, g := range e.f.Nested {
		c.group(g, offer{membership: -1, nested: i})
	}
	for _, i := range e.p.userRules {
		c.user(i)
	}
	for _, list := range c.all {
		slices.SortStableFunc(list, e.compareOffers)
	}
	return c.all
}

// collector collects offers.
type collector struct {
	*evaluation
	all        map[string][]offer // by kind
	falseParts map[int]string     // the part of a rule's user condition that is false, by rule; "" if it holds
}

// falsePart is the part of a rule's user condition that is false; "" if it holds. It is worked out once.
func (c *collector) falsePart(rule int) string {
	part, known := c.falseParts[rule]
	if !known {
		part = c.p.rules[rule].user.falsePart(c.f.User)
		c.falseParts[rule] = part
	}
	return part
}

// add takes an offer, or notes why it is none. part is the part of a condition that is false.
func (c *collector) add(o offer, part string) {
	r := &c.p.rules[o.rule]
	switch {
	case o.Name == "" || r.inside != nil && o.Organisation == "":
	case o.nested >= 0:
		c.missing(o, NestedGroup, "The user is in a group inside this group: groups inside groups give nothing.")
	case o.membership >= 0 && c.f.Memberships[o.membership].Group.Excluded:
		c.missing(o, ExcludedGroup, "The policy excludes this group.")
	case part != "":
		c.missing(o, ConditionFalse, "The condition %s is false.", part)
	case o.TooLong():
		c.missing(o, OverLimit, "The name of the %s is too long: it and its organisation have "+
			"%d bytes together at most.", r.kind, MaxTargetBytes)
	default:
		c.all[r.kind] = append(c.all[r.kind], o)
	}
}

// group adds the offers of a group.
func (c *collector) group(g *Group, o offer) {
	for _, give := range g.gives {
		r := &c.p.rules[give.rule]
		o.rule, o.TargetKey = give.rule, TargetKey{Kind: r.kind, Name: give.target, Organisation: give.inside}
		part := c.falsePart(give.rule)
		if r.value == nil {
			c.add(o, part)
			continue
		}
		r.value.values(c.f.User, func(v any) bool {
			if r.target.uses(refValue) || r.inside.uses(refValue) {
				o.Name, o.Organisation = r.render(g, give.named, textOf(v))
			}
			c.add(o, part)
			return true
		})
	}
	for _, miss := range g.near {
		r := &c.p.rules[miss.rule]
		o.rule, o.TargetKey = miss.rule, TargetKey{Kind: r.kind, Name: miss.target, Organisation: miss.inside}
		c.add(o, miss.part)
	}
}

// user adds the offers of a rule on users alone. A rule without a value whose condition is false is not noted as
// missing: it is meant for other users.
func (c *collector) user(rule int) {
	r, part := &c.p.rules[rule], c.falsePart(rule)
	o := offer{rule: rule, membership: -1, nested: -1}
	if r.value == nil {
		if part == "" {
			target, inside := r.render(nil, nil, "")
			o.TargetKey = TargetKey{Kind: r.kind, Name: target, Organisation: inside}
			c.add(o, "")
		}
		return
	}
	r.value.values(c.f.User, func(v any) bool {
		target, inside := r.render(nil, nil, textOf(v))
		o.TargetKey = TargetKey{Kind: r.kind, Name: target, Organisation: inside}
		c.add(o, part)
		return true
	})
}

func (e *evaluation) compareOffers(a, b offer) int {
	return cmp.Or(cmp.Compare(a.rule, b.rule), cmp.Compare(a.since, b.since), cmp.Compare(a.Name, b.Name),
		cmp.Compare(a.Organisation, b.Organisation), cmp.Compare(e.groupID(a), e.groupID(b)))
}

func (e *evaluation) groupID(o offer) string {
	if o.membership < 0 {
		return ""
	}
	return e.f.Memberships[o.membership].Group.ID
}

// manual groups the manual assignments by kind and leaves out those that a group has ended.
func (e *evaluation) manual() map[string][]Manual {
	all := map[string][]Manual{}
	for _, m := range e.f.Manual {
		if e.p.Kinds[m.Kind].RemoveManual && e.f.Adopted[m.TargetKey] {
			e.out.Ended = append(e.out.Ended, m)
			continue
		}
		all[m.Kind] = append(all[m.Kind], m)
	}
	return all
}

// kind decides the assignments of one kind.
func (e *evaluation) kind(k Kind, offers []offer, manual []Manual) {
	var found []candidate
	at := map[TargetKey]int{}
	for _, o := range offers {
		if !e.possible(k, o) {
			continue
		}
		i, known := at[o.TargetKey]
		if !known {
			i = len(found)
			at[o.TargetKey] = i
			found = append(found, candidate{Assignment{TargetKey: o.TargetKey, Scim: true, Since: o.since}, o.rule})
		}
		found[i].add(e.p.rules[o.rule].id, o)
	}
	found = e.choose(k, found)
	clear(at)
	for i, c := range found {
		at[c.TargetKey] = i
	}
	for _, m := range manual {
		if i, both := at[m.TargetKey]; both {
			found[i].Manual = true
			found[i].Since = min(m.Since, cmp.Or(found[i].Since, m.Since))
			continue
		}
		if k.Per != "" && !e.organisations[m.Organisation] {
			e.out.Missing = append(e.out.Missing, Missing{
				TargetKey: m.TargetKey, Membership: -1, Nested: -1, Reason: NotInOrganisation,
				Detail: fmt.Sprintf(
					"It was given manually, and counts while the member is in %s.",
					show(m.Organisation),
				),
			})
			continue
		}
		found = append(
			found,
			candidate{Assignment: Assignment{TargetKey: m.TargetKey, Manual: true, Since: m.Since}, rule: -1},
		)
	}
	if k.Name == KindOrganisation {
		for _, c := range found {
			e.organisations[c.Name] = true
		}
	}
	e.given = append(e.given, found...)
}

func (c *candidate) add(rule string, o offer) {
	if o.membership >= 0 {
		c.Since = min(o.since, cmp.Or(c.Since, o.since))
	}
	if len(c.Rules) == 0 || c.Rules[len(c.Rules)-1] != rule {
		c.Rules = append(c.Rules, rule)
	}
	// Offers are in order, so the same source stands beside itself.
	if s := (Source{Rule: rule, Membership: o.membership}); len(c.Sources) == 0 || c.Sources[len(c.Sources)-1] != s {
		c.Sources = append(c.Sources, s)
	}
}

// possible reports whether a rule's offer can be given, and notes the reason if it can't.
func (e *evaluation) possible(k Kind, o offer) bool {
	if e.p.Implicit {
		return true
	}
	r := &e.p.rules[o.rule]
	_, exists := e.f.Targets[o.TargetKey]
	_, organisationExists := e.f.Targets[Organisation(o.Organisation)]
	inside := o.Organisation == "" || e.organisations[o.Organisation]
	switch {
	case !inside && !organisationExists:
		e.missing(
			o,
			OrganisationUnknown,
			"Organisation %s does not exist yet; %s %s will be given once it does and the member is in it.",
			show(o.Organisation),
			k.Name,
			show(o.Name),
		)
	case !r.featureOn(o.TargetKey, e.f.Targets):
		e.missing(
			o,
			FeatureOff,
			"The rule needs the feature %s, which is off for %s.",
			show(r.feature),
			e.featureHolder(o),
		)
	case !exists && !k.Create:
		e.missing(o, TargetUnknown, "%s %s does not exist%s yet; it will be given once it does.",
			capital(k.Name), show(o.Name), in(o.Organisation))
	case !exists && e.f.Full[k.Name]:
		e.missing(o, OverLimit, "There are %d targets of kind %s already, the most that a kind can have: delete some "+
			"that nobody needs.", MaxTargets, k.Name)
	case !inside:
		e.missing(o, NotInOrganisation, "The member is not in organisation %s; %s %s will be given once they are.",
			show(o.Organisation), k.Name, show(o.Name))
	default:
		return true
	}
	return false
}

func (e *evaluation) featureHolder(o offer) string {
	if o.Organisation != "" {
		return "organisation " + show(o.Organisation)
	}
	return o.Kind + " " + show(o.Name)
}

// featureOn reports whether the organisation of a target, or the target if it has none, has the feature of the rule.
func (r *rule) featureOn(key TargetKey, targets Targets) bool {
	if r.feature == "" {
		return true
	}
	if key.Organisation != "" {
		key = Organisation(key.Organisation)
	}
	return slices.Contains(targets[key].Features, r.feature)
}

func (e *evaluation) missing(o offer, reason Reason, format string, args ...any) {
	e.out.Missing = append(e.out.Missing, Missing{
		TargetKey: o.TargetKey, Rule: e.p.rules[o.rule].id, Membership: o.membership, Nested: o.nested,
		Reason: reason, Detail: fmt.Sprintf(format, args...),
	})
}

// withdraw notes an assignment that is not given after all, once for each of its sources.
func (e *evaluation) withdraw(c candidate, reason Reason, format string, args ...any) {
	m := Missing{
		TargetKey:  c.TargetKey,
		Membership: -1,
		Nested:     -1,
		Reason:     reason,
		Detail:     fmt.Sprintf(format, args...),
	}
	for _, s := range c.Sources {
		m.Rule, m.Membership = s.Rule, s.Membership
		e.out.Missing = append(e.out.Missing, m)
	}
	if len(c.Sources) == 0 {
		e.out.Missing = append(e.out.Missing, m)
	}
}

// compareFlags sorts true before false.
func compareFlags(a, b bool) int {
	switch {
	case a == b:
		return 0
	case a:
		return -1
	}
	return 1
}

// noAssignment returns the sentence that a member has none of the kinds that would make it active.
func noAssignment(kinds []string) string {
	last := len(kinds) - 1
	if last == 0 {
		return "No assignment of kind " + kinds[0] + "."
	}
	return "No assignment of kind " + strings.Join(kinds[:last], ", ") + " or " + kinds[last] + "."
}

// status decides the status, and withdraws the kinds with seats from a member that is not active.
func (e *evaluation) status() {
	e.out.Status = Active
	switch {
	case e.f.User["active"] == false:
		e.out.Status, e.out.Because = Inactive, "The identity provider has set active to false."
	case len(e.p.ActiveWhen) == 0:
		e.out.Because = "The user is active."
	default:
		e.out.Status, e.out.Because = Staged, noAssignment(e.p.ActiveWhen)
		for _, kind := range e.p.ActiveWhen {
			i := slices.IndexFunc(e.given, func(c candidate) bool { return c.Kind == kind })
			if i >= 0 {
				e.out.Status = Active
				e.out.Because = fmt.Sprintf("The user is active and has an assignment of kind %s.", kind)
				break
			}
		}
	}
	if e.out.Status == Active {
		return
	}
	e.given = slices.DeleteFunc(e.given, func(c candidate) bool {
		if e.p.Kinds[c.Kind].Seats == "" {
			return false
		}
		e.withdraw(c, NotActive, "Only active members have a seat, and this one is %s.", e.out.Status)
		return true
	})
}

// finish puts the result in order.
func (e *evaluation) finish() {
	out := e.out
	for _, c := range e.given {
		out.Assignments = append(out.Assignments, c.Assignment)
		if _, exists := e.f.Targets[c.TargetKey]; c.Scim && !exists && !e.p.Implicit {
			out.Makes = append(out.Makes, c.TargetKey)
		}
	}
	slices.SortFunc(out.Assignments, func(a, b Assignment) int { return compareKeys(a.TargetKey, b.TargetKey) })
	slices.SortFunc(out.Makes, compareKeys)
	slices.SortFunc(out.Ended, func(a, b Manual) int { return compareKeys(a.TargetKey, b.TargetKey) })
	group := func(m Missing) string {
		switch {
		case m.Membership >= 0:
			return e.f.Memberships[m.Membership].Group.ID
		case m.Nested >= 0:
			return e.f.Nested[m.Nested].ID
		}
		return ""
	}
	slices.SortStableFunc(out.Missing, func(a, b Missing) int {
		return cmp.Or(cmp.Compare(e.p.ruleAt[a.Rule], e.p.ruleAt[b.Rule]), compareKeys(a.TargetKey, b.TargetKey),
			cmp.Compare(group(a), group(b)), cmp.Compare(a.Reason, b.Reason), cmp.Compare(a.Detail, b.Detail))
	})
	out.Person = e.p.Person(e.f.User)
}

func compareKeys(a, b TargetKey) int {
	return cmp.Or(cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.Organisation, b.Organisation), cmp.Compare(a.Name, b.Name))
}

// Person reads the fields of a member from the user.
func (p *Policy) Person(user scim.Object) Person {
	text := func(name string) string { s, _ := user[name].(string); return s }
	person := Person{
		UserName: text("userName"), ExternalID: text("externalId"), DisplayName: text("displayName"),
		LoginAddress: p.login.first(user), Email: email(user), Manager: manager(user), Attributes: scim.Object{},
	}
	if name, ok := user["name"].(scim.Object); ok && len(name) > 0 {
		person.Name = name
	}
	size := 0
	for _, a := range p.Attributes {
		v := a.value(user)
		if v == nil {
			continue
		}
		if size += len(scim.AppendJSON(nil, v)); size > maxAttributeBytes {
			break
		}
		person.Attributes[a.Name] = v
	}
	return person
}
