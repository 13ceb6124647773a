package work

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"os"
	"slices"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"

	"github.com/serverless-scim/serverless-scim/pkg/app"
	"github.com/serverless-scim/serverless-scim/pkg/directory"
	"github.com/serverless-scim/serverless-scim/pkg/store"
	"github.com/serverless-scim/serverless-scim/pkg/store/boltstore"
	"github.com/serverless-scim/serverless-scim/pkg/tenant"
	"github.com/serverless-scim/serverless-scim/pkg/tenant/ending"
)

// stream is the stream function on an empty table in memory.
func stream(t *testing.T) (*Stream, *boltstore.Engine) {
	t.Helper()
	engine, err := boltstore.Open(boltstore.Memory, boltstore.Options{Now: time.Now})
	if err != nil {
		t.Fatal(err)
	}
	st := store.New(engine, store.Options{})
	tenants := tenant.New(st, tenant.NewTableSecrets(st), tenant.Options{Now: time.Now})
	dir := directory.New(st, directory.Options{Now: time.Now})
	return &Stream{log: slog.New(slog.DiscardHandler), cleaner: app.Cleaner{
		Tenants: tenants, Directory: dir,
		Ending: ending.New(st, tenants, ending.Options{Now: time.Now, Empty: dir.Erase, Alone: true}),
	}}, engine
}

func sample(t *testing.T) events.DynamoDBEvent {
	t.Helper()
	raw, err := os.ReadFile("../../../events/stream.json")
	if err != nil {
		t.Fatal(err)
	}
	var ev events.DynamoDBEvent
	if err := json.Unmarshal(raw, &ev); err != nil {
		t.Fatal(err)
	}
	return ev
}

func TestStreamTakesTheSample(t *testing.T) {
	s, engine := stream(t)
	out, err := s.Handle(t.Context(), sample(t))
	if err != nil || len(out.BatchItemFailures) > 0 {
		t.Errorf("gave back %v, %v", out.BatchItemFailures, err)
	}
	if err := engine.Close(); err != nil {
		t.Error(err)
	}
}

func TestStreamGivesBackWhatFailed(t *testing.T) {
	s, engine := stream(t)
	if err := engine.Close(); err != nil {
		t.Fatal(err)
	}
	out, err := s.Handle(t.Context(), sample(t))
	records := sample(t).Records
	if err != nil || len(out.BatchItemFailures) != 1 ||
		out.BatchItemFailures[0].ItemIdentifier != records[0].Change.SequenceNumber {
		t.Errorf("gave back %v, %v; want the open work: a deletion is woken again by rotate",
			out.BatchItemFailures, err)
	}
}

func TestStreamPassesOverWhatIsNotItsOwn(t *testing.T) {
	s, engine := stream(t)
	if err := engine.Close(); err != nil { // whoever did anything would fail
		t.Fatal(err)
	}
	ev := sample(t)
	ev.Records[0].EventName = string(events.DynamoDBOperationTypeRemove)
	delete(ev.Records[1].Change.NewImage, store.AttrWake)
	out, err := s.Handle(t.Context(), ev)
	if err != nil || len(out.BatchItemFailures) > 0 {
		t.Errorf("gave back %v, %v", out.BatchItemFailures, err)
	}
}

// stuckVault can't forget one tenant.
type stuckVault struct {
	tenant.Secrets
	stuck string
}

func (v *stuckVault) DropTenant(ctx context.Context, id string) error {
	if id == v.stuck {
		return tenant.ErrVault
	}
	return v.Secrets.DropTenant(ctx, id)
}

