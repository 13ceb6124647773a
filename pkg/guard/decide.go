package guard

import (
	"context"
	"time"

	"github.com/serverless-scim/serverless-scim/pkg/event"
	"github.com/serverless-scim/serverless-scim/pkg/mapping"
	"github.com/serverless-scim/serverless-scim/pkg/precondition"
	"github.com/serverless-scim/serverless-scim/pkg/scim"
	"github.com/serverless-scim/serverless-scim/pkg/store"
	"github.com/serverless-scim/serverless-scim/pkg/tenant"
)

// Held is a user about whom a request was refused.
type Held struct {
	ID     string
	Action Action
	// At is when such a request came last, to a minute.
	At time.Time
}

// State is the state of a tenant's guard.
type State struct {
	// Tripped says that deactivations and deletions of users are refused, since Since.
	Tripped bool
	Since   time.Time
	// AllowedUntil is the end of a permission that a person gave. It is zero if nobody gave one.
	AllowedUntil time.Time
	// Counted is how many users were deactivated or deleted in the time of the guard.
	Counted int64
	// Held are the users about whom requests were refused, in order of id, 1,000 at most.
	Held []Held
	// Decided changes when the guard trips, and with each decision that changes anything.
	Decided Decided
}

// Decided has the stored times of the guard, in Unix seconds: when it tripped, and when a permission ends. They may be
// long past; 0 is none. A caller may make a decision conditional on it.
type Decided struct{ Since, Until int64 }

// maxHeld bounds State.Held.
const maxHeld = 1000

// State reads the guard of a tenant whose policy has one.
func (s *Service) State(ctx context.Context, tenantID string, g mapping.Guard) (State, error) {
	ts := s.store.Tenant(tenantID)
	items, err := ts.Get(ctx, ts.Guard())
	if err != nil {
		return State{}, err
	}
	n, err := decode(items[0])
	if err != nil {
		return State{}, err
	}
	w := windowOf(g, s.now())
	st := State{Counted: n.forget(w), Decided: n.decided()}
	if n.allowed(w) {
		st.AllowedUntil = time.Unix(n.Until, 0).UTC()
	}
	if st.Tripped = n.tripped(w) && !n.allowed(w); !st.Tripped {
		return st, nil
	}
	st.Since = time.Unix(n.Since, 0).UTC()
	prefix := ts.HeldPrefix()
	for item, err := range ts.All(ctx, store.Query{PK: prefix.PK, Prefix: prefix.SK}) {
		if err != nil {
			return State{}, err
		}
		at, _ := item.Attrs[attrAt].(int64)
		action, _ := item.Attrs[attrAction].(string)
		if at < n.Since || w.now >= at+w.length+noteEvery {
			continue
		}
		st.Held = append(st.Held, Held{store.LastPart(item.SK), Action(action), time.Unix(at, 0).UTC()})
		if len(st.Held) == maxHeld {
			break
		}
	}
	return st, nil
}

func (n numbers) decided() Decided { return Decided{n.Since, n.Until} }

// Allow permits all requests of a tenant for some time, also if the guard has not tripped. Then it counts from nothing.
// tenant.ErrNotFound if there is no active tenant.
func (s *Service) Allow(ctx context.Context, tenantID string, most time.Duration) error {
	return s.decide(ctx, tenantID, func(n *numbers, now int64) scim.Object {
		*n = numbers{
			Active: n.Active, ActiveAt: n.ActiveAt, Until: now + int64(most/time.Second), version: n.version,
		}
		return scim.Object{"decision": "allow", "until": moment(n.Until)}
	})
}

// Reject keeps a guard that has tripped so, and ends a permission. tenant.ErrNotFound if there is no active tenant.
func (s *Service) Reject(ctx context.Context, tenantID string) error {
	return s.decide(ctx, tenantID, func(n *numbers, _ int64) scim.Object {
		n.Until = 0
		return scim.Object{"decision": "reject"}
	})
}

// decide changes the numbers and announces that in one transaction. A precondition of ctx is asked about Decided.
func (s *Service) decide(ctx context.Context, tenantID string, change func(*numbers, int64) scim.Object) error {
	ts := s.store.Tenant(tenantID)
	return store.Retry(ctx, contendFor, func() error {
		items, err := ts.Get(ctx, ts.Guard())
		if err != nil {
			return err
		}
		n, err := decode(items[0])
		if err != nil {
			return err
		}
		if err := precondition.Of(ctx, func() any { return n.decided() }); err != nil {
			return err
		}
		data := change(&n, s.now().Unix())
		put, err := n.put(ts.Keys)
		if err != nil {
			return err
		}
		return s.tenants.Report(ctx, tenantID, tenant.Report{
			Op: put, Events: []event.Event{{Kind: event.GuardDecided, Data: data}},
		})
	})
}

// contendFor is how long a decision is tried against requests that change the numbers.
const contendFor = 5 * time.Second
