package local_test

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/serverless-scim/serverless-scim/pkg/app/local"
	"github.com/serverless-scim/serverless-scim/pkg/tenant"
)

// BenchmarkStorm measures the time of one tenant's requests, 25 a second, alone and while 16 clients of another tenant
// send as fast as they get answers. Both are measured in turns of 50 requests, so that other load of the machine falls
// on both alike. The bounds of tenants are those of a stack by default, or none. A client of the storm waits when it is
// told so, or never does.
func BenchmarkStorm(b *testing.B) {
	for _, c := range []struct {
		name, bounds string
		waits        bool
	}{
		{"bounds, and the storm waits", "25,100,200,1000", true},
		{"bounds, and the storm never waits", "25,100,200,1000", false},
		{"no bounds", "", false},
	} {
		b.Run(c.name, func(b *testing.B) { storm(b, c.bounds, c.waits) })
	}
}

func storm(b *testing.B, limits string, waits bool) {
	o := quiet()
	o.Limits = bounds(limits)
	s := local.New(o, memory(b), io.NopCloser(nil))
	b.Cleanup(func() { _ = s.Close() })
	server := httptest.NewServer(s.Handler())
	b.Cleanup(server.Close)
	tokens, ids := map[string]string{}, map[string]string{}
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 100}}
	send := func(id, method, path, body string) (int, string) {
		req, err := http.NewRequest(method, server.URL+"/scim/v2/"+id+path, strings.NewReader(body))
		if err != nil {
			b.Error(err)
			return 0, ""
		}
		req.Header.Set("Authorization", "Bearer "+tokens[id])
		req.Header.Set("Content-Type", "application/scim+json")
		res, err := client.Do(req)
		if err != nil {
			b.Error(err)
			return 0, ""
		}
		defer res.Body.Close()
		raw, _ := io.ReadAll(res.Body)
		return res.StatusCode, string(raw)
	}
	for _, id := range []string{"calm", "loud"} {
		_, token, err := s.Tenants().Create(b.Context(), tenant.NewTenant{ID: id, Name: id, IdP: "generic"})
		if err != nil {
			b.Fatal(err)
		}
		tokens[id] = token.Value
		status, made := send(id, "POST", "/Users", fmt.Sprintf(`{"schemas":[%q],"userName":"ann"}`, userURN))
		if status != 201 {
			b.Fatal(status, made)
		}
		ids[id] = strings.Split(strings.Split(made, `"id":"`)[1], `"`)[0]
	}
	title := func(id string, n int) (int, string) {
		return send(id, "PATCH", "/Users/"+ids[id], patchBody(fmt.Sprintf(`{"op":"replace","path":"title","value":"%d"}`, n)))
	}
	var times [2][]time.Duration
	var sent, refused atomic.Int64
	turn := func(at, requests int) {
		for n := range requests {
			begin := time.Now()
			status := 0
			if n%2 == 0 {
				status, _ = title("calm", n)
			} else {
				status, _ = send("calm", "GET", "/Users/"+ids["calm"], "")
			}
			times[at] = append(times[at], time.Since(begin))
			if status != 200 {
				b.Errorf("the calm tenant: %d", status)
			}
			time.Sleep(max(0, 40*time.Millisecond-time.Since(begin)))
		}
	}
	for left := b.N; left > 0; left -= 50 {
		turn(0, min(left, 50))
		var over atomic.Bool
		var g sync.WaitGroup
		for k := range 16 {
			g.Go(func() {
				for n := k; !over.Load(); n += 16 {
					status, _ := title("loud", n)
					if sent.Add(1); status == http.StatusTooManyRequests {
						if refused.Add(1); waits {
							for wait := time.Now().Add(time.Second); !over.Load() && time.Now().Before(wait); {
								time.Sleep(10 * time.Millisecond)
							}
						}
					}
				}
			})
		}
		turn(1, min(left, 50))
		over.Store(true)
		g.Wait()
	}
	for at, name := range []string{"alone", "storm"} {
		slices.Sort(times[at])
		for _, q := range []int{50, 99} {
			t := times[at][len(times[at])*q/100]
			b.ReportMetric(float64(t.Microseconds())/1000, fmt.Sprintf("ms-p%d-%s", q, name))
		}
	}
	b.ReportMetric(float64(sent.Load()), "sent")
	b.ReportMetric(float64(refused.Load()), "refused")
	b.ReportMetric(0, "ns/op")
}
