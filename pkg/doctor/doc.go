// Package doctor checks that the items of a table agree: every document has the items that belong to it, and every
// other item belongs to a document.
//
// It reads partition by partition, in order, and holds no more than a page of items (1 MB), the items that these need
// (16 MB at most) and the tenant's open work: some 20 MB, for a tenant of any size. Findings are reported at once and
// not kept.
//
// A table may be in use. If an item seems wrong, all items that the rule concerns are read twice more, with the open
// work before and after. If the two reads agree, the rule was broken at a moment between them; otherwise they are read
// once more. So a change in progress is not a finding. Open work, markers and chunks are states that requests leave on
// purpose, and are not findings either.
//
// Repair repairs the findings that have one right answer. The condition of each transaction is that all items of the
// finding are unchanged. The documents of users and groups are taken as right, and all else follows from them. If two
// documents contradict each other, only the operator can decide.
//
//	doctor.go     findings and reports; the run over the table and over one tenant
//	view.go       one item and the items that its rule reads; the second look; repairs
//	kinds.go      the kinds of items and their rules; keys that nobody knows
//	resources.go  users, groups and resources of own types
//	members.go    memberships, references that wait, open work
//	people.go     published members, lookups, assignments, targets, seats
//	log.go        the log and its head, markers
//	tenants.go    the tenant's item, the list of tenants, due times
//	counters.go   counters, and items that must expire
package doctor
