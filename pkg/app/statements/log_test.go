package statements_test

import (
	"fmt"
	"net/url"
	"strings"
	"testing"
	"time"
)

// log lists the entries of the provisioning log that a filter finds, the newest first.
func (w *world) log(filter string) []object {
	w.t.Helper()
	var all []object
	for _, v := range w.admin(200, "GET", "/log?filter="+url.QueryEscape(filter), "")["entries"].([]any) {
		all = append(all, v.(object))
	}
	return all
}

// finds returns the finding with a code; nil if there is none.
func (w *world) finds(code string) object {
	w.t.Helper()
	for _, v := range w.admin(200, "GET", "/diagnosis", "")["findings"].([]any) {
		if f := v.(object); f["code"] == code {
			return f
		}
	}
	return nil
}

// clock moves the time of the server.
func (w *world) clock(at time.Time) {
	w.t.Helper()
	w.send(200, "PUT", "/admin/v1/clock", fmt.Sprintf(`{"now": %q}`, at.Format(time.RFC3339)))
}

func TestL3FlagIsRecorded(t *testing.T) {
	w := newWorld(t, "entra", "")
	for _, query := range []string{"?aadOptscim062020", "?aadOptscim062020="} {
		id := w.scim(201, "POST", "/Users"+query, userBody("ann"+query))["id"].(string)
		if got := w.log(fmt.Sprintf(`resourceId eq %q and flag eq true`, id)); len(got) != 1 {
			t.Errorf("entries with the flag: %v", got)
		}
	}
	if w.finds("flag-needless") == nil {
		t.Error("nothing is told of the flag")
	}
	w.user("bob")
	if got := w.log("flag eq true"); len(got) != 2 {
		t.Errorf("entries with the flag: %v", got)
	}
}

func TestL12NoRequestYet(t *testing.T) {
	w := newWorld(t, "entra", "")
	first := func() any { return w.admin(200, "GET", "/activity", "")["firstRequestAt"] }
	if at := first(); at != nil || w.finds("no-request-yet") == nil {
		t.Errorf("before the first request: %v", at)
	}
	// A wrong token is no first request, and can be told from none.
	good := w.token
	w.token = strings.Repeat("x", 40)
	w.scim(401, "GET", "/Users", "")
	w.token = good
	if at := first(); at != nil || w.finds("no-request-yet") != nil || w.finds("token-wrong") == nil {
		t.Errorf("with a wrong token: %v", at)
	}
	w.scim(200, "GET", "/Users", "")
	at, _ := first().(string)
	if when, err := time.Parse(time.RFC3339, at); err != nil || time.Since(when) > time.Minute {
		t.Errorf("behind the first request: %v", at)
	}
	if w.finds("token-wrong") != nil {
		t.Error("the wrong token is told of behind a good request")
	}
}

func TestL13EachRequestIsLogged(t *testing.T) {
	w := newWorld(t, "entra", "")
	ann := w.user("ann@example.com")
	w.replace("/Users/"+ann, "title", `"Boss"`)
	w.scim(409, "POST", "/Users", userBody("ann@example.com"))
	group := w.group("Red", ann)
	w.scim(204, "DELETE", "/Users/"+ann, "")
	var got []string
	for _, e := range w.log("tokenId pr") {
		if e["requestId"] == nil || e["tokenId"] == nil || e["time"] == nil {
			t.Errorf("an entry without request, token or time: %v", e)
		}
		got = append([]string{fmt.Sprint(e["operation"], " ", e["subject"], " ", e["outcome"], " ", e["status"])},
			got...)
	}
	want := "create ann@example.com done 201, patch ann@example.com done 200, create ann@example.com refused 409, " +
		"create Red done 201, delete ann@example.com done 204"
	if all := strings.Join(got, ", "); all != want {
		t.Errorf("the log has %s, want %s", all, want)
	}
	if e := w.log(`resourceId eq "` + group + `"`); len(e) != 1 || e[0]["group"] != "Red" {
		t.Errorf("of the group: %v", e)
	}
}

func TestL14LastSync(t *testing.T) {
	w := newWorld(t, "entra", "")
	now := time.Now().UTC().Truncate(time.Second)
	ann := w.user("ann@example.com", `"title": "Boss"`)
	changed := w.member(ann)["changedAt"]
	w.clock(now.Add(2 * time.Hour))
	w.replace("/Users/"+ann, "title", `"Boss"`) // a sync that repeats what is known
	if at := w.member(ann)["changedAt"]; at != changed {
		t.Errorf("changedAt is %v, was %v", at, changed)
	}
	last, _ := w.admin(200, "GET", "/activity", "")["lastRequestAt"].(string)
	if at, err := time.Parse(time.RFC3339, last); err != nil || at.Before(now.Add(2*time.Hour)) {
		t.Errorf("the last request was at %v", last)
	}
}

