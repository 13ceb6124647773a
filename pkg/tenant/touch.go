package tenant

import (
	"context"
	"time"

	"github.com/serverless-scim/serverless-scim/pkg/event"
	"github.com/serverless-scim/serverless-scim/pkg/scim"
	"github.com/serverless-scim/serverless-scim/pkg/store"
	"github.com/serverless-scim/serverless-scim/pkg/tenant/internal/record"
)

const (
	// touchEvery is how often this process writes that a token is in use.
	touchEvery = 5 * time.Minute
	// touchPatience is how long one write may take, retries included. One that fails is not made up for before touchEvery:
	// a table that is slow must not get more work from this.
	touchPatience = 2 * time.Second
	// maxTouched bounds the memory of what was written; above it, what is older than touchEvery goes.
	maxTouched = 10_000
	attrAt     = "at" // Unix time in seconds
)

type touchKey struct{ tenant, token string }

// Touch notes that a token was used now, at most every five minutes per token and process. It is meant to run beside
// the request: it is not counted as the request's cost, it returns nothing, it ends within two seconds or with ctx, and
// what goes wrong is logged.
func (s *Service) Touch(ctx context.Context, tenantID, tokenID string) {
	now := s.o.Now()
	if !record.ValidID(tenantID) || !s.due(touchKey{tenantID, tokenID}, now) {
		return
	}
	ctx, cancel := context.WithTimeout(store.WithoutMeter(ctx), touchPatience)
	defer cancel()
	if err := s.touch(ctx, tenantID, tokenID, now); err != nil {
		s.o.Log.WarnContext(ctx, "last use of a token not noted", "tenant", tenantID, "token", tokenID, "error", err)
	}
}

func (s *Service) touch(ctx context.Context, tenantID, tokenID string, now time.Time) error {
	r, err := s.read(ctx, tenantID)
	if err != nil {
		return err
	}
	keys := store.KeysOf(tenantID)
	put := store.Op{
		Kind: store.Put, Key: keys.Used(tokenID), Set: store.Attrs{attrAt: now.Unix(), store.AttrSchema: store.SchemaVersion},
	}
	token := r.Find(tokenID)
	byClient := r.Connected == 0 && record.ValidClientID(tokenID)
	if r.Life == record.Active && (token != nil && token.First == 0 || byClient) {
		return s.firstUse(ctx, tenantID, tokenID, now, put)
	}
	// The check keeps a request that outlives its tenant from leaving an item behind.
	return s.store.Transact(ctx, put, Living(keys))
}

// Living is the operation that changes nothing and asks for a tenant to be there and not deleted.
func Living(k store.Keys) store.Op {
	return store.CheckItem(k.Tenant(), store.Is(record.AttrState, string(record.Active)))
}

// firstUse notes that a token, or a client of a tenant that was not connected before, was used for the first time, and
// that this is to be told; the next run of Rotate makes a token the vault's current one. It deletes nothing, which not
// every function that answers requests may.
func (s *Service) firstUse(ctx context.Context, tenantID, tokenID string, now time.Time, put store.Op) error {
	_, err := s.update(ctx, tenantID, func(r *record.Record) error {
		r.Out.With = append(r.Out.With, put)
		if record.ValidClientID(tokenID) {
			connected(r, now)
			r.Out.Hint = true
		}
		if token := r.Find(tokenID); token != nil && token.First == 0 {
			connected(r, now)
			token.First = now.Unix()
			r.Tell(now, event.TokenFirstUsed, tokenID, scim.Object{"firstUsedAt": record.Moment(token.First)})
			r.Out.Hint = true
		}
		return nil
	})
	return err
}

// connected notes that the first request of a tenant was let in, and tells of it, unless a token was used before this
// was noted.
func connected(r *record.Record, now time.Time) {
	if r.Connected != 0 {
		return
	}
	r.Connected = now.Unix()
	for _, t := range r.Tokens {
		if t.First != 0 {
			return
		}
	}
	r.Tell(now, event.TenantConnected, "", scim.Object{"firstRequestAt": record.Moment(r.Connected)})
}

// due reports whether a use is to be written, and notes that it is.
func (s *Service) due(key touchKey, now time.Time) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if last, ok := s.touched[key]; ok && now.Sub(last) < touchEvery {
		return false
	}
	if len(s.touched) >= maxTouched {
		for k, last := range s.touched {
			if now.Sub(last) >= touchEvery {
				delete(s.touched, k)
			}
		}
	}
	s.touched[key] = now
	return true
}
