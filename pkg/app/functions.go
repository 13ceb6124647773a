package app

import "slices"

// Function describes a Lambda function: what template.yaml has to give it. A test holds the template against it.
type Function struct {
	// Name is the folder under functions/.
	Name string
	// Routes are its routes in the HTTP API.
	Routes []string
	// Env are the environment variables that it reads.
	Env []string
	// Table are the DynamoDB actions that it calls on the table; Secrets those it calls in Secrets Manager.
	Table, Secrets []string
	// Schedule says when it runs by itself, as EventBridge Scheduler writes it.
	Schedule string
	// Tells says that it hands notices to Amazon SES or SNS. Puts says that it hands events to the event bus. Wakes says
	// that it puts messages into the queue of deliveries. Hooks says that it reads the key of webhooks' secrets.
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
	// EnvMaxTokenDays bounds the life of tokens; empty is 730. EnvEndlessTokens "true" allows tokens without an end.
	EnvMaxTokenDays  = "TOKEN_MAX_DAYS"
	EnvEndlessTokens = "TOKEN_ENDLESS"
	// EnvPackedSecrets is how many secrets the tenants share that keep packed tokens; empty or 0 has none.
	EnvPackedSecrets = "PACKED_SECRETS"
	// EnvSecretKey is the ARN of the KMS key of the secrets that are made; empty takes that of AWS. EnvSecretTags are
	// their tags, as name=value,name=value.
	EnvSecretKey  = "SECRET_KEY"
	EnvSecretTags = "SECRET_TAGS"
	// EnvAdminHost is the one host name that the admin API answers on; empty takes any.
	EnvAdminHost = "ADMIN_HOST"
	// EnvQueue is the URL of the queue of tenants whose events are to be delivered.
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
	// EnvNoticeProduct is what people call the application, EnvNoticeContact where they get a token and help.
	EnvNoticeProduct = "NOTICE_PRODUCT"
	EnvNoticeContact = "NOTICE_CONTACT"
	// EnvPortalAccent, EnvPortalLogo and EnvPortalReturnURL are how the portal looks and where it leads back to;
	// EnvPortalHours is how long a session of it lasts, 1 to 8.
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
		EnvBaseURL, EnvNoticeProduct, EnvNoticeContact, EnvPortalAccent, EnvPortalLogo, EnvPortalReturnURL, EnvPortalHours,
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
			// The default route is the users function's: it answers what no other route takes, such as an endpoint name in
			// another case.
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
			// It reads the tenant, with the client that an access token is of, notes when the token was used, and counts
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

// operatorFunctions are those that tenants and their tokens are kept with.
func operatorFunctions() []Function {
	return []Function{
		{
			Name:   "admin",
			Hooks:  true,
			Routes: []string{"ANY /admin/v1/{proxy+}"},
			Env: append([]string{
				EnvTable, EnvBaseURL, EnvAdminHost, EnvSecretPrefix, EnvWebhookKey, EnvLogLevel, EnvStack, EnvMetrics,
			}, tokenEnv...),
			Table:   allActions(),
			Secrets: append([]string{"secretsmanager:DeleteSecret"}, secretActions...),
		},
		{
			Name:    "portal",
			Routes:  []string{"ANY /portal", "ANY /portal/{proxy+}", "ANY /setup/{proxy+}"},
			Env:     slices.Concat([]string{EnvTable, EnvSecretPrefix, EnvLogLevel, EnvStack, EnvMetrics}, tokenEnv, portalEnv),
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
			Env:      slices.Concat([]string{EnvTable, EnvSecretPrefix, EnvLogLevel, EnvStack, EnvMetrics}, tokenEnv, tellEnv),
			Table:    allActions(),
			Secrets:  secretActions,
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

// allActions are those of a function that reads and writes whatever there is.
func allActions() []string { return slices.Concat(readActions, writeActions) }

// routes returns the routes of SCIM endpoints under the base URL and its alias, for every method.
func routes(endpoints ...string) []string {
	var all []string
	for _, e := range endpoints {
		all = append(all, "ANY /scim/v2/{tenant}/"+e, "ANY /scim/{tenant}/"+e)
	}
	return all
}
