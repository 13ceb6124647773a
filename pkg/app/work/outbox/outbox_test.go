package outbox_test

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/mail"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/serverless-scim/serverless-scim/pkg/app"
	"github.com/serverless-scim/serverless-scim/pkg/app/work/outbox"
	"github.com/serverless-scim/serverless-scim/pkg/event/eventlog"
	"github.com/serverless-scim/serverless-scim/pkg/notice"
	"github.com/serverless-scim/serverless-scim/pkg/scim"
	"github.com/serverless-scim/serverless-scim/pkg/store"
	"github.com/serverless-scim/serverless-scim/pkg/store/boltstore"
	"github.com/serverless-scim/serverless-scim/pkg/store/faultstore"
	"github.com/serverless-scim/serverless-scim/pkg/tenant"
)

// aws answers for SES and SNS, and counts. If down names one, it fails.
type aws struct {
	mu   sync.Mutex
	got  map[string][]string
	down map[string]bool
}

func (a *aws) serve(service, good string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		a.mu.Lock()
		defer a.mu.Unlock()
		if a.down[service] {
			w.Header().Set("X-Amzn-ErrorType", "AccessDeniedException") // one that no client repeats
			w.WriteHeader(http.StatusForbidden)
			return
		}
		a.got[service] = append(a.got[service], string(body))
		_, _ = io.WriteString(w, good)
	}
}

func fakeAWS(t *testing.T) *aws {
	t.Helper()
	a := &aws{got: map[string][]string{}, down: map[string]bool{}}
	for service, good := range map[string]string{
		"SESV2": `{"MessageId":"1"}`,
		"SNS":   `<PublishResponse><PublishResult><MessageId>1</MessageId></PublishResult></PublishResponse>`,
	} {
		web := httptest.NewServer(a.serve(service, good))
		t.Cleanup(web.Close)
		t.Setenv("AWS_ENDPOINT_URL_"+service, web.URL)
	}
	t.Setenv("AWS_REGION", "eu-west-1")
	t.Setenv("AWS_ACCESS_KEY_ID", "test")
	t.Setenv("AWS_SECRET_ACCESS_KEY", "test")
	return a
}

// world is a tenant with one recipient, at a time that can be moved.
type world struct {
	*tenant.Service
	engine store.Engine
	store  *store.Store
	env    app.Env
	log    *bytes.Buffer
	now    time.Time
}

func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{log: &bytes.Buffer{}, now: time.Date(2026, 11, 22, 8, 0, 0, 0, time.UTC)}
	engine, err := boltstore.Open(boltstore.Memory, boltstore.Options{Now: func() time.Time { return w.now }})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = engine.Close() })
	w.env = app.Env{
		BaseURL: "https://scim.example.com",
		Log:     slog.New(slog.NewTextHandler(w.log, nil)),
	}
	w.engine, w.store = engine, store.New(engine, store.Options{})
	w.Service = tenant.New(w.store, tenant.NewTableSecrets(w.store),
		tenant.Options{Now: func() time.Time { return w.now }, Log: w.env.Log})
	settings, err := tenant.ParseSettings(
		scim.Object{"notices": scim.Object{"recipients": []any{scim.Object{"email": "ada@acme.example"}}}})
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := w.Create(t.Context(),
		tenant.NewTenant{ID: "acme", Name: "Acme Ltd", IdP: "entra", Settings: settings}); err != nil {
		t.Fatal(err)
	}
	return w
}

func (w *world) states(t *testing.T) string {
	t.Helper()
	all, err := w.Notices(t.Context(), "acme")
	if err != nil {
		t.Fatal(err)
	}
	var s []string
	for _, n := range all {
		s = append(s, string(n.Kind)+" "+string(n.State))
	}
	return strings.Join(s, ", ")
}

func (w *world) rotate(t *testing.T) tenant.Run {
	t.Helper()
	d, err := outbox.Delivery(w.env, nil)
	if err != nil {
		t.Fatal(err)
	}
	run, err := w.Rotate(t.Context(), d)
	if err != nil {
		t.Fatal(err)
	}
	return run
}

// announced are the events that wait for their place in the log.
func (w *world) announced(t *testing.T) string {
	t.Helper()
	var all []string
	prefix := store.KeysOf("acme").MarkerPrefix(eventlog.AnnouncementKind)
	for item, err := range w.store.All(t.Context(), store.Query{PK: prefix.PK, Prefix: prefix.SK}) {
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, item.Attrs["doc"].(string))
	}
	return strings.Join(all, "\n")
}

