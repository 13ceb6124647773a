package delivery_test

import (
	"context"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/serverless-scim/serverless-scim/pkg/event/delivery"
	"github.com/serverless-scim/serverless-scim/pkg/event/eventlog"
	"github.com/serverless-scim/serverless-scim/pkg/scim"
	"github.com/serverless-scim/serverless-scim/pkg/store"
	"github.com/serverless-scim/serverless-scim/pkg/store/boltstore"
	"github.com/serverless-scim/serverless-scim/pkg/store/faultstore"
)

// dest is a destination that does as a test says, and remembers the events that it took.
type dest struct {
	id      string
	want    string
	since   time.Time
	lasting bool
	off     bool
	resumed time.Time
	send    func(n int, events []eventlog.Numbered) delivery.Outcome

	mu    sync.Mutex
	calls int
	got   []int64
}

func (d *dest) ID() string          { return d.id }
func (d *dest) Active() bool        { return !d.off }
func (d *dest) Wants(t string) bool { return d.want == "" || d.want == t }
func (d *dest) Since() time.Time    { return d.since }
func (d *dest) Resumed() time.Time  { return d.resumed }
func (d *dest) Lasting() bool       { return d.lasting }
func (d *dest) text() string        { d.mu.Lock(); defer d.mu.Unlock(); return fmt.Sprint(d.got) }
func (d *dest) reset()              { d.mu.Lock(); defer d.mu.Unlock(); d.got = nil }
func (d *dest) take(sequences int64) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.got = append(d.got, sequences)
}

func (d *dest) Send(_ context.Context, events []eventlog.Numbered) delivery.Outcome {
	d.mu.Lock()
	d.calls++
	n := d.calls
	d.mu.Unlock()
	if d.send != nil {
		return d.send(n, events)
	}
	for _, e := range events {
		d.take(e.Sequence)
	}
	return delivery.Outcome{Accepted: events[len(events)-1].Sequence}
}

type world struct {
	t      *testing.T
	engine store.Engine
	st     *store.Store
	now    time.Time
	kept   time.Duration
	dests  []delivery.Destination
	stale  []delivery.Destination // listed the next time, instead
	paused []string
	gone   []string
	alone  bool
	heard  func(context.Context) error
	ended  func() bool
	read   atomic.Int64 // events
	*delivery.Worker
}

func newWorld(t *testing.T, dests ...delivery.Destination) *world {
	t.Helper()
	w := &world{t: t, now: time.Date(2027, 3, 1, 12, 0, 0, 454e6, time.UTC), dests: dests}
	engine, err := boltstore.Open(boltstore.Memory, boltstore.Options{Now: func() time.Time { return w.now }})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = engine.Close() })
	w.engine, w.st = engine, store.New(engine, store.Options{})
	w.Worker = w.worker(w.st)
	return w
}

func (w *world) worker(st *store.Store) *delivery.Worker {
	return delivery.New(st, delivery.Options{
		Now: func() time.Time { return w.now }, Logger: slog.New(slog.DiscardHandler), Alone: w.alone,
		Log: func(_ context.Context, id string) (delivery.Log, error) {
			if id != "acme" {
				return delivery.Log{}, nil
			}
			read := func(ctx context.Context, place eventlog.Place, count int) (eventlog.Page, error) {
				var oldest time.Time
				if w.kept > 0 {
					oldest = w.now.Add(-w.kept)
				}
				page, err := eventlog.Read(ctx, st.Tenant(id), place, count, oldest)
				w.read.Add(int64(len(page.Events)))
				return page, err
			}
			return delivery.Log{Read: read, Heard: w.heard, Ended: w.ended}, nil
		},
		Destinations: func(context.Context, string) ([]delivery.Destination, error) {
			if all := w.stale; all != nil {
				w.stale = nil
				return all, nil
			}
			return w.dests, nil
		},
		Paused: func(ctx context.Context, tenantID, destination string, _ delivery.State, put store.Op) error {
			w.paused = append(w.paused, tenantID+" "+destination)
			return st.Write(ctx, put)
		},
		Gone: func(_ context.Context, tenantID, destination string) error {
			w.gone = append(w.gone, tenantID+" "+destination)
			return nil
		},
		Jitter: func() float64 { return 0.5 },
	})
}

