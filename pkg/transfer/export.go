package transfer

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
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
	partitions, err := partitionsOf(ctx, st, k)
	if err != nil {
		return 0, err
	}
	for _, pk := range partitions {
		if err := copyPartition(ctx, st, w, k, pk); err != nil {
			return 0, err
		}
	}
	return w.items, w.end()
}

// partitionsOf are the partitions of a tenant that move, but its own one.
func partitionsOf(ctx context.Context, st *store.Store, k store.Keys) ([]string, error) {
	var all []string
	for _, pk := range k.Partitions() {
		if !left[suffix(k, pk)] {
			all = append(all, pk)
		}
	}
	for pk, name := range map[string]func(string) string{
		k.OtherType("").PK:    func(sk string) string { return k.Other(sk, "").PK },
		k.LogPartitionNames(): k.LogPartitionOf,
	} {
		if pk == k.LogPartitionNames() {
			all = append(all, pk)
		}
		for item, err := range st.All(ctx, store.Query{PK: pk, Select: store.KeysOnly}) {
			if err != nil {
				return nil, err
			}
			all = append(all, name(item.SK))
		}
	}
	return all, nil
}

// suffix is a partition's name after the tenant.
func suffix(k store.Keys, pk string) string { return strings.TrimPrefix(pk, k.Tenant().PK+"#") }

func copyPartition(ctx context.Context, st *store.Store, w *writer, k store.Keys, pk string) error {
	for item, err := range st.All(ctx, store.Query{PK: pk}) {
		if err != nil {
			return err
		}
		if err := w.item(suffix(k, pk), item.SK, item.Attrs); err != nil {
			return err
		}
	}
	return nil
}

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
