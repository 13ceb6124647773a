package record

import (
	"bytes"
	"crypto/rand"
	"crypto/subtle"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/serverless-scim/serverless-scim/pkg/event"
	"github.com/serverless-scim/serverless-scim/pkg/scim"
	"github.com/serverless-scim/serverless-scim/pkg/store"
	"github.com/serverless-scim/serverless-scim/pkg/tenant/internal/rotation"
)

// The attributes of the tenant's item, and of its entry in the list of tenants, beside the schema version.
const (
	AttrDoc     = "doc"     // the record as JSON
	AttrVersion = "ver"     // grows with every write; optimistic writes compare it
	AttrState   = "state"   // see life
	AttrPolicy  = "policy"  // the saved policy, by digest of its document; see PolicySaved
	AttrDomains = "domains" // the verified domains, as a domain.Set
	AttrSince   = "since"   // list only: Unix time of the last change of state
	// with the key and the other attributes, one read unit; exceeded only if nothing can be left out
	maxDocBytes = 3900
	keptDead    = 10 // dead tokens that are kept, so that "expired on" can be said
)

// Life is the state of a tenant's life. Other packages than tenant see active tenants only.
type Life string

// A tenant's life.
const (
	// Creating is a tenant whose first token is being created.
	Creating Life = "creating"
	// Active is the only state that requests and rotation see.
	Active Life = "active"
	// Deleting is a tenant that is being erased.
	Deleting Life = "deleting"
)

// Ending is a stage of the erasing of a deleted tenant: see package ending.
type Ending string

// The stages, in order.
const (
	Deleted Ending = ""
	Told    Ending = "told"
	Heard   Ending = "heard"
)

// Record is the stored form of a tenant. Its JSON keys must not change: stored items have them.
type Record struct {
	Name     string       `json:"name"`
	IdP      string       `json:"idp"`
	Off      bool         `json:"off,omitempty"`
	Settings Settings     `json:"settings,omitzero"`
	Created  int64        `json:"created"` // milliseconds
	Modified int64        `json:"modified"`
	Pending  *Reservation `json:"pending,omitempty"`
	// Connected is the time of the first authenticated request, in Unix seconds; 0: never.
	Connected int64          `json:"connected,omitempty"`
	Clients   []ClientRecord `json:"clients,omitempty"`
	// hash of the definitions in the item SCHEMAS; "" if there are none
	Schemas string `json:"schemas,omitempty"`
	Key     []byte `json:"key"` // see Tenant.CursorKey
	// Incarnation is a random name of this tenant among all that had its id: an import makes another.
	Incarnation string `json:"incarnation"`
	rotation.State
	// Due is the tenant's place in the order of due times, 0 for none; Retry is the time at which failed work is tried
	// again. Both are Unix seconds.
	Due   int64 `json:"due,omitempty"`
	Retry int64 `json:"retry,omitempty"`
	// Ending is how far the erasing of a deleted tenant has come.
	Ending Ending `json:"ending,omitempty"`

	Life    Life     `json:"-"`
	Policy  string   `json:"-"` // see AttrPolicy
	Domains string   `json:"-"` // see AttrDomains
	Version int64    `json:"-"` // of the stored item; grows with every write
	Out     Outgoing `json:"-"`
	// Everybody says that the next write marks all users of the tenant for publishing.
	Everybody bool   `json:"-"`
	Wake      string `json:"-"` // the value of store.AttrWake that the next write has, if any
}

// Reservation is the place of a token that is being created, before its value is in the vault. It authenticates nobody.
type Reservation struct {
	ID string `json:"id"`
	At int64  `json:"at"` // Unix seconds
	By string `json:"by"` // the process
}

// Listed returns the tokens as callers see them.
func (r *Record) Listed(now time.Time) []Token {
	live := r.Live(now)
	tokens := make([]Token, 0, len(r.Tokens))
	for i, t := range r.Tokens {
		if !t.Remembered(now) {
			continue
		}
		token := Token{
			ID: t.ID, State: t.State(now), Scopes: t.Scopes,
			CreatedAt: Unix(t.Created), ExpiresAt: Unix(t.Expires), FirstUsedAt: Unix(t.First),
		}
		if len(live) > 1 && i == live[len(live)-1] {
			token.State = TokenSuccessor
		}
		tokens = append(tokens, token)
	}
	return tokens
}

