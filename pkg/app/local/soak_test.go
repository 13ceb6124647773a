package local_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/serverless-scim/serverless-scim/pkg/app/local"
	"github.com/serverless-scim/serverless-scim/pkg/tenant"
)

// soaked is one tenant of TestSoak, whose only client sends one request after the other.
type soaked struct {
	base, token   string
	users, groups []string
	r             *rand.Rand
	client        *http.Client
	answers       int
	in            bool
}

// ask sends a request, and fails unless the answer has the status.
func (c *soaked) ask(status int, method, path, body string) (map[string]any, error) {
	req, err := http.NewRequest(method, c.base+path, strings.NewReader(body))
	if err != nil {
		return nil, err
	}
	req.Header.Set("Authorization", "Bearer "+c.token)
	req.Header.Set("Content-Type", "application/scim+json")
	res, err := c.client.Do(req)
	if err != nil {
		return nil, err
	}
	defer res.Body.Close()
	raw, err := io.ReadAll(res.Body)
	if err != nil || res.StatusCode != status {
		return nil, fmt.Errorf("%s %s: %d, want %d: %s %w", method, path, res.StatusCode, status, raw, err)
	}
	var o map[string]any
	if len(raw) > 0 {
		err = json.Unmarshal(raw, &o)
	}
	return o, err
}

// fill makes the users and groups of the tenant.
func (c *soaked) fill() error {
	for n := range 20 {
		o, err := c.ask(201, "POST", "/Users", fmt.Sprintf(
			`{"schemas":[%q],"userName":"u%d@example.com","externalId":"x%d","title":"none"}`, userURN, n, n))
		if err != nil {
			return err
		}
		c.users = append(c.users, o["id"].(string))
	}
	for n := range 2 {
		o, err := c.ask(201, "POST", "/Groups", groupBody(fmt.Sprint("g", n), c.users[:10]))
		if err != nil {
			return err
		}
		c.groups = append(c.groups, o["id"].(string))
	}
	return nil
}

// next sends one request of those that identity providers send most.
func (c *soaked) next() (err error) {
	user := c.users[c.r.IntN(len(c.users))]
	switch c.r.IntN(8) {
	case 0, 1:
		_, err = c.ask(200, "PATCH", "/Users/"+user, patchBody(fmt.Sprintf(
			`{"op":"replace","path":"title","value":"Title %d"}`, c.r.Uint32())))
	case 2:
		op := `{"op":"remove","path":"members[value eq \"` + c.users[19] + `\"]"}`
		if c.in = !c.in; c.in {
			op = `{"op":"add","path":"members","value":` + members(c.users[19:]) + `}`
		}
		_, err = c.ask(200, "PATCH", "/Groups/"+c.groups[0]+"?excludedAttributes=members", patchBody(op))
	case 3, 4:
		_, err = c.ask(200, "GET", "/Users/"+user, "")
	case 5, 6:
		_, err = c.ask(200, "GET", fmt.Sprintf("/Users?filter=externalId+eq+%%22x%d%%22", c.r.IntN(20)), "")
	default:
		_, err = c.ask(200, "GET", "/Groups?count=10&excludedAttributes=members", "")
	}
	if err == nil {
		c.answers++
	}
	return err
}

// size is what a server occupies at rest. file is in bytes for each answer of the busiest three parts so far: a file
// does not become smaller, and holds the entries of two to three parts.
type size struct{ heap, file, goroutines int64 }

