package directory

import (
	"context"
	"errors"

	"github.com/serverless-scim/serverless-scim/pkg/scim"
	"github.com/serverless-scim/serverless-scim/pkg/scim/schema"
	"github.com/serverless-scim/serverless-scim/pkg/store"
)

// write is what one transaction does to a tenant's resources.
type write struct {
	store.Tx
	ts *store.TenantStore
	// touched are the resources that the application behind may see differently afterwards.
	touched Touched
	// chunks are written before the transaction, which makes them count; nobody looks at them until then.
	chunks []store.Op
	// work is open work that the transaction leaves behind.
	work []work
}

// Touched names the resources that a transaction changes.
type Touched struct {
	// Users are the ids of users who were created, changed or deleted, or became or ceased to be members of a group.
	Users []string
	// Groups are the ids of groups that were created, deleted, or changed in anything but their members; and of those
	// whose members change by open work, too many to name.
	Groups []string
}

func (t Touched) isEmpty() bool { return len(t.Users) == 0 && len(t.Groups) == 0 }

// maxTouched is how many users one transaction names. More of them are named by their group and its open work.
const maxTouched = 20

// Carry returns operations that a transaction has to carry beside its own because of what it touches. The operations
// may happen more than once, and without the transaction.
type Carry func(ctx context.Context, k store.Keys, t Touched) []store.Op

func (d *Directory) begin(tenantID string) *write { return &write{ts: d.store.Tenant(tenantID)} }

// leave adds open work, which is rolled forward behind the commit.
func (w *write) leave(open work) {
	w.Add(open.put(w.ts.Keys))
	w.work = append(w.work, open)
}

// commit writes a transaction. Every transaction on resources goes through it, so this is the one place that adds what
// each of them has to carry. If there is no room, that is written before: it may happen without the transaction, but
// never the transaction without it.
func (d *Directory) commit(ctx context.Context, w *write) error {
	if d.o.Carry != nil && !w.touched.isEmpty() {
		carried := d.o.Carry(ctx, w.ts.Keys, w.touched)
		if len(carried) <= w.Room() {
			w.Add(carried...)
		} else if err := w.ts.Batch(ctx, carried...); err != nil {
			return err
		}
	}
	if err := w.ts.Batch(ctx, w.chunks...); err != nil {
		return err
	}
	err := w.Commit(ctx, w.ts)
	var limit *store.LimitError
	if errors.As(err, &limit) {
		err = overLimits(w.Ops())
	}
	var refused *scim.Error
	if len(w.chunks) > 0 && (errors.Is(err, store.ErrStale) || errors.As(err, &refused)) { // else it may have happened
		d.discard(ctx, w.ts, w.chunks)
	}
	return err
}

// finishAll rolls forward the open work that a committed write has left, as far as the budget of a request goes.
func (d *Directory) finishAll(ctx context.Context, w *write) {
	for _, open := range w.work {
		d.finish(ctx, w.ts, open)
	}
}

// overLimits is the answer if an item or a key is over the engine's limits. A client's values are bounded but in two
// things: the size of the whole, and the control characters that keys escape.
func overLimits(ops []store.Op) error {
	for _, op := range ops {
		if len(op.SK) > store.MaxSKBytes {
			return scim.BadRequest(scim.InvalidValue,
				"A value is too long to be searched for: control characters count twice.")
		}
	}
	return scim.BadRequest(scim.InvalidValue,
		"The resource is too large: all its attributes together may take about %d KB.", store.MaxItemBytes>>10)
}

// taken is the answer to a write that would use a unique value a second time.
func taken(what, attribute, value string) error {
	return scim.Errorf(409, scim.Uniqueness,
		"Another %s already has the %s %q. Find it with a filter on %s and update it instead.",
		what, attribute, short(value), attribute)
}

// Action is what a write does to a resource.
type Action string

// The actions.
const (
	ActionCreate Action = "create"
	ActionUpdate Action = "update"
	ActionDelete Action = "delete"
)

// Change is a write of one resource as rules see it, before it is committed.
type Change struct {
	Tenant Tenant
	Type   *schema.ResourceType
	ID     string
	Action Action
	// Before and After are the stored documents, without id, meta, groups and members; nil if the resource is created or
	// deleted. They must not be changed.
	Before, After scim.Object
	// Joining and Leaving are the values of members that a group gets and loses.
	Joining, Leaving []string
}

// Rule decides whether a change may happen; its error is the answer if not. It is asked for each attempt of a write,
// after everything about the request itself was found good. It must not write.
type Rule func(ctx context.Context, c Change) error

// allow asks the rules.
func (d *Directory) allow(ctx context.Context, c Change) error {
	for _, rule := range d.o.Rules {
		if err := rule(ctx, c); err != nil {
			return err
		}
	}
	return nil
}
