package boltstore

import (
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"sync"
	"sync/atomic"
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
	// Now is the clock by which idempotency tokens live and items expire, the same as that of the engine's caller;
	// nil is time.Now.
	Now func() time.Time
}

// Engine is a store.Engine on one local file.
type Engine struct {
	db       *bbolt.DB
	file     *os.File // of db
	path     string
	now      func() time.Time
	scratch  string                // file to remove on Close
	lost     atomic.Pointer[error] // why nothing can be read any more; nil if all is well
	tokens   tokens                // the writer's own
	broken   error                 // the writer's own: why there are no more writes
	queue    chan *job             // closed by Close
	finished chan struct{}

	closing sync.RWMutex // held for reading while a job is put in the queue
	closed  bool
}

var _ store.Engine = (*Engine)(nil)

// Open opens the file at path, and creates it and its folder if they are missing. Only its user may read the file:
// an existing one loses the rights of others. Memory as path gives an engine that keeps nothing: its data lives in a
// temporary file and is never forced to disk. Only one process can have a file open; the error says so after a second.
func Open(path string, o Options) (*Engine, error) {
	e := &Engine{now: o.Now, tokens: newTokens(), queue: make(chan *job, maxGroup), finished: make(chan struct{})}
	if e.now == nil {
		e.now = time.Now
	}
	// The list of free pages is found again on opening, about a second for a gigabyte. Else each write would carry
	// the whole list, and the pages that a large deletion frees would cost every later request.
	options := &bbolt.Options{
		Timeout: lockWait, FreelistType: bbolt.FreelistMapType, NoStatistics: true,
		NoFreelistSync: true,
	}
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
	// An open file lives on without its name: even a process that is killed leaves nothing.
	if runtime.GOOS != "windows" {
		e.removeScratch()
	}
	go e.write()
	return e, nil
}

func (e *Engine) open(path string, options *bbolt.Options) (err error) {
	e.path = path
	if e.scratch == "" {
		if err := checkSeal(path); err != nil {
			return err
		}
		if err := verify(path, *options); err != nil {
			return openError(path, err)
		}
	}
	options.OpenFile = func(name string, flag int, mode os.FileMode) (*os.File, error) {
		f, err := os.OpenFile(name, flag, mode)
		e.file = f
		if err == nil {
			keepOthersOut(f)
		}
		return f, err
	}
	if err := e.openFile(path, options); err != nil {
		if e.db == nil && e.file != nil {
			_ = e.file.Close() // which bbolt may have left open and locked
		}
		return openError(path, err)
	}
	if e.scratch == "" {
		writeSeal(path)
	}
	return nil
}

// keepOthersOut takes the rights of others from a file that is there already, such as a copy that was put back: it may
// hold secrets. A file system that has no such rights, or a file of another user, is used as it is.
func keepOthersOut(f *os.File) {
	if info, err := f.Stat(); err == nil && info.Mode().Perm()&0o077 != 0 {
		_ = f.Chmod(info.Mode().Perm() &^ 0o077)
	}
}

// openFile opens the file and prepares it.
func (e *Engine) openFile(path string, options *bbolt.Options) (err error) {
	defer guard(path, &err)
	db, err := bbolt.Open(path, 0o600, options)
	if err != nil {
		return err
	}
	if err := prepare(db, path); err != nil {
		return errors.Join(err, db.Close())
	}
	e.db = db
	return nil
}

// openError turns an error of opening a file into one that names the cause.
func openError(path string, err error) error {
	switch {
	case errors.Is(err, bolterrors.ErrTimeout):
		return fmt.Errorf("boltstore: %s is in use by another process", path)
	case errors.Is(err, bolterrors.ErrInvalid), errors.Is(err, bolterrors.ErrVersionMismatch),
		errors.Is(err, bolterrors.ErrChecksum):
		return fmt.Errorf("%w, or it is not a file of this program: %w", damage(path, "no valid head"), err)
	case IsFull(err):
		return fmt.Errorf("boltstore: there is no room to open %s, which needs some pages: %w", path, err)
	}
	return fmt.Errorf("boltstore: %w", err)
}

// prepare creates the buckets that a file lacks, and checks the format of one that has any.
func prepare(db *bbolt.DB, path string) error {
	fresh, unindexed := false, false
	err := db.View(func(tx *bbolt.Tx) error {
		meta := tx.Bucket(metaBucket)
		if fresh = meta == nil; fresh {
			return nil
		}
		if format, _ := binary.Uvarint(meta.Get(formatKey)); format != fileFormat || tx.Bucket(itemsBucket) == nil {
			return fmt.Errorf("%s has format %d; this program knows %d only", path, format, fileFormat)
		}
		unindexed = tx.Bucket(expiryBucket) == nil
		return nil
	})
	if err != nil || !fresh && !unindexed {
		return err
	}
	return db.Update(func(tx *bbolt.Tx) error {
		if unindexed {
			return indexAll(tx)
		}
		if _, err := tx.CreateBucket(itemsBucket); err != nil {
			return err
		}
		meta, err := tx.CreateBucket(metaBucket)
		if err != nil {
			return err
		}
		return errors.Join(indexAll(tx), meta.Put(formatKey, binary.AppendUvarint(nil, fileFormat)))
	})
}

// Close finishes the writes that have begun and releases the file. Calls after it give ErrClosed; closing twice is no
// error.
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
	var err error
	if e.broken == nil && e.lost.Load() == nil {
		err = e.db.Close()
	} else {
		err = e.file.Close() // bbolt would wait for the transaction that was left open
	}
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
