package mapping_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/serverless-scim/serverless-scim/pkg/mapping"
	"github.com/serverless-scim/serverless-scim/pkg/scim"
	"github.com/serverless-scim/serverless-scim/pkg/scim/schema"
)

var schemaTypes = schema.DefaultTypes()

// FuzzPolicy feeds documents to the compiler and, if they are valid, evaluates a user with them.
func FuzzPolicy(f *testing.F) {
	for _, name := range mapping.Presets() {
		document, _ := mapping.Preset(name)
		f.Add(document, "A_Funktion_M", "x@example.com")
	}
	f.Add(
		[]byte(
			`{"kinds":{"a":{}},
			"rules":[{"id":"r","group":{"pattern":"(a*)*$"},"assign":{"kind":"a","target":"${group.id}"}}]}`,
		),
		"aaab",
		"",
	)
	f.Fuzz(func(t *testing.T, document []byte, name, value string) {
		p, _, err := mapping.Parse(document, schemaTypes)
		if _, refused := mapping.ParseRequests(document, schemaTypes); err == nil && refused != nil {
			t.Fatalf("the policy is good, and what it says about requests is not: %v", refused)
		}
		if err != nil {
			var faults mapping.Faults
			var e *scim.Error
			if !errors.As(err, &faults) && !errors.As(err, &e) {
				t.Fatalf("the error %T is neither faults nor a SCIM error", err)
			}
			for _, fault := range faults {
				if fault.Reason == "" || fault.Pointer != "" && fault.Pointer[0] != '/' {
					t.Fatalf("fault %+v", fault)
				}
			}
			return
		}
		g := p.Group("g", scim.Object{"displayName": name, "externalId": value})
		facts := mapping.Facts{
			User: scim.Object{
				"userName": value, "title": name, "active": true,
				"emails": []any{scim.Object{"value": value, "type": name}},
			},
			Memberships: []mapping.Membership{{Group: g, Since: 1}}, Targets: mapping.Targets{},
		}
		for _, key := range p.Needs(facts) {
			facts.Targets[key] = mapping.Target{}
		}
		first, again := p.Evaluate(facts), p.Evaluate(facts)
		if told(first) != told(again) {
			t.Fatalf("%s, then %s", told(first), told(again))
		}
	})
}

// FuzzName checks that a group's name matches a grammar as its bytes say: it never gives anything in an organisation
// whose name is not the text in front of its first separator.
func FuzzName(f *testing.F) {
	p := preset(f, "fe2")
	for _, name := range []string{
		"AZ1NC9", "AZ1NC9_Funktion_Maschinist", "A_Rolle_B_Rolle_C", "_Funktion_x",
		"A\x00_Funktion_x", "\u202eA_Funktion_x", "",
	} {
		f.Add(name)
	}
	f.Fuzz(func(t *testing.T, name string) {
		first, rest, _ := strings.Cut(name, "_")
		w := newWorld(p).in(first, name)
		w.target("organisation", "", first, "availability")
		for _, key := range p.Needs(w.f) {
			w.f.Targets[key] = mapping.Target{Features: []string{"availability"}}
		}
		for _, a := range p.Evaluate(w.f).Assignments {
			if a.Kind == "organisation" {
				if a.Name != first {
					t.Fatalf("%q gives the organisation %q", name, a.Name)
				}
				continue
			}
			_, given, _ := strings.Cut(rest, "_")
			if a.Organisation != first || a.Name != given {
				t.Fatalf("%q gives %q in %q", name, a.Name, a.Organisation)
			}
		}
	})
}

// BenchmarkEvaluate evaluates a user in ten groups, of which each passes one rule of many.
func BenchmarkEvaluate(b *testing.B) {
	for _, rules := range []int{10, 100, 500} {
		b.Run(fmt.Sprint(rules, " rules"), func(b *testing.B) {
			p, f := manyRules(b, rules)
			b.ReportAllocs()
			for b.Loop() {
				if r := p.Evaluate(f); len(r.Assignments) != 10 {
					b.Fatalf("%d assignments", len(r.Assignments))
				}
			}
		})
	}
}

// BenchmarkGroup finds the rules that one group passes.
func BenchmarkGroup(b *testing.B) {
	for _, rules := range []int{10, 100, 500} {
		b.Run(fmt.Sprint(rules, " rules"), func(b *testing.B) {
			p, _ := manyRules(b, rules)
			doc := scim.Object{"displayName": "A7_Team_x", "externalId": "e"}
			b.ReportAllocs()
			for b.Loop() {
				if g := p.Group("g", doc); !g.Gives() {
					b.Fatal("the group gives nothing")
				}
			}
		})
	}
}

// manyRules is a policy and a user in ten groups, each of which passes one rule.
func manyRules(tb testing.TB, rules int) (*mapping.Policy, mapping.Facts) {
	var list []string
	for i := range rules {
		list = append(
			list,
			fmt.Sprintf(
				`{"id": "r%d", "group": {"pattern": "^A%d_Team_(?P<n>.+)$"},
				"assign": {"kind": "team", "target": "%d ${n}"}}`,
				i,
				i,
				i,
			),
		)
	}
	p := parse(tb, `{"kinds": {"team": {"create": true}}, "rules": [`+strings.Join(list, ",")+`]}`)
	w := newWorld(p)
	for i := range 10 {
		w.in(fmt.Sprintf("A%d_Team_x", i))
	}
	return p, w.f
}
