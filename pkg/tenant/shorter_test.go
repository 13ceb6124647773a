package tenant_test

import (
	"strings"
	"testing"
	"time"

	"github.com/serverless-scim/serverless-scim/pkg/scim"
)

// TestShorterSuccessorEnds: where a successor of a short life ends before the token that it was made for, that one goes
// on to the next successor, of which people were told, and gets none of its own.
func TestShorterSuccessorEnds(t *testing.T) {
	w := newWorld(t)
	first := w.create(t, "acme")
	short, err := scim.ParseObject([]byte(`{"settings":{"token":{"lifetimeDays":12,"noticeDays":5,"reminders":[]}}}`))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Change(w.ctx, "acme", short); err != nil {
		t.Fatal(err)
	}
	const day = 24 * time.Hour
	var d told
	made := map[int]int{} // by days before the end of the first
	for left := 28; left >= 15; left-- {
		w.to(first.ExpiresAt.Add(-time.Duration(left) * day))
		w.rotate(t, &d)
		if n := strings.Count(d.take(), "token.successor-created"); n > 0 {
			made[left] = n
		}
	}
	if len(made) != 2 || made[28] != 1 || made[21] != 1 {
		t.Errorf("successors were made so many days before the end: %v; want one 28 days, and its own 21 days before",
			made)
	}
}
