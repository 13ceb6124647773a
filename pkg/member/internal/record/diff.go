package record

import (
	"maps"
	"slices"

	"github.com/serverless-scim/serverless-scim/pkg/mapping"
	"github.com/serverless-scim/serverless-scim/pkg/scim"
)

// Event types of a member.
const (
	eventCreated           = "member.created"
	EventUpdated           = "member.updated"
	eventActivated         = "member.activated"
	eventDeactivated       = "member.deactivated"
	EventRemoved           = "member.removed"
	eventAssignmentAdded   = "assignment.added"
	eventAssignmentRemoved = "assignment.removed"
	EventInvitationDue     = "invitation.due"
)

// Types of events that are not about one member.
const (
	// EventPolicyChanged: a policy was saved. Data: version.
	EventPolicyChanged = "policy.changed"
	// EventTargetCreated: a target was created, by a rule or by hand. Data: target.
	EventTargetCreated = "target.created"
	// EventTargetRenamed: a target is shown under another name. Data: target, previousDisplayName (null: none).
	EventTargetRenamed = "target.renamed"
)

// LogSubject is the subject of a member's entries in the log.
func LogSubject(id string) string { return "members/" + id }

// Told is an event about one version of a member. The whole member is added to its data on reading.
type Told struct {
	Kind string
	Data scim.Object // beside the member; nil: nothing
}

// Tell returns the events that lead from one published member to the next, in the order in which an application applies
// them: created, updated, status, assignments removed, assignments added. old is nil for a new member. It returns none
// if nothing differs. Events that are due once in a life are the caller's.
func Tell(old *Member, next Member) []Told {
	if next.Status == Removed {
		return []Told{{Kind: EventRemoved}}
	}
	var all []Told
	if old == nil {
		all = append(all, Told{Kind: eventCreated})
		old = &Member{Status: next.Status}
		if next.Status == mapping.Active {
			old.Status = mapping.Staged
		}
	} else if changes := changes(*old, next); len(changes) > 0 {
		all = append(all, Told{Kind: EventUpdated, Data: scim.Object{"changes": changes}})
	}
	switch {
	case next.Status == old.Status:
	case next.Status == mapping.Active:
		all = append(all, Told{Kind: eventActivated})
	case old.Status == mapping.Active:
		all = append(all, Told{Kind: eventDeactivated})
	}
	for _, a := range old.Assignments {
		if Find(next.Assignments, a.TargetKey) < 0 {
			all = append(all, Told{Kind: eventAssignmentRemoved, Data: scim.Object{"assignment": a.Object()}})
		}
	}
	for _, a := range next.Assignments {
		if Find(old.Assignments, a.TargetKey) < 0 {
			all = append(all, Told{Kind: eventAssignmentAdded, Data: scim.Object{"assignment": a.Object()}})
		}
	}
	return all
}

// Find is the index of the assignment of a target; -1: there is none.
func Find(list []Assignment, key mapping.TargetKey) int {
	return slices.IndexFunc(list, func(a Assignment) bool { return a.TargetKey == key })
}

// fields are the members of the JSON whose changes member.updated lists.
var fields = []string{
	"userName", "externalId", "loginAddress", "email", "displayName", "name", "manager", "accountId", "previousId",
	"invitation",
}

// changes lists the differences that no other event reports, as {"path", "old", "new"}, in a fixed order.
func changes(old, next Member) []any {
	var all []any
	add := func(path string, was, is any) {
		if !scim.Equal(was, is) {
			all = append(all, scim.Object{"path": path, "old": was, "new": is})
		}
	}
	old, next = old.bare(), next.bare()
	before, after := old.Object(), next.Object()
	for _, f := range fields {
		add(f, before[f], after[f])
	}
	names := map[string]bool{}
	for name := range old.Attributes {
		names[name] = true
	}
	for name := range next.Attributes {
		names[name] = true
	}
	for _, name := range slices.Sorted(maps.Keys(names)) {
		add("attributes."+name, old.Attributes[name], next.Attributes[name])
	}
	if old.Status != next.Status && old.Status != mapping.Active && next.Status != mapping.Active {
		add("status", string(old.Status), string(next.Status))
	}
	for _, a := range next.Assignments {
		if i := Find(old.Assignments, a.TargetKey); i >= 0 {
			add(a.path(), old.Assignments[i].Object(), a.Object())
		}
	}
	return all
}

// path names an assignment as a SCIM path.
func (a Assignment) path() string {
	path := "assignments[kind eq " + quote(a.Kind) + " and target eq " + quote(a.Name)
	if a.Organisation != "" {
		path += " and organisation eq " + quote(a.Organisation)
	}
	return path + "]"
}

func quote(s string) string { return string(scim.AppendJSON(nil, s)) }

// Same reports whether the application would see no difference between two members.
func Same(old, next Member) bool {
	old.Version, old.ChangedAt, old.CreatedAt = next.Version, next.ChangedAt, next.CreatedAt
	return old.Encode() == next.Encode()
}
