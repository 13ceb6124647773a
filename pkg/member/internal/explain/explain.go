// Package explain says why a member is as it is.
package explain

import (
	"slices"
	"time"

	"github.com/serverless-scim/serverless-scim/pkg/mapping"
	"github.com/serverless-scim/serverless-scim/pkg/member/internal/record"
	"github.com/serverless-scim/serverless-scim/pkg/scim"
)

// Facts are what is known of a member.
type Facts struct {
	Member record.Member
	// Result is its evaluation by the policy; nil: there is none.
	Result *mapping.Result
	Facts  mapping.Facts
	// There says that the SCIM user is there.
	There bool
}

// Of explains a member, as the admin API shows it: the status, each assignment with its sources, and the assignments
// that rules would give but do not.
func Of(e Facts) scim.Object {
	missing := []any{}
	if e.Result != nil {
		for _, m := range e.Result.Missing {
			missing = append(missing, e.missing(m))
		}
	}
	return scim.Object{
		"status": scim.Object{"is": string(e.Member.Status), "because": e.status()}, "assignments": e.assignments(),
		"missing": missing,
	}
}

// millis is a time in Unix milliseconds as JSON.
func millis(at int64) string { return scim.FormatTime(time.UnixMilli(at).UTC()) }

// status says in a sentence why the member has its status.
func (e Facts) status() string {
	switch {
	case e.Member.Protected && (e.Result == nil || e.Result.Status != mapping.Active):
		return "The policy protects an assignment that no other active member has, so the member stays active."
	case e.Result != nil:
		return e.Result.Because
	case e.There:
		return "The policy excludes this user."
	case e.Member.Status == record.Removed:
		return "The user was deleted."
	}
	return "The user was deleted, and the policy keeps deleted users as inactive members."
}

// assignments are those of the member, each with its sources.
func (e Facts) assignments() []any {
	all := []any{}
	for _, a := range e.Member.Assignments {
		o, because := a.Object(), []any{}
		if e.Result != nil {
			if i := Find(e.Result.Assignments, a.TargetKey); i >= 0 {
				because = e.because(a, e.Result.Assignments[i].Sources)
			}
		}
		if e.Member.Protected && len(because) == 0 && !a.Manual {
			o["protected"] = true
		}
		o["because"] = because
		all = append(all, o)
	}
	return all
}

// Find is the index of the assignment of a target; -1 if there is none.
func Find(list []mapping.Assignment, key mapping.TargetKey) int {
	return slices.IndexFunc(list, func(a mapping.Assignment) bool { return a.TargetKey == key })
}

func (e Facts) group(i int) scim.Object {
	g := e.Facts.Memberships[i].Group
	return scim.Object{"id": g.ID, "displayName": g.DisplayName}
}

// because lists the rules that give an assignment, and the request that caused it.
func (e Facts) because(a record.Assignment, sources []mapping.Source) []any {
	all := []any{}
	for _, s := range sources {
		o := scim.Object{"rule": s.Rule}
		if s.Membership >= 0 {
			o["group"] = e.group(s.Membership)
			o["since"] = millis(e.Facts.Memberships[s.Membership].Since)
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

func (e Facts) missing(m mapping.Missing) scim.Object {
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
		g := e.Facts.Nested[m.Nested]
		o["group"] = scim.Object{"id": g.ID, "displayName": g.DisplayName}
	}
	return o
}
