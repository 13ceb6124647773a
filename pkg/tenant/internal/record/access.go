package record

import (
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"slices"
	"strings"
	"time"
)

// An access token of an OAuth client has its rights in it and is sealed with a key of the tenant. So a grant writes
// nothing, and a check reads the tenant only: its item decides whether the client and the credential of the grant
// still exist. The value of the token is accessPrefix and, in base64url, accessBody and an HMAC-SHA256 of it:
//
//	0   1  version, 1
//	1   1  scopes: 1 read, 2 write
//	2   8  end, Unix seconds, big endian
//	10  18 client id
//	28  16 credential id
//	44  32 HMAC
const (
	accessPrefix  = "scim_at_"
	accessVersion = 1
	accessBody    = 10 + len(TenantClient) + clientIDLength + TokenIDLength
	// accessLife is the lifetime of an access token, unless its credential ends before.
	accessLife = time.Hour
)

// Access is a parsed access token; nothing of it is verified yet.
type Access struct {
	Body, MAC  []byte
	Scopes     []Scope
	Expires    int64
	Client     string
	Credential string
}

// AccessToken is an access token as it is granted.
type AccessToken struct {
	Value  string
	Scopes []Scope
	// ExpiresAt and ExpiresIn are whole seconds.
	ExpiresAt time.Time
	ExpiresIn time.Duration
}

var accessEncoding = base64.RawURLEncoding.Strict()

// accessKey returns the key that seals a tenant's access tokens.
func (r *Record) accessKey() []byte {
	key, err := hkdf.Key(sha256.New, r.Key, nil, "oauth access token", keyBytes)
	if err != nil {
		panic(err) // 32 bytes are always to be had
	}
	return key
}

// Seal returns the HMAC of a body with the tenant's key. It covers the tenant's id as well.
func (r *Record) Seal(tenantID string, body []byte) []byte {
	h := hmac.New(sha256.New, r.accessKey())
	h.Write([]byte(tenantID))
	h.Write([]byte{0})
	h.Write(body)
	return h.Sum(nil)
}

// Grant creates an access token of a client and one of its credentials.
func (r *Record) Grant(tenantID string, c *ClientRecord, by *Credential, scopes []Scope, now time.Time) AccessToken {
	end := now.Add(accessLife).Unix()
	if by.Expires != 0 {
		end = min(end, by.Expires)
	}
	body := make([]byte, 2, accessBody+sha256.Size)
	body[0], body[1] = accessVersion, scopeBits(scopes)
	body = binary.BigEndian.AppendUint64(body, uint64(end))
	body = append(append(body, c.ID...), by.ID...)
	body = append(body, r.Seal(tenantID, body)...)
	return AccessToken{
		Value: accessPrefix + accessEncoding.EncodeToString(body), Scopes: scopes, ExpiresAt: Unix(end),
		ExpiresIn: time.Duration(end-now.Unix()) * time.Second,
	}
}

func scopeBits(scopes []Scope) (bits byte) {
	if slices.Contains(scopes, ScopeRead) {
		bits |= 1
	}
	if slices.Contains(scopes, ScopeWrite) {
		bits |= 2
	}
	return bits
}

// ParseAccess parses an access token. ok says that it has the form of one, not that it is valid.
func ParseAccess(value string) (a Access, ok bool) {
	text, found := strings.CutPrefix(value, accessPrefix)
	if !found || len(text) != accessEncoding.EncodedLen(accessBody+sha256.Size) || strings.ContainsAny(text, "\r\n") {
		return Access{}, false
	}
	raw, err := accessEncoding.DecodeString(text)
	if err != nil || raw[0] != accessVersion {
		return Access{}, false
	}
	a = Access{
		Body: raw[:accessBody], MAC: raw[accessBody:],
		Expires: int64(binary.BigEndian.Uint64(raw[2:10]) & (1<<62 - 1)),
	}
	a.Client, a.Credential = string(raw[10:10+len(TenantClient)+clientIDLength]),
		string(raw[accessBody-TokenIDLength:accessBody])
	if raw[1]&1 != 0 {
		a.Scopes = append(a.Scopes, ScopeRead)
	}
	if raw[1]&2 != 0 {
		a.Scopes = append(a.Scopes, ScopeWrite)
	}
	return a, ValidClientID(a.Client)
}
