// Package awsevent sends tenants' logs to Amazon EventBridge: each event is an entry of PutEvents, its type the
// detail-type, its envelope the detail. Events of a tenant are put in their order, but EventBridge keeps no order and
// may deliver an event twice: receivers use the envelope's tenant, sequence and subjectVersion.
package awsevent

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge/types"
	"github.com/aws/smithy-go"

	"github.com/serverless-scim/serverless-scim/pkg/event/delivery"
	"github.com/serverless-scim/serverless-scim/pkg/event/eventlog"
	"github.com/serverless-scim/serverless-scim/pkg/scim"
)

// source is the source of all entries, by which rules find them.
const source = "serverless-scim"

const (
	// maxEntries and maxBytes bound one call of PutEvents. EventBridge may take more by now; this much it has always
	// taken: 256 KB, of which some hundred bytes are for the members that it adds to an event.
	maxEntries = 10
	maxBytes   = 255 * 1024
	// attempts is how often an entry is sent in all. The SDK repeats calls that fail as a whole by itself.
	attempts = 4
	// patience is how long EventBridge has for the events of one Send.
	patience = 40 * time.Second
	// timeBytes is the size that EventBridge counts for an entry's time.
	timeBytes = 14
)

// Options of a Bus.
type Options struct {
	// Name is the name or ARN of the event bus; required.
	Name string
	// Pause is how long the first repetition waits at most; each further one waits up to twice as long. 0 means 100 ms.
	Pause time.Duration
}

// Bus is a delivery.Destination. It is safe for concurrent use.
type Bus struct {
	client *eventbridge.Client
	o      Options
}

var _ delivery.Destination = (*Bus)(nil)

// New returns a Bus.
func New(client *eventbridge.Client, o Options) *Bus {
	if o.Pause == 0 {
		o.Pause = 100 * time.Millisecond
	}
	return &Bus{client: client, o: o}
}

// ID is delivery.Destination.ID.
func (b *Bus) ID() string { return "bus" }

// Active is delivery.Destination.Active: always.
func (b *Bus) Active() bool { return true }

// Wants is delivery.Destination.Wants: all.
func (b *Bus) Wants(string) bool { return true }

// Since is delivery.Destination.Since: all events that are kept.
func (b *Bus) Since() time.Time { return time.Time{} }

// Resumed is delivery.Destination.Resumed: never.
func (b *Bus) Resumed() time.Time { return time.Time{} }

// Lasting is delivery.Destination.Lasting: nobody switches a bus on again.
func (b *Bus) Lasting() bool { return true }

// Send is delivery.Destination.Send. If EventBridge accepts only a part of a call, the entries that it accepted after
// the first refused one may be sent again.
func (b *Bus) Send(ctx context.Context, events []eventlog.Numbered) (o delivery.Outcome) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	for len(events) > 0 {
		var batch []types.PutEventsRequestEntry
		size := 0
		for _, e := range events[:min(len(events), maxEntries)] {
			entry, n := b.entry(e)
			if size += n; size > maxBytes && len(batch) > 0 {
				break
			}
			batch = append(batch, entry)
		}
		taken, err := b.put(ctx, batch)
		if errors.Is(err, errContent) {
			taken, err = b.oneByOne(ctx, events[:len(batch)], taken)
		}
		if taken > 0 {
			o.Accepted = events[taken-1].Sequence
		}
		a := delivery.Attempt{Sequence: events[len(batch)-1].Sequence}
		if err != nil {
			o.Failed, a.Error = true, err.Error()
		}
		if o.Attempts = append(o.Attempts, a); o.Failed {
			return o
		}
		events = events[len(batch):]
	}
	return o
}

// bare is the detail of an event without its data.
func bare(e eventlog.Numbered) string {
	without := maps.Clone(e.Object)
	delete(without, "data")
	without["dataOmitted"] = true
	return string(scim.AppendJSON(nil, without))
}

