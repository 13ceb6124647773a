package mapping_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/serverless-scim/serverless-scim/pkg/mapping"
	"github.com/serverless-scim/serverless-scim/pkg/scim"
	"github.com/serverless-scim/serverless-scim/pkg/scim/schema"
)

func parse(t testing.TB, document string) *mapping.Policy {
	t.Helper()
	p, _, err := mapping.Parse([]byte(document), schema.DefaultTypes())
	if err != nil {
		t.Fatalf("%s\nparse: %#v", document, err)
	}
	return p
}

// withRule is a policy of the kinds role and organisation with one rule.
func withRule(rule string) string {
	return `{"kinds": {"role": {}, "organisation": {}, "desk": {"per": "organisation"}}, "rules": [` + rule + `]}`
}

func TestFaults(t *testing.T) {
	const group, assign = `"group": {"pattern": "^(?P<org>[A-Z]+)$"}`, `"assign": {"kind": "role", "target": "a"}`
	tests := []struct{ name, document, pointer, reason string }{
		{"unknown field", `{"member": {}}`, "/member", "Unknown field. Known here: description, members, requests"},
		{"unknown field inside", `{"members": {"a/b~c": 1}}`, "/members/a~1b~0c", "Unknown field"},
		{"no object", `{"members": []}`, "/members", "Must be a JSON object."},
		{
			"unknown choice",
			`{"members": {"onDelete": "erase"}}`,
			"/members/onDelete",
			`Must be one of: "remove", "deactivate".`,
		},
		{
			"path that does not exist",
			`{"members": {"loginAddress": "mail"}}`,
			"/members/loginAddress",
			`"mail" is not an attribute of User.`,
		},
		{"path with parts", `{"members": {"loginAddress": "name"}}`, "/members/loginAddress", "is complex"},
		{
			"path that is not stored",
			`{"members": {"loginAddress": "meta.created"}}`,
			"/members/loginAddress",
			"is not stored",
		},
		{"path of a secret", `{"members": {"loginAddress": "password"}}`, "/members/loginAddress", "is never returned"},
		{"broken path", `{"members": {"loginAddress": "emails[type eq"}}`, "/members/loginAddress", ""},
		{
			"attribute without from",
			`{"members": {"attributes": {"x": {}}}}`,
			"/members/attributes/x/from",
			"Is required.",
		},
		{
			"attribute name",
			`{"members": {"attributes": {"a b": {"from": "title"}}}}`,
			"/members/attributes/a b",
			"letters, digits",
		},
		{
			"clear userName",
			`{"members": {"clearWhenAbsentInPut": ["userName"]}}`,
			"/members/clearWhenAbsentInPut/0",
			"can't be cleared",
		},
		{
			"clear active",
			`{"members": {"clearWhenAbsentInPut": ["active"]}}`,
			"/members/clearWhenAbsentInPut/0",
			"can't be cleared",
		},
		{
			"clear a part",
			`{"members": {"clearWhenAbsentInPut": ["title", "name.givenName"]}}`,
			"/members/clearWhenAbsentInPut/1",
			"whole",
		},
		{"match", `{"members": {"match": ["phone"]}}`, "/members/match/0", "Must be one of"},
		{"match twice", `{"members": {"match": ["email", "email"]}}`, "/members/match/1", "twice"},
		{
			"activeWhen",
			`{"members": {"activeWhen": {"kinds": ["x"]}}}`,
			"/members/activeWhen/kinds/0",
			"There is no kind",
		},
		{
			"activeWhen with seats", `{"members": {"activeWhen": {"kinds": ["l"]}}, "kinds": {"l": {"seats": "wait"}}}`,
			"/members/activeWhen/kinds/0", "seats",
		},
		{
			"excluded groups",
			`{"members": {"exclude": {"groups": {}}}}`,
			"/members/exclude/groups",
			"Needs a filter, a pattern or both.",
		},
		{
			"excluded users",
			`{"members": {"exclude": {"users": "groups.value eq \"x\""}}}`,
			"/members/exclude/users",
			"is not stored",
		},
		{"forbid", `{"requests": {"forbid": ["Users.read"]}}`, "/requests/forbid/0", "Must be"},
		{"guard without a bound", `{"requests": {"guard": {}}}`, "/requests/guard", "Needs people, percent or both."},
		{"guard", `{"requests": {"guard": {"people": 0}}}`, "/requests/guard/people", "whole number from 1"},
		{"domains", `{"requests": {"domains": ["name"]}}`, "/requests/domains/0", "is complex"},
		{"protect", `{"protect": [{"kind": "role", "target": "a"}]}`, "/protect/0/kind", "There is no kind"},
		{"kind name", `{"kinds": {"a/b": {}}}`, "/kinds/a~1b", "begins with a letter"},
		{"choose without order", `{"kinds": {"l": {"choose": "lowest"}}}`, "/kinds/l/order", "Is required"},
		{"per without organisations", `{"kinds": {"l": {"per": "organisation"}}}`, "/kinds/l/per", "Needs the kind"},
		{
			"organisations with seats", `{"kinds": {"organisation": {"seats": "wait"}, "l": {"per": "organisation"}}}`,
			"/kinds/organisation/seats", "can't have seats",
		},
		{
			"announceFirst",
			`{"kinds": {"l": {"announceFirst": "member.updated"}}}`,
			"/kinds/l/announceFirst",
			"used already",
		},
		{
			"announceFirst form",
			`{"kinds": {"l": {"announceFirst": "Hello"}}}`,
			"/kinds/l/announceFirst",
			"An event type is",
		},
		{"flag", `{"kinds": {"l": {"create": "yes"}}}`, "/kinds/l/create", "Must be true or false."},
		{"rule without id", withRule(`{` + group + `,` + assign + `}`), "/rules/0/id", "Is required."},
		{
			"rule id twice",
			withRule(`{"id": "r",` + group + `,` + assign + `}, {"id": "r",` + group + `,` + assign + `}`),
			"/rules/1/id",
			"already",
		},
		{"rule without a condition", withRule(`{"id": "r",` + assign + `}`), "/rules/0", "Needs a condition"},
		{
			"pattern",
			withRule(`{"id": "r", "group": {"pattern": "("},` + assign + `}`),
			"/rules/0/group/pattern",
			"Is not an RE2 pattern",
		},
		{
			"backreference",
			withRule(`{"id": "r", "group": {"pattern": "(a)\\1"},` + assign + `}`),
			"/rules/0/group/pattern",
			"RE2",
		},
		{
			"filter",
			withRule(`{"id": "r", "group": {"filter": "displayName is \"x\""},` + assign + `}`),
			"/rules/0/group/filter",
			"",
		},
		{
			"filter on members",
			withRule(`{"id": "r", "group": {"filter": "members pr"},` + assign + `}`),
			"/rules/0/group/filter",
			"is not stored",
		},
		{
			"unknown kind",
			withRule(`{"id": "r",` + group + `, "assign": {"kind": "x", "target": "a"}}`),
			"/rules/0/assign/kind",
			"There is no kind",
		},
		{
			"target",
			withRule(`{"id": "r",` + group + `, "assign": {"kind": "role"}}`),
			"/rules/0/assign/target",
			"Is required.",
		},
		{
			"template", withRule(`{"id": "r",` + group + `, "assign": {"kind": "role", "target": "${name}"}}`),
			"/rules/0/assign/target", "There is no ${name} here. Known: ${org}, ${group.id}",
		},
		{
			"open template", withRule(`{"id": "r",` + group + `, "assign": {"kind": "role", "target": "${org"}}`),
			"/rules/0/assign/target", "does not end with }",
		},
		{
			"value without a value",
			withRule(`{"id": "r", "user": {"filter": "title pr"}, "assign": {"kind": "role", "target": "${value}"}}`),
			"/rules/0/assign/target", "References ${",
		},
		{
			"organisation missing", withRule(`{"id": "r",` + group + `, "assign": {"kind": "desk", "target": "a"}}`),
			"/rules/0/assign/organisation", "Is required",
		},
		{
			"organisation too many", withRule(`{"id": "r",` + group +
				`, "assign": {"kind": "role", "target": "a", "organisation": "b"}}`),
			"/rules/0/assign/organisation", "do not live inside",
		},
		{"rules", `{"rules": {}}`, "/rules", "Must be a JSON array."},
		{"too many rules", `{"rules": [` + strings.Repeat(`0,`, mapping.MaxRules) + `0]}`, "/rules", "more than 500"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			_, _, err := mapping.Parse([]byte(test.document), schema.DefaultTypes())
			var faults mapping.Faults
			if !errors.As(err, &faults) {
				t.Fatalf("error %v, want faults", err)
			}
			i := slices.IndexFunc(faults, func(f mapping.Fault) bool { return f.Pointer == test.pointer })
			if i < 0 || !strings.Contains(faults[i].Reason, test.reason) {
				t.Errorf("faults %q, want %q at %q", faults, test.reason, test.pointer)
			}
		})
	}
}

