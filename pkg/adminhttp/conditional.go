package adminhttp

import (
	"net/http"

	"github.com/serverless-scim/serverless-scim/pkg/adminhttp/etag"
	"github.com/serverless-scim/serverless-scim/pkg/member"
	"github.com/serverless-scim/serverless-scim/pkg/precondition"
	"github.com/serverless-scim/serverless-scim/pkg/scim"
	"github.com/serverless-scim/serverless-scim/pkg/tenant"
	"github.com/serverless-scim/serverless-scim/pkg/webhook"
)

// The entity tag of a resource covers the attributes that a request can change. It does not cover those that change
// by themselves, such as the time when a token was last used: else nobody could change a token that is in use.

func tenantTag(t tenant.Tenant) string {
	return etag.Of(scim.Object{
		"id": t.ID, "name": t.Name, "idp": t.IdP, "active": t.Active, "settings": t.Settings.Object(),
	})
}

func tokenTag(t tenant.Token) string {
	return etag.Of(scim.Object{"id": t.ID, "expiresAt": timestamp(t.ExpiresAt), "revoked": t.State == tenant.TokenRevoked})
}

func webhookTag(hook *webhook.Webhook) string {
	o := webhookJSON(hook)
	delete(o, "previousSecretUntil")
	return etag.Of(o)
}

// targetTag returns the entity tag of a target; "" if it was never saved, or is known from SCIM alone.
func targetTag(t member.Target) string {
	if t.Version == 0 {
		return ""
	}
	t.Used, t.Scim = 0, false
	return etag.Of(t.Object())
}

// conditional makes a change only if the resource meets the conditions of the request. tag reads the entity tag from
// the state that the change replaces; "" if the resource does not exist yet.
func conditional(serve endpoint, tag func(r *http.Request, current any) string) endpoint {
	return func(w http.ResponseWriter, r *http.Request) error {
		if !etag.Read(r.Header).Given() {
			return serve(w, r)
		}
		ctx := precondition.With(r.Context(), func(current any) error { return allowed(r, tag(r, current)) })
		return serve(w, r.WithContext(ctx))
	}
}

// allowed returns a 412 if the conditions of a request do not allow a change of a resource with the tag.
func allowed(r *http.Request, tag string) error {
	switch {
	case etag.Read(r.Header).Allows(tag):
		return nil
	case tag == "":
		return &problem{status: http.StatusPreconditionFailed, detail: "The resource does not exist, so If-Match fails."}
	case r.Header.Get("If-None-Match") != "":
		return &problem{
			status: http.StatusPreconditionFailed, detail: "The resource exists already: If-None-Match forbids the change.",
		}
	}
	return &problem{
		status: http.StatusPreconditionFailed,
		detail: "The resource was changed since you read it: its entity tag is " + tag + " now. Read it again.",
	}
}

func ofTenant(_ *http.Request, current any) string { return tenantTag(current.(tenant.Tenant)) }

func ofToken(r *http.Request, current any) string {
	for _, t := range current.(tenant.Tenant).Tokens {
		if t.ID == r.PathValue("token") {
			return tokenTag(t)
		}
	}
	return ""
}

func ofWebhook(_ *http.Request, current any) string { return webhookTag(current.(*webhook.Webhook)) }

func ofTarget(_ *http.Request, current any) string { return targetTag(current.(member.Target)) }

// tagged answers a resource with its entity tag, or 304 if the reader has it already.
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
