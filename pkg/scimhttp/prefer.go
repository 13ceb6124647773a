package scimhttp

import (
	"context"
	"errors"
	"iter"
	"net/http"
	"strings"
	"time"

	"github.com/serverless-scim/serverless-scim/pkg/directory"
	"github.com/serverless-scim/serverless-scim/pkg/scim"
	"github.com/serverless-scim/serverless-scim/pkg/scim/schema"
)

// The preferences of a client for the answer to a change (RFC 7240, section 4.2).
const (
	minimal        = "return=minimal"
	representation = "return=representation"
)

// preference is the value of the preference `return`, in the form in which Preference-Applied repeats it; empty if
// there is none. The first one counts.
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

// reply is how a change is answered.
type reply struct {
	// body says that the answer has a body.
	body bool
	// applied is the client's preference that is followed, as in Preference-Applied; empty for none.
	applied string
	// selected says that the client selects attributes with attributes or excludedAttributes.
	selected bool
	// sel selects the attributes that are read for the answer and shown in it.
	sel *schema.Projection
}

// reply decides how a change is answered. sel is the selection of the request's query, and sent are the names and
// values in its body. If the client selects attributes, they are shown, and Prefer is ignored (RFC 7644, section
// 3.9). A token that may not read gets no stored data: only the id of a new resource, and nothing of any other.
func (rq *request) reply(sel *schema.Projection, sent iter.Seq2[string, any]) (r reply, err error) {
	rt := rq.route.rt
	preferred := rq.preference()
	r.body, r.selected = true, sel != nil
	if sel == nil {
		r.applied = preferred
	}
	switch {
	case r.applied == minimal:
		r.body = false
	case !rq.token.CanRead():
		r.applied, r.selected = "", false
		r.body = rq.Method == http.MethodPost
	default:
		r.sel = rt.Sent(sel, sent)
		return r, nil
	}
	r.sel, err = rt.Projection([]string{"id"}, nil)
	return r, err
}

// withoutBody is the answer to a change that shows only the location and the version of the resource.
func (rq *request) withoutBody(status int, res directory.Resource) answer {
	a := newAnswer(status, nil)
	rq.locate(a, res)
	return a
}

// conditional carries out a change under the request's preconditions (RFC 9110, section 13): If-Match is for the
// change itself; with If-None-Match the change is made to the version that was compared, or to none.
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

// preconditionFailed is the answer to an If-None-Match that excludes the version of res, else to an If-Match that
// names another.
func preconditionFailed(res directory.Resource, excluded bool) error {
	if excluded {
		return scim.Errorf(http.StatusPreconditionFailed, scim.NoType,
			"The resource now has version %s, which the If-None-Match header of the request excludes.",
			res.ETag())
	}
	return scim.Errorf(http.StatusPreconditionFailed, scim.NoType,
		"The resource now has version %s, not the one in your request. Read it again.", res.ETag())
}
