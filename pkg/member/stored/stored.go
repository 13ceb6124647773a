// Package stored reads the items of members as they are stored, for a check of a table. It writes nothing.
package stored

import (
	"slices"

	"github.com/serverless-scim/serverless-scim/pkg/mapping"
	"github.com/serverless-scim/serverless-scim/pkg/member/internal/record"
	"github.com/serverless-scim/serverless-scim/pkg/scim"
	"github.com/serverless-scim/serverless-scim/pkg/store"
)

// Removed is the status of a member who has left.
const Removed = record.Removed

// Member is a published member as its item has it, and the items that belong to it, for a check of a table.
type Member struct {
	record.Member
	// Lookups are the keys by which the member is found, Queue those of its places for seats.
	Lookups, Queue map[store.Key]bool
	// Last is the sequence number of the member's last entry in the log; 0: none. Until is the Unix time in seconds
	// until which that is kept; 0: always.
	Last, Until int64
	// Stale says that lookups of an earlier version are still to be removed.
	Stale bool
}

// Read reads the item of a published member.
func Read(k store.Keys, item store.Item) (Member, error) {
	m, err := record.DecodeItem(item)
	if err != nil {
		return Member{}, err
	}
	s := Member{
		Member: m, Lookups: m.Lookups(k), Queue: map[store.Key]bool{}, Stale: item.Attrs[record.AttrStale] != nil,
	}
	for _, w := range m.Waiting {
		s.Queue[w.Key(k)] = true
	}
	s.Last, _ = item.Attrs[record.AttrLast].(int64)
	s.Until, _ = item.Attrs[record.AttrUntil].(int64)
	return s, nil
}

// Has reports whether the member has a target.
func (s Member) Has(key mapping.TargetKey) bool { return record.Find(s.Assignments, key) >= 0 }

// HoldersPrefix is the prefix of the lookups of all members with a target, of any organisation.
func HoldersPrefix(k store.Keys, key mapping.TargetKey) store.Key {
	return k.PublishedPrefix(record.ByAssignment, record.AssignmentValue(key))
}

// Adopts reports whether the item of a group's targets names a target, given by its joined key.
func Adopts(item store.Item, joined string) bool {
	return slices.Contains(record.ParseList(item.Attrs[record.AttrDoc]), joined)
}

// Adopted are the joined keys that the item of a group's targets names.
func Adopted(item store.Item) []string {
	return record.ParseList(item.Attrs[record.AttrDoc])
}

// LogSubject is the subject of a member's entries in the log.
func LogSubject(id string) string { return record.LogSubject(id) }

// Excludes reports whether a policy document excludes any user, so that a user need not be a member.
func Excludes(policy string) bool {
	o, err := scim.ParseObject(policy)
	members, _ := o["members"].(scim.Object)
	return err != nil || members["exclude"] != nil
}
