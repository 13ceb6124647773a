package mapping_test

import (
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/serverless-scim/serverless-scim/pkg/mapping"
	"github.com/serverless-scim/serverless-scim/pkg/scim"
)

// A second implementation of the rules, as plain as possible: it knows no filters, patterns and templates but these
// few, and works out for every possible target alone whether the member has it.

// spec is a policy that both implementations understand.
type spec struct {
	activeWhen    []string
	excludeUser   string // a title
	excludeGroups string // the beginning of a name
	kinds         map[string]specKind
	rules         []specRule
}

type specKind struct {
	create, per, removeManual bool
	choose                    string
	order                     []string
	seats                     bool
}

// specRule gives one target. Names of groups are letters, an underscore and letters: "A_x".
type specRule struct {
	// "first" and "second" stand for the parts of the group's name, "value" for the user's title
	kind, target, inside string
	onGroup, onUser      bool
	groupExternal        string // the externalId that the group must have; "": any
	userTitle            string // the title that the user must have; "": any
	feature              string
}

type specGroup struct {
	id, first, second, external string
	since                       int64
}

type specUser struct {
	title    string
	inactive bool
}

func (s spec) document() string {
	kinds := map[string]any{}
	for name, k := range s.kinds {
		m := map[string]any{"create": k.create, "choose": k.choose, "order": k.order}
		if k.per {
			m["per"] = "organisation"
		}
		if k.removeManual {
			m["manual"] = "remove"
		}
		if k.seats {
			m["seats"] = "wait"
		}
		kinds[name] = m
	}
	var rules []any
	template := func(s string) string {
		switch s {
		case "first", "second", "value":
			return "${" + s + "}"
		}
		return s
	}
	for i, r := range s.rules {
		assign := map[string]any{"kind": r.kind, "target": template(r.target)}
		if r.inside != "" {
			assign["organisation"] = template(r.inside)
		}
		m := map[string]any{"id": fmt.Sprint("r", i), "assign": assign}
		if r.onGroup {
			g := map[string]any{"pattern": "^(?P<first>[A-Z]*)_(?P<second>[a-z]*)$"}
			if r.groupExternal != "" {
				g["filter"] = fmt.Sprintf("externalId eq %q", r.groupExternal)
			}
			m["group"] = g
		}
		if r.onUser {
			u := map[string]any{}
			if r.userTitle != "" {
				u["filter"] = fmt.Sprintf("title eq %q", r.userTitle)
			}
			if r.usesValue() || r.userTitle == "" {
				u["value"] = "title"
			}
			m["user"] = u
		}
		if r.feature != "" {
			m["needs"] = map[string]any{"feature": r.feature}
		}
		rules = append(rules, m)
	}
	exclude := map[string]any{}
	if s.excludeUser != "" {
		exclude["users"] = fmt.Sprintf("title eq %q", s.excludeUser)
	}
	if s.excludeGroups != "" {
		exclude["groups"] = map[string]any{"pattern": "^" + s.excludeGroups}
	}
	b, err := json.Marshal(map[string]any{
		"members": map[string]any{
			"activeWhen": map[string]any{"kinds": s.activeWhen},
			"exclude":    exclude,
		}, "kinds": kinds, "rules": rules,
	})
	if err != nil {
		panic(err)
	}
	return string(b)
}

func (r specRule) usesValue() bool { return r.target == "value" || r.inside == "value" }

// key returns the target that a rule names for a group and a user; false if it names none. g is nil for a rule on
// users alone.
func (r specRule) key(g *specGroup, u specUser) (mapping.TargetKey, bool) {
	fill := func(s string) string {
		switch s {
		case "first":
			return g.first
		case "second":
			return g.second
		case "value":
			return u.title
		}
		return s
	}
	if g != nil && r.groupExternal != "" && !strings.EqualFold(g.external, r.groupExternal) &&
		g.external != r.groupExternal {
		return mapping.TargetKey{}, false
	}
	if r.onUser &&
		(r.userTitle != "" && !strings.EqualFold(u.title, r.userTitle) || r.userTitle == "" && u.title == "") {
		return mapping.TargetKey{}, false
	}
	k := mapping.TargetKey{Kind: r.kind, Name: fill(r.target), Organisation: fill(r.inside)}
	return k, k.Name != "" && (r.inside == "" || k.Organisation != "")
}

