package setup

import (
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"net/url"
	"strings"
	"time"

	"github.com/serverless-scim/serverless-scim/pkg/tenant"
)

// Role says which rights somebody with a link has.
type Role string

// The roles. A reader sees all, an admin changes it as well.
const (
	Admin  Role = "admin"
	Reader Role = "reader"
)

// State is the state of a link at a moment.
type State string

// The states of a link.
const (
	// Open: it can be redeemed.
	Open State = "open"
	// Redeemed: it was, and the session is good until SessionUntil.
	Redeemed State = "redeemed"
	// Expired: it was not redeemed in time, or its session is over.
	Expired State = "expired"
	// Ended: somebody revoked it or signed out, or too many wrong codes came.
	Ended State = "ended"
)

// Limits of links.
const (
	// MaxHours bounds how long a link may wait to be redeemed.
	MaxHours = 30 * 24
	// DefaultHours is how long a link is good that does not say.
	DefaultHours = 72
	// MaxSession bounds how long a session lasts.
	MaxSession = 8 * time.Hour
	// maxWrong is how many wrong codes end a link.
	maxWrong = 10
	// maxOpen bounds the links of a tenant that can be redeemed or used at a time.
	maxOpen = 100
	// lost is how long the browser that redeemed a link can do so again, if the answer did not reach it.
	lost = 2 * time.Minute
	// kept is how long a link is listed once it is over.
	kept = 90 * 24 * time.Hour
	// maxURL bounds a return address in bytes.
	maxURL = 1024
)

// Languages are those that a link can have. An empty language is that of the browser.
var Languages = []string{"en", "de"}

// NewLink is the request for a link.
type NewLink struct {
	// ID is the tenant's id, a full stop and 16 characters of a-z and 0-9; if it is empty, the link gets a random one.
	ID   string
	Role Role
	// Email, if not empty, is who is mailed the link; Language that of the mail and of the pages: "", "en" or "de".
	Email, Language string
	// ValidHours is how long it can be redeemed; 0 means DefaultHours.
	ValidHours int
	// ReturnURL, if not empty, is the address to which the pages lead back: an absolute https URL.
	ReturnURL string
}

// Link is a set-up link, without its code.
type Link struct {
	// ID is the tenant's id, a full stop and a random part: it leads to the tenant without a look-up.
	ID              string
	Tenant          string
	Role            Role
	Email, Language string
	ReturnURL       string
	CreatedAt       time.Time
	ExpiresAt       time.Time
	// RedeemedAt is zero if the link was not redeemed, SessionUntil too.
	RedeemedAt, SessionUntil time.Time
	State                    State
	// Renewed says that the link was mailed to a recipient of notices who asked for it.
	Renewed bool
}

// record is the link as it is stored when it is made, without a code.
func (n *NewLink) record(now time.Time) *record {
	return &record{
		Role: n.Role, Email: n.Email, Language: n.Language, ReturnURL: n.ReturnURL,
		Created: now.Unix(), Expires: now.Add(time.Duration(n.ValidHours) * time.Hour).Unix(),
	}
}

// Session is a browser that redeemed a link.
type Session struct {
	Link
	// Cookie is the value of the cookie. Redeem alone fills it in.
	Cookie string
}

// record is a link as it is stored.
type record struct {
	Role      Role   `json:"role"`
	Email     string `json:"email,omitempty"`
	Language  string `json:"language,omitempty"`
	ReturnURL string `json:"returnUrl,omitempty"`
	// Codes are digests of the codes, Session that of the session's secret. Wrong counts codes that were not right.
	Codes   []string `json:"codes,omitempty"`
	Session string   `json:"session,omitempty"`
	Wrong   int      `json:"wrong,omitempty"`
	// Code and Nonce are digests of the code and of the browser's nonce with which the link was redeemed.
	Code  string `json:"code,omitempty"`
	Nonce string `json:"nonce,omitempty"`
	// Renewed says that a recipient of notices asked for the link.
	Renewed bool `json:"renewed,omitempty"`
	// All times are in Unix seconds.
	Created  int64 `json:"created"`
	Expires  int64 `json:"expires"`
	Redeemed int64 `json:"redeemed,omitempty"`
	Until    int64 `json:"until,omitempty"`
	Ended    int64 `json:"ended,omitempty"`
}

