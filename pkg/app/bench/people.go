package bench

import (
	"context"
	"encoding/json"
	"fmt"
	"net/url"
	"strconv"
	"time"

	"github.com/serverless-scim/serverless-scim/pkg/store"
)

// people are the operations on members: what the application behind asks for, and publishing.
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
		{name: "members, filter `status eq` and `email eq`", request: func(w *world, i int) request {
			return list(fmt.Sprintf(`status eq "active" and email eq %q`, "mail-"+number(w.place(i))+"@example.com"))
		}},
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

// settled publishes what waits.
func settled(ctx context.Context, w *world, _ int) error { return w.server.Settle(ctx) }

// applying saves a policy and publishes until it is applied; the sample is the share of one member.
func applying(policy string) func(ctx context.Context, w *world) (sample, error) {
	return func(ctx context.Context, w *world) (sample, error) {
		if err := w.server.Settle(ctx); err != nil {
			return sample{}, err
		}
		begin := time.Now()
		before := w.total()
		if _, err := w.send(ctx, request{method: "PUT", path: "/policy", body: policy, admin: true}, false); err != nil {
			return sample{}, err
		}
		if err := w.apply(ctx); err != nil {
			return sample{}, err
		}
		took, after := time.Since(begin), w.total()
		s := sample{time: took / time.Duration(w.size)}
		n := float64(w.size)
		s.Calls = int(float64(after.Calls-before.Calls)/n + 0.5)
		s.ReadUnits, s.WriteUnits = (after.ReadUnits-before.ReadUnits)/n, (after.WriteUnits-before.WriteUnits)/n
		return s, nil
	}
}

// total is what all calls of the engine have cost so far; nothing if that is not known.
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
