package membershipid

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"errors"

	"github.com/google/uuid"
)

// IDs creates and reads the ids of the memberships of a tenant. It is safe for concurrent use.
type IDs struct {
	block cipher.Block
	mac   []byte // key of the digest
	bound string // included in the digest beside the content
}

// New returns the IDs of the tenant with this id, whose ids of memberships are sealed with key. It is an error if that
// is empty.
func New(key []byte, tenantID string) (IDs, error) {
	if len(key) == 0 {
		return IDs{}, errors.New("directory: a tenant without a key for ids of memberships")
	}
	derive := func(use string) []byte {
		h := hmac.New(sha256.New, key)
		h.Write([]byte(use))
		return h.Sum(nil)
	}
	block, err := aes.NewCipher(derive("membership, sealed"))
	return IDs{block: block, mac: derive("membership, digest"), bound: tenantID}, err
}

// maxLength is the length from which an id is refused unread. A valid id is shorter.
const maxLength = 1024

// First byte of the sealed content: which of the two parts are UUIDs, in 16 bytes.
const (
	uuidGroup = 1 << iota
	uuidMember
)

// Of returns the id of the membership of a member, by the value that names it, in a group. It is URL-safe, and the same
// every time.
func (ids IDs) Of(groupID, value string) string {
	group, isGroup := compact(groupID)
	member, isMember := compact(value)
	var flags byte
	if isGroup {
		flags |= uuidGroup
	}
	if isMember {
		flags |= uuidMember
	}
	content := make([]byte, 0, 2+len(group)+len(member))
	content = append(content, flags, byte(len(group)))
	content = append(append(content, group...), member...)
	nonce := ids.digest(content)
	sealed := make([]byte, len(nonce)+len(content))
	copy(sealed, nonce)
	cipher.NewCTR(ids.block, nonce).XORKeyStream(sealed[len(nonce):], content)
	return base64.RawURLEncoding.EncodeToString(sealed)
}

func (ids IDs) digest(content []byte) []byte {
	h := hmac.New(sha256.New, ids.mac)
	h.Write([]byte(ids.bound))
	h.Write([]byte{0})
	h.Write(content)
	return h.Sum(nil)[:aes.BlockSize]
}

// Read returns the group and the member of an id; false if it is no id of this tenant.
func (ids IDs) Read(id string) (groupID, value string, ok bool) {
	if len(id) > maxLength {
		return "", "", false
	}
	sealed, err := base64.RawURLEncoding.Strict().DecodeString(id)
	if err != nil || len(sealed) < aes.BlockSize+2 {
		return "", "", false
	}
	nonce, content := sealed[:aes.BlockSize], make([]byte, len(sealed)-aes.BlockSize)
	cipher.NewCTR(ids.block, nonce).XORKeyStream(content, sealed[aes.BlockSize:])
	behind := 2 + int(content[1])
	if !hmac.Equal(nonce, ids.digest(content)) || behind > len(content) {
		return "", "", false
	}
	group, member := content[2:behind], content[behind:]
	return expand(group, content[0]&uuidGroup != 0), expand(member, content[0]&uuidMember != 0), true
}

// compact returns the 16 bytes of a UUID in its usual spelling, of any other text the text.
func compact(s string) (b []byte, isUUID bool) {
	if u, err := uuid.Parse(s); err == nil && u.String() == s {
		return u[:], true
	}
	return []byte(s), false
}

func expand(b []byte, isUUID bool) string {
	if u, err := uuid.FromBytes(b); err == nil && isUUID {
		return u.String()
	}
	return string(b)
}
