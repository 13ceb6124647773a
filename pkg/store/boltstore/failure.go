package boltstore

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"runtime/debug"
	"strings"
	"syscall"

	"go.etcd.io/bbolt"

	"github.com/serverless-scim/serverless-scim/pkg/store"
)

// IsFull reports whether an error of writing a file says that there is no space for it: the disk is full, a quota is
// used up, or the file may not grow further.
func IsFull(err error) bool {
	if err == nil {
		return false
	}
	for _, full := range []syscall.Errno{syscall.ENOSPC, syscall.EDQUOT, syscall.EFBIG} {
		// bbolt keeps only the text of an error that it meets when the file grows.
		if errors.Is(err, full) || strings.Contains(err.Error(), full.Error()) {
			return true
		}
	}
	return false
}

// damage is the error of a file in which bbolt met something that it has not written. Its text tells the operator
// how to recover.
func damage(path string, found any) error {
	return fmt.Errorf("%w: %s (%v). Stop the server, keep a copy of the file, and put a backup in its place; "+
		"without a backup, move the file and %s away to begin with an empty store",
		store.ErrDamaged, path, found, path+sealSuffix)
}

// guard turns a panic of bbolt, which is how it reports a damaged page, into the error of a damaged file; likewise
// the fault of reading beyond the end of the file.
func guard(path string, err *error) {
	if p := recover(); p != nil {
		if _, fault := p.(interface{ Addr() uintptr }); fault { // see debug.SetPanicOnFault
			p = "it is cut off, or a page refers to a place beyond its end"
		}
		*err = damage(path, p)
	} else if errors.Is(*err, errDamaged) {
		*err = damage(path, *err)
	}
}

// update makes one write transaction of do. It belongs to the writer.
func (e *Engine) update(do func(*bbolt.Tx) error) (err error) {
	if e.broken != nil {
		return e.broken
	}
	whole := false
	defer func() {
		if !whole {
			// The transaction stays open, and so there are no more writes: to roll back, bbolt
			// would walk through the damaged file.
			e.broken = err
		}
	}()
	defer guard(e.path, &err)
	tx, err := e.db.Begin(true)
	if err != nil {
		return err
	}
	id := tx.ID()
	if err = do(tx); err != nil {
		err = errors.Join(err, tx.Rollback())
	} else if err = tx.Commit(); IsFull(err) && !e.committed(id) {
		err = fmt.Errorf("%w: %w", store.ErrFull, err)
	}
	whole = true
	return err
}

// committed reports whether a transaction that failed to be written can be seen all the same.
func (e *Engine) committed(id int) bool {
	seen := true
	err := e.db.View(func(tx *bbolt.Tx) error {
		seen = tx.ID() >= id
		return nil
	})
	return seen || err != nil
}

// leastBytes is the length of a file of which bbolt has just written the head.
const leastBytes = 4 * 4096

// verify reads a whole file, so that damage is found before bbolt looks for free pages: there it ends the process.
func verify(path string, options bbolt.Options) (err error) {
	info, err := os.Stat(path)
	if err != nil || info.Size() == 0 {
		return nil //nolint:nilerr // it is opening the file that reports what is wrong
	}
	if info.Size() < leastBytes {
		return damage(path, "it is cut off")
	}
	options.ReadOnly = true
	db, err := bbolt.Open(path, 0, &options)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	return db.View(func(tx *bbolt.Tx) error { return verifyAll(path, tx) })
}

// verifyAll reads every key and value of a file.
func verifyAll(path string, tx *bbolt.Tx) (err error) {
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer guard(path, &err)
	return tx.ForEach(func(name []byte, b *bbolt.Bucket) error {
		var last []byte
		end := byte(0)
		c := b.Cursor()
		for k, v := c.First(); k != nil; k, v = c.Next() {
			if bytes.Compare(k, last) <= 0 && last != nil {
				return damage(path, "keys are out of order")
			}
			if last = k; len(v) > 0 {
				end ^= v[len(v)-1]
			}
		}
		return nil
	})
}
