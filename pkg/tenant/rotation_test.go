package tenant_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/serverless-scim/serverless-scim/pkg/event"
	"github.com/serverless-scim/serverless-scim/pkg/event/eventlog"
	"github.com/serverless-scim/serverless-scim/pkg/notice"
	"github.com/serverless-scim/serverless-scim/pkg/scim"
	"github.com/serverless-scim/serverless-scim/pkg/store"
	"github.com/serverless-scim/serverless-scim/pkg/tenant"
)

const day = 24 * time.Hour

// told is a Delivery that remembers, and the events that rotate found.
type told struct {
	mu      sync.Mutex
	events  []event.Event
	notices []notice.Notice
	state   notice.State // the result of sending; "": NoticeSent
	err     error
}

func (d *told) delivery() tenant.Delivery {
	return func(_ context.Context, _ notice.Tenant, n notice.Notice) (notice.State, error) {
		d.mu.Lock()
		defer d.mu.Unlock()
		if d.err != nil {
			return "", d.err
		}
		d.notices = append(d.notices, n)
		if d.state != "" {
			return d.state, nil
		}
		return notice.Sent, nil
	}
}

// take returns the kinds that came since the last call, events and then notices.
func (d *told) take() string {
	d.mu.Lock()
	defer d.mu.Unlock()
	var kinds []string
	for _, e := range d.events {
		kinds = append(kinds, string(e.Kind))
	}
	for _, n := range d.notices {
		kinds = append(kinds, string(n.Kind))
	}
	d.events, d.notices = nil, nil
	return strings.Join(kinds, " ")
}

// rotate runs the job, or ends the test. It fails the test where something failed.
func (w *world) rotate(t *testing.T, d *told) tenant.Run {
	t.Helper()
	run, err := w.Rotate(w.ctx, d.delivery())
	if err != nil || run.Failed > 0 || run.More {
		t.Fatalf("%+v, %v\n%s", run, err, w.log.String())
	}
	d.events = append(d.events, w.announced(t)...)
	return run
}

// announced takes the events of all tenants out of the table, as the publisher of the logs does.
func (w *world) announced(t *testing.T) (all []event.Event) {
	t.Helper()
	for tenants, err := range w.store.All(w.ctx, store.Query{PK: store.TenantsPK}) {
		if err != nil {
			t.Fatal(err)
		}
		prefix := store.KeysOf(tenants.SK).MarkerPrefix(eventlog.AnnouncementKind)
		for item, err := range w.store.All(w.ctx, store.Query{PK: prefix.PK, Prefix: prefix.SK}) {
			if err != nil {
				t.Fatal(err)
			}
			a, err := eventlog.DecodeAnnouncement(item)
			if err == nil {
				err = w.store.Write(w.ctx, a.Done())
			}
			if err != nil {
				t.Fatal(err)
			}
			for _, e := range a.Entry.Events {
				all = append(all, event.Event{
					Kind: event.Kind(e.Type), Subject: a.Entry.Subject, Time: a.Entry.At, Data: e.Data,
				})
			}
		}
	}
	return all
}

// to moves the clock to a time.
func (w *world) to(at time.Time) { w.clock.add(at.Sub(w.clock.Now())) }

// notices are the kinds and states that are listed for a tenant, in order.
func (w *world) notices(t *testing.T, id string) string {
	t.Helper()
	all, err := w.Notices(w.ctx, id)
	if err != nil {
		t.Fatal(err)
	}
	out := make([]string, len(all))
	for i, n := range all {
		out[i] = fmt.Sprintf("%s:%s", n.Kind, n.State)
	}
	return strings.Join(out, " ")
}

const mailAda = `{"notices":{"recipients":[{"email":"ada@example.com","language":"de"}]}}`

