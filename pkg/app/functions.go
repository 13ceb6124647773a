package app

import "slices"

// Function describes the definition that a Lambda function must have in template.yaml. A test compares the two.
type Function struct {
	// Name is the folder under functions/.
	Name string
	// Routes are its routes in the HTTP API.
	Routes []string
	// Env are the environment variables that it reads.
	Env []string
	// Table are the DynamoDB actions that it calls on the table; Secrets those it calls in Secrets Manager.
	Table, Secrets []string
	// Schedule is the schedule that it runs on, in the syntax of EventBridge Scheduler.
	Schedule string
	// Tells says that it sends notices through Amazon SES or SNS, Puts that it puts events on the event bus, Wakes
	// that it sends messages to the queue of deliveries, Hooks that it reads the key that encrypts the secrets of
	// webhooks.
	Tells, Puts, Wakes, Hooks bool
}

// Environment variables of the functions.
const (
	EnvTable        = "TABLE_NAME"
	EnvBaseURL      = "BASE_URL"
	EnvSecretPrefix = "SECRET_PREFIX"
	EnvLogLevel     = "LOG_LEVEL"
	// EnvStack is the stack's name, the dimension of its metrics. EnvMetrics is basic or routes.
	EnvStack   = "STACK_NAME"
	EnvMetrics = "METRICS"
	// EnvLimits bounds the requests of each tenant, as limit.Bounds reads it; empty bounds nothing.
	EnvLimits = "TENANT_LIMITS"
	// EnvMaxTokenDays bounds the lifetime of tokens, in days; empty is 730. EnvEndlessTokens "true" allows tokens
	// that do not expire.
	EnvMaxTokenDays  = "TOKEN_MAX_DAYS"
	EnvEndlessTokens = "TOKEN_ENDLESS"
	// EnvPackedSecrets is the number of secrets that the tenants with packed tokens share; empty or 0 is none.
	EnvPackedSecrets = "PACKED_SECRETS"
	// EnvSecretKey is the ARN of the KMS key of the secrets that are created; empty takes that of AWS. EnvSecretTags
	// are their tags, as name=value,name=value.
	EnvSecretKey  = "SECRET_KEY"
	EnvSecretTags = "SECRET_TAGS"
	// EnvAdminHost is the one host name that the admin API answers on; empty takes any.
	EnvAdminHost = "ADMIN_HOST"
	// EnvOperatorLogDays is how long entries of the operator's log are kept, in days; empty is 90.
	EnvOperatorLogDays = "OPERATOR_LOG_DAYS"
	// EnvQueue is the URL of the queue of deliveries. A message names a tenant whose events are to be delivered.
	EnvQueue = "DELIVERY_QUEUE"
	// EnvWebhookKey is the ARN of the secret that the secrets of webhooks are encrypted with.
	EnvWebhookKey = "WEBHOOK_KEY"
	// EnvEventBus is the name or ARN of the event bus.
	EnvEventBus = "EVENT_BUS"
	// EnvNoticeFrom is the address that notices come from; if it is empty, EnvNoticeTopic is the ARN of the topic that
	// they are published to. EnvNoticeConfigurationSet is that of SES through which bounces are reported.
	EnvNoticeFrom             = "NOTICE_FROM"
	EnvNoticeTopic            = "NOTICE_TOPIC"
	EnvNoticeConfigurationSet = "NOTICE_CONFIGURATION_SET"
	// EnvNoticeProduct is the application's name in notices, EnvNoticeContact the place to get a token and help.
	EnvNoticeProduct = "NOTICE_PRODUCT"
	EnvNoticeContact = "NOTICE_CONTACT"
	// EnvPortalAccent and EnvPortalLogo are the portal's accent colour and logo. EnvPortalReturnURL is the target of
	// its link back. EnvPortalHours is the length of a portal session in hours, 1 to 8.
	EnvPortalAccent    = "PORTAL_ACCENT"
	EnvPortalLogo      = "PORTAL_LOGO"
	EnvPortalReturnURL = "PORTAL_RETURN_URL"
	EnvPortalHours     = "PORTAL_HOURS"
)

var (
	readActions  = []string{"dynamodb:GetItem", "dynamodb:BatchGetItem", "dynamodb:Query"}
	writeActions = []string{
		"dynamodb:PutItem", "dynamodb:UpdateItem", "dynamodb:DeleteItem", "dynamodb:BatchWriteItem",
		"dynamodb:ConditionCheckItem",
	}
	secretActions = []string{
		"secretsmanager:CreateSecret", "secretsmanager:TagResource", "secretsmanager:PutSecretValue",
		"secretsmanager:GetSecretValue",
		"secretsmanager:UpdateSecretVersionStage", "secretsmanager:DescribeSecret",
	}
	tokenEnv  = []string{EnvMaxTokenDays, EnvEndlessTokens, EnvPackedSecrets, EnvSecretKey, EnvSecretTags}
	portalEnv = []string{
		EnvBaseURL, EnvNoticeProduct, EnvNoticeContact, EnvPortalAccent, EnvPortalLogo, EnvPortalReturnURL,
		EnvPortalHours,
	}
	// tellEnv are those of the function that delivers notices.
	tellEnv = []string{
		EnvBaseURL, EnvNoticeFrom, EnvNoticeTopic, EnvNoticeConfigurationSet, EnvNoticeProduct, EnvNoticeContact,
	}
)

