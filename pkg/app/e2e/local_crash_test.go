package e2e_test

import (
	"context"
	"fmt"
	"maps"
	"math/rand/v2"
	"net/url"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
)

// ledger is the state that a client of TestKilledUnderLoad expects. Each client writes to its own users and
// memberships only, so that it knows their whole state; groups are shared by all.
type ledger struct {
	users   map[string]string          // id -> userName, acknowledged
	titles  map[string]string          // id -> title, acknowledged
	members map[string]map[string]bool // group -> id, acknowledged
	gone    map[string]string          // id -> userName of a deleted user, acknowledged
	doubt   doubt
}

// doubt is the one request that a client had under way when the server died: it may have happened, or not.
type doubt struct {
	create         string // userName
	title, titleOf string
	add, remove    string // id
	group          string // of add and remove
	erase          string // id
}

func newLedger(groups []string) *ledger {
	l := &ledger{
		users: map[string]string{}, titles: map[string]string{}, members: map[string]map[string]bool{},
		gone: map[string]string{},
	}
	for _, g := range groups {
		l.members[g] = map[string]bool{}
	}
	return l
}

// load is a client that writes until the server is gone.
type load struct {
	c      tenant
	name   string
	groups []string
	*ledger
	acknowledged func()
	fail         func(format string, args ...any)
}

// send sends a write; false if no answer came. A large group is answered by 204 instead of 200.
func (l *load) send(want int, method, path, body string) (object, bool) {
	status, answer, err := l.c.do(context.Background(), method, path, body)
	if err != nil {
		return nil, false
	}
	if status != want && (want != 200 || status != 204) {
		l.fail("%s %s: status %d, want %d: %v", method, path, status, want, answer)
		return nil, false
	}
	l.acknowledged()
	return answer, true
}

func (l *load) run() {
	for n := 0; ; n++ {
		if !l.step(n) {
			return
		}
		l.doubt = doubt{}
	}
}

// step creates a user, puts it into a group, and now and then changes, removes or deletes an earlier one.
func (l *load) step(n int) bool {
	name := fmt.Sprintf("%s-%d", l.name, n)
	l.doubt = doubt{create: name}
	made, ok := l.send(201, "POST", "/Users", user(name))
	if !ok {
		return false
	}
	id := made["id"].(string)
	l.users[id] = name
	group := l.groups[n%len(l.groups)]
	l.doubt = doubt{add: id, group: group}
	if _, ok = l.send(200, "PATCH", "/Groups/"+group,
		patch(`{"op":"add","path":"members","value":[{"value":"`+id+`"}]}`)); !ok {
		return false
	}
	l.members[group][id] = true
	switch n % 4 {
	case 1:
		l.doubt = doubt{titleOf: id, title: name}
		if _, ok = l.send(200, "PATCH", "/Users/"+id, patch(`{"op":"replace","path":"title","value":"`+name+`"}`)); ok {
			l.titles[id] = name
		}
	case 2:
		l.doubt = doubt{remove: id, group: group}
		if _, ok = l.send(200, "PATCH", "/Groups/"+group,
			patch(`{"op":"remove","path":"members[value eq \"`+id+`\"]"}`)); ok {
			delete(l.members[group], id)
		}
	case 3:
		l.doubt = doubt{erase: id}
		if _, ok = l.send(204, "DELETE", "/Users/"+id, ""); ok {
			l.forget(id)
		}
	}
	return ok
}

// forget notes that a user was deleted.
func (l *ledger) forget(id string) {
	l.gone[id] = l.users[id]
	delete(l.users, id)
	delete(l.titles, id)
	for _, members := range l.members {
		delete(members, id)
	}
}

const bigMembers = 120

// toggle is a client that fills and empties a group by requests that no single transaction holds.
func (l *load) toggle(group string) {
	values := make([]string, bigMembers)
	for i := range values {
		values[i] = fmt.Sprintf(`{"value":"value-%03d"}`, i)
	}
	fill := patch(`{"op":"add","path":"members","value":[` + strings.Join(values, ",") + `]}`)
	empty := patch(`{"op":"remove","path":"members"}`)
	for {
		for _, body := range []string{fill, empty} {
			if _, ok := l.send(200, "PATCH", "/Groups/"+group, body); !ok {
				return
			}
		}
	}
}

// TestKilledUnderLoad kills the server at random moments while eight clients write, a ninth changes many members at
// once, and a new process takes over the file. All that was acknowledged is there, all else has happened whole or not
// at all.
func TestKilledUnderLoad(t *testing.T) {
	data := t.TempDir()
	p := serve(t, "-data", data, "-log-level", "error")
	c := join(t, p, "acme")
	group := func(name string) string {
		return c.must(t, 201, "POST", "/Groups", `{"schemas":["urn:ietf:params:scim:schemas:core:2.0:Group"],"displayName":"`+
			name+`"}`)["id"].(string)
	}
	groups := []string{group("one"), group("two"), group("three")}
	big := group("big")
	ledgers := make([]*ledger, 8)
	for i := range ledgers {
		ledgers[i] = newLedger(groups)
	}
	for round := range 5 {
		var count atomic.Int64
		after := 40 + rand.Int64N(200)
		enough := make(chan struct{})
		acknowledged := func() {
			if count.Add(1) == after {
				close(enough)
			}
		}
		var clients sync.WaitGroup
		for i, l := range ledgers {
			worker := &load{c, fmt.Sprintf("r%d-c%d", round, i), groups, l, acknowledged, t.Errorf}
			clients.Go(worker.run)
		}
		toggler := &load{c: c, ledger: newLedger(nil), acknowledged: acknowledged, fail: t.Errorf}
		clients.Go(func() { toggler.toggle(big) })
		<-enough
		p.kill()
		clients.Wait()
		if text := p.stderr.String(); text != "" {
			t.Errorf("round %d: the log says:\n%.2000s", round, text)
		}
		p = serve(t, "-data", data, "-log-level", "error")
		c.url = p.URL
		verify(t, c, groups, big, ledgers)
		if t.Failed() {
			t.Fatalf("round %d, killed after %d acknowledged writes", round, after)
		}
	}
}