// write adds n events to the log, alternately of the types a and b.
func (w *world) write(n int) {
	w.t.Helper()
	ts := w.st.Tenant("acme")
	items, err := ts.Get(w.t.Context(), ts.LogHead())
	if err != nil {
		w.t.Fatal(err)
	}
	head := eventlog.DecodeHead(items[0])
	var all []eventlog.Entry
	for i := range n {
		kind := "a"
		if (head.Sequence+int64(i))%2 == 1 {
			kind = "b"
		}
		all = append(all, eventlog.Entry{
			Subject: "x", At: w.now, Events: []eventlog.Logged{{Type: kind, Data: scim.Object{}}},
		})
	}
	_, ops := head.Append(ts.Keys, w.kept, all...)
	if err := ts.Transact(w.t.Context(), ops...); err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) work() delivery.Left {
	w.t.Helper()
	left, err := w.Work(w.t.Context(), "acme")
	if err != nil {
		w.t.Fatal(err)
	}
	return left
}

func (w *world) state(id string) delivery.State {
	w.t.Helper()
	s, _, err := delivery.Of(w.t.Context(), w.st.Tenant("acme"), id)
	if err != nil {
		w.t.Fatal(err)
	}
	return s
}

// due returns the tenants that are due now.
func (w *world) due() string {
	w.t.Helper()
	var all []string
	if err := w.Due(w.t.Context(), func(_ context.Context, ids ...string) error {
		all = append(all, ids...)
		return nil
	}); err != nil {
		w.t.Fatal(err)
	}
	return strings.Join(all, " ")
}

func TestEachDestinationGetsWhatItWants(t *testing.T) {
	all, some := &dest{id: "bus", lasting: true}, &dest{id: "wh_1", want: "b"}
	late, off := &dest{id: "wh_2", since: time.Date(2027, 3, 1, 13, 0, 0, 0, time.UTC)}, &dest{id: "wh_3", off: true}
	w := newWorld(t, all, some, late, off)
	w.write(4)
	w.work()
	w.now = w.now.Add(2 * time.Hour)
	w.write(3)
	w.work()
	w.work()
	if all.text() != "[1 2 3 4 5 6 7]" || some.text() != "[2 4 6]" || late.text() != "[5 6 7]" || off.calls != 0 {
		t.Errorf("got %s, %s, %s, %d", all.text(), some.text(), late.text(), off.calls)
	}
	if left, err := w.Work(t.Context(), "nobody"); err != nil || left.More {
		t.Errorf("a tenant that is not there: %v", err)
	}
}

// TestOneInTroubleHoldsUpNobody: a destination that fails is tried again when it is due, from its last position.
func TestOneInTroubleHoldsUpNobody(t *testing.T) {
	good, bad := &dest{id: "wh_good"}, &dest{id: "wh_bad"}
	bad.send = func(n int, events []eventlog.Numbered) delivery.Outcome {
		if n > 1 {
			bad.send = nil
			return delivery.Outcome{Failed: true, RetryAfter: time.Minute}
		}
		bad.take(events[0].Sequence)
		return delivery.Outcome{Accepted: events[0].Sequence, Failed: true}
	}
	w := newWorld(t, good, bad)
	w.write(3)
	if left := w.work(); left.Due.Sub(w.now) != 5*time.Second || left.More {
		t.Errorf("left %+v", left)
	}
	w.write(1)
	w.work()
	if good.text() != "[1 2 3 4]" || bad.text() != "[1]" || bad.calls != 1 || w.due() != "" {
		t.Errorf("good %s, bad %s after %d calls", good.text(), bad.text(), bad.calls)
	}
	w.now = time.UnixMilli(w.state("wh_bad").Due) // it may be within a second
	if w.due() != "acme" {
		t.Error("nothing is due")
	}
	w.work()
	if s := w.state("wh_bad"); s.Position != 1 || s.Attempt != 2 || w.due() != "" ||
		time.UnixMilli(s.Due).Sub(w.now) != time.Minute {
		t.Errorf("state %+v", s)
	}
	w.now = w.now.Add(time.Minute)
	w.work()
	if s := w.state("wh_bad"); bad.text() != "[1 2 3 4]" || s.Attempt != 0 || w.due() != "" {
		t.Errorf("got %s, state %+v", bad.text(), s)
	}
}

