package local_test

import (
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/serverless-scim/serverless-scim/pkg/app/local"
	"github.com/serverless-scim/serverless-scim/pkg/tenant"
)

const membershipURN = "urn:ietf:params:scim:schemas:core:2.0:GroupMembership"

// withMemberships creates a tenant whose memberships are resources.
func withMemberships(t testing.TB, s *local.Server, id, idp string) *api {
	t.Helper()
	on := true
	_, token, err := s.Tenants().Create(t.Context(), tenant.NewTenant{
		ID: id, Name: id, IdP: idp, Settings: tenant.Settings{SCIM: tenant.SCIMSettings{GroupMemberships: &on}},
	})
	if err != nil {
		t.Fatal(err)
	}
	return &api{t: t, s: s, h: s.Handler(), base: "http://scim.example.com/scim/v2/" + id, token: token.Value}
}

func membershipBody(group, member string) string {
	return fmt.Sprintf(`{"schemas":[%q],"group":{"value":%q},"member":{"value":%q}}`, membershipURN, group, member)
}

// filtered is the path of a list of memberships under a filter.
func filtered(format string, args ...any) string {
	return "/GroupMemberships?filter=" + url.QueryEscape(fmt.Sprintf(format, args...))
}

// pairs walks a list of memberships by cursor or by start index and counts how often it shows each, as "group value".
func (a *api) pairs(path, method string, count int) map[string]int {
	a.t.Helper()
	seen, cursor, start := map[string]int{}, "", 1
	separator := "?"
	if strings.Contains(path, "?") {
		separator = "&"
	}
	for {
		where := "cursor=" + cursor
		if method == "index" {
			where = fmt.Sprintf("startIndex=%d", start)
		}
		page := a.must(200, "GET", fmt.Sprintf("%s%scount=%d&%s", path, separator, count, where), "")
		if a.eachPage != nil {
			a.eachPage()
		}
		list := page["Resources"].([]any)
		for _, m := range list {
			seen[at(m, "group", "value").(string)+" "+at(m, "member", "value").(string)]++
		}
		start += len(list)
		cursor, _ = page["nextCursor"].(string)
		last := cursor == ""
		if method == "index" {
			last = len(list) == 0 || float64(start) > page["totalResults"].(float64)
		}
		if last {
			return seen
		}
	}
}

// membershipsAgree checks that the memberships are the members of groups, given by id.
func (a *api) membershipsAgree(members map[string][]string) {
	a.t.Helper()
	left := a.pairs("/GroupMemberships", "cursor", 1000)
	for id, values := range members {
		for _, v := range values {
			if left[id+" "+v] != 1 {
				a.t.Errorf("the membership of %s in group %s is shown %d times", v, id, left[id+" "+v])
			}
			delete(left, id+" "+v)
		}
		if n := a.must(200, "GET", filtered("group.value eq %q", id)+"&count=0", "")["totalResults"]; n != float64(
			len(values)) {
			a.t.Errorf("group %s has %d members, by its memberships %v", id, len(values), n)
		}
	}
	for _, pair := range slices.Sorted(maps.Keys(left)) {
		a.t.Errorf("there is a membership %q whose group does not say so", pair)
	}
}