func (r *record) state(now time.Time) State {
	at := now.Unix()
	switch {
	case r.Ended != 0:
		return Ended
	case r.Redeemed != 0 && at < r.Until:
		return Redeemed
	case r.Redeemed == 0 && at < r.Expires:
		return Open
	}
	return Expired
}

// link is the record for callers.
func (r *record) link(id string, now time.Time) Link {
	tenantID, _, _ := strings.Cut(id, ".")
	return Link{
		ID: id, Tenant: tenantID, Role: r.Role, Email: r.Email, Language: r.Language, ReturnURL: r.ReturnURL,
		CreatedAt: timeOf(r.Created), ExpiresAt: timeOf(r.Expires), RedeemedAt: timeOf(r.Redeemed),
		SessionUntil: timeOf(r.Until), State: r.state(now), Renewed: r.Renewed,
	}
}

func timeOf(seconds int64) time.Time {
	if seconds == 0 {
		return time.Time{}
	}
	return time.Unix(seconds, 0).UTC()
}

// check returns an *tenant.InvalidError for a request that no link can be made of.
func (n *NewLink) check() error {
	switch {
	case n.Role != Admin && n.Role != Reader:
		return &tenant.InvalidError{Field: "role", Problem: "must be admin or reader"}
	case n.ValidHours < 0 || n.ValidHours > MaxHours:
		return &tenant.InvalidError{Field: "validHours", Problem: "must be 1 to 720"}
	case n.Language != "" && n.Language != Languages[0] && n.Language != Languages[1]:
		return &tenant.InvalidError{Field: "language", Problem: "must be en or de"}
	case n.Email != "" && !plainAddress(n.Email):
		return &tenant.InvalidError{Field: "email", Problem: "must be a mail address, such as it@example.com"}
	case n.ReturnURL != "" && !ValidReturnURL(n.ReturnURL):
		return &tenant.InvalidError{Field: "returnUrl", Problem: "must be an absolute https URL"}
	}
	if n.ValidHours == 0 {
		n.ValidHours = DefaultHours
	}
	return nil
}

// ValidReturnURL reports whether pages may lead back to a URL: absolute, https, with a host and no user.
func ValidReturnURL(text string) bool {
	u, err := url.Parse(text)
	return err == nil && len(text) <= maxURL && u.Scheme == "https" && u.Host != "" && u.User == nil
}

// plainAddress reports whether a text is local@domain without anything that a header could be made of.
func plainAddress(text string) bool {
	local, host, ok := strings.Cut(text, "@")
	return ok && local != "" && strings.Contains(host, ".") && !strings.Contains(host, "@") && len(text) <= 254 &&
		!strings.ContainsFunc(text, func(c rune) bool {
			return c <= ' ' || c >= 0x7f || strings.ContainsRune(`<>()[],;:\"`, c)
		})
}

// digest is the base64 of the SHA-256 of a secret. A random secret of 130 bits needs neither salt nor a slow hash.
func digest(secret string) string {
	sum := sha256.Sum256([]byte(secret))
	return base64.RawStdEncoding.EncodeToString(sum[:])
}

// equal compares in constant time.
func equal(a, b string) bool { return subtle.ConstantTimeCompare([]byte(a), []byte(b)) == 1 }

// newCode creates a code of 130 bits in letters and digits that people can type.
func newCode() string { return rand.Text() }

// typed turns the text that somebody pasted or typed into the code as it was made.
func typed(code string) string {
	return strings.ToUpper(strings.Map(func(c rune) rune {
		if c == ' ' || c == '-' || c == '\t' || c == '\n' || c == '\r' || c == '#' {
			return -1
		}
		return c
	}, code))
}

// parseID takes the id of a link apart. ok is false if it has not the shape of one.
func parseID(id string) (tenantID string, ok bool) {
	tenantID, random, _ := strings.Cut(id, ".")
	foreign := func(c rune) bool { return !(c >= 'a' && c <= 'z' || c >= '0' && c <= '9') }
	return tenantID, tenant.ValidID(tenantID) && len(random) == idLength && !strings.ContainsFunc(random, foreign)
}

// idLength is the length of the random part of an id: 80 bits.
const idLength = 16

func newID(tenantID string) string { return tenantID + "." + strings.ToLower(rand.Text()[:idLength]) }
