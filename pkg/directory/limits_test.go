package directory_test

import (
	"fmt"
	"maps"
	"strings"
	"testing"

	"github.com/serverless-scim/serverless-scim/pkg/store"
)

// odd are values at the limits of storage: each at most 512 bytes.
var odd = map[string]string{
	"long":             strings.Repeat("a", 512),
	"long, upper case": strings.Repeat("A", 512),
	"grows by folding": strings.Repeat("Ⱥ", 256),
	"emoji":            strings.Repeat("🙂", 128),
	"separators":       strings.Repeat("\x01", 256),
	"escaped":          "a\x01b\x02c\x03d",
	"only escaped":     strings.Repeat("\x02", 256),
	"quotes":           `"\'%*#` + "\u2028\n",
	"highest":          strings.Repeat("\U0010FFFF", 128),
}

func TestOddValues(t *testing.T) {
	for name, value := range odd {
		t.Run(name, func(t *testing.T) {
			w := in(t)
			odd := quoted(value)
			res, err := w.create(user, userBody(value, `"externalId":`+odd, `"emails":[{"value":`+odd+`,"type":"work"}]`))
			w.ok(res, err)
			if _, err := w.create(user, userBody(value)); status(err) != 409 {
				t.Errorf("the name twice: %v", err)
			}
			for _, attribute := range []string{"userName", "externalId", "emails.value"} {
				if n := w.found(user, attribute+" eq "+odd); n != 1 {
					t.Errorf("%d users found by %s", n, attribute)
				}
			}
			g, err := w.create(group, fmt.Sprintf(`{"displayName":%s,"externalId":%s,"members":[{"value":%s}]}`, odd, odd, odd))
			w.ok(g, err)
			w.same("members", w.members(g.ID), []string{res.ID})
			if n := w.found(group, "displayName eq "+odd); n != 1 {
				t.Errorf("%d groups found", n)
			}
			w.settled()
			w.ok(nil, w.remove(user, res.ID))
			w.ok(w.patch(group, g.ID, add(value)))
			report := w.user("report", managed(value))
			w.same("members", w.members(g.ID), []string{value})
			w.settled()
			again := w.user(value)
			w.same("members", w.members(g.ID), []string{again})
			w.settled()
			w.ok(w.patch(group, g.ID, drop(value)))
			w.same("members", w.members(g.ID), nil)
			w.ok(nil, w.remove(user, report))
			w.settled()
		})
	}
}

func TestOddMembersInLargeChange(t *testing.T) {
	w := in(t)
	var list []string
	for _, v := range odd {
		list = append(list, v)
	}
	for i := range 90 {
		list = append(list, strings.Repeat(fmt.Sprintf("Ⱥ%02d", i), 128))
	}
	g := w.group("odd", list...)
	w.same("members", w.members(g), list)
	w.settled()
	w.ok(w.put(group, g, groupBody("odd")))
	w.same("members", w.members(g), nil)
	w.settled()
}

func TestEmptyMemberValue(t *testing.T) {
	w := in(t)
	g := w.group("g", w.user("u"))
	for _, ops := range []string{
		`{"op":"remove","path":"members[value eq \"\"]"}`,
		`{"op":"remove","path":"members[value eq \"\" or value eq \"x\"]"}`,
		`{"op":"add","path":"members","value":[{"display":"x"}]}`,
		`{"op":"remove","path":"members[value eq \"` + strings.Repeat("x", 2000) + `\"]"}`,
	} {
		if _, err := w.patch(group, g, ops); status(err) >= 500 {
			t.Errorf("%s: %v", ops[:40], err)
		}
	}
	if _, err := w.create(group, `{"displayName":"h","members":[{"display":"x"}]}`); status(err) >= 500 {
		t.Errorf("create: %v", err)
	}
	if _, err := w.create(group, groupBody("h2", strings.Repeat("x", 513))); status(err) != 400 {
		t.Errorf("too long a value: %v", err)
	}
	if _, err := w.patch(group, g, fmt.Sprintf(`{"op":"add","path":"members","value":[{"value":"x","display":%q}]}`,
		strings.Repeat("d", 500_000))); status(err) != 400 && err != nil {
		t.Errorf("too long a display: %v", err)
	}
	var many []string
	for i := range 60 {
		many = append(many, fmt.Sprintf(`{"value":"x%d","display":%q}`, i, strings.Repeat("d", 20_000)))
	}
	if _, err := w.patch(group, g, `{"op":"add","path":"members","value":[`+strings.Join(many, ",")+`]}`); status(
		err) != 400 && err != nil {
		t.Errorf("too much to display: %v", err)
	}
	w.settled()
}

func TestEMailsThatShareAnAddress(t *testing.T) {
	w := in(t)
	var emails []string
	for i := range 20 {
		emails = append(emails, fmt.Sprintf(`{"value":"A@Example.com","type":"t%d"}`, i))
	}
	id := w.user("u", `"emails":[`+strings.Join(emails, ",")+`]`)
	w.settled()
	w.ok(w.patch(user, id, `{"op":"replace","path":"emails[type eq \"t3\"].type","value":"T99"}`))
	w.settled()
	w.ok(w.patch(user, id, `{"op":"replace","path":"emails[type eq \"t4\"].value","value":"a@example.COM"}`))
	w.settled()
	if n := w.found(user, `emails[type eq "t99"].value eq "a@EXAMPLE.com"`); n != 1 {
		t.Errorf("found %d", n)
	}
	w.ok(w.patch(user, id, `{"op":"replace","path":"userName","value":"U"}`))
	w.settled()
	w.ok(w.patch(user, id, `{"op":"remove","path":"emails"}`))
	w.settled()
}

func TestGroupAsItsOwnMember(t *testing.T) {
	w := in(t)
	g := w.group("g")
	w.ok(w.patch(group, g, add(g)))
	w.same("members", w.members(g), []string{g})
	w.settled()
	var list []string
	for i := range 60 {
		list = append(list, fmt.Sprintf("nobody-%d", i))
	}
	w.ok(w.put(group, g, groupBody("g", list...)))
	w.ok(w.put(group, g, groupBody("g", append(list[:50], g)...)))
	w.same("members", w.members(g), append(list[:50], g))
	w.settled()
	w.ok(nil, w.remove(group, g))
	w.settled()
}

// TestStoredU0000 changes and finds a user whose stored text has U+0000, which no request can write.
func TestStoredU0000(t *testing.T) {
	w := in(t)
	id := w.user("ann")
	key := store.KeysOf("acme").User(id)
	st := store.New(w.engine, store.Options{})
	items, err := st.Get(t.Context(), key)
	if err != nil {
		t.Fatal(err)
	}
	attrs := maps.Clone(items[0].Attrs)
	attrs["doc"] = strings.Replace(attrs["doc"].(string), `"ann"`, `"ann","title":"a\u0000b"`, 1)
	if err := st.Write(t.Context(), store.PutItem(key, attrs)); err != nil {
		t.Fatal(err)
	}
	res, err := w.patch(user, id, `{"op":"add","path":"nickName","value":"A"}`)
	w.ok(res, err)
	if res.Doc["title"] != "a\x00b" || w.found(user, `title eq "a\u0000b"`) != 1 {
		t.Errorf("title %q", res.Doc["title"])
	}
	res, err = w.patch(user, id, `{"op":"remove","path":"title"}`)
	if w.ok(res, err); res.Doc["title"] != nil {
		t.Errorf("title %q stayed", res.Doc["title"])
	}
}
