package local_test

import (
	"slices"
	"strings"
	"testing"
)

// TestPersonStaysOne takes a person with an account through the changes at an identity provider. In the end
// the account is with the member of the last user: by itself, or by a merge of two who were told of as one person. No
// request is refused.
func TestPersonStaysOne(t *testing.T) {
	const address = "anna@example.com"
	type world struct {
		*api
		first string // the user with the account
	}
	for name, c := range map[string]struct {
		do func(w world) (last string)
		// merged says that it takes a merge, which a duplicate.suspected asked for.
		merged bool
	}{
		"deactivated and active again": {do: func(w world) string {
			w.setActive(w.first, false)
			w.member(w.first)
			w.setActive(w.first, true)
			return w.first
		}},
		"another externalId": {do: func(w world) string {
			w.must(200, "PUT", "/Users/"+w.first, personBody("anna", "x2", address))
			return w.first
		}},
		"an externalId no more": {do: func(w world) string {
			w.must(200, "PUT", "/Users/"+w.first, personBody("anna", "", address))
			return w.first
		}},
		"another userName and address": {do: func(w world) string {
			w.must(200, "PUT", "/Users/"+w.first, personBody("anna.b", "x1", "anna.b@example.com"))
			return w.first
		}},
		"deleted, made anew": {do: func(w world) string {
			w.must(204, "DELETE", "/Users/"+w.first, "")
			return w.person("anna", "x1", address)
		}},
		"deactivated, deleted, made anew": {do: func(w world) string {
			w.setActive(w.first, false)
			w.member(w.first)
			w.must(204, "DELETE", "/Users/"+w.first, "")
			w.member(w.first)
			return w.person("anna", "x1", address)
		}},
		"deleted, rehired with another externalId": {do: func(w world) string {
			w.must(204, "DELETE", "/Users/"+w.first, "")
			w.member(w.first)
			return w.person("anna", "x2", address)
		}},
		"deleted, rehired with another name": {do: func(w world) string {
			w.must(204, "DELETE", "/Users/"+w.first, "")
			w.member(w.first)
			return w.person("anna.b", "x1", "anna.b@example.com")
		}},
		"changed before the deletion, made anew": {do: func(w world) string {
			w.must(200, "PUT", "/Users/"+w.first, personBody("anna.b", "x2", address))
			w.member(w.first) // a member that was never published is not searched for
			w.must(204, "DELETE", "/Users/"+w.first, "")
			return w.person("anna.b", "", "")
		}},
		"made anew as inactive, then active": {do: func(w world) string {
			w.must(204, "DELETE", "/Users/"+w.first, "")
			id := w.must(201, "POST", "/Users", `{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],
				"userName":"anna","active":false}`)["id"].(string)
			w.member(id)
			w.setActive(id, true)
			return id
		}},
		"left and came back twice": {do: func(w world) string {
			w.must(204, "DELETE", "/Users/"+w.first, "")
			second := w.person("anna", "x2", address)
			w.member(second)
			w.must(204, "DELETE", "/Users/"+second, "")
			w.member(second)
			return w.person("anna.b", "x2", address)
		}},
		"the new user comes before the old one goes": {merged: true, do: func(w world) string {
			second := w.person("anna.b", "x1", "anna.b@example.com")
			w.member(second)
			w.must(204, "DELETE", "/Users/"+w.first, "")
			return second
		}},
		"the new one has another address and no externalId": {merged: true, do: func(w world) string {
			w.must(200, "PUT", "/Users/"+w.first, personBody("anna", "", address))
			second := w.person("anna.b", "", address)
			w.member(second)
			return second
		}},
		"the new one gets the externalId later": {merged: true, do: func(w world) string {
			second := w.person("anna.b", "", "anna.b@example.com")
			w.member(second)
			w.must(200, "PUT", "/Users/"+second, personBody("anna.b", "x1", "anna.b@example.com"))
			return second
		}},
	} {
		for _, onDelete := range []string{"remove", "deactivate"} {
			t.Run(name+"/"+onDelete, func(t *testing.T) {
				a := on(t, memory(t), "generic")
				a.mustAdmin(200, "PUT", "/policy", manual(`,"onDelete":"`+onDelete+`"`))
				w := world{a, a.person("anna", "x1", address)}
				a.mustAdmin(204, "PUT", "/members/"+w.first+"/assignments/role/author", "")
				a.mustAdmin(200, "PUT", "/members/"+w.first+"/account", `{"accountId":"a1"}`)
				last := c.do(w)
				a.member(last)
				told := a.told("duplicate.suspected")
				if c.merged != (len(told) > 0) {
					t.Fatalf("told of %d duplicates: %v", len(told), told)
				}
				if c.merged {
					pair := []string{told[0]["member"].(object)["id"].(string), told[0]["other"].(string)}
					if !slices.Contains(pair, w.first) || !slices.Contains(pair, last) {
						t.Fatalf("the duplicates are %v", pair)
					}
					a.mustAdmin(200, "POST", "/members/"+w.first+"/merge", `{"into":"`+last+`"}`)
				}
				m := a.member(last)
				if as := m["assignments"].([]any); m["accountId"] != "a1" || m["status"] != "active" || len(as) != 1 {
					t.Errorf("in the end: %v", m)
				}
				if n := len(a.mustAdmin(200, "GET", "/members", "")["members"].([]any)); n != 1 {
					t.Errorf("%d members", n)
				}
				for _, once := range []string{"invitation.due", "credentials.required"} {
					want := 1
					if c.merged && once == "invitation.due" {
						want = 2 // the second one was active before it was known who it is
					}
					if n := len(a.told(once)); n != want {
						t.Errorf("%s was told %d times, want %d", once, n, want)
					}
				}
			})
		}
	}
}

