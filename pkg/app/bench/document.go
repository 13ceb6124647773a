package bench

import (
	"encoding/json"
	"io"
	"runtime"
	"time"
)

// document is the JSON form of a run.
type document struct {
	Engine     string              `json:"engine"`
	IdP        string              `json:"idp"`
	System     string              `json:"system"`
	CPUs       int                 `json:"cpus"`
	Clients    int                 `json:"clients,omitempty"`
	Operations []documentOperation `json:"operations"`
}

type documentOperation struct {
	Name string `json:"name"`
	// Kind is the unit of the sizes: users, members or rules.
	Kind  string         `json:"kind"`
	Sizes []documentSize `json:"sizes"`
}

// documentSize is the outcome of an operation at one size. Calls and units are means of a request; dollars are for a
// million requests, DynamoDB alone and all. Runs with many clients have a rate, the others calls, units, allocations
// and dollars.
type documentSize struct {
	Size         int      `json:"size"`
	Requests     int      `json:"requests"`
	P50Ms        float64  `json:"p50Ms"`
	P99Ms        float64  `json:"p99Ms"`
	Rate         float64  `json:"requestsPerSecond,omitempty"`
	Calls        *float64 `json:"calls,omitempty"`
	ReadUnits    *float64 `json:"readUnits,omitempty"`
	WriteUnits   *float64 `json:"writeUnits,omitempty"`
	Allocations  *float64 `json:"allocations,omitempty"`
	TableDollars *float64 `json:"tableDollars,omitempty"`
	AllDollars   *float64 `json:"allDollars,omitempty"`
}

func newDocument(o options) document {
	return document{
		Engine: engineName(o), IdP: o.idp, System: runtime.GOOS + "/" + runtime.GOARCH, CPUs: runtime.NumCPU(),
		Clients:    o.clients,
		Operations: []documentOperation{},
	}
}

// sizeOf returns the members that all runs have.
func sizeOf(size int, s *series) documentSize {
	ms := func(d time.Duration) float64 { return float64(d.Microseconds()) / 1e3 }
	return documentSize{Size: size, Requests: len(s.times), P50Ms: ms(s.quantile(0.5)), P99Ms: ms(s.quantile(0.99))}
}

func writeDocument(out io.Writer, d document) error {
	encoder := json.NewEncoder(out)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	return encoder.Encode(d)
}

// printJSON prints one document for programs.
func printJSON(out io.Writer, o options, results []result) error {
	d := newDocument(o)
	for _, r := range results {
		op := documentOperation{Name: r.name, Kind: r.kind}
		for i := range r.series {
			s, size := &r.series[i], sizeOf(r.sizes[i], &r.series[i])
			size.Calls, size.ReadUnits, size.WriteUnits = new(s.calls()), new(s.read()), new(s.write())
			size.Allocations = new(s.allocated())
			if !r.computes {
				size.TableDollars, size.AllDollars = new(s.dollars()), new(s.dollars()+prices.request())
			}
			op.Sizes = append(op.Sizes, size)
		}
		d.Operations = append(d.Operations, op)
	}
	return writeDocument(out, d)
}

// printCrowdJSON prints one document for programs.
func printCrowdJSON(out io.Writer, o options, all []load, results [][]crowd) error {
	d := newDocument(o)
	for i, l := range all {
		op := documentOperation{Name: l.name, Kind: "users"}
		for k := range results[i] {
			size := sizeOf(o.users[k], &results[i][k].series)
			size.Rate = results[i][k].rate()
			op.Sizes = append(op.Sizes, size)
		}
		d.Operations = append(d.Operations, op)
	}
	return writeDocument(out, d)
}
