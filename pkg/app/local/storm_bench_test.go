package local_test

import (
	"bufio"
	"cmp"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/serverless-scim/serverless-scim/pkg/app/local"
)

const (
	// stormVar makes a process of the test the clients of a storm: the URL of the tenant, its token, the kind of its
	// requests, the number of clients, whether they wait as they are told, and ids of users.
	stormVar = "LOCAL_TEST_STORM"
	// runnerVar is the command that runs the clients. By default they have the lowest priority, as far as there is one:
	// in production other machines run them.
	runnerVar = "LOCAL_TEST_STORM_RUNNER"
	// stormTurn is the length of a window of the limits of a stack.
	stormTurn = 4 * time.Second
	// calmTenants send calmRate requests a second together.
	calmTenants, calmRate = 40, 80
)

// BenchmarkStorm measures the times of 40 tenants who send 80 requests a second together, at random times, alone and
// beside a storm: the clients of another tenant, with 5,000 users, who send as fast as they get answers. Those are a
// process of their own. Both are measured in turns of a window, so that other load of the machine falls on both alike.
func BenchmarkStorm(b *testing.B) {
	const limits = "25,100,200,1000"
	for _, c := range []struct{ name, limits, kind, clients, waits string }{
		{"16 clients change users, and wait", limits, "change", "16", "true"},
		{"16 clients change users", limits, "change", "16", "false"},
		{"64 clients change users", limits, "change", "64", "false"},
		{"64 clients list users", limits, "list", "64", "false"},
		{"16 clients filter without an index", limits, "filter", "16", "false"},
		{"16 clients change users, no limits", "", "change", "16", "false"},
	} {
		b.Run(c.name, func(b *testing.B) { storm(b, c.limits, c.kind, c.clients, c.waits) })
	}
}

func storm(b *testing.B, limits, kind, clients, waits string) {
	engine := memory(b)
	fill := local.New(quiet(), engine, io.NopCloser(nil)) // it has no limits
	b.Cleanup(func() { _ = fill.Close() })
	loud := tenantOn(b, fill, "loud", "generic")
	users := loud.users(5000)
	var calm []*api
	var ids []string
	for n := range calmTenants {
		a := tenantOn(b, fill, fmt.Sprint("calm", n), "generic")
		calm, ids = append(calm, a), append(ids, a.user("ann"))
	}
	o := quiet()
	o.Limits = bounds(limits)
	s := local.New(o, engine, io.NopCloser(nil))
	b.Cleanup(func() { _ = s.Close() })
	server := httptest.NewServer(s.Handler())
	b.Cleanup(server.Close)
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 100}}
	url := func(tenantID string) string { return server.URL + "/scim/v2/" + tenantID }
	one := func() time.Duration {
		n, method := rand.IntN(calmTenants), "GET"
		if rand.IntN(2) == 0 {
			method = "PATCH"
		}
		begin := time.Now()
		status, err := stormSend(client, method, url(fmt.Sprint("calm", n))+"/Users/"+ids[n], calm[n].token)
		took := time.Since(begin)
		if status != http.StatusOK {
			b.Errorf("a calm tenant: %d %v", status, err)
		}
		return took
	}
	tell := startStorm(b, append([]string{url("loud"), loud.token, kind, clients, waits}, users[:50]...))
	var times [2][]time.Duration
	for len(times[1]) < b.N {
		times[0] = append(times[0], calmly(one)...)
		tell("on")
		times[1] = append(times[1], calmly(one)...)
		tell("off")
	}
	for at, name := range []string{"alone", "storm"} {
		slices.Sort(times[at])
		for _, q := range []int{50, 99} {
			t := times[at][len(times[at])*q/100]
			b.ReportMetric(float64(t.Microseconds())/1000, fmt.Sprintf("ms-p%d-%s", q, name))
		}
	}
	counts := strings.Fields(tell("count"))
	for i, name := range []string{"sent", "refused"} {
		n, err := strconv.ParseFloat(counts[i], 64)
		if err != nil {
			b.Fatal(err)
		}
		b.ReportMetric(n, name)
	}
	b.ReportMetric(0, "ns/op")
}

