package bench

import (
	"fmt"
	"io"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/serverless-scim/serverless-scim/pkg/store"
)

// series are the samples of one operation at one size.
type series struct {
	total       store.Cost
	times       []time.Duration
	allocations []uint64
}

func (s *series) add(x sample) {
	s.total.Calls += x.Calls
	s.total.ReadUnits += x.ReadUnits
	s.total.WriteUnits += x.WriteUnits
	s.times = append(s.times, x.time)
	if x.allocations > 0 {
		s.allocations = append(s.allocations, x.allocations)
	}
}

// calls, read and write are means of a request.
func (s *series) calls() float64 { return float64(s.total.Calls) / float64(len(s.times)) }
func (s *series) read() float64  { return s.total.ReadUnits / float64(len(s.times)) }
func (s *series) write() float64 { return s.total.WriteUnits / float64(len(s.times)) }

// quantile is the time that a part q of the requests did not exceed.
func (s *series) quantile(q float64) time.Duration {
	sorted := slices.Sorted(slices.Values(s.times))
	return sorted[min(int(q*float64(len(sorted))), len(sorted)-1)]
}

// allocated is the median number of allocations.
func (s *series) allocated() float64 {
	if len(s.allocations) == 0 {
		return 0
	}
	return float64(slices.Sorted(slices.Values(s.allocations))[len(s.allocations)/2])
}

func (s *series) dollars() float64 { return prices.table(s.read(), s.write()) }

// figure is a number with one decimal, or with none if that is 0.
func figure(x float64) string { return strings.TrimSuffix(strconv.FormatFloat(x, 'f', 1, 64), ".0") }

// each shows a value at each size; once if all are the same.
func each(all []series, of func(s *series) string) string {
	var values []string
	for i := range all {
		values = append(values, of(&all[i]))
	}
	if len(slices.Compact(slices.Clone(values))) == 1 {
		return values[0]
	}
	return strings.Join(values, " / ")
}

// milliseconds has two decimals, and four if the time is too short for two.
func milliseconds(d time.Duration) string {
	decimals := 2
	if d < 20*time.Microsecond {
		decimals = 4
	}
	return strconv.FormatFloat(float64(d)/1e6, 'f', decimals, 64)
}

// printTables prints the results as tables for people.
func printTables(out io.Writer, o options, results []result) error {
	fmt.Fprintf(out, "%s, profile %s, up to %d requests of each kind and size, one at a time, %s/%s, %d CPUs\n",
		engineName(o), o.idp, o.samples, runtime.GOOS, runtime.GOARCH, runtime.NumCPU())
	kind := ""
	var table *tabwriter.Writer
	for _, r := range results {
		if r.kind != kind {
			if table != nil {
				if err := table.Flush(); err != nil {
					return err
				}
			}
			kind = r.kind
			table = tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
			fmt.Fprintf(out, "\nat %s %s\n",
				strings.Trim(strings.ReplaceAll(fmt.Sprint(r.sizes), " ", " / "), "[]"), kind)
			fmt.Fprintln(table, "operation\tcalls\tread\twrite\tallocs\tp50 ms\tp99 ms\tgrowth\t$/M table\t$/M all\t")
		}
		first, last := &r.series[0], &r.series[len(r.series)-1]
		fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%s\t%s\t%s\t%.2f\t%s\t%s\t%s\n", r.name,
			each(r.series, func(s *series) string { return figure(s.calls()) }),
			each(r.series, func(s *series) string { return figure(s.read()) }),
			each(r.series, func(s *series) string { return figure(s.write()) }),
			each(r.series, func(s *series) string { return strconv.FormatFloat(s.allocated(), 'f', 0, 64) }),
			each(r.series, func(s *series) string { return milliseconds(s.quantile(0.5)) }),
			each(r.series, func(s *series) string { return milliseconds(s.quantile(0.99)) }),
			float64(last.quantile(0.5))/float64(first.quantile(0.5)),
			r.price(0), r.price(prices.request()),
			r.grows)
	}
	if err := table.Flush(); err != nil {
		return err
	}
	_, err := fmt.Fprintf(out, `
calls, read, write: engine calls and DynamoDB units of one request, the tenant's own read included; a mean.
growth: p50 at the largest size over p50 at the smallest. allocs: with those of the client in the same process.
$/M: dollars for a million requests, %s, %s; %s.
table: DynamoDB alone. all: and $%.2f for API Gateway and Lambda, taken as %.0f ms at %.0f MB.
Storage, logs and traffic come on top.
`, prices.region, prices.date, prices.source, prices.request(), lambdaSeconds*1e3, lambdaGigabytes*1024)
	return err
}

// price is the dollars of a million requests at each size, beside included: their price outside the table.
func (r *result) price(beside float64) string {
	if r.computes {
		return ""
	}
	return each(r.series, func(s *series) string { return strconv.FormatFloat(s.dollars()+beside, 'f', 2, 64) })
}

func engineName(o options) string {
	if o.local.Engine == "bolt" {
		return "embedded engine, data " + o.local.Data
	}
	return "DynamoDB, table " + o.local.Table
}

// printBenchstat prints the results in the format of benchstat.
func printBenchstat(out io.Writer, results []result) error {
	for _, r := range results {
		name := strings.Map(func(c rune) rune {
			if c == ' ' || c == '"' {
				return '_'
			}
			return c
		}, r.name)
		for i := range r.series {
			s := &r.series[i]
			if _, err := fmt.Fprintf(out, "BenchmarkOperation/%s/%s=%d \t%d\t%d ns/op\t%d p99-ns\t%g calls/op\t%g "+
				"read/op\t%g write/op\t%.0f allocs/op\n",
				name, r.kind, r.sizes[i], len(s.times), s.quantile(0.5), s.quantile(0.99), s.calls(),
				s.read(), s.write(), s.allocated()); err != nil {
				return err
			}
		}
	}
	return nil
}
