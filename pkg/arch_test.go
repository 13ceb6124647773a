package pkg_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
)

const module = "github.com/serverless-scim/serverless-scim"

// Groups of imports that rules share.
const (
	awsSDK     = "github.com/aws/aws-sdk-go-v2"
	smithy     = "github.com/aws/smithy-go"
	lambdaGo   = "github.com/aws/aws-lambda-go"
	lambdaHTTP = "github.com/awslabs/aws-lambda-go-api-proxy"
	bbolt      = "go.etcd.io/bbolt"
	uuid       = "github.com/google/uuid"
	xsync      = "golang.org/x/sync"
	xnet       = "golang.org/x/net"
	cmp        = "github.com/google/go-cmp"
	rapid      = "pgregory.net/rapid"
	kong       = "github.com/alecthomas/kong"
	jsonschema = "github.com/santhosh-tekuri/jsonschema/v6"
	age        = "filippo.io/age"
	goJose     = "github.com/go-jose/go-jose/v4"
	deflate    = "github.com/klauspost/compress/flate"
)

// importRule lists the imports that the product code of a package may have beside the standard library: packages of
// this module by their path in it, a trailing "/..." for all below, and other modules by their path.
type importRule struct {
	pkg string
	may []string
	why string // the message if a package breaks it
}

const (
	whyPure = "the SCIM core is the standard library only, so that anybody can use, fuzz and trust it alone, without " +
		"storage or AWS"
	whyPort  = "store knows keys and bytes, not SCIM, and no engine: engines come from the side, joined by app"
	whyBelow = "events and notices are written with the changes that they are about: they stand below all that changes"
	whyUse   = "use cases know the core and the port, in the order mapping, bulk, directory, tenant, notice, event, " +
		"store; " +
		"never an engine, an SDK or HTTP"
	whyPart = "a part of the directory that decides without reading knows the SCIM core at most, so that anybody " +
		"can check it alone"
	whyEngine = "an adapter knows its port and its SDK, and no other part of the program"
	whyEdge   = "the HTTP edge translates; storage errors and AWS reach it only through the use cases"
	whyApp    = "app is the one place that joins engines to handlers"
	whyFake   = "support for tests knows nothing of its callers"
	whyMain   = "a main package is a shell around app, so that tests can run everything that it does"
)

