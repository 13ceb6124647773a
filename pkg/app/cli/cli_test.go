package cli_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"

	"github.com/serverless-scim/serverless-scim/pkg/app/cli"
	"github.com/serverless-scim/serverless-scim/pkg/app/local"
	"github.com/serverless-scim/serverless-scim/pkg/internal/dnstest"
	"github.com/serverless-scim/serverless-scim/pkg/store/boltstore"
)

// serve runs a server; key may be empty.
func serve(t *testing.T, key string) string {
	t.Helper()
	return serveOn(t, local.Options{AdminKey: key})
}

// serveOn is serve with options of the server.
func serveOn(t *testing.T, o local.Options) string {
	t.Helper()
	t.Setenv("SCIM_ADMIN_URL", "")
	t.Setenv("SCIM_ADMIN_KEY", "")
	o.Engine, o.Data, o.Log, o.Out = "bolt", boltstore.Memory, io.Discard, io.Discard
	s, err := local.Open(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(s.Handler())
	t.Cleanup(func() {
		server.Close()
		_ = s.Close()
	})
	return server.URL
}

// run runs the command; nobody is at the terminal.
func run(t *testing.T, args ...string) (code int, out, err string) {
	t.Helper()
	return answering(t, "", args...)
}

// answering runs the command with a person at the terminal who types an answer; "" is nobody.
func answering(t *testing.T, answer string, args ...string) (code int, out, err string) {
	t.Helper()
	var stdout, stderr bytes.Buffer
	code = cli.Run(t.Context(), args,
		cli.Streams{In: strings.NewReader(answer), Out: &stdout, Err: &stderr, Asks: answer != ""})
	return code, stdout.String(), stderr.String()
}

// good runs a command that has to succeed.
func good(t *testing.T, url string, args ...string) string {
	t.Helper()
	code, out, err := run(t, append([]string{"-url", url}, args...)...)
	if code != 0 || err != "" {
		t.Fatalf("%v: %d %s", args, code, err)
	}
	return out
}

func field(t *testing.T, out, name string) string {
	t.Helper()
	m := regexp.MustCompile(`(?m)^` + name + ` +(\S+)$`).FindStringSubmatch(out)
	if m == nil {
		t.Fatalf("no %s in %s", name, out)
	}
	return m[1]
}

func scim(t *testing.T, url, value string) int {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), "GET", url+"/scim/v2/acme/Users", nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+value)
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	_ = answer.Body.Close()
	return answer.StatusCode
}

func TestALifeOfTokens(t *testing.T) {
	url := serve(t, "")
	out := good(t, url, "tenants", "create", "Acme Ltd", "-id", "acme", "-idp=okta")
	first, value := field(t, out, "token"), field(t, out, "value")
	if field(t, out, "url") != url+"/scim/v2/acme" || scim(t, url, value) != 200 {
		t.Error(out)
	}
	if out = good(t, url, "tenants"); !strings.Contains(out, "acme") || !strings.Contains(out, "Acme Ltd") {
		t.Error(out)
	}
	if out = good(t, url, "token", "list", "acme"); !strings.Contains(out, first) ||
		!strings.Contains(out, "read,write") || !strings.Contains(out, "active") {
		t.Error(out)
	}
	day := time.Now().AddDate(0, 3, 0).Format(time.DateOnly)
	out = good(t, url, "token", "issue", "acme", "-scopes", "read", "-expires", day)
	second := field(t, out, "token")
	if !strings.HasPrefix(field(t, out, "expires"), day) {
		t.Error(out)
	}
	if shown := field(t, good(t, url, "token", "reveal", "acme", second), "value"); shown != field(t, out, "value") ||
		scim(t, url, shown) != 200 {
		t.Error("reveal shows another value")
	}
	code, _, err := run(t, "token", "issue", "acme", "-url", url+"/admin/v1/")
	if code != 1 || !strings.Contains(err, "Two tokens are live already") {
		t.Errorf("%d %s", code, err)
	}
	good(t, url, "token", "revoke", "acme", second)
	if out = good(t, url, "rotation", "start", "acme"); !strings.Contains(out, "successor") {
		t.Error(out)
	}
	if out = good(t, url, "token", "rotate", "acme", "cancel"); strings.Contains(out, "successor") {
		t.Error(out)
	}
	good(t, url, "rotation", "start", "acme")
	if successor := field(t, good(t, url, "token", "reveal", "acme", successorOf(t, url)), "value"); scim(
		t, url, successor) != 200 {
		t.Error("the successor is not good")
	}
	good(t, url, "rotation", "complete", "acme")
	if scim(t, url, value) != 401 {
		t.Error("the old token is good after the rotation")
	}
	var list struct {
		Tokens []struct{ ID, State string }
	}
	if err := json.Unmarshal([]byte(good(t, url, "token", "list", "acme", "-json")), &list); err != nil ||
		len(list.Tokens) != 4 {
		t.Fatalf("%v %+v", err, list)
	}
	last := list.Tokens[3].ID
	if out = good(t, url, "token", "extend", "acme", last, day); !strings.Contains(out, day+"T23:59:59Z") {
		t.Errorf("a day is not meant to its end: %s", out)
	}
	if out = good(t, url, "token", "extend", "acme", last, day+"T12:00:00Z"); !strings.Contains(out, day+"T12:00:00Z") {
		t.Error(out)
	}
}

