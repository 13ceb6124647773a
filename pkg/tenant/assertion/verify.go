package assertion

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"math/big"
	"slices"
	"strings"
	"time"
)

const (
	// MaxBytes is the length of the longest assertion that is read.
	MaxBytes = 8 << 10
	// MaxLife is how far ahead the end of an assertion may be.
	MaxLife = 5 * time.Minute
	// leeway is by how much clocks may differ.
	leeway = 30 * time.Second
	maxJTI = 256
)

// ErrSignature: not an assertion, or not signed by any of the keys. It does not say which.
var ErrSignature = errors.New("assertion: not signed by a known key")

// ClaimError is what is wrong with an assertion whose signature is good. Detail may be shown to the client.
type ClaimError struct{ Detail string }

func (e *ClaimError) Error() string { return "assertion: " + e.Detail }

// Claims are what a good assertion says.
type Claims struct {
	// ID is the jti: the same assertion again has it again.
	ID      string
	Expires time.Time
	// KeyID is Key.ID of the key that signed it.
	KeyID string
}

// parts are an assertion taken apart.
type parts struct {
	algorithm, key string // of the header; key may be empty
	signed         string
	signature      []byte
	claims         map[string]json.RawMessage
}

// Subject returns whom an assertion is about, nothing of it verified: it is for finding the keys.
func Subject(assertion string) (client string, ok bool) {
	p, ok := split(assertion)
	if !ok {
		return "", false
	}
	client, ok = text(p.claims["sub"])
	return client, ok && client != ""
}

// Verify checks an assertion at a time: signed by one of the keys, issued by the client about itself, for audience, not ended, with an
// end within MaxLife, and with an id (RFC 7523, section 3). The error is ErrSignature or a *ClaimError. Whether the id was seen
// before is the caller's to know.
func (ks Keys) Verify(assertion, client, audience string, now time.Time) (Claims, error) {
	p, ok := split(assertion)
	if !ok {
		return Claims{}, ErrSignature
	}
	i := slices.IndexFunc(ks, func(k Key) bool {
		return k.Algorithm == p.algorithm && (p.key == "" || k.Name == "" || p.key == k.Name) && k.verify(p.signed, p.signature)
	})
	if i < 0 {
		return Claims{}, ErrSignature
	}
	c, err := p.check(client, audience, now)
	c.KeyID = ks[i].ID
	return c, err
}

func (k Key) verify(signed string, signature []byte) bool {
	sum := sha256.Sum256([]byte(signed))
	if k.rsa != nil {
		return rsa.VerifyPKCS1v15(k.rsa, crypto.SHA256, sum[:], signature) == nil
	}
	// RFC 7518, section 3.4: the two numbers one behind the other, not ASN.1.
	if len(signature) != 2*p256Bytes {
		return false
	}
	r, s := new(big.Int).SetBytes(signature[:p256Bytes]), new(big.Int).SetBytes(signature[p256Bytes:])
	return ecdsa.Verify(k.ec, sum[:], r, s)
}

// split takes an assertion apart: three parts of base64url, of which two are JSON objects (RFC 7515, section 3.1).
func split(assertion string) (parts, bool) {
	if len(assertion) > MaxBytes {
		return parts{}, false
	}
	fields := strings.Split(assertion, ".")
	if len(fields) != 3 {
		return parts{}, false
	}
	p := parts{signed: fields[0] + "." + fields[1]}
	var header map[string]json.RawMessage
	var ok bool
	if !object(fields[0], &header) || !object(fields[1], &p.claims) {
		return parts{}, false
	}
	if p.signature, ok = decode(fields[2]); !ok {
		return parts{}, false
	}
	if _, critical := header["crit"]; critical {
		return parts{}, false // there is no extension that is known here (RFC 7515, section 4.1.11)
	}
	if p.algorithm, ok = text(header["alg"]); !ok {
		return parts{}, false
	}
	if raw, there := header["kid"]; there {
		if p.key, ok = text(raw); !ok {
			return parts{}, false
		}
	}
	return p, true
}

func object(field string, to *map[string]json.RawMessage) bool {
	raw, ok := decode(field)
	return ok && json.Unmarshal(raw, to) == nil && *to != nil
}

func text(raw json.RawMessage) (s string, ok bool) {
	return s, len(raw) > 0 && raw[0] == '"' && json.Unmarshal(raw, &s) == nil
}

// check checks the claims.
func (p parts) check(client, audience string, now time.Time) (Claims, error) {
	refuse := func(detail string) (Claims, error) { return Claims{}, &ClaimError{detail} }
	for _, name := range []string{"iss", "sub"} {
		if value, ok := text(p.claims[name]); !ok || value != client {
			return refuse("The claim " + name + " of the assertion must be the client id.")
		}
	}
	if !p.isFor(audience) {
		return refuse("The claim aud of the assertion must be the URL of the token endpoint.")
	}
	exp, ok := moment(p.claims["exp"])
	switch {
	case !ok:
		return refuse("The assertion must have the claim exp, a number of seconds.")
	case !now.Before(exp):
		return refuse("The assertion has expired.")
	case exp.After(now.Add(MaxLife + leeway)):
		return refuse("The claim exp of the assertion may be 5 minutes ahead at most.")
	}
	for _, name := range []string{"nbf", "iat"} {
		raw, there := p.claims[name]
		if !there {
			continue
		}
		if at, ok := moment(raw); !ok || at.After(now.Add(leeway)) {
			return refuse("The claim " + name + " of the assertion is not in the past.")
		}
	}
	id, ok := text(p.claims["jti"])
	if !ok || id == "" || len(id) > maxJTI {
		return refuse("The assertion must have the claim jti, an id that is used once.")
	}
	return Claims{ID: id, Expires: exp}, nil
}

// isFor reports whether aud, a string or an array of them, names the audience.
func (p parts) isFor(audience string) bool {
	if one, ok := text(p.claims["aud"]); ok {
		return one == audience
	}
	var many []string
	return json.Unmarshal(p.claims["aud"], &many) == nil && slices.Contains(many, audience)
}

// moment reads a NumericDate (RFC 7519, section 2): seconds, maybe with a fraction, which is cut off.
func moment(raw json.RawMessage) (time.Time, bool) {
	var seconds float64
	raw = bytes.TrimSpace(raw)
	if len(raw) == 0 || raw[0] == '"' || raw[0] == 'n' || json.Unmarshal(raw, &seconds) != nil || seconds < 0 || seconds > 1<<40 {
		return time.Time{}, false
	}
	return time.Unix(int64(seconds), 0), true
}
