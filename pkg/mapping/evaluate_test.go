package mapping_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/serverless-scim/serverless-scim/pkg/mapping"
	"github.com/serverless-scim/serverless-scim/pkg/scim"
)

// facts describes a user in one line per fact, for tables.
type world struct {
	p *mapping.Policy
	f mapping.Facts
}

func newWorld(p *mapping.Policy) *world {
	return &world{p: p, f: mapping.Facts{User: scim.Object{"userName": "ada@example.com"}, Targets: mapping.Targets{}}}
}

func (w *world) in(names ...string) *world {
	for _, name := range names {
		n := len(w.f.Memberships) + 1
		g := w.p.Group(fmt.Sprintf("g%d", n), scim.Object{"displayName": name, "externalId": "x-" + name})
		w.f.Memberships = append(w.f.Memberships, mapping.Membership{Group: g, Since: int64(n)})
	}
	return w
}

func (w *world) target(kind, organisation, name string, features ...string) *world {
	w.f.Targets[mapping.TargetKey{Kind: kind, Name: name, Organisation: organisation}] = mapping.Target{
		Features: features,
	}
	return w
}

func (w *world) manual(kind, organisation, name string) *world {
	key := mapping.TargetKey{Kind: kind, Name: name, Organisation: organisation}
	w.f.Manual = append(w.f.Manual, mapping.Manual{TargetKey: key, Since: 100})
	return w
}

func (w *world) user(set scim.Object) *world {
	for k, v := range set {
		w.f.User[k] = v
	}
	return w
}

// told is a result in short: "active: function AZ/M [scim]; missing: role AZ/L target-unknown".
func told(r *mapping.Result) string {
	if r.Excluded {
		return "excluded"
	}
	name := func(k mapping.TargetKey) string {
		if k.Organisation != "" {
			return k.Kind + " " + k.Organisation + "/" + k.Name
		}
		return k.Kind + " " + k.Name
	}
	var given, missing, ended []string
	for _, a := range r.Assignments {
		origin := ""
		if a.Manual {
			origin = "+"
		}
		if !a.Scim {
			origin = "*"
		}
		given = append(given, name(a.TargetKey)+origin)
	}
	for _, m := range r.Missing {
		missing = append(missing, name(m.TargetKey)+" "+string(m.Reason))
	}
	for _, m := range r.Ended {
		ended = append(ended, name(m.TargetKey))
	}
	s := string(r.Status) + ": " + strings.Join(given, ", ")
	if missing != nil {
		s += "; missing: " + strings.Join(missing, ", ")
	}
	if ended != nil {
		s += "; ended: " + strings.Join(ended, ", ")
	}
	return s
}

func preset(t testing.TB, name string) *mapping.Policy {
	t.Helper()
	document, ok := mapping.Preset(name)
	if !ok {
		t.Fatalf("no preset %s", name)
	}
	return parse(t, string(document))
}

