package boltstore_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/serverless-scim/serverless-scim/pkg/store"
	"github.com/serverless-scim/serverless-scim/pkg/store/boltstore"
)

// The test binary runs itself: with these variables it is a writer that will be killed, or a second process that opens
// a file.
const (
	childVar = "BOLTSTORE_TEST_CHILD"
	pathVar  = "BOLTSTORE_TEST_PATH"
	fromVar  = "BOLTSTORE_TEST_FROM"
)

func TestMain(m *testing.M) {
	switch os.Getenv(childVar) {
	case "write":
		writeForEver(os.Getenv(pathVar), os.Getenv(fromVar))
	case "fill":
		fillUp(os.Getenv(pathVar))
		os.Exit(0)
	case "open":
		_, err := boltstore.Open(os.Getenv(pathVar), boltstore.Options{})
		fmt.Println(err)
		os.Exit(0)
	}
	os.Exit(m.Run())
}

const (
	writers = 8
	parts   = 5 // items of one transaction
)

// writeForEver writes numbered transactions from several goroutines and prints the number of each once it is
// acknowledged.
func writeForEver(path, from string) {
	e, err := boltstore.Open(path, boltstore.Options{})
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	first, _ := strconv.Atoi(from)
	var out sync.Mutex
	for w := range writers {
		go func() {
			for n := first + w; ; n += writers {
				if err := e.Transact(context.Background(), fmt.Sprint(n), numbered(n)); err != nil {
					fmt.Fprintln(os.Stderr, err)
					os.Exit(1)
				}
				out.Lock()
				fmt.Println(n)
				out.Unlock()
			}
		}()
	}
	select {}
}

// numbered is transaction n: an item in each of several partitions, some of them large, and a counter.
func numbered(n int) []store.Op {
	ops := []store.Op{{Kind: store.Update, Key: store.Key{PK: "counter", SK: "a"}, Add: map[string]int64{"n": 1}}}
	for part := range parts {
		ops = append(ops, store.Op{
			Kind: store.Put,
			Key:  store.Key{PK: fmt.Sprintf("part %d", part), SK: fmt.Sprintf("%09d", n)},
			Set:  store.Attrs{"n": int64(n), "pad": strings.Repeat("x", (n%7)*part*500)},
			If:   []store.Cond{{Test: store.Absent}},
		})
	}
	return append(ops, store.Op{
		Kind: store.Put, Key: store.Key{PK: "expired", SK: fmt.Sprintf("%09d", n)},
		Set: store.Attrs{store.AttrTTL: int64(1)},
	})
}

func child(t *testing.T, mode, path string, from int) *exec.Cmd {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), childVar+"="+mode, pathVar+"="+path, fromVar+"="+fmt.Sprint(from))
	cmd.Stderr = os.Stderr
	return cmd
}

// TestKill kills a process with kill -9 in the middle of its writes, several times over on one file: each
// acknowledged write is there, and every transaction is whole.
func TestKill(t *testing.T) {
	path := filepath.Join(t.TempDir(), "scim.db")
	acknowledged := map[int]bool{}
	const rounds = 6
	for round := range rounds {
		cmd := child(t, "write", path, round*1_000_000)
		stdout, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		killAt := 1 + rand.IntN(1500) // acknowledgements until the end
		lines := bufio.NewScanner(stdout)
		for i := 0; lines.Scan(); i++ {
			n, err := strconv.Atoi(lines.Text())
			if err != nil {
				break // cut off by the kill
			}
			acknowledged[n] = true
			if i == killAt {
				if err := cmd.Process.Kill(); err != nil {
					t.Fatal(err)
				}
			}
		}
		_, _ = io.Copy(io.Discard, stdout)
		if err := cmd.Wait(); err == nil || cmd.ProcessState.Exited() {
			t.Fatalf("round %d: the writer ended by itself: %v", round, err)
		}
		checkWhole(t, path, acknowledged)
	}
	if len(acknowledged) < rounds {
		t.Errorf("only %d transactions were acknowledged", len(acknowledged))
	}
}

