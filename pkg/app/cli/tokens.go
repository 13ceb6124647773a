package cli

import (
	"errors"
	"fmt"
	"net/http"

	"github.com/serverless-scim/serverless-scim/pkg/app/cli/call"
)

type tokenCmd struct {
	List   tokenListCmd   `cmd:"" help:"List the tokens."`
	Issue  tokenIssueCmd  `cmd:"" help:"Create another token."`
	Reveal tokenRevealCmd `cmd:"" help:"Show the value of a token again. The log records it."`
	Extend tokenExtendCmd `cmd:"" help:"Change the expiry of a token."`
	Revoke tokenRevokeCmd `cmd:"" help:"Revoke a token now."`
	Rotate tokenRotateCmd `cmd:"" help:"The same as rotation, with the tenant as the first argument."`
}

type tokenListCmd struct {
	ofTenant
}

// Run lists.
func (c *tokenListCmd) Run(s *session) error {
	return c.call(s, request{http.MethodGet, path("tenants", c.Tenant, "tokens"), nil}, s.showTokens)
}

func (s *session) showTokens(answer object) {
	rows := [][]any{{"TOKEN", "STATE", "SCOPES", "CREATED", "EXPIRES", "LAST USED"}}
	for _, t := range objects(answer["tokens"]) {
		rows = append(rows, []any{
			t["id"], t["state"], t["scopes"], t["createdAt"], orWord(t["expiresAt"], "never"),
			orWord(t["lastUsedAt"], "never"),
		})
	}
	table(s.Out, rows)
}

// chosenID is the id of what a command creates; empty for a random one.
type chosenID string

func (id chosenID) into(body object) {
	if id != "" {
		body["id"] = string(id)
	}
}

type tokenIssueCmd struct {
	ofTenant
	ID      chosenID `placeholder:"ID" help:"Id of the token, 16 characters of a-z and 0-9; random by default."`
	Scopes  scopes   `placeholder:"SCOPES" help:"Scopes: read, write, or both with a comma; both by default."`
	Expires moment   `placeholder:"TIME" help:"Expiry of the token; by the tenant's setting by default."`
}

// Run issues.
func (c *tokenIssueCmd) Run(s *session) error {
	body := object{}
	c.ID.into(body)
	c.Scopes.into(body)
	c.Expires.into(body)
	return c.call(s, request{http.MethodPost, path("tenants", c.Tenant, "tokens"), body}, s.showValue)
}

// showValue shows a token with its value.
func (s *session) showValue(t object) {
	fmt.Fprintf(s.Out, "token    %v\n", t["id"])
	if _, there := t["expiresAt"]; there {
		fmt.Fprintf(s.Out, "expires  %v\n", orWord(t["expiresAt"], "never"))
	}
	fmt.Fprintf(s.Out, "value    %v\n", t["value"])
}

type tokenRevealCmd struct {
	ofTenant
	Token string `arg:"" help:"Id of the token."`
}

// Run reveals.
func (c *tokenRevealCmd) Run(s *session) error {
	return c.call(s, request{http.MethodPost, path("tenants", c.Tenant, "tokens", c.Token, "reveal"), nil}, s.showValue)
}

type tokenExtendCmd struct {
	ofTenant
	Token string `arg:"" help:"Id of the token."`
	Time  moment `arg:"" help:"The new expiry, or never."`
}

// Run extends.
func (c *tokenExtendCmd) Run(s *session) error {
	body := object{}
	c.Time.into(body)
	return c.call(s, request{http.MethodPatch, path("tenants", c.Tenant, "tokens", c.Token), body}, func(t object) {
		s.showTokens(object{"tokens": []any{t}})
	})
}

type tokenRevokeCmd struct {
	ofTenant
	Token string `arg:"" help:"Id of the token."`
	Force bool   `help:"Do not ask if no other token in use has its scopes."`
}

// Run revokes.
func (c *tokenRevokeCmd) Run(s *session) error {
	revoke := func(query string) error {
		r := request{http.MethodDelete, path("tenants", c.Tenant, "tokens", c.Token) + query, nil}
		return c.call(s, r, func(object) { fmt.Fprintf(s.Out, "Token %s is revoked.\n", c.Token) })
	}
	const force = "?force=true"
	if c.Force {
		return revoke(force)
	}
	return s.unlessRefused(revoke(""), "revokes it", "Revoke the token all the same?", "the token is not revoked",
		func() error { return revoke(force) })
}

type rotationCmd struct {
	Start    rotationStartCmd    `cmd:"" help:"Create the successor now."`
	Complete rotationCompleteCmd `cmd:"" help:"Revoke the old token now."`
	Cancel   rotationCancelCmd   `cmd:"" help:"Revoke the successor; the old token stays."`
}

type rotationStartCmd struct {
	ofTenant
}

// Run starts.
func (c *rotationStartCmd) Run(s *session) error { return c.rotate(s, c.Tenant, "start", false) }

type rotationCompleteCmd struct {
	ofTenant
	Force bool `help:"Do not ask if the successor was never used, or has fewer scopes."`
}

// Run completes.
func (c *rotationCompleteCmd) Run(s *session) error {
	return c.rotate(s, c.Tenant, "complete", c.Force)
}

type rotationCancelCmd struct {
	ofTenant
}

// Run cancels.
func (c *rotationCancelCmd) Run(s *session) error { return c.rotate(s, c.Tenant, "cancel", false) }

type tokenRotateCmd struct {
	ofTenant
	Action string `arg:"" enum:"start,complete,cancel" help:"start, complete or cancel."`
	Force  bool   `help:"See rotation complete."`
}

// Run rotates.
func (c *tokenRotateCmd) Run(s *session) error {
	if c.Force && c.Action != "complete" {
		return usageError("-force is for complete only")
	}
	return c.rotate(s, c.Tenant, c.Action, c.Force)
}

// rotate asks before it completes a rotation that the API refuses to complete without force.
func (a admin) rotate(s *session, tenant, action string, force bool) error {
	body := object{"action": action}
	if force {
		body["force"] = true
	}
	err := a.call(s, request{http.MethodPost, path("tenants", tenant, "rotation"), body}, s.showTokens)
	if action != "complete" || force {
		return err
	}
	return s.unlessRefused(err, "completes", "Complete the rotation all the same?", "the rotation is not completed",
		func() error { return a.rotate(s, tenant, action, true) })
}

// unlessRefused asks whether to go on with force if the API answered with err that it refuses for now. verb describes
// the effect of -force, and no the action that is not taken.
func (s *session) unlessRefused(err error, verb, question, no string, force func() error) error {
	var refused *call.RefusalError
	if !errors.As(err, &refused) || refused.Status != http.StatusConflict {
		return err
	}
	if !s.Asks {
		return fmt.Errorf("%w (-force %s it anyway)", err, verb)
	}
	if fmt.Fprintln(s.Err, err); !s.confirm(question) {
		return errors.New(no)
	}
	return force()
}
