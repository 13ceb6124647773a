package e2e_test

import (
	"bytes"
	"fmt"
	"io"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/serverless-scim/serverless-scim/pkg/internal/awsfake/fakelambda"
)

// cpuGroups is the folder of Linux's control groups for CPU time, version 1.
const cpuGroups = "/sys/fs/cgroup/cpu"

// oneCPU is the memory, in MB, at which Lambda gives a function a whole CPU.
const oneCPU = 1769

// TestColdStartByMemory prints how long the first real request to a new process of the users function takes, with the
// share of a CPU that Lambda gives to each memory setting: a filter on userName, against DynamoDB Local, whose own time
// is in it and is not capped.
func TestColdStartByMemory(t *testing.T) {
	n, _ := strconv.Atoi(os.Getenv(coldStarts))
	if n <= 0 {
		t.Skip("not measured: set " + coldStarts + " to the number of starts, or run .ci/cold-start")
	}
	group := filepath.Join(cpuGroups, "serverless-scim-"+strconv.Itoa(os.Getpid()))
	if err := os.Mkdir(group, 0o755); err != nil {
		t.Skip("not measured: CPU time can't be capped here: ", err)
	}
	t.Cleanup(func() { _ = os.Remove(group) })
	w := deploy(t)
	target := w.Create(t, "cold", "okta")
	base, err := url.Parse(target.BaseURL)
	if err != nil {
		t.Fatal(err)
	}
	event := strings.Replace(get(base.Path+"/Users"), `"headers":{`,
		`"rawQueryString":"filter=userName+eq+%22nobody%22","headers":{"authorization":"Bearer `+target.Token+`",`, 1)
	users := w.functions["users"]
	program := filepath.Join(t.TempDir(), "capped")
	script := fmt.Sprintf("#!/bin/sh\necho $$ >%s/tasks\nexec %s\n", group, users.Program)
	if err := os.WriteFile(program, []byte(script), 0o755); err != nil {
		t.Fatal(err)
	}
	settings := []int{128, 256, 512, 1024, oneCPU}
	times := map[int][]time.Duration{}
	for range n {
		for _, mb := range settings {
			limit(t, group, mb)
			f := &fakelambda.Function{Name: "users", Program: program, Env: users.Env}
			times[mb] = append(times[mb], firstAnswer(t, f, event))
		}
	}
	out := "\n| memory | median | fastest |\n|---|---|---|\n"
	for _, mb := range settings {
		slices.Sort(times[mb])
		out += fmt.Sprintf("| %d MB | %.0f ms | %.0f ms |\n", mb, ms(times[mb][n/2]), ms(times[mb][0]))
	}
	t.Log(out)
}

// limit gives a control group the share of a CPU that comes with so much memory.
func limit(t *testing.T, group string, mb int) {
	t.Helper()
	const period = 20_000 // microseconds
	for file, value := range map[string]int{"cpu.cfs_period_us": period, "cpu.cfs_quota_us": period * mb / oneCPU} {
		if err := os.WriteFile(filepath.Join(group, file), []byte(strconv.Itoa(value)), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// firstAnswer is the time from the start of a process to its answer to a request that has to succeed.
func firstAnswer(t *testing.T, f *fakelambda.Function, event string) time.Duration {
	t.Helper()
	f.Timeout, f.Concurrency, f.Log = 10*time.Second, 1, io.Discard
	defer f.Close()
	begin := time.Now()
	answer, err := f.Invoke(t.Context(), []byte(event))
	took := time.Since(begin)
	if err != nil || !bytes.Contains(answer, []byte(`"statusCode":200`)) {
		t.Fatalf("first request: %v: %s", err, answer)
	}
	return took
}