func TestEveryFaultIsNamedAtOnce(t *testing.T) {
	_, _, err := mapping.Parse(
		[]byte(`{"a": 1, "members": {"onReturn": 2, "invite": "no"}, "rules": [{}]}`),
		schema.DefaultTypes(),
	)
	var faults mapping.Faults
	if !errors.As(err, &faults) {
		t.Fatal(err)
	}
	var at []string
	for _, f := range faults {
		at = append(at, f.Pointer)
	}
	want := []string{
		"/a", "/members/invite", "/members/onReturn", "/rules/0", "/rules/0/assign/kind", "/rules/0/assign/target",
		"/rules/0/id",
	}
	if !slices.Equal(at, want) {
		t.Errorf("faults at %q, want %q", at, want)
	}
}

func TestWhatIsNoPolicyAtAll(t *testing.T) {
	long := `{"description": "` + strings.Repeat("x", mapping.MaxPolicyBytes) + `"}`
	for _, document := range []string{"", "[]", "{", `{"a": 1} {}`, long} {
		_, _, err := mapping.Parse([]byte(document), schema.DefaultTypes())
		var e *scim.Error
		if !errors.As(err, &e) || e.Status != 400 {
			t.Errorf("%.40s: error %v, want a 400", document, err)
		}
	}
}