// TestPauseAndResume: after five days a destination is paused and costs nothing; resumed it misses nothing.
func TestPauseAndResume(t *testing.T) {
	d := &dest{id: "wh_1"}
	d.send = func(int, []eventlog.Numbered) delivery.Outcome { return delivery.Outcome{Failed: true} }
	w := newWorld(t, d)
	w.write(1)
	for range 200 {
		left := w.work()
		if left.Due.IsZero() {
			break
		}
		w.now = left.Due
	}
	if fmt.Sprint(w.paused) != "[acme wh_1]" || w.state("wh_1").Paused == 0 {
		t.Fatalf("paused %v", w.paused)
	}
	calls := d.calls
	w.write(2)
	w.work()
	if d.calls != calls || w.due() != "" {
		t.Errorf("%d calls while paused", d.calls-calls)
	}
	d.send, d.resumed = nil, w.now.Add(time.Second)
	w.now = w.now.Add(time.Hour)
	w.work()
	if s := w.state("wh_1"); d.text() != "[1 2 3]" || s.Paused != 0 {
		t.Errorf("after resuming %s, state %+v", d.text(), s)
	}
}

func TestGoneIsSwitchedOff(t *testing.T) {
	d := &dest{id: "wh_1"}
	d.send = func(int, []eventlog.Numbered) delivery.Outcome { return delivery.Outcome{Failed: true, Gone: true} }
	w := newWorld(t, d)
	w.write(1)
	if left := w.work(); !left.Due.IsZero() || fmt.Sprint(w.gone) != "[acme wh_1]" || w.due() != "" {
		t.Errorf("gone %v, left %+v", w.gone, left)
	}
}

// TestOldPosition: events that are no longer kept are passed over, and the state says so.
func TestOldPosition(t *testing.T) {
	d := &dest{id: "wh_1", off: true}
	w := newWorld(t, d)
	w.kept = 24 * time.Hour
	if err := delivery.Change(t.Context(), w.st.Tenant("acme"), "wh_1", func(*delivery.State) {}); err != nil {
		t.Fatal(err)
	}
	w.write(5)
	w.now = w.now.Add(48 * time.Hour)
	w.write(2)
	d.off = false
	w.work()
	s := w.state("wh_1")
	if d.text() != "[6 7]" || s.Skipped == nil || s.Skipped.After != 0 || s.Skipped.Last != 5 {
		t.Errorf("got %s, state %+v", d.text(), s)
	}
}

func TestReplay(t *testing.T) {
	d := &dest{id: "wh_1"}
	w := newWorld(t, d)
	w.write(4)
	w.work()
	d.reset()
	ts := w.st.Tenant("acme")
	p, err := eventlog.Read(t.Context(), ts, eventlog.Place{After: 2}, 1, time.Time{})
	if err != nil {
		t.Fatal(err)
	}
	if err := delivery.Replay(t.Context(), ts, d, p, 2); err != nil {
		t.Fatal(err)
	}
	w.work()
	if d.text() != "[3 4]" {
		t.Errorf("replayed %s", d.text())
	}
}

// TestRemovedDestination: the stored state of a webhook that is gone goes too, and void entries as well.
func TestRemovedDestination(t *testing.T) {
	d := &dest{id: "wh_1"}
	d.send = func(int, []eventlog.Numbered) delivery.Outcome { return delivery.Outcome{Failed: true} }
	w := newWorld(t, d)
	w.write(1)
	w.work()
	w.dests = nil
	w.work()
	if s := w.state("wh_1"); s.Attempt != 0 {
		t.Errorf("left %+v", s)
	}
	w.now = w.now.Add(2 * time.Hour)
	for range 2 {
		if w.due() != "" {
			t.Error("a void entry wakes")
		}
	}
	page, err := w.st.Query(t.Context(), store.Query{PK: store.SendPK})
	if err != nil || len(page.Items) != 0 {
		t.Errorf("entries left: %v, %v", page.Items, err)
	}
}