// createWith creates a tenant with settings, as JSON.
func (w *world) createWith(t *testing.T, id, settings string) tenant.IssuedToken {
	t.Helper()
	o, err := scim.ParseObject([]byte(settings))
	if err != nil {
		t.Fatal(err)
	}
	set, err := tenant.ParseSettings(o)
	if err != nil {
		t.Fatal(err)
	}
	_, token, err := w.Create(w.ctx, tenant.NewTenant{ID: id, Name: id, Settings: set})
	if err != nil {
		t.Fatal(err)
	}
	return token
}

// The whole life of a token whose people swap it after the last reminder but one.
func TestRotation(t *testing.T) {
	w, d := newWorld(t), &told{}
	old := w.createWith(t, "acme", mailAda)
	w.rotate(t, d)
	if got := d.take(); got != "token.created" {
		t.Errorf("at first: %s", got)
	}
	end := old.ExpiresAt
	w.to(end.Add(-28*day - time.Second))
	if run := w.rotate(t, d); run.Tenants != 0 || len(w.sound(t, "acme")) != 1 {
		t.Errorf("a second before the notice period: %+v", run)
	}
	w.to(end.Add(-28 * day))
	w.rotate(t, d)
	if got := d.take(); got != "token.revealed token.successor-created successor-ready" {
		t.Errorf("28 days before the end: %s", got)
	}
	live := w.sound(t, "acme")
	if len(live) != 2 || live[0].Value != old.Value ||
		!live[1].ExpiresAt.Equal(w.clock.Now().Add(180*day).Truncate(time.Second)) {
		t.Fatalf("live: %+v", live)
	}
	w.rotate(t, d)
	d.take() // revealed
	for range 3 {
		w.clock.add(time.Hour)
		w.rotate(t, d)
	}
	if got := d.take(); got != "" {
		t.Errorf("told again: %s", got)
	}
	w.Touch(w.ctx, "acme", old.ID)
	w.rotate(t, d)
	d.take()
	w.to(end.Add(-14 * day))
	w.rotate(t, d)
	if n := slices.Clone(d.notices); d.take() != "reminder-14" || n[0].Token.ID != old.ID ||
		n[0].Successor.ID != live[1].ID ||
		n[0].Token.LastUsedAt.IsZero() || !n[0].Successor.FirstUsedAt.IsZero() ||
		n[0].Recipients[0] != (notice.Recipient{Email: "ada@example.com", Language: "de"}) {
		t.Errorf("reminder: %+v", n)
	}
	w.to(end.Add(-13 * day))
	w.Touch(w.ctx, "acme", live[1].ID)
	w.Touch(w.ctx, "acme", live[1].ID)
	w.rotate(t, d)
	if got := d.take(); got != "token.first-used" {
		t.Errorf("switched: %s", got)
	}
	// The old token was last used more than a week ago, so nobody is reminded any more.
	for _, left := range []time.Duration{7 * day, day} {
		w.to(end.Add(-left))
		w.rotate(t, d)
	}
	if got := d.take(); got != "" {
		t.Errorf("reminded after the swap: %s", got)
	}
	w.to(end.Add(-time.Nanosecond))
	if !w.good(t, "acme", old.Value) {
		t.Error("refused before its end")
	}
	w.to(end)
	if w.good(t, "acme", old.Value) || !w.good(t, "acme", live[1].Value) {
		t.Error("at its end")
	}
	w.rotate(t, d)
	if got := d.take(); got != "token.expired expired" {
		t.Errorf("at its end: %s", got)
	}
	if got := w.notices(t, "acme"); got != "successor-ready:sent reminder-14:sent expired:sent" {
		t.Errorf("notices %s", got)
	}
	w.clock.add(time.Hour)
	if run := w.rotate(t, d); run.Tenants != 0 {
		t.Errorf("still due: %+v", run)
	}
}

func TestRemindersGoOnWhileTheOldTokenIsUsed(t *testing.T) {
	w, d := newWorld(t), &told{}
	old := w.createWith(t, "acme", mailAda)
	w.to(old.ExpiresAt.Add(-28 * day))
	w.rotate(t, d)
	w.Touch(w.ctx, "acme", w.sound(t, "acme")[1].ID)
	for left := 27; left > 0; left-- {
		w.to(old.ExpiresAt.Add(-time.Duration(left) * day))
		w.Touch(w.ctx, "acme", old.ID)
		w.rotate(t, d)
	}
	if got := w.notices(t, "acme"); got != "successor-ready:sent reminder-14:sent reminder-7:sent reminder-1:sent" {
		t.Errorf("notices %s", got)
	}
}

