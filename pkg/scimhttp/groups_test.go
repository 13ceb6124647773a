package scimhttp_test

import (
	"context"
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"
	"testing"

	"github.com/serverless-scim/serverless-scim/pkg/scim"
	"github.com/serverless-scim/serverless-scim/pkg/scim/schema"
	"github.com/serverless-scim/serverless-scim/pkg/tenant"
)

func groupNamed(name string) string {
	return `{"schemas":["` + scim.GroupURN + `"],"displayName":"` + name + `"}`
}

// PATCH of groups: "204, so that its cost never depends on the group's size; 200 with attributes or excludedAttributes;
// profiles generic and rfc: 200 and the full body up to 100 members, keycloak up to 1,000, 204 above".
func TestPatchGroupAnswers(t *testing.T) {
	s := newServer(t, nil)
	for _, c := range []struct {
		idp, query string
		status     int
	}{
		{"generic", "", 200},
		{"rfc", "", 200},
		{"keycloak", "", 200},
		{"entra", "", 204},
		{"okta", "", 204},
		{"entra", "?attributes=displayName", 200},
		{"okta", "?excludedAttributes=members", 200},
	} {
		a := s.tenant(fmt.Sprintf("%s-%d", c.idp, len(c.query)), c.idp, tenant.Settings{})
		made := s.as(a, "POST", "/Groups", groupNamed("g")).wantResource(201)
		r := s.as(a, "PATCH", "/Groups/"+made.text("id")+c.query,
			patchOf(`{"op":"add","path":"members","value":[{"value":"nobody"}]}`)).want(c.status)
		if r.header.Get("ETag") == "" || r.header.Get("Location") != made.header.Get("Location") {
			t.Errorf("%s%s: headers %v", c.idp, c.query, r.header)
		}
		if c.status == 200 && c.query == "" && r.text("members", 0, "value") != "nobody" {
			t.Errorf("%s: body %s", c.idp, r.raw)
		}
		if c.query != "" && r.at("members") != nil {
			t.Errorf("%s%s: body %s", c.idp, c.query, r.raw)
		}
	}
}

// TestPatchGroupAnswersBySize: the number of members decides under a profile's bound; the setting patchBody and the
// client's preference decide before it.
func TestPatchGroupAnswersBySize(t *testing.T) {
	s := newServer(t, nil)
	bound := map[string]int{"generic": 100, "rfc": 100, "keycloak": 1000, "entra": 0, "okta": 0}
	for _, idp := range slices.Sorted(maps.Keys(bound)) {
		accounts := map[string]account{}
		for _, setting := range []string{"", tenant.PatchBodyFull, tenant.PatchBodyNone} {
			accounts[setting] = s.tenant(idp+"-"+setting+"x", idp,
				tenant.Settings{SCIM: tenant.SCIMSettings{PatchBody: setting}})
		}
		for _, n := range []int{99, 100, 101, 1000, 1001} {
			if n >= 1000 && bound[idp] < 1000 && (idp != "generic" || n > 1000) {
				continue // as generic
			}
			members := make([]string, n)
			for i := range members {
				members[i] = fmt.Sprintf(`{"value":"m%d"}`, i)
			}
			group := `{"schemas":["` + scim.GroupURN + `"],"displayName":"g","members":[` + strings.Join(members, ",") + `]}`
			for setting, a := range accounts {
				made := s.as(a, "POST", "/Groups", group, "Prefer", "return=minimal").want(201)
				at := "/Groups/" + path.Base(made.header.Get("Location"))
				for prefer, whole := range map[string]bool{
					"": setting == tenant.PatchBodyFull || setting == "" && n <= bound[idp],

					"return=representation": true,
					"return=minimal":        false,
				} {
					r := s.as(a, "PATCH", at, patchOf(`{"op":"replace","path":"displayName","value":"`+prefer+`h"}`),
						"Prefer", prefer)
					got, _ := r.at("members").([]any)
					if whole && (r.status != 200 || len(got) != n) || !whole && (r.status != 204 || r.raw != "") {
						t.Errorf("%s, patchBody %q, %d members, Prefer %q: %d with %d members", idp, setting,
							n, prefer, r.status, len(got))
					}
				}
				s.as(a, "DELETE", at, "").want(204)
			}
		}
	}
}