// TestCreatedAgain: a destination that is created again under its id begins at its creation, in whatever state the
// former one was, also if nothing was delivered in between.
func TestCreatedAgain(t *testing.T) {
	fails := func(int, []eventlog.Numbered) delivery.Outcome { return delivery.Outcome{Failed: true} }
	for name, before := range map[string]func(*world, *dest){
		"good": func(*world, *dest) {},
		"failing": func(w *world, d *dest) {
			d.send = fails
			w.write(1)
			w.work()
		},
		"paused": func(w *world, d *dest) {
			d.send = fails
			w.write(1)
			for left := w.work(); !left.Due.IsZero(); left = w.work() {
				w.now = left.Due
			}
		},
		"leased": func(w *world, _ *dest) {
			err := delivery.Change(t.Context(), w.st.Tenant("acme"), "wh_1", func(s *delivery.State) {
				s.Lease = w.now.Add(time.Hour).UnixMilli()
			})
			if err != nil {
				t.Fatal(err)
			}
		},
	} {
		former := &dest{id: "wh_1", since: time.Date(2027, 3, 1, 11, 0, 0, 0, time.UTC)}
		w := newWorld(t, former)
		w.write(2)
		w.work()
		before(w, former)
		w.write(3) // behind the removal, and nothing is delivered
		first := w.state("wh_1").Position + 1
		w.now = w.now.Add(time.Minute)
		again := &dest{id: "wh_1", since: w.now}
		w.dests = []delivery.Destination{again}
		w.work() // nothing is new
		if s := w.state("wh_1"); again.calls != 0 || s.Attempt != 0 || s.Paused != 0 || s.Recent != nil {
			t.Errorf("%s: %d calls, state %+v", name, again.calls, s)
		}
		end := w.state("wh_1").Position
		w.write(2)
		w.stale = []delivery.Destination{former} // a worker that has not seen the removal
		calls := former.calls
		w.work()
		w.work()
		if want := fmt.Sprint([]int64{end + 1, end + 2}); again.text() != want || end < first+2 {
			t.Errorf("%s: got %s after %d, want %s", name, again.text(), first, want)
		}
		if former.calls != calls {
			t.Errorf("%s: the former one was called", name)
		}
		w.now = w.now.Add(2 * time.Hour)
		if due := w.due(); due != "" {
			t.Errorf("%s: %s is due", name, due)
		}
	}
}

// TestCreatedAgainWithAnEarlierClock: also one that was created again after the clock went back begins at its creation.
func TestCreatedAgainWithAnEarlierClock(t *testing.T) {
	former := &dest{id: "wh_1", since: time.Date(2027, 3, 1, 11, 0, 0, 0, time.UTC)}
	for name, prepare := range map[string]func(*world, *dest){
		"delivered": func(*world, *dest) {},
		"replayed": func(w *world, d *dest) {
			if err := delivery.Replay(t.Context(), w.st.Tenant("acme"), d, eventlog.Page{}, 2); err != nil {
				t.Fatal(err)
			}
		},
	} {
		w := newWorld(t, former)
		w.write(2)
		w.work()
		err := delivery.Change(t.Context(), w.st.Tenant("acme"), "wh_1", func(s *delivery.State) {
			s.Recent = []delivery.Attempt{{Sequence: 2, Status: 418}}
		})
		if err != nil {
			t.Fatal(err)
		}
		w.now = w.now.Add(-24 * time.Hour)
		again := &dest{id: "wh_1", since: w.now}
		w.dests = []delivery.Destination{again}
		prepare(w, again)
		w.write(1)
		w.work()
		s := w.state("wh_1")
		if !strings.HasSuffix(again.text(), "3]") || s.Since != again.since.UnixMilli() || s.Recent != nil {
			t.Errorf("%s: got %s, state %+v", name, again.text(), s)
		}
	}
}

// TestStateWithoutSince: one that was stored without the time of creation gets it with the next delivery.
func TestStateWithoutSince(t *testing.T) {
	d := &dest{id: "wh_1", since: time.Date(2027, 3, 1, 11, 0, 0, 0, time.UTC)}
	w := newWorld(t, d)
	w.write(1)
	w.work()
	old := func(s *delivery.State) { s.Since = 0 }
	if err := delivery.Change(t.Context(), w.st.Tenant("acme"), "wh_1", old); err != nil {
		t.Fatal(err)
	}
	w.write(1)
	w.work()
	if s := w.state("wh_1"); s.Since != d.since.UnixMilli() || d.text() != "[1 2]" {
		t.Errorf("got %s, state %+v", d.text(), s)
	}
}

