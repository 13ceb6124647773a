package statements_test

import (
	"fmt"
	"net/url"
	"strings"
	"testing"

	"github.com/serverless-scim/serverless-scim/pkg/scim/scimtest"
)

// replay sends the recorded requests of an identity provider.
func (w *world) replay(name string) {
	w.t.Helper()
	all, err := scimtest.Dialogues()
	if err != nil {
		w.t.Fatal(err)
	}
	for _, d := range all {
		if d.Name == name {
			scimtest.RunDialogue(w.t, d, scimtest.Target{BaseURL: w.url + "/scim/v2/acme", Token: w.token})
			return
		}
	}
	w.t.Fatalf("there is no dialogue %s", name)
}

func TestL2L8TestOfTheConnection(t *testing.T) {
	w := newWorld(t, "entra", "")
	w.replay("entra-test-connection")
	w.user("ann@example.com")
	nobody := "/Users?filter=" + url.QueryEscape(`userName eq "0b5f3e2c-1111-4222-8333-944455566677"`)
	base := strings.TrimPrefix(w.send(200, "GET", "/admin/v1/tenants/acme", "")["scimBaseUrl"].(string), w.url)
	got := w.send(200, "GET", base+nobody, "") // the URL as it is shown
	const list = "[urn:ietf:params:scim:api:messages:2.0:ListResponse]"
	if got["totalResults"] != 0.0 || fmt.Sprint(got["schemas"]) != list {
		t.Errorf("nobody: %v", got)
	}
}

func TestL3L4WithAndWithoutTheFlag(t *testing.T) {
	for _, flag := range []string{"aadOptscim062020", "aadOptscim062020=", "another=1"} {
		w := newWorld(t, "entra", "")
		id := w.scim(201, "POST", "/Users?"+flag, userBody("ann@example.com"))["id"].(string)
		w.scim(2, "PATCH", "/Users/"+id+"?"+flag, patchBody(`{"op": "Replace", "path": "active", "value": "False"}`))
		w.scim(200, "GET", "/Users?"+flag+"&filter="+url.QueryEscape(`userName eq "ann@example.com"`), "")
		w.wants(id, "inactive: ")
		w.scim(204, "DELETE", "/Users/"+id+"?"+flag, "")
	}
	for _, name := range []string{
		"entra-user-lifecycle-flag", "entra-user-lifecycle-noflag", "entra-group-lifecycle-flag",
		"entra-group-lifecycle-noflag", "entra-tenant-url-query-merged",
	} {
		t.Run(name, func(t *testing.T) { newWorld(t, "entra", "").replay(name) })
	}
}

func TestL5L6TokenOfOneTenant(t *testing.T) {
	w := newWorld(t, "entra", "")
	other := w.send(201, "POST", "/admin/v1/tenants", `{"id": "other", "name": "Other", "idp": "entra"}`)
	foreign := other["token"].(object)["value"].(string)
	id := w.user("ann@example.com")
	w.connects(w.token, 200)
	w.connects(foreign, 401)
	if status, _ := w.as(foreign, "GET", "/scim/v2/acme/Users/"+id, ""); status != 401 {
		t.Errorf("a token of another tenant reads a user: %d", status)
	}
	if status, _ := w.as(foreign, "GET", "/scim/v2/other/Users/"+id, ""); status != 404 {
		t.Errorf("a user is seen in another tenant: %d", status)
	}
}

func TestL11ErrorsSayWhatIsWrong(t *testing.T) {
	w := newWorld(t, "entra", "")
	w.user("ann@example.com")
	for _, c := range []struct {
		status             int
		method, path, body string
		scimType, detail   string
	}{
		{409, "POST", "/Users", userBody("Ann@example.com"), "uniqueness", "ann@example.com"},
		{400, "POST", "/Users", `{"schemas": ["` + userURN + `"]}`, "invalidValue", "userName"},
		{400, "GET", "/Users?filter=userName+is+1", "", "invalidFilter", "is"},
		{404, "GET", "/Users/nobody", "", "", "nobody"},
	} {
		status, answer := w.do(c.method, "/scim/v2/acme"+c.path, c.body)
		scimType, _ := answer["scimType"].(string)
		detail := strings.ToLower(fmt.Sprint(answer["detail"]))
		if status != c.status || answer["status"] != fmt.Sprint(c.status) || scimType != c.scimType ||
			!strings.Contains(detail, strings.ToLower(c.detail)) {
			t.Errorf("%s %s: %d %v", c.method, c.path, status, answer)
		}
	}
}

func TestS8DirectAssignmentIsExplained(t *testing.T) {
	w := sally(t, "entra")
	ann := w.user("ann@example.com")
	w.wants(ann, "staged: ")
	status := w.admin(200, "GET", "/members/"+ann+"/why", "")["status"].(object)
	if status["because"] != "No assignment of kind role." {
		t.Errorf("why: %v", status)
	}
	if got := w.found(`status eq "staged"`); len(got) != 1 || got[0] != ann {
		t.Errorf("those without a group: %v", got)
	}
}

func TestS20GoogleWorkspace(t *testing.T) {
	newWorld(t, "google", "").replay("google-keeper-lifecycle")
	w := sally(t, "google")
	ann := w.user("ann@example.com", `"emails": [{"value": "ann@example.com", "type": "work", "primary": true}]`)
	w.group("App Users", ann)
	w.wants(ann, "active: role user")
}

func TestP18SchemasCanBeRead(t *testing.T) {
	const own = "urn:example:2.0:User"
	w := newWorld(t, "entra", "")
	w.admin(201, "PUT", "/schemas/"+own, `{"attributes": [{"name": "badge", "canonicalValues": ["red", "blue"]}]}`)
	w.admin(2, "PUT", "/resource-types/User", `{"schemaExtensions": [{"schema": "`+own+`"}]}`)
	shown := fmt.Sprint(w.scim(200, "GET", "/Schemas/"+own, "")["attributes"])
	if !strings.Contains(shown, "name:badge") || !strings.Contains(shown, "[red blue]") {
		t.Errorf("the schema shows %s", shown)
	}
	types := fmt.Sprint(w.scim(200, "GET", "/ResourceTypes/User", "")["schemaExtensions"])
	if !strings.Contains(types, own) {
		t.Errorf("the type shows %s", types)
	}
}

func TestP31ProvisionOnDemand(t *testing.T) {
	w := leapsome(t)
	// One user and a group with five members, of whom the others are there.
	ids := []string{w.person("ann@example.com")}
	for n := range 4 {
		ids = append(ids, w.person(fmt.Sprintf("u%d@example.com", n)))
	}
	at := w.last()
	w.scim(200, "GET", "/Users?filter="+url.QueryEscape(`userName eq "ann@example.com"`), "")
	group := w.group("Sales")
	w.join(group, ids...)
	for _, id := range ids {
		w.wants(id, "active: team Sales")
		w.tells(at, id, "assignment.added")
	}
}