func TestEvaluate(t *testing.T) {
	fe2, sally, leapsome := preset(t, "fe2"), preset(t, "sally"), preset(t, "leapsome")
	enterprise := func(set scim.Object) scim.Object {
		return scim.Object{"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User": set}
	}
	both := parse(t, `{"kinds": {"role": {"create": true}}, "rules": [{"id": "r",
		"group": {"pattern": "^G (?P<n>.+)$", "filter": "externalId eq \"x-G a\" and displayName co \"a\""},
		"user": {"filter": "title eq \"boss\" and active eq true", "value": "emails.value"},
		"assign": {"kind": "role", "target": "${n}:${value}:${group.id}"}}]}`)
	emails := scim.Object{"emails": []any{scim.Object{"value": "a@x"}, scim.Object{"value": "b@x"}}}
	tests := []struct {
		name string
		w    *world
		want string
	}{
		{"no organisation", newWorld(fe2), "staged: "},
		{"organisation unknown", newWorld(fe2).in("AZ1NC9"), "staged: ; missing: organisation AZ1NC9 target-unknown"},
		{
			"organisation",
			newWorld(fe2).in("AZ1NC9").target("organisation", "", "AZ1NC9"),
			"active: organisation AZ1NC9",
		},
		{
			"one organisation of two, the longer membership",
			newWorld(fe2).in("B", "A").target("organisation", "", "A").
				target("organisation", "", "B"), "active: organisation B; missing: organisation A not-chosen",
		},
		{
			"a manual organisation stands beside", newWorld(fe2).in("A").target("organisation", "", "A").
				manual("organisation", "", "B"),
			"active: organisation A, organisation B*",
		},
		{
			"function with its feature", newWorld(fe2).in("AZ1NC9", "AZ1NC9_Funktion_Maschinist").
				target("organisation", "", "AZ1NC9", "availability"),
			"active: function AZ1NC9/Maschinist, organisation AZ1NC9",
		},
		{
			"function without its feature", newWorld(fe2).in("AZ1NC9", "AZ1NC9_Funktion_Maschinist").
				target("organisation", "", "AZ1NC9"),
			"active: organisation AZ1NC9; missing: function AZ1NC9/Maschinist feature-off",
		},
		{
			"function of another organisation", newWorld(fe2).in("A", "B_Alarmgruppe_Nord").
				target("organisation", "", "A").target("organisation", "", "B"),
			"active: organisation A; missing: alarm-group B/Nord not-in-organisation",
		},
		{
			"function of no organisation", newWorld(fe2).in("A", "C_Alarmgruppe_Nord").target("organisation", "", "A"),
			"active: organisation A; missing: alarm-group C/Nord organisation-unknown",
		},
		{
			"in another organisation by hand", newWorld(fe2).in("A", "B_Alarmgruppe_Nord").
				target("organisation", "", "A").target("organisation", "", "B").manual("organisation", "", "B"),
			"active: alarm-group B/Nord, organisation A, organisation B*",
		},
		{
			"role waits", newWorld(fe2).in("A", "A_Rolle_Leitung").target("organisation", "", "A"),
			"active: organisation A; missing: role A/Leitung target-unknown",
		},
		{
			"role", newWorld(fe2).in("A", "A_Rolle_Leitung").target("organisation", "", "A").target("role", "A",
				"Leitung"),
			"active: organisation A, role A/Leitung",
		},
		{
			"case matters", newWorld(fe2).in("A", "A_ROLLE_Leitung", "A_rolle_x").target("organisation", "",
				"A").target("role", "A", "Leitung"),
			"active: organisation A",
		},
		{
			"inactive",
			newWorld(fe2).in("A").target("organisation", "", "A").user(scim.Object{"active": false}),
			"inactive: organisation A",
		},

		{
			"the lowest licence wins", newWorld(sally).in("App Users", "Licence Team", "Licence Starter").
				target("licence", "", "Team").target("licence", "", "Starter"),
			"active: licence Starter, role user; missing: licence Team not-chosen",
		},
		{
			"seats for active members only", newWorld(sally).in("App Users", "Licence Team").target("licence", "",
				"Team").
				user(scim.Object{"active": false}), "inactive: role user; missing: licence Team inactive",
		},
		{
			"a manual seat as well", newWorld(sally).manual("licence", "", "Team").target("licence", "", "Team"),
			"staged: ; missing: licence Team inactive",
		},

		{
			"teams",
			newWorld(leapsome).in("Sales", "Pilot users"),
			"active: team Sales; missing: team Pilot users excluded",
		},
		{
			"attributes", newWorld(leapsome).in("Sales").user(enterprise(scim.Object{
				"department": "Sales",
				"costCenter": "42",
			})).
				manual("team", "", "Choir").manual("team", "", "Sales"), "active: team 42, team Choir*, team Sales+",
		},

		{
			"both conditions",
			newWorld(both).in("G a").user(emails).user(scim.Object{"title": "boss", "active": true}),
			"active: role a:a@x:g1, role a:b@x:g1",
		},
		{
			"user condition false",
			newWorld(both).in("G a").user(emails).user(scim.Object{"title": "no", "active": true}),
			"active: ; missing: role a:a@x:g1 condition, role a:b@x:g1 condition",
		},
		{"group condition false", newWorld(both).in("G b").user(emails), "active: ; missing: role b::g1 condition"},
		{"no value", newWorld(both).in("G a").user(scim.Object{"title": "boss", "active": true}), "active: "},

		{"groups without a policy", newWorld(parse(t, `{}`)).in("A", "B"), "active: group g1, group g2"},
		{
			"excluded user",
			newWorld(parse(t, `{"members": {"exclude": {"users": "userName ew \"@example.com\""}}}`)).in("A"),
			"excluded",
		},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			r := test.w.p.Evaluate(test.w.f)
			if got := told(r); got != test.want {
				t.Errorf("%s\nwant %s\nmissing %+v", got, test.want, r.Missing)
			}
			for _, m := range r.Missing {
				if !strings.HasSuffix(m.Detail, ".") || strings.Contains(m.Detail, "%!") {
					t.Errorf("detail %q is no sentence", m.Detail)
				}
			}
		})
	}
}

