package manage

import (
	"encoding/json"
	"log/slog"
	"os"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"

	"github.com/serverless-scim/serverless-scim/pkg/app"
	"github.com/serverless-scim/serverless-scim/pkg/directory"
	"github.com/serverless-scim/serverless-scim/pkg/store"
	"github.com/serverless-scim/serverless-scim/pkg/store/boltstore"
	"github.com/serverless-scim/serverless-scim/pkg/tenant"
)

// stream is the stream function on an empty table in memory.
func stream(t *testing.T) (*Stream, *boltstore.Engine) {
	t.Helper()
	engine, err := boltstore.Open(boltstore.Memory, boltstore.Options{Now: time.Now})
	if err != nil {
		t.Fatal(err)
	}
	st := store.New(engine, store.Options{})
	return &Stream{log: slog.New(slog.DiscardHandler), cleaner: app.Cleaner{
		Tenants:   tenant.New(st, tenant.NewTableSecrets(st), tenant.Options{Now: time.Now}),
		Directory: directory.New(st, directory.Options{Now: time.Now}),
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
	if err != nil || len(out.BatchItemFailures) != len(records) ||
		out.BatchItemFailures[0].ItemIdentifier != records[0].Change.SequenceNumber {
		t.Errorf("gave back %v, %v; want all records", out.BatchItemFailures, err)
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
