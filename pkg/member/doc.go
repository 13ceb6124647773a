// Package member keeps a tenant's people as the application behind the endpoint sees them: one member for
// each SCIM user, with the status and the assignments that the tenant's policy gives.
//
// A write of the directory marks the users that it touches, in its own transaction. Publishing reads the marker,
// then the policy and the user with its groups and manual assignments. It evaluates the policy, and writes the
// member, its lookups and its events in one transaction. This also deletes the marker, if its stamp is still the
// one that was read. Publishing reconciles and does not replay: running it twice, late or in two places does no
// harm.
//
// The parts, bottom to top:
//
//	marker             markers: who may have changed
//	internal/record    the values of members and targets, their lookups, and the events between two versions
//	internal/policies  policies: saving, compiling, progress
//	internal/seat      seats of targets: how many are in use, who waits, shortages
//	internal/pass      markers that stand for many members
//	internal/explain   the reasons of a member's status and assignments
//	internal/publish   publications, explanations, rehearsals
//	stored             members as they are stored, for those who check a table
//
// This package joins them to the use cases of the admin API and of the portal:
//
//	facade.go     the types of other packages that callers see
//	service.go    a Service; reading the log
//	use.go        the use cases that another package carries out
//	history.go    the events of one member
//	list.go       lists and filters
//	pending.go    memberships and managers that name nobody yet
//	assign.go     manual assignments and targets
//	account.go    accounts of the application: import, the member of each
//	merge.go      merging two members, and invitations
//	duplicate.go  members who are probably one person
package member
