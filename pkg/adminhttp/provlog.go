package adminhttp

import (
	"cmp"
	"context"
	"errors"
	"net/http"
	"path"
	"slices"
	"strconv"
	"strings"

	"github.com/serverless-scim/serverless-scim/pkg/adminhttp/lists"
	"github.com/serverless-scim/serverless-scim/pkg/provlog"
	"github.com/serverless-scim/serverless-scim/pkg/provlog/diagnosis"
	"github.com/serverless-scim/serverless-scim/pkg/scim"
	"github.com/serverless-scim/serverless-scim/pkg/tenant"
	"github.com/serverless-scim/serverless-scim/pkg/web"
)

// callerHeader is the header in which a gateway names the caller. The gateway must remove the one that a client
// sends.
const callerHeader = "X-Amzn-Caller-Arn"

// logRoutes are the routes of the provisioning log.
func (a *api) logRoutes() map[string]methods {
	routes := map[string]methods{
		"/log":                      {"GET": a.listLog},
		"/log/{entry}":              {"GET": a.getOperatorEntry},
		"/tenants/{id}/log":         {"GET": a.listLog},
		"/tenants/{id}/log/{entry}": {"GET": a.getLogEntry},
		"/tenants/{id}/activity":    {"GET": a.getActivity},
	}
	if a.doctor != nil {
		routes["/tenants/{id}/diagnosis"] = methods{"GET": a.getDiagnosis}
		routes["/tenants/{id}/stale-attributes"] = methods{"GET": a.listStale}
	}
	return routes
}

// inLanguage reads the tenant of a request, and the language that it asks for: English if it asks for none.
func (a *api) inLanguage(r *http.Request, others ...string) (t tenant.Tenant, language string, err error) {
	param, err := asked(r, append(others, "language")...)
	if err != nil {
		return t, "", err
	}
	language = cmp.Or(param("language"), "en")
	if !slices.Contains(diagnosis.Languages(), language) {
		return t, "", badRequest("language must be one of " + strings.Join(diagnosis.Languages(), ", ") + ".")
	}
	t, err = a.tenants.Get(r.Context(), r.PathValue("id"))
	return t, language, err
}

// getDiagnosis responds with the findings of the diagnosis, each with its remedy.
func (a *api) getDiagnosis(w http.ResponseWriter, r *http.Request) error {
	t, l, err := a.inLanguage(r)
	if err != nil {
		return err
	}
	findings, err := a.doctor.Findings(r.Context(), t, l)
	if err != nil {
		return err
	}
	return ok(w, http.StatusOK, scim.Object{"findings": lists.Objects(findings, diagnosis.Finding.Object)})
}

// listLog responds with a tenant's log, or the operator's if the path names no tenant.
func (a *api) listLog(w http.ResponseWriter, r *http.Request) error {
	names := []string{"filter", "count", "cursor", "language"}
	operators := r.PathValue("id") == ""
	if operators {
		names = names[:3]
	}
	param, err := asked(r, names...)
	if err != nil {
		return err
	}
	q := provlog.Query{Filter: param("filter"), Cursor: param("cursor")}
	if q.Count, err = countOf(param("count"), 100, 1000); err != nil {
		return err
	}
	if len(q.Cursor) > maxCursor {
		return badRequest(noCursor)
	}
	if operators {
		page, err := a.journal.ListOperator(r.Context(), q)
		if err != nil {
			return err
		}
		all := lists.Objects(page.Entries, provlog.Entry.Object)
		return ok(w, http.StatusOK, lists.Answer("entries", all, page.Next))
	}
	t, language, err := a.inLanguage(r, "filter", "count", "cursor")
	if err != nil {
		return err
	}
	page, err := a.journal.List(r.Context(), t, q)
	if err != nil {
		return err
	}
	shown := lists.Objects(page.Entries, provlog.Entry.Object)
	if a.doctor != nil && param("language") != "" {
		if err := a.explain(r.Context(), t, language, page.Entries, shown); err != nil {
			return err
		}
	}
	return ok(w, http.StatusOK, lists.Answer("entries", shown, page.Next))
}

// explain adds the findings to entries that show them.
func (a *api) explain(
	ctx context.Context, t tenant.Tenant, language string, entries []provlog.Entry, shown []any,
) error {
	all, err := a.doctor.Findings(ctx, t, language)
	if err != nil {
		return err
	}
	for i, e := range entries {
		if e.Outcome == provlog.Done {
			continue
		}
		var of []diagnosis.Finding
		for _, f := range all {
			if slices.Contains(f.Entries, e.ID) {
				of = append(of, f)
			}
		}
		if o, ok := shown[i].(scim.Object); ok {
			o["findings"] = lists.Objects(of, diagnosis.Finding.Object)
		}
	}
	return nil
}

var noEntry = &problem{status: http.StatusNotFound, detail: "The entry does not exist, or its retention is over."}

