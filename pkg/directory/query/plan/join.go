package plan

import (
	"context"
	"slices"
)

// maxAmong is up to how many candidates are looked up among the members of a group, or as groups of a member. Of more,
// the members, or groups, are read.
const maxAmong = 200

// Among finds for each of some values those of ids, sorted, that have the membership with that value. It does not
// change ids.
type Among func(ctx context.Context, values, ids []string) ([][]string, error)

// Again finds memberships of one type once more, among ids, sorted.
func Again(ctx context.Context, known []Membership, ids []string) ([]Membership, error) {
	if len(known) == 0 {
		return nil, nil
	}
	values := make([]string, len(known))
	for i, m := range known {
		values[i] = m.Value
	}
	having, err := known[0].Among(ctx, values, ids)
	if err != nil {
		return nil, err
	}
	now := slices.Clone(known)
	for i := range now {
		now[i].IDs = having[i]
	}
	return now, nil
}

// memberships finds the candidates of n that m, a lookup of memberships, allows: it asks for theirs alone, however
// large the group is.
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
		ids, err := m.among(ctx, []string{m.value}, found.IDs)
		if err != nil {
			return found, err
		}
		return found.both(Candidates{IDs: ids[0], Memberships: []Membership{{m.value, ids[0], m.among}}}), nil
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
	var ids []string
	for _, id := range a.IDs {
		if _, found := slices.BinarySearch(b.IDs, id); found {
			ids = append(ids, id)
		}
	}
	return Candidates{IDs: ids, Memberships: merge(a.Memberships, b.Memberships), Loose: a.Loose || b.Loose}
}

// either are the candidates that one of two lookups allows.
func (a Candidates) either(b Candidates) Candidates {
	if a.Many || b.Many {
		return Candidates{Many: true}
	}
	ids := slices.Concat(a.IDs, b.IDs)
	slices.Sort(ids)
	return Candidates{
		IDs: slices.Compact(ids), Memberships: merge(a.Memberships, b.Memberships), Loose: a.Loose || b.Loose,
	}
}

// merge joins memberships, those of a value into one.
func merge(a, b []Membership) []Membership {
	all := slices.Clone(a)
	for _, m := range b {
		i := slices.IndexFunc(all, func(other Membership) bool { return other.Value == m.Value })
		if i < 0 {
			all = append(all, m)
			continue
		}
		ids := slices.Concat(all[i].IDs, m.IDs)
		slices.Sort(ids)
		all[i].IDs = slices.Compact(ids)
	}
	return all
}
