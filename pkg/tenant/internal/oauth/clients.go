package oauth

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/serverless-scim/serverless-scim/pkg/event"
	"github.com/serverless-scim/serverless-scim/pkg/precondition"
	"github.com/serverless-scim/serverless-scim/pkg/scim"
	"github.com/serverless-scim/serverless-scim/pkg/store"
	"github.com/serverless-scim/serverless-scim/pkg/tenant/internal/record"
)

// CreateClient is the method of the same name of tenant.Service.
func (s *Registry) CreateClient(ctx context.Context, tenantID string, n record.NewClient) (record.IssuedClient, error) {
	if err := s.checkClient(tenantID, n, true); err != nil {
		return record.IssuedClient{}, err
	}
	if err := checkID(tenantID, n.ID); err != nil {
		return record.IssuedClient{}, err
	}
	if tenantID == record.OperatorClients {
		return s.createOperatorClient(ctx, n)
	}
	now := s.o.Now()
	var c record.ClientDoc
	var secret string
	_, err := s.o.Update(ctx, tenantID, func(r *record.Record) error {
		if len(r.Clients) >= record.MaxClients {
			return &record.ConflictError{Detail: fmt.Sprintf(
				"The tenant has %d clients already. Delete one of them first.", record.MaxClients)}
		}
		if n.ID != "" && r.Client(n.ID) != nil {
			return record.Taken("client")
		}
		c, secret = record.MakeClient(record.TenantClient, n, now, s.o.Policy(r.Settings.Token))
		r.Clients = append(r.Clients, c.ClientRecord)
		r.Tell(now, event.ClientCreated, "", c.Data())
		return r.PutClient(tenantID, c, now)
	})
	if err != nil {
		return record.IssuedClient{}, err
	}
	s.o.Log.InfoContext(ctx, "client created", "tenant", tenantID, "client", c.ID)
	return record.IssuedClient{Client: c.Client(now, nil), Secret: secret}, nil
}

// RenewClient is the method of the same name of tenant.Service.
func (s *Registry) RenewClient(
	ctx context.Context, tenantID, clientID string, n record.NewClient,
) (record.IssuedClient, error) {
	if err := s.checkClient(tenantID, n, false); err != nil {
		return record.IssuedClient{}, err
	}
	now := s.o.Now()
	var secret string
	c, err := s.changeClient(ctx, tenantID, clientID, func(c *record.ClientDoc, p record.Policy) (event.Kind, error) {
		if err := c.MayRenew(n, now); err != nil {
			return "", err
		}
		c.Credentials = slices.DeleteFunc(slices.Clone(c.Credentials), func(k record.Credential) bool {
			return len(k.Digest) > 0 && !k.Live(now)
		})
		secret = c.Renew(n, now, p)
		return event.ClientRenewed, nil
	})
	if err != nil {
		return record.IssuedClient{}, err
	}
	return record.IssuedClient{Client: c.Client(now, nil), Secret: secret}, nil
}

// RevokeClientSecret is the method of the same name of tenant.Service.
func (s *Registry) RevokeClientSecret(ctx context.Context, tenantID, clientID, secretID string) error {
	_, err := s.changeClient(ctx, tenantID, clientID, func(c *record.ClientDoc, _ record.Policy) (event.Kind, error) {
		match := c.Credential(secretID)
		if match == nil || len(match.Digest) == 0 {
			return "", record.ErrNotFound
		}
		c.Credentials = slices.DeleteFunc(slices.Clone(c.Credentials), func(k record.Credential) bool {
			return k.ID == secretID
		})
		return event.ClientSecretRevoked, nil
	})
	return err
}

// changeClient changes a client of a tenant or of the operator.
func (s *Registry) changeClient(
	ctx context.Context, tenantID, clientID string, change func(*record.ClientDoc, record.Policy) (event.Kind, error),
) (c record.ClientDoc, err error) {
	if !record.ValidClientID(clientID) || record.OfOperator(clientID) != (tenantID == record.OperatorClients) {
		return c, record.ErrNotFound
	}
	if tenantID == record.OperatorClients {
		return s.changeOperatorClient(ctx, clientID, change)
	}
	now := s.o.Now()
	var kind event.Kind
	var before []string
	_, err = s.o.Update(ctx, tenantID, func(r *record.Record) error {
		stored := r.Client(clientID)
		if stored == nil {
			return record.ErrNotFound
		}
		before = stored.SecretIDs()
		all, err := s.details(ctx, tenantID, []record.ClientRecord{*stored})
		if err != nil {
			return err
		}
		c = all[0]
		if err := s.agreed(ctx, c); err != nil {
			return err
		}
		if kind, err = change(&c, s.o.Policy(r.Settings.Token)); err != nil {
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
				s.o.ForgetUse(ctx, tenantID, id)
			}
		}
	}
	return c, err
}