// importRules is the import matrix, downward only. A package that is not listed fails the test: add the imports of a
// new package here.
var importRules = []importRule{
	{"pkg", nil, "the folder above holds the map and these tests only"},

	{"pkg/scim", nil, whyPure},
	{"pkg/scim/schema", []string{"pkg/scim"}, whyPure},
	{"pkg/scim/schema/define", []string{"pkg/scim", "pkg/scim/schema"}, whyPure},
	{"pkg/scim/filter", []string{"pkg/scim", "pkg/scim/schema"}, whyPure},
	{"pkg/scim/patch", []string{"pkg/scim", "pkg/scim/schema", "pkg/scim/filter"}, whyPure},
	{"pkg/scim/scimtest", []string{"pkg/scim/..."}, "it judges any server by URL, so it can't lean on this one"},

	{
		"pkg/mapping",
		[]string{"pkg/scim/..."},
		"what decides about people is pure, so that anybody can check it against a second implementation",
	},

	{"pkg/metric", nil, "it knows log lines by their messages, and nothing of who writes them"},
	{
		"pkg/domain", nil,
		"it is linked into the functions that answer identity providers: no table of Unicode's, nothing of the program",
	},

	{"pkg/task", nil, "it starts goroutines for all others, so it knows none of them"},

	{"pkg/store", []string{"pkg/task", uuid, xsync}, whyPort},
	{
		"pkg/store/storetest",
		[]string{"pkg/store", uuid, cmp, rapid},
		"the conformance suite knows the port, not an engine",
	},
	{"pkg/sweep", []string{"pkg/store"}, "whatever is done for all tenants uses it, so it knows the list of them only"},
	{"pkg/store/faultstore", []string{"pkg/store"}, whyPort},
	{"pkg/store/boltstore", []string{"pkg/store", bbolt}, whyEngine},
	{"pkg/store/dynamostore", []string{"pkg/store", awsSDK, smithy}, whyEngine},
	{"pkg/store/dynamostore/scan", []string{"pkg/store", "pkg/store/dynamostore", awsSDK}, whyEngine},

	{"pkg/event", []string{"pkg/scim", "pkg/store", "pkg/event/eventlog"}, whyBelow},
	{"pkg/event/eventlog", []string{"pkg/scim", "pkg/store"}, whyBelow},
	{
		"pkg/event/delivery",
		[]string{"pkg/store", "pkg/task", "pkg/event/eventlog"},
		"it takes the log to destinations, and knows none of them",
	},
	{"pkg/webhook", []string{
		"pkg/precondition", "pkg/scim", "pkg/store", "pkg/event/eventlog", "pkg/event/delivery",
	}, whyUse},
	{
		"pkg/event/schemas",
		[]string{jsonschema},
		"receivers read the schemas without the program, so they do without it too",
	},
	{
		"pkg/event/awsevent",
		[]string{"pkg/scim", "pkg/event/eventlog", "pkg/event/delivery", awsSDK, smithy},
		whyEngine,
	},
	{"pkg/notice", []string{"pkg/scim", "pkg/store", "pkg/event"}, whyBelow},
	{
		"pkg/notice/message",
		[]string{"pkg/notice"},
		"only the function that sends notices links the templates of their texts",
	},
	{"pkg/notice/awsmail", []string{"pkg/notice", "pkg/notice/message", awsSDK, smithy}, whyEngine},

	{
		"pkg/tenant/assertion",
		[]string{goJose},
		"signatures are a well-kept library's, with nothing of this program beside it, " +
			"so that anybody can check and fuzz it alone",
	},
	{
		"pkg/tenant/internal/rotation",
		[]string{"pkg/notice"},
		"it decides from values, and reads nothing; of notice it knows " +
			"the kinds",
	},
	{"pkg/tenant/internal/record", []string{
		"pkg/scim", "pkg/store", "pkg/event", "pkg/notice", "pkg/tenant/assertion", "pkg/tenant/internal/rotation",
	}, "it is values, and makes the writes that follow from them; it carries none out"},
	{"pkg/tenant/internal/oauth", []string{
		"pkg/precondition",
		"pkg/scim", "pkg/store", "pkg/event", "pkg/tenant/assertion", "pkg/tenant/internal/record",
	}, "it changes tenants by the functions that it is given, as package tenant does"},
	{"pkg/tenant", []string{
		"pkg/precondition",
		"pkg/scim/...", "pkg/store", "pkg/event", "pkg/notice", "pkg/task", "pkg/tenant/internal/oauth",
		"pkg/tenant/internal/record", "pkg/tenant/internal/rotation", uuid,
	}, whyUse},
	{
		"pkg/tenant/ending",
		[]string{"pkg/scim", "pkg/store", "pkg/event", "pkg/event/eventlog", "pkg/tenant"},
		"it brings a deletion to its end, for whoever is told to; it knows no destination of events",
	},
	{
		"pkg/tenant/stored",
		[]string{"pkg/store", "pkg/tenant/internal/record", "pkg/tenant/internal/rotation"},
		"it reads stored values for those who check or move them, and writes none",
	},
	{"pkg/tenant/awssecret", []string{"pkg/tenant", awsSDK, smithy}, whyEngine},
	{"pkg/domain/claim", []string{
		"pkg/precondition",
		"pkg/scim", "pkg/store", "pkg/event", "pkg/notice", "pkg/domain", "pkg/tenant", "pkg/sweep", "pkg/task",
		xnet,
	}, whyUse},
	{"pkg/guard", []string{
		"pkg/scim", "pkg/store", "pkg/mapping", "pkg/event", "pkg/notice", "pkg/tenant", "pkg/precondition",
	}, whyUse},
	{
		"pkg/policy",
		[]string{"pkg/scim/...", "pkg/store", "pkg/mapping", "pkg/domain", "pkg/directory", "pkg/guard"},
		"it is linked into the functions that answer identity providers, and knows nothing of publishing",
	},
	{
		"pkg/member/marker",
		[]string{"pkg/scim", "pkg/store", "pkg/directory", "pkg/event/eventlog"},
		"it is linked into the functions that answer identity providers, and knows nothing of publishing",
	},
	{
		"pkg/member/internal/record",
		[]string{"pkg/scim/...", "pkg/store", "pkg/mapping", "pkg/event/eventlog"},
		"it is values, and reads them; it evaluates no policy and knows no user",
	},
	{
		"pkg/member/stored",
		[]string{"pkg/scim", "pkg/store", "pkg/mapping", "pkg/member/internal/record"},
		"it reads stored values for those who check them, and writes none",
	},
	{
		"pkg/member/internal/policies", []string{
			"pkg/scim", "pkg/scim/schema", "pkg/store", "pkg/mapping", "pkg/policy", "pkg/directory",
			"pkg/directory/counter", "pkg/tenant", "pkg/event/eventlog", "pkg/member/marker",
			"pkg/member/internal/record",
		}, "it keeps and compiles policies, and evaluates them for nobody",
	},
	{
		"pkg/member/internal/seat",
		[]string{"pkg/scim", "pkg/store", "pkg/mapping", "pkg/event/eventlog", "pkg/member/internal/record"},
		"it counts the seats of a target, and decides about no member",
	},
	{
		"pkg/member/internal/pass", []string{
			"pkg/store", "pkg/mapping", "pkg/directory", "pkg/event/eventlog", "pkg/member/marker",
			"pkg/member/internal/record", "pkg/member/internal/policies", "pkg/member/internal/seat",
		}, "it only marks members: what becomes of them is the publishing's, which stands above",
	},
	{
		"pkg/member/internal/explain",
		[]string{"pkg/scim", "pkg/mapping", "pkg/member/internal/record"},
		"it puts into words what was evaluated, and reads nothing",
	},
	{
		"pkg/member/internal/publish", []string{
			"pkg/scim", "pkg/store", "pkg/task", "pkg/sweep", "pkg/mapping", "pkg/directory", "pkg/event/eventlog",
			"pkg/member/marker", "pkg/member/internal/...", "pkg/precondition",
		}, "it knows tenants by what policies say of them",
	},
	{
		"pkg/member", []string{
			"pkg/precondition",
			"pkg/scim/...", "pkg/store", "pkg/task", "pkg/mapping", "pkg/directory", "pkg/tenant", "pkg/event/eventlog",
			"pkg/member/...",
		}, whyUse,
	},
	{
		"pkg/doctor", []string{
			"pkg/scim", "pkg/scim/schema", "pkg/store", "pkg/mapping", "pkg/policy", "pkg/directory",
			"pkg/directory/counter", "pkg/directory/row", "pkg/member/marker", "pkg/member/stored",
			"pkg/tenant/stored", "pkg/event/eventlog", "pkg/domain/claim", uuid,
		}, "it knows the items of all use cases, and none of them knows it",
	},
	{
		"pkg/provlog/diagnosis",
		[]string{"pkg/scim", "pkg/directory", "pkg/tenant", "pkg/member", "pkg/provlog", "pkg/task"},
		"it reads what all others keep, and only the operator's API asks it",
	},
	{
		"pkg/provlog",
		[]string{
			"pkg/scim/...", "pkg/store", "pkg/directory", "pkg/tenant", "pkg/event", "pkg/event/eventlog", "pkg/task",
		},
		"it writes down what is asked and what came of it, and decides nothing: it is linked into the functions that " +
			"answer identity providers",
	},
	{"pkg/cost", nil, "it is arithmetic, which anybody can check alone"},
	{
		"pkg/transfer",
		[]string{"pkg/store", "pkg/tenant/stored", "pkg/doctor"},
		"it carries items of any kind, and knows none of them but the tenant's",
	},
	{"pkg/directory/bulkid", []string{"pkg/scim"}, whyPart},
	{"pkg/directory/bulk", []string{
		"pkg/scim/...", "pkg/store", "pkg/task", "pkg/directory", "pkg/directory/bulkid", "pkg/directory/membershipid",
		"pkg/directory/row", uuid, xsync,
	}, whyUse},
	{"pkg/directory/counter", []string{"pkg/store"}, "it counts ids by type, and knows nothing of what they name"},
	{"pkg/directory/membershipid", []string{uuid}, whyPart},
	{"pkg/directory/query/cursor", []string{"pkg/scim", "pkg/scim/schema"}, whyPart},
	{"pkg/directory/query/plan", []string{"pkg/scim", "pkg/scim/schema", "pkg/scim/filter", "pkg/task"}, whyPart},
	{
		"pkg/directory/row",
		[]string{"pkg/scim", "pkg/scim/schema", "pkg/store"},
		"a resource as an item knows nothing of " +
			"who is a member of what, and no operation of clients",
	},
	{"pkg/directory/membership", []string{
		"pkg/scim/...", "pkg/store", "pkg/task", "pkg/directory/row", "pkg/directory/membershipid",
	}, "memberships rest on items, and know nothing of queries and of the operations of clients"},
	{"pkg/directory/query/lookup", []string{
		"pkg/scim", "pkg/scim/schema", "pkg/store", "pkg/task", "pkg/directory/row", "pkg/directory/membership",
		"pkg/directory/query/plan",
	}, "a lookup reads items, and knows nothing of pages"},
	{"pkg/directory/query", []string{
		"pkg/scim", "pkg/scim/schema", "pkg/scim/filter", "pkg/store", "pkg/task", "pkg/directory/row",
		"pkg/directory/membership", "pkg/directory/membershipid", "pkg/directory/counter", "pkg/directory/query/...",
	}, "queries read what memberships and items are, and write nothing but where a page ended"},
	{"pkg/directory", []string{
		"pkg/scim/...", "pkg/store", "pkg/task", "pkg/directory/row", "pkg/directory/membership",
		"pkg/directory/membershipid", "pkg/directory/counter", "pkg/directory/query", uuid,
	}, whyUse},

	{"pkg/limit", []string{"pkg/store"}, "it counts requests of tenants, and knows nothing of what they ask for"},
	{"pkg/setup", []string{
		"pkg/precondition", "pkg/scim", "pkg/store", "pkg/event", "pkg/notice", "pkg/task", "pkg/tenant",
	}, whyUse},

	{"pkg/web", []string{"pkg/task"}, "every edge uses it unchanged, so it knows no protocol and no use case"},
	{
		"pkg/scimhttp",
		[]string{
			"pkg/scim/...", "pkg/directory", "pkg/directory/bulk", "pkg/limit",
			"pkg/task", "pkg/tenant", "pkg/provlog", "pkg/web", uuid, deflate,
		},
		whyEdge,
	},
	{"pkg/precondition", nil, "it carries a demand, and knows nothing of those who make and meet it"},
	{"pkg/adminhttp/idempotency", []string{"pkg/store", "pkg/tenant"}, "it remembers requests, and knows none"},
	{"pkg/adminhttp/etag", []string{"pkg/scim"}, "tags are of any object"},
	{"pkg/adminhttp/lists", []string{"pkg/scim"}, "lists are of anything"},
	{"pkg/adminhttp/shown", []string{
		"pkg/adminhttp/etag", "pkg/scim", "pkg/tenant", "pkg/notice", "pkg/member", "pkg/domain/claim", "pkg/setup",
		"pkg/event/delivery", "pkg/webhook", "pkg/guard", "pkg/scim/schema", "pkg/scim/schema/define",
	}, "it turns values into JSON, and calls nothing"},
	{"pkg/adminhttp/openapi", nil, "a document, which tests read without the program"},
	{"pkg/internal/contract", []string{"pkg/adminhttp/openapi", jsonschema}, whyFake},
	{
		"pkg/adminhttp",
		[]string{
			"pkg/precondition",
			"pkg/adminhttp/openapi", "pkg/adminhttp/etag", "pkg/adminhttp/idempotency", "pkg/adminhttp/lists",
			"pkg/adminhttp/shown",
			"pkg/scim/...", "pkg/directory", "pkg/tenant", "pkg/tenant/assertion", "pkg/notice", "pkg/web",
			"pkg/member", "pkg/mapping", "pkg/guard", "pkg/domain/claim", "pkg/event/eventlog", "pkg/provlog/...",
			"pkg/event/delivery", "pkg/webhook", "pkg/setup", uuid,
		},
		whyEdge,
	},
	{"pkg/portal/frame", []string{
		"pkg/provlog", "pkg/scim", "pkg/setup", "pkg/task", "pkg/tenant", "pkg/web",
	}, whyEdge},
	{"pkg/portal/browsertest", nil, whyFake},
	{"pkg/portal/...", []string{
		"pkg/scim/...", "pkg/tenant", "pkg/setup", "pkg/portal/...", "pkg/member", "pkg/mapping", "pkg/directory",
		"pkg/domain/claim", "pkg/event/eventlog", "pkg/guard", "pkg/notice", "pkg/provlog/...", "pkg/task", "pkg/web",
	}, "pages call use cases, as the admin API does, and nothing else calls pages"},
	{"pkg/oauthhttp", []string{"pkg/tenant", "pkg/web"}, whyEdge},
	{
		"pkg/apigw",
		[]string{"pkg/scim", "pkg/task", lambdaGo, lambdaHTTP, xsync},
		"apigw alone knows API Gateway's events, and nothing of what answers them; of scim it uses the encoder of JSON",
	},

	{"pkg/internal/awsfake/dynamolocal", []string{"pkg/store", "pkg/store/dynamostore", awsSDK, uuid}, whyFake},
	{"pkg/internal/awsfake/fakelambda", []string{"pkg/apigw", "pkg/store", lambdaGo, awsSDK, uuid}, whyFake},
	{"pkg/internal/awsfake/fakesecrets", []string{awsSDK}, whyFake},
	{"pkg/internal/dnstest", []string{xnet}, whyFake},
	{"pkg/internal/schematest", []string{"pkg/scim", "pkg/scim/schema", "pkg/scim/schema/define"}, whyFake},
	{
		"pkg/internal/filled",
		[]string{"pkg/app/local", "pkg/store", "pkg/store/boltstore", "pkg/tenant"},
		"it fills a server as requests do",
	},
	{"pkg/internal/slow", nil, whyFake},

	{"pkg/app/example", nil, "it is an integrator's application, which has nothing of this program"},
	{"pkg/app/cli/call", []string{awsSDK}, "it calls a server by its URL, and knows nothing of this one"},
	{"pkg/app/cli/arguments", []string{kong, "pkg/app/cli/call"}, "it knows commands by kong's tree of them"},
	{"pkg/app/cli/completion", []string{kong}, "it knows commands by kong's tree of them, and none by name"},
	{"pkg/app/cli", []string{
		"pkg/app/cli/arguments", "pkg/app/cli/call", "pkg/app/cli/completion", "pkg/app/local", "pkg/app/bench",
		"pkg/app/direct", "pkg/portal/frame", "pkg/cost", awsSDK, kong,
	}, whyApp},
	{
		"pkg/app/direct",
		[]string{
			"pkg/app/local", "pkg/doctor", "pkg/transfer", "pkg/store", "pkg/cost", "pkg/provlog", "pkg/tenant", age,
		},
		whyApp,
	},
	{"pkg/app/...", []string{"pkg/...", awsSDK, smithy, lambdaGo, uuid, xsync}, whyApp},
	{"functions/...", []string{"pkg/app/...", lambdaGo}, whyMain},
	{".ci/test", nil, "it runs the go tool, and knows nothing of the program"},
}

