package tenant

import (
	"context"
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/serverless-scim/serverless-scim/pkg/store"
)

// An access token of an OAuth client says what it is good for and is sealed with a key of the tenant's, so that nothing
// is written to grant one, and nothing more is read to check one than the tenant: whether the client and the credential
// that it was granted for are still there, that item decides. Its value is accessPrefix and, in base64url, accessBody
// and an HMAC-SHA256 of it:
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
	accessBody    = 10 + len(tenantClient) + clientIDLength + tokenIDLength
	// accessLife is how long an access token is good, unless its credential ends before.
	accessLife = time.Hour
)

// access is an access token taken apart; nothing of it is verified yet.
type access struct {
	body, mac  []byte
	scopes     []Scope
	expires    int64
	client     string
	credential string
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

// accessKey is what a tenant's access tokens are sealed with.
func (r *record) accessKey() []byte {
	key, err := hkdf.Key(sha256.New, r.Key, nil, "oauth access token", keyBytes)
	if err != nil {
		panic(err) // 32 bytes are always to be had
	}
	return key
}

// seal is the HMAC. The tenant's id is in it beside the key.
func (r *record) seal(tenantID string, body []byte) []byte {
	h := hmac.New(sha256.New, r.accessKey())
	h.Write([]byte(tenantID))
	h.Write([]byte{0})
	h.Write(body)
	return h.Sum(nil)
}

// grant makes an access token of a client and one of its credentials.
func (r *record) grant(tenantID string, c *clientRecord, by *credential, scopes []Scope, now time.Time) AccessToken {
	end := now.Add(accessLife).Unix()
	if by.Expires != 0 {
		end = min(end, by.Expires)
	}
	body := make([]byte, 2, accessBody+sha256.Size)
	body[0], body[1] = accessVersion, scopeBits(scopes)
	body = binary.BigEndian.AppendUint64(body, uint64(end))
	body = append(append(body, c.ID...), by.ID...)
	body = append(body, r.seal(tenantID, body)...)
	return AccessToken{
		Value: accessPrefix + accessEncoding.EncodeToString(body), Scopes: scopes, ExpiresAt: unix(end),
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

// parseAccess takes an access token apart. ok says that it has the shape of one, not that it is any good.
func parseAccess(value string) (a access, ok bool) {
	text, found := strings.CutPrefix(value, accessPrefix)
	if !found || len(text) != accessEncoding.EncodedLen(accessBody+sha256.Size) || strings.ContainsAny(text, "\r\n") {
		return access{}, false
	}
	raw, err := accessEncoding.DecodeString(text)
	if err != nil || raw[0] != accessVersion {
		return access{}, false
	}
	a = access{
		body: raw[:accessBody], mac: raw[accessBody:],
		expires: int64(binary.BigEndian.Uint64(raw[2:10]) & (1<<62 - 1)),
	}
	a.client, a.credential = string(raw[10:10+len(tenantClient)+clientIDLength]),
		string(raw[accessBody-tokenIDLength:accessBody])
	if raw[1]&1 != 0 {
		a.scopes = append(a.scopes, ScopeRead)
	}
	if raw[1]&2 != 0 {
		a.scopes = append(a.scopes, ScopeWrite)
	}
	return a, validClientID(a.client)
}

// authenticateAccess is Authenticate for an access token: by one read of the tenant and, for a client of the
// operator's, of that client in the same call. The token that it returns has the id of the client.
func (s *Service) authenticateAccess(ctx context.Context, tenantID string, a access) (Tenant, Token, error) {
	if !validID(tenantID) {
		return Tenant{}, Token{}, unauthorized()
	}
	keys := []store.Key{store.KeysOf(tenantID).Tenant()}
	if ofOperator(a.client) {
		keys = append(keys, store.OperatorClient(a.client))
	}
	items, err := s.store.Get(ctx, keys...)
	if err != nil {
		return Tenant{}, Token{}, err
	}
	r, err := s.known(items[0])
	if errors.Is(err, ErrNotFound) {
		return Tenant{}, Token{}, unauthorized()
	}
	if err != nil {
		return Tenant{}, Token{}, err
	}
	now := s.o.Now()
	if r.state != active || !hmac.Equal(a.mac, r.seal(tenantID, a.body)) {
		return Tenant{}, Token{}, unauthorized()
	}
	client := r.client(a.client)
	if len(items) > 1 && slices.Contains(r.Settings.OAuth.Clients, a.client) {
		c, _, err := decodeClient(items[1])
		if err != nil && !errors.Is(err, ErrNotFound) {
			return Tenant{}, Token{}, err
		}
		client = &c.clientRecord
	}
	if client == nil || client.credential(a.credential) == nil {
		return Tenant{}, Token{}, unauthorized()
	}
	if now.Unix() >= a.expires {
		return Tenant{}, Token{}, &UnauthorizedError{Detail: "The access token expired on " +
			unix(a.expires).Format(time.RFC3339) + ". Request a new one from the token endpoint."}
	}
	if r.Off {
		return Tenant{}, Token{}, &SwitchedOffError{TenantID: tenantID}
	}
	allowed := slices.DeleteFunc(a.scopes, func(scope Scope) bool { return !slices.Contains(client.scopes(), scope) })
	return r.tenant(tenantID, now), Token{ID: a.client, State: TokenActive, Scopes: allowed, ExpiresAt: unix(a.expires)},
		nil
}
