package mapping

import (
	"slices"
	"strings"
)

// template is a text with references such as "${org}" in it.
type template []piece

// piece is literal text, or a reference if ref is set.
type piece struct{ text, ref string }

// References that every template of a rule on groups knows.
const (
	refID         = "group.id"
	refName       = "group.displayName"
	refExternalID = "group.externalId"
	refValue      = "value"
)

// parseTemplate reads a template. The fault, which has no pointer, is nil if all its references are among known.
func parseTemplate(s string, known []string) (template, *Fault) {
	var t template
	for {
		before, rest, found := strings.Cut(s, "${")
		if before != "" {
			t = append(t, piece{text: before})
		}
		if !found {
			return t, nil
		}
		ref, after, closed := strings.Cut(rest, "}")
		switch {
		case !closed:
			return nil, sentence(notClosed)
		case !slices.Contains(known, ref):
			if len(known) == 0 {
				return nil, sentence(noReferences)
			}
			return nil, sentence(unknownReference, show(ref), strings.Join(known, "}, ${"))
		}
		t = append(t, piece{ref: ref})
		s = after
	}
}

// uses reports whether the template has a reference.
func (t template) uses(ref string) bool {
	return slices.ContainsFunc(t, func(p piece) bool { return p.ref == ref })
}

// constant returns the text of a template without references.
func (t template) constant() (string, bool) {
	var b strings.Builder
	for _, p := range t {
		if p.ref != "" {
			return "", false
		}
		b.WriteString(p.text)
	}
	return b.String(), true
}

// render fills in the references.
func (t template) render(value func(ref string) string) string {
	if len(t) == 1 && t[0].ref == "" {
		return t[0].text
	}
	var b strings.Builder
	for _, p := range t {
		if p.ref == "" {
			b.WriteString(p.text)
		} else {
			b.WriteString(value(p.ref))
		}
	}
	return b.String()
}
