package adminhttp_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/serverless-scim/serverless-scim/pkg/adminhttp"
	"github.com/serverless-scim/serverless-scim/pkg/tenant"
)

// states are the states of a list of tokens.
func states(list reply) string {
	var out []string
	for _, token := range list.body["tokens"].([]any) {
		out = append(out, token.(map[string]any)["state"].(string))
	}
	return strings.Join(out, " ")
}

func TestRotation(t *testing.T) {
	s := newServer(t, "")
	s.want(201, "active createdAt id idp name scimBaseUrl settings token", "POST", "/admin/v1/tenants", `{"id":"acme","name":"x"}`)
	const path = "/admin/v1/tenants/acme/rotation"
	for _, step := range []struct {
		body   string
		status int
		states string
	}{
		{`{"action":"complete"}`, 409, ""},
		{`{"action":"cancel"}`, 409, ""},
		{`{"action":"start"}`, 200, "active successor"},
		{`{"action":"start"}`, 409, ""},
		{`{"action":"cancel"}`, 200, "active revoked"},
		{`{"action":"start"}`, 200, "active revoked successor"},
		{`{"action":"complete"}`, 409, ""},
		{`{"action":"complete","force":false}`, 409, ""},
		{`{"action":"complete","force":"true"}`, 400, ""},
		{`{"action":"cancel","force":true}`, 400, ""},
		{`{"action":"complete","force":true}`, 200, "revoked revoked active"},
		{`{"action":"stop"}`, 400, ""},
		{`{"action":1}`, 400, ""},
		{`{}`, 400, ""},
		{`{"action":"start","now":true}`, 400, ""},
	} {
		keys := problem
		if step.status == 200 {
			keys = "tokens"
		}
		got := s.want(step.status, keys, "POST", path, step.body)
		if step.status == 200 && states(got) != step.states {
			t.Errorf("%s: %s, want %s", step.body, states(got), step.states)
		}
	}
	s.want(404, problem, "POST", "/admin/v1/tenants/other/rotation", `{"action":"start"}`)
	s.want(405, problem, "GET", path, "")
}

func TestCancelOfWhatIsInUse(t *testing.T) {
	s := newServer(t, "")
	s.want(201, "active createdAt id idp name scimBaseUrl settings token", "POST", "/admin/v1/tenants", `{"id":"acme","name":"x"}`)
	list := s.want(200, "tokens", "POST", "/admin/v1/tenants/acme/rotation", `{"action":"start"}`)
	s.tenants.Touch(t.Context(), "acme", list.body["tokens"].([]any)[1].(map[string]any)["id"].(string))
	got := s.want(409, problem, "POST", "/admin/v1/tenants/acme/rotation", `{"action":"cancel"}`)
	if !strings.Contains(got.text, "in use since 2026-11-22T08:00:00Z") {
		t.Errorf("%s", got.text)
	}
}

func TestChangeToken(t *testing.T) {
	s := newServer(t, "")
	made := s.want(201, "active createdAt id idp name scimBaseUrl settings token", "POST", "/admin/v1/tenants",
		`{"id":"acme","name":"x"}`)
	path := "/admin/v1/tenants/acme/tokens/" + made.body["token"].(map[string]any)["id"].(string)
	const keys = "createdAt expiresAt firstUsedAt id lastUsedAt scopes state"
	got := s.want(200, keys, "PATCH", path, `{"expiresAt":"2027-12-24T18:00:00+01:00"}`)
	if got.body["expiresAt"] != "2027-12-24T17:00:00Z" {
		t.Errorf("%s", got.text)
	}
	for _, body := range []string{
		`{"expiresAt":"2026-11-22T08:00:00Z"}`, `{"expiresAt":"2028-12-01T00:00:00Z"}`, `{"expiresAt":"soon"}`,
		`{"expiresAt":null}`,
		`{"expiresAt":12}`, `{}`, `{"scopes":["read"]}`,
	} {
		s.want(400, problem, "PATCH", path, body)
	}
	s.want(404, problem, "PATCH", "/admin/v1/tenants/acme/tokens/other", `{"expiresAt":"2027-12-24T18:00:00Z"}`)
	if gone := s.do("DELETE", path, ""); gone.status != 204 {
		t.Fatalf("%d", gone.status)
	}
	s.want(409, problem, "PATCH", path, `{"expiresAt":"2027-12-24T18:00:00Z"}`)
}

