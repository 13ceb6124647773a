package tenant

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/serverless-scim/serverless-scim/pkg/scim/schema"
	"github.com/serverless-scim/serverless-scim/pkg/scim/schema/define"
	"github.com/serverless-scim/serverless-scim/pkg/store"
	"github.com/serverless-scim/serverless-scim/pkg/tenant/internal/record"
)

// The definitions of a tenant, its own schemas and resource types, are a separate item under a hash of its content.
// The tenant's item has that hash. So a request learns from that item, which it reads anyway, whether the cached
// definitions are current, and reads them only if not. A tenant without definitions costs no read.
//
// A change writes the item of the new hash first, then switches the tenant. The previous item stays for requests that
// have read the tenant before, and is removed by a later change.

// attrCreated are the times of creation of definitions, beside them: an earlier version refuses a document with more.
const attrCreated = "created"

// keptDefinitions is how long replaced definitions stay: far longer than any request.
const keptDefinitions = time.Hour

// knownTypes are the cached types of a tenant, with the hash of their definitions.
type knownTypes struct {
	hash  string
	types *schema.Types
}

// maxKnown bounds the tenants whose types a process caches.
const maxKnown = 1000

// Types returns the resource types and schemas of a tenant. It reads the definitions only if this process has not
// seen them before.
func (s *Service) Types(ctx context.Context, t Tenant) (*schema.Types, error) {
	if t.Schemas == "" {
		return schema.DefaultTypes(), nil
	}
	s.mu.Lock()
	known := s.types[t.ID]
	s.mu.Unlock()
	if known.hash == t.Schemas {
		return known.types, nil
	}
	d, err := s.definitions(ctx, t.ID, t.Schemas)
	if errors.Is(err, errReplaced) {
		// They were replaced, more than once, after the tenant was read.
		if t, err = s.Get(ctx, t.ID); err == nil {
			d, err = s.definitions(ctx, t.ID, t.Schemas)
		}
	}
	if err != nil {
		return nil, err
	}
	types, err := d.Types()
	if err != nil {
		return nil, errStored(t.ID, err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.types) >= maxKnown {
		clear(s.types)
	}
	s.types[t.ID] = knownTypes{hash: t.Schemas, types: types}
	return types, nil
}

// Definitions returns the definitions of a tenant; ErrNotFound if there is no active tenant of that id.
func (s *Service) Definitions(ctx context.Context, id string) (define.Definitions, error) {
	t, err := s.Get(ctx, id)
	if err != nil {
		return define.Definitions{}, err
	}
	return s.definitions(ctx, id, t.Schemas)
}

// errReplaced says that the definitions of a hash were replaced and removed.
var errReplaced = errors.New("tenant: no such definitions")

// definitions reads the definitions of a hash.
func (s *Service) definitions(ctx context.Context, id, hash string) (define.Definitions, error) {
	if hash == "" {
		return define.Definitions{}, nil
	}
	items, err := s.store.Get(ctx, store.KeysOf(id).Schemas(hash))
	if err != nil {
		return define.Definitions{}, err
	}
	if items[0].Attrs == nil {
		return define.Definitions{}, errReplaced
	}
	var stored define.Stored
	stored.Doc, _ = items[0].Attrs[record.AttrDoc].(string)
	stored.Created, _ = items[0].Attrs[attrCreated].(string)
	d, err := define.Decode(stored)
	if err != nil {
		return define.Definitions{}, errStored(id, err)
	}
	return d, nil
}

// errStored returns an error about stored definitions. It does not wrap err: no client made the mistake.
func errStored(id string, err error) error {
	return fmt.Errorf("tenant: stored definitions of %s: %s", id, err.Error())
}

// CheckTypes decides whether a tenant's types may change. Its error gives the reason against it.
type CheckTypes func(ctx context.Context, tenantID string, old, next *schema.Types) error

// Define changes the definitions of a tenant: change makes the new ones from the old, check decides on them. Errors of
// both are returned as they are, and then nothing is changed; ErrNotFound if there is no active tenant of that id.
//
// A request that began under the old definitions may write after the call of check and before the new ones are in
// force. So check is called again then, and after an error the old definitions are restored. Data that a slower
// request writes even later stays: attributes that the new definitions don't have are not shown, and required ones are
// demanded with the next change of the resource.
func (s *Service) Define(ctx context.Context, id string, change func(define.Definitions) (define.Definitions, error),
	check CheckTypes,
) (define.Definitions, error) {
	var (
		before, next define.Definitions
		old, types   *schema.Types
		was          string
		stored       define.Stored
	)
	_, err := s.update(ctx, id, func(r *record.Record) (err error) {
		was = r.Schemas
		if before, err = s.definitions(ctx, id, was); err != nil {
			return err
		}
		if old, err = before.Types(); err != nil {
			return errStored(id, err)
		}
		if next, err = change(before); err != nil {
			return err
		}
		if types, err = next.Types(); err != nil {
			return err
		}
		next = next.After(before, s.o.Now().Unix())
		if stored = next.Encode(); stored.Hash == was {
			return errUnchanged
		}
		if err = check(ctx, id, old, types); err != nil {
			return err
		}
		r.Schemas, r.Modified = stored.Hash, s.o.Now().UnixMilli()
		return s.putDefinitions(ctx, id, stored)
	})
	if err != nil || stored.Hash == was {
		return next, err
	}
	if err := check(ctx, id, old, types); err != nil {
		s.withdraw(ctx, id, stored.Hash, was)
		return before, err
	}
	s.o.Log.InfoContext(ctx, "schemas changed", "tenant", id)
	s.sweepDefinitions(ctx, id, stored.Hash, was)
	return next, nil
}

// putDefinitions stores definitions. They are not visible before the tenant has their hash.
func (s *Service) putDefinitions(ctx context.Context, id string, d define.Stored) error {
	if d.Hash == "" {
		return nil
	}
	return s.store.Write(ctx, store.PutItem(store.KeysOf(id).Schemas(d.Hash), store.Attrs{
		record.AttrDoc: d.Doc, attrCreated: d.Created, attrAt: s.o.Now().Unix(),
	}))
}

// withdraw switches the tenant back from the definitions of hash to those of was, unless another one switched it.
func (s *Service) withdraw(ctx context.Context, id, hash, was string) {
	ctx, cancel := detach(ctx)
	defer cancel()
	_, err := s.update(ctx, id, func(r *record.Record) error {
		if r.Schemas != hash {
			return errUnchanged
		}
		r.Schemas = was
		return nil
	})
	if err != nil {
		s.o.Log.ErrorContext(ctx, "refused schema change not undone", "tenant", id, "error", err)
	}
}

// sweepDefinitions removes definitions that were stored more than an hour ago, except those of keep. An item that is
// written again meanwhile stays.
func (s *Service) sweepDefinitions(ctx context.Context, id string, keep ...string) {
	keys := store.KeysOf(id)
	prefix := keys.SchemasPrefix()
	kept := map[store.Key]bool{}
	for _, hash := range keep {
		kept[keys.Schemas(hash)] = true
	}
	limit := s.o.Now().Add(-keptDefinitions).Unix()
	for item, err := range s.store.All(ctx, store.Query{PK: prefix.PK, Prefix: prefix.SK}) {
		if err != nil {
			return // the next change tries again
		}
		at, _ := item.Attrs[attrAt].(int64)
		if kept[item.Key] || at > limit {
			continue
		}
		unchanged := store.Cond{Test: store.Equal, Attr: attrAt, Value: at}
		remove := store.Op{Kind: store.Delete, Key: item.Key, If: []store.Cond{unchanged}}
		if err := s.store.Write(ctx, remove); err != nil {
			s.o.Log.InfoContext(ctx, "old definitions not removed", "tenant", id, "error", err)
		}
	}
}
