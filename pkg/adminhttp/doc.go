// Package adminhttp is the admin API: tenants and their tokens over HTTP, for operators and the application. It serves
// /admin/v1/... and answers errors as problem details (RFC 9457).
//
//	GET    /admin/v1/openapi.json                        all this, as an OpenAPI document
//	POST   /admin/v1/tenants                             make a tenant and its first token
//	GET    /admin/v1/tenants?name=&count=&cursor=        list
//	GET    /admin/v1/tenants/{id}
//	PATCH  /admin/v1/tenants/{id}                        JSON merge patch (RFC 7396)
//	DELETE /admin/v1/tenants/{id}                        202; the rest goes in the background
//	POST   /admin/v1/tenants/{id}/tokens                 make another token
//	GET    /admin/v1/tenants/{id}/tokens                 list
//	POST   /admin/v1/tenants/{id}/tokens/{token}/reveal  show the value, audited
//	GET    /admin/v1/tenants/{id}/tokens/{token}
//	PATCH  /admin/v1/tenants/{id}/tokens/{token}         change its expiry
//	DELETE /admin/v1/tenants/{id}/tokens/{token}         revoke
//	POST   /admin/v1/tenants/{id}/rotation               start, complete or cancel
//	GET    /admin/v1/tenants/{id}/notices                the notices and their recipients
//	POST   /admin/v1/tenants/{id}/notices                send a test
//	GET    /admin/v1/tenants/{id}/log?filter=&count=&cursor=   the requests and their results
//	GET    /admin/v1/tenants/{id}/log/{entry}
//	GET    /admin/v1/tenants/{id}/diagnosis?language=    the findings, each with its remedy
//	GET    /admin/v1/tenants/{id}/stale-attributes       values that an identity provider may have left behind
//	GET    /admin/v1/tenants/{id}/activity?days=         how many requests there were, and when
//	GET    /admin/v1/clock                               the time, and the machine's; local runs only
//	PUT    /admin/v1/clock                               move the time; local runs only
//	POST, GET /admin/v1/tenants/{id}/clients             OAuth clients; the secret is shown once
//	GET, DELETE /admin/v1/tenants/{id}/clients/{client}
//	POST   /admin/v1/tenants/{id}/clients/{client}       another secret, or other keys
//	DELETE /admin/v1/tenants/{id}/clients/{client}/secrets/{secret}
//	       /admin/v1/clients...                          the same for clients that many tenants allow
//	GET    /admin/v1/tenants/{id}/schemas                the tenant's own schemas, beside those of RFC 7643
//	GET, PUT, DELETE /admin/v1/tenants/{id}/schemas/{urn}           a schema, as RFC 7643 section 7 writes it
//	GET    /admin/v1/tenants/{id}/resource-types
//	GET, PUT, DELETE /admin/v1/tenants/{id}/resource-types/{type}   a resource type, as section 6 writes it
//	GET, POST /admin/v1/tenants/{id}/domains             domains, verified or not; add one
//	GET, DELETE /admin/v1/tenants/{id}/domains/{name}
//	POST   /admin/v1/tenants/{id}/domains/{name}/verify  ask the DNS, or override
//	GET, POST /admin/v1/tenants/{id}/webhooks            URLs that get the tenant's events; the secret is shown once
//	GET, PATCH, DELETE /admin/v1/tenants/{id}/webhooks/{webhook}
//	POST   /admin/v1/tenants/{id}/webhooks/{webhook}/test, /replay, /rotate-secret
//	       /admin/v1/webhooks...                         the same for those that get the events of all tenants
//	GET, POST /admin/v1/tenants/{id}/setup-links         links into the portal; the code is shown once
//	GET, DELETE /admin/v1/tenants/{id}/setup-links/{link}
//
// The files:
//
//	handler.go  the routes, and the service behind them
//	guard.go    who may call a local server
//	json.go     bodies and answers
//	conditional.go  entity tags, If-Match and If-None-Match
//	once.go     Idempotency-Key
//	setup.go    set-up links
//	problem.go  errors as problem details
//	tenants.go  tenants
//	tokens.go   tokens
//	rotation.go rotation of tokens, notices
//	clients.go  OAuth clients
//	schemas.go  schemas and resource types of a tenant
//	domains.go  domains, verified or not
//	provlog.go  the provisioning log, and admin requests in it
//	members.go  members, assignments and targets
//	people.go   accounts, invitations, merges
//	policy.go   the policy, and a rehearsal of its changes
//	tenantguard.go  the guard of the policy
//	events.go   the events of a tenant
//	changes.go  members that have changed after a position in the log
//	webhooks.go the URLs that get the events
//
// The package does not authenticate: in AWS the gateway requires IAM, locally LocalGuard protects the API.
package adminhttp
