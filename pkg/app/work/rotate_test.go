package work

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/serverless-scim/serverless-scim/pkg/domain/claim"
	"github.com/serverless-scim/serverless-scim/pkg/member"
	"github.com/serverless-scim/serverless-scim/pkg/notice"
	"github.com/serverless-scim/serverless-scim/pkg/store"
	"github.com/serverless-scim/serverless-scim/pkg/store/boltstore"
	"github.com/serverless-scim/serverless-scim/pkg/tenant"
)

// mute is a delivery that reaches nobody.
func mute(context.Context, notice.Tenant, notice.Notice) (notice.State, error) {
	return notice.Failed, nil
}

// toAda gives the tenant of rotation a recipient of notices.
func toAda(t *testing.T, r *Rotate) {
	t.Helper()
	_, err := r.tenants.Change(t.Context(), "acme", map[string]any{"settings": map[string]any{
		"notices": map[string]any{"recipients": []any{map[string]any{"email": "ada@example.com"}}},
	}})
	if err != nil {
		t.Fatal(err)
	}
}

// rotation is the rotate function on a table in memory with one tenant, 160 days after its making.
func rotation(t *testing.T) (*Rotate, *boltstore.Engine) {
	t.Helper()
	now := time.Date(2026, 11, 22, 8, 0, 0, 0, time.UTC)
	engine, err := boltstore.Open(boltstore.Memory, boltstore.Options{Now: func() time.Time { return now }})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = engine.Close() })
	st := store.New(engine, store.Options{})
	service := tenant.New(st, tenant.NewTableSecrets(st), tenant.Options{Now: func() time.Time { return now }})
	if _, _, err := service.Create(t.Context(), tenant.NewTenant{ID: "acme", Name: "Acme"}); err != nil {
		t.Fatal(err)
	}
	log := slog.New(slog.DiscardHandler)
	clock := func() time.Time { return now }
	r := &Rotate{
		tenants: service, members: member.New(st, member.Options{Now: clock, Log: log}), delivery: mute, log: log,
		domains: claim.New(st, service, claim.Options{Now: clock, Log: log}),
	}
	if err := r.Handle(t.Context(), json.RawMessage(`{}`)); err != nil {
		t.Fatal(err)
	}
	now = now.Add(152*24*time.Hour + time.Hour)
	return r, engine
}

func TestRotateTakesTheSample(t *testing.T) {
	raw, err := os.ReadFile("../../../events/rotate.json")
	if err != nil {
		t.Fatal(err)
	}
	r, _ := rotation(t)
	for range 2 {
		if err := r.Handle(t.Context(), raw); err != nil {
			t.Fatal(err)
		}
		if tokens, err := r.tenants.Tokens(t.Context(), "acme"); err != nil || len(tokens) != 2 {
			t.Errorf("%+v, %v", tokens, err)
		}
	}
}

// A run without time for any tenant leaves all of them to the next, which it wakes.
func TestRotateWakesTheNextRun(t *testing.T) {
	r, engine := rotation(t)
	st := store.New(engine, store.Options{})
	woken := func() (wake any) {
		items, err := st.Get(t.Context(), store.Again)
		if err != nil {
			t.Fatal(err)
		}
		return items[0].Attrs[store.AttrWake]
	}
	if wake := woken(); wake != nil {
		t.Errorf("a whole run wakes %v", wake)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	if err := r.Handle(ctx, json.RawMessage(`{}`)); err != nil || woken() != store.WakeRotate {
		t.Errorf("wakes %v, %v", woken(), err)
	}
	if tokens, err := r.tenants.Tokens(t.Context(), "acme"); err != nil || len(tokens) != 1 {
		t.Errorf("%+v, %v", tokens, err)
	}
	record := json.RawMessage(
		`{"Records":[{"eventName":"MODIFY","dynamodb":{"Keys":{"pk":{"S":"DUE"},"sk":{"S":"AGAIN"}},` +
			`"NewImage":{"wake":{"S":"rotate"}}}}]}`)
	if err := r.Handle(t.Context(), record); err != nil {
		t.Fatal(err)
	}
	if tokens, err := r.tenants.Tokens(t.Context(), "acme"); err != nil || len(tokens) != 2 {
		t.Errorf("after the run that was woken: %+v, %v", tokens, err)
	}
}

func TestRotateReportsWhatFailed(t *testing.T) {
	r, engine := rotation(t)
	toAda(t, r)
	r.delivery = func(context.Context, notice.Tenant, notice.Notice) (notice.State, error) {
		return "", errors.New("no mail")
	}
	if err := r.Handle(t.Context(), json.RawMessage(`{}`)); err == nil ||
		!strings.Contains(err.Error(), "number of tenants: 1") {
		t.Errorf("%v", err)
	}
	if err := engine.Close(); err != nil {
		t.Fatal(err)
	}
	if err := r.Handle(t.Context(), json.RawMessage(`{}`)); err == nil {
		t.Error("no error without a table")
	}
}

// An event of the mail system goes to the report, and makes no run.
func TestRotateTakesReports(t *testing.T) {
	raw, err := os.ReadFile("../../../events/rotate-report.json")
	if err != nil {
		t.Fatal(err)
	}
	r, engine := rotation(t)
	if err := engine.Close(); err != nil { // a run would fail
		t.Fatal(err)
	}
	var got json.RawMessage
	r.report = func(_ context.Context, _ *slog.Logger, _ *tenant.Service, detail json.RawMessage) error {
		got = detail
		return nil
	}
	if err := r.Handle(t.Context(), raw); err != nil || !strings.Contains(string(got), `"Permanent"`) {
		t.Errorf("%v, reported %s", err, got)
	}
	failed := errors.New("the table is away")
	r.report = func(context.Context, *slog.Logger, *tenant.Service, json.RawMessage) error { return failed }
	if err := r.Handle(t.Context(), raw); !errors.Is(err, failed) {
		t.Errorf("%v", err)
	}
}

// A record of the stream that tells delivers for its tenant, once for a batch, and makes no run.
func TestRotateDeliversWhatTheStreamShows(t *testing.T) {
	raw, err := os.ReadFile("../../../events/rotate-stream.json")
	if err != nil {
		t.Fatal(err)
	}
	r, engine := rotation(t)
	toAda(t, r)
	if _, err := r.tenants.TestNotice(t.Context(), "acme"); err != nil {
		t.Fatal(err)
	}
	var told []string
	r.delivery = func(_ context.Context, _ notice.Tenant, n notice.Notice) (notice.State, error) {
		told = append(told, string(n.Kind))
		return notice.Sent, nil
	}
	if err := r.Handle(t.Context(), raw); err != nil || strings.Join(told, " ") != string(notice.Test) {
		t.Errorf("%v, told %v", err, told)
	}
	if tokens, err := r.tenants.Tokens(t.Context(), "acme"); err != nil || len(tokens) != 1 {
		t.Errorf("a run was made: %v, %v", tokens, err)
	}
	if err := engine.Close(); err != nil {
		t.Fatal(err)
	}
	if err := r.Handle(t.Context(), raw); err != nil {
		t.Errorf("a delivery that fails holds up the stream: %v", err)
	}
	if err := r.Handle(t.Context(), json.RawMessage(`[`)); err == nil {
		t.Error("took what is no event")
	}
}
