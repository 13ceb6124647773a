package cli_test

import (
	"encoding/json"
	"regexp"
	"strings"
	"testing"
)

// TestLogDiagnosisAndActivity finds out why a person was refused, and the remedy.
func TestLogDiagnosisAndActivity(t *testing.T) {
	url := serve(t, "")
	wants := func(want string, args ...string) string {
		t.Helper()
		out := good(t, url, args...)
		if !regexp.MustCompile(want).MatchString(out) {
			t.Errorf("%v: no %s in %s", args, want, out)
		}
		return out
	}
	out := good(t, url, "tenants", "create", "Acme", "-id", "acme", "-idp", "entra", "-json")
	value := regexp.MustCompile(`"value":"([^"]+)"`).FindStringSubmatch(out)[1]
	wants("(?s)info: No request has come yet.*Test Connection", "diagnosis", "acme")
	wants("first request never, last never", "activity", "acme")
	made(t, url, value, `{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":"ann"}`)
	line := wants(`create +done +201 +ann`, "log", "list", "acme", "-subject", "ANN")
	odd := "J\u00f6rg\u00a0\u0001\x7f\u2028\"\\\U0001F600"
	quoted, err := json.Marshal(odd)
	if err != nil {
		t.Fatal(err)
	}
	made(t, url, value, `{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":`+string(quoted)+`}`)
	wants(`create +done +201`, "log", "list", "acme", "-subject", odd)
	creation := wants(`admin +done +201 +- +POST /tenants by local`, "log", "list", "-filter", `path sw "/tenants"`)
	wants(`admin  done  201  -  POST /tenants by local\n$`, "log", "tail", "-once")
	wants(`admin  done  201  -  POST /tenants by local\n$`, "log", "tail", "-", "-once")
	wants(`admin +done +201 +- +POST /tenants by local`, "log", "list", "-")
	wants(`caller +local`, "log", "show", "-", regexp.MustCompile(`(?m)^(\d+-\w+)`).FindString(creation))
	wants(`(?s)caller +local.*path +/tenants\n`, "log", "show", regexp.MustCompile(`(?m)^(\d+-\w+)`).FindString(creation))
	wants(`USER +ATTRIBUTE`, "stale-attributes", "acme")
	wants(`"attributes":\[\]`, "stale-attributes", "acme", "-json")
	wants(`"findings":\[`, "diagnosis", "acme", "-json")
	id := regexp.MustCompile(`(?m)^(\d+-\w+)`).FindString(line)
	wants(`(?s)requestId +\w+.*resourceType +User.*"userName":"\(redacted\)"`, "log", "show", "acme", id)
	wants(`objectId`, "diagnosis", "acme")
	wants(`Personen ohne externalId: alle 2`, "diagnosis", "acme", "-language", "de")
	wants(`(?s)members: 2 active, 0 staged, 0 inactive.*create +done +2`, "activity", "acme", "-days", "1")
	all := good(t, url, "log", "tail", "acme", "-once")
	if lines := strings.Split(strings.TrimSpace(all), "\n"); len(lines) != 3 ||
		!strings.Contains(lines[0], "admin  done  201") || !strings.Contains(lines[1], "create  done  201  ann") {
		t.Errorf("tail: %s", all)
	}
	wants(`^\{.*"operation":"create".*\}\n$`, "log", "tail", "acme", "-once", "-json", "-outcome", "done", "-filter",
		`operation eq "create" and subject eq "ann"`)
	code, _, text := run(t, "-url", url, "log", "show", "acme", "none")
	if code != 1 || !strings.Contains(text, "does not exist") {
		t.Errorf("an entry that is not there: %d %s", code, text)
	}
}
