package record

import (
	"crypto/rand"
	"crypto/sha256"
	"hash/crc32"
	"slices"
	"strings"
	"time"

	"github.com/serverless-scim/serverless-scim/pkg/notice"
	"github.com/serverless-scim/serverless-scim/pkg/tenant/internal/rotation"
)

// Scope is a right that a token gives.
type Scope = rotation.Scope

// The scopes. A token without a choice has both.
const (
	ScopeRead  = rotation.ScopeRead
	ScopeWrite = rotation.ScopeWrite
)

// TokenState is the state of a token at a moment.
type TokenState = rotation.TokenState

// The states. The first two authenticate.
const (
	// TokenActive is the only live token, or the older of two.
	TokenActive = rotation.TokenActive
	// TokenSuccessor is the newest of several live tokens.
	TokenSuccessor = rotation.TokenSuccessor
	TokenExpired   = rotation.TokenExpired
	TokenRevoked   = rotation.TokenRevoked
)

// Token is a bearer token without its value.
type Token struct {
	ID     string
	State  TokenState
	Scopes []Scope
	// CreatedAt and ExpiresAt are whole seconds. The token is not good from ExpiresAt on; zero is never.
	CreatedAt time.Time
	ExpiresAt time.Time
	// FirstUsedAt is zero if the token was never used.
	FirstUsedAt time.Time
	// LastUsedAt is zero if the token was never used, or if the caller did not request it. It may lag by some minutes.
	LastUsedAt time.Time
}

// CanRead reports whether the token may read.
func (t Token) CanRead() bool { return slices.Contains(t.Scopes, ScopeRead) }

// CanWrite reports whether the token may change anything.
func (t Token) CanWrite() bool { return slices.Contains(t.Scopes, ScopeWrite) }

// The form of a token's value: scim_<id>_<secret>_<checksum>. By its own prefix, a long random part and a checksum,
// scanners find a leaked token without false alarms, and a mistyped token is refused before anything is read.
const (
	prefix         = "scim_"
	base62         = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
	Base36         = "0123456789abcdefghijklmnopqrstuvwxyz"
	TokenIDLength  = 16 // 82 bits, so that ids never collide
	minTokenID     = 12
	maxTokenID     = 32
	secretLength   = 43 // 256 bits
	checksumLength = 6  // 62^6 > 2^32
)

// Digest is the SHA-256 of a whole token. A random 256-bit value needs neither salt nor a slow hash.
type Digest [sha256.Size]byte

// DigestOf returns the digest of a token's value.
func DigestOf(value string) Digest { return sha256.Sum256([]byte(value)) }

// Mint creates a new token from the operating system's random source, with an id or, if that is empty, a random one.
func Mint(id string) (_, value string) {
	if id == "" {
		id = Random(Base36, TokenIDLength)
	}
	body := prefix + id + "_" + Random(base62, secretLength)
	return id, body + "_" + checksum(body)
}

// ValidTokenID reports whether a new token may have the id.
func ValidTokenID(id string) bool { return len(id) == TokenIDLength && made(id, Base36) }

// CheckScopes checks the scopes that a request chooses: nil, or at least one, each of them once.
func CheckScopes(scopes []Scope) error {
	if scopes != nil && len(scopes) == 0 {
		return Invalid("scopes", "must be read, write or both")
	}
	for i, scope := range scopes {
		if scope != ScopeRead && scope != ScopeWrite || slices.Contains(scopes[:i], scope) {
			return Invalid("scopes", "must be read, write or both, without duplicates")
		}
	}
	return nil
}

// Random returns n characters of an alphabet, each equally likely: bytes that would favour the first letters are
// discarded.
func Random(alphabet string, n int) string {
	limit := 256 - 256%len(alphabet)
	out := make([]byte, 0, n)
	buf := make([]byte, n+n/8+4)
	for len(out) < n {
		rand.Read(buf) // never fails: it ends the program instead
		for _, b := range buf {
			if int(b) < limit && len(out) < n {
				out = append(out, alphabet[int(b)%len(alphabet)])
			}
		}
	}
	return string(out)
}

// checksum returns the CRC-32 (IEEE) of s in base 62: 6 digits, most significant first.
func checksum(s string) string {
	n := crc32.ChecksumIEEE([]byte(s))
	var out [checksumLength]byte
	for i := len(out) - 1; i >= 0; i-- {
		out[i] = base62[n%62]
		n /= 62
	}
	return string(out[:])
}

// ParseToken parses a token's value. ok says that its form and checksum are right; the token need not exist.
func ParseToken(value string) (id string, ok bool) {
	if len(value) > len(prefix)+maxTokenID+secretLength+checksumLength+2 {
		return "", false
	}
	rest, found := strings.CutPrefix(value, prefix)
	if !found {
		return "", false
	}
	id, rest, _ = strings.Cut(rest, "_")
	secret, sum, _ := strings.Cut(rest, "_")
	switch {
	case len(id) < minTokenID || len(id) > maxTokenID || !made(id, Base36),
		len(secret) != secretLength || !made(secret, base62),
		sum != checksum(value[:len(value)-min(len(value), len(sum)+1)]):
		return "", false
	}
	return id, true
}

// made reports whether s consists of characters of the alphabet.
func made(s, alphabet string) bool {
	return !strings.ContainsFunc(s, func(r rune) bool { return !strings.ContainsRune(alphabet, r) })
}

// Bearer is a bearer token as a request presents it, with its digest: a request hashes its token once.
type Bearer struct {
	Value  string
	Digest Digest
}

// ReadBearer finds the token in the value of an Authorization header as received.
func ReadBearer(authorization string) Bearer {
	value := bearer(authorization)
	return Bearer{value, DigestOf(value)}
}

// bearer finds the token in the value of an Authorization header: after the scheme Bearer in any case (RFC 7235,
// section 2.1), or alone, as Okta sends it in its header mode. Empty if there is none.
func bearer(authorization string) string {
	fields := strings.Fields(authorization)
	switch {
	case len(fields) == 1:
		return fields[0]
	case len(fields) == 2 && strings.EqualFold(fields[0], "Bearer"):
		return fields[1]
	}
	return ""
}

// ForText returns the facts about a token that the text of a notice needs.
func (t Token) ForText() notice.Token {
	return notice.Token{
		ID: t.ID, CreatedAt: t.CreatedAt, ExpiresAt: t.ExpiresAt, FirstUsedAt: t.FirstUsedAt, LastUsedAt: t.LastUsedAt,
	}
}

// Same reports whether two tokens have the same id and scopes.
func (t *Token) Same(u *Token) bool { return t.ID == u.ID && slices.Equal(t.Scopes, u.Scopes) }