// impure are packages of the standard library that the SCIM core must not import: it has no input or output, no clock,
// no randomness.
var impure = map[string]string{
	"os": "I/O", "os/exec": "I/O", "io/fs": "I/O", "io/ioutil": "I/O", "net": "I/O", "syscall": "I/O",
	"log": "output", "log/slog": "output", "math/rand": "chance", "math/rand/v2": "chance", "crypto/rand": "chance",
	"testing": "product code", "unsafe": "safety", "context": "work that can be interrupted is not the core's",
	"sync/atomic": "state",
}

// source is one Go file.
type source struct {
	dir  string // in the module, with slashes: "pkg/scim"
	name string // of the file
	test bool
	file *ast.File
	fset *token.FileSet
}

func (s source) path() string { return path.Join(s.dir, s.name) }

// sources parses every Go file of the module once.
var sources = sync.OnceValues(func() ([]source, error) {
	var all []source
	err := walk(func(name string) error {
		if !strings.HasSuffix(name, ".go") {
			return nil
		}
		fset := token.NewFileSet()
		file, err := parser.ParseFile(fset, filepath.Join("..", filepath.FromSlash(name)), nil,
			parser.ParseComments|parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		all = append(all, source{path.Dir(name), path.Base(name), strings.HasSuffix(name, "_test.go"), file, fset})
		return nil
	})
	return all, err
})

// walk calls do with each file of the repository, by its slash-separated path from the root. It skips testdata and all
// names with a dot but .ci.
func walk(do func(name string) error) error {
	return filepath.WalkDir("..", func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, err := filepath.Rel("..", name)
		if err != nil || rel == "." {
			return err
		}
		base := d.Name()
		hidden := strings.HasPrefix(base, ".") && base != ".ci" && base != ".golangci.yml"
		if d.IsDir() {
			if hidden || base == "testdata" {
				return fs.SkipDir
			}
			return nil
		}
		if hidden || !d.Type().IsRegular() {
			return nil
		}
		return do(filepath.ToSlash(rel))
	})
}

