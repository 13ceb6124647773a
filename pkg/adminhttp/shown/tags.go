package shown

import (
	"github.com/serverless-scim/serverless-scim/pkg/adminhttp/etag"
	"github.com/serverless-scim/serverless-scim/pkg/domain/claim"
	"github.com/serverless-scim/serverless-scim/pkg/guard"
	"github.com/serverless-scim/serverless-scim/pkg/member"
	"github.com/serverless-scim/serverless-scim/pkg/scim"
	"github.com/serverless-scim/serverless-scim/pkg/setup"
	"github.com/serverless-scim/serverless-scim/pkg/tenant"
	"github.com/serverless-scim/serverless-scim/pkg/webhook"
)

// The entity tag of a resource covers the attributes that a request can change. It does not cover those that change by
// themselves, such as the time when a token was last used: otherwise nobody could change a token that is in use.

// TenantTag is the entity tag of a tenant.
func TenantTag(t tenant.Tenant) string {
	return etag.Of(scim.Object{
		"id": t.ID, "name": t.Name, "idp": t.IdP, "active": t.Active, "settings": t.Settings.Object(),
	})
}

// TokenTag is the entity tag of a token.
func TokenTag(t tenant.Token) string {
	return etag.Of(scim.Object{"id": t.ID, "expiresAt": Time(t.ExpiresAt), "revoked": t.State == tenant.TokenRevoked})
}

// WebhookTag is the entity tag of a webhook. A rotation of its secret changes it.
func WebhookTag(hook *webhook.Webhook) string {
	o := Webhook(hook)
	if !hook.PreviousUntil.IsZero() {
		o["previousSecretUntil"] = hook.PreviousUntil.UnixMilli() // as it is stored
	}
	return etag.Of(o)
}

// TargetTag returns the entity tag of a target; "" if it was never saved, or is known from SCIM alone.
func TargetTag(t member.Target) string {
	if t.Version == 0 {
		return ""
	}
	t.Used, t.Scim = 0, false
	return etag.Of(t.Object())
}

// MemberTag is the entity tag of a member. It changes with each version that is published, because people decide by
// that about the member's access. No change accepts the tag of a member who is not published yet.
func MemberTag(m member.Member) string {
	return etag.Of(scim.Object{
		"id": m.ID, "createdAt": scim.FormatTime(m.CreatedAt), "version": m.Version, "marked": m.Marked,
		"pending": m.Pending,
	})
}

// GuardTag is the entity tag of a guard: of what a decision changes, and not of the users that are counted and held.
func GuardTag(d guard.Decided) string {
	return etag.Of(scim.Object{"since": d.Since, "until": d.Until})
}

// ClientTag is the entity tag of an OAuth client.
func ClientTag(c tenant.Client) string {
	credentials := []any{}
	for _, s := range c.Secrets {
		credentials = append(credentials, s.ID, Time(s.ExpiresAt))
	}
	for _, k := range c.Keys {
		credentials = append(credentials, k.ID, nil)
	}
	return etag.Of(scim.Object{"id": c.ID, "credentials": credentials})
}

// DomainTag is the entity tag of a domain.
func DomainTag(d claim.Domain) string {
	return etag.Of(scim.Object{"name": d.Name, "value": d.Value, "state": string(d.State), "by": d.By})
}

// LinkTag is the entity tag of a set-up link.
func LinkTag(l setup.Link) string {
	return etag.Of(scim.Object{"id": l.ID, "ended": l.State == setup.Ended})
}

// The functions below get the state that a change replaces from package precondition, and return its entity tag. mine
// is false if the state is that of another resource.

// OfTenant is for tenants.
func OfTenant(current any) (tag string, mine bool) { return of(current, TenantTag) }

// OfToken returns the tag of a token, by its id. It is "" if the tenant has no such token.
func OfToken(current any, id string) (tag string, mine bool) {
	return of(current, func(t tenant.Tenant) string {
		for _, one := range t.Tokens {
			if one.ID == id {
				return TokenTag(one)
			}
		}
		return ""
	})
}

// OfMember returns the tag of a member, by its id.
func OfMember(current any, id string) (tag string, mine bool) {
	if m, is := current.(member.Member); is && m.ID != id {
		return "", false
	}
	return of(current, MemberTag)
}

// OfGuard is for guards.
func OfGuard(current any) (tag string, mine bool) { return of(current, GuardTag) }

// OfClient is for OAuth clients.
func OfClient(current any) (tag string, mine bool) { return of(current, ClientTag) }

// OfWebhook is for webhooks.
func OfWebhook(current any) (tag string, mine bool) { return of(current, WebhookTag) }

// OfTarget is for targets.
func OfTarget(current any) (tag string, mine bool) { return of(current, TargetTag) }

// OfDomain is for domains.
func OfDomain(current any) (tag string, mine bool) { return of(current, DomainTag) }

// OfLink is for set-up links.
func OfLink(current any) (tag string, mine bool) { return of(current, LinkTag) }

func of[T any](current any, tag func(T) string) (string, bool) {
	state, mine := current.(T)
	if !mine {
		return "", false
	}
	return tag(state), true
}
