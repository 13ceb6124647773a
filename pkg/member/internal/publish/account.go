package publish

import (
	"context"
	"net/http"

	"github.com/serverless-scim/serverless-scim/pkg/member/internal/record"
	"github.com/serverless-scim/serverless-scim/pkg/store"
)

// Account gives the member the application's own id, and takes the one that it had; "" only takes that. The error is a
// *record.Refused 409 if another member has the id.
func (c *Change) Account(ctx context.Context, id string) error {
	p := c.in
	had := c.next.AccountID
	if had == id {
		return nil
	}
	c.next.AccountID = id
	if had != "" {
		c.also = append(c.also, store.RemoveItem(p.ts.Account(had)).When(store.Is(record.AttrMember, c.id)))
	}
	if id == "" {
		return nil
	}
	items, err := p.ts.Get(ctx, p.ts.Account(id))
	if err != nil {
		return err
	}
	owner, _ := items[0].Attrs[record.AttrMember].(string)
	if owner != "" {
		if of, err := p.ts.Get(ctx, p.ts.Published(owner)); err != nil {
			return err
		} else if of[0].Attrs != nil {
			m, err := record.DecodeItem(of[0])
			if err != nil {
				return err
			}
			if m.Status != record.Removed {
				return record.Refuse(http.StatusConflict, "Member %q has the account %q.", owner, id)
			}
		}
	}
	return c.takeAccount(ctx, items[0])
}

// takeAccount gives the member an account, as read. It is not looked for any more.
func (c *Change) takeAccount(ctx context.Context, account store.Item) error {
	doc, _ := account.Attrs[record.AttrDoc].(string)
	owner, _ := account.Attrs[record.AttrMember].(string)
	cond := store.IsAbsent()
	if account.Attrs != nil {
		cond = store.Is(record.AttrMember, owner)
	}
	c.also = append(c.also,
		store.PutItem(account.Key, store.Attrs{record.AttrMember: c.id, record.AttrDoc: doc}).When(cond))
	if owner != "" {
		return nil
	}
	found, err := record.LookupsOf(ctx, c.in.ts, record.DecodeAccount(doc))
	for _, key := range found {
		c.also = append(c.also, store.RemoveItem(key))
	}
	return err
}

// adopt finds imported accounts for newcomers who take nobody's place with an account.
func (p *publication) adopt(ctx context.Context) error {
	var keys []store.Key
	var of []*subject
	for _, sub := range p.newcomers() {
		if sub.previous != nil && sub.previous.old.AccountID != "" {
			continue
		}
		for _, m := range record.Matches(p.policy.Match, p.policy.Person(sub.person.Doc)) {
			keys, of = append(keys, p.ts.AccountFor(m.Attribute, m.Value)), append(of, sub)
		}
	}
	items, err := p.ts.Get(ctx, keys...)
	if err != nil {
		return err
	}
	keys = keys[:0]
	var by []*subject
	for i, item := range items {
		if id, _ := item.Attrs[record.AttrAccount].(string); id != "" {
			keys, by = append(keys, p.ts.Account(id)), append(by, of[i])
		}
	}
	accounts, err := p.ts.Get(ctx, keys...)
	taken := map[store.Key]bool{}
	for i, item := range accounts {
		if item.Attrs != nil && item.Attrs[record.AttrMember] == "" && by[i].adopts.Attrs == nil && !taken[item.Key] {
			by[i].adopts = item
			taken[item.Key] = true
		}
	}
	return err
}

// own gives the member of a change the imported account that was found for it, or the account of the member whose
// place it takes.
func (c *Change) own(ctx context.Context) error {
	if doc, _ := c.adopts.Attrs[record.AttrDoc].(string); c.adopts.Attrs != nil && c.next.AccountID == "" {
		c.next.AccountID = record.DecodeAccount(doc).ID
		if err := c.takeAccount(ctx, c.adopts); err != nil {
			return err
		}
	}
	if c.previous == nil || c.previous.old.AccountID == "" || c.next.AccountID != c.previous.old.AccountID {
		return nil
	}
	if c.previous.account.Attrs == nil { // another member has it now
		c.next.AccountID = ""
		return nil
	}
	return c.takeAccount(ctx, c.previous.account)
}
