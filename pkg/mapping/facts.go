package mapping

import (
	"github.com/serverless-scim/serverless-scim/pkg/scim"
)

// Facts are all that an evaluation depends on beside the policy.
type Facts struct {
	// User has the stored attributes of the user, and its id if a filter asks for it. It is not changed.
	User scim.Object
	// Memberships are the groups that the user is a direct member of, in any order, each once.
	Memberships []Membership
	// Nested are groups that hold a group of the user and not the user. They give nothing and are explained only.
	Nested []*Group
	// Manual are the assignments that the application or a person gave, in any order, each once.
	Manual []Manual
	// Targets are the targets that exist, at least those that Policy.Needs names.
	Targets Targets
	// Full are the kinds that have MaxTargets already: unknown targets of them are not made.
	Full map[string]bool
	// Adopted are the targets whose manual assignments a group has ended: see Group.Adopts.
	Adopted map[TargetKey]bool
}

// Membership is a group of the user.
type Membership struct {
	Group *Group
	// Since is the stored time since when the membership exists, in Unix milliseconds.
	Since int64
}

// Manual is an assignment of manual origin.
type Manual struct {
	TargetKey
	Since int64 // Unix milliseconds
}

// TargetKey names a target. Organisation is empty unless the kind's targets live inside organisations.
type TargetKey struct{ Kind, Name, Organisation string }

// TooLong reports whether the names are too long for the keys of a store. The control characters U+0000 to U+0002
// are escaped there, and count three times.
func (k TargetKey) TooLong() bool {
	n := len(k.Name) + len(k.Organisation)
	for _, s := range []string{k.Name, k.Organisation} {
		for i := range len(s) {
			if s[i] <= 2 {
				n += 2
			}
		}
	}
	return len(k.Kind) > maxNameBytes || n > MaxTargetBytes
}

// Organisation is the key of an organisation.
func Organisation(name string) TargetKey { return TargetKey{Kind: KindOrganisation, Name: name} }

// Target holds the properties of a target that a policy can use.
type Target struct {
	DisplayName string
	Features    []string
}

// Targets are targets by their keys.
type Targets map[TargetKey]Target

// Status of a member.
type Status string

// The statuses that an evaluation gives.
const (
	Staged   Status = "staged"
	Active   Status = "active"
	Inactive Status = "inactive"
)

// Reason says why a rule gives nothing.
type Reason string

// The reasons. NoSeat comes from the assignment of seats, not from an evaluation.
const (
	TargetUnknown       Reason = "target-unknown"
	OrganisationUnknown Reason = "organisation-unknown"
	NotInOrganisation   Reason = "not-in-organisation"
	NotChosen           Reason = "not-chosen"
	FeatureOff          Reason = "feature-off"
	NoSeat              Reason = "no-seat"
	ExcludedGroup       Reason = "excluded"
	NestedGroup         Reason = "nested"
	NotActive           Reason = "inactive"
	OverLimit           Reason = "limit"
	ConditionFalse      Reason = "condition"
)

// Result is a member as the policy wants it.
type Result struct {
	// Excluded says that the user is no member; the rest is empty then.
	Excluded bool
	Status   Status
	// Because explains the status in a sentence.
	Because string
	Person  Person
	// Assignments are in order of kind, organisation and target.
	Assignments []Assignment
	// Missing are the rules that would give something and do not, with the reason.
	Missing []Missing
	// Ended are the manual assignments that a group has ended by adopting their target.
	Ended []Manual
	// Makes are the unknown targets among Assignments, which are to be made.
	Makes []TargetKey
}

// Assignment is a target that the member has.
type Assignment struct {
	TargetKey
	// Scim and Manual are the origins; one of them is set at least.
	Scim, Manual bool
	// Rules are the ids of the rules that give it, in order of the policy.
	Rules []string
	// Since is the earliest stored time of its sources, in Unix milliseconds; 0 if only attributes of the user give
	// it.
	Since int64
	// Sources are the reasons why it is given, in order of the policy.
	Sources []Source
}

// Source is a rule with the group that passes it.
type Source struct {
	Rule string
	// Membership is an index into Facts.Memberships; -1 if the rule looks at the user alone.
	Membership int
}

// Missing is something that a rule does not give.
type Missing struct {
	TargetKey
	// Rule is empty for a manual assignment.
	Rule string
	// Membership is an index into Facts.Memberships, Nested one into Facts.Nested; -1: none.
	Membership, Nested int
	Reason             Reason
	// Detail is a sentence for an administrator.
	Detail string
}

// Person holds the fields of a user that the application sees beside status and assignments. Empty strings are
// unset.
type Person struct {
	UserName, ExternalID, LoginAddress, Email, DisplayName string
	// Name is the name object; nil if there is none.
	Name scim.Object
	// Attributes are the named attributes that have a value.
	Attributes scim.Object
	// Manager is the stored value that names the manager.
	Manager string
}
