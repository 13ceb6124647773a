package scimtest

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// reporter counts the faults that a suite reports instead of failing the test that tests the suite.
type reporter struct {
	testing.TB
	errors []string
	fatal  bool
}

func (r *reporter) Helper()             {}
func (r *reporter) Logf(string, ...any) {}
func (r *reporter) Errorf(format string, args ...any) {
	r.errors = append(r.errors, fmt.Sprintf(format, args...))
}

func (r *reporter) Fatalf(format string, args ...any) {
	r.fatal = true
	r.Errorf(format, args...)
	panic(r)
}

// oneUser is a server that knows how to make one user and how to show it.
func oneUser(answer string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Type", "application/scim+json")
		body, err := io.ReadAll(r.Body)
		switch {
		case err != nil || r.Header.Get("Authorization") != "Bearer good":
			h.Set("WWW-Authenticate", "Bearer")
			w.WriteHeader(http.StatusUnauthorized)
			fmt.Fprint(w, `{"schemas":["urn:ietf:params:scim:api:messages:2.0:Error"],"status":"401","detail":"no"}`)
		case r.Method == http.MethodPost && !strings.Contains(string(body), `"userName":"x"`):
			w.WriteHeader(http.StatusBadRequest)
		case r.Method == http.MethodPatch:
			w.WriteHeader(http.StatusNoContent)
		default:
			if !strings.HasSuffix(r.RequestURI, "/Users/1?") && r.Method == http.MethodGet {
				w.WriteHeader(http.StatusNotFound)
				return
			}
			h.Set("Location", "http://host/t/Users/1")
			h.Set("Content-Location", "http://host/t/Users/1")
			h.Set("ETag", `W/"1"`)
			if r.Method == http.MethodPost {
				w.WriteHeader(http.StatusCreated)
			}
			fmt.Fprint(w, answer)
		}
	})
}

const oneUserDialogue = `
{"step":1,"idp":"generic","title":"one","name":"make","method":"POST","path":"/Users","query":"","headers":{"Authorization":"Bearer ${token}"},"body":{"userName":"x"},"expect":{"status":[201],"body_contains":{"id":{"$exists":true}}},"capture":{"userId":"$.id"}}
{"step":2,"idp":"generic","name":"show","method":"GET","path":"/Users/${userId}","query":"?","headers":{"Authorization":"Bearer ${token}","User-Agent":""},"body":null,"expect":{"status":[200],"body_contains":{"id":"${userId}"}},"capture":{}}
{"step":3,"idp":"generic","name":"change","method":"PATCH","path":"/Users/${userId}","query":"","headers":{"Authorization":"Bearer ${token}"},"body":{"a":1},"expect":{"status":[200,204],"body_contains":{"id":"${userId}"}},"capture":{}}
{"step":4,"idp":"generic","name":"bad","method":"GET","path":"/Users","query":"a=b+c","headers":{"Authorization":"Bearer ${badToken}"},"body":null,"expect":{"status":[401],"body_contains":{"status":"401"}},"capture":{}}
`

func TestRunDialogue(t *testing.T) {
	const good = `{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"id":"1","userName":"x",` +
		`"meta":{"location":"http://host/t/Users/1","version":"W/\"1\""}}`
	cases := []struct{ name, answer, problem string }{
		{"good", good, ""},
		{"null", strings.Replace(good, `"userName":"x"`, `"userName":null`, 1), "is null"},
		{"password", strings.Replace(good, `"userName":"x"`, `"Password":"x"`, 1), "password"},
		{"other location", strings.Replace(good, "host/t", "host/s", 1), "meta.location"},
		{"no id", strings.Replace(good, `"id":"1"`, `"userId":"1"`, 1), "$exists"},
		{"bad key", strings.Replace(good, `"userName"`, `"user name"`, 1), "attribute name"},
		{"no JSON", "hello", "not JSON"},
	}
	d, err := parseDialogue("one", []byte(oneUserDialogue))
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range cases {
		for _, network := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s, network %v", c.name, network), func(t *testing.T) {
				target := Target{BaseURL: "http://host/t", Token: "good", Handler: oneUser(c.answer)}
				if network {
					server := httptest.NewServer(target.Handler)
					defer server.Close()
					target.BaseURL, target.Handler = server.URL+"/t", nil
				}
				got := report(d, target)
				if c.problem == "" && len(got) > 0 {
					t.Errorf("reported %q", got)
				}
				if !strings.Contains(strings.Join(got, "\n"), c.problem) {
					t.Errorf("reported %q, want something about %q", got, c.problem)
				}
			})
		}
	}
}

func report(d Dialogue, target Target) []string {
	r := &reporter{}
	func() {
		defer func() {
			if p := recover(); p != nil && p != any(r) {
				panic(p)
			}
		}()
		RunDialogue(r, d, target)
	}()
	return r.errors
}

func TestCheckAnswer(t *testing.T) {
	answer := func(status int, body string) response {
		return response{
			Status: status, Header: http.Header{"Content-Type": {"application/scim+json"}}, Body: []byte(body),
		}
	}
	const list = `{"schemas":["urn:ietf:params:scim:api:messages:2.0:ListResponse"],"totalResults":0,"startIndex":1,` +
		`"itemsPerPage":0`
	cases := []struct {
		name    string
		answer  response
		problem string
	}{
		{"list", answer(200, list+`,"Resources":[]}`), ""},
		{"list without resources", answer(200, list+`}`), "Resources"},
		{"list with a cursor", answer(200, list+`,"Resources":[],"nextCursor":"x"}`), "nextCursor"},
		{"list that miscounts", answer(200, list+`,"Resources":[{"schemas":["a"]}]}`), "itemsPerPage"},
		{
			"server error",
			answer(500, `{"schemas":["urn:ietf:params:scim:api:messages:2.0:Error"],"status":"500","detail":"x"}`),
			"server error",
		},
		{"status is a number", answer(404,
			`{"schemas":["urn:ietf:params:scim:api:messages:2.0:Error"],"status":404,"detail":"x"}`), "status in the body"},
		{"no detail", answer(404, `{"schemas":["urn:ietf:params:scim:api:messages:2.0:Error"],"status":"404"}`), "detail"},
		{"no body", answer(404, ""), "without a body"},
		{
			"no challenge",
			answer(401, `{"schemas":["urn:ietf:params:scim:api:messages:2.0:Error"],"status":"401","detail":"x"}`),
			"WWW-Authenticate",
		},
		{"no object", answer(200, `[]`), "no JSON object"},
	}
	for _, c := range cases {
		got := strings.Join(checkAnswer("generic", request{Method: "GET", Path: "/Users"}, c.answer), "\n")
		if c.problem == "" && got != "" || !strings.Contains(got, c.problem) {
			t.Errorf("%s: reported %q, want something about %q", c.name, got, c.problem)
		}
	}
	h := http.Header{"Accept": {"application/json"}}
	got := checkAnswer("generic", request{Method: "GET", Path: "/Users", Header: h}, answer(200, list+`,"Resources":[]}`))
	if len(got) != 1 || !strings.Contains(got[0], "application/json") {
		t.Errorf("Accept: application/json gave %q", got)
	}
}
