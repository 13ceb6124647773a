package local_test

import (
	"fmt"
	"strings"
	"sync"
	"testing"
)

// person creates a user and returns its id. externalID and email may be "".
func (a *api) person(userName, externalID, email string) string {
	a.t.Helper()
	return a.must(201, "POST", "/Users", personBody(userName, externalID, email))["id"].(string)
}

func personBody(userName, externalID, email string) string {
	body := fmt.Sprintf(`{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":%q,"active":true`, userName)
	if externalID != "" {
		body += fmt.Sprintf(`,"externalId":%q`, externalID)
	}
	if email != "" {
		body += fmt.Sprintf(`,"emails":[{"value":%q,"type":"work","primary":true}]`, email)
	}
	return body + "}"
}

// member reads a member.
func (a *api) member(id string) object {
	a.t.Helper()
	return a.mustAdmin(200, "GET", "/members/"+id, "")
}

// manual is a policy with a role that is given by hand, and invitations.
func manual(members string) string {
	return `{"members":{"invite":"automatic"` + members + `},
		"kinds":{"role":{"create":true,"announceFirst":"credentials.required"}}}`
}

// TestReturn has a person leave and come back as another user.
func TestReturn(t *testing.T) {
	for name, c := range map[string]struct {
		policy           string
		userName, extern string
		email            string
		returns          bool
	}{
		"same names":                 {"", "anna", "x1", "anna@example.com", true},
		"another case":               {"", "ANNA", "", "", true},
		"another externalId":         {"", "anna", "x2", "", true},
		"another userName":           {"", "anna.b", "x1", "", true},
		"by address":                 {"", "anna.b", "", "anna@example.com", false},
		"by address, as policy says": {`,"match":["externalId","email"]`, "anna.b", "", "Anna@example.com", true},
		"not by userName":            {`,"match":["externalId"]`, "anna", "", "", false},
		"somebody else":              {"", "bert", "x9", "bert@example.com", false},
		"new":                        {`,"onReturn":"new"`, "anna", "x1", "anna@example.com", false},
	} {
		for _, onDelete := range []string{"remove", "deactivate"} {
			t.Run(name+"/"+onDelete, func(t *testing.T) {
				a := on(t, memory(t), "generic")
				a.mustAdmin(200, "PUT", "/policy", manual(c.policy+`,"onDelete":"`+onDelete+`"`))
				old := a.person("anna", "x1", "anna@example.com")
				a.mustAdmin(204, "PUT", "/members/"+old+"/assignments/role/author", "")
				since := a.member(old)["assignments"].([]any)[0].(object)["since"]
				a.must(204, "DELETE", "/Users/"+old, "")
				if m := a.member(old); m["status"] == "active" {
					t.Fatalf("behind the deletion: %v", m)
				}
				id := a.person(c.userName, c.extern, c.email)
				m, was := a.member(id), a.member(old)
				if !c.returns {
					if m["previousId"] != nil || len(m["assignments"].([]any)) != 0 || was["replacedBy"] != nil {
						t.Errorf("took a place: %v of %v", m, was)
					}
					return
				}
				if m["previousId"] != old || m["status"] != "active" || m["version"] != 1.0 {
					t.Errorf("returned as %v", m)
				}
				if as := m["assignments"].([]any); len(as) != 1 || as[0].(object)["target"] != "author" ||
					as[0].(object)["since"] != since {
					t.Errorf("returned with %v", as)
				}
				if was["status"] != "removed" || was["replacedBy"] != id {
					t.Errorf("left behind %v", was)
				}
				for _, once := range []string{"invitation.due", "credentials.required"} {
					if n := len(a.told(once)); n != 1 {
						t.Errorf("%s was told %d times", once, n)
					}
				}
				a.tellsReturn(old, id)
				a.must(204, "DELETE", "/Users/"+id, "") // and once more
				third := a.person(c.userName, c.extern, c.email)
				if m := a.member(third); m["previousId"] != id || len(m["assignments"].([]any)) != 1 {
					t.Errorf("returned again as %v", m)
				}
			})
		}
	}
}

