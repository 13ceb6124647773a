package boltstore

import (
	"bytes"
	"context"
	"encoding/binary"

	"go.etcd.io/bbolt"

	"github.com/serverless-scim/serverless-scim/pkg/store"
)

// scanItems is how many keys one call of Scan returns at most.
const scanItems = 1000

// Scan returns keys of the file in its order, from the beginning or after a key, partition by partition. next is
// the key to go on after; the zero key ends. It is for the search for items without an owner: no request scans.
func (e *Engine) Scan(ctx context.Context, after store.Key) (keys []store.Key, next store.Key, err error) {
	err = e.view(ctx, func(b *bbolt.Bucket) error {
		c := b.Cursor()
		k, _ := c.First()
		if after != (store.Key{}) {
			from := encodeKey(after.PK, after.SK)
			if k, _ = c.Seek(from); bytes.Equal(k, from) {
				k, _ = c.Next()
			}
		}
		for ; k != nil; k, _ = c.Next() {
			if len(keys) == scanItems {
				next = keys[len(keys)-1]
				return nil
			}
			at := 2 + int(binary.BigEndian.Uint16(k))
			keys = append(keys, store.Key{PK: string(k[2:at]), SK: string(k[at:])})
		}
		return nil
	})
	return keys, next, err
}