func TestNotices(t *testing.T) {
	s := newServer(t, "")
	s.want(201, "active createdAt id idp name scimBaseUrl settings token", "POST", "/admin/v1/tenants", `{"id":"acme","name":"x"}`)
	const path = "/admin/v1/tenants/acme/notices"
	if got := s.want(200, "notices", "GET", path, ""); got.text != `{"notices":[]}` {
		t.Errorf("%s", got.text)
	}
	const keys = "at kind recipients state tokenId"
	if got := s.want(202, keys, "POST", path, `{"kind":"test"}`); got.body["state"] != "no-recipient" {
		t.Errorf("%s", got.text)
	}
	settings := s.want(200, "active createdAt id idp name scimBaseUrl settings", "PATCH", "/admin/v1/tenants/acme",
		`{"settings":{"notices":{"recipients":[{"email":"ada@example.com","language":"de"}]},"token":{"lifetimeDays":90,`+
			`"reminders":[3]}}}`)
	if !strings.Contains(settings.text,
		`"settings":{"notices":{"recipients":[{"email":"ada@example.com","language":"de"}]},"token":{"lifetimeDays":90,`+
			`"reminders":[3]}}`) {
		t.Errorf("%s", settings.text)
	}
	s.now = s.now.Add(time.Second)
	s.want(202, keys, "POST", path, `{"kind":"test"}`)
	got := s.want(200, "notices", "GET", path, "")
	if want := `{"at":"2026-11-22T08:00:01Z","kind":"test","recipients":[{"email":"ada@example.com","language":"de"}],` +
		`"state":"pending","tokenId":null}`; !strings.Contains(got.text, want) {
		t.Errorf("%s", got.text)
	}
	for range 8 { // with the two above, ten within an hour
		s.want(202, keys, "POST", path, `{"kind":"test"}`)
	}
	if got := s.want(409, problem, "POST", path, `{"kind":"test"}`); !strings.Contains(got.text, "Ten test notices") {
		t.Errorf("%s", got.text)
	}
	s.now = s.now.Add(time.Hour - time.Second) // the first is an hour old
	s.want(202, keys, "POST", path, `{"kind":"test"}`)
	s.want(409, problem, "POST", path, `{"kind":"test"}`)
	s.want(400, problem, "POST", path, `{"kind":"expired"}`)
	s.want(404, problem, "GET", "/admin/v1/tenants/other/notices", "")
	s.want(404, problem, "POST", "/admin/v1/tenants/other/notices", `{"kind":"test"}`)
	s.want(400, problem, "PATCH", "/admin/v1/tenants/acme", `{"settings":{"notices":{"recipients":[{"email":"ada"}]}}}`)
}

func TestClock(t *testing.T) {
	s := newServer(t, "")
	s.want(404, problem, "PUT", "/admin/v1/clock", `{"now":"2027-01-01T00:00:00Z"}`)
	s.want(404, problem, "GET", "/admin/v1/clock", "")
	clock := func() (now, machine time.Time) { return start.Add(time.Hour), start }
	h := adminhttp.New(adminhttp.Config{Tenants: s.tenants, Clock: clock, SetClock: func(_ context.Context,
		now time.Time,
	) (time.Time, error) {
		if now.Before(start) {
			return now, &tenant.InvalidError{Field: "now", Problem: "must not be before the present time"}
		}
		return now, nil
	}})
	shown := httptest.NewRecorder()
	h.ServeHTTP(shown, httptest.NewRequest(http.MethodGet, "/admin/v1/clock", nil))
	want := `{"machine":"2026-11-22T08:00:00.000Z","now":"2026-11-22T09:00:00.000Z"}`
	if got := strings.TrimSpace(shown.Body.String()); shown.Code != http.StatusOK || got != want {
		t.Errorf("GET: %d %s", shown.Code, got)
	}
	for body, want := range map[string]string{
		`{"now":"2027-01-01T00:00:00Z"}`: `200 {"now":"2027-01-01T00:00:00.000Z"}`,
		`{"now":"2020-01-01T00:00:00Z"}`: `400 {"detail":"now must not be before the present time.","requestId":"`,
		`{"now":"tomorrow"}`:             "400",
		`{}`:                             "400",
	} {
		r := httptest.NewRequest(http.MethodPut, "/admin/v1/clock", strings.NewReader(body))
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		if got := fmt.Sprintf("%d %s", w.Code, w.Body); !strings.HasPrefix(got, want) {
			t.Errorf("%s: %s", body, got)
		}
	}
}

// TestRevokeOfWhatIsInUse: a token that was used is not revoked without force unless another one that was used has all
// its scopes.
func TestRevokeOfWhatIsInUse(t *testing.T) {
	const tokens = "/admin/v1/tenants/acme/tokens"
	for name, c := range map[string]struct {
		other  string // body of the request for another token; empty makes none
		used   string // which tokens were used
		query  string
		status int
	}{
		"never used":                   {"", "", "", 204},
		"used":                         {"", "first", "", 409},
		"used, no force":               {"", "first", "?force=false", 409},
		"used, force":                  {"", "first", "?force=true", 204},
		"force is no word":             {"", "first", "?force=yes", 400},
		"another parameter":            {"", "", "?forced=true", 400},
		"successor never used":         {"{}", "first", "", 409},
		"successor used":               {"{}", "first second", "", 204},
		"successor with fewer scopes":  {`{"scopes":["read"]}`, "first second", "", 409},
		"successor used, it alone not": {"{}", "second", "", 204},
	} {
		t.Run(name, func(t *testing.T) {
			s := newServer(t, "")
			made := s.want(201, "active createdAt id idp name scimBaseUrl settings token", "POST", "/admin/v1/tenants",
				`{"id":"acme","name":"x"}`)
			first := made.body["token"].(map[string]any)["id"].(string)
			if c.other != "" {
				second := s.want(201, "createdAt expiresAt id value", "POST", tokens, c.other).body["id"].(string)
				if strings.Contains(c.used, "second") {
					s.tenants.Touch(t.Context(), "acme", second)
				}
			}
			if strings.Contains(c.used, "first") {
				s.tenants.Touch(t.Context(), "acme", first)
			}
			keys := problem
			if c.status == 204 {
				keys = ""
			}
			s.want(c.status, keys, "DELETE", tokens+"/"+first+c.query, "")
			list := s.want(200, "tokens", "GET", tokens, "")
			if revoked := strings.Contains(states(list), "revoked"); revoked != (c.status == 204) {
				t.Errorf("tokens are %s", states(list))
			}
			if c.status == 204 { // again is no error, whoever is in use
				s.want(204, "", "DELETE", tokens+"/"+first, "")
			}
		})
	}
}