// TestSoak has a client of each of 100 tenants send one request after the other for as long as TEST_SOAK says. Every
// answer is the right one; memory, goroutines and the file do not grow, once entries of logs end as fast as new ones
// come; and no tenant is served much less than another. The clock goes on by twelve hours between the parts of it, and
// entries are kept for a day. Users are made before: a member who has left is kept for 90 days.
func TestSoak(t *testing.T) {
	length, err := time.ParseDuration(os.Getenv("TEST_SOAK"))
	if err != nil {
		t.Skip("NOT RUN: a load of minutes at the limit of the machine; set TEST_SOAK=10m")
	}
	const tenants, parts = 100, 20
	data := t.TempDir()
	var passed atomic.Int64 // the background reads the clock, too
	s, err := local.Open(t.Context(), local.Options{
		Engine: "bolt", Data: data, Log: io.Discard, Out: io.Discard,
		Now: func() time.Time { return someDay.Add(time.Duration(passed.Load())) },
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	o := operator{t, s}
	server := httptest.NewServer(s.Handler())
	t.Cleanup(server.Close)
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: tenants}}
	var all []*soaked
	for n := range tenants {
		id := fmt.Sprintf("soak-%d", n)
		_, token, err := s.Tenants().Create(t.Context(), tenant.NewTenant{ID: id, Name: id, IdP: "generic"})
		if err != nil {
			t.Fatal(err)
		}
		o.must(200, "PATCH", "/tenants/"+id, `{"settings":{"log":{"retentionDays":1},"events":{"retentionDays":1}}}`)
		c := &soaked{
			base: server.URL + "/scim/v2/" + id, token: token.Value, client: client,
			r: rand.New(rand.NewPCG(1, uint64(n))),
		}
		if err := c.fill(); err != nil {
			t.Fatal(err)
		}
		all = append(all, c)
	}
	sizes, busiest, done := make([]size, parts), 0, []int{0, 0, 0}
	for i := range sizes {
		var g sync.WaitGroup
		until := time.Now().Add(length / parts)
		for _, c := range all {
			g.Go(func() {
				for err := error(nil); err == nil && time.Now().Before(until); {
					if err = c.next(); err != nil {
						t.Error(err)
					}
				}
			})
		}
		g.Wait()
		if sizes[i] = rest(t, s, data); t.Failed() {
			return
		}
		passed.Add(int64(12 * time.Hour))
		done = append(done, sum(all))
		t.Logf("part %d: %d answers, heap %d KB, file %d KB, %d goroutines", i, sum(all), sizes[i].heap>>10,
			sizes[i].file>>10, sizes[i].goroutines)
		busiest = max(busiest, done[len(done)-1]-done[len(done)-4])
		sizes[i].file /= int64(busiest)
	}
	least, most := slices.MinFunc(all, byAnswers).answers, slices.MaxFunc(all, byAnswers).answers
	t.Logf("%d answers in %s, %d to %d a tenant", sum(all), length, least, most)
	if least < most/2 {
		t.Errorf("a tenant got %d answers, another %d", least, most)
	}
	before, after := mean(sizes[parts/2-5:parts/2]), mean(sizes[parts-5:])
	for _, grown := range []struct {
		what          string
		before, after int64
	}{
		{"heap", before.heap, after.heap},
		{"file for each answer", before.file, after.file},
		{"goroutines", before.goroutines, after.goroutines},
	} {
		if grown.after > grown.before+grown.before/2 {
			t.Errorf("%s has grown from %d to %d", grown.what, grown.before, grown.after)
		}
	}
}

// rest waits until nothing is left to be done in the background, and measures.
func rest(t *testing.T, s *local.Server, data string) size {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	if err := s.Settle(ctx); err != nil {
		t.Fatal(err)
	}
	file, err := os.Stat(filepath.Join(data, "scim.db"))
	if err != nil {
		t.Fatal(err)
	}
	runtime.GC()
	runtime.GC() // pools are emptied by the second
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return size{int64(m.HeapAlloc), file.Size(), int64(runtime.NumGoroutine())}
}

func byAnswers(a, b *soaked) int { return a.answers - b.answers }

func sum(all []*soaked) (n int) {
	for _, c := range all {
		n += c.answers
	}
	return n
}

func mean(all []size) (m size) {
	for _, s := range all {
		m.heap, m.file, m.goroutines = m.heap+s.heap, m.file+s.file, m.goroutines+s.goroutines
	}
	n := int64(len(all))
	return size{m.heap / n, m.file / n, m.goroutines / n}
}
