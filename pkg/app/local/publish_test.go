package local_test

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
)

// TestMembersFollow sends SCIM requests and reads their effects as the application behind the endpoint does: at once
// by id, and in the events, which name the request.
func TestMembersFollow(t *testing.T) {
	a := on(t, memory(t), "generic")
	id := a.user("ada@example.com")
	if m := a.mustAdmin(200, "GET", "/members/"+id, ""); m["status"] != "active" || m["userName"] != "ada@example.com" {
		t.Errorf("behind POST: %v", m)
	}
	a.group("Editors", []string{id})
	m := a.mustAdmin(200, "GET", "/members/"+id, "")
	if all := m["assignments"].([]any); len(all) != 1 || all[0].(object)["displayName"] != "Editors" {
		t.Errorf("behind POST of the group: %v", m)
	}
	a.must(200, "PATCH", "/Users/"+id, patchBody(`{"op":"replace","path":"active","value":false}`))
	if m := a.mustAdmin(200, "GET", "/members/"+id, ""); m["status"] != "inactive" {
		t.Errorf("behind the deactivation: %v", m)
	}
	a.must(204, "DELETE", "/Users/"+id, "")
	if m := a.mustAdmin(200, "GET", "/members/"+id, ""); m["status"] != "removed" {
		t.Errorf("behind DELETE: %v", m)
	}
	var types []string
	for i, v := range a.mustAdmin(200, "GET", "/events", "")["events"].([]any) {
		e := v.(object)
		if e["sequence"] != float64(i+1) {
			t.Errorf("event %d has the sequence %v", i+1, e["sequence"])
		}
		if !ofPeople(e) {
			continue
		}
		types = append(types, e["type"].(string))
		cause := e["cause"].(object)
		if cause["requestId"] == nil || cause["tokenId"] == nil {
			t.Errorf("event %v names no request: %v", e["type"], cause)
		}
	}
	want := "member.created member.activated assignment.added member.deactivated member.removed"
	if got := strings.Join(types, " "); got != want {
		t.Errorf("events %s, want %s", got, want)
	}
}

// ofPeople reports whether an event is about a member, and not about the tenant's token.
func ofPeople(e object) bool { return strings.HasPrefix(e["subject"].(string), "members/") }

// TestMembersSwitchedOff switches publishing off, and on again: in between nothing is kept, afterwards everybody is
// told of.
func TestMembersSwitchedOff(t *testing.T) {
	a := on(t, memory(t), "generic")
	left := a.user("left@example.com")
	a.mustAdmin(200, "GET", "/members", "")
	a.mustAdmin(200, "PATCH", "", `{"settings":{"members":{"publish":false}}}`)
	a.must(204, "DELETE", "/Users/"+left, "")
	ids := a.users(3)
	a.group("Editors", ids)
	if err := a.s.Settle(t.Context()); err != nil {
		t.Fatal(err)
	}
	if all := a.mustAdmin(200, "GET", "/members", ""); len(all["members"].([]any)) != 1 {
		t.Errorf("switched off: %v", all)
	}
	for _, e := range a.mustAdmin(200, "GET", "/events", "")["events"].([]any) {
		if ofPeople(e.(object)) && e.(object)["subject"] != "members/"+left {
			t.Errorf("switched off: %v", e)
		}
	}
	a.mustAdmin(200, "PATCH", "", `{"settings":{"members":{"publish":null}}}`)
	for _, m := range a.mustAdmin(200, "GET", "/members", "")["members"].([]any) {
		if m.(object)["id"] == left {
			t.Errorf("who left while it was switched off is listed: %v", m)
		}
	}
	for _, id := range ids {
		m := a.mustAdmin(200, "GET", "/members/"+id, "")
		if fmt.Sprint(m["status"], len(m["assignments"].([]any))) != "active1" {
			t.Errorf("switched on: %v", m)
		}
	}
}

