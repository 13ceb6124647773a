package local_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/serverless-scim/serverless-scim/pkg/internal/slow"
	"github.com/serverless-scim/serverless-scim/pkg/store"
	"github.com/serverless-scim/serverless-scim/pkg/store/boltstore"
	"github.com/serverless-scim/serverless-scim/pkg/store/faultstore"
)

const (
	userURN       = "urn:ietf:params:scim:schemas:core:2.0:User"
	groupURN      = "urn:ietf:params:scim:schemas:core:2.0:Group"
	enterpriseURN = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"
)

// memory opens an engine that keeps nothing.
func memory(t testing.TB) store.Engine {
	t.Helper()
	e, err := boltstore.Open(boltstore.Memory, boltstore.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = e.Close() })
	return e
}

// bulkOp is an operation of a bulk request.
type bulkOp struct {
	Method  string `json:"method"`
	Path    string `json:"path"`
	BulkID  string `json:"bulkId,omitempty"`
	Version string `json:"version,omitempty"`
	Data    object `json:"data,omitempty"`
}

func bulkBody(t testing.TB, failOnErrors int, ops ...bulkOp) string {
	t.Helper()
	body := object{"schemas": []string{"urn:ietf:params:scim:api:messages:2.0:BulkRequest"}, "Operations": ops}
	if failOnErrors > 0 {
		body["failOnErrors"] = failOnErrors
	}
	b, err := json.Marshal(body)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// results reads the results of a bulk request.
func results(out object) []object {
	list, _ := out["Operations"].([]any)
	all := make([]object, len(list))
	for i, e := range list {
		all[i], _ = e.(object)
	}
	return all
}

func statuses(out object) string {
	var all []string
	for _, r := range results(out) {
		all = append(all, fmt.Sprint(r["status"]))
	}
	return strings.Join(all, " ")
}

func postUser(bulkID, name, manager string) bulkOp {
	data := object{"schemas": []string{userURN, enterpriseURN}, "userName": name}
	if manager != "" {
		data[enterpriseURN] = object{"manager": object{"value": manager}}
	}
	return bulkOp{Method: "POST", Path: "/Users", BulkID: bulkID, Data: data}
}

func postGroup(bulkID, name string, members ...string) bulkOp {
	list := []object{}
	for _, m := range members {
		list = append(list, object{"value": m})
	}
	return bulkOp{
		Method: "POST", Path: "/Groups", BulkID: bulkID,
		Data: object{"schemas": []string{groupURN}, "displayName": name, "members": list},
	}
}

// TestBulkOfThousand creates 600 users with managers, 200 groups with two members each and changes 200 users, in one
// request.
func TestBulkOfThousand(t *testing.T) {
	slow.Test(t, "it sends a thousand operations")
	slow.NoRace(t)
	a := on(t, memory(t), "generic")
	var ops []bulkOp
	for i := range 200 {
		ops = append(ops, postGroup(fmt.Sprint("g", i), fmt.Sprint("group-", i), fmt.Sprint("bulkId:u", i),
			fmt.Sprint("bulkId:u", 599-i)))
	}
	for i := range 600 {
		manager := ""
		if i > 0 {
			manager = fmt.Sprint("bulkId:u", i/10)
		}
		ops = append(ops, postUser(fmt.Sprint("u", i), fmt.Sprint("user-", i), manager))
	}
	for i := range 200 {
		ops = append(ops, bulkOp{Method: "PATCH", Path: fmt.Sprint("/Users/bulkId:u", i), Data: object{
			"schemas":    []string{"urn:ietf:params:scim:api:messages:2.0:PatchOp"},
			"Operations": []object{{"op": "add", "path": "title", "value": fmt.Sprint("title-", i)}},
		}})
	}
	out := a.must(200, "POST", "/Bulk", bulkBody(t, 0, ops...))
	want := strings.TrimSpace(strings.Repeat("201 ", 800) + strings.Repeat("200 ", 200))
	if got := statuses(out); got != want {
		t.Fatalf("statuses %s", got)
	}
	for i, r := range results(out) {
		if b, _ := r["bulkId"].(string); b != ops[i].BulkID || r["method"] != ops[i].Method || r["location"] == nil ||
			r["version"] == nil {
			t.Fatalf("result %d: %v", i, r)
		}
	}
	state := a.agree()
	if len(state[""]) != 600 || len(state) != 201 || len(state["group-7"]) != 2 {
		t.Errorf("%d users, %d groups", len(state[""]), len(state)-1)
	}
	found := a.must(200, "GET", "/Users?filter=title+sw+%22title-%22&count=0", "")
	if found["totalResults"] != 200.0 {
		t.Errorf("%v users have a title", found["totalResults"])
	}
	// The same request once more: nothing is done twice.
	again := a.must(200, "POST", "/Bulk", bulkBody(t, 0, ops...))
	if got := statuses(again); got != want {
		t.Errorf("repeated: statuses %s", got)
	}
	for i, r := range results(again) {
		if r["location"] != results(out)[i]["location"] {
			t.Fatalf("repeated: result %d is at %v, was at %v", i, r["location"], results(out)[i]["location"])
		}
	}
	if got := fmt.Sprint(a.agree()); got != fmt.Sprint(state) {
		t.Error("repeated: the state is another one")
	}
}

// TestBulkKilledAnywhere kills the process before each single write of a bulk request, and repeats the request after
// the restart. The outcome is that of a request that was not killed.
func TestBulkKilledAnywhere(t *testing.T) {
	request := func(a *api, existing []string) string {
		return bulkBody(t, 1,
			bulkOp{Method: "DELETE", Path: "/Users/" + existing[0]},
			postUser("ann", "ann", "bulkId:bob"),
			postUser("bob", "bob", "bulkId:ann"),
			postGroup("in", "inner", "bulkId:out", existing[1], "bulkId:ann"),
			postGroup("out", "outer", "bulkId:in", "bulkId:cid"),
			postUser("cid", "old-name", existing[1]),
			bulkOp{Method: "PATCH", Path: "/Users/bulkId:cid", Data: object{
				"schemas":    []string{"urn:ietf:params:scim:api:messages:2.0:PatchOp"},
				"Operations": []object{{"op": "replace", "path": "userName", "value": "cid"}},
			}},
			bulkOp{
				Method: "PUT", Path: "/Users/" + existing[1],
				Data: object{"schemas": []string{userURN}, "userName": "kept", "title": "new"},
			},
		)
	}
	for n := 0; ; n++ {
		engine := faultstore.New(memory(t), nil)
		a := on(t, engine, "generic")
		existing := []string{a.user("gone"), a.user("kept")}
		engine.KillAfterWrites(n)
		const all = "204 201 201 201 201 201 200 200"
		_, first := a.do("POST", "/Bulk", request(a, existing))
		killed := engine.Killed()
		engine.Revive()
		b := a.again(engine)
		out := b.must(200, "POST", "/Bulk", request(a, existing))
		// The kill may have hit only the background work after the answer.
		if got := statuses(out); killed && statuses(first) != all && got != all {
			t.Fatalf("killed before write %d: statuses %s: %v", n, got, out)
		}
		if err := b.s.Settle(t.Context()); err != nil {
			t.Fatal(err)
		}
		const want = "[ann bob cid kept] inner[ann kept outer] outer[cid inner]"
		if got := named(b, b.agree(), nil); got != want {
			t.Fatalf("killed before write %d: state %s, want %s", n, got, want)
		}
		if !killed {
			t.Logf("%d places to die", n)
			return
		}
	}
}

// named is the state of a tenant with names in the place of ids. known are the ids, by name, of resources that may no
// longer exist.
func named(a *api, state map[string][]string, known map[string]string) string {
	names := map[string]string{}
	for name, id := range known {
		names[id] = name
	}
	var users, groups []string
	for _, u := range a.all("/Users") {
		names[u["id"].(string)] = u["userName"].(string)
		users = append(users, u["userName"].(string))
	}
	for _, g := range a.all("/Groups") {
		names[g["id"].(string)] = g["displayName"].(string)
	}
	for name, members := range state {
		if name == "" {
			continue
		}
		var list []string
		for _, m := range members {
			if names[m] != "" {
				m = names[m]
			}
			list = append(list, m)
		}
		slices.Sort(list)
		groups = append(groups, name+fmt.Sprint(list))
	}
	slices.Sort(users)
	slices.Sort(groups)
	return fmt.Sprint(users) + " " + strings.Join(groups, " ")
}

// TestBulkKeepsUnknownIDs: an answer about a resource that the request names by its bulkId contains its id only if the
// POST was answered with it.
func TestBulkKeepsUnknownIDs(t *testing.T) {
	title := object{"schemas": []string{"urn:ietf:params:scim:api:messages:2.0:PatchOp"}, "Operations": []object{
		{"op": "replace", "path": "title", "value": "x"},
	}}
	named := func(method, name string) bulkOp {
		op := bulkOp{Method: method, Path: "/Users/bulkId:" + name}
		switch method {
		case "PATCH":
			op.Data = title
		case "PUT":
			op.Data = postUser("", "anna", "").Data
		}
		return op
	}
	for _, c := range []struct {
		want   string
		detail string
		ops    []bulkOp
	}{
		{"201 204 404 404 404", `bulkId "a" does not exist any more`, []bulkOp{
			postUser("a", "anna", ""), named("DELETE", "a"), named("DELETE", "a"), named("PATCH", "a"),
			named("PUT", "a"),
		}},
		{"400 409 409 409", `bulkId "a", and the operation`, []bulkOp{
			postUser("a", "", ""), named("DELETE", "a"), named("PATCH", "a"), named("PUT", "a"),
		}},
		{"400 400 400", `bulkId "b", but no POST`, []bulkOp{named("DELETE", "b"), named("PATCH", "b"), named("PUT", "b")}},
	} {
		a := on(t, memory(t), "generic")
		_, out := a.do("POST", "/Bulk", bulkBody(t, 0, c.ops...))
		if got := statuses(out); got != c.want {
			t.Fatalf("statuses %s, want %s: %v", got, c.want, out)
		}
		known, _ := results(out)[0]["location"].(string)
		id := known[strings.LastIndex(known, "/")+1:]
		for i, r := range results(out)[1:] {
			if location, _ := r["location"].(string); location != known {
				t.Errorf("operation %d: location %q, want %q", i+1, location, known)
			}
			response, failed := r["response"].(map[string]any)
			if detail := fmt.Sprint(response["detail"]); failed &&
				(!strings.Contains(detail, c.detail) || id != "" && strings.Contains(detail, id)) {
				t.Errorf("operation %d: %s", i+1, detail)
			}
		}
	}
}

// TestBulkReferencesInText: clients that send a value as JSON in a string refer to other operations in it, too.
func TestBulkReferencesInText(t *testing.T) {
	for _, idp := range []string{"keycloak", "generic", "rfc"} {
		a := on(t, memory(t), idp)
		_, out := a.do("POST", "/Bulk", bulkBody(t, 0,
			bulkOp{Method: "POST", Path: "/Groups", BulkID: "g", Data: object{
				"schemas": []string{groupURN}, "displayName": "crew", "members": `[{"value": "bulkId:a"}]`,
			}},
			bulkOp{Method: "PATCH", Path: "/Groups/bulkId:g", Data: object{
				"schemas": []string{"urn:ietf:params:scim:api:messages:2.0:PatchOp"}, "Operations": []object{
					{"op": "add", "path": "members", "value": `{"value": "bulkId:b"}`},
					{"op": "remove", "path": "members", "value": `[{"value": "bulkId:a"}]`},
				},
			}},
			postUser("a", "anna", ""), postUser("b", "bert", ""),
		))
		var ids []string
		for _, r := range results(out) {
			location, _ := r["location"].(string)
			ids = append(ids, location[strings.LastIndex(location, "/")+1:])
		}
		members := a.must(200, "GET", "/Groups/"+ids[0], "")["members"].([]any)
		if len(members) != 1 || members[0].(object)["value"] != ids[3] || members[0].(object)["type"] != "User" {
			t.Errorf("%s: members %v of users %v", idp, members, ids)
		}
	}
}
