package store

import (
	"context"
	"errors"
	"fmt"
)

// Limits that every engine enforces. They are DynamoDB's, so that a program that runs locally also runs in AWS.
const (
	MaxItemBytes        = 400 << 10 // names and values of one item
	MaxPKBytes          = 2048
	MaxSKBytes          = 1024
	MaxTransactOps      = 100
	MaxTransactBytes    = 4 << 20
	MaxGetKeys          = 100
	MaxBatchOps         = 25
	MaxPageBytes        = 1 << 20 // a Query page ends with the item that brings it to this or beyond
	attributeNameLength = 255
)

// Key addresses an item. PK is the partition, SK orders items inside it by their UTF-8 bytes. Neither is ever empty.
type Key struct{ PK, SK string }

// Attrs are the attributes of an item beside its key: string, int64 or []byte by name. An engine returns the
// values that it was given; an empty string or an empty byte slice is a value.
type Attrs map[string]any

// Item is a stored item. Attrs is nil if Get found nothing.
type Item struct {
	Key
	Attrs Attrs
}

// OpKind is the kind of an Op.
type OpKind int

// The kinds of operations.
const (
	// Put stores Set as the whole item and replaces any item that is there.
	Put OpKind = iota + 1
	// Update changes an item: Set assigns, Add adds to a number (a missing one counts as 0), Unset
	// removes. It creates the item if nothing is there and no condition forbids it.
	Update
	// Delete removes the item; nothing there is no error.
	Delete
	// Check changes nothing; its conditions must hold.
	Check
)

// Op is one write, or one check, on one item. All its conditions must hold for it to happen.
type Op struct {
	Kind OpKind
	Key
	Set   Attrs
	Add   map[string]int64
	Unset []string
	If    []Cond
}

// Test is the kind of test of a Cond.
type Test int

// The tests.
const (
	// Exists and Absent test the item as a whole; Cond.Attr is unused.
	Exists Test = iota + 1
	Absent
	// Equal holds if the attribute is there and equals Value; NotEqual if it is missing or differs.
	Equal
	NotEqual
	// Less holds if the attribute is there, has Value's type and sorts before it.
	Less
	// AttrAbsent holds if the item, if any, has no such attribute.
	AttrAbsent
)

// Cond is a condition on the item as it is before the write.
type Cond struct {
	Test  Test
	Attr  string
	Value any // string, int64 or []byte
}

// Query reads a range of one partition in order of SK.
type Query struct {
	PK string
	// From and To bound SK, both inclusive; an empty one does not bound. Prefix, if set, is used instead of them.
	From, To string
	Prefix   string
	// After is the SK after which to continue (in reading direction), whether or not it still exists. It must lie
	// inside the range.
	After string
	// Reverse reads from the highest SK down.
	Reverse bool
	// Limit bounds the number of items of the page; 0 leaves it to MaxPageBytes.
	Limit int
	// Select is the part of each item that is returned.
	Select Select
	// Texts are the names of the attributes that Select Texts returns; else it is empty.
	Texts []string
}

// Select is the part of each item that a Query returns. It never changes the cost of the query.
type Select int

// The selections.
const (
	All       Select = iota // whole items
	KeysOnly                // keys; Attrs is an empty map
	CountOnly               // Page.Items stays empty
	Texts                   // Page.Rows, not Page.Items: for a small item a map costs more than the rest
)

// Row is an item as the texts of some attributes, in the order of Query.Texts: "" if it has no such attribute, or one
// that is not a string.
type Row struct {
	SK    string
	Texts []string
}

// Page is the answer to a Query.
type Page struct {
	Items []Item
	Rows  []Row
	// Count is the number of items read, also with CountOnly.
	Count int
	// More says that the range may go on after Last: the page ended at Limit (even if nothing follows) or
	// MaxPageBytes.
	More bool
	// Last is the SK to continue After. Set if More is.
	Last string
}

// Engine stores items. It is the port that storage implements; the rest of the program uses Store, on top of it.
//
// Every read is strongly consistent: it sees every write that was acknowledged before it began. Every method is
// safe for concurrent use, honours ctx, enforces the limits above with a *LimitError before anything is stored,
// adds its consumption to the Meter of ctx (also when it fails), and never retries by itself after ErrConflict,
// ErrThrottled or ErrUnavailable.
//
// An item may be removed at any moment after the Unix time in its attribute AttrTTL, if that is a number; no other item
// is.
//
// The conformance suite in package storetest is the detailed contract.
type Engine interface {
	// Get reads up to MaxGetKeys distinct keys, each atomically, and returns one item per key in
	// the order asked, with nil Attrs if there is none. unread lists the indexes that the engine
	// had to leave out (throttling, or more than MaxGetBytes); their items are to be asked for
	// again.
	Get(ctx context.Context, keys []Key) (items []Item, unread []int, err error)

	// Query reads one page. Items written while a walk over pages goes on may or may not be seen; all others are seen
	// exactly once.
	Query(ctx context.Context, q Query) (Page, error)

	// Transact applies up to MaxTransactOps operations on distinct keys, all or nothing, isolated from other writes.
	// Conditions that do not hold give a *ConditionError. token, if not empty (at most 36 bytes), makes the call
	// idempotent for ten minutes: the same operations under the same token happen once; the same token with other
	// operations is a *LimitError. A call that failed leaves its token unused. One operation without a token is a plain
	// write at half the cost, unless it is a Check. An Add to an attribute that is not a number is a *LimitError, too.
	Transact(ctx context.Context, token string, ops []Op) error

	// Batch applies up to MaxBatchOps unconditional Put and Delete operations on distinct keys, each atomically, in no
	// order. undone lists the indexes that the engine had to leave out (throttling).
	Batch(ctx context.Context, ops []Op) (undone []int, err error)
}

// Errors that say a call did not do its work and may be tried again.
var (
	// ErrConflict: another transaction holds one of the items; nothing was written.
	ErrConflict = errors.New("store: conflicting write in progress")
	// ErrThrottled: the engine refused for load; nothing was written.
	ErrThrottled = errors.New("store: throttled")
	// ErrUnavailable: no answer came; a write may or may not have happened. Only a call with a token, or one that is
	// idempotent by itself, may be tried again.
	ErrUnavailable = errors.New("store: unavailable")
)

// Errors that an operator has to do something about: to try again at once does not help.
var (
	// ErrFull: the engine has no space for the write; nothing was written.
	ErrFull = errors.New("store: there is no room left")
	// ErrDamaged: stored data is not as it was written. A call that fails with it has written nothing.
	ErrDamaged = errors.New("store: stored data is damaged")
)

// ConditionError reports which operations of a Transact had a condition that did not hold. Nothing was written.
type ConditionError struct {
	// Failed lists the operations in order of Index.
	Failed []FailedCondition
}

// FailedCondition is one operation whose condition did not hold.
type FailedCondition struct {
	Index int   // into the operations of the call
	Attrs Attrs // the item as it was; nil if there was none
}

func (e *ConditionError) Error() string {
	return fmt.Sprintf("store: %d conditions did not hold, the first at operation %d", len(e.Failed), e.Failed[0].Index)
}

// At reports whether the condition of the operation at index i did not hold.
func (e *ConditionError) At(i int) bool {
	for _, f := range e.Failed {
		if f.Index == i {
			return true
		}
	}
	return false
}

// LimitError reports a call that no engine would take: too large an item, too many operations, a key twice, an empty
// key. Nothing was written.
type LimitError struct{ Reason string }

func (e *LimitError) Error() string { return "store: " + e.Reason }
