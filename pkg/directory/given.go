package directory

import (
	"context"
	"errors"

	"github.com/serverless-scim/serverless-scim/pkg/scim"
	"github.com/serverless-scim/serverless-scim/pkg/scim/schema"
	"github.com/serverless-scim/serverless-scim/pkg/store"
)

// ErrCreated says that the resource to be created under a given id is there already.
var ErrCreated = errors.New("directory: created before")

// given is the id of a resource to be created: a new one, or one that was decided before, so that the creation can be repeated.
type given struct {
	rt    *schema.ResourceType
	id    string
	fixed bool
	tries int
}

func (d *Directory) givenID(rt *schema.ResourceType, id string) *given {
	if id == "" {
		return &given{rt: rt, id: d.o.NewID()}
	}
	return &given{rt: rt, id: id, fixed: true}
}

// check is called before each attempt. It returns ErrCreated if a former attempt, of this or another process, was successful. The
// first attempt needs no look: its transaction fails where the resource is there.
func (g *given) check(ctx context.Context, ts *store.TenantStore) error {
	g.tries++
	if !g.fixed || g.tries == 1 {
		return nil
	}
	items, err := ts.Get(ctx, ResourceKey(ts.Keys, g.rt, g.id))
	if err == nil && items[0].Attrs != nil {
		return ErrCreated
	}
	return err
}

// settle is called with the outcome of the attempts. A unique value that is taken may be taken by this very resource: then another
// process has created it in the meantime, and the outcome is ErrCreated.
func (g *given) settle(ctx context.Context, ts *store.TenantStore, outcome error) error {
	var known *scim.Error
	if !g.fixed || !errors.As(outcome, &known) || known.Type != scim.Uniqueness {
		return outcome
	}
	items, err := ts.Get(ctx, ResourceKey(ts.Keys, g.rt, g.id))
	switch {
	case err != nil:
		return err
	case items[0].Attrs != nil:
		return ErrCreated
	}
	return outcome
}
