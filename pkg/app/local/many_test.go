package local_test

import (
	"fmt"
	"strconv"
	"strings"
	"testing"

	"github.com/serverless-scim/serverless-scim/pkg/internal/slow"
)

// TestManyManualAssignments takes a person with more manual assignments than one transaction can end through a
// departure, a return, a merge and the erasure. No assignment is lost, and none is left.
func TestManyManualAssignments(t *testing.T) {
	const roles = 110
	a := on(t, memory(t), "generic")
	a.mustAdmin(200, "PUT", "/policy", `{"kinds":{"role":{"create":true}}}`)
	wants := func(id, status string, n int) {
		t.Helper()
		m := a.member(id)
		if got := len(m["assignments"].([]any)); m["status"] != status || got != n || m["pending"] != nil {
			t.Errorf("%v with %d assignments, want %s with %d (pending: %v)", m["status"], got, status, n, m["pending"])
		}
	}
	first := a.person("anna", "x1", "anna@example.com")
	for i := range roles {
		a.mustAdmin(204, "PUT", fmt.Sprintf("/members/%s/assignments/role/r%03d", first, i), "")
	}
	wants(first, "active", roles)
	a.must(204, "DELETE", "/Users/"+first, "")
	wants(first, "removed", 0)
	wants(a.person("bob", "x2", "bob@example.com"), "active", 0) // nobody else waits
	second := a.person("anna", "x1", "anna@example.com")
	wants(second, "active", roles)
	wants(first, "removed", 0)
	third := a.person("anna.b", "x3", "anna.b@example.com")
	a.mustAdmin(200, "POST", "/members/"+second+"/merge", fmt.Sprintf(`{"into":%q}`, third))
	wants(second, "removed", 0)
	wants(third, "active", roles)
	a.mustAdmin(404, "DELETE", "/members/"+second+"/assignments/role/r000", "")
	a.must(204, "DELETE", "/Users/"+third, "")
	a.mustAdmin(204, "DELETE", "/members/"+third, "")
	wants(third, "removed", 0)
}

// TestAccountsSwapValues imports accounts again after their values were wrong, also with one value at two accounts: the
// last account that names a value is found by it.
func TestAccountsSwapValues(t *testing.T) {
	a := on(t, memory(t), "generic")
	load := func(accounts string) { a.mustAdmin(200, "POST", "/accounts", `{"accounts":[`+accounts+`]}`) }
	load(`{"accountId":"a1","userName":"anna"},{"accountId":"b1","userName":"bert"}`)
	load(`{"accountId":"a1","userName":"bert"},{"accountId":"b1","userName":"anna"}`)
	load(`{"accountId":"c1","externalId":"x3","userName":"carl"},{"accountId":"c2","userName":"carl"}`)
	load(`{"accountId":"d1","userName":"dora"}`)
	load(`{"accountId":"d2","userName":"dora"}`)
	load(`{"accountId":"d1","userName":"dorothy"}`)
	for _, person := range []struct{ userName, externalID, account string }{
		{"anna", "", "b1"},
		{"bert", "", "a1"},
		{"karl", "x3", "c1"}, // whose account has also been found by carl once
		{"carl", "", "c2"},
		{"dora", "", "d2"},
		{"dorothy", "", "d1"},
	} {
		if m := a.member(a.person(person.userName, person.externalID, "")); m["accountId"] != person.account {
			t.Errorf("%s has the account %v, want %s", person.userName, m["accountId"], person.account)
		}
	}
}

// TestAccountsChangeAllValues imports accounts again whose values are all others.
func TestAccountsChangeAllValues(t *testing.T) {
	a := on(t, memory(t), "generic")
	for _, version := range []string{"first", "second"} {
		var accounts []string
		for i := range 40 {
			accounts = append(accounts, fmt.Sprintf(
				`{"accountId":"a%[1]d","externalId":"%[2]s-%[1]d","userName":"%[2]s%[1]d","email":"%[2]s%[1]d@example.com"}`, i, version))
		}
		a.mustAdmin(200, "POST", "/accounts", `{"accounts":[`+strings.Join(accounts, ",")+`]}`)
	}
	if m := a.member(a.person("somebody", "second-39", "")); m["accountId"] != "a39" {
		t.Errorf("the account %v, want a39", m["accountId"])
	}
	if m := a.member(a.person("first7", "", "")); m["accountId"] != nil {
		t.Errorf("the account %v by a value that no account has any more", m["accountId"])
	}
}

