package tenant

import (
	"slices"
	"time"

	"github.com/serverless-scim/serverless-scim/pkg/event"
	"github.com/serverless-scim/serverless-scim/pkg/notice"
	"github.com/serverless-scim/serverless-scim/pkg/scim"
)

// What is due of a tenant is decided by decide alone, from the record and a moment: it reads nothing and changes
// nothing. advance.go carries the steps out.

// stepKind is what a step does. The kinds are in the order in which they are decided.
type stepKind int

// The kinds. Those up to looked end a round: what follows is decided from the record that they made.
const (
	succeed stepKind = iota // make the token that takes the place of others
	ended                   // note that a token or a client's secret has ended, and tell
	remind                  // tell that a successor is ready, or remind
	looked                  // note that there was nobody to remind
	deliver                 // hand over events and notices
	drop                    // have the vault forget a dead token
	promote                 // have the vault know the current token
)

// step is one thing that is to be done for a tenant.
type step struct {
	kind stepKind
	// id is the token, or the secret of a client.
	id, client string
	// scopes are those of the successor that is to be made.
	scopes []Scope
	// notice is what people are told; empty for nothing.
	notice notice.Kind
	// marks are the milestones that are told by it, ready the successor that it names.
	marks []milestone
	ready string
	// mark is the last version with something to deliver.
	mark int64
}

// situation is what decide goes by beside the record.
type situation struct {
	now    time.Time
	early  time.Duration // see Service.early
	policy policy        // of the tenant's settings
	// used says when tokens and clients' secrets were last used, in Unix seconds by id.
	used map[string]int64
	// tried are the kinds of steps that this run has carried out already, or tried to.
	tried []stepKind
	// ready tells of every token but the newest that its successor is there, if its period of notice begins no later, in
	// Unix seconds.
	ready int64
	// readyOnly tells nothing but that successors are ready. It needs no used.
	readyOnly bool
}

func (x situation) may(kind stepKind) bool { return !slices.Contains(x.tried, kind) }

// decide returns the steps that are due for an active tenant, in their order. It comes in rounds: a successor first,
// alone; then all that people are told; then, once that is written, the work that is done outside of the table. None
// means that nothing is due.
func decide(r *record, x situation) (steps []step) {
	if x.may(succeed) && x.policy.vault != VaultNone && r.needsSuccessor(x.now, x.early) {
		return []step{{kind: succeed, scopes: r.successorScopes(x.now)}}
	}
	if x.may(remind) {
		if steps = r.tells(x); len(steps) > 0 {
			return steps
		}
		if !x.readyOnly && r.reminded(x.now) {
			return []step{{kind: looked}}
		}
	}
	if x.may(deliver) && r.Outbox != 0 {
		steps = append(steps, step{kind: deliver, mark: r.Outbox})
	}
	for _, t := range r.Tokens {
		if x.may(drop) && t.toDrop(x.now) {
			steps = append(steps, step{kind: drop, id: t.ID})
		}
	}
	if current := r.current(x.now); x.may(promote) && current != "" && current != r.Current {
		steps = append(steps, step{kind: promote, id: current})
	}
	return steps
}

// tells returns what people are to be told. Each step is noted on a copy of the record before the next one is decided,
// as it will be on the record itself.
func (r *record) tells(x situation) (steps []step) {
	next := r.clone()
	next.release(x.now)
	collect := next.toCollect(x.policy, x.now)
	for i, e := range next.endings(x.policy, x.now) {
		var st step
		switch {
		case e.ended || x.readyOnly && (e.client != "" || !e.live):
			continue
		case !e.live:
			st = step{kind: ended, notice: notice.Expired}
		case e.client != "":
			st = step{kind: remind, marks: passed(e.times, x.now)}
			if !next.client(e.client).left(e.id, x.now, x.used) {
				st.notice = first(st.marks)
			}
		default:
			st = next.tellOfToken(i, e, x, collect)
		}
		if st.kind == remind && len(st.marks) == 0 {
			continue
		}
		st.id, st.client = e.id, e.client
		next.note(x.now, st)
		steps = append(steps, st)
	}
	return steps
}