func parsed(t *testing.T) []source {
	t.Helper()
	all, err := sources()
	if err != nil {
		t.Fatal(err)
	}
	if len(all) < 20 {
		t.Fatalf("found %d Go files only: the test looks in the wrong place", len(all))
	}
	return all
}

func (s source) imports() []string {
	var paths []string
	for _, spec := range s.file.Imports {
		if p, err := strconv.Unquote(spec.Path.Value); err == nil {
			paths = append(paths, p)
		}
	}
	return paths
}

func matches(pattern, name string) bool {
	if prefix, ok := strings.CutSuffix(pattern, "/..."); ok {
		return name == prefix || strings.HasPrefix(name, prefix+"/")
	}
	return name == pattern
}

func standard(importPath string) bool {
	first, _, _ := strings.Cut(importPath, "/")
	return !strings.Contains(first, ".")
}

func (r importRule) allows(importPath string) bool {
	inside, ours := strings.CutPrefix(importPath, module+"/")
	for _, may := range r.may {
		if ours && matches(may, inside) || !ours && matches(may+"/...", importPath) {
			return true
		}
	}
	return standard(importPath)
}

func ruleOf(dir string) (importRule, bool) {
	i := slices.IndexFunc(importRules, func(r importRule) bool { return matches(r.pkg, dir) })
	if i < 0 {
		return importRule{}, false
	}
	return importRules[i], true
}

