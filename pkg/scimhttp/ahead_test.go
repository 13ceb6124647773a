package scimhttp_test

import (
	"context"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/serverless-scim/serverless-scim/pkg/scim"
	"github.com/serverless-scim/serverless-scim/pkg/tenant"
)

// gate delays the read of the tenant that authenticates a request.
type gate struct {
	s *server
	// early gets the request's other reads of the directory that begin before the tenant's read may go on.
	early chan call
	// during runs then, with calls to the engine that are not looked at.
	during func()
	once   sync.Once
	wrote  bool // before the tenant was read
	open   chan struct{}
}

// hold delays the next read of tenant acme until the directory is read for it, and calls during before the tenant's
// read goes on.
func (s *server) hold(during func()) *gate {
	g := &gate{s: s, early: make(chan call, 100), during: during, open: make(chan struct{})}
	before := func(_ context.Context, c call) {
		isTenant := c.pk == "T#acme" && !c.writes
		select {
		case <-g.open:
			return
		default:
		}
		switch {
		case c.writes:
			g.wrote = true
		case !isTenant:
			g.early <- c
		default:
			g.once.Do(func() {
				select {
				case c := <-g.early:
					g.early <- c
				case <-time.After(5 * time.Second): // only if the reads come one after the other
				}
				s.before.Store(nil)
				g.during()
				close(g.open)
			})
		}
	}
	s.before.Store(&before)
	return g
}

// directoryOf makes a user and a group of tenant acme, and a server that has seen the tenant's token.
func directoryOf(t *testing.T) (s *server, a account, user, group string) {
	s = newServer(t, nil)
	a = s.tenant("acme", "", tenant.Settings{})
	user = s.as(a, "POST", "/Users", `{"userName":"anna","title":"one"}`).want(201).text("id")
	group = s.as(a, "POST", "/Groups", `{"displayName":"staff","members":[{"value":"`+user+`"}]}`).want(201).text("id")
	return s, a, user, group
}

const empty = `{"schemas":["urn:ietf:params:scim:api:messages:2.0:PatchOp"],"Operations":[{"op":"remove",` +
	`"path":"members"}]}`

const retitle = `{"schemas":["urn:ietf:params:scim:api:messages:2.0:PatchOp"],"Operations":[{"op":"replace",` +
	`"path":"title","value":"two"}]}`

// The tenant's read and a request's first reads are one round, and nothing is written before the tenant was read.
func TestTenantIsReadBesideTheFirstRound(t *testing.T) {
	s, a, user, group := directoryOf(t)
	for _, c := range []struct {
		method, path, body string
		status             int
	}{
		{http.MethodGet, "/Users/" + user, "", 200},
		{http.MethodGet, "/Groups/" + group, "", 200},
		{http.MethodGet, "/Users/nobody", "", 404},
		{http.MethodGet, `/Users?filter=userName%20eq%20"anna"`, "", 200},
		{http.MethodGet, `/Users?filter=userName%20eq%20"nobody"`, "", 200},
		{http.MethodGet, "/Users", "", 200},
		{http.MethodPut, "/Users/" + user, `{"userName":"anna"}`, 200},
		{http.MethodPatch, "/Users/" + user, retitle, 200},
		{http.MethodPatch, "/Groups/" + group, empty, 200},
		{http.MethodDelete, "/Users/" + user, "", 204},
	} {
		g := s.hold(func() {})
		s.as(a, c.method, c.path, c.body).want(c.status)
		if len(g.early) == 0 {
			t.Errorf("%s %s: nothing is read beside the tenant", c.method, c.path)
		}
		if g.wrote {
			t.Errorf("%s %s: written before the tenant was read", c.method, c.path)
		}
	}
	g := s.hold(func() {})
	g.early <- call{} // this one has nothing to read
	if s.as(a, http.MethodPost, "/Users", `{"userName":"ben"}`).want(201); g.wrote {
		t.Error("a user is created before the tenant was read")
	}
}

// A change of the tenant between a request's first reads and the tenant's own read counts.
func TestWhatWasReadAheadIsVoidWhereTheTenantHasChanged(t *testing.T) {
	ctx := context.Background()
	tokenOf := func(s *server, a account) string {
		tokens, err := s.tenants.Tokens(ctx, a.id)
		if err != nil {
			t.Fatal(err)
		}
		return tokens[0].ID
	}
	for name, c := range map[string]struct {
		change func(s *server, a account) error
		status int
	}{
		"revoked": {func(s *server, a account) error { return s.tenants.Revoke(ctx, a.id, tokenOf(s, a), true) }, 401},
		"deleted": {func(s *server, a account) error { return s.tenants.Delete(ctx, a.id) }, 401},
		"switched off": {func(s *server, a account) error {
			_, err := s.tenants.Change(ctx, a.id, scim.Object{"active": false})
			return err
		}, 403},
		"other setting": {func(s *server, a account) error {
			_, err := s.tenants.Change(ctx, a.id, scim.Object{
				"settings": scim.Object{"scim": scim.Object{"patchBody": "none"}},
			})
			return err
		}, 204},
	} {
		t.Run(name, func(t *testing.T) {
			s, a, user, _ := directoryOf(t)
			other := s.tenant("other", "", tenant.Settings{})
			before := s.as(a, "GET", "/Users/"+user, "").want(200)
			var reached bool
			g := s.hold(func() {
				reached = true
				if err := c.change(s, a); err != nil {
					t.Error(err)
				}
			})
			got := s.as(a, "PATCH", "/Users/"+user, retitle).want(c.status)
			if !reached || len(g.early) == 0 || g.wrote {
				t.Errorf("changed in time: %t; read ahead: %d calls; written ahead: %t", reached, len(g.early), g.wrote)
			}
			if c.status == 204 {
				got.wantHeader("ETag", `W/"2"`) // once
				s.as(a, "GET", "/Users/"+user, "").want(200)
				return
			}
			if got.raw == before.raw || got.header.Get("ETag") != "" {
				t.Errorf("answered %s", got.raw)
			}
			s.as(other, "GET", "/Users", "").want(200)
			if c.status != 403 {
				return
			}
			if _, err := s.tenants.Change(ctx, a.id, scim.Object{"active": true}); err != nil {
				t.Fatal(err)
			}
			if after := s.as(a, "GET", "/Users/"+user, "").want(200); after.raw != before.raw {
				t.Errorf("changed by a request that was refused: %s", after.raw)
			}
		})
	}
}
