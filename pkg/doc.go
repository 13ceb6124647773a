// Package pkg is the map of serverless-scim: this comment, and the tests that compare the code with it (the import
// matrix in arch_test.go, the rules of the repository in repo_test.go).
//
// A request goes through the system like this:
//
//	API Gateway event -> functions/users -> apigw -> scimhttp (size, token, tenant, route, decode)
//	  -> directory (validate, patch, uniqueness, version) -> store.Store (keys of one tenant, one transaction)
//	  -> store.Engine (dynamostore or boltstore), and back
//
// The packages, bottom to top. Each has one task. It imports only packages above it in this list, and only those that
// the import matrix names:
//
//	scim             URNs, errors, messages, JSON: RFC 7643 and 7644, standard library only
//	scim/schema      attributes: validation, normalisation, projection (RFC 7643)
//	scim/schema/define  the schemas and resource types that an operator defines for one tenant
//	scim/filter      the filter and path grammar (RFC 7644, sections 3.4.2.2 and 3.5.2)
//	scim/patch       PATCH applied to a document (RFC 7644, section 3.5.2)
//	scim/scimtest    dialogues, behaviours and requirements of the RFCs, run against any server
//	mapping          from a tenant's policy and the facts about a user to assignments, status and fields; pure
//	metric           metrics from log lines, for CloudWatch
//	domain           the domain of an address, and the verified domains of a tenant
//	precondition     a caller's condition on the state that a change replaces
//	task             goroutines whose panics are errors
//	store            the port to storage: keys, items, conditions, limits, cost; keys.go is the whole table
//	sweep            a daily visit to all tenants
//	store/storetest  the conformance suite that every engine passes
//	store/faultstore an engine that injects failures, for tests
//	store/boltstore  an engine on one local file: local runs and all tests
//	store/dynamostore            the engine on DynamoDB
//	store/dynamostore/scan  the keys of a whole DynamoDB table
//	event            events of tenants: kinds, and how they are announced for the log
//	event/eventlog   a tenant's log of events, numbered without a gap
//	event/delivery   delivers a tenant's log to destinations: positions, leases, retries
//	event/schemas    the JSON Schema of each type of event
//	event/awsevent   events on Amazon EventBridge
//	notice           the queue of messages to the administrators of tenants
//	notice/message   the texts of notices; the port to mail
//	notice/awsmail   mail through Amazon SES, or a topic of Amazon SNS
//	tenant/assertion  the signed assertions of OAuth clients, and their keys (RFC 7523)
//	tenant/internal/oauth     OAuth clients and their access tokens (RFC 6749)
//	tenant/internal/record    the values of a tenant, its settings, tokens and clients; pure
//	tenant/internal/rotation  decides about the due work for a tenant's tokens; pure
//	tenant           tenants, settings, tokens, OAuth clients; the port to secrets
//	tenant/ending    erases deleted tenants, and announces that to the destinations of their logs
//	tenant/stored    the stored items of a tenant, for doctor and transfer
//	tenant/awssecret secrets in AWS Secrets Manager
//	directory/bulkid  references by bulkId in the bodies of a bulk request (RFC 7644, section 3.7.2)
//	directory/counter  the number of resources, and the resource at an index
//	directory/membershipid  the sealed ids of memberships
//	directory/row    a resource as an item of the table: document, version, look-ups, unique values
//	directory/membership  members of groups, small and large changes, open work; commits
//	directory/query/plan  the plan of a filter, made without reading; how lookups narrow it
//	directory/query/cursor  the order of a list: sort keys, places, sealed cursors (RFC 9865)
//	directory/query/lookup  the items by which resources are found by a value
//	directory/query  filters, order and pages of resources and memberships (RFC 7644, section 3.4.2)
//	directory        users, groups and members: uniqueness, versions
//	directory/bulk   bulk requests, carried out with the directory's operations (RFC 7644, section 3.7)
//	domain/claim     domains that tenants claim, and the TXT record that proves one
//	guard            bounds the users that an identity provider deactivates or deletes within some minutes
//	provlog          the provisioning log: requests, their results, their numbers
//	policy           a tenant's policy applied to requests; compiled policies by digest
//	member/marker    marks the members that a change may affect, for publishing
//	member/internal/record  the values of members and targets: stored form, JSON, lookups, filters, events
//	member/internal/policies  tenants' policies: saved, compiled, the progress of applying them
//	member/internal/seat  the seats of a target: the number in use, the members who wait
//	member/internal/pass  walks over all members that one change may affect, and marks each
//	member/internal/explain  the reasons of a member's status and assignments, as JSON; pure
//	member/internal/publish  publications: read, evaluate, compare, write; explanations and rehearsals
//	member/stored    the stored items of members, for doctor
//	member           people as the application sees them: publishing, targets, policy
//	doctor           checks a table against its own rules, and repairs it
//	limit            bounds the requests of a tenant, over all processes
//	cost             the price of a stack a month
//	transfer         exports a tenant to a file, and imports it into a table
//	webhook          the URLs that get events: signatures, secrets, refused addresses
//	provlog/diagnosis  faults at an identity provider, and the steps that correct them
//	setup            set-up links for customers' administrators, and their sessions
//	web              shared by all HTTP edges: request id, deadline, body, panic, log, headers, base URL
//	scimhttp         SCIM over HTTP (RFC 7644)
//	oauthhttp        the OAuth 2.0 token endpoint (RFC 6749, section 4.4)
//	portal/frame     shared by all pages of the portal: sessions, languages, layout, assets
//	portal/access    the page of tokens and OAuth clients
//	portal/guide     the pages that guide through the set-up
//	portal/control   the pages of the settings and the domains
//	portal/saved     the policy as pages show and change it
//	portal/overview  the operator's page of a local server: all tenants
//	portal/people    the pages about groups, members and the activity
//	portal/browsertest  tests of the pages in a real browser
//	portal           the pages for a customer's administrator
//	adminhttp/etag   entity tags and conditions (RFC 9110)
//	adminhttp/idempotency  remembers requests by their Idempotency-Key
//	adminhttp/lists  shared by the answers with lists: their JSON, the search by name, their size
//	adminhttp/shown  the resources of the admin API as JSON, and their entity tags
//	adminhttp/openapi  the admin API as an OpenAPI document
//	adminhttp        the operator's API over HTTP
//	apigw            API Gateway events to and from net/http
//	app              reads the environment and connects engines to handlers
//	app/awsenv       AWS clients from a function's environment
//	app/awsenv/vault  tenants with their vault in AWS
//	app/follow       connects the logs of tenants to their destinations
//	app/cli/call     requests to the admin API, signed
//	app/cli/arguments  the form of command lines: flags with one dash, anywhere
//	app/cli/completion  scripts by which shells complete commands
//	app/cli          the command line: the local server, and commands to the admin API
//	app/bench        the cost of operations at several sizes
//	app/serve        the SCIM functions and oauth
//	app/serve/admin  the function admin
//	app/serve/portal  the function portal
//	app/work         the functions stream and rotate, which answer no requests
//	app/work/outbox  delivery of notices in AWS
//	app/work/deliver  the function deliver: events to EventBridge and webhooks
//	app/awsenv/queue  the queue from stream to deliver
//	app/local        everything in one process
//	app/example      a small application that follows a tenant, for integrators to read
//	app/sequence     a fuzz target of whole requests to a whole server
//	app/history      tests of the answers that many clients get at once, while processes die
//	app/direct       commands that need no server: doctor, export, import, cost
//	app/e2e          tests of the built programs: the functions' binaries and functions/local
//	app/statements   tests of the requirements of products on the endpoint, each with its number
//	internal/awsfake/dynamolocal   DynamoDB Local, for tests
//	internal/awsfake/fakelambda    Lambda, API Gateway and stream mappings, for tests
//	internal/awsfake/fakesecrets   Secrets Manager, for tests
//	internal/contract  checks requests and responses against the OpenAPI document, for tests
//	internal/dnstest  a DNS server, for tests
//	internal/filled  a tenant with data of every kind, and copies of tables, for tests
//	internal/schematest  definitions and JSON, for the tests of scim/schema
//	internal/slow    tests that run only on request; less garbage collection in the others
//
// The packages of app are divided so that each program links little code, because linked code makes a cold start
// slower. So admin, which reads secrets, is separate from the other functions that answer HTTP, and outbox, which
// only rotate needs, is separate from stream.
//
// Outside pkg, the directory functions has a small main package for each Lambda function, and functions/local, which
// runs all of them in one process.
//
// Where to make each kind of change:
//
//	an attribute of the core schemas           scim/schema, the definition tables
//	an option for an identity provider         scim.Dialect and its use; a dialogue in scim/scimtest
//	a kind of stored item                      store/keys.go, then the use case that needs it
//	an operation or limit of storage           store.Engine, storetest, then both engines
//	a rule on users or groups                  directory
//	a page, or a text of one                   a package of portal, in each language
//	a route                                    scimhttp, or adminhttp and its openapi.json; template.yaml
//	a setting of a tenant                      tenant.Settings
//	a Lambda function                          app/serve or app/work, functions, template.yaml, an event in events
//	a package                                  the import matrix in arch_test.go, and the list above
//
// The words of the project. Each has one meaning, in the code, in docs and in messages:
//
//	adopt        to give a member the account that the application had before, found by a value that both have
//	assignment   the fact that a member has a target, by a rule (origin scim), by hand (origin manual), or both
//	delivery     sending the events of a tenant to one destination, in order and at least once
//	destination  a receiver of events: a webhook or the event bus
//	dialect      a profile in the code: the struct scim.Dialect, with a field for each option
//	engine       an implementation of the port to storage, on DynamoDB or on a local file
//	epoch        the name of one numbering of a log; a restored or imported log begins a new one
//	erase        to remove the data of a person, also from the logs, or all data of a deleted tenant
//	facts        the data about one user that a policy reads: document, groups, manual assignments and targets
//	folded       a value in a form in which values that differ only by case are equal
//	head         the item with the last sequence number and the epoch of a log
//	item         one record of the table, under a partition key and a sort key
//	kind         a class of targets, such as role, licence or team
//	lease        a right that one process has for a short time: to deliver, or to accept a number of requests
//	live         of a token or secret: neither expired nor revoked
//	lookup       an item that leads from a value, such as a userName, to the resource that has it
//	marker       an item, written with a change, that says that a subject may have changed
//	member       a person as the application sees them: one for each SCIM user, under the same id
//	membership   the fact that a user or group is in a group: an entry of "members" in RFC 7643
//	open work    the rest of a large change: readers already see it as done, and any process may complete it
//	operator     the person or team that runs the deployment and creates tenants
//	pass         a walk over all members that one marker is about, some at a time
//	place        the point at which a reader continues: in a list, or in a log of events
//	position     the sequence number of the last event of a tenant that a destination has got
//	profile      the options for one identity provider; the tenant's "idp" is its name
//	protect      a field of the policy: the last active members with a target keep it
//	publish      to evaluate the policy for marked members, and to write the new members with their events
//	rehearse     to compute the changes that a policy would make, without saving it
//	rotation     the replacement of a token by its successor; for a time both work
//	sealed       encrypted and authenticated with a key of the tenant: cursors, access tokens, ids of memberships
//	seat         one of a limited number of assignments of a target to active members
//	shard        one of the parts into which a counter or an index is divided, so that writers do not conflict
//	stamp        a random value of a marker, so that only the version that was read is deleted
//	subject      the resource that a marker or an event is about, such as a member, a group or a token
//	successor    the token that replaces one that expires
//	target       one thing that a member can be given, such as the role admin
//	tenant       one customer of the application: an endpoint, an identity provider, tokens and settings of its own
//	vault        the store of token values, which no SCIM request reads
//	wake         an attribute or message that starts work in the background after a write
//	walk         reading many items page by page, such as all documents of a tenant for a filter without an index
package pkg
