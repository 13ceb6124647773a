package e2e_test

import (
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
)

// oauth gets access tokens for a tenant's own client and for one of the operator's, and uses them at every function
// that answers SCIM.
func (w *world) oauth(t *testing.T) {
	const id = "oauth-tenant"
	target := w.Create(t, id, "pingone")
	own := w.Must(t, 201, "POST", "/tenants/"+id+"/clients", `{"name":"Ping"}`)
	shared := w.Must(t, 201, "POST", "/clients", `{"name":"catalogue"}`)
	w.Must(t, 200, "PATCH", "/tenants/"+id, `{"settings":{"oauth":{"clients":["`+shared["id"].(string)+`"]}}}`)
	for path, c := range map[string]object{"/tenants/" + id + "/clients/": own, "/clients/": shared} {
		client := c["id"].(string)
		status, answer := w.grant(t, id, client, c["secret"].(string))
		if status != 200 {
			t.Fatalf("%d %v", status, answer)
		}
		with := target
		with.Token = answer["access_token"].(string)
		for _, endpoint := range []string{"/Users", "/Groups", "/Schemas", "/ResourceTypes"} {
			scim(t, with, 200, "GET", endpoint, "")
		}
		scim(t, with, 200, "POST", "/.search", `{"schemas":["urn:ietf:params:scim:api:messages:2.0:SearchRequest"]}`)
		w.Must(t, 204, "DELETE", path+client, "")
		scim(t, with, 401, "GET", "/Users", "")
		scim(t, with, 401, "GET", "/Schemas", "")
		if status, answer = w.grant(t, id, client, c["secret"].(string)); status != 401 ||
			answer["error"] != "invalid_client" {
			t.Errorf("a deleted client: %d %v", status, answer)
		}
	}
}

// grant asks for an access token by client_secret_basic.
func (w *world) grant(t *testing.T, tenantID, client, secret string) (int, object) {
	t.Helper()
	form := url.Values{"grant_type": {"client_credentials"}}.Encode()
	req, err := http.NewRequestWithContext(t.Context(), "POST", w.URL+"/oauth2/"+tenantID+"/token",
		strings.NewReader(form))
	if err != nil {
		t.Fatal(err)
	}
	req.SetBasicAuth(client, secret)
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	raw, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	var answer object
	if err := json.Unmarshal(raw, &answer); err != nil || resp.Header.Get("Cache-Control") != "no-store" {
		t.Fatalf("%d %s %v", resp.StatusCode, raw, err)
	}
	return resp.StatusCode, answer
}