func TestImports(t *testing.T) {
	for _, s := range parsed(t) {
		if s.test {
			continue
		}
		rule, ok := ruleOf(s.dir)
		if !ok {
			t.Errorf("%s: package %s is not in the import matrix of arch_test.go: add what it may rest on, and why",
				s.path(), s.dir)
			continue
		}
		for _, p := range s.imports() {
			if !rule.allows(p) {
				t.Errorf("%s imports %s: %s", s.path(), p, rule.why)
			}
		}
	}
}

// suites are exported packages that only tests of this repository import, each with the reason.
var suites = map[string]string{
	"pkg/scim/scimtest":    "it judges anybody's SCIM server",
	"pkg/store/storetest":  "it judges anybody's storage engine",
	"pkg/event/schemas":    "receivers of events hold theirs against it, as these tests do",
	"pkg/store/faultstore": "it makes anybody's storage engine fail, for the same purpose",
}

// TestStandInsAreInternal: a package that only tests import is under pkg/internal, and product code imports nothing
// from there.
func TestStandInsAreInternal(t *testing.T) {
	inTests, inProduct, main := map[string]bool{}, map[string]bool{}, map[string]bool{}
	for _, s := range parsed(t) {
		main[s.dir] = s.file.Name.Name == "main"
		for _, p := range s.imports() {
			inside, ours := strings.CutPrefix(p, module+"/")
			if !ours || inside == s.dir {
				continue
			}
			if s.test || matches("pkg/internal/...", s.dir) || suites[s.dir] != "" {
				inTests[inside] = true
				continue
			}
			inProduct[inside] = true
			if matches("pkg/internal/...", inside) {
				t.Errorf("%s imports %s, which is for tests", s.path(), inside)
			}
		}
	}
	for dir := range inTests {
		if !inProduct[dir] && !main[dir] && !matches("pkg/internal/...", dir) && suites[dir] == "" {
			t.Errorf("only tests import %s: move it below pkg/internal", dir)
		}
	}
}

