package plan_test

import (
	"context"
	"errors"
	"slices"
	"testing"

	"github.com/serverless-scim/serverless-scim/pkg/directory/query/plan"
	"github.com/serverless-scim/serverless-scim/pkg/scim"
	"github.com/serverless-scim/serverless-scim/pkg/scim/filter"
	"github.com/serverless-scim/serverless-scim/pkg/scim/schema"
)

// finds is a lookup that finds the ids that it has for a value, in any order.
func finds(values map[string][]string) plan.Lookup {
	return func(_ context.Context, value, _ string) ([]string, error) {
		ids, known := values[value]
		if !known {
			return nil, errors.New("looked up " + value)
		}
		return slices.Clone(ids), nil
	}
}

func named(lookups map[string]plan.Lookup) func(string) plan.Lookup {
	return func(name string) plan.Lookup { return lookups[name] }
}

func planner() *plan.Planner {
	return &plan.Planner{
		Type: schema.UserType(), Attached: "groups",
		Lookup: named(map[string]plan.Lookup{
			"id":       finds(map[string][]string{"1": {"1"}}),
			"userName": finds(map[string][]string{"ann": {"1"}, "nobody": nil}),
			"externalId": finds(map[string][]string{"e": {"3", "1", "1"}, "f": {"2", "3"}, "all": make([]string,
				plan.MaxCandidates+1)}),
			"emails.value": finds(map[string][]string{"a@e": {"1", "2"}}),
			"groups.value": finds(map[string][]string{"g": {"2", "3", "4"}}),
		}),
		StartsWith: func(string, string) *plan.Narrowing { return nil },
		Among: func(name string) plan.Among {
			if name != "groups.value" {
				return nil
			}
			return func(_ context.Context, _, ids []string) ([][]string, error) {
				return [][]string{slices.DeleteFunc(slices.Clone(ids), func(id string) bool { return id == "1" })}, nil
			}
		},
	}
}

func TestPlan(t *testing.T) {
	for _, c := range []struct {
		filter, text, rest string
		found              plan.Candidates
	}{
		{`userName eq "ann"`, `userName eq`, ``, plan.Candidates{IDs: []string{"1"}}},
		{`USERNAME eq "nobody"`, `userName eq`, ``, plan.Candidates{}},
		{`externalId eq "e"`, `externalId eq`, ``, plan.Candidates{IDs: []string{"1", "3"}}},
		{`externalId eq "all"`, `externalId eq`, ``, plan.Candidates{Many: true}},
		{`externalId eq "e" and active eq true`, `externalId eq`, `active eq true`, plan.Candidates{IDs: []string{"1", "3"}}},
		{
			`externalId eq "e" and externalId eq "f"`, `(externalId eq and externalId eq)`, ``,
			plan.Candidates{IDs: []string{"3"}},
		},
		{
			`externalId eq "all" and externalId eq "f"`, `(externalId eq and externalId eq)`, ``,
			plan.Candidates{IDs: []string{"2", "3"}, Loose: true},
		},
		{`userName eq "ann" and externalId eq "f"`, `userName eq`, `externalId eq "f"`, plan.Candidates{IDs: []string{"1"}}},
		{
			`externalId eq "e" or externalId eq "f"`, `(externalId eq or externalId eq)`, ``,
			plan.Candidates{IDs: []string{"1", "2", "3"}},
		},
		{
			`externalId eq "e" and groups.value eq "g"`, `(externalId eq and groups.value eq)`, ``,
			plan.Candidates{IDs: []string{"3"}},
		},
		{
			`externalId eq "all" and groups.value eq "g"`, `(externalId eq and groups.value eq)`, ``,
			plan.Candidates{IDs: []string{"2", "3", "4"}, Loose: true},
		},
		{`emails[type eq "work"].value eq "a@e"`, `emails.value eq`, ``, plan.Candidates{IDs: []string{"1", "2"}}},
		{
			`emails[value eq "a@e"].value eq "a@e"`, `emails.value eq`, `emails[value eq "a@e"].value eq "a@e"`,
			plan.Candidates{IDs: []string{"1", "2"}},
		},
		{`externalId eq "e" or active eq true`, ``, `externalId eq "e" or active eq true`, plan.Candidates{}},
		{`not (userName eq "ann")`, ``, `not (userName eq "ann")`, plan.Candidates{}},
		{`title eq "x"`, ``, `title eq "x"`, plan.Candidates{}},
	} {
		t.Run(c.filter, func(t *testing.T) {
			e, err := filter.Parse(c.filter, scim.Dialect{})
			if err != nil {
				t.Fatal(err)
			}
			n, rest := planner().Plan(e)
			if got := written(rest); got != c.rest {
				t.Errorf("rest %s, want %s", got, c.rest)
			}
			if n == nil || c.text == "" {
				if n != nil || c.text != "" {
					t.Errorf("narrowing %+v, want %q", n, c.text)
				}
				return
			}
			found, err := n.Find(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			if n.Text != c.text || !slices.Equal(found.IDs, c.found.IDs) || found.Loose != c.found.Loose ||
				found.Many != c.found.Many {
				t.Errorf("%s finds %+v, want %s, %+v", n.Text, found, c.text, c.found)
			}
		})
	}
}

func written(e filter.Expr) string {
	if e == nil {
		return ""
	}
	return e.String()
}