// TestDeletionsStandAlone: of many tenants that are deleted together one that can't be erased holds up no other, and is
// taken up again by itself, also if nobody has the record of the stream any more.
func TestDeletionsStandAlone(t *testing.T) {
	engine, err := boltstore.Open(boltstore.Memory, boltstore.Options{Now: time.Now})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = engine.Close() })
	st, now := store.New(engine, store.Options{}), time.Now()
	vault := &stuckVault{Secrets: tenant.NewTableSecrets(st), stuck: "t05"}
	var woken []app.Wake
	service := tenant.New(st, vault, tenant.Options{
		Now:  func() time.Time { return now },
		Wake: func(kind, id string) { woken = append(woken, app.Wake{Kind: kind, Tenant: id}) },
	})
	dir := directory.New(st, directory.Options{Now: time.Now})
	s := &Stream{log: slog.New(slog.DiscardHandler), cleaner: app.Cleaner{
		Tenants: service, Directory: dir,
		Ending: ending.New(st, service, ending.Options{Now: time.Now, Empty: dir.Erase, Alone: true}),
	}}
	var ids []string
	for i := range 12 {
		ids = append(ids, fmt.Sprintf("t%02d", i))
		if _, _, err := service.Create(t.Context(), tenant.NewTenant{ID: ids[i], Name: "x"}); err != nil {
			t.Fatal(err)
		}
	}
	// shown is the batch of stream records of the items that were written with wake.
	shown := func() (ev events.DynamoDBEvent) {
		for _, id := range ids {
			key := store.KeysOf(id).Tenant()
			items, err := st.Get(t.Context(), key)
			if err != nil {
				t.Fatal(err)
			}
			wake, ok := items[0].Attrs[store.AttrWake].(string)
			if !ok {
				continue
			}
			ev.Records = append(ev.Records, record(key, wake, id))
		}
		return ev
	}
	handle := func(records int, left ...string) {
		t.Helper()
		ev := shown()
		out, err := s.Handle(t.Context(), ev)
		if err != nil || len(out.BatchItemFailures) > 0 || len(ev.Records) != records {
			t.Errorf("%d records, gave back %v, %v", len(ev.Records), out.BatchItemFailures, err)
		}
		if got, err := service.Deleting(t.Context()); err != nil || !slices.Equal(got, left) {
			t.Errorf("left are %v, %v; want %v", got, err, left)
		}
	}
	handle(0)
	for _, id := range ids {
		if err := service.Delete(t.Context(), id); err != nil {
			t.Fatal(err)
		}
	}
	handle(12, "t05")
	handle(0, "t05") // the claim and its release wake nobody
	for _, still := range []bool{true, false} {
		if !still {
			vault.stuck = ""
		}
		woken = nil
		now = now.Add(time.Hour)
		if run, err := service.Rotate(t.Context(), mute); err != nil || run.Failed > 0 {
			t.Fatalf("%+v, %v", run, err)
		}
		if want := []app.Wake{{Kind: store.WakeDeleted, Tenant: "t05"}}; !slices.Equal(woken, want) {
			t.Errorf("the hourly run wakes %v, want %v", woken, want)
		}
		if still {
			handle(1, "t05")
		} else {
			handle(1)
		}
	}
	for shard := range store.DueShards {
		page, err := st.Query(t.Context(), store.Query{PK: store.DuePK(shard)})
		if err != nil || len(page.Items) > 0 {
			t.Errorf("due of tenants that are gone: %v, %v", page.Items, err)
		}
	}
}

// throttled is an engine that refuses all reads of single items while it is on.
type throttled struct {
	store.Engine
	on bool
}

func (e *throttled) Get(ctx context.Context, keys []store.Key) ([]store.Item, []int, error) {
	if e.on {
		return nil, nil, store.ErrThrottled
	}
	return e.Engine.Get(ctx, keys)
}

// TestDeletionWaitsForTheTable: the record of a deletion comes again if the table had no time for it. The hourly run of
// rotate would be late.
func TestDeletionWaitsForTheTable(t *testing.T) {
	memory, err := boltstore.Open(boltstore.Memory, boltstore.Options{Now: time.Now})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = memory.Close() })
	engine := &throttled{Engine: memory}
	st := store.New(engine, store.Options{MaxWait: time.Millisecond})
	service := tenant.New(st, tenant.NewTableSecrets(st), tenant.Options{Now: time.Now})
	s := &Stream{
		log: slog.New(slog.DiscardHandler),
		cleaner: app.Cleaner{Ending: ending.New(st, service, ending.Options{
			Now: time.Now, Empty: directory.New(st, directory.Options{Now: time.Now}).Erase, Alone: true,
		})},
	}
	if _, _, err := service.Create(t.Context(), tenant.NewTenant{ID: "acme", Name: "Acme"}); err != nil {
		t.Fatal(err)
	}
	if err := service.Delete(t.Context(), "acme"); err != nil {
		t.Fatal(err)
	}
	ev := events.DynamoDBEvent{Records: []events.DynamoDBEventRecord{
		record(store.KeysOf("acme").Tenant(), store.WakeDeleted, "1"),
	}}
	for _, busy := range []bool{true, false} {
		engine.on = busy
		out, err := s.Handle(t.Context(), ev)
		if err != nil || (len(out.BatchItemFailures) == 1) != busy {
			t.Errorf("busy %v: gave back %v, %v", busy, out.BatchItemFailures, err)
		}
	}
	if left, err := service.Deleting(t.Context()); err != nil || len(left) > 0 {
		t.Errorf("left are %v, %v", left, err)
	}
}

// record is the stream record of a tenant's item that was written with a wake.
func record(key store.Key, wake, sequence string) events.DynamoDBEventRecord {
	return events.DynamoDBEventRecord{EventName: "MODIFY", Change: events.DynamoDBStreamRecord{
		Keys: map[string]events.DynamoDBAttributeValue{
			store.AttrPK: events.NewStringAttribute(key.PK), store.AttrSK: events.NewStringAttribute(key.SK),
		},
		NewImage:       map[string]events.DynamoDBAttributeValue{store.AttrWake: events.NewStringAttribute(wake)},
		SequenceNumber: sequence,
	}}
}
