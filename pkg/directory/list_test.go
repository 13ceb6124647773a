package directory_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/serverless-scim/serverless-scim/pkg/directory"
	"github.com/serverless-scim/serverless-scim/pkg/scim"
	"github.com/serverless-scim/serverless-scim/pkg/scim/filter"
	"github.com/serverless-scim/serverless-scim/pkg/scim/schema"
	"github.com/serverless-scim/serverless-scim/pkg/store"
	"github.com/serverless-scim/serverless-scim/pkg/store/boltstore"
)

// searched is a directory with some users, and the query of a filter.
func searched(t *testing.T, o directory.Options, users int) (
	*directory.Directory, directory.Tenant, func(string) directory.ListQuery,
) {
	t.Helper()
	engine, err := boltstore.Open(boltstore.Memory, boltstore.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = engine.Close() })
	o.Now = time.Now
	d := directory.New(store.New(engine, store.Options{}), o)
	dialect, _ := scim.DialectOf("generic")
	tenant := directory.Tenant{
		ID: "acme", BaseURL: "https://scim.example.com/scim/v2/acme", Dialect: dialect,
		CursorKey: []byte("key"),
	}
	for i := range users {
		body := scim.Object{
			"schemas": []any{scim.UserURN}, "userName": fmt.Sprintf("u%d", i), "externalId": "x",
			"title": "t",
		}
		if _, err := d.Create(t.Context(), tenant, user, body, nil); err != nil {
			t.Fatal(err)
		}
	}
	return d, tenant, func(expression string) directory.ListQuery {
		q := directory.ListQuery{StartIndex: 1, Count: 2}
		if expression != "" {
			if q.Filter, err = filter.Parse(expression, dialect); err != nil {
				t.Fatal(err)
			}
		}
		return q
	}
}

// refusedAsTooMany checks for an error that an administrator can act on.
func refusedAsTooMany(t *testing.T, what string, err error, words string) {
	t.Helper()
	var e *scim.Error
	if !errors.As(err, &e) || e.Status != 400 || e.Type != scim.TooMany || !strings.Contains(e.Detail, words) ||
		!strings.Contains(e.Detail, "externalId") {
		t.Errorf("%s: %v", what, err)
	}
}

func TestSearchesAreBounded(t *testing.T) {
	d, tenant, query := searched(t, directory.Options{MaxRows: 20}, 25)
	for _, expression := range []string{`title eq "t"`, `not (userName eq "u1")`, `userName eq "u1" or title eq "x"`} {
		_, err := d.List(t.Context(), tenant, user, query(expression))
		refusedAsTooMany(t, expression, err, "more than 20 resources")
	}
	sorted := query("")
	sorted.SortBy = "title"
	_, err := d.List(t.Context(), tenant, user, sorted)
	refusedAsTooMany(t, "sortBy=title", err, "more than 20 resources")
	for expression, total := range map[string]int{
		"": 25, `id pr`: 25, `userName eq "u1" and title eq "t"`: 1, `externalId eq "x" and title eq "t"`: 25,
		`userName sw "u1"`: 11,
	} {
		l, err := d.List(t.Context(), tenant, user, query(expression))
		if err != nil || l.Total != total || len(l.Resources) != min(total, 2) {
			t.Errorf("%s: %d of %d: %v", expression, len(l.Resources), l.Total, err)
		}
	}
	slow, tenant, query := searched(t, directory.Options{MaxScan: time.Nanosecond}, 5)
	_, err = slow.List(t.Context(), tenant, user, query(`title eq "t"`))
	refusedAsTooMany(t, "no time", err, "longer than 1ns")
}

func TestExplain(t *testing.T) {
	d, tenant, query := searched(t, directory.Options{}, 0)
	both := []*schema.ResourceType{user, group}
	for _, c := range []struct {
		types        []*schema.ResourceType
		filter, want string
	}{
		{both, "", "User: all; Group: all; order of ids"},
		{both, `userName eq "a"`, "User: look up userName eq; order of ids"},
		{both, `displayName eq "a"`, "User: read all, test each; Group: look up displayName eq; order of ids"},
		{
			both[1:], `members.value eq "a" and displayName sw "b"`,
			"Group: look up (members.value eq and displayName sw); order of ids",
		},
		{
			both[:1], `userName eq "a" and groups.value eq "b"`,
			"User: look up (userName eq and groups.value eq); order of ids",
		},
		{both[:1], `userName eq "a" and externalId eq "c"`, "User: look up userName eq, test each; order of ids"},
	} {
		got, err := d.Explain(tenant, c.types, query(c.filter))
		if err != nil || got != c.want {
			t.Errorf("%s: %q, want %q: %v", c.filter, got, c.want, err)
		}
		if strings.Contains(got, `"`) || slices.Contains(strings.Fields(got), "a") {
			t.Errorf("%s: %q holds a value", c.filter, got)
		}
	}
}

// TestATotalIsThatOfThePageThatHoldsAll: a total that is read beside the results may be of a moment before or after
// them. A page that begins the list says how many it found.
func TestATotalIsThatOfThePageThatHoldsAll(t *testing.T) {
	engine := &intercept{Engine: memory(t)}
	w := on(t, engine, "entra")
	names := 0
	newcomer := func() string {
		names++
		return w.user(fmt.Sprintf("u%d", names))
	}
	g := w.group("g", newcomer(), newcomer())
	doomed := ""
	join := func() {
		if _, err := w.patch(group, g, add(newcomer())); err != nil {
			t.Error(err)
		}
	}
	leave := func() {
		if err := w.remove(user, doomed); err != nil {
			t.Error(err)
		}
	}
	for _, c := range []struct {
		rt        *schema.ResourceType
		filter    string
		by        string
		partition string // before which is read, write takes place
		write     func()
		cursor    bool
	}{
		{rt: user, partition: "U", write: join},
		{rt: user, partition: "C", write: join},
		{rt: user, partition: "U", write: join, cursor: true},
		{rt: user, by: "userName", partition: "N", write: join},
		{rt: user, by: "userName", partition: "U", write: leave},
		{rt: membership, filter: fmt.Sprintf("group.value eq %q", g), partition: "M", write: join},
		{rt: membership, filter: fmt.Sprintf("group.value eq %q", g), partition: "G", write: join},
		{rt: membership, filter: fmt.Sprintf("group.value eq %q", g), partition: "M", write: join, cursor: true},
	} {
		q := directory.ListQuery{StartIndex: 1, SortBy: c.by, HasCursor: c.cursor}
		if c.filter != "" {
			var err error
			if q.Filter, err = filter.Parse(c.filter, w.tenant.Dialect); err != nil {
				t.Fatal(err)
			}
		}
		for range 4 {
			for _, q.Count = range []int{1000, names - 1} {
				doomed = newcomer()
				engine.once(func(to call) bool { return to.read && to.touches(c.partition) }, c.write)
				l, err := w.dir.List(t.Context(), w.tenant, c.rt, q)
				n := len(l.Resources)
				if err != nil || !engine.done() || n == 0 || q.Count == 1000 && l.Total != n || l.Total < n {
					t.Errorf("%s %s %q before %s, count %d: total %d of %d: %v", c.rt.ID, c.filter, c.by,
						c.partition, q.Count, l.Total, n, err)
				}
			}
		}
	}
}
