package apigw

import (
	"context"
	"net/http"
	"net/netip"
	"sync"
	"time"

	"golang.org/x/sync/semaphore"
)

const (
	// small is the size in bytes up to which bodies and answers are not counted: most are smaller, and the buffers of a
	// connection hold such an answer.
	small = 64 << 10
	// sendWithin is how long a client may take to read a larger answer.
	sendWithin = 30 * time.Second
	// waitFor is how long an answer waits for room: it is in memory meanwhile.
	waitFor = 5 * time.Second
	// callsAtOnce bounds the calls of functions under way, heldBytes the larger bodies that are being read and, apart
	// from them, the larger answers that clients have not read yet.
	callsAtOnce = 64
	heldBytes   = 64 << 20
	// partyShare is the part of each bound that one party may take: 16 calls, 16 MB.
	partyShare = 4
	// largeAtOnce bounds the calls under way whose answers may be large, largeOfParty those of one party: a function
	// takes several times the size of an answer to make it.
	largeAtOnce  = 16
	largeOfParty = 6
	// refusalTime is the time between two answers that tell a party to slow down, 40 a second.
	refusalTime = 25 * time.Millisecond
)

// InFlight bounds the resources that the requests of a process hold at the same time: calls of functions, bodies,
// and answers. Each party, a tenant or an address, has at most a quarter of each bound, so that one party can't
// stop another. A request waits for its party's room first and then for the room of the process, in the order body,
// call, answer. With this order requests can't block each other forever.
type InFlight struct {
	all     room
	mu      sync.Mutex
	parties map[string]*party
}

// room is the set of bounds of the whole process or of one party.
type room struct{ calls, large, bodies, answers *semaphore.Weighted }

func newRoom(part, large int64) room {
	return room{
		calls: semaphore.NewWeighted(callsAtOnce / part), large: semaphore.NewWeighted(large),
		bodies: semaphore.NewWeighted(heldBytes / part), answers: semaphore.NewWeighted(heldBytes / part),
	}
}

// party is the room of one party that has requests under way.
type party struct {
	room
	requests int
	refusals *semaphore.Weighted // of 1
}

// NewInFlight returns the bounds for one process. Gateways may share them.
func NewInFlight() *InFlight {
	return &InFlight{all: newRoom(1, largeAtOnce), parties: map[string]*party{}}
}

// visit is a request of a party, from its body to the end of its answer. The nil visit has no bounds.
type visit struct {
	of    *InFlight
	name  string
	p     *party
	large bool
}

// begin counts a request of a party, whose answer may be large. Call end when it is answered.
func (f *InFlight) begin(name string, large bool) *visit {
	if f == nil {
		return nil
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	p := f.parties[name]
	if p == nil {
		p = &party{room: newRoom(partyShare, largeOfParty), refusals: semaphore.NewWeighted(1)}
		f.parties[name] = p
	}
	p.requests++
	return &visit{f, name, p, large}
}

// end forgets a party with its last request.
func (v *visit) end() {
	if v == nil {
		return
	}
	v.of.mu.Lock()
	defer v.of.mu.Unlock()
	if v.p.requests--; v.p.requests == 0 {
		delete(v.of.parties, v.name)
	}
}

func nothing() {}

// call waits, at most for a time, until a function may be called. The call counts for the party until its answer is
// sent, so that no further answers are made for a client that does not read them. For the process it counts until
// the answer is made.
func (v *visit) call(ctx context.Context, most time.Duration) (made, sent func(), err error) {
	if v == nil {
		return nothing, nothing, nil
	}
	if !v.large && v.p.calls.TryAcquire(1) {
		if v.of.all.calls.TryAcquire(1) {
			return func() { v.of.all.calls.Release(1) }, func() { v.p.calls.Release(1) }, nil
		}
		v.p.calls.Release(1)
	}
	ctx, cancel := context.WithTimeout(ctx, most)
	defer cancel()
	if sent, err = take(ctx, v.p.calls, 1); err != nil {
		return nothing, nothing, err
	}
	wanted := []*semaphore.Weighted{v.of.all.calls}
	if v.large {
		wanted = []*semaphore.Weighted{v.p.large, v.of.all.large, v.of.all.calls}
	}
	if made, err = takeAll(ctx, wanted, 1); err != nil {
		sent()
		return nothing, nothing, err
	}
	return made, sent, nil
}

// body waits until the body of r may be read.
func (v *visit) body(r *http.Request) (release func(), err error) {
	length := r.ContentLength
	if length < 0 {
		length = MaxPayload
	}
	if v == nil || length <= small {
		return nothing, nil
	}
	return both(r.Context(), timeout, v.p.bodies, v.of.all.bodies, min(length, MaxPayload))
}

// answer waits until an answer of size bytes may wait for its reader.
func (v *visit) answer(ctx context.Context, size int) (release func(), err error) {
	if v == nil || size <= small {
		return nothing, nil
	}
	return both(ctx, waitFor, v.p.answers, v.of.all.answers, int64(size))
}

// slow waits before a 429 is sent. The 429s of a party are sent one after the other, and each counts as one of the
// party's calls meanwhile. So clients that never wait cost the process almost nothing. It also waits if the client has
// closed the connection.
func (v *visit) slow() {
	if v == nil {
		return
	}
	if release, err := take(context.Background(), v.p.refusals, 1); err == nil {
		time.Sleep(refusalTime)
		release()
	}
}

// takeAll waits for n of each of several rooms, in this order.
func takeAll(ctx context.Context, rooms []*semaphore.Weighted, n int64) (release func(), err error) {
	release = nothing
	for _, s := range rooms {
		last, earlier := nothing, release
		if last, err = take(ctx, s, n); err != nil {
			earlier()
			return nothing, err
		}
		release = func() { last(); earlier() }
	}
	return release, nil
}

// both waits, at most for a time, for n bytes of a party's room and of the room of all.
func both(ctx context.Context, most time.Duration, own, all *semaphore.Weighted, n int64) (release func(), err error) {
	ctx, cancel := context.WithTimeout(ctx, most)
	defer cancel()
	return takeAll(ctx, []*semaphore.Weighted{own, all}, n)
}

func take(ctx context.Context, s *semaphore.Weighted, n int64) (release func(), err error) {
	if !s.TryAcquire(n) {
		if err := s.Acquire(ctx, n); err != nil {
			return nothing, err
		}
	}
	return func() { s.Release(n) }, nil
}

// addressOf is the party of a request without a tenant: the address of its client, or for IPv6 the network of one
// customer (RFC 6177).
func addressOf(r *http.Request) string {
	ip, err := netip.ParseAddr(sourceIP(r))
	if err != nil {
		return r.RemoteAddr
	}
	if ip = ip.Unmap(); ip.Is6() {
		network, err := ip.WithZone("").Prefix(64)
		if err == nil {
			return network.String()
		}
	}
	return ip.String()
}