func TestMemberships(t *testing.T) {
	a := withMemberships(t, open(t), "acme", "generic")
	ann, bob := a.user("ann"), a.user("bob")
	a.must(200, "PATCH", "/Users/"+bob, patchBody(`{"op":"add","path":"displayName","value":"Bob B"}`))
	inner := a.group("inner", nil)
	g := a.group("Engineering", []string{ann, "nobody"})
	before := a.must(200, "GET", "/Groups/"+g, "")["meta"].(object)["version"]

	made := a.must(201, "POST", "/GroupMemberships", membershipBody(g, bob))
	id := made["id"].(string)
	location := a.base + "/GroupMemberships/" + id
	for path, want := range map[string]any{
		"group.value": g, "group.display": "Engineering", "group.$ref": a.base + "/Groups/" + g, "member.value": bob,
		"member.type": "User",
		"member.$ref": a.base + "/Users/" + bob, "member.display": nil, "meta.resourceType": "GroupMembership",
		"meta.location": location,
	} {
		if got := at(made, strings.Split(path, ".")...); got != want {
			t.Errorf("%s is %v, want %v", path, got, want)
		}
	}
	group := a.must(200, "GET", "/Groups/"+g, "")
	if at(group, "meta", "version") == before || at(group, "meta", "lastModified") != at(made, "meta", "created") {
		t.Errorf("the group has meta %v, version %v before, its new membership %v", group["meta"], before, made["meta"])
	}
	if got := a.must(200, "GET", "/GroupMemberships/"+id, ""); fmt.Sprint(got) != fmt.Sprint(made) {
		t.Errorf("created %v, read %v", made, got)
	}
	if shown := a.must(200, "GET", "/GroupMemberships/"+id+"?attributes=member.display", ""); at(
		shown, "member", "display") != "Bob B" {
		t.Errorf("the name is not shown on request: %v", shown)
	}
	a.must(409, "POST", "/GroupMemberships", membershipBody(g, bob))
	a.must(201, "POST", "/GroupMemberships", membershipBody(g, inner))
	a.agree()

	for _, refused := range []struct {
		status        int
		kind          any
		group, member string
	}{
		{409, "uniqueness", g, ann},
		{409, "uniqueness", g, "nobody"},
		{400, "invalidValue", g, "ann"}, // by userName
		{400, "invalidValue", g, "who"},
		{400, "invalidValue", "who", ann},
		{400, "invalidValue", ann, bob},
		{400, "invalidValue", "", bob},
		{400, "invalidValue", g, ""},
		{400, "invalidValue", g, strings.Repeat("x", 600)},
		{400, "invalidValue", "../Users", bob},
	} {
		if out := a.must(refused.status, "POST", "/GroupMemberships",
			membershipBody(refused.group, refused.member)); out["scimType"] != refused.kind {
			t.Errorf("%+v: %v", refused, out)
		}
	}
	a.must(405, "PUT", "/GroupMemberships/"+id, membershipBody(g, ann))
	a.must(405, "PATCH", "/GroupMemberships/"+id, patchBody(`{"op":"replace","path":"member.value","value":"x"}`))
	a.must(404, "GET", "/GroupMemberships/none", "")
	a.must(404, "DELETE", "/GroupMemberships/"+id[:len(id)-2]+"AA", "")

	a.must(204, "DELETE", "/GroupMemberships/"+id, "")
	a.must(404, "DELETE", "/GroupMemberships/"+id, "")
	a.must(404, "GET", "/GroupMemberships/"+id, "")
	if again := a.must(201, "POST", "/GroupMemberships", membershipBody(g, bob)); again["id"] != id {
		t.Errorf("the same membership has another id: %v", again)
	}
	a.must(204, "DELETE", "/Users/"+bob, "")
	a.must(404, "GET", "/GroupMemberships/"+id, "")
	a.must(404, "DELETE", "/GroupMemberships/"+id, "")
	if got := a.agree()["Engineering"]; len(got) != 3 {
		t.Errorf("members %q", got)
	}
	a.must(204, "DELETE", "/Groups/"+g, "")
	if left := a.pairs("/GroupMemberships", "index", 10); len(left) != 0 {
		t.Errorf("memberships of a deleted group: %v", left)
	}
}

