package doctor

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/serverless-scim/serverless-scim/pkg/directory"
	"github.com/serverless-scim/serverless-scim/pkg/member/marker"
	"github.com/serverless-scim/serverless-scim/pkg/store"
	"github.com/serverless-scim/serverless-scim/pkg/tenant/stored"
)

// State is the state of a finding after the run.
type State string

// The states of a finding.
const (
	// Found: nobody has tried to repair it.
	Found State = "found"
	// Repaired: a transaction has repaired it.
	Repaired State = "repaired"
	// Undecided: it has no one right answer.
	Undecided State = "undecided"
	// Unrepaired: the attempt failed; see Why.
	Unrepaired State = "unrepaired"
)

// Finding is a rule that does not hold.
type Finding struct {
	// Tenant is empty for items that belong to no tenant.
	Tenant string `json:"tenant,omitempty"`
	// Check names the rule.
	Check string `json:"check"`
	// Partition and Key are the item's. The key may hold personal data, such as a userName.
	Partition string `json:"partition"`
	Key       string `json:"key"`
	// Problem is a sentence. Repair says how it is repaired; empty if it has no one right answer.
	Problem string `json:"problem"`
	Repair  string `json:"repair,omitempty"`
	State   State  `json:"state"`
	Why     string `json:"why,omitempty"`

	ops   []store.Op
	guard []store.Key
}

// Note is a state that is no finding, but that the reader may want to know of.
type Note struct {
	Tenant string `json:"tenant"`
	Text   string `json:"note"`
}

// Sum is the result of a run.
type Sum struct {
	// Tenants and Items are the numbers that were read.
	Tenants int64 `json:"tenants"`
	Items   int64 `json:"items"`
	// Findings are all that were found, Left those that are not repaired.
	Findings int64 `json:"findings"`
	Left     int64 `json:"left"`
	// Changing counts items that changed each time they were read again: nothing is said of them.
	Changing int64 `json:"changing"`
}

// Options of a run. Finding is required.
type Options struct {
	// Repair repairs the findings that have one right answer.
	Repair bool
	// Finding gets each finding as it is met, Note each remark that is no finding; Note may be nil.
	Finding func(Finding)
	Note    func(Note)
	// Now is the clock; nil is time.Now.
	Now func() time.Time
	// Log gets the warnings of the roll-forward of open work; nil discards them.
	Log *slog.Logger
}

// Doctor checks one table.
type Doctor struct {
	st  *store.Store
	o   Options
	sum Sum
	dir *directory.Directory
}

