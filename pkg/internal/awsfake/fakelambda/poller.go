package fakelambda

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodbstreams"
	"github.com/aws/aws-sdk-go-v2/service/dynamodbstreams/types"

	"github.com/serverless-scim/serverless-scim/pkg/store"
)

// Filter is the filter of a mapping as template.yaml has it: new and changed items that have one of these values of
// wake.
func Filter(wakes ...string) string {
	return `{"eventName":["INSERT","MODIFY"],"dynamodb":{"NewImage":{"wake":{"S":["` + strings.Join(wakes, `","`) +
		`"]}}}}`
}

// Poller is the mapping from a table's stream to a function: it filters, batches, and calls again with the failed
// records. Records of one partition keep their order and wait for each other. Records of different partitions never
// wait for each other; in AWS they may, because it has ten lanes.
type Poller struct {
	// Client reads the stream; Stream is its ARN.
	Client *dynamodbstreams.Client
	Stream string
	// Function is called.
	Function *Function
	// Wakes are the values of wake that pass the filter.
	Wakes []string
	// Batch is the maximum number of records in a call, Attempts the maximum number of calls with one record.
	Batch, Attempts int
	// Pause is the time between two reads of the stream, and before the first repetition of a call.
	Pause time.Duration

	mu      sync.Mutex
	lanes   map[string]*lane
	paused  bool
	givenUp []string
	work    sync.WaitGroup
}

// record is a stream record as the function gets it.
type record struct {
	sequence, lane string
	event          map[string]any
	tries          int
}

// lane is the queue of a partition's waiting records.
type lane struct {
	waiting []record
	busy    bool // a goroutine drains it
}

// Hold keeps the function from being called, until Go. A call under way is finished.
func (p *Poller) Hold() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.paused = true
}

// Go ends Hold.
func (p *Poller) Go(ctx context.Context) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.paused = false
	for name, l := range p.lanes {
		p.start(ctx, name, l)
	}
}

// start starts to drain a lane unless that is being done. The caller holds mu.
func (p *Poller) start(ctx context.Context, name string, l *lane) {
	if l.busy || p.paused || len(l.waiting) == 0 {
		return
	}
	l.busy = true
	p.work.Go(func() { p.drain(ctx, name, l) })
}

// GivenUp lists the partitions of records that no attempt succeeded with: those that would go to the queue of dead
// letters.
func (p *Poller) GivenUp() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Clone(p.givenUp)
}

// Run reads the stream from its beginning until ctx ends.
func (p *Poller) Run(ctx context.Context) error {
	defer p.work.Wait()
	iterators := map[string]*string{} // by shard
	for {
		if err := p.discover(ctx, iterators); err != nil {
			return quiet(ctx, err)
		}
		for shard, iterator := range iterators {
			if iterator == nil {
				continue
			}
			out, err := p.Client.GetRecords(ctx, &dynamodbstreams.GetRecordsInput{ShardIterator: iterator})
			if err != nil {
				return quiet(ctx, err)
			}
			iterators[shard] = out.NextShardIterator
			for _, r := range out.Records {
				p.take(ctx, r)
			}
		}
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(p.Pause):
		}
	}
}

func quiet(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return nil
	}
	return fmt.Errorf("fakelambda: stream: %w", err)
}

// discover adds iterators for shards that are new.
func (p *Poller) discover(ctx context.Context, iterators map[string]*string) error {
	out, err := p.Client.DescribeStream(ctx, &dynamodbstreams.DescribeStreamInput{StreamArn: &p.Stream})
	if err != nil {
		return err
	}
	for _, shard := range out.StreamDescription.Shards {
		if _, known := iterators[*shard.ShardId]; known {
			continue
		}
		got, err := p.Client.GetShardIterator(ctx, &dynamodbstreams.GetShardIteratorInput{
			StreamArn: &p.Stream, ShardId: shard.ShardId, ShardIteratorType: types.ShardIteratorTypeTrimHorizon,
		})
		if err != nil {
			return err
		}
		iterators[*shard.ShardId] = got.ShardIterator
	}
	return nil
}

// take puts a record that passes the filter into its lane.
func (p *Poller) take(ctx context.Context, r types.Record) {
	wake, wakes := r.Dynamodb.NewImage[store.AttrWake].(*types.AttributeValueMemberS)
	if !wakes || !slices.Contains(p.Wakes, wake.Value) || r.EventName == types.OperationTypeRemove {
		return
	}
	pk, ok := r.Dynamodb.Keys[store.AttrPK].(*types.AttributeValueMemberS)
	if !ok {
		return
	}
	next := record{sequence: aws.ToString(r.Dynamodb.SequenceNumber), lane: pk.Value, event: eventOf(r, p.Stream)}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.lanes == nil {
		p.lanes = map[string]*lane{}
	}
	l := p.lanes[next.lane]
	if l == nil {
		l = &lane{}
		p.lanes[next.lane] = l
	}
	l.waiting = append(l.waiting, next)
	p.start(ctx, next.lane, l)
}