// forget drops the dead tokens that need not be kept: the oldest above keep, and those dead for too long. One whose
// expiry is not announced yet stays, unless there are twice as many.
func (r *Record) forget(now time.Time, keep int) {
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

// Tenant returns the tenant as callers see it at now.
func (r *Record) Tenant(id string, now time.Time) Tenant {
	return Tenant{
		ID: id, Name: r.Name, IdP: r.IdP, Active: !r.Off, Settings: r.Settings,
		Created: time.UnixMilli(r.Created).UTC(), Modified: time.UnixMilli(r.Modified).UTC(), Tokens: r.Listed(now),
		Connected: Unix(r.Connected), Schemas: r.Schemas, Policy: r.Policy, Domains: r.Domains, key: r.Key,
		version: r.Version,
	}
}

// Shared is Tenant in memory that is not copied. A caller needs no room for a tenant in its frame: frames on the way to
// the store have to be small, because the stack of a goroutine begins small and is copied as it grows.
func (r *Record) Shared(id string, now time.Time) *Tenant {
	t := r.Tenant(id, now)
	return &t
}

// keyBytes is the length of a tenant's key, incarnationLength that of its incarnation in letters.
const (
	keyBytes          = 32
	incarnationLength = 13
)

// Attrs returns the attributes of the record's item. If they exceed one read unit, the oldest dead tokens are left
// out. A tenant at all of its limits may still exceed it: that costs a second read unit, and stops no notice and no
// renewal.
func (r *Record) Attrs(now time.Time) (store.Attrs, error) {
	for keep := keptDead; ; keep-- {
		r.forget(now, keep)
		doc, err := Encode(r)
		if err != nil {
			return nil, err
		}
		if len(doc) <= maxDocBytes-len(r.Domains) || keep == 0 {
			attrs := store.Attrs{
				AttrDoc: doc, AttrVersion: r.Version, AttrState: string(r.Life), store.AttrSchema: store.SchemaVersion,
			}
			if r.Policy != "" {
				attrs[AttrPolicy] = r.Policy
			}
			if r.Domains != "" {
				attrs[AttrDomains] = r.Domains
			}
			if r.Wake != "" {
				attrs[store.AttrWake] = r.Wake
			}
			return attrs, nil
		}
	}
}

// Encode returns v as JSON without the escapes for HTML, which take six bytes for one.
func Encode(v any) (string, error) {
	var buf bytes.Buffer
	enc := json.NewEncoder(&buf)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return "", fmt.Errorf("tenant: encode: %w", err)
	}
	return string(bytes.TrimSuffix(buf.Bytes(), []byte("\n"))), nil
}

// Decode reads the item of a tenant; ErrNotFound if there is none.
func Decode(item store.Item) (*Record, error) {
	if item.Attrs == nil {
		return nil, ErrNotFound
	}
	doc, _ := item.Attrs[AttrDoc].(string)
	st, _ := item.Attrs[AttrState].(string)
	version, _ := item.Attrs[AttrVersion].(int64)
	policy, _ := item.Attrs[AttrPolicy].(string)
	verified, _ := item.Attrs[AttrDomains].(string)
	r := &Record{Life: Life(st), Version: version, Policy: policy, Domains: verified}
	if err := json.Unmarshal([]byte(doc), r); err != nil {
		return nil, fmt.Errorf("tenant: stored item of partition %s: %w", item.PK, err)
	}
	return r, nil
}

// Unix returns the time of Unix seconds; the zero time for 0.
func Unix(seconds int64) time.Time {
	if seconds == 0 {
		return time.Time{}
	}
	return time.Unix(seconds, 0).UTC()
}

// PolicySaved returns the operation that writes the digest of the saved policy to an active tenant. It goes into the
// transaction that saves the policy. Its condition is that the tenant still has the version whose schemas the policy
// was checked against. It makes a new version of the item, as every change does, so that a process that has read the
// tenant before reads it again.
func PolicySaved(k store.Keys, version int64, digest string) store.Op {
	return store.Op{
		Kind: store.Update, Key: k.Tenant(), Set: store.Attrs{AttrPolicy: digest},
		Add: map[string]int64{AttrVersion: 1},
		If:  []store.Cond{{Test: store.Equal, Attr: AttrState, Value: string(Active)}, AtVersion(version)},
	}
}

// PolicyName names the policy of a tenant: by its digest, by the version of the tenant's item, which each save raises,
// and by the tenant's incarnation.
type PolicyName struct {
	Digest, Incarnation string
	Version             int64
}

// SavedPolicy reads the name of the saved policy from the item of a tenant; the zero name: there is no item.
func SavedPolicy(item store.Item) (n PolicyName, err error) {
	n.Digest, _ = item.Attrs[AttrPolicy].(string)
	n.Version, _ = item.Attrs[AttrVersion].(int64)
	if doc, ok := item.Attrs[AttrDoc].(string); ok {
		var made struct {
			Incarnation string `json:"incarnation"`
		}
		err = json.Unmarshal([]byte(doc), &made)
		n.Incarnation = made.Incarnation
	}
	return n, err
}

// AtVersion returns the condition that the tenant's item has a version; 0: that there is no item.
func AtVersion(version int64) store.Cond {
	if version == 0 {
		return store.Cond{Test: store.Absent}
	}
	return store.Cond{Test: store.Equal, Attr: AttrVersion, Value: version}
}

// NewKey creates the key of a tenant.
func NewKey() []byte {
	key := make([]byte, keyBytes)
	_, _ = rand.Read(key) // never fails
	return key
}

// NewIncarnation creates the name of a tenant among all that had its id.
func NewIncarnation() string { return Random(Base36, incarnationLength) }

// TokenIDs returns the ids of tokens.
func TokenIDs(tokens []Token) []string {
	ids := make([]string, len(tokens))
	for i, t := range tokens {
		ids[i] = t.ID
	}
	return ids
}

// Revoke ends a live token of the record.
func (r *Record) Revoke(now time.Time, t *rotation.Token, reason string) {
	t.Revoked = now.Unix()
	r.Release(now)
	r.Tell(now, event.TokenRevoked, t.ID, scim.Object{"reason": reason})
}

// Match finds the stored token of a digest. It compares all digests, in constant time, so that its duration says
// nothing about them.
func (r *Record) Match(sum Digest) *rotation.Token {
	var match *rotation.Token
	for i := range r.Tokens {
		if subtle.ConstantTimeCompare(r.Tokens[i].Digest, sum[:]) == 1 {
			match = &r.Tokens[i]
		}
	}
	return match
}