// Late runs: one notice, that which says most; after the end, one at once.
func TestLateRuns(t *testing.T) {
	for _, c := range []struct {
		name          string
		left          time.Duration
		sent, listed  string
		live, expired int
	}{
		{"5 days before the end", 5 * day, "successor-ready", "successor-ready:sent", 2, 0},
		{"at the end", 0, "expired", "expired:sent", 1, 1},
		{"300 days after it", -300 * day, "expired", "expired:sent", 1, 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			w, d := newWorld(t), &told{}
			old := w.createWith(t, "acme", mailAda)
			w.to(old.ExpiresAt.Add(-c.left))
			w.rotate(t, d)
			sent := make([]string, 0)
			for _, n := range d.notices {
				sent = append(sent, string(n.Kind))
			}
			if got := strings.Join(sent, " "); got != c.sent || w.notices(t, "acme") != c.listed {
				t.Errorf("sent %s, listed %s", got, w.notices(t, "acme"))
			}
			tokens, err := w.Tokens(w.ctx, "acme")
			if live := w.sound(t, "acme"); err != nil || len(live) != c.live || len(tokens)-len(live) != c.expired {
				t.Errorf("%d live tokens of %d, %v", len(live), len(tokens), err)
			}
		})
	}
}

// Reminders that a late run finds only after the end are not sent: the message that says so says more.
func TestReminderLateAfterTheEnd(t *testing.T) {
	w, d := newWorld(t), &told{}
	old := w.createWith(t, "acme", mailAda)
	w.to(old.ExpiresAt.Add(-10 * day))
	w.rotate(t, d)
	w.to(old.ExpiresAt.Add(day))
	w.rotate(t, d)
	if got := w.notices(t, "acme"); got != "successor-ready:sent expired:sent" || len(d.notices) != 2 {
		t.Errorf("%d sent, listed %s", len(d.notices), got)
	}
}

// A person made a second token; both near their end get one successor.
func TestOneSuccessorForTwo(t *testing.T) {
	w, d := newWorld(t), &told{}
	first := w.createWith(t, "acme", mailAda)
	w.clock.add(3 * day)
	second := w.issue(t, "acme")
	for left := 180; left >= 0; left-- {
		w.to(first.ExpiresAt.Add(-time.Duration(left) * day))
		w.rotate(t, d)
	}
	live := w.sound(t, "acme")
	if len(live) != 2 || live[0].Value != second.Value {
		t.Errorf("%+v", live)
	}
	w.to(second.ExpiresAt)
	w.rotate(t, d)
	if live = w.sound(t, "acme"); len(live) != 1 {
		t.Errorf("%d live tokens", len(live))
	}
	if got := w.notices(t, "acme"); strings.Count(got, "successor-ready") != 2 || strings.Count(got, "expired") != 2 {
		t.Errorf("notices %s", got)
	}
}

