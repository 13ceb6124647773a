package event_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/serverless-scim/serverless-scim/pkg/store"
	"github.com/serverless-scim/serverless-scim/pkg/store/boltstore"

	"github.com/serverless-scim/serverless-scim/pkg/event"
	"github.com/serverless-scim/serverless-scim/pkg/scim"
)

var at = time.Date(2027, 5, 21, 9, 20, 33, 123_000_000, time.UTC)

func expired() event.Event {
	return event.Event{
		ID: "1810970433123-00-abcdefghij", Tenant: "acme", Kind: event.TokenExpired,
		Subject: event.OfToken("oldoldoldoldold1"), Time: at,
		Data: scim.Object{"expiredAt": "2027-05-21T09:20:33Z", "n": 1.0, "list": []any{"<a>", nil}},
	}
}

func TestEnvelope(t *testing.T) {
	const want = `{"id":"1810970433123-00-abcdefghij","data":{"expiredAt":"2027-05-21T09:20:33Z","list":["<a>",null],` +
		`"n":1},"schemaVersion":1,` +
		`"subject":"tokens/oldoldoldoldold1","tenant":"acme","time":"2027-05-21T09:20:33.123Z","type":"token.expired"}`
	for range 3 {
		if got := string(expired().JSON()); got != want {
			t.Errorf("got  %s\nwant %s", got, want)
		}
	}
}

func TestEnvelopeOfATenant(t *testing.T) {
	e := event.Event{ID: "1", Tenant: "acme", Kind: event.NoticeFailed, Subject: event.OfTenant("acme"), Time: at}
	e.DataOmitted = true
	const want = `{"id":"1","dataOmitted":true,"schemaVersion":1,"subject":"tenants/acme","tenant":"acme",` +
		`"time":"2027-05-21T09:20:33.123Z","type":"notice.failed"}`
	if got := string(e.JSON()); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

// TestLog: events come out of the table as they went in, in their order, each until a sink has taken it.
func TestLog(t *testing.T) {
	engine, err := boltstore.Open(boltstore.Memory, boltstore.Options{Now: time.Now})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = engine.Close() })
	st := store.New(engine, store.Options{})
	first, second := expired(), event.Event{Kind: event.TokenRevealed, Time: at}
	for i, events := range [][]event.Event{{first, second}, {first}} {
		if err := st.Transact(t.Context(), event.Append("acme", int64(9+i), events...)...); err != nil {
			t.Fatal(err)
		}
	}
	if ops := event.Append("acme", 12); len(ops) != 0 {
		t.Errorf("%d writes of no event", len(ops))
	}
	var got []event.Event
	full := errors.New("full")
	take := func(_ context.Context, e event.Event) error {
		if len(got) == 2 {
			return full
		}
		got = append(got, e)
		return nil
	}
	if err := event.Deliver(t.Context(), st, "acme", take); !errors.Is(err, full) {
		t.Errorf("a full sink: %v", err)
	}
	first.ID, second.ID, second.Tenant, second.Subject = got[0].ID, got[1].ID, "acme", "tenants/acme"
	first.Data["n"] = int64(1)
	if want := []event.Event{first, second}; !cmp.Equal(got, want) || got[0].ID >= got[1].ID {
		t.Errorf("%s", cmp.Diff(want, got))
	}
	got = nil
	for range 2 {
		if err := event.Deliver(t.Context(), st, "acme", take); err != nil {
			t.Fatal(err)
		}
	}
	if len(got) != 1 || got[0].ID <= second.ID {
		t.Errorf("delivered after the two that were taken: %+v", got)
	}
}

func TestLinesAreWhole(t *testing.T) {
	var out bytes.Buffer
	broken := false
	sink := event.NewLines(func(lines []byte) error {
		if broken {
			return errors.New("disk full")
		}
		_, err := out.Write(lines)
		return err
	})
	deliver := event.Delivery(sink)
	e := expired()
	e.Data["text"] = "two\nlines"
	for range 2 {
		if err := deliver(t.Context(), e); err != nil {
			t.Fatal(err)
		}
	}
	broken = true
	if err := deliver(t.Context(), e); err == nil {
		t.Error("an event that was not written counts as delivered")
	}
	lines := strings.Split(strings.TrimSuffix(out.String(), "\n"), "\n")
	if len(lines) != 2 {
		t.Fatalf("%d lines", len(lines))
	}
	for _, line := range lines {
		var o map[string]any
		if err := json.Unmarshal([]byte(line), &o); err != nil || o["id"] != e.ID {
			t.Errorf("%s: %v", line, err)
		}
	}
}

func TestMemoryHoldsTheNewest(t *testing.T) {
	var m event.Memory
	for i := range 10_050 {
		if err := m.Put(t.Context(), event.Event{ID: string(rune(i))}); err != nil {
			t.Fatal(err)
		}
	}
	got := m.Events()
	if len(got) != 10_000 || got[0].ID != string(rune(50)) || got[9_999].ID != string(rune(10_049)) {
		t.Errorf("%d events from %q", len(got), got[0].ID)
	}
}

func TestSinksHeedTheContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for name, sink := range map[string]event.Sink{
		"lines":  event.NewLines(func([]byte) error { return nil }),
		"memory": &event.Memory{},
	} {
		if err := sink.Put(ctx, expired()); !errors.Is(err, context.Canceled) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
