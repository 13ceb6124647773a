// Package query answers filters, sorted lists and pages (RFC 7644, section 3.4.2, and RFC 9865) over the users, groups,
// other resources and memberships of a tenant.
//
// # The way of a query
//
// A filter comes parsed. For each resource type that the query names it is simplified, bound and planned, once:
//
//   - plan.Scope.Simplify takes out the parts that are the same for all resources of the type. If the filter is always
//     true, the query lists all; if it is never true, the type has no results.
//   - filter.Bind resolves its names, once, and so checks them. The result decides about every resource that is
//     answered.
//   - plan.Planner.Plan narrows it to the ids that can match, by the lookups of package lookup. If nothing narrows it,
//     every resource of the type is read.
//
// Then a page is made: from a partition of the table, if there is no filter; from candidates, if lookups narrow the
// filter; otherwise from all resources, read in ranges of ids in parallel. A collector keeps the rows of the page, in
// the requested order, after the place at which the page begins. Groups and members are read for these rows only.
//
// # Guarantees
//
// Each resource in an answer matches the filter as the answer shows it, and no resource that matched all the time is
// missing. An index entry, a document and its memberships are read at different moments, and a change may come in
// between. Hence three rules:
//
//   - Each document is tested against the whole filter, also if lookups have decided all of it.
//   - If the filter has conditions on groups or members and on the document, a result that depends on both is
//     confirmed: the document is read first, then the groups or members, then the document again. Each change of a
//     document or of a group's members changes the version. If the version is the same, both are of one moment in
//     between. Otherwise the resource is tested against the filter again. If one of the two decides the result alone,
//     none of this is needed: it was so when that one was read. See kind.weigh. Members that take several pages of the
//     engine are of several moments, and are always confirmed.
//   - Lookups joined by `or` are read until two passes in a row find nothing new: a change may move a resource from one
//     that is still to be read to one that is read already. So are the values that begin with a text, if they take
//     several pages of the engine.
//
// A resource that changes at each of many reads ends the query with 503: an answer with it might be wrong, and one
// without it too.
//
// If a filter has conditions on groups or members that the answer does not show, the results of the lookups decide. If
// more than one lookup decided, they are repeated between two reads of the document. This is done at once for few
// candidates; for many it is done for those on the page, so that a total of more than a hundred may count one that
// changed just then. If the filter names several groups of a user, the memberships are read until none of these groups
// has changed meanwhile: DynamoDB reads the items of one call one by one.
//
// The names of a user's groups are read after the memberships. Both are of one moment if no group has changed since the
// first read; its version or the time of its last change shows that. Otherwise the user is read again. See versions. If
// a user's groups are on two pages of a range, they are read once more for this user alone.
//
// Not guaranteed:
//
//   - The answer can miss a resource that three changes move between the branches of an `or` of lookups, each between
//     the two reads of a pass. The same is possible in a range, or among a user's groups, of several pages. More passes
//     do not exclude it: a lookup that finds nothing has no version, so the reads look like those of a table without
//     the resource, and DynamoDB can't read ranges in a transaction. Items at the values that a resource had before
//     would help, but they would keep erased personal data. A search of all documents would help, but costs too much.
//   - A page of the engine is treated as one moment, which DynamoDB does not guarantee: a user who changes from one
//     group to another while a page is read may be seen in neither.
//   - A list in order of names reads these first and the documents then. A page is shorter than asked for if a resource
//     is deleted in between, and shows a renamed one at its old place. If the names take several pages of the engine,
//     it may miss one that is renamed to a name on a page that was read.
//
// # Memory
//
// Documents may take 400 KB each. Those that are read by their ids come in portions, and those of a search in pages.
// The bytes that a process has of both at a time are bounded (see store.Portions and store.Reserve). The reading for a
// page ends when the page is full.
//
// # The files, in the order to read them
//
//	service.go     the service, a query and a page
//	search.go      a query taken apart by resource types
//	sort.go        the order that a query asks for
//	list.go        a page, from the partition or from candidates
//	scan.go        a page of a query that nothing narrows
//	agree.go       whether a user's memberships and groups are of one moment
//	again.go       whether a result rests on two readings, and rows tested once more, as of one moment
//	collect.go     the rows that a page needs, of all that are found
//	attach.go      groups and members of the rows
//	trim.go        rows without the parts that the answer does not show
//	cursor.go      the place that a page begins at and the next goes on from: by cursors
//	mark.go        the same by start index
//	explain.go     the plan of a query, in words
//	membership_list.go  memberships, the other source of rows of a page
//	membership_walk.go  all memberships of one group, or of all groups
//
// Package plan decides without reading, lookup reads the items that stand for values, cursor holds the order of a list,
// and directory/counter the number of resources.
package query
