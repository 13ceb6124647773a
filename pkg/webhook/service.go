package webhook

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"net/http"
	"sync"
	"time"

	"github.com/serverless-scim/serverless-scim/pkg/event/delivery"
	"github.com/serverless-scim/serverless-scim/pkg/event/eventlog"
	"github.com/serverless-scim/serverless-scim/pkg/precondition"
	"github.com/serverless-scim/serverless-scim/pkg/scim"
	"github.com/serverless-scim/serverless-scim/pkg/store"
)

// Most is the number of webhooks that a tenant, or the operator, may have.
const Most = 100

// bothFor is the time for which the previous secret still signs as well.
const bothFor = 24 * time.Hour

// changeFor is the time for which a change is tried again after conflicts with others.
const changeFor = 5 * time.Second

// testType is the type of the event that Test sends. It is in no log.
const testType = "webhook.test"

// The errors of a Service, beside those of the store and *InvalidError.
var (
	ErrNotFound = errors.New("webhook: there is none")
	ErrNoOwner  = errors.New("webhook: the tenant is deleted")
	ErrTaken    = errors.New("webhook: the id is taken")
	ErrTooMany  = errors.New("webhook: there are as many as there may be")

	errID = &InvalidError{"id", "It must be " + delivery.Transient + " and 16 characters of a-z and 0-9."}
)

// Options of a Service. All are required but Living, Loopback, Machine and Wake.
type Options struct {
	Now func() time.Time
	Log *slog.Logger
	// Key returns the key of the deployment, with which secrets are encrypted. It is called once.
	Key func(ctx context.Context) ([]byte, error)
	// Living returns the operation that fails if a tenant is deleted; nil: tenants are not asked for.
	Living func(store.Keys) store.Op
	// Loopback allows URLs of this machine, and http for them: for local runs.
	Loopback bool
	// Machine is the machine's clock, for a program whose own clock can be moved: receivers compare the time of a
	// signature with theirs. nil is Now.
	Machine func() time.Time
	// Wake is called with a tenant whose deliveries may go on, "" for all tenants. It must return at once. nil: the
	// table's stream does this.
	Wake func(tenantID string)
}

// Service keeps webhooks and sends to them. It is safe for concurrent use.
type Service struct {
	store  *store.Store
	o      Options
	client *http.Client

	mu   sync.Mutex
	seal *sealer
}

// New creates a Service.
func New(st *store.Store, o Options) *Service {
	if o.Wake == nil {
		o.Wake = func(string) {}
	}
	if o.Machine == nil {
		o.Machine = o.Now
	}
	return &Service{store: st, o: o, client: newClient(o.Loopback)}
}

// sealer returns the cipher of secrets.
func (s *Service) sealer(ctx context.Context) (sealer, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.seal != nil {
		return *s.seal, nil
	}
	key, err := s.o.Key(ctx)
	if err != nil {
		return sealer{}, err
	}
	seal, err := newSealer(key)
	if err == nil {
		s.seal = &seal
	}
	return seal, err
}

// secrets returns the secrets that sign at now, the present one first.
func (s *Service) secrets(ctx context.Context, w *Webhook, now time.Time) ([]string, error) {
	seal, err := s.sealer(ctx)
	if err != nil {
		return nil, err
	}
	present, err := seal.open(w.Owner, w.ID, w.sealed)
	if err != nil {
		return nil, err
	}
	all := []string{present}
	if w.previous != "" && now.Before(w.PreviousUntil) {
		// A secret that can't be decrypted was sealed with another key, before a move to this deployment: the rotation
		// replaces it.
		if previous, err := seal.open(w.Owner, w.ID, w.previous); err == nil {
			all = append(all, previous)
		}
	}
	return all, nil
}

// List returns the webhooks of a tenant, or the operator's.
func (s *Service) List(ctx context.Context, owner string) ([]*Webhook, error) {
	pk := store.OperatorWebhooksPK
	if owner != Operator {
		pk = store.KeysOf(owner).Webhooks()
	}
	all := []*Webhook{}
	for item, err := range s.store.All(ctx, store.Query{PK: pk, Prefix: delivery.Transient}) {
		if err != nil {
			return nil, err
		}
		w, err := decode(owner, item)
		if err != nil {
			return nil, err
		}
		all = append(all, w)
	}
	return all, nil
}

