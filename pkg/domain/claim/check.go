package claim

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/serverless-scim/serverless-scim/pkg/event"
	"github.com/serverless-scim/serverless-scim/pkg/notice"
	"github.com/serverless-scim/serverless-scim/pkg/scim"
	"github.com/serverless-scim/serverless-scim/pkg/store"
	"github.com/serverless-scim/serverless-scim/pkg/sweep"
	"github.com/serverless-scim/serverless-scim/pkg/task"
	"github.com/serverless-scim/serverless-scim/pkg/tenant"
)

// Failing describes consecutive failures of the daily check of a domain. Times are Unix seconds.
type Failing struct {
	Since int64 `json:"since"`
	Last  int64 `json:"last"`
	// Times is the number of failures, and Answer the last answer of the DNS.
	Times  int    `json:"times"`
	Answer Answer `json:"answer"`
}

const (
	// A domain is lost if lostAfter checks or more have failed one after the other, and the first failure is a week
	// ago. People are notified of the third failure.
	week      = 7 * 24 * time.Hour
	lostAfter = 7
	warnAfter = 3
	// apart is the least time between two failures that both count.
	apart = 12 * time.Hour
	// atOnce is the number of domains of a tenant that are checked at a time. Their events and notices fit into one
	// transaction.
	atOnce = 20
	// several is the number of domains from which on a DNS that answers for none of them is probably out of reach.
	several = 5
)

// Daily checks the domains of all tenants once in 24 hours. Once until is true it stops after the current tenant, and
// the next run continues. It returns an error if some tenants were not checked, and also if the DNS did not answer for
// any of at least `several` domains: then the DNS is probably out of reach, and all domains would be lost in a week.
func (g *Registry) Daily(ctx context.Context, until func() bool) error {
	daily := sweep.Daily{Store: g.store, Progress: store.DomainsSwept, Now: g.o.Now}
	failed, all := 0, map[Answer]int{}
	err := daily.Run(ctx, until, func(ctx context.Context, item store.Item) error {
		answers, err := g.check(ctx, item.SK)
		for _, answer := range answers {
			all[answer]++
		}
		if err != nil {
			g.o.Log.ErrorContext(ctx, "domains not checked", "tenant", item.SK, "error", err)
			failed++
		}
		return ctx.Err()
	})
	switch silent := all[Silent]; {
	case err != nil:
		return err
	case failed > 0:
		return fmt.Errorf("claim: tenants whose domains were not checked: %d", failed)
	case len(all) == 1 && silent >= several:
		return fmt.Errorf("claim: the DNS was silent about all %d domains", silent)
	}
	return nil
}

// check asks the DNS about each domain of a tenant that it has verified, and returns its answers. It reads one
// item, and writes only if a check fails, or did before.
func (g *Registry) check(ctx context.Context, tenantID string) (said []Answer, err error) {
	all, _, err := g.read(ctx, tenantID)
	if err != nil {
		return nil, err
	}
	now := g.o.Now()
	due := slices.DeleteFunc(all, func(d Domain) bool { return !d.due(now) })
	for some := range slices.Chunk(due, atOnce) {
		answers := make([]Answer, len(some))
		var asking task.Group
		for i, d := range some {
			asking.Go(func() error { answers[i] = g.ask(ctx, d); return nil })
		}
		if err := errors.Join(asking.Wait(), ctx.Err()); err != nil {
			return said, err
		}
		said = append(said, answers...)
		for i, answer := range answers {
			if answer != Found {
				g.o.Log.WarnContext(ctx, "domain not confirmed", "tenant", tenantID, "domain", some[i].Name,
					"answer", answer)
			}
		}
		if !slices.ContainsFunc(answers, func(a Answer) bool { return a != Found }) &&
			!slices.ContainsFunc(some, func(d Domain) bool { return d.Failing != nil }) {
			continue
		}
		var told tenant.Report
		err := g.change(ctx, tenantID, func(all []Domain) ([]Domain, tenant.Report, error) {
			var changed bool
			if told, changed = note(all, some, answers, now); !changed {
				return nil, told, errSame
			}
			return all, told, nil
		})
		if err != nil && !errors.Is(err, tenant.ErrNotFound) {
			return said, err
		}
		for _, e := range told.Events {
			if err == nil && e.Kind == event.DomainLost {
				g.o.Log.ErrorContext(ctx, "domain lost", "tenant", tenantID, "domain", e.Data["domain"])
			}
		}
	}
	return said, nil
}

// due reports whether the daily check has to check a domain.
func (d Domain) due(now time.Time) bool {
	return d.State == Verified && d.By == ByDNS &&
		(d.Failing == nil || now.Sub(time.Unix(d.Failing.Last, 0)) >= apart)
}

// note puts the answers about some domains into all. It returns the events and notices about them and whether anything
// changed.
func note(all, some []Domain, answers []Answer, now time.Time) (told tenant.Report, changed bool) {
	var failing, lost []notice.Domain
	for i, asked := range some {
		at := find(all, asked.Name)
		if at < 0 || all[at].Value != asked.Value || !all[at].due(now) { // it was changed or checked meanwhile
			continue
		}
		d := &all[at]
		if answers[i] == Found {
			changed = changed || d.Failing != nil
			d.Failing = nil
			continue
		}
		changed = true
		if d.Failing == nil {
			d.Failing = &Failing{Since: now.Unix()}
		}
		d.Failing.Last, d.Failing.Answer = now.Unix(), answers[i]
		d.Failing.Times++
		since := time.Unix(d.Failing.Since, 0).UTC()
		tell := notice.Domain{
			Name: d.Name, Record: RecordName(d.Name), Value: d.Value, Answer: string(answers[i]),
			Ends: since.Add(week).Unix(),
		}
		switch {
		case d.Failing.Times >= lostAfter && now.Sub(since) >= week:
			d.State, d.LostAt = Lost, now.Unix()
			tell.Ends = now.Unix()
			lost = append(lost, tell)
			told.Events = append(told.Events, event.Event{
				Kind: event.DomainLost, Subject: event.OfDomain(d.Name), Data: scim.Object{
					"domain": d.Name, "since": scim.FormatTime(since), "answer": string(answers[i]),
				},
			})
		case d.Failing.Times == warnAfter:
			failing = append(failing, tell)
		}
	}
	for kind, domains := range map[notice.Kind][]notice.Domain{notice.DomainFailing: failing, notice.DomainLost: lost} {
		if len(domains) > 0 {
			told.Notices = append(told.Notices, notice.Notice{Kind: kind, Domains: domains})
		}
	}
	return told, changed
}
