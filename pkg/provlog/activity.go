package provlog

import (
	"context"
	"maps"
	"slices"
	"time"

	"github.com/serverless-scim/serverless-scim/pkg/scim"
	"github.com/serverless-scim/serverless-scim/pkg/store"
	"github.com/serverless-scim/serverless-scim/pkg/task"
	"github.com/serverless-scim/serverless-scim/pkg/tenant"
)

// Count is how many requests had an operation and an outcome.
type Count struct {
	Operation, Outcome string
	N                  int64
}

// Period is a day, or an hour of one, with its counts.
type Period struct {
	Begin  time.Time
	Counts []Count
}

// Activity is a summary of a tenant's requests.
type Activity struct {
	// First is when the first request was accepted; Last when the last one came, and Good when the last one was
	// accepted. The zero time: never.
	First, Last, Good time.Time
	// Days are the days that were asked for, the newest first, and Hours those of the last two days. Those without
	// requests are left out.
	Days, Hours []Period
	// Test is the last test of a connection, and Request the last request; nil if there is none. They have no ID.
	Test, Request *Entry
	// Members are how many members have a status, of a tenant that publishes members.
	Members map[string]int64
	// NotKept is how many entries were not kept on those days, since there were too many.
	NotKept int64
}

// MaxDays is how many days an Activity covers at most.
const MaxDays = 90

// hourly is for how long the counts of hours are shown.
const hourly = 48 * time.Hour

// Activity reads the summary of a tenant's requests on the last days, up to MaxDays: by a read unit a day or two, and
// one for some 50 members.
func (j *Journal) Activity(ctx context.Context, t tenant.Tenant, days int) (Activity, error) {
	if !t.PublishesMembers() {
		return j.Recent(ctx, t, days)
	}
	var (
		a  Activity
		n  [len(counted)]int64
		ts = j.store.Tenant(t.ID)
	)
	g, ctx := task.WithContext(ctx)
	g.Go(func() (err error) { a, err = j.Recent(ctx, t, days); return err })
	for i, status := range counted {
		g.Go(func() (err error) { n[i], err = ts.Count(ctx, ts.PublishedPrefix("status", status)); return err })
	}
	if err := g.Wait(); err != nil {
		return Activity{}, err
	}
	a.Members = map[string]int64{}
	for i, status := range counted {
		a.Members[status] = n[i]
	}
	return a, nil
}

// counted are the statuses whose members are counted.
var counted = [...]string{"active", "staged", "inactive"}

// Recent is Activity without the members.
func (j *Journal) Recent(ctx context.Context, t tenant.Tenant, days int) (Activity, error) {
	now := j.o.Now().UTC()
	ts := j.store.Tenant(t.ID)
	keys := make([]store.Key, min(max(days, 1), MaxDays))
	for i := range keys {
		keys[i] = ts.Activity(dayOf(now.AddDate(0, 0, -i)))
	}
	items, err := ts.Get(ctx, keys...)
	if err != nil {
		return Activity{}, err
	}
	a := Activity{First: t.Connected}
	for i, item := range items {
		a.add(now, now.AddDate(0, 0, -i), item.Attrs, j.pending(t.ID, dayOf(now.AddDate(0, 0, -i))))
	}
	a.unwritten(j, t.ID)
	return a, nil
}

// pending are the counts of a day that this process has not written yet.
func (j *Journal) pending(tenantID, day string) map[string]int64 {
	j.mu.Lock()
	defer j.mu.Unlock()
	if t := j.counts[tenantID]; t != nil {
		return maps.Clone(t.counts[day])
	}
	return nil
}

// unwritten adds the counts that this process has not written yet.
func (a *Activity) unwritten(j *Journal, tenantID string) {
	j.mu.Lock()
	defer j.mu.Unlock()
	t := j.counts[tenantID]
	if t == nil {
		return
	}
	a.Last, a.Good = later(a.Last, t.last), later(a.Good, t.good)
	if t.test != nil {
		a.Test = t.test
	}
	if t.read != nil {
		a.Request = t.read
	}
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b.UTC()
}