// Get returns a webhook.
func (s *Service) Get(ctx context.Context, owner, id string) (*Webhook, error) {
	if !validID(id) {
		return nil, ErrNotFound
	}
	items, err := s.store.Get(ctx, keyOf(owner, id))
	if err != nil {
		return nil, err
	}
	if items[0].Attrs == nil {
		return nil, ErrNotFound
	}
	return decode(owner, items[0])
}

// Create creates a webhook, and returns it with its secret, which no other call returns. A tenant's webhook begins
// after the present end of the tenant's log, which is returned; the operator's begins with the events from now on.
func (s *Service) Create(
	ctx context.Context, owner string, f Fields,
) (w *Webhook, secret string, after int64, err error) {
	now := s.o.Now()
	w = &Webhook{ID: cmp.Or(f.ID, newID()), Owner: owner, Active: true, CreatedAt: now.UTC()}
	if !validID(w.ID) {
		return nil, "", 0, errID
	}
	if f.URL == nil {
		return nil, "", 0, &InvalidError{"url", "It is required."}
	}
	if f.Types == nil {
		return nil, "", 0, &InvalidError{"types", `They are required; ["*"] takes all.`}
	}
	if err := w.apply(f, s.o.Loopback, now); err != nil {
		return nil, "", 0, err
	}
	// Two concurrent calls may both make the last one: the bound keeps deliveries short, and need not be exact.
	all, err := s.List(ctx, owner)
	if err == nil && len(all) >= Most {
		err = ErrTooMany
	}
	if err != nil {
		return nil, "", 0, err
	}
	seal, err := s.sealer(ctx)
	if err != nil {
		return nil, "", 0, err
	}
	secret = newSecret()
	w.sealed = seal.seal(owner, w.ID, secret)
	failed := (*store.ConditionError)(nil)
	if owner == Operator {
		err := s.store.Write(ctx, w.put())
		if errors.As(err, &failed) {
			err = ErrTaken
		}
		return w, secret, 0, err
	}
	begin, after, err := delivery.Begin(ctx, s.store.Tenant(owner), w.ID)
	if err != nil {
		return nil, "", 0, err
	}
	ops := []store.Op{w.put(), begin}
	if f.ID != "" { // the operator's webhooks have their positions in the same log, by their ids
		ops = append(ops, store.CheckItem(store.OperatorWebhook(f.ID), store.IsAbsent()))
	}
	if s.o.Living != nil {
		ops = append(ops, s.o.Living(store.KeysOf(owner)))
	}
	err = s.store.Transact(ctx, ops...)
	switch {
	case !errors.As(err, &failed):
	case s.o.Living != nil && failed.At(len(ops)-1):
		err = ErrNoOwner
	default:
		err = ErrTaken
	}
	return w, secret, after, err
}

// change changes a webhook. The error is store.ErrStale if concurrent changes don't end.
func (s *Service) change(ctx context.Context, owner, id string, f func(*Webhook) error) (w *Webhook, err error) {
	err = store.Retry(ctx, changeFor, func() error {
		if w, err = s.Get(ctx, owner, id); err != nil {
			return err
		}
		if err := precondition.Of(ctx, func() any { return w }); err != nil {
			return err
		}
		if err := f(w); err != nil {
			return err
		}
		err := s.store.Write(ctx, w.put())
		if failed := (*store.ConditionError)(nil); errors.As(err, &failed) {
			return store.ErrStale
		}
		return err
	})
	return w, err
}

// Change sets fields of a webhook. One that is switched on is tried at once, also if it was paused.
func (s *Service) Change(ctx context.Context, owner, id string, f Fields) (*Webhook, error) {
	w, err := s.change(ctx, owner, id, func(w *Webhook) error { return w.apply(f, s.o.Loopback, s.o.Now()) })
	if err == nil && f.Active != nil && *f.Active {
		err = s.wake(ctx, owner, id)
	}
	return w, err
}

// wake makes the deliveries of a webhook go on.
func (s *Service) wake(ctx context.Context, owner, id string) error {
	if owner == Operator {
		if err := s.store.Write(ctx, delivery.WakeAll(s.o.Now().Unix(), id)); err != nil {
			return err
		}
	} else if err := delivery.Change(ctx, s.store.Tenant(owner), id, func(*delivery.State) {}); err != nil {
		return err
	}
	s.o.Wake(owner)
	return nil
}

