package policy

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"sync"
	"time"

	"github.com/serverless-scim/serverless-scim/pkg/directory"
	"github.com/serverless-scim/serverless-scim/pkg/guard"
	"github.com/serverless-scim/serverless-scim/pkg/mapping"
	"github.com/serverless-scim/serverless-scim/pkg/scim"
	"github.com/serverless-scim/serverless-scim/pkg/scim/schema"
	"github.com/serverless-scim/serverless-scim/pkg/store"
)

// attrDoc is the attribute of the policy's item that holds the document.
const attrDoc = "doc"

// Digest names a policy document in the tenant's item.
func Digest(document []byte) string {
	sum := sha256.Sum256(document)
	return base64.RawURLEncoding.EncodeToString(sum[:16])
}

// maxKept bounds the compiled policies that a process keeps. Beyond it forgets all of them.
const maxKept = 1000

// policies are the policies of all tenants. They are safe for concurrent use.
type policies struct {
	store *store.Store
	log   *slog.Logger
	guard *guard.Service

	mu   sync.Mutex
	kept map[key]*mapping.Requests
}

// key names a compiled policy. Types of a tenant are joined once per process and version of its definitions.
type key struct {
	digest string
	types  *schema.Types
}

// Rules returns the directory.Rules that apply the policies in a store. g counts for the policies that have a
// guard. A policy that can't be applied is logged.
func Rules(s *store.Store, g *guard.Service, log *slog.Logger) directory.Rules {
	p := &policies{store: s, log: log, guard: g, kept: map[key]*mapping.Requests{}}
	return directory.Rules{Permit: p.permit, Allow: p.allow, Bound: p.bound}
}

// of returns the part of the tenant's policy about requests; nil if it has no policy. It reads the policy only if
// this process has not compiled it before.
func (p *policies) of(ctx context.Context, t directory.Tenant) (*mapping.Requests, error) {
	if t.Policy == "" {
		return nil, nil
	}
	types := t.ResourceTypes()
	p.mu.Lock()
	known := p.kept[key{t.Policy, types}]
	p.mu.Unlock()
	if known != nil {
		return known, nil
	}
	ts := p.store.Tenant(t.ID)
	items, err := ts.Get(ctx, ts.Policy())
	if err != nil {
		return nil, err
	}
	doc, _ := items[0].Attrs[attrDoc].(string)
	if doc == "" {
		return nil, p.broken(ctx, t, errors.New("policy: the tenant names a policy, and there is none"))
	}
	requests, err := mapping.ParseRequests([]byte(doc), types)
	if err != nil {
		return nil, p.broken(ctx, t, fmt.Errorf("policy: %w", err))
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.kept) >= maxKept {
		clear(p.kept)
	}
	// A policy that was saved after the tenant was read goes under its own name.
	p.kept[key{Digest([]byte(doc)), types}] = requests
	return requests, nil
}

// broken is the error if the saved policy can't be applied because the tenant's types have changed since. All
// requests that it might forbid are refused.
func (p *policies) broken(ctx context.Context, t directory.Tenant, err error) error {
	p.log.ErrorContext(ctx, "policy can't be applied", "tenant", t.ID, "error", err)
	return &scim.Error{
		Status: http.StatusServiceUnavailable, RetryAfter: time.Minute,
		Detail: "The policy of this tenant no longer fits its schemas. " +
			"The operator of the application must save it again.",
	}
}
