package tenant

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/serverless-scim/serverless-scim/pkg/store"
)

// The attributes of the tenant's item, and of its entry in the list of tenants, beside the schema version.
const (
	attrDoc     = "doc"   // the record as JSON
	attrVersion = "ver"   // grows with every write; what optimistic writes compare
	attrState   = "state" // see state
	attrSince   = "since" // list only: Unix time of the last change of state
	// with the key and the other attributes, one read unit; more than that only where nothing can be left out
	maxDocBytes = 3900
	keptDead    = 10 // dead tokens that are kept, so that "expired on" can be said
	keptDeadFor = 90 * 24 * time.Hour
)

// state is where a tenant is in its life. Only an active one is seen by anybody but this package.
type state string

const (
	creating state = "creating"
	active   state = "active"
	deleting state = "deleting"
)

// record is the stored form of a tenant. Its keys stay: stored items have them.
type record struct {
	Name     string         `json:"name"`
	IdP      string         `json:"idp"`
	Off      bool           `json:"off,omitempty"`
	Settings Settings       `json:"settings,omitzero"`
	Created  int64          `json:"created"` // milliseconds
	Modified int64          `json:"modified"`
	Tokens   []tokenRecord  `json:"tokens,omitempty"`
	Pending  *reservation   `json:"pending,omitempty"`
	Clients  []clientRecord `json:"clients,omitempty"`
	// hash of the definitions in the item SCHEMAS; "" where there are none
	Schemas string `json:"schemas,omitempty"`
	Key     []byte `json:"key"` // see Tenant.CursorKey
	// Current is the token that is current in the vault, "" where that is not known.
	Current string `json:"current,omitempty"`
	// Collect says that a successor is wanted and a person has to collect it, before the notice period asks for one.
	Collect bool `json:"collect,omitempty"`
	// Due is where the tenant stands in the order of due times, 0 for nowhere; Looked until when reminders were looked at;
	// Retry when what went wrong is tried again. Unix seconds.
	Due    int64 `json:"due,omitempty"`
	Looked int64 `json:"looked,omitempty"`
	Retry  int64 `json:"retry,omitempty"`
	// Outbox is the version that last wrote something to tell; 0 once all is told.
	Outbox int64 `json:"outbox,omitempty"`

	state   state
	version int64
	out     outgoing
	wake    string // the value of store.AttrWake that the next write has, if any
}

// tokenRecord is the stored form of a token. Times are Unix seconds.
type tokenRecord struct {
	ID      string  `json:"id"`
	Digest  []byte  `json:"digest"`
	Scopes  []Scope `json:"scopes"`
	Created int64   `json:"created"`
	Expires int64   `json:"expires"` // 0: never
	Revoked int64   `json:"revoked,omitempty"`
	First   int64   `json:"first,omitempty"` // first use
	Vault   string  `json:"vault,omitempty"` // "": VaultSecret

	// Notice and Reminders are the settings, in days, that held when the token was made; 0 and nil are the defaults.
	// Period counts the periods of notice: one more where the token was extended beyond the one that it was in. Told has a
	// bit for what was told in it: 0 that the successor is ready, i+1 reminder i.
	Notice    int    `json:"notice,omitempty"`
	Reminders []int  `json:"reminders,omitzero"`
	Period    int    `json:"period,omitempty"`
	Told      uint16 `json:"told,omitempty"`
	// Ready is the successor that was told of; empty while it waits to be collected. Void counts those of them that were
	// revoked, after which the next one is told of like the first.
	Ready string `json:"ready,omitempty"`
	Void  int    `json:"void,omitempty"`

	// Ended says that the expiry was told, Noted when, in Unix seconds; Gone that the vault has forgotten the dead token.
	Ended bool  `json:"ended,omitempty"`
	Noted int64 `json:"noted,omitempty"`
	Gone  bool  `json:"gone,omitempty"`
}

// reservation is the place of a token that is being made: its value is on the way into the vault. Nobody authenticates
// with it.
type reservation struct {
	ID string `json:"id"`
	At int64  `json:"at"` // Unix seconds
	By string `json:"by"` // the process
}

func (t tokenRecord) state(now time.Time) TokenState {
	switch {
	case t.Revoked != 0:
		return TokenRevoked
	case t.Expires != 0 && now.Unix() >= t.Expires:
		return TokenExpired
	}
	return TokenActive
}

func (t tokenRecord) live(now time.Time) bool { return t.state(now) == TokenActive }

// died is when the token stopped working; in the future for a live one.
func (t tokenRecord) died() time.Time {
	switch {
	case t.Revoked == 0:
		return time.Unix(t.end(), 0)
	case t.Expires == 0:
		return time.Unix(t.Revoked, 0)
	}
	return time.Unix(min(t.Revoked, t.Expires), 0)
}

// end is when the token expires, far away where it never does.
func (t tokenRecord) end() int64 {
	if t.Expires == 0 {
		return 1 << 40
	}
	return t.Expires
}

