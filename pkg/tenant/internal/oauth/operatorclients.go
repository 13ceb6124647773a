package oauth

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/serverless-scim/serverless-scim/pkg/event"
	"github.com/serverless-scim/serverless-scim/pkg/store"
	"github.com/serverless-scim/serverless-scim/pkg/tenant/internal/record"
)

func (s *Registry) createOperatorClient(ctx context.Context, n record.NewClient) (record.IssuedClient, error) {
	page, err := s.o.Store.Query(ctx,
		store.Query{PK: store.OperatorClientsPK, Select: store.CountOnly, Limit: record.MaxOperatorClients})
	if err != nil {
		return record.IssuedClient{}, err
	}
	if page.Count >= record.MaxOperatorClients {
		return record.IssuedClient{}, &record.ConflictError{
			Detail: fmt.Sprintf("There are %d clients already. Delete one of them first.", record.MaxOperatorClients),
		}
	}
	now := s.o.Now()
	c, secret := record.MakeClient(record.OperatorClient, n, now, record.Policy{})
	err = s.writeOperatorClient(ctx, c, 0)
	if failed := (*store.ConditionError)(nil); errors.As(err, &failed) {
		err = record.Taken("client")
	}
	if err != nil {
		return record.IssuedClient{}, err
	}
	s.o.Log.InfoContext(ctx, "client created", "client", c.ID)
	return record.IssuedClient{Client: c.Client(now, nil), Secret: secret}, nil
}

// writeOperatorClient stores a client in place of a version of it; 0: there must be none.
func (s *Registry) writeOperatorClient(ctx context.Context, c record.ClientDoc, previous int64) error {
	doc, err := record.Encode(c)
	if err != nil {
		return err
	}
	return s.o.Store.Transact(ctx, store.Op{
		Kind: store.Put, Key: store.OperatorClient(c.ID), If: []store.Cond{record.AtVersion(previous)},
		Set: store.Attrs{record.AttrDoc: doc, record.AttrVersion: previous + 1, store.AttrSchema: store.SchemaVersion},
	})
}

// readOperatorClient reads a client and its version; ErrNotFound if there is none.
func (s *Registry) readOperatorClient(ctx context.Context, id string) (record.ClientDoc, int64, error) {
	items, err := s.o.Store.Get(ctx, store.OperatorClient(id))
	if err != nil {
		return record.ClientDoc{}, 0, err
	}
	return record.DecodeClient(items[0])
}

func (s *Registry) changeOperatorClient(
	ctx context.Context, id string, change func(*record.ClientDoc, record.Policy) (event.Kind, error),
) (record.ClientDoc, error) {
	for {
		c, version, err := s.readOperatorClient(ctx, id)
		if err != nil {
			return c, err
		}
		if err := s.agreed(ctx, c); err != nil {
			return c, err
		}
		kind, err := change(&c, record.Policy{})
		if err != nil {
			return c, err
		}
		err = s.writeOperatorClient(ctx, c, version)
		if err == nil {
			s.o.Log.InfoContext(ctx, "client changed", "client", id, "change", string(kind))
		}
		if failed := (*store.ConditionError)(nil); !errors.As(err, &failed) {
			return c, err
		}
		if err := s.o.Rest(ctx); err != nil {
			return c, err
		}
	}
}

// deleteOperatorClient removes the client. Settings of tenants may still name it: they mean a new client that gets its
// id.
func (s *Registry) deleteOperatorClient(ctx context.Context, id string) error {
	for {
		c, version, err := s.readOperatorClient(ctx, id)
		if err != nil {
			return err
		}
		if err := s.agreed(ctx, c); err != nil {
			return err
		}
		err = s.o.Store.Transact(ctx, store.Op{
			Kind: store.Delete, Key: store.OperatorClient(id), If: []store.Cond{record.AtVersion(version)},
		})
		if failed := (*store.ConditionError)(nil); !errors.As(err, &failed) {
			if err == nil {
				s.o.Log.InfoContext(ctx, "client deleted", "client", id)
			}
			return err
		}
		if err := s.o.Rest(ctx); err != nil {
			return err
		}
	}
}

func (s *Registry) operatorClients(ctx context.Context) ([]record.Client, error) {
	now := s.o.Now()
	var all []record.ClientDoc
	for item, err := range s.o.Store.All(ctx, store.Query{PK: store.OperatorClientsPK}) {
		if err != nil {
			return nil, err
		}
		c, _, err := record.DecodeClient(item)
		if err != nil {
			return nil, err
		}
		all = append(all, c)
	}
	slices.SortStableFunc(all, func(a, b record.ClientDoc) int { return int(a.Created - b.Created) })
	clients := make([]record.Client, len(all))
	for i, c := range all {
		clients[i] = c.Client(now, nil)
	}
	return clients, nil
}
