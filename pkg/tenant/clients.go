package tenant

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"

	"github.com/serverless-scim/serverless-scim/pkg/event"
	"github.com/serverless-scim/serverless-scim/pkg/scim"
	"github.com/serverless-scim/serverless-scim/pkg/store"
	"github.com/serverless-scim/serverless-scim/pkg/tenant/internal/record"
)

// CreateClient makes an OAuth client of a tenant, or, with OperatorClients, one that many tenants may allow. A
// *ConflictError where the tenant has three already. The secret's value is kept nowhere: a process that dies before the
// answer is out leaves a client that is good for nothing but to be deleted.
func (s *Service) CreateClient(ctx context.Context, tenantID string, n NewClient) (IssuedClient, error) {
	if err := s.checkClient(tenantID, n, true); err != nil {
		return IssuedClient{}, err
	}
	ctx, cancel := detach(ctx)
	defer cancel()
	if tenantID == OperatorClients {
		return s.createOperatorClient(ctx, n)
	}
	now := s.o.Now()
	var c record.ClientDoc
	var secret string
	_, err := s.update(ctx, tenantID, func(r *record.Record) error {
		if len(r.Clients) >= record.MaxClients {
			return &ConflictError{Detail: fmt.Sprintf("The tenant has %d clients already. Delete one of them first.",
				record.MaxClients)}
		}
		c, secret = record.MakeClient(record.TenantClient, n, now, s.policy(r.Settings.Token))
		r.Clients = append(r.Clients, c.ClientRecord)
		r.Tell(now, event.ClientCreated, "", c.Data())
		return r.PutClient(tenantID, c, now)
	})
	if err != nil {
		return IssuedClient{}, err
	}
	s.o.Log.InfoContext(ctx, "client created", "tenant", tenantID, "client", c.ID)
	return IssuedClient{Client: c.Client(now, nil), Secret: secret}, nil
}

// RenewClient gives a client another secret, beside the one that it has until that ends or is deleted; or, where n has
// Keys, these in place of those that it has, which ends the access tokens of the keys that are gone. Name and Scopes of
// n must be empty. ErrNotFound for a client that is not listed, a *ConflictError where two secrets are live.
func (s *Service) RenewClient(ctx context.Context, tenantID, clientID string, n NewClient) (IssuedClient, error) {
	if err := s.checkClient(tenantID, n, false); err != nil {
		return IssuedClient{}, err
	}
	now := s.o.Now()
	var secret string
	c, err := s.changeClient(ctx, tenantID, clientID, func(c *record.ClientDoc, p record.Policy) (event.Kind, error) {
		if err := c.MayRenew(n, now); err != nil {
			return "", err
		}
		c.Credentials = slices.DeleteFunc(slices.Clone(c.Credentials), func(k record.Credential) bool {
			return len(k.Digest) > 0 &&
				!k.Live(now)
		})
		secret = c.Renew(n, now, p)
		return event.ClientRenewed, nil
	})
	if err != nil {
		return IssuedClient{}, err
	}
	return IssuedClient{Client: c.Client(now, nil), Secret: secret}, nil
}

// RevokeClientSecret ends a secret of a client, and the access tokens that were granted for it. ErrNotFound where there
// is no such secret.
func (s *Service) RevokeClientSecret(ctx context.Context, tenantID, clientID, secretID string) error {
	_, err := s.changeClient(ctx, tenantID, clientID, func(c *record.ClientDoc, _ record.Policy) (event.Kind, error) {
		match := c.Credential(secretID)
		if match == nil || len(match.Digest) == 0 {
			return "", ErrNotFound
		}
		c.Credentials = slices.DeleteFunc(
			slices.Clone(c.Credentials),
			func(k record.Credential) bool { return k.ID == secretID },
		)
		return event.ClientSecretRevoked, nil
	})
	return err
}

// changeClient changes a client of a tenant or of the operator.
func (s *Service) changeClient(
	ctx context.Context, tenantID, clientID string, change func(*record.ClientDoc, record.Policy) (event.Kind, error),
) (c record.ClientDoc, err error) {
	if !record.ValidClientID(clientID) || record.OfOperator(clientID) != (tenantID == OperatorClients) {
		return c, ErrNotFound
	}
	ctx, cancel := detach(ctx)
	defer cancel()
	if tenantID == OperatorClients {
		return s.changeOperatorClient(ctx, clientID, change)
	}
	now := s.o.Now()
	var kind event.Kind
	var before []string
	_, err = s.update(ctx, tenantID, func(r *record.Record) error {
		stored := r.Client(clientID)
		if stored == nil {
			return ErrNotFound
		}
		before = stored.SecretIDs()
		all, err := s.details(ctx, tenantID, []record.ClientRecord{*stored})
		if err != nil {
			return err
		}
		c = all[0]
		if kind, err = change(&c, s.policy(r.Settings.Token)); err != nil {
			return err
		}
		*stored = c.ClientRecord
		r.Tell(now, kind, "", c.Data())
		return r.PutClient(tenantID, c, now)
	})
	if err == nil {
		s.o.Log.InfoContext(ctx, "client changed", "tenant", tenantID, "client", clientID, "change", string(kind))
		for _, id := range before {
			if c.Credential(id) == nil {
				s.forgetUse(ctx, tenantID, id)
			}
		}
	}
	return c, err
}

