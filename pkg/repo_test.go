package pkg_test

import (
	"go/ast"
	"go/token"
	"io"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// Budgets for the size of code that a reader takes in at once.
const (
	maxFileLines = 500
	maxFuncLines = 60
	// maxPackageLines bounds the lines of a package without a map of its files.
	maxPackageLines = 2000
	maxMainLines    = 40
	maxParameters   = 5
	// maxWideFuncs bounds the functions that may have more parameters.
	maxWideFuncs = 8
	// maxWholePackage bounds the lines of a package without tests.
	maxWholePackage = 3000
)

// Exempt from the budgets, each for a reason. Tests are, too: a table of cases is one function.
var (
	longFiles = map[string]string{
		"pkg/store/storetest/...": "a suite is tests",
		"pkg/scim/scimtest/...":   "a suite is tests",
	}
	longFuncs = map[string]string{
		"pkg/store/storetest/...": "a table of cases is one function",
		"pkg/scim/scimtest/...":   "a table of cases is one function",
	}
)

func TestFileSizes(t *testing.T) {
	for _, s := range parsed(t) {
		lines := s.fset.File(s.file.FileStart).LineCount()
		if lines > maxFileLines && !s.test && !exempt(longFiles, s.path()) {
			t.Errorf("%s has %d lines, more than %d: split it by what changes together", s.path(), lines, maxFileLines)
		}
		if lines > maxMainLines && !s.test && strings.HasPrefix(s.dir, "functions/") {
			t.Errorf("%s has %d lines, more than %d: %s", s.path(), lines, maxMainLines, whyMain)
		}
	}
}

// mapped matches a line of a package comment that describes a file.
var mapped = regexp.MustCompile(`(?m)^\t([a-z0-9_]+\.go) +\S`)

// TestLargePackagesHaveMaps: the comment of a package that is too large to be read at once describes each file.
func TestLargePackagesHaveMaps(t *testing.T) {
	lines, docs, files := map[string]int{}, map[string]string{}, map[string][]string{}
	for _, s := range parsed(t) {
		if !s.test && !exempt(longFiles, s.path()) {
			lines[s.dir] += s.fset.File(s.file.FileStart).LineCount()
			docs[s.dir] += s.file.Doc.Text()
			files[s.dir] = append(files[s.dir], s.name)
		}
	}
	for dir, names := range files {
		var named []string
		for _, line := range mapped.FindAllStringSubmatch(docs[dir], -1) {
			if named = append(named, line[1]); !slices.Contains(names, line[1]) {
				t.Errorf("the package comment of %s names %s, which is not there", dir, line[1])
			}
		}
		for _, name := range names {
			if lines[dir] > maxPackageLines && name != "doc.go" && !slices.Contains(named, name) {
				t.Errorf("%s has %d lines, and its package comment does not say what is in %s", dir, lines[dir], name)
			}
		}
	}
}

// wholePackages are the packages with more than maxWholePackage lines without tests: their own bound, and the reason
// why they are not divided.
var wholePackages = map[string]struct {
	lines  int
	reason string
}{
	"pkg/adminhttp":            {3650, "a file for each kind of resource of the routes, and little between them"},
	"pkg/directory/membership": {3050, "who is in which group, and the open work that brings it about, are one thing"},
	"pkg/scim/schema":          {3100, "the definition tables and what reads them"},
	"pkg/tenant":               {3200, "tenants with their tokens change in one item"},
}

// TestPackageSizes: one person can know a whole package.
func TestPackageSizes(t *testing.T) {
	lines := map[string]int{}
	for _, s := range parsed(t) {
		if !s.test && !exempt(longFiles, s.path()) {
			lines[s.dir] += s.fset.File(s.file.FileStart).LineCount()
		}
	}
	for dir, n := range lines {
		whole, named := wholePackages[dir]
		if most := max(maxWholePackage, whole.lines); n > most {
			t.Errorf("%s has %d lines without tests, more than %d: cut it by what changes together", dir, n, most)
		}
		if named && n <= maxWholePackage {
			t.Errorf("%s has %d lines: it needs no exception any more", dir, n)
		}
	}
	for dir := range wholePackages {
		if lines[dir] == 0 {
			t.Errorf("there is no %s", dir)
		}
	}
}

func TestFunctionSizes(t *testing.T) {
	for _, s := range parsed(t) {
		for _, decl := range s.file.Decls {
			fn, ok := decl.(*ast.FuncDecl)
			if !ok || s.test || exempt(longFuncs, s.path()) {
				continue
			}
			lines := s.fset.Position(fn.End()).Line - s.fset.Position(fn.Pos()).Line + 1
			if lines > maxFuncLines {
				t.Errorf("%s: %s has %d lines, more than %d", s.path(), fn.Name.Name, lines, maxFuncLines)
			}
		}
	}
}

// TestParameters: arguments that always come together are a struct.
func TestParameters(t *testing.T) {
	var wide []string
	for _, s := range parsed(t) {
		for _, decl := range s.file.Decls {
			if fn, ok := decl.(*ast.FuncDecl); ok && !s.test && fn.Type.Params.NumFields() > maxParameters {
				wide = append(wide, s.path()+": "+fn.Name.Name)
			}
		}
	}
	if len(wide) > maxWideFuncs {
		t.Errorf("%d functions have more than %d parameters, at most %d may: %s", len(wide),
			maxParameters, maxWideFuncs, strings.Join(wide, "\n"))
	}
}

func TestPackagesHaveComments(t *testing.T) {
	documented, name := map[string]bool{}, map[string]string{}
	for _, s := range parsed(t) {
		if s.test {
			continue
		}
		name[s.dir] = s.file.Name.Name
		documented[s.dir] = documented[s.dir] || s.file.Doc.Text() != ""
	}
	for dir, pkg := range name {
		if !documented[dir] {
			t.Errorf("package %s (%s) has no package comment: say what it is and which section of an RFC it is about",
				pkg, dir)
		}
		if main := strings.HasPrefix(dir, "functions/") || dir == ".ci/test"; main != (pkg == "main") {
			t.Errorf("%s is package %s: functions/ holds main packages, and only it does", dir, pkg)
		}
	}
}

func TestExportedNamesHaveComments(t *testing.T) {
	for _, s := range parsed(t) {
		if s.test {
			continue
		}
		for _, decl := range s.file.Decls {
			for _, name := range undocumented(decl) {
				t.Errorf("%s: %s is exported without a comment", s.path(), name)
			}
		}
	}
}

// undocumented returns the exported names of a declaration that have no comment of their own nor one for their group.
func undocumented(decl ast.Decl) []string {
	var names []string
	switch d := decl.(type) {
	case *ast.FuncDecl:
		if d.Name.IsExported() && d.Doc == nil && exportedReceiver(d) && !standardMethods[d.Name.Name] {
			names = append(names, d.Name.Name)
		}
	case *ast.GenDecl:
		for _, spec := range d.Specs {
			switch s := spec.(type) {
			case *ast.TypeSpec:
				if s.Name.IsExported() && s.Doc == nil && s.Comment == nil && d.Doc == nil {
					names = append(names, s.Name.Name)
				}
			case *ast.ValueSpec:
				for _, n := range s.Names {
					if n.IsExported() && s.Doc == nil && s.Comment == nil && d.Doc == nil {
						names = append(names, n.Name)
					}
				}
			}
		}
	}
	return names
}

// standardMethods need no comment: their names are known.
var standardMethods = map[string]bool{
	"Error": true, "Unwrap": true, "Is": true, "As": true, "String": true, "MarshalJSON": true, "UnmarshalJSON": true,
	"ServeHTTP": true,
	"LogValue":  true,
}

func exportedReceiver(d *ast.FuncDecl) bool {
	if d.Recv == nil || len(d.Recv.List) == 0 {
		return true
	}
	typ := d.Recv.List[0].Type
	if star, ok := typ.(*ast.StarExpr); ok {
		typ = star.X
	}
	id, ok := typ.(*ast.Ident)
	return !ok || id.IsExported()
}

// bucketNames are names that say nothing; stdlibNames would make every caller rename an import.
var (
	bucketNames = []string{
		"util", "utils", "common", "helper", "helpers", "types", "models", "model", "shared", "misc",
		"base", "mock", "mocks",
	}
	stdlibNames = []string{
		"bytes", "bufio", "context", "crypto", "embed", "errors", "expvar", "flag", "fmt", "hash", "html", "http", "io",
		"iter", "json", "log",
		"maps", "math", "mime", "net", "os", "path", "rand", "reflect", "regexp", "runtime", "slices", "slog", "sort",
		"strconv", "strings",
		"sync", "template", "testing", "time", "token", "unicode", "url",
	}
)

func TestPackageNames(t *testing.T) {
	for _, s := range parsed(t) {
		name := strings.TrimSuffix(s.file.Name.Name, "_test")
		if slices.Contains(bucketNames, name) || slices.Contains(stdlibNames, name) {
			t.Errorf("%s: package %s: a package is named after what it is about, and shadows "+
				"none of the standard library",
				s.path(), name)
		}
	}
}

func TestNoMocks(t *testing.T) {
	for _, s := range parsed(t) {
		if strings.Contains(strings.ToLower(s.name), "mock") {
			t.Errorf("%s: tests run on boltstore, not on mocks", s.path())
		}
		for _, decl := range s.file.Decls {
			gen, ok := decl.(*ast.GenDecl)
			if !ok || gen.Tok != token.TYPE {
				continue
			}
			for _, spec := range gen.Specs {
				if name := spec.(*ast.TypeSpec).Name.Name; strings.Contains(strings.ToLower(name), "mock") {
					t.Errorf("%s: type %s: tests run on boltstore, not on mocks", s.path(), name)
				}
			}
		}
	}
}

// clockReaders may ask for the time of day; everybody else is given a clock, for which time.Now may be the default.
var clockReaders = map[string]string{
	"pkg/app/...":                   "it makes the clock that all others are given",
	"functions/...":                 "as app",
	"pkg/store/retry.go":            "time left until a deadline, for pauses between tries",
	"pkg/internal/awsfake/...":      "it waits for a process",
	"pkg/store/boltstore/pace.go":   "how long a commit took",
	"pkg/store/storetest/expiry.go": "items that have expired by the clock of any engine",
	"pkg/apigw/gateway.go":          "deadlines of connections, which are the machine's",
}

func TestClockIsGiven(t *testing.T) {
	for _, s := range parsed(t) {
		if s.test || exempt(clockReaders, s.path()) {
			continue
		}
		ast.Inspect(s.file, func(n ast.Node) bool {
			if assign, ok := n.(*ast.AssignStmt); ok && defaultsClock(assign) {
				return false
			}
			if name := selected(n, "time"); slices.Contains([]string{"Now", "Since", "Until"}, name) {
				t.Errorf("%s uses time.%s: time comes in as now func() time.Time", s.fset.Position(n.Pos()), name)
			}
			return true
		})
	}
}

// defaultsClock reports whether a statement is x.Now = time.Now.
func defaultsClock(a *ast.AssignStmt) bool {
	left, ok := a.Lhs[0].(*ast.SelectorExpr)
	return ok && len(a.Lhs) == 1 && strings.EqualFold(left.Sel.Name, "now") && selected(a.Rhs[0], "time") == "Now"
}

// selected returns the name that an expression selects from a package; "" if it is another expression.
func selected(n ast.Node, pkg string) string {
	sel, ok := n.(*ast.SelectorExpr)
	if !ok {
		return ""
	}
	if id, ok := sel.X.(*ast.Ident); !ok || id.Name != pkg {
		return ""
	}
	return sel.Sel.Name
}

func exempt(patterns map[string]string, name string) bool {
	for pattern := range patterns {
		if matches(pattern, name) {
			return true
		}
	}
	return false
}

func TestModuleStandsAlone(t *testing.T) {
	text, err := os.ReadFile(filepath.Join("..", "go.mod"))
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(text)) {
		first, _, _ := strings.Cut(strings.TrimSpace(line), " ")
		if first == "replace" || first == "exclude" || first == "toolchain" {
			t.Errorf("go.mod: %q: others could not build it with go install", strings.TrimSpace(line))
		}
	}
	if _, err := os.Stat(filepath.Join("..", "vendor")); err == nil {
		t.Error("vendor: dependencies come from go.mod")
	}
}

