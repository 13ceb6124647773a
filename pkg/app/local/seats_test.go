package local_test

import (
	"fmt"
	"math/rand/v2"
	"net/url"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// licensed is a policy that gives each member of the group Writers a licence.
func licensed(seats string) string {
	return `{"kinds":{"licence":{"seats":"` + seats + `"}},"rules":[{"id":"writers",
		"group":{"pattern":"^Writers$"},"assign":{"kind":"licence","target":"pro"}}]}`
}

// holding lists the ids of the members who have a target.
func (a *api) holding(kind, target string) []string {
	a.t.Helper()
	filter := url.QueryEscape(fmt.Sprintf("assignments[kind eq %q and target eq %q]", kind, target))
	var ids []string
	for _, v := range a.mustAdmin(200, "GET", "/members?count=1000&filter="+filter, "")["members"].([]any) {
		ids = append(ids, v.(object)["id"].(string))
	}
	slices.Sort(ids)
	return ids
}

// told lists the data of the events of a type.
func (a *api) told(kind string) []object {
	a.t.Helper()
	var all []object
	for _, v := range a.mustAdmin(200, "GET", "/events?count=1000", "")["events"].([]any) {
		if e := v.(object); e["type"] == kind {
			all = append(all, e["data"].(object))
		}
	}
	return all
}

func (a *api) join(group, id string) {
	a.t.Helper()
	a.must(200, "PATCH", "/Groups/"+group, patchBody(`{"op":"add","path":"members","value":[{"value":"`+id+`"}]}`))
}

func (a *api) leave(group, id string) {
	a.t.Helper()
	a.must(200, "PATCH", "/Groups/"+group, patchBody(`{"op":"remove","path":"members[value eq \"`+id+`\"]"}`))
}

func (a *api) setActive(id string, active bool) {
	a.t.Helper()
	a.must(200, "PATCH", "/Users/"+id, patchBody(fmt.Sprintf(`{"op":"replace","path":"active","value":%t}`, active)))
}

// TestSeatsArePurchased gives every member a licence, and tells of each new high of the shortage once.
func TestSeatsArePurchased(t *testing.T) {
	a := on(t, memory(t), "generic")
	ids := a.users(4)
	group := a.group("Writers", nil)
	rehearsed := a.mustAdmin(200, "POST", "/policy/rehearse", licensed("purchase"))
	if rehearsed["of"] != float64(4) || len(rehearsed["shortages"].([]any)) != 0 {
		t.Errorf("rehearsed without seats: %v", rehearsed)
	}
	a.mustAdmin(200, "PUT", "/policy", licensed("purchase"))
	a.mustAdmin(200, "PUT", "/targets/licence/pro", `{"seats":{"size":2}}`)
	missing := func() (all []any) {
		for _, d := range a.told("licence.shortage") {
			all = append(all, d["missing"])
		}
		return all
	}
	for i, id := range ids {
		a.join(group, id)
		if got := a.holding("licence", "pro"); len(got) != i+1 {
			t.Errorf("%d members have the licence, want %d", len(got), i+1)
		}
	}
	if got := fmt.Sprint(missing()); got != "[1 2]" {
		t.Errorf("told of shortages %s", got)
	}
	a.leave(group, ids[3])
	a.holding("licence", "pro")
	a.join(group, ids[3]) // as high as before
	a.holding("licence", "pro")
	if got := fmt.Sprint(missing()); got != "[1 2]" {
		t.Errorf("told of shortages %s", got)
	}
	target := a.mustAdmin(200, "PUT", "/targets/licence/pro", `{"seats":{"size":4}}`)
	a.holding("licence", "pro")
	if len(a.told("licence.shortage-ended")) != 1 {
		t.Errorf("not told of the end of the shortage: %v", target)
	}
	if target := a.mustAdmin(200, "GET", "/targets/licence/pro", ""); fmt.Sprint(target["seats"]) !=
		fmt.Sprint(object{"size": 4, "used": 4}) {
		t.Errorf("the target has %v", target["seats"])
	}
	rehearsed = a.mustAdmin(200, "POST", "/policy/rehearse", strings.Replace(licensed("purchase"), "^Writers$",
		"Writers|Readers", 1))
	if len(rehearsed["shortages"].([]any)) != 0 {
		t.Errorf("rehearsed: %v", rehearsed)
	}
	a.group("Readers", []string{a.user("one more")})
	rehearsed = a.mustAdmin(200, "POST", "/policy/rehearse", strings.Replace(licensed("purchase"), "^Writers$",
		"Writers|Readers", 1))
	want := object{"kind": "licence", "target": "pro", "size": 4, "used": 5, "missing": 1}
	if got := rehearsed["shortages"].([]any); len(got) != 1 || fmt.Sprint(got[0]) != fmt.Sprint(want) {
		t.Errorf("rehearsed shortages %v, want %v", got, want)
	}
	a.setActive(ids[0], false)
	if got := a.holding("licence", "pro"); slices.Contains(got, ids[0]) || len(got) != 3 {
		t.Errorf("an inactive member keeps the licence: %v", got)
	}
	a.setActive(ids[0], true)
	if got := a.holding("licence", "pro"); !slices.Contains(got, ids[0]) {
		t.Errorf("reactivated without the licence: %v", got)
	}
}

// TestSeatsInUseAreTrue asks for the number of seats in use wherever a target is shown: in the answers to PUT and GET,
// in the list and in events.
func TestSeatsInUseAreTrue(t *testing.T) {
	a := on(t, memory(t), "generic")
	ids := a.users(3)
	a.mustAdmin(200, "PUT", "/policy", licensed("purchase"))
	group := a.group("Writers", nil)
	shown := func(target object) {
		t.Helper()
		if got, want := fmt.Sprint(target["seats"]), fmt.Sprint(object{"size": 2, "used": len(ids)}); got != want {
			t.Errorf("seats %s, want %s", got, want)
		}
	}
	a.mustAdmin(200, "PUT", "/targets/licence/pro", "") // without a number of seats
	for _, id := range ids {
		a.join(group, id)
	}
	a.holding("licence", "pro")
	shown(a.mustAdmin(200, "PUT", "/targets/licence/pro", `{"seats":{"size":2}}`))
	shown(a.mustAdmin(200, "PUT", "/targets/licence/pro", `{"seats":{"size":2}}`)) // no change
	shown(a.mustAdmin(200, "PUT", "/targets/licence/pro", `{"displayName":"Pro","seats":{"size":2}}`))
	shown(a.mustAdmin(200, "GET", "/targets/licence/pro", ""))
	shown(a.mustAdmin(200, "GET", "/targets", "")["targets"].([]any)[0].(object))
	a.holding("licence", "pro") // publishes
	renamed := a.told("target.renamed")
	shown(renamed[len(renamed)-1]["target"].(object))
}

// TestSeatsAreWaitedFor gives seats in order of arrival, and a freed one to the next who waits.
func TestSeatsAreWaitedFor(t *testing.T) {
	a := on(t, memory(t), "generic")
	a.mustAdmin(200, "PUT", "/policy", licensed("wait"))
	a.mustAdmin(200, "PUT", "/targets/licence/pro", `{"seats":{"size":2}}`)
	ids := a.users(5)
	group := a.group("Writers", nil)
	for i, id := range ids {
		for now := time.Now().UnixMilli(); now == time.Now().UnixMilli(); { // no two in one millisecond
			runtime.Gosched()
		}
		a.join(group, id)
		if i%2 == 0 { // some arrive without anybody reading in between
			a.holding("licence", "pro")
		}
	}
	has := func(want ...int) {
		t.Helper()
		var all []string
		for _, i := range want {
			all = append(all, ids[i])
		}
		slices.Sort(all)
		if got := a.holding("licence", "pro"); !slices.Equal(got, all) {
			t.Errorf("have the licence %v, want %v of %v", got, want, ids)
		}
	}
	has(0, 1)
	missing := a.mustAdmin(200, "GET", "/members/"+ids[4]+"/why", "")["missing"].([]any)
	if len(missing) != 1 || missing[0].(object)["reason"] != "no-seat" || missing[0].(object)["rule"] != "writers" {
		t.Errorf("why: %v", missing)
	}
	a.leave(group, ids[0])
	has(1, 2)
	a.setActive(ids[1], false)
	has(2, 3)
	a.setActive(ids[1], true) // keeps the time of the membership, so it is the next
	has(2, 3)
	a.must(204, "DELETE", "/Users/"+ids[2], "")
	has(1, 3)
	a.mustAdmin(200, "PUT", "/targets/licence/pro", `{"seats":{"size":1}}`)
	has(1, 3) // nothing is taken from anybody
	a.mustAdmin(200, "PUT", "/targets/licence/pro", `{"seats":{"size":3}}`)
	has(1, 3, 4)
	if n := len(a.told("licence.shortage")); n != 0 {
		t.Errorf("%d shortages were told of", n)
	}
}

// TestSeatsUnderRaces has 16 clients join, leave, go and come: never are there more members with a licence than seats,
// and in the end all seats that somebody wants are taken.
func TestSeatsUnderRaces(t *testing.T) {
	a := on(t, memory(t), "generic")
	a.mustAdmin(200, "PUT", "/policy", licensed("wait"))
	a.mustAdmin(200, "PUT", "/targets/licence/pro", `{"seats":{"size":5}}`)
	ids := a.users(16)
	group := a.group("Writers", nil)
	var wg sync.WaitGroup
	for i, id := range ids {
		wg.Go(func() {
			r := rand.New(rand.NewPCG(uint64(i), 7))
			for range 6 {
				switch r.IntN(4) {
				case 0:
					a.join(group, id)
				case 1:
					a.leave(group, id)
				case 2:
					a.setActive(id, r.IntN(2) == 0)
				case 3:
					if n := len(a.holding("licence", "pro")); n > 5 {
						t.Errorf("%d members have one of 5 seats", n)
					}
				}
			}
			a.setActive(id, true)
			a.join(group, id)
		})
	}
	wg.Wait()
	has := map[string]bool{}
	for seq, v := range a.mustAdmin(200, "GET", "/events?count=1000", "")["events"].([]any) {
		e := v.(object)
		m, ok := e["data"].(object)["member"].(object)
		if !ok {
			continue
		}
		if has[m["id"].(string)] = len(m["assignments"].([]any)) > 0; count(has) > 5 {
			t.Fatalf("behind event %d, %d members have one of 5 seats", seq+1, count(has))
		}
	}
	if got := a.holding("licence", "pro"); len(got) != 5 {
		t.Errorf("%d members have one of 5 seats, and all 16 want one", len(got))
	}
	if used := a.mustAdmin(200, "GET", "/targets/licence/pro", "")["seats"].(object)["used"]; used != float64(5) {
		t.Errorf("%v seats are in use", used)
	}
}

func count(set map[string]bool) (n int) {
	for _, in := range set {
		if in {
			n++
		}
	}
	return n
}

const protected = `{"kinds":{"role":{}},"protect":[{"kind":"role","target":"admin","atLeast":1}],
	"rules":[{"id":"admins","group":{"pattern":"^Admins$"},"assign":{"kind":"role","target":"admin"}}]}`

// TestLastAdministratorStays takes the last administrator's role away by each means, and gives it to another.
func TestLastAdministratorStays(t *testing.T) {
	for name, take := range map[string]func(a *api, group, id string){
		"membership":   func(a *api, group, id string) { a.leave(group, id) },
		"group":        func(a *api, group, _ string) { a.must(204, "DELETE", "/Groups/"+group, "") },
		"rename":       func(a *api, group, _ string) { a.rename(group, "Former admins") },
		"deactivation": func(a *api, _, id string) { a.setActive(id, false) },
		"deletion":     func(a *api, _, id string) { a.must(204, "DELETE", "/Users/"+id, "") },
		"rule": func(a *api, _, _ string) {
			a.mustAdmin(200, "PUT", "/policy", strings.Replace(protected, "^Admins$", "^Bosses$", 1))
		},
		"exclusion": func(a *api, _, _ string) {
			a.mustAdmin(200, "PUT", "/policy", `{"members":{"exclude":{"users":"userName eq \"first\""}},`+protected[1:])
		},
	} {
		t.Run(name, func(t *testing.T) {
			a := on(t, memory(t), "generic")
			a.mustAdmin(200, "PUT", "/policy", protected)
			a.mustAdmin(200, "PUT", "/targets/role/admin", `{}`)
			first, second := a.user("first"), a.user("second")
			group := a.group("Admins", []string{first})
			if m := a.mustAdmin(200, "GET", "/members/"+first, ""); len(m["assignments"].([]any)) != 1 {
				t.Fatalf("the administrator is %v", m)
			}
			take(a, group, first)
			for range 2 { // reading again changes nothing
				m := a.mustAdmin(200, "GET", "/members/"+first, "")
				if m["status"] != "active" || m["protected"] != true || len(m["assignments"].([]any)) != 1 {
					t.Errorf("the last administrator is %v", m)
				}
			}
			if n := len(a.told("protected.kept")); n != 1 {
				t.Errorf("told %d times that the last administrator is kept", n)
			}
			a.mustAdmin(204, "PUT", "/members/"+second+"/assignments/role/admin", "")
			if m := a.mustAdmin(200, "GET", "/members/"+second, ""); len(m["assignments"].([]any)) != 1 {
				t.Errorf("the second administrator is %v", m)
			}
			a.mustAdmin(200, "GET", "/members", "")
			m := a.mustAdmin(200, "GET", "/members/"+first, "")
			if m["protected"] != nil || m["status"] == "active" && len(m["assignments"].([]any)) != 0 {
				t.Errorf("with another administrator the first one is %v", m)
			}
		})
	}
}

func (a *api) rename(group, name string) {
	a.t.Helper()
	a.must(200, "PATCH", "/Groups/"+group, patchBody(`{"op":"replace","path":"displayName","value":"`+name+`"}`))
}

// TestAdministratorsUnderRaces has 16 clients take the role from each other's users and merge them: after every event
// somebody has it, but between the two events of a merge.
func TestAdministratorsUnderRaces(t *testing.T) {
	a := on(t, memory(t), "generic")
	a.mustAdmin(200, "PUT", "/policy", protected)
	a.mustAdmin(200, "PUT", "/targets/role/admin", `{}`)
	ids := a.users(16)
	group := a.group("Admins", ids)
	a.mustAdmin(200, "GET", "/members", "")
	var wg sync.WaitGroup
	for i, id := range ids {
		wg.Go(func() {
			r := rand.New(rand.NewPCG(uint64(i), 8))
			for range 5 {
				switch r.IntN(5) {
				case 0:
					a.join(group, id)
				case 1:
					a.leave(group, id)
				case 2:
					a.setActive(id, r.IntN(3) > 0)
				case 3:
					a.mustAdmin(200, "GET", "/members/"+id, "")
				case 4:
					into := ids[(i+1+r.IntN(len(ids)-1))%len(ids)]
					status, o := a.admin("POST", "/members/"+id+"/merge", `{"into":"`+into+`"}`)
					// one is merged already, or has no user any more
					if status != 200 && status != 404 && status != 409 {
						t.Errorf("merge: %d %v", status, o)
					}
				}
			}
			if i%2 == 0 {
				a.must(204, "DELETE", "/Users/"+id, "")
			} else {
				a.leave(group, id)
			}
		})
	}
	wg.Wait()
	a.mustAdmin(200, "GET", "/members", "")
	admins, ever, merges := map[string]bool{}, false, 0
	for seq, v := range a.mustAdmin(200, "GET", "/events?count=1000", "")["events"].([]any) {
		data := v.(object)["data"].(object)
		m, ok := data["member"].(object)
		if !ok {
			continue
		}
		admins[m["id"].(string)] = m["status"] == "active" && len(m["assignments"].([]any)) > 0
		n := count(admins)
		if data["replacedBy"] != nil {
			merges++
			continue
		}
		if ever = ever || n > 0; ever && n == 0 {
			t.Fatalf("behind event %d there is no administrator", seq+1)
		}
	}
	if n := count(admins); n != 1 {
		t.Errorf("%d administrators are left, and all were to go but the last", n)
	}
	if merges == 0 {
		t.Error("nobody was merged: nothing was tested")
	}
}
