package plan_test

import (
	"testing"

	"github.com/serverless-scim/serverless-scim/pkg/directory/query/plan"
	"github.com/serverless-scim/serverless-scim/pkg/scim"
	"github.com/serverless-scim/serverless-scim/pkg/scim/filter"
	"github.com/serverless-scim/serverless-scim/pkg/scim/schema"
)

func TestSimplify(t *testing.T) {
	both := []*schema.ResourceType{schema.UserType(), schema.GroupType()}
	for _, c := range []struct {
		filter string
		truth  plan.Truth
		left   string // of the filter, for users
	}{
		{`id pr`, plan.Always, ""},
		{`not (id pr)`, plan.Never, ""},
		{`meta.resourceType eq "User"`, plan.Always, ""},
		{`meta.resourceType eq "Group"`, plan.Never, ""},
		{`meta.resourceType eq "Group" and userName eq "a"`, plan.Never, ""},
		{`meta.resourceType eq "User" and userName eq "a"`, plan.Unknown, `userName eq "a"`},
		{`meta.resourceType eq "Group" or userName eq "a"`, plan.Unknown, `userName eq "a"`},
		{`members.value eq "a"`, plan.Never, ""},
		{`members.value ne "a"`, plan.Always, ""},
		{`members eq null`, plan.Always, ""},
		{`members[value eq "a"] or active eq true`, plan.Unknown, `active eq true`},
		{`userName eq "a" and active eq true`, plan.Unknown, `userName eq "a" and active eq true`},
	} {
		t.Run(c.filter, func(t *testing.T) {
			e, err := filter.Parse(c.filter, scim.Dialect{})
			if err != nil {
				t.Fatal(err)
			}
			left, truth := plan.Scope{Type: schema.UserType(), Others: both}.Simplify(e)
			if truth != c.truth {
				t.Fatalf("truth %d, want %d", truth, c.truth)
			}
			if truth == plan.Unknown && left.String() != c.left {
				t.Errorf("left %s, want %s", left, c.left)
			}
		})
	}
}