// checkWhole opens the file again and reads all of it.
func checkWhole(t *testing.T, path string, acknowledged map[int]bool) {
	t.Helper()
	e, err := boltstore.Open(path, boltstore.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	st := store.New(e, store.Options{})
	found := map[int64]int{}
	for part := range parts {
		for item, err := range st.All(t.Context(), store.Query{PK: fmt.Sprintf("part %d", part)}) {
			if err != nil {
				t.Fatal(err)
			}
			found[item.Attrs["n"].(int64)]++
		}
	}
	for n, count := range found {
		if count != parts {
			t.Errorf("transaction %d has %d of %d items", n, count, parts)
		}
	}
	for n := range acknowledged {
		if found[int64(n)] == 0 {
			t.Errorf("transaction %d was acknowledged and is gone", n)
		}
	}
	items, err := st.Get(t.Context(), store.Key{PK: "counter", SK: "a"})
	if err != nil {
		t.Fatal(err)
	}
	if n, _ := items[0].Attrs["n"].(int64); n != int64(len(found)) {
		t.Errorf("the counter is %d, for %d transactions", n, len(found))
	}
	checkSwept(t, st)
}

// checkSwept writes until no expired item is left: those of a killed process are found as well as those of this one.
func checkSwept(t *testing.T, st *store.Store) {
	t.Helper()
	for range 1000 {
		page, err := st.Query(t.Context(), store.Query{PK: "expired"})
		if err != nil {
			t.Fatal(err)
		}
		if page.Count == 0 {
			return
		}
		if err := st.Write(t.Context(), store.Op{Kind: store.Put, Key: store.Key{PK: "other", SK: "a"}}); err != nil {
			t.Fatal(err)
		}
	}
	t.Error("items that have expired are left")
}

func TestOneProcessAtATime(t *testing.T) {
	path := filepath.Join(t.TempDir(), "scim.db")
	open(t, path)
	out, err := child(t, "open", path, 0).Output()
	if err != nil {
		t.Fatal(err)
	}
	if want := path + " is in use by another process"; !strings.Contains(string(out), want) {
		t.Errorf("got %q, want %q in it", out, want)
	}
}

func TestReopen(t *testing.T) {
	path := filepath.Join(t.TempDir(), "new", "folder", "scim.db")
	k := store.Key{PK: "p", SK: "a"}
	for i := range 3 {
		e, err := boltstore.Open(path, boltstore.Options{})
		if err != nil {
			t.Fatal(err)
		}
		if err := e.Transact(t.Context(), "",
			[]store.Op{{Kind: store.Update, Key: k, Add: map[string]int64{"n": 1}}}); err != nil {
			t.Fatal(err)
		}
		items, _, err := e.Get(t.Context(), []store.Key{k})
		if err != nil || items[0].Attrs["n"] != int64(i+1) {
			t.Errorf("got %v, %v; want %d", items, err, i+1)
		}
		if err := errors.Join(e.Close(), e.Close()); err != nil {
			t.Error(err)
		}
	}
}

func TestNotOurFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "scim.db")
	if err := os.WriteFile(path, []byte(strings.Repeat("not a database ", 4000)), 0o600); err != nil {
		t.Fatal(err)
	}
	_, err := boltstore.Open(path, boltstore.Options{})
	if err == nil || !strings.Contains(err.Error(), path) {
		t.Errorf("got %v, want an error that names the file", err)
	}
}

func TestMemoryLeavesNothing(t *testing.T) {
	dir := t.TempDir()
	t.Setenv("TMPDIR", dir)
	e, err := boltstore.Open(boltstore.Memory, boltstore.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if err := e.Close(); err != nil {
		t.Fatal(err)
	}
	left, err := os.ReadDir(dir)
	if err != nil || len(left) > 0 {
		t.Errorf("got %v, %v; want an empty folder", left, err)
	}
}

func TestClosed(t *testing.T) {
	e, err := boltstore.Open(boltstore.Memory, boltstore.Options{})
	if err != nil {
		t.Fatal(err)
	}
	ops := []store.Op{{Kind: store.Put, Key: store.Key{PK: "p", SK: "a"}}}
	var wg sync.WaitGroup
	for range 16 { // writes under way when it closes either happen or are refused
		wg.Go(func() {
			for {
				if err := e.Transact(t.Context(), "", ops); err != nil {
					if !errors.Is(err, boltstore.ErrClosed) {
						t.Error(err)
					}
					return
				}
			}
		})
	}
	if err := e.Close(); err != nil {
		t.Error(err)
	}
	wg.Wait()
	_, _, getErr := e.Get(t.Context(), []store.Key{ops[0].Key})
	_, queryErr := e.Query(t.Context(), store.Query{PK: "p"})
	_, batchErr := e.Batch(t.Context(), ops)
	for _, err := range []error{getErr, queryErr, batchErr} {
		if !errors.Is(err, boltstore.ErrClosed) {
			t.Errorf("got %v, want ErrClosed", err)
		}
	}
}

func TestTokensLiveTenMinutes(t *testing.T) {
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	e, err := boltstore.Open(boltstore.Memory, boltstore.Options{Now: func() time.Time { return now }})
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	k := store.Key{PK: "p", SK: "a"}
	for _, step := range []struct {
		wait time.Duration
		want int64
	}{{0, 1}, {time.Second, 1}, {10*time.Minute - 2*time.Second, 1}, {time.Second, 2}, {time.Minute, 2}} {
		now = now.Add(step.wait)
		if err := e.Transact(t.Context(), "token",
			[]store.Op{{Kind: store.Update, Key: k, Add: map[string]int64{"n": 1}}}); err != nil {
			t.Fatal(err)
		}
		items, _, err := e.Get(t.Context(), []store.Key{k})
		if err != nil || items[0].Attrs["n"] != step.want {
			t.Errorf("after %v: got %v, %v; want %d", step.wait, items, err, step.want)
		}
	}
}

func TestAddBeyondRange(t *testing.T) {
	e := open(t, boltstore.Memory)
	k := store.Key{PK: "p", SK: "a"}
	for _, step := range []struct {
		n  int64
		ok bool
	}{{1 << 62, true}, {1 << 62, false}, {1<<62 - 1, true}, {1, false}, {-1 << 63, true}, {-1 << 63, false}} {
		err := e.Transact(t.Context(), "", []store.Op{{Kind: store.Update, Key: k, Add: map[string]int64{"n": step.n}}})
		var limit *store.LimitError
		if (err == nil) != step.ok || err != nil && !errors.As(err, &limit) {
			t.Errorf("add %d: %v", step.n, err)
		}
	}
}

// TestFileIsItsUsersOnly: only its user may read the file, which may have secrets, also if others could read it before.
func TestFileIsItsUsersOnly(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("Windows has no such rights")
	}
	path := filepath.Join(t.TempDir(), "scim.db")
	for _, before := range []os.FileMode{0, 0o644, 0o660, 0o666, 0o600} {
		if before != 0 {
			if err := os.Chmod(path, before); err != nil {
				t.Fatal(err)
			}
		}
		e, err := boltstore.Open(path, boltstore.Options{})
		if err != nil {
			t.Fatal(err)
		}
		info, err := os.Stat(path)
		if err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%o became %v, %v", before, info.Mode(), err)
		}
		if err := e.Close(); err != nil {
			t.Fatal(err)
		}
	}
}
