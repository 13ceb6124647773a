package bench

import (
	"context"
	"encoding/json"
	"fmt"
	"net/url"
	"strconv"
	"strings"
)

// operation is something to measure.
type operation struct {
	name string
	// grows is the reason why the cost may grow with the size; "" if it has to stay the same.
	grows string
	// most bounds the number of samples; 0: no bound.
	most int
	// prepare makes the preparations of sample i, which are not measured; nil: none.
	prepare func(ctx context.Context, w *world, i int) error
	request func(w *world, i int) request
	// whole, if set, is done in place of a request.
	whole func(ctx context.Context, w *world) (sample, error)
	// computes says that the operation makes no request and no engine call: it costs only time.
	computes bool
	// after processes the answer; may be nil.
	after func(w *world, body []byte) error
}

const slow = 3 // samples of a slow operation

// userOperations are those whose cost must not depend on the number of users.
func userOperations() []operation {
	all := []operation{
		{
			name:    "create user",
			request: func(_ *world, i int) request { return post("/Users", user("new-"+strconv.Itoa(i))) },
			after:   remember,
		},
		{name: "GET user", request: func(w *world, i int) request { return get("/Users/" + w.some(i)) }},
		{name: "PATCH user, title", request: func(w *world, i int) request {
			return change("/Users/"+w.some(i),
				patch(fmt.Sprintf(`{"op":"replace","path":"title","value":"Title %d"}`, i)))
		}},
		{name: "PATCH user, userName", request: func(w *world, i int) request {
			id := w.made[i%len(w.made)]
			name := fmt.Sprintf("renamed-%d@example.com", i)
			return change("/Users/"+id, patch(fmt.Sprintf(`{"op":"replace","path":"userName","value":%q}`, name)))
		}},
	}
	all = append(all, userFilters()...)
	all = append(all, groupFilters()...)
	all = append(all, lists()...)
	all = append(all, people()...)
	all = append(all, pages()...)
	return append(all, operation{name: "DELETE user", request: func(w *world, i int) request {
		return request{method: "DELETE", path: "/Users/" + w.made[i]}
	}})
}

// some is the id of a user, another one for each i, the same ones in every run.
func (w *world) some(i int) string { return w.ids[w.place(i)] }

// place is the number of that user. The first few are apart: one is a manager.
func (w *world) place(i int) int { return usersAGroup + i*7919%(w.size-usersAGroup) }

func remember(w *world, body []byte) error {
	made, err := id(body)
	w.made = append(w.made, made)
	return err
}

func get(path string) request          { return request{method: "GET", path: path} }
func post(path, body string) request   { return request{method: "POST", path: path, body: body} }
func change(path, body string) request { return request{method: "PATCH", path: path, body: body} }

// filter makes two operations of a filter, one that finds something and one that does not. format takes the value.
func filter(path, format string, hit func(w *world, i int) string) []operation {
	name := strings.TrimPrefix(strings.SplitN(path, "?", 2)[0], "/") + " filter " + strings.TrimSuffix(format, " %q")
	separator := "?"
	if strings.Contains(path, "?") {
		separator = "&"
	}
	ask := func(value string) request {
		return get(path + separator + "filter=" + url.QueryEscape(fmt.Sprintf(format, value)))
	}
	return []operation{
		{name: name + ", hit", request: func(w *world, i int) request { return ask(hit(w, i)) }},
		{name: name + ", miss", request: func(_ *world, i int) request { return ask("nobody-" + strconv.Itoa(i)) }},
	}
}

func userFilters() (all []operation) {
	named := func(format string) func(w *world, i int) string {
		return func(w *world, i int) string { return fmt.Sprintf(format, number(w.place(i))) }
	}
	all = append(all, filter("/Users", "userName eq %q", named("user-%s@example.com"))...)
	all = append(all, filter("/Users", "userName sw %q", named("user-%s"))...)
	all = append(all, filter("/Users", "externalId eq %q", named("ext-%s"))...)
	all = append(all, filter("/Users", "emails.value eq %q", named("mail-%s@example.com"))...)
	all = append(all, filter("/Users", `emails[type eq "work"].value eq %q`, named("mail-%s@example.com"))...)
	all = append(all, filter("/Users", "id eq %q", (*world).some)...)
	all = append(all, filter("/Users", "manager.value eq %q", func(w *world, _ int) string { return w.ids[0] })...)
	return append(all, filter("/Users", "groups.value eq %q", func(w *world, _ int) string { return w.group })...)
}

func groupFilters() (all []operation) {
	named := func(format string) func(w *world, i int) string {
		return func(w *world, i int) string { return fmt.Sprintf(format, number(i%w.groups)) }
	}
	const path = "/Groups?excludedAttributes=members"
	all = append(all, filter(path, "displayName eq %q", named("group-%s"))...)
	all = append(all, filter(path, "externalId eq %q", named("ext-%s"))...)
	return append(all, filter(path, "members.value eq %q", (*world).some)...)
}

const pageSize = 100