// New returns a doctor for a table.
func New(st *store.Store, o Options) *Doctor {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Note == nil {
		o.Note = func(Note) {}
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	return &Doctor{st: st, o: o, dir: directory.New(st, directory.Options{
		Now: o.Now, Log: o.Log, Carry: marker.Carry(o.Now), Background: func(string) {}, Carried: func(string) {},
	})}
}

// Sum is the result so far.
func (d *Doctor) Sum() Sum { return d.sum }

// All checks all tenants in the list, and the items that belong to no tenant. engine is the one below the store; if it
// can be scanned, keys that nobody knows and items of no tenant are found.
func (d *Doctor) All(ctx context.Context, engine store.Engine) error {
	for item, err := range d.st.All(ctx, store.Query{PK: store.TenantsPK}) {
		if err != nil {
			return err
		}
		if err := d.Tenant(ctx, item.SK); err != nil {
			return err
		}
	}
	t := d.of("")
	t.repair = d.o.Repair
	for shard := range store.DueShards {
		if err := t.walk(ctx, store.Query{PK: store.DuePK(shard)}); err != nil {
			return err
		}
	}
	if s, ok := engine.(scanner); ok {
		return t.strangers(ctx, s)
	}
	return nil
}

// passes is the number of passes of a repair over a tenant: one that repairs and one that sees the rest, and again two
// for the findings that only a roll-forward makes visible.
const passes = 4

// Tenant checks one tenant. With Repair, it completes the open work and repairs, until a pass finds nothing to repair.
func (d *Doctor) Tenant(ctx context.Context, id string) error {
	d.sum.Tenants++
	for pass := 0; ; pass++ {
		t := d.of(id)
		t.repair = d.o.Repair && pass < passes
		if err := t.run(ctx); err != nil {
			return err
		}
		if !t.repair || t.repaired == 0 {
			return nil
		}
		d.sum.Left -= t.left // the next pass counts them again
		d.sum.Findings -= t.left
	}
}

// Contents checks the users, groups and members of a tenant, whether or not it has an item. It repairs nothing.
func (d *Doctor) Contents(ctx context.Context, id string) error { return d.of(id).contents(ctx) }

// patient is one pass over one tenant.
type patient struct {
	*Doctor
	k        store.Keys
	id       string
	tenant   *stored.Tenant
	policy   string // the document of the policy
	open     openWork
	repair   bool
	repaired int64 // findings of this pass that were repaired
	left     int64 // findings of this pass that were not
	old      int   // items of an earlier layout
	counts   map[store.Key]int64
	log      logWalk
}

func (d *Doctor) of(id string) *patient {
	return &patient{Doctor: d, k: store.KeysOf(id), id: id, counts: map[store.Key]int64{}}
}

// run is one pass.
func (p *patient) run(ctx context.Context) error {
	items, err := p.st.Get(ctx, p.k.Tenant(), p.k.Policy())
	if err != nil {
		return err
	}
	if items[0].Attrs != nil {
		t, err := stored.Decode(items[0], p.o.Now())
		if err != nil {
			p.report(&view{patient: p, item: items[0]}, Finding{
				Check: "tenant", Problem: "The tenant's item can't be read, so none of the tenant's data is checked.",
			})
			return nil
		}
		p.tenant = &t
	}
	p.policy, _ = items[1].Attrs["doc"].(string)
	if p.tenant != nil && p.tenant.State != stored.Active {
		p.o.Note(Note{p.id, "The tenant is being created or deleted, so its data is not checked."})
		return p.walk(ctx, store.Query{PK: store.TenantsPK, From: p.id, To: p.id})
	}
	if p.repair {
		// Open work is checked first: rolling it forward would hide its findings.
		if err := p.walk(ctx, store.Query{PK: p.k.Work("").PK}); err != nil {
			return err
		}
		origin := directory.Origin{Silent: p.tenant == nil || !p.tenant.Publishes}
		if err := p.dir.RollForward(directory.WithOrigin(ctx, origin), p.id); err != nil {
			p.o.Note(Note{p.id, "Open work could not be completed: " + err.Error()})
		}
	}
	if err := p.walk(ctx, store.Query{PK: store.TenantsPK, From: p.id, To: p.id}); err != nil {
		return err
	}
	if err := p.walk(ctx, store.Query{PK: p.k.Tenant().PK}); err != nil {
		return err
	}
	if err := p.contents(ctx); err != nil {
		return err
	}
	if err := p.walkLog(ctx); err != nil {
		return err
	}
	if p.old > 0 {
		p.o.Note(Note{
			p.id, plural(p.old, "item") + " of an earlier layout: each gets the present one with its next change.",
		})
	}
	return nil
}

// contents goes through all partitions but the tenant's own and those of the log.
func (p *patient) contents(ctx context.Context) (err error) {
	if p.open, err = p.readOpen(ctx); err != nil {
		return err
	}
	if n := len(p.open.all); n > 0 {
		p.o.Note(Note{p.id, plural(n, "piece") + " of open work: the next request or the background completes it."})
	}
	for _, pk := range p.k.Partitions() {
		if err := p.walk(ctx, store.Query{PK: pk}); err != nil {
			return err
		}
		if pk != p.k.OtherType("").PK {
			continue
		}
		for item, err := range p.st.All(ctx, store.Query{PK: pk}) {
			if err != nil {
				return err
			}
			if err := p.walk(ctx, store.Query{PK: p.k.Other(item.SK, "").PK}); err != nil {
				return err
			}
		}
	}
	return p.compareCounters(ctx)
}

// pageItems is how many items are looked at together.
const pageItems = 200

// walk looks at each item of a range.
func (p *patient) walk(ctx context.Context, q store.Query) error {
	q.Limit = pageItems
	for {
		page, err := p.st.Query(ctx, q)
		if err != nil {
			return err
		}
		if err := p.page(ctx, page.Items); err != nil {
			return err
		}
		if !page.More {
			return nil
		}
		q.After = page.Last
	}
}

// page looks at some items, and again at those that seem wrong.
func (p *patient) page(ctx context.Context, items []store.Item) error {
	var keys []store.Key
	for _, item := range items {
		if r := ruleOf(item.Key); r != nil && r.needs != nil {
			keys = append(keys, r.needs(p.k, item)...)
		}
	}
	known := map[store.Key]store.Attrs{}
	if len(keys) > 0 {
		read, err := p.st.Get(ctx, keys...)
		if err != nil {
			return err
		}
		for _, item := range read {
			known[item.Key] = item.Attrs
		}
	}
	for _, item := range items {
		p.sum.Items++
		v := &view{patient: p, ctx: ctx, item: item, known: known, open: p.open, first: true}
		if err := v.look(); err != nil {
			return err
		}
		if len(v.found) > 0 {
			if err := p.lookAgain(ctx, item.Key); err != nil {
				return err
			}
		}
	}
	return nil
}

// report counts a finding, repairs it if it is to be repaired, and hands it on.
func (p *patient) report(v *view, f Finding) {
	if f.Partition == "" {
		f.Partition, f.Key = v.item.PK, v.item.SK
	}
	f.Tenant, f.State = p.id, Found
	switch {
	case f.Repair == "":
		f.State = Undecided
	case p.repair:
		f.State = Repaired
		if err := v.repair(f); err != nil {
			f.State, f.Why = Unrepaired, err.Error()
			if failed := (*store.ConditionError)(nil); errors.As(err, &failed) {
				f.Why = "It has changed since it was read."
			}
		}
	}
	p.sum.Findings++
	if f.State == Repaired {
		p.repaired++
	} else {
		p.left++
		p.sum.Left++
	}
	p.o.Finding(f)
}
