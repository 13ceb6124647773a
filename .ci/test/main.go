// Command test runs go test and lists at its end the tests that did not run: go test does not list them for packages
// that pass.
//
//	go run ./.ci/test [-only NAME,NAME] [flags and packages of go test]
//
// With -only it fails if anything but the tests of these names was not run. The last line counts.
package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"os/exec"
	"slices"
	"strings"
)

// event is a line of go test -json.
type event struct {
	Action, Package, Test, Output, ImportPath string
}

// report collects the output of go test.
type report struct {
	out    io.Writer
	output map[string]*strings.Builder // of tests that have not ended
	ran    int
	notRun []omission
}

// omission is a test, or a part of one, that was not run.
type omission struct{ pkg, test, why string }

func main() {
	args, only := os.Args[1:], []string(nil)
	if len(args) > 1 && args[0] == "-only" {
		only, args = strings.Split(args[1], ","), args[2:]
	}
	code, r := run(args)
	if unexpected := r.tell(only); len(unexpected) > 0 && only != nil && code == 0 {
		fmt.Fprintf(os.Stderr, "FAILED: not run, though nothing but %s may be left out: %s\n",
			strings.Join(only, ", "), strings.Join(unexpected, ", "))
		code = 1
	}
	os.Exit(code)
}

// run runs go test and returns its exit code.
func run(args []string) (code int, r *report) {
	r = &report{out: os.Stdout, output: map[string]*strings.Builder{}}
	cmd := exec.Command("go", append([]string{"test", "-json"}, args...)...)
	cmd.Stderr = os.Stderr
	stdout, err := cmd.StdoutPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1, r
	}
	lines := bufio.NewReader(stdout)
	for {
		line, err := lines.ReadBytes('\n')
		if err != nil {
			break
		}
		r.take(line)
	}
	for _, test := range slices.Sorted(maps.Keys(r.output)) { // these never ended: a time limit or a signal did
		fmt.Fprintf(r.out, "NOT ENDED: %s\n%s", test, r.output[test])
	}
	err = cmd.Wait()
	if failed := (*exec.ExitError)(nil); errors.As(err, &failed) {
		return max(failed.ExitCode(), 1), r
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1, r
	}
	return 0, r
}

// take prints the same as go test without -json: a line for each package, and the output of tests that failed.
func (r *report) take(line []byte) {
	var e event
	if json.Unmarshal(line, &e) != nil {
		_, _ = r.out.Write(line)
		return
	}
	key := e.Package + " " + e.Test
	switch {
	case e.Action == "build-output":
		fmt.Fprint(r.out, e.Output)
	case e.Action == "output" && e.Test == "":
		if text := e.Output; text != "PASS\n" && !strings.HasSuffix(text, "[no test files]\n") {
			fmt.Fprint(r.out, text)
		}
	case e.Action == "output":
		if r.output[key] == nil {
			r.output[key] = &strings.Builder{}
		}
		r.output[key].WriteString(e.Output)
	case e.Test != "" && slices.Contains([]string{"pass", "fail", "skip"}, e.Action):
		r.end(e, r.output[key])
		delete(r.output, key)
	}
}

// end notes the end of a test.
func (r *report) end(e event, output *strings.Builder) {
	text := ""
	if output != nil {
		text = output.String()
	}
	if e.Action == "fail" {
		fmt.Fprint(r.out, text)
	}
	if e.Action != "skip" {
		r.ran++
	}
	why := ""
	for line := range strings.Lines(text) {
		if _, reason, found := strings.Cut(line, "NOT RUN: "); found {
			why = strings.TrimSpace(reason)
		} else if _, reason, found := strings.Cut(line, "_test.go:"); found && e.Action == "skip" && why == "" {
			_, why, _ = strings.Cut(strings.TrimSpace(reason), ": ")
		}
	}
	if e.Action == "skip" || why != "" {
		r.notRun = append(r.notRun, omission{e.Package, e.Test, why})
	}
}

// tell prints the tests that did not run, and returns those of them that may not be left out.
func (r *report) tell(only []string) (unexpected []string) {
	fmt.Fprintf(r.out, "\n%d tests and subtests ran, %d did not, or not whole\n", r.ran, len(r.notRun))
	for _, o := range r.notRun {
		_, pkg, _ := strings.Cut(o.pkg, "/serverless-scim/serverless-scim/")
		fmt.Fprintf(r.out, "NOT RUN  %s %s: %s\n", pkg, o.test, o.why)
		name, _, _ := strings.Cut(o.test, "/")
		if !slices.Contains(only, name) {
			unexpected = append(unexpected, o.test)
		}
	}
	return unexpected
}
