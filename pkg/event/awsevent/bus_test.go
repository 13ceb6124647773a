package awsevent_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"

	"github.com/serverless-scim/serverless-scim/pkg/event/awsevent"
	"github.com/serverless-scim/serverless-scim/pkg/event/eventlog"
	"github.com/serverless-scim/serverless-scim/pkg/scim"
)

type entry struct {
	Source, DetailType, Detail, EventBusName string
	Time                                     float64
}

// server is an EventBridge that takes PutEvents under its documented limits. fault, if set, returns the error for an
// entry, by how often it has come; "" takes it.
type server struct {
	t     *testing.T
	fault func(id string, nth int) string
	// faultOf does the same by the entry; refuses says that EventBridge refuses each call with an entry as not valid.
	faultOf func(entry) string
	refuses func(entry) bool

	mu    sync.Mutex
	calls [][]string // ids
	seen  map[string]int
	taken map[string]entry
	down  int // calls that fail as a whole
}

func (s *server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	w.Header().Set("Content-Type", "application/x-amz-json-1.1")
	if target := r.Header.Get("X-Amz-Target"); target != "AWSEvents.PutEvents" ||
		!strings.HasPrefix(r.Header.Get("Authorization"), "AWS4-HMAC-SHA256 ") {
		s.t.Errorf("call of %q", target)
	}
	if s.down > 0 {
		s.down--
		w.WriteHeader(http.StatusInternalServerError)
		fmt.Fprint(w, `{"__type":"InternalException"}`)
		return
	}
	var in struct{ Entries []entry }
	body, err := io.ReadAll(r.Body)
	if err != nil || json.Unmarshal(body, &in) != nil {
		s.t.Errorf("body %s: %v", body, err)
	}
	if s.refuses != nil && slices.ContainsFunc(in.Entries, s.refuses) {
		s.calls = append(s.calls, nil)
		w.Header().Set("X-Amzn-Errortype", "ValidationException")
		w.WriteHeader(http.StatusBadRequest)
		_, _ = io.WriteString(w, `{"__type":"ValidationException","message":"no"}`)
		return
	}
	size, failed := 0, 0
	var ids []string
	results := []map[string]string{}
	for _, e := range in.Entries {
		size += 14 + len(e.Source) + len(e.DetailType) + len(e.Detail)
		var o struct{ ID string }
		if err := json.Unmarshal([]byte(e.Detail), &o); err != nil {
			s.t.Errorf("detail %s: %v", e.Detail, err)
		}
		ids = append(ids, o.ID)
		s.seen[o.ID]++
		code := ""
		if s.fault != nil {
			code = s.fault(o.ID, s.seen[o.ID])
		}
		if s.faultOf != nil {
			code = s.faultOf(e)
		}
		if code != "" {
			failed++
			results = append(results, map[string]string{"ErrorCode": code, "ErrorMessage": "no"})
			continue
		}
		s.taken[o.ID] = e
		results = append(results, map[string]string{"EventId": "e-" + o.ID})
	}
	if len(in.Entries) == 0 || len(in.Entries) > 10 || size > 255*1024 {
		s.t.Errorf("%d entries of %d bytes in one call", len(in.Entries), size)
	}
	s.calls = append(s.calls, ids)
	_ = json.NewEncoder(w).Encode(map[string]any{"FailedEntryCount": failed, "Entries": results})
}

func start(t *testing.T) (*server, *awsevent.Bus) {
	t.Helper()
	s := &server{t: t, seen: map[string]int{}, taken: map[string]entry{}}
	web := httptest.NewServer(s)
	t.Cleanup(web.Close)
	client := eventbridge.New(eventbridge.Options{
		Region: "us-east-1", BaseEndpoint: &web.URL,
		Credentials: aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
			return aws.Credentials{AccessKeyID: "test", SecretAccessKey: "test"}, nil
		}),
		RetryMaxAttempts: 1,
	})
	return s, awsevent.New(client, awsevent.Options{Name: "apps", Pause: time.Microsecond})
}

func some(n int) []eventlog.Numbered {
	all := make([]eventlog.Numbered, n)
	for i := range all {
		all[i] = eventlog.Numbered{Sequence: int64(i + 1), Object: scim.Object{
			"id": fmt.Sprintf("e%03d", i), "type": "token.created", "tenant": "acme", "subject": "tokens/x",
			"sequence": int64(i + 1), "time": scim.FormatTime(time.Unix(1_800_000_000, 0)),
			"data": scim.Object{"n": int64(i)},
		}}
	}
	return all
}

// put sends events, all of which have to be accepted.
func put(ctx context.Context, b *awsevent.Bus, events ...eventlog.Numbered) error {
	o := b.Send(ctx, events)
	if o.Failed {
		return errors.New(o.Attempts[len(o.Attempts)-1].Error)
	}
	if last := len(events); last > 0 && o.Accepted != events[last-1].Sequence {
		return fmt.Errorf("accepted up to %d", o.Accepted)
	}
	return nil
}

