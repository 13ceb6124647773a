package tenant

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/serverless-scim/serverless-scim/pkg/event"
	"github.com/serverless-scim/serverless-scim/pkg/store"
)

func (s *Service) createOperatorClient(ctx context.Context, n NewClient) (IssuedClient, error) {
	page, err := s.store.Query(ctx,
		store.Query{PK: store.OperatorClientsPK, Select: store.CountOnly, Limit: maxOperatorClients})
	if err != nil {
		return IssuedClient{}, err
	}
	if page.Count >= maxOperatorClients {
		return IssuedClient{}, &ConflictError{Detail: fmt.Sprintf("There are %d clients already. Delete one of them first.",
			maxOperatorClients)}
	}
	now := s.o.Now()
	c, secret := makeClient(operatorClient, n, now, policy{})
	if err := s.writeOperatorClient(ctx, c, 0); err != nil {
		return IssuedClient{}, err
	}
	s.o.Log.InfoContext(ctx, "client created", "client", c.ID)
	return IssuedClient{Client: c.client(now, nil), Secret: secret}, nil
}

// writeOperatorClient stores a client in place of a version of it; 0: there must be none.
func (s *Service) writeOperatorClient(ctx context.Context, c clientDoc, previous int64) error {
	doc, err := encode(c)
	if err != nil {
		return err
	}
	return s.store.Transact(ctx, store.Op{
		Kind: store.Put, Key: store.OperatorClient(c.ID), If: []store.Cond{atVersion(previous)},
		Set: store.Attrs{attrDoc: doc, attrVersion: previous + 1, store.AttrSchema: store.SchemaVersion},
	})
}

// readOperatorClient reads a client and its version; ErrNotFound where there is none.
func (s *Service) readOperatorClient(ctx context.Context, id string) (clientDoc, int64, error) {
	items, err := s.store.Get(ctx, store.OperatorClient(id))
	if err != nil {
		return clientDoc{}, 0, err
	}
	return decodeClient(items[0])
}

// decodeClient reads the item of a client of the operator's, and its version; ErrNotFound where there is none.
func decodeClient(item store.Item) (c clientDoc, version int64, err error) {
	if item.Attrs == nil {
		return c, 0, ErrNotFound
	}
	doc, _ := item.Attrs[attrDoc].(string)
	version, _ = item.Attrs[attrVersion].(int64)
	if err := json.Unmarshal([]byte(doc), &c); err != nil {
		return c, 0, fmt.Errorf("tenant: stored client %s: %w", item.SK, err)
	}
	return c, version, nil
}

func (s *Service) changeOperatorClient(
	ctx context.Context, id string, change func(*clientDoc, policy) (event.Kind, error),
) (clientDoc, error) {
	for {
		c, version, err := s.readOperatorClient(ctx, id)
		if err != nil {
			return c, err
		}
		kind, err := change(&c, policy{})
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
		select {
		case <-ctx.Done():
			return c, fmt.Errorf("%w: %w", ErrBusy, ctx.Err())
		case <-time.After(rand.N(pause)):
		}
	}
}

// deleteOperatorClient removes the client. Settings of tenants may go on naming it; its id never comes again.
func (s *Service) deleteOperatorClient(ctx context.Context, id string) error {
	err := s.store.Transact(ctx, store.Op{
		Kind: store.Delete, Key: store.OperatorClient(id),
		If: []store.Cond{{Test: store.Exists}},
	})
	if failed := (*store.ConditionError)(nil); errors.As(err, &failed) {
		return ErrNotFound
	}
	if err == nil {
		s.o.Log.InfoContext(ctx, "client deleted", "client", id)
	}
	return err
}

func (s *Service) operatorClients(ctx context.Context) ([]Client, error) {
	now := s.o.Now()
	var all []clientDoc
	for item, err := range s.store.All(ctx, store.Query{PK: store.OperatorClientsPK}) {
		if err != nil {
			return nil, err
		}
		c, _, err := decodeClient(item)
		if err != nil {
			return nil, err
		}
		all = append(all, c)
	}
	slices.SortStableFunc(all, func(a, b clientDoc) int { return int(a.Created - b.Created) })
	clients := make([]Client, len(all))
	for i, c := range all {
		clients[i] = c.client(now, nil)
	}
	return clients, nil
}
