package e2e_test

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/serverless-scim/serverless-scim/pkg/app"
	"github.com/serverless-scim/serverless-scim/pkg/internal/awsfake/fakelambda"
)

// coldStarts is the variable that asks for TestColdStart: the number of starts of each function.
const coldStarts = "COLD_STARTS"

// maxBytes is how large the program of a function behind a SCIM route may be, for arm64.
const maxBytes = 9_000_000

// program is a program to start, with its measurements.
type program struct {
	name, event, want string
	env               []string
	// bytes is its size for arm64; memory the most that a process had after the first answer.
	bytes, memory int64
	times         []time.Duration
}

// TestColdStart prints size, time from start to the first answer and memory of each function, beside those of a
// function that does nothing. The first request is one that calls nobody: for the SCIM functions, one without a token.
func TestColdStart(t *testing.T) {
	n, _ := strconv.Atoi(os.Getenv(coldStarts))
	if n <= 0 {
		t.Skip("NOT RUN: nothing is measured: set " + coldStarts + " to the number of starts, or run .ci/cold-start")
	}
	dir := t.TempDir()
	programs := everyProgram()
	build(t, dir, programs)
	for range n { // in turn, so that other load of the machine falls on all alike
		for _, p := range programs {
			p.start(t, filepath.Join(dir, p.name))
		}
	}
	var out strings.Builder
	fmt.Fprintf(&out, "%d starts each, %s on %d CPUs\n\n", n, runtime.GOARCH, runtime.NumCPU())
	fmt.Fprintln(&out, "| function | size, arm64 | median | fastest | of hello | memory |\n|---|---|---|---|---|---|")
	for _, p := range programs {
		slices.Sort(p.times)
		median := p.times[n/2]
		fmt.Fprintf(&out, "| %s | %.2f MB | %.1f ms | %.1f ms | %.2f | %.1f MB |\n", p.name,
			float64(p.bytes)/1e6, ms(median), ms(p.times[0]),
			float64(median)/float64(programs[0].times[n/2]), float64(p.memory)/1e6)
		if strings.HasPrefix(p.event, `{"version"`) && p.bytes > maxBytes {
			t.Errorf("%s has %d bytes, more than %d", p.name, p.bytes, maxBytes)
		}
	}
	t.Log("\n" + out.String())
}

func ms(d time.Duration) float64 { return float64(d) / 1e6 }

// first is the first request to each function, one that calls nobody, and a part of its answer.
var first = map[string]struct{ event, want string }{
	"users":     {get("/scim/v2/acme/Users"), `"statusCode":401`},
	"groups":    {get("/scim/v2/acme/Groups"), `"statusCode":401`},
	"bulk":      {get("/scim/v2/acme"), `"statusCode":401`},
	"discovery": {get("/scim/v2/acme/Schemas"), `"statusCode":401`},
	"oauth":     {get("/oauth2/acme/token"), `"statusCode":405`},
	"admin":     {get("/admin/v1/none"), `"statusCode":404`},
	"portal":    {get("/portal/none"), `"statusCode":404`},
	"stream":    {`{"Records":[]}`, `"batchItemFailures"`},
	"rotate":    {`{"source":"aws.ses","detail":{}}`, `null`},
}

// get is the event of a request without a token.
func get(path string) string {
	return `{"version":"2.0","routeKey":"$default","rawPath":"` + path + `","headers":{"host":"scim.example.com"},` +
		`"requestContext":{"requestId":"JKJaXmPLvHcESHA=","stage":"$default","domainName":"scim.example.com",` +
		`"http":{"method":"GET","path":"` + path + `"}}}`
}

// everyProgram returns the function that does nothing, and after it all of the template.
func everyProgram() []*program {
	all := []*program{{name: "hello", event: "{}", want: "hello"}}
	for _, f := range app.Functions() {
		p := &program{name: f.Name, event: first[f.Name].event, want: first[f.Name].want, env: []string{
			"AWS_REGION=us-east-1", "AWS_ACCESS_KEY_ID=id", "AWS_SECRET_ACCESS_KEY=secret",
			"AWS_ENDPOINT_URL_DYNAMODB=http://127.0.0.1:1",
		}}
		known := variables("none")
		for _, name := range f.Env {
			p.env = append(p.env, name+"="+known[name])
		}
		all = append(all, p)
	}
	return all
}

// build compiles all for this machine into dir, and notes their sizes for arm64.
func build(t *testing.T, dir string, programs []*program) {
	t.Helper()
	packages := []string{"./pkg/app/e2e/testdata/hello"}
	for _, p := range programs[1:] {
		packages = append(packages, "./functions/"+p.name)
	}
	arm := t.TempDir()
	for arch, dir := range map[string]string{"arm64": arm, runtime.GOARCH: dir} {
		err := fakelambda.BuildFor(t.Context(), arch, filepath.Join("..", "..", ".."), dir, packages...)
		if err != nil {
			t.Fatal(err)
		}
	}
	if runtime.GOARCH == "arm64" {
		arm = dir
	}
	for _, p := range programs {
		info, err := os.Stat(filepath.Join(arm, p.name))
		if err != nil {
			t.Fatal(err)
		}
		p.bytes = info.Size()
	}
}

// start runs the program up to its first answer.
func (p *program) start(t *testing.T, path string) {
	t.Helper()
	f := &fakelambda.Function{
		Name: p.name, Program: path, Env: p.env, Timeout: 10 * time.Second, Concurrency: 1,
		Log: io.Discard,
	}
	defer f.Close()
	begin := time.Now()
	answer, err := f.Invoke(t.Context(), []byte(p.event))
	p.times = append(p.times, time.Since(begin))
	if err != nil {
		t.Fatalf("%s: %v", p.name, err)
	}
	if !bytes.Contains(answer, []byte(p.want)) {
		t.Fatalf("%s answered %s, want %s in it", p.name, answer, p.want)
	}
	if p.memory, err = f.Peak(); err != nil {
		t.Logf("memory of %s: %v", p.name, err)
	}
}