// DeleteClient removes a client: no request that begins after it returns gets in with an access token of it.
// ErrNotFound where there is none.
func (s *Service) DeleteClient(ctx context.Context, tenantID, clientID string) error {
	if !record.ValidClientID(clientID) || record.OfOperator(clientID) != (tenantID == OperatorClients) {
		return ErrNotFound
	}
	ctx, cancel := detach(ctx)
	defer cancel()
	if tenantID == OperatorClients {
		return s.deleteOperatorClient(ctx, clientID)
	}
	now := s.o.Now()
	used := []string{clientID}
	_, err := s.update(ctx, tenantID, func(r *record.Record) error {
		c := r.Client(clientID)
		if c == nil {
			return ErrNotFound
		}
		used = append(used[:1], c.SecretIDs()...)
		r.Clients = slices.DeleteFunc(r.Clients, func(c record.ClientRecord) bool { return c.ID == clientID })
		r.Tell(now, event.ClientDeleted, "", scim.Object{"clientId": clientID})
		r.Out.With = append(r.Out.With, store.Op{Kind: store.Delete, Key: store.KeysOf(tenantID).Client(clientID)})
		return nil
	})
	if err != nil {
		return err
	}
	s.o.Log.InfoContext(ctx, "client deleted", "tenant", tenantID, "client", clientID)
	for _, id := range used {
		s.forgetUse(ctx, tenantID, id)
	}
	return nil
}

// Clients lists the clients of a tenant, or with OperatorClients those of the operator, oldest first.
func (s *Service) Clients(ctx context.Context, tenantID string) ([]Client, error) {
	if tenantID == OperatorClients {
		return s.operatorClients(ctx)
	}
	r, err := s.read(ctx, tenantID)
	if err != nil {
		return nil, err
	}
	if r.Life != record.Active {
		return nil, ErrNotFound
	}
	all, err := s.details(ctx, tenantID, r.Clients)
	if err != nil {
		return nil, err
	}
	var ids []string
	for _, c := range all {
		ids = append(append(ids, c.ID), c.SecretIDs()...)
	}
	used, err := s.lastUses(ctx, tenantID, ids)
	if err != nil {
		return nil, err
	}
	clients, now := make([]Client, len(all)), s.o.Now()
	for i, c := range all {
		clients[i] = c.Client(now, used)
	}
	return clients, nil
}

// Client returns one of Clients; ErrNotFound where there is none.
func (s *Service) Client(ctx context.Context, tenantID, clientID string) (Client, error) {
	clients, err := s.Clients(ctx, tenantID)
	if err != nil {
		return Client{}, err
	}
	i := slices.IndexFunc(clients, func(c Client) bool { return c.ID == clientID })
	if i < 0 {
		return Client{}, ErrNotFound
	}
	return clients[i], nil
}

// details completes clients of a tenant by what is not on its item.
func (s *Service) details(
	ctx context.Context,
	tenantID string,
	clients []record.ClientRecord,
) ([]record.ClientDoc, error) {
	if len(clients) == 0 {
		return nil, nil
	}
	keys := make([]store.Key, len(clients))
	for i, c := range clients {
		keys[i] = store.KeysOf(tenantID).Client(c.ID)
	}
	items, err := s.store.Get(ctx, keys...)
	if err != nil {
		return nil, err
	}
	out := make([]record.ClientDoc, len(clients))
	for i, item := range items {
		out[i].ClientRecord = clients[i]
		doc, ok := item.Attrs[record.AttrDoc].(string)
		if !ok {
			continue // it was deleted since the tenant was read
		}
		if err := json.Unmarshal([]byte(doc), &out[i].ClientDetails); err != nil {
			return nil, fmt.Errorf("tenant: stored client %s: %w", clients[i].ID, err)
		}
	}
	return out, nil
}

func (s *Service) checkClient(tenantID string, n NewClient, create bool) error {
	if err := n.Check(); err != nil {
		return err
	}
	switch {
	case !create && n.Name != "":
		return record.Invalid("name", "can't be changed")
	case !create && n.Scopes != nil:
		return record.Invalid("scopes", "can't be changed")
	}
	endless := n.Endless && tenantID != OperatorClients // theirs have no end anyway where none is given
	return s.checkToken(NewToken{Scopes: n.Scopes, ExpiresAt: n.ExpiresAt, Endless: endless}, s.o.Now())
}