func TestRotationByHand(t *testing.T) {
	w, d := newWorld(t), &told{}
	old := w.createWith(t, "acme", mailAda)
	conflict := (*tenant.ConflictError)(nil)
	refused := func(what string, err error) {
		t.Helper()
		if !errors.As(err, &conflict) {
			t.Errorf("%s: %v, want a conflict", what, err)
		}
	}
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	refused("complete without a successor", w.CompleteRotation(w.ctx, "acme", false))
	refused("cancel without a successor", w.CancelRotation(w.ctx, "acme"))
	must(w.StartRotation(w.ctx, "acme"))
	refused("start twice", w.StartRotation(w.ctx, "acme"))
	live := w.sound(t, "acme")
	must(w.CancelRotation(w.ctx, "acme"))
	if w.good(t, "acme", live[1].Value) || !w.good(t, "acme", old.Value) {
		t.Error("cancelled")
	}
	must(w.StartRotation(w.ctx, "acme"))
	live = w.sound(t, "acme")
	w.Touch(w.ctx, "acme", live[1].ID)
	refused("cancel what is in use", w.CancelRotation(w.ctx, "acme"))
	must(w.CompleteRotation(w.ctx, "acme", false))
	if w.good(t, "acme", old.Value) || !w.good(t, "acme", live[1].Value) {
		t.Error("completed")
	}
	w.rotate(t, d)
	if got := w.notices(t, "acme"); got != "successor-ready:sent" {
		t.Errorf("notices %s", got)
	}
	if _, err := tenant.NewTableSecrets(w.store).Reveal(w.ctx, "acme", old.ID); !errors.Is(err, tenant.ErrNoValue) {
		t.Errorf("the vault still has the old token: %v", err)
	}
	refused("extend a dead token", func() error {
		_, err := w.Extend(w.ctx, "acme", old.ID, w.clock.Now().Add(day), false)
		return err
	}())
	must(w.Revoke(w.ctx, "acme", live[1].ID, true))
	w.clock.add(200 * day)
	w.rotate(t, d)
	if len(w.sound(t, "acme")) != 0 {
		t.Error("a token was made for a tenant whose token a person has revoked")
	}
	must(w.StartRotation(w.ctx, "acme"))
	if len(w.sound(t, "acme")) != 1 {
		t.Error("no token after a start without one")
	}
}

// Cancelled in the period of notice, the successor is replaced, and people are told of the new one: no token ends
// without one.
func TestCancelInThePeriodOfNotice(t *testing.T) {
	w, d := newWorld(t), &told{}
	old := w.createWith(t, "acme", mailAda)
	w.to(old.ExpiresAt.Add(-20 * day))
	w.rotate(t, d)
	if err := w.CancelRotation(w.ctx, "acme"); err != nil {
		t.Fatal(err)
	}
	w.clock.add(time.Hour)
	w.rotate(t, d)
	if len(w.sound(t, "acme")) != 2 || w.notices(t, "acme") != "successor-ready:sent successor-ready:sent" {
		t.Errorf("%d live, notices %s", len(w.sound(t, "acme")), w.notices(t, "acme"))
	}
}

func TestExtend(t *testing.T) {
	w, d := newWorld(t), &told{}
	old := w.createWith(t, "acme", mailAda)
	w.to(old.ExpiresAt.Add(-5 * day))
	w.rotate(t, d)
	invalid := (*tenant.InvalidError)(nil)
	for _, at := range []time.Time{w.clock.Now(), w.clock.Now().Add(731 * day)} {
		if _, err := w.Extend(w.ctx, "acme", old.ID, at, false); !errors.As(err, &invalid) {
			t.Errorf("extend to %v: %v", at, err)
		}
	}
	if _, err := w.Extend(w.ctx, "acme", old.ID, time.Time{}, true); !errors.As(err, &invalid) {
		t.Errorf("for ever, which nobody has allowed: %v", err)
	}
	if _, err := w.Extend(w.ctx, "acme", "other", w.clock.Now().Add(day), false); !errors.Is(err, tenant.ErrNotFound) {
		t.Errorf("unknown token: %v", err)
	}
	end := w.clock.Now().Add(300 * day).Truncate(time.Second)
	got, err := w.Extend(w.ctx, "acme", old.ID, end, false)
	if err != nil || !got.ExpiresAt.Equal(end) {
		t.Fatalf("%+v, %v", got, err)
	}
	d.take()
	w.to(end.Add(-28 * day))
	w.Touch(w.ctx, "acme", old.ID)
	w.rotate(t, d)
	ready := 0
	for _, n := range d.notices {
		if n.Kind == notice.SuccessorReady && n.TokenID == old.ID {
			ready++
		}
	}
	if ready != 1 {
		t.Errorf("in the new period of notice: %s", d.take())
	}
	w.to(end)
	if w.good(t, "acme", old.Value) {
		t.Error("gets in at its new end")
	}
}

