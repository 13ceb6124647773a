package scimtest

import (
	"fmt"
	"net/http"
	"slices"
	"sync"
	"testing"
)

// racers is the number of clients that act at once.
const racers = 16

// RunRaces lets 16 clients act at once on one thing and checks that nothing is lost, doubled or torn. newTarget makes a
// fresh, empty tenant of a profile.
func RunRaces(t *testing.T, newTarget func(t *testing.T, idp string) Target) {
	t.Helper()
	for _, b := range races {
		t.Run(b.name, func(t *testing.T) { b.test(t, newTarget) })
	}
}

// race runs act in 16 goroutines that start together, and returns their answers.
func (c *client) race(act func(i int) (*answer, error)) []*answer {
	c.t.Helper()
	answers, errs := make([]*answer, racers), make([]error, racers)
	start := make(chan struct{})
	var all sync.WaitGroup
	for i := range racers {
		all.Go(func() {
			<-start
			answers[i], errs[i] = act(i)
		})
	}
	close(start)
	all.Wait()
	for i, err := range errs {
		if err != nil {
			c.t.Fatalf("client %d: %v", i, err)
		}
	}
	return answers
}

func statuses(answers []*answer) map[int]int {
	counts := map[int]int{}
	for _, a := range answers {
		counts[a.Status]++
	}
	return counts
}

