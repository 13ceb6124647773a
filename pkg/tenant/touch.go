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
	// touchEvery is how often this process writes the time of last use of a token.
	touchEvery = 5 * time.Minute
	// touchPatience is how long one write may take, retries included. A write that fails is not repeated before
	// touchEvery has passed: a slow table must not get more work from this.
	touchPatience = 2 * time.Second
	// maxTouched bounds the remembered writes; above it, those older than touchEvery are removed.
	maxTouched = 10_000
	attrAt     = "at" // Unix time in seconds
)

type touchKey struct{ tenant, token string }

// Touch notes that a token was used now, at most every five minutes per token and process. It is meant to run beside
// the request. It is not counted as the request's cost, and ends within two seconds or with ctx. Errors are only
// logged.
func (s *Service) Touch(ctx context.Context, tenantID, tokenID string) {
	now := s.o.Now()
	if !record.ValidID(tenantID) || !s.due(touchKey{tenantID, tokenID}, now) {
		return
	}
	ctx, cancel := context.WithTimeout(store.WithoutMeter(ctx), touchPatience)
	defer cancel()
	if err := s.touch(ctx, tenantID, tokenID, now); err != nil {
		s.o.Log.WarnContext(ctx, "last use of a token not recorded", "tenant", tenantID, "token", tokenID, "error", err)
	}
}

func (s *Service) touch(ctx context.Context, tenantID, tokenID string, now time.Time) error {
	r, err := s.read(ctx, tenantID)
	if err != nil {
		return err
	}
	keys := store.KeysOf(tenantID)
	put := store.Op{
		Kind: store.Put, Key: keys.Used(tokenID),
		Set: store.Attrs{attrAt: now.Unix(), store.AttrSchema: store.SchemaVersion},
	}
	token := r.Find(tokenID)
	byClient := r.Connected == 0 && record.ValidClientID(tokenID)
	if r.Life == record.Active && (token != nil && token.First == 0 || byClient) {
		return s.firstUse(ctx, tenantID, tokenID, now, put)
	}
	// The check keeps a request that outlives its tenant from leaving an item behind.
	return s.store.Transact(ctx, put, Living(keys))
}

// Living returns an operation that changes nothing and requires that the tenant exists and is not deleted.
func Living(k store.Keys) store.Op {
	return store.CheckItem(k.Tenant(), store.Is(record.AttrState, string(record.Active)))
}

// firstUse records the first use of a token, or of a client of a tenant that was not connected before, with the event
// about it. The next run of Rotate makes the token the current one in the vault. It deletes nothing, because not
// every function that answers requests has the permission.
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

// connected records that the first request of a tenant was authenticated, with the event about it. There is no event
// if a token was used before such times were recorded.
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

// due reports whether a use is to be written, and remembers that it is.
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
