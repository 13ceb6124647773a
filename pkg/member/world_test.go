package member_test

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/serverless-scim/serverless-scim/pkg/directory"
	"github.com/serverless-scim/serverless-scim/pkg/event/eventlog"
	"github.com/serverless-scim/serverless-scim/pkg/event/schemas"
	"github.com/serverless-scim/serverless-scim/pkg/mapping"
	"github.com/serverless-scim/serverless-scim/pkg/member"
	"github.com/serverless-scim/serverless-scim/pkg/member/marker"
	"github.com/serverless-scim/serverless-scim/pkg/scim"
	"github.com/serverless-scim/serverless-scim/pkg/scim/patch"
	"github.com/serverless-scim/serverless-scim/pkg/scim/schema"
	"github.com/serverless-scim/serverless-scim/pkg/store"
	"github.com/serverless-scim/serverless-scim/pkg/store/boltstore"
	"github.com/serverless-scim/serverless-scim/pkg/store/faultstore"
)

// world is a directory whose writes mark the resources that they touch, and the publishing after it.
type world struct {
	t      testing.TB
	engine *faultstore.Engine
	store  *store.Store
	ts     *store.TenantStore
	dir    *directory.Directory
	who    directory.Tenant
	tenant member.Tenant
	s      *member.Service
	policy string
	later  time.Duration // how far the clock of the publishing is ahead
}

func newWorld(t testing.TB, policy string) *world {
	t.Helper()
	bolt, err := boltstore.Open(boltstore.Memory, boltstore.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = bolt.Close() })
	return worldOn(t, bolt, policy)
}

func worldOn(t testing.TB, engine store.Engine, policy string) *world {
	t.Helper()
	w := &world{t: t, engine: faultstore.New(engine, nil), policy: policy}
	w.store = store.New(w.engine, store.Options{BaseDelay: time.Microsecond})
	w.ts = w.store.Tenant("acme")
	w.who = directory.Tenant{ID: "acme", BaseURL: "https://example.com/scim/v2/acme"}
	w.tenant = member.Tenant{ID: "acme", Types: schema.DefaultTypes()}
	w.restart()
	if policy != "" {
		err := w.ts.Write(
			context.Background(),
			store.PutItem(w.ts.Policy(), store.Attrs{"doc": policy, "ver": int64(1)}),
		)
		if err != nil {
			t.Fatal(err)
		}
	}
	return w
}

// restart creates new services on the same storage.
func (w *world) restart() {
	w.dir = directory.New(
		w.store,
		directory.Options{Now: time.Now, Carry: func(k store.Keys, _ directory.Origin, t directory.Touched) []store.Op {
			var ops []store.Op
			for _, id := range t.Users {
				ops = append(
					ops,
					marker.Mark(
						k,
						marker.Subject{Kind: marker.User, ID: id},
						eventlog.Cause{RequestID: "r"},
						time.Now(),
					),
				)
			}
			for _, id := range t.Groups {
				ops = append(
					ops,
					marker.Mark(
						k,
						marker.Subject{Kind: marker.Group, ID: id},
						eventlog.Cause{RequestID: "r"},
						time.Now(),
					),
				)
			}
			for _, j := range t.Joined {
				ops = append(ops, marker.MarkMembers(k, j, eventlog.Cause{RequestID: "r"}, time.Now()))
			}
			return ops
		}},
	)
	w.s = member.New(w.store, member.Options{
		Now: func() time.Time { return time.Now().Add(w.later) }, Log: slog.New(slog.DiscardHandler), Directory: w.dir,
	})
}

var userType, groupType = schema.UserType(), schema.GroupType()

func (w *world) user(name string, set scim.Object) (string, error) {
	body := scim.Object{"schemas": []any{scim.UserURN}, "userName": name}
	for k, v := range set {
		body[k] = v
	}
	res, err := w.dir.Create(context.Background(), w.who, userType, body, nil)
	return res.ID, err
}

func (w *world) group(name string, members ...string) (string, error) {
	list := []any{}
	for _, id := range members {
		list = append(list, scim.Object{"value": id})
	}
	body := scim.Object{"schemas": []any{scim.GroupURN}, "displayName": name, "members": list}
	res, err := w.dir.Create(context.Background(), w.who, groupType, body, nil)
	return res.ID, err
}

