package plan_test

import (
	"context"
	"math/bits"
	"slices"
	"sync"
	"testing"

	"github.com/serverless-scim/serverless-scim/pkg/directory/query/plan"
	"github.com/serverless-scim/serverless-scim/pkg/scim"
	"github.com/serverless-scim/serverless-scim/pkg/scim/filter"
)

// moving is a resource that has one of two values of externalId at any time, e or f, and moves between certain reads.
type moving struct {
	turn  *sync.Cond
	reads int  // so far
	order uint // bit n: pass n reads f first
	moves uint // bit n: it moves before read n
}

// find answers the read of a value in its turn.
func (m *moving) find(_ context.Context, value, _ string) ([]string, error) {
	m.turn.L.Lock()
	defer m.turn.L.Unlock()
	second := func() bool { return (value == "f") != (m.order>>(m.reads/2)&1 == 1) }
	for second() != (m.reads%2 == 1) {
		m.turn.Wait()
	}
	now := bits.OnesCount(m.moves & (2<<m.reads - 1)) // moves until this read
	m.reads++
	m.turn.Broadcast()
	if (now%2 == 0) == (value == "e") {
		return []string{"1"}, nil
	}
	return nil, nil
}

// TestUnionFindsWhatMoves: a resource that matches throughout is found, however two changes move it between the
// branches of an `or`, and in whatever order these are read. Three changes can hide it, and only if each comes between
// the two reads of a pass: that is the limit that the package query documents.
func TestUnionFindsWhatMoves(t *testing.T) {
	const passes = 3 // that find nothing
	e, err := filter.Parse(`externalId eq "e" or externalId eq "f"`, scim.Dialect{})
	if err != nil {
		t.Fatal(err)
	}
	missed := map[int]int{}
	for order := range uint(1 << passes) {
		for moves := range uint(1 << (2 * passes)) {
			m := &moving{turn: sync.NewCond(&sync.Mutex{}), order: order, moves: moves}
			p := planner()
			p.Lookup = named(map[string]plan.Lookup{"externalId": m.find})
			n, _ := p.Plan(e)
			found, err := n.Find(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			if !slices.Equal(found.IDs, []string{"1"}) {
				missed[bits.OnesCount(moves&^1)]++ // a move before the first read is none
				if moves&0b101010 != 0b101010 {    // before the second read of each pass
					t.Errorf("missed with moves %b", moves)
				}
			}
		}
	}
	if missed[0]+missed[1]+missed[2] > 0 {
		t.Errorf("missed, by the number of moves: %v", missed)
	}
	if missed[3] == 0 {
		t.Error("three moves never hide it: the documentation of package query says less than is true")
	}
}
