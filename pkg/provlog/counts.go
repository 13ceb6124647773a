package provlog

import (
	"context"
	"errors"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/serverless-scim/serverless-scim/pkg/scim"
	"github.com/serverless-scim/serverless-scim/pkg/store"
	"github.com/serverless-scim/serverless-scim/pkg/tenant"
)

// flushEvery is the interval at which a process writes the counts of a tenant. Counts older than fresh are written
// only if the tenant still exists: younger ones are written before a deleted tenant's data is erased for the last
// time.
const (
	flushEvery = 10 * time.Second
	fresh      = 20 * time.Second
)

// tally has the counts of a tenant since a process last wrote them.
type tally struct {
	// counts are requests by "D|day" and "H|hour|operation|outcome"; see countName.
	counts  map[string]map[string]int64 // by day
	flushed time.Time
	// last and good are when the last request came, and the last that was accepted.
	last, good time.Time
	// test is the last test of a connection, read the last request.
	test, read *Entry
}

// The attributes of the item of a day. The counts stand beside them, under "HH|operation|outcome".
const (
	attrLast = "at"   // Unix milliseconds
	attrGood = "good" // Unix milliseconds
	attrTest = "test" // an entry
	attrRead = "read" // an entry
)

// notKept replaces the operation in the count of entries that are not kept.
const notKept = "not kept"

// keptDays is the number of days for which counts are kept.
const keptDays = 400

func (j *Journal) tally(tenantID string) *tally {
	t := j.counts[tenantID]
	if t == nil {
		if len(j.counts) > 10_000 {
			for id, t := range j.counts {
				if len(t.counts) == 0 {
					delete(j.counts, id)
				}
			}
		}
		t = &tally{counts: map[string]map[string]int64{}}
		j.counts[tenantID] = t
	}
	return t
}

// countName is the attribute of a count of an hour.
func countName(at time.Time, operation, outcome string) string {
	return at.UTC().Format("15") + "|" + operation + "|" + outcome
}

func dayOf(at time.Time) string { return at.UTC().Format(time.DateOnly) }

func (t *tally) add(at time.Time, operation, outcome string, n int64) {
	day := dayOf(at)
	if t.counts[day] == nil {
		t.counts[day] = map[string]int64{}
	}
	name := countName(at, operation, outcome)
	if t.counts[day][name] += n; t.counts[day][name] == 0 {
		delete(t.counts[day], name)
	}
}

// lost counts an entry that is not kept.
func (j *Journal) lost(tenantID string) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.tally(tenantID).add(j.o.Now(), notKept, Refused, 1)
}

// count counts a request with its outcome; if another was counted ahead, in its place. status is 0 if it is not known
// yet.
func (r *Request) count(outcome string, status int) {
	r.j.mu.Lock()
	defer r.j.mu.Unlock()
	t := r.j.tally(r.tenant.ID)
	if r.counted == outcome {
		return
	}
	if r.counted != "" {
		t.add(r.entry.Time, r.entry.Operation, r.counted, -1)
	}
	t.add(r.entry.Time, r.entry.Operation, outcome, 1)
	r.counted = outcome
	e := r.entry
	e.Outcome, e.Status = outcome, status
	t.last, t.read = r.j.o.Now(), &e
	if outcome == Done || outcome == NothingToDo {
		t.good = t.last
	}
	if r.test {
		t.test = &e
	}
}

// Ahead counts a request that was accepted as done, and writes the counts that are due. It is meant to run beside the
// request, like tenant.Service.Touch: it is not counted as the request's cost. Finish corrects the count.
func (r *Request) Ahead(ctx context.Context) {
	if r == nil {
		return
	}
	if r.entry.Number == 0 && r.entry.Operation != Bulk {
		r.count(Done, 0)
	}
	r.j.Flush(ctx, r.tenant.ID)
}

// Flush writes the counts of a tenant if they are due, and else those of another tenant that are.
func (j *Journal) Flush(ctx context.Context, tenantID string) {
	if write := j.Due(tenantID); write != nil {
		write(ctx)
	}
}

