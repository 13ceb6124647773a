package assertion

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"math/big"
	"slices"
)

// Limits of a key set.
const (
	// MaxKeys is how many keys a client may have: one, and those that take its place.
	MaxKeys = 4
	// MaxSetBytes is the size of the largest key set that is read.
	MaxSetBytes  = 16 << 10
	minRSABits   = 2048
	maxRSABits   = 4096
	p256Bytes    = 32
	maxKeyIDSize = 128
)

// The algorithms.
const (
	RS256 = "RS256"
	ES256 = "ES256"
)

// KeysError says what is wrong with a key set, for whoever sends it. Problem completes the sentence that "jwks" begins.
type KeysError struct{ Problem string }

func (e *KeysError) Error() string { return "assertion: jwks " + e.Problem }

func bad(format string, args ...any) error { return &KeysError{fmt.Sprintf(format, args...)} }

// Key is a public key.
type Key struct {
	// ID is made of the key's thumbprint (RFC 7638): 16 hexadecimal digits.
	ID string
	// Name is the key's kid, maybe empty.
	Name string
	// Algorithm is RS256 or ES256, which follows from the kind of the key.
	Algorithm string

	rsa *rsa.PublicKey
	ec  *ecdsa.PublicKey
	jwk jwk
}

// Keys are the public keys of a client.
type Keys []Key

// jwk is what of a key is stored: its public part.
type jwk struct {
	Kty string `json:"kty"`
	Kid string `json:"kid,omitempty"`
	Alg string `json:"alg"`
	N   string `json:"n,omitempty"`
	E   string `json:"e,omitempty"`
	Crv string `json:"crv,omitempty"`
	X   string `json:"x,omitempty"`
	Y   string `json:"y,omitempty"`
}

// ParseKeys reads a key set: an object with keys, 1 to MaxKeys of RSA (2,048 to 4,096 bits) or of EC on P-256, public parts only. The
// error is a *KeysError.
func ParseKeys(set []byte) (Keys, error) {
	if len(set) > MaxSetBytes {
		return nil, bad("must not be larger than %d bytes", MaxSetBytes)
	}
	var outer map[string]json.RawMessage
	var list []map[string]json.RawMessage
	if json.Unmarshal(set, &outer) != nil || json.Unmarshal(outer["keys"], &list) != nil {
		return nil, bad("must be a JSON Web Key Set, an object with an array of keys")
	}
	if len(list) < 1 || len(list) > MaxKeys {
		return nil, bad("must hold 1 to %d keys", MaxKeys)
	}
	keys := make(Keys, 0, len(list))
	for i, members := range list {
		k, err := parseKey(members)
		if err != nil {
			return nil, bad("keys[%d] %s", i, err)
		}
		if slices.ContainsFunc(keys, func(o Key) bool { return o.ID == k.ID }) {
			return nil, bad("keys[%d] is there twice", i)
		}
		keys = append(keys, k)
	}
	return keys, nil
}

// Set is the key set as ParseKeys reads it.
func (ks Keys) Set() string {
	list := make([]jwk, len(ks))
	for i, k := range ks {
		list[i] = k.jwk
	}
	out, _ := json.Marshal(map[string][]jwk{"keys": list}) // strings only
	return string(out)
}