func TestDetails(t *testing.T) {
	w := newWorld(preset(t, "fe2")).in("AZ1NC9", "AZ1NC9_Rolle_Leitung").target("organisation", "", "AZ1NC9")
	r := w.p.Evaluate(w.f)
	want := "Role Leitung does not exist in AZ1NC9 yet; it will be given once it does."
	if len(r.Missing) != 1 || r.Missing[0].Detail != want || r.Missing[0].Rule != "role" ||
		r.Missing[0].Membership != 1 {
		t.Errorf("missing %+v, want %q", r.Missing, want)
	}
	r = newWorld(w.p).p.Evaluate(mapping.Facts{User: scim.Object{}})
	if want := "No assignment of kind organisation."; r.Because != want {
		t.Errorf("because %q, want %q", r.Because, want)
	}
	part := parse(t, `{"kinds": {"role": {"create": true}}, "rules": [{"id": "r", "group": {"pattern": "^G$"},
		"user": {"filter": "active eq true and title eq \"boss\""}, "assign": {"kind": "role", "target": "x"}}]}`)
	w = newWorld(part).in("G").user(scim.Object{"active": true})
	r = w.p.Evaluate(w.f)
	if want := `The condition title eq "boss" is false.`; len(r.Missing) != 1 || r.Missing[0].Detail != want {
		t.Errorf("missing %+v, want %q", r.Missing, want)
	}
}

func TestNamesAreShownInert(t *testing.T) {
	w := newWorld(preset(t, "fe2")).in("A", "A_Rolle_x\u202e\x00<b>").target("organisation", "", "A")
	r := w.p.Evaluate(w.f)
	if len(r.Missing) != 1 || !strings.Contains(r.Missing[0].Detail, `"x\u202e\x00<b>"`) {
		t.Errorf("missing %+v, want the name in quotes with escapes", r.Missing)
	}
}

func TestAdoption(t *testing.T) {
	p := preset(t, "fe2")
	targets := mapping.Targets{mapping.Organisation("A"): {Features: []string{"availability"}}}
	key := mapping.TargetKey{Kind: "function", Name: "M", Organisation: "A"}
	g := p.Group("g", scim.Object{"displayName": "A_Funktion_M"})
	if got := g.Adopts(targets); !slices.Equal(got, []mapping.TargetKey{key}) {
		t.Errorf("adopts %v, want %v", got, key)
	}
	if got := g.Adopts(nil); got != nil {
		t.Errorf("adopts %v without the feature, want nothing", got)
	}
	if got := p.Group("g", scim.Object{"displayName": "A_Rolle_M"}).Adopts(targets); got != nil {
		t.Errorf("adopts %v of a kind that keeps manual assignments, want nothing", got)
	}
	w := newWorld(p).in("A").target("organisation", "", "A").manual("function", "A", "M").manual("role", "A", "M")
	w.f.Adopted = map[mapping.TargetKey]bool{key: true, {Kind: "role", Name: "M", Organisation: "A"}: true}
	if got, want := told(p.Evaluate(w.f)), "active: organisation A, role A/M*; ended: function A/M"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
}

