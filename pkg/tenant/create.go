package tenant

import (
	"context"
	"errors"
	"fmt"

	"github.com/serverless-scim/serverless-scim/pkg/event"
	"github.com/serverless-scim/serverless-scim/pkg/store"
	"github.com/serverless-scim/serverless-scim/pkg/tenant/internal/record"
	"github.com/serverless-scim/serverless-scim/pkg/tenant/internal/rotation"
)

// generatedIDLength is the length of an id that is made for a tenant: 62 bits.
const generatedIDLength = 12

// NewTenant is the input of Create.
type NewTenant struct {
	// ID is the wanted id; if it is empty, Create generates one.
	ID string
	// Name is for people: 1 to 256 bytes.
	Name string
	// IdP is one of scim.IdPs; empty is DefaultIdP.
	IdP      string
	Settings Settings
}

// Create creates a tenant, switched on, and its first token, with both scopes and the lifetime of its settings. The id
// must be free: ErrExists otherwise, also while a tenant of that id is being created or deleted. An invalid value is an
// *InvalidError. After ctx is cancelled Create goes on for 20 seconds at most, to leave nothing half made.
//
// Steps: (1) reserve the id, state creating; (2) put the token's value into the vault; (3) commit digest and state
// active. A process that dies after 1 leaves an id that nobody sees and a token that authenticates nobody. Once the
// reservation has lapsed, the next Create of that id, or ClearAbandoned, takes over. One that dies after 2 leaves a
// value in the vault as well, which the next Keep replaces. One that dies after 3, before it has answered, leaves a
// tenant whose token Reveal shows.
func (s *Service) Create(ctx context.Context, n NewTenant) (Tenant, IssuedToken, error) {
	if n.ID == "" {
		n.ID = record.Random(record.Base36, generatedIDLength)
	}
	if n.IdP == "" {
		n.IdP = DefaultIdP
	}
	if err := errors.Join(n.check(), s.checkSettings(n.Settings)); err != nil {
		return Tenant{}, IssuedToken{}, err
	}
	ctx, cancel := detach(ctx)
	defer cancel()
	now := s.o.Now()
	token, value := s.mint(now, s.policy(n.Settings.Token), NewToken{})
	r := &record.Record{
		Name: n.Name, IdP: n.IdP, Settings: n.Settings, Created: now.UnixMilli(), Modified: now.UnixMilli(),
		Pending: s.reservation(token.ID), Key: record.NewKey(), Life: record.Creating,
		Incarnation: record.NewIncarnation(),
	}
	if err := s.reserveTenant(ctx, n.ID, r); err != nil {
		return Tenant{}, IssuedToken{}, err
	}
	if vault := s.vault(token); vault != nil {
		if err := vault.Keep(ctx, n.ID, token.ID, value, Current); err != nil {
			s.releaseTenant(ctx, n.ID, r)
			return Tenant{}, IssuedToken{}, err
		}
	}
	r.Tokens, r.Current, r.Pending, r.Life = []rotation.Token{token}, token.ID, nil, record.Active
	r.Tell(now, event.TokenCreated, token.ID, record.TokenData(token))
	err := s.writeListed(ctx, n.ID, r, r.Version)
	if failed := (*store.ConditionError)(nil); errors.As(err, &failed) {
		// Another process took over the reservation, which looked abandoned: this attempt never happened.
		s.drop(ctx, n.ID, token)
		return Tenant{}, IssuedToken{}, ErrExists
	}
	if err != nil {
		return Tenant{}, IssuedToken{}, err
	}
	s.o.Log.InfoContext(ctx, "tenant created", "tenant", n.ID, "token", token.ID)
	t := r.Tenant(n.ID, now)
	return t, IssuedToken{Token: t.Tokens[0], Value: value}, nil
}

// reserveTenant reserves a free id, or one of an abandoned Create, for r, and sets r.version.
func (s *Service) reserveTenant(ctx context.Context, id string, r *record.Record) error {
	err := s.writeListed(ctx, id, r, 0)
	failed := (*store.ConditionError)(nil)
	if !errors.As(err, &failed) {
		return err
	}
	old, err := s.read(ctx, id)
	if errors.Is(err, ErrNotFound) {
		return ErrExists // it was there a moment ago; its holder gave up
	}
	if err != nil {
		return err
	}
	if old.Life != record.Creating || s.holds(old.Pending) {
		return ErrExists
	}
	if err = s.writeListed(ctx, id, r, old.Version); errors.As(err, &failed) {
		return ErrExists
	}
	return err
}

// releaseTenant gives a reserved id back. If it fails, the reservation lapses.
func (s *Service) releaseTenant(ctx context.Context, id string, r *record.Record) {
	keys := store.KeysOf(id)
	err := s.store.Transact(ctx,
		store.Op{Kind: store.Delete, Key: keys.Tenant(), If: []store.Cond{record.AtVersion(r.Version)}},
		store.Op{Kind: store.Delete, Key: keys.Listed()})
	if err != nil {
		s.o.Log.WarnContext(ctx, "reservation of a tenant not released", "tenant", id, "error", err)
	}
}

// writeListed is commit with the tenant's state in the list of tenants.
func (s *Service) writeListed(ctx context.Context, id string, r *record.Record, previous int64) error {
	listed := store.Attrs{
		record.AttrState: string(r.Life),
		record.AttrSince: s.o.Now().Unix(),
		store.AttrSchema: store.SchemaVersion,
	}
	return s.commit(ctx, id, r, previous, store.Op{Kind: store.Put, Key: store.KeysOf(id).Listed(), Set: listed})
}

func (n NewTenant) check() error {
	if !record.ValidID(n.ID) {
		return record.Invalid("id",
			fmt.Sprintf("must be %d to %d characters of a-z, 0-9 and -", record.MinIDLength, record.MaxIDLength))
	}
	if err := record.CheckName(n.Name); err != nil {
		return err
	}
	return record.CheckIdP(n.IdP)
}