// TestMergeOfOneWhoLeft is possible for as long as the member could return, and once.
func TestMergeOfOneWhoLeft(t *testing.T) {
	a := on(t, memory(t), "generic")
	a.mustAdmin(200, "PUT", "/policy", manual(""))
	first, second := a.person("anna", "", ""), a.person("bert", "", "")
	a.member(first)
	a.member(second)
	a.must(204, "DELETE", "/Users/"+first, "")
	a.mustAdmin(200, "POST", "/members/"+first+"/merge", `{"into":"`+second+`"}`)
	a.mustAdmin(404, "POST", "/members/"+first+"/merge", `{"into":"`+second+`"}`)
	a.mustAdmin(404, "POST", "/members/nobody/merge", `{"into":"`+second+`"}`)
	if m := a.member(a.person("anna", "", "")); m["previousId"] != nil {
		t.Errorf("a place was taken twice: %v", m)
	}
}

// TestMergeKeepsTheAdministrator merges administrators into others, of any state, and announces the role once.
func TestMergeKeepsTheAdministrator(t *testing.T) {
	for name, c := range map[string]struct {
		prepare   func(a *api, group, second string)
		protected any // whether the second one keeps the role only because nobody else has it
	}{
		"into an active member":  {func(*api, string, string) {}, true},
		"into an inactive one":   {func(a *api, _, second string) { a.setActive(second, false) }, true},
		"into another one":       {func(a *api, group, second string) { a.join(group, second) }, nil},
		"beside a third one":     {func(a *api, group, _ string) { a.join(group, a.user("third")) }, nil},
		"the group is gone then": {func(a *api, group, _ string) { a.must(204, "DELETE", "/Groups/"+group, "") }, true},
	} {
		t.Run(name, func(t *testing.T) {
			a := on(t, memory(t), "generic")
			a.mustAdmin(200, "PUT", "/policy", strings.Replace(protected, `"role":{}`,
				`"role":{"announceFirst":"credentials.required"}`, 1))
			a.mustAdmin(200, "PUT", "/targets/role/admin", `{}`)
			first, second := a.user("first"), a.user("second")
			group := a.group("Admins", []string{first})
			a.member(first)
			c.prepare(a, group, second)
			a.mustAdmin(200, "GET", "/members", "")
			before := len(a.told("credentials.required"))
			for range 2 { // the second time it is done
				a.admin("POST", "/members/"+first+"/merge", `{"into":"`+second+`"}`)
			}
			admins := a.holding("role", "admin")
			if len(admins) != 1 || a.member(admins[0])["status"] != "active" {
				t.Errorf("the administrators are %v", admins)
			}
			if m := a.member(second); m["protected"] != c.protected {
				t.Errorf("protected is %v, want %v", m["protected"], c.protected)
			}
			if after := len(a.told("credentials.required")); after != before {
				t.Errorf("credentials were asked for %d times, then %d times", before, after)
			}
		})
	}
}
