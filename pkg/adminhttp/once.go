package adminhttp

import (
	"context"
	"errors"
	"io"
	"net/http"
	"slices"
	"strings"

	"github.com/serverless-scim/serverless-scim/pkg/adminhttp/idempotency"
	"github.com/serverless-scim/serverless-scim/pkg/web"
)

// keyed are the routes that take an Idempotency-Key: all of a tenant that would make something twice. The others can
// be repeated as they are.
var keyed = []string{
	"POST /tenants/{id}/tokens", "POST /tenants/{id}/clients", "POST /tenants/{id}/clients/{client}",
	"POST /tenants/{id}/webhooks", "POST /tenants/{id}/webhooks/{webhook}/rotate-secret",
	"POST /tenants/{id}/setup-links",
}

// maxKey bounds an Idempotency-Key.
const maxKey = 255

// once carries out a request with an Idempotency-Key once. The answers of all these routes have a secret, which is
// stored nowhere: a request that was carried out before is a 409 that names the one that it made.
func (a *api) once(route string, serve endpoint) endpoint {
	return func(w http.ResponseWriter, r *http.Request) error {
		keys := r.Header.Values("Idempotency-Key")
		if len(keys) == 0 || a.once24 == nil {
			return serve(w, r)
		}
		key := strings.Trim(keys[0], `"`)
		switch {
		case len(keys) > 1 || key == "" || len(key) > maxKey:
			return badRequest("Send Idempotency-Key once, with 1 to 255 bytes.")
		case !slices.Contains(keyed, route):
			return badRequest("This route does not support Idempotency-Key.")
		}
		if _, err := a.tenants.Get(r.Context(), r.PathValue("id")); err != nil {
			return err
		}
		text, err := web.ReadText(r, maxBody)
		if err != nil {
			return badRequest("The body could not be read, or has more than 64 KiB.")
		}
		r.Body = io.NopCloser(strings.NewReader(text))
		id, request := r.PathValue("id"), r.Method+" "+r.URL.EscapedPath()+"\n"+text
		before, err := a.once24.Begin(r.Context(), id, key, request)
		if err != nil || before != nil {
			return repeated(w, before, err)
		}
		ctx := context.WithoutCancel(r.Context()) // the result is stored even if the client has gone
		if err := serve(w, r); err != nil {
			if problemOf(err).status < http.StatusInternalServerError { // else it may have been carried out
				err = errors.Join(err, a.once24.Forget(ctx, id, key))
			}
			return err
		}
		answer := idempotency.Answer{Status: web.Status(w), Location: w.Header().Get("Location")}
		if err := a.once24.Done(ctx, id, key, request, answer); err != nil {
			a.log.ErrorContext(ctx, "Idempotency-Key not recorded", "requestId", w.Header().Get("X-Request-Id"), "error", err)
		}
		return nil
	}
}

// repeated answers a request whose key was used.
func repeated(w http.ResponseWriter, before *idempotency.Answer, err error) error {
	switch {
	case before != nil:
		if before.Location != "" {
			w.Header().Set("Location", before.Location)
		}
		return &problem{status: http.StatusConflict, detail: "A request with this Idempotency-Key was carried out before" +
			at(before.Location) + ". The secret in its response is not stored: reveal the token, rotate the webhook's secret, " +
			"or create another client secret or link."}
	case errors.Is(err, idempotency.ErrOther):
		return &problem{
			status: http.StatusUnprocessableEntity, detail: "The Idempotency-Key was used with another request.",
		}
	case errors.Is(err, idempotency.ErrUnderWay):
		w.Header().Set("Retry-After", retryAfter)
		return &problem{
			status: http.StatusConflict,
			detail: "A request with this Idempotency-Key is in progress. Try again in a few seconds.",
		}
	case errors.Is(err, idempotency.ErrUnknown):
		return &problem{status: http.StatusConflict, detail: "A request with this Idempotency-Key did not finish. " +
			"Read the list to see whether it had an effect, and send the next one with another key."}
	}
	return err
}

func at(location string) string {
	if location == "" {
		return ""
	}
	return ", and made " + location
}
