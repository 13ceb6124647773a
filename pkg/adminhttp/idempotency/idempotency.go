// Package idempotency remembers the requests of a tenant that were sent with an Idempotency-Key
// (draft-ietf-httpapi-idempotency-key-header), so that one that is sent again is not carried out again. Of key and
// request it stores digests only, and of an answer no more than it is given.
package idempotency

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"time"

	"github.com/serverless-scim/serverless-scim/pkg/store"
)

// Keep is how long a request is remembered.
const Keep = 24 * time.Hour

// Patience is how long a request may be under way. Behind it, its process is taken for dead.
const Patience = time.Minute

// The errors of Begin.
var (
	// ErrOther: the key was used with another request.
	ErrOther = errors.New("idempotency: the key was used with another request")
	// ErrUnderWay: the request is under way at this moment.
	ErrUnderWay = errors.New("idempotency: the request is under way")
	// ErrUnknown: the process that carried out the request died, and it is not known how far it got.
	ErrUnknown = errors.New("idempotency: it is not known whether the request was carried out")
)

// Answer is the stored part of an answer.
type Answer struct {
	Status   int
	Location string
}

// The attributes of the item, beside those of all items.
const (
	attrRequest  = "request"
	attrAt       = "at"
	attrStatus   = "status" // missing: under way
	attrLocation = "location"
)

// Memory remembers requests. It is safe for concurrent use, in any number of processes.
type Memory struct {
	store *store.Store
	now   func() time.Time
}

// New returns the memory on a table.
func New(s *store.Store, now func() time.Time) *Memory { return &Memory{s, now} }

func digest(text string) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:])
}

// Begin notes that a request of a tenant begins; before is the answer if it was carried out already. Of many at the
// same time one begins, the others get ErrUnderWay.
func (m *Memory) Begin(ctx context.Context, tenantID, key, request string) (before *Answer, err error) {
	ts, now := m.store.Tenant(tenantID), m.now()
	at := ts.Once(digest(key))
	put := store.PutItem(at, store.Attrs{
		attrRequest: digest(request), attrAt: now.Unix(), store.AttrTTL: now.Add(Keep).Unix(),
	})
	err = ts.Transact(ctx, put.When(store.IsAbsent()))
	if failed := (*store.ConditionError)(nil); !errors.As(err, &failed) {
		return nil, err
	}
	items, err := ts.Get(ctx, at)
	if err != nil {
		return nil, err
	}
	had := items[0].Attrs
	began, _ := had[attrAt].(int64)
	if had == nil {
		return nil, ErrUnderWay // it was forgotten in between: who tries again begins
	}
	if ttl, _ := had[store.AttrTTL].(int64); ttl <= now.Unix() {
		err = ts.Transact(ctx, put.When(store.Is(attrAt, began)))
		if failed := (*store.ConditionError)(nil); errors.As(err, &failed) {
			return nil, ErrUnderWay
		}
		return nil, err
	}
	status, done := had[attrStatus].(int64)
	switch {
	case had[attrRequest] != digest(request):
		return nil, ErrOther
	case done:
		location, _ := had[attrLocation].(string)
		return &Answer{Status: int(status), Location: location}, nil
	case now.Sub(time.Unix(began, 0)) < Patience:
		return nil, ErrUnderWay
	}
	return nil, ErrUnknown
}

// Done notes the answer of a request that has begun.
func (m *Memory) Done(ctx context.Context, tenantID, key, request string, a Answer) error {
	ts, now := m.store.Tenant(tenantID), m.now()
	return ts.Write(ctx, store.PutItem(ts.Once(digest(key)), store.Attrs{
		attrRequest: digest(request), attrAt: now.Unix(), store.AttrTTL: now.Add(Keep).Unix(),
		attrStatus: int64(a.Status), attrLocation: a.Location,
	}))
}

// Forget takes back Begin for a request that was refused: it may be sent again with the key.
func (m *Memory) Forget(ctx context.Context, tenantID, key string) error {
	ts := m.store.Tenant(tenantID)
	return ts.Write(ctx, store.RemoveItem(ts.Once(digest(key))))
}
