package tenant_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/serverless-scim/serverless-scim/pkg/event"
	"github.com/serverless-scim/serverless-scim/pkg/notice"
	"github.com/serverless-scim/serverless-scim/pkg/scim"
	"github.com/serverless-scim/serverless-scim/pkg/store"
	"github.com/serverless-scim/serverless-scim/pkg/tenant"
)

// life is a tenant on which people do random things, while the job runs every six hours.
type life struct {
	*world
	t     *testing.T
	rand  *rand.Rand
	trace []string
	names map[string]string // of tokens, as they came
	told  map[string]string // by token, the successor that people were told of last
	seen  map[string]int    // notices, and ends that were told
	gone  bool              // a person left it without a token
}

// TestRandomLives: after any actions of people a tenant that had a token has one, no token ends without a better one
// or before a notice, nothing is announced twice, and nothing stays due.
func TestRandomLives(t *testing.T) {
	for seed := range uint64(8) {
		w := newWorld(t)
		w.Service = tenant.New(w.store, tenant.NewTableSecrets(w.store), tenant.Options{
			Now: w.clock.Now, Endless: true,
		})
		l := &life{
			world: w, t: t, rand: rand.New(rand.NewPCG(seed, 7)), names: map[string]string{}, told: map[string]string{},
			seen: map[string]int{},
		}
		w.createWith(t, "acme", mailAda)
		for range 200 {
			l.act()
			l.pass(time.Duration(1+l.rand.IntN(60)) * time.Hour * time.Duration(1+max(0, l.rand.IntN(12)-10)*8))
			if l.check(); t.Failed() {
				t.Fatalf("seed %d:\n%s", seed, strings.Join(l.trace, "\n"))
			}
		}
	}
}

func (l *life) note(format string, args ...any) {
	l.trace = append(l.trace, l.clock.Now().Format("2006-01-02T15:04 ")+fmt.Sprintf(format, args...))
}

func (l *life) name(id string) string {
	if l.names[id] == "" {
		l.names[id] = fmt.Sprintf("T%d", len(l.names)+1)
	}
	return l.names[id]
}

func (l *life) live() []tenant.Token {
	all, err := l.Tokens(l.ctx, "acme")
	if err != nil {
		l.t.Fatal(err)
	}
	var live []tenant.Token
	for _, token := range all {
		if l.name(token.ID); token.State == tenant.TokenActive || token.State == tenant.TokenSuccessor {
			live = append(live, token)
		}
	}
	return live
}

// act does a random action of a person. A refused action does no harm.
func (l *life) act() {
	live, now := l.live(), l.clock.Now()
	ahead := now.Add(time.Duration(1+l.rand.IntN(500)) * day)
	switch n := l.rand.IntN(16); {
	case n == 0:
		l.note("start: %v", l.StartRotation(l.ctx, "acme"))
	case n == 1:
		l.note("complete: %v", l.CompleteRotation(l.ctx, "acme", l.rand.IntN(2) == 0))
	case n == 2:
		l.note("cancel: %v", l.CancelRotation(l.ctx, "acme"))
	case n == 3:
		scopes := [][]tenant.Scope{nil, nil, {tenant.ScopeRead}, {tenant.ScopeWrite}}[l.rand.IntN(4)]
		token, err := l.Issue(l.ctx, "acme", tenant.NewToken{
			Scopes: scopes, ExpiresAt: ahead, Endless: l.rand.IntN(8) == 0,
		})
		l.note("issue %s %v until %s: %v", l.name(token.ID), scopes, ahead, err)
		l.gone = l.gone && err != nil
	case n == 4:
		settings := []string{
			`{"lifetimeDays":90,"noticeDays":20,"reminders":[10,3]}`, `{"lifetimeDays":365,"noticeDays":60,"reminders":[30,14]}`,
			`{"lifetimeDays":60,"noticeDays":40,"reminders":[]}`, `null`,
		}[l.rand.IntN(4)]
		o, _ := scim.ParseObject([]byte(`{"settings":{"token":` + settings + `}}`))
		_, err := l.Change(l.ctx, "acme", o)
		l.note("settings %s: %v", settings, err)
	case len(live) == 0:
	case n == 5 && l.rand.IntN(2) == 0:
		token := live[l.rand.IntN(len(live))]
		l.note("revoke %s: %v", l.name(token.ID), l.Revoke(l.ctx, "acme", token.ID, true))
		l.gone = l.gone || len(live) == 1
	case n == 6:
		token := live[l.rand.IntN(len(live))]
		_, err := l.Extend(l.ctx, "acme", token.ID, ahead, false)
		l.note("extend %s until %s: %v", l.name(token.ID), ahead, err)
	case n < 11:
		token := live[l.rand.IntN(len(live))]
		l.Touch(l.ctx, "acme", token.ID)
		l.note("use %s", l.name(token.ID))
	}
}

