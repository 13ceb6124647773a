package tenant

import "context"

// CreateClient creates an OAuth client of a tenant, or, with OperatorClients, one that many tenants may allow. It
// returns a *ConflictError if the tenant has three already. The secret's value is not stored: a process that dies
// before it has answered leaves a client that can only be deleted.
func (s *Service) CreateClient(ctx context.Context, tenantID string, n NewClient) (IssuedClient, error) {
	ctx, cancel := detach(ctx)
	defer cancel()
	return s.clients.CreateClient(ctx, tenantID, n)
}

// RenewClient gives a client another secret. The present one stays valid until it ends or is deleted. If n has Keys,
// they replace the client's keys instead, and the access tokens of removed keys end. Name and Scopes of n must be
// empty. ErrNotFound for a client that is not listed, a *ConflictError if two secrets are live.
func (s *Service) RenewClient(ctx context.Context, tenantID, clientID string, n NewClient) (IssuedClient, error) {
	ctx, cancel := detach(ctx)
	defer cancel()
	return s.clients.RenewClient(ctx, tenantID, clientID, n)
}

// RevokeClientSecret ends a secret of a client, and the access tokens that were granted for it. ErrNotFound if there is
// no such secret.
func (s *Service) RevokeClientSecret(ctx context.Context, tenantID, clientID, secretID string) error {
	ctx, cancel := detach(ctx)
	defer cancel()
	return s.clients.RevokeClientSecret(ctx, tenantID, clientID, secretID)
}

// DeleteClient removes a client: its access tokens authenticate no request that begins after it returns. ErrNotFound
// if there is none.
func (s *Service) DeleteClient(ctx context.Context, tenantID, clientID string) error {
	ctx, cancel := detach(ctx)
	defer cancel()
	return s.clients.DeleteClient(ctx, tenantID, clientID)
}

// Clients lists the clients of a tenant, or with OperatorClients those of the operator, oldest first.
func (s *Service) Clients(ctx context.Context, tenantID string) ([]Client, error) {
	return s.clients.Clients(ctx, tenantID)
}

// Client returns one of Clients; ErrNotFound if there is none.
func (s *Service) Client(ctx context.Context, tenantID, clientID string) (Client, error) {
	return s.clients.Client(ctx, tenantID, clientID)
}

// Grant gives an OAuth client an access token of a tenant, for an hour, or until the client's secret ends. The client
// is one of the tenant's own, or one of the operator's that the tenant's settings name. audience is the URL of the
// token endpoint, the required audience of an assertion. A nil want means all scopes of the client. A refusal is a
// *GrantError; any other error is the table's.
//
// A malformed proof costs no read. An assertion is valid once: its use is written before the answer.
func (s *Service) Grant(ctx context.Context, tenantID string, proof ClientProof, audience string, want []Scope) (
	AccessToken, error,
) {
	return s.clients.Grant(ctx, tenantID, proof, audience, want)
}

// checkSecret checks the scopes of a client and the end of its secret against the operator's bounds.
func (s *Service) checkSecret(n NewClient) error {
	return s.checkToken(NewToken{Scopes: n.Scopes, ExpiresAt: n.ExpiresAt, Endless: n.Endless}, s.o.Now())
}