func TestGroupAndUserAgree(t *testing.T) {
	s := newServer(t, nil)
	a := s.tenant("acme", "", tenant.Settings{})
	user := s.as(a, "POST", "/Users", `{"userName":"a","displayName":"Ann"}`).wantResource(201)
	id := user.text("id")
	// "members [] when empty".
	empty := s.as(a, "POST", "/Groups", `{"displayName":"e"}`).wantResource(201)
	if got, ok := empty.at("members").([]any); !ok || len(got) != 0 {
		t.Errorf("members of an empty group: %v", empty.at("members"))
	}
	group := s.as(a, "POST", "/Groups", `{"displayName":"g","members":[{"value":"`+id+`"}]}`).wantResource(201)
	if group.text("members", 0, "$ref") != users+id || group.text("members", 0, "type") != "User" {
		t.Errorf("members %v", group.at("members"))
	}
	r := s.as(a, "GET", "/Users/"+id, "").wantResource(200)
	if r.text("groups", 0, "value") != group.text("id") ||
		r.text("groups", 0, "$ref") != group.text("meta", "location") || r.text("groups", 0, "display") != "g" {
		t.Errorf("groups %v", r.at("groups"))
	}
	// "a user's version does not cover groups".
	r.wantHeader("ETag", user.header.Get("ETag"))
	// "Groups filter + excludedAttributes=members".
	list := s.as(a, "GET", `/Groups?excludedAttributes=members&filter=displayName+eq+%22G%22`, "").want(200)
	if list.at("totalResults") != 1.0 || list.at("Resources", 0, "members") != nil ||
		list.text("Resources", 0, "id") != group.text("id") {
		t.Errorf("list %s", list.raw)
	}
	// "Deleting a user drops it from groups; deleting a group keeps users".
	s.as(a, "DELETE", "/Users/"+id, "").want(204)
	if r = s.as(a, "GET", "/Groups/"+group.text("id"), "").wantResource(200); len(r.at("members").([]any)) != 0 {
		t.Errorf("members %v", r.at("members"))
	}
	s.as(a, "DELETE", "/Groups/"+group.text("id"), "").want(204)
	s.as(a, "POST", "/Groups", `{}`).wantError(400, scim.InvalidValue)
}

func TestGroupNames(t *testing.T) {
	s := newServer(t, nil)
	yes, no := true, false
	for _, c := range []struct {
		idp    string
		unique *bool
		status int
	}{{"generic", nil, 201}, {"entra", nil, 409}, {"rfc", &yes, 409}, {"okta", &no, 201}} {
		a := s.tenant("acme-"+c.idp, c.idp, tenant.Settings{SCIM: tenant.SCIMSettings{UniqueGroupNames: c.unique}})
		s.as(a, "POST", "/Groups", groupNamed("g")).wantResource(201)
		s.as(a, "POST", "/Groups", groupNamed("G")).want(c.status)
	}
}

