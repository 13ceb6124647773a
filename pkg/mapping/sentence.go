package mapping

import "fmt"

// Code stands for a sentence about a policy: for the reason of a fault, or of a warning. Programs that speak another
// language have their own sentence for it, with the same arguments.
type Code uint8

// The codes. Each has its name and its sentence in English in the table below.
const (
	notObject Code = iota
	unknownField
	notText
	tooLong
	isRequired
	notOneOf
	notFlag
	notNumber
	notList
	tooManyElements
	emptyText
	isTwice
	tooManyEntries
	badKindName
	needsOrder
	badEventType
	ownEvent
	nestedOrganisation
	needsOrganisationKind
	organisationSeats
	unknownKind
	noKinds
	activeBySeats
	badAttributeName
	needsFilterOrPattern
	notPattern
	targetTooLong
	protectedSeats
	needsOrganisation
	noOrganisation
	ruleTwice
	needsCondition
	needsFilterOrValue
	partValue
	onlyWhole
	notCleared
	notPut
	notForbidden
	needsPeople
	notAttribute
	wholeExtension
	notStored
	neverReturned
	notSubAttribute
	complexValue
	complexSub
	notClosed
	noReferences
	unknownReference
	badFilter
	staysStaged
	sameTwice
	contradicts
	notInOrder
	notAnchored
	onlyManual
	noEffect
	noSeatsYet
)

