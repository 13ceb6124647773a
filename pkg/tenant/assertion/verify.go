package assertion

import (
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/json"
	"github.com/go-jose/go-jose/v4/jwt"
)

const (
	// maxBytes is the length of the longest assertion that is read.
	maxBytes = 8 << 10
	// MaxLife is the longest time until the end of an assertion.
	MaxLife = 5 * time.Minute
	// leeway is the allowed difference of clocks.
	leeway = 30 * time.Second
	maxJTI = 256
)

// ErrSignature: not an assertion, or not signed by any of the keys. It does not say which.
var ErrSignature = errors.New("assertion: not signed by a known key")

// ClaimError is a fault of an assertion whose signature is valid. Detail may be shown to the client.
type ClaimError struct{ Detail string }

func (e *ClaimError) Error() string { return "assertion: " + e.Detail }

// Claims are the claims of a good assertion.
type Claims struct {
	// ID is the jti, the same for the same assertion.
	ID      string
	Expires time.Time
	// KeyID is Key.ID of the key that signed it.
	KeyID string
}

// Subject returns the unverified claim sub of an assertion. It is for finding the keys.
func Subject(assertion string) (client string, ok bool) {
	signed, ok := parse(assertion)
	if !ok {
		return "", false
	}
	var claims struct {
		Subject string `json:"sub"`
	}
	err := json.Unmarshal(signed.UnsafePayloadWithoutVerification(), &claims)
	return claims.Subject, err == nil && claims.Subject != ""
}

// Verify checks an assertion at a time: signed by one of the keys, issued by the client about itself, for audience,
// not expired, with an end within MaxLife, and with an id (RFC 7523, section 3). The error is ErrSignature or a
// *ClaimError. The caller checks whether the id was used before.
func (ks Keys) Verify(assertion, client, audience string, now time.Time) (Claims, error) {
	signed, ok := parse(assertion)
	if !ok {
		return Claims{}, ErrSignature
	}
	header := signed.Signatures[0].Protected
	for _, k := range ks {
		if k.Algorithm != header.Algorithm || header.KeyID != "" && k.Name != "" && header.KeyID != k.Name {
			continue
		}
		payload, err := signed.Verify(k.public)
		if err != nil {
			continue
		}
		var claims jwt.Claims
		if json.Unmarshal(payload, &claims) != nil {
			return Claims{},
				&ClaimError{"A claim of the assertion has the wrong type: exp, nbf and iat are numbers of seconds, " +
					"iss, sub and jti are strings, aud is a string or an array of strings."}
		}
		c, err := check(claims, client, audience, now)
		c.KeyID = k.ID
		return c, err
	}
	return Claims{}, ErrSignature
}

// parse parses an assertion. It must have the compact form of RFC 7515, section 7.1, in its canonical encoding, a
// known algorithm, and no extensions that must be understood (section 4.1.11).
func parse(assertion string) (*jose.JSONWebSignature, bool) {
	if len(assertion) > maxBytes || strings.ContainsAny(assertion, "\r\n") { // which encoding/base64 would skip
		return nil, false
	}
	signed, err := jose.ParseSignedCompact(assertion, algorithms)
	if err != nil || len(signed.Signatures) != 1 {
		return nil, false
	}
	_, critical := signed.Signatures[0].Protected.ExtraHeaders["crit"]
	return signed, !critical
}

// check checks the claims.
func check(c jwt.Claims, client, audience string, now time.Time) (Claims, error) {
	refuse := func(detail string) (Claims, error) { return Claims{}, &ClaimError{detail} }
	switch {
	case c.Issuer != client:
		return refuse("The claim iss of the assertion must be the client id.")
	case c.Subject != client:
		return refuse("The claim sub of the assertion must be the client id.")
	case !slices.Contains(c.Audience, audience):
		return refuse("The claim aud of the assertion must be the URL of the token endpoint.")
	case c.Expiry == nil:
		return refuse("The assertion must have the claim exp, a number of seconds.")
	case !now.Before(c.Expiry.Time()):
		return refuse("The assertion has expired.")
	case c.Expiry.Time().After(now.Add(MaxLife + leeway)):
		return refuse("The claim exp of the assertion must not be more than 5 minutes in the future.")
	case c.NotBefore != nil && c.NotBefore.Time().After(now.Add(leeway)):
		return refuse("The claim nbf of the assertion must not be in the future.")
	case c.IssuedAt != nil && c.IssuedAt.Time().After(now.Add(leeway)):
		return refuse("The claim iat of the assertion must not be in the future.")
	case c.ID == "" || len(c.ID) > maxJTI:
		return refuse("The assertion must have the claim jti, an id that is used once.")
	}
	return Claims{ID: c.ID, Expires: c.Expiry.Time()}, nil
}
