// Package work has the background functions, which answer no HTTP request: stream, which completes open work, and
// rotate, which renews tokens and delivers events and notices. The delivery is in work/outbox, which only rotate
// links.
package work

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/aws/aws-lambda-go/events"

	"github.com/serverless-scim/serverless-scim/pkg/app"
	"github.com/serverless-scim/serverless-scim/pkg/app/awsenv"
	"github.com/serverless-scim/serverless-scim/pkg/app/awsenv/queue"
	"github.com/serverless-scim/serverless-scim/pkg/app/awsenv/vault"
	"github.com/serverless-scim/serverless-scim/pkg/directory"
	"github.com/serverless-scim/serverless-scim/pkg/member"
	"github.com/serverless-scim/serverless-scim/pkg/member/marker"
	"github.com/serverless-scim/serverless-scim/pkg/store"
	"github.com/serverless-scim/serverless-scim/pkg/task"
	"github.com/serverless-scim/serverless-scim/pkg/tenant/ending"
)

// Stream is the function that reads the table's stream: it rolls open work forward, publishes members, and empties
// deleted tenants. If a log has grown, it wakes the function deliver through a queue. Deliver does not read the stream
// itself, because a stream allows two readers, and a webhook that takes 15 seconds must not delay a shard. Rotate sends
// the notices of tenants.
type Stream struct {
	cleaner app.Cleaner
	log     *slog.Logger
}

// NewStream returns the stream function.
func NewStream() (*Stream, error) {
	env, err := app.ReadEnv()
	if err != nil {
		return nil, err
	}
	st := awsenv.Store(env.Table)
	service, err := vault.Tenants(env, st)
	if err != nil {
		return nil, err
	}
	dir := directory.New(st, directory.Options{Now: time.Now, Log: env.Log, Carry: marker.Carry(time.Now)})
	if env.Queue == "" {
		return nil, fmt.Errorf("%s is not set", app.EnvQueue)
	}
	return &Stream{log: env.Log, cleaner: app.Cleaner{
		Deliver:   queue.New(env.Queue).Send,
		Tenants:   service,
		Directory: dir,
		Members:   member.New(st, member.Options{Now: time.Now, Log: env.Log, Directory: dir}),
		Ending:    ending.New(st, service, ending.Options{Now: time.Now, Empty: dir.Erase, Drain: app.Drain}),
	}}, nil
}

// atOnce is the number of tenants of a batch that are worked for in parallel. Emptying a deleted one is waiting, for
// the most part.
const atOnce = 10

// Handle takes a batch of stream records. Records of open work that failed are given back, and come again, as do all
// others if the table was busy; taking one twice does no harm. A deletion that failed otherwise is not given back: it
// would hold up the other tenants of its shard, and rotate wakes it again. Neither is a publication: whoever reads
// members publishes them, and so does rotate within a day. A tenant whose work fails keeps no other waiting: all of the
// batch is tried.
func (s *Stream) Handle(ctx context.Context, ev events.DynamoDBEvent) (events.DynamoDBEventResponse, error) {
	out := events.DynamoDBEventResponse{BatchItemFailures: []events.DynamoDBBatchItemFailure{}} // a list, not null
	failed := s.clean(ctx, ev.Records)
	for _, record := range ev.Records {
		if wake, ok := wakeOf(record); ok && failed[wake] {
			out.BatchItemFailures = append(out.BatchItemFailures,
				events.DynamoDBBatchItemFailure{ItemIdentifier: record.Change.SequenceNumber})
		}
	}
	return out, nil
}

// clean does the work that the records ask for, once each, and returns the failed work, with true if it must come
// again.
func (s *Stream) clean(ctx context.Context, records []events.DynamoDBEventRecord) map[app.Wake]bool {
	wakes := map[app.Wake]bool{}
	for _, record := range records {
		if wake, ok := wakeOf(record); ok {
			switch wake.Kind {
			case store.WakeWork, store.WakeDeleted, store.WakePublish, store.WakeDeliver:
				wakes[wake] = true
			}
		}
	}
	var mu sync.Mutex
	failed := map[app.Wake]bool{}
	var g task.Group
	g.SetLimit(atOnce)
	for wake := range wakes {
		g.Go(func() error {
			if err := task.Do(func() error { return s.cleaner.Clean(ctx, wake) }); err != nil {
				s.log.WarnContext(ctx, "background work will be tried again", "tenant", wake.Tenant, "wake", wake.Kind,
					"error", err)
				mu.Lock()
				defer mu.Unlock()
				failed[wake] = wake.Kind == store.WakeWork || wake.Kind == store.WakeDeliver || directory.IsBusy(err)
			}
			return nil
		})
	}
	_ = g.Wait() // failures are in the map
	return failed
}

// wakeOf reads the requested work from a stream record; false if there is none.
func wakeOf(record events.DynamoDBEventRecord) (app.Wake, bool) {
	if record.EventName == string(events.DynamoDBOperationTypeRemove) {
		return app.Wake{}, false
	}
	kind, ok := text(record.Change.NewImage, store.AttrWake)
	if !ok {
		return app.Wake{}, false
	}
	pk, okP := text(record.Change.Keys, store.AttrPK)
	sk, okS := text(record.Change.Keys, store.AttrSK)
	if !okP || !okS {
		return app.Wake{}, false
	}
	return app.WakeOf(store.Key{PK: pk, SK: sk}, kind)
}

// text reads an attribute that is a string.
func text(attrs map[string]events.DynamoDBAttributeValue, name string) (string, bool) {
	v, ok := attrs[name]
	if !ok || v.DataType() != events.DataTypeString {
		return "", false
	}
	return v.String(), true
}