func (a *api) getOperatorEntry(w http.ResponseWriter, r *http.Request) error {
	e, err := a.journal.GetOperator(r.Context(), r.PathValue("entry"))
	if errors.Is(err, provlog.ErrNotFound) {
		return noEntry
	}
	if err != nil {
		return err
	}
	return ok(w, http.StatusOK, e.Object())
}

func (a *api) getLogEntry(w http.ResponseWriter, r *http.Request) error {
	t, l, err := a.inLanguage(r)
	if err != nil {
		return err
	}
	e, err := a.journal.Get(r.Context(), t, r.PathValue("entry"))
	if errors.Is(err, provlog.ErrNotFound) {
		return noEntry
	}
	if err != nil {
		return err
	}
	answer := e.Object()
	if a.doctor != nil && e.Outcome != provlog.Done {
		findings, err := a.doctor.Of(r.Context(), t, e.ID, l)
		if err != nil {
			return err
		}
		answer["findings"] = lists.Objects(findings, diagnosis.Finding.Object)
	}
	return ok(w, http.StatusOK, answer)
}

// getActivity responds with the number of requests by time and result.
func (a *api) getActivity(w http.ResponseWriter, r *http.Request) error {
	param, err := asked(r, "days")
	if err != nil {
		return err
	}
	days, err := countOf(param("days"), 7, provlog.MaxDays)
	if err != nil {
		return badRequest("days must be a number from 1 to " + strconv.Itoa(provlog.MaxDays) + ".")
	}
	t, err := a.tenants.Get(r.Context(), r.PathValue("id"))
	if err != nil {
		return err
	}
	activity, err := a.journal.Activity(r.Context(), t, days)
	if err != nil {
		return err
	}
	return ok(w, http.StatusOK, activity.Object(a.journal.Now()))
}

// listStale responds with the attributes of users that may be left over.
func (a *api) listStale(w http.ResponseWriter, r *http.Request) error {
	if _, err := asked(r); err != nil {
		return err
	}
	t, err := a.tenants.Get(r.Context(), r.PathValue("id"))
	if err != nil {
		return err
	}
	list, more, err := a.doctor.Stale(r.Context(), t)
	if err != nil {
		return err
	}
	answer := scim.Object{"attributes": lists.Objects(list, diagnosis.Stale.Object)}
	if more {
		answer["more"] = true
	}
	return ok(w, http.StatusOK, answer)
}

// callerOf returns the name of a request's caller.
func (a *api) callerOf(r *http.Request) string { return cmp.Or(r.Header.Get(callerHeader), a.caller) }

// audited returns an endpoint whose changes are recorded with their caller: in the tenant's log, or in the operator's
// if there is no tenant, or none any more. The reveal of a token is recorded before the token is shown, and the
// deletion of a tenant before it is deleted: nobody does that without a trace.
func (a *api) audited(serve endpoint) endpoint {
	return func(w http.ResponseWriter, r *http.Request) error {
		if a.journal == nil || r.Method == http.MethodGet || r.Method == http.MethodHead {
			return serve(w, r)
		}
		f := provlog.AdminFacts{
			ID: a.journal.NewID(), RequestID: w.Header().Get("X-Request-Id"), Method: r.Method,
			Caller: a.callerOf(r),
		}
		id := r.PathValue("id")
		f.Path = strings.TrimPrefix(r.URL.Path, Root)
		operators := id == "" || r.Method == http.MethodDelete && r.Pattern == Root+"/tenants/{id}"
		if id != "" && operators || strings.HasSuffix(r.Pattern, "/reveal") {
			if err := a.audit(r.Context(), id, f, operators); err != nil {
				return err
			}
		}
		// A failure to write the entry does not change the answer: the change has been made.
		defer func() {
			if failed := a.audit(r.Context(), id, f, operators); failed != nil {
				a.log.ErrorContext(r.Context(), "entry of the provisioning log not written", "requestId", f.RequestID,
					"tenant", id, "error", failed)
			}
		}()
		f.Status = http.StatusInternalServerError // of a panic
		err := serve(w, r)
		if f.Status = web.Status(w); err != nil {
			p := problemOf(err)
			f.Status, f.Detail = p.status, p.detail
		}
		if made := w.Header().Get("Location"); made != "" && err == nil && r.Method == http.MethodPost {
			f.Object = path.Base(made)
			if id == "" {
				id = strings.TrimPrefix(made, Root+"/tenants/")
			}
		}
		return err
	}
}

// audit writes the log entry of a request: for a tenant that is there into its log, and into the operator's if
// operators is true or there is no tenant.
func (a *api) audit(ctx context.Context, id string, f provlog.AdminFacts, operators bool) error {
	t, err := tenant.Tenant{}, tenant.ErrNotFound
	if tenant.ValidID(id) {
		t, err = a.tenants.Get(ctx, id)
	}
	if gone := errors.Is(err, tenant.ErrNotFound); gone || operators && err == nil {
		if err := a.journal.Operator(ctx, f); err != nil || gone {
			return err
		}
	}
	if err != nil {
		return err
	}
	_, f.Path, _ = strings.Cut(f.Path, "/tenants/"+id)
	return a.journal.Admin(ctx, t, f)
}
