package record

import (
	"slices"
	"time"
)

// GrantCode is an error code of RFC 6749, section 5.2.
type GrantCode string

// The codes of errors of Grant.
const (
	InvalidClient GrantCode = "invalid_client"
	InvalidScope  GrantCode = "invalid_scope"
)

// GrantError is a refused request for an access token. Detail may be shown to the client. It is the same whether the
// tenant, the client or its secret is unknown; only an authenticated client learns more.
type GrantError struct {
	Code   GrantCode
	Detail string
}

func (e *GrantError) Error() string { return "tenant: " + string(e.Code) + ": " + e.Detail }

// Refused returns the error for a failed client authentication. It does not give the reason.
func Refused() error {
	return &GrantError{
		InvalidClient, "Client authentication failed: the client is unknown, or its secret or key is wrong.",
	}
}

// CheckSecret returns the credential of a secret's value; a *GrantError if the client has none, or if it has ended.
func (c ClientRecord) CheckSecret(value string, now time.Time) (*Credential, error) {
	match := c.secret(value)
	switch {
	case match == nil:
		return nil, Refused()
	case !match.Live(now):
		return nil, &GrantError{
			InvalidClient,
			"The client secret expired on " + Unix(match.Expires).Format(time.RFC3339) +
				". Enter a new one in the identity provider.",
		}
	}
	return match, nil
}

// Narrow returns the scopes to grant.
func (c ClientRecord) Narrow(want []Scope) ([]Scope, error) {
	if want == nil {
		return c.Allowed(), nil
	}
	var granted []Scope
	for _, scope := range want {
		if !slices.Contains(c.Allowed(), scope) {
			return nil, &GrantError{InvalidScope, "The client may ask for these scopes, separated by spaces: " +
				JoinScopes(c.Allowed()) + "."}
		}
		if !slices.Contains(granted, scope) {
			granted = append(granted, scope)
		}
	}
	return granted, nil
}

// JoinScopes returns scopes in the form of RFC 6749, section 3.3.
func JoinScopes(scopes []Scope) string {
	text := ""
	for i, scope := range scopes {
		if i > 0 {
			text += " "
		}
		text += string(scope)
	}
	return text
}
