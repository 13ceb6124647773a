package local_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/url"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/serverless-scim/serverless-scim/pkg/app/local"
	"github.com/serverless-scim/serverless-scim/pkg/store"
)

// log lists the entries that pass a filter, the newest first.
func (a *api) log(filter string) []object {
	a.t.Helper()
	var all []object
	for cursor := ""; ; {
		page := a.mustAdmin(200, "GET", "/log?filter="+url.QueryEscape(filter)+"&cursor="+cursor, "")
		list, _ := page["entries"].([]any)
		for _, v := range list {
			all = append(all, v.(object))
		}
		next, more := page["nextCursor"].(string)
		if !more {
			return all
		}
		cursor = next
	}
}

// is tells whether an entry has these fields, given as "name=value".
func is(e object, fields ...string) error {
	for _, f := range fields {
		name, want, _ := strings.Cut(f, "=")
		got := fmt.Sprint(e[name])
		if e[name] == nil {
			got = ""
		}
		if got != want {
			return fmt.Errorf("%s is %q, want %q, in %v", name, got, want, e)
		}
	}
	return nil
}

func (a *api) wantLog(filter string, entries ...[]string) []object {
	a.t.Helper()
	all := a.log(filter)
	if len(all) != len(entries) {
		a.t.Fatalf("%d entries, want %d: %v", len(all), len(entries), all)
	}
	for i, e := range all {
		if err := is(e, entries[i]...); err != nil {
			a.t.Errorf("entry %d: %v", i, err)
		}
	}
	return all
}

func TestLogOfChanges(t *testing.T) {
	a := on(t, memory(t), "entra")
	id := a.must(201, "POST", "/Users", body(userURN, `"userName":"jim@example.com","externalId":"17","title":"Clerk",`+
		`"password":"hunter2","name":{"givenName":"Jim"},`+
		`"emails":[{"type":"work","value":"jim@example.com"}]`))["id"].(string)
	a.must(200, "PATCH", "/Users/"+id, patchBody(`{"op":"Replace","path":"title","value":"Boss"}`))
	for range 3 { // nothing to do: the second and third time it is counted only
		a.must(200, "PATCH", "/Users/"+id, patchBody(`{"op":"Replace","path":"title","value":"Boss"}`))
	}
	group := a.group("Staff", []string{id})
	a.must(200, "GET", "/Users/"+id, "")
	a.must(204, "DELETE", "/Users/"+id, "")
	all := a.wantLog("",
		[]string{
			"operation=delete", "outcome=done", "status=204", "resourceType=User", "resourceId=" + id,
			"subject=jim@example.com",
		},
		[]string{"operation=create", "outcome=done", "resourceType=Group", "group=Staff", "added=[" + id + "]"},
		[]string{
			"operation=patch", "outcome=nothing-to-do", "status=200", "idp=entra", "resourceId=" + id,
			"subject=jim@example.com",
		},
		[]string{"operation=patch", "outcome=done", "status=200", "changed=[title]", "idp=entra"},
		[]string{"operation=create", "outcome=done", "status=201", "subject=jim@example.com", "path=/Users"},
	)
	sent, _ := all[4]["body"].(string)
	for _, hidden := range []string{"hunter2", "Jim", "jim@", "Clerk", `"17"`} {
		if strings.Contains(sent, hidden) {
			t.Errorf("the body shows %q: %s", hidden, sent)
		}
	}
	for _, shown := range []string{`"type":"work"`, "@example.com", `"password":"(secret)"`} {
		if !strings.Contains(sent, shown) {
			t.Errorf("the body does not show %q: %s", shown, sent)
		}
	}
	for filter, want := range map[string]int{
		`subject eq "JIM@example.com"`:               4,
		`outcome eq "nothing-to-do"`:                 1,
		`group eq "staff"`:                           1,
		`resourceId eq "` + id + `"`:                 4,
		`added eq "` + id + `"`:                      1,
		`outcome eq "refused"`:                       0,
		`operation eq "create" and status eq 201`:    2,
		`time gt "2000-01-01T00:00:00Z"`:             5,
		`time gt "2100-01-01T00:00:00Z"`:             0,
		`time lt "2000-01-01T00:00:00Z"`:             0,
		`resourceId eq "` + group + `" and title pr`: -1,
	} {
		if want < 0 {
			a.mustAdmin(400, "GET", "/log?filter="+url.QueryEscape(filter), "")
		} else if got := a.log(filter); len(got) != want {
			t.Errorf("%s: %d entries, want %d", filter, len(got), want)
		}
	}
	a.mustAdmin(200, "PATCH", "", `{"settings":{"log":{"personalData":true,"retentionDays":30}}}`)
	a.user("ann@example.com")
	all = a.log(`subject eq "ann@example.com"`)
	if sent, _ := all[0]["body"].(string); !strings.Contains(sent, "ann@example.com") {
		t.Errorf("the body of a tenant that keeps personal data: %s", sent)
	}
	changes := a.wantLog(`operation eq "admin"`, []string{"method=PATCH", "caller=local", "status=200", "outcome=done"})
	if changes[0]["requestId"] == nil {
		t.Error("an admin request without a request id")
	}
}

