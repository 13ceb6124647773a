package scimhttp

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"time"

	"github.com/serverless-scim/serverless-scim/pkg/directory"
	"github.com/serverless-scim/serverless-scim/pkg/scim"
	"github.com/serverless-scim/serverless-scim/pkg/scim/schema"
)

// What a client may prefer to get back from a change (RFC 7240, section 4.2).
const (
	minimal        = "return=minimal"
	representation = "return=representation"
)

// preference is the value of the preference `return`, in the form in which Preference-Applied repeats it; empty where there is none.
// The first one counts.
func (rq *request) preference() string {
	for _, value := range rq.Header.Values("Prefer") {
		for part := range strings.SplitSeq(value, ",") {
			part, _, _ = strings.Cut(part, ";")
			name, value, _ := strings.Cut(part, "=")
			if !strings.EqualFold(strings.TrimSpace(name), "return") {
				continue
			}
			switch strings.ToLower(strings.Trim(strings.TrimSpace(value), `"`)) {
			case "minimal":
				return minimal
			case "representation":
				return representation
			}
			return ""
		}
	}
	return ""
}

// minimal tells whether a change is to be answered without a body. A client that selects attributes wants to see them, whatever it
// prefers (RFC 7644, section 3.9).
func (rq *request) minimal(sel *schema.Projection) bool {
	return sel == nil && rq.preference() == minimal
}

// answerSelection is the projection with which a changed resource is read for its answer: nothing that takes more reads where there
// will be no body.
func (rq *request) answerSelection(sel *schema.Projection) (*schema.Projection, error) {
	if rq.minimal(sel) {
		return rq.route.rt.Projection([]string{"id"}, nil)
	}
	return sel, nil
}

// withoutBody is the answer to a change that shows nothing of the resource but where it is, and its version.
func (rq *request) withoutBody(status int, res directory.Resource) answer {
	a := newAnswer(status, nil)
	rq.locate(a, res)
	return a
}

// conditional carries out a change under the request's preconditions (RFC 9110, section 13): If-Match is for the change itself; with
// If-None-Match the change is made to the version that was compared, or to none.
func (h *handler) conditional(ctx context.Context, rq *request, change func(ifMatch []string) error) error {
	match, unless := rq.Header.Values("If-Match"), rq.Header.Values("If-None-Match")
	if len(unless) == 0 {
		return change(entityTags(match))
	}
	rt := rq.route.rt
	sel, err := rt.Projection([]string{"id"}, nil)
	if err != nil {
		return err
	}
	for range 10 {
		res, err := h.Directory.Get(ctx, rq.tenant, rt, rq.target.id, sel)
		if err != nil {
			return err
		}
		if len(match) > 0 && !noneMatch(match, res.ETag()) || noneMatch(unless, res.ETag()) {
			return preconditionFailed(res, noneMatch(unless, res.ETag()))
		}
		err = change([]string{res.ETag()})
		if known := (*scim.Error)(nil); !errors.As(err, &known) || known.Status != http.StatusPreconditionFailed {
			return err
		}
	}
	return &scim.Error{
		Status: http.StatusServiceUnavailable, RetryAfter: time.Second,
		Detail: "Many requests change this resource at the same time. Please try again in a moment.",
	}
}

// preconditionFailed is the answer to an If-None-Match that excludes the version of res, else to an If-Match that names another.
func preconditionFailed(res directory.Resource, excluded bool) error {
	if excluded {
		return scim.Errorf(http.StatusPreconditionFailed, scim.NoType,
			"The present version of the resource is %s, which the If-None-Match header of the request excludes.", res.ETag())
	}
	return scim.Errorf(http.StatusPreconditionFailed, scim.NoType,
		"The version that you named is not the present one, which is %s. Read the resource again.", res.ETag())
}