// first is the kind of the one notice by which several milestones are told: that a successor is ready, else the most
// urgent reminder.
func first(marks []milestone) notice.Kind {
	switch {
	case len(marks) == 0:
		return ""
	case marks[0].bit == readyBit:
		return marks[0].kind()
	}
	return marks[len(marks)-1].kind()
}

// tellOfToken returns what is to be told of live token i; collect says that a successor waits for a person.
func (r *record) tellOfToken(i int, e ending, x situation, collect bool) step {
	st, now := step{kind: remind}, x.now
	left, noticed := r.left(i, now), e.times[0].at <= now.Unix()
	due := noticed && (left || r.covered(i, now))
	asked := !left && (collect && (noticed || r.Collect) || e.times[0].at <= x.ready && r.renewed(i, now))
	if !e.times[0].told && (due || asked) {
		st.marks = e.times[:1:1]
		if next := r.successor(i, now); next >= 0 && !collect {
			st.ready = r.Tokens[next].ID
		}
	}
	if !x.readyOnly && e.ends != 0 && !r.swapped(i, now, x.used) {
		st.marks = append(st.marks, passed(e.times[1:], now)...)
	}
	st.notice = first(st.marks)
	return st
}

// note puts a step of the kinds ended and remind on the record, with what there is to tell.
func (r *record) note(now time.Time, st step) {
	n := notice.Notice{Kind: st.notice, TokenID: st.id, ClientID: st.client}
	var ends int64
	if t := r.find(st.id); st.client == "" {
		ends, n.TokenEnds = t.Expires, unix(t.Expires)
		for _, m := range st.marks {
			t.Told |= m.bit
		}
		if st.ready != "" {
			t.Ready = st.ready
		}
		n.ID = t.noticeID(st.notice)
		if st.kind == ended {
			t.Ended, t.Noted = true, now.Unix()
			r.tell(now, event.TokenExpired, t.ID, scim.Object{"expiredAt": moment(ends)})
		}
	} else {
		secret := r.client(st.client).credential(st.id)
		ends, n.ClientSecretEnds = secret.Expires, unix(secret.Expires)
		for _, m := range st.marks {
			secret.Told = append(secret.Told[:len(secret.Told):len(secret.Told)], m.days)
		}
		n.ID = notice.ID(st.id, st.notice, "0")
		if st.kind == ended {
			secret.Ended, secret.Told = true, nil
			r.tell(now, event.ClientSecretExpired, "",
				scim.Object{"clientId": st.client, "secretId": st.id, "expiredAt": moment(ends)})
		}
	}
	if st.notice != "" {
		r.notify(now, n)
	}
}

// onlyReady is the situation in which people are told nothing but that successors are ready; see situation.ready.
func onlyReady(now time.Time, ready int64) situation {
	return situation{now: now, ready: ready, readyOnly: true}
}

// tellAll notes on the record all that people are to be told. It reports whether there was anything.
func (s *Service) tellAll(r *record, x situation) bool {
	x.policy = s.policy(r.Settings.Token)
	steps := r.tells(x)
	r.apply(x, steps)
	return len(steps) > 0
}

// apply notes steps of the kinds ended, remind and looked on the record that they were decided from.
func (r *record) apply(x situation, steps []step) {
	r.release(x.now)
	for _, st := range steps {
		if st.kind != looked {
			r.note(x.now, st)
		}
	}
	if !x.readyOnly {
		r.Looked = max(r.Looked, x.now.Unix())
	}
}

// clone copies the record as far as steps change it, without what it has to tell.
func (r *record) clone() *record {
	c := *r
	c.out = outgoing{}
	c.Tokens = slices.Clone(r.Tokens)
	c.Clients = slices.Clone(r.Clients)
	for i := range c.Clients {
		c.Clients[i].Credentials = slices.Clone(c.Clients[i].Credentials)
	}
	return &c
}
