package adminhttp

import (
	"context"
	"math"
	"net/http"
	"strings"

	"github.com/serverless-scim/serverless-scim/pkg/adminhttp/lists"
	"github.com/serverless-scim/serverless-scim/pkg/event/eventlog"
	"github.com/serverless-scim/serverless-scim/pkg/member"
	"github.com/serverless-scim/serverless-scim/pkg/scim"
)

// maxChanges is the most events that one answer of changed members covers.
const maxChanges = 200

// head is the present end of a tenant's log as a position to follow it from: the id of the last event, or "0".
func (a *api) head(ctx context.Context, t member.Tenant) (string, error) {
	page, err := a.members.Events(ctx, t, eventlog.Place{After: math.MaxInt64}, 1)
	if _, beyond := eventlog.IsGone(err); !beyond {
		return "", err
	}
	return placeOf(t.ID, page), nil
}

// placeOf is the end of the log that a page was read from.
func placeOf(tenantID string, page eventlog.Page) string {
	if page.Last == 0 {
		return "0" // an empty log has no epoch yet
	}
	return eventlog.ID(tenantID, page.Epoch, page.Last)
}

// changedMembers responds with the members that are the subjects of events after a position, as they are now, each
// once. A member that no longer exists is answered as removed. The answer is not older than the position in it.
func (a *api) changedMembers(w http.ResponseWriter, r *http.Request, p page) error {
	if p.param("filter") != "" || p.param("name") != "" || p.cursor != "" {
		return badRequest("changedAfter can be combined only with count.")
	}
	after, err := place(p.tenant.ID, p.param("changedAfter"))
	if err != nil {
		return err
	}
	waits, err := a.members.Publish(r.Context(), p.tenant, publishFor)
	if err != nil && !waits {
		return err
	}
	log, err := a.members.Events(r.Context(), p.tenant, after, min(p.count, maxChanges))
	if gone, isGone := eventlog.IsGone(err); isGone {
		return goneProblem(gone.Reason, p.tenant.ID, log)
	}
	if err != nil {
		return err
	}
	o := scim.Object{"after": placeOf(p.tenant.ID, log)}
	seen, all := map[string]bool{}, []any{}
	var left lists.Room
	for _, e := range log.Events {
		subject, _ := e.Object["subject"].(string)
		id, isMember := strings.CutPrefix(subject, "members/")
		if isMember && !seen[id] {
			seen[id] = true
			m, found, err := a.members.Get(r.Context(), p.tenant, id)
			if err != nil {
				return err
			}
			object := scim.Object{"id": id, "status": "removed"}
			if found {
				object = m.Object()
			}
			if !left.Takes(object) {
				o["more"] = true
				break
			}
			all = append(all, object)
		}
		o["after"] = e.Object["id"]
	}
	if n := len(log.Events); n > 0 && log.Events[n-1].Sequence < log.Last {
		o["more"] = true
	}
	o["members"] = all
	return ok(w, http.StatusOK, o)
}