// No request with a token of one tenant sees, changes or detects anything of another: on every route, with every
// kind of id, the answer is the same as for an id that does not exist.
func TestTenantsCannotSeeEachOther(t *testing.T) {
	s := newServer(t, nil)
	a, b := s.tenant("acme", "", tenant.Settings{}), s.tenant("bravo", "", tenant.Settings{})
	user := s.as(b, "POST", "/Users",
		`{"userName":"ann","externalId":"x1","emails":[{"value":"ann@b.org","type":"work"}]}`).wantResource(201)
	group := s.as(b, "POST", "/Groups", `{"displayName":"g","externalId":"x2","members":[{"value":"`+user.text("id")+
		`"}]}`).wantResource(201)
	userID, groupID := user.text("id"), group.text("id")
	const nobody = "3f1c0e5a-9c3e-4b0e-8f43-0e4d5b1f8a11"
	hide := strings.NewReplacer(userID, "ID", groupID, "ID", nobody, "ID")
	bodies := map[string]string{
		"GET": "", "HEAD": "", "DELETE": "", "PUT": `{"userName":"u","displayName":"d"}`,
		"PATCH": patchOf(`{"op":"replace","path":"externalId","value":"x"}`),
	}
	for method, body := range bodies {
		for _, endpoint := range []string{"/Users/", "/Groups/", "/ResourceTypes/", "/Schemas/", "/"} {
			for _, id := range []string{
				userID, groupID, "T%23bravo", "../bravo/Users/" + userID, userID + "%23" + groupID,
			} {
				got, want := s.as(a, method, endpoint+id, body),
					s.as(a, method, endpoint+strings.NewReplacer(userID, nobody, groupID, nobody).Replace(id), body)
				if got.status != want.status || got.status < 400 || hide.Replace(got.raw) != hide.Replace(want.raw) {
					t.Errorf("%s %s%s: %d %s, for nobody's id %d %s", method, endpoint, id, got.status, got.raw,
						want.status, want.raw)
				}
			}
		}
	}
	for _, filter := range []string{
		`userName eq "ann"`, `id eq "` + userID + `"`, `externalId eq "x1"`, `emails.value eq "ann@b.org"`, `userName sw "a"`,
		`userName pr`, "",
		`groups.value eq "` + groupID + `"`, `displayName eq "g"`, `members.value eq "` + userID + `"`, `externalId eq "x2"`,
	} {
		for _, endpoint := range []string{"/Users", "/Groups"} {
			r := s.as(a, "GET", endpoint+"?filter="+escape(filter), "")
			if r.status == 200 && r.at("totalResults") != 0.0 || strings.Contains(r.raw, userID) &&
				!strings.Contains(filter, userID) {
				t.Errorf("%s filtered by %s: %s", endpoint, filter, r.raw)
			}
		}
	}
	// Names that are taken in the other tenant are free here, and its users are unknown here as members or
	// managers.
	mine := s.as(a, "POST", "/Users",
		`{"userName":"ann","externalId":"x1",`+
			`"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User":{"manager":{"value":"`+userID+`"}}}`).wantResource(201)
	if mine.at(schema.EnterpriseUser().ID, "manager", "$ref") != nil {
		t.Errorf("the manager of another tenant was found: %s", mine.raw)
	}
	r := s.as(a, "POST", "/Groups", `{"displayName":"g","members":[{"value":"`+userID+`"}]}`).wantResource(201)
	if r.at("members", 0, "$ref") != nil || r.at("members", 0, "type") != nil {
		t.Errorf("the member of another tenant was found: %s", r.raw)
	}
	s.as(a, "DELETE", "/Groups/"+r.text("id"), "").want(204)
	// Nothing has changed there.
	for path, before := range map[string]*response{"/Users/" + userID: user, "/Groups/" + groupID: group} {
		after := s.as(b, "GET", path, "").wantResource(200)
		if after.header.Get("ETag") != before.header.Get("ETag") || path[1] == 'G' && after.raw != before.raw {
			t.Errorf("%s changed: %s", path, after.raw)
		}
	}
	// And the tokens work nowhere else.
	for _, path := range []string{"/Users", "/Users/" + userID, "/Groups/" + groupID, "/Schemas", "/Me", "/Nothing"} {
		s.send("GET", "/scim/v2/bravo"+path, "", "Authorization", "Bearer "+a.token).wantError(401, scim.NoType)
	}
	if err := s.tenants.Delete(context.Background(), a.id); err != nil {
		t.Fatal(err)
	}
	s.as(b, "GET", "/Users/"+userID, "").wantResource(200)
}

// "groups of a user and members of a group always agree", also in the answer to the very request that brings a user
// into the groups that waited for its name.
func TestAnswerShowsGroupsThatWaitedForTheUser(t *testing.T) {
	s := newServer(t, nil)
	a := s.tenant("acme", "generic", tenant.Settings{})
	user := func(name, more string) string {
		return `{"schemas":["` + scim.UserURN + `"],"userName":"` + name + `"` + more + `}`
	}
	awaiting := func(name string) string {
		body := strings.TrimSuffix(groupNamed("waits for "+name), "}") + `,"members":[{"value":"` + name + `"}]}`
		return s.as(a, "POST", "/Groups", body).wantResource(201).text("id")
	}
	check := func(r *response, want ...string) {
		t.Helper()
		var got []string
		list, _ := r.at("groups").([]any)
		for _, g := range list {
			got = append(got, g.(map[string]any)["value"].(string))
		}
		slices.Sort(got)
		slices.Sort(want)
		if !slices.Equal(got, want) {
			t.Errorf("groups %v, want %v", got, want)
		}
	}
	one, two, three, four := awaiting("late"), awaiting("ext"), awaiting("patched"), awaiting("put")
	made := s.as(a, "POST", "/Users", user("LATE", `,"externalId":"ext"`)).wantResource(201)
	check(made, one, two)
	path := "/Users/" + made.text("id")
	check(s.as(a, "PATCH", path, patchOf(`{"op":"replace","path":"userName","value":"patched"}`)).
		wantResource(200), one, two, three)
	check(s.as(a, "PUT", path, user("put", "")).wantResource(200), one, two, three, four)
	check(s.as(a, "GET", path, "").wantResource(200), one, two, three, four)
	awaiting("quiet")
	if r := s.as(a, "POST", "/Users?excludedAttributes=groups", user("quiet", "")).
		wantResource(201); r.at("groups") != nil {
		t.Errorf("groups that were not asked for: %v", r.at("groups"))
	}
}
