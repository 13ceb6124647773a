package notice

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/serverless-scim/serverless-scim/pkg/store"
)

// testsAnHour bounds the test notices of a tenant within any hour.
const testsAnHour = 10

// ErrTests says that a tenant was sent ten test notices within an hour.
var ErrTests = errors.New("notice: ten tests within an hour")

// TestID is the id of a test notice of a time. Tests of the same time have different suffixes.
func TestID(at time.Time, suffix string) string { return ID("", Test, testTime(at)+"-"+suffix) }

// testTime orders the ids of tests by their times.
func testTime(at time.Time) string { return fmt.Sprintf("%013d", at.UnixMilli()) }

// Room returns ErrTests if a tenant may not be sent another test notice now. Each test changes the tenant's item: under
// the condition that this is as it was before the call, none is added meanwhile.
func (q *Queue) Room(ctx context.Context, tenantID string, now time.Time) error {
	keys := store.KeysOf(tenantID)
	first := keys.Notice("", string(Test), testTime(now.Add(-time.Hour+time.Millisecond)))
	page, err := q.store.Query(ctx, store.Query{
		PK: first.PK, From: first.SK, To: keys.Notice("", string(Test), "~").SK, Select: store.CountOnly,
		Limit: testsAnHour,
	})
	if err == nil && page.Count >= testsAnHour {
		err = ErrTests
	}
	return err
}