func TestEndless(t *testing.T) {
	w, d := newWorld(t), &told{}
	s := tenant.New(w.store, tenant.NewTableSecrets(w.store), tenant.Options{Now: w.clock.Now, Endless: true})
	first := w.create(t, "acme")
	got, err := s.Extend(w.ctx, "acme", first.ID, time.Time{}, true)
	if err != nil || !got.ExpiresAt.IsZero() {
		t.Fatalf("%+v, %v", got, err)
	}
	second, err := s.Issue(w.ctx, "acme", tenant.NewToken{Endless: true})
	if err != nil || !second.ExpiresAt.IsZero() {
		t.Fatalf("%+v, %v", second, err)
	}
	w.clock.add(5000 * day)
	w.rotate(t, d)
	if live := w.sound(t, "acme"); len(live) != 2 || w.notices(t, "acme") != "" {
		t.Errorf("%d live, notices %q", len(live), w.notices(t, "acme"))
	}
}

// A changed setting touches later tokens only.
func TestSettingsOfLaterTokens(t *testing.T) {
	w, d := newWorld(t), &told{}
	old := w.createWith(t, "acme", mailAda)
	if _, err := w.Change(w.ctx, "acme", scim.Object{"settings": scim.Object{"token": scim.Object{
		"lifetimeDays": int64(60), "noticeDays": int64(20), "reminders": []any{int64(3)},
	}}}); err != nil {
		t.Fatal(err)
	}
	w.to(old.ExpiresAt.Add(-28 * day))
	w.rotate(t, d)
	live := w.sound(t, "acme")
	if len(live) != 2 || !live[1].ExpiresAt.Equal(w.clock.Now().Add(60*day).Truncate(time.Second)) {
		t.Fatalf("%+v", live)
	}
	for left := 80; left >= 0; left-- {
		w.to(live[1].ExpiresAt.Add(-time.Duration(left) * day))
		w.rotate(t, d)
	}
	want := "successor-ready:sent reminder-14:sent reminder-7:sent reminder-1:sent expired:sent" +
		" successor-ready:sent reminder-3:sent expired:sent"
	if got := w.notices(t, "acme"); got != want {
		t.Errorf("notices %s", got)
	}
}

// A successor that ends before its predecessor, because the lifetime was shortened, is renewed in its own time once it
// is in use.
func TestShorterSuccessor(t *testing.T) {
	w, d := newWorld(t), &told{}
	old := w.createWith(t, "acme", mailAda)
	if _, err := w.Change(w.ctx, "acme", scim.Object{"settings": scim.Object{"token": scim.Object{
		"lifetimeDays": int64(60), "noticeDays": int64(10), "reminders": []any{},
	}}}); err != nil {
		t.Fatal(err)
	}
	if err := w.StartRotation(w.ctx, "acme"); err != nil {
		t.Fatal(err)
	}
	w.rotate(t, d)
	if n := slices.Clone(d.notices); len(n) != 1 || n[0].TokenID != old.ID {
		t.Fatalf("told at first: %+v", n)
	}
	d.take()
	next := w.sound(t, "acme")[1]
	w.Touch(w.ctx, "acme", next.ID)
	w.to(next.ExpiresAt.Add(-10 * day))
	w.rotate(t, d)
	tokens, err := w.Tokens(w.ctx, "acme")
	if n := slices.Clone(d.notices); err != nil || len(tokens) != 3 || len(n) != 1 || n[0].TokenID != next.ID ||
		n[0].Successor.ID != tokens[2].ID {
		t.Errorf("tokens %+v, told %+v, %v", tokens, n, err)
	}
}

