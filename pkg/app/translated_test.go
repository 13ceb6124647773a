package app_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/serverless-scim/serverless-scim/pkg/app"
)

// transform is SAM's own transform, which AWS CloudFormation runs at deployment.
const transform = `
import json, sys
try:
    import boto3
    from samtranslator.parser.parser import Parser
    from samtranslator.translator.translator import Translator
    from samtranslator.yaml_helper import yaml_parse
except ImportError as e:
    sys.exit("NO TRANSLATOR: %s" % e)
template = yaml_parse(open(sys.argv[1]).read())
for resource in template["Resources"].values():
    if resource["Type"] == "AWS::Serverless::Function":
        resource["Properties"]["CodeUri"] = {"Bucket": "bucket", "Key": "key"}
session = boto3.Session(region_name="us-east-1")
json.dump(Translator({}, Parser(), boto_session=session).translate(template, {}), sys.stdout)
`

// translated returns the template as CloudFormation sees it. It needs a Python with aws-sam-translator, which the SAM
// CLI and cfn-lint bring along: SAM_TRANSLATOR_PYTHON, else python3.
func translated(t *testing.T) doc { return translate(t, top+"/template.yaml") }

func translate(t *testing.T, path string) doc {
	t.Helper()
	python, asked := os.LookupEnv("SAM_TRANSLATOR_PYTHON")
	if !asked {
		python = "python3"
	}
	cmd := exec.CommandContext(t.Context(), python, "-c", transform, path)
	var errors bytes.Buffer
	cmd.Stderr = &errors
	out, err := cmd.Output()
	if err != nil {
		if !asked && (cmd.Process == nil || strings.Contains(errors.String(), "NO TRANSLATOR")) {
			t.Skipf("NOT RUN: the translated template was not checked, because %s has no aws-sam-translator; name a "+
				"Python that has in SAM_TRANSLATOR_PYTHON", python)
		}
		t.Fatalf("the template can't be translated: %v\n%s", err, errors.String())
	}
	var d doc
	if err := json.Unmarshal(out, &d); err != nil {
		t.Fatal(err)
	}
	return d
}

func TestTranslatedTemplate(t *testing.T) {
	d := translated(t)
	t.Run("routes", func(t *testing.T) { translatedRoutes(t, d) })
	t.Run("functions", func(t *testing.T) { translatedFunctions(t, d) })
	t.Run("stream", func(t *testing.T) { translatedStream(t, d) })
}

// TestGradualDeployment translates the template that functions/gradual writes: all that calls a function calls its
// alias then, and CodeDeploy moves the traffic.
func TestGradualDeployment(t *testing.T) {
	path := gradual(t, "Linear10PercentEvery1Minute")
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	plain, err := os.ReadFile(top + "/template.yaml")
	if err != nil {
		t.Fatal(err)
	}
	if lines := strings.Split(string(text), "\n"); !contains(lines, strings.Split(string(plain), "\n")) {
		t.Error("functions/gradual has changed lines of template.yaml")
	}
	d := translate(t, path)
	for _, f := range app.Functions() {
		name := functionName(f)
		alias := at(d, "Resources", name+"Aliaslive")
		if at(alias, "Properties", "Name") != "live" ||
			at(alias, "UpdatePolicy", "CodeDeployLambdaAliasUpdate") == nil {
			t.Errorf("%s: alias %v", f.Name, alias)
		}
		alarms, _ := at(d, "Resources", name+"DeploymentGroup", "Properties", "AlarmConfiguration", "Alarms").([]any)
		if len(alarms) != 2 {
			t.Errorf("%s is moved under %d alarms", f.Name, len(alarms))
		}
		group := at(d, "Resources", name+"DeploymentGroup", "Properties")
		if fmt.Sprint(at(group, "ServiceRoleArn")) != "map[Fn::GetAtt:[RolloutRole Arn]]" ||
			!strings.Contains(fmt.Sprint(at(group, "DeploymentConfigName")), "Linear10PercentEvery1Minute") ||
			at(group, "AutoRollbackConfiguration", "Enabled") != true {
			t.Errorf("%s is moved by %v", f.Name, group)
		}
		// The description is new with each deployment, or a version would keep old values of parameters.
		if r, _ := at(d, "Resources", name, "Properties", "Description").(string); !release.MatchString(r) {
			t.Errorf("%s has the release %q", f.Name, r)
		}
		for _, route := range f.Routes {
			path := strings.TrimPrefix(route, "ANY ")
			if route == "$default" {
				path = "/$default"
			}
			uri, _ := at(d, "Resources", "Api", "Properties", "Body", "paths", path, "x-amazon-apigateway-any-method",
				"x-amazon-apigateway-integration", "uri", "Fn::Sub").(string)
			if !strings.Contains(uri, "${"+name+"Aliaslive}/invocations") {
				t.Errorf("%s leads to %s", route, uri)
			}
		}
	}
	group := at(d, "Resources", "UsersFunctionDeploymentGroup", "Properties")
	alarms, _ := at(group, "AlarmConfiguration", "Alarms").([]any)
	for _, alarm := range alarms {
		name, _ := at(alarm, "Name", "Ref").(string)
		properties := at(d, "Resources", name, "Properties")
		if text := fmt.Sprint(properties); properties == nil || strings.Contains(text, "Ref:Api]") {
			t.Errorf("%s looks at the API, which waits for the alias that waits for the alarm: %s", name, text)
		}
	}
	for name, schedule := range ofType(d, "AWS::Scheduler::Schedule") {
		target, _ := at(schedule, "Properties", "Target", "Arn", "Ref").(string)
		if !strings.HasSuffix(target, "Aliaslive") {
			t.Errorf("%s calls %v", name, at(schedule, "Properties", "Target", "Arn"))
		}
	}
}

