package cli_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/serverless-scim/serverless-scim/pkg/app/cli"
)

// TestEventsAreFollowed has events tail wait for events that come later, until it is interrupted.
func TestEventsAreFollowed(t *testing.T) {
	url := serve(t, "")
	good(t, url, "tenants", "create", "Acme", "-id", "acme")
	ctx, interrupt := context.WithCancel(t.Context())
	defer interrupt()
	out, to := io.Pipe()
	ended := make(chan int, 1)
	go func() {
		var errs strings.Builder
		streams := cli.Streams{In: strings.NewReader(""), Out: to, Err: &errs}
		code := cli.Run(ctx, []string{"-url", url, "events", "tail", "acme"}, streams)
		_ = to.CloseWithError(fmt.Errorf("tail ended: %s", errs.String()))
		ended <- code
	}()
	lines := bufio.NewScanner(out)
	follow := func(want string) {
		t.Helper()
		for lines.Scan() {
			if strings.Contains(lines.Text(), want) {
				return
			}
		}
		t.Fatalf("no %s: %v", want, lines.Err())
	}
	for _, kind := range []string{"role", "team"} { // the second comes while the first is the last that there is
		policy := filepath.Join(t.TempDir(), "policy.json")
		document := `{"kinds": {"` + kind + `": {"create": true}}, "rules": []}`
		if err := os.WriteFile(policy, []byte(document), 0o600); err != nil {
			t.Fatal(err)
		}
		good(t, url, "policy", "put", "acme", policy)
		follow("policy.changed")
	}
	interrupt()
	if code := <-ended; code != cli.OK {
		t.Errorf("exit code %d of an interrupted tail, want %d", code, cli.OK)
	}
}

// TestRehearsalShowsShortages rehearses a policy that needs more seats than there are.
func TestRehearsalShowsShortages(t *testing.T) {
	url := serve(t, "")
	out := good(t, url, "tenants", "create", "Acme", "-id", "acme", "-json")
	value := regexp.MustCompile(`"value":"([^"]+)"`).FindStringSubmatch(out)[1]
	for n := range 3 {
		made(t, url, value, fmt.Sprintf(
			`{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":"u%d","title":"Boss"}`, n))
	}
	policy := filepath.Join(t.TempDir(), "policy.json")
	put := func(document string) {
		t.Helper()
		if err := os.WriteFile(policy, []byte(document), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	put(`{"kinds": {"licence": {"seats": "purchase"}}, "rules": []}`)
	good(t, url, "policy", "put", "acme", policy)
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPut,
		url+"/admin/v1/tenants/acme/targets/licence/pro", strings.NewReader(`{"seats":{"size":1}}`))
	if err != nil {
		t.Fatal(err)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	_ = resp.Body.Close()
	put(`{"kinds": {"licence": {"seats": "purchase"}}, "rules": [{"id": "boss",
		"user": {"filter": "title eq \"Boss\""}, "assign": {"kind": "licence", "target": "pro"}}]}`)
	out = good(t, url, "policy", "rehearse", "acme", policy)
	if !strings.Contains(out, "! licence pro: 2 missing, 3 of 1 in use\nPeople: 3, ") {
		t.Errorf("rehearsed, status of the target %d:\n%s", resp.StatusCode, out)
	}
}