// TestMembershipFilters compares the results of filters with the stored memberships.
func TestMembershipFilters(t *testing.T) {
	a := withMemberships(t, open(t), "acme", "generic")
	users := a.users(12)
	all := map[string]bool{}
	groups := make([]string, 5)
	for i := range groups {
		values := slices.Clone(users[i : i+7])
		if i == 2 {
			values = append(values, groups[0], "nobody")
		}
		groups[i] = a.group(fmt.Sprintf("group-%d", i), values)
		for _, v := range values {
			all[groups[i]+" "+v] = true
		}
	}
	where := func(keep func(group, value string) bool) []string {
		var list []string
		for pair := range all {
			if group, value, _ := strings.Cut(pair, " "); keep(group, value) {
				list = append(list, pair)
			}
		}
		return sorted(set(list))
	}
	g, u := groups[2], users[4]
	some := a.must(200, "GET", filtered(`group.value eq %q and member.value eq %q`, g, u), "")["Resources"].([]any)[0].(object)["id"].(string)
	for filter, want := range map[string][]string{
		``:                                           where(func(string, string) bool { return true }),
		fmt.Sprintf(`group.value eq %q`, g):          where(func(group, _ string) bool { return group == g }),
		fmt.Sprintf(`group eq %q`, g):                where(func(group, _ string) bool { return group == g }),
		fmt.Sprintf(`group[value eq %q]`, g):         where(func(group, _ string) bool { return group == g }),
		fmt.Sprintf(`member.value eq %q`, u):         where(func(_, value string) bool { return value == u }),
		`member.value eq "nobody"`:                   where(func(_, value string) bool { return value == "nobody" }),
		fmt.Sprintf(`member.value eq %q`, groups[0]): where(func(_, value string) bool { return value == groups[0] }),
		fmt.Sprintf(`member.value eq %q and group.value eq %q`, u, g):  {g + " " + u},
		fmt.Sprintf(`id eq %q`, some):                                  {g + " " + u},
		fmt.Sprintf(`id eq %q and group.value eq %q`, some, groups[1]): nil,
		`id eq "none"`: nil,
		fmt.Sprintf(`group.value eq %q and group.value eq %q`, g, groups[1]): nil,
		fmt.Sprintf(`group.value eq %q and member.type eq "Group"`, g):       {g + " " + groups[0]},
		fmt.Sprintf(`group.value eq %q and not (member.type pr)`, g):         {g + " nobody"},
		fmt.Sprintf(`member.value eq %q and group.display eq "GROUP-3"`, u):  {groups[3] + " " + u},
		fmt.Sprintf(`group.value eq %q and member.display ew "0004"`, g):     {g + " " + u},
		`group.display eq "group-4" and member.display sw "user-0005"`:       {groups[4] + " " + users[5]},
		fmt.Sprintf(`group.value eq %q or member.value eq %q`, g, users[0]):  where(func(group, value string) bool { return group == g || value == users[0] }),
		`member.type eq "group"`: {g + " " + groups[0]},
		`group.value eq "who"`:   nil,
		`member.value eq "who"`:  nil,
		`group.value eq ""`:      nil,
		`member.value eq ""`:     nil,
		fmt.Sprintf(`group.value eq %q and member.value eq "who"`, g):                          nil,
		fmt.Sprintf(`group.value eq "../%s"`, g):                                               nil,
		fmt.Sprintf(`meta.resourceType eq "GroupMembership" and group.value eq %q`, groups[0]): where(func(group, _ string) bool { return group == groups[0] }),
	} {
		path := "/GroupMemberships"
		if filter != "" {
			path = filtered("%s", filter)
		}
		for _, method := range []string{"index", "cursor"} {
			for _, count := range []int{1, 3, 100} {
				seen := a.pairs(path, method, count)
				if got := sorted(seen); !slices.Equal(got, want) && len(got)+len(want) > 0 {
					t.Errorf("%s by %s, %d at a time: %q, want %q", filter, method, count, got, want)
				}
				for pair, n := range seen {
					if n != 1 {
						t.Errorf("%s by %s, %d at a time: %s is there %d times", filter, method, count, pair, n)
					}
				}
			}
		}
		separator := "?"
		if filter != "" {
			separator = "&"
		}
		for _, where := range []string{
			"count=0", "count=2", "count=2&startIndex=2", "count=2&startIndex=100", "cursor=&count=2",
		} {
			if n := a.must(200, "GET", path+separator+where, "")["totalResults"]; n != float64(len(want)) {
				t.Errorf("%s, %s: totalResults %v, want %d", filter, where, n, len(want))
			}
		}
		msg := fmt.Sprintf(`{"schemas":["urn:ietf:params:scim:api:messages:2.0:SearchRequest"],"filter":%q}`, filter)
		if n := a.must(200, "POST", "/GroupMemberships/.search", msg)["totalResults"]; n != float64(len(want)) {
			t.Errorf("%s by POST: totalResults %v, want %d", filter, n, len(want))
		}
	}
	for path, kind := range map[string]string{
		filtered(`nonsense eq "x"`): "invalidFilter", filtered(`group.value eq`): "invalidFilter", filtered(`group.nonsense eq "x"`): "invalidFilter",
		"/GroupMemberships?sortBy=group.value": "invalidPath", "/GroupMemberships?cursor=x": "invalidCursor",
		"/GroupMemberships?count=x": "invalidValue",
	} {
		if got := a.refusal(path); got != kind {
			t.Errorf("%s: %s, want %s", path, got, kind)
		}
	}
}

// set is a list as the keys of a map.
func set(list []string) map[string]int {
	m := map[string]int{}
	for _, v := range list {
		m[v]++
	}
	return m
}