// TestLogEvents finds the events that followed a change, and no others.
func TestLogEvents(t *testing.T) {
	a := on(t, memory(t), "entra")
	a.users(5)
	a.mustAdmin(200, "GET", "/members", "") // publishes
	id := a.user("jim@example.com")
	a.mustAdmin(200, "GET", "/members", "")
	a.user("ann@example.com")
	a.mustAdmin(200, "GET", "/members", "")
	entry := a.log(`resourceId eq "` + id + `"`)[0]
	var want []any
	for _, v := range a.mustAdmin(200, "GET", "/events?count=1000", "")["events"].([]any) {
		if e := v.(object); e["subject"] == "members/"+id {
			want = append(want, e["sequence"])
		}
	}
	got := a.mustAdmin(200, "GET", "/log/"+entry["id"].(string), "")
	if fmt.Sprint(got["eventSequences"]) != fmt.Sprint(want) || len(want) == 0 {
		t.Errorf("events %v, want %v", got["eventSequences"], want)
	}
	a.mustAdmin(404, "GET", "/log/0000000000000000-none", "")
}

// TestLogPages walks over many entries page by page, and sees each once.
func TestLogPages(t *testing.T) {
	a := on(t, memory(t), "generic")
	a.users(25)
	var ids []string
	for cursor := ""; ; {
		page := a.mustAdmin(200, "GET", "/log?count=7&cursor="+cursor, "")
		for _, v := range page["entries"].([]any) {
			ids = append(ids, v.(object)["id"].(string))
		}
		next, more := page["nextCursor"].(string)
		if !more {
			break
		}
		cursor = next
	}
	sorted := slices.Clone(ids)
	slices.Sort(sorted)
	slices.Reverse(sorted)
	if len(ids) != 25 || len(slices.Compact(slices.Clone(sorted))) != 25 || !slices.Equal(ids, sorted) {
		t.Errorf("%d ids, want 25 different ones, newest first: %v", len(ids), ids)
	}
	a.mustAdmin(400, "GET", "/log?cursor=nonsense", "")
}

func TestLogOfRefusals(t *testing.T) {
	a := on(t, memory(t), "entra")
	a.user("jim@example.com")
	a.must(409, "POST", "/Users", body(userURN, `"userName":"Jim@example.com"`))
	a.must(404, "GET", "/Users/none", "")
	a.must(404, "PATCH", "/Users/none", patchBody(`{"op":"replace","path":"title","value":"x"}`))
	a.must(400, "GET", "/Users?filter=nonsense", "")
	good := a.token
	a.token = good[:len(good)-4] + "AAAA"
	a.must(401, "GET", "/Users", "")
	a.token = good
	a.mustAdmin(200, "PATCH", "", `{"active":false}`)
	a.must(403, "GET", "/Users", "")
	a.wantLog(`outcome eq "refused"`,
		[]string{"operation=read", "status=403", "path=/Users"},
		[]string{"operation=read", "status=401", "path=/Users"},
		[]string{"operation=read", "status=400", "scimType=invalidFilter"},
		[]string{"operation=patch", "status=404", "resourceId=none", "resourceType=User"},
		[]string{"operation=create", "status=409", "scimType=uniqueness", "subject=Jim@example.com"},
	)
}

