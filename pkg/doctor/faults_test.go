package doctor_test

import (
	"bufio"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/serverless-scim/serverless-scim/pkg/doctor"
	"github.com/serverless-scim/serverless-scim/pkg/internal/filled"
	"github.com/serverless-scim/serverless-scim/pkg/store"
)

// table is all items of a table, to be broken by hand.
type table struct {
	t     testing.TB
	items map[store.Key]store.Attrs
	k     store.Keys
}

// first is the first item of a partition whose sort key has a part.
func (b *table) first(pk string, part string) store.Key {
	b.t.Helper()
	var keys []store.Key
	for key := range b.items {
		if key.PK == pk && (part == "" || slices.Contains(store.Split(key.SK), part)) {
			keys = append(keys, key)
		}
	}
	if len(keys) == 0 {
		b.t.Fatalf("nothing in %s with %q", pk, part)
	}
	slices.SortFunc(keys, func(a, b store.Key) int { return strings.Compare(a.SK, b.SK) })
	return keys[0]
}

func (b *table) remove(pk, part string) { delete(b.items, b.first(pk, part)) }

// set changes attributes of the first such item; nil removes one.
func (b *table) set(pk, part, attr string, value any) {
	key := b.first(pk, part)
	attrs := store.Attrs{}
	for name, v := range b.items[key] {
		attrs[name] = v
	}
	if attrs[attr] = value; value == nil {
		delete(attrs, attr)
	}
	b.items[key] = attrs
}

func (b *table) put(key store.Key, attrs store.Attrs) {
	if attrs == nil {
		attrs = store.Attrs{"v": int64(1)}
	}
	b.items[key] = attrs
}

// user is the id of a user by name.
func (b *table) user(name string) string { return b.items[b.k.UserName(name)]["id"].(string) }

// group is the id of a group by name.
func (b *table) group(name string) string {
	return store.LastPart(b.first(b.k.GroupName("", "").PK, name).SK)
}

const far = int64(4_000_000_000)

