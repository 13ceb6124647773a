package people

import (
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/serverless-scim/serverless-scim/pkg/mapping"
	"github.com/serverless-scim/serverless-scim/pkg/portal/frame"
	"github.com/serverless-scim/serverless-scim/pkg/scim"
)

// The changes of a policy that forms ask for.
const (
	byGroup   = "rule"    // a rule for one group
	byGrammar = "grammar" // a rule for all groups that are named in one way
	// a rule for all people with an attribute, or with one value of it
	byAttribute = "attribute"
	moveUp      = "up"
	moveDown    = "down"
	removal     = "remove"
)

// edit is a change of the policy. It is in the hidden fields of a rehearsal, so that the same change is saved.
type edit struct {
	Op string
	// Group is the displayName of the group, Grammar how groups are named; Kind, Target and Organisation are given.
	Group, Grammar, Kind, Target, Organisation string
	// Attribute is the path of an attribute of people, Value the one value that counts; "": each is a target.
	Attribute, Value string
	// Rule is the id of the rule that is moved or removed.
	Rule string
	// Version is the version of the policy that the visitor saw.
	Version int64
}

func readEdit(v *frame.Visit) edit {
	e := edit{
		Op: v.Form("op"), Group: v.R.FormValue("group"), Grammar: v.Form("grammar"), Kind: v.Form("kind"),
		Target: v.Form("target"), Organisation: v.Form("organisation"), Rule: v.Form("rule"),
		Attribute: v.Form("attribute"), Value: v.Form("value"),
	}
	if e.Version, _ = strconv.ParseInt(v.Form("version"), 10, 64); e.Version < 0 {
		e.Version = 0
	}
	return e
}

// fieldOf is the id of the field of a form that a fault is about; "": none.
func (e edit) fieldOf(wrong string, faults mapping.Faults) string {
	switch _, at, _ := strings.Cut(wrong, ".error."); {
	case e.Op != byGroup && e.Op != byGrammar && e.Op != byAttribute:
		return ""
	case strings.HasPrefix(wrong, "grammar."):
		return "grammar"
	case slices.Contains([]string{"group", "kind", "target", "attribute"}, at):
		return at
	}
	for _, f := range faults {
		switch {
		case strings.HasSuffix(f.Pointer, "/user/value"), strings.HasSuffix(f.Pointer, "/user/filter"):
			return "attribute"
		}
		for _, field := range []string{"organisation", "target", "kind"} {
			if strings.HasSuffix(f.Pointer, "/assign/"+field) {
				return field
			}
		}
	}
	return ""
}

// apply changes a policy document. wrong is the key of the text about a fault; "": it is done.
func (e edit) apply(doc scim.Object) (wrong string) {
	rules, _ := doc["rules"].([]any)
	switch e.Op {
	case moveUp, moveDown, removal:
		at := slices.IndexFunc(rules, func(r any) bool { return ruleID(r) == e.Rule })
		to := at + map[string]int{moveUp: -1, moveDown: 1}[e.Op]
		if at < 0 || to < 0 || to >= len(rules) {
			return "groups.error.rule"
		}
		if e.Op == removal {
			rules = slices.Delete(rules, at, at+1)
		} else {
			rules[at], rules[to] = rules[to], rules[at]
		}
		doc["rules"] = rules
		return ""
	case byGroup, byGrammar, byAttribute:
	default:
		return "groups.error.rule"
	}
	about, condition, target, wrong := e.given()
	if wrong != "" {
		return wrong
	}
	switch {
	case e.Op == byGroup && e.Group == "":
		return "groups.error.group"
	case e.Op == byAttribute && e.Attribute == "":
		return "groups.error.attribute"
	case !kindName.MatchString(e.Kind):
		return "groups.error.kind"
	case target == "":
		return "groups.error.target"
	}
	all, ok := doc["kinds"].(scim.Object)
	if !ok {
		all = scim.Object{}
	}
	if all[e.Kind] == nil {
		kind := scim.Object{"create": true}
		if e.Organisation != "" {
			kind["per"] = mapping.KindOrganisation
		}
		all[e.Kind] = kind
	}
	assign := scim.Object{"kind": e.Kind, "target": target}
	if e.Organisation != "" {
		assign["organisation"] = e.Organisation
	}
	doc["kinds"] = all
	doc["rules"] = append(rules, scim.Object{
		"id": newID(rules, e.Kind+"-"+e.Target), about: condition, "assign": assign,
	})
	return ""
}

// given are the part of a rule that a form makes: "group" or "user", its condition, and the template of its target. It
// sets the organisation if a grammar has one.
func (e *edit) given() (about string, condition scim.Object, target, wrong string) {
	switch e.Op {
	case byGrammar:
		pattern, parts, wrong := grammar(e.Grammar)
		if slices.Contains(parts, partOrganisation) && e.Kind != mapping.KindOrganisation {
			e.Organisation = "${" + partOrganisation + "}"
		}
		return "group", scim.Object{"pattern": pattern}, "${" + partName + "}", wrong
	case byAttribute:
		if e.Value != "" {
			return "user", scim.Object{"filter": e.Attribute + " eq " + scim.Literal(e.Value)}, e.Target, ""
		}
		if target = e.Target; target == "" {
			target = "${value}"
		}
		return "user", scim.Object{"value": e.Attribute}, target, ""
	}
	return "group", scim.Object{"filter": "displayName eq " + scim.Literal(e.Group)}, e.Target, ""
}

var (
	kindName = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9._-]*$`)
	notInID  = regexp.MustCompile(`[^a-z0-9]+`)
)

func ruleID(r any) string {
	o, _ := r.(scim.Object)
	id, _ := o["id"].(string)
	return id
}

// newID is an id that no rule has, made from the rule's target.
func newID(rules []any, from string) string {
	base := strings.Trim(notInID.ReplaceAllString(strings.ToLower(from), "-"), "-")
	if base = base[:min(len(base), 100)]; base == "" {
		base = "rule"
	}
	for id, n := base, 2; ; id, n = base+"-"+strconv.Itoa(n), n+1 {
		if !slices.ContainsFunc(rules, func(r any) bool { return ruleID(r) == id }) {
			return id
		}
	}
}

// The parts of a grammar.
const (
	partName         = "name"
	partOrganisation = "organisation"
)

var part = regexp.MustCompile(`\{([a-z]*)\}`)

// grammar creates a pattern of how groups are named, such as "app-{name}": a part ends before the character that
// follows it in the grammar, the last one with the name. wrong is the key of the text about a fault.
func grammar(text string) (pattern string, parts []string, wrong string) {
	if len(text) > 200 {
		return "", nil, "grammar.error.long"
	}
	var b strings.Builder
	b.WriteString("^")
	at := 0
	for _, found := range part.FindAllStringSubmatchIndex(text, -1) {
		if found[0] == at && at > 0 {
			return "", nil, "grammar.error.apart"
		}
		b.WriteString(regexp.QuoteMeta(text[at:found[0]]))
		name := text[found[2]:found[3]]
		if name != partName && name != partOrganisation || slices.Contains(parts, name) {
			return "", nil, "grammar.error.parts"
		}
		parts = append(parts, name)
		any := "."
		if rest := []rune(text[found[1]:]); len(rest) > 0 && name != partName {
			any = "[^" + regexp.QuoteMeta(string(rest[0])) + "]"
		}
		b.WriteString("(?P<" + name + ">" + any + "+)")
		at = found[1]
	}
	b.WriteString(regexp.QuoteMeta(text[at:]) + "$")
	if !slices.Contains(parts, partName) {
		return "", nil, "grammar.error.parts"
	}
	return b.String(), parts, ""
}