// TestReplayOfOneCreatedAgain: it replays from the place that is asked for, and nothing of the former one stays.
func TestReplayOfOneCreatedAgain(t *testing.T) {
	d := &dest{id: "wh_1", since: time.Date(2027, 3, 1, 11, 0, 0, 0, time.UTC)}
	w := newWorld(t, d)
	w.write(4)
	w.work()
	d.reset()
	w.now = w.now.Add(time.Minute)
	d.since = w.now
	ts := w.st.Tenant("acme")
	p, err := eventlog.Read(t.Context(), ts, eventlog.Place{After: 2}, 1, time.Time{})
	if err != nil {
		t.Fatal(err)
	}
	if err := delivery.Replay(t.Context(), ts, d, p, 2); err != nil {
		t.Fatal(err)
	}
	w.work()
	if d.text() != "[3 4]" || w.state("wh_1").Outlived(d.since) {
		t.Errorf("replayed %s, state %+v", d.text(), w.state("wh_1"))
	}
}

// TestHeard: that a log has ended is told once all who want to have it have it, and those who are paused are not waited
// for.
func TestHeard(t *testing.T) {
	heard := 0
	fine, off, paused := &dest{id: "bus", lasting: true}, &dest{id: "wh_1", off: true}, &dest{id: "wh_2"}
	w := newWorld(t, fine, off, paused)
	w.heard = func(context.Context) error { heard++; return nil }
	work := func(want int) {
		t.Helper()
		if w.work(); heard != want {
			t.Errorf("heard %d times, want %d", heard, want)
		}
		heard = 0
	}
	w.write(3)
	refuse := func(n int, _ []eventlog.Numbered) delivery.Outcome { return delivery.Outcome{Failed: true} }
	paused.send = refuse
	work(0)
	for range 30 {
		w.now = w.now.Add(6 * time.Hour)
		w.work()
	}
	if heard = 0; len(w.paused) != 1 {
		t.Fatalf("paused %v", w.paused)
	}
	w.write(1)
	fine.send = refuse
	work(0)
	w.now = w.now.Add(time.Minute)
	fine.send = nil
	work(1)
	w.dests = nil
	work(1)
}

// TestEndsMeanwhile: a log ends while a delivery that has begun before is sending, and another destination has looked
// already. The delivery asks to be called again, and then tells that all have the end.
func TestEndsMeanwhile(t *testing.T) {
	quick, slow := &dest{id: "bus", want: "b"}, &dest{id: "wh_1", want: "a"}
	w := newWorld(t, quick, slow)
	w.write(1)
	var ended, heard atomic.Bool
	w.ended = ended.Load
	slow.send = func(n int, events []eventlog.Numbered) delivery.Outcome {
		if n == 1 {
			w.write(1) // of type b, which only the other wants
			ended.Store(true)
		}
		return delivery.Outcome{Accepted: events[len(events)-1].Sequence}
	}
	if left := w.work(); !left.More {
		t.Errorf("left %+v", left)
	}
	w.ended, w.heard = nil, func(context.Context) error { heard.Store(true); return nil }
	if left := w.work(); left.More || !heard.Load() || quick.text() != "[2]" {
		t.Errorf("left %+v, heard %v, the other got %s", left, heard.Load(), quick.text())
	}
}

