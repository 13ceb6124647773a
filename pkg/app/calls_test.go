package app_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/serverless-scim/serverless-scim/pkg/app"
)

// operations returns the AWS operations that a package's code calls on its field or variable `client`, or on a result
// of such a call.
func operations(t *testing.T, dir string) []string {
	t.Helper()
	found := map[string]bool{}
	fset := token.NewFileSet()
	packages, err := filepath.Glob(filepath.Join(top, dir, "*.go"))
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range packages {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(fset, name, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(file, func(n ast.Node) bool {
			call, ok := n.(*ast.CallExpr)
			if !ok {
				return true
			}
			method, ok := call.Fun.(*ast.SelectorExpr)
			if !ok {
				return true
			}
			receiver := method.X
			if made, ok := receiver.(*ast.CallExpr); ok { // client() is one that is made when it is needed
				receiver = made.Fun
			}
			switch receiver := receiver.(type) {
			case *ast.Ident:
				ok = receiver.Name == "client"
			case *ast.SelectorExpr:
				ok = receiver.Sel.Name == "client"
			default:
				ok = false
			}
			if ok {
				found[method.Sel.Name] = true
			}
			return true
		})
	}
	if len(found) == 0 {
		t.Fatalf("%s calls nothing: is its client still named client?", dir)
	}
	return slices.Sorted(maps.Keys(found))
}

// actionsOf maps an operation to the IAM actions that it needs; one that is not here needs the action of its own name.
var actionsOf = map[string][]string{
	"TransactWriteItems": {"PutItem", "UpdateItem", "DeleteItem", "ConditionCheckItem"},
	"CreateSecret":       {"CreateSecret", "TagResource"},
	// Only local runs and tests make their table.
	"CreateTable": nil, "UpdateTimeToLive": nil, "DescribeTimeToLive": nil, "DescribeTable": nil,
	// Only the operator's own doctor lists all keys of a table, with the operator's credentials.
	"Scan": nil,
}

func needed(service string, operations []string) []string {
	need := map[string]bool{}
	for _, o := range operations {
		actions, ok := actionsOf[o]
		if !ok {
			actions = []string{o}
		}
		for _, a := range actions {
			need[service+":"+a] = true
		}
	}
	return slices.Collect(maps.Keys(need))
}

// TestCallsAreDeclared holds Functions, which the template is held against, against the code that calls AWS.
func TestCallsAreDeclared(t *testing.T) {
	table, secrets := map[string]bool{}, map[string]bool{}
	for _, f := range app.Functions() {
		for _, a := range f.Table {
			table[a] = true
		}
		for _, a := range f.Secrets {
			secrets[a] = true
		}
	}
	same(t, "calls of dynamostore", slices.Collect(maps.Keys(table)),
		needed("dynamodb", operations(t, "pkg/store/dynamostore")))
	same(t, "calls of awsevent", []string{"PutEvents"}, operations(t, "pkg/event/awsevent"))
	same(t, "calls of awsmail", []string{"SendEmail", "Publish"}, operations(t, "pkg/notice/awsmail"))
	same(t, "calls of awssecret", slices.Collect(maps.Keys(secrets)),
		needed("secretsmanager", operations(t, "pkg/tenant/awssecret")))
}

// TestVariablesAreDeclared looks for variables that a function reads and Functions does not know. Those that Lambda
// sets itself, and the endpoints that tests set, need no place in the template.
func TestVariablesAreDeclared(t *testing.T) {
	declared := map[string]bool{}
	for _, f := range app.Functions() {
		for _, name := range f.Env {
			declared[name] = true
		}
	}
	constants := map[string]string{
		"EnvTable": app.EnvTable, "EnvBaseURL": app.EnvBaseURL, "EnvSecretPrefix": app.EnvSecretPrefix,
		"EnvLogLevel": app.EnvLogLevel, "EnvStack": app.EnvStack, "EnvMetrics": app.EnvMetrics,
		"EnvLimits":    app.EnvLimits,
		"EnvAdminHost": app.EnvAdminHost, "EnvSecretKey": app.EnvSecretKey, "EnvSecretTags": app.EnvSecretTags,
		"EnvMaxTokenDays": app.EnvMaxTokenDays, "EnvEndlessTokens": app.EnvEndlessTokens,
		"EnvPackedSecrets": app.EnvPackedSecrets,
		"EnvEventBus":      app.EnvEventBus, "EnvOperatorLogDays": app.EnvOperatorLogDays,
		"EnvQueue": app.EnvQueue, "EnvWebhookKey": app.EnvWebhookKey,
		"EnvNoticeFrom": app.EnvNoticeFrom, "EnvNoticeTopic": app.EnvNoticeTopic,
		"EnvNoticeConfigurationSet": app.EnvNoticeConfigurationSet, "EnvNoticeProduct": app.EnvNoticeProduct,
		"EnvNoticeContact": app.EnvNoticeContact, "EnvPortalAccent": app.EnvPortalAccent,
		"EnvPortalLogo": app.EnvPortalLogo, "EnvPortalReturnURL": app.EnvPortalReturnURL,
		"EnvPortalHours": app.EnvPortalHours,
	}
	for _, name := range linked(t) {
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(file, func(n ast.Node) bool {
			call, ok := n.(*ast.CallExpr)
			if !ok || len(call.Args) != 1 {
				return true
			}
			method, ok := call.Fun.(*ast.SelectorExpr)
			if !ok || (method.Sel.Name != "Getenv" && method.Sel.Name != "LookupEnv") {
				return true
			}
			variable := variableName(call.Args[0], constants)
			if !declared[variable] && !strings.HasPrefix(variable, "AWS_") {
				t.Errorf("%s reads the variable %q, which no function declares", name, variable)
			}
			return true
		})
	}
}

// linked returns the files of this module that the functions of the template are made of.
func linked(t *testing.T) []string {
	t.Helper()
	args := []string{
		"list", "-deps", "-f",
		`{{if not .Standard}}{{with .Module}}{{if .Main}}{{range $.GoFiles}}{{$.Dir}}/{{.}}
{{end}}{{end}}{{end}}{{end}}`,
	}
	for _, f := range app.Functions() {
		args = append(args, "./functions/"+f.Name)
	}
	cmd := exec.CommandContext(t.Context(), "go", args...)
	cmd.Dir = top
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	files := strings.Fields(string(out))
	if len(files) < len(app.Functions()) {
		t.Fatalf("%d files", len(files))
	}
	return files
}

// variableName is the name, or its beginning, that an expression gives a variable.
func variableName(e ast.Expr, constants map[string]string) string {
	switch e := e.(type) {
	case *ast.BasicLit:
		return strings.Trim(e.Value, `"`)
	case *ast.Ident:
		return constants[e.Name]
	case *ast.BinaryExpr:
		return variableName(e.X, constants)
	}
	return ""
}
