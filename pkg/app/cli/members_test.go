package cli_test

import (
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestMembersPolicyTargetsAndEvents takes a tenant from a policy to a member that has the assignments of the policy.
func TestMembersPolicyTargetsAndEvents(t *testing.T) {
	url := serve(t, "")
	out := good(t, url, "tenants", "create", "Acme", "-id", "acme", "-json")
	value := regexp.MustCompile(`"value":"([^"]+)"`).FindStringSubmatch(out)[1]
	policy := filepath.Join(t.TempDir(), "policy.json")
	document := `{"kinds": {"role": {}}, "rules": [{"id": "boss", "user": {"filter": "title eq \"Boss\""},
		"assign": {"kind": "role", "target": "lead"}}]}`
	if err := os.WriteFile(policy, []byte(document), 0o600); err != nil {
		t.Fatal(err)
	}
	id := made(t, url, value, `{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":"ann","title":"Boss"}`)
	wants := func(want string, args ...string) {
		t.Helper()
		if out := good(t, url, args...); !regexp.MustCompile(want).MatchString(out) {
			t.Errorf("%v: no %s in %s", args, want, out)
		}
	}
	wants(`People: 1, changes: 0`, "policy", "rehearse", "acme", policy)
	wants(`policy is saved`, "policy", "put", "acme", policy)
	wants(`"id": "boss"`, "policy", "get", "acme")
	wants(`(?s)^active: .*- role lead: target-unknown: Role lead does not exist`, "members", "why", "acme", id)
	wants(`"target": "lead"`, "targets", "put", "acme", "role", "lead", "-name", "The lead", "-features", "a,b")
	wants(`role +- +lead +The lead +a,b`, "targets", "list", "acme", "-kind", "role")
	wants(id+` +active +ann +role lead`, "members", "list", "acme", "-filter", `userName eq "ann"`)
	wants(`\+ role lead: rule boss`, "members", "why", "acme", id)
	wants(`"userName": "ann"`, "members", "get", "acme", id)
	if err := os.WriteFile(policy, []byte(`{"kinds": {"role": {}}, "rules": []}`), 0o600); err != nil {
		t.Fatal(err)
	}
	wants(`(?s)- `+id+`: role lead.*People: 1, changes: 1`, "policy", "rehearse", "acme", policy)
	wants(`^\{.*"losses":\[\{.*\}\n$`, "policy", "rehearse", "acme", policy, "-json")
	if code, _, err := run(t, "-url", url, "targets", "delete", "acme", "role", "lead"); code != 1 ||
		!strings.Contains(err, "rule gives") {
		t.Errorf("a target in use is deleted: %d %s", code, err)
	}
	good(t, url, "policy", "put", "acme", policy)
	wants(`role lead is deleted`, "targets", "delete", "acme", "role", "lead")
	all := good(t, url, "events", "tail", "acme", "-once")
	if !strings.Contains(all, "member.created  members/"+id) || !strings.Contains(all, "assignment.removed") {
		t.Errorf("events %s", all)
	}
	lines := strings.SplitAfterN(all, "\n", 3)
	second, _, _ := strings.Cut(lines[1], " ")
	if rest := good(t, url, "events", "tail", "acme", "-once", "-after", second); rest != lines[2] {
		t.Errorf("behind %s: %s, want %s", second, rest, lines[2])
	}
	hidden := made(t, url, value,
		`{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":"a`+"\u202e"+`nna"}`)
	wants(hidden+` +active +a\\u202enna`, "members", "list", "acme", "-filter", `userName sw "a"`)
	wants(`^\{.*\}\n`, "events", "tail", "acme", "-once", "-json")
	if code, _, _ := run(t, "-url", url, "members", "get", "acme", "nobody"); code != 1 {
		t.Errorf("nobody: %d", code)
	}
}

// made creates a user and returns its id.
func made(t *testing.T, url, token, body string) string {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), "POST", url+"/scim/v2/acme/Users", strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+token)
	r.Header.Set("Content-Type", "application/scim+json")
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	var user struct{ ID string }
	if err := json.NewDecoder(answer.Body).Decode(&user); err != nil || answer.StatusCode != 201 {
		t.Fatalf("status %d, error %v", answer.StatusCode, err)
	}
	return user.ID
}
