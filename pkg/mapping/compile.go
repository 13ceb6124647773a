package mapping

import (
	"maps"
	"regexp"
	"slices"
	"strings"
	"sync"

	"github.com/serverless-scim/serverless-scim/pkg/scim"
	"github.com/serverless-scim/serverless-scim/pkg/scim/schema"
)

// rule is a compiled rule. It has a group condition, a user condition, or both; then both must hold.
type rule struct {
	id      string
	at      string // JSON pointer
	group   *groupCondition
	user    *condition
	value   *path // the values of ${value}
	kind    string
	target  template
	inside  template // the organisation; nil if there is none
	feature string
}

// compiler reads a policy document.
type compiler struct {
	*faults
	user, group *schema.ResourceType
	p           *Policy
}

// The patterns of names. They are compiled when they are needed, since a program may need none.
var (
	kindName      = compiled(`^[A-Za-z][A-Za-z0-9._-]*$`)
	attributeName = compiled(`^[A-Za-z_][A-Za-z0-9._-]*$`)
	eventType     = compiled(`^[a-z][a-z0-9-]*(\.[a-z][a-z0-9-]*)+$`)
)

func compiled(pattern string) func() *regexp.Regexp {
	return sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(pattern) })
}

// The fields of parts of a policy.
var (
	memberFields = []string{
		"activeWhen", "loginAddress", "attributes", "clearWhenAbsentInPut", "match", "onDelete", "onReturn", "invite",
		"exclude",
	}
	requestFields = []string{"forbid", "domains", "guard"}
)

// ownEvents are the first parts of event types that the program itself sends.
var ownEvents = []string{
	"member", "assignment", "licence", "target", "duplicate", "protected", "guard", "domain", "policy", "tenant",
	"token", "client",
	"notice", "invitation",
}

// matchers are the attributes by which a returning user is found.
var matchers = []string{"externalId", "userName", "email"}

// Parse reads a policy document and compiles it for a tenant's resource types. Warnings name parts that its author
// may not have meant. The error is Faults, or a *scim.Error 400 if the document is no JSON object or longer than
// MaxPolicyBytes.
func Parse(document []byte, types *schema.Types) (*Policy, []Warning, error) {
	c, n, err := begin(document, types)
	if err != nil {
		return nil, nil, err
	}
	n.text("description", MaxValueBytes)
	c.kinds(n)
	c.members(n.open("members", memberFields...))
	c.requests(n.open("requests", requestFields...))
	c.protect(n)
	c.rules(n)
	if err := c.said(); err != nil {
		return nil, nil, err
	}
	c.p.ruleAt = make(map[string]int, len(c.p.rules))
	for i, r := range c.p.rules {
		c.p.ruleAt[r.id] = i
		if r.group == nil {
			c.p.userRules = append(c.p.userRules, i)
		}
	}
	return c.p, warnings(c.p), nil
}

// begin opens a policy document.
func begin(document []byte, types *schema.Types) (*compiler, node, error) {
	if len(document) > MaxPolicyBytes {
		return nil, node{}, scim.BadRequest(scim.InvalidValue, "The policy is longer than %d KB.", MaxPolicyBytes>>10)
	}
	o, err := scim.ParseObject(document)
	if err != nil {
		return nil, node{}, err
	}
	c := &compiler{faults: &faults{}, user: types.User(), group: types.Group(), p: &Policy{Kinds: map[string]Kind{}}}
	return c, c.open(o, "", "description", "members", "requests", "protect", "kinds", "rules"), nil
}

// Default is the policy of a tenant that has none.
func Default(types *schema.Types) *Policy {
	p, _, err := Parse([]byte("{}"), types)
	if err != nil {
		panic("mapping: the empty policy has a fault: " + err.Error())
	}
	return p
}

func (c *compiler) kinds(n node) {
	v, at := n.get("kinds")
	all := c.openAny(v, at)
	for _, name := range all.names(maxKinds) {
		k := all.open(name, "description", "create", "per", "choose", "order", "manual", "seats", "announceFirst")
		if !kindName().MatchString(name) || len(name) > maxNameBytes {
			c.add(k.at, badKindName)
		}
		k.text("description", MaxValueBytes)
		kind := Kind{
			Name: name, Create: k.flag("create"),
			Choose: Choice(
				k.choice("choose", string(ChooseAll), string(ChooseFirst), string(ChooseLowest), string(ChooseHighest)),
			),
			Order:        k.texts("order", maxListed),
			RemoveManual: k.choice("manual", "keep", "remove") == "remove",
		}
		if k.has("per") {
			kind.Per = k.choice("per", KindOrganisation)
		}
		if k.has("seats") {
			kind.Seats = k.choice("seats", "purchase", "wait")
		}
		if (kind.Choose == ChooseLowest || kind.Choose == ChooseHighest) && len(kind.Order) == 0 {
			k.fault("order", needsOrder, kind.Choose)
		}
		kind.AnnounceFirst = k.text("announceFirst", maxNameBytes)
		c.announced(k, kind.AnnounceFirst)
		c.p.Kinds[name] = kind
	}
	c.inOrganisations(all)
}