// sentences are the names and the sentences of the codes.
var sentences = [...]struct{ name, english string }{
	notObject:       {"not-object", "Must be a JSON object."},
	unknownField:    {"unknown-field", "Unknown field. Known here: %s."},
	notText:         {"not-text", "Must be a string."},
	tooLong:         {"too-long", "Is longer than %d bytes."},
	isRequired:      {"is-required", "Is required."},
	notOneOf:        {"not-one-of", "Must be one of: %s."},
	notFlag:         {"not-flag", "Must be true or false."},
	notNumber:       {"not-number", "Must be a whole number from %d to %d."},
	notList:         {"not-list", "Must be a JSON array."},
	tooManyElements: {"too-many-elements", "Has more than %d elements."},
	emptyText:       {"empty-text", "Must be a string that is not empty."},
	isTwice:         {"is-twice", "Is here twice."},
	tooManyEntries:  {"too-many-entries", "Has more than %d entries."},
	badKindName: {
		"bad-kind-name", "A kind's name begins with a letter and has letters, digits, dots, hyphens and " +
			"underscores only.",
	},
	needsOrder: {
		"needs-order", "Is required with choose %q: list the targets from the lowest to the " +
			"highest.",
	},
	badEventType: {
		"bad-event-type", "An event type is two or more words in lower case with dots between them, such " +
			"as %q.",
	},
	ownEvent: {
		"own-event", "Event types that begin with %q are used already: choose another " +
			"word.",
	},
	nestedOrganisation:    {"nested-organisation", "Organisations can't live inside organisations."},
	needsOrganisationKind: {"needs-organisation-kind", "Needs the kind %q, which is not one of the kinds."},
	organisationSeats:     {"organisation-seats", "Organisations that hold other kinds can't have seats."},
	noKinds:               {"no-kinds", "There is no kind %s. Kinds: none."},
	unknownKind:           {"unknown-kind", "There is no kind %s. Kinds: %s."},
	activeBySeats: {
		"active-by-seats", "A kind with seats can't decide who is active, since only active members hold " +
			"seats.",
	},
	badAttributeName: {
		"bad-attribute-name", "An attribute's name begins with a letter and has letters, digits, dots, " +
			"hyphens and underscores only.",
	},
	needsFilterOrPattern: {"needs-filter-or-pattern", "Needs a filter, a pattern or both."},
	notPattern:           {"not-pattern", "Is not an RE2 pattern: %s."},
	targetTooLong: {
		"target-too-long", "Is too long: it and its organisation have %d bytes together at " +
			"most.",
	},
	protectedSeats: {"protected-seats", "A kind with seats can't be protected."},
	needsOrganisation: {
		"needs-organisation", "Is required: targets of kind %s live inside an " +
			"organisation.",
	},
	noOrganisation: {
		"no-organisation", "Targets of kind %s do not live inside an organisation: leave this out, or give " +
			"the kind \"per\".",
	},
	ruleTwice:          {"rule-twice", "Another rule has the id %s already."},
	needsCondition:     {"needs-condition", "Needs a condition: group, user or both."},
	needsFilterOrValue: {"needs-filter-or-value", "Needs a filter, a value or both."},
	partValue:          {"part-value", "The pattern has a part named \"value\": rename it."},
	onlyWhole: {
		"only-whole", "Only whole attributes can be cleared: remove the brackets and the " +
			"sub-attribute.",
	},
	notCleared: {"not-cleared", "%s can't be cleared."},
	notPut:     {"not-put", "%s can't be changed by a PUT."},
	notForbidden: {
		"not-forbidden", "Must be \"Users\" or \"Groups\" with \".create\", \".update\", \".delete\" or " +
			"\".*\" behind it.",
	},
	needsPeople:      {"needs-people", "Needs people, percent or both."},
	notAttribute:     {"not-attribute", "%s is not an attribute of %s."},
	wholeExtension:   {"whole-extension", "%s is a whole extension: name one of its attributes."},
	notStored:        {"not-stored", "%s is not stored with the resource: use another attribute."},
	neverReturned:    {"never-returned", "%s is never returned, so the application can't have it."},
	notSubAttribute:  {"not-sub-attribute", "%s is not a sub-attribute of %s."},
	complexValue:     {"complex-value", "%s is complex: name one of its sub-attributes."},
	complexSub:       {"complex-sub", "%s is complex: name a simple attribute."},
	notClosed:        {"not-closed", "A reference begins with ${ and does not end with }."},
	noReferences:     {"no-references", "References ${…} are not possible here."},
	unknownReference: {"unknown-reference", "There is no ${%s} here. Known: ${%s}."},
	badFilter:        {"bad-filter", "%s"},
	staysStaged: {
		"stays-staged", "No rule gives the kind %s: members stay staged unless it is given " +
			"manually.",
	},
	sameTwice: {
		"same-twice", "Gives the same as the rule %s under the same condition: one of them is " +
			"enough.",
	},
	contradicts: {
		"contradicts", "Contradicts the rule %s: both apply together, and a member has one %s only " +
			"(choose %q).",
	},
	notInOrder: {
		"not-in-order", "%s is not in the order of the kind %s: targets in the order are chosen before " +
			"it.",
	},
	notAnchored: {
		"not-anchored", "The pattern may match in the middle of a name: begin it with ^ and end it with " +
			"$ to match whole names.",
	},
	onlyManual: {"only-manual", "No rule gives this kind: it can be given manually only."},
	noEffect:   {"no-effect", "Has no effect with choose %q."},
	noSeatsYet: {
		"no-seats-yet", "A target that is created by its first assignment has no seats until its size " +
			"is set.",
	},
}

// Codes are all codes.
func Codes() []Code {
	all := make([]Code, len(sentences))
	for i := range all {
		all[i] = Code(i)
	}
	return all
}

// Label is the name of the code, "not-object". With the name String, programs that print no faults would link all
// sentences.
func (c Code) Label() string { return sentences[c].name }

// English is the sentence in English, as a format for fmt.Sprintf.
func (c Code) English() string { return sentences[c].english }

// say is the sentence with its arguments.
func (c Code) say(args []any) string {
	if len(args) == 0 {
		return sentences[c].english
	}
	return fmt.Sprintf(sentences[c].english, args...)
}

// sentence is a fault without a pointer and a reason.
func sentence(code Code, args ...any) *Fault { return &Fault{Code: code, Args: args} }