// arrivals are the steps of a sync and of an administrator, in any order.
var arrivals = map[string]func(a *api){
	"user": func(a *api) {
		a.must(201, "POST", "/Users", `{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User",
			"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"],"userName":"ada@example.com","externalId":"ada",
			"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User":{"manager":{"value":"boss@example.com"}}}`)
	},
	"manager": func(a *api) {
		a.must(201, "POST", "/Users", `{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],
			"userName":"boss@example.com","displayName":"The boss"}`)
	},
	"group": func(a *api) {
		a.must(201, "POST", "/Groups", `{"schemas":["urn:ietf:params:scim:schemas:core:2.0:Group"],
			"displayName":"Team Red","members":[{"value":"ada"}]}`)
	},
	"policy": func(a *api) {
		a.mustAdmin(200, "PUT", "/policy", `{"kinds":{"team":{"create":true},"role":{"create":false}},"rules":[
			{"id":"team","group":{"pattern":"^Team (?P<name>.+)$"},"assign":{"kind":"team","target":"${name}"}},
			{"id":"lead","group":{"pattern":"^Team Red$"},"assign":{"kind":"role","target":"red"}}]}`)
	},
}

// TestArrivalOrders lets a user, their manager, their group, the policy and a target arrive in every order, with and
// without reading in between: the members are the same in the end, and so is the result of the events.
func TestArrivalOrders(t *testing.T) {
	steps := maps.Clone(arrivals)
	steps["target"] = func(a *api) {
		if status, _ := a.admin("PUT", "/targets/role/red", `{"displayName":"Red role"}`); status == 404 {
			// Without the policy there is no such kind yet: it is made when the policy is there.
			arrivals["policy"](a)
			a.mustAdmin(200, "PUT", "/targets/role/red", `{"displayName":"Red role"}`)
		}
	}
	const want = "ada@example.com active manager=The boss role/Red role team/Red; boss@example.com active"
	n := 0
	permute(slices.Sorted(maps.Keys(steps)), func(order []string) {
		n++
		a := on(t, memory(t), "generic")
		for _, name := range order {
			steps[name](a)
			if n%2 == 0 {
				a.mustAdmin(200, "GET", "/members", "")
			}
		}
		var got []string
		for _, v := range a.mustAdmin(200, "GET", "/members", "")["members"].([]any) {
			got = append(got, shown(v.(object)))
		}
		slices.Sort(got)
		if text := strings.Join(got, "; "); text != want {
			t.Errorf("%v: %s", order, text)
		}
		var told []string
		for id, m := range a.replayed() {
			if m == nil {
				t.Errorf("%v: member %s was removed", order, id)
				continue
			}
			// names are those of the time of the event
			m["manager"] = a.mustAdmin(200, "GET", "/members/"+id, "")["manager"]
			told = append(told, shown(m))
		}
		slices.Sort(told)
		if !slices.Equal(told, got) {
			t.Errorf("%v: events say %s, the list %s", order, told, got)
		}
	})
	if n != 120 {
		t.Errorf("%d orders", n)
	}
}

// shown is a member without ids and times.
func shown(m object) string {
	words := []string{m["userName"].(string), m["status"].(string)}
	if manager, ok := m["manager"].(object); ok {
		words = append(words, fmt.Sprint("manager=", manager["displayName"]))
	}
	for _, v := range m["assignments"].([]any) {
		as := v.(object)
		name := as["displayName"]
		if name == nil {
			name = as["target"]
		}
		words = append(words, fmt.Sprint(as["kind"], "/", name))
	}
	return strings.Join(words, " ")
}

// replayed applies all events, as an application does: each has the whole member.
func (a *api) replayed() map[string]object {
	a.t.Helper()
	people := map[string]object{}
	for _, v := range a.mustAdmin(200, "GET", "/events?count=1000", "")["events"].([]any) {
		e := v.(object)
		m, ok := e["data"].(object)["member"].(object)
		if !ok {
			continue
		}
		id := m["id"].(string)
		people[id] = m
		if e["type"] == "member.removed" {
			people[id] = nil
		}
	}
	return people
}

