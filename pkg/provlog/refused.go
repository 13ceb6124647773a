package provlog

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/serverless-scim/serverless-scim/pkg/scim"
	"github.com/serverless-scim/serverless-scim/pkg/store"
	"github.com/serverless-scim/serverless-scim/pkg/tenant"
)

// How many refused requests of a tenant a process keeps a minute: of those with a token that is or was good, of those
// with another one, and of those without a well-formed token, for which the tenant has to be read; of the last of all
// tenants together; and of operations in bulk requests. Of those that change nothing, alone or in bulk requests, as
// many as of refused ones alone. The rest is counted.
const (
	keptKnown     = 60
	keptUnknown   = 10
	keptMalformed = 2
	readMalformed = 30
	keptBulk      = 500
)

// patience is how long the entry of a refused request may hold up its answer.
const patience = 2 * time.Second

// bucket counts the entries that were kept in a minute.
type bucket struct {
	minute int64
	used   map[string]int
}

// may reports whether one more of a kind may be kept for a tenant in this minute, and notes that it is.
func (j *Journal) may(tenantID, kind string, most int) bool {
	minute := j.o.Now().Unix() / 60
	j.mu.Lock()
	defer j.mu.Unlock()
	if len(j.refused) > 10_000 { // tenants of the path that may not exist
		for id, b := range j.refused {
			if b.minute != minute {
				delete(j.refused, id)
			}
		}
	}
	b := j.refused[tenantID]
	if b == nil && len(j.refused) > 10_000 {
		return false
	}
	if b == nil || b.minute != minute {
		b = &bucket{minute, map[string]int{}}
		j.refused[tenantID] = b
	}
	b.used[kind]++
	return b.used[kind] <= most
}

// Finish records the result of a request that was accepted: its status, and the error if it is one. It returns when
// the entry is written, if there is to be one. There is one of a request that was refused or failed, unless it only
// read something that does not exist, and of a change of nothing, unless the same was sent within an hour.
func (r *Request) Finish(ctx context.Context, status int, failed *scim.Error) {
	if r == nil {
		return
	}
	switch e, keep := r.end(status, failed); {
	case !keep:
	case e.Outcome == NothingToDo && !r.j.may(r.tenant.ID, NothingToDo, keptKnown): // it is counted
	case e.Outcome == NothingToDo:
		r.j.write(ctx, r.tenant, e)
	default:
		r.j.keep(ctx, r.tenant, e, "known", keptKnown)
	}
}

// End is the result of a request.
type End struct {
	Request *Request
	Status  int
	Failed  *scim.Error
}

// FinishAll is Finish for the operations of one bulk request.
func (j *Journal) FinishAll(ctx context.Context, ends []End) {
	if j == nil || len(ends) == 0 {
		return
	}
	t := ends[0].Request.tenant
	ts := j.store.Tenant(t.ID)
	var ops []store.Op
	for _, end := range ends {
		e, keep := end.Request.end(end.Status, end.Failed)
		switch {
		case !keep:
		case e.Outcome == NothingToDo && !j.may(t.ID, NothingToDo, keptKnown): // it is counted
		case e.Outcome != NothingToDo && !j.may(t.ID, "bulk", keptBulk):
			j.lost(t.ID)
		default:
			ops = append(ops, e.put(of(t)))
		}
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), patience)
	defer cancel()
	if err := ts.Batch(ctx, ops...); err != nil {
		for range ops {
			j.lost(t.ID)
		}
		j.o.Log.WarnContext(ctx, "entries of the provisioning log not written", "tenant", t.ID, "error", err)
	}
}

// end counts a request, and returns its entry if it is to be written now.
func (r *Request) end(status int, failed *scim.Error) (e Entry, keep bool) {
	r.mu.Lock()
	committed := r.committed
	r.mu.Unlock()
	outcome := Done
	switch {
	case failed != nil && status >= http.StatusInternalServerError:
		outcome = Failed
	case failed != nil || status >= http.StatusBadRequest:
		outcome = Refused
	case !committed && r.entry.Operation != Bulk && r.entry.Operation != Read:
		outcome = NothingToDo
	}
	r.count(outcome, status)
	missing := r.entry.Operation == Read && status == http.StatusNotFound
	if outcome == Done || missing || outcome == NothingToDo && r.repeated() {
		return e, false
	}
	// A request may fail after its change, whose entry stays: this is another one.
	e = r.entry
	e.ID = r.newID()
	e.Outcome, e.Status = outcome, status
	if failed != nil {
		e.ScimType, e.Detail = string(failed.Type), failed.Detail
	}
	e.Duration = r.j.o.Now().Sub(r.started)
	r.fill(&e, true)
	return e, true
}

// keep writes the entry of a refused request, if there are not too many.
func (j *Journal) keep(ctx context.Context, t *tenant.Tenant, e Entry, kind string, most int) {
	if !j.may(t.ID, kind, most) {
		j.lost(t.ID)
		return
	}
	j.write(ctx, t, e)
}

// write writes an entry before its request is answered.
func (j *Journal) write(ctx context.Context, t *tenant.Tenant, e Entry) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), patience)
	defer cancel()
	ts := j.store.Tenant(t.ID)
	if err := ts.Write(ctx, e.put(of(t))); err != nil {
		j.lost(t.ID)
		j.o.Log.WarnContext(ctx, "entry of the provisioning log not written", "tenant", t.ID, "requestId", e.RequestID,
			"error", err)
	}
}

// Turned logs a request that was not accepted. tenantID is the tenant in the path. Nothing is written for a tenant that
// does not exist.
func (j *Journal) Turned(ctx context.Context, tenantID string, f Facts, err error) {
	if j == nil {
		return
	}
	var (
		noToken  *tenant.UnauthorizedError
		switched *tenant.SwitchedOffError
		t        *tenant.Tenant
		kind     = "unknown"
		most     = keptUnknown
		detail   string
		status   int
	)
	switch {
	case errors.As(err, &noToken):
		t, f.TokenID, detail, status = noToken.Tenant, noToken.TokenID, noToken.Detail, http.StatusUnauthorized
	case errors.As(err, &switched):
		t, f.TokenID, detail, status = switched.Tenant, switched.TokenID, switched.Detail(), http.StatusForbidden
	default:
		return
	}
	if f.TokenID != "" {
		kind, most = "known", keptKnown
	}
	if t == nil {
		if t = j.lookup(ctx, tenantID); t == nil {
			return
		}
		kind, most = "malformed", keptMalformed
	}
	f.Tenant = t
	r := j.Begin(f)
	r.count(Refused, status)
	e := r.entry
	e.Outcome, e.Status, e.Detail, e.ID = Refused, status, detail, r.newID()
	e.Duration = j.o.Now().Sub(r.started)
	r.fill(&e, false)
	j.keep(ctx, t, e, kind, most)
	j.Flush(ctx, t.ID)
}

// lookup reads the tenant of a request without a well-formed token, a few times a minute; nil if there is none.
func (j *Journal) lookup(ctx context.Context, id string) *tenant.Tenant {
	few := j.o.Lookup != nil && tenant.ValidID(id) && j.may(id, "lookup", keptMalformed) &&
		j.may("", "lookup", readMalformed)
	if !few {
		return nil
	}
	ctx, cancel := context.WithTimeout(store.WithoutMeter(ctx), patience)
	defer cancel()
	t, err := j.o.Lookup(ctx, id)
	if err != nil {
		return nil
	}
	return &t
}
