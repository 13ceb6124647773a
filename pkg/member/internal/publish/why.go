package publish

import (
	"context"
	"slices"
	"time"

	"github.com/serverless-scim/serverless-scim/pkg/mapping"
	"github.com/serverless-scim/serverless-scim/pkg/member/internal/policies"
	"github.com/serverless-scim/serverless-scim/pkg/member/internal/record"
	"github.com/serverless-scim/serverless-scim/pkg/scim"
)

// millis is a time in Unix milliseconds as JSON.
func millis(at int64) string { return scim.FormatTime(time.UnixMilli(at).UTC()) }

// Why explains a member: the status, each assignment with its sources, and the assignments that rules would give
// but do not. It publishes the member first, so that it explains its present state. found is false if it was never
// published.
func (s *Publisher) Why(ctx context.Context, t policies.Tenant, id string) (why scim.Object, found bool, err error) {
	m, found, err := s.Get(ctx, t, id)
	if err != nil || !found {
		return nil, false, err
	}
	p, err := s.examine(ctx, t, []string{id})
	if err != nil {
		return nil, false, err
	}
	sub := p.subjects[0]
	if err := s.nested(ctx, p, sub); err != nil {
		return nil, false, err
	}
	if err := s.evaluate(ctx, p, nil); err != nil {
		return nil, false, err
	}
	e := explainer{sub: sub, member: m}
	missing := []any{}
	if sub.result != nil {
		for _, m := range sub.result.Missing {
			missing = append(missing, e.missing(m))
		}
	}
	return scim.Object{
		"status": scim.Object{"is": string(m.Status), "because": e.status()}, "assignments": e.assignments(),
		"missing": missing,
	}, true, nil
}

// nested adds the groups around a member's groups to the facts. They give nothing, so that only explanations read them.
func (s *Publisher) nested(ctx context.Context, p *publication, sub *subject) error {
	ids := make([]string, len(sub.person.Groups))
	for i, g := range sub.person.Groups {
		ids[i] = g.ID
	}
	outer, err := s.o.Directory.GroupsHolding(ctx, p.t.ID, ids)
	for _, g := range outer {
		if !slices.Contains(ids, g.ID) {
			sub.facts.Nested = append(sub.facts.Nested, s.policies.Matches(p.policy, g))
		}
	}
	return err
}

// explainer explains a member by an evaluation of it.
type explainer struct {
	sub    *subject
	member record.Member
}

// status says in a sentence why the member has its status.
func (e explainer) status() string {
	switch {
	case e.member.Protected && (e.sub.result == nil || e.sub.result.Status != mapping.Active):
		return "The policy protects an assignment that no other active member has, so the member stays active."
	case e.sub.result != nil:
		return e.sub.result.Because
	case e.sub.person.Doc != nil:
		return "The policy excludes this user."
	case e.member.Status == record.Removed:
		return "The user was deleted."
	}
	return "The user was deleted, and the policy keeps deleted users as inactive members."
}

// assignments are those of the member, each with its sources.
func (e explainer) assignments() []any {
	all := []any{}
	for _, a := range e.member.Assignments {
		o, because := a.Object(), []any{}
		if e.sub.result != nil {
			if i := findAssignment(e.sub.result.Assignments, a.TargetKey); i >= 0 {
				because = e.because(a, e.sub.result.Assignments[i].Sources)
			}
		}
		if e.member.Protected && len(because) == 0 && !a.Manual {
			o["protected"] = true
		}
		o["because"] = because
		all = append(all, o)
	}
	return all
}

func findAssignment(list []mapping.Assignment, key mapping.TargetKey) int {
	return slices.IndexFunc(list, func(a mapping.Assignment) bool { return a.TargetKey == key })
}

func (e explainer) group(i int) scim.Object {
	g := e.sub.facts.Memberships[i].Group
	return scim.Object{"id": g.ID, "displayName": g.DisplayName}
}

// because lists the rules that give an assignment, and the request that caused it.
func (e explainer) because(a record.Assignment, sources []mapping.Source) []any {
	all := []any{}
	for _, s := range sources {
		o := scim.Object{"rule": s.Rule}
		if s.Membership >= 0 {
			o["group"] = e.group(s.Membership)
			o["since"] = millis(e.sub.facts.Memberships[s.Membership].Since)
		}
		if a.Cause.RequestID != "" {
			o["requestId"] = a.Cause.RequestID
		}
		if a.Cause.TokenID != "" {
			o["tokenId"] = a.Cause.TokenID
		}
		all = append(all, o)
	}
	return all
}

func (e explainer) missing(m mapping.Missing) scim.Object {
	o := scim.Object{"kind": m.Kind, "target": m.Name, "reason": string(m.Reason), "detail": m.Detail}
	if m.Rule != "" {
		o["rule"] = m.Rule
	}
	if m.Organisation != "" {
		o["organisation"] = m.Organisation
	}
	switch {
	case m.Membership >= 0:
		o["group"] = e.group(m.Membership)
	case m.Nested >= 0:
		g := e.sub.facts.Nested[m.Nested]
		o["group"] = scim.Object{"id": g.ID, "displayName": g.DisplayName}
	}
	return o
}