// successorOf returns the id of acme's token that is to take over.
func successorOf(t *testing.T, url string) string {
	t.Helper()
	m := regexp.MustCompile(`(?m)^(\S+) +successor`).FindStringSubmatch(good(t, url, "token", "list", "acme"))
	if m == nil {
		t.Fatal("there is no successor")
	}
	return m[1]
}

func TestTenants(t *testing.T) {
	url := serve(t, "")
	good(t, url, "tenants", "create", "Acme", "-id", "acme")
	out := good(t, url, "tenants", "set", "acme", "name=Acme 2=3", "idp=okta", "token.lifetimeDays=90",
		"settings.token.reminders=[14,7]",
		"scim.patchBody=none", "notices.recipients=[]")
	for _, want := range []string{
		`name +Acme 2=3`, `idp +okta`, `settings\.token\.lifetimeDays +90`, `settings\.token\.reminders +\[14,7\]`,
		`settings\.scim\.patchBody +none`, `active +true`, `url +` + url,
	} {
		if !regexp.MustCompile(`(?m)^` + want).MatchString(out) {
			t.Errorf("no %s in %s", want, out)
		}
	}
	if out = good(t, url, "tenants", "set", "acme", "scim.patchBody=null"); strings.Contains(out, "patchBody") {
		t.Error(out)
	}
	value := field(t, good(t, url, "token", "issue", "acme"), "value")
	for state, want := range map[string]int{"off": 403, "on": 200} {
		if out = good(t, url, "tenants", "switch", "acme", state); !strings.Contains(out, "acme is "+state) ||
			scim(t, url, value) != want {
			t.Errorf("switched %s: %s", state, out)
		}
		good(t, url, "tenants", "switch", "acme", "on")
	}
	for _, wrong := range [][]string{
		{"colour"},
		{"=x"},
		{"scim.=1"},
		{"idp=okta", "idp=entra"},
		{"scim=1", "scim.patchBody=none"},
	} {
		if code, out, err := run(t, append([]string{"tenants", "set", "acme", "-url", url}, wrong...)...); code != 2 ||
			out != "" {
			t.Errorf("%v: %d %s %s", wrong, code, out, err)
		}
	}
	// A deletion is asked for, forced, or refused.
	if code, _, err := run(t, "tenants", "delete", "acme", "-url", url); code != 2 || !strings.Contains(err, "-force") {
		t.Errorf("nobody to ask: %d %s", code, err)
	}
	if code, _, err := answering(t, "no\n", "tenants", "delete", "acme", "-url", url); code != 1 ||
		!strings.Contains(err, "acme? ") {
		t.Errorf("no: %d %s", code, err)
	}
	good(t, url, "tenants", "get", "acme")
	if code, _, err := answering(t, "yes\n", "tenants", "delete", "acme", "-url", url); code != 0 {
		t.Errorf("yes: %d %s", code, err)
	}
	if code, _, _ := run(t, "tenants", "get", "acme", "-url", url); code != 1 {
		t.Error("a deleted tenant is shown")
	}
	good(t, url, "tenants", "create", "Other", "-id", "other")
	good(t, url, "tenants", "delete", "other", "-force")
}

