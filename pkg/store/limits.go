package store

import (
	"fmt"
	"unicode/utf8"
)

// MaxGetBytes bounds the items that one Get returns; those beyond it are left unread.
const MaxGetBytes = 16 << 20

// MaxTokenBytes bounds an idempotency token.
const MaxTokenBytes = 36

func refuse(format string, args ...any) error {
	return &LimitError{Reason: fmt.Sprintf(format, args...)}
}

// ValidateGet returns the *LimitError with which every engine refuses to read keys, or nil.
func ValidateGet(keys []Key) error {
	if err := validateCount(len(keys), MaxGetKeys, "keys"); err != nil {
		return err
	}
	return validateKeys(len(keys), func(i int) Key { return keys[i] })
}

// ValidateQuery returns the *LimitError with which every engine refuses a query, or nil.
func ValidateQuery(q Query) error {
	if err := validateKeyPart("partition key", q.PK, MaxPKBytes); err != nil {
		return err
	}
	if q.Limit < 0 {
		return refuse("limit %d is negative", q.Limit)
	}
	if q.Select < All || q.Select > Texts || (q.Select == Texts) != (len(q.Texts) > 0) {
		return refuse("selection %d is unknown, or has no texts", q.Select)
	}
	for _, sk := range []string{q.From, q.To, q.Prefix, q.After} {
		if sk == "" {
			continue
		}
		if err := validateKeyPart("bound of the sort key", sk, MaxSKBytes); err != nil {
			return err
		}
	}
	if q.Prefix == "" && q.To != "" && q.From > q.To {
		return refuse("the range ends before it begins")
	}
	if q.After != "" && !q.Contains(q.After) {
		return refuse("the key to continue after is outside the range")
	}
	return nil
}

// Contains reports whether a sort key lies inside the range that q reads, After left aside.
func (q Query) Contains(sk string) bool {
	if q.Prefix != "" {
		return len(sk) >= len(q.Prefix) && sk[:len(q.Prefix)] == q.Prefix
	}
	return sk >= q.From && (q.To == "" || sk <= q.To)
}

// ValidateToken returns the *LimitError with which every engine refuses an idempotency token, or nil.
func ValidateToken(token string) error {
	if len(token) > MaxTokenBytes || !utf8.ValidString(token) {
		return refuse("the idempotency token is not at most %d bytes of UTF-8", MaxTokenBytes)
	}
	return nil
}

// ValidateTransact returns the *LimitError with which every engine refuses to transact ops, or nil. Only the
// engine knows the item that an Update results in: it checks that with ValidateSize.
func ValidateTransact(ops []Op) error {
	if err := validateCount(len(ops), MaxTransactOps, "operations"); err != nil {
		return err
	}
	total := 0
	for i := range ops {
		size, err := validateOp(&ops[i])
		if err != nil {
			return fmt.Errorf("operation %d: %w", i, err)
		}
		total += size
	}
	if total > MaxTransactBytes {
		return refuse("%d bytes are more than the %d of a transaction", total, MaxTransactBytes)
	}
	return validateKeys(len(ops), func(i int) Key { return ops[i].Key })
}

// ValidateBatch returns the *LimitError with which every engine refuses to apply ops as a batch, or nil.
func ValidateBatch(ops []Op) error {
	if err := validateCount(len(ops), MaxBatchOps, "operations"); err != nil {
		return err
	}
	for i := range ops {
		if k := ops[i].Kind; k != Put && k != Delete || len(ops[i].If) > 0 {
			return refuse("operation %d is neither an unconditional Put nor an unconditional Delete", i)
		}
		if _, err := validateOp(&ops[i]); err != nil {
			return fmt.Errorf("operation %d: %w", i, err)
		}
	}
	return validateKeys(len(ops), func(i int) Key { return ops[i].Key })
}

// ValidateSize returns the *LimitError for an item that is too large to be stored, or nil.
func ValidateSize(k Key, a Attrs) error {
	return validateSize(ItemBytes(k, a))
}

func validateSize(bytes int) error {
	if bytes > MaxItemBytes {
		return refuse("%d bytes are more than the %d of an item", bytes, MaxItemBytes)
	}
	return nil
}

func validateCount(n, limit int, what string) error {
	if n < 1 || n > limit {
		return refuse("%d %s: a call takes 1 to %d", n, what, limit)
	}
	return nil
}

