package rotation

import (
	"slices"
	"time"
)

// keptDeadFor is the time for which a dead token is listed.
const keptDeadFor = 90 * 24 * time.Hour

// State is the part of a tenant from which the work on its tokens is decided. It is stored with the tenant.
type State struct {
	// Tokens are oldest first.
	Tokens []Token `json:"tokens,omitempty"`
	// Current is the token that is current in the vault, "" if that is not known.
	Current string `json:"current,omitempty"`
	// Collect says that a person has to collect a successor that was requested ahead of the notice period.
	Collect bool `json:"collect,omitempty"`
	// Looked is the time up to which reminders were looked at, in Unix seconds.
	Looked int64 `json:"looked,omitempty"`
	// Outbox is the last version of the tenant that wrote events or notices; 0 once all are delivered.
	Outbox int64 `json:"outbox,omitempty"`
}

// Token is the stored form of a token. Times are Unix seconds.
type Token struct {
	ID      string  `json:"id"`
	Digest  []byte  `json:"digest"`
	Scopes  []Scope `json:"scopes"`
	Created int64   `json:"created"`
	Expires int64   `json:"expires"` // 0: never
	Revoked int64   `json:"revoked,omitempty"`
	First   int64   `json:"first,omitempty"` // first use
	Vault   string  `json:"vault,omitempty"` // "": VaultSecret

	// Notice and Reminders are the settings, in days, at the creation of the token; 0 and nil are the defaults. Period
	// counts the periods of notice: one more if the token was extended beyond the one that it was in. Told has a bit
	// for each notice of the period: 0 that the successor is ready, i+1 reminder i.
	Notice    int    `json:"notice,omitempty"`
	Reminders []int  `json:"reminders,omitzero"`
	Period    int    `json:"period,omitempty"`
	Told      uint16 `json:"told,omitempty"`
	// Ready is the successor that a notice named; empty while it waits to be collected. Void counts those of them that
	// were revoked; after that the next one gets a notice like the first.
	Ready string `json:"ready,omitempty"`
	Void  int    `json:"void,omitempty"`

	// Ended says that the expiry was announced, Noted is the time of that in Unix seconds; Gone says that the vault
	// has removed the dead token.
	Ended bool  `json:"ended,omitempty"`
	Noted int64 `json:"noted,omitempty"`
	Gone  bool  `json:"gone,omitempty"`
}

// State is the state of the token at now. It is never TokenSuccessor, which depends on other tokens.
func (t Token) State(now time.Time) TokenState {
	switch {
	case t.Revoked != 0:
		return TokenRevoked
	case t.Expires != 0 && now.Unix() >= t.Expires:
		return TokenExpired
	}
	return TokenActive
}

// Live reports whether the token authenticates at now.
func (t Token) Live(now time.Time) bool { return t.State(now) == TokenActive }

// died returns the time at which the token stopped working; in the future for a live one.
func (t Token) died() time.Time {
	switch {
	case t.Revoked == 0:
		return time.Unix(t.end(), 0)
	case t.Expires == 0:
		return time.Unix(t.Revoked, 0)
	}
	return time.Unix(min(t.Revoked, t.Expires), 0)
}

// end returns the time of expiry in Unix seconds, far in the future if there is none.
func (t Token) end() int64 {
	if t.Expires == 0 {
		return 1 << 40
	}
	return t.Expires
}

// KeptIn returns the vault that keeps its value.
func (t Token) KeptIn() string {
	if t.Vault == "" {
		return VaultSecret
	}
	return t.Vault
}

// Remembered reports whether the token is still listed: for 90 days after its end or, if that was recorded late, after
// that time.
func (t Token) Remembered(now time.Time) bool {
	if t.Revoked == 0 && !t.Ended {
		return true
	}
	return now.Unix()-max(t.died().Unix(), t.Noted) < int64(keptDeadFor/time.Second)
}

// Live lists the indexes of the live tokens, oldest first.
func (r *State) Live(now time.Time) []int {
	var live []int
	for i, t := range r.Tokens {
		if t.Live(now) {
			live = append(live, i)
		}
	}
	return live
}

// Find returns the stored token with an id, or nil.
func (r *State) Find(tokenID string) *Token {
	if i := slices.IndexFunc(r.Tokens, func(t Token) bool { return t.ID == tokenID }); i >= 0 {
		return &r.Tokens[i]
	}
	return nil
}

// Extend changes the expiry of a live token, in Unix seconds, 0 for none. A token that leaves its period of notice by
// that gets all notices again. Reminders whose time has passed are not sent late.
func (t *Token) Extend(now time.Time, end int64) {
	noticed := t.Window() <= now.Unix()
	t.Expires = end
	if noticed && t.Window() > now.Unix() {
		t.Told, t.Ready, t.Void = 0, "", 0
		t.Period++
	}
	for _, m := range t.Milestones()[1:] {
		if m.At <= now.Unix() {
			t.Told |= m.Bit
		}
	}
}
