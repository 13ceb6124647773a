package people

import (
	"maps"
	"net/http"
	"regexp"
	"slices"

	"github.com/serverless-scim/serverless-scim/pkg/mapping"
	"github.com/serverless-scim/serverless-scim/pkg/portal/frame"
	"github.com/serverless-scim/serverless-scim/pkg/portal/saved"
)

// formPage is the form of a rule, or of a grammar.
type formPage struct {
	Edit edit
	// Field is the id of the field with the fault; "": none is.
	Field string
	// Wrong is the text about a fault; Faults are those of the policy.
	Wrong  string
	Faults []saved.Fault
	// Kinds are those that can be given.
	Kinds []string
	// Fits and Others are groups that a grammar is right for, and those that it is not.
	Fits   []fit
	Others []string
	More   bool // there are more groups than were tried
}

// fit is a group with the parts that a grammar finds in its name.
type fit struct{ Group, Name, Organisation string }

// offered are the kinds of the policy, and the usual ones.
func offered(p *mapping.Policy) []string {
	all := slices.Sorted(maps.Keys(p.Kinds))
	for _, kind := range []string{"role", "licence", "team"} {
		if !slices.Contains(all, kind) {
			all = append(all, kind)
		}
	}
	return all
}

func (r room) ruleForm(v *frame.Visit) error {
	_, p, err := saved.Of(v, r.c.Tenants, r.c.Members)
	if err != nil {
		return err
	}
	e := readEdit(v)
	e.Op, e.Version = byGroup, p.Version
	return v.Show("rule", formPage{Edit: e, Kinds: offered(p.Compiled)})
}

func (r room) attributeForm(v *frame.Visit) error {
	_, p, err := saved.Of(v, r.c.Tenants, r.c.Members)
	if err != nil {
		return err
	}
	e := readEdit(v)
	e.Op, e.Version = byAttribute, p.Version
	return v.Show("attribute", formPage{Edit: e, Kinds: offered(p.Compiled)})
}

func (r room) grammarForm(v *frame.Visit) error {
	e := readEdit(v)
	e.Op = byGrammar
	page, err := r.tried(v, e)
	if err != nil {
		return err
	}
	page.Edit.Version = page.version
	if v.Form("part") == "tried" {
		return v.ShowPart("grammar", "tried", page.formPage)
	}
	return v.Show("grammar", page.formPage)
}

type triedPage struct {
	formPage
	version int64
}

// tried tries a grammar on the tenant's groups.
func (r room) tried(v *frame.Visit, e edit) (page triedPage, err error) {
	p, groups, next, err := r.read(v, groupsTried)
	if err != nil {
		return page, err
	}
	page.formPage = formPage{Edit: e, Kinds: offered(p.Compiled), More: next != ""}
	page.version = p.Version
	pattern, _, wrong := grammar(e.Grammar)
	if e.Grammar != "" && wrong != "" {
		page.Wrong = v.Text(wrong)
	}
	if e.Grammar == "" || wrong != "" {
		pattern = "^$"
	}
	re, err := regexp.Compile(pattern)
	if err != nil {
		return page, err
	}
	for _, g := range groups {
		name := nameOf(g.Doc)
		found := re.FindStringSubmatch(name)
		if found == nil {
			page.Others = append(page.Others, name)
			continue
		}
		f := fit{Group: name}
		if i := re.SubexpIndex(partName); i >= 0 {
			f.Name = found[i]
		}
		if i := re.SubexpIndex(partOrganisation); i >= 0 {
			f.Organisation = found[i]
		}
		page.Fits = append(page.Fits, f)
	}
	return page, nil
}

// again shows the form of an edit once more, with the fault.
func (r room) again(v *frame.Visit, e edit, wrong string, faults mapping.Faults) error {
	if wrong == "" {
		wrong = "groups.error.policy"
	}
	status, field, shown := http.StatusBadRequest, e.fieldOf(wrong, faults), saved.Faults(v.Lang, faults)
	switch e.Op {
	case byGrammar:
		page, err := r.tried(v, e)
		if err != nil {
			return err
		}
		page.Wrong, page.Faults, page.Field, page.Edit.Version = v.Text(wrong), shown, field, page.version
		return v.ShowStatus(status, "grammar", page.formPage)
	case byGroup, byAttribute:
		_, p, err := saved.Of(v, r.c.Tenants, r.c.Members)
		if err != nil {
			return err
		}
		e.Version = p.Version
		return v.ShowStatus(status, map[string]string{byGroup: "rule", byAttribute: "attribute"}[e.Op], formPage{
			Edit: e, Wrong: v.Text(wrong), Field: field, Faults: shown, Kinds: offered(p.Compiled),
		})
	}
	return v.ShowStatus(status, "rehearsal", rehearsalPage{Edit: e, Wrong: v.Text(wrong), Faults: shown})
}
