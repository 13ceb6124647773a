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
	if err := s.tenants.Revoke(context.Background(), a.id, tokens[0].ID); err != nil {
		t.Fatal(err)
	}
	s.as(a, "GET", "/Schemas", "").wantError(401, scim.NoType)
}

func TestScopes(t *testing.T) {
	s := newServer(t, nil)
	a := s.tenant("acme", "", tenant.Settings{})
	issued, err := s.tenants.Issue(context.Background(), a.id, tenant.NewToken{Scopes: []tenant.Scope{tenant.ScopeRead}})
	if err != nil {
		t.Fatal(err)
	}
	reader := account{a.id, issued.Value}
	s.as(reader, "GET", "/Schemas", "").want(200)
	s.as(reader, "POST", "/Users", `{"userName":"a"}`).wantError(403, scim.NoType)
	s.as(reader, "DELETE", "/Users/0", "").wantError(403, scim.NoType)
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
