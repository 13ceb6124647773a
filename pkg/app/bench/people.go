package bench

import (
	"context"
	"encoding/json"
	"fmt"
	"net/url"
	"strconv"
	"time"

	"github.com/serverless-scim/serverless-scim/pkg/store"
	"github.com/serverless-scim/serverless-scim/pkg/task"
)

// people are the operations on members: the requests of the application, and publishing.
func people() []operation {
	list := func(filter string) request {
		return request{method: "GET", path: "/members?filter=" + url.QueryEscape(filter), admin: true}
	}
	return []operation{
		{name: "GET member", prepare: settled, request: func(w *world, i int) request {
			return request{method: "GET", path: "/members/" + w.some(i), admin: true}
		}},
		{name: "members, filter `userName eq`", request: func(w *world, i int) request {
			return list(fmt.Sprintf("userName eq %q", "user-"+number(w.place(i))+"@example.com"))
		}},
		{name: "members, filter `externalId eq`", request: func(w *world, i int) request {
			return list(fmt.Sprintf("externalId eq %q", "ext-"+number(w.place(i))))
		}},
		{name: "members, filter `status eq` and `email eq`", request: func(w *world, i int) request {
			return list(fmt.Sprintf(`status eq "active" and email eq %q`, "mail-"+number(w.place(i))+"@example.com"))
		}},
		{name: "members, filter on an assignment of 3", request: func(w *world, _ int) request {
			return list(holds(w.group))
		}},
		{
			name: "members, filter on an assignment of a tenth, and `userName eq`",
			request: func(w *world, i int) request {
				name := "user-" + number(w.place(i)) + "@example.com"
				return list(holds(w.departments[0]) + fmt.Sprintf(" and userName eq %q", name))
			},
		},
		{name: "members, page of 100, filter `status eq`", request: func(*world, int) request {
			r := list(`status eq "active"`)
			r.path += "&count=100"
			return r
		}},
		{name: "PATCH and read a member in turn, 1 client", most: slow, prepare: settled, whole: inTurn(1)},
		{name: "PATCH and read a member in turn, 16 clients", most: slow, prepare: settled, whole: inTurn(16)},
		{name: "events, the last 100", request: func(w *world, _ int) request {
			return request{method: "GET", path: "/events?after=" + strconv.Itoa(w.size), admin: true}
		}},
		{name: "publish, for each member: nobody changes", most: slow, whole: applying(`{"members":{}}`)},
		{
			name: "publish, for each member: everybody changes", most: slow,
			whole: applying(`{"members":{"attributes":{"title":{"from":"title"}}}}`),
			prepare: func(ctx context.Context, w *world, _ int) error {
				_, err := applying(`{"members":{}}`)(ctx, w)
				return err
			},
		},
	}
}

// holds is the filter on members who are in a group.
func holds(group string) string {
	return fmt.Sprintf(`assignments[kind eq "group" and target eq %q]`, group)
}

// inTurns is the number of times that each client changes a user and reads the member.
const inTurns = 8

// inTurn has clients change a user each and read the member, in turn; the sample is the share of one change and
// read, with the publishing beside it.
func inTurn(clients int) func(ctx context.Context, w *world) (sample, error) {
	return func(ctx context.Context, w *world) (sample, error) {
		begin, before := time.Now(), w.total()
		g, ctx := task.WithContext(ctx)
		for k := range clients {
			id := w.some(k)
			g.Go(func() error {
				for range inTurns {
					turn := w.changes.Add(1)
					body := patch(fmt.Sprintf(`{"op":"replace","path":"displayName","value":"Turn %d"}`, turn))
					if _, err := w.send(ctx, change("/Users/"+id, body), false); err != nil {
						return err
					}
					read := request{method: "GET", path: "/members/" + id, admin: true}
					if _, err := w.send(ctx, read, false); err != nil {
						return err
					}
				}
				return nil
			})
		}
		err := g.Wait()
		if err == nil {
			err = w.server.Settle(context.WithoutCancel(ctx))
		}
		return w.share(begin, before, clients*inTurns), err
	}
}

// share is the sample of one of n equal parts of the work since begin, when the total was before.
func (w *world) share(begin time.Time, before store.Cost, n int) sample {
	took, after := time.Since(begin), w.total()
	s := sample{time: took / time.Duration(n)}
	s.Calls = int(float64(after.Calls-before.Calls)/float64(n) + 0.5)
	s.ReadUnits = (after.ReadUnits - before.ReadUnits) / float64(n)
	s.WriteUnits = (after.WriteUnits - before.WriteUnits) / float64(n)
	return s
}

// settled completes all open work before a sample, so that the sample measures none of it.
func settled(ctx context.Context, w *world, _ int) error { return w.server.Settle(ctx) }

// applying saves a policy and publishes until it is applied; the sample is the share of one member.
func applying(policy string) func(ctx context.Context, w *world) (sample, error) {
	return func(ctx context.Context, w *world) (sample, error) {
		if err := w.server.Settle(ctx); err != nil {
			return sample{}, err
		}
		begin, before := time.Now(), w.total()
		put := request{method: "PUT", path: "/policy", body: policy, admin: true}
		if _, err := w.send(ctx, put, false); err != nil {
			return sample{}, err
		}
		if err := w.apply(ctx); err != nil {
			return sample{}, err
		}
		return w.share(begin, before, w.size), nil
	}
}

// total is the cost of all calls of the engine so far; zero if that is not known.
func (w *world) total() store.Cost {
	if w.spent == nil {
		return store.Cost{}
	}
	return w.spent()
}

// apply publishes until the policy is applied to everybody.
func (w *world) apply(ctx context.Context) error {
	for {
		if err := w.server.Settle(ctx); err != nil {
			return err
		}
		s, err := w.send(ctx, request{method: "GET", path: "/policy/status", admin: true}, false)
		if err != nil {
			return err
		}
		var status struct {
			Version int
			Applied struct{ Version int }
		}
		if err := json.Unmarshal(s.body, &status); err != nil {
			return fmt.Errorf("the state of the policy: %w", err)
		}
		if status.Version == status.Applied.Version {
			return w.server.Settle(ctx)
		}
	}
}
