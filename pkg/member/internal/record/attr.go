package record

import "time"

// Attributes of the items of members, targets, accounts and the policy.
const (
	AttrDoc = "doc"
	AttrVer = "ver"
	AttrAt  = "at" // of a manual assignment, in Unix milliseconds
	// AttrMember is the member whom an item leads to.
	AttrMember = "member"
	// AttrAccount is the account that an item leads to.
	AttrAccount = "account"
	// AttrStale has the sort keys of lookups that are still to be removed.
	AttrStale = "stale"
	// The newest entry of the log about a member, until when that is kept, and the entry from which on the person is
	// still to be erased. A marker with the last one is worked even if the tenant publishes no members.
	AttrLast    = "last"
	AttrUntil   = "until"
	AttrErasing = "erasing"
	// AttrDone is the number of members that a pass has marked so far, AttrStamp the stamp of its marker.
	AttrDone  = "done"
	AttrStamp = "stamp"
)

// ContendFor is the time for which a write competes with others for one item, such as the head of the log.
const ContendFor = 5 * time.Second