func TestATokenThatEndsIsToldByMailAndEvent(t *testing.T) {
	a, w := fakeAWS(t), newWorld(t)
	w.env.NoticeFrom = "scim@example.com"
	w.env.NoticeProduct = "Example App"
	w.rotate(t)
	w.now = w.now.AddDate(0, 0, 153)
	w.rotate(t)
	w.rotate(t)
	if got := w.states(t); got != "successor-ready sent" || len(a.got["SESV2"]) != 1 || len(a.got["SNS"]) != 0 {
		t.Errorf("%s; %d mails", got, len(a.got["SESV2"]))
	}
	all := w.announced(t)
	if !strings.Contains(all, "token.successor-created") {
		t.Errorf("events: %s", all)
	}
	if text := all + w.log.String(); strings.Contains(text, "@") || strings.Contains(text, "Acme") {
		t.Errorf("personal data in events or log: %s", text)
	}
}

func TestATopicTellsWhereThereIsNoAddress(t *testing.T) {
	a, w := fakeAWS(t), newWorld(t)
	w.env.NoticeTopic = "arn:aws:sns:eu-west-1:123456789012:notices"
	if _, err := w.TestNotice(t.Context(), "acme"); err != nil {
		t.Fatal(err)
	}
	w.rotate(t)
	if got := w.states(t); got != "test sent" || len(a.got["SNS"]) != 1 || len(a.got["SESV2"]) != 0 {
		t.Errorf("%s; %d published", got, len(a.got["SNS"]))
	}
}

func TestMailThatIsDownIsTriedForADay(t *testing.T) {
	a, w := fakeAWS(t), newWorld(t)
	w.env.NoticeFrom = "scim@example.com"
	a.down["SESV2"] = true
	if _, err := w.TestNotice(t.Context(), "acme"); err != nil {
		t.Fatal(err)
	}
	for range 3 {
		w.rotate(t)
		w.now = w.now.Add(time.Hour)
	}
	if got := w.states(t); got != "test pending" {
		t.Errorf("after three hours: %s", got)
	}
	a.down["SESV2"] = false
	w.rotate(t)
	if got := w.states(t); got != "test sent" || len(a.got["SESV2"]) != 1 {
		t.Errorf("after it came back: %s, %d mails", got, len(a.got["SESV2"]))
	}
	a.down["SESV2"] = true
	if _, err := w.TestNotice(t.Context(), "acme"); err != nil {
		t.Fatal(err)
	}
	for range 26 {
		w.rotate(t)
		w.now = w.now.Add(time.Hour)
	}
	w.rotate(t)
	if got := w.states(t); got != "test sent, test failed" {
		t.Errorf("after a day: %s", got)
	}
	if !strings.Contains(w.announced(t), "notice.failed") ||
		!strings.Contains(w.log.String(), `msg="notice failed"`) {
		t.Error("nobody knows that the notice failed")
	}
	if strings.Contains(w.log.String(), "@") {
		t.Errorf("an address in the log: %s", w.log.String())
	}
}

func TestNoWayToSendIsAFailedNotice(t *testing.T) {
	_, w := fakeAWS(t), newWorld(t)
	if _, err := w.TestNotice(t.Context(), "acme"); err != nil {
		t.Fatal(err)
	}
	w.rotate(t)
	if got := w.states(t); got != "test failed" {
		t.Errorf("%s", got)
	}
}