// vault is where its value is kept.
func (t tokenRecord) vault() string {
	if t.Vault == "" {
		return VaultSecret
	}
	return t.Vault
}

// remembered reports whether the token is still listed: for 90 days after its end or, where that was noted late, after
// it was noted.
func (t tokenRecord) remembered(now time.Time) bool {
	if t.Revoked == 0 && !t.Ended {
		return true
	}
	return now.Unix()-max(t.died().Unix(), t.Noted) < int64(keptDeadFor/time.Second)
}

// live lists the indexes of the live tokens, oldest first.
func (r *record) live(now time.Time) []int {
	var live []int
	for i, t := range r.Tokens {
		if t.live(now) {
			live = append(live, i)
		}
	}
	return live
}

// tokens is what the world sees of the tokens.
func (r *record) tokens(now time.Time) []Token {
	live := r.live(now)
	tokens := make([]Token, 0, len(r.Tokens))
	for i, t := range r.Tokens {
		if !t.remembered(now) {
			continue
		}
		token := Token{
			ID: t.ID, State: t.state(now), Scopes: t.Scopes,
			CreatedAt: unix(t.Created), ExpiresAt: unix(t.Expires), FirstUsedAt: unix(t.First),
		}
		if len(live) > 1 && i == live[len(live)-1] {
			token.State = TokenSuccessor
		}
		tokens = append(tokens, token)
	}
	return tokens
}

// find returns the stored token with an id, or nil.
func (r *record) find(tokenID string) *tokenRecord {
	if i := slices.IndexFunc(r.Tokens, func(t tokenRecord) bool { return t.ID == tokenID }); i >= 0 {
		return &r.Tokens[i]
	}
	return nil
}

// forget drops the dead tokens that need not be kept: the oldest above keep, and those dead for too long. One whose
// expiry is not told yet stays, unless there are twice as many.
func (r *record) forget(now time.Time, keep int) {
	dead := 0
	for i := len(r.Tokens) - 1; i >= 0; i-- {
		t := &r.Tokens[i]
		if t.live(now) {
			continue
		}
		dead++
		switch old := dead > keep || !t.remembered(now); {
		case old && (t.Ended || t.Revoked != 0 || dead > 2*keptDead):
			r.Tokens = slices.Delete(r.Tokens, i, i+1)
		case t.Gone && (t.Ended || t.Revoked != 0):
			t.Notice, t.Reminders, t.Told, t.Ready = 0, nil, 0, "" // of no use any more
		}
	}
}

func (r *record) tenant(id string, now time.Time) Tenant {
	return Tenant{
		ID: id, Name: r.Name, IdP: r.IdP, Active: !r.Off, Settings: r.Settings,
		Created: time.UnixMilli(r.Created).UTC(), Modified: time.UnixMilli(r.Modified).UTC(), Tokens: r.tokens(now),
		Schemas: r.Schemas, key: r.Key, version: r.version,
	}
}

// keyBytes is the length of a tenant's key.
const keyBytes = 32

// attrs is the item of the record. Where it would be more than one read, it does without the oldest dead tokens. What
// then still is more, of a tenant that has as much of everything as it may, costs a second read, and keeps nobody from
// being told or renewed.
func (r *record) attrs(now time.Time) (store.Attrs, error) {
	for keep := keptDead; ; keep-- {
		r.forget(now, keep)
		doc, err := encode(r)
		if err != nil {
			return nil, err
		}
		if len(doc) <= maxDocBytes || keep == 0 {
			attrs := store.Attrs{
				attrDoc: doc, attrVersion: r.version, attrState: string(r.state), store.AttrSchema: store.SchemaVersion,
			}
			if r.wake != "" {
				attrs[store.AttrWake] = r.wake
			}
			return attrs, nil
		}
	}
}

// encode is JSON without the escapes that would make six bytes of one.
func encode(v any) (string, error) {
	var buf bytes.Buffer
	enc := json.NewEncoder(&buf)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return "", fmt.Errorf("tenant: encode: %w", err)
	}
	return string(bytes.TrimSuffix(buf.Bytes(), []byte("\n"))), nil
}

// decode reads the item of a tenant; ErrNotFound where there is none.
func decode(item store.Item) (*record, error) {
	if item.Attrs == nil {
		return nil, ErrNotFound
	}
	doc, _ := item.Attrs[attrDoc].(string)
	st, _ := item.Attrs[attrState].(string)
	version, _ := item.Attrs[attrVersion].(int64)
	r := &record{state: state(st), version: version}
	if err := json.Unmarshal([]byte(doc), r); err != nil {
		return nil, fmt.Errorf("tenant: stored item of partition %s: %w", item.PK, err)
	}
	return r, nil
}

// unix is the time of a count of seconds; 0 is none.
func unix(seconds int64) time.Time {
	if seconds == 0 {
		return time.Time{}
	}
	return time.Unix(seconds, 0).UTC()
}
