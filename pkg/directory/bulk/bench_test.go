package bulk_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/serverless-scim/serverless-scim/pkg/directory/bulk"
	"github.com/serverless-scim/serverless-scim/pkg/scim/schema"
	"github.com/serverless-scim/serverless-scim/pkg/store"
)

// far is an engine that answers after a delay, like one over a network.
type far struct {
	store.Engine
	after time.Duration
}

func (f far) Get(ctx context.Context, keys []store.Key) ([]store.Item, []int, error) {
	time.Sleep(f.after)
	return f.Engine.Get(ctx, keys)
}

func (f far) Query(ctx context.Context, q store.Query) (store.Page, error) {
	time.Sleep(f.after)
	return f.Engine.Query(ctx, q)
}

func (f far) Transact(ctx context.Context, token string, ops []store.Op) error {
	time.Sleep(f.after)
	return f.Engine.Transact(ctx, token, ops)
}

// BenchmarkBulk creates 200 users in one request: on an engine in memory, and on one whose calls take 5 ms; without and
// with failOnErrors, with which nothing is written that would not be written one by one.
func BenchmarkBulk(b *testing.B) {
	const n = 200
	for _, after := range []time.Duration{0, 5 * time.Millisecond} {
		for _, limit := range []int{0, 1} {
			b.Run(fmt.Sprintf("%v/failOnErrors=%d", after, limit), func(b *testing.B) {
				w := on(b, func(e store.Engine) store.Engine { return far{e, after} })
				b.ReportAllocs()
				for round := 0; b.Loop(); round++ {
					ops := make([]bulk.Operation, n)
					for i := range ops {
						ops[i] = post(schema.UserType(), fmt.Sprint(i), user(fmt.Sprintf("user-%d-%d", round, i), ""))
					}
					for _, r := range w.run(b.Context(), fmt.Sprint(round), limit, ops...) {
						if r.Status != 201 {
							b.Fatal(r.Err)
						}
					}
				}
				b.ReportMetric(float64(b.Elapsed().Microseconds())/float64(b.N*n), "µs/operation")
			})
		}
	}
}
