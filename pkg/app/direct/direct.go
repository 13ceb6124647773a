// Package direct has the commands that need no server: doctor, and the export and import of a tenant, which work on a
// table itself; and cost.
package direct

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"strconv"
	"time"

	"github.com/serverless-scim/serverless-scim/pkg/app/local"
	"github.com/serverless-scim/serverless-scim/pkg/doctor"
	"github.com/serverless-scim/serverless-scim/pkg/store"
)

// patience bounds the retries of one read or write. A table that refuses for a while must not end a work of hours, and
// nobody waits for an answer.
const patience = 5 * time.Minute

// Table is the location of a table.
type Table struct {
	// Engine is "bolt", with the folder Data, or "dynamodb", with Name and Endpoint; an empty endpoint is the AWS
	// configuration's, and needs YesAWS.
	Engine, Data, Name, Endpoint string
	YesAWS                       bool
}

// open opens a table that is there.
func (t Table) open(ctx context.Context) (store.Engine, io.Closer, error) {
	return local.OpenEngine(ctx, t.options())
}

func (t Table) options() local.Options {
	return local.Options{
		Engine: t.Engine, Data: t.Data, Table: t.Name, DynamoDBEndpoint: t.Endpoint, YesAWS: t.YesAWS, Existing: true,
	}
}

// Doctor are the options of an examination.
type Doctor struct {
	Table
	// Tenant is the tenant to examine; "" examines all tenants, and the items that belong to none.
	Tenant string
	// Repair repairs the findings that have one right answer.
	Repair bool
	// JSON prints one JSON document: the findings and notes, each on a line, and the sum.
	JSON bool
}

// Examine checks a table and prints its findings to out. Warnings go to log. It returns the number of findings that
// are left, or an error if the check did not finish.
func Examine(ctx context.Context, o Doctor, out, log io.Writer) (left int64, err error) {
	engine, closer, err := o.open(ctx)
	if err != nil {
		return 0, err
	}
	defer func() { _ = closer.Close() }()
	show := &printer{out: out, json: o.JSON}
	defer show.end()
	st := store.New(engine, store.Options{MaxWait: patience})
	d := doctor.New(st, doctor.Options{
		Repair: o.Repair, Finding: show.finding, Note: show.note,
		Log: slog.New(slog.NewTextHandler(log, &slog.HandlerOptions{Level: slog.LevelWarn})),
	})
	examine := func() (string, error) {
		if o.Tenant != "" {
			return "", d.Tenant(ctx, o.Tenant)
		}
		return "", d.All(ctx, engine)
	}
	if o.Repair {
		err = o.noted(ctx, st, "doctor -repair", o.Tenant, examine)
	} else {
		_, err = examine()
	}
	if err != nil {
		return 0, err
	}
	show.sum(d.Sum())
	return d.Sum().Left, nil
}

// printer prints findings as they come. Their document is written piece by piece, because there may be many.
type printer struct {
	out    io.Writer
	json   bool
	begun  bool // the document of JSON
	summed bool
}

// result prints a finding or a note as a part of the document.
func (p *printer) result(v any) {
	text, _ := json.Marshal(v)
	begin := ",\n"
	if !p.begun {
		begin, p.begun = `{"results":[`+"\n", true
	}
	fmt.Fprintf(p.out, "%s%s", begin, text) // an error can't be reported
}

// end completes a document that was begun: without the sum, if the check did not finish.
func (p *printer) end() {
	if p.begun && !p.summed {
		fmt.Fprintln(p.out, "]}")
	}
}

func (p *printer) finding(f doctor.Finding) {
	if p.json {
		p.result(map[string]any{"finding": f})
		return
	}
	fmt.Fprintf(p.out, "%s  %s  %s  %s\n  %s\n", f.State, f.Check, f.Partition, strconv.Quote(f.Key), f.Problem)
	if f.Repair != "" {
		fmt.Fprintf(p.out, "  %s\n", f.Repair)
	}
	if f.Why != "" {
		fmt.Fprintf(p.out, "  %s\n", f.Why)
	}
}

func (p *printer) note(n doctor.Note) {
	if p.json {
		p.result(n)
		return
	}
	fmt.Fprintf(p.out, "note  %s  %s\n", n.Tenant, n.Text)
}

func (p *printer) sum(s doctor.Sum) {
	if p.json {
		if !p.begun {
			fmt.Fprint(p.out, `{"results":[`)
		}
		text, _ := json.Marshal(s)
		fmt.Fprintf(p.out, "],\"sum\":%s}\n", text)
		p.summed = true
		return
	}
	fmt.Fprintf(p.out, "Tenants: %d, items: %d, findings: %d, left: %d", s.Tenants, s.Items, s.Findings, s.Left)
	if s.Changing > 0 {
		fmt.Fprintf(p.out, ", not checked because they kept changing: %d", s.Changing)
	}
	fmt.Fprintln(p.out)
}
