package cli_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"

	"github.com/serverless-scim/serverless-scim/pkg/app/cli"
	"github.com/serverless-scim/serverless-scim/pkg/app/local"
	"github.com/serverless-scim/serverless-scim/pkg/store/boltstore"
)

// serve runs a server; key may be empty.
func serve(t *testing.T, key string) string {
	t.Helper()
	t.Setenv("SCIM_ADMIN_URL", "")
	t.Setenv("SCIM_ADMIN_KEY", "")
	s, err := local.Open(t.Context(), local.Options{Engine: "bolt", Data: boltstore.Memory, AdminKey: key, Log: io.Discard, Out: io.Discard})
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

// token runs the command.
func token(t *testing.T, args ...string) (code int, out, err string) {
	t.Helper()
	var stdout, stderr bytes.Buffer
	code = cli.Run(t.Context(), args, &stdout, &stderr)
	return code, stdout.String(), stderr.String()
}

// good runs a command that has to succeed.
func good(t *testing.T, url string, args ...string) string {
	t.Helper()
	code, out, err := token(t, append([]string{"-url", url}, args...)...)
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
	if out = good(t, url, "list", "acme"); !strings.Contains(out, first) || !strings.Contains(out, "read,write") || !strings.Contains(out, "active") {
		t.Error(out)
	}
	day := time.Now().AddDate(0, 3, 0).Format(time.DateOnly)
	out = good(t, url, "issue", "acme", "-scopes", "read", "-expires", day)
	second := field(t, out, "token")
	if !strings.HasPrefix(field(t, out, "expires"), day) {
		t.Error(out)
	}
	if shown := field(t, good(t, url, "reveal", "acme", second), "value"); shown != field(t, out, "value") || scim(t, url, shown) != 200 {
		t.Error("reveal shows another value")
	}
	code, _, err := token(t, "issue", "acme", "-url", url+"/admin/v1/")
	if code != 1 || !strings.Contains(err, "Two tokens are live already") {
		t.Errorf("%d %s", code, err)
	}
	good(t, url, "revoke", "acme", second)
	if out = good(t, url, "rotate", "acme", "start"); !strings.Contains(out, "successor") {
		t.Error(out)
	}
	if out = good(t, url, "rotate", "acme", "cancel"); strings.Contains(out, "successor") {
		t.Error(out)
	}
	good(t, url, "rotate", "acme", "start")
	good(t, url, "rotate", "acme", "complete")
	if scim(t, url, value) != 401 {
		t.Error("the old token is good after the rotation")
	}
	var list struct {
		Tokens []struct{ ID, State string }
	}
	if err := json.Unmarshal([]byte(good(t, url, "list", "acme", "-json")), &list); err != nil || len(list.Tokens) != 4 {
		t.Fatalf("%v %+v", err, list)
	}
	last := list.Tokens[3].ID
	if out = good(t, url, "extend", "acme", last, day+"T12:00:00Z"); !strings.Contains(out, day+"T12:00:00Z") {
		t.Error(out)
	}
}

func TestNoticesAndClients(t *testing.T) {
	url := serve(t, "")
	good(t, url, "tenants", "create", "Acme", "-id", "acme")
	if out := good(t, url, "recipients", "acme", "ada@example.com", "berta@example.com:de"); !regexp.MustCompile(`berta@example.com +de`).MatchString(out) {
		t.Error(out)
	}
	if out := good(t, url, "test-notice", "acme"); !strings.Contains(out, "ada@example.com,berta@example.com") {
		t.Error(out)
	}
	if out := good(t, url, "notices", "acme"); !strings.Contains(out, "test") {
		t.Error(out)
	}
	if out := good(t, url, "recipients", "acme", "none"); strings.Contains(out, "@") {
		t.Error(out)
	}
	for _, owner := range []string{"acme", "-"} {
		out := good(t, url, "clients", owner, "create", "Ping", "-scopes=read")
		id := field(t, out, "client")
		if again := good(t, url, "clients", owner, "renew", id); field(t, again, "secret") == field(t, out, "secret") {
			t.Error("the same secret again")
		}
		if list := good(t, url, "clients", owner); !strings.Contains(list, id) || !strings.Contains(list, "Ping") {
			t.Error(list)
		}
		good(t, url, "clients", owner, "delete", id)
		if list := good(t, url, "clients", owner); strings.Contains(list, id) {
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
		"nothing":        {nil, 2, "Usage:"},
		"unknown":        {[]string{"explode"}, 2, "no command explode"},
		"few words":      {[]string{"list"}, 2, "list takes TENANT"},
		"many words":     {[]string{"revoke", "a", "b", "c"}, 2, "revoke takes TENANT TOKEN"},
		"empty word":     {[]string{"list", ""}, 2, "empty"},
		"no action":      {[]string{"rotate", "acme", "stop"}, 2, "start, complete, cancel"},
		"no time":        {[]string{"extend", "acme", "x", "tomorrow"}, 2, "is no time"},
		"unknown flag":   {[]string{"list", "acme", "-colour"}, 2, "colour"},
		"no URL":         {[]string{"list", "acme", "-url", "example"}, 2, "-url must be"},
		"bad clients":    {[]string{"clients", "acme", "explode"}, 2, "clients takes"},
		"bad tenants":    {[]string{"tenants", "explode"}, 2, "tenants takes"},
		"without key":    {[]string{"list", "acme"}, 1, "Send the admin key"},
		"wrong key":      {[]string{"list", "acme", "-admin-key", "x"}, 1, "Send the admin key"},
		"missing":        {[]string{"list", "../clients", "-admin-key", "secret"}, 1, "There is no"},
		"nobody there":   {[]string{"list", "acme", "-url", "http://127.0.0.1:1"}, 1, "can't be reached"},
		"not this there": {[]string{"list", "acme", "-url", url + "/x"}, 1, "There is no endpoint"},
	} {
		args := c.args
		if args != nil {
			args = append([]string{"-url", url}, args...)
		}
		code, out, err := token(t, args...)
		if code != c.code || !strings.Contains(err, c.says) || out != "" {
			t.Errorf("%s: %d %q %q", name, code, out, err)
		}
	}
	code, out, err := token(t, "-help")
	if code != 0 || !strings.Contains(out, "rotate TENANT") || err != "" {
		t.Errorf("help: %d %q %q", code, out, err)
	}
	t.Setenv("SCIM_ADMIN_KEY", "secret")
	t.Setenv("SCIM_ADMIN_URL", url)
	if code, out, err = token(t, "tenants", "-json"); code != 0 || !strings.HasPrefix(out, `{"tenants":[`) {
		t.Errorf("key and URL of the environment: %d %q %q", code, out, err)
	}
	if _, out, err = token(t, "-help"); strings.Contains(out+err, `"secret"`) {
		t.Error("the help shows the key")
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
	for _, args := range [][]string{{"list", "acme"}, {"rotate", "acme", "start"}} {
		code, _, err := token(t, append(args, "-url", server.URL, "-region", "eu-central-1")...)
		if code != 0 || problem != "" {
			t.Errorf("%v: %d %s; %s", args, code, err, problem)
		}
	}
}

// verify says what is wrong with a request's signature.
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
	again, err := http.NewRequestWithContext(r.Context(), r.Method, "http://"+r.Host+r.URL.RequestURI(), bytes.NewReader(body))
	if err != nil {
		return err.Error()
	}
	if kind := r.Header.Get("Content-Type"); kind != "" {
		again.Header.Set("Content-Type", kind)
	}
	credentials := aws.Credentials{AccessKeyID: "AKIDEXAMPLE", SecretAccessKey: "wJalrXUtnFEMI", SessionToken: "session"}
	if err := v4.NewSigner().SignHTTP(r.Context(), credentials, again, digest(body), "execute-api", "eu-central-1", at); err != nil {
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
