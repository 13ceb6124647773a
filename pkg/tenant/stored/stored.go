// Package stored reads the stored items of a tenant, for packages that check a table or move a tenant to another one.
// Requests use package tenant.
package stored

import (
	"math"
	"time"

	"github.com/serverless-scim/serverless-scim/pkg/store"
	"github.com/serverless-scim/serverless-scim/pkg/tenant/internal/record"
	"github.com/serverless-scim/serverless-scim/pkg/tenant/internal/rotation"
)

// The attributes of the tenant's item that other packages write as well.
const (
	AttrVersion = record.AttrVersion
	AttrPolicy  = record.AttrPolicy
	AttrDomains = record.AttrDomains
	AttrState   = record.AttrState
)

// AnyTime is later than any place in the order of due times.
const AnyTime = math.MaxInt64

// The states of a tenant.
const (
	Creating = string(record.Creating)
	Active   = string(record.Active)
	Deleting = string(record.Deleting)
)

// Tenant has the facts of the tenant's item about other items.
type Tenant struct {
	State   string
	Version int64
	// Due is the tenant's place in the order of due times, in Unix seconds; 0: it has none.
	Due int64
	// DueBy is the latest valid place: 0 if nothing of the tenant is ever due, AnyTime if any place is valid.
	DueBy int64
	// Policy is the digest of the policy, Schemas the hash of the definitions; empty if there are none.
	Policy, Schemas string
	// Domains are the verified domains, as a domain.Set.
	Domains string
	// Tokens, Clients and Pending are ids: of the tokens that are kept, of the OAuth clients, and of a token that is
	// being created.
	Tokens, Clients []string
	Pending         string
	// Publishes says that the tenant's users are published to the application.
	Publishes bool
	// Off says that provisioning is switched off.
	Off bool
}

// Decode reads the item of a tenant; now decides what is due. It returns an error of package tenant if there is no
// item, or if it can't be decoded.
func Decode(item store.Item, now time.Time) (Tenant, error) {
	r, err := record.Decode(item)
	if err != nil {
		return Tenant{}, err
	}
	t := Tenant{
		State: string(r.Life), Version: r.Version, Due: r.Due, Policy: r.Policy, Schemas: r.Schemas,
		Domains:   r.Domains,
		Publishes: r.Settings.PublishesMembers(), Off: r.Off,
	}
	for _, token := range r.Tokens {
		t.Tokens = append(t.Tokens, token.ID)
	}
	for _, c := range r.Clients {
		t.Clients = append(t.Clients, c.ID)
	}
	if r.Pending != nil {
		t.Pending = r.Pending.ID
	}
	switch r.Life {
	case record.Active:
		at := r.State.Next(rotation.Situation{Now: now, ByHand: true})
		switch {
		case at == math.MaxInt64:
		case at <= now.Unix(): // then a hint may stand in for its place
			t.DueBy = AnyTime
		default:
			t.DueBy = max(at, r.Retry, 1)
		}
	case record.Deleting:
		t.DueBy = r.Retry
	}
	return t, nil
}

// DuePlaced returns the item's document with another place in the order of due times, in Unix seconds.
func DuePlaced(item store.Item, due int64) (doc string, err error) {
	r, err := record.Decode(item)
	if err != nil {
		return "", err
	}
	r.Due = due
	return record.Encode(r)
}

// Listed are the attributes of a tenant's entry in the list of tenants.
func Listed(state string, now time.Time) store.Attrs {
	return store.Attrs{
		record.AttrState: state, record.AttrSince: now.Unix(), store.AttrSchema: store.SchemaVersion,
	}
}

// ValidID reports whether an id has the shape of a tenant id.
func ValidID(id string) bool { return record.ValidID(id) }

// Exported returns the document of a tenant's item without the tenant's key, and the key.
func Exported(item store.Item) (doc string, key []byte, err error) {
	r, err := record.Decode(item)
	if err != nil {
		return "", nil, err
	}
	key, r.Key = r.Key, nil
	doc, err = record.Encode(r)
	return doc, key, err
}

// Move has the options for a tenant that is moved into a table.
type Move struct {
	Now time.Time
	// State is its new state.
	State string
	// Key is the tenant's key; nil makes a new one.
	Key []byte
	// Access keeps the tokens and OAuth clients. Without it the tenant has none.
	Access bool
	// Values says that the values of the tokens are moved as well. Without them a token still works, but can't be
	// revealed.
	Values bool
}

// Moved returns the item of an exported tenant for another table, and its place in the order of due times, 0 for none.
// Provisioning is switched off.
func Moved(item store.Item, m Move) (attrs store.Attrs, due int64, err error) {
	r, err := record.Decode(item)
	if err != nil {
		return nil, 0, err
	}
	r.Life, r.Off, r.Pending, r.Outbox, r.Retry, r.Due = record.Life(m.State), true, nil, 0, 0, 0
	if r.Key = m.Key; r.Key == nil {
		r.Key = record.NewKey()
	}
	r.Incarnation = record.NewIncarnation()
	if !m.Access {
		r.Tokens, r.Clients, r.Current = nil, nil, ""
	}
	if !m.Values {
		r.Current = ""
		for i := range r.Tokens {
			r.Tokens[i].Vault = rotation.VaultNone
		}
	}
	r.Version++
	if m.State == Active {
		if at := r.State.Next(rotation.Situation{Now: m.Now}); at != math.MaxInt64 {
			r.Due = max(at, 1)
		}
	}
	attrs, err = r.Attrs(m.Now)
	return attrs, r.Due, err
}