// naive returns the result in the words of told, without the missing targets.
func (s spec) naive(
	u specUser,
	groups []specGroup,
	manual []mapping.Manual,
	adopted map[mapping.TargetKey]bool,
	targets mapping.Targets,
) string {
	if s.excludeUser != "" && strings.EqualFold(u.title, s.excludeUser) {
		return "excluded"
	}
	type reason struct {
		rule  int
		since int64
	}
	given := map[mapping.TargetKey]reason{} // by rules
	has := map[mapping.TargetKey]string{}   // in the end; the value is the mark of the origin
	organisation := func(name string) bool {
		_, ok := has[mapping.Organisation(name)]
		return ok
	}
	var ended []string
	order := []string{"organisation", "role", "licence", "desk"}
	for _, kind := range order {
		k, known := s.kinds[kind]
		if !known {
			continue
		}
		try := func(rule int, g *specGroup) {
			r := s.rules[rule]
			key, ok := r.key(g, u)
			if !ok || r.kind != kind {
				return
			}
			holder := key
			if key.Organisation != "" {
				holder = mapping.Organisation(key.Organisation)
			}
			_, exists := targets[key]
			if r.feature != "" && !slices.Contains(targets[holder].Features, r.feature) ||
				!exists && !k.create || key.Organisation != "" && !organisation(key.Organisation) {
				return
			}
			now := reason{rule: rule}
			if g != nil {
				now.since = g.since
			}
			was, again := given[key]
			if !again {
				given[key] = now
				return
			}
			was.rule = min(was.rule, now.rule)
			if was.since == 0 || now.since != 0 && now.since < was.since {
				was.since = now.since
			}
			given[key] = was
		}
		for i, r := range s.rules {
			if !r.onGroup {
				try(i, nil)
				continue
			}
			for _, g := range groups {
				if s.excludeGroups == "" || !strings.HasPrefix(g.first+"_"+g.second, s.excludeGroups) {
					try(i, &g)
				}
			}
		}
		for key, why := range given {
			if key.Kind != kind {
				continue
			}
			best := true
			for other, otherWhy := range given {
				if k.choose == "all" || other.Kind != kind || other == key || other.Organisation != key.Organisation {
					continue
				}
				rank := func(name string) int {
					i := slices.Index(k.order, name)
					switch {
					case k.choose == "first":
						return 0
					case i < 0:
						return 1000
					case k.choose == "highest":
						return -i
					}
					return i
				}
				if cmp.Or(cmp.Compare(rank(other.Name), rank(key.Name)), cmp.Compare(otherWhy.rule, why.rule),
					cmp.Compare(otherWhy.since, why.since), cmp.Compare(other.Name, key.Name)) < 0 {
					best = false
				}
			}
			if best {
				has[key] = ""
			}
		}
		for _, m := range manual {
			switch {
			case m.Kind != kind:
			case k.removeManual && adopted[m.TargetKey]:
				ended = append(ended, told1(m.TargetKey))
			default:
				if _, both := has[m.TargetKey]; both {
					has[m.TargetKey] = "+"
				} else if !k.per || organisation(m.Organisation) {
					has[m.TargetKey] = "*"
				}
			}
		}
	}
	status := "active"
	if len(s.activeWhen) > 0 {
		status = "staged"
		for key := range has {
			if slices.Contains(s.activeWhen, key.Kind) {
				status = "active"
			}
		}
	}
	if u.inactive {
		status = "inactive"
	}
	var names []string
	for key, mark := range has {
		if status == "active" || !s.kinds[key.Kind].seats {
			names = append(names, told1(key)+mark)
		}
	}
	slices.Sort(names)
	slices.Sort(ended)
	return status + ": " + strings.Join(names, ", ") + "; ended: " + strings.Join(ended, ", ")
}

func told1(k mapping.TargetKey) string { return k.Kind + " " + k.Organisation + "/" + k.Name }