func parseKey(members map[string]json.RawMessage) (Key, error) {
	for _, private := range []string{"d", "p", "q", "dp", "dq", "qi", "oth", "k"} {
		if _, there := members[private]; there {
			return Key{}, fmt.Errorf("is private: send public keys only, and make a new pair now that this one has left your hands")
		}
	}
	var k jwk
	var use string
	for name, to := range map[string]*string{
		"kty": &k.Kty, "kid": &k.Kid, "alg": &k.Alg, "n": &k.N, "e": &k.E, "crv": &k.Crv, "x": &k.X, "y": &k.Y, "use": &use,
	} {
		if raw, there := members[name]; there && json.Unmarshal(raw, to) != nil {
			return Key{}, fmt.Errorf("has a %s that is no string", name)
		}
	}
	if use != "" && use != "sig" {
		return Key{}, fmt.Errorf("has the use %.20q; it must be sig", use)
	}
	if len(k.Kid) > maxKeyIDSize {
		return Key{}, fmt.Errorf("has a kid of more than %d bytes", maxKeyIDSize)
	}
	switch k.Kty {
	case "RSA":
		k.Crv, k.X, k.Y = "", "", ""
		return parseRSA(k)
	case "EC":
		k.N, k.E = "", ""
		return parseEC(k)
	}
	return Key{}, fmt.Errorf("has the kty %.20q; it must be RSA or EC", k.Kty)
}

func parseRSA(k jwk) (Key, error) {
	if k.Alg != "" && k.Alg != RS256 {
		return Key{}, fmt.Errorf("has the alg %.20q; for RSA it must be RS256", k.Alg)
	}
	n, okN := decode(k.N)
	e, okE := decode(k.E)
	if !okN || !okE || len(e) > 4 {
		return Key{}, fmt.Errorf("must have n and e in base64url")
	}
	modulus, exponent := new(big.Int).SetBytes(n), new(big.Int).SetBytes(e).Int64()
	if bits := modulus.BitLen(); bits < minRSABits || bits > maxRSABits || modulus.Bit(0) == 0 {
		return Key{}, fmt.Errorf("must have %d to %d bits", minRSABits, maxRSABits)
	}
	if exponent < 3 || exponent%2 == 0 || exponent > 1<<31-1 {
		return Key{}, fmt.Errorf("has an exponent that is not good; use 65537 (AQAB)")
	}
	k.Alg = RS256
	// Written anew, so that leading zeros don't give one key two thumbprints.
	k.N, k.E = encode(modulus.Bytes()), encode(big.NewInt(exponent).Bytes())
	return Key{
		ID: thumbprint(`{"e":"` + k.E + `","kty":"RSA","n":"` + k.N + `"}`), Name: k.Kid, Algorithm: RS256, jwk: k,
		rsa: &rsa.PublicKey{N: modulus, E: int(exponent)},
	}, nil
}

func parseEC(k jwk) (Key, error) {
	if k.Crv != "P-256" || k.Alg != "" && k.Alg != ES256 {
		return Key{}, fmt.Errorf("must have the crv P-256 and, if any, the alg ES256")
	}
	x, okX := decode(k.X)
	y, okY := decode(k.Y)
	if !okX || !okY || len(x) != p256Bytes || len(y) != p256Bytes {
		return Key{}, fmt.Errorf("must have x and y, %d bytes each, in base64url", p256Bytes)
	}
	public, err := ecdsa.ParseUncompressedPublicKey(elliptic.P256(), slices.Concat([]byte{4}, x, y))
	if err != nil {
		return Key{}, fmt.Errorf("is no point on P-256")
	}
	k.Alg = ES256
	return Key{
		ID: thumbprint(`{"crv":"P-256","kty":"EC","x":"` + k.X + `","y":"` + k.Y + `"}`), Name: k.Kid, Algorithm: ES256, jwk: k, ec: public,
	}, nil
}

// thumbprint shortens the thumbprint of RFC 7638, section 3, which is made of the required members in order.
func thumbprint(members string) string {
	sum := sha256.Sum256([]byte(members))
	return hex.EncodeToString(sum[:8])
}

var base64url = base64.RawURLEncoding.Strict()

// decode reads base64url, of which it takes the one form that RFC 7515, section 2, allows: no padding, no line breaks.
func decode(s string) ([]byte, bool) {
	for i := range len(s) {
		if s[i] == '\n' || s[i] == '\r' {
			return nil, false // which encoding/base64 would skip
		}
	}
	out, err := base64url.DecodeString(s)
	return out, err == nil && len(out) > 0
}

func encode(b []byte) string { return base64url.EncodeToString(b) }
