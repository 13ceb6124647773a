package plan

import (
	"context"
	"slices"
)

// maxAmong is up to how many candidates are looked up among the members of a group, or as groups of a member. Of more,
// the members, or groups, are read.
const maxAmong = 200

// Among keeps those of ids, sorted, that a membership is asked of.
type Among func(ctx context.Context, ids []string) ([]string, error)

// memberships finds the candidates of n that m, a lookup of memberships, allows: it asks for theirs alone, whatever the
// size of the group.
func memberships(n, m *Narrowing) func(context.Context) (Candidates, error) {
	return func(ctx context.Context) (Candidates, error) {
		found, err := n.Find(ctx)
		if err != nil || found.Many || len(found.IDs) > maxAmong {
			if err != nil {
				return found, err
			}
			all, err := m.Find(ctx)
			return found.both(all), err
		}
		found.IDs, err = m.among(ctx, found.IDs)
		return found, err
	}
}

// both are the candidates that two lookups allow.
func (a Candidates) both(b Candidates) Candidates {
	switch {
	case a.Many && b.Many:
		return a
	case a.Many:
		return Candidates{IDs: b.IDs, Loose: true}
	case b.Many:
		return Candidates{IDs: a.IDs, Loose: true}
	}
	a.IDs = slices.DeleteFunc(a.IDs, func(id string) bool { _, found := slices.BinarySearch(b.IDs, id); return !found })
	a.Loose = a.Loose || b.Loose
	return a
}