// Processes that run at once send a notice once, and one that dies right after sending sends the same message again, a
// while later.
func TestProcessesThatRunAtOnceTellOnce(t *testing.T) {
	a, w := fakeAWS(t), newWorld(t)
	w.env.NoticeFrom = "scim@example.com"
	d, err := outbox.Delivery(w.env, nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.TestNotice(t.Context(), "acme"); err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	for range 8 {
		process := tenant.New(w.store, tenant.NewTableSecrets(w.store),
			tenant.Options{Now: func() time.Time { return w.now }})
		wg.Go(func() {
			if _, err := process.Rotate(t.Context(), d); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if got := w.states(t); got != "test sent" || len(a.got["SESV2"]) != 1 {
		t.Errorf("%s, %d mails", got, len(a.got["SESV2"]))
	}
}

func TestAProcessThatDiesAfterSendingSendsTheSameAgain(t *testing.T) {
	a, w := fakeAWS(t), newWorld(t)
	w.env.NoticeFrom = "scim@example.com"
	if _, err := w.TestNotice(t.Context(), "acme"); err != nil {
		t.Fatal(err)
	}
	engine := faultstore.New(w.engine, nil)
	d, err := outbox.Delivery(w.env, nil)
	if err != nil {
		t.Fatal(err)
	}
	dies := func(ctx context.Context, tn notice.Tenant, n notice.Notice) (notice.State, error) {
		defer engine.KillAfter(0)
		return d(ctx, tn, n)
	}
	st := store.New(engine, store.Options{})
	process := tenant.New(st, tenant.NewTableSecrets(st), tenant.Options{Now: func() time.Time { return w.now }})
	if err := process.Deliver(t.Context(), "acme", dies); err == nil {
		t.Fatal("it did not die")
	}
	w.rotate(t)
	if got := w.states(t); got != "test pending" || len(a.got["SESV2"]) != 1 {
		t.Errorf("at once: %s, %d mails", got, len(a.got["SESV2"]))
	}
	w.now = w.now.Add(2 * time.Hour)
	w.rotate(t)
	if got := w.states(t); got != "test sent" || len(a.got["SESV2"]) != 2 {
		t.Fatalf("later: %s, %d mails", got, len(a.got["SESV2"]))
	}
	if first, second := messageID(t, a.got["SESV2"][0]), messageID(t, a.got["SESV2"][1]); first != second {
		t.Errorf("two identities: %s, %s", first, second)
	}
}

// messageID is the Message-ID of a mail that SES was given.
func messageID(t *testing.T, body string) string {
	t.Helper()
	var in struct {
		Content struct{ Raw struct{ Data []byte } }
	}
	if err := json.Unmarshal([]byte(body), &in); err != nil {
		t.Fatal(err)
	}
	m, err := mail.ReadMessage(bytes.NewReader(in.Content.Raw.Data))
	if err != nil {
		t.Fatal(err)
	}
	return m.Header.Get("Message-ID")
}

func TestBouncesAreRecorded(t *testing.T) {
	a, w := fakeAWS(t), newWorld(t)
	w.env.NoticeFrom = "scim@example.com"
	if _, err := w.TestNotice(t.Context(), "acme"); err != nil {
		t.Fatal(err)
	}
	w.rotate(t)
	var sent struct {
		EmailTags []struct{ Name, Value string }
	}
	if err := json.Unmarshal([]byte(a.got["SESV2"][0]), &sent); err != nil {
		t.Fatal(err)
	}
	tags := map[string][]string{}
	for _, tag := range sent.EmailTags {
		tags[tag.Name] = []string{tag.Value}
	}
	report := func(tenantID, kind string) json.RawMessage {
		tags["tenant"] = []string{tenantID}
		raw, err := json.Marshal(map[string]any{
			"eventType": "Bounce", "bounce": map[string]any{
				"bounceType": kind, "bouncedRecipients": []any{map[string]string{"emailAddress": "ada@acme.example"}},
			},
			"mail": map[string]any{"tags": tags},
		})
		if err != nil {
			t.Fatal(err)
		}
		return raw
	}
	for _, pass := range []json.RawMessage{
		report("acme", "Transient"), report("other", "Permanent"),
		[]byte(`{"eventType":"Send"}`),
	} {
		if err := outbox.Report(t.Context(), w.env.Log, w.Service, pass); err != nil {
			t.Errorf("%s: %v", pass, err)
		}
	}
	if got := w.states(t); got != "test sent" {
		t.Errorf("before the bounce: %s", got)
	}
	for range 2 {
		if err := outbox.Report(t.Context(), w.env.Log, w.Service, report("acme", "Permanent")); err != nil {
			t.Fatal(err)
		}
	}
	w.rotate(t)
	events := w.announced(t)
	if got := w.states(t); got != "test bounced" || strings.Count(events, `"notice.bounced"`) != 1 {
		t.Errorf("%s; events %s", got, events)
	}
	if text := w.log.String(); !strings.Contains(text, "notice bounced") || strings.Contains(text, "@") {
		t.Errorf("log: %s", text)
	}
}
