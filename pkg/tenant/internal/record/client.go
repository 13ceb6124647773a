package record

import (
	"cmp"
	"crypto/subtle"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/serverless-scim/serverless-scim/pkg/scim"
	"github.com/serverless-scim/serverless-scim/pkg/store"
	"github.com/serverless-scim/serverless-scim/pkg/tenant/assertion"
)

// OperatorClients replaces a tenant's id for the clients that the operator keeps for many tenants, as Okta's catalogue
// requires: each gets access tokens of the tenants whose settings name it.
const OperatorClients = ""

// Client is an OAuth 2.0 client (RFC 6749, section 2), without its secrets' values.
type Client struct {
	ID string
	// Name is for people; it may be empty.
	Name   string
	Scopes []Scope
	// CreatedAt is whole seconds.
	CreatedAt time.Time
	// Secrets are those that are live, oldest first: two at most. A client with Keys has none.
	Secrets []ClientSecret
	// Keys are the public keys with which it signs assertions (RFC 7523).
	Keys assertion.Keys
	// LastUsedAt is the time of last use of an access token of the client with the tenant; zero for never, and for
	// clients of the operator. It may lag by some minutes.
	LastUsedAt time.Time
}

// ClientSecret is a client's secret without its value.
type ClientSecret struct {
	ID string
	// ExpiresAt is zero if the secret never expires.
	ExpiresAt time.Time
	// LastUsedAt is the time of the last grant of an access token for the secret; zero for never, and for clients of
	// the operator. It may lag by some minutes.
	LastUsedAt time.Time
}

// NewClient is the input that makes a client, or gives it another secret or other keys.
type NewClient struct {
	// ID is that of a new client; if it is empty, the client gets a random one.
	ID string
	// Name is 64 bytes at most.
	Name string
	// Scopes that its access tokens may have; nil is both.
	Scopes []Scope
	// Keys, if set, make a client that signs assertions and has no secret.
	Keys assertion.Keys
	// ExpiresAt and Endless are those of the secret, as for a token (see NewToken). The secret of a client of the
	// operator has no end if none is given: its end would stop all tenants at once, without notice.
	ExpiresAt time.Time
	Endless   bool
}

// IssuedClient is a client with the value of its newest secret, which is shown here and never again; empty for a client
// with Keys.
type IssuedClient struct {
	Client
	Secret string
}

// Limits of clients: they are on the tenant's item.
const (
	MaxClients         = 3
	MaxOperatorClients = 100
	maxLiveSecrets     = 2
	maxClientNameBytes = 64
	clientIDLength     = 16
	TenantClient       = "tc" // the prefix of the id of a tenant's client
	OperatorClient     = "oc"
)

// ClientRecord has the facts that authentication needs. It is a part of the tenant's item, the only read of a request.
// A client of the operator is an item of its own, which only requests with its tokens read.
type ClientRecord struct {
	ID string `json:"id"`
	// Scopes is nil for both.
	Scopes      []Scope      `json:"scopes,omitempty"`
	Credentials []Credential `json:"creds"`
}

// Credential is a secret, or a key, which has no digest. An access token names the one that it was granted for, and
// ends with it.
type Credential struct {
	ID      string `json:"id"`
	Digest  []byte `json:"digest,omitempty"`
	Expires int64  `json:"expires,omitempty"` // Unix seconds, 0 for never
	// Told are the reminders, in days before the expiry, that were sent or are not needed. Ended says that the expiry
	// was announced.
	Told  []int `json:"told,omitempty"`
	Ended bool  `json:"ended,omitempty"`
}

// Live reports whether the credential is valid at now.
func (c Credential) Live(now time.Time) bool { return c.Expires == 0 || now.Unix() < c.Expires }

// ClientDetails has the values of a client that no SCIM request needs.
type ClientDetails struct {
	Name    string `json:"name,omitempty"`
	Created int64  `json:"created"` // Unix seconds
	Keys    string `json:"jwks,omitempty"`
}

// ClientDoc is a client as a whole.
type ClientDoc struct {
	ClientRecord
	ClientDetails
}

// MakeClient creates a client; p.lifetime is the default time for which a secret is valid, 0 for no expiry.
func MakeClient(prefix string, n NewClient, now time.Time, p Policy) (ClientDoc, string) {
	c := ClientDoc{
		ClientRecord{ID: cmp.Or(n.ID, prefix+Random(Base36, clientIDLength)), Scopes: n.Scopes},
		ClientDetails{Name: n.Name, Created: now.Unix()},
	}
	return c, c.Renew(n, now, p)
}

