package filter

// Op is a comparison operator (RFC 7644, section 3.4.2.2, table 3), in lower case.
type Op string

// The operators.
const (
	Eq Op = "eq"
	Ne Op = "ne"
	Co Op = "co"
	Sw Op = "sw"
	Ew Op = "ew"
	Gt Op = "gt"
	Ge Op = "ge"
	Lt Op = "lt"
	Le Op = "le"
	Pr Op = "pr"
)

// Expr is a filter as a tree of And, Or, Not, Compare and Match. String prints it back in the grammar of RFC 7644,
// with parentheses only if precedence asks for them; parsing the output of String gives an equal tree.
type Expr interface {
	String() string
	expr()
}

// And is true if both sides are.
type And struct{ L, R Expr }

// Or is true if one side is.
type Or struct{ L, R Expr }

// Not is true if X is not.
type Not struct{ X Expr }

// Compare is a comparison of the values at Path with Value: true if it holds for one of them. With Op Pr, Value is
// unused and the comparison is true if a value is present.
type Compare struct {
	Path  Path
	Op    Op
	Value Value
}

// Match is a value path used as a condition, `emails[type eq "work"]`: true if an element passes Path.Filter.
type Match struct{ Path Path }

// Value is the right side of a comparison: nil, bool, string, or the text of a number.
type Value struct {
	Kind Kind
	Str  string // the string, or the number as written
	Bool bool
}

// Kind is the JSON type of a Value.
type Kind int

// The kinds.
const (
	Null Kind = iota
	Bool
	Str
	Number
)

// Path is an attribute path, a value path, or a value path with a sub-attribute: the target of a comparison and of a
// PATCH operation (RFC 7644, section 3.5.2, figure 7).
type Path struct {
	// Name is the attribute name as written, with its URN and sub-attribute if any: "userName", "name.familyName",
	// "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager.value". Inside a value filter it names a
	// sub-attribute of the filtered attribute.
	Name string
	// Filter is the value filter in brackets; nil if there is none.
	Filter Expr
	// Sub is the sub-attribute after the bracket; empty if none. Always empty if Filter is nil.
	Sub string
}

func (And) expr()     {}
func (Or) expr()      {}
func (Not) expr()     {}
func (Compare) expr() {}
func (Match) expr()   {}
