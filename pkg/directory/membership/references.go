package membership

import (
	"context"
	"maps"
	"slices"

	"github.com/serverless-scim/serverless-scim/pkg/directory/row"
	"github.com/serverless-scim/serverless-scim/pkg/scim"
	"github.com/serverless-scim/serverless-scim/pkg/scim/schema"
	"github.com/serverless-scim/serverless-scim/pkg/store"
)

// A reference is a manager or member value. It names a user by id, userName or externalId, or a group by id. One that
// names nobody is stored as sent and waits: an item in the partition of its folded value says who waits, and a head
// item says that anybody does. A user who arrives under that name takes its place, whoever came first:
//
//   - who waits first: the user's transaction finds the head, or is conditional on its absence; it carries open work of
//     kind resolve, which follows the waiting references.
//   - who arrives first: the waiting reference's transaction carries the same open work, which looks for the user again
//     after the commit. So a user that arrived between the look-up and the commit is found as well.

// attrStamp changes with every reference that begins to wait, so that a head is not removed from under a new one.
const attrStamp = "stamp"

// References are the parts of a user's write that concern references: names that the user newly takes, and its own
// manager.
type References struct {
	names   []string // folded, newly taken, waited for by nobody
	awaited []string // folded, newly taken, waited for
	waits   string   // the manager value that names nobody yet
	waited  string   // the former manager value that named nobody and is gone
	manager string   // the id of the manager newly resolved
	userID  string
}

// Joins reports whether the user takes a name that groups may wait for: then it is a member of these afterwards.
func (refs References) Joins() bool { return len(refs.awaited) > 0 }

// UserReferences reads the references that concern the change of a user's document from old (nil: none) to doc,
// and puts the resolved manager into doc. Without look it assumes that nobody waits for the user's new names, as
// is normal: the transaction is stale if somebody does.
func (s *Service) UserReferences(ctx context.Context, ts *store.TenantStore, id string, old, doc scim.Object,
	look bool,
) (References, error) {
	refs := References{userID: id}
	names := newNames(old, doc)
	var keys []store.Key
	if !look {
		refs.names, names = names, nil
	}
	for _, name := range names {
		keys = append(keys, ts.WaitedFor(name))
	}
	before, manager := row.ManagerOf(old), row.ManagerOf(doc)
	value := row.Text(manager, "value")
	changed := value != row.Text(before, "value")
	if changed {
		if _, resolved := before["$ref"]; before != nil && !resolved {
			refs.waited = row.Text(before, "value")
		}
	}
	if changed && TooLong(value) {
		return refs, ErrReference("A manager's value", value)
	}
	lookUp := changed && value != "" && !namesSelf(id, doc, value)
	if lookUp {
		keys = append(keys, ts.User(value), ts.UserName(scim.Fold(value)))
	}
	items, err := ts.Get(ctx, keys...)
	if err != nil {
		return refs, err
	}
	for i, name := range names {
		if items[i].Attrs == nil {
			refs.names = append(refs.names, name)
		} else {
			refs.awaited = append(refs.awaited, name)
		}
	}
	if !changed || value == "" {
		return refs, nil
	}
	target := id
	if lookUp {
		if target, err = s.managerID(ctx, ts, value, items[len(names):]); err != nil {
			return refs, err
		}
	}
	if target == "" {
		refs.waits = value
		setManager(doc, scim.Object{"value": value})
		return refs, nil
	}
	if target != id {
		refs.manager = target
	}
	setManager(doc, resolvedManager(target))
	return refs, nil
}

// managerID returns the id of the user that value names, or "". found are the items of the user with that id and of
// that name.
func (s *Service) managerID(ctx context.Context, ts *store.TenantStore, value string, found []store.Item) (
	string, error,
) {
	if found[0].Attrs != nil {
		return value, nil
	}
	if id, ok := found[1].Attrs["id"].(string); ok {
		return id, nil
	}
	user, err := userByExternalID(ctx, ts, value)
	id := idInCapitals(value)
	if err != nil || user != "" || id == "" {
		return user, err
	}
	items, err := ts.Get(ctx, ts.User(id))
	if err != nil || items[0].Attrs == nil {
		return "", err
	}
	return id, nil
}

// userByExternalID returns the id of the user with that externalId. It is "" if there is none, and if there are
// several: nobody could say which of them is meant, so a reference waits.
func userByExternalID(ctx context.Context, ts *store.TenantStore, value string) (string, error) {
	prefix := ts.LookupPrefix(row.UserExternalID, value)
	page, err := ts.Query(ctx, store.Query{PK: prefix.PK, Prefix: prefix.SK, Limit: 2, Select: store.KeysOnly})
	if err != nil || len(page.Items) != 1 {
		return "", err
	}
	return store.LastPart(page.Items[0].SK), nil
}