func TestDefaults(t *testing.T) {
	for _, document := range []string{`{}`, `{"members": null, "rules": null}`, `{"kinds": {}, "rules": []}`} {
		p := parse(t, document)
		got := fmt.Sprintln(
			p.Implicit,
			p.Match,
			p.OnDelete,
			p.OnReturn,
			p.Invite,
			p.Forbid,
			p.Domains,
			p.Guard,
			p.Protect,
		)
		if want := "true [externalId userName] remove restore manual [] [] <nil> []\n"; got != want {
			t.Errorf("%s: %s, want %s", document, got, want)
		}
	}
}

func TestForbid(t *testing.T) {
	p := parse(t, `{"requests": {"forbid": ["Users.*", "Groups.create", "Users.delete"]}}`)
	if got, want := fmt.Sprint(p.Forbid), "[Users.create Users.update Users.delete Groups.create]"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
	if !p.Forbids("Users", "update") || p.Forbids("Groups", "update") {
		t.Error("Users.update has to be forbidden and Groups.update not")
	}
}

func TestWarnings(t *testing.T) {
	const licence = `"licence": {"choose": "lowest", "order": ["Starter", "Team"]}`
	rule := func(id, condition, target string) string {
		return `{"id": "` + id + `", "group": {` + condition + `}, "assign": {"kind": "licence", "target": "` +
			target + `"}}`
	}
	tests := []struct{ name, document, pointer, reason string }{
		{
			"contradiction", `{"kinds": {` + licence + `}, "rules": [` + rule("a", `"pattern": "^x$"`, "Starter") +
				`,` +
				rule("b", `"pattern": "^x$"`, "Team") + `]}`, "/rules/1", `Contradicts the rule "a"`,
		},
		{
			"the same twice", `{"kinds": {` + licence + `}, "rules": [` +
				rule("a", `"filter": "displayName eq \"x\""`, "Team") + `,` +
				rule(
					"b",
					`"filter": "displayName EQ \"x\""`,
					"Team",
				) + `]}`, "/rules/1", `Gives the same as the rule "a"`,
		},
		{
			"not in the order", `{"kinds": {` + licence + `}, "rules": [` + rule("a", `"pattern": "^x$"`, "Gold") +
				`]}`,
			"/rules/0/assign/target", "is not in the order",
		},
		{
			"no anchor", `{"kinds": {` + licence + `}, "rules": [` +
				rule("a", `"pattern": "Licence (?P<n>.+)$"`, "${n}") + `]}`,
			"/rules/0/group/pattern", "in the middle of a name",
		},
		{"no rule", `{"kinds": {"role": {}}}`, "/kinds/role", "No rule gives this kind"},
		{
			"never active", `{"members": {"activeWhen": {"kinds": ["role"]}}, "kinds": {"role": {}}}`,
			"/members/activeWhen/kinds/0", "members stay staged",
		},
		{"order", `{"kinds": {"role": {"order": ["a"]}}}`, "/kinds/role/order", "Has no effect"},
		{"seats", `{"kinds": {"role": {"create": true, "seats": "wait"}}}`, "/kinds/role/create", "no seats until"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			_, warnings, err := mapping.Parse([]byte(test.document), schema.DefaultTypes())
			if err != nil {
				t.Fatal(err)
			}
			if !slices.ContainsFunc(warnings, func(w mapping.Warning) bool {
				return w.Pointer == test.pointer && strings.Contains(w.Reason, test.reason)
			}) {
				t.Errorf("warnings %q, want %q at %q", warnings, test.reason, test.pointer)
			}
		})
	}
}

