package publish

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"github.com/serverless-scim/serverless-scim/pkg/directory"
	"github.com/serverless-scim/serverless-scim/pkg/member/internal/pass"
	"github.com/serverless-scim/serverless-scim/pkg/member/internal/policies"
	"github.com/serverless-scim/serverless-scim/pkg/store"
)

// Options of publishing. All are required but Wake and Forget.
type Options struct {
	Now func() time.Time
	Log *slog.Logger
	// Directory has the users and groups. Sweep does without.
	Directory *directory.Directory
	// Wake is called with the id of a tenant in which a marker was written. It must return at once. nil: the
	// table's stream wakes the publication.
	Wake func(tenantID string)
	// Forget, if set, removes a person who is erased from the other records of requests, by the id and the names.
	// done is false if the time was not enough: then the person is not erased yet.
	Forget func(ctx context.Context, tenantID, id string, names []string) (done bool, err error)
}

// Publisher publishes members. It is safe for concurrent use.
type Publisher struct {
	store    *store.Store
	o        Options
	policies *policies.Policies
	passes   *pass.Passes

	mu    sync.Mutex
	turns map[string]*turns
}

// New creates a publisher of the members in a store, who are evaluated by policies.
func New(s *store.Store, all *policies.Policies, o Options) *Publisher {
	if o.Wake == nil {
		o.Wake = func(string) {}
	}
	return &Publisher{
		store: s, o: o, policies: all, passes: pass.New(s, all, o.Directory, o.Now), turns: map[string]*turns{},
	}
}