func (c *compiler) announced(k node, event string) {
	first, _, _ := strings.Cut(event, ".")
	switch {
	case event == "":
	case !eventType().MatchString(event):
		k.fault("announceFirst", badEventType, "credentials.required")
	case slices.Contains(ownEvents, first):
		k.fault("announceFirst", ownEvent, first)
	}
}

// inOrganisations checks the kinds whose targets live inside organisations, and sorts the kinds for evaluation.
func (c *compiler) inOrganisations(all node) {
	names := slices.Sorted(maps.Keys(c.p.Kinds))
	organisation, declared := c.p.Kinds[KindOrganisation]
	for _, name := range names {
		kind, at := c.p.Kinds[name], child(child(all.at, name), "per")
		switch {
		case kind.Per == "":
		case name == KindOrganisation:
			c.add(at, nestedOrganisation)
		case !declared:
			c.add(at, needsOrganisationKind, KindOrganisation)
		case organisation.Seats != "":
			c.add(child(child(all.at, KindOrganisation), "seats"), organisationSeats)
		}
	}
	if declared {
		c.p.order = append(c.p.order, KindOrganisation)
	}
	for _, name := range names {
		if name != KindOrganisation {
			c.p.order = append(c.p.order, name)
		}
	}
}

func (c *compiler) members(n node) {
	p := c.p
	active := n.open("activeWhen", "kinds")
	p.ActiveWhen = active.texts("kinds", maxKinds)
	for i, name := range p.ActiveWhen {
		at := element(child(active.at, "kinds"), i)
		if kind, ok := p.Kinds[name]; !ok {
			c.unknown(at, name)
		} else if kind.Seats != "" {
			c.add(at, activeBySeats)
		}
	}
	login := n.text("loginAddress", MaxValueBytes)
	if login == "" {
		login = "userName"
	}
	p.login = c.path(login, child(n.at, "loginAddress"), true)
	c.attributes(n)
	c.clearing(n)
	p.Match = []string{"externalId", "userName"}
	if n.has("match") {
		p.Match = n.texts("match", 3)
		for i, m := range p.Match {
			if !slices.Contains(matchers, m) {
				c.add(element(child(n.at, "match"), i), notOneOf, quoted(matchers))
			}
		}
	}
	p.OnDelete = n.choice("onDelete", "remove", "deactivate")
	p.OnReturn = n.choice("onReturn", "restore", "new")
	p.Invite = n.choice("invite", "manual", "automatic")
	if v, at := c.excludedUsers(n).get("groups"); v != nil {
		p.excludeGroups = c.groupCondition(v, at)
	}
}

// unknown adds the fault that a kind is not one of the policy.
func (c *compiler) unknown(at, kind string) {
	if len(c.p.Kinds) == 0 {
		c.add(at, noKinds, scim.Quote(kind))
		return
	}
	c.add(at, unknownKind, scim.Quote(kind), strings.Join(slices.Sorted(maps.Keys(c.p.Kinds)), ", "))
}

func (c *compiler) path(text, at string, scalar bool) path {
	p, fault := parsePath(text, c.user, scalar)
	c.found(at, fault)
	return p
}

func (c *compiler) attributes(n node) {
	v, at := n.get("attributes")
	all := c.openAny(v, at)
	for _, name := range all.names(maxAttributes) {
		a := all.open(name, "from", "required")
		if !attributeName().MatchString(name) || len(name) > maxNameBytes {
			c.add(a.at, badAttributeName)
		}
		attr := Attribute{Name: name, From: a.required("from", MaxValueBytes), Required: a.flag("required")}
		if attr.From == "" {
			continue
		}
		attr.path = c.path(attr.From, child(a.at, "from"), false)
		c.p.Attributes = append(c.p.Attributes, attr)
	}
}

func (c *compiler) userCondition(v any, at string) *condition {
	text, ok := v.(string)
	if !ok {
		n := c.faults.open(v, at, "filter")
		text, at = n.required("filter", MaxValueBytes), child(at, "filter")
		if text == "" {
			return nil
		}
	}
	return c.condition(text, at, c.user)
}

func (c *compiler) condition(text, at string, rt *schema.ResourceType) *condition {
	if len(text) > MaxValueBytes {
		c.add(at, tooLong, MaxValueBytes)
		return nil
	}
	cond, fault := parseCondition(text, rt)
	c.found(at, fault)
	return cond
}