// TestMembershipsAreSwitched checks that there is no sign of memberships if they are off, and all of them if they are
// on.
func TestMembershipsAreSwitched(t *testing.T) {
	a := tenantOn(t, open(t), "acme", "generic")
	g, u := a.group("g", nil), a.user("ann")
	discovery := func() string {
		return fmt.Sprint(a.must(200, "GET", "/ResourceTypes", ""), a.must(200, "GET", "/Schemas", ""))
	}
	off := func() {
		t.Helper()
		for _, r := range [][3]string{
			{"GET", "/GroupMemberships"},
			{"POST", "/GroupMemberships", membershipBody(g, u)},
			{"GET", "/GroupMemberships/x"},
			{"DELETE", "/groupmemberships/x"},
			{"GET", "/ResourceTypes/GroupMembership"},
			{"GET", "/Schemas/" + membershipURN},
			{"POST", "/GroupMemberships/.search", `{"schemas":["urn:ietf:params:scim:api:messages:2.0:SearchRequest"]}`},
		} {
			a.must(404, r[0], r[1], r[2])
		}
		if strings.Contains(discovery(), "GroupMembership") {
			t.Errorf("discovery names memberships: %s", discovery())
		}
	}
	off()
	a.switchMemberships("true")
	made := a.must(201, "POST", "/groupmemberships/", membershipBody(g, u))
	a.must(200, "GET", "/GroupMemberships/"+made["id"].(string), "")
	rt := a.must(200, "GET", "/ResourceTypes/groupmembership", "")
	if rt["endpoint"] != "/GroupMemberships" || rt["schema"] != membershipURN ||
		!strings.Contains(discovery(), "/Schemas/"+membershipURN) {
		t.Errorf("discovery does not name memberships: %v", rt)
	}
	attributes := fmt.Sprint(a.must(200, "GET", "/Schemas/"+membershipURN, ""))
	for _, want := range []string{
		"name:group", "name:member", "mutability:immutable", "required:true", "canonicalValues:[User Group]",
	} {
		if !strings.Contains(attributes, want) {
			t.Errorf("the schema lacks %s: %s", want, attributes)
		}
	}
	if n := a.must(200, "GET", "/?count=0", "")["totalResults"]; n != 2.0 {
		t.Errorf("the root counts %v resources", n)
	}
	a.switchMemberships("false")
	off()
	a.switchMemberships("null")
	off()
	if got := a.values(g); !slices.Equal(got, []string{u}) {
		t.Errorf("members %q", got)
	}
}

func (a *api) switchMemberships(value string) {
	a.t.Helper()
	id := a.base[strings.LastIndexByte(a.base, '/')+1:]
	b := api{t: a.t, h: a.h, tenant: id}
	if status, out := b.admin("PATCH", "", `{"settings":{"scim":{"groupMemberships":`+value+`}}}`); status != 200 {
		a.t.Fatalf("groupMemberships %s: %d %v", value, status, out)
	}
}

// TestSixteenWritersOfMemberships has 16 clients add and remove the members of one group, by memberships and by PATCH,
// some of them the same: each membership is made once, nothing is lost, and every view says the same.
func TestSixteenWritersOfMemberships(t *testing.T) {
	a := withMemberships(t, open(t), "acme", "entra")
	users := a.users(48)
	g := a.group("g", users[32:])
	var mu sync.Mutex
	made := map[string]int{}
	retried := func(method, path, body string) int {
		for {
			if status, _ := a.do(method, path, body); status != 503 {
				return status
			}
		}
	}
	var writers sync.WaitGroup
	for w := range 16 {
		writers.Go(func() {
			for i, u := range users[:32] { // everybody makes all of them
				u = users[(i+2*w)%32]
				switch status := retried("POST", "/GroupMemberships", membershipBody(g, u)); status {
				case 201:
					mu.Lock()
					made[u]++
					mu.Unlock()
				case 409:
				default:
					t.Errorf("POST: %d", status)
				}
			}
			mine := users[32+w] // and each deletes one, half of them by PATCH
			if w%2 == 0 {
				retried("PATCH", "/Groups/"+g, patchBody(fmt.Sprintf(`{"op":"remove","path":"members[value eq \"%s\"]"}`, mine)))
				return
			}
			page := a.must(200, "GET", filtered("group.value eq %q and member.value eq %q", g, mine), "")
			id := page["Resources"].([]any)[0].(object)["id"].(string)
			if status := retried("DELETE", "/GroupMemberships/"+id, ""); status != 204 {
				t.Errorf("DELETE: %d", status)
			}
		})
	}
	writers.Wait()
	for _, u := range users[:32] {
		if made[u] != 1 {
			t.Errorf("%d clients made the same membership", made[u])
		}
	}
	got := a.agree()["g"]
	if !slices.Equal(slices.Sorted(slices.Values(got)), slices.Sorted(slices.Values(users[:32]))) {
		t.Errorf("%d members, want 32", len(got))
	}
	// 32 made, 16 deleted, each a version of its own.
	if v := a.must(200, "GET", "/Groups/"+g, "")["meta"].(object)["version"]; v != `W/"49"` {
		t.Errorf("version %v", v)
	}
}