func TestLogOfBulk(t *testing.T) {
	a := on(t, memory(t), "generic")
	a.user("jim@example.com")
	a.must(200, "POST", "/Bulk", `{"schemas":["urn:ietf:params:scim:api:messages:2.0:BulkRequest"],"Operations":[
		{"method":"POST","path":"/Users","bulkId":"a","data":{"schemas":["`+userURN+`"],"userName":"ann@example.com"}},
		{"method":"POST","path":"/Users","bulkId":"b","data":{"schemas":["`+userURN+`"],"userName":"jim@example.com"}},
		{"method":"DELETE","path":"/Users/none"}]}`)
	a.wantLog(`number pr`,
		[]string{"number=3", "operation=delete", "status=404", "outcome=refused"},
		[]string{"number=2", "operation=create", "status=409", "outcome=refused", "subject=jim@example.com"},
		[]string{"number=1", "operation=create", "status=201", "outcome=done", "subject=ann@example.com"},
	)
}

// counted are the requests of a day or an hour, "operation outcome count".
func counted(period any) string {
	var all []string
	for _, v := range period.(object)["requests"].([]any) {
		c := v.(object)
		all = append(all, fmt.Sprint(c["operation"], " ", c["outcome"], " ", c["count"]))
	}
	return strings.Join(all, ", ")
}

// TestLogOfBulkWithoutNews: operations that change nothing do not displace the entry of one that is refused.
func TestLogOfBulkWithoutNews(t *testing.T) {
	o := quiet()
	o.Now = newHand().now // all in one minute
	s := local.New(o, memory(t), io.NopCloser(nil))
	t.Cleanup(func() { _ = s.Close() })
	a := tenantOn(t, s, "acme", "generic")
	user := "/Users/" + a.user("u")
	patch := func(path, operations string) bulkOp {
		var body object
		if err := json.Unmarshal([]byte(patchBody(operations)), &body); err != nil {
			t.Fatal(err)
		}
		return bulkOp{Method: "PATCH", Path: path, Data: body}
	}
	var ops []bulkOp
	for i := range 501 {
		there := fmt.Sprintf(`{"op":"add","path":"nickName","value":"%d"},{"op":"remove","path":"nickName"}`, i)
		ops = append(ops, patch(user, there))
	}
	ops = append(ops, patch("/Users/gone", `{"op":"remove","path":"nickName"}`))
	out := results(a.must(200, "POST", "/Bulk", bulkBody(t, 0, ops...)))
	if first, last := fmt.Sprint(out[0]["status"]), fmt.Sprint(out[501]["status"]); first > "204" || last != "404" {
		t.Fatalf("the first has the status %s, the last %s", first, last)
	}
	a.wantLog(`outcome eq "refused"`, []string{"status=404", "resourceId=gone"})
	if n := len(a.log(`outcome eq "nothing-to-do"`)); n != 60 {
		t.Errorf("%d entries of changes of nothing, want the 60 of a minute", n)
	}
}

// TestActivity counts requests by operation and outcome, in this process and in a later one.
func TestActivity(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		engine := memory(t)
		a := on(t, engine, "entra")
		got := a.mustAdmin(200, "GET", "/activity", "")
		if got["firstRequestAt"] != nil || len(got["days"].([]any)) != 0 {
			t.Errorf("before the first request: %v", got)
		}
		const probe = "/Users?filter=userName+eq+%226ec0ad42-9a7b-4a1d-8b8e-bd5a6d2e5f1c%22"
		a.must(200, "GET", probe, "")
		id := a.user("jim@example.com")
		a.must(409, "POST", "/Users", body(userURN, `"userName":"jim@example.com"`))
		a.must(200, "PATCH", "/Users/"+id, patchBody(`{"op":"Replace","path":"title","value":"x"}`))
		a.must(200, "PATCH", "/Users/"+id, patchBody(`{"op":"Replace","path":"title","value":"x"}`))
		a.mustAdmin(200, "GET", "/members", "")
		const want = "create done 1, create refused 1, patch done 1, patch nothing-to-do 1, read done 1"
		got = a.mustAdmin(200, "GET", "/activity", "")
		if c := counted(got["days"].([]any)[0]); c != want {
			t.Errorf("counted %s, want %s", c, want)
		}
		if c := counted(got["hours"].([]any)[0]); c != want {
			t.Errorf("counted in the hour %s, want %s", c, want)
		}
		if err := is(got["connectionTest"].(object), "path=/Users", "outcome=done", "idp=entra"); err != nil {
			t.Error(err)
		}
		if err := is(got["lastRequest"].(object), "operation=patch", "resourceId="+id); err != nil {
			t.Error(err)
		}
		if fmt.Sprint(got["members"]) != "map[active:1 inactive:0 staged:0]" || got["firstRequestAt"] == nil {
			t.Errorf("activity: %v", got)
		}
		// The counts are written beside a later request, and another process reads them.
		time.Sleep(15 * time.Second)
		a.must(200, "GET", "/Users/"+id, "")
		b := a.again(engine)
		got = b.mustAdmin(200, "GET", "/activity?days=2", "")
		// Whether the request that writes the counts is among them depends on which is faster.
		c := counted(got["days"].([]any)[0])
		if c != want && c != strings.Replace(want, "read done 1", "read done 2", 1) {
			t.Errorf("another process reads %s, want %s", c, want)
		}
		if err := is(got["connectionTest"].(object), "path=/Users", "outcome=done"); err != nil {
			t.Error(err)
		}
		b.mustAdmin(400, "GET", "/activity?days=91", "")
		time.Sleep(72 * time.Hour)
		got = b.mustAdmin(200, "GET", "/activity", "")
		seconds, _ := got["secondsSinceLastGoodRequest"].(float64)
		if len(got["hours"].([]any)) != 0 || seconds < 72*3600 {
			t.Errorf("three days later: %v", got)
		}
	})
}

