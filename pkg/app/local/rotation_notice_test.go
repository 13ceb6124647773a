package local_test

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/serverless-scim/serverless-scim/pkg/app/local"
)

// office is a server whose mails, events and log a test reads.
type office struct {
	operator
	dir      string
	log, out *transcript
	base     string
}

// transcript collects the output of several goroutines.
type transcript struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (l *transcript) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.Write(p)
}

func (l *transcript) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.String()
}

// opened creates a server with the tenant acme, and returns the value of its token.
func opened(t *testing.T, settings string) (office, string) {
	t.Helper()
	f := office{dir: t.TempDir(), log: &transcript{}, out: &transcript{}, base: "http://localhost/scim/v2/acme"}
	s, err := local.Open(t.Context(), local.Options{
		Engine: "bolt", Data: f.dir, BaseURL: "http://localhost", Log: f.log, Out: f.out, EndlessTokens: true,
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	f.operator = operator{t, s}
	made := f.must(201, "POST", "/tenants", `{"id":"acme","name":"Acme","idp":"okta","settings":{`+settings+`}}`)
	return f, made["token"].(object)["value"].(string)
}

const ada = `"notices":{"recipients":[{"email":"ada@acme.example"}]}`

// as is an identity provider with a token.
func (f office) as(value string) *api {
	return &api{t: f.t, s: f.s, h: f.s.Handler(), base: f.base, token: value}
}

// settle does the work that is due now, and waits for it.
func (f office) settle() {
	f.t.Helper()
	if err := f.s.Settle(f.t.Context()); err != nil {
		f.t.Logf("settle: %v", err)
	}
	if err := f.s.Rotate(f.t.Context()); err != nil {
		f.t.Fatal(err)
	}
}

// action is a step of rotation by hand.
func (f office) action(status int, action string) object {
	f.t.Helper()
	out := f.must(status, "POST", "/tenants/acme/rotation", fmt.Sprintf(`{"action":%q}`, action))
	f.settle()
	return out
}

// listed are the notices as kind:state, oldest first.
func (f office) listed() string {
	f.t.Helper()
	var all []string
	for _, n := range f.must(200, "GET", "/tenants/acme/notices", "")["notices"].([]any) {
		all = append(all, fmt.Sprintf("%s:%s", n.(object)["kind"], n.(object)["state"]))
	}
	return strings.Join(all, " ")
}

// mails are the kinds of the mails that went out, in order.
func (f office) mails() string {
	var kinds []string
	for line := range strings.Lines(f.out.String()) {
		if rest, ok := strings.CutPrefix(line, "notice "); ok {
			kind, _, _ := strings.Cut(rest, " ")
			kinds = append(kinds, kind)
		}
	}
	return strings.Join(kinds, " ")
}

// newest is the id of the newest token, which a mail must name.
func (f office) newest() string {
	f.t.Helper()
	_, ids := f.tokens()
	return ids[len(ids)-1]
}

// last is the text of the newest mail of a kind.
func (f office) last(kind string) string {
	f.t.Helper()
	found, err := filepath.Glob(filepath.Join(f.dir, "notices", "acme-"+kind+"-en-*.eml"))
	if err != nil || len(found) == 0 {
		f.t.Fatalf("no mail %s: %v", kind, err)
	}
	newest, at := "", time.Time{}
	for _, path := range found {
		info, err := os.Stat(path)
		if err != nil {
			f.t.Fatal(err)
		}
		if info.ModTime().After(at) {
			newest, at = path, info.ModTime()
		}
	}
	raw, err := os.ReadFile(newest)
	if err != nil {
		f.t.Fatal(err)
	}
	return string(raw)
}

func (f office) end() time.Time {
	f.t.Helper()
	tokens := f.must(200, "GET", "/tenants/acme/tokens", "")["tokens"].([]any)
	end, err := time.Parse(time.RFC3339, tokens[0].(object)["expiresAt"].(string))
	if err != nil {
		f.t.Fatal(err)
	}
	return end
}

// block keeps mails from being written; the function that it returns lets them.
func (f office) block() (unblock func()) {
	f.t.Helper()
	path := filepath.Join(f.dir, "notices")
	if err := os.WriteFile(path, nil, 0o600); err != nil {
		f.t.Fatal(err)
	}
	return func() {
		if err := os.Remove(path); err != nil {
			f.t.Fatal(err)
		}
	}
}

// A notice belongs to the successor that it tells of: a cancelled one takes nothing from the next.
func TestEachSuccessorIsAnnouncedOnce(t *testing.T) {
	t.Run("cancelled long before", func(t *testing.T) {
		f, _ := opened(t, ada)
		end := f.end()
		f.action(200, "start")
		f.action(200, "cancel")
		f.to(end.Add(-28 * day))
		f.to(end.Add(-27 * day))
		if got := f.mails(); got != "successor-ready successor-ready" ||
			f.listed() != "successor-ready:sent successor-ready:sent" {
			t.Errorf("mails %s, listed %s", got, f.listed())
		}
		if !strings.Contains(f.last("successor-ready"), f.newest()) {
			t.Error("the mail does not name the successor")
		}
	})
	t.Run("started again", func(t *testing.T) {
		f, _ := opened(t, ada)
		f.to(f.end().Add(-170 * day))
		f.action(200, "start")
		f.action(200, "cancel")
		f.action(200, "start")
		f.action(409, "start")
		if got := f.mails(); got != "successor-ready successor-ready" ||
			!strings.Contains(f.last("successor-ready"), f.newest()) {
			t.Errorf("mails %s", got)
		}
		f.to(f.end().Add(-28 * day))
		if got := f.mails(); got != "successor-ready successor-ready" {
			t.Errorf("28 days before the end: mails %s", got)
		}
	})
	t.Run("cancelled in the period of notice", func(t *testing.T) {
		f, _ := opened(t, ada)
		f.to(f.end().Add(-20 * day))
		f.action(200, "cancel")
		f.to(f.end().Add(-19 * day))
		if got := f.mails(); got != "successor-ready successor-ready" ||
			!strings.Contains(f.last("successor-ready"), f.newest()) {
			t.Errorf("mails %s", got)
		}
	})
	t.Run("revoked in the period of notice", func(t *testing.T) {
		f, _ := opened(t, ada)
		f.to(f.end().Add(-20 * day))
		f.must(204, "DELETE", "/tenants/acme/tokens/"+f.newest(), "")
		f.to(f.end().Add(-19 * day))
		if got := f.mails(); got != "successor-ready successor-ready" ||
			!strings.Contains(f.last("successor-ready"), f.newest()) {
			t.Errorf("mails %s", got)
		}
	})
	t.Run("cancelled before the mail was out", func(t *testing.T) {
		f, _ := opened(t, ada)
		unblock := f.block()
		f.action(200, "start")
		f.action(200, "cancel")
		f.action(200, "start")
		unblock()
		f.to(time.Now().Add(day))
		if got := f.mails(); got != "successor-ready" || f.listed() != "successor-ready:sent" ||
			!strings.Contains(f.last("successor-ready"), f.newest()) {
			t.Errorf("mails %s, listed %s", got, f.listed())
		}
	})
	t.Run("extended after a start", func(t *testing.T) {
		f, _ := opened(t, ada)
		_, ids := f.tokens()
		f.action(200, "start")
		end := f.end().Add(10 * day)
		f.must(200, "PATCH", "/tenants/acme/tokens/"+ids[0], fmt.Sprintf(`{"expiresAt":%q}`, end.Format(time.RFC3339)))
		f.to(end.Add(-28 * day))
		// The successor ends first, and has one of its own.
		got := f.mails()
		if !strings.HasPrefix(got, "successor-ready") || strings.Count(f.listed(), "successor-ready") != 2 {
			t.Errorf("mails %s, listed %s", got, f.listed())
		}
	})
}

func TestSuccessorOfAnEndlessTokenIsAnnounced(t *testing.T) {
	f, _ := opened(t, ada)
	f.must(200, "PATCH", "/tenants/acme/tokens/"+f.newest(), `{"expiresAt":null}`)
	f.action(200, "start")
	if got := f.mails(); got != "successor-ready" || !strings.Contains(f.last("successor-ready"), f.newest()) {
		t.Errorf("mails %q", got)
	}
}

func TestSuccessorThatEndsBeforeItsPredecessorIsNamed(t *testing.T) {
	f, _ := opened(t, ada)
	f.must(200, "PATCH", "/tenants/acme", `{"settings":{"token":{"lifetimeDays":60}}}`)
	f.action(200, "start")
	if got := f.mails(); got != "successor-ready" || !strings.Contains(f.last("successor-ready"), f.newest()) {
		t.Errorf("mails %q", got)
	}
}

// Whoever finds that a token has ended, however late, says when, and goes on to for 90 days.
func TestEndThatIsFoundLate(t *testing.T) {
	for _, late := range []time.Duration{89 * day, 91 * day, 400 * day} {
		t.Run(late.String(), func(t *testing.T) {
			f, value := opened(t, ada)
			end, id := f.end(), f.newest()
			f.to(end.Add(late))
			detail, _ := f.as(value).must(401, "GET", "/Users", "")["detail"].(string)
			if !strings.Contains(detail, "expired on "+end.Format(time.RFC3339)) {
				t.Errorf("detail %q", detail)
			}
			if log := f.log.String(); !strings.Contains(log, "expired token used") || !strings.Contains(log, id) {
				t.Errorf("the use is not in the log: %s", log)
			}
			if text := f.last("expired"); !strings.Contains(text, end.Format("2 January 2006")) {
				t.Errorf("the mail does not say when: %s", text)
			}
			f.to(end.Add(late + 89*day))
			f.as(value).must(401, "GET", "/Users", "")
			f.to(end.Add(late + 91*day))
			if detail, _ = f.as(value).must(401, "GET", "/Users", "")["detail"].(string); strings.Contains(
				detail, "expired on") {
				t.Errorf("91 days later: %q", detail)
			}
		})
	}
}

// A notice that could not be sent before the token's end is not sent after it: the message that it has ended says it
// all.
func TestPendingNoticesOfATokenThatEnded(t *testing.T) {
	f, _ := opened(t, ada)
	end := f.end()
	f.to(end.Add(-28 * day))
	if err := os.RemoveAll(filepath.Join(f.dir, "notices")); err != nil {
		t.Fatal(err)
	}
	unblock := f.block()
	f.to(end.Add(-day))
	if got := f.listed(); got != "successor-ready:sent reminder-1:pending" {
		t.Errorf("a day before the end: %s", got)
	}
	f.to(end.Add(-20 * time.Hour))
	unblock()
	f.to(end.Add(time.Hour))
	if got := f.mails(); got != "successor-ready expired" || f.listed() != "successor-ready:sent expired:sent" {
		t.Errorf("mails %s, listed %s", got, f.listed())
	}
}

// Mail that fails is tried every hour, and given up after a day.
func TestNoticeFailsAfterADay(t *testing.T) {
	for _, step := range []time.Duration{time.Hour, 6 * time.Hour, 2 * day} {
		t.Run(step.String(), func(t *testing.T) {
			f, _ := opened(t, ada)
			start := f.end().Add(-28 * day)
			f.block()
			at := start
			for f.to(at); f.listed() == "successor-ready:pending" && at.Before(start.Add(10*day)); f.to(at) {
				at = at.Add(step)
			}
			want := max(day, step)
			if took := at.Sub(start); f.listed() != "successor-ready:failed" || took > want || took < 23*time.Hour {
				t.Errorf("%s after %s", f.listed(), at.Sub(start))
			}
			written(t, f.s, f.dir, "notice.failed")
			if tries := strings.Count(f.log.String(), "rotation will be tried again"); step == time.Hour && tries < 22 {
				t.Errorf("tried %d times", tries)
			}
		})
	}
}

// A notice that is listed as sent was sent: a message that stands for several is listed once.
func TestListedAsSentIsSent(t *testing.T) {
	for _, c := range []struct {
		name string
		days []int // before the end
		want string
	}{
		{"27 days at once", []int{28, 1}, "successor-ready reminder-1"},
		{"right into the last days", []int{5}, "successor-ready"},
		{"200 days at once", []int{-20}, "expired"},
		{"each in its time", []int{28, 14, 7, 1, 0}, "successor-ready reminder-14 reminder-7 reminder-1 expired"},
	} {
		t.Run(c.name, func(t *testing.T) {
			f, _ := opened(t, ada)
			end := f.end()
			for _, left := range c.days {
				f.to(end.Add(-time.Duration(left) * day))
			}
			if got := strings.ReplaceAll(f.listed(), ":sent", ""); got != c.want || f.mails() != c.want {
				t.Errorf("listed %s, mails %s", got, f.mails())
			}
		})
	}
	t.Run("after a swap", func(t *testing.T) {
		f, old := opened(t, ada)
		end := f.end()
		f.to(end.Add(-28 * day))
		f.as(f.reveal(f.newest())).must(200, "GET", "/Users", "")
		for _, left := range []int{14, 7, 1} {
			f.to(end.Add(-time.Duration(left) * day))
		}
		f.as(old).must(200, "GET", "/Users", "")
		f.to(end)
		if f.mails() != "successor-ready expired" || f.listed() != "successor-ready:sent expired:sent" {
			t.Errorf("listed %s, mails %s", f.listed(), f.mails())
		}
	})
}

func TestEveryEventHasData(t *testing.T) {
	f, value := opened(t, ada)
	f.as(value).must(200, "GET", "/Users", "")
	f.reveal(f.newest())
	f.settle()
	raw := written(t, f.s, f.dir, "token.revealed")
	for line := range strings.Lines(raw) {
		if !strings.Contains(line, `"data":{`) {
			t.Errorf("no data: %s", line)
		}
	}
	if !strings.Contains(raw, `"firstUsedAt"`) {
		t.Errorf("%s", raw)
	}
}

// With vault none a person can start a successor once, and again after that was cancelled.
func TestStartWithVaultNone(t *testing.T) {
	f, _ := opened(t, ada+`,"token":{"vault":"none"}`)
	end := f.end()
	f.action(200, "start")
	if detail, _ := f.action(409, "start")["detail"].(string); !strings.Contains(detail, "collect") {
		t.Errorf("started twice: %q", detail)
	}
	f.action(200, "cancel")
	f.action(409, "cancel")
	f.to(end.Add(-28 * day))
	f.action(409, "start")
	if got := f.mails(); got != "successor-ready successor-ready" {
		t.Errorf("mails %s", got)
	}
	f.must(201, "POST", "/tenants/acme/tokens", "")
	f.action(200, "cancel")
	f.to(end.Add(-27 * day))
	if got := f.mails(); got != "successor-ready successor-ready successor-ready" {
		t.Errorf("after the collected one was cancelled: mails %s", got)
	}
	// If two end together, a third is made all the same, by the person who collects it.
	other, _ := opened(t, ada+`,"token":{"vault":"none"}`)
	other.must(201, "POST", "/tenants/acme/tokens", "")
	other.must(409, "POST", "/tenants/acme/tokens", "")
	other.to(other.end().Add(-27 * day))
	other.must(201, "POST", "/tenants/acme/tokens", "")
	other.must(409, "POST", "/tenants/acme/tokens", "")
}

// Notices of OAuth secrets have the kinds that those of tokens have.
func TestKindsOfNoticesAboutClientSecrets(t *testing.T) {
	f, _ := opened(t, ada)
	f.to(time.Now().Add(60 * day))
	f.must(201, "POST", "/tenants/acme/clients", `{}`)
	secretEnd := time.Now().Add(240 * day)
	for _, days := range []int{28, 14, 7, 1, -1} {
		f.to(secretEnd.Add(-time.Duration(days)*day + time.Hour))
	}
	var kinds []string
	for _, n := range f.must(200, "GET", "/tenants/acme/notices", "")["notices"].([]any) {
		if n.(object)["clientId"] != nil {
			kinds = append(kinds, n.(object)["kind"].(string))
		}
	}
	if got := strings.Join(kinds, " "); got != "successor-ready reminder-14 reminder-7 reminder-1 expired" {
		t.Errorf("kinds %s", got)
	}
}

// scopes are those of the tokens, oldest first, live ones only.
func (f office) scopes() string {
	f.t.Helper()
	var all []string
	for _, token := range f.must(200, "GET", "/tenants/acme/tokens", "")["tokens"].([]any) {
		if o := token.(object); o["state"] == "active" || o["state"] == "successor" {
			all = append(all, fmt.Sprint(o["scopes"]))
		}
	}
	return strings.Join(all, " ")
}

// A token that may only read takes the place of none that may write.
func TestSuccessorMayDoWhatItsPredecessorMay(t *testing.T) {
	for _, c := range []struct {
		name string
		late time.Duration // when the second token is created
		used bool
		want string // 28 days before the end of the first, and at the end of the second
		last string
	}{
		{"both end together", time.Hour, false, "[read write] [read] [read write]", "[read write]"},
		{"the other ends later", 100 * day, false, "[read write] [read] [read write]", "[read write]"},
		{"and is in use", 100 * day, true, "[read write] [read] [read write]", "[read write]"},
	} {
		t.Run(c.name, func(t *testing.T) {
			f, old := opened(t, ada)
			end := f.end()
			f.to(end.Add(-180 * day).Add(c.late))
			other := f.must(201, "POST", "/tenants/acme/tokens", `{"scopes":["read"]}`)
			if c.used {
				f.as(old).must(200, "GET", "/Users", "")
				f.as(other["value"].(string)).must(200, "GET", "/Users", "")
				f.settle()
			}
			f.to(end.Add(-28 * day))
			if got := f.scopes(); got != c.want {
				t.Errorf("28 days before the end: %s", got)
			}
			if !strings.Contains(f.last("successor-ready"), f.newest()) {
				t.Error("the mail does not name the successor")
			}
			otherEnd, err := time.Parse(time.RFC3339, other["expiresAt"].(string))
			if err != nil {
				t.Fatal(err)
			}
			f.to(end.Add(-27 * day))
			f.to(end)
			f.to(otherEnd)
			if got := f.scopes(); !strings.HasPrefix(got, c.last) {
				t.Errorf("at the end of the other: %s", got)
			}
		})
	}
}

func TestPredecessorsOfALateSuccessor(t *testing.T) {
	f, _ := opened(t, ada)
	id := f.newest()
	f.to(f.end().Add(day))
	written(t, f.s, f.dir, `"predecessorIds":["`+id+`"]`)
}

// Who has left a token that does not end yet needs not be told of it beside the one in use.
func TestOneNoticeForOneSuccessor(t *testing.T) {
	f, _ := opened(t, ada)
	short := f.must(201, "POST", "/tenants/acme/tokens",
		fmt.Sprintf(`{"expiresAt":%q}`, time.Now().Add(40*day).Format(time.RFC3339)))
	f.as(short["value"].(string)).must(200, "GET", "/Users", "")
	f.to(time.Now().Add(13 * day))
	if f.mails() != "successor-ready" || !strings.Contains(f.last("successor-ready"), f.newest()) {
		t.Errorf("mails %s", f.mails())
	}
}

// Successors that live for less than the period of notice of the token before them come one after the other, and each
// is told of once.
func TestSuccessorsOfAShorterLife(t *testing.T) {
	for _, days := range []int{2, 10, 20} {
		t.Run(fmt.Sprintf("%d days", days), func(t *testing.T) {
			f, _ := opened(t, ada)
			end := f.end()
			f.must(200, "PATCH", "/tenants/acme", fmt.Sprintf(`{"settings":{"token":{"lifetimeDays":%d,"reminders":[]}}}`, days))
			made := map[string]bool{}
			for at := end.Add(-28 * day); at.Before(end.Add(day)); at = at.Add(12 * time.Hour) {
				f.to(at)
				states, ids := f.tokens()
				if live := strings.Count(states, "active") + strings.Count(states, "successor"); live < 2-max(
					0, int(at.Sub(end)/(12*time.Hour)+1)) || live > 3 {
					t.Fatalf("%s before the end: %s", end.Sub(at), states)
				}
				for _, id := range ids[1:] {
					made[id] = true
				}
			}
			if most := 28*2/days + 2; len(made) > most {
				t.Errorf("%d successors in four weeks, at most %d are needed", len(made), most)
			}
			ready := strings.Count(f.listed(), "successor-ready")
			if strings.Contains(f.listed(), "pending") || ready != len(made) {
				t.Errorf("%d successors, %d announced: %s", len(made), ready, f.listed())
			}
		})
	}
}
