package oauth

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

// ClientProof authenticates a client: its id and a secret (RFC 6749, section 2.3.1), or an assertion (RFC 7523), with
// or without the id.
type ClientProof struct{ ID, Secret, Assertion string }

// Grant is the method of the same name of tenant.Service.
func (s *Registry) Grant(
	ctx context.Context, tenantID string, proof ClientProof, audience string, want []record.Scope,
) (record.AccessToken, error) {
	id := proof.ID
	if proof.Assertion != "" {
		subject, ok := assertion.Subject(proof.Assertion)
		if !ok || id != "" && id != subject {
			return record.AccessToken{}, record.Refused()
		}
		id = subject
	} else if _, ok := record.ParseToken(proof.Secret); !ok {
		return record.AccessToken{}, record.Refused()
	}
	if !record.ValidClientID(id) {
		return record.AccessToken{}, record.Refused()
	}
	proof.ID = id
	token, err := s.grant(ctx, tenantID, proof, audience, want)
	if denied := (*record.GrantError)(nil); errors.As(err, &denied) {
		s.o.Log.WarnContext(ctx, "access token refused", "tenant", known(tenantID), "client", id,
			"code", string(denied.Code))
	} else if err == nil {
		s.o.Log.InfoContext(ctx, "access token granted", "tenant", tenantID, "client", id)
	}
	return token, err
}

// known returns a tenant's id that can be logged.
func known(tenantID string) string {
	if !record.ValidID(tenantID) {
		return ""
	}
	return tenantID
}

// grant is Grant with the id of the client in proof.
func (s *Registry) grant(
	ctx context.Context, tenantID string, proof ClientProof, audience string, want []record.Scope,
) (record.AccessToken, error) {
	r, err := s.o.Read(ctx, tenantID)
	if errors.Is(err, record.ErrNotFound) || err == nil && r.Life != record.Active {
		return record.AccessToken{}, record.Refused()
	}
	if err != nil {
		return record.AccessToken{}, err
	}
	c, err := s.clientOf(ctx, tenantID, r, proof.ID, proof.Assertion != "")
	if err != nil {
		return record.AccessToken{}, err
	}
	now := s.o.Now()
	var by *record.Credential
	if proof.Assertion != "" {
		by, err = s.checkAssertion(ctx, tenantID, c, proof.Assertion, audience)
	} else {
		by, err = c.CheckSecret(proof.Secret, now)
	}
	if err != nil {
		return record.AccessToken{}, err
	}
	scopes, err := c.Narrow(want)
	if err != nil {
		return record.AccessToken{}, err
	}
	if len(by.Digest) > 0 && !record.OfOperator(proof.ID) {
		s.o.Touch(ctx, tenantID, by.ID) // reminders about a secret that is no longer in use stop
	}
	return r.Grant(tenantID, &c.ClientRecord, by, scopes, now), nil
}

// clientOf returns the client that may ask for access tokens of a tenant; details only if they are needed.
func (s *Registry) clientOf(ctx context.Context, tenantID string, r *record.Record, id string, details bool) (
	record.ClientDoc, error,
) {
	if record.OfOperator(id) {
		if !slices.Contains(r.Settings.OAuth.Clients, id) {
			return record.ClientDoc{}, record.Refused()
		}
		c, _, err := s.readOperatorClient(ctx, id)
		if errors.Is(err, record.ErrNotFound) {
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

// checkAssertion verifies an assertion and records its use. Only keys that are among the credentials count.
func (s *Registry) checkAssertion(ctx context.Context, tenantID string, c record.ClientDoc, text, audience string) (
	*record.Credential, error,
) {
	keys, err := assertion.ParseKeys([]byte(c.ClientDetails.Keys))
	if err != nil {
		return nil, record.Refused()
	}
	claims, err := keys.Verify(text, c.ID, audience, s.o.Now())
	if bad := (*assertion.ClaimError)(nil); errors.As(err, &bad) {
		return nil, &record.GrantError{Code: record.InvalidClient, Detail: bad.Detail}
	}
	if err != nil {
		return nil, record.Refused()
	}
	by := c.Credential(claims.KeyID)
	if by == nil {
		return nil, record.Refused()
	}
	// The id of the client and the jti together: another client may use the same jti.
	sum := sha256.Sum256([]byte(c.ID + "\x00" + claims.ID))
	k := store.KeysOf(tenantID)
	err = s.o.Store.Transact(ctx,
		store.Op{
			Kind: store.Put, Key: k.Assertion(hex.EncodeToString(sum[:])), If: []store.Cond{{Test: store.Absent}},
			Set: store.Attrs{
				store.AttrTTL: claims.Expires.Add(time.Hour).Unix(), store.AttrSchema: store.SchemaVersion,
			},
		},
		// The check keeps a request that outlives its tenant from leaving an item behind.
		store.Op{
			Kind: store.Check, Key: k.Tenant(),
			If: []store.Cond{{Test: store.Equal, Attr: record.AttrState, Value: string(record.Active)}},
		})
	failed := (*store.ConditionError)(nil)
	switch {
	case errors.As(err, &failed) && failed.At(0):
		return nil, &record.GrantError{
			Code:   record.InvalidClient,
			Detail: "The assertion was used before. Sign a new one, with another jti, for each request.",
		}
	case errors.As(err, &failed):
		return nil, record.Refused()
	}
	return by, err
}
