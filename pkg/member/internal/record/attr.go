package record

// Attributes of the items of members, targets, accounts and the policy.
const (
	AttrDoc = "doc"
	AttrVer = "ver"
	AttrAt  = "at" // of a manual assignment, in Unix milliseconds
	// attrMember is the member whom an item leads to.
	AttrMember = "member"
	// attrStale has the sort keys of lookups that are still to be removed.
	AttrStale = "stale"
	// The newest entry of the log about a member, until when that is kept, and the entry from which on the person is
	// still to be erased. A marker with the last one is worked even if the tenant publishes no members.
	AttrLast    = "last"
	AttrUntil   = "until"
	AttrErasing = "erasing"
)
