package delivery

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/serverless-scim/serverless-scim/pkg/store"
)

// attrDoc and attrVersion are the attributes of the item of a State: a document, and the number of its writes.
const (
	attrDoc     = "doc"
	attrVersion = "ver"
)

// State is the progress of a destination in the log of a tenant. Times are Unix milliseconds; 0 if there is none.
type State struct {
	// Position is the sequence number of the last event that the destination has, or that it does not want. Epoch is
	// the epoch of the log that the number is of.
	Position int64  `json:"position"`
	Epoch    string `json:"epoch,omitempty"`
	// Since is when the destination was created; 0 if it has no such time, or none is stored.
	Since int64 `json:"since,omitempty"`
	// Attempt counts the attempts that have failed since the last success, FailingSince is when the first of them did.
	Attempt      int   `json:"attempt,omitempty"`
	FailingSince int64 `json:"failingSince,omitempty"`
	// Due is when the next attempt may be made.
	Due int64 `json:"due,omitempty"`
	// Paused is when attempts ended, since all had failed for days.
	Paused int64 `json:"paused,omitempty"`
	// Lease is until when a worker is at it.
	Lease int64 `json:"lease,omitempty"`
	// Skipped are the events that the destination missed because they were no longer kept, the last time that this
	// happened.
	Skipped *Skip `json:"skipped,omitempty"`
	// Recent are the last attempts, oldest first.
	Recent []Attempt `json:"recent,omitempty"`

	version int64
	stored  int64 // the position as it is stored
}

// Skip is a range of sequence numbers that a destination did not get: those after After up to Last.
type Skip struct {
	After int64 `json:"after"`
	Last  int64 `json:"last"`
	At    int64 `json:"at"`
}

// Attempt is the result of handing over an event, or several.
type Attempt struct {
	// At is when it began, in Unix milliseconds; Took how long it took, in milliseconds.
	At   int64 `json:"at"`
	Took int64 `json:"took"`
	// Sequence is the number of the event; of several the last.
	Sequence int64 `json:"sequence"`
	// Status is the HTTP status of the answer; 0: there was none.
	Status int `json:"status,omitempty"`
	// Error says why it failed; empty if it did not. It has nothing that the receiver sent.
	Error string `json:"error,omitempty"`
}

// recent is how many attempts a State holds.
const recent = 10

// Decode reads the item under Keys.Destination; ok is false if there is none.
func Decode(item store.Item) (s State, ok bool, err error) {
	if item.Attrs == nil {
		return State{}, false, nil
	}
	doc, _ := item.Attrs[attrDoc].(string)
	if err := json.Unmarshal([]byte(doc), &s); err != nil {
		return State{}, true, fmt.Errorf("delivery: stored state: %w", err)
	}
	s.version, _ = item.Attrs[attrVersion].(int64)
	s.stored = s.Position
	return s, true, nil
}

// Put is the operation that writes the state in place of the one that was read, or that makes it. It fails if another
// was faster.
func (s State) Put(k store.Keys, destination string) store.Op {
	doc, _ := json.Marshal(s) // numbers and text: never fails
	op := store.PutItem(k.Destination(destination), store.Attrs{attrDoc: string(doc), attrVersion: s.version + 1})
	if s.version == 0 {
		return op.When(store.IsAbsent())
	}
	return op.When(store.Is(attrVersion, s.version))
}

// PausedFor reports whether the state is paused for a destination that was last resumed at a time.
func (s State) PausedFor(resumed time.Time) bool { return s.Paused > 0 && milli(resumed) < s.Paused }

// Outlived reports whether the state is of a destination that was removed before another was created under its id.
func (s State) Outlived(created time.Time) bool { return s.Since > 0 && s.Since < milli(created) }

// written is the state after Put.
func (s State) written() State {
	s.version++
	s.stored = s.Position
	return s
}

// dueOps are the operations that list the state under its new due time instead of the one before.
func (s State) dueOps(tenantID, destination string, before int64) (ops []store.Op) {
	was, is := seconds(before), seconds(s.Due)
	if was == is {
		return nil
	}
	if was > 0 {
		ops = append(ops, store.RemoveItem(store.Send(was, tenantID, destination)))
	}
	if is > 0 {
		ops = append(ops, store.PutItem(store.Send(is, tenantID, destination), nil))
	}
	return ops
}

// seconds rounds Unix milliseconds up to seconds.
func seconds(ms int64) int64 { return (ms + 999) / 1000 }

func milli(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMilli()
}

func statusOf(s State) int {
	if n := len(s.Recent); n > 0 {
		return s.Recent[n-1].Status
	}
	return 0
}

func errorOf(s State) string {
	if n := len(s.Recent); n > 0 {
		return s.Recent[n-1].Error
	}
	return ""
}
