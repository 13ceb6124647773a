package assertion

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rsa"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/json"
)

// Limits of a key set.
const (
	// MaxKeys is the number of keys that a client may have: one, and its successors.
	MaxKeys = 4
	// MaxSetBytes is the size of the largest key set that is read.
	MaxSetBytes  = 16 << 10
	minRSABits   = 2048
	maxRSABits   = 4096
	maxKeyIDSize = 128
)

// The algorithms.
const (
	RS256 = string(jose.RS256)
	ES256 = string(jose.ES256)
)

var algorithms = []jose.SignatureAlgorithm{jose.RS256, jose.ES256}

// KeysError is a fault of a key set, for its sender. Problem completes the sentence that "jwks" begins.
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

	// public is *rsa.PublicKey or *ecdsa.PublicKey. The type says neither, nor names one of go-jose: records that hold
	// keys are encoded by reflection, which would link all methods of such a type into functions that verify nothing.
	public crypto.PublicKey
}

// Keys are the public keys of a client.
type Keys []Key

// AcceptKeys reads a key set that a client sends, as ParseKeys does, and refuses RSA keys that anybody could forge
// signatures for, or with a smaller exponent than FIPS 186-5 allows. The error is a *KeysError.
func AcceptKeys(set []byte) (Keys, error) {
	keys, err := ParseKeys(set)
	if err != nil {
		return nil, err
	}
	for i, k := range keys {
		public, isRSA := k.public.(*rsa.PublicKey)
		if isRSA && public.E < 65537 {
			return nil, bad("keys[%d] has an unsafe exponent; use 65537 (AQAB)", i)
		}
		if isRSA && weak(public.N) {
			return nil, bad("keys[%d] has a modulus that can be factored; generate a new pair of keys", i)
		}
	}
	return keys, nil
}

// ParseKeys reads a key set: an object with keys, 1 to MaxKeys of RSA (2,048 to 4,096 bits) or of EC on P-256, public
// parts only. It is for sets that AcceptKeys took once. The error is a *KeysError.
func ParseKeys(set []byte) (Keys, error) {
	if len(set) > MaxSetBytes {
		return nil, bad("must not be larger than %d bytes", MaxSetBytes)
	}
	var outer struct {
		Keys []map[string]json.RawMessage `json:"keys"`
	}
	if json.Unmarshal(set, &outer) != nil {
		return nil, bad("must be a JSON Web Key Set, an object with an array of keys")
	}
	if len(outer.Keys) < 1 || len(outer.Keys) > MaxKeys {
		return nil, bad("must hold 1 to %d keys", MaxKeys)
	}
	keys := make(Keys, 0, len(outer.Keys))
	for i, members := range outer.Keys {
		k, err := parseKey(members)
		if err != nil {
			return nil, bad("keys[%d] %s", i, err)
		}
		if slices.ContainsFunc(keys, func(o Key) bool { return o.ID == k.ID }) {
			return nil, bad("keys[%d] is a duplicate", i)
		}
		keys = append(keys, k)
	}
	return keys, nil
}

// Set returns the key set as ParseKeys reads it.
func (ks Keys) Set() string {
	var set jose.JSONWebKeySet
	for _, k := range ks {
		set.Keys = append(set.Keys, jose.JSONWebKey{Key: k.public, KeyID: k.Name, Algorithm: k.Algorithm})
	}
	out, _ := json.Marshal(set) // it consists of public keys that were read
	return string(out)
}

// textMembers are the members of a JSON Web Key that are read. Certificates are not: nobody vouches for a client's key
// but the operator who registers it.
var textMembers = []string{"kty", "kid", "alg", "use", "n", "e", "crv", "x", "y"}

func parseKey(members map[string]json.RawMessage) (Key, error) {
	for _, private := range []string{"d", "p", "q", "dp", "dq", "qi", "oth", "k", "priv"} {
		if _, there := members[private]; there {
			return Key{}, errors.New("is a private key: generate a new pair, because this one is exposed, " +
				"and send only its public key")
		}
	}
	texts := map[string]string{}
	for _, name := range textMembers {
		raw, there := members[name]
		if !there {
			continue
		}
		var text string
		if len(raw) == 0 || raw[0] != '"' || json.Unmarshal(raw, &text) != nil {
			return Key{}, fmt.Errorf("has a %s that is not a string", name)
		}
		texts[name] = text
	}
	if use := texts["use"]; use != "" && use != "sig" {
		return Key{}, fmt.Errorf("has the use %.20q, but it must be sig", use)
	}
	if len(texts["kid"]) > maxKeyIDSize {
		return Key{}, fmt.Errorf("has a kid of more than %d bytes", maxKeyIDSize)
	}
	if kty := texts["kty"]; kty != "RSA" && kty != "EC" {
		return Key{}, fmt.Errorf("has the kty %.20q, but it must be RSA or EC", kty)
	}
	raw, err := json.Marshal(texts)
	if err != nil {
		return Key{}, errors.New("is not a JSON Web Key")
	}
	var k jose.JSONWebKey
	if json.Unmarshal(raw, &k) != nil {
		if texts["kty"] == "EC" {
			return Key{}, errors.New(
				"must have the crv P-256, and x and y, 32 bytes each in base64url, must be a point on it")
		}
		return Key{}, errors.New("must have n and e in base64url")
	}
	return checked(k)
}

// checked checks a key, and keeps its public members only.
func checked(k jose.JSONWebKey) (Key, error) {
	algorithm := ES256
	switch public := k.Key.(type) {
	case *rsa.PublicKey:
		algorithm = RS256
		if bits := public.N.BitLen(); bits < minRSABits || bits > maxRSABits {
			return Key{}, fmt.Errorf("must have %d to %d bits", minRSABits, maxRSABits)
		}
		if public.N.Bit(0) == 0 {
			return Key{}, errors.New("has an even modulus; generate a new pair of keys")
		}
		if public.E < 3 || public.E%2 == 0 || public.E > 1<<31-1 {
			return Key{}, errors.New("has an unsafe exponent; use 65537 (AQAB)")
		}
	case *ecdsa.PublicKey:
		if public.Curve != elliptic.P256() {
			return Key{}, errors.New("must have the crv P-256")
		}
	}
	if k.Algorithm != "" && k.Algorithm != algorithm {
		return Key{}, fmt.Errorf("has the alg %.20q; for a key of its kind it must be %s", k.Algorithm, algorithm)
	}
	k = jose.JSONWebKey{Key: k.Key, KeyID: k.KeyID, Algorithm: algorithm}
	sum, err := k.Thumbprint(crypto.SHA256)
	if err != nil {
		return Key{}, errors.New("has no thumbprint")
	}
	return Key{ID: hex.EncodeToString(sum[:8]), Name: k.KeyID, Algorithm: algorithm, public: k.Key}, nil
}