func TestSettingsBounds(t *testing.T) {
	w := newWorld(t)
	w.create(t, "acme")
	for _, c := range []struct{ token, field string }{
		{`{"lifetimeDays":1}`, "settings.token.lifetimeDays"},
		{`{"lifetimeDays":731}`, "settings.token.lifetimeDays"},
		{`{"noticeDays":91}`, "settings.token.noticeDays"},
		{`{"lifetimeDays":30,"noticeDays":21}`, "settings.token.noticeDays"},
		{`{"noticeDays":7,"reminders":[7]}`, "settings.token.reminders"},
		{`{"vault":"packed"}`, "settings.token.vault"},
		{`{"lifetimeDays":40,"noticeDays":26,"reminders":[20,1],"vault":"none"}`, ""},
		{`{"lifetimeDays":30}`, ""},
	} {
		o, err := scim.ParseObject([]byte(`{"settings":{"token":` + c.token + `}}`))
		if err != nil {
			t.Fatal(err)
		}
		invalid := (*tenant.InvalidError)(nil)
		_, err = w.Change(w.ctx, "acme", o)
		if c.field == "" && err != nil || c.field != "" && (!errors.As(err, &invalid) || invalid.Field != c.field) {
			t.Errorf("%s: %v, want %q", c.token, err, c.field)
		}
		if err == nil {
			_, err = w.Change(w.ctx, "acme", scim.Object{"settings": nil})
		}
		if err != nil && c.field == "" {
			t.Error(err)
		}
	}
}

// With vault none a person collects the successor.
func TestVaultNone(t *testing.T) {
	w, d := newWorld(t), &told{}
	old := w.createWith(t, "acme", `{"token":{"vault":"none"},"notices":{"recipients":[{"email":"ada@example.com"}]}}`)
	conflict := (*tenant.ConflictError)(nil)
	if _, err := w.Reveal(w.ctx, "acme", old.ID); !errors.As(err, &conflict) {
		t.Errorf("reveal: %v", err)
	}
	if _, err := w.Collect(w.ctx, "acme"); !errors.As(err, &conflict) {
		t.Errorf("collect before its time: %v", err)
	}
	w.to(old.ExpiresAt.Add(-28 * day))
	w.rotate(t, d)
	if n := slices.Clone(d.notices); len(n) != 1 || n[0].Kind != notice.SuccessorReady || !n[0].ToCollect ||
		n[0].Successor.ID != "" {
		t.Fatalf("%+v", n)
	}
	w.clock.add(time.Hour)
	if run := w.rotate(t, d); run.Tenants != 0 {
		t.Errorf("due: %+v", run)
	}
	w.clock.add(3 * day)
	next, err := w.Collect(w.ctx, "acme")
	if err != nil || !w.good(t, "acme", next.Value) || !w.good(t, "acme", old.Value) ||
		!next.ExpiresAt.Equal(w.clock.Now().Add(180*day).Truncate(time.Second)) {
		t.Errorf("%+v, %v", next, err)
	}
	if _, err := w.Collect(w.ctx, "acme"); !errors.As(err, &conflict) {
		t.Errorf("collect twice: %v", err)
	}
	w.to(next.ExpiresAt.Add(day)) // nobody came
	w.rotate(t, d)
	if _, err = w.Collect(w.ctx, "acme"); err != nil {
		t.Errorf("collect after the end: %v", err)
	}
	if err := w.StartRotation(w.ctx, "acme"); err != nil {
		t.Fatal(err)
	}
	if _, err = w.Collect(w.ctx, "acme"); err != nil {
		t.Errorf("collect early, as asked for: %v", err)
	}
	page, err := w.store.Query(w.ctx, store.Query{PK: store.KeysOf("acme").Tenant().PK, Prefix: "SECRET"})
	if err != nil || page.Count != 0 {
		t.Errorf("%d values kept; %v", page.Count, err)
	}
}

