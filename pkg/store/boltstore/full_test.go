//go:build unix

package boltstore_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/serverless-scim/serverless-scim/pkg/store"
	"github.com/serverless-scim/serverless-scim/pkg/store/boltstore"
)

// bound sets how large files of this process may become.
func bound(bytes uint64) error {
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_FSIZE, &limit); err != nil {
		return err
	}
	limit.Cur = min(bytes, limit.Max)
	return syscall.Setrlimit(syscall.RLIMIT_FSIZE, &limit)
}

// fillUp writes numbered transactions until there is no room, twice, and prints the numbers of those that were
// acknowledged. It runs in a process of its own.
func fillUp(path string) {
	must := func(err error) {
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
	}
	signal.Ignore(syscall.SIGXFSZ)
	e, err := boltstore.Open(path, boltstore.Options{})
	must(err)
	st := store.New(e, store.Options{})
	next := 0
	// The first bounds are too small for the growth of the file, the last one for a page.
	for _, room := range []uint64{1 << 20, 24 << 20, 1} {
		must(bound(room))
		for {
			ctx, meter := store.WithMeter(context.Background())
			err := st.Transact(ctx, numbered(next)...)
			if err == nil {
				fmt.Println(next)
				next++
				continue
			}
			if calls := meter.Total().Calls; !errors.Is(err, store.ErrFull) || errors.Is(err, store.ErrUnavailable) ||
				calls != 1 {
				must(fmt.Errorf("after %d calls: %w, want ErrFull at once", calls, err))
			}
			break
		}
		_, err := st.Get(context.Background(), store.Key{PK: "counter", SK: "a"})
		must(err)
	}
	must(bound(1 << 40))
	must(st.Transact(context.Background(), numbered(next)...))
	fmt.Println(next)
	must(e.Close())
}

// TestFull lets a disk have no room: the write says so at once and has left nothing, reads go on, and writes go on once
// there is room again. What was acknowledged is there afterwards.
func TestFull(t *testing.T) {
	path := filepath.Join(t.TempDir(), "scim.db")
	out, err := child(t, "fill", path, 0).Output()
	if err != nil {
		t.Fatal(err)
	}
	acknowledged := map[int]bool{}
	for line := range strings.Lines(string(out)) {
		n, err := strconv.Atoi(strings.TrimSpace(line))
		if err != nil {
			t.Fatal(err)
		}
		acknowledged[n] = true
	}
	if len(acknowledged) < 2 {
		t.Errorf("only %d transactions were acknowledged", len(acknowledged))
	}
	checkWhole(t, path, acknowledged)
}