// topLevel lists the content of the top folder beside names with a dot.
var topLevel = []string{
	"functions", "pkg", "template.yaml", "samconfig.toml", "events", "go.mod", "go.sum", "README.md", "LICENSE",
	"CHANGELOG.md", "docs",
	"CONTRIBUTING.md", "SECURITY.md",
}

func TestTopLevelIsFixed(t *testing.T) {
	for _, name := range strays(t, "..") {
		t.Errorf("%s at the top level: everything lives in one of %v", name, topLevel)
	}
}

// strays lists the files that should not be in a top folder. A leftover build is allowed, and the template that
// functions/gradual writes.
func strays(t *testing.T, dir string) (names []string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		name := e.Name()
		ignored := strings.HasPrefix(name, ".") || path.Ext(name) == ".test" || path.Ext(name) == ".out" ||
			strings.HasPrefix(name, "gradual.yaml")
		if !ignored && !slices.Contains(topLevel, name) && !built(filepath.Join(dir, name)) {
			names = append(names, name)
		}
	}
	return names
}

// built reports whether a file is a program that the Go tool left: it begins like ELF, Mach-O or PE.
func built(name string) bool {
	file, err := os.Open(name)
	if err != nil {
		return false
	}
	defer file.Close()
	magic := make([]byte, 4)
	n, _ := io.ReadFull(file, magic) // a short file or a folder is no program
	begins := func(with string) bool { return n == len(magic) && strings.HasPrefix(string(magic), with) }
	return begins("\x7fELF") || begins("MZ") || begins("\xcf\xfa\xed\xfe") || begins("\xca\xfe\xba\xbe")
}

