//go:build unix

package local_test

import (
	"bytes"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/serverless-scim/serverless-scim/pkg/app/local"
	"github.com/serverless-scim/serverless-scim/pkg/oauthhttp"
)

// onDisk is a tenant with a user on a server with a data file, of which it returns the path.
func onDisk(t *testing.T) (a *api, o operator, id, path string) {
	t.Helper()
	data := t.TempDir()
	now := time.Date(2026, 11, 28, 9, 0, 0, 0, time.UTC)
	s, err := local.Open(t.Context(), local.Options{
		Engine: "bolt", Data: data, Log: io.Discard, Out: io.Discard, Now: func() time.Time { return now },
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	a = tenantOn(t, s, "acme", "generic")
	return a, operator{t, s}, a.user("grace"), filepath.Join(data, "scim.db")
}

// apartVar is set in a process that runs a single test.
const apartVar = "LOCAL_TEST_APART"

// apart runs the test in a process of its own, and reports true there. The bound of noRoom is one of the process, and
// go test keeps a log of the files that tests open, which has to find room at any time.
func apart(t *testing.T) bool {
	t.Helper()
	if os.Getenv(apartVar) != "" {
		return true
	}
	cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run", "^"+t.Name()+"$", "-test.v")
	cmd.Env = append(os.Environ(), apartVar+"=1")
	out, err := cmd.CombinedOutput()
	if err != nil || !strings.Contains(string(out), "--- PASS: "+t.Name()+" ") {
		t.Errorf("%v\n%s", err, out)
	}
	return false
}

// noRoom lets no file of this process grow beyond so many bytes, for as long as do takes.
func noRoom(t *testing.T, bytes uint64, do func()) {
	t.Helper()
	signal.Ignore(syscall.SIGXFSZ)
	defer signal.Reset(syscall.SIGXFSZ)
	var before syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_FSIZE, &before); err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &before); err != nil {
			t.Fatal(err)
		}
	}()
	small := before
	small.Cur = bytes
	if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &small); err != nil {
		t.Fatal(err)
	}
	do()
}

// says checks an error's answer.
func says(t *testing.T, call string, status int, out object, want string) {
	t.Helper()
	if detail, _ := out["detail"].(string); status != http.StatusServiceUnavailable || !strings.Contains(detail, want) {
		t.Errorf("%s: %d %v, want 503 and %q", call, status, out, want)
	}
}

// TestDiskFull: every write says at once that there is no room, changes nothing, and is taken once there is room; reads
// go on.
func TestDiskFull(t *testing.T) {
	if !apart(t) {
		return
	}
	a, o, id, _ := onDisk(t)
	before := a.must(200, "GET", "/Users/"+id, "")
	const full = "no space left"
	noRoom(t, 1, func() {
		for _, call := range []struct{ method, path, body string }{
			{"POST", "/Users", `{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":"ada"}`},
			{"POST", "/Groups", `{"schemas":["urn:ietf:params:scim:schemas:core:2.0:Group"],"displayName":"Crew"}`},
			{"PUT", "/Users/" + id, `{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":"other"}`},
			{"PATCH", "/Users/" + id, patchBody(`{"op":"replace","path":"title","value":"Admiral"}`)},
			{"DELETE", "/Users/" + id, ""},
		} {
			status, out := a.do(call.method, call.path, call.body)
			says(t, call.method+" "+call.path, status, out, full)
		}
		a.must(200, "GET", "/Users/"+id, "")
		status, out := o.do("PUT", "/clock", `{"now":"2026-12-24T00:00:00Z"}`)
		says(t, "PUT clock", status, out, full)
		if now := o.present(); now.Month() != time.November {
			t.Errorf("the clock was moved to %v all the same", now)
		}
		status, out = o.do("POST", "/tenants", `{"name":"Other"}`)
		says(t, "POST tenants", status, out, full)
	})
	after := a.must(200, "GET", "/Users/"+id, "")
	if after["userName"] != "grace" || after["title"] != before["title"] {
		t.Errorf("the user is %v, was %v", after, before)
	}
	a.user("ada")
	o.must(200, "PUT", "/clock", `{"now":"2026-12-24T00:00:00Z"}`)
}

// TestDamagedFile: a request that meets damaged data says so in the format of its edge, and the process goes on.
func TestDamagedFile(t *testing.T) {
	a, o, id, path := onDisk(t)
	client := o.must(201, "POST", "/tenants/acme/clients", `{"name":"Ping"}`)
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	f, err := os.OpenFile(path, os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	const heads = 2 * 4096
	if _, err := f.WriteAt(bytes.Repeat([]byte{0xa5}, int(info.Size())-heads), heads); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	const damaged = "is damaged"
	for range 2 {
		status, out := a.do("GET", "/Users/"+id, "")
		says(t, "GET", status, out, damaged)
		status, out = o.do("GET", "/tenants/acme", "")
		says(t, "GET tenants", status, out, damaged)
		status, out = o.do("POST", "/tenants", `{"name":"Other"}`)
		says(t, "POST tenants", status, out, damaged)
	}
	r := httptest.NewRequest("POST", oauthhttp.Root+"acme/token", strings.NewReader("grant_type=client_credentials"))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.SetBasicAuth(client["id"].(string), client["secret"].(string))
	w := httptest.NewRecorder()
	a.h.ServeHTTP(w, r)
	if w.Code != http.StatusServiceUnavailable || !strings.Contains(w.Body.String(), damaged) {
		t.Errorf("a token request: %d %s", w.Code, w.Body)
	}
}
