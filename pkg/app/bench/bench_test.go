package bench_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/serverless-scim/serverless-scim/pkg/app/bench"
)

// line matches a line of the format of benchstat.
var line = regexp.MustCompile(`^BenchmarkOperation/(\S+)/(users|members|rules)=(\d+) \t\d+\t\d+ ns/op\t\d+ p99-ns\t(\S+) ` +
	`calls/op\t(\S+) read/op\t(\S+) write/op\t\d+ allocs/op$`)

// growing are the operations that may cost more in a large tenant: a jump reads a part of a shard, a filter without an
// index reads all users, a group that is deleted takes a page of its members along.
var growing = map[string]bool{
	"jump_to_any_startIndex": true, "filter_without_an_index": true, "DELETE_group": true,
	"filter_without_an_index,_on_groups_of_users": true, "sort_without_an_index": true, "search_of_all_types": true,
	// Pages that count or look through something, and pages of groups that are not full in a small tenant.
	"portal_start": true, "portal_connect": true, "portal_members,_a_part_of_a_name": true, "portal_groups": true,
	"portal_groups,_a_grammar": true, "portal_try,_a_whole_name": true, "portal_member": true, "portal_members": true,
}

// TestCostIsFlat: every other operation costs the same calls and units at each size, give or take one. A page of
// users reads one group more if one of its users is in it, which is a matter of chance.
func TestCostIsFlat(t *testing.T) {
	var out, progress bytes.Buffer
	o := of([]int{200, 1000}, []int{10, 2000}, 3)
	o.Format = "benchstat"
	if err := bench.Run(t.Context(), o, bench.Output{Out: &out, Log: io.Discard, Progress: &progress}); err != nil {
		t.Fatal(err)
	}
	costs := map[string]string{}
	for text := range strings.Lines(out.String()) {
		m := line.FindStringSubmatch(strings.TrimSuffix(text, "\n"))
		if m == nil {
			t.Fatalf("benchstat can't read %q", text)
		}
		name, cost := m[1], fmt.Sprintf("%s calls, %s read, %s write", m[4], m[5], m[6])
		varies := growing[name] || strings.Contains(name, "page") || strings.HasPrefix(name, "publish") ||
			strings.Contains(name, "in_turn")
		callsOnly := strings.HasPrefix(name, "portal") || strings.HasPrefix(name, "events")
		if smaller, there := costs[name]; there && !near(smaller, cost, callsOnly) && !varies {
			t.Errorf("%s: %s in a small tenant, %s in a large one", name, smaller, cost)
		}
		if strings.Contains(name, "page") && !strings.HasPrefix(name, "members") {
			if read, err := strconv.ParseFloat(m[5], 64); err != nil || read > 30 {
				t.Errorf("%s: %s", name, cost)
			}
		}
		costs[name] = cost
	}
	if len(costs) < 62 {
		t.Errorf("only %d operations were measured: %v", len(costs), costs)
	}
	if !strings.Contains(progress.String(), "100%") {
		t.Errorf("the progress bar does not end: %q", progress.String())
	}
}

// near reports whether two costs differ by one of each at most: publication, which goes on beside a request, may make
// it try again, and the last unit depends on how long texts are. With callsOnly the units don't count: what pages show
// grows with the time of the run, and how many events an entry of the log has depends on who published at that moment.
func near(a, b string, callsOnly bool) bool {
	var x, y [3]float64
	const form = "%f calls, %f read, %f write"
	_, errA := fmt.Sscanf(a, form, &x[0], &x[1], &x[2])
	_, errB := fmt.Sscanf(b, form, &y[0], &y[1], &y[2])
	for i := range x {
		if math.Abs(x[i]-y[i]) > 1 && (i == 0 || !callsOnly) {
			return false
		}
	}
	return errA == nil && errB == nil
}

// run measures, and returns the printed text.
func run(t *testing.T, o bench.Options) string {
	t.Helper()
	var out bytes.Buffer
	if err := bench.Run(t.Context(), o, bench.Output{Out: &out, Log: io.Discard, Progress: io.Discard}); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

// of are the options of a run in memory.
func of(users, members []int, samples int) bench.Options {
	return bench.Options{
		Engine: "bolt", Data: ":memory:", IdP: "okta", Users: users, Members: members, Samples: samples,
		Format: "table",
	}
}

func TestTable(t *testing.T) {
	o := of([]int{100}, []int{10}, 1)
	o.Latency = time.Microsecond
	out := run(t, o)
	for _, want := range []string{
		"at 100 users", "at 10 members", "at 10 / 100 / 500 rules", "us-east-1", "$/M", "create user ",
		"add one member ",
	} {
		if !strings.Contains(out, want) {
			t.Errorf("the table lacks %q:\n%s", want, out)
		}
	}
}

func TestManyClients(t *testing.T) {
	o := of([]int{200, 100, 100}, []int{10}, 4)
	o.Clients = 16
	out := run(t, o)
	for _, want := range []string{
		"16 clients", "at 100 / 200 users", "requests/s", "create user ",
		"add a member, all to one group ", "DELETE user ",
	} {
		if !strings.Contains(out, want) {
			t.Errorf("the table lacks %q:\n%s", want, out)
		}
	}
}

// TestJSON: a program reads the same from one document.
func TestJSON(t *testing.T) {
	type document struct {
		Operations []struct {
			Name, Kind string
			Sizes      []struct {
				Size, Requests           int
				P50Ms, Calls, AllDollars float64
				RequestsPerSecond        float64
			}
		}
	}
	for clients, want := range map[int]int{0: 62, 2: 12} {
		o := of([]int{100}, []int{10}, 2)
		o.Clients, o.Format = clients, "json"
		var d document
		if err := json.Unmarshal([]byte(run(t, o)), &d); err != nil {
			t.Fatal(err)
		}
		if len(d.Operations) < want {
			t.Errorf("%d clients: %d operations", clients, len(d.Operations))
		}
		for _, op := range d.Operations {
			s := op.Sizes[0]
			costs := s.Calls > 0 && s.AllDollars > 0
			if op.Name == "" || s.Size == 0 || s.Requests == 0 || costs != (clients == 0 && op.Kind != "rules") ||
				(s.RequestsPerSecond > 0) != (clients > 0) {
				t.Errorf("%d clients: %+v", clients, op)
			}
		}
	}
}

func TestCheck(t *testing.T) {
	good := of([]int{100}, []int{10}, 1)
	if err := good.Check(); err != nil {
		t.Error(err)
	}
	for name, change := range map[string]func(o *bench.Options){
		"-users":   func(o *bench.Options) { o.Users = []int{5} },
		"-members": func(o *bench.Options) { o.Members = []int{} },
		"-n":       func(o *bench.Options) { o.Samples = 0 },
		"-clients": func(o *bench.Options) { o.Clients = -1 },
		"-format":  func(o *bench.Options) { o.Clients, o.Format = 2, "benchstat" },
		"-latency": func(o *bench.Options) { o.Latency, o.Clients = time.Millisecond, 2 },
	} {
		o := good
		change(&o)
		if err := o.Check(); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