func (w *world) patch(rt *schema.ResourceType, id string, ops ...patch.Operation) error {
	_, _, err := w.dir.Patch(context.Background(), w.who, rt, id, ops, directory.PatchOptions{})
	return err
}

func (w *world) remove(rt *schema.ResourceType, id string) error {
	return w.dir.Delete(context.Background(), w.who, rt, id, nil)
}

func (w *world) publish() error {
	for {
		if left, err := w.s.Publish(context.Background(), w.tenant, time.Minute); err != nil || !left {
			return err
		}
	}
}

func (w *world) must(err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
}

// published are the members as stored, by id, without version and times.
func (w *world) published() map[string]string {
	w.t.Helper()
	all := map[string]string{}
	for item, err := range w.ts.All(context.Background(), store.Query{PK: w.ts.Published("").PK}) {
		w.must(err)
		doc, _ := item.Attrs["doc"].(string)
		o, err := scim.ParseObject(doc)
		w.must(err)
		all[item.SK] = summary(o)
	}
	return all
}

// summary is a member in short.
func summary(o scim.Object) string {
	var has []string
	assignments, _ := o["assignments"].([]any)
	for _, v := range assignments {
		a := v.(scim.Object)
		has = append(has, fmt.Sprint(a["kind"], " ", a["target"], " ", a["rules"]))
	}
	slices.Sort(has)
	return fmt.Sprint(
		o["status"],
		" ",
		o["userName"],
		" ",
		o["loginAddress"],
		" ",
		manager(o),
		" ",
		strings.Join(has, ", "),
	)
}

func manager(o scim.Object) string {
	m, _ := o["manager"].(scim.Object)
	if m == nil {
		return "-"
	}
	id, _ := m["id"].(string)
	if id == "" {
		return "pending"
	}
	return id
}

// fresh evaluates everybody again.
func (w *world) fresh() map[string]string {
	w.t.Helper()
	document := w.policy
	if document == "" {
		document = "{}"
	}
	policy, _, err := mapping.Parse([]byte(document), schema.DefaultTypes())
	w.must(err)
	ids, err := w.dir.UserIDs(context.Background(), "acme", "", 10_000)
	w.must(err)
	people, err := w.dir.People(context.Background(), "acme", ids)
	w.must(err)
	targets := mapping.Targets{}
	for item, err := range w.ts.All(context.Background(), store.Query{PK: w.ts.Target("", "", "").PK}) {
		w.must(err)
		parts := store.Split(item.SK)
		targets[mapping.TargetKey{Kind: parts[0], Organisation: parts[1], Name: parts[2]}] = mapping.Target{}
	}
	all := map[string]string{}
	for _, p := range people {
		f := mapping.Facts{User: p.Doc, Targets: targets}
		for _, g := range p.Groups {
			f.Memberships = append(f.Memberships, mapping.Membership{Group: policy.Group(g.ID, g.Doc), Since: g.Since})
		}
		r := policy.Evaluate(f)
		if r.Excluded {
			continue
		}
		o := scim.Object{
			"status": string(r.Status), "userName": r.Person.UserName, "loginAddress": nil, "assignments": []any{},
		}
		if r.Person.LoginAddress != "" {
			o["loginAddress"] = r.Person.LoginAddress
		}
		if r.Person.Manager != "" {
			o["manager"] = scim.Object{"id": p.ManagerID}
		}
		for _, a := range r.Assignments {
			rules := []any{}
			for _, rule := range a.Rules {
				rules = append(rules, rule)
			}
			o["assignments"] = append(
				o["assignments"].([]any),
				scim.Object{"kind": a.Kind, "target": a.Name, "rules": rules},
			)
		}
		all[p.ID] = summary(o)
	}
	return all
}

// check checks the conditions that must hold whenever nothing waits.
func (w *world) check() {
	w.t.Helper()
	published, fresh := w.published(), w.fresh()
	for id, m := range published {
		want, alive := fresh[id]
		if !alive {
			want = "removed"
		}
		if alive && m != want || !alive && !strings.HasPrefix(m, "removed") {
			w.t.Errorf("member %s\nis   %s\nwant %s", id, m, want)
		}
	}
	for id, m := range fresh {
		if published[id] == "" {
			w.t.Errorf("member %s is missing: %s", id, m)
		}
	}
	for item, err := range w.ts.All(context.Background(), store.Query{PK: w.ts.MarkerPrefix("").PK}) {
		w.must(err)
		w.t.Errorf("a marker is left: %q", item.SK)
	}
	for item, err := range w.ts.All(context.Background(), store.Query{PK: w.ts.Pass("", "").PK}) {
		w.must(err)
		w.t.Errorf("a pass is left: %q", item.SK)
	}
	w.checkLog()
	w.checkLookups()
}

