package statements_test

import (
	"fmt"
	"net/url"
	"slices"
	"testing"
)

// connects checks whether a token gets in.
func (w *world) connects(key string, want int) {
	w.t.Helper()
	if status, answer := w.as(key, "GET", "/scim/v2/acme/Users?count=1", ""); status != want {
		w.t.Errorf("status %d, want %d: %v", status, want, answer)
	}
}

func TestL7OnAndOff(t *testing.T) {
	w := newWorld(t, "entra", "")
	w.user("ann@example.com")
	w.admin(200, "PATCH", "", `{"active": false}`)
	// The test of the connection is refused as well, with an error of SCIM.
	probe := "/scim/v2/acme/Users?filter=" + url.QueryEscape(`userName eq "0b5f3e2c-1111-4222-8333-944455566677"`)
	status, answer := w.do("GET", probe, "")
	if status != 403 || answer["status"] != "403" ||
		!slices.Equal(answer["schemas"].([]any), []any{"urn:ietf:params:scim:api:messages:2.0:Error"}) {
		t.Errorf("switched off: %d %v", status, answer)
	}
	w.admin(200, "PATCH", "", `{"active": true}`)
	w.connects(w.token, 200) // the same token
	if got := w.ofTenant(0); !slices.Equal(got, []string{
		"tenant.connected", "tenant.switched-off", "tenant.switched-on",
	}) {
		t.Errorf("events of the tenant: %v", got)
	}
}

// ofTenant lists the types of the tenant's own events after a sequence number.
func (w *world) ofTenant(after int) []string {
	w.t.Helper()
	var types []string
	for _, e := range w.events(after) {
		if e["subject"] == "tenants/acme" {
			types = append(types, e["type"].(string))
		}
	}
	return types
}

func TestS18DisconnectEndsAccess(t *testing.T) {
	w := newWorld(t, "okta", "")
	more := w.admin(201, "POST", "/tokens", "")["value"].(string)
	own := w.admin(201, "POST", "/clients", `{"name": "Okta"}`)
	shared := w.send(201, "POST", "/admin/v1/clients", `{"name": "Okta for all"}`)
	w.set(fmt.Sprintf(`{"oauth": {"clients": [%q]}}`, shared["id"]))
	keys := []string{w.token, more}
	for _, c := range []object{own, shared} {
		keys = append(keys, w.clientCredentials(c["id"].(string), c["secret"].(string)))
	}
	for _, key := range keys {
		w.connects(key, 200)
	}
	at := w.last()
	for n, want := range []object{{"tokens": 2.0, "clients": 2.0}, {"tokens": 0.0, "clients": 0.0}} {
		if got := w.admin(200, "POST", "/disconnect", ""); fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("disconnected %d: %v, want %v", n, got, want)
		}
	}
	for _, key := range keys {
		w.connects(key, 401)
	}
	if got := w.ofTenant(at); !slices.Equal(got, []string{"tenant.disconnected"}) {
		t.Errorf("events of the tenant: %v", got)
	}
}

func TestS19ReconnectWithoutDuplicates(t *testing.T) {
	w := sally(t, "okta")
	ann := w.user("ann@example.com", `"externalId": "00u1"`)
	bob := w.user("bob@example.com", `"externalId": "00u2"`)
	cem := w.user("cem@example.com")
	w.group("App Users", ann, bob, cem)
	w.admin(204, "PUT", "/members/"+bob+"/assignments/role/guest", "")
	w.admin(200, "PUT", "/members/"+bob+"/account", `{"accountId": "b2"}`)
	before := []string{w.has(ann), w.has(bob), w.has(cem)}
	w.admin(200, "POST", "/disconnect", "")
	if after := []string{w.has(ann), w.has(bob), w.has(cem)}; !slices.Equal(before, after) {
		t.Errorf("behind disconnecting: %v, before: %v", after, before)
	}
	// Connected again, the identity provider looks for each of its users.
	w.token = w.admin(201, "POST", "/tokens", "")["value"].(string)
	find := func(filter string) string {
		t.Helper()
		list := w.scim(200, "GET", "/Users?filter="+url.QueryEscape(filter), "")["Resources"].([]any)
		if len(list) != 1 {
			t.Fatalf("%s finds %v", filter, list)
		}
		return list[0].(object)["id"].(string)
	}
	if find(`externalId eq "00u1"`) != ann || find(`userName eq "CEM@example.com"`) != cem {
		t.Error("users are not found again")
	}
	w.scim(409, "POST", "/Users", userBody("ann@example.com", `"externalId": "00u1"`))
	// It has cleaned up and makes anew: by externalId, and by userName.
	for _, id := range []string{bob, cem} {
		w.scim(204, "DELETE", "/Users/"+id, "")
	}
	bob2 := w.user("bob.new@example.com", `"externalId": "00u2"`)
	cem2 := w.user("cem@example.com")
	if m := w.member(bob2); m["previousId"] != bob || m["accountId"] != "b2" {
		t.Errorf("bob returned as %v", m)
	}
	if m := w.member(cem2); m["previousId"] != cem {
		t.Errorf("cem returned as %v", m)
	}
	w.wants(bob2, "active: role guest")
	want := []string{ann, bob2, cem2}
	slices.Sort(want)
	if got := w.found(""); !slices.Equal(got, want) {
		t.Errorf("members are %v, want %v", got, want)
	}
	if list := w.admin(200, "GET", "/members/duplicates", "")["duplicates"].([]any); len(list) != 0 {
		t.Errorf("duplicates: %v", list)
	}
}

func TestP33ConnectedByAClient(t *testing.T) {
	w := newWorld(t, "okta", "")
	c := w.admin(201, "POST", "/clients", `{"name": "Okta"}`)
	for range 2 {
		w.connects(w.clientCredentials(c["id"].(string), c["secret"].(string)), 200)
	}
	if got := w.ofTenant(0); !slices.Equal(got, []string{"tenant.connected"}) {
		t.Errorf("events of the tenant: %v", got)
	}
	w.connects(w.token, 200)
	if got := w.ofTenant(0); len(got) != 1 {
		t.Errorf("behind the first use of a token: %v", got)
	}
}
