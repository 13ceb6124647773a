package doctor

import (
	"crypto/rand"
	"maps"
	"slices"

	"github.com/serverless-scim/serverless-scim/pkg/mapping"
	"github.com/serverless-scim/serverless-scim/pkg/member/marker"
	"github.com/serverless-scim/serverless-scim/pkg/member/stored"
	"github.com/serverless-scim/serverless-scim/pkg/store"
)

// stamp is the attribute of a head of waiting references, new each time.
func stamp() store.Attrs { return store.Attrs{"stamp": rand.Text()[:10]} }

func publishedNeeds(k store.Keys, item store.Item) []store.Key {
	keys := []store.Key{k.User(item.SK), userMarker(k, item.SK)}
	m, err := stored.Read(k, item)
	if err != nil {
		return keys
	}
	keys = slices.Concat(keys, slices.Collect(maps.Keys(m.Lookups)), slices.Collect(maps.Keys(m.Queue)))
	if m.AccountID != "" {
		keys = append(keys, k.Account(m.AccountID))
	}
	return append(keys, entryKeys(k, m)...)
}

// entryKeys are the keys of a member's last entry of the log and of the log's head.
func entryKeys(k store.Keys, m stored.Member) []store.Key {
	if m.Last == 0 {
		return nil
	}
	return []store.Key{k.LogHead(), k.LogEntry(m.Last)}
}

func lookPublished(v *view, item store.Item) {
	m, err := stored.Read(v.k, item)
	if err != nil {
		v.find(Finding{Check: "published", Problem: "The published member can't be read."})
		return
	}
	marked := v.get(userMarker(v.k, item.SK)) != nil
	for _, key := range slices.Concat(slices.Collect(maps.Keys(m.Lookups)), slices.Collect(maps.Keys(m.Queue))) {
		if v.get(key) == nil {
			v.find(Finding{
				Check: "published", Problem: "The item " + shown(key) + " of the member is missing.",
				Repair: "Write it.",
				ops:    []store.Op{store.PutItem(key, nil)},
			})
		}
	}
	user := v.get(v.k.User(item.SK))
	left := m.Status == stored.Removed || m.Gone || m.Deleted
	if v.tenant != nil && v.tenant.Publishes && user == nil && !left && !marked && !v.among(item.SK) {
		v.find(Finding{
			Check:   "published",
			Problem: "The member's user does not exist, and the member has no marker.", Repair: "Write the marker.",
			guard: []store.Key{v.k.User(item.SK)}, ops: v.mark(item.SK),
		})
	}
	if m.AccountID != "" && m.Status != stored.Removed {
		v.account(m)
	}
	v.lastEntry(m)
}

// account checks that the member's account is its own.
func (v *view) account(m stored.Member) {
	key := v.k.Account(m.AccountID)
	is := v.get(key)
	owner := text(is, "member")
	if owner == m.ID {
		return
	}
	other := v.k.Published(owner)
	if owner != "" && v.get(other) != nil {
		has, err := stored.Read(v.k, store.Item{Key: other, Attrs: v.get(other)})
		if err != nil || has.AccountID == m.AccountID && has.Status != stored.Removed {
			v.find(Finding{
				Check: "account", Problem: "The member " + owner + " has the same account. Take it from one of them.",
			})
			return
		}
	}
	document := text(is, "doc")
	if document == "" {
		document = `{"accountId":` + quoted(m.AccountID) + `}`
	}
	v.find(Finding{
		Check: "account", Problem: "The item of the member's account does not name the member.", Repair: "Write it.",
		ops: []store.Op{store.PutItem(key, store.Attrs{"member": m.ID, "doc": document})},
	})
}

// lastEntry checks that the log has the entry that the member names as its last.
func (v *view) lastEntry(m stored.Member) {
	kept := m.Until == 0 || m.Until > v.o.Now().Unix()
	if m.Last == 0 || !kept || v.get(v.k.LogHead()) == nil {
		return
	}
	o, ok := doc(v.get(v.k.LogEntry(m.Last)))
	if ok && o["subject"] == stored.LogSubject(m.ID) {
		return
	}
	v.find(Finding{
		Check: "log", Problem: "The log has no entry at the position of the member's last event.",
		Repair: "Store the position of the member's last entry.", ops: []store.Op{v.relink(m)},
	})
}

