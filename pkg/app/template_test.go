package app_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"

	"github.com/serverless-scim/serverless-scim/pkg/app"
	"github.com/serverless-scim/serverless-scim/pkg/metric"
)

const top = "../.."

// doc is a part of a template.
type doc = map[string]any

// template reads template.yaml; the short form of an intrinsic function becomes its long form.
func template(t *testing.T) doc {
	t.Helper()
	raw, err := os.ReadFile(filepath.Join(top, "template.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	var root yaml.Node
	if err := yaml.Unmarshal(raw, &root); err != nil {
		t.Fatal(err)
	}
	out, ok := plain(t, root.Content[0]).(doc)
	if !ok {
		t.Fatal("template.yaml is no mapping")
	}
	return out
}

func plain(t *testing.T, n *yaml.Node) any {
	t.Helper()
	var v any
	switch n.Kind {
	case yaml.MappingNode:
		m := doc{}
		for i := 0; i < len(n.Content); i += 2 {
			m[n.Content[i].Value] = plain(t, n.Content[i+1])
		}
		v = m
	case yaml.SequenceNode:
		list := []any{}
		for _, c := range n.Content {
			list = append(list, plain(t, c))
		}
		v = list
	default:
		v = n.Value
		if !strings.HasPrefix(n.Tag, "!") || strings.HasPrefix(n.Tag, "!!") {
			if err := n.Decode(&v); err != nil {
				t.Fatal(err)
			}
		}
	}
	name, ok := strings.CutPrefix(n.Tag, "!")
	if !ok || strings.HasPrefix(name, "!") {
		return v
	}
	switch name {
	case "Ref":
		return doc{"Ref": v}
	case "GetAtt":
		if s, ok := v.(string); ok {
			resource, attribute, _ := strings.Cut(s, ".")
			v = []any{resource, attribute}
		}
	}
	return doc{"Fn::" + name: v}
}

// at walks into a template; nil if there is nothing.
func at(v any, keys ...string) any {
	for _, k := range keys {
		m, _ := v.(doc)
		v = m[k]
	}
	return v
}

func strs(v any) []string {
	switch v := v.(type) {
	case string:
		return []string{v}
	case []any:
		var all []string
		for _, e := range v {
			all = append(all, strs(e)...)
		}
		return all
	}
	return nil
}

func same(t *testing.T, what string, got, want []string) {
	t.Helper()
	got, want = slices.Sorted(slices.Values(got)), slices.Sorted(slices.Values(want))
	if !slices.Equal(got, want) {
		t.Errorf("%s: the template has %q, the program %q", what, got, want)
	}
}

// ofType returns the resources of a type, by name.
func ofType(d doc, kind string) map[string]doc {
	found := map[string]doc{}
	resources, _ := d["Resources"].(doc)
	for name, r := range resources {
		if at(r, "Type") == kind {
			found[name], _ = r.(doc)
		}
	}
	return found
}

// functionName is the resource of a function.
func functionName(f app.Function) string {
	return strings.ToUpper(f.Name[:1]) + f.Name[1:] + "Function"
}

func TestTemplateFunctions(t *testing.T) {
	d := template(t)
	functions := ofType(d, "AWS::Serverless::Function")
	var want, folders []string
	for _, f := range app.Functions() {
		want = append(want, functionName(f))
		folders = append(folders, f.Name)
		r := functions[functionName(f)]
		if got := at(r, "Properties", "CodeUri"); got != "functions/"+f.Name {
			t.Errorf("%s is built from %v", f.Name, got)
		}
		if got := at(r, "Metadata"); fmt.Sprint(got) != fmt.Sprint(
			doc{"BuildMethod": "makefile", "ContextPath": "functions", "WorkingDirectory": "."}) {
			t.Errorf("%s is built by %v", f.Name, got)
		}
	}
	same(t, "functions", slices.Collect(maps.Keys(functions)), want)
	entries, err := os.ReadDir(filepath.Join(top, "functions"))
	if err != nil {
		t.Fatal(err)
	}
	var onDisk []string
	for _, e := range entries {
		if e.IsDir() && e.Name() != "local" { // it is not deployed
			onDisk = append(onDisk, e.Name())
		}
	}
	same(t, "folders under functions/", onDisk, folders)
	global := at(d, "Globals", "Function")
	if at(global, "Runtime") != "provided.al2023" || fmt.Sprint(at(global, "Architectures")) != "[arm64]" ||
		at(global, "Handler") != "bootstrap" {
		t.Errorf("functions run on %v", global)
	}
}

func TestTemplateRoutes(t *testing.T) {
	d := template(t)
	functions := ofType(d, "AWS::Serverless::Function")
	seen := map[string]string{}
	for _, f := range app.Functions() {
		var got []string
		events, _ := at(functions[functionName(f)], "Properties", "Events").(doc)
		for name, e := range events {
			if at(e, "Type") != "HttpApi" {
				continue
			}
			route := "$default"
			if path, ok := at(e, "Properties", "Path").(string); ok {
				route = fmt.Sprint(at(e, "Properties", "Method")) + " " + path
			}
			if at(e, "Properties", "ApiId", "Ref") != "Api" {
				t.Errorf("%s: event %s belongs to no API", f.Name, name)
			}
			iam := at(e, "Properties", "Auth", "Authorizer") == "AWS_IAM"
			if admin := strings.Contains(route, "/admin"); iam != admin {
				t.Errorf("%s: IAM is asked at the door: %v", route, iam)
			}
			if other, taken := seen[route]; taken {
				t.Errorf("%s leads to %s and %s", route, other, f.Name)
			}
			seen[route] = f.Name
			got = append(got, route)
		}
		same(t, "routes of "+f.Name, got, f.Routes)
		if timeout := at(functions[functionName(f)], "Properties", "Timeout"); len(f.Routes) > 0 && timeout != nil {
			t.Errorf("%s has an own timeout of %v s: API Gateway gives up after 30", f.Name, timeout)
		}
	}
	if seen["$default"] == "" {
		t.Error("no function answers unknown paths")
	}
	if got, _ := at(d, "Globals", "Function", "Timeout").(int); got < 1 || got >= 30 {
		t.Errorf("the timeout is %d s, API Gateway's 30", got)
	}
	if at(d, "Resources", "Api", "Properties", "StageName") != "$default" ||
		at(d, "Resources", "Api", "Properties", "Auth", "EnableIamAuthorizer") != true ||
		at(d, "Resources", "Api", "Properties", "Auth", "DefaultAuthorizer") != nil {
		t.Error("the stage must be $default, IAM possible, and no route behind an authoriser by default")
	}
}

func TestTemplateVariables(t *testing.T) {
	d := template(t)
	for _, f := range app.Functions() {
		set := []string{}
		for _, from := range []any{at(d, "Globals", "Function"), at(d, "Resources", functionName(f), "Properties")} {
			variables, _ := at(from, "Environment", "Variables").(doc)
			set = append(set, slices.Collect(maps.Keys(variables))...)
		}
		same(t, "variables of "+f.Name, set, f.Env)
	}
}

// statement is a statement of a policy.
type statement struct {
	actions  []string
	resource any
}

// allowed collects the statements of a function's role, with its managed policies, which must be the template's own.
func allowed(t *testing.T, d doc, name string) []statement {
	t.Helper()
	ref := strs(at(d, "Resources", name, "Properties", "Role", "Fn::GetAtt"))
	if len(ref) != 2 {
		t.Fatalf("%s has no role of its own", name)
	}
	role := at(d, "Resources", ref[0], "Properties")
	documents := []any{}
	policies, _ := at(role, "Policies").([]any)
	for _, p := range policies {
		documents = append(documents, at(p, "PolicyDocument"))
	}
	managed, _ := at(role, "ManagedPolicyArns").([]any)
	for _, m := range managed {
		if fmt.Sprint(m) == keyAccess {
			continue // see TestTemplateKey
		}
		policy, _ := at(m, "Ref").(string)
		if policy == "" {
			t.Errorf("%s: policy %v is not in the template", ref[0], m)
		}
		documents = append(documents, at(d, "Resources", policy, "Properties", "PolicyDocument"))
	}
	for _, p := range ofType(d, "AWS::IAM::Policy") {
		roles, _ := at(p, "Properties", "Roles").([]any)
		for _, r := range roles {
			if at(r, "Ref") == ref[0] {
				documents = append(documents, at(p, "Properties", "PolicyDocument"))
			}
		}
	}
	var all []statement
	for _, document := range documents {
		list, _ := at(document, "Statement").([]any)
		for _, s := range list {
			if at(s, "Effect") != "Allow" || at(s, "NotAction") != nil || at(s, "NotResource") != nil ||
				at(s, "Resource") == nil {
				t.Errorf("%s: statement %v", ref[0], s)
			}
			all = append(all, statement{strs(at(s, "Action")), at(s, "Resource")})
		}
	}
	return all
}

func TestTemplatePermissions(t *testing.T) {
	d := template(t)
	roles := map[string]bool{}
	for _, f := range app.Functions() {
		name := functionName(f)
		roles[fmt.Sprint(at(d, "Resources", name, "Properties", "Role"))] = true
		byResource := map[string][]string{}
		for _, s := range allowed(t, d, name) {
			where, err := json.Marshal(s.resource)
			if err != nil {
				t.Fatal(err)
			}
			byResource[string(where)] = append(byResource[string(where)], s.actions...)
			for _, a := range s.actions {
				if strings.Contains(a, "*") || !strings.Contains(a, ":") {
					t.Errorf("%s may do %s", f.Name, a)
				}
			}
		}
		log := strings.TrimSuffix(name, "Function") + "Log"
		want := map[string][]string{
			`{"Fn::GetAtt":["` + log + `","Arn"]}`: {"logs:CreateLogStream", "logs:PutLogEvents"},
			tableOfStack:                           f.Table,
			secretsOfStack:                         f.Secrets,
		}
		if streams(d, name) {
			want[`{"Fn::If":["OwnTable",{"Fn::Sub":"${Table.Arn}/stream/*"},`+attached+`/stream/*"}]}`] = []string{
				"dynamodb:DescribeStream", "dynamodb:GetRecords", "dynamodb:GetShardIterator", "dynamodb:ListStreams",
			}
			want[`{"Fn::GetAtt":["DeadLetters","Arn"]}`] = []string{"sqs:SendMessage"}
		}
		if f.Hooks {
			want[`{"Ref":"WebhookKey"}`] = []string{"secretsmanager:GetSecretValue"}
		}
		if f.Wakes {
			want[`{"Fn::GetAtt":["Deliveries","Arn"]}`] = []string{"sqs:SendMessage"}
		}
		if f.Puts {
			want[`{"Fn::GetAtt":["Deliveries","Arn"]}`] = []string{
				"sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes", "sqs:SendMessage",
			}
			want[`{"Fn::Sub":"arn:${AWS::Partition}:events:${AWS::Region}:${AWS::AccountId}:event-bus/${EventBus}"}`] = []string{
				"events:PutEvents",
			}
		}
		if f.Tells {
			want[`"*"`] = []string{"ses:SendEmail", "ses:SendRawEmail"} // see TestTemplateNotices
			want[`{"Ref":"NoticeTopic"}`] = []string{"sns:Publish"}
		}
		if f.Schedule != "" {
			want[`{"Fn::GetAtt":["DeadLetters","Arn"]}`] = []string{"sqs:SendMessage"}
		}
		for where, actions := range want {
			same(t, "permissions of "+f.Name+" on "+where, byResource[where], actions)
			delete(byResource, where)
		}
		if len(byResource) > 0 {
			t.Errorf("%s may do more than it does: %v", f.Name, byResource)
		}
	}
	if len(roles) != len(app.Functions()) {
		t.Errorf("%d roles for %d functions", len(roles), len(app.Functions()))
	}
}

// The table and the secrets: of the stack, or of another one that it takes over. attached is the begin of the ARN of a
// table that it takes over.
const (
	attached     = `{"Fn::Sub":"arn:${AWS::Partition}:dynamodb:${AWS::Region}:${AWS::AccountId}:table/${ExistingTable}`
	tableOfStack = `{"Fn::If":["OwnTable",{"Fn::GetAtt":["Table","Arn"]},` + attached + `"}]}`

	secret         = `{"Fn::Sub":"arn:${AWS::Partition}:secretsmanager:${AWS::Region}:${AWS::AccountId}:secret:`
	secretsOfStack = `{"Fn::If":["HasSecretPrefix",` + secret + `${ExistingSecretPrefix}*"},` + secret +
		`serverless-scim/${AWS::StackName}/*"}]}`
	streamOfTable = "map[Fn::If:[OwnTable map[Fn::GetAtt:[Table StreamArn]] " +
		"map[Fn::Sub:arn:${AWS::Partition}:dynamodb:${AWS::Region}:${AWS::AccountId}:table/" +
		"${ExistingTable}/stream/${ExistingTableStream}]]]"
)

// TestTemplateBoundary: an organisation that asks for a permissions boundary lets no role be made without it.
func TestTemplateBoundary(t *testing.T) {
	roles := ofType(template(t), "AWS::IAM::Role")
	if len(roles) < len(app.Functions()) {
		t.Fatalf("%d roles", len(roles))
	}
	for name, role := range roles {
		if at(role, "Properties", "PermissionsBoundary") == nil {
			t.Errorf("%s has no boundary", name)
		}
	}
}

// streams reports whether a function is called by the table's stream.
func streams(d doc, name string) bool {
	events, _ := at(d, "Resources", name, "Properties", "Events").(doc)
	for _, e := range events {
		if at(e, "Type") == "DynamoDB" {
			return true
		}
	}
	return false
}

// TestTemplateSchedule checks that a function with a schedule is run by it, as a role that may do that and no more,
// and that failed events are kept.
func TestTemplateSchedule(t *testing.T) {
	d := template(t)
	for _, f := range app.Functions() {
		var schedules []any
		events, _ := at(d, "Resources", functionName(f), "Properties", "Events").(doc)
		for _, e := range events {
			if strings.HasPrefix(fmt.Sprint(at(e, "Type")), "Schedule") {
				schedules = append(schedules, e)
			}
		}
		if f.Schedule == "" {
			if len(schedules) > 0 {
				t.Errorf("%s has a schedule", f.Name)
			}
			continue
		}
		if len(schedules) != 1 || at(schedules[0], "Type") != "ScheduleV2" ||
			at(schedules[0], "Properties", "ScheduleExpression") != f.Schedule {
			t.Errorf("%s is run by %v", f.Name, schedules)
			continue
		}
		p := at(schedules[0], "Properties")
		role := strs(at(p, "RoleArn", "Fn::GetAtt"))
		if len(role) != 2 || at(d, "Resources", role[0], "Type") != "AWS::IAM::Role" ||
			at(p, "DeadLetterConfig", "Arn") == nil || at(p, "RetryPolicy") == nil ||
			at(d, "Resources", functionName(f), "Properties", "EventInvokeConfig", "DestinationConfig", "OnFailure",
				"Destination") == nil {
			t.Errorf("%s: schedule %v", f.Name, p)
			continue
		}
		policies, err := json.Marshal(at(d, "Resources", role[0], "Properties", "Policies"))
		want := `[{"PolicyDocument":{"Statement":[` +
			`{"Action":"lambda:InvokeFunction","Effect":"Allow","Resource":[{"Fn::GetAtt":["` + functionName(f) +
			`","Arn"]},{"Fn::Sub":"${` + functionName(f) + `.Arn}:live"}]},` +
			`{"Action":"sqs:SendMessage","Effect":"Allow","Resource":{"Fn::GetAtt":["DeadLetters","Arn"]}}],` +
			`"Version":"2012-10-17"},"PolicyName":"schedule"}]`
		managed := fmt.Sprint(at(d, "Resources", role[0], "Properties", "ManagedPolicyArns"))
		if err != nil || string(policies) != want || managed != "["+keyAccess+"]" {
			t.Errorf("the scheduler may do %s, %v", policies, err)
		}
	}
}

// TestTemplateNotices checks that mail goes out from one address only, that unneeded resources are not made, and that
// bounces come back to rotate.
func TestTemplateNotices(t *testing.T) {
	d := template(t)
	for path, want := range map[string]string{
		"NoticeMail.Condition": "HasNoticeFrom",
		"NoticeMail.Properties.PolicyDocument.Statement": `[map[Action:[ses:SendEmail ses:SendRawEmail] ` +
			`Condition:map[StringEquals:map[ses:FromAddress:map[Ref:NoticeFrom]]] Effect:Allow Resource:*]]`,
		"NoticeTopicAccess.Condition":                                  "HasNoticeTopic",
		"NoticeConfigurationSet.Condition":                             "HasNoticeFrom",
		"NoticeReports.Condition":                                      "HasNoticeFrom",
		"NoticeReports.Properties.ConfigurationSetName":                "map[Ref:NoticeConfigurationSet]",
		"NoticeReports.Properties.EventDestination.MatchingEventTypes": "[BOUNCE REJECT]",
		"NoticeReportRule.Condition":                                   "HasNoticeFrom",
		"NoticeReportRule.Properties.EventPattern.source":              "[aws.ses]",
		"NoticeReportRule.Properties.EventPattern.detail.eventType":    "[Bounce Reject]",
		"NoticeReportRule.Properties.EventPattern.detail.mail.tags": "map[ses:configuration-set:" +
			"[map[Ref:NoticeConfigurationSet]]]",
		"NoticeReportRule.Properties.Targets":            "[map[Arn:map[Fn::GetAtt:[RotateFunction Arn]] Id:rotate]]",
		"NoticeReportPermission.Condition":               "HasNoticeFrom",
		"NoticeReportPermission.Properties.FunctionName": "map[Ref:RotateFunction]",
		"NoticeReportPermission.Properties.Principal":    "events.amazonaws.com",
		"NoticeReportPermission.Properties.SourceArn":    "map[Fn::GetAtt:[NoticeReportRule Arn]]",
	} {
		if got := fmt.Sprint(at(d, append([]string{"Resources"}, strings.Split(path, ".")...)...)); got != want {
			t.Errorf("%s is %s, want %s", path, got, want)
		}
	}
}

// TestTemplateAlarmsOfOwnMetrics: an alarm on a metric of the functions names one that they send, under the dimensions
// that they send it with.
func TestTemplateAlarmsOfOwnMetrics(t *testing.T) {
	sent := map[string]bool{"requests": true}
	for _, name := range metric.Counted {
		sent[name] = true
	}
	used := 0
	check := func(alarm string, m any) {
		name, _ := at(m, "MetricName").(string)
		if at(m, "Namespace") != metric.Namespace {
			return
		}
		used++
		stack := "map[Name:stack Value:map[Ref:AWS::StackName]]"
		want := regexp.MustCompile(`^\[` + regexp.QuoteMeta(stack) + `\]$`)
		if name == "requests" {
			want = regexp.MustCompile(`^\[` + regexp.QuoteMeta(stack) +
				` map\[Name:edge Value:scim\] map\[Name:outcome Value:(ok|refused|busy|failed)\]\]$`)
		}
		if dimensions := fmt.Sprint(at(m, "Dimensions")); !sent[name] || !want.MatchString(dimensions) {
			t.Errorf("%s waits for %s of %s, which is not sent", alarm, name, dimensions)
		}
	}
	for name, alarm := range ofType(template(t), "AWS::CloudWatch::Alarm") {
		check(name, at(alarm, "Properties"))
		list, _ := at(alarm, "Properties", "Metrics").([]any)
		for _, m := range list {
			check(name, at(m, "MetricStat", "Metric"))
		}
	}
	if used < 7 {
		t.Errorf("alarms use %d metrics of the functions", used)
	}
}

// TestTemplateReveals: the alarm counts the reveals of the admin API and of the portal, which both log the same
// message, and comes with the first one above the number that the operator has set.
func TestTemplateReveals(t *testing.T) {
	alarm := at(template(t), "Resources", "RevealsAlarm", "Properties")
	for name, want := range map[string]string{
		"MetricName": metric.Counted["token revealed"], "Statistic": "Sum", "Period": "3600",
		"Threshold": "map[Ref:RevealsPerHour]", "ComparisonOperator": "GreaterThanThreshold",
	} {
		if got := fmt.Sprint(at(alarm, name)); got != want || got == "" {
			t.Errorf("%s is %s, want %s", name, got, want)
		}
	}
}

// TestTemplateDashboard: the dashboard is JSON once its variables are filled in, and shows each counted metric.
func TestTemplateDashboard(t *testing.T) {
	sub, _ := at(template(t), "Resources", "Dashboard", "Properties", "DashboardBody", "Fn::Sub").([]any)
	if len(sub) != 2 {
		t.Fatalf("the dashboard is %v", sub)
	}
	text, _ := sub[0].(string)
	filled := regexp.MustCompile(`\$\{[A-Za-z.:]+\}`).ReplaceAllString(text, "x")
	var body struct{ Widgets []doc }
	if err := json.Unmarshal([]byte(filled), &body); err != nil || len(body.Widgets) == 0 {
		t.Fatalf("%v: %s", err, filled)
	}
	for _, name := range metric.Counted {
		if !strings.Contains(filled, `"`+name+`"`) {
			t.Errorf("the dashboard does not show %s", name)
		}
	}
}

func TestTemplateSecretPrefix(t *testing.T) {
	d := template(t)
	for name := range ofType(d, "AWS::Serverless::Function") {
		prefix := at(d, "Resources", name, "Properties", "Environment", "Variables", "SECRET_PREFIX")
		const want = "map[Fn::If:[HasSecretPrefix map[Ref:ExistingSecretPrefix] " +
			"map[Fn::Sub:serverless-scim/${AWS::StackName}/]]]"
		if prefix != nil && fmt.Sprint(prefix) != want {
			t.Errorf("%s keeps secrets under %s, its policy says otherwise", name, prefix)
		}
	}
}

func TestTemplateTable(t *testing.T) {
	d := template(t)
	tables := ofType(d, "AWS::DynamoDB::Table")
	if len(tables) != 1 {
		t.Fatalf("%d tables", len(tables))
	}
	table := tables["Table"]
	for path, want := range map[string]any{
		"DeletionPolicy":      "RetainExceptOnCreate",
		"UpdateReplacePolicy": "Retain", "Properties.BillingMode": "PAY_PER_REQUEST",
		"Properties.TimeToLiveSpecification.AttributeName": "ttl", "Properties.TimeToLiveSpecification.Enabled": true,
		"Properties.StreamSpecification.StreamViewType":                          "NEW_AND_OLD_IMAGES",
		"Properties.PointInTimeRecoverySpecification.PointInTimeRecoveryEnabled": doc{"Ref": "PointInTimeRecovery"},
		"Properties.SSESpecification.SSEEnabled":                                 true,
		"Properties.DeletionProtectionEnabled":                                   true,
	} {
		if got := at(table, strings.Split(path, ".")...); !reflect.DeepEqual(got, want) {
			t.Errorf("%s of the table is %v, want %v", path, got, want)
		}
	}
	if got := fmt.Sprint(at(table, "Properties",
		"KeySchema")); got != "[map[AttributeName:pk KeyType:HASH] map[AttributeName:sk KeyType:RANGE]]" {
		t.Errorf("the keys are %s", got)
	}
}

func TestTemplateStream(t *testing.T) {
	d := template(t)
	p := at(d, "Resources", "StreamFunction", "Properties", "Events", "Wake", "Properties")
	for key, want := range map[string]string{
		"FunctionResponseTypes": "[ReportBatchItemFailures]", "BisectBatchOnFunctionError": "true",
		"StartingPosition": "TRIM_HORIZON",
		"Stream":           streamOfTable,
	} {
		if got := fmt.Sprint(at(p, key)); got != want {
			t.Errorf("%s is %s, want %s", key, got, want)
		}
	}
	for _, key := range []string{"MaximumRetryAttempts", "MaximumRecordAgeInSeconds"} {
		if n, _ := at(p, key).(int); n < 1 {
			t.Errorf("%s is %v: a record that can't be processed would block its shard for a day", key, at(p, key))
		}
	}
	if at(p, "DestinationConfig", "OnFailure", "Destination") == nil {
		t.Error("what was given up on is not kept")
	}
	filters, _ := at(p, "FilterCriteria", "Filters").([]any)
	if len(filters) != 1 {
		t.Fatalf("%d filters", len(filters))
	}
	pattern, _ := at(filters[0], "Pattern").(string)
	const want = `{"eventName":["INSERT","MODIFY"],` +
		`"dynamodb":{"NewImage":{"wake":{"S":["work","publish","deleted","deliver"]}}}}`
	if pattern != want {
		t.Errorf("the filter is %s", pattern)
	}
}

// TestTemplateTellingStream checks that rotate sees the notices to send, and that a failure, which the next run
// repeats, blocks nothing.
func TestTemplateTellingStream(t *testing.T) {
	p := at(template(t), "Resources", "RotateFunction", "Properties", "Events", "Tell", "Properties")
	const want = `[map[Pattern:{"eventName":["INSERT","MODIFY"],"dynamodb":{"NewImage":{"wake":{"S":["tell",` +
		`"rotate"]}}}}]]`
	if got := fmt.Sprint(at(p, "FilterCriteria", "Filters")); got != want {
		t.Errorf("the filters are %s", got)
	}
	if tries, _ := at(p, "MaximumRetryAttempts").(int); tries < 1 || tries > 5 ||
		at(p, "StartingPosition") != "TRIM_HORIZON" {
		t.Errorf("the trigger is %v", p)
	}
}

func TestTemplateLogs(t *testing.T) {
	d := template(t)
	logs := ofType(d, "AWS::Logs::LogGroup")
	for name, r := range logs {
		if at(r, "Properties", "RetentionInDays") == nil {
			t.Errorf("%s is kept for ever", name)
		}
	}
	for _, f := range app.Functions() {
		name, _ := at(d, "Resources", functionName(f), "Properties", "LoggingConfig", "LogGroup", "Ref").(string)
		if logs[name] == nil {
			t.Errorf("%s logs to %q, which is not in the template", f.Name, name)
		}
	}
	format, _ := at(d, "Resources", "Api", "Properties", "AccessLogSettings", "Format").(string)
	format, named := strings.CutSuffix(format, `,"principal":"$context.identity.userArn"}`)
	if format += "}"; !named {
		t.Errorf("the access log does not name the IAM principal: %s", format)
	}
	for _, variable := range []string{
		"path", "query", "sourceIp", "identity", "userAgent", "authorizer", "http", "Uri",
		"domainName",
	} {
		if strings.Contains(format, "$context."+variable) {
			t.Errorf("the access log holds $context.%s, which may name people", variable)
		}
	}
	var fields map[string]string
	if err := json.Unmarshal([]byte(format), &fields); err != nil || len(fields) == 0 {
		t.Errorf("the access log is no JSON: %v", err)
	}
}

func TestTemplateThrottle(t *testing.T) {
	d := template(t)
	for _, name := range []string{"ThrottleRate", "ThrottleBurst"} {
		value, _ := at(d, "Parameters", name, "Default").(int)
		least, _ := at(d, "Parameters", name, "MinValue").(int)
		if value < 100 || least < 50 {
			t.Errorf("%s is %d and at least %d; one tenant alone may need 25", name, value, least)
		}
	}
}
