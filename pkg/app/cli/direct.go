package cli

import (
	"errors"
	"fmt"

	"github.com/serverless-scim/serverless-scim/pkg/app/cli/completion"
	"github.com/serverless-scim/serverless-scim/pkg/app/direct"
	"github.com/serverless-scim/serverless-scim/pkg/cost"
)

// codeError is an error with an exit code of its own.
type codeError struct {
	error
	code int
}

// directFlags name the table that a command reads and writes itself, without a server. The table must exist.
type directFlags struct {
	Data  string `default:"./.serverless-scim" placeholder:"FOLDER" help:"Folder of the data; no server may use it."`
	Table string `default:"serverless-scim" placeholder:"NAME" help:"DynamoDB table."`
	JSON  bool   `name:"json" help:"Print a JSON document."`
	tableFlags
}

func (f directFlags) table() direct.Table {
	return direct.Table{Engine: f.Engine, Data: f.Data, Name: f.Table, Endpoint: f.Endpoint, YesAWS: f.YesAWS}
}

type doctorCmd struct {
	Tenant string `placeholder:"ID" help:"Check this tenant only."`
	Repair bool   `help:"Repair each fault that has exactly one right repair."`
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
		return codeError{fmt.Errorf("the check did not finish: %w", err), CannotRun}
	}
	if left > 0 {
		return codeError{errors.New("the check found faults"), Failed}
	}
	return nil
}

type tenantsExportCmd struct {
	Tenant    string `arg:"" help:"Id of the tenant."`
	Out       string `required:"" placeholder:"FILE" help:"File to write."`
	SecretsTo string `name:"secrets-to" placeholder:"age1..." help:"Add secrets, encrypted for this age recipient."`
	directFlags
}

// Run writes a tenant to a file.
func (c *tenantsExportCmd) Run(s *session) error {
	if err := c.check(s); err != nil {
		return err
	}
	return direct.ExportTenant(s.ctx, direct.Export{
		Table: c.table(), Tenant: c.Tenant, File: c.Out, SecretsTo: c.SecretsTo, JSON: c.JSON,
	}, s.Out, s.Err)
}

type tenantsImportCmd struct {
	File     string `arg:"" help:"File that export wrote."`
	ID       string `name:"id" placeholder:"ID" help:"New id of the tenant; the id in the file by default."`
	Identity string `placeholder:"FILE" help:"File with the age identity for the secrets; by default no secrets."`
	directFlags
}

// Run reads a tenant from a file.
func (c *tenantsImportCmd) Run(s *session) error {
	if err := c.check(s); err != nil {
		return err
	}
	return direct.ImportTenant(s.ctx, direct.Import{
		Table: c.table(), File: c.File, Tenant: c.ID, Identity: c.Identity, JSON: c.JSON,
	}, s.Out, s.Err)
}

type costCmd struct {
	cost.Load `embed:""`
	JSON      bool `name:"json" help:"Print a JSON document."`
}

// Run prints the monthly cost of a stack.
func (c *costCmd) Run(s *session) error { return direct.PrintCost(c.Load, c.JSON, s.Out) }

type completionCmd struct {
	Shell string `arg:"" enum:"bash,zsh,fish" help:"bash, zsh or fish."`
}

// Help is the end of the command's help.
func (*completionCmd) Help() string {
	return `For a program called local: source <(local completion bash), the same with zsh, ` +
		`or local completion fish | source`
}

// Run prints the script.
func (c *completionCmd) Run(s *session) error {
	completion.Print(s.Out, c.Shell, s.model.Node)
	return nil
}
