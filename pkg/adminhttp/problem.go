package adminhttp

import (
	"errors"
	"net/http"

	"github.com/serverless-scim/serverless-scim/pkg/mapping"
	"github.com/serverless-scim/serverless-scim/pkg/member"
	"github.com/serverless-scim/serverless-scim/pkg/scim"
	"github.com/serverless-scim/serverless-scim/pkg/tenant"
	"github.com/serverless-scim/serverless-scim/pkg/web"
	"github.com/serverless-scim/serverless-scim/pkg/webhook"
)

// retryAfter is the value of Retry-After, in seconds, for errors that may pass.
const retryAfter = "5"

// problem is an error that the caller sees.
type problem struct {
	status int
	detail string
	faults mapping.Faults // of a policy
	after  string         // the position from which to follow the log of events
}

func (p *problem) Error() string { return "adminhttp: " + p.detail }

func badRequest(detail string) error { return &problem{status: http.StatusBadRequest, detail: detail} }

// problemOf translates an error. The text of an unknown error is not shown to the caller.
func problemOf(err error) *problem {
	var (
		known    *problem
		invalid  *tenant.InvalidError
		conflict *tenant.ConflictError
		syntax   *scim.Error
		refused  *member.Refused
		faults   mapping.Faults
		broken   *member.PolicyConflict
		hook     *webhook.InvalidError
	)
	detail, outage := tenant.Outage(err)
	switch {
	case errors.As(err, &known):
		return known
	case outage:
		return &problem{status: http.StatusServiceUnavailable, detail: detail}
	case errors.As(err, &invalid):
		return &problem{status: http.StatusBadRequest, detail: invalid.Detail()}
	case errors.As(err, &conflict):
		return &problem{status: http.StatusConflict, detail: conflict.Detail}
	case errors.As(err, &refused):
		return &problem{status: refused.Status, detail: refused.Detail}
	case errors.As(err, &broken):
		return &problem{
			status: http.StatusConflict, faults: broken.Faults,
			detail: "The saved policy does not fit the change: see errors. Change the policy first.",
		}
	case errors.As(err, &faults):
		return &problem{status: http.StatusBadRequest, detail: "The policy has faults: see errors.", faults: faults}
	case errors.As(err, &hook):
		return &problem{status: http.StatusBadRequest, detail: hook.Detail()}
	case errors.Is(err, webhook.ErrNotFound):
		return &problem{status: http.StatusNotFound, detail: "The webhook does not exist."}
	case errors.Is(err, webhook.ErrNoOwner):
		return &problem{status: http.StatusNotFound, detail: "The tenant does not exist."}
	case errors.Is(err, webhook.ErrTaken):
		return &problem{status: http.StatusConflict, detail: "A webhook has this id already. Choose another id."}
	case errors.Is(err, webhook.ErrTooMany):
		return &problem{status: http.StatusConflict, detail: "There are 100 webhooks, which is the limit."}
	case errors.As(err, &syntax):
		return &problem{status: syntax.Status, detail: syntax.Detail}
	case errors.Is(err, tenant.ErrNotFound):
		return &problem{status: http.StatusNotFound, detail: "The tenant or token does not exist."}
	case errors.Is(err, tenant.ErrExists):
		return &problem{
			status: http.StatusConflict,
			detail: "The id is in use by a tenant, or by one that is still being created or deleted.",
		}
	case tenant.Temporary(err):
		return &problem{
			status: http.StatusServiceUnavailable, detail: "The service is busy. Try again in a few seconds.",
		}
	}
	return &problem{
		status: http.StatusInternalServerError, detail: "An internal error occurred. The operator finds it in the log.",
	}
}

// fail responds to an error with problem details (RFC 9457). It omits type, which means about:blank: title is the
// phrase of the status.
func (a *api) fail(w http.ResponseWriter, r *http.Request, err error) {
	p := problemOf(err)
	if p.status >= http.StatusInternalServerError {
		a.log.ErrorContext(r.Context(), "admin request failed", "requestId", w.Header().Get("X-Request-Id"),
			"method", r.Method, "route", r.Pattern, "status", p.status, "error", err)
	}
	writeProblem(w, p)
}

// Refuse answers a request that a gateway or a guard refused before the handler saw it, as problem details. A policy
// that is too large is a 400 whatever its size is: it is a fault of the document.
func Refuse(w http.ResponseWriter, r *http.Request, status int, detail string) {
	web.Headers(w)
	if status == http.StatusRequestEntityTooLarge && policyPath.MatchString(r.URL.Path) {
		status, detail = http.StatusBadRequest, tooLarge
	}
	writeProblem(w, &problem{status: status, detail: detail})
}

func writeProblem(w http.ResponseWriter, p *problem) {
	if p.status == http.StatusServiceUnavailable {
		w.Header().Set("Retry-After", retryAfter)
	}
	o := scim.Object{"title": http.StatusText(p.status), "detail": p.detail, "status": int64(p.status)}
	if id := w.Header().Get("X-Request-Id"); id != "" {
		o["requestId"] = id
	}
	if p.faults != nil {
		errs := make([]any, len(p.faults))
		for i, f := range p.faults {
			errs[i] = scim.Object{"pointer": f.Pointer, "reason": f.Reason}
		}
		o["errors"] = errs
	}
	if p.after != "" {
		o["after"] = p.after
	}
	write(w, p.status, "application/problem+json", o)
}
