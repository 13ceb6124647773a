package bench

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"runtime"
	"strconv"
	"text/tabwriter"
	"time"

	"github.com/serverless-scim/serverless-scim/pkg/task"
)

// load is a kind of request that many clients send at once.
type load struct {
	name    string
	request func(w *world, i int) request
	// made says that the answers are new resources, whose ids are kept by number.
	made bool
}

// loads are the loads that are measured with many clients, in this order. No request is sent twice to a tenant,
// except the pages.
func loads() []load {
	title := func(w *world, i int) request {
		return change("/Users/"+w.some(i), patch(fmt.Sprintf(`{"op":"replace","path":"title","value":"Title %d"}`, i)))
	}
	active := func(w *world, i int) request {
		return change("/Users/"+w.some(i), patch(`{"op":"replace","path":"active","value":false}`))
	}
	page := func(*world, int) request { return get(fmt.Sprintf("/Users?count=%d", pageSize)) }
	other := func(w *world, i int) string { return w.others[i%len(w.others)] }
	named := filter("/Users", "userName eq %q",
		func(w *world, i int) string { return "user-" + number(w.place(i)) + "@example.com" })
	return []load{
		{name: "create user", made: true, request: func(_ *world, i int) request {
			return post("/Users", user("new-"+strconv.Itoa(i)))
		}},
		{name: "GET user", request: func(w *world, i int) request { return get("/Users/" + w.some(i)) }},
		{name: named[0].name, request: named[0].request},
		{name: named[1].name, request: named[1].request},
		{name: "PATCH user, title", request: title},
		{name: "PATCH user, active", request: active},
		{name: "add a member, all to one group", request: func(w *world, i int) request {
			return change("/Groups/"+w.group, join(w.some(i)))
		}},
		{name: "remove a member, all from one group", request: func(w *world, i int) request {
			return change("/Groups/"+w.group, leave(w.some(i)))
		}},
		{name: "add a member, to many groups", request: func(w *world, i int) request {
			return change("/Groups/"+other(w, i), join(w.some(i)))
		}},
		{name: "remove a member, from many groups", request: func(w *world, i int) request {
			return change("/Groups/"+other(w, i), leave(w.some(i)))
		}},
		{name: "first page of 100 users", request: page},
		{name: "DELETE user", request: func(w *world, i int) request {
			return request{method: "DELETE", path: "/Users/" + w.made[i]}
		}},
	}
}

// crowd is a series and the time that all of it took.
type crowd struct {
	series
	took time.Duration
}

func (c *crowd) rate() float64 { return float64(len(c.times)) / c.took.Seconds() }

// turns is the number of turns of each size at one operation.
const turns = 10

// runCrowd measures the rate and the times of many clients at once, over HTTP: each load at each size.
func runCrowd(ctx context.Context, s opened, o options, bar io.Writer) (
	all []load, results [][]crowd, err error,
) {
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, nil, err
	}
	server := &http.Server{Handler: s.Handler(), ReadHeaderTimeout: time.Minute}
	var serving task.Group
	serving.Go(func() error { return server.Serve(listener) })
	defer func() {
		closed := server.Close()
		if failed := serving.Wait(); !errors.Is(failed, http.ErrServerClosed) {
			closed = errors.Join(closed, failed)
		}
		err = cmp.Or(err, closed)
	}()
	n := min(o.samples*o.clients, o.users[0]-usersAGroup) // the same at all sizes, each of another user
	p := &progress{out: bar, total: len(loads()) * len(o.users) * n}
	for _, size := range o.users {
		p.total += size + size/usersAGroup
	}
	defer p.end()
	worlds, err := fill(ctx, s, o, sizedByUsers, p)
	if err != nil {
		return nil, nil, err
	}
	over := overHTTP{&http.Transport{MaxIdleConnsPerHost: o.clients}}
	defer over.CloseIdleConnections()
	for _, w := range worlds {
		w.handler, w.base = over, "http://"+listener.Addr().String()+w.base[len(here):]
	}
	all = loads()
	results = make([][]crowd, len(all))
	for i, l := range all {
		p.phase("%s", l.name)
		results[i] = make([]crowd, len(worlds))
		for turn := range turns { // so that other load of the machine falls on all sizes alike
			for k, w := range worlds {
				of := part{n * turn / turns, n * (turn + 1) / turns, o.clients}
				if err := results[i][k].measure(ctx, l, w, of, p); err != nil {
					return nil, nil, fmt.Errorf("%s: %w", l.name, err)
				}
			}
		}
	}
	return all, results, nil
}

// part is the requests of a load from one number to before another, and how many clients send them.
type part struct{ from, to, clients int }

// measure sends a part of a load to one tenant, each client one request after the other.
func (c *crowd) measure(ctx context.Context, l load, w *world, of part, p *progress) error {
	samples, made := make([]sample, of.to-of.from), make([]string, of.to-of.from)
	g, ctx := task.WithContext(ctx)
	begin := time.Now()
	for k := range of.clients {
		g.Go(func() (err error) {
			for i := k; i < len(samples); i += of.clients {
				if samples[i], err = w.send(ctx, l.request(w, of.from+i), false); err != nil {
					return err
				}
				if l.made {
					if made[i], err = id(samples[i].body); err != nil {
						return err
					}
				}
				samples[i].body = nil
				p.step(1)
			}
			return nil
		})
	}
	err := g.Wait()
	c.took += time.Since(begin)
	for _, s := range samples {
		c.add(s)
	}
	if l.made {
		w.made = append(w.made, made...)
	}
	return err
}

// overHTTP is a handler that passes each request on to the server that its URL names.
type overHTTP struct{ *http.Transport }

func (o overHTTP) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	resp, err := o.RoundTrip(r)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadGateway)
		return
	}
	body, err := io.ReadAll(resp.Body)
	if err = errors.Join(err, resp.Body.Close()); err != nil {
		http.Error(w, err.Error(), http.StatusBadGateway)
		return
	}
	for name, values := range resp.Header {
		w.Header()[name] = values
	}
	w.WriteHeader(resp.StatusCode)
	_, _ = w.Write(body) // into memory
}

// printCrowd prints the results as text for people.
func printCrowd(out io.Writer, o options, all []load, results [][]crowd) error {
	fmt.Fprintf(out, "%s, profile %s, %d clients at a time over HTTP, %s/%s, %d CPUs for clients and server\n\nat",
		engineName(o), o.idp, o.clients, runtime.GOOS, runtime.GOARCH, runtime.NumCPU())
	for i, n := range o.users {
		fmt.Fprintf(out, "%s %d", map[bool]string{true: " /"}[i > 0], n)
	}
	fmt.Fprintln(out, " users")
	table := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "operation\trequests/s\tp50 ms\tp99 ms\tgrowth\t")
	for i, l := range all {
		of := make([]series, len(results[i]))
		rates := ""
		for k := range results[i] {
			if k > 0 {
				rates += " / "
			}
			rates += strconv.FormatFloat(results[i][k].rate(), 'f', 0, 64)
			of[k] = results[i][k].series
		}
		fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%.2f\t\n", l.name, rates,
			each(of, func(s *series) string { return milliseconds(s.quantile(0.5)) }),
			each(of, func(s *series) string { return milliseconds(s.quantile(0.99)) }),
			results[i][0].rate()/results[i][len(of)-1].rate())
	}
	if err := table.Flush(); err != nil {
		return err
	}
	_, err := fmt.Fprintln(out, "\ngrowth: requests a second at the smallest size over those at the largest.")
	return err
}
