// Package awsevent is the sink of package event on Amazon EventBridge: each event is an entry of PutEvents, its type
// the detail-type, its envelope the detail. EventBridge keeps no order and may deliver an event twice; receivers go by
// the envelope's id and time.
package awsevent

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge/types"

	"github.com/serverless-scim/serverless-scim/pkg/event"
)

// Source is the source of all entries, by which rules find them.
const Source = "serverless-scim"

const (
	// maxEntries and maxBytes bound one call of PutEvents. EventBridge may take more by now; this much it has always
	// taken.
	maxEntries = 10
	maxBytes   = 256 * 1024
	// attempts is how often an entry is sent in all. The SDK repeats calls that fail as a whole by itself.
	attempts = 4
	// timeBytes is what EventBridge counts for an entry's time.
	timeBytes = 14
)

// Options of a Bus.
type Options struct {
	// Name is the name or ARN of the event bus; required.
	Name string
	// Pause is how long the first repetition waits at most; each further one waits up to twice as long. 0 means 100 ms.
	Pause time.Duration
}

// Bus is an event.Sink. It is safe for concurrent use.
type Bus struct {
	client *eventbridge.Client
	o      Options
}

// New returns a Bus.
func New(client *eventbridge.Client, o Options) *Bus {
	if o.Pause == 0 {
		o.Pause = 100 * time.Millisecond
	}
	return &Bus{client: client, o: o}
}

// Put is event.Sink.Put.
func (b *Bus) Put(ctx context.Context, events ...event.Event) error {
	var batch []types.PutEventsRequestEntry
	size := 0
	for _, e := range events {
		entry, n := b.entry(e)
		if len(batch) == maxEntries || size+n > maxBytes && len(batch) > 0 {
			if err := b.put(ctx, batch); err != nil {
				return err
			}
			batch, size = nil, 0
		}
		batch, size = append(batch, entry), size+n
	}
	if len(batch) == 0 {
		return nil
	}
	return b.put(ctx, batch)
}

// entry is an event as EventBridge takes it, and the bytes that count for it. One that would be too large goes without
// its data.
func (b *Bus) entry(e event.Event) (types.PutEventsRequestEntry, int) {
	detail := e.JSON()
	size := func() int { return timeBytes + len(Source) + len(e.Kind) + len(detail) }
	if size() > maxBytes {
		e.Data, e.DataOmitted = nil, true
		detail = e.JSON()
	}
	return types.PutEventsRequestEntry{
		EventBusName: &b.o.Name, Source: aws.String(Source), DetailType: aws.String(string(e.Kind)),
		Detail: aws.String(string(detail)),
		Time:   aws.Time(e.Time),
	}, size()
}

// put sends a batch, and again those of its entries that EventBridge could not take at the moment.
func (b *Bus) put(ctx context.Context, batch []types.PutEventsRequestEntry) error {
	for attempt := 1; ; attempt++ {
		out, err := b.client.PutEvents(ctx, &eventbridge.PutEventsInput{Entries: batch})
		if err != nil {
			return fmt.Errorf("awsevent: %w", err)
		}
		if batch, err = left(batch, out); err != nil || len(batch) == 0 {
			return err
		}
		if attempt == attempts {
			return fmt.Errorf("awsevent: %d entries failed %d times, the first is %s", len(batch), attempts,
				aws.ToString(batch[0].DetailType))
		}
		if err := pause(ctx, b.o.Pause<<(attempt-1)); err != nil {
			return err
		}
	}
}

// permanent are the codes of failed entries for which trying again is no use without a change of permissions or
// configuration.
var permanent = []string{
	"AccessDeniedException", "InvalidArgument", "InvalidAccountIdException", "MalformedDetail",
	"NotAuthorizedForDetailTypeException",
	"NotAuthorizedForSourceException", "RedactionFailure",
}

var errShort = errors.New("awsevent: the answer is shorter than the request")

// left returns the entries that are to be sent again.
func left(batch []types.PutEventsRequestEntry, out *eventbridge.PutEventsOutput) (
	again []types.PutEventsRequestEntry, err error,
) {
	if len(out.Entries) != len(batch) {
		return nil, errShort
	}
	for i, result := range out.Entries {
		code := aws.ToString(result.ErrorCode)
		if code == "" {
			continue
		}
		if slices.Contains(permanent, code) {
			err = fmt.Errorf("awsevent: %s: %s", aws.ToString(batch[i].DetailType), code)
		}
		again = append(again, batch[i])
	}
	return again, err
}

// pause waits a random part of at most, so that many senders don't come back together.
func pause(ctx context.Context, most time.Duration) error {
	t := time.NewTimer(rand.N(most) + 1)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-t.C:
		return nil
	}
}