// faults break one invariant each. named says that nothing repairs it: it is told of.
var faults = map[string]struct {
	check string
	named bool
	do    func(b *table)
}{
	"no user name":    {"lookup", false, func(b *table) { delete(b.items, b.k.UserName("user-1")) }},
	"name of another": {"name", false, func(b *table) { b.put(b.k.UserName("user-1"), store.Attrs{"id": "nobody"}) }},
	"name of nobody":  {"name", false, func(b *table) { b.put(b.k.UserName("nobody"), store.Attrs{"id": "nobody"}) }},
	"two of a name":   {"name", true, twoOfAName},
	"no lookup":       {"lookup", false, func(b *table) { b.remove(b.k.Lookup("", "", "").PK, "User.externalId") }},
	"no e-mail":       {"lookup", false, func(b *table) { b.remove(b.k.Lookup("", "", "").PK, "User.emails") }},
	"types of an e-mail": {"lookup", false, func(b *table) {
		b.set(b.k.Lookup("", "", "").PK, "User.emails", "types", "x")
	}},
	"lookup of nobody": {"lookup", false, func(b *table) { b.put(b.k.Lookup("User.externalId", "x", "nobody"), nil) }},
	"lookup of another": {"lookup", false, func(b *table) {
		b.put(b.k.Lookup("User.externalId", "x", b.user("user-1")), nil)
	}},
	"no lookup of a type": {
		"lookup", false, func(b *table) { b.remove(b.k.Lookup("", "", "").PK, "Device.externalId") },
	},
	"no group name":      {"lookup", false, func(b *table) { b.remove(b.k.GroupName("", "").PK, "writers") }},
	"group name of none": {"lookup", false, func(b *table) { b.put(b.k.GroupName("x", "nobody"), nil) }},
	"no holder":          {"holder", false, func(b *table) { b.remove(b.k.GroupNameHolder("").PK, "") }},
	"holder is another": {"holder", false, func(b *table) {
		b.set(b.k.GroupNameHolder("").PK, "all", "id", b.group("writers"))
	}},
	"holder of none": {"holder", false, func(b *table) {
		b.put(b.k.GroupNameHolder("x"), store.Attrs{"id": "nobody"})
	}},
	"no unique value": {"unique", false, func(b *table) { b.remove(b.k.Unique("", "", "").PK, "") }},
	"unique of nobody": {"unique", false, func(b *table) {
		b.put(b.k.Unique("User", "a", "b"), store.Attrs{"id": "nobody"})
	}},
	"broken document": {"document", true, func(b *table) { b.set(b.k.User("").PK, b.user("user-3"), "doc", "{") }},
	"number of members": {"members", false, func(b *table) {
		b.set(b.k.Group("").PK, b.group("writers"), "members", int64(9))
	}},
	"member is nobody": {"member", false, func(b *table) {
		b.put(b.k.Member(b.group("all"), "nobody"), store.Attrs{"type": "User"})
	}},
	"members of no group": {"member", false, func(b *table) {
		b.put(b.k.Member("nothing", b.user("user-1")), store.Attrs{"type": "User"})
	}},
	"no reverse": {"reverse", false, func(b *table) { b.remove(b.k.MemberOf("", "").PK, b.user("user-0")) }},
	"reverse of none": {"reverse", false, func(b *table) {
		b.put(b.k.MemberOf(b.user("user-0"), b.group("all")), nil)
	}},
	"manager is nobody":   {"manager", false, managerIsNobody},
	"no waiting":          {"waiting", false, func(b *table) { b.remove(b.k.Waiting("", "", "", "").PK, "M") }},
	"no head of waiting":  {"waiting", false, func(b *table) { delete(b.items, b.k.WaitedFor("boss")) }},
	"waits for nothing":   {"waiting", false, func(b *table) { b.put(b.k.Waiting("x", "M", "nothing", "x"), nil) }},
	"waits for one there": {"waiting", false, waitsForOneThere},
	"counter":             {"counter", false, func(b *table) { b.set(b.k.Counter("", "").PK, "User", "n", int64(7)) }},
	"no counter":          {"counter", false, func(b *table) { b.remove(b.k.Counter("", "").PK, "Group") }},
	"counter of none": {"counter", false, func(b *table) {
		b.put(b.k.Counter("User", "z"), store.Attrs{"n": int64(1), "made": int64(1)})
	}},
	"open without work": {
		"work", false, func(b *table) { b.set(b.k.Group("").PK, b.group("all"), "open", "nothing") },
	},
	"work of no group":    {"work", false, work("members", "all")},
	"work on one there":   {"work", false, work("gone", "all")},
	"unknown work":        {"work", true, work("other", "all")},
	"broken work":         {"work", true, func(b *table) { b.put(b.k.Work("w"), store.Attrs{"kind": "gone"}) }},
	"endless chunk":       {"expiry", false, func(b *table) { b.put(b.k.Chunk("w", "a"), nil) }},
	"endless page mark":   {"expiry", false, func(b *table) { b.put(b.k.PageMark("w", "a"), nil) }},
	"not published":       {"published", false, notPublished},
	"published of nobody": {"published", false, func(b *table) { delete(b.items, b.k.User(b.user("user-3"))) }},
	"broken member": {"published", true, func(b *table) {
		b.set(b.k.Published("").PK, b.user("user-3"), "doc", "{")
	}},
	"no member lookup": {"published", false, func(b *table) { b.remove(b.k.PublishedLookup("", "", "").PK, "status") }},
	"lookup of no member": {"published", false, func(b *table) {
		b.put(b.k.PublishedLookup("status", "active", "nobody"), nil)
	}},
	"account of another": {"account", false, func(b *table) {
		b.set(b.k.Account("").PK, "a-0", "member", b.user("user-1"))
	}},
	"account of nobody": {
		"account", false, func(b *table) { b.put(b.k.Account("x"), store.Attrs{"member": "nobody"}) },
	},
	"no account": {"account", false, func(b *table) { delete(b.items, b.k.Account("a-0")) }},
	"account for none": {"account", false, func(b *table) {
		b.put(b.k.AccountFor("userName", "x"), store.Attrs{"account": "x"})
	}},
	"left is nobody": {"left", false, func(b *table) {
		b.put(b.k.Left("userName", "x"), store.Attrs{"member": "nobody"})
	}},
	"manual of nobody": {"manual", false, func(b *table) { b.put(b.k.Manual("nobody", "role", "", "x"), nil) }},
	"broken target":    {"document", true, func(b *table) { b.set(b.k.Target("", "", "").PK, "", "doc", "{") }},
	"seats":            {"seats", false, func(b *table) { b.set(b.k.Pool("", "", "").PK, "", "used", int64(9)) }},
	"no queue":         {"published", false, func(b *table) { b.remove(b.k.SeatQueue("", "", "", 0, "").PK, "") }},
	"queue of nobody": {"seats", false, func(b *table) {
		b.put(b.k.SeatQueue("licence", "", "pro", 5, "nobody"), nil)
	}},
	"adopted by none":   {"adopted", false, func(b *table) { b.put(b.k.Adopted("team", "", "x", "nothing"), nil) }},
	"not adopted":       {"adopted", false, func(b *table) { b.remove(b.k.Adopted("", "", "", "").PK, "") }},
	"unknown marker":    {"marker", true, func(b *table) { b.put(b.k.Marker("?", "x"), nil) }},
	"head behind":       {"log", false, func(b *table) { b.set(b.k.LogHead().PK, "HEAD", "seq", int64(3)) }},
	"head before":       {"log", false, func(b *table) { b.set(b.k.LogHead().PK, "HEAD", "seq", int64(9999)) }},
	"no head":           {"log", false, func(b *table) { delete(b.items, b.k.LogHead()) }},
	"gap in the log":    {"log", true, gap},
	"policy of another": {"policy", false, func(b *table) { b.set(b.k.Tenant().PK, "TENANT", "policy", "other") }},
	"other domains":     {"domains", false, func(b *table) { b.set(b.k.Tenant().PK, "TENANT", "domains", "") }},
	"no policy":         {"policy", true, func(b *table) { delete(b.items, b.k.Policy()) }},
	"not in the list":   {"list", false, func(b *table) { delete(b.items, b.k.Listed()); b.put(b.k.Listed(), nil) }},
	"listed, not there": {"list", true, func(b *table) { b.put(store.KeysOf("other").Listed(), nil) }},
	"not due":           {"due", false, func(b *table) { delete(b.items, b.due()) }},
	"due without cause": {"due", false, func(b *table) { b.put(store.KeysOf("other").Due(far), nil) }},
	"never looked at":   {"due", false, neverDue},
	"no definitions":    {"schemas", true, noDefinitions},
	"no client":         {"client", true, func(b *table) { b.remove(b.k.Tenant().PK, "CLIENT") }},
	"client of none":    {"client", false, func(b *table) { b.put(b.k.Client("tcx"), nil) }},
	"token of none":     {"token", false, func(b *table) { b.put(b.k.Secret("tokx"), nil) }},
	"broken tenant":     {"tenant", true, func(b *table) { b.set(b.k.Tenant().PK, "TENANT", "doc", "{") }},
	"of no tenant":      {"orphan", true, func(b *table) { b.put(store.KeysOf("ghost").User("x"), nil) }},
	"unknown key":       {"unknown", true, func(b *table) { b.put(store.Key{PK: "T#acme#ZZ", SK: "x"}, nil) }},
	"unknown own key":   {"unknown", true, func(b *table) { b.put(store.Key{PK: "T#acme", SK: "ZZ"}, nil) }},
	"unknown partition": {"unknown", true, func(b *table) { b.put(store.Key{PK: "X", SK: "x"}, nil) }},
	"later layout":      {"layout", true, func(b *table) { b.set(b.k.User("").PK, b.user("user-3"), "v", int64(99)) }},
}