// add takes over the counts of a day. It is called with the newest day first.
func (a *Activity) add(now, day time.Time, attrs store.Attrs, pending map[string]int64) {
	total := map[[2]string]int64{}
	byHour := map[string]map[[2]string]int64{}
	count := func(name string, n int64) {
		hour, operation, outcome, ok := readCount(name)
		if !ok {
			return
		}
		if operation == notKept {
			a.NotKept += n
			return
		}
		key := [2]string{operation, outcome}
		total[key] += n
		if byHour[hour] == nil {
			byHour[hour] = map[[2]string]int64{}
		}
		byHour[hour][key] += n
	}
	for name, v := range attrs {
		if n, ok := v.(int64); ok {
			count(name, n)
		}
	}
	for name, n := range pending {
		count(name, n)
	}
	at := func(name string) time.Time {
		if ms, ok := attrs[name].(int64); ok {
			return time.UnixMilli(ms)
		}
		return time.Time{}
	}
	a.Last, a.Good = later(a.Last, at(attrLast)), later(a.Good, at(attrGood))
	if a.Test == nil {
		a.Test = fromSummary(attrs[attrTest])
	}
	if a.Request == nil {
		a.Request = fromSummary(attrs[attrRead])
	}
	begin := time.Date(day.Year(), day.Month(), day.Day(), 0, 0, 0, 0, time.UTC)
	if counts := sorted(total); len(counts) > 0 {
		a.Days = append(a.Days, Period{begin, counts})
	}
	for _, hour := range slices.Backward(slices.Sorted(maps.Keys(byHour))) {
		h, _ := time.Parse("15", hour)
		at := begin.Add(time.Duration(h.Hour()) * time.Hour)
		if counts := sorted(byHour[hour]); len(counts) > 0 && now.Sub(at) < hourly {
			a.Hours = append(a.Hours, Period{at, counts})
		}
	}
}

func sorted(counts map[[2]string]int64) []Count {
	var all []Count
	order := func(a, b [2]string) int { return slices.Compare(a[:], b[:]) }
	for _, key := range slices.SortedFunc(maps.Keys(counts), order) {
		if n := counts[key]; n > 0 { // a correction may be written before the count that it corrects
			all = append(all, Count{key[0], key[1], n})
		}
	}
	return all
}

// Object is the activity as the admin API shows it.
func (a Activity) Object(now time.Time) scim.Object {
	o := scim.Object{"days": periods(a.Days, "day", time.DateOnly), "hours": periods(a.Hours, "hour", time.RFC3339)}
	for name, at := range map[string]time.Time{
		"firstRequestAt": a.First, "lastRequestAt": a.Last, "lastGoodRequestAt": a.Good,
	} {
		o[name] = nil
		if !at.IsZero() {
			o[name] = scim.FormatTime(at)
		}
	}
	if !a.Good.IsZero() {
		o["secondsSinceLastGoodRequest"] = int64(max(now.Sub(a.Good), 0) / time.Second)
	}
	for name, e := range map[string]*Entry{"connectionTest": a.Test, "lastRequest": a.Request} {
		if e != nil {
			shown := e.Object()
			delete(shown, "id")
			o[name] = shown
		}
	}
	if a.Members != nil {
		members := scim.Object{}
		for status, n := range a.Members {
			members[status] = n
		}
		o["members"] = members
	}
	if a.NotKept > 0 {
		o["entriesNotKept"] = a.NotKept
	}
	return o
}

func periods(all []Period, name, layout string) []any {
	out := make([]any, len(all))
	for i, p := range all {
		counts := make([]any, len(p.Counts))
		for k, c := range p.Counts {
			counts[k] = scim.Object{"operation": c.Operation, "outcome": c.Outcome, "count": c.N}
		}
		out[i] = scim.Object{name: p.Begin.Format(layout), "requests": counts}
	}
	return out
}
