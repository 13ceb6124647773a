package row

import (
	"encoding/json"
	"slices"

	"github.com/serverless-scim/serverless-scim/pkg/scim"
	"github.com/serverless-scim/serverless-scim/pkg/scim/schema"
	"github.com/serverless-scim/serverless-scim/pkg/store"
)

// A value that an operator wants unique is an item, named by type, attribute and value, of the transaction that
// writes the resource. The resource's own item lists the values that it holds: so it gives back exactly these,
// even if the definitions have changed in the meantime.

// Claim appends the operations that make the unique values of r's document r's own, and sets r.unique. held are those
// that it holds so far.
func Claim(tx *store.Tx, k store.Keys, r *Record, held []string) error {
	values, err := r.Type.UniqueValues(r.Doc)
	if err != nil {
		return err
	}
	r.Unique = nil
	for _, v := range values {
		key := k.Unique(r.Type.ID, v.Attribute, v.Value)
		r.Unique = append(r.Unique, key.SK)
		if !slices.Contains(held, key.SK) {
			tx.Must(store.PutItem(key, store.Attrs{"id": r.ID}).When(store.IsAbsent()), takenValue(r.Type, v))
		}
	}
	for _, sk := range held {
		if !slices.Contains(r.Unique, sk) {
			tx.Add(store.RemoveItem(store.Key{PK: k.Unique("", "", "").PK, SK: sk}))
		}
	}
	return nil
}

// Release appends the removal of the unique values that a deleted resource holds.
func Release(tx *store.Tx, k store.Keys, r Record) {
	for _, sk := range r.Unique {
		tx.Add(store.RemoveItem(store.Key{PK: k.Unique("", "", "").PK, SK: sk}))
	}
}

// takenValue is the answer to a write that would use a unique value a second time. A value that is never returned is
// not repeated.
func takenValue(rt *schema.ResourceType, v schema.UniqueValue) error {
	if v.Hidden {
		return scim.Errorf(409, scim.Uniqueness, "Another %s already has this value of %s, which must be unique.",
			rt.Name, v.Attribute)
	}
	return scim.Errorf(409, scim.Uniqueness, "Another %s already has the %s %s, which must be unique.", rt.Name,
		v.Attribute, scim.Quote(v.Value))
}

// EncodeUnique are keys of unique values as an attribute holds them.
func EncodeUnique(keys []string) string {
	text, _ := json.Marshal(keys) // strings can always be written
	return string(text)
}

// decodeUnique is the inverse of EncodeUnique; any other value gives no keys.
func decodeUnique(v any) (keys []string) {
	if text, ok := v.(string); ok {
		_ = json.Unmarshal([]byte(text), &keys)
	}
	return keys
}