func TestDefinitions(t *testing.T) {
	url := serve(t, "")
	good(t, url, "tenants", "create", "Acme", "-id", "acme")
	const urn = "urn:example:params:scim:schemas:Badge"
	file := filepath.Join(t.TempDir(), "badge.json")
	schema := `{"id":"` + urn + `","name":"Badge","attributes":[{"name":"number","type":"string"}]}`
	if err := os.WriteFile(file, []byte(schema), 0o600); err != nil {
		t.Fatal(err)
	}
	good(t, url, "schemas", "put", "acme", urn, file)
	if out := good(t, url, "schemas", "get", "acme", urn); !strings.Contains(out, `"name": "Badge"`) {
		t.Error(out)
	}
	if out := good(t, url, "schemas", "list", "acme"); !regexp.MustCompile(urn + ` +Badge +1`).MatchString(out) {
		t.Error(out)
	}
	user := `{"schemaExtensions":[{"schema":"` + urn + `","required":false}]}`
	if code, _, err := answering(t, user, "-url", url, "resource-types", "put", "acme", "User", "-"); code != 0 {
		t.Error(err)
	}
	if out := good(t, url, "resource-types", "list", "acme"); !regexp.MustCompile(`User +/Users`).MatchString(out) {
		t.Error(out)
	}
	if out := good(t, url, "resource-types", "get", "acme", "User"); !strings.Contains(out, urn) {
		t.Error(out)
	}
	good(t, url, "resource-types", "delete", "acme", "User")
	good(t, url, "schemas", "delete", "acme", urn)
	if code, _, err := run(t, "schemas", "put", "acme", urn, file+"x", "-url", url); code != 1 ||
		!strings.Contains(err, "no such file") {
		t.Errorf("a file that is not there: %d %s", code, err)
	}
}

// TestJSONIsOneDocument: -json prints one JSON document for each command, also if the API answers without one, or with
// pages.
func TestJSONIsOneDocument(t *testing.T) {
	url := serve(t, "")
	for _, args := range [][]string{
		{"tenants", "create", "Acme", "-id", "acme"},
		{"tenants"},
		{"tenants", "list"},
		{"tenants", "get", "acme"},
		{"tenants", "set", "acme", "idp=okta"},
		{"tenants", "switch", "acme", "on"},
		{"token", "list", "acme"},
		{"token", "issue", "acme"},
		{"notices", "list", "acme"},
		{"notices", "recipients", "acme", "ada@example.com"},
		{"notices", "test", "acme"},
		{"clients", "list", "acme"},
		{"clients", "create", "-"},
		{"schemas", "list", "acme"},
		{"resource-types", "list", "acme"},
		{"version"},
		{"clock"},
		{"bench", "-users", "100", "-members", "10", "-n", "1"},
		{"tenants", "delete", "acme", "-force"},
	} {
		line := append([]string{"-json"}, args...)
		if args[0] != "version" && args[0] != "bench" {
			line = append([]string{"-url", url}, line...)
		}
		code, out, err := run(t, line...)
		var document map[string]any
		if failed := json.Unmarshal([]byte(out), &document); code != 0 || failed != nil || err != "" {
			t.Errorf("%v: %d %v %q %q", args, code, failed, out, err)
		}
	}
}

// TestPages: more tenants than a page holds are one table, and one document.
func TestPages(t *testing.T) {
	var queries []string
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		queries = append(queries, r.URL.RawQuery)
		if r.URL.Query().Get("cursor") == "" {
			_, _ = io.WriteString(w, `{"tenants":[{"id":"one"}],"nextCursor":"a b"}`)
			return
		}
		_, _ = io.WriteString(w, `{"tenants":[{"id":"two"}]}`)
	}))
	defer server.Close()
	if out := good(t, server.URL, "tenants", "-json"); out != `{"tenants":[{"id":"one"},{"id":"two"}]}`+"\n" {
		t.Error(out)
	}
	if out := good(t, server.URL, "tenants"); !strings.Contains(out, "one") || !strings.Contains(out, "two") {
		t.Error(out)
	}
	if len(queries) != 4 || queries[1] != "count=1000&cursor=a+b" {
		t.Error(queries)
	}
}

// TestSearch: each list whose elements have a name can be searched by it.
func TestSearch(t *testing.T) {
	url := serve(t, "")
	good(t, url, "tenants", "create", "Acme", "-id", "acme")
	good(t, url, "clients", "create", "acme", "Console")
	for command, want := range map[string]string{
		"tenants list -name ACM": "acme", "tenants list -name zebra": "", "tenants -name zebra": "",
		"clients list acme -name cons": "Console", "clients list acme -name zebra": "",
		"clients list - -name zebra":     "",
		"webhooks list acme -name zebra": "", "domains list acme -name zebra": "", "links list acme -name zebra": "",
		"schemas list acme -name zebra": "", "resource-types list acme -name zebra": "",
		"members list acme -name zebra": "", "targets list acme -name zebra": "",
	} {
		_, rows, _ := strings.Cut(good(t, url, strings.Fields(command)...), "\n")
		if !strings.Contains(rows, want) || (rows == "") != (want == "") {
			t.Errorf("%s: %q", command, rows)
		}
	}
}

