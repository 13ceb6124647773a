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

// Room returns ErrTests if a tenant may not be sent another test notice now. Each test changes the tenant's item: under
// the condition that this is as it was before the call, none is added meanwhile.
func (q *Queue) Room(ctx context.Context, tenantID string, now time.Time) error {
	keys := store.KeysOf(tenantID)
	first := keys.Notice("", string(Test), fmt.Sprintf("%013d", now.Add(-time.Hour).UnixMilli()+1))
	page, err := q.store.Query(ctx, store.Query{
		PK: first.PK, From: first.SK, To: keys.Notice("", string(Test), "~").SK, Select: store.CountOnly,
		Limit: testsAnHour,
	})
	if err == nil && page.Count >= testsAnHour {
		err = ErrTests
	}
	return err
}
