package adminhttp

import (
	"net/http"

	"github.com/serverless-scim/serverless-scim/pkg/adminhttp/etag"
	"github.com/serverless-scim/serverless-scim/pkg/adminhttp/shown"
	"github.com/serverless-scim/serverless-scim/pkg/precondition"
	"github.com/serverless-scim/serverless-scim/pkg/scim"
)

// conditional makes a change only if the resource meets the conditions of the request. tag reads the entity tag from
// the state that the change replaces: "" if the resource does not exist yet. mine is false for the state of something
// else that changes with it.
func conditional(serve endpoint, tag func(current any) (tag string, mine bool)) endpoint {
	return func(w http.ResponseWriter, r *http.Request) error {
		if !etag.Read(r.Header).Given() {
			return serve(w, r)
		}
		ctx := precondition.With(r.Context(), func(current any) error {
			if tag, mine := tag(current); mine {
				return allowed(r, tag)
			}
			return nil
		})
		return serve(w, r.WithContext(ctx))
	}
}

// allowed returns a 412 if the conditions of a request do not allow a change of a resource with the tag.
func allowed(r *http.Request, tag string) error {
	switch {
	case etag.Read(r.Header).Allows(tag):
		return nil
	case tag == "":
		return &problem{
			status: http.StatusPreconditionFailed, detail: "The resource does not exist, so If-Match fails.",
		}
	case r.Header.Get("If-None-Match") != "":
		return &problem{
			status: http.StatusPreconditionFailed,
			detail: "The resource exists already: If-None-Match forbids the change.",
		}
	}
	return &problem{
		status: http.StatusPreconditionFailed,
		detail: "The resource was changed since you read it: its entity tag is " + tag + " now. Read it again.",
	}
}

// ofToken and ofMember make a change only if the token or member in the path meets the conditions of the request.
func ofToken(serve endpoint) endpoint  { return ofNamed(serve, "token", shown.OfToken) }
func ofMember(serve endpoint) endpoint { return ofNamed(serve, "member", shown.OfMember) }

// ofNamed is conditional for a resource by the parameter of the path that has its id.
func ofNamed(serve endpoint, parameter string, tag func(current any, id string) (string, bool)) endpoint {
	return func(w http.ResponseWriter, r *http.Request) error {
		return conditional(serve, func(current any) (string, bool) {
			return tag(current, r.PathValue(parameter))
		})(w, r)
	}
}

// inUse responds with a resource whose tag does not cover all that it shows: there is no 304.
func inUse(w http.ResponseWriter, tag string, o scim.Object) error {
	w.Header().Set("ETag", tag)
	return ok(w, http.StatusOK, o)
}

// tagged responds with a resource and its entity tag, or 304 if the reader has it already.
func tagged(w http.ResponseWriter, r *http.Request, tag string, o scim.Object) error {
	if tag != "" {
		w.Header().Set("ETag", tag)
	}
	if (r.Method == http.MethodGet || r.Method == http.MethodHead) && etag.Read(r.Header).Known(tag) {
		w.WriteHeader(http.StatusNotModified)
		return nil
	}
	return ok(w, http.StatusOK, o)
}