// tellsReturn checks that member.removed of the one and member.created of the other stand side by side.
func (a *api) tellsReturn(old, id string) {
	a.t.Helper()
	var told []string
	for _, v := range a.mustAdmin(200, "GET", "/events?count=1000", "")["events"].([]any) {
		e := v.(object)
		data := e["data"].(object)
		word := e["type"].(string) + " " + strings.TrimPrefix(fmt.Sprint(e["subject"]), "members/")
		if data["replacedBy"] != nil {
			word += " by " + data["replacedBy"].(string)
		}
		told = append(told, word)
	}
	want := "member.removed " + old + " by " + id + ",member.created " + id
	if got := strings.Join(told, ","); !strings.Contains(got, want) {
		a.t.Errorf("the events are %s, want %s", got, want)
	}
}

// TestReturnOfAnother has two come who match one who left: one takes the place.
func TestReturnOfAnother(t *testing.T) {
	a := on(t, memory(t), "generic")
	a.mustAdmin(200, "PUT", "/policy", manual(""))
	old := a.person("anna", "x1", "")
	a.mustAdmin(204, "PUT", "/members/"+old+"/assignments/role/author", "")
	a.must(204, "DELETE", "/Users/"+old, "")
	a.member(old)
	ids := make([]string, 8)
	var wg sync.WaitGroup
	for i := range ids {
		wg.Go(func() {
			ids[i] = a.person(fmt.Sprintf("anna-%d", i), "x1", "")
			a.member(ids[i])
		})
	}
	wg.Wait()
	var took, has int
	for _, id := range ids {
		m := a.member(id)
		if m["previousId"] == old {
			took++
		}
		has += len(m["assignments"].([]any))
	}
	if took != 1 || has != 1 {
		t.Errorf("%d took the place of one, %d have the assignment", took, has)
	}
}

// TestReturnWithMany has somebody return who is in more groups than one transaction has room for.
func TestReturnWithMany(t *testing.T) {
	a := on(t, memory(t), "generic")
	a.mustAdmin(200, "PUT", "/policy", `{"members":{"onDelete":"deactivate"},"kinds":{"team":{"create":true}}}`)
	old := a.person("anna", "x1", "")
	for i := range 30 {
		a.mustAdmin(204, "PUT", fmt.Sprintf("/members/%s/assignments/team/t%d", old, i), "")
	}
	a.must(204, "DELETE", "/Users/"+old, "")
	a.member(old)
	id := a.person("anna", "x1", "")
	if m := a.member(id); m["previousId"] != old || len(m["assignments"].([]any)) != 30 {
		t.Errorf("returned as %v", m)
	}
	a.tellsReturn(old, id)
	if got := a.holding("team", "t7"); len(got) != 1 || got[0] != id {
		t.Errorf("in the team are %v", got)
	}
}

// TestReturnOfTheLastAdministrator deletes the last administrator, who stays for that reason, and has them come back.
func TestReturnOfTheLastAdministrator(t *testing.T) {
	a := on(t, memory(t), "generic")
	a.mustAdmin(200, "PUT", "/policy", protected)
	a.mustAdmin(200, "PUT", "/targets/role/admin", `{}`)
	old := a.person("anna", "x1", "")
	group := a.group("Admins", []string{old})
	a.member(old)
	a.must(204, "DELETE", "/Users/"+old, "")
	if m := a.member(old); m["protected"] != true {
		t.Fatalf("the last administrator is %v", m)
	}
	id := a.person("anna", "x1", "")
	if m := a.member(id); m["previousId"] != old || m["protected"] != true || len(m["assignments"].([]any)) != 1 {
		t.Errorf("returned as %v", m)
	}
	if m := a.member(old); m["status"] != "removed" {
		t.Errorf("left behind %v", m)
	}
	a.join(group, id)
	if m := a.member(id); m["protected"] != nil || len(m["assignments"].([]any)) != 1 {
		t.Errorf("with the group again: %v", m)
	}
}

// TestReturnTakesASeat has somebody leave, a second one get the seat, and the first return.
func TestReturnTakesASeat(t *testing.T) {
	a := on(t, memory(t), "generic")
	a.mustAdmin(200, "PUT", "/policy", licensed("wait"))
	a.mustAdmin(200, "PUT", "/targets/licence/pro", `{"seats":{"size":1}}`)
	anna, bert := a.person("anna", "x1", ""), a.person("bert", "x2", "")
	for _, id := range []string{anna, bert} {
		a.mustAdmin(204, "PUT", "/members/"+id+"/assignments/licence/pro", "")
		a.member(id)
	}
	a.must(204, "DELETE", "/Users/"+anna, "")
	if got := a.holding("licence", "pro"); len(got) != 1 || got[0] != bert {
		t.Fatalf("the seat has %v, want %s", got, bert)
	}
	again := a.person("anna", "x1", "")
	a.member(again)
	if got := a.holding("licence", "pro"); len(got) != 1 || got[0] != bert {
		t.Errorf("the seat has %v, want %s", got, bert)
	}
	a.must(204, "DELETE", "/Users/"+bert, "")
	if got := a.holding("licence", "pro"); len(got) != 1 || got[0] != again {
		t.Errorf("the freed seat has %v, want %s", got, again)
	}
}