func lists() []operation {
	page := func(start int) request { return get(fmt.Sprintf("/Users?count=%d&startIndex=%d", pageSize, start)) }
	last := func(w *world) int { return max(w.size-pageSize+1, 1) }
	return []operation{
		{name: "first page of 100 users", request: func(*world, int) request { return page(1) }},
		{
			name: "late page of a startIndex walk", most: 50,
			prepare: func(ctx context.Context, w *world, i int) error {
				if i > 0 || w.size < 2*pageSize {
					return nil
				}
				_, err := w.send(ctx, page(last(w)-pageSize), false) // the page before it, from which the walk goes on
				return err
			},
			request: func(w *world, _ int) request { return page(last(w)) },
		},
		{
			name: "late page of a cursor walk", most: 50,
			prepare: func(ctx context.Context, w *world, i int) error {
				if i > 0 {
					return nil
				}
				return w.walk(ctx)
			},
			request: func(w *world, _ int) request {
				return get(fmt.Sprintf("/Users?count=%d&cursor=%s", pageSize, url.QueryEscape(w.cursor)))
			},
		},
		{
			name: "jump to any startIndex", grows: "reads up to 1/128 of the users more", most: 50,
			request: func(w *world, i int) request { return page(2 + i*(w.size-pageSize)/50) },
		},
		{
			name: "filter without an index", grows: "reads all users", most: slow,
			request: func(*world, int) request {
				return request{method: "GET", path: "/Users?filter=" + url.QueryEscape(`nickName eq "nobody"`)}
			},
		},
		{
			name: "filter without an index, on groups of users", grows: "reads all users and their groups", most: slow,
			request: func(*world, int) request {
				return get("/Users?filter=" + url.QueryEscape(`groups.display eq "nowhere"`))
			},
		},
		{
			name: "sort without an index", grows: "reads all users", most: slow,
			request: func(*world, int) request { return get("/Users?sortBy=title") },
		},
		{
			name: "search of all types", grows: "reads all users and groups", most: slow,
			request: func(*world, int) request {
				return get("/?excludedAttributes=members&filter=" + url.QueryEscape(`displayName co "nobody"`))
			},
		},
	}
}

// walk goes through the users by cursor until one full page is left.
func (w *world) walk(ctx context.Context) error {
	count := max(min(w.size/10, 1000), 1)
	for range (w.size - pageSize) / count {
		s, err := w.send(ctx, get(fmt.Sprintf("/Users?attributes=userName&count=%d&cursor=%s", count,
			url.QueryEscape(w.cursor))), false)
		if err != nil {
			return err
		}
		var list struct {
			NextCursor string `json:"nextCursor"`
		}
		if err := json.Unmarshal(s.body, &list); err != nil {
			return err
		}
		if list.NextCursor == "" {
			return nil
		}
		w.cursor = list.NextCursor
	}
	return nil
}

// memberOperations are those whose cost must not depend on the number of members of a group.
func memberOperations() []operation {
	id := func(w *world, i int) string { return w.ids[i%len(w.ids)] }
	all := []operation{
		{
			name:    "add one member",
			prepare: func(ctx context.Context, w *world, i int) error { return w.patchGroup(ctx, leave(id(w, i))) },
			request: func(w *world, i int) request { return change("/Groups/"+w.group, join(id(w, i))) },
		},
		{
			name:    "remove one member",
			prepare: func(ctx context.Context, w *world, i int) error { return w.patchGroup(ctx, join(id(w, i))) },
			request: func(w *world, i int) request { return change("/Groups/"+w.group, leave(id(w, i))) },
		},
		{
			name: "add 30 members", most: 20,
			prepare: func(ctx context.Context, w *world, _ int) error {
				for _, id := range w.ids[:30] {
					if err := w.patchGroup(ctx, leave(id)); err != nil {
						return err
					}
				}
				return nil
			},
			request: func(w *world, _ int) request { return change("/Groups/"+w.group, join(w.ids[:30]...)) },
		},
		{name: "PATCH group, displayName", request: func(w *world, i int) request {
			return change("/Groups/"+w.group,
				patch(fmt.Sprintf(`{"op":"replace","path":"displayName","value":"Group %d"}`, i)))
		}},
		{name: "GET group without members", request: func(w *world, _ int) request {
			return get("/Groups/" + w.group + "?excludedAttributes=members")
		}},
		{
			name:    "list groups without members",
			request: func(*world, int) request { return get("/Groups?excludedAttributes=members") },
		},
	}
	all = append(all, memberships(id)...)
	all = append(all, filter("/Groups?excludedAttributes=members", "members.value eq %q", func(w *world, i int) string {
		return "member-" + number(i*7919%w.size)
	})...)
	return append(all, operation{name: "DELETE group", most: 1, request: func(w *world, _ int) request {
		return request{method: "DELETE", path: "/Groups/" + w.group}
	}})
}

func (w *world) patchGroup(ctx context.Context, body string) error {
	_, err := w.send(ctx, change("/Groups/"+w.group, body), false)
	return err
}
