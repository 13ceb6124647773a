package directory_test

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/serverless-scim/serverless-scim/pkg/scim"
	"github.com/serverless-scim/serverless-scim/pkg/store"
)

const enterprise = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"

// table is everything that the engine holds of the tenant, by key.
type table struct {
	w     *world
	keys  store.Keys
	items map[store.Key]store.Attrs
	owed  map[store.Key]string // items that documents ask for, and what for
	waits map[string]bool      // folded values waited for
}

func (w *world) table() *table {
	w.t.Helper()
	t := &table{
		w: w, keys: store.KeysOf(w.tenant.ID), items: map[store.Key]store.Attrs{}, owed: map[store.Key]string{},
		waits: map[string]bool{},
	}
	for _, pk := range t.keys.Partitions() {
		after := ""
		for {
			page, err := w.engine.Query(context.Background(), store.Query{PK: pk, After: after})
			if err != nil {
				w.t.Fatal(err)
			}
			for _, it := range page.Items {
				t.items[it.Key] = it.Attrs
			}
			if after = page.Last; !page.More {
				break
			}
		}
	}
	return t
}

// settled completes the open work and then holds the whole table against its documents: every lookup, name, member,
// reference and counter belongs to a document and every document has its own.
func (w *world) settled() {
	w.t.Helper()
	if err := w.dir.RollForward(context.Background(), w.tenant.ID); err != nil {
		w.t.Fatal(err)
	}
	t := w.table()
	users, groups := t.documents(t.keys.User("x").PK), t.documents(t.keys.Group("x").PK)
	for id, doc := range users {
		t.oweUser(id, doc)
	}
	for id, doc := range groups {
		t.oweGroup(id, doc)
	}
	t.count("User", len(users))
	t.count("Group", len(groups))
	t.members(users, groups)
	for key, why := range t.owed {
		if _, there := t.items[key]; !there {
			w.t.Errorf("missing: %s %q, for %s", key.PK, key.SK, why)
		}
	}
	for key, attrs := range t.items {
		_, part, _ := strings.Cut(strings.TrimPrefix(key.PK, "T#"), "#")
		switch part {
		case "N", "X", "GN", "GH", "M", "R", "Q":
			if _, owed := t.owed[key]; !owed {
				w.t.Errorf("orphan: %s %q %v", key.PK, key.SK, attrs)
			}
		case "P":
			if attrs["closed"] == nil {
				w.t.Errorf("open work: %q %v", key.SK, attrs)
			}
		case "PC":
			if !w.killed {
				w.t.Errorf("orphaned chunk: %q", key.SK)
			}
		}
	}
}

func (t *table) documents(pk string) map[string]object {
	docs := map[string]object{}
	for key, attrs := range t.items {
		if key.PK != pk {
			continue
		}
		var doc object
		if err := json.Unmarshal([]byte(attrs["doc"].(string)), &doc); err != nil {
			t.w.t.Errorf("document %s: %v", key.SK, err)
		}
		if attrs["open"] != nil {
			t.w.t.Errorf("group %s has open work %v", key.SK, attrs["open"])
		}
		docs[key.SK] = doc
	}
	return docs
}

func (t *table) owe(key store.Key, format string, args ...any) {
	t.owed[key] = fmt.Sprintf(format, args...)
}

func str(v any) string {
	s, _ := v.(string)
	return s
}

func (t *table) oweUser(id string, doc object) {
	name := t.keys.UserName(scim.Fold(str(doc["userName"])))
	t.owe(name, "the name of user %s", id)
	if owner := t.items[name]["id"]; owner != id {
		t.w.t.Errorf("name %q belongs to %v, not to %s", name.SK, owner, id)
	}
	if v := str(doc["externalId"]); v != "" {
		t.owe(t.keys.Lookup("User.externalId", v, id), "externalId of user %s", id)
	}
	emails, _ := doc["emails"].([]any)
	types := map[store.Key][]string{}
	for _, e := range emails {
		key := t.keys.Lookup("User.emails", scim.Fold(str(e.(object)["value"])), id)
		t.owe(key, "e-mail of user %s", id)
		types[key] = append(types[key], scim.Fold(str(e.(object)["type"])))
	}
	for key, want := range types {
		got := strings.Split(str(t.items[key]["types"]), store.Sep)
		if slices.Sort(got); !slices.Equal(got, sorted(want...)) {
			t.w.t.Errorf("lookup %q has types %q, want %q", key.SK, got, want)
		}
	}
	extension, _ := doc[enterprise].(object)
	manager, _ := extension["manager"].(object)
	value := str(manager["value"])
	if value == "" {
		return
	}
	t.owe(t.keys.Lookup("User.manager", value, id), "manager of user %s", id)
	if manager["$ref"] == nil {
		t.oweWaiting("U", id, value)
	} else if t.items[t.keys.User(value)] == nil {
		t.w.t.Errorf("user %s has a manager %s who does not exist", id, value)
	}
}

