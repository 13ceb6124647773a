package awssecret

import (
	"context"
	"time"
)

// Pace spreads the writes of a process over time: Secrets Manager takes 50 a second in an account and Region, of all
// that put values and move labels together. A nil Pace does not wait.
type Pace struct{ tick *time.Ticker }

// NewPace returns a Pace of so many writes a second, at least 1.
func NewPace(perSecond int) *Pace {
	return &Pace{time.NewTicker(time.Second / time.Duration(max(perSecond, 1)))}
}

// wait returns when the next write may be made, or with the error of ctx.
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