// Remove removes a webhook. The error is store.ErrStale if concurrent changes don't end.
func (s *Service) Remove(ctx context.Context, owner, id string) error {
	return store.Retry(ctx, changeFor, func() error {
		w, err := s.Get(ctx, owner, id)
		if err != nil {
			return err
		}
		if err := precondition.Of(ctx, func() any { return w }); err != nil {
			return err
		}
		ops := []store.Op{store.RemoveItem(keyOf(owner, id)).When(store.Is(attrVersion, w.version))}
		// The operator's webhook has a state in each tenant: that goes with the tenant's next delivery.
		if owner != Operator {
			ops = append(ops, store.RemoveItem(store.KeysOf(owner).Destination(id)))
		}
		err = s.store.Transact(ctx, ops...)
		if failed := (*store.ConditionError)(nil); errors.As(err, &failed) {
			return store.ErrStale
		}
		return err
	})
}

// Rotate gives a webhook a new secret, and returns it. The previous one signs as well for a day.
func (s *Service) Rotate(ctx context.Context, owner, id string) (w *Webhook, secret string, err error) {
	seal, err := s.sealer(ctx)
	if err != nil {
		return nil, "", err
	}
	secret = newSecret()
	w, err = s.change(ctx, owner, id, func(w *Webhook) error {
		w.previous, w.PreviousUntil = w.sealed, s.o.Now().Add(bothFor).UTC()
		w.sealed = seal.seal(owner, id, secret)
		return nil
	})
	return w, secret, err
}

// SwitchOff records that the receiver wants no more events.
func (s *Service) SwitchOff(ctx context.Context, tenantID, id string) error {
	for _, owner := range []string{tenantID, Operator} {
		_, err := s.change(ctx, owner, id, func(w *Webhook) error {
			w.Active, w.Off = false, Gone
			return nil
		})
		if !errors.Is(err, ErrNotFound) {
			return err
		}
	}
	return nil
}

// Test sends an event of type "webhook.test" at once, and returns the result.
func (s *Service) Test(ctx context.Context, owner, id string) (delivery.Attempt, error) {
	w, err := s.Get(ctx, owner, id)
	if err != nil {
		return delivery.Attempt{}, err
	}
	now := s.o.Now()
	messageID := "test-" + newID()[len(delivery.Transient):]
	a := s.post(ctx, w, message{messageID, scim.Object{
		"id": messageID, "sequence": int64(0), "type": testType, "schemaVersion": int64(1), "tenant": owner,
		"subject": "webhooks/" + id, "time": scim.FormatTime(now.UTC()), "cause": scim.Object{}, "data": scim.Object{},
	}})
	return a.Attempt, nil
}

// Replay sends the events of a tenant after a sequence number again. page is the log after it, as it was read.
func (s *Service) Replay(ctx context.Context, w *Webhook, tenantID string, page eventlog.Page, after int64) error {
	if err := delivery.Replay(ctx, s.store.Tenant(tenantID), endpoint{w, s}, page, after); err != nil {
		return err
	}
	s.o.Wake(tenantID)
	return nil
}

// States returns the states of the delivery of a tenant's log to webhooks, by id. One that has not begun has none.
func (s *Service) States(ctx context.Context, tenantID string, all ...*Webhook) (map[string]delivery.State, error) {
	ts := s.store.Tenant(tenantID)
	keys := make([]store.Key, len(all))
	for i, w := range all {
		keys[i] = ts.Destination(w.ID)
	}
	items, err := ts.Get(ctx, keys...)
	states := map[string]delivery.State{}
	for i, item := range items {
		state, begun, err := delivery.Decode(item)
		if err != nil {
			return nil, err
		}
		if begun && !state.Outlived(all[i].CreatedAt) {
			states[all[i].ID] = state
		}
	}
	return states, err
}

// Destinations returns the webhooks that may get the events of a tenant. It is delivery.Options.Destinations.
func (s *Service) Destinations(ctx context.Context, tenantID string) ([]delivery.Destination, error) {
	var all []delivery.Destination
	for _, owner := range []string{tenantID, Operator} {
		some, err := s.List(ctx, owner)
		if err != nil {
			return nil, err
		}
		for _, w := range some {
			all = append(all, endpoint{w, s})
		}
	}
	return all, nil
}