var races = []behaviour{
	{"one userName", func(tenant func(string) *client) {
		c := tenant("generic")
		for round := range 4 {
			names := []string{fmt.Sprintf("ann%d", round), fmt.Sprintf("ANN%d", round)}
			got := statuses(c.race(func(i int) (*answer, error) {
				return c.try(http.MethodPost, "/Users", user(`"userName":"`+names[i%2]+`"`))
			}))
			if got[http.StatusCreated] != 1 || got[http.StatusConflict] != racers-1 {
				c.t.Errorf("statuses %v, want one 201 and %d 409", got, racers-1)
			}
			c.filter("/Users", `userName eq "`+names[0]+`"`).has("totalResults", 1)
		}
		c.get("/Users").want(http.StatusOK).has("totalResults", 4)
	}},
	{"one group name", func(tenant func(string) *client) {
		c := tenant("entra")
		got := statuses(c.race(func(int) (*answer, error) {
			return c.try(http.MethodPost, "/Groups", group(`"displayName":"g"`))
		}))
		if got[http.StatusCreated] != 1 || got[http.StatusConflict] != racers-1 {
			c.t.Errorf("statuses %v", got)
		}
		c.get("/Groups").want(http.StatusOK).has("totalResults", 1)
	}},
	{"different members of one group", func(tenant func(string) *client) {
		for _, idp := range []string{"okta", "generic"} {
			c := tenant(idp)
			ids := c.many(racers)
			gid := c.createGroup(`"displayName":"g"`)
			for _, a := range c.race(func(i int) (*answer, error) {
				return c.try(http.MethodPatch, "/Groups/"+gid, patchOp(`{"op":"add","path":"members","value":`+members(ids[i])+`}`))
			}) {
				a.changed()
			}
			c.agree(gid, ids...)
			for _, a := range c.race(func(i int) (*answer, error) {
				if i%2 == 0 {
					return c.try(http.MethodPatch, "/Groups/"+gid,
						patchOp(`{"op":"remove","path":"members[value eq \"`+ids[i]+`\"]"}`))
				}
				return c.try(http.MethodPatch, "/Groups/"+gid,
					patchOp(`{"op":"add","path":"members","value":`+members("x"+ids[i], ids[i])+`}`))
			}) {
				a.changed()
			}
			var left []string
			for i, id := range ids {
				if i%2 == 1 {
					left = append(left, id, "x"+id)
				}
			}
			c.agree(gid, left...)
		}
	}},
	{"large changes of one group", func(tenant func(string) *client) {
		c := tenant("okta")
		gid := c.createGroup(`"displayName":"g"`)
		var all []string
		batches := make([][]string, racers)
		for i := range batches {
			for j := range 150 {
				batches[i] = append(batches[i], fmt.Sprintf("m-%02d-%03d", i, j))
			}
			all = append(all, batches[i]...)
		}
		for _, a := range c.race(func(i int) (*answer, error) {
			return c.patient(http.MethodPatch, "/Groups/"+gid,
				patchOp(`{"op":"add","path":"members","value":`+members(batches[i]...)+`}`))
		}) {
			a.changed()
		}
		c.get("/Groups/"+gid).want(http.StatusOK).hasValues("members", all...)
	}},
	{"different attributes of one user", func(tenant func(string) *client) {
		c := tenant("generic")
		id := c.create(`"userName":"ann"`)
		path := "/Users/" + id
		answers := c.race(func(i int) (*answer, error) {
			return c.try(http.MethodPatch, path,
				patchOp(fmt.Sprintf(`{"op":"add","path":"roles","value":[{"value":"r%02d"}]}`, i)))
		})
		var want, versions []string
		for i, a := range answers {
			a.want(http.StatusOK)
			want = append(want, fmt.Sprintf("r%02d", i))
			versions = append(versions, a.Header.Get("ETag"))
		}
		c.get(path).want(http.StatusOK).hasValues("roles", want...)
		slices.Sort(versions)
		if len(slices.Compact(versions)) != racers {
			c.t.Errorf("two changes share a version: %q", versions)
		}
	}},
	{"one version", func(tenant func(string) *client) {
		c := tenant("generic")
		path := "/Users/" + c.create(`"userName":"ann"`)
		etag := c.etag(path)
		got := statuses(c.race(func(i int) (*answer, error) {
			return c.try(http.MethodPatch, path, patchOp(fmt.Sprintf(`{"op":"add","path":"title","value":"t%d"}`, i)),
				header("If-Match", etag))
		}))
		if got[http.StatusOK] != 1 || got[http.StatusPreconditionFailed] != racers-1 {
			c.t.Errorf("statuses %v, want one 200 and %d 412", got, racers-1)
		}
	}},
	{"rename to one userName", func(tenant func(string) *client) {
		c := tenant("generic")
		ids := c.many(racers)
		got := statuses(c.race(func(i int) (*answer, error) {
			return c.try(http.MethodPatch, "/Users/"+ids[i], patchOp(`{"op":"replace","path":"userName","value":"wanted"}`))
		}))
		if got[http.StatusOK] != 1 || got[http.StatusConflict] != racers-1 {
			c.t.Errorf("statuses %v, want one 200 and %d 409", got, racers-1)
		}
		c.filter("/Users", `userName eq "wanted"`).has("totalResults", 1)
		c.get("/Users").want(http.StatusOK).has("totalResults", racers)
	}},
	{"delete one user and add it to groups", func(tenant func(string) *client) {
		c := tenant("generic")
		id := c.create(`"userName":"ann"`)
		groups := make([]string, racers)
		for i := range groups {
			groups[i] = c.createGroup(fmt.Sprintf(`"displayName":"g%d"`, i))
		}
		for _, a := range c.race(func(i int) (*answer, error) {
			if i == 0 {
				return c.try(http.MethodDelete, "/Users/"+id, "")
			}
			return c.try(http.MethodPatch, "/Groups/"+groups[i],
				patchOp(`{"op":"add","path":"members","value":`+members(id)+`}`))
		}) {
			a.is(http.StatusOK, http.StatusNoContent)
		}
		c.get("/Users/"+id).refused(http.StatusNotFound, "")
		// A member added after the deletion names nobody; one added before it went with the user. None may claim that
		// the user exists.
		for _, gid := range groups {
			c.get("/Groups/"+gid).want(http.StatusOK).
				lacks("members[?value="+id+"].type", "members[?value="+id+"].$ref")
		}
	}},
	{"creates are all counted", func(tenant func(string) *client) {
		c := tenant("generic")
		for _, a := range c.race(func(i int) (*answer, error) {
			return c.try(http.MethodPost, "/Users", user(fmt.Sprintf(`"userName":"u%d"`, i)))
		}) {
			a.want(http.StatusCreated)
		}
		c.get("/Users", params("count", "3")).want(http.StatusOK).has("totalResults", racers)
		for _, a := range c.race(func(int) (*answer, error) { return c.try(http.MethodGet, "/Users", "") }) {
			a.want(http.StatusOK).has("totalResults", racers)
		}
	}},
}

// patient sends a request again that a server under load puts off: 503 with an integer Retry-After, the one error that
// a client may get for another one's change. It does not wait itself: the server has waited already.
func (c *client) patient(method, path, body string) (*answer, error) {
	for range 20 {
		a, err := c.try(method, path, body)
		if err != nil || !putOff(a.response) {
			return a, err
		}
	}
	return nil, fmt.Errorf("%s %s is put off for ever", method, path)
}