func told2(r *mapping.Result) string {
	if r.Excluded {
		return "excluded"
	}
	var names, ended []string
	for _, a := range r.Assignments {
		mark := ""
		if a.Manual && a.Scim {
			mark = "+"
		} else if a.Manual {
			mark = "*"
		}
		names = append(names, told1(a.TargetKey)+mark)
	}
	for _, m := range r.Ended {
		ended = append(ended, told1(m.TargetKey))
	}
	slices.Sort(names)
	slices.Sort(ended)
	return string(r.Status) + ": " + strings.Join(names, ", ") + "; ended: " + strings.Join(ended, ", ")
}

func drawSpec(t *rapid.T) spec {
	flip := rapid.Bool()
	targets := rapid.SampledFrom([]string{"x", "y", "z", "first", "second", "value"})
	s := spec{kinds: map[string]specKind{"organisation": {create: flip.Draw(t, "create"), choose: "all"}}}
	if flip.Draw(t, "one organisation") {
		s.kinds["organisation"] = specKind{create: flip.Draw(t, "create"), choose: "first"}
	}
	for _, name := range []string{"role", "licence", "desk"} {
		if rapid.IntRange(0, 4).Draw(t, "kind") == 0 {
			continue
		}
		s.kinds[name] = specKind{
			create: flip.Draw(
				t,
				"create",
			), per: name != "licence" && flip.Draw(t, "per"), removeManual: flip.Draw(t, "manual"),
			choose: rapid.SampledFrom([]string{"all", "first", "lowest", "highest"}).
				Draw(t, "choose"),
			order: []string{"y", "x"},
			seats: name == "licence" && flip.Draw(t, "seats"),
		}
	}
	kinds := make([]string, 0, len(s.kinds))
	for name := range s.kinds {
		kinds = append(kinds, name)
	}
	slices.Sort(kinds)
	if flip.Draw(t, "staged") {
		s.activeWhen = []string{"organisation"}
	}
	s.excludeUser = rapid.SampledFrom([]string{"", "", "", "z"}).Draw(t, "excluded user")
	s.excludeGroups = rapid.SampledFrom([]string{"", "", "B"}).Draw(t, "excluded groups")
	for range rapid.IntRange(1, 8).Draw(t, "rules") {
		r := specRule{
			kind: rapid.SampledFrom(kinds).
				Draw(t, "kind"),
			target: targets.Draw(t, "target"), onGroup: flip.Draw(t, "on group"),
			feature: rapid.SampledFrom([]string{"", "", "f"}).Draw(t, "feature"),
		}
		r.onUser = !r.onGroup || flip.Draw(t, "on user")
		if s.kinds[r.kind].per {
			r.inside = targets.Draw(t, "inside")
		}
		if r.onGroup {
			r.groupExternal = rapid.SampledFrom([]string{"", "", "e"}).Draw(t, "external")
		}
		if r.onUser {
			r.userTitle = rapid.SampledFrom([]string{"", "x"}).Draw(t, "user title")
		}
		named := func(s string) string { // parts that the rule does not have
			if !r.onGroup && (s == "first" || s == "second") || !r.onUser && s == "value" {
				return "x"
			}
			return s
		}
		r.target = named(r.target)
		if r.inside != "" {
			r.inside = named(r.inside)
		}
		if r.onUser && r.userTitle != "" && !r.usesValue() && flip.Draw(t, "with value") {
			r.userTitle = "" // a rule with a value that its templates do not name
		}
		s.rules = append(s.rules, r)
	}
	return s
}

