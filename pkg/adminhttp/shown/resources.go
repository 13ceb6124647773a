// Package shown has the resources of the admin API as it shows them, and their entity tags.
package shown

import (
	"time"

	"github.com/serverless-scim/serverless-scim/pkg/domain/claim"
	"github.com/serverless-scim/serverless-scim/pkg/member"
	"github.com/serverless-scim/serverless-scim/pkg/notice"
	"github.com/serverless-scim/serverless-scim/pkg/scim"
	"github.com/serverless-scim/serverless-scim/pkg/scim/schema"
	"github.com/serverless-scim/serverless-scim/pkg/scim/schema/define"
	"github.com/serverless-scim/serverless-scim/pkg/setup"
	"github.com/serverless-scim/serverless-scim/pkg/tenant"
)

// Time returns a time of a token as RFC 3339 text in whole seconds, or nil if there is none.
func Time(t time.Time) any {
	if t.IsZero() {
		return nil
	}
	return t.UTC().Format(time.RFC3339)
}

// seconds is Time of Unix seconds; nil for 0.
func seconds(at int64) any {
	if at == 0 {
		return nil
	}
	return Time(time.Unix(at, 0))
}

// Token is a token as the API shows it.
func Token(t tenant.Token) scim.Object {
	granted := make([]any, len(t.Scopes))
	for i, scope := range t.Scopes {
		granted[i] = string(scope)
	}
	return scim.Object{
		"id": t.ID, "state": string(t.State), "scopes": granted, "createdAt": Time(t.CreatedAt),
		"expiresAt": Time(t.ExpiresAt), "firstUsedAt": Time(t.FirstUsedAt), "lastUsedAt": Time(t.LastUsedAt),
	}
}

// IssuedToken is a token with its value, as in the answer that creates it.
func IssuedToken(t tenant.IssuedToken) scim.Object {
	return scim.Object{
		"id": t.ID, "value": t.Value, "createdAt": Time(t.CreatedAt), "expiresAt": Time(t.ExpiresAt),
	}
}

// Notice is a notice as the API shows it.
func Notice(n notice.Notice) scim.Object {
	recipients := make([]any, len(n.Recipients))
	for i, to := range n.Recipients {
		recipients[i] = scim.Object{"email": to.Email, "language": to.Language}
	}
	o := scim.Object{
		"kind": string(n.Kind), "tokenId": nil, "at": Time(n.At), "recipients": recipients, "state": string(n.State),
	}
	if n.TokenID != "" {
		o["tokenId"] = n.TokenID
	}
	if n.ClientID != "" {
		o["clientId"] = n.ClientID
	}
	return o
}

// Domain is a domain as the API shows it.
func Domain(d claim.Domain) scim.Object {
	o := scim.Object{
		"name": d.Name, "state": string(d.State), "createdAt": seconds(d.Created), "verifiedAt": nil,
		"by":     nil,
		"record": scim.Object{"type": "TXT", "name": claim.RecordName(d.Name), "value": d.Value},
	}
	if d.At != 0 {
		o["by"], o["verifiedAt"] = d.By, Time(time.Unix(d.At, 0))
	}
	if f := d.Failing; f != nil {
		o["failing"] = scim.Object{
			"since": Time(time.Unix(f.Since, 0)), "lastAt": Time(time.Unix(f.Last, 0)), "times": int64(f.Times),
			"answer": string(f.Answer),
		}
	}
	if d.LostAt != 0 {
		o["lostAt"] = Time(time.Unix(d.LostAt, 0))
	}
	return o
}

// Link is a set-up link as the API shows it.
func Link(l setup.Link) scim.Object {
	o := scim.Object{
		"id": l.ID, "role": string(l.Role), "state": string(l.State), "email": nil, "language": nil, "returnUrl": nil,
		"createdAt": Time(l.CreatedAt), "expiresAt": Time(l.ExpiresAt), "redeemedAt": Time(l.RedeemedAt),
		"sessionUntil": Time(l.SessionUntil),
	}
	for key, value := range map[string]string{"email": l.Email, "language": l.Language, "returnUrl": l.ReturnURL} {
		if value != "" {
			o[key] = value
		}
	}
	return o
}

// Client is an OAuth client as the API shows it. tokenURL is the URL of its token endpoint.
func Client(c tenant.Client, tokenURL string) scim.Object {
	granted := make([]any, len(c.Scopes))
	for i, scope := range c.Scopes {
		granted[i] = string(scope)
	}
	o := scim.Object{
		"id": c.ID, "name": c.Name, "scopes": granted, "createdAt": Time(c.CreatedAt),
		"lastUsedAt": Time(c.LastUsedAt), "tokenUrl": tokenURL,
	}
	if len(c.Keys) > 0 {
		keys := make([]any, len(c.Keys))
		for i, k := range c.Keys {
			keys[i] = scim.Object{"id": k.ID, "kid": k.Name, "alg": k.Algorithm}
		}
		o["keys"] = keys
		return o
	}
	secrets := make([]any, len(c.Secrets))
	for i, s := range c.Secrets {
		secrets[i] = scim.Object{"id": s.ID, "expiresAt": Time(s.ExpiresAt), "lastUsedAt": Time(s.LastUsedAt)}
	}
	o["secrets"] = secrets
	return o
}

// Schema is a schema of a tenant as the API shows it.
func Schema(d define.Definitions, s *schema.Schema) scim.Object {
	o := s.Object()
	o["createdAt"] = seconds(d.CreatedAt(s.ID))
	return o
}

// ResourceType is a resource type of a tenant as the API shows it.
func ResourceType(d define.Definitions, t define.TypeDefinition) scim.Object {
	o := t.Object()
	o["createdAt"] = seconds(d.CreatedAt(t.ID))
	return o
}

// Policy is a saved policy as the API shows it: the document, with the time of its first version.
func Policy(p member.PolicyDocument) (scim.Object, error) {
	o, err := scim.ParseObject(p.Document)
	if err == nil {
		o["createdAt"] = seconds(p.Created)
	}
	return o, err
}

// Target is a target as the API shows it.
func Target(t member.Target) scim.Object {
	o := t.Object()
	o["createdAt"] = seconds(t.Created)
	return o
}