// TestForceIsAsked: an action that the API refuses without force is done if a person confirms it, or with -force.
func TestForceIsAsked(t *testing.T) {
	var bodies []string
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		bodies = append(bodies, string(body))
		if !strings.Contains(string(body), `"force":true`) && r.URL.RawQuery != "force=true" {
			w.WriteHeader(http.StatusConflict)
			_, _ = io.WriteString(w, `{"detail":"The successor was never used."}`)
			return
		}
		_, _ = io.WriteString(w, `{"tokens":[]}`)
	}))
	defer server.Close()
	for name, c := range map[string]struct {
		answer string
		args   []string
		code   int
		bodies int
	}{
		"nobody":         {"", []string{"rotation", "complete", "acme"}, 1, 1},
		"no":             {"n\n", []string{"rotation", "complete", "acme"}, 1, 1},
		"enter":          {"\n", []string{"rotation", "complete", "acme"}, 1, 1},
		"yes":            {"y\n", []string{"rotation", "complete", "acme"}, 0, 2},
		"yes, as before": {"yes\n", []string{"token", "rotate", "acme", "complete"}, 0, 2},
		"force":          {"", []string{"rotation", "complete", "acme", "-force"}, 0, 1},
		"start":          {"y\n", []string{"rotation", "start", "acme"}, 1, 1},
		"revoke, nobody": {"", []string{"token", "revoke", "acme", "x"}, 1, 1},
		"revoke, no":     {"n\n", []string{"token", "revoke", "acme", "x"}, 1, 1},
		"revoke, yes":    {"y\n", []string{"token", "revoke", "acme", "x"}, 0, 2},
		"revoke, force":  {"", []string{"token", "revoke", "acme", "x", "-force"}, 0, 1},
		"force of start": {"", []string{"token", "rotate", "acme", "start", "-force"}, 2, 0},
	} {
		bodies = nil
		code, _, err := answering(t, c.answer, append(c.args, "-url", server.URL)...)
		if code != c.code || len(bodies) != c.bodies || c.code == 1 && !strings.Contains(err, "never used") {
			t.Errorf("%s: %d %v %s", name, code, bodies, err)
		}
	}
}

func TestNoticesAndClients(t *testing.T) {
	url := serve(t, "")
	good(t, url, "tenants", "create", "Acme", "-id", "acme")
	if out := good(t, url, "notices", "recipients", "acme", "ada@example.com",
		"berta@example.com:de"); !regexp.MustCompile(`berta@example.com +de`).MatchString(out) {
		t.Error(out)
	}
	if out := good(t, url, "notices", "test", "acme"); !strings.Contains(out, "ada@example.com,berta@example.com") {
		t.Error(out)
	}
	if out := good(t, url, "notices", "list", "acme"); !strings.Contains(out, "test") {
		t.Error(out)
	}
	if out := good(t, url, "notices", "recipients", "acme", "none"); strings.Contains(out, "@") {
		t.Error(out)
	}
	for _, owner := range []string{"acme", "-"} {
		out := good(t, url, "clients", "create", owner, "Ping", "-scopes=read")
		id := field(t, out, "client")
		if again := good(t, url, "clients", "renew", owner, id); field(t, again, "secret") == field(t, out, "secret") {
			t.Error("the same secret again")
		}
		list := good(t, url, "clients", "list", owner)
		if !strings.Contains(list, id) || !strings.Contains(list, "Ping") {
			t.Error(list)
		}
		good(t, url, "clients", "delete", owner, id)
		if list := good(t, url, "clients", "list", owner); strings.Contains(list, id) {
			t.Error(list)
		}
	}
}