// TestErasureAfterReturnAndMerge erases a member who took the place of one who had left, and then of a duplicate: no
// data of the person are left, not even under the first id.
func TestErasureAfterReturnAndMerge(t *testing.T) {
	a := on(t, memory(t), "generic")
	first := a.person("anna", "x1", "anna@example.com")
	a.member(first)
	a.must(204, "DELETE", "/Users/"+first, "")
	second := a.person("anna", "x1", "anna@example.com")
	if m := a.member(second); m["previousId"] != first {
		t.Fatalf("the person did not return: %v", m)
	}
	double := a.person("anna.b", "", "anna.b@example.com")
	a.mustAdmin(200, "POST", "/members/"+double+"/merge", fmt.Sprintf(`{"into":%q}`, second))
	a.must(204, "DELETE", "/Users/"+double, "")
	a.must(204, "DELETE", "/Users/"+second, "")
	a.mustAdmin(204, "DELETE", "/members/"+second, "")
	for name, id := range map[string]string{"first": first, "second": second, "duplicate": double} {
		if m := a.member(id); m["erased"] != true {
			t.Errorf("the %s member is not erased: %v", name, m)
		}
	}
	if events := fmt.Sprint(a.mustAdmin(200, "GET", "/events?after=0", "")); strings.Contains(events, "anna") {
		t.Errorf("events still name the person: %s", events)
	}
}

// TestManySeats gives a person more licences with seats than one transaction can count: some are given, and the others
// are explained. Nobody else waits.
func TestManySeats(t *testing.T) {
	for _, seats := range []string{"purchase", "wait"} {
		t.Run(seats, func(t *testing.T) {
			a := on(t, memory(t), "generic")
			a.mustAdmin(200, "PUT", "/policy", `{"kinds":{"licence":{"create":true,"seats":"`+seats+`"},"team":{"create":true}},
				"rules":[{"id":"licences","user":{"value":"entitlements.value"},"assign":{"kind":"licence","target":"${value}"}},
					{"id":"teams","user":{"value":"entitlements.value"},"assign":{"kind":"team","target":"${value}"}}]}`)
			a.mustAdmin(200, "PUT", "/targets/licence/a-0", `{"seats":{"size":1}}`)
			const all = 100
			with := func(name, prefix string) string {
				var values []string
				for i := range all {
					values = append(values, fmt.Sprintf(`{"value":"%s-%d"}`, prefix, i))
				}
				return `{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":"` + name + `","entitlements":[` +
					strings.Join(values, ",") + `]}`
			}
			id := a.must(201, "POST", "/Users", with("anna", "a"))["id"].(string)
			for _, prefix := range []string{"a", "b"} { // the second time all are others
				a.must(200, "PUT", "/Users/"+id, with("anna", prefix))
				kinds := map[string]int{}
				m := a.member(id)
				for _, v := range m["assignments"].([]any) {
					kinds[v.(object)["kind"].(string)]++
				}
				if m["pending"] != nil || kinds["licence"] != 12 || kinds["team"] != all {
					t.Errorf("pending %v, with %v, want 12 licences and %d teams", m["pending"], kinds, all)
				}
			}
			missing := a.mustAdmin(200, "GET", "/members/"+id+"/why", "")["missing"].([]any)
			if len(missing) != all-12 || missing[0].(object)["reason"] != "limit" {
				t.Errorf("%d assignments are explained as missing, such as %v", len(missing), missing)
			}
			if used := a.mustAdmin(200, "GET", "/targets/licence/a-0", "")["seats"].(object)["used"]; used != 0.0 {
				t.Errorf("%v seats of a licence are in use that nobody has", used)
			}
			a.must(204, "DELETE", "/Users/"+id, "")
			if m := a.member(id); m["status"] != "removed" || m["pending"] != nil {
				t.Errorf("deleted, and %v", m)
			}
			a.member(a.person("bert", "", ""))
		})
	}
}

