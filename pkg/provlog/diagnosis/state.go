package diagnosis

import (
	"regexp"
	"slices"
	"strings"

	"github.com/serverless-scim/serverless-scim/pkg/scim"
)

// noExternalID: no user has an externalId.
func noExternalID(at *situation) *found {
	for _, p := range at.people {
		if text, _ := p.Doc["externalId"].(string); text != "" {
			return nil
		}
	}
	if len(at.people) == 0 {
		return nil
	}
	return &found{code: "external-id-missing", severity: Warning, with: map[string]any{"n": len(at.people)}}
}

// loginType finds the type of e-mail in a policy's loginAddress.
var loginType = regexp.MustCompile(`^emails\[type eq "([^"]+)"\]`)

// noLoginAddress: the login address is the e-mail of a type that people don't have.
func noLoginAddress(at *situation) *found {
	m := loginType.FindStringSubmatch(at.policy.Members.LoginAddress)
	if m == nil {
		return nil
	}
	var without, types []string
	for _, p := range at.people {
		has := false
		emails, _ := p.Doc["emails"].([]any)
		for _, v := range emails {
			e, _ := v.(scim.Object)
			kind, _ := e["type"].(string)
			has = has || strings.EqualFold(kind, m[1])
			if !slices.Contains(types, kind) {
				types = append(types, kind)
			}
		}
		if !has {
			without = append(without, name(p.Doc))
		}
	}
	if len(without) == 0 {
		return nil
	}
	for i, kind := range types {
		if kind == "" {
			types[i] = "-"
		}
	}
	if len(types) == 0 {
		types = []string{"-"}
	}
	slices.Sort(types)
	f := &found{code: "email-type-missing", severity: Error, with: map[string]any{
		"type": m[1], "n": len(without), "of": len(at.people), "people": listed(without), "sent": listed(types),
	}}
	return f
}

// noGroups: the policy gives by groups, and there are none.
func noGroups(at *situation) *found {
	if !at.policy.needsGroups() || len(at.groups) > 0 || len(at.people) == 0 {
		return nil
	}
	return &found{code: "groups-missing", severity: Error, with: map[string]any{"n": len(at.people)}}
}

// nestedGroups: groups have groups as members.
func nestedGroups(at *situation) *found {
	if len(at.nested) == 0 {
		return nil
	}
	var names []string
	for _, g := range at.nested {
		names = append(names, name(g.Doc))
	}
	return &found{
		code: "nested-groups", severity: Warning, with: map[string]any{"groups": listed(names), "n": len(names)},
	}
}

// separators are the characters that people write instead of an underscore.
var separators = regexp.MustCompile(`[\s_./–—-]+`)

// nearMiss: names of groups that fit no pattern of the policy, and would if case and separators did not matter.
func nearMiss(at *situation) *found {
	var names []string
	pattern := ""
	for _, g := range at.groups {
		text := name(g.Doc)
		if g.Doc == nil {
			continue
		}
		if missed := at.policy.missed(text); missed != "" {
			names, pattern = append(names, text), missed
		}
	}
	if names == nil {
		return nil
	}
	return &found{code: "group-name-wrong", severity: Warning, with: map[string]any{
		"groups": listed(names), "n": len(names), "pattern": pattern,
	}}
}

// missed returns the pattern that a group's name nearly fits, if it fits none; else "".
func (p policy) missed(text string) (pattern string) {
	for _, r := range p.Rules {
		if r.Group == nil || r.Group.Pattern == "" {
			continue
		}
		exact, err := regexp.Compile(r.Group.Pattern)
		if err != nil || exact.MatchString(text) {
			return ""
		}
		loose, err := regexp.Compile("(?i)" + r.Group.Pattern)
		if err != nil {
			continue
		}
		for _, separator := range []string{"_", "-", " ", "."} {
			tidy := separators.ReplaceAllString(strings.TrimSpace(text), separator)
			if exact.MatchString(tidy) || loose.MatchString(tidy) && alike(tidy, r.Group.Pattern) {
				pattern = r.Group.Pattern
			}
		}
	}
	return pattern
}

// word finds the fixed words of a pattern.
var word = regexp.MustCompile(`[A-Za-z]{3,}`)

// variable finds the parts of a pattern that are no fixed text: names of parts, classes and escapes.
var variable = regexp.MustCompile(`\(\?P<[^>]*>|\[[^\]]*\]|\\\w`)

// alike reports whether a name that would match a pattern in another case is probably meant to match: it has a digit,
// or one of the fixed words of the pattern. Any word fits a pattern of capitals.
func alike(text, pattern string) bool {
	if strings.ContainsAny(text, "0123456789") {
		return true
	}
	fixed := variable.ReplaceAllString(pattern, " ")
	for _, w := range word.FindAllString(fixed, -1) {
		if strings.Contains(strings.ToLower(text), strings.ToLower(w)) {
			return true
		}
	}
	return false
}

// notCovered: people who are assigned, but whom no group covers, so that they are not active.
func notCovered(at *situation) *found {
	if len(at.staged) == 0 {
		return nil
	}
	var names []string
	for _, m := range at.staged {
		names = append(names, m.UserName)
	}
	f := &found{code: "not-covered", severity: Warning, since: at.staged[0].ChangedAt, with: map[string]any{
		"people": listed(names), "n": len(names), "kinds": strings.Join(at.policy.Members.ActiveWhen.Kinds, ", "),
	}}
	for _, m := range at.staged {
		if m.ChangedAt.Before(f.since) {
			f.since = m.ChangedAt
		}
	}
	return f
}

// unresolved: managers and members whom nobody has created.
func unresolved(at *situation) *found {
	if len(at.unresolved) == 0 {
		return nil
	}
	var values []string
	for _, u := range at.unresolved {
		values = append(values, u.Value)
	}
	slices.Sort(values)
	values = slices.Compact(values)
	return &found{code: "reference-unknown", severity: Warning, with: map[string]any{
		"people": listed(values), "n": len(at.unresolved),
	}}
}
