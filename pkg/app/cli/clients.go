package cli

import (
	"fmt"
	"net/http"
)

type clientsCmd struct {
	List   clientsListCmd   `cmd:"" help:"List the clients."`
	Get    clientsGetCmd    `cmd:"" help:"Show a client."`
	Create clientsCreateCmd `cmd:"" help:"Create a client. Its secret is shown once."`
	Renew  clientsRenewCmd  `cmd:"" help:"Create a second secret for a client, or replace its keys."`
	Revoke clientsRevokeCmd `cmd:"" help:"Revoke a secret now."`
	Delete clientsDeleteCmd `cmd:"" help:"Delete a client and revoke its access tokens now."`
}

// owner is whose clients are meant.
type owner struct {
	Tenant string `arg:"" help:"Id of the tenant; - for the operator's own clients."`
}

func (o owner) path(parts ...string) string {
	if o.Tenant == "-" {
		return path(append([]string{"clients"}, parts...)...)
	}
	return path(append([]string{"tenants", o.Tenant, "clients"}, parts...)...)
}

type clientsListCmd struct {
	admin
	owner
	search
}

// Run lists.
func (c *clientsListCmd) Run(s *session) error {
	return c.call(s, request{http.MethodGet, query(c.path(), "name", c.Name), nil}, s.showClients)
}

func (s *session) showClients(answer object) {
	rows := [][]any{{"CLIENT", "SCOPES", "SECRETS END", "CREATED", "LAST USED", "NAME"}}
	for _, c := range objects(answer["clients"]) {
		var ends []any
		for _, secret := range objects(c["secrets"]) {
			ends = append(ends, orWord(secret["expiresAt"], "never"))
		}
		if _, keys := c["keys"]; keys {
			ends = []any{"keys"}
		}
		rows = append(rows, []any{
			c["id"], c["scopes"], ends, c["createdAt"], orWord(c["lastUsedAt"], "never"), c["name"],
		})
	}
	table(s.Out, rows)
}

type clientsGetCmd struct {
	admin
	owner
	Client string `arg:"" help:"Id of the client."`
}

// Run shows, with the ids of secrets and keys.
func (c *clientsGetCmd) Run(s *session) error {
	return c.call(s, request{http.MethodGet, c.path(c.Client), nil}, func(client object) {
		s.showClients(object{"clients": []any{client}})
		for _, kind := range []string{"secrets", "keys"} {
			rows := [][]any{{kind, "CREATED", "EXPIRES"}}
			for _, part := range objects(client[kind]) {
				rows = append(rows, []any{
					part["id"], orWord(part["createdAt"], "-"), orWord(part["expiresAt"], "never"),
				})
			}
			if len(rows) > 1 {
				fmt.Fprintln(s.Out)
				table(s.Out, rows)
			}
		}
	})
}

// credentials are the flags of a client's secret or keys.
type credentials struct {
	Expires moment `placeholder:"TIME" help:"Expiry of the secret; by the tenant's setting by default."`
	JWKS    string `name:"jwks" placeholder:"FILE" help:"JSON Web Key Set of public keys; - reads standard input."`
}

func (c credentials) into(s *session, body object) error {
	c.Expires.into(body)
	if c.JWKS == "" {
		return nil
	}
	set, err := s.document(c.JWKS)
	body["jwks"] = set
	return err
}

type clientsCreateCmd struct {
	admin
	owner
	credentials
	ID     chosenID `placeholder:"ID" help:"Id: tc or oc, and 16 of a-z and 0-9; random by default."`
	Name   string   `arg:"" optional:"" help:"Name, for people."`
	Scopes scopes   `placeholder:"SCOPES" help:"Scopes: read, write, or both with a comma; both by default."`
}

// Run creates.
func (c *clientsCreateCmd) Run(s *session) error {
	body := object{}
	if c.Name != "" {
		body["name"] = c.Name
	}
	c.ID.into(body)
	c.Scopes.into(body)
	if err := c.into(s, body); err != nil {
		return err
	}
	return c.call(s, request{http.MethodPost, c.path(), body}, s.showSecret)
}

func (s *session) showSecret(c object) {
	fmt.Fprintf(s.Out, "client     %v\ntoken URL  %v\n", c["id"], orWord(c["tokenUrl"], "that of each tenant"))
	if secret, there := c["secret"]; there {
		fmt.Fprintf(s.Out, "secret     %v\nThe secret is not stored: this is the only time that it is shown.\n", secret)
	}
}

type clientsRenewCmd struct {
	admin
	owner
	credentials
	Client string `arg:"" help:"Id of the client."`
}

// Run renews.
func (c *clientsRenewCmd) Run(s *session) error {
	body := object{}
	if err := c.into(s, body); err != nil {
		return err
	}
	return c.call(s, request{http.MethodPost, c.path(c.Client), body}, s.showSecret)
}

type clientsRevokeCmd struct {
	admin
	owner
	Client string `arg:"" help:"Id of the client."`
	Secret string `arg:"" help:"Id of the secret."`
}

// Run revokes.
func (c *clientsRevokeCmd) Run(s *session) error {
	return c.call(s, request{http.MethodDelete, c.path(c.Client, "secrets", c.Secret), nil}, func(object) {
		fmt.Fprintf(s.Out, "Secret %s is revoked.\n", c.Secret)
	})
}

type clientsDeleteCmd struct {
	admin
	owner
	Client string `arg:"" help:"Id of the client."`
}

// Run deletes.
func (c *clientsDeleteCmd) Run(s *session) error {
	return c.call(s, request{http.MethodDelete, c.path(c.Client), nil}, func(object) {
		fmt.Fprintf(s.Out, "Client %s is deleted.\n", c.Client)
	})
}
