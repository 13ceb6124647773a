package query

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"time"

	"github.com/serverless-scim/serverless-scim/pkg/directory/query/cursor"
	"github.com/serverless-scim/serverless-scim/pkg/scim"
)

// CursorLife is how long a cursor is good for.
const CursorLife = time.Hour

// list is a name for the list that a query walks: the same for all of its pages, and another for any other query.
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

// sealer seals the cursors of the query.
func (l *lister) sealer() (cursor.Sealer, error) {
	return cursor.NewSealer(l.t.CursorKey, l.t.ID+"\x00"+l.list())
}

func (l *lister) seal(p cursor.Position) (string, error) {
	s, err := l.sealer()
	if err != nil {
		return "", err
	}
	return s.Seal(p, l.d.Now()), nil
}

// openCursor goes to the place that the query's cursor names. A cursor that was not given for this query of this
// tenant is a *scim.Error 400 invalidCursor; one that is too old, expiredCursor.
func (l *lister) openCursor() error {
	s, err := l.sealer()
	if err != nil {
		return err
	}
	p, issued, ok := s.Open(l.q.Cursor)
	if !ok || p.Kind >= len(l.types) {
		return scim.BadRequest(scim.InvalidCursor,
			"The cursor does not belong to this query. "+
				"Send an empty cursor for the first page, and then the nextCursor or previousCursor of a response "+
				"with the same filter, sortBy and sortOrder.")
	}
	if l.d.Now().Sub(issued) > CursorLife {
		return scim.BadRequest(scim.ExpiredCursor,
			"The cursor has expired: it is valid for %d seconds. Start again with an empty cursor.",
			int(CursorLife/time.Second))
	}
	if !p.Start {
		l.from = &p.Place
	}
	l.known = p.Total
	if p.Back {
		l.backwards()
	}
	return nil
}

// follow lets the client go on: by cursors, or by a mark at the end of this page (mark.go).
func (l *lister) follow(ctx context.Context, list *Page) error {
	total := -1
	if l.searched { // so that the following pages need not count
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
	// In the direction of the order: whether there are rows after the page's last, and before its first.
	next, previous := l.more, l.from != nil && !l.forward
	if l.back {
		next, previous = true, l.more
	}
	if len(l.rows) == 0 { // the rows that were there when the cursor was made are deleted
		var err error
		switch {
		case l.back:
			list.NextCursor, err = l.seal(cursor.Position{Start: true, Total: total})
		case l.from != nil && !l.forward:
			list.PreviousCursor, err = l.seal(cursor.Position{Start: true, Back: true, Total: total})
		}
		return err
	}
	first, last := l.rows[0].Place, l.rows[len(l.rows)-1].Place
	if l.back {
		first, last = last, first
	}
	var err error
	if next {
		if list.NextCursor, err = l.seal(cursor.Position{Place: last, Total: total}); err != nil {
			return err
		}
	}
	if previous {
		list.PreviousCursor, err = l.seal(cursor.Position{Place: first, Back: true, Total: total})
	}
	return err
}
