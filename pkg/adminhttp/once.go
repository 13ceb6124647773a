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

// reading are the POSTs that change nothing: an Idempotency-Key has no meaning there.
var reading = []string{"POST /tenants/{id}/tokens/{token}/reveal", "POST /tenants/{id}/policy/rehearse"}

// answering are the POSTs whose answer has neither a secret nor data about a person: it is stored, and is the answer to
// a repeated request too.
var answering = []string{
	"POST /tenants/{id}/disconnect", "POST /tenants/{id}/rotation", "POST /tenants/{id}/domains",
	"POST /tenants/{id}/domains/{name}/verify", "POST /tenants/{id}/members/{member}/invite",
	"POST /tenants/{id}/members/invite", "POST /tenants/{id}/webhooks/{webhook}/test",
	"POST /tenants/{id}/webhooks/{webhook}/replay", "POST /webhooks/{webhook}/test", "POST /webhooks/{webhook}/replay",
}

// maxKey bounds an Idempotency-Key.
const maxKey = 255

// maxStored bounds a stored answer, in bytes. An item has space for it, and all answers are much smaller.
const maxStored = 64 << 10

// once carries out a request with an Idempotency-Key once. A request that was carried out before gets the stored
// answer. If the answer is not stored, it gets a 409 that names the resource that the first request created.
func (a *api) once(route string, serve endpoint) endpoint {
	if slices.Contains(reading, route) {
		return serve
	}
	return func(w http.ResponseWriter, r *http.Request) error {
		keys := r.Header.Values("Idempotency-Key")
		if len(keys) == 0 || a.once24 == nil {
			return serve(w, r)
		}
		key := strings.Trim(keys[0], `"`)
		if len(keys) > 1 || key == "" || len(key) > maxKey {
			return badRequest("Send Idempotency-Key once, with 1 to 255 bytes.")
		}
		text, err := web.ReadText(r, max(maxBody, maxAccountsBody))
		if err != nil {
			return badRequest("The body could not be read, or has more than 1 MiB.")
		}
		r.Body = io.NopCloser(strings.NewReader(text))
		id, request := r.PathValue("id"), r.Method+" "+r.URL.EscapedPath()+"\n"+text
		before, err := a.once24.Begin(r.Context(), id, key, request)
		if err != nil || before != nil {
			return repeated(w, before, err)
		}
		ctx := context.WithoutCancel(r.Context()) // the result is stored even if the client has gone
		copied := &copier{ResponseWriter: w}
		if err := serve(copied, r); err != nil {
			if problemOf(err).status < http.StatusInternalServerError { // else it may have been carried out
				err = errors.Join(err, a.once24.Forget(ctx, id, key))
			}
			return err
		}
		answer := idempotency.Answer{Status: web.Status(w), Location: w.Header().Get("Location")}
		if slices.Contains(answering, route) && len(copied.body) <= maxStored {
			answer.Body, answer.ETag = string(copied.body), w.Header().Get("ETag")
		}
		if err := a.once24.Done(ctx, id, key, request, answer); err != nil {
			a.log.ErrorContext(ctx, "Idempotency-Key not recorded",
				"requestId", w.Header().Get("X-Request-Id"), "error", err)
		}
		return nil
	}
}

// copier keeps the body of an answer.
type copier struct {
	http.ResponseWriter
	body []byte
}

func (c *copier) Write(p []byte) (int, error) {
	c.body = append(c.body, p...)
	return c.ResponseWriter.Write(p)
}

// repeated responds to a request whose key was used before.
func repeated(w http.ResponseWriter, before *idempotency.Answer, err error) error {
	switch {
	case before != nil:
		if before.Location != "" {
			w.Header().Set("Location", before.Location)
		}
		if before.Body != "" {
			if before.ETag != "" {
				w.Header().Set("ETag", before.ETag)
			}
			writeText(w, before.Status, "application/json", []byte(before.Body))
			return nil
		}
		return &problem{
			status: http.StatusConflict,
			detail: "A request with this Idempotency-Key was carried out before" + at(before.Location) +
				". Its response is not stored, because it has a secret or is about people. If you need the secret: " +
				"reveal the token, rotate the webhook's secret, or create another client secret or link.",
		}
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
