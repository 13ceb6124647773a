package scimhttp_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/serverless-scim/serverless-scim/pkg/scim"
	"github.com/serverless-scim/serverless-scim/pkg/tenant"
)

// "No/invalid token -> 401 + WWW-Authenticate: Bearer + SCIM Error body"; "one and the same 401" for every reason.
func TestUnauthorizedIsOneAnswer(t *testing.T) {
	s := newServer(t, nil)
	a, b := s.tenant("acme", "", tenant.Settings{}), s.tenant("bravo", "", tenant.Settings{})
	gone := s.tenant("gone", "", tenant.Settings{})
	if err := s.tenants.Delete(context.Background(), gone.id); err != nil {
		t.Fatal(err)
	}
	first := s.send("GET", "/scim/v2/acme/Users", "").wantError(401, scim.NoType)
	if !strings.HasPrefix(first.header.Get("WWW-Authenticate"), "Bearer ") {
		t.Errorf("WWW-Authenticate %q", first.header.Get("WWW-Authenticate"))
	}
	for name, c := range map[string]struct{ path, authorization string }{
		"wrong scheme":     {"/scim/v2/acme/Users", "Basic " + a.token},
		"garbage":          {"/scim/v2/acme/Users", "Bearer non-token"},
		"damaged":          {"/scim/v2/acme/Users", "Bearer " + a.token[:len(a.token)-1]},
		"foreign":          {"/scim/v2/acme/Users", "Bearer " + b.token},
		"unknown tenant":   {"/scim/v2/nobody/Users", "Bearer " + a.token},
		"deleted tenant":   {"/scim/v2/gone/Users", "Bearer " + gone.token},
		"impossible name":  {"/scim/v2/AC%23ME%2500/Users", "Bearer " + a.token},
		"alias":            {"/scim/bravo/Users", "Bearer " + a.token},
		"unknown endpoint": {"/scim/v2/acme/Nothing", "Bearer x"},
		"unknown id":       {"/scim/v2/acme/Users/a%23b", "Bearer x"},
		"wrong method":     {"/scim/v2/acme/Me", ""},
		"configuration":    {"/scim/v2/acme/ServiceProviderConfig", "Bearer x"},
		"schemas":          {"/scim/v2/acme/Schemas", ""},
		"resource types":   {"/scim/v2/acme/ResourceTypes", ""},
	} {
		got := s.send("GET", c.path, "", "Authorization", c.authorization).wantError(401, scim.NoType)
		if got.raw != first.raw || got.header.Get("WWW-Authenticate") != first.header.Get("WWW-Authenticate") {
			t.Errorf("%s: the answer differs: %s", name, got.raw)
		}
	}
}

// "Auth scheme name compared case-insensitively"; Okta sends the bare token.
func TestWaysToSendTheToken(t *testing.T) {
	s := newServer(t, nil)
	a := s.tenant("acme", "", tenant.Settings{})
	for _, authorization := range []string{"Bearer " + a.token, "bearer " + a.token, "BEARER  " + a.token, a.token} {
		s.send("GET", "/scim/v2/acme/Schemas", "", "Authorization", authorization).want(200)
	}
}

func TestSwitchedOffTellsOnlyGoodTokens(t *testing.T) {
	s := newServer(t, nil)
	a := s.tenant("acme", "", tenant.Settings{})
	if _, err := s.tenants.Change(context.Background(), a.id, scim.Object{"active": false}); err != nil {
		t.Fatal(err)
	}
	got := s.as(a, "GET", "/Users", "").wantError(403, scim.NoType)
	if !strings.Contains(got.text("detail"), "switched off") {
		t.Errorf("detail %q", got.text("detail"))
	}
	s.send("GET", "/scim/v2/acme/Users", "", "Authorization", "Bearer x").wantError(401, scim.NoType)
}

func TestRevocationHoldsAtOnce(t *testing.T) {
	s := newServer(t, nil)
	a := s.tenant("acme", "", tenant.Settings{})
	tokens, err := s.tenants.Tokens(context.Background(), a.id)
	if err != nil {
		t.Fatal(err)
	}
	s.as(a, "GET", "/Schemas", "").want(200)
	if err := s.tenants.Revoke(context.Background(), a.id, tokens[0].ID, true); err != nil {
		t.Fatal(err)
	}
	s.as(a, "GET", "/Schemas", "").wantError(401, scim.NoType)
}

// limited is an account with a token of one scope.
func (s *server) limited(a account, scope tenant.Scope) account {
	s.t.Helper()
	issued, err := s.tenants.Issue(context.Background(), a.id, tenant.NewToken{Scopes: []tenant.Scope{scope}})
	if err != nil {
		s.t.Fatal(err)
	}
	return account{a.id, issued.Value}
}

