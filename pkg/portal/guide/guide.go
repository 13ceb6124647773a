package guide

import (
	"context"
	"embed"
	"fmt"
	"hash/fnv"
	"strconv"
	"time"

	"github.com/serverless-scim/serverless-scim/pkg/member"
	"github.com/serverless-scim/serverless-scim/pkg/portal/frame"
	"github.com/serverless-scim/serverless-scim/pkg/provlog"
	"github.com/serverless-scim/serverless-scim/pkg/provlog/diagnosis"
	"github.com/serverless-scim/serverless-scim/pkg/task"
	"github.com/serverless-scim/serverless-scim/pkg/tenant"
)

//go:embed pages words
var files embed.FS

// Config has the services of the pages. All of it is required.
type Config struct {
	Tenants   *tenant.Service
	Members   *member.Service
	Journal   *provlog.Journal
	Diagnosis *diagnosis.Service
}

type room struct {
	c      Config
	guides []guideOf
}

// Room returns the pages. An error is one of the program.
func Room(c Config) (frame.Room, error) {
	guides, err := readGuides()
	r := room{c, guides}
	return frame.Room{Files: files, Routes: map[string]frame.Handler{
		"GET ": r.start, "GET connect": r.connect, "POST connect/choose": r.choose, "GET try": r.try,
	}}, err
}

// progress is how far the tenant has come.
type progress struct {
	Chosen string // name of the identity provider; "" if none is chosen
	First  time.Time
	Last   time.Time
	// Failed is the status of the last request if it was refused, and Detail the answer's text.
	Failed int
	Detail string
	People int64
	Live   *tenant.Token // the newest live token; nil if there is none
	Policy bool
	Domain bool
	// Findings are those of the diagnosis.
	Findings []diagnosis.Finding
}

// progress reads how far the tenant has come.
func (r room) progress(ctx context.Context, v *frame.Visit) (p progress, err error) {
	if g, ok := r.guide(v.Tenant.IdP); ok && g.ID != "generic" {
		p.Chosen = g.called(v.Lang)
	}
	for _, t := range v.Tenant.Tokens {
		if t.State == tenant.TokenActive || t.State == tenant.TokenSuccessor {
			p.Live = &t
		}
	}
	p.Policy, p.Domain = v.Tenant.Policy != "", v.Tenant.Domains != ""
	a, err := r.c.Journal.Activity(ctx, v.Tenant, 1)
	if err != nil {
		return p, err
	}
	p.First, p.Last = a.First, a.Last
	if p.First.IsZero() {
		p.First = v.Tenant.Connected
	}
	for _, t := range v.Tenant.Tokens { // of before there was a log
		if !t.FirstUsedAt.IsZero() && (p.First.IsZero() || t.FirstUsedAt.Before(p.First)) {
			p.First = t.FirstUsedAt
		}
	}
	if a.Request != nil && a.Request.Status >= 400 {
		p.Failed, p.Detail = a.Request.Status, v.Refusal(a.Request.Status, a.Request.ScimType, a.Request.Detail)
	}
	for _, n := range a.Members {
		p.People += n
	}
	return p, nil
}

func (r room) guide(id string) (guideOf, bool) {
	for _, g := range r.guides {
		if g.ID == id {
			return g, true
		}
	}
	return guideOf{}, false
}

// Connected reports whether a request was accepted.
func (p progress) Connected() bool { return !p.First.IsZero() }

// Seen names the part of the state that the page shows. If it changes, the name changes.
func (p progress) Seen() string {
	h := fnv.New64a()
	_, _ = fmt.Fprintf(h, "%v %d %s", p.Connected(), p.Failed, p.Detail) // it takes all
	return strconv.FormatUint(h.Sum64(), 36)
}

// start shows the steps, the next of them, and the findings.
func (r room) start(v *frame.Visit) error {
	var (
		p        progress
		findings []diagnosis.Finding
	)
	g, ctx := task.WithContext(v.R.Context())
	g.Go(func() (err error) { p, err = r.progress(ctx, v); return err })
	known := !v.Tenant.Connected.IsZero()
	if known {
		g.Go(func() (err error) { findings, err = r.c.Diagnosis.Findings(ctx, v.Tenant, v.Lang); return err })
	}
	err := g.Wait()
	if err == nil && !known && p.Connected() { // the first request came a moment ago
		findings, err = r.c.Diagnosis.Findings(v.R.Context(), v.Tenant, v.Lang)
	}
	if err != nil {
		return err
	}
	p.Findings = findings
	return v.Show("start", p)
}
