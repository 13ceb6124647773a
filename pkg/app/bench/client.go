package bench

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"runtime"
	"strings"
	"time"

	"github.com/serverless-scim/serverless-scim/pkg/store"
)

// client sends requests to the server in this process as one tenant.
type client struct {
	handler http.Handler
	// base is that of SCIM requests, admin that of requests to the admin API.
	base, admin, token string
	// cookie is that of a session in the portal; "" before the first page.
	cookie string
}

// request is a request to send; want is the status to expect, 0 for any success.
type request struct {
	method, path, body string
	want               int
	admin              bool // to the admin API
	page               bool // of the portal
}

// sample is the cost of one request.
type sample struct {
	store.Cost
	time        time.Duration
	allocations uint64
	body        []byte
}

// answer is an http.ResponseWriter that keeps the response.
type answer struct {
	header http.Header
	status int
	body   bytes.Buffer
}

func (a *answer) Header() http.Header { return a.header }

func (a *answer) WriteHeader(status int) {
	if a.status == 0 {
		a.status = status
	}
}

func (a *answer) Write(p []byte) (int, error) {
	a.WriteHeader(http.StatusOK)
	return a.body.Write(p)
}

// send sends a request. With count it counts allocations, which is slow.
func (c *client) send(ctx context.Context, r request, count bool) (sample, error) {
	base, format := c.base, "application/scim+json"
	if r.admin {
		base, format = c.admin, "application/json"
	}
	if r.page {
		base = here
	}
	ctx, meter := store.WithMeter(ctx)
	hr, err := http.NewRequestWithContext(ctx, r.method, base+r.path, strings.NewReader(r.body))
	if err != nil {
		return sample{}, err
	}
	hr.RemoteAddr = "127.0.0.1:1"
	if r.page {
		hr.Header.Set("Cookie", c.cookie)
		hr.Header.Set("Accept-Encoding", "gzip")
	} else {
		hr.Header.Set("Authorization", "Bearer "+c.token)
	}
	if r.body != "" {
		hr.Header.Set("Content-Type", format)
	}
	a := &answer{header: http.Header{}}
	var before, after runtime.MemStats
	if count {
		runtime.ReadMemStats(&before)
	}
	begin := time.Now()
	c.handler.ServeHTTP(a, hr)
	s := sample{time: time.Since(begin), body: a.body.Bytes()}
	if count {
		runtime.ReadMemStats(&after)
		s.allocations = after.Mallocs - before.Mallocs
	}
	if a.status != r.want && (r.want != 0 || a.status >= 300) {
		return s, fmt.Errorf("%s %s: status %d: %.500s", r.method, r.path, a.status, s.body)
	}
	if r.admin || r.page {
		s.Cost = meter.Total()
		return s, nil
	}
	cost := a.header.Get("Scim-Cost")
	if _, err := fmt.Sscanf(cost, "calls=%d, read=%f, write=%f", &s.Calls, &s.ReadUnits, &s.WriteUnits); err != nil {
		return s, fmt.Errorf("%s %s: Scim-Cost %q: %w", r.method, r.path, cost, err)
	}
	return s, nil
}

// id returns the id of the resource in an answer.
func id(body []byte) (string, error) {
	var resource struct {
		ID string `json:"id"`
	}
	if err := json.Unmarshal(body, &resource); err != nil || resource.ID == "" {
		return "", fmt.Errorf("an answer has no id: %.200s", body)
	}
	return resource.ID, nil
}
