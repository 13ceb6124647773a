package cli

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
)

type tenantsCmd struct {
	List   tenantsListCmd   `cmd:"" default:"withargs" help:"List the tenants; the default."`
	Get    tenantsGetCmd    `cmd:"" help:"Show a tenant and its settings."`
	Create tenantsCreateCmd `cmd:"" help:"Make a tenant and its first token."`
	Set    tenantsSetCmd    `cmd:"" help:"Change a tenant."`
	Switch tenantsSwitchCmd `cmd:"" help:"Switch provisioning on or off."`

	Disconnect tenantsDisconnectCmd `cmd:"" help:"End all tokens and OAuth clients of a tenant."`

	Delete tenantsDeleteCmd `cmd:"" help:"Delete everything of a tenant."`
	Export tenantsExportCmd `cmd:"" help:"Write a tenant to a file, from a table or local file itself."`
	Import tenantsImportCmd `cmd:"" help:"Read a tenant from a file, into a table or local file itself."`
}

type tenantsListCmd struct{ admin }

// Run lists all pages, as one table or as one document.
func (c *tenantsListCmd) Run(s *session) error {
	list := []any{}
	for query := "?count=1000"; query != ""; {
		raw, err := c.send(s, request{http.MethodGet, "/tenants" + query, nil})
		if err != nil {
			return err
		}
		page, err := c.read(raw)
		if err != nil {
			return err
		}
		tenants, _ := page["tenants"].([]any)
		list = append(list, tenants...)
		query = ""
		if next, ok := page["nextCursor"].(string); ok && next != "" {
			query = "?count=1000&cursor=" + url.QueryEscape(next)
		}
	}
	if c.JSON {
		return writeJSON(s.Out, object{"tenants": list})
	}
	rows := [][]any{{"TENANT", "IDP", "ACTIVE", "NAME"}}
	for _, t := range objects(list) {
		rows = append(rows, []any{t["id"], t["idp"], t["active"], t["name"]})
	}
	table(s.Out, rows)
	return nil
}

type tenantsGetCmd struct {
	ofTenant
}

// Run shows.
func (c *tenantsGetCmd) Run(s *session) error {
	return c.call(s, request{http.MethodGet, path("tenants", c.Tenant), nil}, s.showTenant)
}

func (s *session) showTenant(t object) {
	rows := [][]any{
		{"tenant", t["id"]},
		{"name", t["name"]},
		{"idp", t["idp"]},
		{"active", t["active"]},
		{"url", t["scimBaseUrl"]},
	}
	table(s.Out, append(rows, flat("settings", t["settings"])...))
}

// flat lists the settings of an object by their paths.
func flat(name string, v any) (rows [][]any) {
	o, ok := v.(object)
	if !ok {
		text, _ := json.Marshal(v) // it was JSON
		if s, plain := v.(string); plain {
			text = []byte(s)
		}
		return [][]any{{name, string(text)}}
	}
	for _, key := range slices.Sorted(maps.Keys(o)) {
		rows = append(rows, flat(name+"."+key, o[key])...)
	}
	return rows
}

type tenantsCreateCmd struct {
	admin
	Name string `arg:"" help:"Name, for people."`
	ID   string `name:"id" placeholder:"ID" help:"Id, part of the base URL; made up by default."`
	IdP  string `name:"idp" placeholder:"PROFILE" help:"Identity provider, such as entra or okta; generic by default."`
}

// Run creates.
func (c *tenantsCreateCmd) Run(s *session) error {
	body := object{"name": c.Name}
	if c.ID != "" {
		body["id"] = c.ID
	}
	if c.IdP != "" {
		body["idp"] = c.IdP
	}
	return c.call(s, request{http.MethodPost, "/tenants", body}, func(t object) {
		fmt.Fprintf(s.Out, "tenant   %v\nurl      %v\n", t["id"], t["scimBaseUrl"])
		if token, ok := t["token"].(object); ok {
			s.showValue(token)
		}
	})
}

type tenantsSetCmd struct {
	ofTenant
	Changes []string `arg:"" name:"key=value" help:"name, idp, or a setting: scim.patchBody=none; null is the default."`
}

// Help is the end of the command's help.
func (*tenantsSetCmd) Help() string {
	return "Values of settings are JSON, or else text: token.lifetimeDays=90 token.reminders=[14,7] token.vault=packed"
}

// Run changes all or nothing.
func (c *tenantsSetCmd) Run(s *session) error {
	body := object{}
	for _, change := range c.Changes {
		if err := merge(body, change); err != nil {
			return err
		}
	}
	return c.call(s, request{http.MethodPatch, path("tenants", c.Tenant), body}, s.showTenant)
}

// merge adds a change, KEY=VALUE, to a merge patch.
func merge(body object, change string) error {
	key, text, found := strings.Cut(change, "=")
	parts := strings.Split(key, ".")
	if !found || slices.Contains(parts, "") {
		return usageError(fmt.Sprintf("%q is no change: write KEY=VALUE, such as scim.patchBody=none", change))
	}
	var value any = text
	switch parts[0] {
	case "name", "idp":
	case "active", "settings":
		value = jsonOrText(text)
	default:
		parts, value = append([]string{"settings"}, parts...), jsonOrText(text)
	}
	for _, part := range parts[:len(parts)-1] {
		if _, there := body[part]; !there {
			body[part] = object{}
		}
		inner, ok := body[part].(object)
		if !ok {
			return usageError(key + " is given twice")
		}
		body = inner
	}
	last := parts[len(parts)-1]
	if _, there := body[last]; there {
		return usageError(key + " is given twice")
	}
	body[last] = value
	return nil
}

func jsonOrText(text string) any {
	if json.Valid([]byte(text)) {
		return json.RawMessage(text)
	}
	return text
}

type tenantsSwitchCmd struct {
	ofTenant
	State string `arg:"" enum:"on,off" help:"on or off."`
}

// Run switches.
func (c *tenantsSwitchCmd) Run(s *session) error {
	return c.call(s, request{http.MethodPatch, path("tenants", c.Tenant), object{"active": c.State == "on"}},
		func(t object) {
			fmt.Fprintf(s.Out, "Provisioning of %v is %s.\n", t["id"], c.State)
		})
}

type tenantsDeleteCmd struct {
	ofTenant
	Force bool `help:"Do not ask."`
}

// Run deletes, once a person has said that this is meant.
func (c *tenantsDeleteCmd) Run(s *session) error {
	err := s.meant(c.Force, "delete takes everything of the tenant",
		"Delete all users, groups and tokens of "+c.Tenant+"? There is no way back.", "the tenant is not deleted")
	if err != nil {
		return err
	}
	return c.call(s, request{http.MethodDelete, path("tenants", c.Tenant), nil}, func(object) {
		fmt.Fprintf(s.Out, "Tenant %s is being deleted.\n", c.Tenant)
	})
}