// Renew gives the client another secret and returns its value. If n has keys, they replace the client's keys instead.
func (c *ClientDoc) Renew(n NewClient, now time.Time, p Policy) string {
	if n.Keys != nil {
		c.ClientDetails.Keys, c.Credentials = n.Keys.Set(), nil
		for _, k := range n.Keys {
			c.Credentials = append(c.Credentials, Credential{ID: k.ID})
		}
		return ""
	}
	id, value := Mint("")
	sum := DigestOf(value)
	secret := Credential{ID: id, Digest: sum[:]}
	switch {
	case n.Endless:
	case !n.ExpiresAt.IsZero():
		secret.Expires = n.ExpiresAt.Unix()
	case p.Lifetime != 0:
		secret.Expires = now.Add(p.Lifetime).Unix()
	}
	if secret.Expires != 0 {
		secret.Told = secret.missed(p, now)
	}
	c.Credentials = append(c.Credentials, secret)
	return value
}

// MayRenew reports whether renew is possible: a client has either secrets or keys, and two live secrets at most.
func (c *ClientDoc) MayRenew(n NewClient, now time.Time) error {
	live := 0
	for _, s := range c.Credentials {
		if s.Live(now) {
			live++
		}
	}
	switch {
	case n.Keys == nil && c.ClientDetails.Keys != "":
		return &ConflictError{Detail: "The client signs with keys and has no secret. Send jwks to replace its keys."}
	case n.Keys != nil && c.ClientDetails.Keys == "":
		return &ConflictError{Detail: "The client has secrets and no keys. Create another client for keys."}
	case n.Keys == nil && live >= maxLiveSecrets:
		return &ConflictError{Detail: "The client has two live secrets already. Delete one of them first."}
	}
	return nil
}

// secret finds the credential of a secret's value, expired or not. It compares all digests, in constant time.
func (c ClientRecord) secret(value string) *Credential {
	sum := DigestOf(value)
	var match *Credential
	for i := range c.Credentials {
		if subtle.ConstantTimeCompare(c.Credentials[i].Digest, sum[:]) == 1 {
			match = &c.Credentials[i]
		}
	}
	return match
}

// SecretIDs are the ids of the client's secrets, including expired ones.
func (c ClientRecord) SecretIDs() []string {
	var ids []string
	for _, k := range c.Credentials {
		if len(k.Digest) > 0 {
			ids = append(ids, k.ID)
		}
	}
	return ids
}

// Credential finds a credential by its id.
func (c ClientRecord) Credential(id string) *Credential {
	if i := slices.IndexFunc(c.Credentials, func(c Credential) bool { return c.ID == id }); i >= 0 {
		return &c.Credentials[i]
	}
	return nil
}

// Allowed are the scopes that the client may have.
func (c ClientRecord) Allowed() []Scope {
	if c.Scopes == nil {
		return []Scope{ScopeRead, ScopeWrite}
	}
	return c.Scopes
}

// Client returns the client as callers see it. used has the times of last use of it and its secrets, in Unix seconds
// by id.
func (c ClientDoc) Client(now time.Time, used map[string]int64) Client {
	out := Client{ID: c.ID, Name: c.Name, Scopes: c.Allowed(), CreatedAt: Unix(c.Created), LastUsedAt: Unix(used[c.ID])}
	if c.ClientDetails.Keys != "" {
		out.Keys, _ = assertion.ParseKeys([]byte(c.ClientDetails.Keys)) // it was written by Set
		return out
	}
	for _, s := range c.Credentials {
		if s.Live(now) {
			out.Secrets = append(out.Secrets, ClientSecret{
				ID: s.ID, ExpiresAt: Unix(s.Expires), LastUsedAt: Unix(used[s.ID]),
			})
		}
	}
	return out
}

// Client returns the tenant's own client with an id, or nil.
func (r *Record) Client(id string) *ClientRecord {
	if i := slices.IndexFunc(r.Clients, func(c ClientRecord) bool { return c.ID == id }); i >= 0 {
		return &r.Clients[i]
	}
	return nil
}