func TestCoreIsPure(t *testing.T) {
	for _, s := range parsed(t) {
		pure := matches("pkg/scim/...", s.dir) && !matches("pkg/scim/scimtest/...", s.dir) || s.dir == "pkg/mapping"
		if s.test || !pure {
			continue
		}
		for _, p := range s.imports() {
			if why, banned := impure[p]; banned {
				t.Errorf("%s imports %s (%s): %s", s.path(), p, why, whyPure)
			}
		}
		ast.Inspect(s.file, func(n ast.Node) bool {
			if name := selected(n, "http"); name != "" && !strings.HasPrefix(name, "Status") &&
				!strings.HasPrefix(name, "Method") {
				t.Errorf("%s uses http.%s: of net/http the core has the names of statuses and methods only", s.path(),
					name)
			}
			return true
		})
	}
}

// unlinked are packages that a binary must not contain, not even through others.
var unlinked = []struct {
	from, to, why string
}{
	{"functions/users", awsSDK + "/service/secretsmanager/...", whyNoSecrets},
	{"functions/groups", awsSDK + "/service/secretsmanager/...", whyNoSecrets},
	{"functions/discovery", awsSDK + "/service/secretsmanager/...", whyNoSecrets},
	{"functions/oauth", awsSDK + "/service/secretsmanager/...", whyNoSecrets},
	{"functions/oauth", bbolt + "/...", whyNoBolt},
	{"functions/users", bbolt + "/...", whyNoBolt},
	{"functions/groups", bbolt + "/...", whyNoBolt},
	{"functions/discovery", bbolt + "/...", whyNoBolt},
	{"functions/admin", bbolt + "/...", whyNoBolt},
	{"functions/portal", bbolt + "/...", whyNoBolt},
	{"functions/users", module + "/pkg/portal/...", whyNoPages},
	{"functions/groups", module + "/pkg/portal/...", whyNoPages},
	{"functions/bulk", module + "/pkg/portal/...", whyNoPages},
	{"functions/discovery", module + "/pkg/portal/...", whyNoPages},
	{"functions/admin", module + "/pkg/portal/...", whyNoPages},
	{"functions/stream", bbolt + "/...", whyNoBolt},
	{"functions/rotate", bbolt + "/...", whyNoBolt},
	{"functions/users", awsSDK + "/service/eventbridge/...", whyNoTelling},
	{"functions/groups", awsSDK + "/service/eventbridge/...", whyNoTelling},
	{"functions/bulk", awsSDK + "/service/eventbridge/...", whyNoTelling},
	{"functions/discovery", awsSDK + "/service/eventbridge/...", whyNoTelling},
	{"functions/oauth", awsSDK + "/service/eventbridge/...", whyNoTelling},
	{"functions/admin", awsSDK + "/service/eventbridge/...", whyNoTelling},
	{"functions/admin", awsSDK + "/service/sesv2/...", whyNoTelling},
	{"functions/admin", awsSDK + "/service/sns/...", whyNoTelling},
	{"functions/stream", awsSDK + "/service/eventbridge/...", whyNoTelling},
	{"functions/rotate", awsSDK + "/service/eventbridge/...", whyNoTelling},
	{"functions/deliver", "text/template", whyNoTelling},
	{"functions/deliver", bbolt + "/...", whyNoBolt},
	{"functions/stream", "text/template", whyNoTelling},
	{"functions/admin", "text/template", whyNoTelling},
	{"pkg/scimhttp", awsSDK + "/...", whyEdge},
	{"pkg/adminhttp", awsSDK + "/...", whyEdge},
}

