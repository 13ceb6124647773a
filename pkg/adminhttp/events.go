package adminhttp

import (
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/serverless-scim/serverless-scim/pkg/adminhttp/lists"
	"github.com/serverless-scim/serverless-scim/pkg/event/eventlog"
	"github.com/serverless-scim/serverless-scim/pkg/scim"
)

// maxWait is the longest time for which an answer without events waits for one.
const maxWait = 20 * time.Second

func (a *api) listEvents(w http.ResponseWriter, r *http.Request) error {
	param, err := asked(r, "after", "count", "wait")
	if err != nil {
		return err
	}
	count, err := countOf(param("count"), 100, 1000)
	if err != nil {
		return err
	}
	wait, err := countOf(param("wait"), 0, int(maxWait/time.Second))
	if param("wait") != "" && param("wait") != "0" && err != nil {
		return badRequest("wait must be a number of seconds from 0 to " + strconv.Itoa(int(maxWait/time.Second)) + ".")
	}
	t, err := a.of(r)
	if err != nil {
		return err
	}
	after, err := place(t.ID, param("after"))
	if err != nil {
		return err
	}
	page, err := a.members.EventsWithin(r.Context(), t, after, count, time.Duration(wait)*time.Second)
	if gone, isGone := eventlog.IsGone(err); isGone {
		return goneProblem(gone.Reason, t.ID, page)
	}
	if err != nil {
		return err
	}
	all := make([]any, len(page.Events))
	for i, e := range page.Events {
		all[i] = e.Object
	}
	return ok(w, http.StatusOK, scim.Object{"events": all[:lists.Fitting(all)], "last": page.Last})
}

// goneProblem returns a 410 with the place to go on from: the current end of the log, since the members list that the
// client reads next has the changes of all events before it. The place is the id of the last event, so that it becomes
// invalid if the tenant is deleted and created again.
func goneProblem(reason, tenantID string, page eventlog.Page) error {
	after := placeOf(tenantID, page)
	return &problem{
		status: http.StatusGone, after: after,
		detail: reason + " Read the members list, then follow with after=" + after + ".",
	}
}

// place reads a place in the log: a sequence number, or the id of an event, which names the epoch as well.
func place(tenantID, text string) (at eventlog.Place, err error) {
	if text == "" {
		return at, nil
	}
	if rest, isID := strings.CutPrefix(text, tenantID+"-"); isID {
		at.Epoch, text, _ = strings.Cut(rest, "-")
	}
	if at.After, err = strconv.ParseInt(text, 10, 64); err != nil || at.After < 0 {
		return at, badRequest("after must be a sequence number, or the id of an event.")
	}
	return at, nil
}
