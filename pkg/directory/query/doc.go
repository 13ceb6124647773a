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
// Then a page is made: of a partition of the table, if there is no filter; of candidates, if lookups narrow it; of
// all resources, read in ranges of ids in parallel. A collector keeps the rows of the page, in the order that is
// asked for, after the place that the page begins at. Their groups and members are read for the rows alone.
//
// # Guarantees
//
// No answer contains a resource that does not match the filter as it is answered, and none leaves out one that matched
// all the time. An index entry, a document and its memberships are read at different moments, and a change may come in
// between. Hence three rules:
//
//   - Each document is tested against the whole filter, also if lookups have decided all of it.
//   - If the filter asks about groups or members and about the document, a result that rests on both is confirmed: the
//     document is read first, then the groups or members, then the document again. If its version is the same, which
//     moves with each change of a document and of a group's members, both are of one moment in between. Else the
//     resource is tested against the filter anew. If one of the two decides the result alone, none of this is needed:
//     it was so when that one was read. See kind.weigh. Members that take several pages of the engine are of several
//     moments, and are confirmed in any case.
//   - Lookups joined by `or` are read until two passes in a row find nothing new: a change may move a resource from one
//     that is still to be read to one that is read already. So are the values that begin with a text, if they take
//     several pages of the engine.
//
// A resource that changes at each of many reads ends the query with 503: an answer with it might be wrong, and one
// without it too.
//
// If a filter asks about groups or members that the answer does not show, the finds of the lookups stand for them.
// If more than one lookup decided, they are made again between two reads of the document: at once for few
// candidates, and of many for those on the page, so that a total of more than a hundred may count one that changed
// just then. If the filter asks about several groups of a user, the memberships are read until none of these groups has
// changed meanwhile: DynamoDB reads the items of one call one by one.
//
// The names of a user's groups are read after the memberships. Both are of one moment if no group has changed since
// before, as its version or the time of its last change tells. Otherwise the user is read again. See versions. A user's
// groups that stand on two pages of a range are read once more for the user alone.
//
// Not guaranteed:
//
//   - A resource is missed that three changes move between the branches of an `or` of lookups, each at the moment
//     between the two reads of a pass; likewise one in a range, or among a user's groups, of several pages. No number
//     of passes makes sure: a lookup that finds nothing has no version, so such readings look like those of a table
//     without the resource, and DynamoDB reads no ranges in a transaction. Notes at the values that a resource gave up
//     would help, but keep personal data that was erased; a search of all documents would, but costs too much.
//   - A page of the engine is taken for one moment, which DynamoDB does not promise: a user who leaves a group for
//     another while a page is read may be seen in neither.
//   - A list in order of names reads these first and the documents then. A page is shorter than asked for if a resource
//     is deleted in between, and shows a renamed one at its old place. If the names take several pages of the engine,
//     it may miss one that is renamed to a name on a page that was read.
//
// # Memory
//
// Documents may take 400 KB each. Those that are read by their ids come in portions, of which a process has a bounded
// number of bytes in hand (see store.Portions), as it has of the pages of a search (see store.Reserve). The reading for
// a page ends when the page is full.
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
