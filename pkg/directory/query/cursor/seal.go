package cursor

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"time"
)

// Flags in a cursor.
const (
	flagBack  = 1 << iota // the page before the place
	flagTotal             // the total is in it
	flagStart             // the place is the beginning; with flagBack, the end
)

// version is the first byte of the sealed content.
const version = 1

// Position is the place from which a walk goes on.
type Position struct {
	Place
	Start bool // at the beginning, or if Back is set, at the end
	Back  bool // towards the beginning
	Total int  // of the results; -1: not known
}

// Sealer seals the cursors of a list and opens them.
type Sealer struct {
	gcm   cipher.AEAD
	bound []byte
}

// NewSealer returns the sealer of cursors with a tenant's key, bound to a text that stands for the tenant and the
// list. It is an error if the key is empty.
func NewSealer(key []byte, bound string) (Sealer, error) {
	if len(key) == 0 {
		return Sealer{}, errors.New("directory: a tenant without a key for cursors")
	}
	mac := hmac.New(sha256.New, key)
	mac.Write([]byte("cursor"))
	block, err := aes.NewCipher(mac.Sum(nil))
	if err != nil {
		return Sealer{}, err
	}
	gcm, err := cipher.NewGCMWithRandomNonce(block)
	return Sealer{gcm: gcm, bound: []byte(bound)}, err
}

// Seal returns a cursor that is issued now.
func (s Sealer) Seal(p Position, now time.Time) string {
	var flags byte
	if p.Back {
		flags |= flagBack
	}
	if p.Start {
		flags |= flagStart
	}
	if p.Total >= 0 {
		flags |= flagTotal
	}
	b := append(make([]byte, 0, 128), version, flags)
	b = binary.AppendVarint(b, now.Unix())
	b = binary.AppendVarint(b, int64(p.Total))
	b = AppendPlace(b, p.Place)
	return base64.RawURLEncoding.EncodeToString(s.gcm.Seal(nil, nil, b, s.bound))
}

// Open returns the content of a cursor, and when it was issued; false if it is no cursor of this list.
func (s Sealer) Open(cursor string) (p Position, issued time.Time, ok bool) {
	sealed, err := base64.RawURLEncoding.DecodeString(cursor)
	if err != nil {
		return p, issued, false
	}
	b, err := s.gcm.Open(nil, nil, sealed, s.bound)
	if err != nil {
		return p, issued, false
	}
	return decode(b)
}

func decode(b []byte) (p Position, issued time.Time, ok bool) {
	if len(b) < 2 || b[0] != version {
		return p, issued, false
	}
	flags := b[1]
	b = b[2:]
	at, n := binary.Varint(b)
	if n <= 0 {
		return p, issued, false
	}
	total, m := binary.Varint(b[n:])
	if m <= 0 {
		return p, issued, false
	}
	p.Place, ok = DecodePlace(b[n+m:])
	p.Back, p.Start, p.Total = flags&flagBack != 0, flags&flagStart != 0, int(total)
	if flags&flagTotal == 0 {
		p.Total = -1
	}
	return p, time.Unix(at, 0), ok
}
