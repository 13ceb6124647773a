package tenant

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/serverless-scim/serverless-scim/pkg/tenant/internal/rotation"

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
	Pending  *reservation   `json:"pending,omitempty"`
	Clients  []clientRecord `json:"clients,omitempty"`
	// hash of the definitions in the item SCHEMAS; "" where there are none
	Schemas string `json:"schemas,omitempty"`
	Key     []byte `json:"key"` // see Tenant.CursorKey
	rotation.State
	// Due is the tenant's place in the order of due times, 0 for none; Retry is when failed work is tried again. Unix
	// seconds.
	Due   int64 `json:"due,omitempty"`
	Retry int64 `json:"retry,omitempty"`

	state   state
	version int64
	out     outgoing
	wake    string // the value of store.AttrWake that the next write has, if any
}

// reservation is the place of a token that is being made: its value is on the way into the vault. Nobody authenticates
// with it.
type reservation struct {
	ID string `json:"id"`
	At int64  `json:"at"` // Unix seconds
	By string `json:"by"` // the process
}

// tokens is what the world sees of the tokens.
func (r *record) tokens(now time.Time) []Token {
	live := r.Live(now)
	tokens := make([]Token, 0, len(r.Tokens))
	for i, t := range r.Tokens {
		if !t.Remembered(now) {
			continue
		}
		token := Token{
			ID: t.ID, State: t.State(now), Scopes: t.Scopes,
			CreatedAt: unix(t.Created), ExpiresAt: unix(t.Expires), FirstUsedAt: unix(t.First),
		}
		if len(live) > 1 && i == live[len(live)-1] {
			token.State = TokenSuccessor
		}
		tokens = append(tokens, token)
	}
	return tokens
}

// forget drops the dead tokens that need not be kept: the oldest above keep, and those dead for too long. One whose
// expiry is not told yet stays, unless there are twice as many.
func (r *record) forget(now time.Time, keep int) {
	dead := 0
	for i := len(r.Tokens) - 1; i >= 0; i-- {
		t := &r.Tokens[i]
		if t.Live(now) {
			continue
		}
		dead++
		switch old := dead > keep || !t.Remembered(now); {
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
