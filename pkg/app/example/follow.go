package example

import (
	"context"
	"errors"
	"math/rand/v2"
	"net/http"
	"strings"
	"sync"
	"time"
)

// Options of an App.
type Options struct {
	// Tenant is the tenant in the admin API, such as http://127.0.0.1:8080/admin/v1/tenants/acme. Required.
	Tenant string
	// File keeps the table. Required.
	File string
	// Do sends a request; nil is a plain client. In AWS it signs for execute-api with Signature Version 4.
	Do func(*http.Request) (*http.Response, error)
	// Pause is how long Follow waits after a first failure; 0 is a second. It doubles with each further one, to a
	// minute.
	Pause time.Duration
	// Failed, if set, is called with each failure.
	Failed func(error)
}

// App is an application that knows its people. It is safe for concurrent use.
type App struct {
	o     Options
	mu    sync.Mutex // guards table
	table Table
}

// The longest pause after failures, and how long the server may hold back an answer without events.
const (
	longestPause = time.Minute
	hold         = 20 * time.Second
)

// Open reads the table of an earlier run.
func Open(o Options) (*App, error) {
	if o.Do == nil {
		o.Do = (&http.Client{Timeout: 2 * hold}).Do
	}
	if o.Pause == 0 {
		o.Pause = time.Second
	}
	table, err := readTable(o.File)
	return &App{o: o, table: table}, err
}

// Table returns a copy of the application's table.
func (a *App) Table() Table {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.table.clone()
}

// Follow keeps the table in step until ctx ends, and returns the error of ctx.
func (a *App) Follow(ctx context.Context) error {
	pause := a.o.Pause
	for ctx.Err() == nil {
		if _, err := a.Poll(ctx, hold); err == nil {
			pause = a.o.Pause
			continue
		} else if a.o.Failed != nil && ctx.Err() == nil {
			a.o.Failed(err)
		}
		select {
		case <-ctx.Done():
		case <-time.After(pause/2 + rand.N(pause)):
		}
		pause = min(2*pause, longestPause)
	}
	return ctx.Err()
}

// Poll applies the next events, or reads the list of members if the events after the table's place are not kept any
// more. It returns how many events it applied. Only one Poll or Follow may run at a time.
func (a *App) Poll(ctx context.Context, wait time.Duration) (int, error) {
	next := a.Table()
	events, err := a.events(ctx, next.After, wait)
	var gone *problem
	if errors.As(err, &gone) && gone.Status == http.StatusGone {
		return 0, a.startAgain(ctx, gone.After)
	}
	if err != nil || len(events) == 0 {
		return 0, err
	}
	for _, e := range events {
		if err := a.apply(ctx, &next, e); err != nil {
			return 0, err
		}
	}
	return len(events), a.keep(next)
}

// startAgain replaces all people by the list of members. The place was named before the list was read, so that nothing
// lies between the two; the versions of members show which events the list has already.
func (a *App) startAgain(ctx context.Context, after string) error {
	people, err := a.members(ctx)
	if err != nil {
		return err
	}
	return a.keep(Table{After: after, People: people})
}

// apply changes the table by one event. Each event has the whole member, so its type matters little to a table.
func (a *App) apply(ctx context.Context, t *Table, e event) error {
	t.After = e.ID
	id, isMember := strings.CutPrefix(e.Subject, "members/")
	if !isMember {
		return nil // tokens, targets, the policy
	}
	known, there := t.People[id]
	switch {
	case there && e.SubjectVersion < known.Version: // the list had it already
	case e.Type == "member.removed", e.Data.Erased:
		delete(t.People, id)
	case there || e.Type == "member.created":
		t.People[id] = e.Data.Member
	default: // in doubt: ask
		m, found, err := a.member(ctx, id)
		if err != nil {
			return err
		}
		if found {
			t.People[id] = m
		}
	}
	return nil
}

// keep writes the table, and shows it once it is written.
func (a *App) keep(t Table) error {
	if err := t.write(a.o.File); err != nil {
		return err
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	a.table = t
	return nil
}
