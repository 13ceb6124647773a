package bulk

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"golang.org/x/sync/semaphore"

	"github.com/serverless-scim/serverless-scim/pkg/directory"
	"github.com/serverless-scim/serverless-scim/pkg/directory/bulkid"
	"github.com/serverless-scim/serverless-scim/pkg/scim"
	"github.com/serverless-scim/serverless-scim/pkg/scim/patch"
	"github.com/serverless-scim/serverless-scim/pkg/scim/schema"
	"github.com/serverless-scim/serverless-scim/pkg/store"
)

// Operation is one operation of a bulk request.
type Operation struct {
	// Method is POST, PUT, PATCH or DELETE.
	Method string
	// BulkID is the client's name for the resource that a POST creates.
	BulkID string
	Type   *schema.ResourceType
	// ID is the id of the resource, or "bulkId:" and the BulkID of the POST that creates it; empty with POST.
	ID string
	// IfMatch is the precondition, as in Replace.
	IfMatch []string
	// Data is the text of the body, an object; empty with DELETE. It is decoded while the operation is under way,
	// and no longer. References in it to other resources of the request, as "bulkId:...", are replaced by their
	// ids.
	Data scim.Raw
	// Invalid, if set, is the error of the operation, which is then not carried out.
	Invalid error
}

// Options are the circumstances of a bulk request.
type Options struct {
	// FailOnErrors is the number of failed operations after which the rest is not carried out; 0 is no limit.
	FailOnErrors int
	// Request, with the data of the operations, identifies the request among those of the tenant: it is the same for a
	// repetition. Nil remembers nothing.
	Request []byte
	// As, if set, returns the context in which the operation at a place is carried out.
	As func(ctx context.Context, i int) context.Context
}

// Result is the result of one operation. Its zero value says that the operation was not carried out because of
// FailOnErrors.
type Result struct {
	// Status is the status of a success, or 0.
	Status int
	// ID is the id of the resource, if it is known; Version its version, 0 if it is not.
	ID      string
	Version int64
	// Err is why the operation failed: a *scim.Error, or any other as the methods of Directory return them.
	Err error
}

const (
	// maxTime is how long a bulk request begins operations; those left then are answered by a 503, for the client to
	// repeat the request.
	maxTime = 25 * time.Second
	// reserve is the time that an operation has to end before the caller's deadline.
	reserve = 2 * time.Second
	// parallel is the number of operations that run at the same time.
	parallel = 32
	// maxDecoded is the size in bytes of the data that is decoded at the same time, unless a single operation has
	// more: the decoded form may take fifty times as much.
	maxDecoded = 1 << 20
)

// Run carries out the operations of a bulk request and returns one result for each, in their order. The error is
// set if the whole request could not be carried out.
func Run(ctx context.Context, d *directory.Directory, t directory.Tenant, ops []Operation, o Options) ([]Result,
	error,
) {
	b := &request{
		d: d, o: d.Options(), t: t, ts: d.Store(t), ops: ops, results: make([]Result, len(ops)),
		decoding: semaphore.NewWeighted(maxDecoded), as: o.As,
	}
	if b.as == nil {
		b.as = func(ctx context.Context, _ int) context.Context { return ctx }
	}
	begin, cancel := context.WithTimeout(ctx, maxTime)
	defer cancel()
	if deadline, ok := ctx.Deadline(); ok {
		begin, cancel = context.WithDeadline(begin, deadline.Add(-reserve))
		defer cancel()
	}
	b.begin = begin
	digest := b.read(o.Request)
	b.refer()
	units := b.order()
	if err := b.remember(ctx, digest, units); err != nil {
		return nil, err
	}
	if err := b.depend(ctx, units); err != nil {
		return nil, err
	}
	b.run(ctx, units, o.FailOnErrors)
	b.forget(ctx, digest)
	b.hideIDs()
	return b.results, nil
}

// request is a bulk request under way.
type request struct {
	d     *directory.Directory
	o     directory.Options // of d
	t     directory.Tenant
	ts    *store.TenantStore
	ops   []Operation
	begin context.Context // ends when no more operations are to begin
	as    func(ctx context.Context, i int) context.Context

	decoding *semaphore.Weighted // bytes of data that are decoded

	facts   []facts        // by operation
	creates map[string]int // by bulkId: the POST that creates it
	refs    [][]int        // by operation: the POSTs that it refers to
	ids     []string       // by operation: the id of its resource
	memory  memory
	results []Result
}