// entry is an event as EventBridge takes it, and the bytes that count for it. One that would be too large goes without
// its data.
func (b *Bus) entry(e eventlog.Numbered) (types.PutEventsRequestEntry, int) {
	kind, _ := e.Object["type"].(string)
	detail := string(scim.AppendJSON(nil, e.Object))
	size := func() int { return timeBytes + len(source) + len(kind) + len(detail) }
	if size() > maxBytes {
		detail = bare(e)
	}
	entry := types.PutEventsRequestEntry{
		EventBusName: &b.o.Name, Source: aws.String(source), DetailType: aws.String(kind),
		Detail: aws.String(detail),
	}
	if text, _ := e.Object["time"].(string); text != "" {
		if at, ok := scim.ParseTime(text); ok {
			entry.Time = aws.Time(at)
		}
	}
	return entry, size()
}

// oneByOne sends events that were refused as a batch, from a place on: each alone, and without its data if EventBridge
// does not take that. It returns how many were taken before the first that was not.
func (b *Bus) oneByOne(ctx context.Context, events []eventlog.Numbered, from int) (taken int, err error) {
	for i := from; i < len(events); i++ {
		entry, _ := b.entry(events[i])
		_, err := b.put(ctx, []types.PutEventsRequestEntry{entry})
		if errors.Is(err, errContent) {
			entry.Detail = aws.String(bare(events[i]))
			_, err = b.put(ctx, []types.PutEventsRequestEntry{entry})
		}
		if err != nil {
			return i, err
		}
	}
	return len(events), nil
}

// put sends a batch, and again those of its entries that EventBridge could not take at the moment. It returns how many
// entries were taken before the first that was not.
func (b *Bus) put(ctx context.Context, batch []types.PutEventsRequestEntry) (taken int, err error) {
	open := make([]int, len(batch)) // the places of those that are still to be taken
	for i := range open {
		open[i] = i
	}
	for attempt := 1; ; attempt++ {
		some := make([]types.PutEventsRequestEntry, len(open))
		for i, at := range open {
			some[i] = batch[at]
		}
		out, err := b.client.PutEvents(ctx, &eventbridge.PutEventsInput{Entries: some})
		if err != nil {
			if api := smithy.APIError(nil); errors.As(err, &api) && api.ErrorCode() == "ValidationException" {
				err = errContent
			}
			return open[0], fmt.Errorf("awsevent: %w", err)
		}
		if open, err = left(open, some, out); len(open) == 0 {
			return len(batch), nil
		}
		if err != nil {
			return open[0], err
		}
		if attempt == attempts {
			return open[0], fmt.Errorf("awsevent: %d entries failed %d times, the first is %s", len(open), attempts,
				aws.ToString(batch[open[0]].DetailType))
		}
		if err := pause(ctx, b.o.Pause<<(attempt-1)); err != nil {
			return open[0], err
		}
	}
}

// permanent are the codes of failed entries that fail again until somebody changes permissions or the
// configuration. A code of content may concern one entry only.
var (
	permanent = []string{
		"AccessDeniedException", "InvalidAccountIdException", "NotAuthorizedForDetailTypeException",
		"NotAuthorizedForSourceException", "RedactionFailure",
	}
	content = []string{"InvalidArgument", "MalformedDetail"}
)

// errContent says that EventBridge does not take the content of an entry.
var errContent = errors.New("the content of an event is refused")

var errShort = errors.New("awsevent: the answer is shorter than the request")

// left returns the places of those entries that are to be sent again.
func left(
	open []int, batch []types.PutEventsRequestEntry, out *eventbridge.PutEventsOutput,
) (again []int, err error) {
	if len(out.Entries) != len(batch) {
		return open, errShort
	}
	for i, result := range out.Entries {
		code := aws.ToString(result.ErrorCode)
		if code == "" {
			continue
		}
		if slices.Contains(permanent, code) {
			err = fmt.Errorf("awsevent: %s: %s", aws.ToString(batch[i].DetailType), code)
		}
		if slices.Contains(content, code) {
			err = fmt.Errorf("awsevent: %s: %s: %w", aws.ToString(batch[i].DetailType), code, errContent)
		}
		again = append(again, open[i])
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
