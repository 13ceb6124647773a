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
	"github.com/serverless-scim/serverless-scim/pkg/tenant/internal/record"
)

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
			return AccessToken{}, record.Refused()
		}
		id = subject
	} else if _, ok := ParseToken(proof.Secret); !ok {
		return AccessToken{}, record.Refused()
	}
	if !record.ValidClientID(id) {
		return AccessToken{}, record.Refused()
	}
	token, err := s.grant(ctx, tenantID, id, proof, audience, want)
	if denied := (*GrantError)(nil); errors.As(err, &denied) {
		s.o.Log.WarnContext(ctx, "access token refused", "tenant", known(tenantID), "client", id, "code", string(denied.Code))
	} else if err == nil {
		s.o.Log.InfoContext(ctx, "access token granted", "tenant", tenantID, "client", id)
	}
	return token, err
}

// known is a tenant's id that can be logged.
func known(tenantID string) string {
	if !record.ValidID(tenantID) {
		return ""
	}
	return tenantID
}

func (s *Service) grant(ctx context.Context, tenantID, id string, proof ClientProof, audience string, want []Scope) (
	AccessToken, error,
) {
	r, err := s.read(ctx, tenantID)
	if errors.Is(err, ErrNotFound) || err == nil && r.Life != record.Active {
		return AccessToken{}, record.Refused()
	}
	if err != nil {
		return AccessToken{}, err
	}
	c, err := s.clientOf(ctx, tenantID, r, id, proof.Assertion != "")
	if err != nil {
		return AccessToken{}, err
	}
	now := s.o.Now()
	var by *record.Credential
	if proof.Assertion != "" {
		by, err = s.checkAssertion(ctx, tenantID, c, proof.Assertion, audience, now)
	} else {
		by, err = c.CheckSecret(proof.Secret, now)
	}
	if err != nil {
		return AccessToken{}, err
	}
	scopes, err := c.Narrow(want)
	if err != nil {
		return AccessToken{}, err
	}
	if len(by.Digest) > 0 && !record.OfOperator(id) {
		s.Touch(ctx, tenantID, by.ID) // people are not reminded of a secret that is not in use any more
	}
	return r.Grant(tenantID, &c.ClientRecord, by, scopes, now), nil
}

// clientOf returns the client that may ask for access tokens of a tenant; details only where they are needed.
func (s *Service) clientOf(ctx context.Context, tenantID string, r *record.Record, id string, details bool) (
	record.ClientDoc, error,
) {
	if record.OfOperator(id) {
		if !slices.Contains(r.Settings.OAuth.Clients, id) {
			return record.ClientDoc{}, record.Refused()
		}
		c, _, err := s.readOperatorClient(ctx, id)
		if errors.Is(err, ErrNotFound) {
			err = record.Refused()
		}
		return c, err
	}
	own := r.Client(id)
	if own == nil {
		return record.ClientDoc{}, record.Refused()
	}
	c := record.ClientDoc{ClientRecord: *own}
	if details {
		all, err := s.details(ctx, tenantID, []record.ClientRecord{*own})
		if err != nil {
			return c, err
		}
		c = all[0]
	}
	return c, nil
}

// checkAssertion verifies an assertion and notes that it was used. Of the keys only those count that are among the
// credentials.
func (s *Service) checkAssertion(ctx context.Context, tenantID string, c record.ClientDoc, text, audience string,
	now time.Time,
) (*record.Credential, error) {
	keys, err := assertion.ParseKeys([]byte(c.ClientDetails.Keys))
	if err != nil {
		return nil, record.Refused()
	}
	claims, err := keys.Verify(text, c.ID, audience, now)
	if bad := (*assertion.ClaimError)(nil); errors.As(err, &bad) {
		return nil, &GrantError{Code: InvalidClient, Detail: bad.Detail}
	}
	if err != nil {
		return nil, record.Refused()
	}
	by := c.Credential(claims.KeyID)
	if by == nil {
		return nil, record.Refused()
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
			If: []store.Cond{{Test: store.Equal, Attr: record.AttrState, Value: string(record.Active)}},
		})
	failed := (*store.ConditionError)(nil)
	switch {
	case errors.As(err, &failed) && failed.At(0):
		return nil, &GrantError{
			Code:   InvalidClient,
			Detail: "The assertion was used before. Sign a new one, with another jti, for each request.",
		}
	case errors.As(err, &failed):
		return nil, record.Refused()
	}
	return by, err
}
