package scimhttp

import (
	"context"
	"errors"
	"net/http"
	"strconv"
	"time"

	"github.com/serverless-scim/serverless-scim/pkg/directory"
	"github.com/serverless-scim/serverless-scim/pkg/limit"
	"github.com/serverless-scim/serverless-scim/pkg/scim"
	"github.com/serverless-scim/serverless-scim/pkg/tenant"
)

// failure makes the answer of an error.
func (h *handler) failure(ctx context.Context, rq *request, err error) answer {
	rq.failed = h.scimError(ctx, rq, err)
	a := errorAnswer(rq.failed)
	switch tooNarrow := (*scopeError)(nil); {
	case errors.As(err, &tooNarrow):
		a.header.Set("Www-Authenticate", scopeChallenge)
	case a.status == http.StatusUnauthorized:
		a.header.Set("Www-Authenticate", challenge)
	}
	return a
}

// scimError makes the SCIM error of an error. A *scim.Error and the errors of tenant are for the client; a busy
// store or a timeout is a 503; any other error is a 500 whose text goes to the log only.
func (h *handler) scimError(ctx context.Context, rq *request, err error) *scim.Error {
	var (
		known     *scim.Error
		noToken   *tenant.UnauthorizedError
		switched  *tenant.SwitchedOffError
		tooNarrow *scopeError
		tooMany   *limit.BusyError
		timedOut  = errors.Is(err, context.DeadlineExceeded) || errors.Is(err, context.Canceled)
		temporary = timedOut || directory.IsBusy(err) || tenant.Temporary(err)
	)
	detail, outage := tenant.Outage(err)
	switch {
	case errors.As(err, &known):
		return known
	case errors.As(err, &noToken):
		return scim.Errorf(http.StatusUnauthorized, scim.NoType, "%s", noToken.Detail)
	case errors.As(err, &switched):
		return scim.Errorf(http.StatusForbidden, scim.NoType, "%s", switched.Detail())
	case errors.As(err, &tooNarrow):
		return scim.Errorf(http.StatusForbidden, scim.NoType,
			"The bearer token may not be used for %s requests on this endpoint. Use one with another scope.",
			tooNarrow.method)
	case errors.As(err, &tooMany):
		return &scim.Error{Status: http.StatusTooManyRequests, RetryAfter: tooMany.After, Detail: slowDown(tooMany)}
	case outage:
		h.Log.ErrorContext(ctx, "outage", "requestId", rq.ID, "error", err)
		return &scim.Error{Status: http.StatusServiceUnavailable, RetryAfter: time.Minute, Detail: detail}
	case temporary:
		h.Log.WarnContext(ctx, "busy", "requestId", rq.ID, "error", err)
		return &scim.Error{
			Status: http.StatusServiceUnavailable, RetryAfter: time.Second,
			Detail: "The server is busy with other changes. Please try again in a moment.",
		}
	}
	h.Log.ErrorContext(ctx, "internal error", "requestId", rq.ID, "error", err)
	return scim.Errorf(http.StatusInternalServerError, scim.NoType,
		"An internal error occurred. The operator finds it under request id %s.", rq.ID)
}

// slowDown is the detail for a client that exceeds its limit, with advice.
func slowDown(e *limit.BusyError) string {
	if e.Walk {
		return "This tenant has other requests in progress that read all users or groups. Please try again in a " +
			"moment, or filter by an attribute that has an index: id, userName, externalId, emails.value, displayName."
	}
	return "Too many requests. Send this one again after the time in Retry-After. The operator can raise the limit."
}

// errorAnswer is e as an answer (RFC 7644, section 3.12).
func errorAnswer(e *scim.Error) answer {
	a := newAnswer(e.Status, scim.AppendJSON(nil, e.Object()))
	if e.RetryAfter > 0 {
		a.header.Set("Retry-After", strconv.FormatInt(int64((e.RetryAfter+time.Second-1)/time.Second), 10))
	}
	return a
}
