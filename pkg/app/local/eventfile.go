package local

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/serverless-scim/serverless-scim/pkg/event"
	"github.com/serverless-scim/serverless-scim/pkg/event/delivery"
	"github.com/serverless-scim/serverless-scim/pkg/event/eventlog"
	"github.com/serverless-scim/serverless-scim/pkg/scim"
)

// eventFile is a delivery.Destination that adds each event as one line of JSON to events.jsonl in the
// data folder: those without personal data only, since nobody erases a person from the file.
type eventFile struct {
	lines *lineFile
	now   func() time.Time
}

var _ delivery.Destination = eventFile{}

// always are the destinations of every tenant's events.
func (s *Server) always() []delivery.Destination {
	if s.lines == nil {
		return nil
	}
	return []delivery.Destination{eventFile{s.lines, s.o.Now}}
}

// newLines is the file of events; nil without a data folder.
func (o Options) newLines() *lineFile {
	if !o.keeps() {
		return nil
	}
	return &lineFile{path: filepath.Join(o.Data, "events.jsonl")}
}

// ID is delivery.Destination.ID.
func (eventFile) ID() string { return "file" }

// Active is delivery.Destination.Active: always.
func (eventFile) Active() bool { return true }

// Wants is delivery.Destination.Wants.
func (eventFile) Wants(eventType string) bool { return event.Kind(eventType).Impersonal() }

// Since is delivery.Destination.Since: all events that are kept.
func (eventFile) Since() time.Time { return time.Time{} }

// Resumed is delivery.Destination.Resumed: never.
func (eventFile) Resumed() time.Time { return time.Time{} }

// Lasting is delivery.Destination.Lasting: a disk is tried for ever.
func (eventFile) Lasting() bool { return true }

// Send is delivery.Destination.Send.
func (f eventFile) Send(_ context.Context, events []eventlog.Numbered) (o delivery.Outcome) {
	begun := f.now()
	var lines []byte
	for _, e := range events {
		lines = append(scim.AppendJSON(lines, e.Object), '\n')
	}
	last := events[len(events)-1].Sequence
	a := delivery.Attempt{At: begun.UnixMilli(), Sequence: last}
	if err := f.lines.write(lines); err != nil {
		o.Failed, a.Error = true, err.Error()
	} else {
		o.Accepted = last
	}
	a.Took = f.now().Sub(begun).Milliseconds()
	o.Attempts = []delivery.Attempt{a}
	return o
}

// lineFile is a file to which lines are added. It is opened at the first of them.
type lineFile struct {
	path string

	mu   sync.Mutex
	file *os.File
}

// write adds lines. They are on the disk when it returns nil; else none of them counts.
func (f *lineFile) write(lines []byte) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.file == nil {
		if err := f.open(); err != nil {
			return err
		}
	}
	_, err := f.file.Write(lines)
	if err == nil {
		err = f.file.Sync()
	}
	if err != nil { // the next write opens the file again and cuts the torn line
		err = errors.Join(err, f.file.Close())
		f.file = nil
	}
	return err
}

// open takes off a line that an earlier process could not finish: its event was not acknowledged, and comes again.
func (f *lineFile) open() error {
	if err := os.MkdirAll(filepath.Dir(f.path), 0o700); err != nil {
		return err
	}
	file, err := os.OpenFile(f.path, os.O_CREATE|os.O_RDWR|os.O_APPEND, 0o600)
	if err != nil {
		return err
	}
	if err := cutTornLine(file); err != nil {
		return errors.Join(err, file.Close())
	}
	f.file = file
	return nil
}

// cutTornLine cuts a file after its last line end.
func cutTornLine(file *os.File) error {
	size, err := file.Seek(0, io.SeekEnd)
	if err != nil {
		return err
	}
	buf := make([]byte, 4096)
	for end := size; end > 0; {
		n := min(end, int64(len(buf)))
		if _, err := file.ReadAt(buf[:n], end-n); err != nil {
			return err
		}
		if i := bytes.LastIndexByte(buf[:n], '\n'); i >= 0 {
			if whole := end - n + int64(i) + 1; whole < size {
				return file.Truncate(whole)
			}
			return nil
		}
		end -= n
	}
	return file.Truncate(0)
}

func (f *lineFile) close() error {
	if f == nil {
		return nil
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.file == nil {
		return nil
	}
	err := f.file.Close()
	f.file = nil
	return err
}