const (
	whyNoSecrets = "no request of an identity provider reads a secret, and every client costs a cold start"
	whyNoTelling = "deliver alone delivers events, and rotate notices; every client costs the others a cold start, " +
		"and templates double a program"
	whyNoPages = "pages and their templates are the portal's; they would double the program"
	whyNoBolt  = "the embedded engine is for local runs; in AWS it is dead weight at every cold start"
)

func TestUnlinked(t *testing.T) {
	graph := map[string][]string{}
	for _, s := range parsed(t) {
		if !s.test {
			graph[s.dir] = append(graph[s.dir], s.imports()...)
		}
	}
	for _, u := range unlinked {
		if chain := chainTo(graph, u.from, u.to, map[string]bool{}); chain != nil {
			t.Errorf("%s: %s", strings.Join(chain, " -> "), u.why)
		}
	}
}

// chainTo returns the chain of imports from dir to a package that matches to; nil if there is none.
func chainTo(graph map[string][]string, dir, to string, seen map[string]bool) []string {
	seen[dir] = true
	for _, p := range graph[dir] {
		if matches(to, p) {
			return []string{dir, p}
		}
		inside, ours := strings.CutPrefix(p, module+"/")
		if !ours || seen[inside] {
			continue
		}
		if chain := chainTo(graph, inside, to, seen); chain != nil {
			return append([]string{dir}, chain...)
		}
	}
	return nil
}

