package boltstore

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"strings"

	"go.etcd.io/bbolt"
	bolterrors "go.etcd.io/bbolt/errors"

	"github.com/serverless-scim/serverless-scim/pkg/store"
)

// Get is store.Engine.Get. All items are from one moment.
func (e *Engine) Get(ctx context.Context, keys []store.Key) (items []store.Item, unread []int, err error) {
	if err := store.ValidateGet(keys); err != nil {
		return nil, nil, err
	}
	cost := store.Cost{Calls: 1}
	err = e.view(ctx, func(b *bbolt.Bucket) error {
		items = make([]store.Item, len(keys))
		c, total := b.Cursor(), 0
		var key []byte
		for i, k := range keys {
			items[i].Key = k
			key = appendKey(key[:0], k.PK, k.SK)
			raw := seek(c, key)
			if total += itemSize(raw); total > store.MaxGetBytes {
				unread = append(unread, i)
				continue
			}
			cost.ReadUnits += store.ReadUnits(itemSize(raw))
			attrs, err := decodeItem(raw)
			if err != nil {
				return err
			}
			items[i].Attrs = attrs
		}
		return nil
	})
	if err != nil {
		return nil, nil, err
	}
	store.Charge(ctx, cost)
	return items, unread, nil
}

// Query is store.Engine.Query.
func (e *Engine) Query(ctx context.Context, q store.Query) (store.Page, error) {
	if err := store.ValidateQuery(q); err != nil {
		return store.Page{}, err
	}
	var page store.Page
	size := 0
	err := e.view(ctx, func(b *bbolt.Bucket) error {
		r := newSKRange(q)
		if q.Select != store.CountOnly && q.Limit > 0 {
			page.Items = make([]store.Item, 0, min(q.Limit, mostRoom))
		}
		c := b.Cursor()
		rows := rows{names: q.Texts}
		var last []byte // the sort key of the last item of the page
		for k, v := r.first(c); k != nil && r.contains(k); k, v = r.next(c) {
			if page.More = size >= store.MaxPageBytes; page.More {
				break
			}
			last = k[r.skAt:]
			var err error
			if q.Select == store.Texts {
				page.Count++
				err = rows.add(last, v)
			} else {
				err = add(&page, q, last, v)
			}
			if err != nil {
				return err
			}
			size += itemSize(v)
			if page.More = page.Count == q.Limit; page.More {
				break
			}
		}
		if page.More {
			page.Last = string(last)
		}
		page.Rows = rows.all
		return nil
	})
	if err != nil {
		return store.Page{}, err
	}
	store.Charge(ctx, store.Cost{Calls: 1, ReadUnits: store.ReadUnits(size)})
	return page, nil
}

// mostRoom is how many items a page has room for before they are there.
const mostRoom = 128

// add puts one item on a page.
func add(page *store.Page, q store.Query, sk, raw []byte) error {
	page.Count++
	if q.Select == store.CountOnly {
		return nil
	}
	item := store.Item{Key: store.Key{PK: q.PK}}
	if q.Select == store.KeysOnly {
		item.SK, item.Attrs = string(sk), store.Attrs{}
	} else {
		var both strings.Builder // one piece of memory for the key and the item
		both.Grow(len(sk) + len(raw))
		_, _ = both.Write(sk)
		_, _ = both.Write(raw)
		item.SK = both.String()[:len(sk)]
		var before store.Attrs
		if n := len(page.Items); n > 0 {
			before = page.Items[n-1].Attrs
		}
		attrs, err := decodeAttrs(both.String()[len(sk):], before)
		if err != nil {
			return err
		}
		item.Attrs = attrs
	}
	page.Items = append(page.Items, item)
	return nil
}

// view runs read on the items as they are now.
func (e *Engine) view(ctx context.Context, read func(*bbolt.Bucket) error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	err := e.readSafely(read)
	switch {
	case errors.Is(err, bolterrors.ErrDatabaseNotOpen):
		return ErrClosed
	case err != nil:
		return fmt.Errorf("boltstore: read: %w", err)
	}
	return nil
}

// readSafely runs read, and returns an error if bbolt meets a damaged page.
func (e *Engine) readSafely(read func(*bbolt.Bucket) error) (err error) {
	if lost := e.lost.Load(); lost != nil {
		return *lost
	}
	begun := false
	defer func() {
		if !begun {
			e.lost.Store(&err) // even the head is damaged, and bbolt holds a lock for good
		}
	}()
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer guard(e.path, &err)
	err = e.db.View(func(tx *bbolt.Tx) error {
		begun = true
		return read(tx.Bucket(itemsBucket))
	})
	begun = true
	return err
}

// skRange is the part of a partition that a query reads, in keys of the file.
type skRange struct {
	reverse bool
	skAt    int    // where the sort key begins in a key of the file
	from    []byte // inclusive
	to      []byte // exclusive
}

// newSKRange turns the bounds of q into a half-open range. No sort key holds the byte 0xff, for it is UTF-8: a key
// that begins with a prefix sorts before the prefix followed by 0xff.
func newSKRange(q store.Query) skRange {
	from, to := q.From, "\xff"
	if q.Prefix != "" {
		from, to = q.Prefix, q.Prefix+"\xff"
	} else if q.To != "" {
		to = q.To + "\x00"
	}
	if q.After != "" {
		if q.Reverse {
			to = q.After
		} else {
			from = q.After + "\x00"
		}
	}
	return skRange{q.Reverse, 2 + len(q.PK), encodeKey(q.PK, from), encodeKey(q.PK, to)}
}

func (r skRange) contains(k []byte) bool {
	return bytes.Compare(k, r.from) >= 0 && bytes.Compare(k, r.to) < 0
}

func (r skRange) first(c *bbolt.Cursor) (k, v []byte) {
	if !r.reverse {
		return c.Seek(r.from)
	}
	if k, _ := c.Seek(r.to); k == nil {
		return c.Last()
	}
	return c.Prev()
}

func (r skRange) next(c *bbolt.Cursor) (k, v []byte) {
	if r.reverse {
		return c.Prev()
	}
	return c.Next()
}
