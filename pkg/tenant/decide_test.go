package tenant

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/serverless-scim/serverless-scim/pkg/notice"
)

// The table of decide is in days: the token a, or the secret a, of most cases ends on day 100, and its period of notice
// begins on day 72. Reminders are on days 86, 93 and 99.
func onDay(n float64) int64 { return int64(n * 86400) }

// tokenOf is a token from day 1 to a day, 0 for no end.
func tokenOf(id string, ends float64, change ...func(*tokenRecord)) tokenRecord {
	t := tokenRecord{ID: id, Scopes: []Scope{ScopeRead, ScopeWrite}, Created: onDay(1), Expires: onDay(ends)}
	for _, c := range change {
		c(&t)
	}
	return t
}

func firstUsed(day float64) func(*tokenRecord) { return func(t *tokenRecord) { t.First = onDay(day) } }

func revokedOn(day float64) func(*tokenRecord) {
	return func(t *tokenRecord) { t.Revoked = onDay(day) }
}
func toldBits(bits uint16) func(*tokenRecord)    { return func(t *tokenRecord) { t.Told = bits } }
func mayOnly(scopes ...Scope) func(*tokenRecord) { return func(t *tokenRecord) { t.Scopes = scopes } }
func inVault(vault string) func(*tokenRecord)    { return func(t *tokenRecord) { t.Vault = vault } }
func named(id string) func(*tokenRecord) {
	return func(t *tokenRecord) { t.Told, t.Ready = readyBit, id }
}
func forgotten(t *tokenRecord) { t.Gone = true }
func endTold(t *tokenRecord)   { t.Ended = true }

func clientWith(secrets ...credential) []clientRecord {
	return []clientRecord{{ID: "app", Credentials: secrets}}
}

// show writes steps as the table has them.
func show(steps []step) string {
	kinds := []string{"succeed", "ended", "remind", "looked", "deliver", "drop", "promote"}
	var out []string
	for _, s := range steps {
		text := kinds[s.kind]
		for _, part := range []string{s.client, s.id, string(s.notice), s.ready} {
			if part != "" {
				text += " " + part
			}
		}
		if s.scopes != nil {
			text += " " + joinScopes(s.scopes)
		}
		for _, m := range s.marks {
			text += fmt.Sprintf(" -%d", m.days)
		}
		out = append(out, text)
	}
	return strings.Join(out, "; ")
}