// oweWaiting is what a reference that names nobody asks for.
func (t *table) oweWaiting(where, owner, value string) {
	if name := t.items[t.keys.UserName(scim.Fold(value))]; name != nil {
		t.w.t.Errorf("%s %s waits for %q, whose user is there: %v", where, owner, value, name["id"])
	}
	prefix := t.keys.LookupPrefix("User.externalId", value)
	users := 0
	for key := range t.items {
		if key.PK == prefix.PK && strings.HasPrefix(key.SK, prefix.SK) {
			users++
		}
	}
	if users == 1 { // of several nobody knows which one is meant
		t.w.t.Errorf("%s %s waits for %q, which is the externalId of one user", where, owner, value)
	}
	key := t.keys.Waiting(scim.Fold(value), where, owner, value)
	if where == "U" && t.items[key] == nil && strings.Count(value, "-") == 4 {
		return // the manager was deleted: nobody comes under that id any more
	}
	t.owe(key, "%s %s waits for %q", where, owner, value)
	t.owe(t.keys.WaitedFor(scim.Fold(value)), "%s %s waits for %q", where, owner, value)
}

func (t *table) oweGroup(id string, doc object) {
	folded := scim.Fold(str(doc["displayName"]))
	t.owe(t.keys.GroupName(folded, id), "the name of group %s", id)
	if v := str(doc["externalId"]); v != "" {
		t.owe(t.keys.Lookup("Group.externalId", v, id), "externalId of group %s", id)
	}
	holder := t.keys.GroupNameHolder(folded)
	holds := t.items[t.keys.Group(id)]["holds"] == int64(1)
	if holds {
		t.owe(holder, "group %s holds its name", id)
	}
	if mine := t.items[holder]["id"] == id; mine != holds {
		t.w.t.Errorf("group %s holds its name: %v, holder item: %v", id, holds, t.items[holder])
	}
}

func (t *table) members(users, groups map[string]object) {
	pk := t.keys.Member("x", "x").PK
	sizes := map[string]int64{}
	defer func() {
		for id := range groups {
			if said := t.items[t.keys.Group(id)]["members"]; said != sizes[id] {
				t.w.t.Errorf("group %s says that it has %v members, it has %d", id, said, sizes[id])
			}
		}
	}()
	for key, attrs := range t.items {
		if key.PK != pk {
			continue
		}
		parts := store.Split(key.SK)
		groupID, value := parts[0], parts[1]
		if sizes[groupID]++; groups[groupID] == nil {
			continue // reported as an orphan
		}
		t.owe(key, "a member")
		switch str(attrs["type"]) {
		case "User":
			t.exists(users, groupID, value)
		case "Group":
			t.exists(groups, groupID, value)
		default:
			t.oweWaiting("M", groupID, value)
		}
	}
}

func (t *table) exists(docs map[string]object, groupID, id string) {
	if docs[id] == nil {
		t.w.t.Errorf("group %s has a member %s that does not exist", groupID, id)
	}
	t.owe(t.keys.MemberOf(id, groupID), "membership of %s in %s", id, groupID)
}

func (t *table) count(kind string, want int) {
	prefix := t.keys.CounterPrefix(kind)
	var n int64
	for key, attrs := range t.items {
		if key.PK == prefix.PK && strings.HasPrefix(key.SK, prefix.SK) {
			n += attrs["n"].(int64)
		}
	}
	if n != int64(want) {
		t.w.t.Errorf("the counter of %s says %d, there are %d", kind, n, want)
	}
}