// calmly sends requests at random times for one turn, from the beginning of a window.
func calmly(one func() time.Duration) (times []time.Duration) {
	var mu sync.Mutex
	var all sync.WaitGroup
	begin := time.Now().Truncate(stormTurn).Add(stormTurn)
	for at := begin; at.Sub(begin) < stormTurn-200*time.Millisecond; {
		time.Sleep(time.Until(at))
		all.Go(func() {
			took := one()
			mu.Lock()
			defer mu.Unlock()
			times = append(times, took)
		})
		at = at.Add(time.Duration(rand.ExpFloat64() / calmRate * float64(time.Second)))
	}
	all.Wait()
	return times
}

// startStorm starts the process of the clients. tell tells them to go on, to stop, or to count, and returns the answer.
func startStorm(b *testing.B, args []string) (tell func(string) string) {
	b.Helper()
	run := strings.Fields(cmp.Or(os.Getenv(runnerVar), "nice -n 19"))
	if _, err := exec.LookPath(run[0]); err != nil {
		run = nil
	}
	run = append(run, os.Args[0])
	cmd := exec.CommandContext(b.Context(), run[0], run[1:]...)
	cmd.Env = append(os.Environ(), stormVar+"="+strings.Join(args, " "))
	cmd.Stderr = os.Stderr
	in, errIn := cmd.StdinPipe()
	out, errOut := cmd.StdoutPipe()
	if err := cmp.Or(errIn, errOut); err != nil {
		b.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = in.Close(); _ = cmd.Wait() })
	lines := bufio.NewScanner(out)
	return func(word string) string {
		if _, err := fmt.Fprintln(in, word); err != nil || !lines.Scan() {
			b.Fatalf("the storm has ended: %v", err)
		}
		return lines.Text()
	}
}

// runStorm is the process of the clients, until its input ends.
func runStorm(args []string) {
	url, token, kind, waits, ids := args[0], args[1], args[2], args[4] == "true", args[5:]
	clients, _ := strconv.Atoi(args[3])
	method, path := "GET", "/Users?count=100"
	switch kind {
	case "change":
		method = "PATCH"
	case "filter":
		path = "/Users?count=10&filter=title+eq+%22none%22"
	}
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: clients}}
	var on atomic.Bool
	var sent, refused atomic.Int64
	for k := range clients {
		go func() {
			for n := k; ; n++ {
				for !on.Load() {
					time.Sleep(10 * time.Millisecond)
				}
				to := url + path
				if kind == "change" {
					to = url + "/Users/" + ids[n%len(ids)]
				}
				status, _ := stormSend(client, method, to, token)
				if sent.Add(1); status == http.StatusTooManyRequests {
					if refused.Add(1); waits {
						time.Sleep(time.Second)
					}
				}
			}
		}()
	}
	for words := bufio.NewScanner(os.Stdin); words.Scan(); {
		if word := words.Text(); word != "count" {
			on.Store(word == "on")
		}
		fmt.Println(sent.Load(), refused.Load())
	}
}

// stormSend sends a request, a change if it is a PATCH, and reads the answer.
func stormSend(client *http.Client, method, url, token string) (status int, err error) {
	var body io.Reader
	if method == "PATCH" {
		body = strings.NewReader(patchBody(fmt.Sprintf(`{"op":"replace","path":"title","value":"%d"}`, rand.Int())))
	}
	req, err := http.NewRequest(method, url, body)
	if err != nil {
		return 0, err
	}
	req.Header.Set("Authorization", "Bearer "+token)
	req.Header.Set("Content-Type", "application/scim+json")
	res, err := client.Do(req)
	if err != nil {
		return 0, err
	}
	defer res.Body.Close()
	_, err = io.Copy(io.Discard, res.Body)
	return res.StatusCode, err
}