// drain calls the function until a lane is empty, or held.
func (p *Poller) drain(ctx context.Context, name string, l *lane) {
	pause := p.Pause
	for {
		p.mu.Lock()
		if len(l.waiting) == 0 || p.paused || ctx.Err() != nil {
			l.busy = false
			p.mu.Unlock()
			return
		}
		batch := slices.Clone(l.waiting[:min(p.Batch, len(l.waiting))])
		p.mu.Unlock()

		done := p.call(ctx, batch)
		if p.settle(name, l, done, len(batch)) {
			pause = p.Pause
			continue
		}
		select {
		case <-ctx.Done():
		case <-time.After(pause):
		}
		pause = min(2*pause, time.Second)
	}
}

// settle removes the done records of a batch from a lane, and a record whose attempts are used up. It returns false
// if the first record left is to be tried again.
func (p *Poller) settle(name string, l *lane, done, of int) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	l.waiting = l.waiting[done:]
	if done == of {
		return true
	}
	if l.waiting[0].tries++; l.waiting[0].tries < p.Attempts {
		return false
	}
	l.waiting = l.waiting[1:]
	p.givenUp = append(p.givenUp, name)
	return true
}

// call calls the function with a batch and returns how many of its records, from the first, are done.
func (p *Poller) call(ctx context.Context, batch []record) int {
	list := make([]any, len(batch))
	for i, r := range batch {
		list[i] = r.event
	}
	answer, err := p.Invoke(ctx, list)
	if err != nil {
		return 0
	}
	done := len(batch)
	for _, failure := range answer.BatchItemFailures {
		i := slices.IndexFunc(batch, func(r record) bool { return r.sequence == failure.ItemIdentifier })
		done = min(done, max(i, 0)) // an id that is none of the batch's fails all of it
	}
	return done
}

// Invoke calls the function with these records.
func (p *Poller) Invoke(ctx context.Context, records []any) (answer events.DynamoDBEventResponse, err error) {
	event, err := json.Marshal(map[string]any{"Records": records})
	if err != nil {
		return answer, err
	}
	raw, err := p.Function.Invoke(ctx, event)
	if err != nil {
		return answer, err
	}
	if err := json.Unmarshal(raw, &answer); err != nil {
		return answer, errors.New("fakelambda: the answer to a batch is not one that Lambda understands")
	}
	return answer, nil
}

// eventOf is a record as an event has it.
func eventOf(r types.Record, stream string) map[string]any {
	change := map[string]any{
		"Keys": image(r.Dynamodb.Keys), "SequenceNumber": aws.ToString(r.Dynamodb.SequenceNumber),
		"SizeBytes": aws.ToInt64(r.Dynamodb.SizeBytes), "StreamViewType": string(r.Dynamodb.StreamViewType),
	}
	if at := r.Dynamodb.ApproximateCreationDateTime; at != nil {
		change["ApproximateCreationDateTime"] = at.Unix()
	}
	if r.Dynamodb.NewImage != nil {
		change["NewImage"] = image(r.Dynamodb.NewImage)
	}
	if r.Dynamodb.OldImage != nil {
		change["OldImage"] = image(r.Dynamodb.OldImage)
	}
	return map[string]any{
		"eventID": aws.ToString(r.EventID), "eventName": string(r.EventName), "eventVersion": "1.1",
		"eventSource": "aws:dynamodb",
		"awsRegion":   "us-east-1", "dynamodb": change, "eventSourceARN": stream,
	}
}

func image(attributes map[string]types.AttributeValue) map[string]any {
	out := make(map[string]any, len(attributes))
	for name, v := range attributes {
		out[name] = value(v)
	}
	return out
}

func value(v types.AttributeValue) any {
	switch v := v.(type) {
	case *types.AttributeValueMemberS:
		return map[string]any{"S": v.Value}
	case *types.AttributeValueMemberN:
		return map[string]any{"N": v.Value}
	case *types.AttributeValueMemberBOOL:
		return map[string]any{"BOOL": v.Value}
	case *types.AttributeValueMemberB:
		return map[string]any{"B": base64.StdEncoding.EncodeToString(v.Value)}
	case *types.AttributeValueMemberNULL:
		return map[string]any{"NULL": true}
	case *types.AttributeValueMemberSS:
		return map[string]any{"SS": v.Value}
	case *types.AttributeValueMemberM:
		return map[string]any{"M": image(v.Value)}
	case *types.AttributeValueMemberL:
		list := make([]any, len(v.Value))
		for i, e := range v.Value {
			list[i] = value(e)
		}
		return map[string]any{"L": list}
	}
	return map[string]any{"NULL": true}
}