func TestWrongUse(t *testing.T) {
	url := serve(t, "secret")
	for name, c := range map[string]struct {
		args []string
		code int
		says string
	}{
		"unknown":         {[]string{"explode"}, 2, "no command explode"},
		"no subcommand":   {[]string{"token"}, 2, "list"},
		"bad subcommand":  {[]string{"token", "explode"}, 2, "explode"},
		"few words":       {[]string{"token", "list"}, 2, "<tenant>"},
		"many words":      {[]string{"token", "revoke", "a", "b", "c"}, 2, "unexpected argument c"},
		"empty word":      {[]string{"token", "list", ""}, 2, "empty"},
		"no action":       {[]string{"token", "rotate", "acme", "stop"}, 2, "start"},
		"no time":         {[]string{"token", "extend", "acme", "x", "tomorrow"}, 2, "is not a time"},
		"no end":          {[]string{"token", "issue", "acme", "-expires", "2027-13-01"}, 2, "is not a time"},
		"unknown flag":    {[]string{"token", "list", "acme", "-colour", "red"}, 2, "no flag -colour"},
		"another's flag":  {[]string{"token", "list", "acme", "-scopes", "read"}, 2, "scopes"},
		"flag twice":      {[]string{"token", "issue", "acme", "-expires", "never", "--expires=never"}, 2, "twice"},
		"flag, no value":  {[]string{"token", "issue", "acme", "-expires"}, 2, "needs a value"},
		"no URL":          {[]string{"token", "list", "acme", "-url=example"}, 2, "-url must be"},
		"serve's flag":    {[]string{"tenants", "-addr", ":0"}, 2, "addr"},
		"ignored table":   {[]string{"serve", "-table", "x"}, 2, "-table is for -engine dynamodb"},
		"ignored, bench":  {[]string{"bench", "-yes-aws"}, 2, "-yes-aws is for -engine dynamodb"},
		"quick and users": {[]string{"bench", "-quick", "-users", "100"}, 2, "-users is set by -quick"},
		"two formats":     {[]string{"bench", "-json", "-format", "table"}, 2, "-format is set by -json"},
		"bad size":        {[]string{"bench", "-users", "5"}, 2, "-users"},
		"no size":         {[]string{"bench", "-users", "x"}, 2, "users"},
		"bad format":      {[]string{"bench", "-format", "xml"}, 2, "format"},
		"bad bool":        {[]string{"-demo=perhaps"}, 2, "demo"},
		"yes and no":      {[]string{"-no-demo", "-demo"}, 2, "-demo and -no-demo"},
		"negated":         {[]string{"-no-demo", "-table", "x"}, 2, "-table is for -engine dynamodb"},
		"open to all":     {[]string{"-addr", ":0"}, 2, "-admin-key"},
		"no such port":    {[]string{"-addr", "127.0.0.1:65536"}, 2, "HOST:PORT"},
		"DNS, no port":    {[]string{"-dns", "127.0.0.1"}, 2, "-dns must be HOST:PORT"},
		"no hours":        {[]string{"-portal-hours", "0"}, 2, "1 to 8"},
		"AWS by accident": {[]string{
			"-engine", "dynamodb", "-dynamodb-endpoint",
			"https://dynamodb.eu-central-1.amazonaws.com",
		}, 2, "-yes-aws"},
		"without key":    {[]string{"token", "list", "acme"}, 1, "Send the admin key"},
		"wrong key":      {[]string{"token", "list", "acme", "-admin-key", "x"}, 1, "Send the admin key"},
		"missing":        {[]string{"token", "list", "../clients", "-admin-key", "secret"}, 1, "There is no"},
		"nobody there":   {[]string{"token", "list", "acme", "-url", "http://127.0.0.1:1"}, 1, "can't be reached"},
		"not this there": {[]string{"token", "list", "acme", "-url", url + "/x"}, 1, "There is no endpoint"},
	} {
		t.Setenv("SCIM_ADMIN_URL", url)
		t.Setenv("AWS_ACCESS_KEY_ID", "id")
		t.Setenv("AWS_SECRET_ACCESS_KEY", "key")
		t.Setenv("AWS_REGION", "eu-central-1")
		code, out, err := run(t, c.args...)
		if code != c.code || !strings.Contains(err, c.says) || out != "" {
			t.Errorf("%s: %d %q %q", name, code, out, err)
		}
	}
	t.Setenv("SCIM_ADMIN_KEY", "secret")
	if code, out, err := run(t, "tenants", "-json"); code != 0 || !strings.HasPrefix(out, `{"tenants":[`) {
		t.Errorf("key and URL of the environment: %d %q %q", code, out, err)
	}
	if _, out, err := run(t, "token", "-help"); strings.Contains(out+err, `secret`) {
		t.Error("the help shows the key")
	}
}

