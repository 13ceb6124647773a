package local_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

// bulkOf is the body of a bulk request.
func bulkOf(operations ...string) string {
	return `{"schemas":["urn:ietf:params:scim:api:messages:2.0:BulkRequest"],"Operations":[` +
		strings.Join(operations, ",") + `]}`
}

func bulkJoin(bulkID, group, member string) string {
	return fmt.Sprintf(`{"method":"POST","path":"/GroupMemberships","bulkId":%q,"data":%s}`, bulkID,
		membershipBody(group, member))
}

// outcomes are the statuses of a bulk answer.
func outcomes(out object) []string {
	var all []string
	for _, o := range out["Operations"].([]any) {
		all = append(all, o.(object)["status"].(string))
	}
	return all
}

func TestMembershipsInBulk(t *testing.T) {
	a := withMemberships(t, open(t), "acme", "generic")
	users := a.users(40)
	g := a.group("old", users[:3])
	found := a.must(200, "GET", filtered("group.value eq %q and member.value eq %q", g, users[0]), "")
	gone := found["Resources"].([]any)[0].(object)["id"].(string)
	operations := []string{
		bulkJoin("j1", "bulkId:g", "bulkId:u"), // what it names comes further down
		`{"method":"POST","path":"/Groups","bulkId":"g","data":{"schemas":["urn:ietf:params:scim:schemas:core:2.0:Group"],"displayName":"new"}}`,
		`{"method":"POST","path":"/Users","bulkId":"u","data":{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":"new"}}`,
		`{"method":"DELETE","path":"/GroupMemberships/` + gone + `"}`,
		bulkJoin("j2", g, users[0]), // again
		bulkJoin("j3", g, "bulkId:u"),
		bulkJoin("j4", g, users[1]), // is there
		bulkJoin("j5", g, "nobody"),
		`{"method":"PUT","path":"/GroupMemberships/` + gone + `","data":` + membershipBody(g, users[5]) + `}`,
		`{"method":"DELETE","path":"/GroupMemberships/bulkId:j1"}`,
	}
	for i := range 30 {
		operations = append(operations, bulkJoin(fmt.Sprintf("many-%d", i), g, users[10+i]))
	}
	want := []string{"201", "201", "201", "204", "201", "201", "409", "400", "405", "400"}
	want = append(want, slices.Repeat([]string{"201"}, 30)...)
	out := a.must(200, "POST", "/Bulk", bulkOf(operations...))
	if got := outcomes(out); !slices.Equal(got, want) {
		t.Errorf("statuses %q, want %q", got, want)
	}
	for _, i := range []int{0, 4, 5, 20} {
		location := out["Operations"].([]any)[i].(object)["location"].(string)
		a.must(200, "GET", strings.TrimPrefix(location, a.base), "")
	}
	members := a.agree()
	if len(members["new"]) != 1 || len(members["old"]) != 34 {
		t.Errorf("members %v", members)
	}
	// Again: users and groups are known, memberships are there.
	again := a.must(200, "POST", "/Bulk", bulkOf(operations...))
	want = []string{"409", "201", "201", "204", "201", "409", "409", "400", "405", "400"}
	want = append(want, slices.Repeat([]string{"409"}, 30)...)
	if got := outcomes(again); !slices.Equal(got, want) {
		t.Errorf("repeated: statuses %q, want %q", got, want)
	}
	for _, i := range []int{1, 2} {
		location := func(bulk object) any { return bulk["Operations"].([]any)[i].(object)["location"] }
		if first, second := location(out), location(again); first != second {
			t.Errorf("repeated: made another %v", second)
		}
	}
	if got := a.agree(); fmt.Sprint(got) != fmt.Sprint(members) {
		t.Errorf("repeated: %v, before %v", got, members)
	}
	a.switchMemberships("false")
	if got := outcomes(a.must(200, "POST", "/Bulk", bulkOf(bulkJoin("x", g, users[7])))); got[0] != "400" {
		t.Errorf("switched off: %q", got)
	}
}
