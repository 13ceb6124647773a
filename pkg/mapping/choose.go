package mapping

import (
	"cmp"
	"slices"
)

// choose keeps one of several targets if the kind asks for it, inside each organisation. The others are noted as
// missing, with the winner's name. In a tie the order of the rules decides, then time, then the name.
func (e *evaluation) choose(k Kind, all []candidate) []candidate {
	if k.Choose == ChooseAll || len(all) < 2 {
		return all
	}
	best := map[string]candidate{} // by organisation
	for _, c := range all {
		if winner, taken := best[c.Organisation]; !taken || k.compare(c, winner) < 0 {
			best[c.Organisation] = c
		}
	}
	return slices.DeleteFunc(all, func(c candidate) bool {
		winner := best[c.Organisation]
		if c.TargetKey == winner.TargetKey {
			return false
		}
		e.withdraw(c, NotChosen, "A member has one %s only%s, and %s was chosen: %s.",
			k.Name, in(c.Organisation), show(winner.Name), k.because(winner, c))
		return true
	})
}

// compare is negative if a is chosen before b.
func (k Kind) compare(a, b candidate) int {
	ranked := 0
	switch k.Choose {
	case ChooseLowest:
		ranked = cmp.Compare(k.rank(a, len(k.Order)), k.rank(b, len(k.Order)))
	case ChooseHighest:
		ranked = cmp.Compare(k.rank(b, -1), k.rank(a, -1))
	}
	return cmp.Or(ranked, cmp.Compare(a.rule, b.rule), cmp.Compare(a.Since, b.Since), cmp.Compare(a.Name, b.Name))
}

// rank is the place of a target in the order of its kind; unlisted if it is not in it.
func (k Kind) rank(c candidate, unlisted int) int {
	if i := slices.Index(k.Order, c.Name); i >= 0 {
		return i
	}
	return unlisted
}

// because returns the reason for the choice between two targets.
func (k Kind) because(winner, loser candidate) string {
	w, l := k.rank(winner, -1), k.rank(loser, -1)
	switch {
	case k.Choose != ChooseFirst && w >= 0 && l >= 0:
		return "it is the " + string(k.Choose) + " in the order of the policy"
	case k.Choose != ChooseFirst && w >= 0:
		return "the other is not in the order of the policy"
	case winner.rule != loser.rule:
		return "its rule comes first"
	case winner.Since != loser.Since:
		return "the member has been in its group for longer"
	}
	return "it is a conflict, and the name decided"
}
