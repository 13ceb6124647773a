package local_test

import (
	"fmt"
	"net/url"
	"slices"
	"strings"
	"testing"
)

// TestSearchAcrossTypes asks for users and groups at once (RFC 7644, sections 3.4.2.1 and 3.4.3): every page, order and
// filter, and an attribute that only one of them has.
func TestSearchAcrossTypes(t *testing.T) {
	a := tenantOn(t, metered(t), "acme", "generic")
	var users, groups, both []string
	for i := range 9 {
		users = append(users, a.must(201, "POST", "/Users", fmt.Sprintf(
			`{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":"u%d","displayName":"name %d",`+
				`"externalId":"x%d"}`, i, 2*i, i%3))["id"].(string))
		groups = append(groups, a.group(fmt.Sprintf("name %d", 2*i+1), users[:1]))
		both = append(both, users[i], groups[i])
	}
	byName := slices.Clone(both)
	slices.SortFunc(byName, func(x, y string) int {
		name := func(id string) string {
			if i := slices.Index(users, id); i >= 0 {
				return fmt.Sprintf("name %d", 2*i)
			}
			return fmt.Sprintf("name %d", 2*slices.Index(groups, id)+1)
		}
		return strings.Compare(name(x), name(y))
	})
	reversed := slices.Clone(byName)
	slices.Reverse(reversed)
	sortedUsers, sortedGroups := slices.Sorted(slices.Values(users)), slices.Sorted(slices.Values(groups))
	inOrder := slices.Concat(sortedUsers, sortedGroups)
	where := func(filter string) string { return "filter=" + url.QueryEscape(filter) }
	for query, want := range map[string][]string{
		"":                                    inOrder,
		where(`id pr`):                        inOrder,
		where(`meta.resourceType eq "User"`):  sortedUsers,
		where(`meta.resourceType eq "Group"`): sortedGroups,
		where(`meta.resourceType eq "Group" and displayName eq "name 3"`): {groups[1]},
		where(`userName eq "u3"`):                            {users[3]},
		where(`userName eq "u3" or displayName eq "name 3"`): {users[3], groups[1]},
		where(`userName pr`):                                 sortedUsers,
		where(`not (userName pr)`):                           sortedGroups,
		where(`userName ne "u3" and externalId eq "x0"`): slices.Sorted(
			slices.Values([]string{users[0], users[6]})),
		where(`members.value eq "` + users[0] + `"`):                        sortedGroups,
		where(`groups.value eq "` + groups[4] + `"`):                        {users[0]},
		where(`displayName co "name 1"`):                                    nil,
		"sortBy=displayName":                                                byName,
		"sortBy=displayName&sortOrder=descending":                           reversed,
		"sortBy=displayName&" + where(`userName pr or displayName sw "na"`): byName,
	} {
		if want == nil {
			for _, id := range inOrder {
				if strings.HasPrefix(a.name(id, users), "name 1") {
					want = append(want, id)
				}
			}
		}
		page := a.must(200, "GET", "/?"+query, "")
		if got := ids(page); !slices.Equal(got, want) || page["totalResults"] != float64(len(want)) {
			t.Errorf("%s:\ngot  %q of %v\nwant %q", query, got, page["totalResults"], want)
		}
		for _, count := range []int{1, 4} {
			var byIndex, byCursor []string
			cursor, more := "", true
			for more && len(byCursor) <= len(want) {
				page := a.must(200, "GET", fmt.Sprintf("/?count=%d&cursor=%s&%s", count, cursor, query), "")
				byCursor = append(byCursor, ids(page)...)
				cursor, more = page["nextCursor"].(string)
			}
			for start := 1; start <= len(want); start += count {
				page := a.must(200, "GET", fmt.Sprintf("/?count=%d&startIndex=%d&%s", count, start, query), "")
				byIndex = append(byIndex, ids(page)...)
			}
			if !slices.Equal(byCursor, want) || !slices.Equal(byIndex, want) {
				t.Errorf("%s by %d:\nindex  %q\ncursor %q\nwant   %q", query, count, byIndex, byCursor, want)
			}
		}
	}
	if page := a.must(200, "GET", "/?attributes=userName,members", ""); at(
		page["Resources"].([]any)[0], "userName") == nil ||
		at(page["Resources"].([]any)[10], "members") == nil || at(page["Resources"].([]any)[10], "displayName") != nil {
		t.Errorf("attributes of two types: %v", page)
	}
	for _, filter := range []string{
		`password eq "x"`, `userName eq "u1" or password pr`, `nonsense eq "x"`,
		`displayName gt true`,
	} {
		if got := a.refusal("/?" + where(filter)); got != "invalidFilter" {
			t.Errorf("%s: %s", filter, got)
		}
	}
	if c, _ := a.cost("/?excludedAttributes=groups&" + where(`userName eq "u3"`)); c.calls > 3 {
		t.Errorf("a look-up across types costs %+v", c)
	}
}

// name is the displayName of a user or group.
func (a *api) name(id string, users []string) string {
	a.t.Helper()
	path := "/Groups/"
	if slices.Contains(users, id) {
		path = "/Users/"
	}
	return a.must(200, "GET", path+id, "")["displayName"].(string)
}