// TestMerge merges two members of one person: one is removed, and its account and assignments go over.
func TestMerge(t *testing.T) {
	a := on(t, memory(t), "generic")
	a.mustAdmin(200, "PUT", "/policy", manual(""))
	anna, doublet := a.person("anna", "x1", ""), a.person("anna.b", "", "")
	a.mustAdmin(204, "PUT", "/members/"+anna+"/assignments/role/author", "")
	a.mustAdmin(204, "PUT", "/members/"+doublet+"/assignments/role/editor", "")
	a.member(anna)
	a.member(doublet)
	a.mustAdmin(400, "POST", "/members/"+anna+"/merge", `{"into":"`+anna+`"}`)
	a.mustAdmin(404, "POST", "/members/"+anna+"/merge", `{"into":"nobody"}`)
	m := a.mustAdmin(200, "POST", "/members/"+doublet+"/merge", `{"into":"`+anna+`"}`)
	if m["previousId"] != doublet || len(m["assignments"].([]any)) != 2 {
		t.Errorf("merged into %v", m)
	}
	a.must(200, "PATCH", "/Users/"+doublet, patchBody(`{"op":"replace","path":"displayName","value":"Anna"}`))
	if m := a.member(doublet); m["status"] != "removed" || m["replacedBy"] != anna || m["displayName"] != nil {
		t.Errorf("the other one is %v", m)
	}
	a.mustAdmin(404, "POST", "/members/"+doublet+"/merge", `{"into":"`+anna+`"}`)
	if n := len(a.told("invitation.due")); n != 2 {
		t.Errorf("%d invitations of two members", n)
	}
}

// TestMergeOfTheLastAdministrator merges the only administrator into another member, who has the role then.
func TestMergeOfTheLastAdministrator(t *testing.T) {
	a := on(t, memory(t), "generic")
	a.mustAdmin(200, "PUT", "/policy", protected)
	a.mustAdmin(200, "PUT", "/targets/role/admin", `{}`)
	first, second := a.user("first"), a.user("second")
	a.group("Admins", []string{first})
	a.member(first)
	m := a.mustAdmin(200, "POST", "/members/"+first+"/merge", `{"into":"`+second+`"}`)
	if m["protected"] != true || len(m["assignments"].([]any)) != 1 {
		t.Errorf("merged into %v", m)
	}
}

// TestInvitations invites those who are active and were never invited, once in a life.
func TestInvitations(t *testing.T) {
	a := on(t, memory(t), "generic")
	invites := func(want float64, path, body string) {
		t.Helper()
		if got := a.mustAdmin(200, "POST", path, body)["invited"]; got != want {
			t.Errorf("%s %s invited %v, want %v", path, body, got, want)
		}
	}
	anna, bert := a.person("anna", "x1", ""), a.person("bert", "x2", "")
	a.users(60)
	a.setActive(bert, false)
	a.mustAdmin(404, "POST", "/members/nobody/invite", "")
	a.mustAdmin(400, "POST", "/members/invite", `{"filter":"userName is anna"}`)
	invites(0, "/members/"+bert+"/invite", "")
	invites(1, "/members/"+anna+"/invite", "")
	invites(0, "/members/"+anna+"/invite", "")
	invites(0, "/members/invite", `{"filter":"userName eq \"anna\""}`)
	invites(10, "/members/invite", `{"filter":"userName sw \"user-000\""}`)
	var wg sync.WaitGroup
	var mu sync.Mutex
	total := 0.0
	for range 4 {
		wg.Go(func() {
			n, _ := a.mustAdmin(200, "POST", "/members/invite", "")["invited"].(float64)
			mu.Lock()
			defer mu.Unlock()
			total += n
		})
	}
	wg.Wait()
	if told := len(a.told("invitation.due")); total != 50 || told != 61 {
		t.Errorf("%v were invited by four at once, want 50; told of %d, want 61", total, told)
	}
	a.setActive(bert, true)
	a.must(204, "DELETE", "/Users/"+anna, "")
	a.person("anna", "x1", "")
	invites(1, "/members/invite", "")
	if m := a.member(bert); m["invitation"].(object)["state"] != "due" {
		t.Errorf("invited: %v", m)
	}
}

