package cli_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync/atomic"
	"testing"
)

// acme creates a tenant and returns its token.
func acme(t *testing.T, url string) string {
	t.Helper()
	out := good(t, url, "tenants", "create", "Acme", "-id", "acme", "-json")
	return regexp.MustCompile(`"value":"([^"]+)"`).FindStringSubmatch(out)[1]
}

// person is the body of a user.
func person(userName, more string) string {
	return `{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":"` + userName + `"` + more + `}`
}

// file writes a file and returns its path.
func file(t *testing.T, name, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestDuplicatesMergeAndInvite(t *testing.T) {
	url := serve(t, "")
	token := acme(t, url)
	const address = `,"emails":[{"value":"ann@example.com","primary":true}]`
	ann, again := made(t, url, token, person("ann", address)), made(t, url, token, person("ann.b", address))
	out := good(t, url, "members", "duplicates", "acme")
	if !strings.Contains(out, ann) || !strings.Contains(out, again) {
		t.Errorf("duplicates: %s", out)
	}
	if code, _, err := run(t, "-url", url, "members", "merge", "acme", again, ann); code != 2 ||
		!strings.Contains(err, "-force") {
		t.Errorf("merged without a question: %d %s", code, err)
	}
	code, _, err := answering(t, "n\n", "-url", url, "members", "merge", "acme", again, ann)
	if code != 1 || !strings.Contains(err, "not merged") {
		t.Errorf("merged against the answer: %d %s", code, err)
	}
	if out := good(t, url, "members", "merge", "acme", again, ann, "-force"); !strings.Contains(out, "into "+ann) {
		t.Errorf("merge: %s", out)
	}
	if out := good(t, url, "members", "duplicates", "acme"); strings.Contains(out, again) {
		t.Errorf("behind the merge: %s", out)
	}
	bert := made(t, url, token, person("bert", ""))
	made(t, url, token, person("cem", ""))
	for _, step := range [][]string{
		{"1 invited.", "invite", "acme", "-filter", `userName eq "ann"`},
		{"1 invited.", "invite", "acme", bert},
		{"0 invited.", "invite", "acme", bert},
		{`{"invited":1}`, "invite", "acme", "-json"},
	} {
		if out := good(t, url, append([]string{"members"}, step[1:]...)...); strings.TrimSpace(out) != step[0] {
			t.Errorf("%v: %s, want %s", step[1:], out, step[0])
		}
	}
	if code, _, err := run(t, "-url", url, "members", "invite", "acme", bert, "-filter", "x"); code != 2 {
		t.Errorf("a member and a filter: %d %s", code, err)
	}
}

func TestGuardAndDisconnect(t *testing.T) {
	url := serve(t, "")
	token := acme(t, url)
	policy := file(t, "policy.json", `{"requests": {"guard": {"people": 1, "minutes": 60}}}`)
	for _, decision := range []string{"allow", "reject"} {
		code, _, err := run(t, "-url", url, "guard", decision, "acme")
		if code != 1 || !strings.Contains(err, "no guard: there is nothing to "+decision+".") {
			t.Errorf("%s without a guard: %d %s", decision, code, err)
		}
	}
	good(t, url, "policy", "put", "acme", policy)
	var held string
	for n := range 2 {
		held = made(t, url, token, person(fmt.Sprint("u", n), ""))
		r, err := http.NewRequestWithContext(t.Context(), "DELETE", url+"/scim/v2/acme/Users/"+held, nil)
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Authorization", "Bearer "+token)
		answer, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		_ = answer.Body.Close()
	}
	tripped := regexp.MustCompile(`(?s)tripped +true.*` + held + ` +delete`)
	if out := good(t, url, "guard", "show", "acme"); !tripped.MatchString(out) {
		t.Errorf("the guard: %s", out)
	}
	if out := good(t, url, "guard", "allow", "acme", "-minutes", "5"); !strings.Contains(out, "allowed until") {
		t.Errorf("allowed: %s", out)
	}
	if out := good(t, url, "guard", "reject", "acme"); strings.Contains(out, "allowed until") {
		t.Errorf("rejected: %s", out)
	}
	if code, _, _ := run(t, "-url", url, "guard", "allow", "acme", "-minutes", "0"); code != 1 {
		t.Errorf("for no time: %d", code)
	}
	code, _, err := run(t, "-url", url, "tenants", "disconnect", "acme")
	if code != 2 || !strings.Contains(err, "-force") {
		t.Errorf("disconnected without a question: %d %s", code, err)
	}
	for _, want := range []string{"1 tokens and 0 clients are ended.", "0 tokens and 0 clients are ended."} {
		if out := good(t, url, "tenants", "disconnect", "acme", "-force"); strings.TrimSpace(out) != want {
			t.Errorf("disconnect: %s, want %s", out, want)
		}
	}
}

// flaky forwards to a server. The imports whose numbers are given are answered with a status instead.
func flaky(t *testing.T, to string, fail map[int32]int) string {
	t.Helper()
	target, err := url.Parse(to)
	if err != nil {
		t.Fatal(err)
	}
	var n atomic.Int32
	proxy := httputil.NewSingleHostReverseProxy(target)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if status := fail[n.Add(1)]; status != 0 {
			w.WriteHeader(status)
			return
		}
		proxy.ServeHTTP(w, r)
	}))
	t.Cleanup(server.Close)
	return server.URL
}

