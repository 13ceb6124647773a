package local_test

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/serverless-scim/serverless-scim/pkg/scim/schema"
	"github.com/serverless-scim/serverless-scim/pkg/store"
)

// widest remembers the most operations that a transaction had.
type widest struct {
	store.Engine
	mu  sync.Mutex
	ops int
}

func (e *widest) Transact(ctx context.Context, token string, ops []store.Op) error {
	e.mu.Lock()
	e.ops = max(e.ops, len(ops))
	e.mu.Unlock()
	return e.Engine.Transact(ctx, token, ops)
}

// findable is a user all of whose values by which it can be found are of one generation, with so many e-mail addresses
// and unique values.
func findable(generation string, emails, numbers int) string {
	list := func(n int, format string) string {
		values := make([]string, n)
		for i := range values {
			values[i] = fmt.Sprintf(format, fmt.Sprintf("%s-%d", generation, i))
		}
		return strings.Join(values, ",")
	}
	return body("urn:ietf:params:scim:schemas:core:2.0:User", fmt.Sprintf(
		`"userName":"name-%[1]s","externalId":"external-%[1]s","emails":[%[2]s],`+
			`%[3]q:{"manager":{"value":"boss-%[1]s"}},%[4]q:{"numbers":[%[5]s]}`,
		generation, list(emails, `{"value":"%s@example.com"}`), enterpriseURN, badgeURN, list(numbers, `"%s"`)))
}

// TestReplaceAllValues replaces every value by which a user can be found, as many as there may be, while others wait
// for its new names and it waits for another manager: all of it is one transaction, with room for the events about
// it.
func TestReplaceAllValues(t *testing.T) {
	const carried = 2 // operations; see membership.Carry
	for _, c := range []struct{ emails, numbers int }{
		{schema.MaxEmails, 0},
		{schema.MaxEmails - schema.MaxUniqueValues, schema.MaxUniqueValues},
	} {
		t.Run(fmt.Sprintf("%d and %d", c.emails, c.numbers), func(t *testing.T) {
			engine := &widest{Engine: memory(t)}
			a := on(t, engine, "generic")
			a.badges(`{"name":"numbers","multiValued":true,"uniqueness":"server"}`, false)
			id := a.must(201, "POST", "/Users", findable("1", c.emails, c.numbers))["id"].(string)
			a.group("waiting", []string{"name-2", "external-2"})
			a.must(200, "PUT", "/Users/"+id, findable("2", c.emails, c.numbers))
			engine.mu.Lock()
			most := engine.ops
			engine.mu.Unlock()
			if room := store.MaxTransactOps - carried; most > room {
				t.Errorf("a transaction of %d operations leaves no room: at most %d", most, room)
			}
			last := fmt.Sprintf(`emails.value eq "%%d-%d@example.com"`, c.emails-1)
			if got := a.found("/Users", fmt.Sprintf(last, 2)); len(got) != 1 || got[0] != id {
				t.Errorf("by the last of its e-mails: %v, want %s", got, id)
			}
			if got := a.found("/Users", fmt.Sprintf(last, 1)); len(got) != 0 {
				t.Errorf("by an e-mail that it had: %v", got)
			}
			a.refuse(400, "invalidValue", "PUT", "/Users/"+id, findable("3", c.emails+1, c.numbers),
				fmt.Sprint(schema.MaxEmails), fmt.Sprint(c.emails+1))
			a.must(204, "DELETE", "/Users/"+id, "")
		})
	}
}
