// Package sweep visits all tenants once a day, in as many runs as that takes.
package sweep

import (
	"context"
	"maps"
	"time"

	"github.com/serverless-scim/serverless-scim/pkg/store"
)

// Daily is a visit of all tenants, once in 24 hours. It is resumed if a run ends before it does.
type Daily struct {
	Store *store.Store
	// Progress is the key of the item that says how far it has come.
	Progress store.Key
	Now      func() time.Time
}

const (
	every = 24 * time.Hour
	// page is after how many tenants the progress is noted.
	page = 200
)

// The attributes of the progress, beside those of all items.
const (
	attrAt    = "at"    // when the visit began, in Unix milliseconds
	attrAfter = "after" // the last tenant; missing once all were visited
)

// Run calls visit for each entry of the list of tenants, in order of id, if the last visit of all began 24
// hours ago or more, or was not ended. It stops after an entry if until is over, and at an error of visit, which
// it returns; the next run goes on. After an error, or if the process died, visit may get up to 200 entries
// again.
func (d Daily) Run(ctx context.Context, until func() bool, visit func(context.Context, store.Item) error) error {
	items, err := d.Store.Get(ctx, d.Progress)
	if err != nil {
		return err
	}
	began, _ := items[0].Attrs[attrAt].(int64)
	after, going := items[0].Attrs[attrAfter].(string)
	now := d.Now()
	if !going {
		if now.Sub(time.UnixMilli(began)) < every {
			return nil
		}
		began = now.UnixMilli()
	}
	note := func(more store.Attrs) error {
		attrs := store.Attrs{attrAt: began}
		maps.Copy(attrs, more)
		return d.Store.Write(ctx, store.PutItem(d.Progress, attrs))
	}
	seen := 0
	for item, err := range d.Store.All(ctx, store.Query{PK: store.TenantsPK, After: after}) {
		if err != nil {
			return err
		}
		if err := visit(ctx, item); err != nil {
			return err
		}
		over := until()
		if seen++; over || seen%page == 0 {
			if err := note(store.Attrs{attrAfter: item.SK}); err != nil || over {
				return err
			}
		}
	}
	return note(nil)
}
