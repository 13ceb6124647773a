package example_test

import (
	"io"
	"math/rand/v2"
	"net"
	"sync"
	"sync/atomic"
	"testing"
)

// How many bytes of answers a connection carries at most. A page of events has 100 KB or so: every other connection is
// cut within its first answer, the rest sooner or later.
const (
	shortest = 2_000
	longest  = 400_000
)

// newProxy forwards connections to an address and cuts each after a number of bytes by chance. It returns its own
// address, and how many connections it has cut.
func newProxy(t *testing.T, to string, seed uint64) (address string, cut *atomic.Int64) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var all sync.WaitGroup
	var mu sync.Mutex
	open := map[net.Conn]bool{}
	cut = new(atomic.Int64)
	all.Go(func() {
		chance := rand.New(rand.NewPCG(seed, 1))
		for n := 0; ; n++ {
			client, err := listener.Accept()
			if err != nil {
				return // the test is over
			}
			mu.Lock()
			open[client] = true
			mu.Unlock()
			limit := chance.Int64N(shortest)
			if n%2 == 1 {
				limit = shortest + chance.Int64N(longest)
			}
			all.Go(func() {
				if forward(client, to, limit) {
					cut.Add(1)
				}
			})
		}
	})
	t.Cleanup(func() {
		_ = listener.Close()
		mu.Lock()
		for c := range open {
			_ = c.Close()
		}
		mu.Unlock()
		all.Wait()
	})
	return listener.Addr().String(), cut
}

// forward carries requests to an address, and at most limit bytes of answers back. It reports whether that was too
// little.
func forward(client net.Conn, to string, limit int64) (cut bool) {
	defer client.Close()
	server, err := net.Dial("tcp", to)
	if err != nil {
		return false
	}
	defer server.Close()
	sent := make(chan struct{})
	go func() {
		defer close(sent)
		_, _ = io.Copy(server, client)
		_ = server.Close()
	}()
	_, err = io.CopyN(client, server, limit) // it ends early if either side closes
	_ = client.Close()
	<-sent
	return err == nil
}
