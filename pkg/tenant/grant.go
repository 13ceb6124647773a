package tenant

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"slices"
	"time"

	"github.com/serverless-scim/serverless-scim/pkg/store"
	"github.com/serverless-scim/serverless-scim/pkg/tenant/assertion"
)

// GrantCode is an error code of RFC 6749, section 5.2.
type GrantCode string

// The codes of errors of Grant.
const (
	InvalidClient GrantCode = "invalid_client"
	InvalidScope  GrantCode = "invalid_scope"
)

// GrantError is a request for an access token that is refused. Detail may be shown to the client: it is the same
// whether the tenant, the client or its secret is not known; only who has shown to be a client learns more.
type GrantError struct {
	Code   GrantCode
	Detail string
}

func (e *GrantError) Error() string { return "tenant: " + string(e.Code) + ": " + e.Detail }

// ClientProof is how a client says who it is: its id and a secret (RFC 6749, section 2.3.1), or an assertion (RFC
// 7523), with or without the id.
type ClientProof struct{ ID, Secret, Assertion string }

// Grant gives an OAuth client an access token of a tenant, for an hour, or until the client's secret ends. The client
// is one of the tenant's own, or one of the operator's that the tenant's settings name. audience is the URL of the
// token endpoint, which an assertion must be for. want nil is all scopes that the client has. A *GrantError for what is
// refused; any other error is the table's.
//
// A proof that has not the shape of one costs nothing. An assertion is good once: that it was used is written before
// the answer.
func (s *Service) Grant(ctx context.Context, tenantID string, proof ClientProof, audience string, want []Scope) (
	AccessToken, error,
) {
	id := proof.ID
	if proof.Assertion != "" {
		subject, ok := assertion.Subject(proof.Assertion)
		if !ok || id != "" && id != subject {
			return AccessToken{}, refused()
		}
		id = subject
	} else if _, ok := ParseToken(proof.Secret); !ok {
		return AccessToken{}, refused()
	}
	if !validClientID(id) {
		return AccessToken{}, refused()
	}
	token, err := s.grant(ctx, tenantID, id, proof, audience, want)
	if denied := (*GrantError)(nil); errors.As(err, &denied) {
		s.o.Log.WarnContext(ctx, "access token refused", "tenant", known(tenantID), "client", id, "code", string(denied.Code))
	} else if err == nil {
		s.o.Log.InfoContext(ctx, "access token granted", "tenant", tenantID, "client", id)
	}
	return token, err
}

// refused is the answer to everybody who is no client. It does not say why.
func refused() error {
	return &GrantError{InvalidClient, "There is no such client of this tenant, or it has another secret or key."}
}

// known is a tenant's id that can be logged.
func known(tenantID string) string {
	if !validID(tenantID) {
		return ""
	}
	return tenantID
}

func (s *Service) grant(ctx context.Context, tenantID, id string, proof ClientProof, audience string, want []Scope) (
	AccessToken, error,
) {
	r, err := s.read(ctx, tenantID)
	if errors.Is(err, ErrNotFound) || err == nil && r.state != active {
		return AccessToken{}, refused()
	}
	if err != nil {
		return AccessToken{}, err
	}
	c, err := s.clientOf(ctx, tenantID, r, id, proof.Assertion != "")
	if err != nil {
		return AccessToken{}, err
	}
	now := s.o.Now()
	var by *credential
	if proof.Assertion != "" {
		by, err = s.checkAssertion(ctx, tenantID, c, proof.Assertion, audience, now)
	} else {
		by, err = c.checkSecret(proof.Secret, now)
	}
	if err != nil {
		return AccessToken{}, err
	}
	scopes, err := c.narrow(want)
	if err != nil {
		return AccessToken{}, err
	}
	if len(by.Digest) > 0 && !ofOperator(id) {
		s.Touch(ctx, tenantID, by.ID) // people are not reminded of a secret that is not in use any more
	}
	return r.grant(tenantID, &c.clientRecord, by, scopes, now), nil
}