// relink is the operation that names the last entry of the log about a member. It reads the whole log.
func (v *view) relink(m stored.Member) store.Op {
	last, until := v.lastOf(stored.LogSubject(m.ID))
	op := store.Op{Kind: store.Update, Key: v.item.Key, Set: store.Attrs{"last": last}, Unset: []string{"until"}}
	if until > 0 {
		op.Set["until"], op.Unset = until, nil
	}
	return op
}

// trace is the sort of an item among the lookups of members: a lookup, an account, or another way to find somebody.
func trace(k store.Keys, item store.Item) (kind string, key store.Key) {
	parts := store.Split(item.SK)
	switch parts[0] {
	case "account":
		return parts[0], k.Published(text(item.Attrs, "member"))
	case "accountFor":
		return parts[0], k.Account(text(item.Attrs, "account"))
	case "left":
		return parts[0], k.Published(text(item.Attrs, "member"))
	}
	return "lookup", k.Published(parts[len(parts)-1])
}

func traceNeeds(k store.Keys, item store.Item) []store.Key {
	kind, key := trace(k, item)
	if kind == "account" && key.SK == "" {
		return nil
	}
	keys := []store.Key{key}
	if kind == "lookup" {
		keys = append(keys, userMarker(k, key.SK))
	}
	return keys
}

func lookTrace(v *view, item store.Item) {
	kind, key := trace(v.k, item)
	if kind == "account" && key.SK == "" {
		return // nobody has it yet
	}
	attrs := v.get(key)
	if kind == "accountFor" {
		if attrs == nil || text(attrs, "member") != "" {
			v.orphan("account", "The imported account does not exist.", key)
		}
		return
	}
	m, err := stored.Read(v.k, store.Item{Key: key, Attrs: attrs})
	switch {
	case attrs != nil && err != nil: // found with the member
	case kind == "left" && attrs == nil:
		v.orphan("left", "There is no member "+key.SK+" who has left.", key)
	case kind == "account" && (attrs == nil || m.Status != stored.Removed && m.AccountID != store.LastPart(item.SK)):
		v.orphan("account", "The member "+key.SK+" does not have this account.", key)
	case kind == "lookup" && !m.Lookups[item.Key] && v.get(userMarker(v.k, key.SK)) == nil:
		v.orphan("published", "The member "+key.SK+" does not have this value.", key, userMarker(v.k, key.SK))
	}
}

func manualNeeds(k store.Keys, item store.Item) []store.Key {
	id := store.Split(item.SK)[0]
	return []store.Key{k.Published(id), k.User(id), userMarker(k, id)}
}

func lookManual(v *view, item store.Item) {
	keys := manualNeeds(v.k, item)
	if v.get(keys[0]) == nil && v.get(keys[1]) == nil && v.get(keys[2]) == nil {
		v.orphan("manual", "There is no member "+keys[0].SK+".", keys...)
	}
}

func lookTarget(v *view, item store.Item) {
	if len(store.Split(item.SK)) != 3 {
		v.find(Finding{Check: "target", Problem: "The key can't be read."})
		return
	}
	lookDocument(v, item)
}

func targetOf(sk string) (mapping.TargetKey, bool) {
	parts := store.Split(sk)
	if len(parts) < 3 {
		return mapping.TargetKey{}, false
	}
	return mapping.TargetKey{Kind: parts[0], Organisation: parts[1], Name: parts[2]}, true
}

// poolNeeds are the head of the log, which every change of seats changes, and the tenant.
func poolNeeds(k store.Keys, _ store.Item) []store.Key { return []store.Key{k.LogHead(), k.Policy()} }