// TestHelp: each command has help, which any of the usual ways shows, and which ends well.
func TestHelp(t *testing.T) {
	for want, args := range map[string][]string{
		"tenants create":     {"-help"},
		"token issue":        {"-help"},
		"resource-types":     {"-h"},
		"completion":         {"help"},
		"-scopes":            {"token", "issue", "-help"},
		"-dynamodb-endpoint": {"help", "serve"},
		"-latency":           {"-h", "bench"},
		"KEY=VALUE":          {"tenants", "set", "-h"},
		"rotation complete":  {"rotation", "-h"},
	} {
		code, out, err := run(t, args...)
		if code != 0 || !strings.Contains(strings.ToUpper(out), strings.ToUpper(want)) || err != "" {
			t.Errorf("%v: %d %q, no %s in %s", args, code, err, want, out)
		}
	}
}

// TestFlagsAnywhere: a flag may stand before the command that it belongs to, with one dash or two.
func TestFlagsAnywhere(t *testing.T) {
	url := serve(t, "")
	good(t, url, "tenants", "create", "Acme", "--id=acme")
	for _, args := range [][]string{
		{"-scopes", "read", "token", "issue", "acme", "-url", url},
		{"token", "-url=" + url, "--scopes", "read", "issue", "acme"},
		{"token", "issue", "-scopes=read", "--url", url, "--", "acme"},
	} {
		code, out, err := run(t, args...)
		if code != 0 {
			t.Errorf("%v: %d %s", args, code, err)
			continue
		}
		id := field(t, out, "token")
		if list := good(t, url, "token", "list", "acme"); !regexp.MustCompile(id + ` +successor +read `).MatchString(list) {
			t.Errorf("%v: %s", args, list)
		}
		good(t, url, "token", "revoke", "acme", id)
	}
}

// TestCompletion: the scripts are good for their shells, and know the commands.
func TestCompletion(t *testing.T) {
	for _, shell := range []string{"bash", "zsh", "fish"} {
		code, script, err := run(t, "completion", shell)
		if code != 0 || !strings.Contains(script, "resource-types") || !strings.Contains(script, "scopes") {
			t.Errorf("%s: %d %s %s", shell, code, script, err)
		}
	}
	bash, err := exec.LookPath("bash")
	if err != nil {
		t.Skipf("NOT RUN: the script for bash: %v", err)
	}
	_, script, _ := run(t, "completion", "bash")
	for line, want := range map[string]string{
		"local tok":                  "token",
		"local token re":             "reveal revoke",
		"local token reveal acme -u": "-url",
		"local tenants sw":           "switch",
		"local -addr":                "-addr",
		"local token issue -sc":      "-scopes",
		"local bench -mem":           "-members",
	} {
		test := script + "\nCOMP_WORDS=(" + line +
			")\nCOMP_CWORD=$((${#COMP_WORDS[@]}-1))\n_local\necho ${COMPREPLY[@]}"
		out, err := exec.CommandContext(t.Context(), bash, "-c", test).CombinedOutput()
		if got := strings.TrimSpace(string(out)); err != nil || got != want {
			t.Errorf("%s: %q, want %q: %v", line, got, want, err)
		}
	}
}

// A request for another machine is signed as API Gateway checks it: the signature is made here a second time.
func TestSignature(t *testing.T) {
	t.Setenv("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE")
	t.Setenv("AWS_SECRET_ACCESS_KEY", "wJalrXUtnFEMI")
	t.Setenv("AWS_SESSION_TOKEN", "session")
	t.Setenv("AWS_CONFIG_FILE", "/dev/null")
	t.Setenv("AWS_SHARED_CREDENTIALS_FILE", "/dev/null")
	t.Setenv("SCIM_ADMIN_KEY", "")
	var problem string
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		problem = verify(r)
		_, _ = io.WriteString(w, `{"tokens":[]}`)
	}))
	defer server.Close()
	for _, args := range [][]string{{"token", "list", "acme"}, {"rotation", "start", "acme"}} {
		code, _, err := run(t, append(args, "-url", server.URL, "-region", "eu-central-1")...)
		if code != 0 || problem != "" {
			t.Errorf("%v: %d %s; %s", args, code, err, problem)
		}
	}
}