// ValidClientID reports whether id has the shape of a client's id.
func ValidClientID(id string) bool {
	rest, own := strings.CutPrefix(id, TenantClient)
	if !own {
		if rest, own = strings.CutPrefix(id, OperatorClient); !own {
			return false
		}
	}
	return len(rest) == clientIDLength && made(rest, Base36)
}

// OfOperator reports whether the id is one of a client of the operator.
func OfOperator(clientID string) bool { return strings.HasPrefix(clientID, OperatorClient) }

// Check checks the fields as far as that needs no tenant; it returns an *InvalidError for a wrong one.
func (n NewClient) Check() error {
	switch {
	case len(n.Name) > maxClientNameBytes:
		return Invalid("name", fmt.Sprintf("must not be longer than %d bytes", maxClientNameBytes))
	case !visible(n.Name):
		return Invalid("name", invisible)
	case n.Keys != nil && (n.Endless || !n.ExpiresAt.IsZero()):
		return Invalid("expiresAt", "is only for client secrets; a client with jwks has none")
	}
	return nil
}

// OAuthSettings names the clients of the operator that get access tokens of the tenant.
type OAuthSettings struct {
	// Clients are ids of clients of the operator.
	Clients []string `json:"clients,omitempty"`
}

func parseOAuthSettings(o scim.Object) (s OAuthSettings, err error) {
	for _, key := range slices.Sorted(maps.Keys(o)) {
		if key != "clients" {
			return s, Invalid("settings.oauth."+key, "is not a setting; known: clients")
		}
		if o[key] == nil {
			continue
		}
		list, ok := o[key].([]any)
		if !ok || len(list) > MaxClients {
			return s, Invalid("settings.oauth.clients",
				fmt.Sprintf("must be an array of %d client ids at most", MaxClients))
		}
		for i, e := range list {
			id, _ := e.(string)
			if !ValidClientID(id) || !OfOperator(id) || slices.Contains(s.Clients, id) {
				return s, Invalid(fmt.Sprintf("settings.oauth.clients[%d]", i),
					"must be the id of an operator's client, without duplicates")
			}
			s.Clients = append(s.Clients, id)
		}
	}
	return s, nil
}

func (s OAuthSettings) object() scim.Object {
	if len(s.Clients) == 0 {
		return nil
	}
	list := make([]any, len(s.Clients))
	for i, id := range s.Clients {
		list[i] = id
	}
	return scim.Object{"clients": list}
}

// PutClient adds the client's details to the next write of the record, if there is enough room in the tenant's item.
func (r *Record) PutClient(tenantID string, c ClientDoc, now time.Time) error {
	bare := *r
	bare.Tokens = slices.Clone(r.Tokens)
	bare.forget(now, 0)
	whole, err := Encode(&bare)
	if err != nil {
		return err
	}
	if len(whole)+reserveBytes > maxDocBytes {
		return &ConflictError{
			Detail: "The tenant has no space left. Delete a client or some recipients of notices first.",
		}
	}
	doc, err := Encode(c.ClientDetails)
	if err != nil {
		return err
	}
	r.Out.With = append(r.Out.With, store.Op{
		Kind: store.Put, Key: store.KeysOf(tenantID).Client(c.ID),
		Set: store.Attrs{AttrDoc: doc, store.AttrSchema: store.SchemaVersion},
	})
	return nil
}

// Data returns the data of an event about the client.
func (c ClientDoc) Data() scim.Object {
	o := scim.Object{"clientId": c.ID}
	if n := len(c.Credentials); n > 0 && c.ClientDetails.Keys == "" {
		newest := c.Credentials[n-1]
		o["secretId"], o["expiresAt"] = newest.ID, Moment(newest.Expires)
	}
	return o
}

// reserveBytes is the room that clients must leave in the tenant's item: for a successor of its token, and for the
// marks of reminders about secrets.
const reserveBytes = 600

// DecodeClient reads the item of a client of the operator, and its version; ErrNotFound if there is none.
func DecodeClient(item store.Item) (c ClientDoc, version int64, err error) {
	if item.Attrs == nil {
		return c, 0, ErrNotFound
	}
	doc, _ := item.Attrs[AttrDoc].(string)
	version, _ = item.Attrs[AttrVersion].(int64)
	if err := json.Unmarshal([]byte(doc), &c); err != nil {
		return c, 0, fmt.Errorf("tenant: stored client %s: %w", item.SK, err)
	}
	return c, version, nil
}
