package event_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/serverless-scim/serverless-scim/pkg/event"
	"github.com/serverless-scim/serverless-scim/pkg/scim"
	"github.com/serverless-scim/serverless-scim/pkg/tenant"
)

var at = time.Date(2027, 5, 21, 9, 20, 33, 123_000_000, time.UTC)

func expired() tenant.Event {
	return tenant.Event{
		ID: "1810970433123-00-abcdefghij", TenantID: "acme", Kind: tenant.EventTokenExpired, TokenID: "oldoldoldoldold1",
		At:   at,
		Data: scim.Object{"expiredAt": "2027-05-21T09:20:33Z", "n": 1.0, "list": []any{"<a>", nil}},
	}
}

func TestEnvelope(t *testing.T) {
	const want = `{"id":"1810970433123-00-abcdefghij","data":{"expiredAt":"2027-05-21T09:20:33Z","list":["<a>",null],` +
		`"n":1},"schemaVersion":1,` +
		`"subject":"tokens/oldoldoldoldold1","tenant":"acme","time":"2027-05-21T09:20:33.123Z","type":"token.expired"}`
	for range 3 {
		if got := string(event.Of(expired()).JSON()); got != want {
			t.Errorf("got  %s\nwant %s", got, want)
		}
	}
}

func TestEnvelopeOfATenant(t *testing.T) {
	e := event.Of(tenant.Event{ID: "1", TenantID: "acme", Kind: tenant.EventNoticeFailed, At: at})
	e.DataOmitted = true
	const want = `{"id":"1","dataOmitted":true,"schemaVersion":1,"subject":"tenants/acme","tenant":"acme",` +
		`"time":"2027-05-21T09:20:33.123Z","type":"notice.failed"}`
	if got := string(e.JSON()); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

func TestSubjects(t *testing.T) {
	for want, e := range map[string]tenant.Event{
		"tokens/t1":    {TenantID: "acme", TokenID: "t1", Data: scim.Object{"clientId": "c1"}},
		"clients/c1":   {TenantID: "acme", Data: scim.Object{"clientId": "c1"}},
		"tenants/acme": {TenantID: "acme", Data: scim.Object{"clientId": nil}},
	} {
		if got := event.Of(e).Subject; got != want {
			t.Errorf("subject %s, want %s", got, want)
		}
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
		if err := sink.Put(ctx, event.Of(expired())); !errors.Is(err, context.Canceled) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
