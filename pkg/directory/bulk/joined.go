package bulk

// joined is a set of strings in classes that can be joined (union-find).
type joined struct{ parent map[string]string }

func newJoined() *joined { return &joined{parent: map[string]string{}} }

// has reports whether s was ever joined with anything.
func (j *joined) has(s string) bool { _, ok := j.parent[s]; return ok }

// find returns the name of the class of s: one of its strings, the same for all of them.
func (j *joined) find(s string) string {
	for {
		p, ok := j.parent[s]
		if !ok || p == s {
			return s
		}
		if next := j.parent[p]; next != p {
			j.parent[s] = next
		}
		s = p
	}
}

// join makes one class of those of a and b.
func (j *joined) join(a, b string) {
	for _, s := range []string{a, b} {
		if !j.has(s) {
			j.parent[s] = s
		}
	}
	j.parent[j.find(a)] = j.find(b)
}
