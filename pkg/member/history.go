package member

import (
	"context"

	"github.com/serverless-scim/serverless-scim/pkg/event/eventlog"
	"github.com/serverless-scim/serverless-scim/pkg/member/internal/record"
)

// History reads the events of a member, the newest first, from up to count entries of the log. from is the sequence
// number to go on with, as an earlier call returned it as next; 0: begin with the newest. next is 0 if there are no
// older ones that are kept. Somebody who was never published has none.
func (s *Service) History(
	ctx context.Context, t Tenant, id string, from int64, count int,
) (events []eventlog.Numbered, next int64, err error) {
	ts := s.store.Tenant(t.ID)
	if from == 0 {
		items, err := ts.Get(ctx, ts.Published(id))
		if err != nil {
			return nil, 0, err
		}
		from, _ = items[0].Attrs[record.AttrLast].(int64)
	}
	return eventlog.Chain(ctx, ts, eventlog.Back{
		Subject: record.LogSubject(id), Last: from, Count: count, Oldest: s.oldest(t),
	})
}
