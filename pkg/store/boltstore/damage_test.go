package boltstore_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/serverless-scim/serverless-scim/pkg/store"
	"github.com/serverless-scim/serverless-scim/pkg/store/boltstore"
)

const pageBytes = 4096

// sound creates a file of a few hundred items and returns its content.
func sound(t *testing.T) []byte {
	t.Helper()
	path := filepath.Join(t.TempDir(), "scim.db")
	e, err := boltstore.Open(path, boltstore.Options{})
	if err != nil {
		t.Fatal(err)
	}
	for i := range 20 {
		if err := e.Transact(t.Context(), "", numbered(i)); err != nil {
			t.Fatal(err)
		}
	}
	if err := e.Close(); err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return bytes.TrimRight(data, "\x00")
}

// damages are ways to spoil a page.
func damages(r *rand.Rand, data []byte, page int) map[string][]byte {
	fill := func(b byte) []byte { return bytes.Repeat([]byte{b}, pageBytes) }
	noise, other := make([]byte, pageBytes), bytes.Clone(data[(page+1)*pageBytes%(len(data)-pageBytes):][:pageBytes])
	for i := range noise {
		noise[i] = byte(r.Uint32())
	}
	own := bytes.Clone(data[page*pageBytes:][:pageBytes])
	body := append(bytes.Clone(own[:16]), noise[16:]...) // a good head
	elements := append(bytes.Clone(own[:16]), fill(0xff)[16:]...)
	return map[string][]byte{
		"zeros": fill(0), "ones": fill(0xff), "noise": noise, "another page": other, "noise behind the head": body,
		"ones behind the head": elements,
	}
}

// use calls every method of an engine. Errors must be those of a damaged file.
func use(t *testing.T, e *boltstore.Engine) {
	t.Helper()
	check := func(call string, err error) {
		t.Helper()
		if err != nil && !errors.Is(err, store.ErrDamaged) {
			t.Errorf("%s: %v", call, err)
		}
		if err != nil && !strings.Contains(err.Error(), "put a backup in its place") {
			t.Errorf("%s: the error does not say what to do: %v", call, err)
		}
	}
	ctx := context.Background()
	for part := range parts {
		q := store.Query{PK: fmt.Sprintf("part %d", part)}
		for more := true; more; {
			page, err := e.Query(ctx, q)
			check("Query", err)
			q.After, more = page.Last, page.More && err == nil
		}
		_, _, err := e.Get(ctx, []store.Key{{PK: q.PK, SK: fmt.Sprintf("%09d", 7)}})
		check("Get", err)
	}
	check("Transact", e.Transact(ctx, "", numbered(1000)))
}

// TestDamagedPage spoils each page of a file in several ways, before it is opened and after: the error says that the
// file is damaged and how to recover, and nothing panics.
func TestDamagedPage(t *testing.T) {
	good := sound(t)
	good = append(good, make([]byte, (pageBytes-len(good)%pageBytes)%pageBytes)...)
	r := rand.New(rand.NewPCG(1, 2))
	found := 0
	for page := range len(good) / pageBytes {
		ways := damages(r, good, page)
		for _, name := range slices.Sorted(maps.Keys(ways)) {
			spoilt := ways[name]
			if page > 3 && r.IntN(4) > 0 { // a sample
				continue
			}
			path := filepath.Join(t.TempDir(), "scim.db")
			bad := append(append(bytes.Clone(good[:page*pageBytes]), spoilt...), good[(page+1)*pageBytes:]...)
			if err := os.WriteFile(path, bad, 0o600); err != nil {
				t.Fatal(err)
			}
			e, err := boltstore.Open(path, boltstore.Options{})
			switch {
			case err == nil: // no page that is in use
				use(t, e)
				_ = e.Close()
			case !errors.Is(err, store.ErrDamaged) || !strings.Contains(err.Error(), path) ||
				!strings.Contains(err.Error(), "backup"):
				t.Errorf("page %d, %s: %v", page, name, err)
			default:
				found++
			}
			if err := os.WriteFile(path, good, 0o600); err != nil {
				t.Fatal(err)
			}
			if e, err = boltstore.Open(path, boltstore.Options{}); err != nil {
				t.Fatalf("page %d, %s: the file is still held: %v", page, name, err)
			}
			spoil(t, path, int64(page)*pageBytes, spoilt)
			use(t, e)
			_ = e.Close()
		}
	}
	if found < 20 {
		t.Errorf("damage was found only %d times", found)
	}
}

func spoil(t *testing.T, path string, at int64, spoilt []byte) {
	t.Helper()
	f, err := os.OpenFile(path, os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	_, err = f.WriteAt(spoilt, at)
	if err = errors.Join(err, f.Close()); err != nil {
		t.Fatal(err)
	}
}

// TestTruncatedFile cuts a file off, before it is opened and after.
func TestTruncatedFile(t *testing.T) {
	good := sound(t)
	for size := int64(len(good)) / 2; size > 0; size /= 3 {
		path := filepath.Join(t.TempDir(), "scim.db")
		if err := os.WriteFile(path, good[:size], 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := boltstore.Open(path, boltstore.Options{}); !errors.Is(err, store.ErrDamaged) ||
			strings.Contains(err.Error(), "runtime error") {
			t.Errorf("cut to %d bytes: %v", size, err)
		}
		if err := os.WriteFile(path, good, 0o600); err != nil {
			t.Fatal(err)
		}
		e, err := boltstore.Open(path, boltstore.Options{})
		if err != nil {
			t.Fatal(err)
		}
		if err := os.Truncate(path, size/pageBytes*pageBytes); err != nil {
			t.Fatal(err)
		}
		if _, err := e.Query(t.Context(), store.Query{PK: "part 1"}); !errors.Is(err, store.ErrDamaged) ||
			!strings.Contains(err.Error(), "it is cut off") {
			t.Errorf("cut to %d bytes while it is open: %v", size, err)
		}
		_ = e.Close()
	}
}

// TestEmptyFile: an empty file is a new store, but not one in which there was data. So is one that is missing.
func TestEmptyFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "scim.db")
	if err := os.WriteFile(path, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	again := func() error {
		e, err := boltstore.Open(path, boltstore.Options{})
		if err == nil {
			err = e.Close()
		}
		return err
	}
	if err := errors.Join(again(), again()); err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(path, 0); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := again(); err == nil || !strings.Contains(err.Error(), path) ||
			!strings.Contains(err.Error(), "is empty, but held data") {
			t.Errorf("got %v, want an error that the data is lost", err)
		}
	}
	if info, err := os.Stat(path); err != nil || info.Size() != 0 {
		t.Errorf("the empty file was written to: %v, %v", info, err)
	}
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := again(); err == nil || !strings.Contains(err.Error(), path+" is missing, but held data") {
			t.Errorf("got %v, want an error that the data is missing", err)
		}
	}
	if _, err := os.Stat(path); err == nil {
		t.Error("the missing file was made")
	}
	if err := os.Remove(path + ".made"); err != nil {
		t.Fatal(err)
	}
	if err := again(); err != nil {
		t.Errorf("after the file beside it was removed: %v", err)
	}
}
