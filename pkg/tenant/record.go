package tenant

import (
	"bytes"
	"crypto/sha256"
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
	maxDocBytes = 3900    // with the key and the other attributes, one read unit
	keptDead    = 10      // dead tokens that are kept, so that "expired on" can be said
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
	Name     string        `json:"name"`
	IdP      string        `json:"idp"`
	Off      bool          `json:"off,omitempty"`
	Settings Settings      `json:"settings,omitzero"`
	Created  int64         `json:"created"` // milliseconds
	Modified int64         `json:"modified"`
	Tokens   []tokenRecord `json:"tokens,omitempty"`
	Pending  *reservation  `json:"pending,omitempty"`
	Schemas  string        `json:"schemas,omitempty"` // hash of the definitions in the item SCHEMAS; "" where there are none
	Key      []byte        `json:"key,omitempty"`     // see Tenant.CursorKey

	state   state
	version int64
}

// tokenRecord is the stored form of a token. Times are Unix seconds.
type tokenRecord struct {
	ID      string  `json:"id"`
	Digest  []byte  `json:"digest"`
	Scopes  []Scope `json:"scopes"`
	Created int64   `json:"created"`
	Expires int64   `json:"expires"`
	Revoked int64   `json:"revoked,omitempty"`
}

// reservation is the place of a token that is being made: its value is on the way into the vault. Nobody authenticates with it.
type reservation struct {
	ID string `json:"id"`
	At int64  `json:"at"` // Unix seconds
	By string `json:"by"` // the process
}

func (t tokenRecord) state(now time.Time) TokenState {
	switch {
	case t.Revoked != 0:
		return TokenRevoked
	case now.Unix() >= t.Expires:
		return TokenExpired
	}
	return TokenActive
}

func (t tokenRecord) live(now time.Time) bool { return t.state(now) == TokenActive }

// died is when the token stopped working; in the future for a live one.
func (t tokenRecord) died() time.Time {
	if t.Revoked != 0 {
		return time.Unix(min(t.Revoked, t.Expires), 0)
	}
	return time.Unix(t.Expires, 0)
}

// remembered reports whether the token is still listed.
func (t tokenRecord) remembered(now time.Time) bool { return now.Sub(t.died()) < keptDeadFor }

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
		token := Token{ID: t.ID, State: t.state(now), Scopes: t.Scopes, CreatedAt: unix(t.Created), ExpiresAt: unix(t.Expires)}
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

// forget drops the dead tokens that need not be kept: the oldest above keptDead, and those dead for too long.
func (r *record) forget(now time.Time) {
	dead := 0
	for i := len(r.Tokens) - 1; i >= 0; i-- {
		t := r.Tokens[i]
		if t.live(now) {
			continue
		}
		if dead++; dead > keptDead || !t.remembered(now) {
			r.Tokens = slices.Delete(r.Tokens, i, i+1)
		}
	}
}

func (r *record) tenant(id string, now time.Time) Tenant {
	return Tenant{
		ID: id, Name: r.Name, IdP: r.IdP, Active: !r.Off, Settings: r.Settings,
		Created: time.UnixMilli(r.Created).UTC(), Modified: time.UnixMilli(r.Modified).UTC(), Tokens: r.tokens(now),
		Schemas: r.Schemas, key: r.cursorKey(id),
	}
}

// keyBytes is the length of a tenant's key.
const keyBytes = 32

// cursorKey is the tenant's key. A record without one, of an earlier version, has one that follows from what only the table knows; it
// changes with the tokens.
func (r *record) cursorKey(id string) []byte {
	if len(r.Key) > 0 {
		return r.Key
	}
	h := sha256.New()
	fmt.Fprintf(h, "cursor %s %d", id, r.Created)
	for _, t := range r.Tokens {
		h.Write(t.Digest)
	}
	return h.Sum(nil)
}

// attrs is the item of the record.
func (r *record) attrs() (store.Attrs, error) {
	var buf bytes.Buffer
	enc := json.NewEncoder(&buf)
	enc.SetEscapeHTML(false) // would make six bytes of one
	if err := enc.Encode(r); err != nil {
		return nil, fmt.Errorf("tenant: encode: %w", err)
	}
	doc := bytes.TrimSuffix(buf.Bytes(), []byte("\n"))
	if len(doc) > maxDocBytes {
		return nil, fmt.Errorf("tenant: a tenant of %d bytes is more than one read", len(doc))
	}
	return store.Attrs{
		attrDoc: string(doc), attrVersion: r.version, attrState: string(r.state), store.AttrSchema: store.SchemaVersion,
	}, nil
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

func unix(seconds int64) time.Time { return time.Unix(seconds, 0).UTC() }
