package claim

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"slices"
	"time"

	"github.com/serverless-scim/serverless-scim/pkg/domain"
	"github.com/serverless-scim/serverless-scim/pkg/event"
	"github.com/serverless-scim/serverless-scim/pkg/precondition"
	"github.com/serverless-scim/serverless-scim/pkg/scim"
	"github.com/serverless-scim/serverless-scim/pkg/store"
	"github.com/serverless-scim/serverless-scim/pkg/task"
	"github.com/serverless-scim/serverless-scim/pkg/tenant"
)

// State is the state of a domain. It decides whether addresses of the domain are accepted.
type State string

// The states. Only addresses of verified domains are accepted.
const (
	Pending  State = "pending"
	Verified State = "verified"
	// Lost: it was verified, and the daily check has failed for a week.
	Lost State = "lost"
)

// Domain is a domain of a tenant.
type Domain struct {
	// Name is in A-label form. Value is the value of the TXT record that proves that it is the tenant's.
	Name  string `json:"name"`
	Value string `json:"value"`
	State State  `json:"state"`
	// Created is in Unix seconds; 0 if that was not recorded.
	Created int64 `json:"created,omitempty"`
	// At is the time of the last verification, in Unix seconds; 0: never. By is ByDNS or ByOperator.
	At int64  `json:"at,omitempty"`
	By string `json:"by,omitempty"`
	// Failing has the failures of the daily check; nil if it succeeds. It stays if the domain is lost. LostAt is the
	// time of the loss, in Unix seconds.
	Failing *Failing `json:"failing,omitempty"`
	LostAt  int64    `json:"lostAt,omitempty"`
}

// The verifiers of a domain.
const (
	ByDNS      = "dns"
	ByOperator = "operator"
)

// The attributes of the item of a tenant's domains, beside those of all items.
const (
	attrDoc     = "doc" // a document as JSON
	attrVersion = "ver" // grows with every write
)

// document is the JSON of the item of a tenant's domains.
type document struct {
	Domains []Domain `json:"domains"`
}

// Stored returns the set of the verified domains in the document of an item, as the tenant's item should have it.
func Stored(doc string) (domain.Set, error) {
	var d document
	if err := json.Unmarshal([]byte(doc), &d); err != nil {
		return "", fmt.Errorf("claim: stored domains: %w", err)
	}
	return d.verified(), nil
}

func (d document) verified() domain.Set {
	var names []string
	for _, one := range d.Domains {
		if one.State == Verified {
			names = append(names, spellings(one.Name)...)
		}
	}
	return domain.SetOf(names...)
}

// most bounds the domains of a tenant: the verified ones are in the tenant's item, which every request reads.
const most = 100

// contendFor is the longest time that a change is repeated because of conflicts with other changes of the tenant.
const contendFor = 5 * time.Second

// Options of a Registry. All but Now may be left at zero.
type Options struct {
	// Now is the clock; required.
	Now func() time.Time
	// Resolver asks the DNS; nil is the system's.
	Resolver *net.Resolver
	// Log gets the results of the daily check; nil discards them.
	Log *slog.Logger
	// Patience is the timeout of an answer of the DNS; 0 means 5 seconds.
	Patience time.Duration
}

// Registry adds, verifies, checks and removes domains. It is safe for concurrent use, in any number of processes.
type Registry struct {
	store   *store.Store
	tenants *tenant.Service
	o       Options
}

