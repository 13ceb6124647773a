package local_test

import (
	"context"
	"fmt"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/serverless-scim/serverless-scim/pkg/store"
)

// paced is an engine each of whose calls takes one round, by a clock that stands still while anything else is done.
// The time of a request is its number of rounds; calls made in parallel count as one.
type paced struct{ store.Engine }

const round = time.Millisecond

func (e paced) Get(ctx context.Context, keys []store.Key) ([]store.Item, []int, error) {
	time.Sleep(round)
	return e.Engine.Get(ctx, keys)
}

func (e paced) Query(ctx context.Context, q store.Query) (store.Page, error) {
	time.Sleep(round)
	return e.Engine.Query(ctx, q)
}

func (e paced) Transact(ctx context.Context, token string, ops []store.Op) error {
	time.Sleep(round)
	return e.Engine.Transact(ctx, token, ops)
}

func (e paced) Batch(ctx context.Context, ops []store.Op) ([]int, error) {
	time.Sleep(round)
	return e.Engine.Batch(ctx, ops)
}

// rounds sends a request and returns its status and how many rounds it took.
func (a *api) rounds(method, path, body string) (status, n int) {
	a.t.Helper()
	time.Sleep(6 * time.Second) // earlier work is over, also in the background
	r := httptest.NewRequest(method, a.base+path, strings.NewReader(body))
	r.Header.Set("Authorization", "Bearer "+a.token)
	w := httptest.NewRecorder()
	began := time.Now()
	a.h.ServeHTTP(w, r)
	return w.Code, int(time.Since(began) / round)
}