func TestNestedGroupsGiveNothing(t *testing.T) {
	p := preset(t, "leapsome")
	w := newWorld(p).in("Inner")
	w.f.Nested = []*mapping.Group{p.Group("outer", scim.Object{"displayName": "Outer"})}
	if got, want := told(p.Evaluate(w.f)), "active: team Inner; missing: team Outer nested"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
}

func TestMakesAndNeeds(t *testing.T) {
	w := newWorld(preset(t, "fe2")).in("A", "A_Alarmgruppe_N", "A_Rolle_L").target("organisation", "", "A")
	n := mapping.TargetKey{Kind: "alarm-group", Name: "N", Organisation: "A"}
	if got := w.p.Evaluate(w.f).Makes; !slices.Equal(got, []mapping.TargetKey{n}) {
		t.Errorf("makes %v, want %v", got, n)
	}
	needs := w.p.Needs(w.f)
	want := []mapping.TargetKey{mapping.Organisation("A"), n, {Kind: "role", Name: "L", Organisation: "A"}}
	if len(needs) != len(want) {
		t.Errorf("needs %v, want %v", needs, want)
	}
	for _, k := range want {
		if !slices.Contains(needs, k) {
			t.Errorf("needs %v lack %v", needs, k)
		}
	}
}

func TestPerson(t *testing.T) {
	p := parse(t, `{"members": {"loginAddress": "emails[type eq \"login\"].value", "attributes": {
		"title": {"from": "title"}, "phones": {"from": "phoneNumbers.value"},
		"work": {"from": "emails[type eq \"work\"].value"},
		"name": {"from": "name"}, "none": {"from": "nickName"}, "long": {"from": "profileUrl"},
		"cost": {"from": "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:costCenter"}}}}`)
	user := scim.Object{
		"userName": "u", "externalId": "e", "displayName": "d", "title": "t", "name": scim.Object{"givenName": "g"},
		"profileUrl": "https://example.com/" + strings.Repeat("x", mapping.MaxValueBytes),
		"emails": []any{
			scim.Object{
				"value": "w@x",
				"type":  "work",
			}, scim.Object{"value": "p@x", "primary": true}, scim.Object{"value": "l@x", "type": "login"},
		},
		"phoneNumbers": []any{scim.Object{"value": "1"}, scim.Object{"value": "2"}},
		"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User": scim.Object{
			"costCenter": "42", "manager": scim.Object{"value": "m"},
		},
	}
	got := p.Evaluate(mapping.Facts{User: user}).Person
	want := mapping.Person{
		UserName: "u", ExternalID: "e", LoginAddress: "l@x", Email: "p@x", DisplayName: "d",
		Name: scim.Object{"givenName": "g"}, Manager: "m",
		Attributes: scim.Object{
			"title": "t", "phones": []any{"1", "2"}, "work": "w@x", "name": scim.Object{"givenName": "g"}, "cost": "42",
		},
	}
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("person %v\nwant %v", got, want)
	}
	if got := p.Evaluate(mapping.Facts{User: scim.Object{"userName": "u"}}).Person.LoginAddress; got != "" {
		t.Errorf("login address %q of a user without one of that type, want none", got)
	}
}

func TestAssignmentsAreBounded(t *testing.T) {
	w := newWorld(parse(t, `{}`))
	for i := range mapping.MaxAssignments + 10 {
		w.in(fmt.Sprint(i))
	}
	r := w.p.Evaluate(w.f)
	if len(r.Assignments) != mapping.MaxAssignments || len(r.Missing) != 10 ||
		r.Missing[0].Reason != mapping.OverLimit {
		t.Errorf("%d assignments, %d missing", len(r.Assignments), len(r.Missing))
	}
}