// usersByExternalID returns the same for values, by value; a value that names nobody, or several users, is missing.
func usersByExternalID(ctx context.Context, ts *store.TenantStore, values []string) (map[string]string, error) {
	prefixes, ids := make([]string, len(values)), make([]string, len(values))
	for i, v := range values {
		prefixes[i] = ts.LookupPrefix(row.UserExternalID, v).SK
	}
	several := make([]bool, len(values))
	err := ts.EachUnder(ctx, ts.LookupPrefix("", "").PK, prefixes, func(i int, sk string) bool {
		several[i] = ids[i] != ""
		ids[i] = store.LastPart(sk)
		return !several[i]
	})
	users := map[string]string{}
	for i, v := range values {
		if ids[i] != "" && !several[i] {
			users[v] = ids[i]
		}
	}
	return users, err
}

// userByName returns the id of the user that a waiting value names by userName or externalId, or "".
func userByName(ctx context.Context, ts *store.TenantStore, value string) (string, error) {
	items, err := ts.Get(ctx, ts.UserName(scim.Fold(value)))
	if err != nil {
		return "", err
	}
	if id, ok := items[0].Attrs["id"].(string); ok {
		return id, nil
	}
	return userByExternalID(ctx, ts, value)
}

// newNames returns the folded userName and externalId of doc that old does not have.
func newNames(old, doc scim.Object) []string {
	var names []string
	for _, attribute := range []string{"userName", "externalId"} {
		value := row.Text(doc, attribute)
		if value == "" || value == row.Text(old, attribute) {
			continue
		}
		if folded := scim.Fold(value); !slices.Contains(names, folded) {
			names = append(names, folded)
		}
	}
	return names
}

// namesSelf reports whether a reference value names the very user whose document it stands in.
func namesSelf(id string, doc scim.Object, value string) bool {
	return value == id || value == row.Text(doc, "externalId") ||
		scim.Fold(value) == scim.Fold(row.Text(doc, "userName"))
}

// resolvedManager is a manager as stored once it names a user: the "$ref" says so, and is made absolute in answers.
func resolvedManager(id string) scim.Object {
	return scim.Object{"value": id, "$ref": "Users/" + id}
}

// setManager puts a manager into a user's document. The extension is copied, since documents before and after a
// change may share it.
func setManager(doc scim.Object, manager scim.Object) {
	enterprise, _ := doc[scim.EnterpriseUserURN].(scim.Object)
	enterprise = maps.Clone(enterprise)
	enterprise["manager"] = manager
	doc[scim.EnterpriseUserURN] = enterprise
}

// KeepManager copies old's manager to doc if the value is the same. Of another manager it keeps the value only:
// the server makes $ref, and never takes it from a client.
func KeepManager(rt *schema.ResourceType, old, doc scim.Object) {
	manager := row.ManagerOf(doc)
	if manager == nil {
		return
	}
	before := row.ManagerOf(old)
	if row.Text(manager, "value") == "" {
		dropManager(rt, doc)
		return
	}
	if before != nil && row.Text(before, "value") == row.Text(manager, "value") {
		setManager(doc, before)
		return
	}
	setManager(doc, scim.Object{"value": row.Text(manager, "value")})
}

// dropManager takes a manager without a value out of a user's document.
func dropManager(rt *schema.ResourceType, doc scim.Object) {
	enterprise, _ := doc[scim.EnterpriseUserURN].(scim.Object)
	enterprise = maps.Clone(enterprise)
	delete(enterprise, "manager")
	doc[scim.EnterpriseUserURN] = enterprise
	if len(enterprise) == 0 {
		delete(doc, scim.EnterpriseUserURN)
	}
	rt.SetSchemas(doc)
}

// WaitingManager is the key of a manager value that waits for a user.
func WaitingManager(k store.Keys, userID, value string) store.Key {
	return k.Waiting(scim.Fold(value), "U", userID, value)
}

func waitingMember(k store.Keys, groupID, value string) store.Key {
	return k.Waiting(scim.Fold(value), "M", groupID, value)
}

// head is the operation that says that somebody waits for a folded value.
func (s *Service) head(k store.Keys, folded string) store.Op {
	return store.PutItem(k.WaitedFor(folded), store.Attrs{attrStamp: s.NewID()})
}

// ReferenceOperations appends the operations that a user's references ask for.
func (s *Service) ReferenceOperations(w *Write, refs References) {
	k, waits := w.ts.Keys, scim.Fold(refs.waits)
	for _, name := range refs.names {
		if refs.waits == "" || name != waits {
			w.Must(store.CheckItem(k.WaitedFor(name), store.IsAbsent()), store.ErrStale)
		}
	}
	if refs.manager != "" {
		w.Must(store.CheckItem(k.User(refs.manager), store.IsThere()), store.ErrStale)
	}
	resolve := refs.awaited
	if refs.waits != "" {
		w.Add(store.PutItem(WaitingManager(k, refs.userID, refs.waits), nil), s.head(k, waits))
		resolve = append(resolve[:len(resolve):len(resolve)], waits)
	}
	if refs.waited != "" {
		w.Add(store.RemoveItem(WaitingManager(k, refs.userID, refs.waited)))
	}
	if len(resolve) > 0 {
		open := s.newWork(workResolve, refs.userID)
		open.values = resolve
		w.leave(open)
	}
}
