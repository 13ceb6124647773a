package tenant

import "context"

// NewTenant is what Create makes a tenant of.
type NewTenant struct {
	// ID is the wanted id; empty has one made.
	ID string
	// Name is for people: 1 to 256 bytes.
	Name string
	// IdP is one of scim.IdPs; empty is DefaultIdP.
	IdP      string
	Settings Settings
}

// IssuedToken is a token with its value, which nothing but Create, Issue and Reveal ever returns.
type IssuedToken struct {
	Token
	Value string
}

// Create makes a tenant and its first token.
func (s *Service) Create(ctx context.Context, n NewTenant) (Tenant, IssuedToken, error) {
	panic("not yet")
}