func TestPresets(t *testing.T) {
	if got, want := fmt.Sprint(mapping.Presets()), "[fe2 langdock leapsome sally]"; got != want {
		t.Fatalf("presets %s, want %s", got, want)
	}
	for _, name := range mapping.Presets() {
		document, ok := mapping.Preset(name)
		if !ok {
			t.Fatalf("no preset %s", name)
		}
		_, warnings, err := mapping.Parse(document, schema.DefaultTypes())
		if err != nil || len(warnings) > 0 {
			t.Errorf("%s: warnings %q, error %v", name, warnings, err)
		}
	}
	if _, ok := mapping.Preset("../presets/fe2"); ok {
		t.Error("a path is no name of a preset")
	}
}

// TestRequests: the part of a policy about requests is the same if all of the policy is compiled or only that part.
func TestRequests(t *testing.T) {
	document := `{"members": {"clearWhenAbsentInPut": ["title", "manager"],
			"attributes": {"start": {"from": "title", "required": true}, "pay": {"from": "costCenter"}},
			"exclude": {"users": "userName sw \"x\"", "groups": {"pattern": "^P"}}},
		"requests": {"forbid": ["Users.delete", "Groups.*"], "domains": ["userName"], "guard": {"people": 5}},
		"kinds": {"role": {}}, "rules": [{"id": "r", "user": {"filter": "active eq true"},
			"assign": {"kind": "role", "target": "a"}}]}`
	document = strings.ReplaceAll(document, `"costCenter"`, `"`+scim.EnterpriseUserURN+`:costCenter"`)
	p := parse(t, document)
	r, err := mapping.ParseRequests([]byte(document), schema.DefaultTypes())
	if err != nil {
		t.Fatal(err)
	}
	if fmt.Sprint(r.Forbid, r.Domains, *r.Guard, r.ClearWhenAbsentInPut, len(r.Attributes)) !=
		fmt.Sprint(p.Forbid, p.Domains, *p.Guard, p.ClearWhenAbsentInPut, len(p.Attributes)) {
		t.Errorf("requests %+v, in the policy %+v", r, p.Requests)
	}
	for _, request := range []string{
		"Users.create", "Users.delete", "Groups.create", "Groups.update", "Groups.delete",
	} {
		resource, action, _ := strings.Cut(request, ".")
		want := request != "Users.create"
		if r.Forbids(resource, action) != want || p.Forbids(resource, action) != want {
			t.Errorf("%s: %v and %v, want %v", request, r.Forbids(resource, action), p.Forbids(resource, action), want)
		}
	}
	for _, name := range []string{"mia", "xaver"} {
		if got := r.Required(nil, scim.Object{"userName": name}); (got == nil) != (name == "xaver") {
			t.Errorf("required of %s: %v", name, got)
		}
	}
	if _, err := mapping.ParseRequests([]byte(`{"requests": {"forbid": ["all"]}}`), schema.DefaultTypes()); err == nil {
		t.Error("a fault was not found")
	}
}

func TestRequired(t *testing.T) {
	p := parse(t, `{"members": {"attributes": {"start": {"from": "title", "required": true}}}}`)
	with, without := scim.Object{"title": "x"}, scim.Object{"userName": "a"}
	gone := scim.Object{"userName": "a", "active": false}
	tests := []struct {
		name      string
		old, next scim.Object
		refused   bool
	}{
		{"created with it", nil, with, false},
		{"created without it", nil, without, true},
		{"removed", with, without, true},
		{"never had it", without, without, false},
		{"deactivated", with, gone, false},
		{"created inactive", nil, gone, false},
	}
	for _, test := range tests {
		err := p.Required(test.old, test.next)
		var e *scim.Error
		if refused := errors.As(err, &e) && e.Status == 400 && e.Type == scim.InvalidValue &&
			strings.Contains(e.Detail, `"title"`); refused != test.refused {
			t.Errorf("%s: error %v, want refused %v", test.name, err, test.refused)
		}
	}
}
