package transfer

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"iter"
	"strings"
	"time"

	"github.com/serverless-scim/serverless-scim/pkg/store"
	"github.com/serverless-scim/serverless-scim/pkg/tenant/stored"
)

// Export are the options of an export.
type Export struct {
	Tenant string
	// Seal encrypts the secrets for whoever may read them; nil leaves them out.
	Seal func([]byte) ([]byte, error)
	Now  func() time.Time
}

// secrets are the secrets of a tenant.
type secrets struct {
	Key    []byte            `json:"key"`
	Tokens map[string]string `json:"tokens,omitempty"` // by id
}

// left are the partitions that do not move: of use for minutes only, or bound to a receiver of this table.
var left = map[string]bool{"K": true, "B": true, "J": true, "W": true, "D": true, "SL": true, "IK": true}

// leftOwn are the items of the tenant's own partition that do not move, by the first part of their keys.
var leftOwn = map[string]bool{"NOTICE": true, "SECRET": true, "IMPORT": true}

// Write writes a tenant to a file and returns the number of items. It is an error if the tenant is not there.
func (e Export) Write(ctx context.Context, st *store.Store, out io.Writer) (int64, error) {
	k := store.KeysOf(e.Tenant)
	items, err := st.Get(ctx, k.Tenant())
	if err != nil {
		return 0, err
	}
	if t, err := stored.Decode(items[0], e.Now()); err != nil {
		return 0, err
	} else if t.State != stored.Active {
		return 0, fmt.Errorf("transfer: tenant %s is %s", e.Tenant, t.State)
	}
	w := newWriter(out)
	err = w.line(Header{
		Format: formatName, Version: formatVersion, Tenant: e.Tenant, Layout: store.SchemaVersion,
		At: e.Now().UTC().Truncate(time.Second),
	})
	if err != nil {
		return 0, err
	}
	if err := e.own(ctx, st, w); err != nil {
		return 0, err
	}
	if err := copyLanes(ctx, st, w, k); err != nil {
		return 0, err
	}
	return w.items, w.end()
}

// A lane is read one item after the other, page by page.
type lane = iter.Seq2[store.Item, error]

const (
	// lanePage bounds the items of each lane that are in memory.
	lanePage = 200
	// turn is how many items of a lane follow each other in the file.
	turn = store.MaxBatchOps
)

// lanesOf are the partitions of a tenant that move, but its own one. The partitions of a resource type of the tenant's,
// and those of its log, follow each other in one lane: there may be many.
func lanesOf(ctx context.Context, st *store.Store, k store.Keys) []lane {
	partition := func(pk string) lane { return st.All(ctx, store.Query{PK: pk, Limit: lanePage}) }
	named := func(pk string, name func(string) string) lane {
		return func(yield func(store.Item, error) bool) {
			for item, err := range st.All(ctx, store.Query{PK: pk, Select: store.KeysOnly}) {
				if err != nil {
					yield(item, err)
					return
				}
				for item, err := range partition(name(item.SK)) {
					if !yield(item, err) || err != nil {
						return
					}
				}
			}
		}
	}
	lanes := []lane{
		partition(k.LogPartitionNames()),
		named(k.LogPartitionNames(), k.LogPartitionOf),
		named(k.OtherType("").PK, func(sk string) string { return k.Other(sk, "").PK }),
	}
	for _, pk := range k.Partitions() {
		if !left[suffix(k, pk)] {
			lanes = append(lanes, partition(pk))
		}
	}
	return lanes
}

// copyLanes writes the lanes of a tenant in turns, because DynamoDB bounds the writes to one partition: so an import
// writes to many at a time.
func copyLanes(ctx context.Context, st *store.Store, w *writer, k store.Keys) error {
	var open []func() (store.Item, error, bool)
	for _, l := range lanesOf(ctx, st, k) {
		next, stop := iter.Pull2(l)
		defer stop()
		open = append(open, next)
	}
	for len(open) > 0 {
		rest := open[:0]
		for _, next := range open {
			more, err := takeTurn(w, k, next)
			if err != nil {
				return err
			}
			if more {
				rest = append(rest, next)
			}
		}
		open = rest
	}
	return nil
}

// takeTurn writes some items of a lane, and reports whether there may be more.
func takeTurn(w *writer, k store.Keys, next func() (store.Item, error, bool)) (more bool, err error) {
	for range turn {
		item, err, ok := next()
		if err != nil || !ok {
			return false, err
		}
		if err := w.item(suffix(k, item.PK), item.SK, item.Attrs); err != nil {
			return false, err
		}
	}
	return true, nil
}

// suffix is a partition's name after the tenant.
func suffix(k store.Keys, pk string) string { return strings.TrimPrefix(pk, k.Tenant().PK+"#") }

// own writes the tenant's own partition, and the secrets.
func (e Export) own(ctx context.Context, st *store.Store, w *writer) error {
	k, hidden := store.KeysOf(e.Tenant), secrets{Tokens: map[string]string{}}
	for item, err := range st.All(ctx, store.Query{PK: k.Tenant().PK}) {
		if err != nil {
			return err
		}
		kind := store.Split(item.SK)[0]
		if kind == "SECRET" {
			hidden.Tokens[store.LastPart(item.SK)], _ = item.Attrs["value"].(string)
		}
		if leftOwn[kind] {
			continue
		}
		if item.Key == k.Tenant() {
			if item.Attrs["doc"], hidden.Key, err = stored.Exported(item); err != nil {
				return err
			}
		}
		if err := w.item("", item.SK, item.Attrs); err != nil {
			return err
		}
	}
	if e.Seal == nil {
		return nil
	}
	text, err := json.Marshal(hidden)
	if err != nil {
		return err
	}
	sealed, err := e.Seal(text)
	if err != nil {
		return fmt.Errorf("transfer: secrets can't be encrypted: %w", err)
	}
	return w.line(line{Sealed: sealed})
}
