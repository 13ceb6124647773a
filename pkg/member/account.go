package member

import (
	"context"
	"errors"
	"slices"

	"github.com/serverless-scim/serverless-scim/pkg/event/eventlog"
	"github.com/serverless-scim/serverless-scim/pkg/mapping"
	"github.com/serverless-scim/serverless-scim/pkg/member/internal/publish"
	"github.com/serverless-scim/serverless-scim/pkg/member/internal/record"
	"github.com/serverless-scim/serverless-scim/pkg/member/marker"
	"github.com/serverless-scim/serverless-scim/pkg/scim"
	"github.com/serverless-scim/serverless-scim/pkg/store"
)

// An account is the application's own record of a person. Its item says which member has it, so an id belongs to one
// member only. One that was imported and that nobody has yet is found by the values that the policy matches by, with an
// item for each: the last account that names a value has it. An import changes the head of the log, so a publication
// that has looked for accounts before it fails, and looks again.

// eventAccountsImported: accounts were imported that nobody had before. Data: count.
const eventAccountsImported = "accounts.imported"

// SetAccount gives a member the application's own id; "" takes it away. A *Refused 404 says that there is no such
// member, 409 that another member has the id.
func (s *Service) SetAccount(ctx context.Context, t Tenant, id, accountID string) (record.Member, error) {
	if err := s.begin(ctx, t, id); err != nil {
		return record.Member{}, err
	}
	err := s.publisher.Edit(ctx, t, publish.Job{Ids: []string{
		id,
	}, Edits: map[string]publish.Edit{id: func(ctx context.Context, c *publish.Change) error {
		return c.Account(ctx, accountID)
	}}})
	if err != nil {
		return record.Member{}, err
	}
	return s.living(ctx, t, id)
}

// accountsAtOnce is the number of accounts that one transaction imports. Each has four items at most, and leaves three.
const accountsAtOnce = 12

// lookups are the accounts to which items are to lead; "": the item is to go.
type lookups map[store.Key]string

// without has the items go that lead to an account as it was stored before.
func (l lookups) without(ctx context.Context, ts *store.TenantStore, a record.Account) error {
	keys, err := record.LookupsOf(ctx, ts, a)
	for _, key := range keys {
		if _, taken := l[key]; !taken { // else another account has the value now
			l[key] = ""
		}
	}
	return err
}

func (l lookups) ops() []store.Op {
	var ops []store.Op
	for key, id := range l {
		op := store.PutItem(key, store.Attrs{record.AttrAccount: id})
		if id == "" {
			op = store.RemoveItem(key)
		}
		ops = append(ops, op)
	}
	return ops
}

// Imported is the outcome of the import of one account.
type Imported struct {
	// Member has the account; "": nobody matches it yet; a member that matches it later adopts it.
	Member string
	// Stored says that the account was new or changed, Adopted that the member has it by this import.
	Stored, Adopted bool
}

// ImportAccounts stores the application's existing people. Members who match one, now or when they come, adopt it.
// Repeating it changes nothing, so an import that broke off can be repeated. It returns the outcome of each.
func (s *Service) ImportAccounts(ctx context.Context, t Tenant, all []record.Account) ([]Imported, error) {
	ts := s.store.Tenant(t.ID)
	policy, _, err := s.policies.Of(ctx, t)
	if err != nil {
		return nil, err
	}
	var out []Imported
	for part := range slices.Chunk(all, accountsAtOnce) {
		results := make([]Imported, len(part))
		err := store.Retry(ctx, record.ContendFor, func() error {
			return s.publisher.Alone(ctx, t.ID, func() error { return s.importSome(ctx, t, part, results) })
		})
		if err != nil {
			return out, err
		}
		if err := s.adoptNow(ctx, t, policy, part, results); err != nil {
			return out, err
		}
		items, err := ts.Get(ctx, store.EachKey(part, func(a record.Account) store.Key { return ts.Account(a.ID) })...)
		if err != nil {
			return out, err
		}
		for i, item := range items {
			results[i].Member, _ = item.Attrs[record.AttrMember].(string)
		}
		out = append(out, results...)
	}
	return out, nil
}