// due is the tenant's place in the order of due times; items before it are hints.
func (b *table) due() (last store.Key) {
	b.t.Helper()
	for key := range b.items {
		if id, _, ok := store.DueOf(key); ok && id == "acme" && key.SK > last.SK {
			last = key
		}
	}
	if last.SK == "" {
		b.t.Fatal("nothing is due")
	}
	return last
}

func noDefinitions(b *table) {
	for key := range b.items {
		if strings.HasPrefix(key.SK, b.k.SchemasPrefix().SK) {
			delete(b.items, key)
		}
	}
}

func neverDue(b *table) {
	delete(b.items, b.due())
	doc := b.items[b.k.Tenant()]["doc"].(string)
	at := strings.Index(doc, `,"due":`)
	end := at + 7 + strings.IndexAny(doc[at+7:], ",}")
	b.set(b.k.Tenant().PK, "TENANT", "doc", doc[:at]+doc[end:])
}

func work(kind, group string) func(b *table) {
	return func(b *table) {
		b.put(b.k.Work("w"), store.Attrs{
			"kind": kind, "doc": fmt.Sprintf(`{"target":%q,"values":[],"group":true}`, b.group(group)),
		})
	}
}

func gap(b *table) {
	entries := map[string]bool{}
	for key := range b.items {
		if key.PK == b.k.LogEntry(1).PK {
			entries[key.SK] = true
			attrs := store.Attrs{}
			for name, v := range b.items[key] {
				if name != store.AttrTTL {
					attrs[name] = v
				}
			}
			b.items[key] = attrs
		}
	}
	for key, attrs := range b.items { // an entry that no member names as its last
		if key.PK == b.k.LogEntry(1).PK && strings.Contains(attrs["doc"].(string), "policy.changed") {
			delete(b.items, key)
		}
	}
}

func twoOfAName(b *table) {
	two := b.k.User(b.user("user-4"))
	b.set(two.PK, two.SK, "doc", strings.ReplaceAll(b.items[two]["doc"].(string), "user-4", "user-3"))
}

func managerIsNobody(b *table) {
	id, boss := b.user("user-1"), b.user("user-0")
	doc := b.items[b.k.User(id)]["doc"].(string)
	b.set(b.k.User("").PK, id, "doc", strings.ReplaceAll(doc, boss, "no-body-is-here-now"))
	delete(b.items, b.k.Lookup("User.manager", boss, id))
	b.put(b.k.Lookup("User.manager", "no-body-is-here-now", id), nil)
}

