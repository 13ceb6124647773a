package record

import (
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

// OperatorClients stands in the place of a tenant's id for the clients that the operator keeps for many tenants, such
// as Okta's catalogue wants: each gets access tokens of those tenants whose settings name it.
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
	// LastUsedAt is when an access token of the client was last used with the tenant; zero for never, and for clients of
	// the operator. It may lag by some minutes.
	LastUsedAt time.Time
}

// ClientSecret is a client's secret without its value.
type ClientSecret struct {
	ID string
	// ExpiresAt is zero if the secret has no end.
	ExpiresAt time.Time
	// LastUsedAt is when an access token was last granted for the secret; zero for never, and for clients of the operator.
	// It may lag by some minutes.
	LastUsedAt time.Time
}

// NewClient is what a client is made of, or gets another secret or other keys by.
type NewClient struct {
	// Name is 64 bytes at most.
	Name string
	// Scopes that its access tokens may have; nil is both.
	Scopes []Scope
	// Keys, if set, make a client that signs assertions and has no secret.
	Keys assertion.Keys
	// ExpiresAt and Endless are those of the secret, as for a token (see NewToken). The secret of a client of the
	// operator's has no end if none is given: nobody would be told before it stops all tenants at once.
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
	TenantClient       = "tc" // what the id of a tenant's client begins with
	OperatorClient     = "oc"
)

// ClientRecord is what decides who gets in. It stays with the tenant, so that the one read of a request knows; a client
// of the operator's is an item of its own, which those requests read that come with a token of it.
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
	// Told are the days before its end at which that was told already, or need not be; Ended says that its end was.
	Told  []int `json:"told,omitempty"`
	Ended bool  `json:"ended,omitempty"`
}

// Live reports whether the credential is good at now.
func (c Credential) Live(now time.Time) bool { return c.Expires == 0 || now.Unix() < c.Expires }

// ClientDetails is what no SCIM request needs of a client.
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

// MakeClient makes a client; p.lifetime is that of a secret that asks for no other, 0 for no end.
func MakeClient(prefix string, n NewClient, now time.Time, p Policy) (ClientDoc, string) {
	c := ClientDoc{
		ClientRecord{ID: prefix + Random(Base36, clientIDLength), Scopes: n.Scopes},
		ClientDetails{Name: n.Name, Created: now.Unix()},
	}
	return c, c.Renew(n, now, p)
}

// Renew gives the client another secret and returns its value, or, if n has keys, these in place of those that it
// has.
func (c *ClientDoc) Renew(n NewClient, now time.Time, p Policy) string {
	if n.Keys != nil {
		c.ClientDetails.Keys, c.Credentials = n.Keys.Set(), nil
		for _, k := range n.Keys {
			c.Credentials = append(c.Credentials, Credential{ID: k.ID})
		}
		return ""
	}
	id, value := Mint()
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

// MayRenew reports whether renew is possible: a client keeps to secrets or to keys, and has two live secrets at most.
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
		return &ConflictError{Detail: "The client has secrets and no keys. Make another client for keys."}
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

// SecretIDs are the ids of the client's secrets, dead ones too.
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

// Client is what the world sees of a client. used says when it and its secrets were last used, in Unix seconds by id.
func (c ClientDoc) Client(now time.Time, used map[string]int64) Client {
	out := Client{ID: c.ID, Name: c.Name, Scopes: c.Allowed(), CreatedAt: Unix(c.Created), LastUsedAt: Unix(used[c.ID])}
	if c.ClientDetails.Keys != "" {
		out.Keys, _ = assertion.ParseKeys([]byte(c.ClientDetails.Keys)) // it was written by Set
		return out
	}
	for _, s := range c.Credentials {
		if s.Live(now) {
			out.Secrets = append(out.Secrets, ClientSecret{ID: s.ID, ExpiresAt: Unix(s.Expires), LastUsedAt: Unix(used[s.ID])})
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

// Check checks what needs no tenant; an *InvalidError if it does not hold.
func (n NewClient) Check() error {
	switch {
	case len(n.Name) > maxClientNameBytes:
		return Invalid("name", fmt.Sprintf("must not be longer than %d bytes", maxClientNameBytes))
	case !visible(n.Name):
		return Invalid("name", invisible)
	case n.Keys != nil && (n.Endless || !n.ExpiresAt.IsZero()):
		return Invalid("expiresAt", "is of secrets; a client with jwks has none")
	}
	return nil
}

// OAuthSettings is which clients of the operator's get access tokens of the tenant.
type OAuthSettings struct {
	// Clients are ids of operator's clients.
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
			return s, Invalid("settings.oauth.clients", fmt.Sprintf("must be an array of %d client ids at most", MaxClients))
		}
		for i, e := range list {
			id, _ := e.(string)
			if !ValidClientID(id) || !OfOperator(id) || slices.Contains(s.Clients, id) {
				return s, Invalid(fmt.Sprintf("settings.oauth.clients[%d]", i),
					"must be the id of a client of the operator's, each once")
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

// PutClient has the next write of the record write the client's details with it, if the record leaves enough room on
// its item.
func (r *Record) PutClient(tenantID string, c ClientDoc, now time.Time) error {
	bare := *r
	bare.Tokens = slices.Clone(r.Tokens)
	bare.forget(now, 0)
	whole, err := Encode(&bare)
	if err != nil {
		return err
	}
	if len(whole)+reserveBytes > maxDocBytes {
		return &ConflictError{Detail: "The tenant has no room for this. Delete a client or some recipients of notices first."}
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

// Data is what an event about the client says.
func (c ClientDoc) Data() scim.Object {
	o := scim.Object{"clientId": c.ID}
	if n := len(c.Credentials); n > 0 && c.ClientDetails.Keys == "" {
		newest := c.Credentials[n-1]
		o["secretId"], o["expiresAt"] = newest.ID, Moment(newest.Expires)
	}
	return o
}

// reserveBytes is what adding to clients leaves of the tenant's item: room for a successor of its token, and for what
// was told of the ends of secrets.
const reserveBytes = 600

// DecodeClient reads the item of a client of the operator's, and its version; ErrNotFound if there is none.
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
