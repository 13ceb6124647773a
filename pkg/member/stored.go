package member

import (
	"slices"

	"github.com/serverless-scim/serverless-scim/pkg/mapping"
	"github.com/serverless-scim/serverless-scim/pkg/scim"
	"github.com/serverless-scim/serverless-scim/pkg/store"
)

// Stored is a published member as its item has it, with the items that stand beside it, for those who check a table.
type Stored struct {
	Member
	// Lookups are the keys by which the member is found, Queue those of its places for seats.
	Lookups, Queue map[store.Key]bool
	// Last is the sequence number of the member's last entry in the log; 0: none. Until is the Unix time in seconds until
	// which that is kept; 0: always.
	Last, Until int64
	// Stale says that lookups of an earlier version are still to be removed.
	Stale bool
}

// ReadStored reads the item of a published member.
func ReadStored(k store.Keys, item store.Item) (Stored, error) {
	m, err := decodeItem(item)
	if err != nil {
		return Stored{}, err
	}
	s := Stored{Member: m, Lookups: m.lookups(k), Queue: map[store.Key]bool{}, Stale: item.Attrs[attrStale] != nil}
	for _, w := range m.waiting {
		s.Queue[w.key(k)] = true
	}
	s.Last, _ = item.Attrs[attrLast].(int64)
	s.Until, _ = item.Attrs[attrUntil].(int64)
	return s, nil
}

// Has reports whether the member has a target.
func (s Stored) Has(key mapping.TargetKey) bool { return find(s.Assignments, key) >= 0 }

// HoldersPrefix is the prefix of the lookups of all members with a target, of any organisation.
func HoldersPrefix(k store.Keys, key mapping.TargetKey) store.Key {
	return k.PublishedPrefix(byAssignment, assignmentValue(key))
}

// Adopts reports whether the item of a group's targets names a target, given by its joined key.
func Adopts(item store.Item, joined string) bool {
	return slices.Contains(words(parseList(item.Attrs[attrDoc])), joined)
}

// Adopted are the joined keys that the item of a group's targets names.
func Adopted(item store.Item) []string { return words(parseList(item.Attrs[attrDoc])) }

// LogSubject is the subject of a member's entries in the log.
func LogSubject(id string) string { return "members/" + id }

// Excludes reports whether a policy document leaves anybody out, so that a user need not be a member.
func Excludes(policy string) bool {
	o, err := scim.ParseObject(policy)
	members, _ := o["members"].(scim.Object)
	return err != nil || members["exclude"] != nil
}