func TestF18TypeIsInTheLog(t *testing.T) {
	w := newWorld(t, "entra", "")
	ann := w.user("ann@example.com", `"emails": [{"value": "secret.name@example.com", "type": "Rückruf"}]`)
	w.replace("/Users/"+ann, `emails[type eq "Büro"].value`, `"other.name@example.com"`)
	for _, e := range w.log("tokenId pr") {
		sent, _ := e["body"].(string)
		if !strings.Contains(sent, "Rückruf") && !strings.Contains(sent, "Büro") || strings.Contains(sent, ".name") {
			t.Errorf("the log shows %s", sent)
		}
	}
}

func TestF23ExpiredTokenIsInTheLog(t *testing.T) {
	w := newWorld(t, "entra", "")
	w.user("ann@example.com")
	token := w.admin(200, "GET", "/tokens", "")["tokens"].([]any)[0].(object)
	end, err := time.Parse(time.RFC3339, token["expiresAt"].(string))
	if err != nil {
		t.Fatal(err)
	}
	w.clock(end.Add(time.Second))
	w.scim(401, "POST", "/Users", userBody("bob@example.com"))
	entries := w.log("status eq 401")
	if len(entries) != 1 || entries[0]["tokenId"] != token["id"] || entries[0]["outcome"] != "refused" {
		t.Errorf("in the log: %v, want the token %v", entries, token["id"])
	}
	if f := w.finds("token-expired"); f == nil || !strings.Contains(fmt.Sprint(f["do"]), "Secret Token") {
		t.Errorf("the diagnosis says %v", f)
	}
}

func TestS8DirectAssignmentIsReported(t *testing.T) {
	w := sally(t, "entra")
	ann := w.user("ann@example.com")
	if f := w.finds("not-covered"); f == nil || !strings.Contains(fmt.Sprint(f["evidence"]), "ann@example.com") {
		t.Errorf("the diagnosis says %v", f)
	}
	w.group("App Users", ann)
	if f := w.finds("not-covered"); f != nil {
		t.Errorf("with a group the diagnosis says %v", f)
	}
}

func TestS17LastRequest(t *testing.T) {
	w := newWorld(t, "okta", "")
	now := time.Now().UTC().Truncate(time.Second)
	w.user("ann@example.com")
	w.clock(now.Add(time.Hour))
	got := w.admin(200, "GET", "/activity", "")
	if seconds, _ := got["secondsSinceLastGoodRequest"].(float64); seconds < 3500 || seconds > 3700 {
		t.Errorf("an hour later: %v", got)
	}
	if last, _ := got["lastRequest"].(object); last["operation"] != "create" || got["lastRequestAt"] == nil {
		t.Errorf("the last request: %v", got)
	}
}

func TestP15StaleAttributes(t *testing.T) {
	w := newWorld(t, "entra", "")
	mia := w.user("mia", `"title": "Boss"`, enterprise(`"department": "Sales"`))
	w.replace("/Users/"+mia, enterpriseURN+":department", `"Support"`)
	list := w.admin(200, "GET", "/stale-attributes", "")["attributes"].([]any)
	if len(list) != 1 || list[0].(object)["attribute"] != "title" || list[0].(object)["id"] != mia {
		t.Errorf("listed: %v", list)
	}
}

func TestP22UnknownManagerIsReported(t *testing.T) {
	w := newWorld(t, "entra", "")
	w.user("ann@example.com", enterprise(`"manager": {"value": "boss-17"}`))
	if f := w.finds("reference-unknown"); f == nil || !strings.Contains(fmt.Sprint(f["evidence"]), "boss-17") {
		t.Errorf("the diagnosis says %v", f)
	}
}

func TestP26WithoutExternalID(t *testing.T) {
	w := newWorld(t, "okta", "")
	w.user("ann@example.com")
	if f := w.finds("external-id-missing"); f == nil || !strings.Contains(fmt.Sprint(f["do"]), "Attribute mappings") {
		t.Errorf("the diagnosis says %v", f)
	}
	w.user("bob@example.com", `"externalId": "b-1"`)
	if f := w.finds("external-id-missing"); f != nil {
		t.Errorf("with an externalId the diagnosis says %v", f)
	}
}

func TestP31InTheLogAtOnce(t *testing.T) {
	w := leapsome(t)
	ann := w.person("ann@example.com")
	if got := w.log(`subject eq "ann@example.com" and outcome eq "done"`); len(got) != 1 || got[0]["resourceId"] != ann {
		t.Errorf("the log has %v", got)
	}
}