// TestRounds holds requests to the number of rounds that is due. The tenant's own read is beside the first reads; a
// write waits for it. To answer a change of a group with the group takes a round more, which finds its version. A
// refusal is written down before it is answered, in a round of its own.
func TestRounds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := on(t, paced{memory(t)}, "okta")
		name := func(s string, more ...string) string {
			return fmt.Sprintf(`{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":%q%s}`, s,
				strings.Join(append([]string{""}, more...), ","))
		}
		anna := a.must(201, "POST", "/Users",
			name("anna", `"externalId":"x1"`, `"emails":[{"value":"anna@example.com","type":"work"}]`))["id"].(string)
		ben := a.user("ben")
		var many []string
		for i := range 30 {
			many = append(many, a.user(fmt.Sprintf("u%d", i)))
		}
		staff := a.group("staff", []string{ben})
		others := a.group("others", nil)
		a.group("parents", []string{others})
		where := func(path, filter string) string { return path + "filter=" + url.QueryEscape(filter) }
		op := func(op string) string { return patchBody(op) }
		for _, c := range []struct {
			what, method, path, body string
			status, rounds           int
		}{
			{"GET user without groups", "GET", "/Users/" + anna, "", 200, 1},
			{"GET user with groups", "GET", "/Users/" + ben, "", 200, 2},
			{"GET user, groups left out", "GET", "/Users/" + ben + "?excludedAttributes=groups", "", 200, 1},
			{"GET user who is not there", "GET", "/Users/" + "nobody", "", 404, 1},
			{"userName, miss", "GET", where("/Users?", `userName eq "nobody"`), "", 200, 1},
			{"userName, hit", "GET", where("/Users?", `userName eq "anna"`), "", 200, 2},
			{"userName, hit with groups", "GET", where("/Users?", `userName eq "ben"`), "", 200, 3},
			{"externalId, miss", "GET", where("/Users?", `externalId eq "nobody"`), "", 200, 1},
			{"externalId, hit", "GET", where("/Users?", `externalId eq "x1"`), "", 200, 2},
			{"e-mail, hit", "GET", where("/Users?", `emails[type eq "work"].value eq "anna@example.com"`), "", 200, 2},
			{"id, hit", "GET", where("/Users?", `id eq "`+anna+`"`), "", 200, 2},
			{"userName and something, hit", "GET", where("/Users?", `userName eq "anna" and active eq true`), "", 200, 2},
			{
				"displayName of a group, miss", "GET", where("/Groups?excludedAttributes=members&", `displayName eq "nobody"`), "",
				200, 1,
			},
			{
				"displayName of a group, hit", "GET", where("/Groups?excludedAttributes=members&", `displayName eq "staff"`), "",
				200, 2,
			},
			{
				"members.value, hit", "GET", where("/Groups?excludedAttributes=members&", `members.value eq "`+ben+`"`), "", 200,
				2,
			},
			{"groups.value, hit", "GET", where("/Users?excludedAttributes=groups&", `groups.value eq "`+staff+`"`), "", 200, 3},
			{
				"members.value and displayName, hit", "GET",
				where("/Groups?excludedAttributes=members&", `members.value eq "`+ben+`" and displayName eq "staff"`), "", 200, 5,
			},
			{
				"members.value and displayName, miss", "GET",
				where("/Groups?", `members.value eq "`+ben+`" and displayName eq "others"`), "", 200, 2,
			},
			{
				"members.value and displayName, hit with members", "GET",
				where("/Groups?", `members.value eq "`+ben+`" and displayName eq "staff"`), "", 200, 6,
			},
			{"displayName, hit with members", "GET", where("/Groups?", `displayName eq "staff"`), "", 200, 4},
			{"groups.value, hit with groups", "GET", where("/Users?", `groups.value eq "`+staff+`"`), "", 200, 4},
			{
				"groups.value and active, hit with groups", "GET",
				where("/Users?", `groups.value eq "`+staff+`" and active eq true`), "", 200, 6,
			},
			{"GET group", "GET", "/Groups/" + staff, "", 200, 3},
			{"GET group without members", "GET", "/Groups/" + staff + "?excludedAttributes=members", "", 200, 1},
			{"first page", "GET", "/Users?count=10", "", 200, 4},
			{"first page without groups", "GET", "/Users?count=10&excludedAttributes=groups", "", 200, 2},
			{
				"second page without groups", "GET",
				"/Users?count=10&startIndex=11&excludedAttributes=groups", "", 200, 3,
			},
			{"jump without groups", "GET", "/Users?count=10&startIndex=17&excludedAttributes=groups", "", 200, 4},
			{"create user", "POST", "/Users", name("new"), 201, 2},
			{
				"create user with lookups", "POST", "/Users",
				name("new2", `"externalId":"n2"`, `"emails":[{"value":"n2@example.com"}]`), 201, 2,
			},
			{"create user with a manager", "POST", "/Users", name("new3", manager(anna)), 201, 2},
			{"create user with the name of another", "POST", "/Users", name("anna"), 409, 3},
			{"PATCH user", "PATCH", "/Users/" + anna, op(`{"op":"replace","path":"title","value":"a"}`), 200, 2},
			{"PATCH user with groups", "PATCH", "/Users/" + ben, op(`{"op":"replace","path":"title","value":"a"}`), 200, 2},
			{"PATCH user, userName", "PATCH", "/Users/" + anna, op(`{"op":"replace","path":"userName","value":"anne"}`), 200, 2},
			{
				"PATCH user, nothing new", "PATCH", "/Users/" + anna, op(`{"op":"replace","path":"userName","value":"anne"}`), 200,
				2, // its entry in the log
			},
			{
				"PATCH user, the same again", "PATCH", "/Users/" + anna, op(`{"op":"replace","path":"userName","value":"anne"}`),
				200, 1,
			},
			{"PUT user", "PUT", "/Users/" + anna, name("anna"), 200, 2},
			{"add a member", "PATCH", "/Groups/" + staff + "?excludedAttributes=members", op(add(anna)), 200, 3},
			{"add 30 members", "PATCH", "/Groups/" + staff + "?excludedAttributes=members", op(add(many...)), 200, 3},
			{
				"remove a member", "PATCH", "/Groups/" + staff + "?excludedAttributes=members",
				op(`{"op":"remove","path":"members[value eq \"` + anna + `\"]"}`), 200, 3,
			},
			{
				"rename a group", "PATCH", "/Groups/" + staff + "?excludedAttributes=members",
				op(`{"op":"replace","path":"displayName","value":"all"}`), 200, 4,
			},
			{"create a group", "POST", "/Groups", groupBody("new", nil), 201, 2},
			{"create a group with a member", "POST", "/Groups", groupBody("new2", []string{ben}), 201, 3},
		} {
			status, n := a.rounds(c.method, c.path, c.body)
			if status != c.status || n > c.rounds {
				t.Errorf("%s: status %d in %d rounds, want %d in at most %d", c.what, status, n, c.status, c.rounds)
			}
		}
	})
}

func manager(id string) string {
	return fmt.Sprintf(`"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User":{"manager":{"value":%q}}`, id)
}

func add(values ...string) string {
	return `{"op":"add","path":"members","value":` + members(values) + `}`
}
