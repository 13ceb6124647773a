package bench

import (
	"context"
	"fmt"
	"net/url"
)

// memberships are the operations on memberships as resources; id is a user for each sample.
func memberships(id func(w *world, i int) string) []operation {
	find := func(format string, args ...any) request {
		return get("/GroupMemberships?count=100&filter=" + url.QueryEscape(fmt.Sprintf(format, args...)))
	}
	return []operation{
		{
			name: "POST membership", after: remember,
			prepare: func(ctx context.Context, w *world, i int) error { return w.patchGroup(ctx, leave(id(w, i))) },
			request: func(w *world, i int) request {
				return post("/GroupMemberships",
					fmt.Sprintf(`{"group":{"value":%q},"member":{"value":%q}}`, w.group, id(w, i)))
			},
		},
		{name: "GET membership", request: func(w *world, i int) request {
			return get("/GroupMemberships/" + w.made[i])
		}},
		{name: "memberships of a user", request: func(w *world, i int) request {
			return find("member.value eq %q", id(w, i))
		}},
		{name: "membership of a user in a group", request: func(w *world, i int) request {
			return find("group.value eq %q and member.value eq %q", w.group, id(w, i))
		}},
		{name: "first 10 memberships of a group", request: func(w *world, _ int) request {
			filter := fmt.Sprintf("group.value eq %q", w.group)
			return get("/GroupMemberships?count=10&filter=" + url.QueryEscape(filter))
		}},
		{
			name:    "DELETE membership",
			prepare: func(ctx context.Context, w *world, i int) error { return w.patchGroup(ctx, join(id(w, i))) },
			request: func(w *world, i int) request {
				return request{method: "DELETE", path: "/GroupMemberships/" + w.made[i]}
			},
		},
	}
}