// verify returns the error in a request's signature.
func verify(r *http.Request) string {
	got := r.Header.Get("Authorization")
	at, err := time.Parse("20060102T150405Z", r.Header.Get("X-Amz-Date"))
	if err != nil || !strings.Contains(got, at.Format("20060102")+"/eu-central-1/execute-api/aws4_request") {
		return fmt.Sprint(got, err)
	}
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return err.Error()
	}
	again, err := http.NewRequestWithContext(r.Context(), r.Method, "http://"+r.Host+r.URL.RequestURI(),
		bytes.NewReader(body))
	if err != nil {
		return err.Error()
	}
	if kind := r.Header.Get("Content-Type"); kind != "" {
		again.Header.Set("Content-Type", kind)
	}
	credentials := aws.Credentials{
		AccessKeyID: "AKIDEXAMPLE", SecretAccessKey: "wJalrXUtnFEMI", SessionToken: "session",
	}
	if err := v4.NewSigner().SignHTTP(r.Context(), credentials, again, digest(body), "execute-api", "eu-central-1",
		at); err != nil {
		return err.Error()
	}
	if want := again.Header.Get("Authorization"); got != want {
		return got + " is not " + want
	}
	return ""
}

func digest(body []byte) string {
	sum := sha256.Sum256(body)
	return hex.EncodeToString(sum[:])
}

// TestOneFormOfFlags: no message and no help writes a flag with two dashes, whoever made the text.
func TestOneFormOfFlags(t *testing.T) {
	for _, args := range [][]string{
		{"-help"},
		{"serve", "-help"},
		{"bench", "-help"},
		{"tenants", "create", "-help"},
		{"clients", "-help"},
		{"serve", "-engine", "sql"},
		{"serve", "-max-token-days", "x"},
		{"serve", "-log-level", "x"},
		{"-nothing"},
		{"token", "rotate", "acme", "stop"},
		{"token", "rotate", "acme"},
		{"bench", "-clients", "x"},
		{"serve", "-demo=x"},
		{"serve", "-addr"},
	} {
		_, out, err := run(t, args...)
		if text := out + err; text == "" || regexp.MustCompile(`--[a-z\[]`).MatchString(text) {
			t.Errorf("%v:\n%s", args, text)
		}
	}
}

// TestVersionFlag: -version is the command version.
func TestVersionFlag(t *testing.T) {
	_, want, _ := run(t, "version")
	for _, flag := range []string{"-version", "--version"} {
		if code, out, err := run(t, flag); code != 0 || out != want || want == "" {
			t.Errorf("%s: %d %q %s, want %q", flag, code, out, err, want)
		}
	}
	if code, _, _ := run(t, "serve", "-version"); code != 2 {
		t.Errorf("serve -version: %d", code)
	}
}

// TestErrorsAsJSON: with -json an error is one JSON document as well, whoever finds it.
func TestErrorsAsJSON(t *testing.T) {
	url := serve(t, "")
	for name, c := range map[string]struct {
		args         []string
		code, status int
	}{
		"refused":       {[]string{"tenants", "get", "nobody", "-url", url}, 1, 404},
		"unreachable":   {[]string{"tenants", "list", "-url", "http://127.0.0.1:1"}, 1, 0},
		"unknown flag":  {[]string{"tenants", "list", "-nothing"}, 2, 0},
		"unknown word":  {[]string{"nothing"}, 2, 0},
		"value":         {[]string{"serve", "-engine", "sql"}, 2, 0},
		"needs a word":  {[]string{"token", "list"}, 2, 0},
		"serve refused": {[]string{"serve", "-addr", "x"}, 2, 0},
	} {
		code, out, text := run(t, append(c.args, "-json")...)
		var doc struct {
			Error            string
			ExitCode, Status int
		}
		if err := json.Unmarshal([]byte(text), &doc); err != nil || out != "" || doc.Error == "" ||
			code != c.code || doc.ExitCode != c.code || doc.Status != c.status {
			t.Errorf("%s: %d %q %s", name, code, out, text)
		}
	}
}

// TestTableInAWSIsNotMeant: a table in AWS without -yes-aws is a mistake in the command line.
func TestTableInAWSIsNotMeant(t *testing.T) {
	for _, name := range []string{"AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_DYNAMODB"} {
		t.Setenv(name, "")
	}
	t.Setenv("AWS_CONFIG_FILE", filepath.Join(t.TempDir(), "none"))
	t.Setenv("AWS_REGION", "eu-central-1")
	for _, command := range []string{"serve", "bench"} {
		code, _, err := run(t, command, "-engine", "dynamodb")
		if code != 2 || !strings.Contains(err, "add -yes-aws to allow it") {
			t.Errorf("%s: %d %s", command, code, err)
		}
	}
}