// Functions lists every function of the template. It is a function because the functions themselves have no use for the
// list.
func Functions() []Function { return append(requestFunctions(), operatorFunctions()...) }

// requestFunctions are those that answer identity providers.
func requestFunctions() []Function {
	return []Function{
		{
			// The users function has the default route: it answers the requests that no other route takes, such as an
			// endpoint name in another case.
			Name:   "users",
			Routes: append(routes("Users", "Users/{id}"), "$default"),
			Env:    []string{EnvTable, EnvBaseURL, EnvLogLevel, EnvStack, EnvMetrics, EnvLimits},
			Table:  allActions(),
		},
		{
			Name:   "groups",
			Routes: routes("Groups", "Groups/{id}", "GroupMemberships", "GroupMemberships/{id}"),
			Env:    []string{EnvTable, EnvBaseURL, EnvLogLevel, EnvStack, EnvMetrics, EnvLimits},
			Table:  allActions(),
		},
		{
			Name:   "bulk",
			Routes: append(routes("Bulk", ".search"), "ANY /scim/v2/{tenant}", "ANY /scim/{tenant}"),
			Env:    []string{EnvTable, EnvBaseURL, EnvLogLevel, EnvStack, EnvMetrics, EnvLimits},
			Table:  allActions(),
		},
		{
			Name:   "discovery",
			Routes: routes("ServiceProviderConfig", "ResourceTypes", "ResourceTypes/{id}", "Schemas", "Schemas/{id}"),
			Env:    []string{EnvTable, EnvBaseURL, EnvLogLevel, EnvStack, EnvMetrics, EnvLimits},
			// It reads the tenant, with the client of an access token, notes when the token was used, and counts
			// requests.
			Table: []string{
				"dynamodb:GetItem", "dynamodb:BatchGetItem", "dynamodb:PutItem", "dynamodb:UpdateItem",
				"dynamodb:ConditionCheckItem",
			},
		},
		{
			Name:   "oauth",
			Routes: []string{"ANY /oauth2/{tenant}/token"},
			Env:    []string{EnvTable, EnvBaseURL, EnvLogLevel, EnvStack, EnvMetrics},
			// It reads tenant and client, and notes which assertions were used, and when secrets were.
			Table: []string{"dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:ConditionCheckItem"},
		},
	}
}

// operatorFunctions are those that manage tenants and their tokens.
func operatorFunctions() []Function {
	return []Function{
		{
			Name:   "admin",
			Hooks:  true,
			Routes: []string{"ANY /admin/v1/{proxy+}"},
			Env: append([]string{
				EnvTable, EnvBaseURL, EnvAdminHost, EnvSecretPrefix, EnvWebhookKey, EnvOperatorLogDays, EnvLogLevel,
				EnvStack, EnvMetrics,
			}, tokenEnv...),
			Table:   allActions(),
			Secrets: append([]string{"secretsmanager:DeleteSecret"}, secretActions...),
		},
		{
			Name:   "portal",
			Routes: []string{"ANY /portal", "ANY /portal/{proxy+}", "ANY /setup/{proxy+}"},
			Env: slices.Concat([]string{EnvTable, EnvSecretPrefix, EnvLogLevel, EnvStack, EnvMetrics},
				tokenEnv, portalEnv),
			Table:   allActions(),
			Secrets: secretActions,
		},
		{
			Name: "stream",
			Env: append([]string{
				EnvTable, EnvSecretPrefix, EnvQueue, EnvLogLevel, EnvStack, EnvMetrics,
			}, tokenEnv...),
			Table: allActions(),
			Wakes: true,
			// It deletes the secrets of deleted tenants, or takes their tokens out of the packed ones.
			Secrets: []string{
				"secretsmanager:DescribeSecret", "secretsmanager:DeleteSecret", "secretsmanager:GetSecretValue",
				"secretsmanager:PutSecretValue",
				"secretsmanager:UpdateSecretVersionStage",
			},
		},
		{
			Name:     "rotate",
			Schedule: "rate(1 hour)",
			Tells:    true,
			Env: slices.Concat([]string{EnvTable, EnvSecretPrefix, EnvLogLevel, EnvStack, EnvMetrics},
				tokenEnv, tellEnv),
			Table:   allActions(),
			Secrets: secretActions,
		},
		{
			Name:     "deliver",
			Schedule: "rate(1 minute)",
			Puts:     true,
			Hooks:    true,
			Wakes:    true,
			Env:      []string{EnvTable, EnvQueue, EnvWebhookKey, EnvEventBus, EnvLogLevel, EnvStack, EnvMetrics},
			Table:    allActions(),
		},
	}
}

// allActions are those of a function that reads and writes all kinds of items.
func allActions() []string { return slices.Concat(readActions, writeActions) }

// routes returns the routes of SCIM endpoints under the base URL and its alias, for every method.
func routes(endpoints ...string) []string {
	var all []string
	for _, e := range endpoints {
		all = append(all, "ANY /scim/v2/{tenant}/"+e, "ANY /scim/{tenant}/"+e)
	}
	return all
}