// lookPool counts who has a seat. Seats that were counted under an earlier policy are counted again by the next
// publication that needs them.
func lookPool(v *view, item store.Item) {
	key, ok := targetOf(item.SK)
	if !ok {
		v.find(Finding{Check: "seats", Problem: "The key can't be read."})
		return
	}
	used, _ := item.Attrs["used"].(int64)
	if policy, _ := v.get(v.k.Policy())["ver"].(int64); item.Attrs["policy"] != policy {
		return
	}
	n, err := v.holders(key)
	if err != nil {
		v.err = err
		return
	}
	if n != used {
		v.find(Finding{
			Check: "seats",
			Problem: "The target has " + plural(int(used), "seat") + " in use; " + plural(int(n), "member") +
				" have it.",
			Repair: "Write the number.", guard: []store.Key{v.k.LogHead()},
			ops: []store.Op{{
				Kind: store.Update, Key: item.Key, Set: store.Attrs{"used": n}, Add: map[string]int64{"ver": 1},
			}},
		})
	}
}

// holders counts the members who have a target.
func (v *view) holders(key mapping.TargetKey) (n int64, err error) {
	prefix := stored.HoldersPrefix(v.k, key)
	q := store.Query{PK: prefix.PK, Prefix: prefix.SK, Select: store.KeysOnly, Limit: pageItems}
	for {
		page, err := v.st.Query(v.ctx, q)
		if err != nil {
			return 0, err
		}
		keys := store.EachKey(page.Items, func(item store.Item) store.Key {
			return v.k.Published(store.LastPart(item.SK))
		})
		items, err := v.st.Get(v.ctx, keys...)
		if err != nil {
			return 0, err
		}
		for _, item := range items {
			if m, err := stored.Read(v.k, item); err == nil && item.Attrs != nil && m.Has(key) {
				n++
			}
		}
		if !page.More {
			return n, nil
		}
		q.After = page.Last
	}
}

func queueNeeds(k store.Keys, item store.Item) []store.Key {
	return []store.Key{k.Published(store.LastPart(item.SK))}
}

func lookQueue(v *view, item store.Item) {
	key := queueNeeds(v.k, item)[0]
	attrs := v.get(key)
	m, err := stored.Read(v.k, store.Item{Key: key, Attrs: attrs})
	if (attrs == nil || err == nil) && !m.Queue[item.Key] {
		v.orphan("seats", "The member "+key.SK+" does not wait for this seat.", key)
	}
}

func groupMarker(k store.Keys, id string) store.Key { return k.Marker(string(marker.Group), id) }

func adoptedNeeds(k store.Keys, item store.Item) []store.Key {
	id := store.LastPart(item.SK)
	return []store.Key{k.GroupTargets(id), groupMarker(k, id)}
}

func lookAdopted(v *view, item store.Item) {
	parts, keys := store.Split(item.SK), adoptedNeeds(v.k, item)
	if len(parts) != 4 || v.wide() {
		return
	}
	list := store.Item{Key: keys[0], Attrs: v.get(keys[0])}
	if !stored.Adopts(list, store.Join(parts[:3]...)) {
		v.orphan("adopted", "The group "+parts[3]+" does not name this target.", keys...)
	}
}

func adoptsNeeds(k store.Keys, item store.Item) []store.Key {
	return []store.Key{groupMarker(k, item.SK), k.Group(item.SK)}
}

func lookAdopts(v *view, item store.Item) {
	if v.wide() {
		return
	}
	var missing bool
	for _, joined := range stored.Adopted(item) {
		if key, ok := targetOf(joined); ok {
			missing = missing || v.get(v.k.Adopted(key.Kind, key.Organisation, key.Name, item.SK)) == nil
		}
	}
	if missing || v.get(v.k.Group(item.SK)) == nil {
		v.find(Finding{
			Check: "adopted", Problem: "The targets that the group " + item.SK + " gives differ from the adopted ones.",
			Repair: "Evaluate the policy for the group again.",
			ops:    append(v.everybody(), store.RemoveItem(item.Key)),
		})
	}
}

func passNeeds(k store.Keys, item store.Item) []store.Key {
	return []store.Key{{PK: k.Marker("", "").PK, SK: item.SK}}
}

// lookPass takes a pass that is done for sound: the policy's stays, with its number.
func lookPass(v *view, item store.Item) {
	if len(store.Split(item.SK)) != 2 {
		v.find(Finding{Check: "pass", Problem: "The key can't be read."})
	}
}
