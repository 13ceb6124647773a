package record

import (
	"cmp"
	"slices"

	"github.com/serverless-scim/serverless-scim/pkg/mapping"
	"github.com/serverless-scim/serverless-scim/pkg/store"
)

// SortedKeys are the keys of a set, in the order of CompareKeys.
func SortedKeys[V any](set map[mapping.TargetKey]V) []mapping.TargetKey {
	keys := make([]mapping.TargetKey, 0, len(set))
	for k := range set {
		keys = append(keys, k)
	}
	slices.SortFunc(keys, CompareKeys)
	return keys
}

// CompareKeys orders keys by kind, organisation and name.
func CompareKeys(a, b mapping.TargetKey) int {
	return cmp.Or(
		cmp.Compare(a.Kind, b.Kind),
		cmp.Compare(a.Organisation, b.Organisation),
		cmp.Compare(a.Name, b.Name),
	)
}

// SplitTarget is the reverse of Joined.
func SplitTarget(joined string) mapping.TargetKey {
	parts := store.Split(joined)
	return mapping.TargetKey{Kind: parts[0], Organisation: parts[1], Name: parts[2]}
}

// AdoptedKey returns the key of the item that records that a group names a target. joined is the key of the
// target as Joined returns it.
func AdoptedKey(k store.Keys, joined, groupID string) store.Key {
	t := SplitTarget(joined)
	return k.Adopted(t.Kind, t.Organisation, t.Name, groupID)
}

// Joined returns a key as one text.
func Joined(key mapping.TargetKey) string { return store.Join(key.Kind, key.Organisation, key.Name) }