func waitsForOneThere(b *table) {
	id := b.user("user-4")
	delete(b.items, b.k.UserName("user-4"))
	b.put(b.k.UserName("boss"), store.Attrs{"id": id})
	doc := b.items[b.k.User(id)]["doc"].(string)
	b.set(b.k.User("").PK, id, "doc", strings.ReplaceAll(doc, `"user-4"`, `"boss"`))
}

func notPublished(b *table) {
	id := b.user("user-3")
	for key := range b.items {
		if key.PK == b.k.Published("").PK && key.SK == id || key.PK == b.k.PublishedLookup("", "", "").PK &&
			store.LastPart(key.SK) == id {
			delete(b.items, key)
		}
	}
}

// TestEachFaultIsFound breaks each invariant by hand. It is found; it is repaired, or named and left as it is; and
// behind the repair requests go on.
func TestEachFaultIsFound(t *testing.T) {
	sound := filled.Memory(t)
	w := filled.New(t, sound, "acme")
	w.Fill()
	items := filled.Items(t, sound)
	for i, name := range slices.Sorted(maps.Keys(faults)) {
		fault := faults[name]
		t.Run(name, func(t *testing.T) {
			b := &table{t: t, items: map[store.Key]store.Attrs{}, k: store.KeysOf("acme")}
			for _, item := range items {
				b.items[item.Key] = item.Attrs
			}
			fault.do(b)
			var broken []store.Item
			for key, attrs := range b.items {
				broken = append(broken, store.Item{Key: key, Attrs: attrs})
			}
			engine := filled.Memory(t)
			filled.Load(t, engine, broken)
			found, sum := examine(t, engine, false)
			is := func(f doctor.Finding) bool { return f.Check == fault.check }
			if !slices.ContainsFunc(found, is) || sum.Left == 0 {
				t.Fatalf("not found: %+v", found)
			}
			for _, f := range found {
				if f.Problem == "" || f.State != doctor.Found && f.State != doctor.Undecided {
					t.Errorf("%+v", f)
				}
			}
			repaired, sum := examine(t, engine, true) // whose last pass finds nothing to repair
			if left := sum.Left > 0; left != fault.named {
				t.Errorf("%d are left: %+v", sum.Left, repaired)
			}
			if fault.named || i%8 != 0 {
				return
			}
			served := filled.Open(t, engine, "acme", w.Token)
			served.Settle()
			served.User("newcomer", "")
			served.Admin(200, "GET", "/members?count=100", "")
			for _, f := range first(examine(t, engine, false)) {
				t.Errorf("after requests: %+v", f)
			}
		})
	}
}

func first(all []doctor.Finding, _ doctor.Sum) []doctor.Finding { return all }

// tableOfKeys are the rows of the table in keys.go: the forms of a partition key and a sort key.
func tableOfKeys(t *testing.T) (rows [][2]string) {
	t.Helper()
	f, err := os.Open("../store/keys.go")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = f.Close() }()
	inTable := false
	for lines := bufio.NewScanner(f); lines.Scan(); {
		line := lines.Text()
		inTable = inTable && strings.HasPrefix(line, "//\t") || strings.HasPrefix(line, "//\tkind of item ")
		if !inTable || len(line) < 50 || strings.HasPrefix(line, "//\tkind of item ") {
			continue
		}
		if pk, sk := strings.TrimSpace(line[31:44]), strings.TrimSpace(line[44:]); pk != "" {
			rows = append(rows, [2]string{pk, sk})
		}
	}
	if len(rows) < 50 {
		t.Errorf("%d rows only: the test reads the table wrongly", len(rows))
	}
	return rows
}

// TestEveryKindIsKnown holds the kinds of the doctor against the table of keys.go: whoever adds a kind of item adds
// its rule to kinds.go and a fault to this test.
func TestEveryKindIsKnown(t *testing.T) {
	for _, row := range tableOfKeys(t) {
		pk, sk := row[0], row[1]
		pk = strings.NewReplacer("T#t", "T#acme", "#type", "#Device", "#n", "#0", "#shard", "#0").Replace(pk)
		sk, _, _ = strings.Cut(sk, " ")
		if sk, _, _ = strings.Cut(sk, "|"); sk == "" {
			sk = "x"
		}
		if !doctor.Knows(store.Key{PK: pk, SK: sk}) {
			t.Errorf("keys.go has %s %s, which the doctor does not know: add its rule to pkg/doctor/kinds.go", pk, sk)
		}
	}
	for _, pk := range store.KeysOf("acme").Partitions() {
		if !doctor.Knows(store.Key{PK: pk, SK: "x"}) {
			t.Errorf("Keys.Partitions has %s, which the doctor does not know: add its rule to pkg/doctor/kinds.go", pk)
		}
	}
}