// clientOf returns the client that may ask for access tokens of a tenant; details only where they are needed.
func (s *Service) clientOf(ctx context.Context, tenantID string, r *record, id string, details bool) (
	clientDoc, error,
) {
	if ofOperator(id) {
		if !slices.Contains(r.Settings.OAuth.Clients, id) {
			return clientDoc{}, refused()
		}
		c, _, err := s.readOperatorClient(ctx, id)
		if errors.Is(err, ErrNotFound) {
			err = refused()
		}
		return c, err
	}
	own := r.client(id)
	if own == nil {
		return clientDoc{}, refused()
	}
	c := clientDoc{clientRecord: *own}
	if details {
		all, err := s.details(ctx, tenantID, []clientRecord{*own})
		if err != nil {
			return c, err
		}
		c = all[0]
	}
	return c, nil
}

func (c clientRecord) checkSecret(value string, now time.Time) (*credential, error) {
	match := c.secret(value)
	switch {
	case match == nil:
		return nil, refused()
	case !match.live(now):
		return nil, &GrantError{InvalidClient, "The client secret expired on " + unix(match.Expires).Format(time.RFC3339) +
			". Enter a new one in the identity provider."}
	}
	return match, nil
}

// checkAssertion verifies an assertion and notes that it was used. Of the keys only those count that are among the
// credentials.
func (s *Service) checkAssertion(ctx context.Context, tenantID string, c clientDoc, text, audience string,
	now time.Time,
) (*credential, error) {
	keys, err := assertion.ParseKeys([]byte(c.clientDetails.Keys))
	if err != nil {
		return nil, refused()
	}
	claims, err := keys.Verify(text, c.ID, audience, now)
	if bad := (*assertion.ClaimError)(nil); errors.As(err, &bad) {
		return nil, &GrantError{InvalidClient, bad.Detail}
	}
	if err != nil {
		return nil, refused()
	}
	by := c.credential(claims.KeyID)
	if by == nil {
		return nil, refused()
	}
	// What an assertion is known by is long enough for nobody to find two of the same.
	sum := sha256.Sum256([]byte(c.ID + "\x00" + claims.ID))
	k := store.KeysOf(tenantID)
	err = s.store.Transact(ctx,
		store.Op{
			Kind: store.Put, Key: k.Assertion(hex.EncodeToString(sum[:])), If: []store.Cond{{Test: store.Absent}},
			Set: store.Attrs{store.AttrTTL: claims.Expires.Add(time.Hour).Unix(), store.AttrSchema: store.SchemaVersion},
		},
		// The check keeps a request that outlives its tenant from leaving an item behind.
		store.Op{
			Kind: store.Check, Key: k.Tenant(),
			If: []store.Cond{{Test: store.Equal, Attr: attrState, Value: string(active)}},
		})
	failed := (*store.ConditionError)(nil)
	switch {
	case errors.As(err, &failed) && failed.At(0):
		return nil, &GrantError{
			InvalidClient,
			"The assertion was used before. Sign a new one, with another jti, for each request.",
		}
	case errors.As(err, &failed):
		return nil, refused()
	}
	return by, err
}

// narrow returns the scopes to grant.
func (c clientRecord) narrow(want []Scope) ([]Scope, error) {
	if want == nil {
		return c.scopes(), nil
	}
	var granted []Scope
	for _, scope := range want {
		if !slices.Contains(c.scopes(), scope) {
			return nil, &GrantError{InvalidScope, "The client may ask for these scopes, separated by spaces: " +
				joinScopes(c.scopes()) + "."}
		}
		if !slices.Contains(granted, scope) {
			granted = append(granted, scope)
		}
	}
	return granted, nil
}

func joinScopes(scopes []Scope) string {
	text := ""
	for i, scope := range scopes {
		if i > 0 {
			text += " "
		}
		text += string(scope)
	}
	return text
}