// one carries out an operation that is no part of a circle.
func (b *request) one(ctx context.Context, i int) Result {
	r := Result{ID: b.ids[i]}
	if r.Err = b.ready(i, nil); r.Err != nil {
		return r
	}
	op := b.ops[i]
	data, done, err := b.decode(ctx, i)
	if err != nil {
		r.Err = err
		return r
	}
	defer done()
	data, _ = bulkid.Rewrite(data, "", b.idOf).(scim.Object)
	if op.Method == http.MethodPost {
		r = b.create(ctx, i, data)
		if errors.Is(r.Err, errTakenBack) {
			r.Err = nil // it was created, and a DELETE came after that
		}
		return r
	}
	r.Status = http.StatusOK
	var res directory.Resource
	switch op.Method {
	case http.MethodPut:
		res, r.Err = b.d.Replace(ctx, b.t, op.Type, r.ID, data,
			directory.PatchOptions{IfMatch: op.IfMatch, Selection: bare(op.Type)})
	case http.MethodPatch:
		var ops []patch.Operation
		if ops, r.Err = patch.Parse(data, b.t.Dialect); r.Err == nil {
			res, r.Err = b.patch(ctx, i, ops)
		}
	case http.MethodDelete:
		r.Status, r.Err = http.StatusNoContent, b.remove(ctx, i)
	default:
		r.Err = fmt.Errorf("bulk: operation with method %q", op.Method)
	}
	r.Version = res.Version
	return r
}

// ready returns why an operation can't be carried out: it is invalid, or one that it refers to failed. Operations in
// the same circle are left out of account.
func (b *request) ready(i int, circle map[int]bool) error {
	if err := b.ops[i].Invalid; err != nil {
		return err
	}
	for _, k := range b.refs[i] {
		if circle[k] {
			continue
		}
		failed := b.ops[k].Invalid // nothing waits for an operation that is not carried out
		if failed == nil {
			failed = b.results[k].Err
		}
		if failed == nil {
			continue
		}
		if !final(failed) {
			return notBegun()
		}
		return scim.Errorf(http.StatusConflict, scim.NoType,
			"This operation refers to the bulkId %s, and the operation with that bulkId failed.",
			scim.Quote(b.ops[k].BulkID))
	}
	return nil
}

// final reports whether an error is an answer to the operation, so that the same request would get it again.
func final(err error) bool {
	var known *scim.Error
	return errors.As(err, &known) && known.Status < http.StatusInternalServerError
}

// notBegun is the result of an operation that was not begun, because the time of the request was over.
func notBegun() error {
	return &scim.Error{
		Status: http.StatusServiceUnavailable, RetryAfter: time.Second,
		Detail: "There was no time left for this operation. Send the same bulk request again: " +
			"operations that are done already are not repeated.",
	}
}

// idOf is the id of the resource that a bulkId names.
func (b *request) idOf(bulkID string) string { return b.ids[b.creates[bulkID]] }

// errTakenBack says that a resource that another run of the request had created is not there any more.
var errTakenBack = errors.New("bulk: created by another run of the request, and deleted since")

// create carries out a POST. If the resource is there already, another run of this request created it.
func (b *request) create(ctx context.Context, i int, data scim.Object) Result {
	rt := b.ops[i].Type
	r := Result{Status: http.StatusCreated, ID: b.ids[i]}
	var res directory.Resource
	if !b.memory.there[i] {
		if res, r.Err = b.d.CreateAs(ctx, b.t, rt, r.ID, data, bare(rt)); r.Err == nil {
			b.memory.made[i] = true
		}
		if isMembership(rt) {
			r.ID = res.ID
		}
	}
	if b.memory.there[i] || errors.Is(r.Err, directory.ErrCreated) {
		if res, r.Err = b.d.Get(ctx, b.t, rt, r.ID, bare(rt)); isNotFound(r.Err) {
			r.Err = errTakenBack
		}
	}
	r.Version = res.Version
	return r
}

// patch changes the resource of an operation and returns it with its version.
func (b *request) patch(ctx context.Context, i int, ops []patch.Operation) (directory.Resource, error) {
	op := b.ops[i]
	res, _, err := b.d.Patch(ctx, b.t, op.Type, b.ids[i], ops, directory.PatchOptions{
		IfMatch: op.IfMatch,
		Body:    directory.FullBody, Selection: bare(op.Type),
	})
	return res, err
}

func (b *request) remove(ctx context.Context, i int) error {
	err := b.d.Delete(ctx, b.t, b.ops[i].Type, b.ids[i], b.ops[i].IfMatch)
	if b.memory.resumed && isNotFound(err) {
		return nil
	}
	return err
}

func isNotFound(err error) bool {
	var known *scim.Error
	return errors.As(err, &known) && known.Status == http.StatusNotFound
}

// bare is the projection without the attributes that take reads of their own.
func bare(rt *schema.ResourceType) *schema.Projection {
	// A projection of known names is no error.
	p, _ := rt.Projection([]string{"id"}, nil)
	return p
}
