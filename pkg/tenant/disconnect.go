package tenant

import (
	"context"
	"slices"

	"github.com/serverless-scim/serverless-scim/pkg/event"
	"github.com/serverless-scim/serverless-scim/pkg/scim"
	"github.com/serverless-scim/serverless-scim/pkg/store"
	"github.com/serverless-scim/serverless-scim/pkg/tenant/internal/record"
	"github.com/serverless-scim/serverless-scim/pkg/tenant/internal/rotation"
)

// Disconnected is the number of tokens and OAuth clients whose access Disconnect has ended.
type Disconnected struct {
	Tokens int
	// Clients counts the tenant's own OAuth clients, and those of the operator that the tenant had allowed.
	Clients int
}

// Disconnect ends all access of a tenant's identity provider. It revokes the tokens, deletes the tenant's own OAuth
// clients, and no longer allows those of the operator. No request that begins after it returns is authenticated.
// Everything else stays, users and groups as well. If there is nothing to end, it writes nothing, not even an event.
//
// All of it is one write of the tenant's item. A process that dies after it leaves values in the vault that
// authenticate nobody, which the next run of Rotate removes, and times of last use, which do no harm.
func (s *Service) Disconnect(ctx context.Context, tenantID string) (ended Disconnected, err error) {
	ctx, cancel := detach(ctx)
	defer cancel()
	now := s.o.Now()
	var dead []rotation.Token
	var used []string
	_, err = s.update(ctx, tenantID, func(r *record.Record) error {
		ended, dead, used = Disconnected{Clients: len(r.Clients) + len(r.Settings.OAuth.Clients)}, nil, nil
		live := r.Live(now)
		ended.Tokens = len(live)
		if ended == (Disconnected{}) && r.Pending == nil {
			return errUnchanged
		}
		for _, i := range live {
			r.Revoke(now, &r.Tokens[i], "disconnected")
			dead = append(dead, r.Tokens[i])
		}
		for _, c := range r.Clients {
			used = append(append(used, c.ID), c.SecretIDs()...)
			r.Tell(now, event.ClientDeleted, "", scim.Object{"clientId": c.ID})
			r.Out.With = append(r.Out.With, store.RemoveItem(store.KeysOf(tenantID).Client(c.ID)))
		}
		r.Clients, r.Settings.OAuth.Clients = nil, nil
		r.Pending, r.Collect = nil, false // a token that is being created right now is not added any more
		r.Tell(now, event.TenantDisconnected, "", scim.Object{
			"tokens": int64(ended.Tokens), "clients": int64(ended.Clients),
		})
		r.Modified = now.UnixMilli()
		return nil
	})
	if err != nil {
		return Disconnected{}, err
	}
	s.o.Log.InfoContext(ctx, "tenant disconnected", "tenant", tenantID, "tokens", ended.Tokens,
		"clients", ended.Clients)
	for _, t := range dead {
		s.drop(ctx, tenantID, t)
	}
	for _, id := range slices.Compact(used) {
		s.forgetUse(ctx, tenantID, id)
	}
	return ended, nil
}
