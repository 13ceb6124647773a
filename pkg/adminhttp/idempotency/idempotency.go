// Package idempotency remembers the requests of a tenant, or of the operator, that were sent with an Idempotency-Key
// (draft-ietf-httpapi-idempotency-key-header), so that a repeated request is not carried out again. It stores only
// digests of the key and the request, and only the part of an answer that the caller gives it.
package idempotency

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"time"

	"github.com/serverless-scim/serverless-scim/pkg/store"
	"github.com/serverless-scim/serverless-scim/pkg/tenant"
)

// Keep is how long a request is remembered.
const Keep = 24 * time.Hour

// Patience is the time that a request may take. After that, its process counts as dead.
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
	// Body is JSON; "" if it is not stored. ETag is the entity tag of what Body describes.
	Body, ETag string
}

// The attributes of the item, beside those of all items.
const (
	attrRequest  = "request"
	attrAt       = "at"
	attrStatus   = "status" // missing: under way
	attrLocation = "location"
	attrBody     = "doc"
	attrETag     = "etag"
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

// operator stands for a tenant's id in requests without a tenant.
const operator = ""

// place is the key of the item of an Idempotency-Key, and the operations that must hold for a write of it.
func place(tenantID, key string) (at store.Key, must []store.Op) {
	if tenantID == operator {
		return store.OperatorOnce(digest(key)), nil
	}
	keys := store.KeysOf(tenantID)
	return keys.Once(digest(key)), []store.Op{tenant.Living(keys)}
}

// Begin notes that a request of a tenant, or of the operator, begins; before is the answer if it was carried out
// already. If several begin at the same time, one succeeds and the others get ErrUnderWay. tenant.ErrNotFound if the
// tenant does not exist, or is deleted: nothing is stored then.
func (m *Memory) Begin(ctx context.Context, tenantID, key, request string) (before *Answer, err error) {
	at, must := place(tenantID, key)
	now := m.now()
	put := store.PutItem(at, store.Attrs{
		attrRequest: digest(request), attrAt: now.Unix(), store.AttrTTL: now.Add(Keep).Unix(),
	})
	err = m.store.Transact(ctx, append(must, put.When(store.IsAbsent()))...)
	failed := (*store.ConditionError)(nil)
	switch {
	case !errors.As(err, &failed):
		return nil, err
	case must != nil && failed.At(0):
		return nil, tenant.ErrNotFound
	}
	items, err := m.store.Get(ctx, at)
	if err != nil {
		return nil, err
	}
	had := items[0].Attrs
	began, _ := had[attrAt].(int64)
	if had == nil {
		return nil, ErrUnderWay // it was forgotten in between: who tries again begins
	}
	if ttl, _ := had[store.AttrTTL].(int64); ttl <= now.Unix() {
		err = m.store.Transact(ctx, append(must, put.When(store.Is(attrAt, began)))...)
		if errors.As(err, &failed) {
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
		body, _ := had[attrBody].(string)
		tag, _ := had[attrETag].(string)
		return &Answer{Status: int(status), Location: location, Body: body, ETag: tag}, nil
	case now.Sub(time.Unix(began, 0)) < Patience:
		return nil, ErrUnderWay
	}
	return nil, ErrUnknown
}

// Done notes the answer of a request that has begun. It does nothing if the tenant has been deleted since.
func (m *Memory) Done(ctx context.Context, tenantID, key, request string, a Answer) error {
	at, must := place(tenantID, key)
	now := m.now()
	err := m.store.Transact(ctx, append(must, store.PutItem(at, store.Attrs{
		attrRequest: digest(request), attrAt: now.Unix(), store.AttrTTL: now.Add(Keep).Unix(),
		attrStatus: int64(a.Status), attrLocation: a.Location, attrBody: a.Body, attrETag: a.ETag,
	}))...)
	if failed := (*store.ConditionError)(nil); errors.As(err, &failed) {
		return nil
	}
	return err
}

// Forget undoes Begin for a refused request, which may be sent again with the same key.
func (m *Memory) Forget(ctx context.Context, tenantID, key string) error {
	at, _ := place(tenantID, key)
	return m.store.Write(ctx, store.RemoveItem(at))
}
