package boltstore

import (
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"sync"
	"time"

	"go.etcd.io/bbolt"
	bolterrors "go.etcd.io/bbolt/errors"

	"github.com/serverless-scim/serverless-scim/pkg/store"
)

// Memory is the path of an engine that keeps nothing.
const Memory = ":memory:"

// ErrClosed reports a call on a closed engine.
var ErrClosed = errors.New("boltstore: closed")

// lockWait is how long Open waits for a process that is just ending.
const lockWait = time.Second

// fileFormat is the layout of the file that this code reads and writes.
const fileFormat = 1

var (
	itemsBucket = []byte("items")
	metaBucket  = []byte("meta")
	formatKey   = []byte("format")
)

// Options of an Engine. The zero value is good.
type Options struct {
	// Now is the clock by which idempotency tokens live; nil is time.Now.
	Now func() time.Time
}

// Engine is a store.Engine on one local file.
type Engine struct {
	db       *bbolt.DB
	now      func() time.Time
	scratch  string    // file to remove on Close
	tokens   tokens    // the writer's own
	queue    chan *job // closed by Close
	finished chan struct{}

	closing sync.RWMutex // held for reading while a job is put in the queue
	closed  bool
}

var _ store.Engine = (*Engine)(nil)

// Open opens the file at path, and creates it and its folder where they are missing. Memory as path gives an engine that keeps
// nothing: its data lives in a temporary file and is never forced to disk. Only one process can have a file open; the error
// says so after a second.
func Open(path string, o Options) (*Engine, error) {
	e := &Engine{now: o.Now, tokens: newTokens(), queue: make(chan *job, maxGroup), finished: make(chan struct{})}
	if e.now == nil {
		e.now = time.Now
	}
	// The list of free pages is found again on opening, about a second for a gigabyte. Else each write would carry the whole list, and
	// what a large deletion leaves free would cost every later request.
	options := &bbolt.Options{Timeout: lockWait, FreelistType: bbolt.FreelistMapType, NoStatistics: true, NoFreelistSync: true}
	if path == Memory {
		f, err := os.CreateTemp("", "serverless-scim-*.db")
		if err != nil {
			return nil, fmt.Errorf("boltstore: %w", err)
		}
		path, e.scratch = f.Name(), f.Name()
		options.NoSync, options.NoGrowSync = true, true
		if err := f.Close(); err != nil {
			return nil, fmt.Errorf("boltstore: %w", err)
		}
	} else if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return nil, fmt.Errorf("boltstore: %w", err)
	}
	if runtime.GOOS != "windows" { // there the file itself would become this large
		options.InitialMmapSize = 1 << 26
	}
	if err := e.open(path, options); err != nil {
		e.removeScratch()
		return nil, err
	}
	if runtime.GOOS != "windows" { // an open file lives on without its name, so that even a killed process leaves nothing
		e.removeScratch()
	}
	go e.write()
	return e, nil
}

func (e *Engine) open(path string, options *bbolt.Options) error {
	db, err := bbolt.Open(path, 0o600, options)
	switch {
	case errors.Is(err, bolterrors.ErrTimeout):
		return fmt.Errorf("boltstore: %s is in use by another process", path)
	case errors.Is(err, bolterrors.ErrInvalid), errors.Is(err, bolterrors.ErrVersionMismatch), errors.Is(err, bolterrors.ErrChecksum):
		return fmt.Errorf("boltstore: %s is damaged, or not a file of this program: %w", path, err)
	case err != nil:
		return fmt.Errorf("boltstore: %w", err)
	}
	if err := prepare(db, path); err != nil {
		return errors.Join(err, db.Close())
	}
	e.db = db
	return nil
}

// prepare makes the buckets of a new file and checks the format of an old one.
func prepare(db *bbolt.DB, path string) error {
	fresh := false
	err := db.View(func(tx *bbolt.Tx) error {
		meta := tx.Bucket(metaBucket)
		if fresh = meta == nil; fresh {
			return nil
		}
		if format, _ := binary.Uvarint(meta.Get(formatKey)); format != fileFormat || tx.Bucket(itemsBucket) == nil {
			return fmt.Errorf("boltstore: %s has format %d; this program knows %d only", path, format, fileFormat)
		}
		return nil
	})
	if err != nil || !fresh {
		return err
	}
	err = db.Update(func(tx *bbolt.Tx) error {
		if _, err := tx.CreateBucket(itemsBucket); err != nil {
			return err
		}
		meta, err := tx.CreateBucket(metaBucket)
		if err != nil {
			return err
		}
		return meta.Put(formatKey, binary.AppendUvarint(nil, fileFormat))
	})
	if err != nil {
		return fmt.Errorf("boltstore: %w", err)
	}
	return nil
}

// Close finishes the writes that have begun and releases the file. Calls after it give ErrClosed; closing twice is no error.
func (e *Engine) Close() error {
	e.closing.Lock()
	if e.closed {
		e.closing.Unlock()
		<-e.finished
		return nil
	}
	e.closed = true
	close(e.queue)
	e.closing.Unlock()
	<-e.finished
	err := e.db.Close()
	e.removeScratch()
	if err != nil {
		return fmt.Errorf("boltstore: %w", err)
	}
	return nil
}

func (e *Engine) removeScratch() {
	if e.scratch != "" {
		_ = os.Remove(e.scratch)
	}
}
