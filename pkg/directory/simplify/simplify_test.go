package simplify_test

import (
	"testing"

	"github.com/serverless-scim/serverless-scim/pkg/directory/simplify"
	"github.com/serverless-scim/serverless-scim/pkg/scim"
	"github.com/serverless-scim/serverless-scim/pkg/scim/filter"
	"github.com/serverless-scim/serverless-scim/pkg/scim/schema"
)

func TestSimplify(t *testing.T) {
	both := []*schema.ResourceType{schema.UserType(), schema.GroupType()}
	for _, c := range []struct {
		filter string
		truth  simplify.Truth
		left   string // of the filter, for users
	}{
		{`id pr`, simplify.Always, ""},
		{`not (id pr)`, simplify.Never, ""},
		{`meta.resourceType eq "User"`, simplify.Always, ""},
		{`meta.resourceType eq "Group"`, simplify.Never, ""},
		{`meta.resourceType eq "Group" and userName eq "a"`, simplify.Never, ""},
		{`meta.resourceType eq "User" and userName eq "a"`, simplify.Unknown, `userName eq "a"`},
		{`meta.resourceType eq "Group" or userName eq "a"`, simplify.Unknown, `userName eq "a"`},
		{`members.value eq "a"`, simplify.Never, ""},
		{`members.value ne "a"`, simplify.Always, ""},
		{`members eq null`, simplify.Always, ""},
		{`members[value eq "a"] or active eq true`, simplify.Unknown, `active eq true`},
		{`userName eq "a" and active eq true`, simplify.Unknown, `userName eq "a" and active eq true`},
	} {
		t.Run(c.filter, func(t *testing.T) {
			e, err := filter.Parse(c.filter, scim.Dialect{})
			if err != nil {
				t.Fatal(err)
			}
			left, truth := simplify.Scope{Type: schema.UserType(), Others: both}.Simplify(e)
			if truth != c.truth {
				t.Fatalf("truth %d, want %d", truth, c.truth)
			}
			if truth == simplify.Unknown && left.String() != c.left {
				t.Errorf("left %s, want %s", left, c.left)
			}
		})
	}
}