func TestImportMatrixIsCurrent(t *testing.T) {
	dirs := map[string]bool{}
	for _, s := range parsed(t) {
		dirs[s.dir] = true
	}
	for _, r := range importRules {
		if strings.HasSuffix(r.pkg, "/...") || dirs[r.pkg] {
			continue
		}
		if _, err := os.Stat(filepath.Join("..", filepath.FromSlash(r.pkg))); err != nil {
			t.Errorf("the import matrix has %s, which is not there", r.pkg)
		}
	}
	for i, r := range importRules {
		if slices.ContainsFunc(importRules[:i], func(earlier importRule) bool { return earlier.pkg == r.pkg }) {
			t.Errorf("the import matrix has %s twice", r.pkg)
		}
	}
}

// starters are the packages that start goroutines themselves, with the reason.
var starters = map[string]string{
	"pkg/task":                "all others start theirs with it",
	"pkg/store/boltstore":     "one writer lives as long as the engine and guards each transaction itself",
	"pkg/store/storetest/...": "a suite is tests: a panic in it must end it",
	"pkg/scim/scimtest/...":   "a suite is tests: a panic in it must end it",
	"pkg/internal/...":        "only tests use it: a panic in it must end them",
}

// TestGoroutinesAreStartedByTask: a panic in a goroutine ends the process, and with it every other request, unless task
// started the goroutine.
func TestGoroutinesAreStartedByTask(t *testing.T) {
	const why = "start goroutines with package task, so that a panic in one does not end the process"
	for _, s := range parsed(t) {
		if s.test || exempt(starters, s.dir) {
			continue
		}
		if slices.Contains(s.imports(), xsync+"/errgroup") {
			t.Errorf("%s imports errgroup: %s", s.path(), why)
		}
		usesTask := slices.Contains(s.imports(), module+"/pkg/task")
		ast.Inspect(s.file, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.GoStmt:
				t.Errorf("%s: line %d has a go statement: %s", s.path(), s.fset.Position(n.Pos()).Line, why)
			case *ast.SelectorExpr:
				if n.Sel.Name == "Go" && !usesTask || n.Sel.Name == "AfterFunc" {
					t.Errorf("%s: line %d calls %s of something else: %s", s.path(), s.fset.Position(n.Pos()).Line,
						n.Sel.Name, why)
				}
			}
			return true
		})
	}
}

// ports are the exported interfaces of the program, each declared by the package that calls it. All else is concrete.
var ports = map[string]string{
	"pkg/store.Engine":               "storage",
	"pkg/tenant.Secrets":             "where the operator finds a token",
	"pkg/event/delivery.Destination": "who follows the log",
	"pkg/notice/message.Sender":      "how people are told",
}

func TestExportedInterfacesAreThePorts(t *testing.T) {
	for _, s := range parsed(t) {
		if s.test {
			continue
		}
		for _, decl := range s.file.Decls {
			for name, it := range exportedInterfaces(decl) {
				if _, ok := ports[s.dir+"."+name]; !ok && !closed(it) {
					t.Errorf("%s exports the interface %s: there are the ports %v, the rest is concrete",
						s.path(), name, slices.Sorted(maps.Keys(ports)))
				}
			}
		}
	}
}

func exportedInterfaces(decl ast.Decl) map[string]*ast.InterfaceType {
	found := map[string]*ast.InterfaceType{}
	gen, ok := decl.(*ast.GenDecl)
	if !ok {
		return found
	}
	for _, spec := range gen.Specs {
		if ts, ok := spec.(*ast.TypeSpec); ok && ts.Name.IsExported() {
			if it, ok := ts.Type.(*ast.InterfaceType); ok {
				found[ts.Name.Name] = it
			}
		}
	}
	return found
}

// closed reports whether an interface lists the kinds of one value, which only its own package can extend, or
// constrains a type parameter: neither is a port.
func closed(it *ast.InterfaceType) bool {
	for _, m := range it.Methods.List {
		if len(m.Names) == 0 {
			if _, union := m.Type.(*ast.BinaryExpr); union {
				return true
			}
		}
		for _, name := range m.Names {
			if !name.IsExported() {
				return true
			}
		}
	}
	return false
}