func TestScopes(t *testing.T) {
	s := newServer(t, nil)
	a := s.tenant("acme", "", tenant.Settings{})
	reader, writer := s.limited(a, tenant.ScopeRead), s.limited(s.tenant("bravo", "", tenant.Settings{}),
		tenant.ScopeWrite)
	s.as(reader, "GET", "/Schemas", "").want(200)
	const challenge = `Bearer error="insufficient_scope", realm="SCIM"`
	for _, c := range []struct {
		by           account
		method, path string
	}{
		{reader, "POST", "/Users"},
		{reader, "PUT", "/Users/0"},
		{reader, "PATCH", "/Groups/0"},
		{reader, "DELETE", "/Users/0"},
		{reader, "POST", "/Bulk"},
		{writer, "GET", "/Users"},
		{writer, "GET", "/Users/0"},
		{writer, "HEAD", "/Groups"},
		{writer, "POST", "/Users/.search"},
		{writer, "POST", "/.search"},
		{writer, "GET", "/Schemas"},
	} {
		r := s.as(c.by, c.method, c.path, `{"userName":"a"}`)
		if c.method == "HEAD" {
			r.want(403)
		} else {
			r.wantError(403, scim.NoType)
		}
		r.wantHeader("Www-Authenticate", challenge)
	}
	// The answer names the scope only if the token is valid. A tenant that is switched off gets a 403 without a
	// challenge.
	s.send("POST", "/scim/v2/acme/Users", "{}", "Authorization", "Bearer x").wantError(401, scim.NoType).
		wantHeader("Www-Authenticate", `Bearer realm="SCIM"`)
	if _, err := s.tenants.Change(context.Background(), a.id, scim.Object{"active": false}); err != nil {
		t.Fatal(err)
	}
	s.as(reader, "GET", "/Users", "").wantError(403, scim.NoType).wantHeader("Www-Authenticate", "")
}

// TestWritersReadNothing sends all kinds of writes whose answer shows a resource, with a token that may not read.
func TestWritersReadNothing(t *testing.T) {
	for _, idp := range []string{"generic", "rfc", "keycloak", "entra"} {
		s := newServer(t, nil)
		a := s.tenant("acme", idp, tenant.Settings{})
		writer := s.limited(a, tenant.ScopeWrite)
		const user = `{"schemas":["` + scim.UserURN + `"],"userName":"ann","title":"secret"}`
		const group = `{"schemas":["` + scim.GroupURN + `"],"displayName":"g","members":[{"value":"secret"}]}`
		for path, body := range map[string]string{"/Users": user, "/Groups": group} {
			r := s.as(a, "POST", path, body).want(201)
			path += "/" + r.text("id")
			noop := patchOf(`{"op":"add","path":"externalId","value":"x"}`)
			for _, how := range [][]string{{"PATCH", "", noop, ""}, {"PUT", "", body, ""}} {
				for _, query := range []string{"", "?attributes=title,members", "?excludedAttributes=id"} {
					for _, prefer := range []string{"", "return=representation", "return=minimal"} {
						headers := []string{}
						if prefer != "" {
							headers = []string{"Prefer", prefer}
						}
						r := s.as(writer, how[0], path+query, how[2], headers...).want(204)
						if r.raw != "" || r.header.Get("Etag") == "" || r.header.Get("Location") == "" {
							t.Errorf("%s %s %s: %v %s", idp, how[0], path+query, r.header, r.raw)
						}
					}
				}
			}
		}
		for _, query := range []string{"", "?attributes=userName,meta"} {
			r := s.as(writer, "POST", "/Users"+query,
				`{"schemas":["`+scim.UserURN+`"],"userName":"bob`+query+`"}`).want(201)
			if r.text("id") == "" || len(r.body) != 2 || r.at("schemas") == nil {
				t.Errorf("%s: created %s", idp, r.raw)
			}
		}
		// A token that may also read gets the attributes that it asks for.
		s.as(a, "POST", "/Users", `{"schemas":["`+scim.UserURN+`"],"userName":"cid"}`).wantResource(201)
	}
}

func TestExpiredTokenLearnsWhen(t *testing.T) {
	s := newServer(t, nil)
	a := s.tenant("acme", "", tenant.Settings{})
	s.now = s.now.Add(200 * 24 * time.Hour)
	got := s.as(a, "GET", "/Schemas", "").wantError(401, scim.NoType)
	if !strings.Contains(got.text("detail"), "expired on 2027-05-21") {
		t.Errorf("detail %q", got.text("detail"))
	}
}