// TestLogForgetsPeople erases a person, of whom the log then tells nothing, and deletes the tenant, whose log is gone.
func TestLogForgetsPeople(t *testing.T) {
	engine := memory(t)
	a := on(t, engine, "entra")
	a.mustAdmin(200, "PATCH", "", `{"settings":{"log":{"personalData":true}}}`)
	jim := a.must(201, "POST", "/Users", body(userURN, `"userName":"jim.halpert@example.com","displayName":"Jim Halpert",`+
		`"externalId":"jim-17"`))["id"].(string)
	ann := a.user("ann@example.com")
	a.must(409, "POST", "/Users", body(userURN, `"userName":"jim.halpert@example.com"`))
	group := a.group("Staff", []string{ann})
	a.must(204, "PATCH", "/Groups/"+group, patchBody(
		`{"op":"add","path":"members","value":[{"value":"`+jim+`","display":"Jim Halpert"}]}`))
	a.must(200, "PATCH", "/Users/"+jim, patchBody(`{"op":"replace","path":"userName","value":"big.tuna@example.com"}`))
	a.mustAdmin(200, "GET", "/members", "")
	a.must(204, "DELETE", "/Users/"+jim, "")
	a.mustAdmin(200, "GET", "/members", "")
	before := len(a.log(""))
	a.mustAdmin(204, "DELETE", "/members/"+jim, "")
	all := a.log("")
	text := strings.ToLower(fmt.Sprint(all))
	for _, name := range []string{"halpert", "tuna", "jim-17"} {
		if strings.Contains(text, name) {
			t.Errorf("the log still has %q: %s", name, text)
		}
	}
	if len(all) != before+1 || len(a.log(`subject eq "ann@example.com"`)) != 1 || len(a.log("erased eq true")) != 5 {
		t.Errorf("%d entries, %d before: %v", len(all), before, all)
	}
	a.mustAdmin(202, "DELETE", "", "")
	if err := a.s.Settle(t.Context()); err != nil {
		t.Fatal(err)
	}
	keys := store.KeysOf("acme")
	for _, pk := range keys.Partitions() {
		page, err := engine.Query(t.Context(), store.Query{PK: pk})
		if err != nil || len(page.Items) > 0 {
			t.Errorf("%s of the deleted tenant: %v, %v", pk, page.Items, err)
		}
	}
}

// TestCountsOfAServerThatStops: the counts of the last seconds are there after a stop.
func TestCountsOfAServerThatStops(t *testing.T) {
	dir := t.TempDir()
	s := inFolder(t, dir, io.Discard)
	token := operator{t, s}.must(201, "POST", "/tenants", withAda)["token"].(object)["value"].(string)
	a := &api{t: t, s: s, h: s.Handler(), base: "http://localhost/scim/v2/acme", token: token}
	for range 7 {
		a.must(200, "GET", "/Users", "")
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	s = inFolder(t, dir, io.Discard)
	t.Cleanup(func() { _ = s.Close() })
	got := operator{t, s}.must(200, "GET", "/tenants/acme/activity", "")
	if c := counted(got["days"].([]any)[0]); c != "read done 7" {
		t.Errorf("counted %s, want read done 7", c)
	}
}
