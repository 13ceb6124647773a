// Package cli is the command line of functions/local: it serves everything in one process, and it calls an admin API,
// local or deployed. Parsing is kong's; package arguments lets flags stand anywhere and begin with one dash. The files:
//
//	cli.go          Run, the grammar, exit codes
//	serve.go        serve, bench, version
//	admin.go        the flags of all commands that call the admin API, and how answers are printed
//	tokens.go       token, rotation
//	tenants.go      tenants
//	clients.go      clients
//	definitions.go  schemas, resource-types
//	members.go      members, policy, targets, events
//	people.go       invitations, duplicates and merge of members; guard; disconnect
//	accounts.go     accounts: a file that is streamed
//	domains.go      domains
//	links.go        set-up links
//	provlog.go      log, diagnosis, activity
//	notices.go      notices, clock
//	webhooks.go  webhooks of tenants and of the operator
//	direct.go       commands without a server: doctor, tenants export and import, cost, scripts for shells
//	print.go        tables
package cli