func TestBuildsAreNoStrays(t *testing.T) {
	dir := t.TempDir()
	for name, text := range map[string]string{
		"local": "\x7fELF\x02\x01TO" + "DO", "users.exe": "MZ\x90\x00", "README.md": "text", "notes": "text",
		"short": "MZ", "go.mod": "module x",
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Mkdir(filepath.Join(dir, "src"), 0o700); err != nil {
		t.Fatal(err)
	}
	if got := strays(t, dir); !slices.Equal(got, []string{"notes", "short", "src"}) {
		t.Errorf("strays %v", got)
	}
}

// unfinished are marks of work left undone, spelt so that this file does not have them.
var unfinished = []string{"TO" + "DO", "FIX" + "ME", "X" + "XX:", "HA" + "CK:"}

func TestNothingIsLeftUndone(t *testing.T) {
	extensions := []string{
		".go", ".md", ".yaml", ".yml", ".toml", ".json", ".jsonl", ".sh", ".html", ".css", ".mod", "",
	}
	err := walk(func(name string) error {
		if !slices.Contains(extensions, path.Ext(name)) || built(filepath.Join("..", filepath.FromSlash(name))) {
			return nil
		}
		text, err := os.ReadFile(filepath.Join("..", filepath.FromSlash(name)))
		if err != nil {
			return err
		}
		for _, word := range unfinished {
			if strings.Contains(string(text), word) {
				t.Errorf("%s has %s in it: finish it, or write an issue", name, word)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}
