package local_test

import (
	"fmt"
	"sync/atomic"
	"testing"

	"github.com/serverless-scim/serverless-scim/pkg/app/local"
	"github.com/serverless-scim/serverless-scim/pkg/internal/slow"
	"github.com/serverless-scim/serverless-scim/pkg/scim"
	"github.com/serverless-scim/serverless-scim/pkg/scim/scimtest"
	"github.com/serverless-scim/serverless-scim/pkg/tenant"
)

// open starts a server that keeps nothing.
func open(t *testing.T) *local.Server {
	t.Helper()
	s, err := local.Open(t.Context(), quiet())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

// targets makes fresh tenants on one server.
func targets(s *local.Server) func(t *testing.T, idp string) scimtest.Target {
	var n atomic.Int64
	return func(t *testing.T, idp string) scimtest.Target {
		t.Helper()
		id := fmt.Sprintf("tenant-%d", n.Add(1))
		created, token, err := s.Tenants().Create(t.Context(), tenant.NewTenant{ID: id, Name: id, IdP: idp})
		if err != nil {
			t.Fatal(err)
		}
		return scimtest.Target{
			BaseURL: "http://scim.example.com/scim/v2/" + created.ID, Token: token.Value, Handler: s.Handler(),
			Configure: func(settings string) error {
				patch, err := scim.ParseObject([]byte(`{"settings":` + settings + `}`))
				if err == nil {
					_, err = s.Tenants().Change(t.Context(), id, patch)
				}
				return err
			},
			Define: func(path, body string) error {
				a := api{t: t, h: s.Handler(), tenant: id}
				if status, out := a.admin("PUT", path, body); status != 200 && status != 201 {
					return fmt.Errorf("PUT %s: %d %v", path, status, out)
				}
				return nil
			},
		}
	}
}

func TestDialogues(t *testing.T) { scimtest.RunDialogues(t, targets(open(t))) }

func TestBehaviours(t *testing.T) {
	slow.NoRace(t)
	scimtest.RunBehaviours(t, targets(open(t)))
}

func TestExtensions(t *testing.T) { scimtest.RunExtensions(t, targets(open(t))) }

// With types of a tenant's own, everything else is as it was.
func TestBehavioursWithDefinitions(t *testing.T) {
	if !slow.Volume(t, "everything again: TestBehaviours runs the same without definitions") {
		t.SkipNow()
	}
	plain := targets(open(t))
	extended := func(t *testing.T, idp string) scimtest.Target {
		target := plain(t, idp)
		err := target.Define("/schemas/"+badgeURN, `{"attributes":[{"name":"number","uniqueness":"server"}]}`)
		for _, id := range []string{"User", "Group"} {
			if err == nil {
				err = target.Define("/resource-types/"+id, `{"schemaExtensions":[{"schema":"`+badgeURN+`"}]}`)
			}
		}
		if err != nil {
			t.Fatal(err)
		}
		return target
	}
	scimtest.RunBehaviours(t, extended)
	scimtest.RunDialogues(t, extended)
}

func TestHostile(t *testing.T) { scimtest.RunHostile(t, targets(open(t))) }

func TestRaces(t *testing.T) { scimtest.RunRaces(t, targets(open(t))) }

func TestIsolation(t *testing.T) {
	target := targets(open(t))
	scimtest.RunIsolation(t, target(t, "entra"), target(t, "entra"))
}
