package local_test

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/serverless-scim/serverless-scim/pkg/app/local"
	"github.com/serverless-scim/serverless-scim/pkg/store/boltstore"
)

// someDay is the real time of the tests below.
var someDay = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)

// startAt starts a server whose machine has a time.
func startAt(t *testing.T, data string, machine *time.Time) operator {
	t.Helper()
	s, err := local.Open(t.Context(), local.Options{
		Engine: "bolt", Data: data, Log: io.Discard, Out: io.Discard, Now: func() time.Time { return *machine },
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return operator{t, s}
}

// present is the time of the server.
func (o operator) present() time.Time {
	o.t.Helper()
	now, err := time.Parse(time.RFC3339, o.must(200, "GET", "/clock", "")["now"].(string))
	if err != nil {
		o.t.Fatal(err)
	}
	return now
}

func TestClockRefusesWhatItCannotShow(t *testing.T) {
	machine := someDay
	o := startAt(t, boltstore.Memory, &machine)
	o.must(201, "POST", "/tenants", withAda)
	for _, tc := range []struct{ now, says string }{
		{`"2318-12-31T00:00:00Z"`, "2200"},
		{`"2319-03-03T00:00:00Z"`, "2200"},
		{`"2500-01-01T00:00:00Z"`, "2200"},
		{`"2618-12-31T00:00:00Z"`, "2200"},
		{`"9999-12-31T23:59:59Z"`, "2200"},
		{`"9999-12-31T23:59:59-23:59"`, "2200"},
		{`"2200-01-01T00:00:00Z"`, "2200"},
		{`"2199-12-31T23:30:00-01:00"`, "2200"},
		{`"0000-01-01T00:00:00Z"`, "the current time"},
		{`"0001-01-01T00:00:00Z"`, "the current time"},
		{`"2026-11-22T11:59:59.999999999Z"`, "the current time"},
		{`"2026-11-22T12:30:00+01:00"`, "the current time"},
		{`"10000-01-01T00:00:00Z"`, "RFC 3339"},
		{`"2027-02-29T00:00:00Z"`, "RFC 3339"},
		{`"2027-02-01"`, "RFC 3339"},
		{`"2027-02-01T00:00:00"`, "RFC 3339"},
		{`"2027-02-01 00:00:00Z"`, "RFC 3339"},
		{`"Mon, 01 Feb 2027 00:00:00 GMT"`, "RFC 3339"},
		{`"+9d"`, "RFC 3339"},
		{`""`, "RFC 3339"},
		{`null`, "RFC 3339"},
		{`1801440000`, "RFC 3339"},
		{`["2027-02-01T00:00:00Z"]`, "RFC 3339"},
		{`"` + strings.Repeat("2", 60_000) + `"`, "RFC 3339"},
	} {
		detail, _ := o.must(400, "PUT", "/clock", `{"now":`+tc.now+`}`)["detail"].(string)
		if !strings.Contains(detail, tc.says) || len(detail) > 200 {
			t.Errorf("%.60s: %.300s", tc.now, detail)
		}
	}
	for _, body := range []string{``, `{}`, `[]`, `{"now"`, `{"now":"2027-02-01T00:00:00Z","zone":"UTC"}`} {
		if detail, _ := o.must(400, "PUT", "/clock", body)["detail"].(string); detail == "" {
			t.Errorf("%s: no detail", body)
		}
	}
	o.must(413, "PUT", "/clock", `{"now":"`+strings.Repeat("2", 100_000)+`"}`)
	if now := o.present(); !now.Equal(someDay) {
		t.Errorf("it is %s", now)
	}
	if states, _ := o.tokens(); states != "active" {
		t.Errorf("tokens %s", states)
	}
}

func TestClockTakesEveryTimeAhead(t *testing.T) {
	machine := someDay
	o := startAt(t, boltstore.Memory, &machine)
	o.must(201, "POST", "/tenants", withAda)
	for _, tc := range [][2]string{
		{"2026-11-22T12:00:00Z", "2026-11-22T12:00:00"}, // the present time
		{"2026-11-22T12:00:00.25Z", "2026-11-22T12:00:00.25"},
		{"2026-11-22T12:00:00.250000001Z", "2026-11-22T12:00:00.25"},
		{"2026-11-22T13:00:01+01:00", "2026-11-22T12:00:01"},
		{"2026-11-21T23:00:02-13:00", "2026-11-22T12:00:02"},
		{"2027-02-28T23:59:59.999999999Z", "2027-02-28T23:59:59.999"},
		{"2199-12-31T23:59:59Z", "2199-12-31T23:59:59"},
	} {
		said := o.must(200, "PUT", "/clock", fmt.Sprintf(`{"now":%q}`, tc[0]))["now"].(string)
		at, err := time.Parse(time.RFC3339, said)
		if want, _ := time.Parse(time.RFC3339, tc[1]+"Z"); err != nil || !at.Equal(want) {
			t.Errorf("%s: %s, %v", tc[0], said, err)
		}
	}
	if states, _ := o.tokens(); !strings.HasSuffix(states, "active") {
		t.Errorf("at the end of time: %s", states)
	}
}

func TestClockIsKeptInTheDataFolder(t *testing.T) {
	dir, machine := t.TempDir(), someDay
	o := startAt(t, dir, &machine)
	o.must(201, "POST", "/tenants", withAda)
	o.to(someDay.AddDate(0, 0, 400))
	states, _ := o.tokens()
	if err := o.s.Close(); err != nil {
		t.Fatal(err)
	}
	machine = machine.Add(time.Hour)
	o = startAt(t, dir, &machine)
	if got, want := o.present(), someDay.AddDate(0, 0, 400).Add(time.Hour); !got.Equal(want) {
		t.Errorf("after a restart it is %s, want %s", got, want)
	}
	if again, _ := o.tokens(); again != states {
		t.Errorf("after a restart the tokens are %s, before %s", again, states)
	}
	if err := o.s.Close(); err != nil {
		t.Fatal(err)
	}
	machine = someDay.AddDate(0, -1, 0) // the machine's own clock was wrong
	o = startAt(t, dir, &machine)
	if got, least := o.present(), someDay.AddDate(0, 0, 400); got.Before(least) {
		t.Errorf("after the machine's clock went back it is %s, want at least %s", got, least)
	}
	files, err := filepath.Glob(filepath.Join(dir, "*.tmp"))
	if err != nil || len(files) > 0 {
		t.Errorf("left over: %v, %v", files, err)
	}
}

func TestClockIsNotMovedWhereItCannotBeKept(t *testing.T) {
	dir, machine := t.TempDir(), someDay
	o := startAt(t, dir, &machine)
	if err := os.MkdirAll(filepath.Join(dir, "clock.json", "x"), 0o700); err != nil { // no file can be put there
		t.Fatal(err)
	}
	o.must(500, "PUT", "/clock", `{"now":"2027-02-01T00:00:00Z"}`)
	if now := o.present(); !now.Equal(someDay) {
		t.Errorf("it is %s", now)
	}
}

func TestAStartWithoutAReadableClockSaysSo(t *testing.T) {
	for _, content := range []string{
		"", "{", `{"now":"soon"}`, `{"now":"2027-02-01T00:00:00Z","machine":"2500-02-01T00:00:00Z"}`,
		`{"now":"9999-02-01T00:00:00Z","machine":"2026-02-01T00:00:00Z"}`,
	} {
		dir := t.TempDir()
		path := filepath.Join(dir, "clock.json")
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		s, err := local.Open(t.Context(), local.Options{Engine: "bolt", Data: dir, Log: io.Discard, Out: io.Discard})
		if err == nil {
			_ = s.Close()
		}
		if err == nil || !strings.Contains(err.Error(), path) {
			t.Errorf("%q: %v", content, err)
		}
	}
}

func TestMemoryKeepsNoClock(t *testing.T) {
	t.Chdir(t.TempDir())
	machine := someDay
	startAt(t, boltstore.Memory, &machine).to(someDay.AddDate(1, 0, 0))
	if now := startAt(t, boltstore.Memory, &machine).present(); !now.Equal(someDay) {
		t.Errorf("it is %s", now)
	}
	if files, err := os.ReadDir("."); err != nil || len(files) > 0 {
		t.Errorf("files %v, %v", files, err)
	}
}