// TestEndpointIsChecked: an endpoint that is no URL is a mistake in the command line, wherever it comes from; a name of
// AWS's is a table in AWS, also with a dot at its end.
func TestEndpointIsChecked(t *testing.T) {
	t.Setenv("AWS_CONFIG_FILE", filepath.Join(t.TempDir(), "none"))
	t.Setenv("AWS_ENDPOINT_URL_DYNAMODB", "")
	for endpoint, want := range map[string]string{
		"127.0.0.1:8000": "is not a URL", "nonsense": "is not a URL", "http://": "is not a URL",
		"ftp://host": "is not a URL", "localhost:8000": "is not a URL",
		"https://dynamodb.eu-central-1.amazonaws.com":  "add -yes-aws",
		"https://dynamodb.eu-central-1.amazonaws.com.": "add -yes-aws",
	} {
		t.Setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:1")
		code, _, err := run(t, "serve", "-engine", "dynamodb", "-dynamodb-endpoint", endpoint)
		if code != 2 || !strings.Contains(err, want) {
			t.Errorf("-dynamodb-endpoint %s: %d %s", endpoint, code, err)
		}
		t.Setenv("AWS_ENDPOINT_URL", endpoint)
		if code, _, err := run(t, "bench", "-engine", "dynamodb"); code != 2 || !strings.Contains(err, want) {
			t.Errorf("AWS_ENDPOINT_URL=%s: %d %s", endpoint, code, err)
		}
	}
}

// TestClockTakesADay: the clock is set to the end of a day, or to a time, and not to never.
func TestClockTakesADay(t *testing.T) {
	url := serve(t, "")
	if out := good(t, url, "clock", "set", "2150-05-31"); !strings.Contains(out, "2150-05-31T23:59:59") {
		t.Error(out)
	}
	if out := good(t, url, "clock", "set", "2150-06-02T02:00:00+02:00"); !strings.Contains(out, "2150-06-02T00:00:00") {
		t.Error(out)
	}
	for _, no := range []string{"never", "2150-02-30", "tomorrow"} {
		if code, _, err := run(t, "clock", "set", no, "-url", url); code != 2 || err == "" {
			t.Errorf("%s: %d %s", no, code, err)
		}
	}
}

// until is a writer that ends a run when a word has been written.
type until struct {
	bytes.Buffer
	word string
	end  context.CancelFunc
}

func (u *until) Write(p []byte) (int, error) {
	n, err := u.Buffer.Write(p)
	if strings.Contains(u.String(), u.word) {
		u.end()
	}
	return n, err
}

// TestServeAsJSON: with -json all that serve prints are lines of JSON, on both streams.
func TestServeAsJSON(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	out, log := &until{word: `"listening"`, end: cancel}, &bytes.Buffer{}
	args := []string{"serve", "-json", "-data", ":memory:", "-addr", "127.0.0.1:0", "-log-level", "debug"}
	if code := cli.Run(ctx, args, cli.Streams{Out: out, Err: log}); code != 0 {
		t.Fatalf("%d %s", code, log)
	}
	told := map[string]any{}
	for _, line := range strings.Split(strings.TrimSpace(out.String()+log.String()), "\n") {
		if line == "" {
			continue
		}
		if err := json.Unmarshal([]byte(line), &told); err != nil {
			t.Errorf("%v: %s", err, line)
		}
	}
	for _, name := range []string{"listening", "tenant", "scimBaseUrl", "token", "expiresAt"} {
		if text, _ := told[name].(string); text == "" {
			t.Errorf("nothing tells %s: %s", name, out)
		}
	}
}

// TestCheckThatFails runs the commands that check something, with and without -json: a script sees the result by the
// exit code.
func TestCheckThatFails(t *testing.T) {
	url := serveOn(t, local.Options{WebhookLoopback: true, DNS: dnstest.New(t).Address})
	acme(t, url)
	good(t, url, "domains", "add", "acme", "example.com")
	hook := good(t, url, "webhooks", "add", "acme", "http://127.0.0.1:1/")
	for _, line := range [][]string{
		{"domains", "verify", "acme", "example.com"},
		{"webhooks", "test", "acme", regexp.MustCompile(`wh_\w+`).FindString(hook)},
		{"notices", "test", "acme"},
	} {
		for _, flags := range [][]string{{"-url", url}, {"-url", url, "-json"}} {
			code, out, err := run(t, append(flags, line...)...)
			if code != 1 || err == "" {
				t.Errorf("%v %v: %d %q %q", flags, line, code, out, err)
			}
			if asJSON := len(flags) > 2; asJSON && (!json.Valid([]byte(out)) || !json.Valid([]byte(err))) {
				t.Errorf("%v %v: not JSON: %q %q", flags, line, out, err)
			}
		}
	}
}
