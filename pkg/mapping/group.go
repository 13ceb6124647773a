package mapping

import (
	"github.com/serverless-scim/serverless-scim/pkg/scim"
)

// Group is a group with the targets that the rules of one policy give for it. It is immutable: compute it once per
// version of the group and of the policy.
type Group struct {
	ID          string
	DisplayName string
	// Excluded says that the policy excludes the group: it gives nothing.
	Excluded bool

	policy     *Policy
	externalID string
	gives      []grant
	near       []nearMiss
}

// grant is a rule that a group passes.
type grant struct {
	rule int
	// target and inside are the rendered templates, unless they use ${value}: then named has the parts of the pattern.
	target, inside string
	named          map[string]string
}

// nearMiss is a rule whose pattern a group passes and whose filter it does not.
type nearMiss struct {
	rule           int
	target, inside string
	part           string // the part of the filter that is false
}

// Group finds the rules that a group passes. doc has the group's stored attributes, and its id if a filter asks for it.
func (p *Policy) Group(id string, doc scim.Object) *Group {
	g := &Group{ID: id, policy: p}
	g.DisplayName, _ = doc["displayName"].(string)
	g.externalID, _ = doc["externalId"].(string)
	if p.excludeGroups != nil {
		_, _, g.Excluded = p.excludeGroups.match(doc)
	}
	for i := range p.rules {
		r := &p.rules[i]
		if r.group == nil {
			continue
		}
		named, near, ok := r.group.match(doc)
		switch {
		case ok && (r.target.uses(refValue) || r.inside.uses(refValue)):
			g.gives = append(g.gives, grant{rule: i, named: named})
		case ok:
			target, inside := r.render(g, named, "")
			g.gives = append(g.gives, grant{rule: i, target: target, inside: inside})
		case near != "":
			miss := nearMiss{rule: i, part: near}
			miss.target, miss.inside = r.render(g, named, "")
			g.near = append(g.near, miss)
		}
	}
	return g
}

// render fills in the templates of a rule. g is nil for a rule on users alone.
func (r *rule) render(g *Group, named map[string]string, value string) (target, inside string) {
	lookUp := func(ref string) string {
		switch ref {
		case refValue:
			if r.value != nil {
				return value
			}
		case refID:
			return g.ID
		case refName:
			return g.DisplayName
		case refExternalID:
			return g.externalID
		}
		return named[ref]
	}
	return r.target.render(lookUp), r.inside.render(lookUp)
}

// Gives reports whether any rule gives something for the group.
func (g *Group) Gives() bool { return len(g.gives) > 0 && !g.Excluded }

// Adopts lists the targets that the group takes from manual assignment: those of kinds whose manual assignments are
// removed, that an existing, not excluded group names by a rule that is not skipped. targets are the known targets
// and organisations.
func (g *Group) Adopts(targets Targets) []TargetKey {
	if g.Excluded {
		return nil
	}
	var keys []TargetKey
	for _, give := range g.gives {
		r := &g.policy.rules[give.rule]
		key := TargetKey{Kind: r.kind, Name: give.target, Organisation: give.inside}
		if !g.policy.Kinds[r.kind].RemoveManual || key.Name == "" || key.TooLong() || !r.featureOn(key, targets) {
			continue
		}
		keys = append(keys, key)
	}
	return keys
}

// Grant is a target that a rule gives for a group. Name is "" if it comes from an attribute of each user.
type Grant struct {
	Rule string
	TargetKey
}

// Grants lists the targets that the rules give for the group, in order of the policy; none if the group is
// excluded. A tenant without rules gives the group itself.
func (g *Group) Grants() []Grant {
	if g.Excluded {
		return nil
	}
	all := make([]Grant, 0, len(g.gives))
	for _, give := range g.gives {
		r := &g.policy.rules[give.rule]
		if give.target == "" && !r.target.uses(refValue) && !r.inside.uses(refValue) {
			continue // an empty result assigns nothing
		}
		all = append(all, Grant{r.id, TargetKey{Kind: r.kind, Name: give.target, Organisation: give.inside}})
	}
	return all
}
