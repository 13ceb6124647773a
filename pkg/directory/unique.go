package directory

import (
	"context"
	"encoding/json"
	"slices"

	"github.com/serverless-scim/serverless-scim/pkg/directory/plan"
	"github.com/serverless-scim/serverless-scim/pkg/scim"
	"github.com/serverless-scim/serverless-scim/pkg/scim/schema"
	"github.com/serverless-scim/serverless-scim/pkg/store"
)

// A value that an operator wants unique is an item, named by type, attribute and value, of the transaction that writes
// the resource. The resource's own item lists those that it holds: so it gives back what it holds, and nothing else,
// whatever has become of the definitions in the meantime.

// claim appends the operations that make the unique values of r's document r's own, and sets r.unique. held are those
// that it holds so far.
func claim(tx *store.Tx, k store.Keys, r *record, held []string) error {
	values, err := r.rt.UniqueValues(r.doc)
	if err != nil {
		return err
	}
	r.unique = nil
	for _, v := range values {
		key := k.Unique(r.rt.ID, v.Attribute, v.Value)
		r.unique = append(r.unique, key.SK)
		if !slices.Contains(held, key.SK) {
			tx.Must(store.PutItem(key, store.Attrs{"id": r.id}).When(store.IsAbsent()), takenValue(r.rt, v))
		}
	}
	for _, sk := range held {
		if !slices.Contains(r.unique, sk) {
			tx.Add(store.RemoveItem(store.Key{PK: k.Unique("", "", "").PK, SK: sk}))
		}
	}
	return nil
}

// release appends the removal of the unique values that a deleted resource holds.
func release(tx *store.Tx, k store.Keys, r record) {
	for _, sk := range r.unique {
		tx.Add(store.RemoveItem(store.Key{PK: k.Unique("", "", "").PK, SK: sk}))
	}
}

// takenValue is the answer to a write that would use a unique value a second time. A value that is never returned is
// not repeated.
func takenValue(rt *schema.ResourceType, v schema.UniqueValue) error {
	if v.Hidden {
		return scim.Errorf(409, scim.Uniqueness, "Another %s already has this value of %s, which must be unique.", rt.Name,
			v.Attribute)
	}
	return scim.Errorf(409, scim.Uniqueness, "Another %s already has the %s %s, which must be unique.", rt.Name,
		v.Attribute, scim.Quote(v.Value))
}

func encodeUnique(keys []string) string {
	text, _ := json.Marshal(keys) // strings can always be written
	return string(text)
}

// decodeUnique is the inverse of encodeUnique; what is no such text holds nothing.
func decodeUnique(v any) (keys []string) {
	if text, ok := v.(string); ok {
		_ = json.Unmarshal([]byte(text), &keys)
	}
	return keys
}

// byUnique finds the resource with a value of a unique attribute.
func (p *planner) byUnique(ref schema.Ref) plan.Lookup {
	return func(ctx context.Context, value, _ string) ([]string, error) {
		v, ok := p.Type.UniqueKey(ref, value)
		if !ok {
			return nil, nil
		}
		items, err := p.ts.Get(ctx, p.ts.Unique(p.Type.ID, v.Attribute, v.Value))
		if err != nil {
			return nil, err
		}
		if id, ok := items[0].Attrs["id"].(string); ok {
			return []string{id}, nil
		}
		return nil, nil
	}
}