func TestNoticeStates(t *testing.T) {
	w, d := newWorld(t), &told{}
	w.create(t, "acme")
	if n, err := w.TestNotice(w.ctx, "acme"); err != nil || n.State != notice.NoRecipient {
		t.Errorf("%+v, %v", n, err)
	}
	w.rotate(t, d)
	if got := d.take(); got != "token.created notice.failed" {
		t.Errorf("nobody to tell: %s", got)
	}
	o, _ := scim.ParseObject([]byte(`{"settings":` + mailAda + `}`))
	if _, err := w.Change(w.ctx, "acme", o); err != nil {
		t.Fatal(err)
	}
	w.clock.add(time.Second)
	if _, err := w.TestNotice(w.ctx, "acme"); err != nil {
		t.Fatal(err)
	}
	d.err = errors.New("mail is down")
	for i := range 23 {
		run, err := w.Rotate(w.ctx, d.delivery())
		if err != nil || run.Failed != 1 || w.notices(t, "acme") != "test:no-recipient test:pending" {
			t.Fatalf("attempt %d: %+v, %v, %s", i, run, err, w.notices(t, "acme"))
		}
		if run, err = w.Rotate(w.ctx, d.delivery()); err != nil || run.Tenants != 0 {
			t.Fatalf("at once again: %+v, %v", run, err)
		}
		w.clock.add(time.Hour)
	}
	if _, err := w.Rotate(w.ctx, d.delivery()); err != nil || w.notices(t, "acme") != "test:no-recipient test:failed" {
		t.Fatalf("after a day: %s, %v", w.notices(t, "acme"), err)
	}
	d.err = nil
	w.clock.add(time.Hour)
	w.rotate(t, d)
	if got := d.take(); got != "notice.failed" {
		t.Errorf("given up: %s", got)
	}
	n, err := w.TestNotice(w.ctx, "acme")
	if err != nil {
		t.Fatal(err)
	}
	w.rotate(t, d)
	for range 2 {
		if err := w.MarkNotice(w.ctx, "acme", n.ID, notice.Bounced); err != nil {
			t.Fatal(err)
		}
	}
	w.rotate(t, d)
	if got := d.take(); got != "notice.bounced test" || !strings.HasSuffix(w.notices(t, "acme"), "test:bounced") {
		t.Errorf("bounced: %s, %s", got, w.notices(t, "acme"))
	}
}

// Notices that become due during a delivery are delivered by the next one.
func TestDeliveryOvertaken(t *testing.T) {
	w, d := newWorld(t), &told{}
	w.createWith(t, "acme", mailAda)
	once := sync.OnceFunc(func() {
		if _, err := w.TestNotice(w.ctx, "acme"); err != nil {
			t.Error(err)
		}
	})
	if _, err := w.TestNotice(w.ctx, "acme"); err != nil {
		t.Fatal(err)
	}
	w.clock.add(time.Second)
	deliver := func(ctx context.Context, about notice.Tenant, n notice.Notice) (notice.State, error) {
		once()
		return d.delivery()(ctx, about, n)
	}
	if err := w.Deliver(w.ctx, "acme", deliver); err != nil {
		t.Fatal(err)
	}
	if got := w.notices(t, "acme"); got != "test:sent test:pending" {
		t.Fatalf("notices %s", got)
	}
	w.rotate(t, d)
	if got := w.notices(t, "acme"); got != "test:sent test:sent" || d.take() != "token.created test test" {
		t.Errorf("notices %s", got)
	}
}

// Successors of tenants of one day are made over a day, none of them too late.
func TestSpread(t *testing.T) {
	w, d := newWorld(t), &told{}
	w.Service = tenant.New(w.store, tenant.NewTableSecrets(w.store), tenant.Options{Now: w.clock.Now, Spread: day})
	for i := range 100 {
		w.create(t, fmt.Sprintf("tenant-%03d", i))
	}
	w.rotate(t, d)
	w.clock.add(151 * day)
	most, all := 0, 0
	for range 25 {
		n := 0
		for range 2 {
			n += w.rotate(t, d).Tenants
		}
		most, all = max(most, n), all+n
		w.clock.add(time.Hour)
	}
	if all != 100 || most > 20 {
		t.Errorf("%d of %d in one hour", most, all)
	}
	for i := range 100 {
		if len(w.sound(t, fmt.Sprintf("tenant-%03d", i))) != 2 {
			t.Errorf("tenant %d has no successor", i)
		}
	}
}
