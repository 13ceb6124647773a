package rotation_test

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/serverless-scim/serverless-scim/pkg/tenant/internal/rotation"
)

const read, write = rotation.ScopeRead, rotation.ScopeWrite

// The table of TestDecide is in days: the token a, or the secret a, of most cases ends on day 100, and its period of
// notice begins on day 72. Reminders are on days 86, 93 and 99.
func onDay(n float64) int64 { return int64(n * 86400) }

// tokenOf is a token from day 1 to a day, 0 for no end.
func tokenOf(id string, ends float64, change ...func(*rotation.Token)) rotation.Token {
	t := rotation.Token{ID: id, Scopes: []rotation.Scope{read, write}, Created: onDay(1), Expires: onDay(ends)}
	for _, c := range change {
		c(&t)
	}
	return t
}

func firstUsed(day float64) func(*rotation.Token) {
	return func(t *rotation.Token) { t.First = onDay(day) }
}

func revokedOn(day float64) func(*rotation.Token) {
	return func(t *rotation.Token) { t.Revoked = onDay(day) }
}

func toldBits(bits uint16) func(*rotation.Token) { return func(t *rotation.Token) { t.Told = bits } }

func mayOnly(scopes ...rotation.Scope) func(*rotation.Token) {
	return func(t *rotation.Token) { t.Scopes = scopes }
}

func inVault(vault string) func(*rotation.Token) { return func(t *rotation.Token) { t.Vault = vault } }

func named(id string) func(*rotation.Token) {
	return func(t *rotation.Token) { t.Told, t.Ready = rotation.ReadyBit, id }
}
func forgotten(t *rotation.Token) { t.Gone = true }
func endTold(t *rotation.Token)   { t.Ended = true }

// secret is the secret a of a client, which ends on day 100; told are the days of the milestones that were told.
func secret(now float64, told ...int) rotation.Ending {
	e := rotation.Ending{
		ID: "a", Client: "app", Ends: onDay(100), Live: now < 100,
		Times: rotation.Milestones(onDay(100), rotation.DefaultNoticeDays, rotation.DefaultReminders),
	}
	for i, m := range e.Times {
		e.Times[i].Told = slices.Contains(told, m.Days)
	}
	return e
}

func secrets(all ...rotation.Ending) rotation.Situation { return rotation.Situation{Secrets: all} }

// show writes steps as the table has them.
func show(steps []rotation.Step) string {
	kinds := []string{"succeed", "ended", "remind", "looked", "deliver", "drop", "promote"}
	var out []string
	for _, s := range steps {
		text := kinds[s.Kind]
		for _, part := range []string{s.Client, s.ID, string(s.Notice), s.Ready} {
			if part != "" {
				text += " " + part
			}
		}
		if s.Scopes != nil {
			text += " " + fmt.Sprint(s.Scopes)
		}
		for _, m := range s.Marks {
			text += fmt.Sprintf(" -%d", m.Days)
		}
		out = append(out, text)
	}
	return strings.Join(out, "; ")
}