// Due takes the counts that Flush would write, and returns the function that writes them; nil if none are due.
func (j *Journal) Due(tenantID string) (write func(context.Context)) {
	if j == nil {
		return nil
	}
	now := j.o.Now()
	j.mu.Lock()
	id := j.due(tenantID, now)
	var taken tally
	if id != "" {
		t := j.counts[id]
		taken = *t
		*t = tally{counts: map[string]map[string]int64{}, flushed: now}
	}
	j.mu.Unlock()
	if id == "" {
		return nil
	}
	return func(ctx context.Context) {
		ctx, cancel := context.WithTimeout(store.WithoutMeter(context.WithoutCancel(ctx)), patience)
		defer cancel()
		j.save(ctx, id, taken)
	}
}

// save writes counts. Counts that can't be written are lost; the error is logged.
func (j *Journal) save(ctx context.Context, tenantID string, t tally) {
	var gone *store.ConditionError
	if err := j.writeCounts(ctx, tenantID, t); err != nil && !errors.As(err, &gone) {
		j.o.Log.WarnContext(ctx, "counts of requests not written", "tenant", tenantID, "error", err)
	}
}

// Close writes all counts, of a process that is being stopped.
func (j *Journal) Close(ctx context.Context) {
	ctx, cancel := context.WithTimeout(store.WithoutMeter(ctx), 5*patience)
	defer cancel()
	j.mu.Lock()
	all := j.counts
	j.counts = map[string]*tally{}
	j.mu.Unlock()
	for id, t := range all {
		j.save(ctx, id, *t)
	}
}

// due is a tenant whose counts are to be written: this one, or else any other; "" if there is none. The lock is held.
func (j *Journal) due(tenantID string, now time.Time) string {
	is := func(t *tally) bool { return t != nil && len(t.counts) > 0 && now.Sub(t.flushed).Abs() >= flushEvery }
	if is(j.counts[tenantID]) {
		return tenantID
	}
	n := 0
	for id, t := range j.counts {
		if is(t) {
			return id
		}
		if n++; n == 64 { // a request looks at a few only
			break
		}
	}
	return ""
}

// writeCounts adds counts to the items of their days. If it fails they are lost: whether they were added is not known.
func (j *Journal) writeCounts(ctx context.Context, tenantID string, t tally) error {
	ts := j.store.Tenant(tenantID)
	for _, day := range slices.Sorted(maps.Keys(t.counts)) {
		begin, _ := time.Parse(time.DateOnly, day)
		op := store.Op{
			Kind: store.Update, Key: ts.Activity(day), Add: t.counts[day],
			Set: store.Attrs{
				store.AttrSchema: store.SchemaVersion, store.AttrTTL: begin.AddDate(0, 0, keptDays).Unix(),
			},
		}
		if dayOf(t.last) == day {
			op.Set[attrLast] = t.last.UnixMilli()
			if !t.good.IsZero() {
				op.Set[attrGood] = t.good.UnixMilli()
			}
			if t.read != nil {
				op.Set[attrRead] = t.read.summary()
			}
			if t.test != nil {
				op.Set[attrTest] = t.test.summary()
			}
		}
		ops := []store.Op{op}
		if j.o.Now().Sub(t.last) > fresh {
			ops = append(ops, tenant.Living(ts.Keys))
		}
		if err := ts.Transact(ctx, ops...); err != nil {
			return err
		}
	}
	return nil
}

// summary is an entry as it stands in the item of a day.
func (e *Entry) summary() string {
	o := e.object(func(f field) string { return f.short })
	o["at"] = e.Time.UnixMilli()
	return string(scim.AppendJSON(nil, o))
}

// fromSummary is the inverse of summary; nil if there is none.
func fromSummary(v any) *Entry {
	text, _ := v.(string)
	if text == "" {
		return nil
	}
	e, err := decode(store.Item{Attrs: store.Attrs{attrDoc: text}})
	o, broken := scim.ParseObject(text)
	if err != nil || broken != nil {
		return nil
	}
	at, _ := o["at"].(int64)
	e.ID, e.Time = "", time.UnixMilli(at).UTC()
	return &e
}

// readCount reads the attribute of a count.
func readCount(name string) (hour, operation, outcome string, ok bool) {
	parts := strings.Split(name, "|")
	if len(parts) != 3 || len(parts[0]) != 2 {
		return "", "", "", false
	}
	return parts[0], parts[1], parts[2], true
}