// pass lets time pass.
func (l *life) pass(d time.Duration) {
	end := l.clock.Now().Add(d)
	for l.clock.Now().Before(end) {
		l.clock.add(min(end.Sub(l.clock.Now()), 6*time.Hour))
		if run, err := l.Rotate(l.ctx, l.delivery()); err != nil || run.Failed > 0 {
			l.t.Errorf("%+v, %v", run, err)
		}
		for _, e := range l.announced(l.t) {
			l.note("event %s of %s", e.Kind, l.name(strings.TrimPrefix(e.Subject, "tokens/")))
			if e.Kind == event.TokenExpired {
				l.once("the end of " + l.name(strings.TrimPrefix(e.Subject, "tokens/")))
			}
		}
	}
}

// once records something that may come only one time.
func (l *life) once(what string) {
	if l.seen[what]++; l.seen[what] > 1 {
		l.t.Errorf("%s came twice", what)
	}
}

func (l *life) delivery() tenant.Delivery {
	return func(_ context.Context, _ notice.Tenant, n notice.Notice) (notice.State, error) {
		l.note("notice %s of %s, enter %s", n.Kind, l.name(n.TokenID), l.name(n.Successor.ID))
		l.once("notice " + n.ID)
		if n.Kind == notice.SuccessorReady {
			l.told[n.TokenID] = n.Successor.ID
		}
		if n.Kind != notice.Expired && (n.Successor.ID == "" || n.Successor.ID == n.TokenID) {
			l.t.Errorf("notice %s of %s names no token to enter", n.Kind, l.name(n.TokenID))
		}
		return notice.Sent, nil
	}
}

// check looks at the tenant after a run.
func (l *life) check() {
	now, live := l.clock.Now(), l.live()
	if len(live) == 0 && !l.gone {
		l.t.Error("the tenant has no token")
	}
	for i, token := range live {
		left := token.ExpiresAt.Sub(now)
		if token.ExpiresAt.IsZero() || left > day || now.Sub(token.CreatedAt) < 7*time.Hour {
			continue
		}
		better, swapped := false, false
		for j, other := range live {
			serves := (!token.CanRead() || other.CanRead()) && (!token.CanWrite() || other.CanWrite())
			better = better || i != j && serves && (other.ExpiresAt.IsZero() || other.ExpiresAt.After(token.ExpiresAt))
			swapped = swapped || j > i && serves && !other.FirstUsedAt.IsZero()
		}
		if !swapped && (!better || !l.knowOf(token.ID, live)) {
			l.t.Errorf("%s ends in %s, with a better one %v, told %s", l.name(token.ID), left, better,
				l.name(l.told[token.ID]))
		}
	}
	for shard := range store.DueShards {
		page, err := l.store.Query(l.ctx,
			store.Query{PK: store.DuePK(shard), To: store.DueTime(now.Unix()) + "\x7f", Select: store.KeysOnly})
		if err != nil || page.Count > 0 {
			l.t.Errorf("%d entries are due after a run, %v", page.Count, err)
		}
	}
}

// knowOf reports whether people know of a live token to enter in place of one: of its successor or, if that is dead,
// of whom they were told of in its place.
func (l *life) knowOf(id string, live []tenant.Token) bool {
	for range l.names {
		id = l.told[id]
		if slices.ContainsFunc(live, func(t tenant.Token) bool { return t.ID == id }) {
			return true
		}
	}
	return false
}