// agreed asks the precondition of ctx about a client in the state that a change replaces. Its name and its times of use
// need not be known: no change is about them.
func (s *Registry) agreed(ctx context.Context, c record.ClientDoc) error {
	return precondition.Of(ctx, func() any { return c.Client(s.o.Now(), nil) })
}

// DeleteClient is the method of the same name of tenant.Service.
func (s *Registry) DeleteClient(ctx context.Context, tenantID, clientID string) error {
	if !record.ValidClientID(clientID) || record.OfOperator(clientID) != (tenantID == record.OperatorClients) {
		return record.ErrNotFound
	}
	if tenantID == record.OperatorClients {
		return s.deleteOperatorClient(ctx, clientID)
	}
	now := s.o.Now()
	used := []string{clientID}
	_, err := s.o.Update(ctx, tenantID, func(r *record.Record) error {
		c := r.Client(clientID)
		if c == nil {
			return record.ErrNotFound
		}
		if err := s.agreed(ctx, record.ClientDoc{ClientRecord: *c}); err != nil {
			return err
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
		s.o.ForgetUse(ctx, tenantID, id)
	}
	return nil
}

// Clients is the method of the same name of tenant.Service.
func (s *Registry) Clients(ctx context.Context, tenantID string) ([]record.Client, error) {
	if tenantID == record.OperatorClients {
		return s.operatorClients(ctx)
	}
	r, err := s.o.Read(ctx, tenantID)
	if err != nil {
		return nil, err
	}
	if r.Life != record.Active {
		return nil, record.ErrNotFound
	}
	all, err := s.details(ctx, tenantID, r.Clients)
	if err != nil {
		return nil, err
	}
	var ids []string
	for _, c := range all {
		ids = append(append(ids, c.ID), c.SecretIDs()...)
	}
	used, err := s.o.LastUses(ctx, tenantID, ids)
	if err != nil {
		return nil, err
	}
	clients, now := make([]record.Client, len(all)), s.o.Now()
	for i, c := range all {
		clients[i] = c.Client(now, used)
	}
	return clients, nil
}

// Client is the method of the same name of tenant.Service.
func (s *Registry) Client(ctx context.Context, tenantID, clientID string) (record.Client, error) {
	clients, err := s.Clients(ctx, tenantID)
	if err != nil {
		return record.Client{}, err
	}
	i := slices.IndexFunc(clients, func(c record.Client) bool { return c.ID == clientID })
	if i < 0 {
		return record.Client{}, record.ErrNotFound
	}
	return clients[i], nil
}

// details adds to clients of a tenant the values that are not in the tenant's item.
func (s *Registry) details(
	ctx context.Context, tenantID string, clients []record.ClientRecord,
) ([]record.ClientDoc, error) {
	if len(clients) == 0 {
		return nil, nil
	}
	keys := make([]store.Key, len(clients))
	for i, c := range clients {
		keys[i] = store.KeysOf(tenantID).Client(c.ID)
	}
	items, err := s.o.Store.Get(ctx, keys...)
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

// checkID checks the id that a request chooses for a new client; it may be empty.
func checkID(tenantID, id string) error {
	kind := record.TenantClient
	if tenantID == record.OperatorClients {
		kind = record.OperatorClient
	}
	if id == "" || record.ValidClientID(id) && strings.HasPrefix(id, kind) {
		return nil
	}
	return record.Invalid("id", "must be "+kind+" and 16 characters of a-z and 0-9")
}

func (s *Registry) checkClient(tenantID string, n record.NewClient, create bool) error {
	if err := n.Check(); err != nil {
		return err
	}
	switch {
	case !create && n.Name != "":
		return record.Invalid("name", "can't be changed")
	case !create && n.Scopes != nil:
		return record.Invalid("scopes", "can't be changed")
	}
	n.Endless = n.Endless && tenantID != record.OperatorClients // theirs have no end by default
	return s.o.CheckSecret(n)
}