// compareAll is up to how many keys it is faster to compare each with each than to hash them.
const compareAll = 16

// validateKeys checks n keys, and that no two are the same.
func validateKeys(n int, key func(int) Key) error {
	var seen map[Key]struct{}
	if n > compareAll {
		seen = make(map[Key]struct{}, n)
	}
	for i := range n {
		k := key(i)
		if err := validateKey(k); err != nil {
			return err
		}
		dup := false
		if seen != nil {
			_, dup = seen[k]
			seen[k] = struct{}{}
		} else {
			for before := range i {
				dup = dup || key(before) == k
			}
		}
		if dup {
			return refuse("key %q, %q appears twice", k.PK, k.SK)
		}
	}
	return nil
}

func validateKey(k Key) error {
	if err := validateKeyPart("partition key", k.PK, MaxPKBytes); err != nil {
		return err
	}
	return validateKeyPart("sort key", k.SK, MaxSKBytes)
}

func validateKeyPart(what, s string, limit int) error {
	switch {
	case s == "":
		return refuse("the %s is empty", what)
	case len(s) > limit:
		return refuse("the %s has %d bytes, more than %d", what, len(s), limit)
	case !utf8.ValidString(s):
		return refuse("the %s is not UTF-8", what)
	}
	return nil
}

// validateOp checks one operation, its key aside, and returns how many bytes it sets, those of the key included.
func validateOp(op *Op) (size int, err error) {
	if err := validateShape(op); err != nil {
		return 0, err
	}
	for name, v := range op.Set {
		if err := validateAttr(name, v); err != nil {
			return 0, err
		}
	}
	for name := range op.Add {
		if err := validateName(name); err != nil {
			return 0, err
		}
		if _, twice := op.Set[name]; twice {
			return 0, refuse("attribute %q is both set and added to", name)
		}
	}
	for i, name := range op.Unset {
		if err := validateUnset(op, i, name); err != nil {
			return 0, err
		}
	}
	for _, c := range op.If {
		if err := validateCond(c); err != nil {
			return 0, err
		}
	}
	size = ItemBytes(op.Key, op.Set)
	return size, validateSize(size)
}

// validateShape checks that an operation has the parts that its kind has, and no others.
func validateShape(op *Op) error {
	switch op.Kind {
	case Put:
		if len(op.Add) > 0 || len(op.Unset) > 0 {
			return refuse("a Put neither adds nor unsets")
		}
	case Update:
	case Delete, Check:
		if len(op.Set) > 0 || len(op.Add) > 0 || len(op.Unset) > 0 {
			return refuse("a Delete or Check has attributes to write")
		}
		if op.Kind == Check && len(op.If) == 0 {
			return refuse("a Check has no condition")
		}
	default:
		return refuse("kind %d is unknown", op.Kind)
	}
	return nil
}

func validateUnset(op *Op, i int, name string) error {
	if err := validateName(name); err != nil {
		return err
	}
	_, set := op.Set[name]
	_, added := op.Add[name]
	for _, other := range op.Unset[:i] {
		set = set || other == name
	}
	if set || added {
		return refuse("attribute %q is unset and written in one operation, or unset twice", name)
	}
	return nil
}

func validateCond(c Cond) error {
	switch c.Test {
	case Exists, Absent:
		return nil
	case AttrAbsent:
		return validateName(c.Attr)
	case Equal, NotEqual, Less:
		return validateAttr(c.Attr, c.Value)
	}
	return refuse("test %d is unknown", c.Test)
}

func validateAttr(name string, v any) error {
	if err := validateName(name); err != nil {
		return err
	}
	switch v := v.(type) {
	case int64, []byte:
		return nil
	case string:
		if !utf8.ValidString(v) {
			return refuse("the value of attribute %q is not UTF-8", name)
		}
		return nil
	}
	return refuse("the value of attribute %q is a %T", name, v)
}

func validateName(name string) error {
	switch {
	case name == "" || len(name) > attributeNameLength || !utf8.ValidString(name):
		return refuse("the attribute name is not 1 to %d bytes of UTF-8", attributeNameLength)
	case name == AttrPK || name == AttrSK:
		return refuse("attribute %q belongs to the key", name)
	}
	return nil
}