// permute calls do with every order of the words.
func permute(words []string, do func([]string)) {
	var next func(i int)
	next = func(i int) {
		if i == len(words) {
			do(words)
			return
		}
		for k := i; k < len(words); k++ {
			words[i], words[k] = words[k], words[i]
			next(i + 1)
			words[i], words[k] = words[k], words[i]
		}
	}
	next(0)
}

// TestWhyNamesTheRequest asks why a member has an assignment: the answer names the group, the rule and the request, and
// goes on naming them when other things of the member change.
func TestWhyNamesTheRequest(t *testing.T) {
	a := on(t, memory(t), "generic")
	arrivals["policy"](a)
	id := a.user("ada@example.com")
	group := a.group("Team Red", []string{id})
	because := func() object {
		t.Helper()
		why := a.mustAdmin(200, "GET", "/members/"+id+"/why", "")
		return why["assignments"].([]any)[0].(object)["because"].([]any)[0].(object)
	}
	first := because()
	if first["rule"] != "team" || first["group"].(object)["id"] != group || first["requestId"] == nil ||
		first["tokenId"] == nil {
		t.Errorf("because %v", first)
	}
	a.must(200, "PATCH", "/Users/"+id, patchBody(`{"op":"replace","path":"title","value":"boss"}`))
	if now := because(); fmt.Sprint(now) != fmt.Sprint(first) {
		t.Errorf("behind a change of the title: because %v, before %v", now, first)
	}
	a.must(204, "DELETE", "/Users/"+id, "")
	why := a.mustAdmin(200, "GET", "/members/"+id+"/why", "")
	if status := why["status"].(object); status["is"] != "removed" || status["because"] != "The user was deleted." {
		t.Errorf("behind DELETE: %v", why)
	}
}

// TestNoEventHoldsASecret makes tokens and OAuth secrets in every way there is, and looks for them in all that the log
// and the answers about it hold.
func TestNoEventHoldsASecret(t *testing.T) {
	a, o, end := rotating(t, memory(t))
	secrets := []string{a.token}
	id := a.user("ada@example.com")
	made := a.mustAdmin(201, "POST", "/tokens", "")
	secrets = append(secrets, made["value"].(string))
	client := a.mustAdmin(201, "POST", "/clients", `{"name":"Ping"}`)
	for name, v := range client {
		if text, ok := v.(string); ok && strings.Contains(strings.ToLower(name), "secret") {
			secrets = append(secrets, text)
		}
	}
	a.must(200, "PATCH", "/Users/"+id, patchBody(`{"op":"replace","path":"password","value":"pass-word-of-ada"}`))
	secrets = append(secrets, "pass-word-of-ada")
	if err := a.s.Settle(t.Context()); err != nil {
		t.Fatal(err)
	}
	before := a.mustAdmin(200, "GET", "/events?count=1000", "")
	o.to(end.Add(-28 * day))
	_, ids := o.tokens()
	for _, token := range ids {
		if status, out := o.do("POST", "/tenants/acme/tokens/"+token+"/reveal", ""); status == 200 {
			secrets = append(secrets, out["value"].(string))
		}
	}
	a.mustAdmin(200, "GET", "/members", "")
	if err := a.s.Settle(t.Context()); err != nil {
		t.Fatal(err)
	}
	log := fmt.Sprint(before, a.mustAdmin(200, "GET", fmt.Sprint("/events?count=1000&after=", before["last"]), ""))
	for _, part := range []string{"token.created", "token.revealed", "client", "member.created"} {
		if !strings.Contains(log, part) {
			t.Errorf("the log tells nothing of %s, so that it proves little: %.300s", part, log)
		}
	}
	if len(secrets) < 5 {
		t.Errorf("only %d secrets were made", len(secrets))
	}
	for i, secret := range secrets {
		if strings.Contains(log, secret) {
			t.Errorf("secret %d is in the log", i)
		}
	}
}
