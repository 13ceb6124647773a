package publish

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"slices"

	"github.com/serverless-scim/serverless-scim/pkg/mapping"
	"github.com/serverless-scim/serverless-scim/pkg/member/internal/policies"
	"github.com/serverless-scim/serverless-scim/pkg/member/internal/record"
	"github.com/serverless-scim/serverless-scim/pkg/member/internal/seat"
)

// Rehearsal holds the changes that saving a policy would make to a page of people.
type Rehearsal struct {
	// Of is the number of people of the tenant.
	Of int64
	// Examined is the number of people on the page; Next the id to go on after; "": these were the last.
	Examined int
	Next     string
	Gains    []Difference
	Losses   []Difference
	Statuses []StatusDifference
	// ManualRemovals are the manual assignments that groups would end.
	ManualRemovals []Difference
	// Shortages are the pools in which seats are missing, with all pages so far.
	Shortages []Shortage
	Warnings  []mapping.Warning
}

// Shortage is a pool in which seats are missing. Used are those in use, of which Missing are not paid for; or Missing
// members wait for one.
type Shortage struct {
	mapping.TargetKey
	Size, Used, Missing int64
}

// Difference is a target that a member would get or lose.
type Difference struct {
	Member string
	mapping.TargetKey
}

// StatusDifference is a status that would change. From is "" for a new member, To Removed for one who would be
// excluded.
type StatusDifference struct {
	Member   string
	From, To record.Status
}

// rehearsed is the number of people on a page of a rehearsal.
const rehearsed = 1000

// rehearsal is a rehearsal under way. It is the cursor between two pages.
type rehearsal struct {
	After string
	// Taken is the number of seats of a pool that the pages so far take, Waiting that of the members who wait for
	// one, by joined key.
	Taken, Waiting map[string]int64
}

func (r rehearsal) cursor() string {
	text, _ := json.Marshal(r) // strings and numbers can always be written
	return base64.RawURLEncoding.EncodeToString(text)
}

func parseRehearsal(cursor string) (r rehearsal, err error) {
	if cursor != "" {
		var text []byte
		if text, err = base64.RawURLEncoding.DecodeString(cursor); err == nil {
			err = json.Unmarshal(text, &r)
		}
		if err != nil {
			return r, record.Refuse(http.StatusBadRequest,
				"The cursor must be one from an earlier page of this rehearsal.")
		}
	}
	if r.Taken == nil {
		r.Taken = map[string]int64{}
	}
	if r.Waiting == nil {
		r.Waiting = map[string]int64{}
	}
	return r, nil
}

// Rehearse evaluates a page of people with a policy that is not saved, and compares the results with the published
// members. Nothing is written. Errors are those of SavePolicy, and a *Refused 400 for an invalid cursor.
func (s *Publisher) Rehearse(
	ctx context.Context, t policies.Tenant, document []byte, cursor string,
) (Rehearsal, error) {
	var out Rehearsal
	r, err := parseRehearsal(cursor)
	if err != nil {
		return out, err
	}
	policy, warnings, err := mapping.Parse(document, t.Types)
	if err != nil {
		return out, err
	}
	out.Warnings = warnings
	ids, err := s.o.Directory.UserIDs(ctx, t.ID, r.After, rehearsed)
	if err != nil {
		return out, err
	}
	out.Examined = len(ids)
	if out.Of, err = s.policies.Count(ctx, t); err != nil {
		return out, err
	}
	pools := map[mapping.TargetKey]*seat.Pool{}
	for part := range slices.Chunk(ids, PeopleAtOnce) {
		p := &publication{policy: policy, version: unsaved}
		if err := s.try(ctx, t, p, part, r.taken()); err != nil {
			return out, err
		}
		for _, sub := range p.subjects {
			if sub.person.Doc != nil {
				out.compare(sub)
			}
			for _, w := range sub.waits {
				r.Waiting[record.Joined(w.TargetKey)]++
			}
		}
		for key, pool := range p.pools {
			r.Taken[record.Joined(key)] = pool.Planned - pool.Used
			pools[key] = pool
		}
	}
	whole := &publication{t: t, ts: s.store.Tenant(t.ID), policy: policy, version: unsaved}
	if out.Shortages, err = s.shortages(ctx, whole, r, pools); err != nil {
		return out, err
	}
	if len(ids) == rehearsed {
		r.After = ids[len(ids)-1]
		out.Next = r.cursor()
	}
	return out, nil
}

// unsaved is the version of a policy that is rehearsed: no seats were counted under it.
const unsaved = -1

func (r rehearsal) taken() map[mapping.TargetKey]int64 {
	all := map[mapping.TargetKey]int64{}
	for key, n := range r.Taken {
		all[record.SplitTarget(key)] = n
	}
	return all
}

// shortages lists the pools in which seats are missing. pools are those of this page.
func (s *Publisher) shortages(
	ctx context.Context, p *publication, r rehearsal, pools map[mapping.TargetKey]*seat.Pool,
) (all []Shortage, err error) {
	for _, key := range record.SortedKeys(r.taken()) {
		pool := pools[key]
		if pool == nil {
			if pool, err = seat.Read(ctx, p.ts, p.policy, p.version, key); err != nil {
				return nil, err
			}
			pool.Planned += r.Taken[record.Joined(key)]
		}
		missing := pool.Missing(pool.Planned) + r.Waiting[record.Joined(key)]
		if missing > 0 {
			all = append(all, Shortage{key, pool.Size, pool.Planned, missing})
		}
	}
	return all, nil
}

// compare adds the changes of one member.
func (out *Rehearsal) compare(sub *subject) {
	r, excluded := sub.result, sub.result == nil
	if excluded {
		r = &mapping.Result{Status: record.Removed}
	}
	var old record.Member
	if sub.old != nil && sub.old.Status != record.Removed {
		old = *sub.old
	}
	if old.Status != r.Status && (old.Status != "" || !excluded) {
		out.Statuses = append(out.Statuses, StatusDifference{sub.id, old.Status, r.Status})
	}
	next := map[mapping.TargetKey]bool{}
	for _, a := range r.Assignments {
		if next[a.TargetKey] = true; record.Find(old.Assignments, a.TargetKey) < 0 {
			out.Gains = append(out.Gains, Difference{sub.id, a.TargetKey})
		}
	}
	ended := map[mapping.TargetKey]bool{}
	for _, m := range r.Ended {
		if ended[m.TargetKey] = true; !next[m.TargetKey] {
			out.ManualRemovals = append(out.ManualRemovals, Difference{sub.id, m.TargetKey})
		}
	}
	for _, a := range old.Assignments {
		if !next[a.TargetKey] && !ended[a.TargetKey] {
			out.Losses = append(out.Losses, Difference{sub.id, a.TargetKey})
		}
	}
}
