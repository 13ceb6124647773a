package doctor

import (
	"slices"
	"time"

	"github.com/serverless-scim/serverless-scim/pkg/domain/claim"
	"github.com/serverless-scim/serverless-scim/pkg/policy"
	"github.com/serverless-scim/serverless-scim/pkg/store"
	"github.com/serverless-scim/serverless-scim/pkg/tenant/stored"
)

// tenantOf reads the tenant's item as the view knows it; nil if there is none, or it can't be read.
func (v *view) tenantOf(attrs store.Attrs) *stored.Tenant {
	if attrs == nil {
		return nil
	}
	t, err := stored.Decode(store.Item{Key: v.k.Tenant(), Attrs: attrs}, v.o.Now())
	if err != nil {
		return nil
	}
	return &t
}

func tenantKey(k store.Keys, _ store.Item) []store.Key { return []store.Key{k.Tenant()} }

func tenantNeeds(k store.Keys, item store.Item) []store.Key {
	keys := []store.Key{k.Listed(), k.Policy()}
	return append(keys, dueOf(k, item)...)
}

// dueOf is the tenant's place in the order of due times, if it has one.
func dueOf(k store.Keys, item store.Item) []store.Key {
	t, err := stored.Decode(item, time.Time{})
	if err != nil || t.Due == 0 {
		return nil
	}
	return []store.Key{k.Due(t.Due)}
}

func lookTenant(v *view, item store.Item) {
	t := v.tenantOf(item.Attrs)
	if t == nil {
		v.find(Finding{Check: "tenant", Problem: "The tenant's item can't be read."})
		return
	}
	if state := text(v.get(v.k.Listed()), stored.AttrState); state != t.State {
		v.find(Finding{
			Check: "list", Problem: "The tenant is " + t.State + "; the list of tenants says " + quoted(state) + ".",
			Repair: "Write it into the list.",
			ops:    []store.Op{store.PutItem(v.k.Listed(), stored.Listed(t.State, v.o.Now()))},
		})
	}
	v.due(item, *t)
	if t.Schemas != "" && v.get(v.k.Schemas(t.Schemas)) == nil {
		v.find(Finding{
			Check: "schemas", Problem: "The definitions that the tenant names are missing. Define them again.",
		})
	}
	if t.Policy != "" && v.get(v.k.Policy()) == nil {
		v.find(Finding{Check: "policy", Problem: "The policy that the tenant names is missing. Save it again."})
	}
	for _, id := range t.Clients {
		if v.get(v.k.Client(id)) == nil {
			v.find(Finding{
				Check:   "client",
				Problem: "The name and keys of the OAuth client " + id + " are missing. Create another client.",
			})
		}
	}
}

// due checks that the tenant is found when something of it is due.
func (v *view) due(item store.Item, t stored.Tenant) {
	if t.Due != 0 && v.get(v.k.Due(t.Due)) == nil {
		v.find(Finding{
			Check: "due", Problem: "The tenant's item in the order of due times is missing.", Repair: "Write the item.",
			ops: []store.Op{store.PutItem(v.k.Due(t.Due), nil)},
		})
		return
	}
	if t.DueBy == 0 || t.Due != 0 && t.Due <= max(t.DueBy, v.o.Now().Unix()) {
		return
	}
	at := t.DueBy
	if at == stored.AnyTime {
		at = v.o.Now().Unix()
	}
	text, err := stored.DuePlaced(item, at)
	if err != nil {
		return
	}
	v.find(Finding{
		Check: "due", Problem: "The tenant has work that is due before its next visit.",
		Repair: "Set the earlier time.",
		ops: []store.Op{
			{
				Kind: store.Update, Key: item.Key, Set: store.Attrs{"doc": text},
				Add: map[string]int64{stored.AttrVersion: 1},
			},
			store.PutItem(v.k.Due(at), nil),
		},
	})
}

func lookPolicy(v *view, item store.Item) {
	lookDocument(v, item)
	t := v.tenantOf(v.get(v.k.Tenant()))
	if digest := policy.Digest([]byte(text(item.Attrs, "doc"))); t != nil && t.Policy != digest {
		v.find(Finding{
			Check: "policy", Problem: "The tenant's item names a policy other than the saved one.",
			Repair: "Name the saved policy, and publish all members again.",
			ops: append(v.everybody(), store.Op{
				Kind: store.Update, Key: v.k.Tenant(), Set: store.Attrs{stored.AttrPolicy: digest},
				Add: map[string]int64{stored.AttrVersion: 1},
			}),
		})
	}
}

func lookDomains(v *view, item store.Item) {
	set, err := claim.Stored(text(item.Attrs, "doc"))
	if err != nil {
		v.find(Finding{Check: "document", Problem: "The document can't be read."})
		return
	}
	if t := v.tenantOf(v.get(v.k.Tenant())); t != nil && t.Domains != string(set) {
		v.find(Finding{
			Check: "domains", Problem: "The verified domains in the tenant's item differ from the list of domains.",
			Repair: "Copy the domains of the list.",
			ops: []store.Op{{
				Kind: store.Update, Key: v.k.Tenant(), Set: store.Attrs{stored.AttrDomains: string(set)},
				Add: map[string]int64{stored.AttrVersion: 1},
			}},
		})
	}
}

// lookSecret finds values of tokens that nobody has. One is written before its token is.
func lookSecret(v *view, item store.Item) {
	id, t := store.LastPart(item.SK), v.tenantOf(v.get(v.k.Tenant()))
	if t != nil && t.Pending == "" && !slices.Contains(t.Tokens, id) {
		v.orphan("token", "The value belongs to a token that the tenant does not have.", v.k.Tenant())
	}
}

func lookClient(v *view, item store.Item) {
	id, t := store.LastPart(item.SK), v.tenantOf(v.get(v.k.Tenant()))
	if t != nil && !slices.Contains(t.Clients, id) {
		v.orphan("client", "The tenant has no such OAuth client.", v.k.Tenant())
	}
}

func listedNeeds(_ store.Keys, item store.Item) []store.Key {
	return []store.Key{store.KeysOf(item.SK).Tenant()}
}

func lookListed(v *view, item store.Item) {
	if v.get(store.KeysOf(item.SK).Tenant()) == nil {
		v.find(Finding{
			Check: "list", Problem: "The tenant in the list has no item. If it has users, restore its item; " +
				"else delete it from the list.",
		})
	}
}

func dueNeeds(_ store.Keys, item store.Item) []store.Key {
	id, _, ok := store.DueOf(item.Key)
	if !ok {
		return nil
	}
	return []store.Key{store.KeysOf(id).Tenant()}
}

// lookDue finds entries of the order of due times that lead nowhere. Those whose time has come are removed by the run
// that finds them, and may be written as hints.
func lookDue(v *view, item store.Item) {
	id, at, ok := store.DueOf(item.Key)
	if !ok {
		v.find(Finding{Check: "due", Problem: "The key can't be read."})
		return
	}
	key := store.KeysOf(id).Tenant()
	t := v.tenantOf(v.get(key))
	if at > v.o.Now().Unix() && (t == nil || t.Due != at) {
		v.orphan("due", "Nothing of tenant "+id+" is due then.", key)
	}
}
