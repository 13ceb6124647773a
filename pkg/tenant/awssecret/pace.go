package awssecret

import (
	"context"
	"time"
)

// Pace spreads the writes of a process over time: Secrets Manager accepts 50 a second in an account and Region,
// counting all calls that put values and move labels. A nil Pace does not wait.
type Pace struct{ tick *time.Ticker }

// NewPace returns a Pace of perSecond writes a second, at least 1.
func NewPace(perSecond int) *Pace {
	return &Pace{time.NewTicker(time.Second / time.Duration(max(perSecond, 1)))}
}

// wait waits until the next write may be made, or returns the error of ctx.
func (p *Pace) wait(ctx context.Context) error {
	if p == nil {
		return nil
	}
	select {
	case <-p.tick.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