// TestAccountsImport imports a file in two chunks, of which the second fails: run again, it does the rest.
func TestAccountsImport(t *testing.T) {
	direct := serve(t, "")
	token := acme(t, direct)
	ann := made(t, direct, token, person("ann", ""))
	var rows strings.Builder
	rows.WriteString("accountid,USERNAME,externalId\n")
	for n := range 1005 {
		fmt.Fprintf(&rows, "a%d,user-%d,x%d\n", n, n, n)
	}
	rows.WriteString(",nobody,\na1005,Ann,\n")
	csv := file(t, "people.csv", rows.String())
	url := flaky(t, direct, map[int32]int{1: 503, 3: 500})
	code, out, err := run(t, "-url", url, "accounts", "import", "acme", csv)
	if code != 1 || !strings.Contains(err, "rows 1002 to 1008") || !strings.Contains(out, "1000 wait, 1 refused") {
		t.Errorf("broken off: %d %s %s", code, err, out[max(0, len(out)-200):])
	}
	code, out, err = run(t, "-url", url, "accounts", "import", "acme", csv)
	for _, want := range []string{
		"2  a0  waits  \n", "1007    refused  accountId must have", "1008  a1005  adopted  " + ann,
		"1 adopted, 0 had a member, 1005 wait, 1 refused.",
	} {
		if !strings.Contains(out, want) {
			t.Errorf("run again: no %q in …%s", want, out[max(0, len(out)-300):])
		}
	}
	if code != 1 || !strings.Contains(err, "rows that are not accounts: 1") {
		t.Errorf("run again: %d %s", code, err)
	}
}

// TestAccountsOfEachForm reads each format of a file, and describes the error in a file that has none of them.
func TestAccountsOfEachForm(t *testing.T) {
	url := serve(t, "")
	token := acme(t, url)
	ann := made(t, url, token, person("ann", ""))
	good(t, url, "members", "get", "acme", ann)
	for name, c := range map[string]struct{ text, want, err string }{
		"array":    {`[{"accountId":"a1","userName":"ann"},{"accountId":"a2"}]`, "1  a1  ", ""},
		"document": {"\ufeff" + ` {"accounts": [{"accountId":"a1","userName":"ann","email":null}]}`, "1  a1  ", ""},
		"lines":    {"{\"accountId\":\"a1\"}\n{\"accountId\":\"a2\"}\n", "2  a2  waits", ""},
		"twice": {
			`[{"accountId":"a1","userName":"ann"},{"accountId":"a1","userName":"ann"}]`, "2  a1  has-member  " + ann, "",
		},
		"CSV with quotes": {"accountId,email\n\"a,1\",a@example.com\n", "2  a,1  waits", ""},
		"nothing":         {"", "", "no header line"},
		"no columns":      {"a,b\n1,2\n", "", "is not a column"},
		"no object":       {`[1]`, "", "account 1 is not a JSON object"},
		"no string":       {`[{"accountId":1}]`, "", "a string"},
		"unknown member":  {`[{"accountId":"a","name":"b"}]`, "", `"name" must be one of`},
		"broken off":      {`[{"accountId":"a9"}`, "", "ends early"},
		"ragged":          {"accountId,email\na\n", "", "wrong number of fields"},
	} {
		t.Run(name, func(t *testing.T) {
			code, out, err := run(t, "-url", url, "accounts", "import", "acme", file(t, "f", c.text))
			if (code != 0) != (c.err != "") || !strings.Contains(out, c.want) || !strings.Contains(err, c.err) {
				t.Errorf("%d %q %q, want %q %q", code, out, err, c.want, c.err)
			}
		})
	}
	code, out, _ := answering(t, "accountId,userName\na7,cem\n", "-url", url, "accounts", "import",
		"acme", "-", "-json")
	if code != 0 || out != `{"accountId":"a7","result":"waits","row":2}`+"\n" {
		t.Errorf("from standard input: %d %s", code, out)
	}
}