func TestEvaluateAgreesWithANaiveModel(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := drawSpec(t)
		p, _, err := mapping.Parse([]byte(s.document()), schemaTypes)
		if err != nil {
			t.Fatalf("%s\n%v", s.document(), err)
		}
		word := rapid.SampledFrom([]string{"x", "y", "z"})
		user := specUser{
			title:    rapid.SampledFrom([]string{"", "x", "X", "y", "z"}).Draw(t, "title"),
			inactive: rapid.IntRange(0, 4).Draw(t, "active") == 0,
		}
		var groups []specGroup
		for i := range rapid.IntRange(0, 5).Draw(t, "groups") {
			groups = append(groups, specGroup{
				id: fmt.Sprint("g", i), first: rapid.SampledFrom([]string{"", "A", "B"}).Draw(t, "first"),
				second: rapid.SampledFrom([]string{"", "x", "y", "z"}).
					Draw(t, "second"),
				external: rapid.SampledFrom([]string{"", "e"}).Draw(t, "external"),
				since:    int64(rapid.IntRange(1, 3).Draw(t, "since")),
			})
		}
		draw := func() mapping.TargetKey {
			kind := rapid.SampledFrom([]string{"organisation", "role", "licence", "desk"}).Draw(t, "kind")
			key := mapping.TargetKey{Kind: kind, Name: rapid.SampledFrom([]string{"x", "y", "z", "A"}).Draw(t, "name")}
			if s.kinds[kind].per {
				key.Organisation = rapid.SampledFrom([]string{"x", "y", "A"}).Draw(t, "organisation")
			}
			return key
		}
		targets, adopted := mapping.Targets{}, map[mapping.TargetKey]bool{}
		for range rapid.IntRange(0, 8).Draw(t, "targets") {
			targets[draw()] = mapping.Target{Features: rapid.SampledFrom([][]string{nil, {"f"}}).Draw(t, "features")}
		}
		var manual []mapping.Manual
		for range rapid.IntRange(0, 3).Draw(t, "manual") {
			m := mapping.Manual{TargetKey: draw(), Since: 2}
			if _, known := s.kinds[m.Kind]; known && !slices.Contains(manual, m) {
				manual = append(manual, m)
			}
			adopted[m.TargetKey] = word.Draw(t, "adopted") == "x"
		}
		f := mapping.Facts{
			User:    scim.Object{"userName": "u", "active": !user.inactive},
			Manual:  manual,
			Targets: targets,
			Adopted: adopted,
		}
		if user.title != "" {
			f.User["title"] = user.title
		}
		model := s
		if word.Draw(t, "full") == "x" { // a kind that is full gives as one that makes nothing
			model.kinds, f.Full = maps.Clone(s.kinds), map[string]bool{"role": true}
			if role, known := model.kinds["role"]; known {
				role.create = false
				model.kinds["role"] = role
			}
		}
		for _, g := range groups {
			doc := scim.Object{"displayName": g.first + "_" + g.second}
			if g.external != "" {
				doc["externalId"] = g.external
			}
			f.Memberships = append(f.Memberships, mapping.Membership{Group: p.Group(g.id, doc), Since: g.since})
		}
		got := told2(p.Evaluate(f))
		if want := model.naive(user, groups, manual, adopted, targets); got != want {
			t.Fatalf(
				"%s\nuser %+v\ngroups %+v\nmanual %+v\nadopted %+v\ntargets %+v\ngot  %s\nwant %s",
				s.document(),
				user,
				groups,
				manual,
				adopted,
				targets,
				got,
				want,
			)
		}
		inAnyOrder(t, p, f, got)
		onlyNeeds(t, p, f, got)
	})
}

// inAnyOrder checks that the order of the facts changes nothing, the missing targets included.
func inAnyOrder(t *rapid.T, p *mapping.Policy, f mapping.Facts, want string) {
	first := p.Evaluate(f)
	other := f
	other.Memberships = rapid.Permutation(f.Memberships).Draw(t, "order of groups")
	other.Manual = rapid.Permutation(f.Manual).Draw(t, "order of manual assignments")
	second := p.Evaluate(other)
	if got := told2(second); got != want {
		t.Fatalf("in another order %s, want %s", got, want)
	}
	if told(first) != told(second) {
		t.Fatalf("in another order %s, want %s", told(second), told(first))
	}
}

// onlyNeeds checks that Needs names all targets that decide.
func onlyNeeds(t *rapid.T, p *mapping.Policy, f mapping.Facts, want string) {
	all := f.Targets
	f.Targets = mapping.Targets{}
	for _, key := range p.Needs(f) {
		if target, ok := all[key]; ok {
			f.Targets[key] = target
		}
	}
	if got := told2(p.Evaluate(f)); got != want {
		t.Fatalf("with the needed targets only %s, want %s", got, want)
	}
}