// New returns a Registry of the domains of tenants.
func New(s *store.Store, tenants *tenant.Service, o Options) *Registry {
	if o.Resolver == nil {
		o.Resolver = net.DefaultResolver
	}
	if o.Patience == 0 {
		o.Patience = 5 * time.Second
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	return &Registry{store: s, tenants: tenants, o: o}
}

// List returns the domains of an active tenant, in the order in which they were added; else tenant.ErrNotFound.
func (g *Registry) List(ctx context.Context, tenantID string) ([]Domain, error) {
	var all []Domain
	both, within := task.WithContext(ctx)
	both.Go(func() error { _, err := g.tenants.Get(within, tenantID); return err })
	both.Go(func() (err error) { all, _, err = g.read(within, tenantID); return err })
	if err := both.Wait(); err != nil {
		return nil, err
	}
	return all, nil
}

// read returns the domains of a tenant and the version of their item; 0: there is none.
func (g *Registry) read(ctx context.Context, tenantID string) (all []Domain, version int64, err error) {
	ts := g.store.Tenant(tenantID)
	items, err := ts.Get(ctx, ts.Domains())
	if err != nil || items[0].Attrs == nil {
		return nil, 0, err
	}
	version, _ = items[0].Attrs[attrVersion].(int64)
	doc, _ := items[0].Attrs[attrDoc].(string)
	var d document
	if err := json.Unmarshal([]byte(doc), &d); err != nil {
		return nil, 0, fmt.Errorf("claim: stored domains: %w", err)
	}
	return d.Domains, version, nil
}

// Get returns a domain of a tenant; tenant.ErrNotFound if there is none of the name.
func (g *Registry) Get(ctx context.Context, tenantID, name string) (Domain, error) {
	all, err := g.List(ctx, tenantID)
	if err != nil {
		return Domain{}, err
	}
	if i := find(all, name); i >= 0 {
		return all[i], nil
	}
	return Domain{}, tenant.ErrNotFound
}

func find(all []Domain, name string) int {
	return slices.IndexFunc(all, func(d Domain) bool { return d.Name == name })
}

// Add adds a domain, not verified yet, and reports whether it is new: an existing one is returned as it is. It returns
// a *tenant.InvalidError for a text that is not a domain that a tenant may claim, and a *tenant.ConflictError for one
// domain too many.
func (g *Registry) Add(ctx context.Context, tenantID, text string) (d Domain, added bool, err error) {
	name, err := Parse(text)
	if err != nil {
		return d, false, &tenant.InvalidError{Field: "name", Problem: err.Error()}
	}
	err = g.change(ctx, tenantID, func(all []Domain) ([]Domain, tenant.Report, error) {
		if i := find(all, name); i >= 0 {
			d, added = all[i], false
			return nil, tenant.Report{}, errSame
		}
		if len(all) >= most {
			return nil, tenant.Report{}, &tenant.ConflictError{Detail: fmt.Sprintf(
				"The tenant has %d domains already. Delete one of them first.", most)}
		}
		d, added = Domain{Name: name, Value: rand.Text(), State: Pending, Created: g.o.Now().Unix()}, true
		return append(all, d), tenant.Report{}, nil
	})
	return d, added, err
}

// Remove removes a domain; tenant.ErrNotFound if there is none of the name. Users with addresses of it stay as they
// are.
func (g *Registry) Remove(ctx context.Context, tenantID, name string) error {
	return g.change(ctx, tenantID, func(all []Domain) ([]Domain, tenant.Report, error) {
		i := find(all, name)
		if i < 0 {
			return nil, tenant.Report{}, tenant.ErrNotFound
		}
		if err := precondition.Of(ctx, func() any { return all[i] }); err != nil {
			return nil, tenant.Report{}, err
		}
		return slices.Delete(all, i, i+1), tenant.Report{}, nil
	})
}

// Verify asks the DNS for the TXT record of a domain, and marks the domain as verified if it is there. It returns the
// domain, verified or not, and the answer of the DNS. tenant.ErrNotFound if there is none of the name, or if it was
// removed meanwhile.
func (g *Registry) Verify(ctx context.Context, tenantID, name string) (Domain, Answer, error) {
	d, err := g.Get(ctx, tenantID, name)
	if err != nil {
		return d, "", err
	}
	if err := precondition.Of(ctx, func() any { return d }); err != nil {
		return d, "", err
	}
	answer := g.ask(ctx, d)
	if err := ctx.Err(); err != nil || answer != Found {
		return d, answer, err
	}
	d, err = g.verified(ctx, tenantID, d, ByDNS)
	return d, answer, err
}

// Override marks a domain as verified without asking the DNS. tenant.ErrNotFound if there is none of the name.
func (g *Registry) Override(ctx context.Context, tenantID, name string) (Domain, error) {
	d, err := g.Get(ctx, tenantID, name)
	if err != nil {
		return d, err
	}
	return g.verified(ctx, tenantID, d, ByOperator)
}

// verified marks a domain that was read as verified, with an event if it was not verified before.
func (g *Registry) verified(ctx context.Context, tenantID string, d Domain, by string) (Domain, error) {
	err := g.change(ctx, tenantID, func(all []Domain) (_ []Domain, told tenant.Report, _ error) {
		i := find(all, d.Name)
		if i < 0 || all[i].Value != d.Value { // one that was removed and added again has another record
			return nil, told, tenant.ErrNotFound
		}
		if err := precondition.Of(ctx, func() any { return all[i] }); err != nil {
			return nil, told, err
		}
		d = all[i]
		if d.State == Verified && d.By == by && d.Failing == nil {
			return nil, told, errSame
		}
		if d.State != Verified {
			told.Events = []event.Event{{
				Kind: event.DomainVerified, Subject: event.OfDomain(d.Name),
				Data: scim.Object{"domain": d.Name, "by": by},
			}}
			d.State, d.At = Verified, g.o.Now().Unix()
		}
		d.By, d.Failing, d.LostAt = by, nil, 0
		all[i] = d
		return all, told, nil
	})
	return d, err
}

// errSame ends a change that has nothing to write.
var errSame = errors.New("claim: nothing to write")

// change writes the result of edit on the domains of an active tenant, and the events and notices that edit returns,
// in one transaction. tenant.ErrBusy if conflicts with other changes of the tenant don't end.
func (g *Registry) change(
	ctx context.Context, tenantID string, edit func([]Domain) ([]Domain, tenant.Report, error),
) error {
	if _, err := g.tenants.Get(ctx, tenantID); err != nil {
		return err
	}
	err := store.Retry(ctx, contendFor, func() error {
		all, version, err := g.read(ctx, tenantID)
		if err != nil {
			return err
		}
		all, told, err := edit(all)
		if err != nil {
			return err
		}
		d := document{all}
		doc, err := json.Marshal(d)
		if err != nil {
			return fmt.Errorf("claim: encode: %w", err)
		}
		cond := store.IsAbsent()
		if version > 0 {
			cond = store.Is(attrVersion, version)
		}
		told.Op = store.PutItem(store.KeysOf(tenantID).Domains(), store.Attrs{
			attrDoc: string(doc), attrVersion: version + 1,
		}).When(cond)
		set := string(d.verified())
		told.Domains, told.Period = &set, version
		return g.tenants.Report(ctx, tenantID, told)
	})
	switch {
	case errors.Is(err, errSame):
		return nil
	case errors.Is(err, store.ErrStale):
		return fmt.Errorf("%w: %w", tenant.ErrBusy, err)
	}
	return err
}
