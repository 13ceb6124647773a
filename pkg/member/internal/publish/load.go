package publish

import (
	"context"

	"github.com/serverless-scim/serverless-scim/pkg/member/internal/record"
	"github.com/serverless-scim/serverless-scim/pkg/store"
	"github.com/serverless-scim/serverless-scim/pkg/task"
)

// load reads the members as published, and their manual assignments.
func (p *publication) load(ctx context.Context) error {
	g, ctx := task.WithContext(ctx)
	g.Go(func() error { return p.loadPublished(ctx) })
	g.Go(func() error { return p.loadManual(ctx) })
	return g.Wait()
}

func (p *publication) loadPublished(ctx context.Context) error {
	keys := make([]store.Key, len(p.subjects))
	for i, sub := range p.subjects {
		keys[i] = p.ts.Published(sub.id)
	}
	items, err := p.ts.Get(ctx, keys...)
	if err != nil {
		return err
	}
	for i, item := range items {
		if item.Attrs == nil {
			continue
		}
		m, err := record.DecodeItem(item)
		if err != nil {
			return err
		}
		sub := p.subjects[i]
		sub.old, sub.stale = &m, record.ParseList(item.Attrs[record.AttrStale])
		sub.logged.Last, _ = item.Attrs[record.AttrLast].(int64)
		sub.logged.Until, _ = item.Attrs[record.AttrUntil].(int64)
		sub.erasing, _ = item.Attrs[record.AttrErasing].(int64)
		sub.endless = item.Attrs[store.AttrTTL] == nil
	}
	return nil
}

func (p *publication) loadManual(ctx context.Context) error {
	prefixes := make([]string, len(p.subjects))
	for i, sub := range p.subjects {
		prefixes[i] = p.ts.ManualPrefix(sub.id).SK
	}
	manual := make([][]store.Key, len(p.subjects))
	err := p.ts.EachUnder(ctx, p.ts.ManualPrefix("").PK, prefixes, func(i int, sk string) bool {
		manual[i] = append(manual[i], store.Key{PK: p.ts.ManualPrefix("").PK, SK: sk})
		return true
	})
	if err != nil {
		return err
	}
	for i, keys := range manual {
		items, err := p.ts.Get(ctx, keys...)
		if err != nil {
			return err
		}
		for _, item := range items {
			if item.Attrs != nil {
				p.subjects[i].manual = append(p.subjects[i].manual, record.DecodeManual(item))
			}
		}
	}
	return nil
}
