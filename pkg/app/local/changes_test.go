package local_test

import (
	"fmt"
	"math/rand/v2"
	"net/url"
	"testing"
)

// poller is an application that asks for changed members, and loses its place at times.
type poller struct {
	after  string
	people map[string]object
}

// snapshot reads the whole list, and the position to follow from.
func (p *poller) snapshot(a *api) {
	p.people, p.after = map[string]object{}, ""
	for cursor := ""; ; {
		page := a.mustAdmin(200, "GET", "/members?count=7&cursor="+url.QueryEscape(cursor), "")
		if cursor == "" {
			p.after = page["after"].(string)
		}
		for _, m := range page["members"].([]any) {
			p.people[m.(object)["id"].(string)] = m.(object)
		}
		next, more := page["nextCursor"].(string)
		if !more {
			return
		}
		cursor = next
	}
}

// follow takes one answer of changed members, and reports whether there are more.
func (p *poller) follow(a *api) bool {
	page := a.mustAdmin(200, "GET", "/members?count=5&changedAfter="+p.after, "")
	for _, v := range page["members"].([]any) {
		m := v.(object)
		if id := m["id"].(string); m["status"] == "removed" {
			delete(p.people, id)
		} else {
			p.people[id] = m
		}
	}
	p.after = page["after"].(string)
	return page["more"] == true
}

// TestChangedMembers: an application that takes a snapshot in the middle of changes, follows the changed members and
// loses its place now and then ends with exactly the list.
func TestChangedMembers(t *testing.T) {
	a := on(t, memory(t), "generic")
	r := rand.New(rand.NewPCG(3, 4))
	p := &poller{}
	p.snapshot(a)
	var ids []string
	for i := range 60 {
		switch {
		case len(ids) > 4 && r.IntN(4) == 0:
			at := r.IntN(len(ids))
			a.must(204, "DELETE", "/Users/"+ids[at], "")
			ids = append(ids[:at], ids[at+1:]...)
		case len(ids) > 2 && r.IntN(3) == 0:
			a.must(200, "PATCH", "/Users/"+ids[r.IntN(len(ids))],
				patchBody(fmt.Sprintf(`{"op":"replace","path":"displayName","value":"name %d"}`, i)))
		default:
			ids = append(ids, a.user(fmt.Sprintf("user-%d", i)))
		}
		switch r.IntN(9) {
		case 0:
			p.snapshot(a)
		case 1, 2, 3:
			p.follow(a)
		}
	}
	for p.follow(a) {
	}
	want := &poller{}
	want.snapshot(a)
	if len(want.people) != len(ids) || len(p.people) != len(ids) {
		t.Errorf("%d people, the list has %d, the application %d", len(ids), len(want.people), len(p.people))
	}
	for id, m := range want.people {
		if fmt.Sprint(p.people[id]) != fmt.Sprint(m) {
			t.Errorf("member %v\napplication %v", m, p.people[id])
		}
	}
	a.mustAdmin(410, "GET", "/members?changedAfter=100000", "", "Read the members list")
	a.mustAdmin(400, "GET", "/members?changedAfter=x", "", "after")
	a.mustAdmin(400, "GET", "/members?changedAfter=1&filter=status+pr", "", "count")
}