var release = regexp.MustCompile(`^Release \d{8}T\d{6}Z$`)

// gradual runs functions/gradual in a copy, and returns the path of the template that it has written.
func gradual(t *testing.T, rollout string) string {
	t.Helper()
	dir := t.TempDir()
	for _, name := range []string{"template.yaml", "functions/gradual"} {
		text, err := os.ReadFile(filepath.Join(top, name))
		if err != nil {
			t.Fatal(err)
		}
		if err := os.MkdirAll(filepath.Dir(filepath.Join(dir, name)), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, name), text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	script := dir + "/functions/gradual"
	if out, err := exec.CommandContext(t.Context(), "bash", script, "Weekly").CombinedOutput(); err == nil {
		t.Errorf("a deployment configuration that does not exist is taken: %s", out)
	}
	if out, err := exec.CommandContext(t.Context(), "bash", script, rollout).CombinedOutput(); err != nil {
		t.Fatalf("functions/gradual: %v\n%s", err, out)
	}
	return dir + "/gradual.yaml"
}

// contains tells whether all of part is in lines, in its order.
func contains(lines, part []string) bool {
	for _, line := range lines {
		if len(part) > 0 && line == part[0] {
			part = part[1:]
		}
	}
	return len(part) == 0
}

// translatedRoutes checks that each route is integrated with the function that answers it, that API Gateway may call
// this function, and that IAM guards the admin API and nothing else.
func translatedRoutes(t *testing.T, d doc) {
	paths, _ := at(d, "Resources", "Api", "Properties", "Body", "paths").(doc)
	callable := map[string][]string{}
	for name, p := range ofType(d, "AWS::Lambda::Permission") {
		if name == "NoticeReportPermission" {
			continue
		}
		function, _ := at(p, "Properties", "FunctionName", "Ref").(string)
		sub, _ := at(p, "Properties", "SourceArn", "Fn::Sub").([]any)
		if function == "" || len(sub) == 0 || at(p, "Properties", "Principal") != "apigateway.amazonaws.com" {
			t.Errorf("permission %s: %v", name, p)
			continue
		}
		pattern, _ := sub[0].(string)
		_, path, _ := strings.Cut(pattern, "${__Stage__}/")
		callable[function] = append(callable[function], path)
	}
	routes := map[string]bool{}
	for _, f := range app.Functions() {
		for _, route := range f.Routes {
			path := strings.TrimPrefix(route, "ANY ")
			if route == "$default" {
				path = "/$default"
			}
			routes[path] = true
			operation := at(paths, path, "x-amazon-apigateway-any-method")
			uri, _ := at(operation, "x-amazon-apigateway-integration", "uri", "Fn::Sub").(string)
			if !strings.Contains(uri, "${"+functionName(f)+".Arn}/invocations") {
				t.Errorf("%s does not reach %s: %s", route, f.Name, uri)
			}
			if at(operation, "x-amazon-apigateway-integration", "payloadFormatVersion") != "2.0" {
				t.Errorf("%s has another payload format", route)
			}
			security, _ := at(operation, "security").([]any)
			if guarded := len(security) > 0; guarded != strings.HasPrefix(path, "/admin/") {
				t.Errorf("%s is guarded by the gateway: %v", route, guarded)
			}
			if guarded := len(security) > 0; guarded && fmt.Sprint(security) != "[map[AWS_IAM:[]]]" {
				t.Errorf("%s is guarded by %v", route, security)
			}
			covers := func(p string) bool { return p == "*" || p == "*"+wild(path) }
			if !slices.ContainsFunc(callable[functionName(f)], covers) {
				t.Errorf("API Gateway may not call %s for %s, but for %q", f.Name, route, callable[functionName(f)])
			}
		}
	}
	same(t, "paths", slices.Collect(maps.Keys(paths)), slices.Collect(maps.Keys(routes)))
}

// wild is a path with "*" for each parameter, as permissions name it.
func wild(path string) string {
	parts := strings.Split(path, "/")
	for i, p := range parts {
		if strings.HasPrefix(p, "{") {
			parts[i] = "*"
		}
	}
	return strings.Join(parts, "/")
}

func translatedFunctions(t *testing.T, d doc) {
	functions := ofType(d, "AWS::Lambda::Function")
	if len(functions) != len(app.Functions()) {
		t.Errorf("%d functions, want %d", len(functions), len(app.Functions()))
	}
	scheduled := 0
	for _, f := range app.Functions() {
		if f.Schedule != "" {
			scheduled++
		}
	}
	if roles := ofType(d, "AWS::IAM::Role"); len(roles) != len(app.Functions())+scheduled {
		t.Errorf("%d roles: SAM made some of its own", len(roles))
	}
	if schedules := ofType(d, "AWS::Scheduler::Schedule"); len(schedules) != scheduled {
		t.Errorf("%d schedules, want %d", len(schedules), scheduled)
	}
	for _, f := range app.Functions() {
		p := at(functions[functionName(f)], "Properties")
		variables, _ := at(p, "Environment", "Variables").(doc)
		same(t, "variables of "+f.Name, slices.Collect(maps.Keys(variables)), f.Env)
		if fmt.Sprint(at(p, "Architectures")) != "[arm64]" || at(p, "Runtime") != "provided.al2023" ||
			at(p, "Handler") != "bootstrap" {
			t.Errorf("%s runs on %v", f.Name, p)
		}
		if at(p, "LoggingConfig", "LogGroup") == nil || at(p, "Role") == nil {
			t.Errorf("%s lacks a log group or a role", f.Name)
		}
	}
}

func translatedStream(t *testing.T, d doc) {
	mappings := ofType(d, "AWS::Lambda::EventSourceMapping")
	readers, queues := map[string]bool{}, 0
	for _, m := range mappings {
		p := at(m, "Properties")
		if fmt.Sprint(at(p, "EventSourceArn")) == "map[Fn::GetAtt:[Deliveries Arn]]" {
			queues++
			if fmt.Sprint(at(p, "FunctionName", "Ref")) != "DeliverFunction" ||
				fmt.Sprint(at(p, "FunctionResponseTypes")) != "[ReportBatchItemFailures]" {
				t.Errorf("the queue is wired as %v", p)
			}
			continue
		}
		readers[fmt.Sprint(at(p, "FunctionName", "Ref"))] = true
		if fmt.Sprint(at(p, "EventSourceArn")) != streamOfTable ||
			at(p, "FilterCriteria") == nil || at(p, "DestinationConfig", "OnFailure", "Destination") == nil {
			t.Errorf("the stream is wired as %v", p)
		}
	}
	// A shard of a stream takes two readers.
	same(t, "readers of the stream", slices.Collect(maps.Keys(readers)), []string{"StreamFunction", "RotateFunction"})
	if len(mappings) != 3 || queues != 1 {
		t.Errorf("%d event sources", len(mappings))
	}
}
