package e2e_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/serverless-scim/serverless-scim/pkg/scim/scimtest"
)

// Operator calls the admin API of a running server.
type Operator struct {
	// URL is the server's URL, scheme and host only.
	URL string
	// Key is sent as a bearer token, if it is not empty.
	Key string
}

var client = &http.Client{Timeout: 5 * time.Minute, Transport: &http.Transport{MaxIdleConnsPerHost: 32}}

// Do sends a request to a path below /admin/v1 and returns status and body.
func (o Operator) Do(method, path, body string) (status int, answer map[string]any, err error) {
	req, err := http.NewRequest(method, o.URL+"/admin/v1"+path, strings.NewReader(body))
	if err != nil {
		return 0, nil, err
	}
	if body != "" {
		req.Header.Set("Content-Type", "application/json")
	}
	if o.Key != "" {
		req.Header.Set("Authorization", "Bearer "+o.Key)
	}
	resp, err := client.Do(req)
	if err != nil {
		return 0, nil, err
	}
	defer resp.Body.Close()
	raw, err := io.ReadAll(resp.Body)
	if err != nil || len(raw) == 0 {
		return resp.StatusCode, nil, err
	}
	err = json.Unmarshal(raw, &answer)
	return resp.StatusCode, answer, err
}

// Must is Do for a request that must have the status want.
func (o Operator) Must(t testing.TB, want int, method, path, body string) map[string]any {
	t.Helper()
	status, answer, err := o.Do(method, path, body)
	if err != nil || status != want {
		t.Fatalf("%s %s: status %d, want %d: %v %v", method, path, status, want, answer, err)
	}
	return answer
}

// Create creates a tenant; an empty id has one made up.
func (o Operator) Create(t testing.TB, id, idp string) scimtest.Target {
	t.Helper()
	if id == "" {
		id = "t-" + uuid.NewString()
	}
	made := o.Must(t, http.StatusCreated, "POST", "/tenants", fmt.Sprintf(`{"id":%q,"name":%q,"idp":%q}`, id, id, idp))
	token, _ := made["token"].(map[string]any)
	value, _ := token["value"].(string)
	base, _ := made["scimBaseUrl"].(string)
	if value == "" || base == "" {
		t.Fatalf("a new tenant has no token or no base URL")
	}
	return scimtest.Target{
		BaseURL: base, Token: value, Client: client,
		Configure: func(settings string) error {
			status, answer, err := o.Do("PATCH", "/tenants/"+id, `{"settings":`+settings+`}`)
			if err == nil && status != http.StatusOK {
				err = fmt.Errorf("status %d: %v", status, answer)
			}
			return err
		},
	}
}

// Target creates a fresh tenant of a profile, as the suites of scimtest want it.
func (o Operator) Target(t *testing.T, idp string) scimtest.Target {
	t.Helper()
	return o.Create(t, "", idp)
}