// groupCondition reads a filter as text, or an object of a filter, a pattern or both.
func (c *compiler) groupCondition(v any, at string) *groupCondition {
	g := &groupCondition{}
	if text, ok := v.(string); ok {
		g.filter = c.condition(text, at, c.group)
		return g
	}
	n := c.faults.open(v, at, "filter", "pattern")
	if !n.has("filter") && !n.has("pattern") {
		c.add(at, needsFilterOrPattern)
	}
	if n.has("filter") {
		if text := n.required("filter", MaxValueBytes); text != "" {
			g.filter = c.condition(text, child(at, "filter"), c.group)
		}
	}
	if n.has("pattern") {
		text := n.required("pattern", maxPatternBytes)
		re, err := regexp.Compile(text)
		if err != nil {
			n.fault("pattern", notPattern, strings.TrimPrefix(err.Error(), "error parsing regexp: "))
			return g
		}
		g.pattern = re
		for _, name := range re.SubexpNames() {
			if name != "" {
				g.parts = append(g.parts, name)
			}
		}
	}
	return g
}

func (c *compiler) protect(n node) {
	for i, v := range n.list("protect", maxListed) {
		e := c.faults.open(v, element(child(n.at, "protect"), i), "kind", "target", "organisation", "atLeast")
		p := Protection{
			Kind: e.required("kind", maxNameBytes), Target: e.required("target", MaxValueBytes),
			Organisation: e.text("organisation", MaxValueBytes), AtLeast: e.number("atLeast", 1, 1, maxProtectAmount),
		}
		c.placed(e, p.Kind, p.Organisation != "")
		if (TargetKey{p.Kind, p.Target, p.Organisation}).TooLong() {
			e.fault("target", targetTooLong, MaxTargetBytes)
		}
		if kind := c.p.Kinds[p.Kind]; kind.Seats != "" {
			e.fault("kind", protectedSeats)
		}
		c.p.Protect = append(c.p.Protect, p)
	}
}

// placed checks that a kind exists, and that an organisation is named exactly if its targets live inside one.
func (c *compiler) placed(n node, kind string, inside bool) {
	k, ok := c.p.Kinds[kind]
	switch {
	case kind == "": // named as a fault already
	case !ok:
		c.unknown(child(n.at, "kind"), kind)
	case k.Per != "" && !inside:
		n.fault("organisation", needsOrganisation, scim.Quote(kind))
	case k.Per == "" && inside:
		n.fault("organisation", noOrganisation, scim.Quote(kind))
	}
}

func (c *compiler) rules(n node) {
	list := n.list("rules", MaxRules)
	if c.p.Implicit = len(list) == 0 && len(c.p.Kinds) == 0; c.p.Implicit {
		c.p.Kinds[KindGroup] = Kind{Name: KindGroup, Create: true, Choose: ChooseAll}
		c.p.order = []string{KindGroup}
		c.p.rules = []rule{{id: "group", group: &groupCondition{}, kind: KindGroup, target: template{{ref: refID}}}}
		return
	}
	seen := map[string]bool{}
	for i, v := range list {
		r := c.rule(
			c.faults.open(v, element(child(n.at, "rules"), i), "id", "description", "group", "user", "assign", "needs"),
		)
		if r.id != "" && seen[r.id] {
			c.add(child(r.at, "id"), ruleTwice, scim.Quote(r.id))
		}
		seen[r.id] = true
		c.p.rules = append(c.p.rules, r)
	}
}

func (c *compiler) rule(n node) rule {
	r := rule{id: n.required("id", maxNameBytes), at: n.at}
	n.text("description", MaxValueBytes)
	var known []string
	if !n.has("group") && !n.has("user") {
		c.add(n.at, needsCondition)
	}
	if v, at := n.get("group"); v != nil {
		r.group = c.groupCondition(v, at)
		known = append(slices.Clone(r.group.parts), refID, refName, refExternalID)
	}
	if n.has("user") {
		known = append(known, c.ruleOnUser(n.open("user", "filter", "value"), &r)...)
	}
	assign := n.open("assign", "kind", "target", "organisation")
	r.kind = assign.required("kind", maxNameBytes)
	c.placed(assign, r.kind, assign.has("organisation"))
	r.target = c.template(assign, "target", known)
	if assign.has("organisation") {
		r.inside = c.template(assign, "organisation", known)
	}
	if needs := n.open("needs", "feature"); n.has("needs") {
		r.feature = needs.required("feature", maxNameBytes)
	}
	return r
}

// ruleOnUser reads the part of a rule that looks at the user, and returns the names that its templates can use.
func (c *compiler) ruleOnUser(user node, r *rule) []string {
	if !user.has("filter") && !user.has("value") {
		c.add(user.at, needsFilterOrValue)
	}
	if user.has("filter") {
		if text := user.required("filter", MaxValueBytes); text != "" {
			r.user = c.condition(text, child(user.at, "filter"), c.user)
		}
	}
	if !user.has("value") {
		return nil
	}
	if r.group != nil && slices.Contains(r.group.parts, refValue) {
		c.add(child(user.at, "value"), partValue)
	}
	text := user.required("value", MaxValueBytes)
	if text != "" {
		p := c.path(text, child(user.at, "value"), true)
		r.value = &p
	}
	return []string{refValue}
}

func (c *compiler) template(n node, name string, known []string) template {
	text := n.required(name, MaxValueBytes)
	t, fault := parseTemplate(text, known)
	n.f.found(child(n.at, name), fault)
	return t
}