// TestAccounts gives members the application's ids: each to one of them, and over a return.
func TestAccounts(t *testing.T) {
	a := on(t, memory(t), "generic")
	anna, bert := a.person("anna", "x1", ""), a.person("bert", "x2", "")
	put := func(status int, id, body string) object {
		t.Helper()
		return a.mustAdmin(status, "PUT", "/members/"+id+"/account", body)
	}
	put(400, anna, `{}`)
	put(400, anna, `{"accountId":""}`)
	put(404, "nobody", `{"accountId":"a1"}`)
	for range 2 {
		if m := put(200, anna, `{"accountId":"a1"}`); m["accountId"] != "a1" || m["version"] != 2.0 {
			t.Errorf("with an account: %v", m)
		}
	}
	put(409, bert, `{"accountId":"a1"}`)
	put(200, anna, `{"accountId":"a2"}`)
	put(200, bert, `{"accountId":"a1"}`)
	put(200, bert, `{"accountId":null}`)
	a.must(204, "DELETE", "/Users/"+anna, "")
	again := a.person("anna", "x1", "")
	if m := a.member(again); m["accountId"] != "a2" {
		t.Errorf("returned as %v", m)
	}
	put(409, bert, `{"accountId":"a2"}`)
	a.must(204, "DELETE", "/Users/"+again, "")
	a.member(again)
	put(200, bert, `{"accountId":"a2"}`) // nobody has it any more
	if m := a.member(a.person("anna", "x1", "")); m["accountId"] != nil {
		t.Errorf("returned with an account of somebody else: %v", m)
	}
}

// TestAccountsAreAdopted imports accounts before, after and during the first sync: each member adopts its own.
func TestAccountsAreAdopted(t *testing.T) {
	const people = 30
	var list []string
	for i := range people {
		by := fmt.Sprintf(`"externalId":"x%d"`, i)
		if i%2 == 0 {
			by = fmt.Sprintf(`"userName":"User-%d"`, i)
		}
		list = append(list, fmt.Sprintf(`{"accountId":"a%d",%s}`, i, by))
	}
	accounts := `{"accounts":[` + strings.Join(list, ",") + `]}`
	for _, order := range []string{"before", "after", "during"} {
		t.Run(order, func(t *testing.T) {
			a := on(t, memory(t), "generic")
			ids := make([]string, people)
			sync1 := func() {
				for i := range ids {
					ids[i] = a.person(fmt.Sprintf("user-%d", i), fmt.Sprintf("x%d", i), "")
					a.member(ids[i])
				}
			}
			load := func() object { return a.mustAdmin(200, "POST", "/accounts", accounts) }
			switch order {
			case "before":
				load()
				sync1()
			case "after":
				sync1()
				if o := load(); o["imported"] != float64(people) || o["adopted"] != float64(people) {
					t.Errorf("imported %v", o)
				}
			case "during":
				var wg sync.WaitGroup
				wg.Go(sync1)
				wg.Go(func() { load() })
				wg.Wait()
			}
			for i, id := range ids {
				if m := a.member(id); m["accountId"] != fmt.Sprintf("a%d", i) {
					t.Errorf("member %d has the account %v", i, m["accountId"])
				}
			}
			if o := load(); o["imported"] != 0.0 || o["adopted"] != 0.0 {
				t.Errorf("imported again: %v", o)
			}
		})
	}
}

// TestAccountsThatAreNone are refused.
func TestAccountsThatAreNone(t *testing.T) {
	a := on(t, memory(t), "generic")
	for _, body := range []string{
		`{}`, `{"accounts":{}}`, `{"accounts":[1]}`, `{"accounts":[{"userName":"a"}]}`, `{"accounts":[{"accountId":1}]}`,
		`{"accounts":[{"accountId":"a","name":"b"}]}`, `{"accounts":[{"accountId":"a"},{"accountId":"a"}]}`,
		`{"accounts":[` + strings.Repeat("{},", 1000) + `{}]}`,
	} {
		a.mustAdmin(400, "POST", "/accounts", body)
	}
}
