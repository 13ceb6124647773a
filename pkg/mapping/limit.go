package mapping

import (
	"cmp"
	"slices"
)

// limit bounds the assignments of a member, those among them that take a seat, and the size of all. Organisations go
// first, since others depend on them, then manual ones.
func (e *evaluation) limit() {
	seats, size := 0, 0
	for _, c := range e.given {
		seats += e.seats(c)
		size += c.size()
	}
	if len(e.given) <= MaxAssignments && seats <= maxSeats && size <= maxAssignmentBytes {
		return
	}
	slices.SortStableFunc(e.given, func(a, b candidate) int {
		return cmp.Or(
			compareFlags(a.Kind == KindOrganisation, b.Kind == KindOrganisation),
			compareFlags(a.Manual, b.Manual),
			cmp.Compare(a.rule, b.rule),
			cmp.Compare(a.Since, b.Since),
			compareKeys(a.TargetKey, b.TargetKey),
		)
	})
	all := e.given
	e.given, seats, size = make([]candidate, 0, MaxAssignments), 0, 0
	for _, c := range all {
		switch {
		case len(e.given) == MaxAssignments:
			e.withdraw(c, OverLimit, "A member can have %d assignments at most.", MaxAssignments)
		case seats+e.seats(c) > maxSeats:
			e.withdraw(c, OverLimit, "A member can have %d assignments of kinds with seats at most.", maxSeats)
		case size+c.size() > maxAssignmentBytes:
			e.withdraw(c, OverLimit, "The assignments of a member can have %d KB together at most.",
				maxAssignmentBytes>>10)
		default:
			e.given = append(e.given, c)
			seats += e.seats(c)
			size += c.size()
		}
	}
}

// seats is the number of seats that an assignment takes: 1 or 0.
func (e *evaluation) seats(c candidate) int {
	if e.p.Kinds[c.Kind].Seats != "" {
		return 1
	}
	return 0
}

// size is about the size of the assignment as JSON, in bytes.
func (c candidate) size() int {
	const members = 150 // their names, times and ids
	n := members + jsonBytes(c.Kind) + jsonBytes(c.Name) + jsonBytes(c.Organisation)
	for _, rule := range c.Rules {
		n += jsonBytes(rule) + len(`"",`)
	}
	return n
}

// jsonBytes is the most bytes that a text has inside a JSON string.
func jsonBytes(text string) int {
	n := len(text)
	for i := range len(text) {
		if c := text[i]; c < ' ' || c == '"' || c == '\\' {
			n += len(`\u0000`) - 1
		}
	}
	return n
}
