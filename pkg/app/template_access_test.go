package app_test

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// forTheApplication are the routes of the admin API that an application calls. All others are the operator's: erasing a
// person, the policy, tokens, and tenants themselves.
var forTheApplication = []string{
	"GET /tenants/{id}/members", "GET /tenants/{id}/members/{member}", "GET /tenants/{id}/members/{member}/why",
	"PUT /tenants/{id}/members/{member}/assignments/{kind}/{name...}",
	"DELETE /tenants/{id}/members/{member}/assignments/{kind}/{name...}",
	"GET /tenants/{id}/members/duplicates",
	"GET /tenants/{id}/events", "GET /tenants/{id}/targets", "GET /tenants/{id}/targets/{kind}/{name...}",
	"PUT /tenants/{id}/targets/{kind}/{name...}", "DELETE /tenants/{id}/targets/{kind}/{name...}",
	"PUT /tenants/{id}/members/{member}/account", "POST /tenants/{id}/accounts",
}

// TestTemplateAccess: the application's policy allows its own routes of the admin API and no other, the operator's
// allows all, and neither allows anything else.
func TestTemplateAccess(t *testing.T) {
	d := template(t)
	application, operator := invocable(t, d, "ApplicationAccess"), invocable(t, d, "OperatorAccess")
	used := map[string]bool{}
	for _, route := range adminRoutes(t) {
		method, path, _ := strings.Cut(route, " ")
		request := method + "/admin/v1" + example(path)
		if !slices.ContainsFunc(operator, func(p string) bool { return covers(p, request) }) {
			t.Errorf("the operator may not %s", route)
		}
		may := false
		for _, p := range application {
			if covers(p, request) {
				may, used[p] = true, true
			}
		}
		if want := slices.Contains(forTheApplication, route); may != want {
			t.Errorf("the application may %s: %v, want %v", route, may, want)
		}
	}
	for _, p := range application {
		if !used[p] {
			t.Errorf("no route needs %s", p)
		}
	}
	for _, p := range append(application, operator...) {
		for _, request := range []string{"POST/scim/v2/acme/Users", "POST/oauth2/acme/token", "GET/admin/v2/tenants"} {
			if covers(p, request) {
				t.Errorf("%s allows %s", p, request)
			}
		}
	}
	for output, policy := range map[string]string{
		"ApplicationPolicy": "ApplicationAccess",
		"OperatorPolicy":    "OperatorAccess",
	} {
		if at(d, "Outputs", output, "Value", "Ref") != policy {
			t.Errorf("output %s is %v", output, at(d, "Outputs", output))
		}
	}
}

// invocable lists the routes on which a managed policy allows execute-api:Invoke, as METHOD/path with wildcards.
func invocable(t *testing.T, d doc, name string) []string {
	t.Helper()
	statements, _ := at(d, "Resources", name, "Properties", "PolicyDocument", "Statement").([]any)
	if len(statements) != 1 || at(statements[0], "Effect") != "Allow" ||
		at(statements[0], "Action") != "execute-api:Invoke" {
		t.Fatalf("%s allows %v", name, statements)
	}
	resources, several := at(statements[0], "Resource").([]any)
	if !several {
		resources = []any{at(statements[0], "Resource")}
	}
	const api = "arn:${AWS::Partition}:execute-api:${AWS::Region}:${AWS::AccountId}:${Api}/$default/"
	var all []string
	for _, r := range resources {
		arn, _ := at(r, "Fn::Sub").(string)
		rest, ours := strings.CutPrefix(arn, api)
		if !ours {
			t.Errorf("%s allows %v, which is not of this API", name, r)
		}
		all = append(all, rest)
	}
	return all
}

// covers says whether an IAM resource matches, in which * stands for any characters.
func covers(pattern, request string) bool {
	text := strings.ReplaceAll(regexp.QuoteMeta(pattern), `\*`, ".*")
	return regexp.MustCompile("^" + text + "$").MatchString(request)
}

var parameter = regexp.MustCompile(`\{[^}]*\}`)

// example fills in the parameters of a route.
func example(path string) string { return parameter.ReplaceAllString(path, "x1") }

// adminRoutes reads the routes of the admin API out of its source, as "METHOD /path".
func adminRoutes(t *testing.T) []string {
	t.Helper()
	files, err := filepath.Glob("../adminhttp/*.go")
	if err != nil {
		t.Fatal(err)
	}
	var all []string
	for _, name := range files {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(file, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.KeyValueExpr: // "/path": {"GET": …}
				for _, path := range paths(n.Key) {
					all = append(all, methodsOf(path, n.Value)...)
				}
			case *ast.AssignStmt: // routes["/path"] = methods{"GET": …}
				if index, ok := n.Lhs[0].(*ast.IndexExpr); ok && len(n.Rhs) == 1 {
					for _, path := range paths(index.Index) {
						all = append(all, methodsOf(path, n.Rhs[0])...)
					}
				}
			}
			return true
		})
	}
	if len(all) < 50 {
		t.Fatalf("found only %d routes: %q", len(all), all)
	}
	for _, route := range forTheApplication {
		if !slices.Contains(all, route) {
			t.Errorf("the admin API has no %s", route)
		}
	}
	return all
}

// paths reads a literal path, or one after the owner of OAuth clients: a tenant, or nobody.
func paths(e ast.Expr) []string {
	owners := []string{""}
	if sum, ok := e.(*ast.BinaryExpr); ok && fmt.Sprint(sum.X) == "owner" {
		owners, e = []string{"", "/tenants/{id}"}, sum.Y
	}
	literal, ok := e.(*ast.BasicLit)
	if !ok || literal.Kind != token.STRING {
		return nil
	}
	path, err := strconv.Unquote(literal.Value)
	if err != nil || !strings.HasPrefix(path, "/") {
		return nil
	}
	for i := range owners {
		owners[i] += path
	}
	return owners
}

// methodsOf reads the methods of a path.
func methodsOf(path string, e ast.Expr) []string {
	literal, ok := e.(*ast.CompositeLit)
	if !ok {
		return nil
	}
	var all []string
	for _, element := range literal.Elts {
		if pair, ok := element.(*ast.KeyValueExpr); ok {
			if method, ok := pair.Key.(*ast.BasicLit); ok {
				all = append(all, strings.Trim(method.Value, `"`)+" "+path)
			}
		}
	}
	return all
}