// importSome stores some accounts in one transaction, and notes which were new or changed.
func (s *Service) importSome(ctx context.Context, t Tenant, part []record.Account, results []Imported) error {
	ts := s.store.Tenant(t.ID)
	keys := []store.Key{ts.LogHead()}
	for _, a := range part {
		keys = append(keys, ts.Account(a.ID))
	}
	items, err := ts.Get(ctx, keys...)
	if err != nil {
		return err
	}
	head := eventlog.DecodeHead(items[0])
	var tx store.Tx
	found := lookups{}
	var stored []int
	for i, a := range part {
		item := items[i+1]
		doc, _ := item.Attrs[record.AttrDoc].(string)
		if owner, _ := item.Attrs[record.AttrMember].(string); owner != "" || doc == a.Encode() {
			continue
		}
		stored = append(stored, i)
		cond := store.IsAbsent()
		if item.Attrs != nil {
			cond = store.Is(record.AttrMember, "")
			if err := found.without(ctx, ts, record.DecodeAccount(doc)); err != nil {
				return err
			}
		}
		tx.Must(store.PutItem(
			ts.Account(a.ID), store.Attrs{record.AttrMember: "", record.AttrDoc: a.Encode()},
		).When(cond), store.ErrStale)
		for _, m := range record.Matches(record.MatchedBy, a.Person()) {
			found[ts.AccountFor(m.Attribute, m.Value)] = a.ID
		}
	}
	n := len(stored)
	if n == 0 {
		return nil
	}
	tx.Add(found.ops()...)
	_, ops := head.Append(ts.Keys, t.Retention, eventlog.Entry{
		Subject: "accounts", SubjectVersion: 1, At: s.o.Now(), Cause: marker.CauseOf(ctx),
		Events: []eventlog.Logged{{Type: eventAccountsImported, Data: scim.Object{"count": int64(n)}}},
	})
	tx.Must(ops[0], store.ErrStale)
	tx.Add(ops[1:]...)
	if err := tx.Commit(ctx, ts); err != nil {
		return err
	}
	for _, i := range stored {
		results[i].Stored = true
	}
	return nil
}

// adoptNow gives accounts to the first published members that match them and have none, and notes which. In a tenant
// that publishes no members they wait for the next import.
func (s *Service) adoptNow(
	ctx context.Context, t Tenant, policy *mapping.Policy, part []record.Account, results []Imported,
) error {
	if t.Silent {
		return nil
	}
	ts := s.store.Tenant(t.ID)
	items, err := ts.Get(ctx, store.EachKey(part, func(a record.Account) store.Key { return ts.Account(a.ID) })...)
	if err != nil {
		return err
	}
	j := publish.Job{Edits: map[string]publish.Edit{}}
	for i, item := range items {
		if item.Attrs == nil || item.Attrs[record.AttrMember] != "" {
			continue
		}
		id, err := s.matching(ctx, ts, policy, part[i], func(id string) bool { return j.Edits[id] != nil })
		if err != nil {
			return err
		}
		if id == "" {
			continue
		}
		j.Ids = append(j.Ids, id)
		j.Edits[id] = func(ctx context.Context, c *publish.Change) error {
			if c.Member().AccountID != "" {
				return nil
			}
			err := c.Account(ctx, part[i].ID)
			if refused := (*record.Refused)(nil); errors.As(err, &refused) { // somebody else has it by now
				c.Member().AccountID = ""
				return nil
			}
			c.Then(func() { results[i].Adopted = true })
			return err
		}
	}
	if len(j.Ids) == 0 {
		return nil
	}
	return s.publisher.Edit(ctx, t, j)
}

// matching finds the first published member that matches an account and has none; "" if there is none.
func (s *Service) matching(
	ctx context.Context, ts *store.TenantStore, policy *mapping.Policy, a record.Account, taken func(id string) bool,
) (string, error) {
	for _, m := range record.Matches(policy.Match, a.Person()) {
		l := record.By(m.Attribute, m.Value)
		l.Also = func(m record.Member) bool { return m.AccountID == "" && !taken(m.ID) }
		var page record.List
		if err := l.Walk(ctx, ts, "", 1, &page); err != nil {
			return "", err
		}
		if len(page.Members) > 0 {
			return page.Members[0].ID, nil
		}
	}
	return "", nil
}
