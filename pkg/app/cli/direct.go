package cli

import (
	"errors"
	"fmt"

	"github.com/serverless-scim/serverless-scim/pkg/app/direct"
	"github.com/serverless-scim/serverless-scim/pkg/cost"
)

// codeError is an error with an exit code of its own.
type codeError struct {
	error
	code int
}

func (e codeError) Unwrap() error { return e.error }

// directFlags say where a table is that a command works on itself. It must be there.
type directFlags struct {
	Data  string `default:"./.serverless-scim" placeholder:"FOLDER" help:"Of the local file, which no server may use."`
	Table string `default:"serverless-scim" placeholder:"NAME" help:"DynamoDB table."`
	tableFlags
}

func (f directFlags) table() direct.Table {
	return direct.Table{Engine: f.Engine, Data: f.Data, Name: f.Table, Endpoint: f.Endpoint, YesAWS: f.YesAWS}
}

type doctorCmd struct {
	Tenant string `placeholder:"ID" help:"Check this tenant only."`
	Repair bool   `help:"Mend what has one right answer."`
	JSON   bool   `name:"json" help:"Print lines of JSON: findings, notes, the sum."`
	directFlags
}

// Run checks a table.
func (c *doctorCmd) Run(s *session) error {
	if err := c.check(s); err != nil {
		return err
	}
	left, err := direct.Examine(s.ctx, direct.Doctor{
		Table: c.table(), Tenant: c.Tenant, Repair: c.Repair, JSON: c.JSON,
	}, s.Out, s.Err)
	if err != nil {
		return codeError{fmt.Errorf("the check did not come to its end: %w", err), CannotRun}
	}
	if left > 0 {
		return codeError{errors.New("the table is not sound"), Failed}
	}
	return nil
}

type tenantsExportCmd struct {
	Tenant    string `arg:"" help:"Id of the tenant."`
	Out       string `required:"" placeholder:"FILE" help:"Where to write it."`
	SecretsTo string `name:"secrets-to" placeholder:"age1..." help:"Add secrets, encrypted for this age recipient."`
	directFlags
}

// Run writes a tenant to a file.
func (c *tenantsExportCmd) Run(s *session) error {
	if err := c.check(s); err != nil {
		return err
	}
	return direct.ExportTenant(s.ctx, direct.Export{
		Table: c.table(), Tenant: c.Tenant, File: c.Out, SecretsTo: c.SecretsTo,
	}, s.Err)
}

type tenantsImportCmd struct {
	File     string `arg:"" help:"What export wrote."`
	ID       string `name:"id" placeholder:"ID" help:"Id that the tenant gets; else that of the file."`
	Identity string `placeholder:"FILE" help:"The age identity that reads the secrets; else without them."`
	directFlags
}

// Run reads a tenant from a file.
func (c *tenantsImportCmd) Run(s *session) error {
	if err := c.check(s); err != nil {
		return err
	}
	return direct.ImportTenant(s.ctx, direct.Import{
		Table: c.table(), File: c.File, Tenant: c.ID, Identity: c.Identity,
	}, s.Err)
}

type costCmd struct {
	Tenants   int     `default:"100" placeholder:"N" help:"Tenants."`
	Users     int     `default:"500" placeholder:"N" help:"Users of a tenant."`
	Groups    int     `default:"5" placeholder:"N" help:"Groups that a user is in."`
	Changes   float64 `default:"2" placeholder:"N" help:"Changes a day, per hundred users."`
	Reads     int     `default:"200" placeholder:"N" help:"Requests a day and tenant that change nothing."`
	Polls     int     `default:"288" placeholder:"N" help:"Requests of the application a day and tenant."`
	Packed    bool    `help:"The tokens of 400 tenants share a secret."`
	Retention int     `default:"90" placeholder:"DAYS" help:"For how long logs and events are kept."`
	JSON      bool    `name:"json" help:"Print a JSON document."`
}

// Run prints what a stack costs a month.
func (c *costCmd) Run(s *session) error {
	if min(c.Tenants, c.Users, c.Groups, c.Reads, c.Polls, c.Retention) < 0 || c.Changes < 0 {
		return usageError("no number may be negative")
	}
	return direct.PrintCost(cost.Load{
		Tenants: c.Tenants, Users: c.Users, Groups: c.Groups, Changes: c.Changes, Reads: c.Reads, Polls: c.Polls,
		Packed: c.Packed, Retention: c.Retention,
	}, c.JSON, s.Out)
}
