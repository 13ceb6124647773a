package boltstore

import (
	"encoding/binary"
	"slices"

	"go.etcd.io/bbolt"

	"github.com/serverless-scim/serverless-scim/pkg/store"
)

// The bucket of expiry times holds a key without value for each item that expires: its time in eight bytes, so that the
// earliest is first, and the item's key.
var expiryBucket = []byte("expiry")

// timeBytes is the length of a time in a key of the bucket.
const timeBytes = 8

// sweepsPerJob bounds how many expired items a commit removes for each job in it. A job rarely makes more than one item
// that expires, so that they cannot pile up, and no commit becomes much larger than its jobs.
const sweepsPerJob = 8

// expiry returns the time at which an encoded item expires; 0 if it does not.
func expiry(raw []byte) (int64, error) {
	if raw == nil {
		return 0, nil
	}
	v, err := find(raw, store.AttrTTL)
	if err != nil || v.kind != typeNumber || v.number < 0 {
		return 0, err
	}
	return v.number, nil
}

func expiryKey(at int64, key []byte) []byte {
	b := make([]byte, 0, timeBytes+len(key))
	b = binary.BigEndian.AppendUint64(b, uint64(at)) //nolint:gosec // not negative
	return append(b, key...)
}

// index notes in the bucket of expiry times that an item was written or removed.
func (g *group) index(key []byte, c change) error {
	before, err := expiry(c.old)
	if err != nil {
		return err
	}
	after, err := expiry(c.new)
	if err != nil || before == after {
		return err
	}
	if before != 0 {
		if err := g.expiry.Delete(expiryKey(before, key)); err != nil {
			return err
		}
	}
	if after == 0 {
		return nil
	}
	return g.expiry.Put(expiryKey(after, key), nil)
}

// sweep removes up to limit items that have expired before now, a Unix time in seconds.
func (g *group) sweep(now int64, limit int) error {
	var due [][]byte
	c := g.expiry.Cursor()
	for k, _ := c.First(); k != nil && len(due) < limit && timeOf(k) < now; k, _ = c.Next() {
		due = append(due, slices.Clone(k))
	}
	for _, k := range due {
		key := k[timeBytes:]
		at, err := expiry(g.get(key))
		if err != nil {
			return err
		}
		if at == timeOf(k) {
			if err := g.items.Delete(key); err != nil {
				return err
			}
		}
		if err := g.expiry.Delete(k); err != nil {
			return err
		}
	}
	return nil
}

func timeOf(k []byte) int64 {
	return int64(binary.BigEndian.Uint64(k)) //nolint:gosec // the inverse of expiryKey
}

// indexAll creates the bucket of expiry times of a file that has none.
func indexAll(tx *bbolt.Tx) error {
	b, err := tx.CreateBucket(expiryBucket)
	if err != nil {
		return err
	}
	return tx.Bucket(itemsBucket).ForEach(func(key, raw []byte) error {
		at, err := expiry(raw)
		if err != nil || at == 0 {
			return err
		}
		return b.Put(expiryKey(at, key), nil)
	})
}