// setPolicy saves another policy.
func (w *world) setPolicy(document string, version int64) error {
	w.policy = document
	return w.ts.Transact(context.Background(),
		store.PutItem(w.ts.Policy(), store.Attrs{"doc": document, "ver": version}),
		marker.Mark(w.ts.Keys, marker.Subject{Kind: marker.Policy}, eventlog.Cause{}, time.Now()))
}

// checkLog replays the events and compares the result with the members.
func (w *world) checkLog() {
	w.t.Helper()
	var after int64
	told, once := map[string]string{}, map[string]int{}
	versions := map[string]int64{}
	for {
		page, err := w.s.Events(context.Background(), w.tenant, eventlog.Place{After: after}, 1000)
		w.must(err)
		for _, e := range page.Events {
			if after++; e.Sequence != after {
				w.t.Fatalf("event %d follows %d", e.Sequence, after-1)
			}
			if err := schemas.Check(e.Object); err != nil {
				w.t.Error(err)
			}
			subject := e.Object["subject"].(string)
			kind := e.Object["type"].(string)
			data := e.Object["data"].(scim.Object)
			if kind == "target.created" {
				once[subject]++
			}
			if !strings.HasPrefix(subject, "members/") {
				continue
			}
			if !strings.HasPrefix(subject, "members/") { // of the tenant or its policy
				continue
			}
			if kind == "invitation.due" {
				once[subject+kind]++
			}
			id := strings.TrimPrefix(subject, "members/")
			version := e.Object["subjectVersion"].(int64)
			if version < versions[id] || version > versions[id]+1 {
				w.t.Errorf("%s: version %d follows %d", id, version, versions[id])
			}
			versions[id] = version
			m := data["member"].(scim.Object)
			if kind == "member.removed" {
				m["status"] = "removed"
			}
			told[id] = summary(m)
		}
		if len(page.Events) == 0 {
			break
		}
	}
	for what, n := range once {
		if n != 1 {
			w.t.Errorf("%s happened %d times", what, n)
		}
	}
	published := w.published()
	for id, m := range published {
		if told[id] != m {
			w.t.Errorf("member %s\nis     %s\nevents %s", id, m, told[id])
		}
	}
	if len(told) != len(published) {
		w.t.Errorf("events tell of %d members, there are %d", len(told), len(published))
	}
}

// checkLookups compares the lookups with the members.
func (w *world) checkLookups() {
	w.t.Helper()
	n, want := 0, 0
	for item, err := range w.ts.All(context.Background(), store.Query{PK: w.ts.PublishedPrefix("", "").PK}) {
		w.must(err)
		parts := store.Split(item.SK)
		if len(parts) != 3 {
			w.t.Errorf("lookup %q", item.SK)
		}
		if parts[0] == "account" || parts[0] == "accountFor" {
			continue
		}
		if parts[0] != "left" {
			n++
			continue
		}
		left, err := w.ts.Get(context.Background(), w.ts.Published(item.Attrs["member"].(string)))
		w.must(err)
		if doc, _ := left[0].Attrs["doc"].(string); !strings.Contains(doc, `"gone":true`) {
			w.t.Errorf("%q is said to have left and is %s", item.SK, doc)
		}
	}
	for item, err := range w.ts.All(context.Background(), store.Query{PK: w.ts.Published("").PK}) {
		w.must(err)
		if item.Attrs["stale"] != nil {
			w.t.Errorf("member %s has stale lookups", item.SK)
		}
		doc, _ := item.Attrs["doc"].(string)
		o, err := scim.ParseObject(doc)
		w.must(err)
		want++
		if o["status"] == "removed" {
			continue
		}
		for _, name := range []string{"userName", "externalId", "loginAddress", "email", "accountId"} {
			if o[name] != nil {
				want++
			}
		}
		want += len(o["assignments"].([]any))
	}
	if n != want {
		w.t.Errorf("%d lookups, want %d", n, want)
	}
}
