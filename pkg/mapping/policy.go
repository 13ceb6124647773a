package mapping

import (
	"strconv"

	"github.com/serverless-scim/serverless-scim/pkg/scim"
)

// Limits of a policy and of its results.
const (
	MaxPolicyBytes = 256 << 10 // of the JSON document
	MaxRules       = 500
	maxKinds       = 50
	MaxTargets     = 10_000 // of one kind, except the kind of a tenant without rules
	MaxAssignments = 1_000  // of one member
	maxSeats       = 12     // of one member: targets of kinds with seats; they all change in one transaction
	MaxValueBytes  = 2 << 10
	// The assignments of a member, and its attributes, are so small that an item of the table has room for them.
	maxAssignmentBytes = 240 << 10
	maxAttributeBytes  = 32 << 10
	MaxTargetBytes     = 800  // of the names of a target and its organisation together
	maxNameBytes       = 128  // of a kind, a rule id, an attribute name, an event type
	maxPatternBytes    = 1024 // of a pattern
	maxAttributes      = 100
	maxListed          = 1000 // of a list in the policy, such as an order
	maxGuardMinutes    = 7 * 24 * 60
	maxGuardPeople     = 1_000_000
	maxProtectAmount   = 1000
)

// KindGroup is the kind that a tenant without rules gives: each group that a member is in is a target.
const KindGroup = "group"

// KindOrganisation is the kind whose targets can hold the targets of other kinds.
const KindOrganisation = "organisation"

// Policy is a compiled policy. It is immutable and safe for concurrent use.
type Policy struct {
	Requests
	// ActiveWhen are kinds of targets. A member is active only with an assignment of one of them, else it is staged.
	// If it is empty, every active user is an active member.
	ActiveWhen []string
	// Match is the order in which a returning user, or an imported account, is looked for: externalId, userName, email.
	Match []string
	// OnDelete is "remove" or "deactivate", OnReturn "restore" or "new", Invite "manual" or "automatic".
	OnDelete, OnReturn, Invite string
	// Protect are the assignments that a number of active members must keep.
	Protect []Protection
	// Kinds are the kinds by name.
	Kinds map[string]Kind
	// Implicit says that the policy has neither kinds nor rules: members have the groups that they are in.
	Implicit bool

	login         path
	excludeGroups *groupCondition
	rules         []rule
	userRules     []int          // the places of the rules on users alone
	ruleAt        map[string]int // the places of the rules by id
	order         []string       // the kinds in the order of evaluation: organisation first
}

// Requests is the part of a policy about requests of identity providers, and the parts that it needs. It is
// immutable and safe for concurrent use.
type Requests struct {
	// Attributes are the application's own names for attributes of a user, in order of name.
	Attributes []Attribute
	// ClearWhenAbsentInPut are the attributes that a PUT without them clears.
	ClearWhenAbsentInPut []string
	// Forbid are requests that are refused: "Users.create", "Groups.delete" and so on, without wildcards.
	Forbid []string
	// Domains are the attributes in which only addresses of verified domains are taken.
	Domains []string
	// Guard bounds deactivations and deletions; nil: no bound.
	Guard *Guard

	excludeUsers *condition
	domains      []path
}

// Attribute is a named attribute of a member.
type Attribute struct {
	Name string
	// From is the SCIM path in the user, as written.
	From string
	// Required says that a write which sets or removes the attribute must leave a value.
	Required bool

	path path
}

// Guard bounds how many users SCIM deactivates or deletes within a number of minutes: the larger of People and Percent
// of the active members.
type Guard struct{ People, Percent, Minutes int }

// Protection keeps an assignment with the last active members that have it.
type Protection struct {
	Kind, Target, Organisation string
	AtLeast                    int
}

// Choice says how many targets of a kind a member has.
type Choice string

// The choices.
const (
	ChooseAll     Choice = "all"
	ChooseFirst   Choice = "first"
	ChooseLowest  Choice = "lowest"
	ChooseHighest Choice = "highest"
)

// Kind is a kind of targets.
type Kind struct {
	Name string
	// Create says that an unknown target is made with its first assignment.
	Create bool
	// Per is "organisation" if the targets live inside an organisation, else "".
	Per string
	// Choose says how many targets a member has: all, or one. Of a kind inside an organisation it is one in each.
	Choose Choice
	// Order lists targets from the lowest to the highest.
	Order []string
	// RemoveManual says that a group which adopts a target ends the manual assignments of that target.
	RemoveManual bool
	// Seats is "", "purchase" or "wait".
	Seats string
	// AnnounceFirst is the type of an event that is sent once in a member's life; "": none.
	AnnounceFirst string
}

// EndsManual reports whether groups end manual assignments of any kind: see Group.Adopts.
func (p *Policy) EndsManual() bool {
	for _, k := range p.Kinds {
		if k.RemoveManual {
			return true
		}
	}
	return false
}

// Fault is a mistake in a policy document.
type Fault struct {
	// Pointer is the JSON pointer of the place (RFC 6901).
	Pointer string `json:"pointer"`
	// Reason describes in plain words the fault and the allowed values. ParseRequests leaves it empty.
	Reason string `json:"reason"`
	// Code and Args are the reason for programs that say it in another language.
	Code Code  `json:"-"`
	Args []any `json:"-"`
}

// Faults is the error of Parse: all mistakes that were found, at least one.
type Faults []Fault

func (f Faults) Error() string {
	text := "mapping: " + scim.Quote(f[0].Pointer) + ": "
	if f[0].Reason != "" {
		text += f[0].Reason
	} else {
		text += "code " + strconv.Itoa(int(f[0].Code))
	}
	if len(f) > 1 {
		text += " (and more)"
	}
	return text
}

// Warning is something in a valid policy that its author may not have meant.
type Warning struct {
	Pointer string `json:"pointer"`
	Reason  string `json:"reason"`
	Code    Code   `json:"-"`
	Args    []any  `json:"-"`
}