// TestManyProtected has a policy keep more members than one transaction can mark. As others come, they are let go.
func TestManyProtected(t *testing.T) {
	const atLeast = 95
	a := on(t, memory(t), "generic")
	policy := fmt.Sprintf(`{"protect":[{"kind":"role","target":"admin","atLeast":%d}],
		"kinds":{"role":{"create":true}},
		"rules":[{"id":"r","user":{"value":"roles.value"},"assign":{"kind":"role","target":"${value}"}}]}`, atLeast)
	a.mustAdmin(200, "PUT", "/policy", policy)
	admin := func(name string, n int) string {
		return a.must(201, "POST", "/Users", fmt.Sprintf(`{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],
			"userName":"%s%d","roles":[{"value":"admin"}]}`, name, n))["id"].(string)
	}
	var ids []string
	for i := range atLeast {
		ids = append(ids, admin("old", i))
	}
	a.mustAdmin(200, "GET", "/members", "")
	for _, id := range ids {
		a.must(204, "DELETE", "/Users/"+id, "")
	}
	protected := func() (n int) {
		page := a.mustAdmin(200, "GET", "/members?count=1000", "")
		for page["pending"] != nil { // a busy machine publishes for longer than a list may take
			page = a.mustAdmin(200, "GET", "/members?count=1000", "")
		}
		for _, m := range page["members"].([]any) {
			if m.(object)["protected"] == true {
				n++
			}
		}
		return n
	}
	if n := protected(); n != atLeast {
		t.Fatalf("%d members are kept, want %d", n, atLeast)
	}
	for i := range 3 {
		if m := a.member(admin("new", i)); m["status"] != "active" || m["pending"] != nil {
			t.Errorf("a new administrator is %v (pending: %v)", m["status"], m["pending"])
		}
	}
	if n := protected(); n != atLeast-3 {
		t.Errorf("%d members are kept beside three administrators, want %d", n, atLeast-3)
	}
	a.mustAdmin(200, "PUT", "/policy", strings.Replace(policy, strconv.Itoa(atLeast), "3", 1))
	if n := protected(); n != 0 {
		t.Errorf("%d members are kept, though there are three others", n)
	}
}

// TestLongMemberIDs asks for members by ids that are longer than any key: there are none.
func TestLongMemberIDs(t *testing.T) {
	a := on(t, memory(t), "generic")
	a.mustAdmin(200, "PUT", "/policy", manual(""))
	anna, long := a.person("anna", "x1", ""), strings.Repeat("x", 3000)
	for _, c := range []struct{ method, path, body string }{
		{"GET", "/members/" + long, ""},
		{"DELETE", "/members/" + long, ""},
		{"GET", "/members/" + long + "/why", ""},
		{"PUT", "/members/" + long + "/assignments/role/admin", ""},
		{"DELETE", "/members/" + long + "/assignments/role/admin", ""},
		{"PUT", "/members/" + long + "/account", `{"accountId":"a1"}`},
		{"POST", "/members/" + long + "/invite", "{}"},
		{"POST", "/members/" + long + "/merge", `{"into":"` + anna + `"}`},
		{"POST", "/members/" + anna + "/merge", `{"into":"` + long + `"}`},
	} {
		a.mustAdmin(404, c.method, c.path, c.body, "There is no member")
	}
}

// TestLargeMembers gives members assignments with names so long that no item of the table holds them all. As many as
// have room are given, and their events are complete.
func TestLargeMembers(t *testing.T) {
	slow.Test(t, "it writes members of some 100 KB")
	a := on(t, memory(t), "generic")
	a.mustAdmin(200, "PUT", "/policy", `{"kinds":{"team":{"create":true}},"rules":[
		{"id":"t","user":{"value":"entitlements.value"},"assign":{"kind":"team","target":"${value}"}},
		{"id":"u","user":{"value":"roles.value"},"assign":{"kind":"team","target":"${value}"}},
		{"id":"v","user":{"value":"entitlements.value"},"assign":{"kind":"team","target":"second ${value}"}}]}`)
	id := a.user("anna")
	a.member(id)
	values := func(prefix string) string {
		var all []string
		for i := range 160 {
			all = append(all, fmt.Sprintf(`{"value":"%s-%03d-%s"}`, prefix, i, strings.Repeat("x", 700)))
		}
		return "[" + strings.Join(all, ",") + "]"
	}
	large := `{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":"anna",
		"entitlements":` + values("e") + `,"roles":` + values("r") + `}`
	a.must(200, "PUT", "/Users/"+id, large)
	m := a.member(id)
	given := len(m["assignments"].([]any))
	if m["pending"] != nil || given < 250 || given > 300 {
		t.Errorf("%d assignments, pending: %v", given, m["pending"])
	}
	var has, events int
	for after := 0; ; {
		list := a.mustAdmin(200, "GET", fmt.Sprintf("/events?count=100&after=%d", after), "")["events"].([]any)
		if len(list) == 0 {
			break
		}
		for _, v := range list {
			e := v.(object)
			if after++; e["sequence"] != float64(after) {
				t.Fatalf("event %v comes after %d", e["sequence"], after-1)
			}
			if e["type"] == "assignment.added" {
				has++
			}
			events++
		}
	}
	if has != given {
		t.Errorf("%d events lead to %d assignments, the member has %d", events, has, given)
	}
	a.must(204, "DELETE", "/Users/"+id, "")
	a.mustAdmin(204, "DELETE", "/members/"+id, "")
	list := a.mustAdmin(200, "GET", "/events?count=1000&after=0", "")
	if text := fmt.Sprint(list); strings.Contains(text, "anna") {
		t.Error("an event still names the person")
	}
}
