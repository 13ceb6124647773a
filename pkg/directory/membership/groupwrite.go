package membership

import (
	"slices"

	"github.com/serverless-scim/serverless-scim/pkg/directory/row"
	"github.com/serverless-scim/serverless-scim/pkg/scim"
	"github.com/serverless-scim/serverless-scim/pkg/store"
)

// GroupWrite is a write of a group: the operation on its item, and the changes of its members.
type GroupWrite struct {
	ID      string
	Op      store.Op
	Changes []Change // in order of value
	// Version is the one that was loaded; 0 if the group is created.
	Version int64
	// Exact makes the write conditional on the version.
	Exact bool
}

// WriteGroup adds a group's item and the changes of its members to a write: in the transaction itself if they fit, each
// conditional on the member's presence; else as open work whose chunks are written before. Then the whole is
// conditional on the version that was loaded. The item's operation goes first.
func (s *Service) WriteGroup(w *Write, g GroupWrite) {
	at, _ := g.Op.Set[row.AttrModified].(int64)
	for i := range g.Changes {
		g.Changes[i].At = at
	}
	small := *w
	small.Tx = store.Tx{}
	small.Must(g.onVersion(), store.ErrStale)
	small.Join(&w.Tx)
	waiting := s.newWork(workResolve, g.ID)
	for _, c := range g.Changes {
		if small.Room() <= 0 {
			s.writeLarge(w, g)
			return
		}
		stage(&small.Tx, w.ts.Keys, g.ID, c, staging{gone: store.ErrStale, strict: true})
		s.wait(&small.Tx, w.ts.Keys, &waiting, c)
	}
	if len(waiting.values) > 0 {
		small.leave(waiting)
	}
	small.touchMembers(g, false)
	if s.Room(&small) < 0 {
		s.writeLarge(w, g)
		return
	}
	*w = small
}

// wait appends the operation that says that a member waits for its value, which names nobody, and notes the value
// in the work that looks for it again after the commit.
func (s *Service) wait(tx *store.Tx, k store.Keys, waiting *work, c Change) {
	if !c.Add || c.Type != TypeNone {
		return
	}
	if folded := scim.Fold(c.Value); !slices.Contains(waiting.values, folded) {
		waiting.values = append(waiting.values, folded)
		tx.Add(s.head(k, folded))
	}
}

// onVersion is the operation on the group's item, conditional on the version that was loaded if the write asks for it.
func (g GroupWrite) onVersion() store.Op {
	if g.Exact && g.Version > 0 {
		return g.Op.When(store.Is(row.AttrVersion, g.Version))
	}
	return g.Op
}

// touchMembers notes the users whose memberships a write changes: one by one if they are few, else together. A
// group that is touched itself stands for its stored members: only those who leave are noted, and open work, whose
// members are stored by its steps.
func (w *Write) touchMembers(g GroupWrite, open bool) {
	users, leave := []string(nil), false
	for _, c := range g.Changes {
		if c.Type == TypeUser {
			users = append(users, c.Value)
			leave = leave || !c.Add
		}
	}
	switch known := slices.Contains(w.Touched.Groups, g.ID); {
	case len(users) <= maxTouched:
		w.Touched.Users = slices.Concat(w.Touched.Users, users)
	case known && !open && !leave:
	default:
		if open {
			users = nil
		}
		w.Touched.Joined = []Joined{{Group: g.ID, Users: users}}
	}
}
