package bench_test

import (
	"bytes"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/serverless-scim/serverless-scim/pkg/app/bench"
)

// line is what benchstat reads.
var line = regexp.MustCompile(`^BenchmarkOperation/(\S+)/(users|members)=(\d+) \t\d+\t\d+ ns/op\t\d+ p99-ns\t(\S+) calls/op\t(\S+) read/op\t(\S+) write/op\t\d+ allocs/op$`)

// growing are the operations that may cost more in a large tenant: a jump reads a part of a shard, a filter without an index reads all users, a
// group that is deleted takes a page of its members along.
var growing = map[string]bool{
	"jump_to_any_startIndex": true, "filter_without_an_index": true, "DELETE_group": true,
	"filter_without_an_index,_on_groups_of_users": true, "sort_without_an_index": true, "search_of_all_types": true,
}

// TestCostIsFlat: every other operation costs the same calls and units at each size. A page of users reads one group more where it has a
// user who is in it, which is a matter of chance.
func TestCostIsFlat(t *testing.T) {
	var out, progress bytes.Buffer
	args := []string{"-users", "200,1000", "-members", "10,2000", "-n", "3", "-format", "benchstat"}
	if err := bench.Run(t.Context(), args, &out, &progress); err != nil {
		t.Fatal(err)
	}
	costs := map[string]string{}
	for text := range strings.Lines(out.String()) {
		m := line.FindStringSubmatch(strings.TrimSuffix(text, "\n"))
		if m == nil {
			t.Fatalf("benchstat can't read %q", text)
		}
		name, cost := m[1], fmt.Sprintf("%s calls, %s read, %s write", m[4], m[5], m[6])
		if smaller, there := costs[name]; there && smaller != cost && !growing[name] && !strings.Contains(name, "page") {
			t.Errorf("%s: %s in a small tenant, %s in a large one", name, smaller, cost)
		}
		if strings.Contains(name, "page") {
			if read, err := strconv.ParseFloat(m[5], 64); err != nil || read > 30 {
				t.Errorf("%s: %s", name, cost)
			}
		}
		costs[name] = cost
	}
	if len(costs) < 39 {
		t.Errorf("only %d operations were measured: %v", len(costs), costs)
	}
	if !strings.Contains(progress.String(), "100%") {
		t.Errorf("the progress bar does not end: %q", progress.String())
	}
}

func TestTable(t *testing.T) {
	var out, progress bytes.Buffer
	if err := bench.Run(t.Context(), []string{"-users", "100", "-members", "10", "-n", "1", "-latency", "1us"}, &out, &progress); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"at 100 users", "at 10 members", "us-east-1", "$/M", "create user ", "add one member "} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("the table lacks %q:\n%s", want, out.String())
		}
	}
}

func TestManyClients(t *testing.T) {
	var out, progress bytes.Buffer
	if err := bench.Run(t.Context(), []string{"-users", "100,200", "-n", "4", "-clients", "16"}, &out, &progress); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"16 clients", "at 100 / 200 users", "requests/s", "create user ", "add a member, all to one group ", "DELETE user "} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("the table lacks %q:\n%s", want, out.String())
		}
	}
}

func TestFlags(t *testing.T) {
	for _, args := range [][]string{
		{"-users", "x"},
		{"-users", "5"},
		{"-members", "0"},
		{"-members", ""},
		{"-n", "0"},
		{"-clients", "-1"},
		{"-format", "xml"},
		{"more"},
		{"-engine", "none"},
		{"-latency", "-1s"},
		{"-latency", "1ms", "-clients", "2"},
		{"-latency", "1ms", "-engine", "dynamodb"},
	} {
		var out, errs bytes.Buffer
		if err := bench.Run(t.Context(), args, &out, &errs); err == nil {
			t.Errorf("bench %v was taken: %s", args, out.String())
		}
	}
}
