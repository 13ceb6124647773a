package local

import (
	"context"
	"time"

	"github.com/serverless-scim/serverless-scim/pkg/tenant"
)

// demo creates a tenant to try in an empty table, and prints how to call it.
func (s *Server) demo(ctx context.Context, origin string) error {
	if s.o.BaseURL != "" {
		origin = s.o.BaseURL
	}
	tenants, _, err := s.tenants.List(ctx, 1, "")
	if err != nil || len(tenants) > 0 {
		return err
	}
	t, token, err := s.tenants.Create(ctx, tenant.NewTenant{ID: "demo", Name: "Demo"})
	if err != nil {
		return err
	}
	base := origin + "/scim/v2/" + t.ID
	key := ""
	if s.o.AdminKey != "" {
		key = "-H 'Authorization: Bearer KEY' "
	}
	s.o.tell(map[string]any{
		"tenant": t.ID, "scimBaseUrl": base, "token": token.Value, "expiresAt": token.ExpiresAt.Format(time.RFC3339),
	}, `Created the tenant demo, for a first try.
  base URL  %[1]s
  token     %[2]s (until %[3]s)
Try it:
  curl -sS -H 'Authorization: Bearer %[2]s' -H 'Content-Type: application/scim+json' \
       -d '{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":"ada@example.com"}' %[1]s/Users
  curl -sS -H 'Authorization: Bearer %[2]s' '%[1]s/Users?filter=userName+eq+"ada@example.com"'
List of tenants, with links to their portal pages:
  %[4]s/
Create another tenant:
  curl -sS %[5]s-H 'Content-Type: application/json' -d '{"name":"Acme","idp":"entra"}' %[4]s/admin/v1/tenants
`, base, token.Value, token.ExpiresAt.Format("2 January 2006"), origin, key)
	return nil
}
