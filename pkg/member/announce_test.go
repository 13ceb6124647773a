package member_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/serverless-scim/serverless-scim/pkg/event"
	"github.com/serverless-scim/serverless-scim/pkg/event/eventlog"
	"github.com/serverless-scim/serverless-scim/pkg/scim"
	"github.com/serverless-scim/serverless-scim/pkg/store/faultstore"
)

// TestAnnouncementsAreKilledAnywhere announces events between changes of people, and kills the process after each
// possible number of calls to the engine. Each announced event gets one number, in the order of writing, and a reader
// of the log sees a prefix at any time. An announcement during which the process died exists completely or not at all.
func TestAnnouncementsAreKilledAnywhere(t *testing.T) {
	w := newWorld(t, teams)
	r := rand.New(rand.NewPCG(1, 3))
	var users, groups []string
	var sure, maybe []string
	var seen []string
	var after int64
	poll := func() {
		page, err := w.s.Events(context.Background(), w.tenant, eventlog.Place{After: after}, 1000)
		w.must(err)
		for _, e := range page.Events {
			if after++; e.Sequence != after {
				t.Fatalf("event %d follows %d", e.Sequence, after-1)
			}
			if id, ok := e.Object["data"].(scim.Object)["clientId"].(string); ok {
				seen = append(seen, id)
			}
		}
	}
	at := time.Now()
	for n := range 80 {
		w.must(w.steps(r, 2, &users, &groups))
		w.engine.KillAfter(n % 14)
		for i := range 3 {
			id := fmt.Sprintf("%03d-%d", n, i)
			at = at.Add(time.Millisecond)
			err := w.store.Transact(context.Background(), event.Append("acme", int64(n), event.Cause{}, event.Event{
				Kind: event.ClientDeleted, Subject: event.OfClient(id), Time: at, Data: scim.Object{"clientId": id},
			})...)
			if maybe = append(maybe, id); err == nil {
				sure = append(sure, id)
			}
		}
		err := w.publish()
		w.engine.Revive()
		if err != nil && !errors.Is(err, faultstore.ErrKilled) {
			t.Fatal(err)
		}
		w.restart()
		poll()
	}
	w.must(w.publish())
	poll()
	w.check()
	once, known := map[string]bool{}, map[string]bool{}
	for _, id := range maybe {
		known[id] = true
	}
	for i, id := range seen {
		if once[id] || !known[id] {
			t.Errorf("event %s is there twice, or was never written", id)
		}
		if once[id] = true; i > 0 && seen[i-1] > id {
			t.Errorf("event %s follows %s", id, seen[i-1])
		}
	}
	for _, id := range sure {
		if !once[id] {
			t.Errorf("event %s is lost", id)
		}
	}
}