func TestDecide(t *testing.T) {
	told := []stepKind{succeed, remind}
	for _, c := range []struct {
		name   string
		day    float64
		tokens []tokenRecord
		more   func(*record)
		x      situation
		want   string
	}{
		{name: "no token", day: 50, want: ""},
		{name: "young", day: 71.9, tokens: []tokenRecord{tokenOf("a", 100)}, want: ""},
		{name: "endless", day: 5000, tokens: []tokenRecord{tokenOf("a", 0)}, want: ""},
		{name: "period of notice", day: 72, tokens: []tokenRecord{tokenOf("a", 100)}, want: "succeed read write"},
		{
			name: "early", day: 70, tokens: []tokenRecord{tokenOf("a", 100)}, x: situation{early: 2 * day},
			want: "succeed read write",
		},
		{
			name: "scopes of the old one", day: 80, tokens: []tokenRecord{tokenOf("a", 100, mayOnly(ScopeRead))},
			want: "succeed read",
		},
		{
			name: "scopes of both", day: 80,
			tokens: []tokenRecord{tokenOf("a", 100, mayOnly(ScopeRead)), tokenOf("b", 101, mayOnly(ScopeWrite))},
			want:   "succeed read write",
		},
		{name: "after its end", day: 101, tokens: []tokenRecord{tokenOf("a", 100)}, want: "succeed read write"},
		{
			name: "after its end, successor failed", day: 101, tokens: []tokenRecord{tokenOf("a", 100)},
			x: situation{tried: []stepKind{succeed}}, want: "ended a expired",
		},
		{name: "revoked, the only one", day: 80, tokens: []tokenRecord{tokenOf("a", 100, revokedOn(50), forgotten)}},
		{
			name: "successor failed, nothing to name", day: 80, tokens: []tokenRecord{tokenOf("a", 100)},
			x: situation{tried: []stepKind{succeed}}, want: "",
		},
		{
			name: "successor failed, reminder", day: 86, tokens: []tokenRecord{tokenOf("a", 100)},
			x: situation{tried: []stepKind{succeed}}, want: "remind a reminder-14 -14",
		},
		{
			name: "successor is there", day: 72, tokens: []tokenRecord{tokenOf("a", 100), tokenOf("b", 252)},
			want: "remind a successor-ready b -28",
		},
		{
			name: "late: one notice for all", day: 94, tokens: []tokenRecord{tokenOf("a", 100), tokenOf("b", 252)},
			want: "remind a successor-ready b -28 -14 -7",
		},
		{
			name: "two reminders at once", day: 94, tokens: []tokenRecord{tokenOf("a", 100, named("b")), tokenOf("b", 252)},
			want: "remind a reminder-7 -14 -7",
		},
		{
			name: "told all", day: 94,
			tokens: []tokenRecord{tokenOf("a", 100, toldBits(7), func(t *tokenRecord) { t.Ready = "b" }), tokenOf("b", 252)},
			want:   "",
		},
		{
			name: "successor is used, old one too", day: 86,
			tokens: []tokenRecord{tokenOf("a", 100, named("b")), tokenOf("b", 252, firstUsed(75))},
			x:      situation{used: map[string]int64{"a": onDay(85), "b": onDay(85)}}, want: "remind a reminder-14 -14",
		},
		{
			name: "successor is used, old one silent", day: 86,
			tokens: []tokenRecord{tokenOf("a", 100, named("b")), tokenOf("b", 252, firstUsed(75))},
			x:      situation{used: map[string]int64{"a": onDay(76), "b": onDay(85)}}, want: "looked",
		},
		{
			name: "successor was revoked", day: 80,
			tokens: []tokenRecord{
				tokenOf("a", 100, named("b")), tokenOf("b", 252, revokedOn(75), forgotten), tokenOf("c", 260),
			},
			want: "remind a successor-ready c -28",
		},
		{
			name: "expiry of one of two", day: 100,
			tokens: []tokenRecord{tokenOf("a", 100, toldBits(15)), tokenOf("b", 252, firstUsed(75))},
			want:   "ended a expired",
		},
		{
			name: "with vault none nobody makes it", day: 72, tokens: []tokenRecord{tokenOf("a", 100, inVault(VaultNone))},
			x: situation{policy: policy{vault: VaultNone}}, want: "remind a successor-ready -28",
		},
		{
			name: "wanted early, with vault none", day: 20, tokens: []tokenRecord{tokenOf("a", 100, inVault(VaultNone))},
			more: func(r *record) { r.Collect = true }, x: situation{policy: policy{vault: VaultNone}},
			want: "remind a successor-ready -28",
		},
		{
			name: "only that it is ready", day: 94, tokens: []tokenRecord{tokenOf("a", 100), tokenOf("b", 252)},
			x: situation{readyOnly: true}, want: "remind a successor-ready b -28",
		},
		{
			name: "ready long before", day: 20, tokens: []tokenRecord{tokenOf("a", 100), tokenOf("b", 252)},
			x: situation{ready: onDay(72)}, want: "remind a successor-ready b -28",
		},

		{
			name: "delivery, vault", day: 50,
			tokens: []tokenRecord{
				tokenOf("a", 100, revokedOn(40)), tokenOf("n", 100, revokedOn(40), inVault(VaultNone)),
				tokenOf("b", 252, firstUsed(30)),
			},
			more: func(r *record) { r.Outbox, r.Current = 7, "a" }, want: "deliver; drop a; promote b",
		},
		{
			name: "tried all", day: 50,
			tokens: []tokenRecord{tokenOf("a", 100, revokedOn(40)), tokenOf("b", 252, firstUsed(30))},
			more:   func(r *record) { r.Outbox, r.Current = 7, "a" },
			x:      situation{tried: []stepKind{deliver, drop, promote}}, want: "",
		},
		{
			name: "told first, delivered after", day: 100, tokens: []tokenRecord{tokenOf("a", 100), tokenOf("b", 252)},
			more: func(r *record) { r.Outbox = 7 }, want: "ended a expired",
		},
		{
			name: "told and written", day: 100, tokens: []tokenRecord{tokenOf("a", 100, endTold), tokenOf("b", 252)},
			more: func(r *record) { r.Outbox = 7 }, x: situation{tried: told}, want: "deliver; drop a; promote b",
		},
		{
			name: "older one in use stays current", day: 80,
			tokens: []tokenRecord{tokenOf("a", 100, firstUsed(2), named("b")), tokenOf("b", 252)},
			more:   func(r *record) { r.Current = "a" }, want: "",
		},

		{
			name: "secret, young", day: 71,
			more: func(r *record) { r.Clients = clientWith(credential{ID: "a", Expires: onDay(100)}) },
		},
		{name: "secret without end", day: 5000, more: func(r *record) { r.Clients = clientWith(credential{ID: "a"}) }},
		{
			name: "secret, period of notice", day: 72,
			more: func(r *record) { r.Clients = clientWith(credential{ID: "a", Expires: onDay(100)}) },
			want: "remind app a successor-ready -28",
		},
		{
			name: "secret, late", day: 94,
			more: func(r *record) { r.Clients = clientWith(credential{ID: "a", Expires: onDay(100)}) },
			want: "remind app a successor-ready -28 -14 -7",
		},
		{
			name: "secret, reminders", day: 94,
			more: func(r *record) { r.Clients = clientWith(credential{ID: "a", Expires: onDay(100), Told: []int{28}}) },
			want: "remind app a reminder-7 -14 -7",
		},
		{
			name: "secret of a short life", day: 94,
			more: func(r *record) { r.Clients = clientWith(credential{ID: "a", Expires: onDay(100), Told: []int{14}}) },
			want: "remind app a reminder-7 -7",
		},
		{
			name: "secret was left: noted, not told", day: 86,
			more: func(r *record) {
				r.Clients = clientWith(credential{ID: "a", Expires: onDay(100), Told: []int{28}}, credential{ID: "b"})
			},
			x: situation{used: map[string]int64{"a": onDay(70), "b": onDay(85)}}, want: "remind app a -14",
		},
		{
			name: "secret, end", day: 100,
			more: func(r *record) { r.Clients = clientWith(credential{ID: "a", Expires: onDay(100), Told: []int{28, 1}}) },
			want: "ended app a expired",
		},
		{
			name: "secret, end is told", day: 100,
			more: func(r *record) { r.Clients = clientWith(credential{ID: "a", Expires: onDay(100), Ended: true}) },
		},
		{
			name: "token and secret together", day: 72, tokens: []tokenRecord{tokenOf("t", 100), tokenOf("u", 252)},
			more: func(r *record) { r.Clients = clientWith(credential{ID: "a", Expires: onDay(100)}) },
			want: "remind t successor-ready u -28; remind app a successor-ready -28",
		},
	} {
		r := &record{Tokens: c.tokens, state: active}
		if len(c.tokens) > 0 {
			r.Current = c.tokens[0].ID
		}
		if c.more != nil {
			c.more(r)
		}
		c.x.now = time.Unix(onDay(c.day), 0)
		if c.x.policy.vault == "" {
			c.x.policy.vault = VaultSecret
		}
		c.x.policy.noticeDays, c.x.policy.reminders = defaultNoticeDays, defaultReminders
		before := r.clone()
		steps := decide(r, c.x)
		if got := show(steps); got != c.want {
			t.Errorf("%s, day %v: %q, want %q", c.name, c.day, got, c.want)
		}
		if !reflect.DeepEqual(r, before) {
			t.Errorf("%s: the record was changed: %+v, was %+v", c.name, r, before)
		}
		if got := decide(r, c.x); show(got) != show(steps) {
			t.Errorf("%s: not the same the second time: %s", c.name, show(got))
		}
		if lastRound(steps) {
			continue
		}
		if steps[0].kind != succeed { // noted, nothing of it is decided again
			r.apply(c.x, steps)
			again := decide(r, c.x)
			if slices.ContainsFunc(again, func(s step) bool { return s.kind <= looked }) {
				t.Errorf("%s: decided again: %s", c.name, show(again))
			}
			told := slices.DeleteFunc(slices.Clone(steps), func(s step) bool { return s.notice == "" })
			kinds := make([]notice.Kind, len(r.out.notices))
			for i, n := range r.out.notices {
				kinds[i] = n.Kind
			}
			if len(kinds) != len(told) {
				t.Errorf("%s: notices %v", c.name, kinds)
			}
		}
	}
}
