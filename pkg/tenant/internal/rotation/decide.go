package rotation

import (
	"slices"
	"time"

	"github.com/serverless-scim/serverless-scim/pkg/notice"
)

// StepKind is the kind of a step. The kinds are in the order in which they are decided.
type StepKind int

// The kinds. Those up to Looked end a round: later steps are decided from the state that they made.
const (
	Succeed StepKind = iota // make the token that replaces others
	Ended                   // record that a token or a client's secret has ended, with a notice
	Remind                  // give notice that a successor is ready, or remind
	Looked                  // record that there was nobody to remind
	Deliver                 // hand over events and notices
	Drop                    // remove a dead token from the vault
	Promote                 // make a token the current one in the vault
)

// Step is one piece of due work for a tenant.
type Step struct {
	Kind StepKind
	// ID is the token, or with Client the secret of that client.
	ID, Client string
	// Scopes are those of the successor that is to be made.
	Scopes []Scope
	// Notice is the kind of the notice to send; empty for none.
	Notice notice.Kind
	// Marks are the milestones that it announces, Ready is the successor that it names.
	Marks []Milestone
	Ready string
	// Mark is the last version of the tenant with events or notices to deliver.
	Mark int64
}

// EndsWithin returns the days before the end of a token at which the step reminds people of it; 0 if it does not.
func (st Step) EndsWithin() int {
	if st.Kind != Remind || st.Client != "" || st.Notice == "" {
		return 0
	}
	last := st.Marks[len(st.Marks)-1]
	if last.Bit == ReadyBit {
		return 0
	}
	return last.Days
}

// Situation is the input of Decide beside the state.
type Situation struct {
	Now   time.Time
	Early time.Duration // how long before the period of notice a successor is created
	// ByHand says that a person creates the successor, because values are not kept.
	ByHand bool
	// Secrets are the ends of the clients' secrets.
	Secrets []Ending
	// Used has the times of last use of tokens, in Unix seconds by id.
	Used map[string]int64
	// Tried are the kinds of steps that this run has carried out already, or tried to.
	Tried []StepKind
	// Ready is a time in Unix seconds. Every token but the newest whose period of notice begins no later gets the
	// notice that its successor is ready.
	Ready int64
	// ReadyOnly allows only notices that successors are ready. It needs no Used.
	ReadyOnly bool
}

func (x Situation) may(kind StepKind) bool { return !slices.Contains(x.Tried, kind) }

// Decide returns the steps that are due for an active tenant, in their order. It changes nothing. Steps come in
// rounds: first a successor, alone; then all notices; then, once they are written, the work outside of the table. No
// steps mean that nothing is due.
func Decide(r *State, x Situation) (steps []Step) {
	if x.may(Succeed) && !x.ByHand && r.NeedsSuccessor(x.Now, x.Early) {
		return []Step{{Kind: Succeed, Scopes: r.SuccessorScopes(x.Now)}}
	}
	if x.may(Remind) {
		if steps = r.Tells(x); len(steps) > 0 {
			return steps
		}
		if !x.ReadyOnly && r.reminded(x.Now) {
			return []Step{{Kind: Looked}}
		}
	}
	if x.may(Deliver) && r.Outbox != 0 {
		steps = append(steps, Step{Kind: Deliver, Mark: r.Outbox})
	}
	for _, t := range r.Tokens {
		if x.may(Drop) && t.toDrop(x.Now) {
			steps = append(steps, Step{Kind: Drop, ID: t.ID})
		}
	}
	if current := r.current(x.Now); x.may(Promote) && current != "" && current != r.Current {
		steps = append(steps, Step{Kind: Promote, ID: current})
	}
	return steps
}

// Tells returns the steps with notices. Each step is recorded on a copy of the state before the next one is decided,
// as it will be on the state itself.
func (r *State) Tells(x Situation) (steps []Step) {
	next := r.clone()
	next.Release(x.Now)
	collect := next.ToCollect(x.ByHand, x.Now)
	for i, e := range append(next.endings(x.Now), x.Secrets...) {
		var st Step
		switch {
		case e.Ended || x.ReadyOnly && (e.Client != "" || !e.Live):
			continue
		case !e.Live:
			st = Step{Kind: Ended, Notice: notice.Expired}
		case e.Client != "":
			st = Step{Kind: Remind, Marks: Passed(e.Times, x.Now)}
			if !e.Left {
				st.Notice = first(st.Marks)
			}
		default:
			st = next.tellOfToken(i, e, x, collect)
		}
		if st.Kind == Remind && len(st.Marks) == 0 {
			continue
		}
		st.ID, st.Client = e.ID, e.Client
		if e.Client == "" {
			next.Note(x.Now, st)
		}
		steps = append(steps, st)
	}
	return steps
}

// first returns the kind of the one notice that announces several milestones: that a successor is ready, else the most
// urgent reminder.
func first(marks []Milestone) notice.Kind {
	switch {
	case len(marks) == 0:
		return ""
	case marks[0].Bit == ReadyBit:
		return marks[0].kind()
	}
	return marks[len(marks)-1].kind()
}

// tellOfToken returns the step with the notice about live token i; collect says that a successor waits to be
// collected.
func (r *State) tellOfToken(i int, e Ending, x Situation, collect bool) Step {
	st, now := Step{Kind: Remind}, x.Now
	left, noticed := r.left(i, now), e.Times[0].At <= now.Unix()
	due := noticed && (left || r.covered(i, now))
	asked := !left && (collect && (noticed || r.Collect) || e.Times[0].At <= x.Ready && r.renewed(i, now))
	if !e.Times[0].Told && (due || asked) {
		st.Marks = e.Times[:1:1]
		if next := r.Successor(i, now); next >= 0 && !collect {
			st.Ready = r.Tokens[next].ID
		}
	}
	if !x.ReadyOnly && e.Ends != 0 && !r.swapped(i, now, x.Used) {
		st.Marks = append(st.Marks, Passed(e.Times[1:], now)...)
	}
	st.Notice = first(st.Marks)
	return st
}

// OnlyReady returns the situation that allows only notices that successors are ready; see Situation.Ready.
func OnlyReady(now time.Time, ready int64) Situation {
	return Situation{Now: now, Ready: ready, ReadyOnly: true}
}

// Note records on a token that a step of the kinds Ended and Remind was announced.
func (r *State) Note(now time.Time, st Step) {
	t := r.Find(st.ID)
	for _, m := range st.Marks {
		t.Told |= m.Bit
	}
	if st.Ready != "" {
		t.Ready = st.Ready
	}
	if st.Kind == Ended {
		t.Ended, t.Noted = true, now.Unix()
	}
}

// clone copies the state as far as steps change it.
func (r *State) clone() *State {
	c := *r
	c.Tokens = slices.Clone(r.Tokens)
	return &c
}