func TestDecide(t *testing.T) {
	shown := tokenOf("a", 100, inVault(rotation.VaultNone))
	told := []rotation.StepKind{rotation.Succeed, rotation.Remind}
	for _, c := range []struct {
		name   string
		day    float64
		tokens []rotation.Token
		more   func(*rotation.State)
		x      rotation.Situation
		want   string
	}{
		{name: "no token", day: 50, want: ""},
		{name: "young", day: 71.9, tokens: []rotation.Token{tokenOf("a", 100)}, want: ""},
		{name: "endless", day: 5000, tokens: []rotation.Token{tokenOf("a", 0)}, want: ""},
		{name: "period of notice", day: 72, tokens: []rotation.Token{tokenOf("a", 100)}, want: "succeed [read write]"},
		{
			name: "early", day: 70, tokens: []rotation.Token{tokenOf("a", 100)},
			x:    rotation.Situation{Early: 48 * time.Hour},
			want: "succeed [read write]",
		},
		{
			name: "scopes of the old one", day: 80, tokens: []rotation.Token{tokenOf("a", 100, mayOnly(read))},
			want: "succeed [read]",
		},
		{
			name: "scopes of both", day: 80,
			tokens: []rotation.Token{tokenOf("a", 100, mayOnly(read)), tokenOf("b", 101, mayOnly(write))},
			want:   "succeed [read write]",
		},
		{name: "after its end", day: 101, tokens: []rotation.Token{tokenOf("a", 100)}, want: "succeed [read write]"},
		{
			name: "after its end, successor failed", day: 101, tokens: []rotation.Token{tokenOf("a", 100)},
			x: rotation.Situation{Tried: []rotation.StepKind{rotation.Succeed}}, want: "ended a expired",
		},
		{name: "revoked, the only one", day: 80, tokens: []rotation.Token{tokenOf("a", 100, revokedOn(50), forgotten)}},
		{
			name: "successor failed, nothing to name", day: 80, tokens: []rotation.Token{tokenOf("a", 100)},
			x: rotation.Situation{Tried: []rotation.StepKind{rotation.Succeed}}, want: "",
		},
		{
			name: "successor failed, reminder", day: 86, tokens: []rotation.Token{tokenOf("a", 100)},
			x: rotation.Situation{Tried: []rotation.StepKind{rotation.Succeed}}, want: "remind a reminder-14 -14",
		},
		{
			name: "successor is there", day: 72, tokens: []rotation.Token{tokenOf("a", 100), tokenOf("b", 252)},
			want: "remind a successor-ready b -28",
		},
		{
			name: "late: one notice for all", day: 94, tokens: []rotation.Token{tokenOf("a", 100), tokenOf("b", 252)},
			want: "remind a successor-ready b -28 -14 -7",
		},
		{
			name: "two reminders at once", day: 94,
			tokens: []rotation.Token{tokenOf("a", 100, named("b")), tokenOf("b", 252)},
			want:   "remind a reminder-7 -14 -7",
		},
		{
			name: "told all", day: 94,
			tokens: []rotation.Token{tokenOf("a", 100, named("b"), toldBits(7)), tokenOf("b", 252)},
			want:   "",
		},
		{
			name: "successor is used, old one too", day: 86,
			tokens: []rotation.Token{tokenOf("a", 100, named("b")), tokenOf("b", 252, firstUsed(75))},
			x:      rotation.Situation{Used: map[string]int64{"a": onDay(85), "b": onDay(85)}},
			want:   "remind a reminder-14 -14",
		},
		{
			name: "successor is used, old one silent", day: 86,
			tokens: []rotation.Token{tokenOf("a", 100, named("b")), tokenOf("b", 252, firstUsed(75))},
			x:      rotation.Situation{Used: map[string]int64{"a": onDay(76), "b": onDay(85)}}, want: "looked",
		},
		{
			name: "successor was revoked", day: 80,
			tokens: []rotation.Token{
				tokenOf("a", 100, named("b")), tokenOf("b", 252, revokedOn(75), forgotten), tokenOf("c", 260),
			},
			want: "remind a successor-ready c -28",
		},
		{
			name: "expiry of one of two", day: 100,
			tokens: []rotation.Token{tokenOf("a", 100, toldBits(15)), tokenOf("b", 252, firstUsed(75))},
			want:   "ended a expired",
		},
		{
			name: "with vault none nobody makes it", day: 72, tokens: []rotation.Token{shown},
			x: rotation.Situation{ByHand: true}, want: "remind a successor-ready -28",
		},
		{
			name: "wanted early, with vault none", day: 20, tokens: []rotation.Token{shown},
			more: func(r *rotation.State) { r.Collect = true }, x: rotation.Situation{ByHand: true},
			want: "remind a successor-ready -28",
		},
		{
			name: "only that it is ready", day: 94, tokens: []rotation.Token{tokenOf("a", 100), tokenOf("b", 252)},
			x: rotation.Situation{ReadyOnly: true}, want: "remind a successor-ready b -28",
		},
		{
			name: "ready long before", day: 20, tokens: []rotation.Token{tokenOf("a", 100), tokenOf("b", 252)},
			x: rotation.Situation{Ready: onDay(72)}, want: "remind a successor-ready b -28",
		},

		{
			name: "delivery, vault", day: 50,
			tokens: []rotation.Token{
				tokenOf("a", 100, revokedOn(40)), tokenOf("n", 100, revokedOn(40), inVault(rotation.VaultNone)),
				tokenOf("b", 252, firstUsed(30)),
			},
			more: func(r *rotation.State) { r.Outbox, r.Current = 7, "a" }, want: "deliver; drop a; promote b",
		},
		{
			name: "tried all", day: 50,
			tokens: []rotation.Token{tokenOf("a", 100, revokedOn(40)), tokenOf("b", 252, firstUsed(30))},
			more:   func(r *rotation.State) { r.Outbox, r.Current = 7, "a" },
			x:      rotation.Situation{Tried: []rotation.StepKind{rotation.Deliver, rotation.Drop, rotation.Promote}},
			want:   "",
		},
		{
			name: "told first, delivered after", day: 100,
			tokens: []rotation.Token{tokenOf("a", 100), tokenOf("b", 252)},
			more:   func(r *rotation.State) { r.Outbox = 7 }, want: "ended a expired",
		},
		{
			name: "told and written", day: 100, tokens: []rotation.Token{tokenOf("a", 100, endTold), tokenOf("b", 252)},
			more: func(r *rotation.State) { r.Outbox = 7 }, x: rotation.Situation{Tried: told},
			want: "deliver; drop a; promote b",
		},
		{
			name: "older one in use stays current", day: 80,
			tokens: []rotation.Token{tokenOf("a", 100, firstUsed(2), named("b")), tokenOf("b", 252)},
			more:   func(r *rotation.State) { r.Current = "a" }, want: "",
		},

		{name: "secret, young", day: 71, x: secrets(secret(71))},
		{name: "secret, period of notice", day: 72, x: secrets(secret(72)), want: "remind app a successor-ready -28"},
		{name: "secret, late", day: 94, x: secrets(secret(94)), want: "remind app a successor-ready -28 -14 -7"},
		{name: "secret, reminders", day: 94, x: secrets(secret(94, 28)), want: "remind app a reminder-7 -14 -7"},
		{name: "secret of a short life", day: 94, x: secrets(secret(94, 28, 14)), want: "remind app a reminder-7 -7"},
		{
			name: "secret was left: noted, not told", day: 86,
			x:    secrets(func() rotation.Ending { e := secret(86, 28); e.Left = true; return e }()),
			want: "remind app a -14",
		},
		{name: "secret, end", day: 100, x: secrets(secret(100, 28, 1)), want: "ended app a expired"},
		{
			name: "secret, end is told", day: 100,
			x: secrets(func() rotation.Ending { e := secret(100); e.Ended = true; return e }()),
		},
		{
			name: "token and secret together", day: 72, tokens: []rotation.Token{tokenOf("t", 100), tokenOf("u", 252)},
			x: secrets(secret(72)), want: "remind t successor-ready u -28; remind app a successor-ready -28",
		},
		{
			name: "secrets are not asked for", day: 72,
			x: rotation.Situation{Secrets: []rotation.Ending{secret(72)}, ReadyOnly: true},
		},
	} {
		r := &rotation.State{Tokens: c.tokens}
		if len(c.tokens) > 0 {
			r.Current = c.tokens[0].ID
		}
		if c.more != nil {
			c.more(r)
		}
		c.x.Now = time.Unix(onDay(c.day), 0)
		before := *r
		before.Tokens = slices.Clone(r.Tokens)
		steps := rotation.Decide(r, c.x)
		if got := show(steps); got != c.want {
			t.Errorf("%s, day %v: %q, want %q", c.name, c.day, got, c.want)
		}
		if !reflect.DeepEqual(*r, before) {
			t.Errorf("%s: the state was changed: %+v, was %+v", c.name, r, before)
		}
		if got := rotation.Decide(r, c.x); show(got) != show(steps) {
			t.Errorf("%s: not the same the second time: %s", c.name, show(got))
		}
		// Recorded steps are not decided again, and then nothing is due before the next milestone.
		for _, s := range steps {
			if s.Client == "" && (s.Kind == rotation.Ended || s.Kind == rotation.Remind) {
				r.Note(c.x.Now, s)
			}
		}
		for _, s := range rotation.Decide(r, c.x) {
			if s.Client == "" && (s.Kind == rotation.Ended || s.Kind == rotation.Remind) {
				t.Errorf("%s: decided again: %s", c.name, show([]rotation.Step{s}))
			}
		}
		if c.want == "" && len(c.x.Tried) == 0 && !c.x.ReadyOnly {
			if at := r.Next(c.x); at <= c.x.Now.Unix() {
				t.Errorf("%s: nothing is due, but next is %v", c.name, at/86400)
			}
		}
		if c.want != "" && len(c.x.Tried) == 0 && !c.x.ReadyOnly && c.x.Ready == 0 &&
			!strings.HasPrefix(c.name, "wanted") {
			clear := *r
			clear.Tokens = before.Tokens
			clear.Release(c.x.Now) // as whoever ended a token did
			if at := clear.Next(c.x); at > c.x.Now.Unix() {
				t.Errorf("%s: steps are due, but next is %v", c.name, at/86400)
			}
		}
	}
}
