package oauthhttp_test

import (
	"encoding/base64"
	"encoding/json"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/serverless-scim/serverless-scim/pkg/oauthhttp"
	"github.com/serverless-scim/serverless-scim/pkg/store"
	"github.com/serverless-scim/serverless-scim/pkg/store/boltstore"
	"github.com/serverless-scim/serverless-scim/pkg/tenant"
)

// FuzzToken sends any path, header and body: the answer is always one of RFC 6749, and never a token but for the
// client.
func FuzzToken(f *testing.F) {
	now := func() time.Time { return time.Unix(1795337726, 0) }
	engine, err := boltstore.Open(boltstore.Memory, boltstore.Options{Now: now})
	if err != nil {
		f.Fatal(err)
	}
	f.Cleanup(func() { _ = engine.Close() })
	st := store.New(engine, store.Options{})
	s := tenant.New(st, tenant.NewTableSecrets(st), tenant.Options{Now: now})
	if _, _, err := s.Create(f.Context(), tenant.NewTenant{ID: "acme", Name: "x"}); err != nil {
		f.Fatal(err)
	}
	c, err := s.CreateClient(f.Context(), "acme", tenant.NewClient{})
	if err != nil {
		f.Fatal(err)
	}
	h := oauthhttp.New(oauthhttp.Config{Tenants: s})
	basic := func(s string) string { return "Basic " + base64.StdEncoding.EncodeToString([]byte(s)) }
	f.Add("acme/token", basic(c.ID+":"+c.Secret), "grant_type=client_credentials&scope=read")
	f.Add("acme/token", "", "grant_type=client_credentials&client_id="+c.ID+"&client_secret="+c.Secret)
	f.Add("acme/token", "", "grant_type=client_credentials&client_assertion=a.b.c&"+
		"client_assertion_type=urn%3Aietf%3Aparams%3Aoauth%3Aclient-assertion-type%3Ajwt-bearer")
	f.Add("acme/token", basic("a%zz:b"), "grant_type=x&grant_type=y")
	f.Add("a\"b/token", basic(":"), "%zz")
	f.Fuzz(func(t *testing.T, path, authorization, body string) {
		r := httptest.NewRequest("POST", "/", strings.NewReader(body))
		r.URL.Path = "/oauth2/" + path
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		if authorization != "" {
			r.Header.Set("Authorization", authorization)
		}
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		var answer struct {
			Token  string `json:"access_token"`
			Error  string `json:"error"`
			Detail string `json:"error_description"`
		}
		if err := json.Unmarshal(w.Body.Bytes(), &answer); err != nil || w.Header().Get("Cache-Control") != "no-store" {
			t.Fatalf("%d %s %v", w.Code, w.Body, err)
		}
		knows := strings.Contains(body, c.Secret[40:]) || strings.HasPrefix(strings.ToLower(authorization), "basic ")
		if granted := w.Code == 200; granted != (answer.Token != "") || granted == (answer.Error != "") || granted &&
			!knows || w.Code >= 500 {
			t.Errorf("%d %+v", w.Code, answer)
		}
		if strings.ContainsFunc(answer.Detail,
			func(r rune) bool { return r < ' ' || r > '~' || r == '"' || r == '\\' }) {
			t.Errorf("error_description %q", answer.Detail)
		}
	})
}