// TestPositionAfterAPartialFailure: entries before the first one that was not taken need not come again.
func TestPositionAfterAPartialFailure(t *testing.T) {
	s, bus := start(t)
	s.fault = func(id string, _ int) string {
		if id == "e013" {
			return "ThrottlingException"
		}
		return ""
	}
	if o := bus.Send(t.Context(), some(25)); !o.Failed || o.Accepted != 13 || len(s.taken) != 19 {
		t.Errorf("%+v, %d taken", o, len(s.taken))
	}
}

func TestPutFillsCalls(t *testing.T) {
	s, bus := start(t)
	events := some(25)
	if err := put(t.Context(), bus, events...); err != nil {
		t.Fatal(err)
	}
	if len(s.calls) != 3 || len(s.calls[0]) != 10 || len(s.calls[2]) != 5 || len(s.taken) != 25 {
		t.Errorf("calls %v", s.calls)
	}
	got := s.taken["e007"]
	if got.Source != "serverless-scim" || got.DetailType != "token.created" || got.EventBusName != "apps" ||
		got.Time != 1_800_000_000 || got.Detail != string(scim.AppendJSON(nil, events[7].Object)) {
		t.Errorf("entry %+v", got)
	}
	if err := put(t.Context(), bus); err != nil || len(s.calls) != 3 {
		t.Errorf("nothing is put as a call: %v", err)
	}
}

func TestFailedEntriesComeAgainAlone(t *testing.T) {
	s, bus := start(t)
	s.fault = func(id string, nth int) string {
		switch {
		case id == "e003" && nth < 3:
			return "ThrottlingException"
		case id == "e008" && nth < 2:
			return "InternalFailure"
		}
		return ""
	}
	if err := put(t.Context(), bus, some(10)...); err != nil {
		t.Fatal(err)
	}
	if got := fmt.Sprint(s.calls[1:]); got != "[[e003 e008] [e003]]" || len(s.taken) != 10 {
		t.Errorf("repeated %s, taken %d", got, len(s.taken))
	}
}

// TestRefusedContent: an event whose content EventBridge never takes goes without its data, and holds up nothing. One
// that is refused even so stays the next: its fault is not in the data.
func TestRefusedContent(t *testing.T) {
	for _, code := range []string{"MalformedDetail", "InvalidArgument", "ValidationException"} {
		s, bus := start(t)
		bad := func(e entry) bool { return strings.Contains(e.Detail, `"n":1`) }
		if code == "ValidationException" { // refuses the whole call
			s.refuses = bad
		} else {
			s.faultOf = func(e entry) string {
				if bad(e) {
					return code
				}
				return ""
			}
		}
		if err := put(t.Context(), bus, some(3)...); err != nil || len(s.taken) != 3 {
			t.Fatalf("%s: %v, taken %d", code, err, len(s.taken))
		}
		for id, e := range s.taken {
			if omitted := strings.Contains(e.Detail, `"dataOmitted":true`); omitted != (id == "e001") ||
				!strings.Contains(e.Detail, `"sequence"`) {
				t.Errorf("%s: %s", code, e.Detail)
			}
		}
		s, bus = start(t)
		s.refuses = func(e entry) bool { return strings.Contains(e.Detail, "e001") }
		o := bus.Send(t.Context(), some(3))
		if !o.Failed || o.Accepted != 1 || len(s.calls) > 5 {
			t.Errorf("%s: outcome %+v after %d calls", code, o, len(s.calls))
		}
	}
}

func TestPutGivesUp(t *testing.T) {
	for code, calls := range map[string]int{
		"ThrottlingException": 4, "AccessDeniedException": 1, "MalformedDetail": 3,
	} {
		s, bus := start(t)
		s.fault = func(id string, _ int) string {
			if id == "e001" {
				return code
			}
			return ""
		}
		if err := put(t.Context(), bus, some(3)...); err == nil || len(s.calls) != calls {
			t.Errorf("%s: %v after %d calls", code, err, len(s.calls))
		}
	}
}

func TestPutFailsAsAWhole(t *testing.T) {
	s, bus := start(t)
	s.down = 1
	if err := put(t.Context(), bus, some(1)...); err == nil {
		t.Error("lost")
	}
	if err := put(t.Context(), bus, some(1)...); err != nil || len(s.taken) != 1 {
		t.Errorf("the next time: %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := put(ctx, bus, some(1)...); err == nil || !strings.Contains(err.Error(), "canceled") {
		t.Errorf("cancelled: %v", err)
	}
}

func TestLargeEvents(t *testing.T) {
	s, bus := start(t)
	events := some(4)
	for i, n := range []int{150_000, 150_000, 300_000, 10} {
		events[i].Object["data"] = scim.Object{"text": strings.Repeat("x", n)}
	}
	if err := put(t.Context(), bus, events...); err != nil {
		t.Fatal(err)
	}
	if got := fmt.Sprint(s.calls); got != "[[e000] [e001 e002 e003]]" {
		t.Errorf("calls %s", got)
	}
	if d := s.taken["e002"].Detail; !strings.Contains(d, `"dataOmitted":true`) || strings.Contains(d, "xxx") {
		t.Errorf("the event that is too large is %.300s", d)
	}
	if d := s.taken["e001"].Detail; strings.Contains(d, "dataOmitted") {
		t.Error("data was left out that fits")
	}
}
