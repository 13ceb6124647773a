package directory

import (
	"context"
	"crypto/aes"
	"crypto/cipher"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"time"

	"github.com/serverless-scim/serverless-scim/pkg/scim"
)

// CursorLife is how long a cursor is good for.
const CursorLife = time.Hour

// A cursor (RFC 9865) says where a page ended, and nothing is kept of it here. It is sealed with the tenant's key, so that a client
// can neither read what is in it nor make one, and bound to the tenant and the query, so that it continues nothing else.

// Flags in a cursor.
const (
	cursorBack  = 1 << iota // the page before the place
	cursorTotal             // the total is in it
	cursorStart             // the place is the beginning; with cursorBack, the end
)

// cursorVersion is the first byte of what is sealed.
const cursorVersion = 1

// position is where a walk goes on.
type position struct {
	place
	start bool // at the beginning, or where back is set, at the end
	back  bool // towards the beginning
	total int  // -1: not known
}

// list is a name for the list that a query walks: what all of its pages have in common, and no other query has.
func (l *lister) list() string {
	h := sha256.New()
	for _, rt := range l.types {
		fmt.Fprintf(h, "%q", rt.ID)
	}
	filter := ""
	if l.q.Filter != nil {
		filter = l.q.Filter.String()
	}
	fmt.Fprintf(h, "%q%q%t%t", filter, l.order.by, l.order.named, l.down != l.back)
	return base64.RawURLEncoding.EncodeToString(h.Sum(nil)[:16])
}

// sealer returns what cursors of the tenant are sealed with.
func (l *lister) sealer() (cipher.AEAD, error) {
	if len(l.t.CursorKey) == 0 {
		return nil, errors.New("directory: a tenant without a key for cursors")
	}
	mac := hmac.New(sha256.New, l.t.CursorKey)
	mac.Write([]byte("cursor"))
	block, err := aes.NewCipher(mac.Sum(nil))
	if err != nil {
		return nil, err
	}
	return cipher.NewGCMWithRandomNonce(block)
}

func (l *lister) bound() []byte { return []byte(l.t.ID + "\x00" + l.list()) }

func (l *lister) seal(p position) (string, error) {
	gcm, err := l.sealer()
	if err != nil {
		return "", err
	}
	var flags byte
	if p.back {
		flags |= cursorBack
	}
	if p.start {
		flags |= cursorStart
	}
	if p.total >= 0 {
		flags |= cursorTotal
	}
	b := append(make([]byte, 0, 128), cursorVersion, flags)
	b = binary.AppendVarint(b, l.d.o.Now().Unix())
	b = binary.AppendVarint(b, int64(p.total))
	b = appendPlace(b, p.place)
	return base64.RawURLEncoding.EncodeToString(gcm.Seal(nil, nil, b, l.bound())), nil
}

// openCursor goes to the place that the query's cursor names. What it was not given by this tenant for this query is a *scim.Error 400
// invalidCursor; one that is too old, expiredCursor.
func (l *lister) openCursor() error {
	gcm, err := l.sealer()
	if err != nil {
		return err
	}
	p, issued, ok := position{}, time.Time{}, false
	if sealed, err := base64.RawURLEncoding.DecodeString(l.q.Cursor); err == nil {
		if b, err := gcm.Open(nil, nil, sealed, l.bound()); err == nil {
			p, issued, ok = decodeCursor(b)
		}
	}
	if !ok || p.kind >= len(l.types) {
		return scim.BadRequest(scim.InvalidCursor,
			"The cursor is not one that was given for this query. Send an empty cursor for the first page, and then the nextCursor or previousCursor of an answer with the same filter, sortBy and sortOrder.")
	}
	if l.d.o.Now().Sub(issued) > CursorLife {
		return scim.BadRequest(scim.ExpiredCursor, "The cursor has expired: it is good for %d seconds. Start again with an empty cursor.",
			int(CursorLife/time.Second))
	}
	if !p.start {
		l.from = &p.place
	}
	l.known = p.total
	if p.back {
		l.backwards()
	}
	return nil
}

func decodeCursor(b []byte) (p position, issued time.Time, ok bool) {
	if len(b) < 2 || b[0] != cursorVersion {
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
	p.place, ok = decodePlace(b[n+m:])
	p.back, p.start, p.total = flags&cursorBack != 0, flags&cursorStart != 0, int(total)
	if flags&cursorTotal == 0 {
		p.total = -1
	}
	return p, time.Unix(at, 0), ok
}

func appendPlace(b []byte, p place) []byte {
	b = binary.AppendUvarint(b, uint64(p.kind))
	b = binary.AppendUvarint(b, uint64(len(p.key)))
	b = append(b, p.key...)
	return append(b, p.id...)
}

func decodePlace(b []byte) (p place, ok bool) {
	kind, n := binary.Uvarint(b)
	if n <= 0 || kind > 1<<16 {
		return p, false
	}
	b = b[n:]
	size, n := binary.Uvarint(b)
	if n <= 0 || size > uint64(len(b)-n) {
		return p, false
	}
	b = b[n:]
	return place{kind: int(kind), key: string(b[:size]), id: string(b[size:])}, true
}

// follow tells the client where to go on: by cursors, or by a note of where this page ended.
func (l *lister) follow(ctx context.Context, list *List) error {
	total := -1
	if l.searched { // which the following pages are spared
		total = l.total
	}
	if !l.q.HasCursor {
		l.mark(ctx, list, total)
		return nil
	}
	list.StartIndex = 0
	if l.q.Count == 0 {
		return nil
	}
	// The page as the order has it: what lies behind its last row, and before its first.
	next, previous := l.more, l.from != nil && !l.forward
	if l.back {
		next, previous = true, l.more
	}
	if len(l.rows) == 0 { // what was there when the cursor was made is deleted
		var err error
		switch {
		case l.back:
			list.NextCursor, err = l.seal(position{start: true, total: total})
		case l.from != nil && !l.forward:
			list.PreviousCursor, err = l.seal(position{start: true, back: true, total: total})
		}
		return err
	}
	first, last := l.rows[0].place, l.rows[len(l.rows)-1].place
	if l.back {
		first, last = last, first
	}
	var err error
	if next {
		if list.NextCursor, err = l.seal(position{place: last, total: total}); err != nil {
			return err
		}
	}
	if previous {
		list.PreviousCursor, err = l.seal(position{place: first, back: true, total: total})
	}
	return err
}