func TestWakeAll(t *testing.T) {
	w := newWorld(t)
	for _, id := range []string{"acme", "beta"} {
		if err := w.st.Write(t.Context(), store.PutItem(store.KeysOf(id).Listed(), nil)); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.st.Write(t.Context(), delivery.WakeAll(w.now.Unix(), "wh_1")); err != nil {
		t.Fatal(err)
	}
	if got := w.due(); got != "acme beta" || w.due() != "" {
		t.Errorf("woken %q", got)
	}
}

// TestTwoWorkers: many workers at once send each event once, since they take leases, in order.
func TestTwoWorkers(t *testing.T) {
	d := &dest{id: "wh_1"}
	w := newWorld(t, d)
	var wg sync.WaitGroup
	for i := range 40 {
		if i%4 == 0 {
			w.write(3)
		}
		wg.Go(func() {
			if _, err := w.Work(context.Background(), "acme"); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	w.work()
	if len(d.got) != 30 {
		t.Fatalf("%d events: %s", len(d.got), d.text())
	}
	for i, n := range d.got {
		if n != int64(i)+1 {
			t.Fatalf("out of order: %s", d.text())
		}
	}
}

// TestLeaseOfADeadProcess: a process is killed while it sends. The next process waits for the end of the lease, unless
// it is alone on the table; but then a lease of its own excludes others. The clock may have gone back in between.
func TestLeaseOfADeadProcess(t *testing.T) {
	for _, c := range []struct {
		alone  bool
		passed time.Duration
	}{{false, time.Second}, {true, time.Second}, {true, -30 * 24 * time.Hour}} {
		d := &dest{id: "wh_1", send: func(int, []eventlog.Numbered) delivery.Outcome { panic("killed") }}
		w := newWorld(t, d)
		w.write(3)
		if _, err := w.Work(t.Context(), "acme"); err == nil {
			t.Fatal("no panic")
		}
		end := w.now.Add(70 * time.Second)
		w.now, w.alone = w.now.Add(c.passed), c.alone
		next := w.worker(w.st)
		d.send = func(_ int, events []eventlog.Numbered) delivery.Outcome {
			left, err := next.Work(t.Context(), "acme")
			if err != nil || !left.Leased.Equal(w.now.Add(70*time.Second)) {
				t.Errorf("beside one that sends: %+v, %v", left, err)
			}
			d.take(events[len(events)-1].Sequence)
			return delivery.Outcome{Accepted: 3}
		}
		left, err := next.Work(t.Context(), "acme")
		if err != nil || c.alone != left.Leased.IsZero() || !c.alone && !left.Leased.Equal(end) {
			t.Errorf("%+v: %+v, %v", c, left, err)
		}
		if w.now = end; !c.alone {
			left, err = next.Work(t.Context(), "acme")
		}
		if d.text() != "[3]" || err != nil || left != (delivery.Left{}) {
			t.Errorf("%+v: got %s, %+v, %v", c, d.text(), left, err)
		}
	}
}

// TestKilledAnywhere: the store fails or the process dies at a random place, the destination fails at random; in the
// end each event was handed over at least once, and no event came before the one before it had come.
func TestKilledAnywhere(t *testing.T) {
	for seed := range uint64(30) {
		r := rand.New(rand.NewPCG(seed, 1))
		d := &dest{id: "wh_1"}
		d.send = func(_ int, events []eventlog.Numbered) delivery.Outcome {
			o := delivery.Outcome{}
			for _, e := range events {
				if r.IntN(5) == 0 {
					o.Failed = true
					return o
				}
				d.take(e.Sequence)
				o.Accepted = e.Sequence
			}
			return o
		}
		w := newWorld(t, d)
		for i := 0; i < 300 && w.state("wh_1").Position < 40; i++ {
			if i%3 == 0 && i < 30 {
				w.write(4)
			}
			flaky := faultstore.New(w.engine, nil)
			flaky.KillAfter(r.IntN(9))
			_, _ = w.worker(store.New(flaky, store.Options{MaxWait: time.Millisecond})).Work(t.Context(), "acme")
			w.now = w.now.Add(2 * time.Minute) // leases end
		}
		seen := int64(0)
		for _, n := range d.got {
			if n > seen+1 {
				t.Fatalf("seed %d: %d came before %d: %s", seed, n, seen+1, d.text())
			}
			seen = max(seen, n)
		}
		if seen != 40 {
			t.Errorf("seed %d: %d of 40 events came", seed, seen)
		}
	}
}

// TestUnwantedEventsAreReadOnce: a destination that wants nothing of a long log costs in proportion to the log, however
// often it is looked at.
func TestUnwantedEventsAreReadOnce(t *testing.T) {
	w := newWorld(t, &dest{id: "bus", want: "c"})
	const turns, each = 100, 20
	for range turns {
		w.write(each)
		if _, err := w.Work(t.Context(), "acme"); err != nil {
			t.Fatal(err)
		}
	}
	if n := w.read.Load(); n > 4*turns*each {
		t.Errorf("%d events were read, of %d", n, turns*each)
	}
}
