package directory

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"errors"

	"github.com/google/uuid"
)

// The id of a membership is made of the group's id and the member's value, so that it is found without a search and nothing is kept for
// it. It is sealed with the tenant's key, as the value may be a person's name and ids stand in logs, and so that an id of one tenant is none
// of another. The same membership always has the same id: the nonce is a keyed digest of what is sealed, which also authenticates it.

// membershipIDs makes and reads the ids of the memberships of a tenant.
type membershipIDs struct {
	block cipher.Block
	mac   []byte // key of the digest
	bound string // what the digest includes beside the content
}

func (t Tenant) membershipIDs() (membershipIDs, error) {
	if len(t.CursorKey) == 0 {
		return membershipIDs{}, errors.New("directory: a tenant without a key for ids of memberships")
	}
	key := func(use string) []byte {
		h := hmac.New(sha256.New, t.CursorKey)
		h.Write([]byte(use))
		return h.Sum(nil)
	}
	block, err := aes.NewCipher(key("membership, sealed"))
	return membershipIDs{block: block, mac: key("membership, digest"), bound: t.ID}, err
}

// maxMembershipID bounds the ids that are looked into; none is that long.
const maxMembershipID = 1024

// First byte of what is sealed: which of the two parts are UUIDs, in 16 bytes.
const (
	uuidGroup = 1 << iota
	uuidMember
)

// of returns the id of a membership, URL-safe.
func (ids membershipIDs) of(groupID, value string) string {
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

func (ids membershipIDs) digest(content []byte) []byte {
	h := hmac.New(sha256.New, ids.mac)
	h.Write([]byte(ids.bound))
	h.Write([]byte{0})
	h.Write(content)
	return h.Sum(nil)[:aes.BlockSize]
}

// read returns the group and the member of an id; false for what is no id of this tenant.
func (ids membershipIDs) read(id string) (groupID, value string, ok bool) {
	if len(id) > maxMembershipID {
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