// verify compares the server with the ledgers, and settles their doubts by the state of the server.
func verify(t *testing.T, c tenant, groups []string, big string, ledgers []*ledger) {
	t.Helper()
	users, byName, groupsOf := map[string]object{}, map[string]string{}, map[string][]string{}
	for _, u := range c.all(t, "/Users") {
		id, name := u["id"].(string), u["userName"].(string)
		users[id], byName[name] = u, id
		list, _ := u["groups"].([]any)
		for _, g := range list {
			groupsOf[id] = append(groupsOf[id], g.(object)["value"].(string))
		}
	}
	if len(byName) != len(users) {
		t.Errorf("%d users share %d names", len(users), len(byName))
	}
	members := map[string]map[string]bool{}
	for _, g := range c.all(t, "/Groups") {
		id := g["id"].(string)
		members[id] = map[string]bool{}
		list, _ := g["members"].([]any)
		for _, m := range list {
			members[id][m.(object)["value"].(string)] = true
		}
	}
	if n := len(members[big]); n != 0 && n != bigMembers {
		t.Errorf("a change of %d members is half there: %d", bigMembers, n)
	}
	happened := 0
	for _, l := range ledgers {
		if l.settle(users, byName, members) {
			happened++
		}
		l.compare(t, c, users, members)
	}
	t.Logf("%d users, %d of %d requests that were cut off had happened", len(users), happened, len(ledgers))
	agree(t, groups, users, groupsOf, members)
	known := 0
	for _, l := range ledgers {
		known += len(l.users)
	}
	if known != len(users) {
		t.Errorf("%d users are there, %d were made", len(users), known)
	}
}

// settle takes the server's state as the truth about the request in doubt, and reports whether it has happened.
func (l *ledger) settle(users map[string]object, byName map[string]string, members map[string]map[string]bool) bool {
	d := l.doubt
	_, there := users[d.erase]
	id, created := byName[d.create]
	switch {
	case d.create != "" && created:
		l.users[id] = d.create
	case d.titleOf != "" && users[d.titleOf]["title"] == d.title:
		l.titles[d.titleOf] = d.title
	case d.add != "" && members[d.group][d.add]:
		l.members[d.group][d.add] = true
	case d.remove != "" && !members[d.group][d.remove]:
		delete(l.members[d.group], d.remove)
	case d.erase != "" && !there:
		l.forget(d.erase)
	default:
		return false
	}
	return true
}

// compare checks every acknowledged write.
func (l *ledger) compare(t *testing.T, c tenant, users map[string]object, members map[string]map[string]bool) {
	t.Helper()
	find := func(name string) float64 {
		return c.must(t, 200, "GET", "/Users?filter="+url.QueryEscape(`userName eq "`+name+`"`), "")["totalResults"].(float64)
	}
	for id, name := range l.users {
		u, there := users[id]
		if !there || u["userName"] != name {
			t.Errorf("user %s (%s) was acknowledged and is not there", name, id)
			continue
		}
		if title, _ := u["title"].(string); title != l.titles[id] {
			t.Errorf("user %s has the title %q, acknowledged was %q", name, title, l.titles[id])
		}
		if find(name) != 1 {
			t.Errorf("user %s is not found by its name", name)
		}
	}
	for id, name := range l.gone {
		if _, there := users[id]; there || find(name) != 0 {
			t.Errorf("user %s was deleted and is still there, or its name is", name)
		}
	}
	for group, want := range l.members {
		for id := range l.users {
			if members[group][id] != want[id] {
				t.Errorf("user %s is a member of %s: %v, acknowledged was %v", l.users[id], group,
					members[group][id], want[id])
			}
		}
	}
	// A name whose creation was cut off is free, or the user has it.
	if name := l.doubt.create; name != "" && !slices.Contains(slices.Collect(maps.Values(l.users)), name) {
		id := c.must(t, 201, "POST", "/Users", user(name))["id"].(string)
		c.must(t, 204, "DELETE", "/Users/"+id, "")
	}
	l.doubt = doubt{}
}

// agree checks that members of groups and groups of users say the same.
func agree(t *testing.T, groups []string, users map[string]object, groupsOf map[string][]string,
	members map[string]map[string]bool,
) {
	t.Helper()
	for _, group := range groups {
		for id := range members[group] {
			if _, there := users[id]; !there {
				t.Errorf("group %s has the member %s, who is not there", group, id)
			}
			if !slices.Contains(groupsOf[id], group) {
				t.Errorf("group %s has the member %s, whose groups are %v", group, id, groupsOf[id])
			}
		}
	}
	for id, of := range groupsOf {
		for _, group := range of {
			if !members[group][id] {
				t.Errorf("user %s is in group %s, which does not have it", id, group)
			}
		}
	}
}
